use usher_db::{Conn, Result, sql};

use crate::{
    areas::members::MemberStatus,
    areas::subscriptions::live_statuses,
    values::{MemberId, SiteId, Time},
};

/// The subscriptions of a member that are live, with their ids at Stripe.
pub async fn live_subscriptions(
    conn: Conn<'_>,
    site: SiteId,
    member: &MemberId,
) -> Result<Vec<(String, Option<String>)>> {
    sql!(concat!(
        "SELECT id, external_id FROM subscription WHERE site = $1 AND member_id = $2 AND status IN ",
        live_statuses!(),
        " ORDER BY id"
    ))
    .bind(site)
    .bind(member)
    .all(conn)
    .await
}

/// Cancels a member's live subscriptions that are paid elsewhere, or were paid once.
pub async fn cancel_external(conn: Conn<'_>, site: SiteId, member: &MemberId, now: Time) -> Result<u64> {
    sql!(concat!(
        "UPDATE subscription SET status = 'canceled', updated_at = $3 WHERE site = $1 AND member_id = $2
           AND (external_id IS NULL OR external_id LIKE 'cs!_%' ESCAPE '!') AND status IN ",
        live_statuses!()
    ))
    .bind(site)
    .bind(member)
    .bind(now)
    .run(conn)
    .await
}

/// Notes that no subscription of a member pays any more.
pub async fn unpay(conn: Conn<'_>, site: SiteId, member: &MemberId, status: MemberStatus) -> Result<u64> {
    sql!("UPDATE member SET is_paid = FALSE, status = $3 WHERE site = $1 AND id = $2")
        .bind(site)
        .bind(member)
        .bind(status.as_str())
        .run(conn)
        .await
}
