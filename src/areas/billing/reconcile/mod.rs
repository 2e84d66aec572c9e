//! A report of where access and money do not agree, with the call that would mend each case.
//!
//! It reads what is known here and asks nobody; what Stripe says is compared by the sweep. It goes through subscriptions,
//! then members that are held to pay, then strays, then disputes, each in the order of their ids, and looks at a bounded number of rows a
//! call, so a page may be short, or empty, and still not be the last.

mod store;
mod types;

use serde_json::json;
use usher_stripe::money::{Currency, Money};

use self::store::{Step, Suspect};
pub use self::types::{Finding, FindingKind, FixView};
use crate::{
    areas::{
        access::SubscriptionStatus,
        subscriptions::{Subscription, Wanted},
    },
    error::{Code, Error, Result},
    gate::Cx,
    tools::Scope,
    values::Time,
};

/// Rows that one step looks at, and steps of one call.
const ROWS: u32 = 5000;
const STEPS: u32 = 8;

/// Where a report goes on: in which step, after which id.
pub type At = (usize, String);

/// A page of the report, and where the next one begins.
pub async fn page(cx: &mut Cx, at: Option<At>, limit: u32) -> Result<(Vec<Finding>, Option<At>)> {
    let (mut step, mut after) = at.unwrap_or_default();
    let (mut found, site, now) = (Vec::new(), cx.site(), cx.now);
    for _ in 0..STEPS {
        let Some(this) = Step::ALL.get(step).copied() else { return Ok((found, None)) };
        let left = limit - found.len() as u32;
        let upto = store::upto(cx.conn(), site, this, &after, ROWS).await?;
        let Some(upto) = upto else {
            (step, after) = (step + 1, String::new());
            continue;
        };
        let suspects = store::suspects(cx.conn(), site, this, (&after, &upto), now, left).await?;
        let is_full = suspects.len() as u32 == left;
        after = match suspects.last() {
            Some(last) if is_full => last.at().to_owned(),
            _ => upto,
        };
        found.extend(suspects.into_iter().map(|suspect| finding(suspect, now)));
        if is_full {
            break;
        }
    }
    Ok((found, (step < Step::ALL.len()).then_some((step, after))))
}

/// The place that a cursor names.
pub fn place(cursor: Option<[String; 2]>) -> Result<Option<At>> {
    let Some([step, after]) = cursor else { return Ok(None) };
    let step = step.parse().ok().filter(|step| *step < Step::ALL.len());
    let wrong = || Error::new(Code::InvalidCursor, "The cursor is not one that this report gave.");
    Ok(Some((step.ok_or_else(wrong)?, after)))
}

fn fix(tool: &'static str, args: serde_json::Value, scope: Scope, summary: &str) -> Option<FixView> {
    let args = poem_openapi::types::Any(args);
    Some(FixView { tool: tool.into(), args, scope: scope.name().into(), summary: summary.into() })
}

fn finding(suspect: Suspect, now: Time) -> Finding {
    match suspect {
        Suspect::Subscription { subscription, is_paid, others } => of_subscription(*subscription, is_paid, others, now),
        Suspect::Dispute { created_at, amount, currency, subscription, .. } => Finding {
            detail: format!(
                "The dispute of {created_at} over {} was lost, and what was paid for goes on.",
                money(amount, &currency)
            ),
            fix: fix(
                "subscriptions.cancel",
                json!({ "subscription": subscription.id, "when": "now" }),
                Scope::SubscriptionsManage,
                "Ends it, so that nothing more is billed.",
            ),
            member_id: Some(subscription.member_id),
            subscription_id: Some(subscription.id),
            external_id: subscription.external_id,
            customer_id: subscription.customer_id,
            ..Finding::new(FindingKind::LostDispute)
        },
        Suspect::Member(member) => Finding {
            fix: fix(
                "subscriptions.resync",
                json!({ "member": { "id": member } }),
                Scope::SubscriptionsManage,
                "Reads the member's subscriptions from Stripe and counts anew.",
            ),
            member_id: Some(member),
            detail: "The member is listed as paid, and no subscription that is known here says so.".into(),
            ..Finding::new(FindingKind::NotPaying)
        },
        Suspect::Stray { id, customer, status, member: Some(member) } => Finding {
            detail: format!("Stripe has {id}, which is {status} and paid with the address of {member}."),
            fix: fix(
                "subscriptions.link",
                json!({ "member": { "id": member }, "externalId": id }),
                Scope::SubscriptionsManage,
                "Links it to the member who has the address.",
            ),
            external_id: Some(id),
            customer_id: customer,
            member_id: Some(member),
            ..Finding::new(FindingKind::UnknownHere)
        },
        Suspect::Stray { id, customer, status, member: None } => Finding {
            detail: format!(
                "Stripe has {id}, which is {status}, and nothing says whose it is. Look at Stripe who pays, and \
                 call subscriptions.link with that member and this id."
            ),
            external_id: Some(id),
            customer_id: customer,
            ..Finding::new(FindingKind::UnknownHere)
        },
    }
}

/// A sentence's amount.
fn money(amount: i64, currency: &str) -> String {
    match Currency::parse(currency) {
        Ok(currency) => Money { amount, currency }.to_string(),
        Err(_) => format!("{amount} {currency}"),
    }
}

fn of_subscription(one: Subscription, is_paid: bool, others: i64, now: Time) -> Finding {
    let cancel = |summary| {
        let args = json!({ "subscription": one.id, "when": "now" });
        fix("subscriptions.cancel", args, Scope::SubscriptionsManage, summary)
    };
    let is_refunded = one.refunded_at.is_some() && one.refunded_until.is_none_or(|until| until > now);
    let is_good = matches!(one.status, SubscriptionStatus::Active | SubscriptionStatus::Trialing);
    let (kind, detail, fix) = if one.wanted == Some(Wanted::Canceled) {
        let detail = "It was cancelled here, and Stripe goes on with it.".to_owned();
        (FindingKind::CanceledButLive, detail, cancel("Cancels it at Stripe again."))
    } else if is_good && is_refunded {
        let detail = "All that was paid for the period was given back, so it opens nothing; Stripe will bill the next.";
        (FindingKind::LockedOut, detail.to_owned(), cancel("Ends it, so that nothing more is billed."))
    } else if is_good && !is_paid {
        let resync = fix(
            "subscriptions.resync",
            json!({ "member": { "id": one.member_id } }),
            Scope::SubscriptionsManage,
            "Reads the member's subscriptions from Stripe and counts anew.",
        );
        (FindingKind::LockedOut, "It is paid, and the member is not held to pay.".to_owned(), resync)
    } else {
        let detail = format!("The member has {} live subscriptions; this is not the first.", others + 1);
        (FindingKind::TwoLive, detail, cancel("Ends this one, the later; give back what was paid for it at Stripe."))
    };
    Finding {
        member_id: Some(one.member_id),
        subscription_id: Some(one.id),
        external_id: one.external_id,
        customer_id: one.customer_id,
        detail,
        fix,
        ..Finding::new(kind)
    }
}
