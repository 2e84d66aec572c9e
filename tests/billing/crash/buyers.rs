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
    /// Whose subscription was cancelled.
    left: BTreeSet<String>,
}

impl Buyers {
    /// Each asks for a page.
    pub async fn come(world: &World, n: u64) -> Self {
        let plan = json!({ "name": "Gold", "amount": 900, "currency": "EUR", "every": "year" });
        let plan = world.ok("plans.create", plan).await["plan"]["id"].as_str().expect("an id").to_owned();
        let one = async |n: u64| {
            let member = world.one("members.create", json!({ "email": format!("m{n}@example.com") })).await;
            member["id"].as_str().expect("an id").to_owned()
        };
        let members: Vec<String> = stream::iter((0..n).map(one)).buffered(AT_ONCE).collect().await;
        let buyers = Self { members, plan, left: BTreeSet::new() };
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
            let args = json!({ "subscription": subscription, "when": "now" });
            world.ok("subscriptions.cancel", args).await;
            self.left.insert(member);
        }
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
        bought.len() == self.members.len() && self.left.len() == self.leaving().count() && check::open(world).await == 0
    }

    /// Who ends the subscription.
    pub fn leaving(&self) -> impl Iterator<Item = &String> {
        self.members.iter().step_by(LEAVES)
    }
}
