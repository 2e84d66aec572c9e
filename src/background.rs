//! Work that takes the processor for long, on a thread of its own that yields to everything else.

use std::{io, thread};

use tokio::sync::oneshot;

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
