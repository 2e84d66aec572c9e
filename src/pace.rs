//! How much to write at once, so that others get their turn.

use std::time::Duration;

use usher_db::{Db, Engine};

use crate::values::Time;

/// Rows of one transaction on PostgreSQL, where others need not wait for it but for the disk.
const ROWS: usize = 500;

/// Rows of one transaction on SQLite, which has one writer: so few that a call which waits for its turn does not notice.
const FEW_ROWS: usize = 60;

/// The same while nobody waits.
const MORE_ROWS: usize = 250;

/// Writes of others within [`WINDOW`] from which on somebody waits. Each call is one, as it is recorded: somebody who
/// follows the job makes up to some 50 a second, and is not worth writing less at once for.
const OTHERS: u64 = 50;

const WINDOW: Duration = Duration::from_secs(1);

/// The pace of a job that writes many rows, in one transaction after the other.
pub struct Pace {
    since: Time,
    /// Turns at the writer by then, and the job's own since.
    turns: u64,
    own: u64,
    is_crowded: bool,
    /// Rows of one transaction while nobody waits, if not [`MORE_ROWS`], and on PostgreSQL [`ROWS`].
    calm_rows: Option<usize>,
}

impl Pace {
    /// At first somebody may wait.
    pub fn new(db: &Db) -> Self {
        Self { since: Time::from_micros(0), turns: db.turns(), own: 0, is_crowded: true, calm_rows: None }
    }

    /// Writes so many rows at once while nobody waits.
    pub fn with_calm_rows(self, rows: Option<usize>) -> Self {
        Self { calm_rows: rows, ..self }
    }

    /// How many rows the next transaction may write.
    pub fn rows(&mut self, db: &Db, now: Time) -> usize {
        if db.engine() == Engine::Postgres {
            return self.calm_rows.unwrap_or(ROWS);
        }
        let turns = db.turns();
        self.is_crowded |= turns.saturating_sub(self.turns + self.own) >= OTHERS;
        if now.since(self.since) >= WINDOW {
            self.is_crowded = turns.saturating_sub(self.turns + self.own) >= OTHERS;
            (self.since, self.turns, self.own) = (now, turns, 0);
        }
        self.own += 1;
        if self.is_crowded { FEW_ROWS } else { self.calm_rows.unwrap_or(MORE_ROWS) }
    }
}

#[cfg(test)]
mod tests {
    use usher_db::{Options, Synchronous};

    use super::*;

    #[tokio::test]
    async fn it_writes_less_at_once_while_others_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("usher.db");
        let db = Db::open(&Options::Sqlite { path, synchronous: Synchronous::Normal, readers: 1 }).await.unwrap();
        let mut now = Time::from_micros(1_000_000_000);
        let mut pace = Pace::new(&db);
        let mut round = async |others: u64| {
            now = now + WINDOW;
            let mut rows = pace.rows(&db, now);
            for _ in 0..others + 1 {
                db.begin().await.unwrap().rollback().await.unwrap();
            }
            now = now + WINDOW;
            rows = rows.min(pace.rows(&db, now));
            db.begin().await.unwrap().rollback().await.unwrap();
            rows
        };
        round(0).await;
        assert_eq!(round(0).await, MORE_ROWS);
        assert_eq!(round(OTHERS - 1).await, MORE_ROWS);
        assert_eq!(round(OTHERS).await, FEW_ROWS);
        assert_eq!(round(0).await, MORE_ROWS);
        db.close().await;
    }
}
