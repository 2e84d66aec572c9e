//! Cancelling, pausing and resuming while everything goes wrong.

use serde_json::{Value, json};
use stripe_fake::{Fault, Key, Rule};
use usher::areas::billing::store;
use usher_stripe::requests::subscriptions as ask;

use super::{
    Shop,
    people::{refused, why},
    subscriptions::{at_stripe, status, subscriber},
};
use crate::harness::{PATIENCE, World};

both!(whatever_goes_wrong_a_cancel_is_done, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let faults = [
        Fault::ServerErrorBefore,
        Fault::ServerErrorAfter,
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::RateLimited,
        Fault::RateLimitedRetryAfter,
        Fault::Conflict,
        Fault::BadGatewayAfter,
        Fault::Truncated,
        Fault::Garbled,
    ];
    let mut all = Vec::new();
    for n in 0..faults.len() {
        all.push(subscriber(world, &shop, &format!("m{n}@example.com")).await);
    }
    for (method, path) in
        [("DELETE", "/v1/subscriptions/*"), ("POST", "/v1/subscriptions/*"), ("GET", "/v1/subscriptions/*")]
    {
        shop.fake.fault(Rule::next(faults).on(method, path));
    }
    let mut jobs = Vec::new();
    for (n, (_, id, _)) in all.iter().enumerate() {
        let when = if n % 2 == 0 { "now" } else { "periodEnd" };
        jobs.push(
            world.ok("subscriptions.cancel", json!({ "subscription": id, "when": when })).await["job"]["id"].clone(),
        );
    }
    for (n, (job, (_, id, external))) in jobs.iter().zip(&all).enumerate() {
        let job = world.job(job).await;
        assert_eq!(job["result"]["outcome"], "done", "{job}");
        let view = at_stripe(&shop, external).await;
        assert_eq!((view.status.is_terminal(), view.cancel_at_period_end), (n % 2 == 0, n % 2 == 1), "{job}");
        assert_eq!(status(world, id).await, if n % 2 == 0 { "canceled" } else { "active" });
    }
    shop.fake.clear_faults();
    shop.settle(world).await;
});

both!(a_cancel_waits_for_an_outage_of_days, async |world| {
    let shop = Shop::open(world).await;
    let (anna, id, external) = subscriber(world, &shop, "anna@example.com").await;
    let away = Rule { chances: [(Fault::Unavailable, 1.0)].into(), ..Rule::default() };
    shop.fake.fault(away.on("DELETE", "/v1/subscriptions/*"));
    let job = world.ok("subscriptions.cancel", json!({ "subscription": id, "when": "now" })).await["job"]["id"].clone();
    attempted(world, &job, 2).await;
    shop.advance(world, 25 * 3600).await;
    attempted(world, &job, 3).await;
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    shop.fake.clear_faults();
    assert_eq!(world.job(&job).await["result"]["outcome"], "done");
    assert!(at_stripe(&shop, &external).await.status.is_terminal());
    assert_eq!(why(world, &anna).await, "subscription_ended");
    shop.settle(world).await;
});

both!(a_job_that_is_cancelled_takes_its_word_back, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    for tool in ["subscriptions.pause", "subscriptions.cancel"] {
        let (_, id, external) = subscriber(world, &shop, &format!("{tool}@example.com")).await;
        let away = Rule { chances: [(Fault::Unavailable, 1.0)].into(), ..Rule::default() };
        shop.fake.fault(away.on("GET", "/v1/subscriptions/*"));
        let job = world.ok(tool, json!({ "subscription": id })).await["job"]["id"].clone();
        attempted(world, &job, 1).await;
        assert!(world.one("subscriptions.get", json!({ "subscription": id })).await.get("wanted").is_some());
        world.ok("jobs.cancel", json!({ "job": job })).await;
        assert_eq!(world.job(&job).await["status"], "cancelled");
        let after = world.one("subscriptions.get", json!({ "subscription": id })).await;
        assert!(after.get("wanted").is_none(), "{after}");
        shop.fake.clear_faults();
        // Once Stripe is back nothing of it is done, also by whoever sees it alive, and another word counts.
        shop.advance(world, 3600).await;
        crate::billing::shop::work(world, &usher::areas::billing::Tick).await;
        shop.settle(world).await;
        let view = at_stripe(&shop, &external).await;
        assert_eq!((view.status.is_terminal(), view.cancel_at_period_end), (false, false));
        assert!(view.pause_collection.is_none());
        let job = world.ok("subscriptions.cancel", json!({ "subscription": id, "when": "now" })).await["job"].clone();
        assert_eq!(world.job(&job["id"]).await["result"]["outcome"], "done");
        assert_eq!(status(world, &id).await, "canceled");
    }
    shop.settle(world).await;
});

async fn attempts(world: &World, job: &str) -> u32 {
    world.app.jobs.get(world.app.db.read(), 1, job).await.expect("the database answers").expect("a job").attempt
}

/// Until a job has begun so many attempts.
async fn attempted(world: &World, job: &Value, n: u32) {
    let begun = std::time::Instant::now();
    let id = job.as_str().expect("an id");
    while attempts(world, id).await < n {
        assert!(begun.elapsed() < PATIENCE, "{n} attempts never came");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

both!(of_calls_that_race_the_last_word_counts, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (world, shop) = (&*world, &shop);
    for round in 0..6u32 {
        let (_, id, external) = subscriber(world, shop, &format!("m{round}@example.com")).await;
        if round % 2 == 1 {
            let mut some = Rule::chance(0.0).on("POST", "/v1/subscriptions/*");
            some.chances = [(Fault::ResetAfter, 0.2), (Fault::Conflict, 0.2), (Fault::ServerErrorAfter, 0.1)].into();
            shop.fake.fault(some);
        }
        let call = async |n: u32| {
            let tool = ["subscriptions.pause", "subscriptions.resume", "subscriptions.cancel"];
            let at = [0, 1, 0, 1, 0, 1, 2][((n + round) % 7) as usize];
            tokio::time::sleep(std::time::Duration::from_millis(u64::from(n * (round % 3) * 3))).await;
            world.call(&world.key, tool[at], json!({ "subscription": id })).await
        };
        let replies = futures_util::future::join_all((0..5).map(call)).await;
        let text = format!("SELECT asked FROM subscription WHERE id = '{}'", id.as_str().unwrap());
        let last = world.rows(Box::leak(text.into_boxed_str())).await.remove(0);
        let mut outcomes = Vec::new();
        for reply in &replies {
            if reply.json()["ok"] != true {
                assert_eq!(reply.code(), "subscription_ending");
                continue;
            }
            let job = world.job(&reply.result()["job"]["id"]).await;
            outcomes.push(job["result"]["outcome"].as_str().unwrap_or_else(|| panic!("{job}")).to_owned());
        }
        assert!(outcomes.iter().any(|outcome| outcome == "done"), "{outcomes:?}");
        let view = at_stripe(shop, &external).await;
        let stands = (view.pause_collection.is_some(), view.cancel_at_period_end);
        match last.as_str() {
            "paused" => assert!(stands.0, "{last}: {stands:?}"),
            "active" => assert_eq!(stands, (false, false), "{last}"),
            _ => assert!(stands.1, "{last}: {stands:?}"),
        }
        status(world, &id).await;
        shop.fake.clear_faults();
    }
    shop.settle(world).await;
});

both!(a_worker_that_dies_in_the_middle_is_followed_by_another, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    // Before it has sent anything that counts, and between the effect and the answer.
    for (n, (method, path)) in
        [("GET", "/v1/subscriptions/*"), ("DELETE", "/v1/subscriptions/*")].into_iter().enumerate()
    {
        let (_, id, external) = subscriber(world, &shop, &format!("m{n}@example.com")).await;
        shop.fake.fault(Rule::next([Fault::Held]).on(method, path));
        let args = json!({ "subscription": id, "when": "now" });
        let job = world.ok("subscriptions.cancel", args).await["job"]["id"].clone();
        let begun = std::time::Instant::now();
        while shop.fake.n_held() == 0 {
            assert!(begun.elapsed() < PATIENCE, "nothing is held");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        // Its lease runs out, as if its worker were gone.
        while attempts(world, job.as_str().expect("an id")).await < 2 {
            assert!(begun.elapsed() < PATIENCE, "nobody took it over");
            world.execute("UPDATE job SET lease_until = 1 WHERE state = 'running' AND attempt = 1 AND site <> 0").await;
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        assert_eq!(world.job(&job).await["result"]["outcome"], "done");
        shop.fake.release();
        assert!(at_stripe(&shop, &external).await.status.is_terminal());
        assert_eq!(status(world, &id).await, "canceled");
    }
    shop.settle(world).await;
});

both!(a_key_that_may_not_stops_nothing_for_good, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (_, id, external) = subscriber(world, &shop, "anna@example.com").await;
    let config = stripe_fake::Config::default();
    shop.settle(world).await;
    shop.fake.remove_key(&config.key);
    let job = world.ok("subscriptions.cancel", json!({ "subscription": id, "when": "now" })).await["job"]["id"].clone();
    let parked = async || world.ok("jobs.get", json!({ "job": job })).await["job"]["error"]["code"] == "stripe_parked";
    let begun = std::time::Instant::now();
    while !parked().await {
        assert!(begun.elapsed() < PATIENCE, "the job does not say that it waits for a better key");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let connection = store::connection(world.app.db.read(), world.site.id).await.unwrap().expect("a connection");
    assert!(connection.parked_at.is_some());
    shop.fake.add_key(Key { key: config.key, account: config.account, permissions: None });
    let mut tx = world.app.db.begin().await.unwrap();
    store::unpark(tx.conn(), world.site.id, world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    // The minute that it waits passes.
    world.execute("UPDATE job SET not_before = 1, ticket = 'lost' WHERE state = 'queued'").await;
    assert_eq!(world.job(&job).await["result"]["outcome"], "done");
    assert!(at_stripe(&shop, &external).await.status.is_terminal());
});

both!(what_was_cancelled_and_lives_is_cancelled_again, async |world| {
    let shop = Shop::open(world).await;
    let (anna, id, external) = subscriber(world, &shop, "anna@example.com").await;
    let away = Rule { chances: [(Fault::Unavailable, 1.0)].into(), ..Rule::default() };
    shop.fake.fault(away.on("DELETE", "/v1/subscriptions/*"));
    let job = world.ok("subscriptions.cancel", json!({ "subscription": id, "when": "now" })).await["job"]["id"].clone();
    attempted(world, &job, 2).await;
    // It is gone without a word from anybody, as with a database that was set back.
    world.execute("UPDATE job SET state = 'failed', finished_at = 1 WHERE kind = 'subscriptions.cancel'").await;
    world.job(&job).await;
    for tool in ["subscriptions.pause", "subscriptions.resume"] {
        assert_eq!(refused(world, tool, json!({ "subscription": id })).await, "subscription_ended");
    }
    shop.fake.clear_faults();
    // Somebody changes something of it, so it is read, and seen alive.
    let metadata = [("colour".to_owned(), "red".to_owned())].into();
    shop.write(ask::set_metadata(&external, &metadata)).await;
    shop.settle(world).await;
    let begun = std::time::Instant::now();
    while !at_stripe(&shop, &external).await.status.is_terminal() {
        assert!(begun.elapsed() < PATIENCE, "it lives");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    shop.settle(world).await;
    assert_eq!(why(world, &anna).await, "subscription_ended");
    ended(world).await;
});

/// Until every job of the site has ended.
async fn ended(world: &World) {
    for id in world.rows("SELECT id FROM job WHERE site <> 0 AND state IN ('queued', 'running')").await {
        world.job(&json!(id)).await;
    }
}
