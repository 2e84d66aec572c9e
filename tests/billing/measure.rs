//! How soon a webhook is acknowledged while a sweep runs, and how fast Stripe is called by it. A small round runs with the
//! other tests; `USHER_MEASURE_SWEEP=50000` in a release build measures (benches/README.md).

use std::{
    collections::BTreeMap,
    io::Write as _,
    time::{Duration, Instant},
};

use stripe_fake::{Dress, Plan, Seed};
use usher::{
    areas::{
        access::SubscriptionStatus,
        billing::sweep::Sweep,
        plans,
        subscriptions::{self, Subscription, SubscriptionItem},
    },
    values::{MemberId, PlanId, Time},
};
use usher_stripe::{Pager, requests, views};

use super::{
    Shop,
    shop::{ended, member},
};
use crate::harness::World;

/// Between two webhooks.
const PAUSE: Duration = Duration::from_millis(200);

/// What a sweep goes through in a second.
const SWEPT_PER_SECOND: usize = 500;

/// Subscriptions of one member.
const EACH: usize = 50;

/// Stripe's limit for one kind of call, and for an account in test mode.
const STRIPES_LIMIT: usize = 25;

both!(webhooks_are_acknowledged_at_once_while_a_sweep_runs, async |world| {
    let wanted = wanted();
    let n = wanted.unwrap_or(600);
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    shop.fake.set_plan(Plan::held());
    let seeded = shop.fake.seed(&Seed { subscriptions: n, ..Seed::default() }).expect("they are made");
    mirror(world, &shop, &seeded.price).await;
    let n_events = n / SWEPT_PER_SECOND * 5;
    let mut events = Vec::new();
    for (at, (_, subscription)) in seeded.made.iter().take(n_events).enumerate() {
        let metadata = BTreeMap::from([("n".to_owned(), at.to_string())]);
        shop.write(requests::subscriptions::set_metadata(subscription, &metadata)).await;
    }
    for (event, _) in shop.fake.events(None).expect("events").iter().rev().take(n_events) {
        events.push(shop.fake.signed(event, &Dress::default()).expect("an event").remove(0));
    }
    shop.fake.reset_speeds();
    let mut tx = world.app.db.begin().await.expect("a transaction");
    let job = Sweep { site: world.site.id.number() };
    let row = world.app.jobs.enqueue(&mut tx, usher_jobs::Owner::site(0), &job).await.expect("a job");
    tx.commit().await.expect("a commit");
    let path = format!("/webhooks/stripe/{}", world.site.id);
    let mut times = Vec::new();
    for signed in events {
        let headers: Vec<_> = signed.headers.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let begun = Instant::now();
        let reply = world.send("POST", &path, &headers, signed.body).await;
        times.push(begun.elapsed());
        assert_eq!(reply.status, 200, "{}", reply.text);
        tokio::time::sleep(PAUSE).await;
    }
    let counts = loop {
        let row = world.app.jobs.wait(0, &row.id, Duration::from_secs(5)).await.expect("an answer").expect("a job");
        if row.state.is_over() {
            break ended(world, &row.id).await.result.expect("counts");
        }
    };
    assert_eq!((counts["seen"].as_u64(), counts["drifted"].as_u64()), (Some(n as u64), Some(0)), "{counts}");
    let peak = shop.fake.speeds().values().map(|speed| speed.peak).max().expect("calls");
    assert!(peak <= STRIPES_LIMIT, "{peak} calls in a second");
    times.sort_unstable();
    let p99 = times[(times.len() * 99 / 100).min(times.len() - 1)];
    let n_times = times.len();
    let said = format!("{n} subscriptions, {n_times} webhooks: p99 {p99:?}, peak {peak} calls/s, {counts}\n");
    std::io::stderr().write_all(said.as_bytes()).expect("it is said");
    if wanted.is_some() && !cfg!(debug_assertions) {
        assert!(p99 < Duration::from_millis(20), "{p99:?}");
    }
});

/// How many subscriptions are to be measured; a small round unless said.
#[expect(clippy::disallowed_methods, reason = "a switch of this test alone")]
fn wanted() -> Option<usize> {
    std::env::var("USHER_MEASURE_SWEEP").ok()?.parse().ok()
}

/// Writes all that Stripe has as it would be once it was read, which would take hours at Stripe's pace.
async fn mirror(world: &World, shop: &Shop, price: &str) {
    let plan: PlanId = world.app.clock.id();
    let mut pager = Pager::new(requests::subscriptions::list(&Default::default()), Duration::ZERO, u32::MAX);
    let (mut n, mut owner) = (0, MemberId::of(Default::default()));
    while let Some(page) = pager.next(&shop.owner).await.expect("a page") {
        let mut owners = Vec::new();
        for _ in &page.value.data {
            if n % EACH == 0 {
                let id = member(world, &format!("m{n}@example.com")).await;
                owner = MemberId::parse(id.as_str().expect("an id")).expect("an id");
            }
            owners.push(owner.clone());
            n += 1;
        }
        let mut tx = world.app.db.begin().await.expect("a transaction");
        for (view, owner) in page.value.data.iter().zip(owners) {
            let row = row(world, view, owner, plan.clone());
            subscriptions::store::insert(tx.conn(), world.site.id, &row).await.expect("it is written");
        }
        tx.commit().await.expect("a commit");
    }
    let now = world.clock.now();
    let mut tx = world.app.db.begin().await.expect("a transaction");
    let plan = plans::Plan {
        id: plan,
        name: usher::values::Title::parse("Seeded").expect("a title"),
        description: None,
        pricing: None,
        amount: 500,
        currency: "EUR".into(),
        every: plans::Every::Month,
        every_n: 1,
        trial_days: 0,
        public: false,
        opens: plans::Opens::All,
        needs_review: None,
        archived_at: None,
        product_id: None,
        price_id: Some(price.to_owned()),
        created_at: now,
        updated_at: now,
    };
    plans::store::insert(tx.conn(), world.site.id, &plan).await.expect("it is written");
    tx.commit().await.expect("a commit");
}

fn row(world: &World, view: &views::Subscription, member_id: MemberId, plan_id: PlanId) -> Subscription {
    let time = |seconds: i64| Time::from_micros(seconds * 1_000_000);
    let (now, period) = (world.clock.now(), view.current_period());
    Subscription {
        id: world.app.clock.id(),
        member_id,
        items: SubscriptionItem::only(plan_id.clone()),
        plan_id,
        status: SubscriptionStatus::Active,
        source: "stripe".into(),
        started_at: view.start_date.or(view.created).map_or(now, time),
        period_start: period.map(|period| time(period.start)),
        period_end: period.map(|period| time(period.end)),
        trial_end: None,
        past_due_since: None,
        needs_card: false,
        resumes_at: None,
        cancel_at: None,
        canceled_at: None,
        ended_at: None,
        refunded_at: None,
        refunded_until: None,
        wanted: None,
        external_id: Some(view.id.clone()),
        customer_id: view.customer_id().map(str::to_owned),
        reference: None,
        synced_at: None,
        created_at: now,
        updated_at: now,
        payment_intent: None,
        resume_wanted: None,
        ticket: 0,
    }
}
