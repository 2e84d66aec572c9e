//! What holds of access whatever the facts.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use super::{
    decide::{Reason, decide, pays},
    facts::{Content, Entitlement, Facts, PaidPlan, PaidTime, Subscription, SubscriptionStatus, Wanted},
    fixes::fixes,
};
use crate::{
    areas::{
        members::Span,
        plans::Opens,
        videos::{Level, Visibility},
    },
    values::{BundleId, MemberId, PlanId, SubscriptionId, Time, VideoId},
};

/// Moments are whole hours around noon of a day, so that they often fall together.
const NOON: i64 = 100;

fn time(hour: i64) -> Time {
    Time::from_micros(hour * 3_600_000_000)
}

fn hour() -> impl Strategy<Value = Time> {
    (0..2 * NOON).prop_map(time)
}

fn past() -> impl Strategy<Value = Time> {
    (0..=NOON).prop_map(time)
}

fn bundle(n: u128) -> BundleId {
    BundleId::of(Uuid::from_u128(n))
}

fn plan(n: u128) -> PlanId {
    PlanId::of(Uuid::from_u128(n))
}

fn span() -> impl Strategy<Value = Option<Span>> {
    prop::option::of((past(), prop::option::of(hour())).prop_map(|(since, expires_at)| Span { since, expires_at }))
}

fn content() -> impl Strategy<Value = Content> {
    let visibility = prop::sample::select(vec![
        Visibility::Published,
        Visibility::Published,
        Visibility::Published,
        Visibility::Unpublished,
        Visibility::Scheduled,
        Visibility::Hidden,
    ]);
    let level = prop::sample::select(vec![Level::Free, Level::Members, Level::Members, Level::Bundle, Level::Bundle]);
    let plans = prop::collection::vec((0u128..3).prop_map(plan), 0..3);
    let bundles = prop::collection::vec((0u128..3).prop_map(bundle), 0..3);
    (visibility, prop::option::of(hour()), prop::option::of(hour()), level, plans, bundles).prop_map(
        |(visibility, visible_from, visible_until, level, plans, bundles)| Content {
            visibility,
            visible_from,
            visible_until,
            level,
            plans,
            bundles,
        },
    )
}

fn paid_plan() -> impl Strategy<Value = PaidPlan> {
    let opens = prop::sample::select(vec![Opens::All, Opens::All, Opens::Listed, Opens::Nothing]);
    (0u128..3, opens).prop_map(|(n, opens)| PaidPlan { id: plan(n), name: "Gold".into(), opens, needs_review: false })
}

fn paid_time() -> impl Strategy<Value = PaidTime> {
    (paid_plan(), past(), hour()).prop_map(|(plan, starts_at, ends_at)| PaidTime { plan, starts_at, ends_at })
}

fn subscription() -> impl Strategy<Value = Subscription> {
    let status = prop::sample::select(vec![
        SubscriptionStatus::Active,
        SubscriptionStatus::Trialing,
        SubscriptionStatus::PastDue,
        SubscriptionStatus::Unpaid,
        SubscriptionStatus::Paused,
        SubscriptionStatus::Canceled,
        SubscriptionStatus::Incomplete,
        SubscriptionStatus::IncompleteExpired,
        SubscriptionStatus::Unknown,
    ]);
    // The end of what was given back is past too, as what lies after it would begin then.
    let refunded = prop::option::of((past(), prop::option::of(past())));
    let ends = (prop::option::of(hour()), prop::option::of(hour()));
    let bought = (prop::collection::vec(paid_plan(), 1..3), prop::collection::vec(paid_time(), 0..3));
    (bought, status, past(), ends, prop::option::of(past()), prop::bool::ANY, refunded).prop_map(
        |((plans, paid), status, started_at, (period_end, cancel_at), past_due_since, is_linked, refunded)| {
            Subscription {
                id: SubscriptionId::of(Uuid::from_u128(7)),
                plans,
                paid,
                status,
                started_at,
                period_end,
                past_due_since,
                is_linked,
                synced_at: None,
                needs_card: false,
                cancel_at,
                refunded,
            }
        },
    )
}

fn entitlement() -> impl Strategy<Value = Entitlement> {
    (0u128..3, past(), prop::option::of(hour()), prop::option::of(past())).prop_map(
        |(n, granted_at, expires_at, revoked_at)| Entitlement { bundle: bundle(n), granted_at, expires_at, revoked_at },
    )
}

/// Facts of which everything has begun by noon.
fn facts() -> impl Strategy<Value = Facts> {
    let subscriptions = prop::collection::vec(subscription(), 0..3);
    let entitlements = prop::collection::vec(entitlement(), 0..3);
    (content(), span(), span(), subscriptions, entitlements, 0u64..20).prop_map(
        |(content, free_access, trial, subscriptions, entitlements, hours)| Facts {
            content,
            free_access,
            trial,
            subscriptions,
            entitlements,
            grace: Duration::from_secs(hours * 3600),
        },
    )
}

fn given(until: Option<Time>) -> Option<Span> {
    Some(Span { since: time(NOON), expires_at: until })
}

/// The end that a fix gives.
fn end(args: &Value) -> Time {
    Time::parse(args["expiresAt"].as_str().expect("a moment")).expect("a moment")
}

/// Carries out a fix at noon.
fn carry_out(facts: &mut Facts, tool: &str, args: &Value) {
    match tool {
        "videos.setVisibility" => facts.content.visibility = Visibility::Published,
        "videos.setAccess" => facts.content.level = Level::Members,
        "access.grantFree" => facts.free_access = given(Some(end(args))),
        "access.setTrial" => facts.trial = given(Some(end(args))),
        "access.grantBundle" => {
            let bundle = BundleId::parse(args["bundle"].as_str().expect("an id")).expect("an id");
            facts.entitlements.retain(|one| one.bundle != bundle);
            let expires_at = Some(end(args));
            facts.entitlements.push(Entitlement { bundle, granted_at: time(NOON), expires_at, revoked_at: None });
        }
        other => panic!("no fix calls {other}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn one_rule_decides_and_it_is_the_reason_s(facts in facts(), at in hour()) {
        let decision = decide(&facts, at);
        prop_assert_eq!(decision.checks.iter().filter(|check| check.is_decisive).count(), 1);
        prop_assert_eq!(decision.is_allowed(), decision.reason.allows());
    }

    #[test]
    fn what_is_not_shown_nobody_sees_and_what_is_free_everybody(facts in facts(), at in hour()) {
        let reason = decide(&facts, at).reason;
        match facts.content.visibility {
            Visibility::Hidden => prop_assert_eq!(reason, Reason::ContentHidden),
            Visibility::Unpublished => prop_assert_eq!(reason, Reason::ContentUnpublished),
            Visibility::Published if facts.content.level == Level::Free => {
                prop_assert_eq!(reason, Reason::AllowedFreeContent);
            }
            _ => {}
        }
    }

    #[test]
    fn free_access_beats_billing(facts in facts(), other in prop::collection::vec(subscription(), 0..3)) {
        let facts = Facts { free_access: given(None), ..facts };
        let other = Facts { subscriptions: other, ..facts.clone() };
        let at = time(NOON);
        prop_assert_eq!(decide(&facts, at).reason, decide(&other, at).reason);
    }

    #[test]
    fn granting_never_takes_access_and_removing_never_gives_it(facts in facts(), at in NOON..2 * NOON) {
        let at = time(at);
        let before = decide(&facts, at).is_allowed();
        let free = Facts { free_access: given(None), ..facts.clone() };
        let trial = Facts { trial: given(None), ..facts.clone() };
        let mut owned = facts.clone();
        owned.entitlements.push(Entitlement { bundle: bundle(0), granted_at: time(NOON), expires_at: None, revoked_at: None });
        for granted in [free, trial, owned] {
            prop_assert!(decide(&granted, at).is_allowed() || !before);
        }
        let unfree = Facts { free_access: None, ..facts.clone() };
        let mut revoked = facts;
        revoked.entitlements.iter_mut().for_each(|one| one.revoked_at = one.revoked_at.or(Some(time(NOON))));
        for removed in [unfree, revoked] {
            prop_assert!(before || !decide(&removed, at).is_allowed());
        }
    }

    #[test]
    fn each_fix_of_a_refusal_clears_it(facts in facts(), at in hour()) {
        let refusal = decide(&facts, at);
        let (member, video) = (MemberId::of(Uuid::from_u128(1)), VideoId::of(Uuid::from_u128(2)));
        if refusal.is_allowed() {
            return Ok(());
        }
        let bundle = refusal.checks.iter().find_map(|check| check.found.bundle_to_give());
        let bundle = bundle.map(|id| (id, "The course".to_owned()));
        let fixes = fixes(&member, &Wanted::Video(video), bundle, refusal.reason, at, time(NOON));
        prop_assert!(!fixes.is_empty() || at < time(NOON));
        for fix in fixes {
            let mut fixed = facts.clone();
            carry_out(&mut fixed, &fix.tool, &fix.args.0);
            prop_assert_ne!(decide(&fixed, at).reason, refusal.reason, "{}", fix.tool);
        }
    }

    #[test]
    fn who_pays_may_see_what_a_plan_opens_and_who_does_not_may_not(facts in facts(), at in hour()) {
        // Whatever a plan opens at all is content that is limited to it.
        let paid: Vec<_> = facts.subscriptions.iter().flat_map(|one| {
            one.plans.iter().chain(one.paid.iter().map(|time| &time.plan)).map(|plan| plan.id.clone())
        }).collect();
        let only = |plans: Vec<PlanId>| Facts {
            content: Content { plans, ..Content::members() }, free_access: None, trial: None, ..facts.clone()
        };
        let sees = |facts: Facts| decide(&facts, at).is_allowed();
        let may_see_any = !paid.is_empty() && sees(only(paid));
        prop_assert_eq!(pays(&facts.subscriptions, facts.grace, at).is_some(), may_see_any || sees(only(Vec::new())));
    }

    #[test]
    fn nobody_sees_by_a_plan_that_opens_nothing(facts in facts(), at in hour()) {
        let mut facts = facts;
        for one in &mut facts.subscriptions {
            one.plans.iter_mut().chain(one.paid.iter_mut().map(|time| &mut time.plan)).for_each(|plan| plan.opens = Opens::Nothing);
        }
        let none = Facts { subscriptions: Vec::new(), ..facts.clone() };
        prop_assert_eq!(decide(&facts, at).is_allowed(), decide(&none, at).is_allowed());
        prop_assert_eq!(pays(&facts.subscriptions, facts.grace, at), None);
    }

    #[test]
    fn another_item_never_takes_access(facts in facts(), more in paid_plan(), at in hour()) {
        let before = decide(&facts, at);
        let mut after = facts;
        after.subscriptions.iter_mut().for_each(|one| one.plans.push(more.clone()));
        prop_assert!(decide(&after, at).is_allowed() || !before.is_allowed());
        after.subscriptions.iter_mut().for_each(|one| one.plans.reverse());
        prop_assert!(decide(&after, at).is_allowed() || !before.is_allowed());
    }

    #[test]
    fn access_lasts_until_it_says(facts in facts()) {
        let at = time(NOON);
        let decision = decide(&facts, at);
        if !decision.is_allowed() {
            return Ok(());
        }
        match decision.until {
            Some(until) => {
                prop_assert!(until > at);
                prop_assert!(decide(&facts, Time::from_micros(until.micros() - 1)).is_allowed());
                prop_assert!(!decide(&facts, until).is_allowed());
            }
            None => prop_assert!(decide(&facts, time(1_000_000)).is_allowed()),
        }
    }
}
