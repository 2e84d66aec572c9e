//! What there is at the end.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use usher::areas::invoices;
use usher_stripe::{
    Client, Pager, Request,
    requests::{self, checkout, customers, prices, products},
    views::{self, CheckoutStatus, Page},
};

use super::{
    Buyers, Shop, access,
    buyers::{PART, Part},
    lives::time_passes,
};
use crate::{billing::oracle::Told, harness::World};

/// Pages of a list.
const MAX_PAGES: u32 = 10_000;

pub struct Session {
    pub id: String,
    pub is_open: bool,
}

pub struct Subscription {
    pub member: String,
}

/// How many jobs of the site are not over.
pub async fn open(world: &World) -> usize {
    world.rows("SELECT id FROM job WHERE site <> 0 AND state IN ('queued', 'running')").await.len()
}

/// A subscription as it is known here.
pub struct Known {
    pub id: String,
    /// Stripe's ids of it, and of who pays.
    pub external: String,
    pub customer: String,
}

/// What each member has bought that goes on, as is known here, of those for whom no other page is made or open: on such a
/// one they would buy again.
pub async fn known(world: &World) -> BTreeMap<String, Known> {
    let rows = world
        .rows(
            "SELECT s.member_id || ' ' || s.id || ' ' || s.external_id || ' ' || s.customer_id FROM subscription s WHERE s.status = 'active' AND NOT EXISTS (
                 SELECT 1 FROM checkout c WHERE c.site = s.site AND c.member_id = s.member_id
                 AND c.status IN ('waiting', 'making', 'open'))",
        )
        .await;
    let known = |row: String| {
        let [member, id, external, customer] = row.split(' ').collect::<Vec<_>>().try_into().expect("four ids");
        let known = Known { id: id.to_owned(), external: external.to_owned(), customer: customer.to_owned() };
        (member.to_owned(), known)
    };
    rows.into_iter().map(known).collect()
}

/// The paid invoice of a subscription that Stripe made for a reason, if it is known here as paid.
pub async fn bill(world: &World, shop: &Shop, subscription: &str, reason: &str) -> Option<String> {
    let all = shop.fake.owner("GET", &format!("invoices?subscription={subscription}&limit=100"), "").expect("invoices");
    let found = all["data"].as_array().expect("a list").iter().find(|one| one["billing_reason"] == reason)?;
    let id = found["id"].as_str().expect("an id");
    let here = invoices::store::by_external(world.app.db.read(), world.site.id, id).await.expect("a database")?;
    (here.amount_paid > 0).then(|| here.id.to_string())
}

/// Every session at Stripe, read where no fault is.
pub fn sessions(shop: &Shop) -> Vec<Session> {
    shop.fake
        .sessions()
        .into_iter()
        .map(|session| Session {
            id: session["id"].as_str().unwrap_or_default().to_owned(),
            is_open: session["status"] == "open",
        })
        .collect()
}

/// Every subscription at Stripe.
pub fn subscriptions(shop: &Shop) -> Vec<Subscription> {
    let member = |one: Value| one["metadata"]["usher_member"].as_str().unwrap_or_default().to_owned();
    shop.fake.subscriptions().into_iter().map(|one| Subscription { member: member(one) }).collect()
}

async fn all<T: serde::de::DeserializeOwned>(client: &Client, list: Request<Page<T>>) -> Vec<T> {
    let mut pager = Pager::new(list, std::time::Duration::ZERO, MAX_PAGES);
    let mut all = Vec::new();
    while let Some(page) = pager.next(client).await.expect("Stripe answers") {
        assert!(page.value.unreadable.is_empty());
        all.extend(page.value.data);
    }
    all
}

fn counted<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    keys.for_each(|key| *counts.entry(key).or_default() += 1);
    counts
}

/// That each has had one of everything, that who has left stays away, and that nothing waits.
pub async fn rest(world: &World, shop: &Shop, buyers: &Buyers) {
    settled(world, shop).await;
    let member = |metadata: &views::Metadata| metadata.get("usher_member").cloned().unwrap_or_default();
    let owner = &shop.owner;
    let of_members = counted(all(owner, customers::list()).await.iter().map(|one| member(&one.metadata)));
    assert_eq!(of_members.len(), buyers.members.len(), "customers");
    assert!(of_members.values().all(|n| *n == 1), "two customers of one member");
    assert_eq!(all(owner, products::list(None)).await.len(), 3, "products");
    assert_eq!(all(owner, prices::list(&prices::PriceFilter::default())).await.len(), 3, "prices");
    let filter = requests::subscriptions::SubscriptionFilter::default();
    let bought = all(owner, requests::subscriptions::list(&filter)).await;
    let each = counted(bought.iter().map(|one| member(&one.metadata)));
    let twice = each.values().filter(|n| **n > 1).count();
    let never = buyers.members.iter().filter(|member| !each.contains_key(*member)).count();
    let left: BTreeSet<_> = buyers.leaving().cloned().collect();
    let is_live = |one: &&views::Subscription| !one.status.is_terminal();
    let (after, live): (Vec<_>, Vec<_>) =
        bought.iter().filter(is_live).partition(|one| left.contains(&member(&one.metadata)));
    assert_eq!((twice, never, after.len()), (0, 0, 0), "charged twice, never subscribed, live after a cancel");
    assert_eq!(live.len(), buyers.members.len() - left.len(), "ended, and nobody had asked for it");
    moved(shop, buyers, &live).await;
    let mut by_op = BTreeMap::<String, usize>::new();
    for customer in all(owner, customers::list()).await {
        let sessions = all(owner, checkout::of_customer(&customer.id)).await;
        assert!(sessions.iter().all(|one| one.status != Some(CheckoutStatus::Open)), "a page is open");
        for one in sessions.iter().filter(|one| one.status != Some(CheckoutStatus::Expired)) {
            *by_op.entry(one.metadata["usher_op"].clone()).or_default() += 1;
        }
    }
    assert!(by_op.values().all(|n| *n == 1), "two pages of one call");
    // Usher knows, and whoever could not be sold to had bought already.
    let paid = world.rows("SELECT id FROM member WHERE is_paid").await.len();
    let lost = buyers.with_parts().filter(|(_, part)| *part == Part::Wins).count();
    assert_eq!(paid, live.len() - lost, "members who have paid and are known to");
    let failed = world.rows("SELECT error_code FROM job WHERE site <> 0 AND state = 'failed'").await;
    // A change of plan may come too late for who leaves.
    let is_known = |code: &String| matches!(code.as_str(), "subscription_exists" | "subscription_ended");
    assert!(failed.iter().all(is_known), "{failed:?}");
    let making = world.rows("SELECT status FROM checkout WHERE status IN ('waiting', 'making', 'open')").await;
    assert!(making.is_empty(), "{making:?}");
    // Until nobody waits any more for what stays unpaid.
    time_passes(world, shop, 8 * 86_400).await;
    settled(world, shop).await;
    access::is_right(world, shop, buyers).await;
}

/// That each has been billed for the better plan once, or will be with the next period, that what was to be given back was
/// given back once, and that nobody else was charged or given anything.
async fn moved(shop: &Shop, buyers: &Buyers, live: &[&views::Subscription]) {
    let owner = &shop.owner;
    let parts: BTreeMap<_, _> = buyers.with_parts().collect();
    let better = all(owner, prices::list(&prices::PriceFilter::default())).await;
    let better = better.iter().find(|one| one.unit_amount == Some(2900)).expect("the better plan's price");
    for one in live {
        let member = &one.metadata["usher_member"];
        let part = parts.get(member).copied();
        let is_better = part.is_some_and(Part::is_billed_anew);
        let told = Told::of(&shop.fake, &one.id);
        let has: Vec<_> = told.items.iter().map(|item| item.price == better.id).collect();
        assert_eq!(
            has,
            if part == Some(Part::HasTwo) { vec![false, true] } else { vec![is_better] },
            "{member}: items"
        );
        assert_eq!(one.schedule_id().is_some(), part == Some(Part::MovesLater), "{member}: a wrong schedule");
        if let Some(schedule) = one.schedule_id() {
            let schedule = shop.read(requests::subscription_schedules::get(schedule)).await;
            assert!(schedule.leads_to(&better.id) && schedule.phases.len() == 2, "{member}: {schedule:?}");
        }
        let invoices = shop.invoices(one.customer_id().expect("a customer")).await;
        let updates = invoices.iter().filter(|one| one.billing_reason.as_deref() == Some("subscription_update"));
        assert_eq!(updates.count(), usize::from(is_better), "{member}: charged for another plan");
        assert_eq!(told.bills.len(), 1 + usize::from(is_better), "{member}: invoices");
        let unpaid: Vec<_> = told.bills.iter().map(|bill| bill.paid == 0).collect();
        let is_unpaid = part == Some(Part::DoesNotPay);
        assert_eq!(unpaid.iter().filter(|unpaid| **unpaid).count(), usize::from(is_unpaid), "{member}: unpaid");
        let back: Vec<_> = told.bills.iter().map(|bill| bill.refunded).collect();
        let expected = match part {
            Some(Part::GetsPartBack) => vec![PART],
            Some(Part::MovesAndGetsItBack) => vec![0, told.bills[1].paid],
            _ => vec![0; told.bills.len()],
        };
        assert_eq!(back, expected, "{member}: given back");
    }
}

/// Until every event has come, and everything that they are about has been read.
async fn settled(world: &World, shop: &Shop) {
    let begun = std::time::Instant::now();
    loop {
        shop.fake.flush().await;
        time_passes(world, shop, 1000).await;
        let dirty = world.rows("SELECT object_id FROM stripe_dirty").await;
        if dirty.is_empty() && open(world).await == 0 {
            return;
        }
        assert!(begun.elapsed() < super::PATIENCE, "still to be read: {dirty:?}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}
