//! One open page a member, and no second subscription by a page that was open before.

use usher_jobs::Fail;
use usher_stripe::{
    Client, Kind,
    requests::{checkout as ask, subscriptions},
    views::{CheckoutSession, CheckoutStatus, Subscription, SubscriptionStatus},
};

use crate::{
    areas::{
        billing::{
            self,
            outbox::{Outbox, list_all, search},
            store::Mark,
        },
        plans::{Every, OP, Plan},
    },
    error::Code,
};

/// How many pages one attempt closes.
const MAX_OPEN: u32 = 20;

/// Closes the pages that are open for a customer, but for what this very job has opened.
pub async fn close(outbox: &Outbox<'_>, client: &Client, customer: &str, own: Option<&str>) -> Result<(), Fail> {
    for _ in 0..MAX_OPEN {
        let is_other = |one: &CheckoutSession| {
            one.status == Some(CheckoutStatus::Open)
                && own.is_none_or(|own| one.metadata.get(OP).is_none_or(|op| op != own))
        };
        let open = match search(client, ask::of_customer(customer), is_other).await {
            Ok(open) => open,
            Err(error) => return Err(outbox.failed(error).await),
        };
        let Some(open) = open else { return Ok(()) };
        match outbox.set(client, &ask::expire(&open.id)).await {
            Ok(_) => {}
            // Paid or closed meanwhile; the list says so.
            Err(error) if matches!(error.kind(), Kind::Refused | Kind::Missing) => {}
            Err(error) => return Err(outbox.failed(error).await),
        }
        heard(outbox, "checkout", &open.id).await?;
    }
    Err(Fail::retry(Code::StripeUnavailable.name(), "Older pages of the member do not close. Usher goes on trying."))
}

/// The subscriptions of a customer at Stripe, whatever is known of them here. One that cannot be read may charge, so
/// nothing is sold while there is one.
pub async fn all_of(outbox: &Outbox<'_>, client: &Client, customer: &str) -> Result<Vec<Subscription>, Fail> {
    let filter = subscriptions::SubscriptionFilter { customer: Some(customer), ..Default::default() };
    match list_all(client, subscriptions::list(&filter)).await {
        Ok(all) => Ok(all),
        Err(error) => Err(outbox.failed(error).await),
    }
}

/// Whether a customer has a subscription that goes on, beside which another would be charged: to this price, or to
/// another where the plan is a subscription.
pub async fn pays(outbox: &Outbox<'_>, all: &[Subscription], plan: &Plan, price: &str) -> Result<bool, Fail> {
    let is_one = |one: &&Subscription| {
        let is_same = one.prices().any(|other| other.id == price);
        let is_begun = one.status != SubscriptionStatus::Incomplete && plan.every != Every::OneTime;
        let ends = one.status.is_terminal() || one.cancel_at_period_end || one.cancel_at.is_some();
        !ends && (is_same || is_begun)
    };
    match all.iter().find(is_one) {
        Some(live) => {
            heard(outbox, "subscription", &live.id).await?;
            Ok(true)
        }
        None => Ok(false),
    }
}

/// Has something read that changed at Stripe.
async fn heard(outbox: &Outbox<'_>, kind: &str, object: &str) -> Result<(), Fail> {
    let mut tx = outbox.app.db.begin().await?;
    let mark = Mark { kind, object, source: "write", event: None };
    billing::store::mark(tx.conn(), outbox.site, &mark, outbox.app.clock.now()).await?;
    billing::wake(&mut tx, outbox.app, outbox.site).await?;
    tx.commit().await?;
    Ok(())
}
