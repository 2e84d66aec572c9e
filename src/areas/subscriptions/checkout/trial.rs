//! Whether a member gets a plan's trial: once, whatever the plan.

use usher_stripe::views;

use super::Trial;
use crate::areas::{members::Member, plans::Plan, subscriptions::Subscription};

/// The days that are free, by what is known here.
pub fn days(trial: Trial, plan: &Plan, member: &Member, all: &[Subscription]) -> u32 {
    let had_one = member.trial.is_some() || all.iter().any(|one| one.trial_end.is_some());
    match trial {
        Trial::Auto if !had_one => plan.trial_days,
        Trial::Auto | Trial::Never => 0,
    }
}

/// Whether one of a customer's subscriptions at Stripe has, or had, a trial.
pub fn had_one(all: &[views::Subscription]) -> bool {
    all.iter().any(|one| one.trial_end.is_some())
}
