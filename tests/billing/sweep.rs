//! The sweep: what is different here is found, repaired, recorded and counted.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stripe_fake::{Fault, Rule, Seed};
use usher::areas::billing::{store, sweep::Sweep};

use super::{
    Shop,
    shop::{ended, member, subscription, why, work},
};
use crate::harness::{PATIENCE, World};

fn job(world: &World) -> Sweep {
    Sweep { site: world.site.id.number() }
}

async fn sweep(world: &World) -> Value {
    work(world, &job(world)).await.result.expect("counts")
}

both!(drift_is_repaired_recorded_and_counted, async |world| {
    let shop = Shop::open(world).await;
    let price = shop.price(900).await;
    let mut members = Vec::new();
    for name in ["anna", "ben", "cleo", "dora"] {
        let member = member(world, &format!("{name}@example.com")).await;
        shop.sells(&member, &price).await;
        members.push(member);
    }
    shop.settle(world).await;
    let (other, _) = world.other_site("Second", None).await;
    let insert = "INSERT INTO stripe_stray (site, id, status, seen_at) VALUES";
    world.execute(&format!("{insert} ({other}, 'sub_other', 'active', 1)", other = other.id)).await;
    shop.advance(world, 60).await;
    let all_same = sweep(world).await;
    assert_eq!((&all_same["seen"], &all_same["same"], &all_same["drifted"]), (&json!(4), &json!(4), &json!(0)));
    assert_eq!(subscription(world, &members[0]).await["syncedAt"], json!(world.clock.now()));

    // Somebody has written into the mirror: one is over, one is not known any more by its id.
    let ids: Vec<_> = members.iter().map(|id| id.as_str().unwrap()).collect();
    let end = "UPDATE subscription SET status = 'canceled', period_end = 1 WHERE member_id";
    world.execute(&format!("{end} = '{}'", ids[0])).await;
    world.execute(&format!("UPDATE subscription SET external_id = 'sub_gone' WHERE member_id = '{}'", ids[1])).await;
    assert_eq!(why(world, &members[0]).await["reason"], "subscription_ended");
    shop.advance(world, 60).await;
    let found = sweep(world).await;
    let count = |name: &str| found[name].as_u64().unwrap();
    let counts = ["seen", "same", "drifted", "unknown", "missing", "repaired"].map(count);
    assert_eq!(counts, [4, 2, 1, 1, 1, 3], "{found}");
    assert_eq!(why(world, &members[0]).await["reason"], "allowed_subscription");
    assert_eq!(why(world, &members[1]).await["reason"], "allowed_subscription");
    let args = json!({ "actor": "stripe", "tool": "stripe.subscription", "member": members[0] });
    let log = world.call(&world.key, "activity.list", args).await.json();
    let row = &log["result"]["items"][0];
    assert_eq!((&row["args"]["source"], &row["args"]["event"]), (&json!("sweep"), &json!(null)), "{log}");
    assert_eq!(row["changes"][0]["before"]["status"], "canceled", "{log}");
    assert_eq!(row["changes"][0]["after"]["status"], "active", "{log}");
    let log = world.ok("activity.list", json!({ "tool": "stripe.sweep" })).await;
    assert_eq!(log["items"].as_array().map(Vec::len), Some(2), "{log}");
    assert_eq!(log["items"][0]["args"], found);
    let connection = store::connection(world.app.db.read(), world.site.id).await.unwrap().unwrap();
    assert_eq!(connection.swept_at, Some(world.clock.now()));
    assert_eq!(world.rows("SELECT id FROM stripe_stray WHERE seen_at = 1").await, ["sub_other"]);
});

both!(who_nobody_knows_is_a_stray_and_stays_one, async |world| {
    let shop = Shop::open(world).await;
    shop.fake.seed(&Seed { subscriptions: 5, ..Seed::default() }).expect("they are made");
    let first = sweep(world).await;
    assert_eq!((&first["unknown"], &first["strays"]), (&json!(5), &json!(0)), "{first}");
    assert_eq!(world.rows("SELECT id FROM stripe_stray").await.len(), 5);
    shop.advance(world, 60).await;
    let second = sweep(world).await;
    assert_eq!((&second["unknown"], &second["strays"]), (&json!(0), &json!(5)), "{second}");
});

both!(a_sweep_whose_worker_died_goes_on_where_it_was, async |world| {
    let shop = Shop::open(world).await;
    shop.fake.seed(&Seed { subscriptions: 104, ..Seed::default() }).expect("they are made");
    shop.fake.fault(Rule::next([Fault::None, Fault::Held]).on("GET", "/v1/subscriptions"));
    let mut tx = world.app.db.begin().await.expect("a transaction");
    let row = world.app.jobs.enqueue(&mut tx, usher_jobs::Owner::site(0), &job(world)).await.expect("a job");
    tx.commit().await.expect("a commit");
    let begun = Instant::now();
    while shop.fake.n_held() == 0 {
        assert!(begun.elapsed() < PATIENCE, "the second page was not asked for");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // As if the worker were gone: its lease is over, and what it still writes counts for nothing.
    world.execute("UPDATE job SET epoch = epoch + 1, lease_until = 1 WHERE kind = 'stripe.sweep'").await;
    let done = ended(world, &row.id).await;
    shop.fake.release();
    let counts = done.result.expect("counts");
    assert_eq!((&counts["seen"], &counts["unknown"], done.attempt), (&json!(104), &json!(104), 2), "{counts}");
    let pages = shop.fake.log().iter().filter(|entry| entry.path == "/v1/subscriptions").count();
    assert_eq!(pages, 3, "the first page, the second that was held, and that again");
});

both!(a_sweep_waits_when_stripe_says_so, async |world| {
    let shop = Shop::open(world).await;
    shop.fake.seed(&Seed { subscriptions: 2, ..Seed::default() }).expect("they are made");
    shop.fake.fault(Rule::next([Fault::RateLimitedRetryAfter]).on("GET", "/v1/subscriptions"));
    let done = work(world, &job(world)).await;
    assert_eq!((&done.result.expect("counts")["seen"], done.attempt), (&json!(2), 2));
});
