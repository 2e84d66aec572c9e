//! The one function that decides about access. It is pure: the same facts and moment give the same answer.
//!
//! Visibility comes first: what is not shown, nobody sees. Then the level. `free` is for everyone; `bundle` for who has
//! an entitlement that holds to a bundle which holds the content; `members` for who has one of free access, a trial and
//! a subscription, of which free access and a trial stand above billing and above limits to plans. Where nothing lets in,
//! the reason is the nearest miss: a subscription that could let in again, else what ended last, else that there is
//! nothing.

use std::time::Duration;

use poem_openapi::Enum;

use super::facts::{Content, Facts, Subscription, SubscriptionStatus as Status};
use crate::{
    areas::{
        members::Span,
        videos::{Level, Visibility},
    },
    values::Time,
};

macro_rules! reasons {
    ($($variant:ident $name:literal $about:literal;)*) => {
        /// Why somebody may see something or may not. The list is closed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
        #[oai(rename = "AccessReason")]
        pub enum Reason {
            $(#[doc = $about] #[oai(rename = $name)] $variant,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As it is shown.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What it means, in a sentence.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about),* }
            }
        }
    };
}

reasons! {
    AllowedFreeContent "allowed_free_content" "It is free for everyone.";
    AllowedSubscription "allowed_subscription" "A subscription pays for it.";
    AllowedTrial "allowed_trial" "A trial is running.";
    AllowedFreeAccess "allowed_free_access" "The member has free access.";
    AllowedBundle "allowed_bundle" "The member owns a bundle that holds it.";
    AllowedGrace "allowed_grace" "A payment is overdue, and the time that it is waited for is not over.";
    NoSubscription "no_subscription" "The member has no subscription, no trial and no free access.";
    SubscriptionEnded "subscription_ended" "The member's subscription has ended.";
    SubscriptionPastDue "subscription_past_due" "A payment is overdue, and was waited for long enough.";
    SubscriptionPaused "subscription_paused" "The subscription is paused, and the period that was paid is over.";
    SubscriptionIncomplete "subscription_incomplete" "The first payment of the subscription was never completed.";
    PlanNotIncluded "plan_not_included" "The member pays for a plan that does not include it.";
    FreeAccessExpired "free_access_expired" "The member's free access is over.";
    TrialEnded "trial_ended" "The member's trial is over.";
    BundleRequired "bundle_required" "Only owners of a bundle that holds it may see it, and the member owns none.";
    BundleExpired "bundle_expired" "The member's right to the bundle that holds it is over.";
    BundleRevoked "bundle_revoked" "The member's right to the bundle that holds it was taken away.";
    ContentHidden "content_hidden" "It is hidden from everyone.";
    ContentUnpublished "content_unpublished" "It is not published.";
    ContentScheduled "content_scheduled" "It is shown at another time only.";
}

impl Reason {
    /// Whether it lets in.
    pub fn allows(self) -> bool {
        self.name().starts_with("allowed_")
    }

    /// Whether nobody may see it, whoever asks.
    pub fn is_about_content(self) -> bool {
        self.name().starts_with("content_")
    }
}

/// What was decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Why.
    pub reason: Reason,
    /// If it is allowed: until when, as far as is known now. `None` if there is no end in sight.
    pub until: Option<Time>,
    /// The rules that were looked at, in their order.
    pub checks: Vec<Check>,
}

impl Decision {
    /// Whether it is allowed.
    pub fn is_allowed(&self) -> bool {
        self.reason.allows()
    }
}

/// What one rule says.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The rule.
    pub name: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// Whether it decided.
    pub is_decisive: bool,
    /// What it found, in a sentence.
    pub detail: String,
}

/// How a rule went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// It stands in nobody's way.
    Open,
    /// It lets in, until then if it ends.
    Lets(Reason, Option<Time>),
    /// It would let in but for this, since then.
    Misses(Reason, Time),
    /// There is nothing that it could go by.
    Nothing,
}

/// Decides whether a member may see something at a moment.
pub fn decide(facts: &Facts, at: Time) -> Decision {
    let shown = visibility(&facts.content, at);
    let mut checks = vec![shown];
    if let Outcome::Misses(reason, _) = checks[0].outcome {
        checks[0].is_decisive = true;
        return Decision { reason, until: None, checks };
    }
    let nothing = match facts.content.level {
        Level::Free => {
            let detail = "The content is free for everyone.".into();
            checks.push(check("level", Outcome::Lets(Reason::AllowedFreeContent, None), detail));
            Reason::AllowedFreeContent
        }
        Level::Members => {
            checks.push(check("level", Outcome::Open, "The content is for members.".into()));
            let free = (Reason::AllowedFreeAccess, Reason::FreeAccessExpired);
            checks.push(span("free_access", "free access", facts.free_access, free, at));
            let trial = (Reason::AllowedTrial, Reason::TrialEnded);
            checks.push(span("trial", "a trial", facts.trial, trial, at));
            checks.push(subscriptions(facts, at));
            Reason::NoSubscription
        }
        Level::Bundle => {
            checks.push(check("level", Outcome::Open, "The content is for owners of a bundle that holds it.".into()));
            checks.push(bundles(facts, at));
            Reason::BundleRequired
        }
    };
    conclude(checks, nothing, facts.content.visible_until.filter(|_| is_scheduled(&facts.content)))
}

fn conclude(mut checks: Vec<Check>, nothing: Reason, hidden_from: Option<Time>) -> Decision {
    let lets = |check: &Check| match check.outcome {
        Outcome::Lets(reason, until) => Some((reason, until)),
        _ => None,
    };
    let open: Vec<_> = checks.iter().filter_map(lets).collect();
    if let Some(at) = checks.iter().position(|check| lets(check).is_some()) {
        checks[at].is_decisive = true;
        // It goes on for as long as anything lets in.
        let until = open.iter().try_fold(Time::from_micros(0), |last, (_, until)| Some(last.max((*until)?)));
        let until = match (until, hidden_from) {
            (Some(until), Some(hidden)) => Some(until.min(hidden)),
            (until, hidden) => until.or(hidden),
        };
        return Decision { reason: open[0].0, until, checks };
    }
    let nearest = checks.iter().enumerate().filter_map(|(at, check)| match check.outcome {
        Outcome::Misses(reason, since) => Some((near(reason), since, std::cmp::Reverse(at))),
        _ => None,
    });
    let at = nearest.max().map(|(_, _, std::cmp::Reverse(at))| at);
    // Where there is nothing at all, the last rule is the one that could have been met.
    let at = at.unwrap_or(checks.len() - 1);
    checks[at].is_decisive = true;
    let reason = match checks[at].outcome {
        Outcome::Misses(reason, _) => reason,
        _ => nothing,
    };
    Decision { reason, until: None, checks }
}

/// How near a miss is to being let in.
fn near(reason: Reason) -> u8 {
    match reason {
        Reason::PlanNotIncluded => 5,
        Reason::SubscriptionPastDue => 4,
        Reason::SubscriptionPaused => 3,
        Reason::SubscriptionIncomplete => 2,
        _ => 1,
    }
}

fn check(name: &'static str, outcome: Outcome, detail: String) -> Check {
    Check { name, outcome, is_decisive: false, detail }
}

fn is_scheduled(content: &Content) -> bool {
    content.visibility == Visibility::Scheduled
}

fn visibility(content: &Content, at: Time) -> Check {
    let (from, until) = (content.visible_from, content.visible_until);
    let not_yet = from.filter(|from| at < *from);
    let over = until.filter(|until| *until <= at);
    let (outcome, detail) = match content.visibility {
        Visibility::Published => (Outcome::Open, "The content is published.".into()),
        Visibility::Hidden => {
            (Outcome::Misses(Reason::ContentHidden, at), "The content is hidden from everyone.".into())
        }
        Visibility::Unpublished => {
            (Outcome::Misses(Reason::ContentUnpublished, at), "The content is not published.".into())
        }
        Visibility::Scheduled => match (not_yet, over) {
            (Some(from), _) => {
                (Outcome::Misses(Reason::ContentScheduled, at), format!("The content is shown from {from} on."))
            }
            (_, Some(until)) => {
                (Outcome::Misses(Reason::ContentScheduled, at), format!("The content was shown until {until}."))
            }
            (None, None) => (Outcome::Open, "The content is shown at this time.".into()),
        },
    };
    check("visibility", outcome, detail)
}

/// Free access or a trial.
fn span(name: &'static str, what: &str, span: Option<Span>, (allowed, over): (Reason, Reason), at: Time) -> Check {
    let (outcome, detail) = match span {
        Some(span) if at < span.since => {
            (Outcome::Nothing, format!("The member has {what} only from {} on.", span.since))
        }
        Some(Span { expires_at: Some(end), .. }) if end <= at => {
            (Outcome::Misses(over, end), format!("The member had {what} until {end}."))
        }
        Some(Span { expires_at: Some(end), .. }) => {
            (Outcome::Lets(allowed, Some(end)), format!("The member has {what} until {end}."))
        }
        Some(_) => (Outcome::Lets(allowed, None), format!("The member has {what}, without an end.")),
        None => (Outcome::Nothing, format!("The member has no {}.", what.trim_start_matches("a "))),
    };
    check(name, outcome, detail)
}

/// How far Stripe's clock may be ahead of ours: a subscription that is active there has begun.
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// The best of the member's subscriptions.
fn subscriptions(facts: &Facts, at: Time) -> Check {
    let all = facts.subscriptions.iter().map(|one| match begins(one) {
        begins if begins <= at => subscription(one, facts, at),
        begins => (Outcome::Nothing, format!("{} begins on {begins}.", one.id)),
    });
    let best = all.max_by_key(|(outcome, _)| match outcome {
        // One that goes on beats one that ends, and a paid one an overdue one that ends at the same time.
        Outcome::Lets(reason, until) => (9, until.unwrap_or(Time::MAX), *reason == Reason::AllowedSubscription),
        Outcome::Misses(reason, since) => (near(*reason), *since, false),
        Outcome::Open | Outcome::Nothing => (0, Time::from_micros(0), false),
    });
    let (outcome, detail) = best.unwrap_or((Outcome::Nothing, "The member has no subscription.".into()));
    check("subscription", outcome, detail)
}

/// From when on a subscription counts.
fn begins(one: &Subscription) -> Time {
    match one.status {
        Status::Active | Status::Trialing if one.is_linked => one.started_at - AHEAD,
        _ => one.started_at,
    }
}

fn subscription(one: &Subscription, facts: &Facts, at: Time) -> (Outcome, String) {
    let (outcome, detail) = ending(one, standing(one, facts, at), at);
    let plans = &facts.content.plans;
    if matches!(outcome, Outcome::Lets(..)) && !plans.is_empty() && !plans.contains(&one.plan) {
        let detail = format!("{} is for the plan {}, which does not include the content.", one.id, one.plan);
        return (Outcome::Misses(Reason::PlanNotIncluded, one.started_at), detail);
    }
    (outcome, detail)
}

/// What a subscription gives that is to end, if that is settled.
fn ending(one: &Subscription, (outcome, detail): (Outcome, String), at: Time) -> (Outcome, String) {
    match (outcome, one.cancel_at) {
        (Outcome::Lets(..), Some(end)) if end <= at => {
            (Outcome::Misses(Reason::SubscriptionEnded, end), format!("{} was to end on {end}.", one.id))
        }
        (Outcome::Lets(reason, until), Some(end)) if until.is_none_or(|until| end < until) => {
            (Outcome::Lets(reason, Some(end)), format!("{detail} It ends on {end}."))
        }
        _ => (outcome, detail),
    }
}

/// What a subscription gives, whatever its plan.
fn standing(one: &Subscription, facts: &Facts, at: Time) -> (Outcome, String) {
    let (id, paid_until) = (&one.id, one.period_end.unwrap_or(one.started_at));
    let while_paid = |reason: Reason, state: &str| {
        if at < paid_until {
            let detail = format!("{id} is {state}, and paid until {paid_until}.");
            return (Outcome::Lets(Reason::AllowedSubscription, Some(paid_until)), detail);
        }
        (Outcome::Misses(reason, paid_until), format!("{id} is {state}, and was paid until {paid_until}."))
    };
    if let Some((since, until)) = one.refunded
        && since <= at
        && until.is_none_or(|until| at < until)
    {
        let detail = format!("All that was paid for {id} was given back on {since}.");
        return (Outcome::Misses(Reason::SubscriptionEnded, since), detail);
    }
    match one.status {
        // What is paid elsewhere is not renewed by itself.
        Status::Active if !one.is_linked && one.period_end.is_some() => {
            while_paid(Reason::SubscriptionEnded, "paid elsewhere")
        }
        Status::Active => (Outcome::Lets(Reason::AllowedSubscription, None), format!("{id} is active.")),
        Status::Trialing => (Outcome::Lets(Reason::AllowedSubscription, None), format!("{id} is in its trial.")),
        Status::Paused => while_paid(Reason::SubscriptionPaused, "paused"),
        Status::Canceled => while_paid(Reason::SubscriptionEnded, "cancelled"),
        Status::PastDue | Status::Unpaid => {
            let end = one.past_due_since.unwrap_or(paid_until) + facts.grace;
            if at < end {
                let detail = format!("A payment of {id} is overdue; it is waited for until {end}.");
                return (Outcome::Lets(Reason::AllowedGrace, Some(end)), detail);
            }
            let detail = format!("A payment of {id} is overdue; it was waited for until {end}.");
            (Outcome::Misses(Reason::SubscriptionPastDue, end), detail)
        }
        Status::Incomplete | Status::IncompleteExpired => (
            Outcome::Misses(Reason::SubscriptionIncomplete, one.started_at),
            format!("The first payment of {id} was never completed."),
        ),
    }
}

/// The best of the member's entitlements to bundles that hold the content.
fn bundles(facts: &Facts, at: Time) -> Check {
    let content = &facts.content;
    let ours = facts.entitlements.iter().filter(|one| content.bundles.contains(&one.bundle) && one.granted_at <= at);
    let all = ours.map(|one| {
        let bundle = &one.bundle;
        let ended = |end: Option<Time>| end.filter(|end| *end <= at);
        match (ended(one.revoked_at), ended(one.expires_at), one.expires_at) {
            (Some(end), _, _) => {
                (Outcome::Misses(Reason::BundleRevoked, end), format!("{bundle} was taken away on {end}."))
            }
            (_, Some(end), _) => {
                (Outcome::Misses(Reason::BundleExpired, end), format!("The member owned {bundle} until {end}."))
            }
            (_, _, Some(end)) => {
                (Outcome::Lets(Reason::AllowedBundle, Some(end)), format!("The member owns {bundle} until {end}."))
            }
            _ => (Outcome::Lets(Reason::AllowedBundle, None), format!("The member owns {bundle} for life.")),
        }
    });
    let best = all.max_by_key(|(outcome, _)| match outcome {
        Outcome::Lets(_, until) => (1, until.unwrap_or(Time::MAX)),
        Outcome::Misses(_, since) => (0, *since),
        Outcome::Open | Outcome::Nothing => (0, Time::from_micros(0)),
    });
    let (outcome, detail) = best.unwrap_or_else(|| {
        let detail = match content.bundles.as_slice() {
            [] => "No bundle holds the content, so nobody owns one.".into(),
            [bundle] => format!("The member does not own {bundle}."),
            [first, second] => format!("The member owns neither {first} nor {second}."),
            [first, second, others @ ..] => {
                format!("The member owns none of {first}, {second} and {} more.", others.len())
            }
        };
        (Outcome::Nothing, detail)
    });
    check("bundle", outcome, detail)
}
