//! Whether a call may start something that writes at Stripe.

use super::{
    connection::{Connection, not_connected},
    store,
};
use crate::{
    error::{Code, Error, Result},
    gate::Cx,
};

/// What a job that waits for a better key says.
pub const PARKED: &str = "The site's Stripe key may not do this. It goes on by itself once the site's operator has given \
                          the key what `usher stripe check` lists, or has given another with `usher stripe connect`.";

/// Refuses a call while Stripe writes are off.
pub fn locked() -> Error {
    let text = "Stripe writes are switched off for this site, so nothing is sold, cancelled or changed at Stripe. Its \
                operator switches them on with `usher sites update --stripe-writes on`.";
    Error::new(Code::StripeWritesLocked, text)
}

/// The connection of a site that may write; else why it may not. A parked one takes jobs, which wait.
pub async fn ready(cx: &mut Cx) -> Result<Connection> {
    let (site, is_on) = (cx.site(), cx.caller.site.settings.stripe_writes);
    let connection = store::connection(cx.conn(), site).await?.ok_or_else(not_connected)?;
    if is_on { Ok(connection) } else { Err(locked()) }
}

/// Whether a site may write at Stripe.
pub async fn is_ready(cx: &mut Cx) -> Result<bool> {
    match ready(cx).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.code(), Code::StripeNotConnected | Code::StripeWritesLocked) => Ok(false),
        Err(error) => Err(error),
    }
}
