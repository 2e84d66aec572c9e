//! What a key has used of its budgets, exact over any 60 seconds.
//!
//! Calls are counted in slots of a tenth of a second, or of a second where the budget is large, and a slot counts in
//! full until the last moment in it is 60 seconds old. So no 60 seconds ever hold more calls than the budget, and a
//! call's place is free again at most a slot's length late.

use std::collections::VecDeque;

use crate::{tools::Kind, values::Time};

/// The budgets of a key; a site's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Budgets {
    /// Calls of reading tools in any 60 seconds.
    pub reads_per_minute: u32,
    /// Calls of writing tools in any 60 seconds.
    pub writes_per_minute: u32,
    /// Calls of any tools in any 60 seconds.
    pub calls_per_minute: u32,
    /// Generations from midnight to midnight UTC.
    pub generations_per_day: u32,
}

impl Default for Budgets {
    fn default() -> Self {
        Self { reads_per_minute: 120, writes_per_minute: 30, calls_per_minute: 100, generations_per_day: 50 }
    }
}

/// One of a key's budgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    /// Reading tools.
    Reads,
    /// Writing tools.
    Writes,
    /// All tools.
    Calls,
    /// Generations.
    Generations,
}

impl Bucket {
    /// As headers and errors name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Calls => "calls",
            Self::Generations => "generations",
        }
    }

    /// Seconds that the budget is for.
    pub const fn window_s(self) -> u64 {
        match self {
            Self::Generations => 86_400,
            _ => 60,
        }
    }

    /// Calls that the budget allows in its window.
    pub const fn quota(self, budgets: &Budgets) -> u32 {
        match self {
            Self::Reads => budgets.reads_per_minute,
            Self::Writes => budgets.writes_per_minute,
            Self::Calls => budgets.calls_per_minute,
            Self::Generations => budgets.generations_per_day,
        }
    }
}

/// How a budget stands after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The one with the least left.
    pub bucket: Bucket,
    /// What it allows.
    pub quota: u32,
    /// What is left.
    pub remaining: u32,
    /// Seconds until more of it is free.
    pub reset_s: u64,
}

const SLOT_US: i64 = 100_000;
const SLOTS: i64 = 600;

/// Calls a minute beyond which slots are a second long, so that what is kept of a busy key stays small.
const MANY: u32 = 120;
/// Short slots in a long one.
const LONG: i64 = 10;

/// What a key has used lately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Slots with calls in them, oldest first.
    slots: VecDeque<Slot>,
    /// Midnight of the day that `generations` counts, and the count.
    generations: (i64, u32),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slot {
    at: i64,
    reads: u32,
    writes: u32,
    generations: u32,
}

impl Slot {
    fn used(&self, bucket: Bucket) -> u32 {
        match bucket {
            Bucket::Reads => self.reads,
            Bucket::Writes => self.writes,
            Bucket::Calls => self.reads + self.writes + self.generations,
            Bucket::Generations => 0,
        }
    }

    fn of(&mut self, kind: Kind) -> &mut u32 {
        match kind {
            Kind::Read => &mut self.reads,
            Kind::Write => &mut self.writes,
            Kind::Generate => &mut self.generations,
        }
    }
}

impl Usage {
    /// How the tightest budget of such a call stands; counts nothing.
    pub fn look(&mut self, kind: Kind, now: Time, budgets: &Budgets) -> Standing {
        self.forget(now);
        let buckets: &[Bucket] = match kind {
            Kind::Read => &[Bucket::Calls, Bucket::Reads],
            Kind::Write => &[Bucket::Calls, Bucket::Writes],
            Kind::Generate => &[Bucket::Calls, Bucket::Generations],
        };
        let each = buckets.iter().map(|bucket| self.standing(*bucket, now, budgets));
        each.min_by_key(|standing| standing.remaining).expect("a call has a budget")
    }

    /// Counts a call if every budget that it needs has room; otherwise says which has none.
    pub fn take(&mut self, kind: Kind, now: Time, budgets: &Budgets) -> Result<Standing, Standing> {
        let before = self.look(kind, now, budgets);
        if before.remaining == 0 {
            return Err(before);
        }
        let mut at = now.micros().div_euclid(SLOT_US);
        if budgets.calls_per_minute > MANY {
            at += LONG - 1 - at.rem_euclid(LONG);
        }
        // A clock that was set back counts into the latest slot.
        match self.slots.back_mut() {
            Some(slot) if slot.at >= at => *slot.of(kind) += 1,
            _ => {
                let mut slot = Slot { at, ..Slot::default() };
                *slot.of(kind) += 1;
                self.slots.push_back(slot);
            }
        }
        if kind == Kind::Generate {
            self.generations.1 += 1;
        }
        Ok(self.look(kind, now, budgets))
    }

    /// Takes a call back that turned out to use nothing up.
    pub fn give_back(&mut self, kind: Kind) {
        if let Some(count) = self.slots.iter_mut().rev().map(|slot| slot.of(kind)).find(|count| **count > 0) {
            *count -= 1;
        }
        if kind == Kind::Generate {
            self.generations.1 = self.generations.1.saturating_sub(1);
        }
    }

    /// Whether nothing in it counts any more.
    pub fn is_idle(&mut self, now: Time) -> bool {
        self.forget(now);
        self.slots.is_empty() && self.generations.1 == 0
    }

    fn forget(&mut self, now: Time) {
        let oldest = now.micros().div_euclid(SLOT_US) - SLOTS;
        while self.slots.front().is_some_and(|slot| slot.at < oldest) {
            self.slots.pop_front();
        }
        let today = now.midnight().micros();
        if self.generations.0 != today {
            self.generations = (today, 0);
        }
    }

    fn standing(&self, bucket: Bucket, now: Time, budgets: &Budgets) -> Standing {
        let used = match bucket {
            Bucket::Generations => self.generations.1,
            _ => self.slots.iter().map(|slot| slot.used(bucket)).sum(),
        };
        let quota = bucket.quota(budgets);
        let free_at = match bucket {
            Bucket::Generations => self.generations.0 + 86_400_000_000,
            _ => {
                let oldest = self.slots.iter().find(|slot| slot.used(bucket) > 0);
                oldest.map_or(now.micros(), |slot| (slot.at + SLOTS + 1) * SLOT_US)
            }
        };
        let wait_us = u64::try_from(free_at - now.micros()).unwrap_or(0);
        Standing { bucket, quota, remaining: quota.saturating_sub(used), reset_s: wait_us.div_ceil(1_000_000).max(1) }
    }

    /// For the row that several processes share.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(12 + 20 * self.slots.len());
        bytes.extend(self.generations.0.to_le_bytes());
        bytes.extend(self.generations.1.to_le_bytes());
        for slot in &self.slots {
            bytes.extend(slot.at.to_le_bytes());
            [slot.reads, slot.writes, slot.generations].iter().for_each(|count| bytes.extend(count.to_le_bytes()));
        }
        bytes
    }

    /// Reads [`to_bytes`](Usage::to_bytes); what does not read counts as nothing used.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let i64_at = |bytes: &[u8]| i64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        let u32_at = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        let Some((head, slots)) = bytes.split_at_checked(12) else { return Self::default() };
        let slots = slots.chunks_exact(20).map(|slot| Slot {
            at: i64_at(&slot[..8]),
            reads: u32_at(&slot[8..12]),
            writes: u32_at(&slot[12..16]),
            generations: u32_at(&slot[16..]),
        });
        Self { slots: slots.collect(), generations: (i64_at(&head[..8]), u32_at(&head[8..])) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const START: Time = Time::from_micros(1_700_000_000_123_456);

    fn budgets(reads: u32, writes: u32, calls: u32) -> Budgets {
        Budgets { reads_per_minute: reads, writes_per_minute: writes, calls_per_minute: calls, generations_per_day: 2 }
    }

    proptest! {
        #[test]
        fn no_sixty_seconds_hold_more_than_the_budget(gaps in prop::collection::vec(0u64..9_000_000, 1..200)) {
            let budgets = budgets(5, 3, 7);
            let (mut usage, mut now) = (Usage::default(), START);
            let mut admitted: Vec<(Time, Kind)> = Vec::new();
            for (at, gap) in gaps.into_iter().enumerate() {
                now = now + Duration::from_micros(gap);
                let kind = if at % 3 == 0 { Kind::Write } else { Kind::Read };
                if usage.take(kind, now, &budgets).is_ok() {
                    admitted.push((now, kind));
                }
                usage = Usage::from_bytes(&usage.to_bytes());
            }
            for (end, _) in &admitted {
                let within = |one: &&(Time, Kind)| one.0 <= *end && end.since(one.0) < Duration::from_secs(60);
                let window: Vec<_> = admitted.iter().filter(within).collect();
                prop_assert!(window.len() <= 7);
                prop_assert!(window.iter().filter(|one| one.1 == Kind::Read).count() <= 5);
                prop_assert!(window.iter().filter(|one| one.1 == Kind::Write).count() <= 3);
            }
        }

        #[test]
        fn after_the_wait_the_call_passes(gaps in prop::collection::vec(0u64..9_000_000, 1..100)) {
            let budgets = budgets(4, 4, 6);
            let (mut usage, mut now) = (Usage::default(), START);
            for gap in gaps {
                now = now + Duration::from_micros(gap);
                if let Err(refused) = usage.take(Kind::Read, now, &budgets) {
                    now = now + Duration::from_secs(refused.reset_s);
                    prop_assert!(usage.take(Kind::Read, now, &budgets).is_ok());
                }
            }
        }
    }

    #[test]
    fn the_tightest_budget_refuses_and_is_named() {
        let budgets = budgets(10, 1, 3);
        let mut usage = Usage::default();
        assert_eq!(usage.take(Kind::Write, START, &budgets).unwrap().bucket, Bucket::Writes);
        assert_eq!(usage.take(Kind::Write, START, &budgets).unwrap_err().bucket, Bucket::Writes);
        assert_eq!(usage.take(Kind::Read, START, &budgets).unwrap().remaining, 1);
        assert!(usage.take(Kind::Read, START, &budgets).is_ok());
        let refused = usage.take(Kind::Read, START, &budgets).unwrap_err();
        assert_eq!((refused.bucket, refused.quota, refused.reset_s), (Bucket::Calls, 3, 61));
    }

    #[test]
    fn a_large_budget_is_kept_in_few_slots_and_never_exceeded() {
        let budgets = budgets(500, 500, 500);
        let mut usage = Usage::default();
        for at in 0..500 {
            let now = START + Duration::from_millis(20 * at);
            assert!(usage.take(Kind::Read, now, &budgets).is_ok());
        }
        assert_eq!(usage.slots.len(), 11, "10 seconds that begin within a second");
        assert!(usage.take(Kind::Read, START + Duration::from_millis(59_999), &budgets).is_err());
        let first_free = START + Duration::from_secs(61);
        assert_eq!(usage.take(Kind::Read, first_free, &budgets).unwrap().remaining, 43);
    }

    #[test]
    fn what_is_given_back_can_be_used_again() {
        let budgets = budgets(1, 1, 2);
        let mut usage = Usage::default();
        assert!(usage.take(Kind::Write, START, &budgets).is_ok());
        usage.give_back(Kind::Write);
        assert!(usage.take(Kind::Write, START, &budgets).is_ok());
        assert!(usage.take(Kind::Write, START, &budgets).is_err());
    }

    #[test]
    fn generations_begin_anew_at_midnight() {
        let budgets = budgets(9, 9, 9);
        let (mut usage, morning) = (Usage::default(), START.midnight() + Duration::from_secs(3600));
        assert!(usage.take(Kind::Generate, morning, &budgets).is_ok());
        assert!(usage.take(Kind::Generate, morning, &budgets).is_ok());
        let refused = usage.take(Kind::Generate, morning, &budgets).unwrap_err();
        assert_eq!((refused.bucket, refused.reset_s), (Bucket::Generations, 23 * 3600));
        assert!(usage.take(Kind::Generate, morning + Duration::from_secs(23 * 3600), &budgets).is_ok());
    }
}
