//! Moves SQLite's log into the file, beside the writes.
//!
//! Left to itself SQLite does it in a commit, once the log has grown enough: every so often one write, and all that
//! queue behind it, wait for tens of milliseconds. Here a thread of its own does the most of it, which holds nobody up.
//! Only a commit can begin the log anew, so SQLite still does at [`MOST_PAGES`] what is left by then, which is little.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::JoinHandle,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use rusqlite::Connection;

/// Pages of the log (of 4 KiB) at which a commit moves them by itself.
pub(crate) const MOST_PAGES: &str = "8192";

/// Between two looks at the log.
const LOOK: Duration = Duration::from_millis(100);

/// The thread, until it is stopped.
#[derive(Debug)]
pub(crate) struct Checkpoints(Mutex<Option<(Sender<()>, JoinHandle<()>)>>);

impl Checkpoints {
    /// Starts it for a file that is there already.
    pub(crate) fn start(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::ZERO)?;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let (send, stopped) = channel();
        let thread = std::thread::Builder::new().name("checkpoints".into());
        let thread = thread.spawn(move || run(&connection, &PathBuf::from(log), &stopped));
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

fn run(connection: &Connection, log: &Path, stopped: &Receiver<()>) {
    let mut seen = None;
    while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        let changed = changed(log);
        if changed == seen {
            continue;
        }
        seen = changed;
        // Busy: a commit is at it. What is left is moved next time.
        let moved = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = moved {
            tracing::debug!(%error, "the log of SQLite was not moved");
        }
    }
}

/// When something was written to the log.
fn changed(log: &Path) -> Option<SystemTime> {
    std::fs::metadata(log).and_then(|log| log.modified()).ok()
}
