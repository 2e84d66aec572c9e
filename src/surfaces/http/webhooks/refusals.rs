use std::sync::{Mutex, PoisonError};

use crate::values::Time;

/// Lines about refusals in a minute, at most.
const REFUSALS_A_MINUTE: u32 = 20;

/// What is said of refusals: anybody can cause them, and nobody may fill the log.
pub(super) struct Refusals {
    /// The minute, how many were said in it, and how many were not since the last that was.
    state: Mutex<(i64, u32, u64)>,
}

impl Refusals {
    pub(super) const fn new() -> Self {
        Self { state: Mutex::new((i64::MIN, 0, 0)) }
    }

    /// Whether one more is to be said, and how many were not said before it.
    pub(super) fn say(&self, now: Time) -> Option<u64> {
        let minute = now.micros().div_euclid(60_000_000);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 != minute {
            (state.0, state.1) = (minute, 0);
        }
        if state.1 >= REFUSALS_A_MINUTE {
            state.2 += 1;
            return None;
        }
        state.1 += 1;
        Some(std::mem::take(&mut state.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_a_few_lines_a_minute() {
        let refusals = Refusals::new();
        let minute = |n: i64| Time::from_micros(n * 60_000_000 + 5);
        let said = (0..1000).filter(|_| refusals.say(minute(1)).is_some()).count();
        assert_eq!(said, 20);
        assert_eq!((refusals.say(minute(2)), refusals.say(minute(2))), (Some(980), Some(0)));
    }
}
