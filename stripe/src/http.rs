//! The one pool of connections.

use std::time::Duration;

use crate::error::NotSent;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection is kept for the next call. Stripe's side closes them after about a minute.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The most idle connections kept to one address.
const MAX_IDLE: usize = 16;

/// Connections that all clients of a process share. A clone is the same pool.
#[derive(Clone, Debug)]
pub struct Http(pub(crate) reqwest::Client);

impl Http {
    /// Makes a pool which follows no redirect and repeats nothing. It goes through the proxy that `HTTPS_PROXY` names, if
    /// any, as other programs do.
    ///
    /// Fails where the machine's certificates cannot be read.
    pub fn new() -> Result<Self, NotSent> {
        _ = rustls::crypto::ring::default_provider().install_default(); // there may be one already
        let builder = reqwest::Client::builder()
            .user_agent(concat!("usher/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none()) // else the key would go wherever an answer says
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE);
        builder.build().map(Self).map_err(|source| NotSent::Http { source: source.without_url() })
    }
}
