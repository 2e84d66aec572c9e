//! An example of each reason: facts that produce it. The guide shows them, and a test proves them.

use std::time::Duration;

use super::{
    decide::Reason,
    facts::{Content, Entitlement, Facts, PaidPlan, Subscription, SubscriptionStatus as Status},
};
use crate::{
    areas::{
        members::Span,
        plans::Opens,
        videos::{Level, Visibility},
    },
    values::{BundleId, Id, Kind, PlanId, SubscriptionId, Time},
};

/// Facts, told and as they are.
pub(super) struct Example {
    pub(super) reason: Reason,
    pub(super) told: &'static str,
    pub(super) facts: Facts,
}

/// The moment at which the examples are decided.
pub(super) const NOW: Time = Time::from_micros(1_800_000_000_000_000);

fn days(n: i64) -> Time {
    Time::from_micros(NOW.micros() + n * 86_400_000_000)
}

fn example<K: Kind>() -> Id<K> {
    Id::parse(K::EXAMPLE).expect("an example is valid")
}

fn nothing(content: Content) -> Facts {
    Facts {
        content,
        free_access: None,
        trial: None,
        subscriptions: Vec::new(),
        entitlements: Vec::new(),
        grace: Duration::from_secs(7 * 86_400),
    }
}

fn level(level: Level) -> Content {
    Content { level, bundles: vec![example::<crate::values::kind::Bundle>()], ..Content::members() }
}

fn shown(visibility: Visibility, from: Option<Time>) -> Facts {
    nothing(Content { visibility, visible_from: from, ..level(Level::Free) })
}

fn span(since: i64, end: i64) -> Option<Span> {
    Some(Span { since: days(since), expires_at: Some(days(end)) })
}

fn subscribed(status: Status, period_end: i64, past_due_since: Option<i64>) -> Facts {
    let id: SubscriptionId = example();
    let gold = PaidPlan { id: example(), name: "Gold".into(), opens: Opens::All, needs_review: false };
    let subscription = Subscription {
        id,
        plans: vec![gold],
        paid: Vec::new(),
        status,
        started_at: days(-90),
        period_end: Some(days(period_end)),
        past_due_since: past_due_since.map(days),
        is_linked: true,
        synced_at: Some(NOW),
        needs_card: false,
        cancel_at: None,
        refunded: None,
    };
    Facts { subscriptions: vec![subscription], ..nothing(Content::members()) }
}

fn entitled(expires: Option<i64>, revoked: Option<i64>) -> Facts {
    let bundle: BundleId = example();
    let (expires_at, revoked_at) = (expires.map(days), revoked.map(days));
    let entitlement = Entitlement { bundle, granted_at: days(-60), expires_at, revoked_at };
    Facts { entitlements: vec![entitlement], ..nothing(level(Level::Bundle)) }
}

/// Another plan than the one that the examples subscribe to.
pub(super) fn other_plan() -> PlanId {
    PlanId::of(uuid::Uuid::from_u128(7))
}

/// One of each reason, in the order of the list.
pub(super) fn examples() -> Vec<Example> {
    let one = |reason, told, facts| Example { reason, told, facts };
    let members = || nothing(Content::members());
    let other_plan = Content { plans: vec![other_plan()], ..Content::members() };
    vec![
        one(Reason::AllowedFreeContent, "A published video of level `free`.", shown(Visibility::Published, None)),
        one(Reason::AllowedSubscription, "A subscription that is `active`.", subscribed(Status::Active, 20, None)),
        one(Reason::AllowedTrial, "A trial that ends in 3 days.", Facts { trial: span(-4, 3), ..members() }),
        one(
            Reason::AllowedFreeAccess,
            "Free access that ends in 10 days, beside a subscription that is overdue.",
            Facts { free_access: span(-4, 10), ..subscribed(Status::PastDue, -20, Some(-20)) },
        ),
        one(
            Reason::AllowedBundle,
            "A bundle owned for life that holds the video, and no subscription.",
            entitled(None, None),
        ),
        one(Reason::AllowedGrace, "A payment that failed 3 days ago.", subscribed(Status::PastDue, -3, Some(-3))),
        one(Reason::NoSubscription, "A member who has nothing.", members()),
        one(
            Reason::SubscriptionEnded,
            "A subscription that was cancelled, and was paid until yesterday.",
            subscribed(Status::Canceled, -1, None),
        ),
        one(
            Reason::SubscriptionPastDue,
            "A payment that failed 8 days ago.",
            subscribed(Status::PastDue, -8, Some(-8)),
        ),
        one(
            Reason::SubscriptionPaused,
            "A paused subscription, and a paid period that ended yesterday.",
            subscribed(Status::Paused, -1, None),
        ),
        one(
            Reason::SubscriptionIncomplete,
            "A checkout whose payment was not completed.",
            subscribed(Status::Incomplete, 20, None),
        ),
        one(
            Reason::PlanNotIncluded,
            "A video that is limited to another plan than the one that is paid.",
            Facts { content: other_plan, ..subscribed(Status::Active, 20, None) },
        ),
        one(
            Reason::FreeAccessExpired,
            "Free access that ended yesterday, after a subscription had ended.",
            Facts { free_access: span(-30, -1), ..subscribed(Status::Canceled, -31, None) },
        ),
        one(Reason::TrialEnded, "A trial that ended yesterday.", Facts { trial: span(-15, -1), ..members() }),
        one(
            Reason::BundleRequired,
            "A subscription that is `active`, and a video of level `bundle`.",
            Facts { content: level(Level::Bundle), ..subscribed(Status::Active, 20, None) },
        ),
        one(Reason::BundleExpired, "A bundle that was owned until yesterday.", entitled(Some(-1), None)),
        one(Reason::BundleRevoked, "A bundle that was taken away yesterday.", entitled(None, Some(-1))),
        one(
            Reason::ContentHidden,
            "A hidden video, and free access.",
            Facts { free_access: span(-4, 10), ..shown(Visibility::Hidden, None) },
        ),
        one(
            Reason::ContentUnpublished,
            "A video of level `free` that is not published.",
            shown(Visibility::Unpublished, None),
        ),
        one(
            Reason::ContentScheduled,
            "A video of level `free` that is shown from tomorrow on.",
            shown(Visibility::Scheduled, Some(days(1))),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::areas::access::decide::decide;

    #[test]
    fn every_reason_has_an_example_that_produces_it() {
        let examples = examples();
        let reasons: Vec<_> = examples.iter().map(|example| example.reason).collect();
        assert_eq!(reasons, Reason::ALL);
        for Example { reason, told, facts } in examples {
            assert_eq!(decide(&facts, NOW).reason, reason, "{told}");
        }
    }
}
