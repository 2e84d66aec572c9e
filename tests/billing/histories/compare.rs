//! What is here and what Stripe says: what differs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use usher::{
    areas::{invoices, subscriptions},
    values::{PlanId, Time},
};

use super::{Life, Site};
use crate::{
    billing::{
        Shop,
        oracle::{Asked, Policy, Told},
    },
    harness::World,
};

/// Members that are looked at at the same time.
const AT_ONCE: usize = 8;

/// What was found in all histories.
#[derive(Default)]
pub struct Findings {
    pub n_histories: usize,
    pub n_deliveries: usize,
    /// How many answers about access were compared.
    n_answers: usize,
    /// How many of them each naive policy gets wrong.
    pub naive: BTreeMap<Policy, usize>,
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n_histories, n_deliveries, n_answers, naive } = self;
        write!(
            f,
            "{n_histories} histories, {n_deliveries} deliveries, {n_answers} answers; wrong by naive policies: {naive:?}"
        )
    }
}

impl Findings {
    /// Compares all; gives what differs.
    pub async fn compare(&mut self, world: &World, shop: &Shop, site: &Site, lives: &[Life]) -> Vec<String> {
        let at = world.clock.now().micros() / 1_000_000;
        let each = stream::iter(lives).map(async |life| {
            let told: Vec<_> = life.subscriptions.iter().map(|id| Told::of(&shop.fake, id)).collect();
            let mut seen = Seen { life, told, wrong: Vec::new(), n_answers: 0, lost: Vec::new() };
            seen.mirror(world, site).await;
            seen.access(world, site, at).await;
            seen
        });
        let mut all: Vec<Seen<'_>> = each.buffer_unordered(AT_ONCE).collect().await;
        let reported = reported(world).await;
        for seen in &mut all {
            for (id, is_lost) in std::mem::take(&mut seen.lost) {
                seen.differ(&format!("the lost dispute of {id}"), &json!(reported.contains(&id)), &json!(is_lost));
            }
            self.n_answers += seen.n_answers;
            self.hold_against_naive(site, &seen.told, at);
        }
        all.into_iter().flat_map(|seen| seen.wrong).collect()
    }

    /// Counts what naive policies would get wrong.
    pub fn hold_against_naive(&mut self, site: &Site, told: &[Told], at: i64) {
        let asked = site.videos.iter().map(|(_, prices)| Asked::Content(prices));
        for asked in asked.chain([Asked::Anything]) {
            let right = site.rules.reasons(told, asked, at, Policy::Promised);
            for policy in Policy::NAIVE {
                let reasons = site.rules.reasons(told, asked, at, policy);
                let lets_in = |reasons: &[&str]| reasons[0].starts_with("allowed");
                if lets_in(&reasons) != lets_in(&right) {
                    *self.naive.entry(policy).or_default() += 1;
                }
            }
        }
    }
}

/// What was seen of a member.
struct Seen<'a> {
    life: &'a Life,
    told: Vec<Told>,
    wrong: Vec<String>,
    n_answers: usize,
    /// Which of the subscriptions were lost a dispute of and go on all the same.
    lost: Vec<(String, bool)>,
}

/// The subscriptions at Stripe that `billing.reconcile` has a lost dispute of.
async fn reported(world: &World) -> BTreeSet<String> {
    let (mut found, mut cursor) = (BTreeSet::new(), Value::Null);
    loop {
        let mut args = json!({ "limit": 200 });
        if cursor.is_string() {
            args["cursor"] = cursor;
        }
        let page = world.ok("billing.reconcile", args).await;
        let lost = page["items"].as_array().expect("items").iter().filter(|item| item["kind"] == "lost_dispute");
        found.extend(lost.map(|item| item["externalId"].as_str().expect("an id").to_owned()));
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            return found;
        }
    }
}

fn seconds(time: Time) -> i64 {
    time.micros() / 1_000_000
}

impl Seen<'_> {
    fn differ(&mut self, what: &str, here: &Value, there: &Value) {
        if here != there {
            let told = &self.told;
            self.wrong.push(format!("{what} of {} is {here} and should be {there}: {told:?}", self.life.member));
        }
    }

    /// What is mirrored of subscriptions and invoices.
    async fn mirror(&mut self, world: &World, site: &Site) {
        let id = world.site.id;
        for told in self.told.clone() {
            for bill in &told.bills {
                let here = invoices::store::by_external(world.app.db.read(), id, &bill.id).await.expect("a database");
                let there = json!([bill.status, bill.total, bill.paid, bill.refunded, bill.number, bill.n_lines()]);
                let here = here.map_or(Value::Null, |one| {
                    let (status, n_lines) = (one.status.as_str(), one.lines.len());
                    json!([status, one.total, one.amount_paid, one.amount_refunded, one.number, n_lines])
                });
                self.differ(&format!("invoice {}", bill.id), &here, &there);
            }
            let here = subscriptions::store::by_external(world.app.db.read(), id, &told.id).await.expect("a database");
            let Some(here) = here else {
                self.differ("the subscription", &Value::Null, &json!(told.id));
                continue;
            };
            self.subscription(&here, &told, &site.plans);
            if !told.is_over() {
                let spans = subscriptions::store::spans(world.app.db.read(), id, &here.id).await.expect("a database");
                self.spans(&spans, &told, site);
            }
        }
    }

    fn subscription(&mut self, here: &subscriptions::Subscription, told: &Told, plans: &BTreeMap<String, PlanId>) {
        let seconds = |time: Option<Time>| time.map(seconds);
        let is_paused = told.is_paused && !told.is_over();
        let status = if is_paused { "paused" } else { &told.status };
        let end = match told.ended_at {
            _ if is_paused => told.paid_until(),
            Some(ended) => told.period_end.min(ended),
            None => told.period_end,
        };
        let overdue = if told.is_overdue() { told.overdue_since() } else { None };
        let mirrored = json!([here.status.as_str(), seconds(here.period_end), seconds(here.past_due_since)]);
        self.differ(&format!("subscription {}", told.id), &mirrored, &json!([status, end, overdue]));
        let mirrored = [here.cancel_at, here.ended_at, here.canceled_at, here.resumes_at].map(seconds);
        let there = json!([told.cancel_at, told.ended_at, told.canceled_at, told.resumes_at]);
        self.differ(&format!("the end of {}", told.id), &json!(mirrored), &there);
        let mirrored = here.items.iter().map(|item| json!([item.external_id, item.plan_id, item.quantity]));
        let there = told.items.iter().map(|item| json!([item.id, plans.get(&item.price), item.quantity]));
        let (mirrored, there): (Vec<_>, Vec<_>) = (mirrored.collect(), there.collect());
        self.differ(&format!("items of {}", told.id), &json!(mirrored), &json!(there));
        self.differ(&format!("the plan of {}", told.id), &json!(here.plan_id), &there[0][1]);
        // What has ended access needs nobody to look at it.
        let is_lost = !told.is_over() && here.refunded_at.is_none() && told.bills.iter().any(|bill| bill.lost > 0);
        self.lost.push((told.id.clone(), is_lost));
    }

    /// What was paid, however it is ordered.
    fn spans(&mut self, here: &[subscriptions::PaidSpan], told: &Told, site: &Site) {
        let here = here.iter().map(|span| {
            let (from, until) = (seconds(span.starts_at), seconds(span.ends_at));
            json!([span.invoice, span.plan_id, from, until, span.paid, span.refunded]).to_string()
        });
        let there = told.spans().map(|span| {
            let bill = &told.bills[span.bill];
            let lost = if site.rules.do_lost_disputes_end_access { bill.lost } else { 0 };
            let plan = site.plans.get(span.price);
            json!([bill.id, plan, span.from, span.until, bill.paid, bill.refunded + lost]).to_string()
        });
        let (here, there): (BTreeSet<_>, BTreeSet<_>) = (here.collect(), there.collect());
        self.differ(&format!("what was paid for {}", told.id), &json!(here), &json!(there));
    }

    /// What access makes of it.
    async fn access(&mut self, world: &World, site: &Site, at: i64) {
        let who = json!({ "id": self.life.member });
        let why = world.ok("members.whyPaywall", json!({ "member": who })).await;
        self.answered("why", &why, site, Asked::Content(&[]), at);
        let videos: Vec<_> = site.videos.iter().map(|(video, _)| video).chain([&site.bundled.0]).collect();
        let checked = world.ok("members.checkAccess", json!({ "member": who, "videos": videos })).await;
        self.answered("member content", &checked, site, Asked::Content(&[]), at);
        for (n, (_, prices)) in site.videos.iter().enumerate() {
            self.answered(&format!("video {n}"), &checked["videos"][n], site, Asked::Content(prices), at);
        }
        let owned = if self.life.owns_bundle { "allowed_bundle" } else { "bundle_required" };
        self.differ("the bundle", &checked["videos"][site.videos.len()]["reason"], &json!(owned));
        let pays = site.rules.reasons(&self.told, Asked::Anything, at, Policy::Promised)[0].starts_with("allowed");
        let shown = world.one("members.get", json!({ "member": who })).await;
        self.differ("the status", &shown["status"], &json!(if pays { "paid" } else { "free" }));
    }

    fn answered(&mut self, what: &str, answer: &Value, site: &Site, asked: Asked<'_>, at: i64) {
        self.n_answers += 1;
        let right = site.rules.reasons(&self.told, asked, at, Policy::Promised);
        let reason = answer["reason"].as_str().expect("a reason");
        if !right.contains(&reason) {
            self.differ(what, &answer["reason"], &json!(right));
        }
        self.differ(what, &answer["allowed"], &json!(reason.starts_with("allowed")));
    }
}
