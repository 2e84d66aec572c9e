//! What is still to be written at Stripe, by what it says and what is wanted: a pure function.

use usher_stripe::{
    Request,
    requests::subscriptions as ask,
    views::{Subscription, SubscriptionStatus},
};

use crate::{areas::subscriptions::Wanted, values::Time};

/// One write at Stripe. After each, Stripe is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// End it now.
    Cancel,
    /// Let it end with its period.
    End,
    /// Let it go on after its period.
    GoOn,
    /// Let it go on after a date that was set for its end.
    ClearEnd,
    /// Collect nothing, until a time in seconds since 1970 or until somebody says so.
    Pause(Option<i64>),
    /// Collect again.
    Collect,
    /// Take up one whose status is `paused`: a new period begins, and is paid.
    Resume,
}

impl Step {
    /// Its name, for an idempotency key and for dry runs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::End => "end",
            Self::GoOn => "go_on",
            Self::ClearEnd => "clear_end",
            Self::Pause(_) => "pause",
            Self::Collect => "collect",
            Self::Resume => "resume",
        }
    }

    /// What is sent.
    pub fn request(self, id: &str) -> Request<Subscription> {
        match self {
            Self::Cancel => ask::cancel_now(id),
            Self::End => ask::cancel_at_period_end(id, true),
            Self::GoOn => ask::cancel_at_period_end(id, false),
            Self::ClearEnd => ask::clear_cancel_at(id),
            Self::Pause(until) => ask::pause_collection(id, until),
            Self::Collect => ask::clear_pause_collection(id),
            Self::Resume => ask::resume(id),
        }
    }
}

/// It has ended, and what is wanted cannot be any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended;

/// The next write, or none if it is as it is wanted.
pub fn next(view: &Subscription, wanted: Wanted, resumes_at: Option<Time>, now: Time) -> Result<Option<Step>, Ended> {
    let pause = view.pause_collection.as_ref();
    if view.status.is_terminal() {
        return match wanted {
            Wanted::Canceled | Wanted::Ending => Ok(None),
            Wanted::Paused | Wanted::Active => Err(Ended),
        };
    }
    Ok(match wanted {
        Wanted::Canceled => Some(Step::Cancel),
        Wanted::Ending => (!ends_with_period(view)).then_some(Step::End),
        // What has paused by itself collects nothing either.
        Wanted::Paused if view.status == SubscriptionStatus::Paused => None,
        Wanted::Paused => match resumes_at {
            // It took so long that the pause is over.
            Some(until) if until <= now => pause.map(|_| Step::Collect),
            until => {
                let until = until.map(|until| until.micros().div_euclid(1_000_000));
                let is_so = |pause: &usher_stripe::views::PauseCollection| {
                    pause.behavior.as_deref() == Some("void") && pause.resumes_at == until
                };
                (!pause.is_some_and(is_so)).then_some(Step::Pause(until))
            }
        },
        Wanted::Active if pause.is_some() => Some(Step::Collect),
        Wanted::Active if view.cancel_at_period_end => Some(Step::GoOn),
        Wanted::Active if view.cancel_at.is_some() => Some(Step::ClearEnd),
        Wanted::Active => (view.status == SubscriptionStatus::Paused).then_some(Step::Resume),
    })
}

/// The schedule that has to let the subscription go first, as Stripe does not say otherwise when one that has a schedule
/// ends.
pub fn schedule_in_the_way(view: &Subscription, wanted: Wanted) -> Option<&str> {
    let schedule = view.schedule_id().filter(|_| !view.status.is_terminal())?;
    let is_in_the_way = match wanted {
        Wanted::Ending => !ends_with_period(view),
        Wanted::Active => view.cancel_at_period_end || view.cancel_at.is_some(),
        // Cancelled now, its schedule ends with it.
        Wanted::Canceled | Wanted::Paused => false,
    };
    is_in_the_way.then_some(schedule)
}

fn ends_with_period(view: &Subscription) -> bool {
    let end = view.current_period().map(|period| period.end);
    view.cancel_at_period_end || view.cancel_at.is_some_and(|at| end.is_some_and(|end| at <= end))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: Time = Time::from_micros(1_000_000_000);

    fn view(fields: Value) -> Subscription {
        let mut view =
            json!({ "id": "sub_1", "status": "active", "current_period_start": 900, "current_period_end": 2000 });
        view.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(view).unwrap()
    }

    fn until(seconds: i64) -> Option<Time> {
        Some(Time::from_micros(seconds * 1_000_000))
    }

    #[test]
    fn a_schedule_lets_it_go_before_it_ends_or_goes_on() {
        let scheduled = json!({ "schedule": "sub_sched_1" });
        let ending = json!({ "schedule": { "id": "sub_sched_1" }, "cancel_at": 2000 });
        for (fields, wanted, schedule) in [
            (&scheduled, Wanted::Ending, Some("sub_sched_1")),
            (&scheduled, Wanted::Canceled, None),
            (&scheduled, Wanted::Active, None),
            (&scheduled, Wanted::Paused, None),
            (&ending, Wanted::Ending, None),
            (&ending, Wanted::Active, Some("sub_sched_1")),
            (&json!({}), Wanted::Ending, None),
            (&json!({ "status": "canceled", "schedule": "sub_sched_1" }), Wanted::Ending, None),
        ] {
            assert_eq!(schedule_in_the_way(&view(fields.clone()), wanted), schedule, "{fields} {wanted:?}");
        }
    }

    #[test]
    fn each_wish_has_its_next_step() {
        let paused =
            |resumes_at: Option<i64>| json!({ "pause_collection": { "behavior": "void", "resumes_at": resumes_at } });
        for (fields, wanted, resumes_at, step) in [
            (json!({}), Wanted::Active, None, Ok(None)),
            (json!({}), Wanted::Canceled, None, Ok(Some(Step::Cancel))),
            (json!({ "cancel_at_period_end": true }), Wanted::Canceled, None, Ok(Some(Step::Cancel))),
            (json!({}), Wanted::Ending, None, Ok(Some(Step::End))),
            (json!({ "cancel_at_period_end": true, "cancel_at": 2000 }), Wanted::Ending, None, Ok(None)),
            (json!({ "cancel_at": 1500 }), Wanted::Ending, None, Ok(None)),
            (json!({ "cancel_at": 2500 }), Wanted::Ending, None, Ok(Some(Step::End))),
            (json!({}), Wanted::Paused, None, Ok(Some(Step::Pause(None)))),
            (json!({}), Wanted::Paused, until(1500), Ok(Some(Step::Pause(Some(1500))))),
            (paused(None), Wanted::Paused, None, Ok(None)),
            (paused(None), Wanted::Paused, until(1500), Ok(Some(Step::Pause(Some(1500))))),
            (paused(Some(1500)), Wanted::Paused, until(1500), Ok(None)),
            (
                json!({ "pause_collection": { "behavior": "keep_as_draft" } }),
                Wanted::Paused,
                None,
                Ok(Some(Step::Pause(None))),
            ),
            // Its end is past.
            (json!({}), Wanted::Paused, until(999), Ok(None)),
            (paused(Some(999)), Wanted::Paused, until(999), Ok(Some(Step::Collect))),
            (json!({ "status": "paused" }), Wanted::Paused, None, Ok(None)),
            (paused(None), Wanted::Active, None, Ok(Some(Step::Collect))),
            (json!({ "status": "paused" }), Wanted::Active, None, Ok(Some(Step::Resume))),
            (json!({ "cancel_at_period_end": true, "cancel_at": 2000 }), Wanted::Active, None, Ok(Some(Step::GoOn))),
            (json!({ "cancel_at": 1500 }), Wanted::Active, None, Ok(Some(Step::ClearEnd))),
            (json!({ "status": "canceled" }), Wanted::Canceled, None, Ok(None)),
            (json!({ "status": "canceled" }), Wanted::Ending, None, Ok(None)),
            (json!({ "status": "canceled" }), Wanted::Active, None, Err(Ended)),
            (json!({ "status": "incomplete_expired" }), Wanted::Paused, None, Err(Ended)),
        ] {
            assert_eq!(
                next(&view(fields.clone()), wanted, resumes_at, NOW),
                step,
                "{fields} {wanted:?} {resumes_at:?}"
            );
        }
    }
}
