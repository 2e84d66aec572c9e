//! A page of Stripe's subscriptions beside what is known of them here.

use std::collections::{HashMap, HashSet};

use usher_stripe::views::{Page, Subscription as View};

use super::{
    report::Counts,
    store::{self, Known, Stray},
};
use crate::{
    app::App,
    areas::{
        billing::mirror::{self, Link},
        subscriptions::Subscription,
    },
    clock::Clock,
    values::{MemberId, SiteId},
};

/// What came of a page, by Stripe's ids.
#[derive(Default)]
pub(super) struct Found {
    pub(super) same: Vec<String>,
    pub(super) same_strays: Vec<String>,
    /// To be read.
    pub(super) marks: Vec<String>,
    pub(super) counts: Counts,
}

/// Compares a page that was asked for after its ticket was taken.
pub(super) async fn page(app: &App, site: SiteId, ticket: i64, page: &Page<View>) -> usher_db::Result<Found> {
    let ids: Vec<_> = page.data.iter().map(|view| view.id.clone()).collect();
    let known = store::known(app.db.read(), site, ids).await?;
    let known: HashMap<_, _> =
        known.iter().filter_map(|one| Some((one.subscription.external_id.as_deref()?, one))).collect();
    let unknown: Vec<_> = page.data.iter().filter(|view| !known.contains_key(view.id.as_str())).collect();
    let (strays, named) = strays(app, site, &unknown).await?;
    let mut found = Found::default();
    for view in &page.data {
        let count = match (known.get(view.id.as_str()), strays.get(&view.id)) {
            (Some(known), _) if known.subscription.ticket > ticket || !differs(&app.clock, ticket, known, view) => {
                found.same.push(view.id.clone());
                &mut found.counts.same
            }
            (Some(known), _) => {
                found.marks.push(view.id.clone());
                if known.is_pending { &mut found.counts.pending } else { &mut found.counts.drifted }
            }
            (None, Some(stray)) if is_same_stray(stray, view) && !named.contains(&view.id) => {
                found.same_strays.push(view.id.clone());
                &mut found.counts.strays
            }
            (None, _) => {
                found.marks.push(view.id.clone());
                &mut found.counts.unknown
            }
        };
        *count += 1;
    }
    for one in &page.unreadable {
        tracing::warn!(%site, subscription = one.id, why = one.why, "a subscription cannot be read");
        found.marks.extend(one.id.clone());
        found.counts.unreadable += 1;
    }
    found.counts.seen = (page.data.len() + page.unreadable.len()) as u64;
    Ok(found)
}

/// What is known of those that no member is known of, and which of them name a member who is here.
async fn strays(
    app: &App,
    site: SiteId,
    unknown: &[&View],
) -> usher_db::Result<(HashMap<String, Stray>, HashSet<String>)> {
    if unknown.is_empty() {
        return Ok(Default::default());
    }
    let ids = unknown.iter().map(|view| view.id.clone()).collect();
    let strays = store::strays(app.db.read(), site, ids).await?;
    let names = |view: &View| MemberId::parse(view.metadata.get(mirror::MEMBER)?).ok();
    let members: Vec<_> = unknown.iter().filter_map(|view| names(view)).map(|id| id.to_string()).collect();
    let here: HashSet<MemberId> = match members.is_empty() {
        true => HashSet::new(),
        false => store::members_here(app.db.read(), site, members).await?.into_iter().map(|(id,)| id).collect(),
    };
    let named = unknown.iter().filter(|view| names(view).is_some_and(|id| here.contains(&id)));
    let named = named.map(|view| view.id.clone()).collect();
    Ok((strays.into_iter().map(|stray| (stray.id.clone(), stray)).collect(), named))
}

/// Whether Stripe says something else of what access is decided on, or of what is asked of it.
fn differs(clock: &Clock, ticket: i64, known: &Known, view: &View) -> bool {
    let before = &known.subscription;
    let link = Link { member: before.member_id.clone(), items: before.items.clone() };
    let after = mirror::seen(clock, ticket, Some(before), view, None, link);
    let facts = |one: &Subscription| (one.status, one.period_end, one.cancel_at, one.ended_at, one.resumes_at);
    let prices = || view.prices().map(|price| price.id.as_str());
    let is_other_price = prices().next().is_some() && !prices().eq(known.prices.iter().map(String::as_str));
    let is_to_be_brought = before.wanted.is_some() && !view.status.is_terminal();
    facts(before) != facts(&after) || is_other_price || is_to_be_brought
}

fn is_same_stray(stray: &Stray, view: &View) -> bool {
    !stray.has_member
        && stray.was_asked
        && stray.status == view.status.as_str()
        && stray.price.as_deref() == view.price_id()
        && stray.customer.as_deref() == view.customer_id()
}
