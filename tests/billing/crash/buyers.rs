//! People who want to buy, and what they do with what they have bought: each has a [`Part`] to play.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use stripe_fake::Payer;
use usher_stripe::requests::prices::Every;

use super::{
    Shop,
    check::{self, Known},
};
use crate::{billing::oracle::Told, harness::World};

/// Calls at the same time.
const AT_ONCE: usize = 8;

/// One in so many ends the subscription after having bought it, and does not buy again.
const LEAVES: usize = 10;

pub struct Buyers {
    pub members: Vec<String>,
    pub plan: String,
    /// What some move to.
    pub better: String,
    /// The price of what some have beside it, which is not of Usher's making.
    pub beside: String,
    /// Whose subscription was cancelled.
    left: BTreeSet<String>,
    /// Who has played a part.
    done: BTreeSet<(Part, String)>,
}

/// What a buyer does once the purchase is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Moves to the better plan now.
    Moves,
    /// Moves to it now, and gets back what that cost.
    MovesAndGetsItBack,
    /// Moves to it with the period.
    MovesLater,
    /// Gets a part of the first payment back.
    GetsPartBack,
    /// Has two items, the first of which opens nothing, and moves the second to the better plan.
    HasTwo,
    /// Moves to the better plan now and does not pay for it.
    DoesNotPay,
    /// Has the bank take the first payment back, and gets it.
    Wins,
    /// The same, and does not get it.
    Loses,
}

impl Part {
    const BESIDE: [Self; 4] = [Self::HasTwo, Self::DoesNotPay, Self::Wins, Self::Loses];

    /// The part of the nth buyer. Of those without one, some leave.
    fn of(n: usize) -> Option<Self> {
        let turn = n / 5;
        match n % 5 {
            1 if turn.is_multiple_of(2) => Some(Self::Moves),
            1 => Some(Self::MovesAndGetsItBack),
            2 => Some(Self::MovesLater),
            3 => Some(Self::GetsPartBack),
            4 => Some(Self::BESIDE[turn % 4]),
            _ => None,
        }
    }

    /// Whether the better plan is billed at once.
    pub fn is_billed_anew(self) -> bool {
        matches!(self, Self::Moves | Self::MovesAndGetsItBack | Self::HasTwo | Self::DoesNotPay)
    }
}

/// The part of a payment that is given back, in cents.
pub const PART: i64 = 100;

impl Buyers {
    /// Each asks for a page.
    pub async fn come(world: &World, shop: &Shop, n: u64) -> Self {
        let beside = shop.unheard_of(500, Every::Years(1)).await;
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
        let (left, done) = Default::default();
        let buyers = Self { members, plan, better, beside, left, done };
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
            self.change_plan(world, &subscription.id, "now", None).await;
            let args = json!({ "subscription": subscription.id, "when": "now" });
            world.ok("subscriptions.cancel", args).await;
            self.left.insert(member);
        }
    }

    /// Each plays a part once it is known here what they have bought.
    pub async fn play(&mut self, world: &World, shop: &Shop) {
        let known: BTreeMap<_, _> = check::known(world).await;
        let playing = self.with_parts().filter(|(member, part)| !self.done.contains(&(*part, (*member).clone())));
        let playing: Vec<_> = playing.map(|(member, part)| (member.clone(), part)).collect();
        for (member, part) in playing {
            let Some(one) = known.get(&member) else { continue };
            if self.plays(world, shop, one, part).await {
                self.done.insert((part, member));
            }
        }
    }

    /// Whether that could be done already.
    async fn plays(&self, world: &World, shop: &Shop, one: &Known, part: Part) -> bool {
        match part {
            Part::Moves => self.change_plan(world, &one.id, "now", None).await,
            Part::MovesLater => self.change_plan(world, &one.id, "periodEnd", None).await,
            Part::MovesAndGetsItBack => {
                // Asked for again, it is not billed again.
                let Some(bill) = check::bill(world, shop, &one.external, "subscription_update").await else {
                    self.change_plan(world, &one.id, "now", None).await;
                    return false;
                };
                world.ok("payments.refund", json!({ "invoice": bill })).await;
            }
            Part::GetsPartBack => {
                let Some(bill) = check::bill(world, shop, &one.external, "subscription_create").await else {
                    return false;
                };
                world.ok("payments.refund", json!({ "invoice": bill, "amount": PART })).await;
            }
            Part::HasTwo => {
                let item = self.add_before(shop, &one.external);
                self.change_plan(world, &one.id, "now", Some(&item)).await;
            }
            Part::DoesNotPay => {
                shop.fake.set_card(&one.customer, true).expect("a customer");
                self.change_plan(world, &one.id, "now", None).await;
            }
            Part::Wins | Part::Loses => {
                let told = Told::of(&shop.fake, &one.external);
                let charge = told.bills[0].charge(&shop.fake).expect("a payment");
                let dispute = shop.fake.dispute(charge["id"].as_str().expect("an id"), None).expect("a dispute");
                let id = dispute["id"].as_str().expect("an id");
                shop.fake.decide_dispute(id, part == Part::Loses).expect("a decision");
            }
        }
        true
    }

    /// The owner puts another item before the one that there is; gives the id of that.
    fn add_before(&self, shop: &Shop, external: &str) -> String {
        let told = Told::of(&shop.fake, external);
        let (item, beside) = (&told.items[0], &self.beside);
        let form = format!(
            "items[0][id]={}&items[0][price]={beside}&items[1][price]={}&proration_behavior=none",
            item.id, item.price
        );
        let after = shop.fake.owner("POST", &format!("subscriptions/{external}"), &form).expect("another item");
        after["items"]["data"][1]["id"].as_str().expect("an id").to_owned()
    }

    async fn change_plan(&self, world: &World, subscription: &str, when: &str, item: Option<&str>) {
        let mut args = json!({ "subscription": subscription, "plan": self.better, "when": when });
        if let Some(item) = item {
            args["item"] = json!(item);
        }
        world.ok("subscriptions.changePlan", args).await;
    }

    /// Who plays a part, and which.
    pub fn with_parts(&self) -> impl Iterator<Item = (&String, Part)> {
        self.members.iter().enumerate().filter_map(|(n, member)| Some((member, Part::of(n)?)))
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
        let have_played = self.done.len() == self.with_parts().count();
        let have_left = self.left.len() == self.leaving().count();
        bought.len() == self.members.len() && have_left && have_played && check::open(world).await == 0
    }

    /// Who ends the subscription.
    pub fn leaving(&self) -> impl Iterator<Item = &String> {
        self.members.iter().step_by(LEAVES)
    }
}
