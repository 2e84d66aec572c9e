//! Cancelling, pausing and resuming: the calls. What is at Stripe is only asked for here; [`super::bring`] does it.

use poem_openapi::Enum;
use serde_json::json;
use usher_db::Change;
use usher_jobs::JobRow;

use super::{
    Wanted,
    actions::find,
    jobs::{Cancel, Pause, Resume},
    local,
    store::{self, Word},
    types::Subscription,
};
use crate::{
    areas::{
        billing::{self, job::would_call},
        members::{self, MemberById, MemberRef},
    },
    error::{Code, Error, Fix, Result},
    gate::Cx,
    tools::Scope,
    values::{SubscriptionId, Time},
};

/// When a subscription is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename = "CancelWhen", rename_all = "camelCase")]
pub enum When {
    /// With the period that is paid: access goes on until then, and nothing is charged any more.
    PeriodEnd,
    /// At once. Access ends, nothing is given back.
    Now,
}

/// A subscription that is changed, or that a job will change.
pub struct Changed {
    pub subscription: Subscription,
    /// The job, for what is at Stripe.
    pub job: Option<JobRow>,
}

/// Ends a subscription.
pub async fn cancel(cx: &mut Cx, id: &SubscriptionId, when: When) -> Result<Changed> {
    let before = hold(cx, id).await?;
    recurring(&before)?;
    if !before.is_at_stripe() {
        return local::cancel(cx, before, when).await;
    }
    billing::job::may_write(cx).await?;
    // Ending now has been asked for already, and is not taken back by a milder word.
    let asked =
        if is_being_canceled(cx, &before).await? || when == When::Now { Wanted::Canceled } else { Wanted::Ending };
    let row = cx.enqueue(&Cancel { subscription: id.clone() }).await?;
    let site = cx.site();
    // It beats a change of plan that is under way.
    store::set_plan_job(cx.conn(), site, id, None).await?;
    ask(cx, before, asked, None, row).await
}

/// Pauses a subscription.
pub async fn pause(cx: &mut Cx, id: &SubscriptionId, resumes_at: Option<Time>) -> Result<Changed> {
    let before = hold(cx, id).await?;
    recurring(&before)?;
    if resumes_at.is_some_and(|at| at <= cx.now) {
        return Err(Error::refused("args.resumesAt", "must be in the future"));
    }
    if is_being_canceled(cx, &before).await? {
        return Err(being_ended(&before));
    }
    if before.cancel_at.is_some() || before.wanted == Some(Wanted::Ending) {
        let text = format!(
            "Subscription {id} ends with its period, so there is nothing to pause. Take that back with \
             subscriptions.resume first, and wait for its job."
        );
        let fix = Fix {
            tool: "subscriptions.resume",
            args: json!({ "subscription": id }),
            scope: Some(Scope::SubscriptionsManage.name()),
        };
        return Err(Error::new(Code::SubscriptionEnding, text).fixed_by(fix));
    }
    if !before.is_at_stripe() {
        return local::pause(cx, before, resumes_at).await;
    }
    billing::job::may_write(cx).await?;
    let row = cx.enqueue(&Pause { subscription: id.clone() }).await?;
    // Stripe counts in seconds.
    let resumes_at = resumes_at.map(|at| Time::from_micros(at.micros().div_euclid(1_000_000) * 1_000_000));
    ask(cx, before, Wanted::Paused, resumes_at, row).await
}

/// Lets a subscription go on.
pub async fn resume(cx: &mut Cx, id: &SubscriptionId) -> Result<Changed> {
    let before = hold(cx, id).await?;
    recurring(&before)?;
    if is_being_canceled(cx, &before).await? {
        return Err(being_ended(&before));
    }
    if !before.is_at_stripe() {
        return local::resume(cx, before).await;
    }
    billing::job::may_write(cx).await?;
    let row = cx.enqueue(&Resume { subscription: id.clone() }).await?;
    ask(cx, before, Wanted::Active, None, row).await
}

/// The subscription, whose member is held until the call has ended, and with it all that writes to the subscription.
pub(super) async fn hold(cx: &mut Cx, id: &SubscriptionId) -> Result<Subscription> {
    let found = find(cx, id).await?;
    let by_id = |id| MemberRef::Id(MemberById { id, expect_email: None });
    members::hold(cx, &by_id(found.member_id.clone())).await?;
    let held = find(cx, id).await?;
    if held.member_id != found.member_id {
        let text = format!("The member of subscription {id} has just been merged into another. Try again.");
        return Err(Error::new(Code::MemberMerging, text));
    }
    Ok(held)
}

/// Refuses what has no next payment.
pub(super) fn recurring(subscription: &Subscription) -> Result<()> {
    let id = &subscription.id;
    if subscription.external_id.is_some() && !subscription.is_at_stripe() {
        let text = format!(
            "{id} was paid once and for all: there is no payment to cancel, to pause or to resume. Refund it at Stripe to \
             end its access."
        );
        return Err(Error::new(Code::SubscriptionOnce, text));
    }
    if subscription.is_over() {
        let text = format!("Subscription {id} has ended, and cannot be changed any more.");
        return Err(Error::new(Code::SubscriptionEnded, text));
    }
    Ok(())
}

pub(super) async fn is_being_canceled(cx: &mut Cx, subscription: &Subscription) -> Result<bool> {
    let site = cx.site();
    let word = store::word(cx.conn(), site, &subscription.id).await?;
    Ok(word.is_some_and(|word| word.asked == Wanted::Canceled))
}

pub(super) fn being_ended(subscription: &Subscription) -> Error {
    let text = format!(
        "Subscription {} is being cancelled now, which cannot be taken back. Sell a new one once it has ended.",
        subscription.id
    );
    Error::new(Code::SubscriptionEnded, text)
}

/// Writes the last word, which `row` brings about.
async fn ask(
    cx: &mut Cx,
    before: Subscription,
    asked: Wanted,
    resumes_at: Option<Time>,
    row: JobRow,
) -> Result<Changed> {
    let (site, now) = (cx.site(), cx.now);
    let word = Word { asked, resumes_at, job: row.id.clone() };
    store::ask(cx.conn(), site, &before.id, &word, now).await?;
    let after = Subscription { wanted: Some(asked), resume_wanted: resumes_at, updated_at: now, ..before.clone() };
    cx.tx().note(Change::updated("subscription", before.id.as_str(), before.json(), after.json()));
    let at_stripe = before.external_id.as_deref().unwrap_or_default();
    let call = match asked {
        Wanted::Canceled => format!("DELETE /v1/subscriptions/{at_stripe}"),
        Wanted::Ending | Wanted::Paused | Wanted::Active => format!("POST /v1/subscriptions/{at_stripe}"),
    };
    let about = json!({ "subscription": at_stripe, "wanted": asked.as_str(), "resumesAt": resumes_at });
    would_call(cx, before.id.as_str(), &call, about);
    Ok(Changed { subscription: after, job: Some(row) })
}
