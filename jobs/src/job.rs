use std::{error::Error, fmt, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// One kind of work. The value is the payload: ids, numbers and a cursor, readable for ever.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name in the database; stable for ever.
    const KIND: &'static str;
    /// Where it queues.
    const QUEUE: Queue;
    /// After so many attempts that failed or crashed, it failed for good.
    const MAX_ATTEMPTS: u32 = 8;
    /// How long one attempt may take.
    const TIMEOUT: Duration = Duration::from_secs(5 * 60);

    /// What its progress says before it begins: the counts, at zero.
    fn progress(&self) -> Value {
        json!({})
    }
}

/// Where jobs queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Short jobs that somebody may be waiting for.
    Fast,
    /// Long ones, few at a time.
    Bulk,
    /// Those that speak to a mail server, which may keep them waiting for minutes.
    Mail,
}

impl Queue {
    pub(crate) const ALL: [Self; 3] = [Self::Fast, Self::Bulk, Self::Mail];

    /// Its name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Bulk => "bulk",
            Self::Mail => "mail",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.as_str() == name)
    }
}

/// Why an attempt did not end well, and what is to happen now.
///
/// `message` is shown to whoever may see the job; `source` goes to the log only.
#[derive(Debug)]
pub enum Fail {
    /// Try again, with growing waits, as long as attempts are left.
    Retry {
        /// From the list of error codes.
        code: &'static str,
        /// What went wrong, for people.
        message: String,
        /// What caused it, for the log.
        source: Option<Source>,
    },
    /// Try again after a wait that somebody asked for (429).
    After {
        /// The wait.
        delay: Duration,
        /// From the list of error codes.
        code: &'static str,
        /// What went wrong, for people.
        message: String,
        /// What caused it, for the log.
        source: Option<Source>,
    },
    /// Trying again would not help.
    Fatal {
        /// From the list of error codes.
        code: &'static str,
        /// What went wrong, for people.
        message: String,
    },
    /// [`Run::stopping`](crate::Run::stopping) was true: goes on elsewhere, and no attempt is counted.
    Stopping,
    /// Somebody else has the job by now; this run has no say any more.
    Fenced,
    /// It was asked to stop.
    Cancelled,
}

type Source = Box<dyn Error + Send + Sync>;

impl Fail {
    /// Try again, with growing waits.
    pub fn retry(code: &'static str, message: impl Into<String>) -> Self {
        Self::Retry { code, message: message.into(), source: None }
    }

    /// Try again after `delay`.
    pub fn after(delay: Duration, code: &'static str, message: impl Into<String>) -> Self {
        Self::After { delay, code, message: message.into(), source: None }
    }

    /// Never try again.
    pub fn fatal(code: &'static str, message: impl Into<String>) -> Self {
        Self::Fatal { code, message: message.into() }
    }

    /// The same, with what caused it for the log.
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        if let Self::Retry { source, .. } | Self::After { source, .. } = &mut self {
            *source = Some(cause.into());
        }
        self
    }
}

impl From<usher_db::Error> for Fail {
    fn from(error: usher_db::Error) -> Self {
        Self::retry("unavailable", "The database did not take the change. Usher will try again.").because(error)
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry { code, message, .. } | Self::After { code, message, .. } | Self::Fatal { code, message } => {
                write!(f, "{code}: {message}")
            }
            Self::Stopping => f.write_str("stopping"),
            Self::Fenced => f.write_str("somebody else has the job"),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

impl Error for Fail {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Retry { source, .. } | Self::After { source, .. } => source.as_deref().map(|source| source as _),
            _ => None,
        }
    }
}
