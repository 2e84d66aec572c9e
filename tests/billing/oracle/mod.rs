//! What access should make of what Stripe says: the rules that Usher promises, written a second time, from Stripe's JSON
//! and without any of Usher's code. [`Policy`] has the naive ways beside them, each wrong in one thing: a test that finds no
//! difference between them and the rules could not find that fault in Usher either.

mod told;

use std::collections::BTreeMap;

pub use told::{Bill, Told};

/// What a plan opens, in its owner's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opens {
    /// Member content but what is limited to other plans.
    All,
    /// Only what names it.
    Listed,
    Nothing,
}

/// What a site has said about access.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What each price opens.
    pub opens: BTreeMap<String, Opens>,
    pub grace_s: i64,
    pub do_lost_disputes_end_access: bool,
}

/// The ways to tell access from Stripe's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// As Usher promises.
    Promised,
    /// Only the first item of a subscription counts.
    FirstItem,
    /// Any refund of an invoice counts as one of all of it.
    PartIsWhole,
    /// Only the refunds of the newest invoice count.
    NewestInvoice,
    /// A lost dispute changes nothing.
    NoDisputes,
    /// Every dispute is lost.
    DisputesAreLost,
    /// A change of plan that is unpaid counts as paid.
    UnpaidIsPaid,
    /// While a payment is overdue nothing else counts.
    UnpaidIsNothing,
    /// A change of plan at the period's end counts at once.
    LaterIsNow,
    /// A change of plan now counts from the next period on.
    NowIsLater,
}

impl Policy {
    /// Those that are wrong.
    pub const NAIVE: [Self; 9] = [
        Self::FirstItem,
        Self::PartIsWhole,
        Self::NewestInvoice,
        Self::NoDisputes,
        Self::DisputesAreLost,
        Self::UnpaidIsPaid,
        Self::UnpaidIsNothing,
        Self::LaterIsNow,
        Self::NowIsLater,
    ];
}

/// What is decided about a subscription, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Paid,
    Grace,
    PastDue,
    Paused,
    Incomplete,
    NotIncluded,
    Ended,
}

impl Verdict {
    /// As `members.whyPaywall` calls it.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Paid => "allowed_subscription",
            Self::Grace => "allowed_grace",
            Self::NotIncluded => "plan_not_included",
            Self::PastDue => "subscription_past_due",
            Self::Paused => "subscription_paused",
            Self::Incomplete => "subscription_incomplete",
            Self::Ended => "subscription_ended",
        }
    }

    fn lets_in(self) -> bool {
        self <= Self::Grace
    }
}

/// What is asked for: member content, limited to the plans of these prices if there are any.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    Content(&'a [String]),
    /// Anything that some plan opens: whether the member pays at all.
    Anything,
}

impl Rules {
    fn includes(&self, price: &str, asked: Asked<'_>) -> bool {
        let opens = self.opens.get(price).copied().unwrap_or(Opens::Nothing);
        match asked {
            Asked::Anything => opens != Opens::Nothing,
            Asked::Content(prices) => match opens {
                Opens::All => prices.is_empty() || prices.iter().any(|named| named == price),
                Opens::Listed => prices.iter().any(|named| named == price),
                Opens::Nothing => false,
            },
        }
    }

    /// The reasons that are right for a member with these subscriptions: of several that let in any, else the nearest.
    pub fn reasons(&self, told: &[Told], asked: Asked<'_>, at: i64, policy: Policy) -> Vec<&'static str> {
        let all: Vec<_> = told.iter().map(|one| self.verdict(one, asked, at, policy)).collect();
        let lets_in: Vec<_> = all.iter().filter(|verdict| verdict.lets_in()).map(|verdict| verdict.reason()).collect();
        match (lets_in.is_empty(), all.iter().min()) {
            (false, _) => lets_in,
            (true, Some(nearest)) => vec![nearest.reason()],
            (true, None) => vec!["no_subscription"],
        }
    }

    /// What a subscription gives by itself.
    pub fn verdict(&self, told: &Told, asked: Asked<'_>, at: i64, policy: Policy) -> Verdict {
        let is_overdue = told.is_overdue() && policy != Policy::UnpaidIsPaid;
        let stands = match told.status.as_str() {
            _ if told.is_over() => Verdict::Ended,
            _ if self.is_returned(told, at, policy) => Verdict::Ended,
            _ if told.is_paused && at < told.paid_until() => Verdict::Paid,
            _ if told.is_paused => Verdict::Paused,
            "incomplete" => Verdict::Incomplete,
            _ if is_overdue && at < told.overdue_since().unwrap_or(at) + self.grace_s => Verdict::Grace,
            _ if is_overdue => Verdict::PastDue,
            _ => Verdict::Paid,
        };
        let is_included = told.prices(policy).iter().any(|price| self.includes(price, asked));
        let given = match stands {
            Verdict::Ended => Verdict::Ended,
            _ if !is_included => Verdict::NotIncluded,
            stands => stands,
        };
        // What was paid before and goes on.
        let goes_on = is_overdue && policy != Policy::UnpaidIsNothing && self.is_still_paid(told, asked, at, policy);
        if goes_on && given != Verdict::Grace { Verdict::Paid } else { given }
    }

    /// What a bill brought and was not given back or taken back.
    fn returned(&self, bill: &Bill, policy: Policy) -> i64 {
        let lost = match policy {
            _ if !self.do_lost_disputes_end_access => 0,
            Policy::NoDisputes => 0,
            Policy::DisputesAreLost => bill.disputed,
            _ => bill.lost,
        };
        let returned = bill.refunded + lost;
        if policy == Policy::PartIsWhole && returned > 0 { bill.paid } else { returned }
    }

    /// Whether all that was paid for the running period was given back. That is the newest that was paid for.
    fn is_returned(&self, told: &Told, at: i64, policy: Policy) -> bool {
        let begun = told.spans().filter(|span| span.from <= at);
        let Some(running) = begun.max_by_key(|span| (span.from, span.bill, span.until)) else { return false };
        if told.bills[running.bill].paid == 0 || running.until <= at {
            return false;
        }
        let is_of_it = |bill: usize| match policy {
            Policy::NewestInvoice => bill == running.bill,
            _ => told.spans().any(|span| {
                span.bill == bill && span.from <= at && span.from < running.until && running.from < span.until
            }),
        };
        let of_it = told.bills.iter().enumerate().filter(|(at, _)| is_of_it(*at)).map(|(_, bill)| bill);
        let left: i64 = of_it.map(|bill| bill.paid - self.returned(bill, policy)).sum();
        left <= 0
    }

    fn is_still_paid(&self, told: &Told, asked: Asked<'_>, at: i64, policy: Policy) -> bool {
        told.spans().any(|span| {
            let bill = &told.bills[span.bill];
            let is_returned = bill.paid > 0 && self.returned(bill, policy) >= bill.paid;
            span.from <= at && at < span.until && !is_returned && self.includes(span.price, asked)
        })
    }
}
