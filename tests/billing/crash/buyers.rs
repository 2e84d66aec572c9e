//! People who want to buy.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use stripe_fake::Payer;

use super::{Shop, check};
use crate::harness::World;

/// Calls at the same time.
const AT_ONCE: usize = 8;

/// One in so many ends the subscription after having bought it, and does not buy again.
const LEAVES: usize = 10;

pub struct Buyers {
    pub members: Vec<String>,
    pub plan: String,
    /// What some move to.
    pub better: String,
    /// Whose subscription was cancelled.
    left: BTreeSet<String>,
    /// Whose plan was changed.
    changed: BTreeSet<String>,
    /// Who got a part back.
    refunded: BTreeSet<String>,
}

/// One in so many moves to a better plan now, another with the period, and another gets a part back.
const CHANGES: usize = 5;

/// The part that is given back, in cents.
pub const PART: i64 = 100;

impl Buyers {
    /// Each asks for a page.
    pub async fn come(world: &World, n: u64) -> Self {
        let plan = async |name: &str, amount: i64| {
            let plan = json!({ "name": name, "amount": amount, "currency": "EUR", "every": "year" });
            world.ok("plans.create", plan).await["plan"]["id"].as_str().expect("an id").to_owned()
        };
        let (plan, better) = (plan("Gold", 900).await, plan("Platinum", 2900).await);
        let one = async |n: u64| {
            let member = world.one("members.create", json!({ "email": format!("m{n}@example.com") })).await;
            member["id"].as_str().expect("an id").to_owned()
        };
        let members: Vec<String> = stream::iter((0..n).map(one)).buffered(AT_ONCE).collect().await;
        let (left, changed, refunded) = Default::default();
        let buyers = Self { members, plan, better, left, changed, refunded };
        let all: Vec<_> = buyers.members.iter().collect();
        buyers.ask(world, &all).await;
        buyers
    }

    async fn ask(&self, world: &World, whom: &[&String]) {
        let one = async |member: &&String| {
            let args = json!({
                "member": { "id": member }, "plan": self.plan, "successUrl": "https://example.com/",
            });
            let body = json!({ "args": args });
            let reply =
                world.call_with(&world.key, "subscriptions.createCheckout", body, &[("prefer", "wait=0")]).await;
            let answer: Value = reply.json();
            assert!(answer["ok"] == true || answer["code"] == "subscription_exists", "{}", reply.text);
        };
        stream::iter(whom).map(one).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    }

    /// Those whose page has closed ask again, and some who need not.
    pub async fn come_again(&self, world: &World, shop: &Shop) {
        let bought: BTreeSet<_> = check::subscriptions(shop).into_iter().map(|one| one.member).collect();
        let again: Vec<_> = self.members.iter().filter(|member| !bought.contains(*member)).collect();
        self.ask(world, &again).await;
    }

    /// Who leaves is cancelled as soon as it is known here what they have bought.
    pub async fn leave(&mut self, world: &World) {
        let known: BTreeMap<_, _> = check::known(world).await;
        let leaving: Vec<_> = self.leaving().filter(|member| !self.left.contains(*member)).cloned().collect();
        for member in leaving {
            let Some(subscription) = known.get(&member) else { continue };
            // A change of plan that is under way changes nothing of it.
            self.change_plan(world, subscription, "now").await;
            let args = json!({ "subscription": subscription, "when": "now" });
            world.ok("subscriptions.cancel", args).await;
            self.left.insert(member);
        }
    }

    /// Who moves to the better plan does so once it is known here what they have bought, and so do refunds.
    pub async fn change(&mut self, world: &World) {
        let known: BTreeMap<_, _> = check::known(world).await;
        let changing = self.moving_now().map(|member| (member, "now"));
        let changing = changing.chain(self.moving_later().map(|member| (member, "periodEnd")));
        let changing: Vec<_> = changing
            .filter(|(member, _)| !self.changed.contains(*member))
            .filter_map(|(member, when)| Some((member.clone(), known.get(member)?, when)))
            .collect();
        for (member, subscription, when) in changing {
            self.change_plan(world, subscription, when).await;
            self.changed.insert(member);
        }
        let invoices = check::invoices(world).await;
        let refunding: Vec<_> =
            self.getting_back().filter(|member| !self.refunded.contains(*member)).cloned().collect();
        for member in refunding {
            let Some(invoice) = invoices.get(&member) else { continue };
            world.ok("payments.refund", json!({ "invoice": invoice, "amount": PART })).await;
            self.refunded.insert(member);
        }
    }

    async fn change_plan(&self, world: &World, subscription: &str, when: &str) {
        let args = json!({ "subscription": subscription, "plan": self.better, "when": when });
        world.ok("subscriptions.changePlan", args).await;
    }

    /// Who moves to the better plan now.
    pub fn moving_now(&self) -> impl Iterator<Item = &String> {
        self.members.iter().skip(1).step_by(CHANGES)
    }

    /// Who moves to it with the period.
    pub fn moving_later(&self) -> impl Iterator<Item = &String> {
        self.members.iter().skip(2).step_by(CHANGES)
    }

    /// Who gets a part of the first payment back.
    pub fn getting_back(&self) -> impl Iterator<Item = &String> {
        self.members.iter().skip(3).step_by(CHANGES)
    }

    /// Whatever is open is paid.
    pub fn pay(&self, shop: &Shop) {
        for session in check::sessions(shop) {
            if session.is_open {
                // It may have closed since.
                _ = shop.fake.complete_checkout(&session.id, &Payer::default());
            }
        }
    }

    /// Whether each has bought, some have left, and nothing is being made or ended any more.
    pub async fn are_done(&self, world: &World, shop: &Shop) -> bool {
        let bought: BTreeSet<_> = check::subscriptions(shop).into_iter().map(|one| one.member).collect();
        let have_changed = self.changed.len() == self.moving_now().count() + self.moving_later().count()
            && self.refunded.len() == self.getting_back().count();
        let have_left = self.left.len() == self.leaving().count();
        bought.len() == self.members.len() && have_left && have_changed && check::open(world).await == 0
    }

    /// Who ends the subscription.
    pub fn leaving(&self) -> impl Iterator<Item = &String> {
        self.members.iter().step_by(LEAVES)
    }
}
