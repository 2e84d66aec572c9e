//! A row that the worker dies of must not stop the rows around it.
//!
//! Attempts that end in a crash or a panic before they have done anything are counted. After the second, the rows ahead
//! are tried in ever smaller runs, an eighth of those that are suspect at a time, until one row is left; that one is passed
//! over and reported. So of 250,000 rows the bad one is found in some ten attempts.

use serde::{Deserialize, Serialize};

use super::MAX_ROWS;

/// Rows that are passed over at most; beyond that the import fails as often as it may.
const MOST: usize = 100;

/// What was learnt from attempts that died. A part of the job's checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Deaths {
    /// The attempt that wrote this.
    attempt: u32,
    /// Rows that were done when it began.
    done: u64,
    /// Attempts in a row that died before they had done a row.
    in_vain: u32,
    /// The end of the rows among which the bad one is.
    suspect_until: Option<u64>,
    /// Rows that are passed over.
    pub(super) deadly: Vec<u64>,
}

impl Deaths {
    /// Learns from how the attempt before ended. `row` is where this one goes on, `done` how many rows are done, and
    /// `is_fresh` whether a run begins there, or else goes on.
    pub(super) fn learn(&mut self, attempt: u32, has_died: bool, row: u64, done: u64, is_fresh: bool) {
        if has_died && attempt > self.attempt && self.attempt > 0 {
            self.in_vain = if done > self.done { 1 } else { self.in_vain + 1 };
            if is_fresh {
                self.narrow(row);
            }
        }
        (self.attempt, self.done) = (attempt, done);
    }

    /// The run that began at `row` has killed its worker.
    fn narrow(&mut self, row: u64) {
        match self.run_at(row) {
            Some(1) if self.in_vain >= 2 && self.deadly.len() < MOST => {
                self.deadly.push(row);
                (self.suspect_until, self.in_vain) = (None, 0);
            }
            Some(rows) => self.suspect_until = Some(row + rows),
            None if self.in_vain >= 2 => self.suspect_until = Some(row + MAX_ROWS),
            None => {}
        }
    }

    /// How many rows to try at once from `row` on, if any are suspect.
    pub(super) fn run_at(&self, row: u64) -> Option<u64> {
        let left = self.suspect_until?.checked_sub(row).filter(|left| *left > 0)?;
        Some(left.div_ceil(8))
    }

    /// Whether the next run may be read while one is written.
    pub(super) fn is_calm(&self) -> bool {
        self.in_vain < 2 && self.suspect_until.is_none()
    }

    /// Says that the rows before `row` were written.
    pub(super) fn passed(&mut self, row: u64) {
        if self.suspect_until.is_some_and(|until| until <= row) {
            (self.suspect_until, self.in_vain) = (None, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Imports so many rows with a worker that dies of some, and gives those that were passed over and the attempts.
    fn import(rows: u64, bad: &[u64]) -> (Vec<u64>, u32) {
        let (mut deaths, mut row, mut attempt, mut has_died) = (Deaths::default(), 0, 0, false);
        while row < rows {
            attempt += 1;
            assert!(attempt < 100 * (1 + bad.len() as u32), "it does not end");
            deaths.learn(attempt, has_died, row, row, true);
            has_died = false;
            while row < rows {
                let end = (row + deaths.run_at(row).unwrap_or(MAX_ROWS)).min(rows);
                has_died = bad.iter().any(|bad| (row..end).contains(bad) && !deaths.deadly.contains(bad));
                if has_died {
                    break;
                }
                row = end;
                deaths.passed(row);
            }
        }
        (deaths.deadly, attempt)
    }

    #[test]
    fn a_row_that_kills_is_found_and_the_rest_goes_on() {
        for bad in [0, 1, 77_777, 249_999, 250_000, 399_999] {
            let (deadly, attempts) = import(400_000, &[bad]);
            assert_eq!(deadly, [bad]);
            assert!(attempts <= 12, "{attempts}");
        }
        assert_eq!(import(400_000, &[5, 6, 300_000]).0, [5, 6, 300_000]);
        assert_eq!(import(1, &[0]).0, [0]);
        assert_eq!(import(400_000, &[]), (vec![], 1));
    }

    #[test]
    fn a_worker_that_is_killed_now_and_then_costs_no_row() {
        let (mut deaths, mut row) = (Deaths::default(), 0);
        for attempt in 1..200 {
            deaths.learn(attempt, attempt > 1, row, row, true);
            // It gets one run done each time.
            row += deaths.run_at(row).unwrap_or(MAX_ROWS);
            deaths.passed(row);
        }
        assert!(deaths.deadly.is_empty());
    }
}
