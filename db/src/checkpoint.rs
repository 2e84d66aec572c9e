//! Moves SQLite's log into the file, beside the writes.
//!
//! Left to itself SQLite does it in a commit, once the log has grown enough: every so often one write, and all that
//! queue behind it, wait for tens of milliseconds. Here a thread of its own does the most of it, which holds nobody up.
//! A log in which nothing is left is begun anew by the next write. So once it is [`LONG`], the thread takes a turn at
//! the writer for the last few pages. Should it not come to that, a commit still does it at [`MOST_PAGES`].

use std::{
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::JoinHandle,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::runtime::Handle;

use crate::group::Writer;

/// Pages of the log (of 4 KiB) at which a commit moves them by itself.
pub(crate) const MOST_PAGES: &str = "16384";

/// Pages of the log from which on it is to begin anew.
const LONG: i64 = 4096;

/// Pages that are few enough to move while every write waits.
const FEW: i64 = 128;

/// Passes in a row that try to leave no more than that.
const PASSES: usize = 4;

/// Between two looks at a log that rests.
const LOOK: Duration = Duration::from_millis(100);

/// Between two looks at one that grows: often, as a commit waits for what the disk still has to write of a pass.
const QUICK_LOOK: Duration = Duration::from_millis(10);

/// The thread, until it is stopped.
#[derive(Debug)]
pub(crate) struct Checkpoints(Mutex<Option<(Sender<()>, JoinHandle<()>)>>);

impl Checkpoints {
    /// Starts it for a file that is there already.
    pub(crate) fn start(path: &Path, writer: Writer) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::ZERO)?;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let (send, stopped) = channel();
        let log = Log { connection, path: log.into(), writer, runtime: Handle::current() };
        let thread = std::thread::Builder::new().name("checkpoints".into());
        let thread = thread.spawn(move || {
            log.keep_short(&stopped);
            // Whoever drops the writer last gives its connection back, for which sqlx wants to be on the runtime.
            let runtime = log.runtime.clone();
            let _on = runtime.enter();
            drop(log);
        });
        let thread = thread.map_err(|_| rusqlite::Error::InvalidQuery)?;
        Ok(Self(Mutex::new(Some((send, thread)))))
    }

    /// Stops it and waits for its end, so that nobody has the file open any more.
    pub(crate) fn stop(&self) {
        let Some((stop, thread)) = self.0.lock().take() else { return };
        drop(stop);
        if thread.join().is_err() {
            tracing::error!("the thread of the checkpoints panicked");
        }
    }
}

/// The log of a database.
struct Log {
    connection: Connection,
    path: PathBuf,
    writer: Writer,
    runtime: Handle,
}

/// What a pass met.
struct Pass {
    /// Pages in the log.
    pages: i64,
    /// Those that are not in the file yet.
    left: i64,
}

impl Log {
    fn keep_short(&self, stopped: &Receiver<()>) {
        let (mut seen, mut look) = (None, LOOK);
        while stopped.recv_timeout(look) == Err(RecvTimeoutError::Timeout) {
            let changed = self.changed();
            if changed == seen {
                look = LOOK;
                continue;
            }
            (seen, look) = (changed, QUICK_LOOK);
            if let Err(error) = self.shorten() {
                tracing::debug!(%error, "the log of SQLite was not moved");
            }
        }
    }

    /// When something was written to it.
    fn changed(&self) -> Option<SystemTime> {
        std::fs::metadata(&self.path).and_then(|log| log.modified()).ok()
    }

    fn shorten(&self) -> rusqlite::Result<()> {
        let mut pass = self.pass()?;
        if pass.pages < LONG {
            return Ok(());
        }
        for _ in 0..PASSES {
            let before = pass.pages;
            pass = self.pass()?;
            if pass.pages - before + pass.left < FEW {
                break;
            }
        }
        let turn = self.runtime.block_on(self.writer.alone());
        self.pass()?;
        drop(turn);
        Ok(())
    }

    /// Moves what is in the log now. Another that is at it is not waited for.
    fn pass(&self) -> rusqlite::Result<Pass> {
        self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
            let (pages, moved): (i64, i64) = (row.get(1)?, row.get(2)?);
            Ok(Pass { pages, left: pages - moved })
        })
    }
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_last_to_hold_the_writer_gives_its_connection_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("usher.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        let writer = Writer::new(pool);
        writer.leave_open().await.unwrap();
        let checkpoints = Checkpoints::start(&path, writer).unwrap();
        let (stop, thread) = checkpoints.0.lock().take().unwrap();
        drop(stop);
        let ended = tokio::task::spawn_blocking(move || thread.join()).await.unwrap();
        assert!(ended.is_ok(), "it panicked");
    }
}
