//! What can go wrong in a call, told apart by what has happened at Stripe.

use std::fmt;
use std::time::Duration;

use crate::kind::{Kind, kind_of};

/// Why a call gave no answer. Neither its `Display` nor its `Debug` shows a key or anything of a customer's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was sent, and would not be if it were tried again.
    #[error("the request was not sent: {0}")]
    NotSent(#[from] NotSent),
    /// No answer came. Whether a write has happened is not known.
    #[error("no answer came from Stripe: {fault}")]
    Unknown {
        /// How far it got.
        fault: Fault,
        /// What the transport said.
        #[source]
        source: reqwest::Error,
    },
    /// Stripe did it (2xx), and the answer cannot be read.
    #[error("Stripe's answer {status} cannot be read: {why}")]
    Undecodable {
        /// The status, 2xx.
        status: u16,
        /// Stripe's name for the request.
        request_id: Option<String>,
        /// Where in the answer, and what is wrong there; never what it says.
        why: String,
    },
    /// Stripe, or something before it, answered with an error.
    #[error("{0}")]
    Api(Box<ApiError>),
}

impl Error {
    /// What to do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotSent(_) => Kind::Refused,
            Self::Unknown { .. } => Kind::Retry { after: None },
            Self::Undecodable { .. } => Kind::LookUpFirst,
            Self::Api(error) => kind_of(error),
        }
    }

    /// Stripe's name for the request, which its support and its dashboard know.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::NotSent(_) | Self::Unknown { .. } => None,
            Self::Undecodable { request_id, .. } => request_id.as_deref(),
            Self::Api(error) => error.request_id.as_deref(),
        }
    }

    /// What Stripe's answer says, where it is an error of Stripe's.
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }
}

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    /// The address is no `https` address, or is `http` with a live key.
    #[error("the address of Stripe must be https, or http with a test key")]
    Base,
    /// An id in the path is empty or only dots.
    #[error("an id in its path is empty")]
    Path,
    /// The idempotency key is empty, too long, or not plain text.
    #[error("the idempotency key must have 1 to 255 visible ASCII characters")]
    IdempotencyKey,
    /// A header cannot be written.
    #[error("a header has characters that no header may have")]
    Header,
    /// It writes, and was given to [`crate::Client::read`].
    #[error("it writes, which needs an idempotency key")]
    NotARead,
    /// A list has more pages than the caller allows.
    #[error("the list has more than {max_pages} pages")]
    TooManyPages {
        /// How many were allowed.
        max_pages: u32,
    },
    /// No connection can be made at all.
    #[error("no connections can be made on this machine")]
    Http {
        /// What the transport said.
        #[source]
        source: reqwest::Error,
    },
}

/// How far a call got to which no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No connection was made.
    Connect,
    /// The time was over.
    Timeout,
    /// The connection broke.
    Broken,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection could be made",
            Self::Timeout => "it took too long",
            Self::Broken => "the connection broke",
        })
    }
}

impl Error {
    pub(crate) fn unknown(source: reqwest::Error) -> Self {
        if source.is_builder() {
            return NotSent::Header.into();
        }
        let fault = match &source {
            source if source.is_connect() => Fault::Connect,
            source if source.is_timeout() => Fault::Timeout,
            _ => Fault::Broken,
        };
        Self::Unknown { fault, source: source.without_url() }
    }
}

/// An answer other than 2xx.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// Whether the body was an error in Stripe's words. If not, something between here and there answered.
    pub is_stripes: bool,
    /// Such as `invalid_request_error`, `card_error`, `idempotency_error`, `api_error`.
    pub kind: Option<String>,
    /// Such as `resource_missing`.
    pub code: Option<String>,
    /// Why a card was declined, such as `insufficient_funds`.
    pub decline_code: Option<String>,
    /// What Stripe says, in English. It may name a customer's address, so it is in no `Display` and no `Debug`.
    pub message: Option<String>,
    /// The parameter that it is about.
    pub param: Option<String>,
    /// Stripe's name for the request.
    pub request_id: Option<String>,
    /// What `Stripe-Should-Retry` says.
    pub should_retry: Option<bool>,
    /// What `Retry-After` says, where it says seconds.
    pub retry_after: Option<Duration>,
    /// What `Stripe-Rate-Limited-Reason` says, such as `global-rate` or `resource-specific`.
    pub rate_limited_reason: Option<String>,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stripe answered {}", self.status)?;
        if !self.is_stripes {
            f.write_str(" with something that is not Stripe's")?;
        }
        let words = [&self.kind, &self.code, &self.decline_code, &self.param, &self.rate_limited_reason];
        for word in words.into_iter().flatten() {
            write!(f, ", {word}")?;
        }
        match &self.request_id {
            Some(id) => write!(f, " ({id})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiError({self})")
    }
}
