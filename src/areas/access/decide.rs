//! The one function that decides about access. It is pure: the same facts and moment give the same answer.
//!
//! Visibility comes first: what is not shown, nobody sees. Then the level. `free` is for everyone; `bundle` for who has
//! an entitlement that holds to a bundle which holds the content; `members` for who has one of free access, a trial and
//! a subscription, of which free access and a trial stand above billing and above limits to plans. Where nothing lets in,
//! the reason is the nearest miss: a subscription that could let in again, else what ended last, else that there is
//! nothing. What a rule found is data ([`Found`]); the sentences that people read are made of it in `found.rs`.

use std::time::Duration;

use poem_openapi::Enum;

use super::{
    facts::{Content, Facts, PaidPlan, Subscription, SubscriptionStatus as Status},
    found::{Found, Gift, State},
};
use crate::{
    areas::{
        members::Span,
        plans::Opens,
        videos::{Level, Visibility},
    },
    values::{PlanId, Time},
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
    /// What it found.
    pub found: Found,
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
            let lets = Outcome::Lets(Reason::AllowedFreeContent, None);
            checks.push(check("level", lets, Found::Level(Level::Free)));
            Reason::AllowedFreeContent
        }
        Level::Members => {
            checks.push(check("level", Outcome::Open, Found::Level(Level::Members)));
            let free = (Reason::AllowedFreeAccess, Reason::FreeAccessExpired);
            checks.push(span("free_access", Gift::FreeAccess, facts.free_access, free, at));
            let trial = (Reason::AllowedTrial, Reason::TrialEnded);
            checks.push(span("trial", Gift::Trial, facts.trial, trial, at));
            checks.push(subscriptions(facts, at));
            Reason::NoSubscription
        }
        Level::Bundle => {
            checks.push(check("level", Outcome::Open, Found::Level(Level::Bundle)));
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
        // Of a plan that includes it: once that is paid, the member is in.
        Reason::SubscriptionPastDue => 5,
        Reason::SubscriptionPaused => 4,
        Reason::SubscriptionIncomplete => 3,
        Reason::PlanNotIncluded => 2,
        _ => 1,
    }
}

fn check(name: &'static str, outcome: Outcome, found: Found) -> Check {
    Check { name, outcome, is_decisive: false, found }
}

fn is_scheduled(content: &Content) -> bool {
    content.visibility == Visibility::Scheduled
}

fn visibility(content: &Content, at: Time) -> Check {
    let (from, until) = (content.visible_from, content.visible_until);
    let not_yet = from.filter(|from| at < *from);
    let over = until.filter(|until| *until <= at);
    let (outcome, found) = match content.visibility {
        Visibility::Published => (Outcome::Open, Found::Published),
        Visibility::Hidden => (Outcome::Misses(Reason::ContentHidden, at), Found::Hidden),
        Visibility::Unpublished => (Outcome::Misses(Reason::ContentUnpublished, at), Found::Unpublished),
        Visibility::Scheduled => match (not_yet, over) {
            (Some(from), _) => (Outcome::Misses(Reason::ContentScheduled, at), Found::ShownFrom(from)),
            (_, Some(until)) => (Outcome::Misses(Reason::ContentScheduled, at), Found::ShownUntil(until)),
            (None, None) => (Outcome::Open, Found::ShownNow),
        },
    };
    check("visibility", outcome, found)
}

/// Free access or a trial.
fn span(name: &'static str, gift: Gift, span: Option<Span>, (allowed, over): (Reason, Reason), at: Time) -> Check {
    let (outcome, found) = match span {
        Some(span) if at < span.since => (Outcome::Nothing, Found::GivenFrom(gift, span.since)),
        Some(Span { expires_at: Some(end), .. }) if end <= at => {
            (Outcome::Misses(over, end), Found::GivenUntil(gift, end))
        }
        Some(Span { expires_at, .. }) => (Outcome::Lets(allowed, expires_at), Found::Given(gift, expires_at)),
        None => (Outcome::Nothing, Found::NotGiven(gift)),
    };
    check(name, outcome, found)
}

/// How far Stripe's clock may be ahead of ours: a subscription that is active there has begun.
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// What one subscription gives.
type Given = (Outcome, Found);

/// The best of the member's subscriptions.
fn subscriptions(facts: &Facts, at: Time) -> Check {
    let includes = |plan: &PaidPlan| plan.includes(&facts.content);
    let best = best(&facts.subscriptions, facts.grace, at, &includes, &facts.content.plans);
    let (outcome, found) = best.unwrap_or((Outcome::Nothing, Found::NoSubscription));
    check("subscription", outcome, found)
}

/// Until when a member pays for anything that the owner says opens something: `None` if not at all, and no end where none
/// is known. It is what `status` says of a member, and agrees with [`decide`] because both ask `best`.
pub fn pays(subscriptions: &[Subscription], grace: Duration, at: Time) -> Option<Option<Time>> {
    let opens = |plan: &PaidPlan| plan.opens != Opens::Nothing;
    match best(subscriptions, grace, at, &opens, &[])? {
        (Outcome::Lets(_, until), _) => Some(until),
        _ => None,
    }
}

/// What the best of some subscriptions gives to who wants what `includes` says of a plan; `named` are the plans that would.
fn best(
    subscriptions: &[Subscription],
    grace: Duration,
    at: Time,
    includes: &dyn Fn(&PaidPlan) -> bool,
    named: &[PlanId],
) -> Option<Given> {
    let all = subscriptions.iter().map(|one| match begins(one) {
        begins if begins <= at => subscription(one, grace, at, includes, named),
        _ => (Outcome::Nothing, Found::of(one, State::Begins(one.started_at))),
    });
    all.max_by_key(|(outcome, _)| rank(*outcome))
}

/// One that goes on beats one that ends, and a paid one an overdue one that ends at the same time.
fn rank(outcome: Outcome) -> (u8, Time, bool) {
    match outcome {
        Outcome::Lets(reason, until) => (9, until.unwrap_or(Time::MAX), reason == Reason::AllowedSubscription),
        Outcome::Misses(reason, since) => (near(reason), since, false),
        Outcome::Open | Outcome::Nothing => (0, Time::from_micros(0), false),
    }
}

/// From when on a subscription counts.
fn begins(one: &Subscription) -> Time {
    match one.status {
        Status::Active | Status::Trialing if one.is_linked => one.started_at - AHEAD,
        _ => one.started_at,
    }
}

fn subscription(
    one: &Subscription,
    grace: Duration,
    at: Time,
    includes: &dyn Fn(&PaidPlan) -> bool,
    named: &[PlanId],
) -> Given {
    let (outcome, found) = ending(one, standing(one, grace, at), at);
    let given = match outcome {
        // Whoever pays what is due, or goes on, would not see it either.
        Outcome::Lets(..)
        | Outcome::Misses(
            Reason::SubscriptionPastDue | Reason::SubscriptionPaused | Reason::SubscriptionIncomplete,
            _,
        ) if !one.plans.iter().any(includes) => {
            let opens_nothing = one.plans.iter().all(|plan| plan.opens == Opens::Nothing);
            let state = match one.plans.iter().find(|plan| plan.needs_review) {
                Some(plan) if opens_nothing => State::NotSaid(plan.clone()),
                None if opens_nothing => State::OpensNothing,
                _ => State::NotIncluded(named.to_vec()),
            };
            (Outcome::Misses(Reason::PlanNotIncluded, one.started_at), Found::of(one, state))
        }
        _ => (outcome, found),
    };
    let Some((plan, paid_until)) = still_paid(one, at, includes) else { return given };
    let plan = plan.clone();
    match given {
        // First it is waited for, and then what is paid counts.
        (Outcome::Lets(Reason::AllowedGrace, Some(end)), Found::Subscription(_, _, State::Grace(due, waited))) => {
            let until = end.max(paid_until);
            let state = State::GraceBeside(due, waited, plan, paid_until);
            ending(one, (Outcome::Lets(Reason::AllowedGrace, Some(until)), Found::of(one, state)), at)
        }
        _ => {
            let lets = Outcome::Lets(Reason::AllowedSubscription, Some(paid_until));
            ending(one, (lets, Found::of(one, State::StillPaid(plan, paid_until))), at)
        }
    }
}

/// While a payment is overdue: what was paid before and goes on, and until when.
fn still_paid<'a>(
    one: &'a Subscription,
    at: Time,
    includes: &dyn Fn(&PaidPlan) -> bool,
) -> Option<(&'a PaidPlan, Time)> {
    if !matches!(one.status, Status::PastDue | Status::Unpaid) {
        return None;
    }
    let paid: Vec<_> = one.paid.iter().filter(|time| includes(&time.plan)).collect();
    let runs_at = |at: Time| {
        let running = paid.iter().filter(move |time| time.starts_at <= at && at < time.ends_at);
        running.max_by_key(|time| time.ends_at)
    };
    let first = runs_at(at)?;
    // One time may follow another without a gap.
    let mut until = first.ends_at;
    while let Some(next) = runs_at(until) {
        until = next.ends_at;
    }
    Some((&first.plan, until))
}

/// What a subscription gives that is to end, if that is settled.
fn ending(one: &Subscription, (outcome, found): Given, at: Time) -> Given {
    match (outcome, one.cancel_at) {
        (Outcome::Lets(..), Some(end)) if end <= at => {
            (Outcome::Misses(Reason::SubscriptionEnded, end), Found::of(one, State::WasToEnd(end)))
        }
        (Outcome::Lets(reason, until), Some(end)) if until.is_none_or(|until| end < until) => {
            let is_paid = reason == Reason::AllowedSubscription && one.status != Status::Trialing;
            let found = if is_paid { Found::of(one, State::Ends(end)) } else { found };
            (Outcome::Lets(reason, Some(end)), found)
        }
        _ => (outcome, found),
    }
}

/// What a subscription gives, whatever its plans.
fn standing(one: &Subscription, grace: Duration, at: Time) -> Given {
    let paid_until = one.period_end.unwrap_or(one.started_at);
    let while_paid = |reason: Reason, paid: State, over: State| {
        if at < paid_until {
            return (Outcome::Lets(Reason::AllowedSubscription, Some(paid_until)), Found::of(one, paid));
        }
        (Outcome::Misses(reason, paid_until), Found::of(one, over))
    };
    let lets = |state: State| (Outcome::Lets(Reason::AllowedSubscription, None), Found::of(one, state));
    if let Some((since, until)) = one.refunded
        && since <= at
        && until.is_none_or(|until| at < until)
    {
        let goes_on = one.is_linked && matches!(one.status, Status::Active) && one.cancel_at.is_none();
        let state = State::Refunded(since, one.period_end.filter(|_| goes_on));
        return (Outcome::Misses(Reason::SubscriptionEnded, since), Found::of(one, state));
    }
    match one.status {
        // What is paid elsewhere is not renewed by itself.
        Status::Active if !one.is_linked && one.period_end.is_some() => {
            while_paid(Reason::SubscriptionEnded, State::PaidElsewhere(paid_until), State::WasPaidElsewhere(paid_until))
        }
        Status::Active => lets(State::Active(one.period_end)),
        Status::Trialing => lets(State::Trialing(one.period_end)),
        Status::Paused if one.needs_card => while_paid(
            Reason::SubscriptionPaused,
            State::Trialing(Some(paid_until)),
            State::TrialWithoutCard(paid_until),
        ),
        Status::Paused => {
            while_paid(Reason::SubscriptionPaused, State::Paused(paid_until), State::PausedUnpaid(paid_until))
        }
        Status::Canceled => {
            while_paid(Reason::SubscriptionEnded, State::Canceled(paid_until), State::Ended(paid_until))
        }
        Status::PastDue | Status::Unpaid => {
            let due = one.past_due_since.unwrap_or(paid_until);
            let end = due + grace;
            if at < end {
                return (Outcome::Lets(Reason::AllowedGrace, Some(end)), Found::of(one, State::Grace(due, end)));
            }
            (Outcome::Misses(Reason::SubscriptionPastDue, end), Found::of(one, State::PastDue(due, end)))
        }
        Status::Unknown => (Outcome::Nothing, Found::of(one, State::Unknown)),
        Status::Incomplete | Status::IncompleteExpired => {
            let state = if one.status == Status::Incomplete { State::FirstPaymentOpen } else { State::NeverPaid };
            (Outcome::Misses(Reason::SubscriptionIncomplete, one.started_at), Found::of(one, state))
        }
    }
}

/// The best of the member's entitlements to bundles that hold the content.
fn bundles(facts: &Facts, at: Time) -> Check {
    let content = &facts.content;
    let ours = facts.entitlements.iter().filter(|one| content.bundles.contains(&one.bundle) && one.granted_at <= at);
    let all = ours.map(|one| {
        let bundle = one.bundle.clone();
        let ended = |end: Option<Time>| end.filter(|end| *end <= at);
        match (ended(one.revoked_at), ended(one.expires_at), one.expires_at) {
            (Some(end), _, _) => (Outcome::Misses(Reason::BundleRevoked, end), Found::BundleRevoked(bundle, end)),
            (_, Some(end), _) => (Outcome::Misses(Reason::BundleExpired, end), Found::OwnedUntil(bundle, end)),
            (_, _, until) => (Outcome::Lets(Reason::AllowedBundle, until), Found::Owns(bundle, until)),
        }
    });
    let best = all.max_by_key(|(outcome, _)| match outcome {
        Outcome::Lets(_, until) => (1, until.unwrap_or(Time::MAX)),
        Outcome::Misses(_, since) => (0, *since),
        Outcome::Open | Outcome::Nothing => (0, Time::from_micros(0)),
    });
    let (outcome, found) = best.unwrap_or_else(|| match content.bundles.as_slice() {
        [] => (Outcome::Nothing, Found::NoBundle),
        bundles => (Outcome::Nothing, Found::OwnsNone(bundles.to_vec())),
    });
    check("bundle", outcome, found)
}
