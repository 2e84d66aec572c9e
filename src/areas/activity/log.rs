use std::{collections::HashMap, time::Duration};

use tokio::sync::{mpsc, oneshot};
use usher_db::Db;

use super::{store, types::Record};
use crate::{
    areas::keys,
    clock::Clock,
    error::{Error, Result},
    values::{KeyId, RequestId, Time},
};

/// Rows of one commit at most.
const MOST: usize = 512;

/// How often a key's last use is written.
const LAST_USED: Duration = Duration::from_secs(60);

/// Keys whose last use is remembered as written.
const REMEMBERED: usize = 10_000;

type Waiting = oneshot::Sender<bool>;

/// Writes rows in groups: callers hand theirs in and wait for the commit that has it.
#[derive(Clone)]
pub struct Log(mpsc::Sender<(Record, Waiting)>);

impl Log {
    /// Starts the writer.
    pub fn start(db: Db, clock: Clock) -> Self {
        let (send, mut queue) = mpsc::channel(8192);
        let mut writer = Writer { db, clock, floods: HashMap::new(), used: HashMap::new() };
        tokio::spawn(async move {
            let mut batch = Vec::new();
            // Whatever piled up while the last batch was being committed is the next one: no timer, so that a lone
            // call waits for one commit and no more.
            while queue.recv_many(&mut batch, MOST).await > 0 {
                writer.write(std::mem::take(&mut batch)).await;
            }
        });
        Self(send)
    }

    /// Returns when the row is durable.
    pub async fn write(&self, record: Record) -> Result<()> {
        let (done, wait) = oneshot::channel();
        let queued = self.0.send((record, done)).await.is_ok();
        if queued && wait.await == Ok(true) {
            return Ok(());
        }
        Err(Error::unavailable("The call could not be recorded, so it was not answered. Try again in a moment."))
    }
}

/// What refused calls share a row by: key, tool, code and second.
type Flood = (KeyId, String, String, i64);

struct Writer {
    db: Db,
    clock: Clock,
    /// The row of each flood of this second.
    floods: HashMap<Flood, RequestId>,
    /// When each key's last use was written.
    used: HashMap<KeyId, Time>,
}

impl Writer {
    async fn write(&mut self, batch: Vec<(Record, Waiting)>) {
        let (records, waiting): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let rows = self.merged(&records);
        let written = match self.commit(&rows).await {
            Ok(()) => true,
            Err(error) if rows.len() == 1 || usher_db::is_away(&error) || usher_db::is_full(&error) => {
                tracing::error!(%error, rows = rows.len(), "the activity log could not be written");
                false
            }
            Err(error) => {
                // One bad row must not lose the others theirs.
                tracing::error!(%error, rows = rows.len(), "the activity log could not be written; row by row now");
                return self.one_by_one(records, waiting).await;
            }
        };
        for done in waiting {
            _ = done.send(written);
        }
    }

    async fn one_by_one(&mut self, records: Vec<Record>, waiting: Vec<Waiting>) {
        for (record, done) in records.into_iter().zip(waiting) {
            let written = self.commit(&[(record, 1)]).await;
            if let Err(error) = &written {
                tracing::error!(%error, "a row of the activity log could not be written");
            }
            _ = done.send(written.is_ok());
        }
    }

    async fn commit(&mut self, rows: &[(Record, i64)]) -> usher_db::Result<()> {
        let now = self.clock.now();
        let mut statements = vec![store::insertion(rows.iter().map(|(record, count)| (record, *count)))];
        let stale = |key: &KeyId| self.used.get(key).is_none_or(|at| now.since(*at) >= LAST_USED);
        let mut keys: Vec<_> = rows.iter().filter_map(|(row, _)| Some((row.key.as_ref()?, row.site))).collect();
        keys.retain(|(key, _)| stale(key));
        // In order, so that two processes cannot wait for each other.
        keys.sort_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
        keys.dedup();
        statements.extend(keys.iter().map(|(key, site)| keys::store::used(*site, key, now)));
        self.db.append(statements).await?;
        if self.used.len() > REMEMBERED {
            self.used.clear();
        }
        self.used.extend(keys.into_iter().map(|(key, _)| (key.clone(), now)));
        Ok(())
    }

    /// The rows to write, with the calls that each stands for.
    fn merged(&mut self, records: &[Record]) -> Vec<(Record, i64)> {
        let mut rows: Vec<(Record, i64)> = Vec::with_capacity(records.len());
        let mut at: HashMap<RequestId, usize> = HashMap::new();
        for record in records {
            let mut record = record.clone();
            if let (true, Some(key), Some(code)) = (record.is_flood(), &record.key, &record.code) {
                let second = record.at.micros().div_euclid(1_000_000);
                self.floods.retain(|flood, _| flood.3 >= second - 1);
                // Names of tools that do not exist can be made up for ever.
                let tool = if code == "unknown_tool" { String::new() } else { record.tool.clone() };
                let flood = (key.clone(), tool, code.clone(), second);
                record.id = self.floods.entry(flood).or_insert_with(|| record.id.clone()).clone();
                if let Some(row) = at.get(&record.id) {
                    rows[*row].1 += 1;
                    continue;
                }
                at.insert(record.id.clone(), rows.len());
            }
            rows.push((record, 1));
        }
        rows
    }
}
