//! Work that takes the processor for long, off the threads that serve: a thread of its own that yields to everything else for
//! what takes seconds, one of a few places for what a call waits for.

use std::{io, thread};

use tokio::{
    sync::{Semaphore, SemaphorePermit, oneshot},
    task::{JoinError, spawn_blocking},
};

/// Places for work that a call waits for; whoever comes later waits for one in the order of coming.
static PLACES: Semaphore = Semaphore::const_new(2);

/// One of a few places for work that takes the processor for more than a millisecond. It is free again once it is dropped and
/// its work is done; what the work makes need not be kept without it.
#[derive(Debug)]
pub struct Place {
    _permit: Option<SemaphorePermit<'static>>,
}

impl Place {
    /// Waits for one.
    pub async fn take() -> Self {
        Self { _permit: PLACES.acquire().await.ok() } // It is never closed.
    }

    /// Does `work` there. An error if it panicked.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Self), JoinError> {
        // The place goes along, and is held until the work is done, whether anybody still waits for it or not.
        spawn_blocking(move || (work(), self)).await
    }
}

/// How much less the thread's work is worth than a call's: nice(2), from 0 to 19.
#[cfg(target_os = "linux")]
const NICE: i32 = 1;

/// What the work gives; an error if it panicked.
pub type Working<T> = oneshot::Receiver<T>;

/// Begins `work`, which blocks.
pub fn begin<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<Working<T>> {
    let (send, receive) = oneshot::channel();
    thread::Builder::new().name("background".into()).spawn(move || {
        yield_to_calls();
        // Nobody may want it any more.
        _ = send.send(work());
    })?;
    Ok(receive)
}

fn yield_to_calls() {
    // Elsewhere than on Linux this would be the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "a thread keeps its priority");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_gives_its_result_and_a_panic_an_error() {
        assert_eq!(begin(|| 7).unwrap().await, Ok(7));
        assert!(begin(|| -> i32 { panic!("as the test wants it") }).unwrap().await.is_err());
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn only_the_thread_of_the_work_yields() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        assert_eq!(begin(nice).unwrap().await, Ok(NICE));
        assert_eq!(nice(), before);
    }
}
