//! What a member has at Stripe that could still cost it something.

use usher_db::{Conn, Result, sql};

use crate::values::{MemberId, SiteId, Time};

/// Stripe's ids.
#[derive(Debug, Default)]
pub struct AtStripe {
    /// Subscriptions that have not ended.
    pub subscriptions: Vec<String>,
    /// Checkouts that are open.
    pub sessions: Vec<String>,
    /// Customers.
    pub customers: Vec<String>,
}

impl AtStripe {
    /// Whether something is known that must be ended or closed.
    pub fn lives(&self) -> bool {
        !self.subscriptions.is_empty() || !self.sessions.is_empty()
    }
}

/// What a member has at Stripe, as far as is known here.
pub async fn at_stripe(conn: Conn<'_>, site: SiteId, member: &MemberId, now: Time) -> Result<AtStripe> {
    let rows: Vec<(String, String)> = sql!(
        "SELECT 'subscription', external_id FROM subscription
         WHERE site = $1 AND member_id = $2 AND external_id IS NOT NULL AND external_id NOT LIKE 'cs!_%' ESCAPE '!'
           AND status NOT IN ('canceled', 'incomplete_expired')
         UNION ALL SELECT 'session', session_id FROM checkout
         WHERE site = $1 AND member_id = $2 AND session_id IS NOT NULL AND status IN ('making', 'open')
           AND (expires_at IS NULL OR expires_at > $3)
         UNION ALL SELECT 'customer', id FROM stripe_customer WHERE site = $1 AND member_id = $2"
    )
    .bind(site)
    .bind(member)
    .bind(now)
    .all(conn)
    .await?;
    let mut all = AtStripe::default();
    for (kind, id) in rows {
        match kind.as_str() {
            "subscription" => all.subscriptions.push(id),
            "session" => all.sessions.push(id),
            _ => all.customers.push(id),
        }
    }
    Ok(all)
}
