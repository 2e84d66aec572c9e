//! What a rule found: what it is about, as data, and the sentence that says it to people.

use std::collections::BTreeMap;

use super::facts::{PaidPlan, Subscription};
use crate::{
    areas::videos::Level,
    values::{BundleId, PlanId, SubscriptionId, Time, Zone},
};

/// What sentences need to name things as people do.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Where the days of the sentences begin.
    pub(super) zone: Zone,
    /// What bundles and plans are called, by id.
    pub(super) names: BTreeMap<String, String>,
}

impl Words {
    fn day(&self, time: Time) -> String {
        self.zone.day(time)
    }

    pub(super) fn bundle(&self, id: &BundleId) -> String {
        self.names.get(id.as_str()).cloned().unwrap_or_else(|| "the bundle".into())
    }

    fn plan(&self, id: &PlanId) -> String {
        self.names.get(id.as_str()).cloned().unwrap_or_else(|| "another plan".into())
    }
}

/// What a site gives without being paid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gift {
    /// Free access.
    FreeAccess,
    /// A trial.
    Trial,
}

impl Gift {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::FreeAccess => "free access",
            Self::Trial => "a trial",
        }
    }
}

/// What a rule found.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// The content is published.
    Published,
    /// The content is hidden.
    Hidden,
    /// The content is not published.
    Unpublished,
    /// The content is scheduled, and shown.
    ShownNow,
    /// The content is shown from then on.
    ShownFrom(Time),
    /// The content was shown until then.
    ShownUntil(Time),
    /// Who the content is for.
    Level(Level),
    /// The member has no such gift.
    NotGiven(Gift),
    /// The gift begins then.
    GivenFrom(Gift, Time),
    /// The gift ended then.
    GivenUntil(Gift, Time),
    /// The gift runs, until then if it ends.
    Given(Gift, Option<Time>),
    /// The member has no subscription.
    NoSubscription,
    /// How a subscription stands.
    Subscription(SubscriptionId, Vec<PaidPlan>, State),
    /// No bundle holds the content.
    NoBundle,
    /// The member owns none of these.
    OwnsNone(Vec<BundleId>),
    /// The bundle was taken away then.
    BundleRevoked(BundleId, Time),
    /// The bundle was owned until then.
    OwnedUntil(BundleId, Time),
    /// The bundle is owned, until then if it ends.
    Owns(BundleId, Option<Time>),
}

/// How a subscription stands.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// It begins then.
    Begins(Time),
    /// It is paid, and renews then if it was bought for a time.
    Active(Option<Time>),
    /// It is paid elsewhere until then.
    PaidElsewhere(Time),
    /// It was paid elsewhere until then.
    WasPaidElsewhere(Time),
    /// Its trial at Stripe runs, until then if that is known.
    Trialing(Option<Time>),
    /// Its trial at Stripe ended then, without a card.
    TrialWithoutCard(Time),
    /// It is to end then.
    Ends(Time),
    /// It was to end then.
    WasToEnd(Time),
    /// It is paused, and paid until then.
    Paused(Time),
    /// It is paused, and was paid until then.
    PausedUnpaid(Time),
    /// It was cancelled, and is paid until then.
    Canceled(Time),
    /// It was cancelled, and was paid until then.
    Ended(Time),
    /// A payment was due at the first moment, and is waited for until the second.
    Grace(Time, Time),
    /// The same, and this plan is paid until the last moment.
    GraceBeside(Time, Time, PaidPlan, Time),
    /// A payment was due at the first moment, and was waited for until the second.
    PastDue(Time, Time),
    /// A payment is overdue, and this plan is paid until then.
    StillPaid(PaidPlan, Time),
    /// All that was paid went back, by a refund or a lost dispute, as was heard at the first moment; it renews at the
    /// second, if it goes on.
    Refunded(Time, Option<Time>),
    /// Stripe says a word of it that this version of Usher does not know.
    Unknown,
    /// Its first payment is not completed, and still can be.
    FirstPaymentOpen,
    /// It was never paid, and is over.
    NeverPaid,
    /// None of its plans includes the content, which these do.
    NotIncluded(Vec<PlanId>),
    /// Its plans open nothing, as the owner has said.
    OpensNothing,
    /// It opens nothing yet, as nobody has said what this plan of it opens.
    NotSaid(PaidPlan),
}

impl Found {
    pub(super) fn of(one: &Subscription, state: State) -> Self {
        Self::Subscription(one.id.clone(), one.plans.clone(), state)
    }

    /// The bundle that would let the member in: the one that they have lost, or the first that holds the content.
    pub(super) fn bundle_to_give(&self) -> Option<&BundleId> {
        match self {
            Self::OwnsNone(bundles) => bundles.first(),
            Self::BundleRevoked(bundle, _) | Self::OwnedUntil(bundle, _) => Some(bundle),
            _ => None,
        }
    }

    /// The ids of bundles and plans whose names the sentence needs.
    pub(super) fn unnamed(&self) -> Vec<String> {
        match self {
            Self::OwnsNone(bundles) => bundles.iter().take(SOME).map(|id| id.to_string()).collect(),
            Self::BundleRevoked(bundle, _) | Self::OwnedUntil(bundle, _) | Self::Owns(bundle, _) => {
                vec![bundle.to_string()]
            }
            Self::Subscription(.., State::NotIncluded(plans)) => {
                plans.iter().take(SOME).map(|id| id.to_string()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What it says to people: names, amounts and dates, and no ids.
    pub(super) fn sentence(&self, words: &Words) -> String {
        let day = |time: &Time| words.day(*time);
        match self {
            Self::Published => "The content is published.".into(),
            Self::Hidden => "The content is hidden from everyone.".into(),
            Self::Unpublished => "The content is not published.".into(),
            Self::ShownNow => "The content is shown at this time.".into(),
            Self::ShownFrom(from) => format!("The content is shown from {} on.", day(from)),
            Self::ShownUntil(until) => format!("The content was shown until {}.", day(until)),
            Self::Level(Level::Free) => "The content is free for everyone.".into(),
            Self::Level(Level::Members) => "The content is for members.".into(),
            Self::Level(Level::Bundle) => "The content is for owners of a bundle that holds it.".into(),
            Self::NotGiven(gift) => format!("The member has no {}.", gift.text().trim_start_matches("a ")),
            Self::GivenFrom(Gift::FreeAccess, from) => format!("Free access begins on {}.", day(from)),
            Self::GivenFrom(Gift::Trial, from) => format!("A trial begins on {}.", day(from)),
            Self::GivenUntil(gift, until) => format!("The member had {} until {}.", gift.text(), day(until)),
            Self::Given(gift, Some(until)) => format!("The member has {} until {}.", gift.text(), day(until)),
            Self::Given(gift, None) => format!("The member has {}, without an end.", gift.text()),
            Self::NoSubscription => "The member has no subscription.".into(),
            Self::Subscription(_, plans, state) => state.sentence(&names(plans), words),
            Self::NoBundle => "No bundle holds the content, so nobody owns one.".into(),
            Self::OwnsNone(bundles) => match bundles.as_slice() {
                [] => "The member owns no bundle.".into(),
                [bundle] => format!("The member does not own {}.", words.bundle(bundle)),
                [first, second] => {
                    format!("The member owns neither {} nor {}.", words.bundle(first), words.bundle(second))
                }
                [first, second, others @ ..] => format!(
                    "The member owns none of {}, {} and {} more.",
                    words.bundle(first),
                    words.bundle(second),
                    others.len()
                ),
            },
            Self::BundleRevoked(bundle, at) => {
                format!("{} was taken away from the member on {}.", words.bundle(bundle), day(at))
            }
            Self::OwnedUntil(bundle, until) => {
                format!("The member owned {} until {}.", words.bundle(bundle), day(until))
            }
            Self::Owns(bundle, Some(until)) => {
                format!("The member owns {} until {}.", words.bundle(bundle), day(until))
            }
            Self::Owns(bundle, None) => format!("The member owns {} for life.", words.bundle(bundle)),
        }
    }
}

/// Things that a sentence names; of more it says how many.
const SOME: usize = 2;

/// What plans are called, together.
pub(super) fn names(plans: &[PaidPlan]) -> String {
    let mut names: Vec<_> = plans.iter().map(|plan| plan.name.as_str()).collect();
    names.dedup();
    match names.as_slice() {
        [] => "The subscription".into(),
        [name] => (*name).to_owned(),
        [name, other] => format!("{name} with {other}"),
        [name, others @ .., last] => format!("{name} with {} and {last}", others.join(", ")),
    }
}

impl State {
    /// When what it says began or happened, and when it ends, ended or renews.
    pub(super) fn moments(&self) -> (Option<Time>, Option<Time>) {
        match self {
            Self::Begins(at) => (Some(*at), None),
            Self::Refunded(at, renews) => (Some(*at), *renews),
            Self::Active(until) | Self::Trialing(until) => (None, *until),
            Self::PaidElsewhere(until)
            | Self::WasPaidElsewhere(until)
            | Self::TrialWithoutCard(until)
            | Self::Ends(until)
            | Self::WasToEnd(until)
            | Self::Paused(until)
            | Self::PausedUnpaid(until)
            | Self::Canceled(until)
            | Self::Ended(until)
            | Self::StillPaid(_, until) => (None, Some(*until)),
            Self::Grace(due, until) | Self::GraceBeside(due, until, ..) | Self::PastDue(due, until) => {
                (Some(*due), Some(*until))
            }
            Self::Unknown
            | Self::FirstPaymentOpen
            | Self::NeverPaid
            | Self::NotIncluded(_)
            | Self::OpensNothing
            | Self::NotSaid(_) => (None, None),
        }
    }

    fn sentence(&self, name: &str, words: &Words) -> String {
        let day = |time: &Time| words.day(*time);
        let grace = |due: &Time, until: &Time| match until.since(*due).as_secs() / 86_400 {
            0 => "no grace".into(),
            1 => "1 day's grace".to_owned(),
            n => format!("{n} days' grace"),
        };
        match self {
            Self::Begins(on) => format!("{name} begins on {}.", day(on)),
            Self::Active(Some(renews)) => format!("{name} is active and renews on {}.", day(renews)),
            Self::Active(None) => format!("{name} was bought once and has no end."),
            Self::PaidElsewhere(until) => format!("{name} is paid until {}, elsewhere than at Stripe.", day(until)),
            Self::WasPaidElsewhere(until) => {
                format!("{name} was paid until {}, elsewhere than at Stripe.", day(until))
            }
            Self::Trialing(Some(until)) => format!("{name} is in its trial until {}.", day(until)),
            Self::Trialing(None) => format!("{name} is in its trial."),
            Self::TrialWithoutCard(on) => format!("The trial of {name} ended on {} without a card.", day(on)),
            Self::Ends(on) => format!("{name} is active and ends on {}.", day(on)),
            Self::WasToEnd(on) => format!("{name} was to end on {}.", day(on)),
            Self::Paused(until) => format!("{name} is paused, and paid until {}.", day(until)),
            Self::PausedUnpaid(until) => format!("{name} is paused, and was paid until {}.", day(until)),
            Self::Canceled(until) => format!("{name} was cancelled, and is paid until {}.", day(until)),
            Self::Ended(until) => format!("{name} was cancelled, and ended on {}.", day(until)),
            Self::Grace(due, until) => format!(
                "A payment for {name} was due on {} and is unpaid. Access goes on until {} ({}).",
                day(due),
                day(until),
                grace(due, until)
            ),
            Self::GraceBeside(due, until, plan, paid_until) => format!(
                "A payment for {name} was due on {} and is unpaid. It is waited for until {} ({}); {} is paid until {}.",
                day(due),
                day(until),
                grace(due, until),
                plan.name,
                day(paid_until)
            ),
            Self::PastDue(due, until) => format!(
                "A payment for {name} was due on {} and is unpaid. Access ended on {} ({}).",
                day(due),
                day(until),
                grace(due, until)
            ),
            Self::StillPaid(plan, until) => {
                format!("A payment for {name} is overdue; {} is paid until {}.", plan.name, day(until))
            }
            Self::Refunded(at, None) => {
                format!("All that was paid for {name} went back to the payer, as was heard on {}.", day(at))
            }
            Self::Refunded(at, Some(renews)) => format!(
                "All that was paid for {name} went back to the payer, as was heard on {}. It was not cancelled, and renews \
                 on {}.",
                day(at),
                day(renews)
            ),
            Self::Unknown => format!(
                "Stripe says something of {name} that this version of Usher does not know, so it opens nothing here. \
                 Look at it at Stripe."
            ),
            Self::FirstPaymentOpen => format!("The first payment for {name} is not completed yet."),
            Self::NeverPaid => format!("The first payment for {name} was never completed."),
            Self::NotIncluded(plans) => match plans.as_slice() {
                [] => format!("{name} does not include the content: it opens only what names it."),
                [plan] => format!("{name} does not include the content; {} does.", words.plan(plan)),
                [first, second] => {
                    format!("{name} does not include the content; {} and {} do.", words.plan(first), words.plan(second))
                }
                [first, second, others @ ..] => format!(
                    "{name} does not include the content; {}, {} and {} more do.",
                    words.plan(first),
                    words.plan(second),
                    others.len()
                ),
            },
            Self::OpensNothing => format!("{name} opens no content."),
            Self::NotSaid(plan) => {
                let it = if plan.name == name { "it" } else { &plan.name };
                format!("{name} opens nothing yet: nobody has said what {it} opens.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        areas::plans::Opens,
        values::{Id, Kind, kind},
    };

    fn day(n: i64) -> Time {
        Time::from_micros((1_800_000_000 + n * 86_400) * 1_000_000)
    }

    fn plan(name: &str) -> PaidPlan {
        PaidPlan {
            id: PlanId::of(uuid::Uuid::from_u128(name.len() as u128)),
            name: name.into(),
            opens: Opens::All,
            needs_review: false,
        }
    }

    fn states() -> Vec<State> {
        let other = || PlanId::of(uuid::Uuid::from_u128(77));
        vec![
            State::Begins(day(3)),
            State::Active(Some(day(20))),
            State::Active(None),
            State::PaidElsewhere(day(20)),
            State::WasPaidElsewhere(day(-2)),
            State::Trialing(Some(day(5))),
            State::Trialing(None),
            State::TrialWithoutCard(day(-2)),
            State::Ends(day(20)),
            State::WasToEnd(day(-2)),
            State::Paused(day(20)),
            State::PausedUnpaid(day(-2)),
            State::Canceled(day(20)),
            State::Ended(day(-2)),
            State::Grace(day(-3), day(4)),
            State::GraceBeside(day(-3), day(4), plan("Basic"), day(300)),
            State::PastDue(day(-9), day(-2)),
            State::PastDue(day(-2), day(-1)),
            State::PastDue(day(-2), day(-2)),
            State::StillPaid(plan("Basic"), day(300)),
            State::Refunded(day(-2), None),
            State::Refunded(day(-2), Some(day(20))),
            State::Unknown,
            State::FirstPaymentOpen,
            State::NeverPaid,
            State::NotIncluded(Vec::new()),
            State::NotIncluded(vec![other()]),
            State::NotIncluded(vec![other(), other()]),
            State::NotIncluded(vec![other(), other(), other()]),
            State::OpensNothing,
            State::NotSaid(plan("Gold")),
        ]
    }

    fn all() -> Vec<Found> {
        let bundle = || Id::<kind::Bundle>::parse(kind::Bundle::EXAMPLE).expect("an id");
        let mut all = vec![
            Found::Published,
            Found::Hidden,
            Found::Unpublished,
            Found::ShownNow,
            Found::ShownFrom(day(3)),
            Found::ShownUntil(day(-2)),
            Found::Level(Level::Free),
            Found::Level(Level::Members),
            Found::Level(Level::Bundle),
        ];
        for gift in [Gift::FreeAccess, Gift::Trial] {
            all.extend([
                Found::NotGiven(gift),
                Found::GivenFrom(gift, day(3)),
                Found::GivenUntil(gift, day(-2)),
                Found::Given(gift, Some(day(5))),
                Found::Given(gift, None),
            ]);
        }
        all.push(Found::NoSubscription);
        let id = || SubscriptionId::of(uuid::Uuid::from_u128(1));
        all.extend(states().into_iter().map(|state| Found::Subscription(id(), vec![plan("Gold")], state)));
        all.push(Found::Subscription(id(), vec![plan("Gold"), plan("Coaching")], State::Active(Some(day(20)))));
        all.extend([
            Found::NoBundle,
            Found::OwnsNone(vec![bundle()]),
            Found::OwnsNone(vec![bundle(), bundle()]),
            Found::OwnsNone(vec![bundle(), bundle(), bundle()]),
            Found::BundleRevoked(bundle(), day(-2)),
            Found::OwnedUntil(bundle(), day(-2)),
            Found::Owns(bundle(), Some(day(5))),
            Found::Owns(bundle(), None),
        ]);
        all
    }

    /// Every sentence, to be read from top to bottom: `sentences.txt` is what people are told.
    #[test]
    fn people_are_told_what_they_can_read() {
        let names = [
            (kind::Bundle::EXAMPLE.to_owned(), "The course".to_owned()),
            (PlanId::of(uuid::Uuid::from_u128(77)).to_string(), "Platinum".to_owned()),
        ];
        let words = Words { names: names.into(), ..Words::default() };
        let told: String = all().iter().map(|found| found.sentence(&words) + "\n").collect();
        assert_eq!(told, include_str!("sentences.txt"), "told now:\n{told}");
        assert!(told.lines().all(|line| !line.contains('_') && line.ends_with('.')));
    }
}
