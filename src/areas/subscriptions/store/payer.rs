//! Who pays at Stripe for a member.

use usher_db::{Conn, Result, sql};

use crate::values::{MemberId, SiteId};

/// Stripe's id of the customer with a member's newest live subscription at Stripe; else of the member's newest customer.
pub async fn payer(conn: Conn<'_>, site: SiteId, member: &MemberId) -> Result<Option<String>> {
    let row: Option<(String,)> = sql!(
        "SELECT c.id FROM stripe_customer c
         LEFT JOIN subscription s ON s.site = c.site AND s.member_id = c.member_id AND s.customer_id = c.id
             AND s.status IN ('active', 'trialing', 'past_due', 'paused', 'unpaid')
             AND s.external_id LIKE 'sub%'
         WHERE c.site = $1 AND c.member_id = $2
         ORDER BY CASE WHEN s.id IS NULL THEN 1 ELSE 0 END, s.created_at DESC, c.created_at DESC, c.id DESC LIMIT 1"
    )
    .bind(site)
    .bind(member)
    .optional(conn)
    .await?;
    Ok(row.map(|(id,)| id))
}
