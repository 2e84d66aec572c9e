//! The SQL of who pays, of checkouts, and of subscriptions that nobody is known for.

use usher_db::{Conn, Result, sql, sql_both};

use crate::{
    areas::billing::store::Dirty,
    values::{JobId, MemberId, PlanId, SiteId, SubscriptionId, Time},
};

/// Whose a customer of Stripe's is.
pub async fn member_of_customer(conn: Conn<'_>, site: SiteId, customer: &str) -> Result<Option<MemberId>> {
    let row: Option<(MemberId,)> = sql!("SELECT member_id FROM stripe_customer WHERE site = $1 AND id = $2")
        .bind(site)
        .bind(customer)
        .optional(conn)
        .await?;
    Ok(row.map(|(id,)| id))
}

/// Notes whose a customer is, unless that is known.
pub async fn link(conn: Conn<'_>, site: SiteId, customer: &str, member: &MemberId, now: Time) -> Result<u64> {
    sql!(
        "INSERT INTO stripe_customer (site, id, member_id, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (site, id) DO NOTHING"
    )
    .bind(site)
    .bind(customer)
    .bind(member)
    .bind(now)
    .run(conn)
    .await
}

/// Whose something is that names nobody itself, if that was said.
pub async fn claimant(conn: Conn<'_>, site: SiteId, external: &str) -> Result<Option<MemberId>> {
    let row: Option<(MemberId,)> = sql!(
        "SELECT c.member_id FROM stripe_claim c JOIN member m ON m.site = c.site AND m.id = c.member_id
         WHERE c.site = $1 AND c.external_id = $2 AND m.deleting_since IS NULL"
    )
    .bind(site)
    .bind(external)
    .optional(conn)
    .await?;
    Ok(row.map(|(id,)| id))
}

/// Notes whose a subscription is, or what was sold once, that names nobody itself; not where that was said before.
pub async fn claim(conn: Conn<'_>, site: SiteId, external: &str, member: &MemberId, now: Time) -> Result<u64> {
    sql!(
        "INSERT INTO stripe_claim (site, external_id, member_id, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (site, external_id) DO NOTHING"
    )
    .bind(site)
    .bind(external)
    .bind(member)
    .bind(now)
    .run(conn)
    .await
}

/// The customer of a stray, if it has one; `None` if there is no such stray.
pub async fn stray_customer(conn: Conn<'_>, site: SiteId, id: &str) -> Result<Option<Option<String>>> {
    let row: Option<(Option<String>,)> = sql!("SELECT customer_id FROM stripe_stray WHERE site = $1 AND id = $2")
        .bind(site)
        .bind(id)
        .optional(conn)
        .await?;
    Ok(row.map(|(customer,)| customer))
}

/// A dispute, as it is kept.
pub struct DisputeRow<'a> {
    /// As Stripe says it.
    pub dispute: &'a usher_stripe::views::Dispute,
    /// How it stands.
    pub status: &'a str,
    /// Stripe's id of the invoice that was paid.
    pub invoice: Option<&'a str>,
    /// Stripe's id of the subscription, or of the checkout of what was paid once.
    pub paid_for: Option<&'a str>,
}

/// How a dispute stood when it was read last, and Stripe's id of what was paid, if that was known.
pub async fn dispute(conn: Conn<'_>, site: SiteId, id: &str) -> Result<Option<(String, Option<String>)>> {
    sql!("SELECT status, paid_for FROM stripe_dispute WHERE site = $1 AND id = $2")
        .bind(site)
        .bind(id)
        .optional(conn)
        .await
}

/// Notes of which subscription an invoice is that was disputed before that was known; gives how many disputes.
pub async fn disputed_of(conn: Conn<'_>, site: SiteId, invoice: &str, subscription: &str) -> Result<u64> {
    sql!("UPDATE stripe_dispute SET paid_for = $3 WHERE site = $1 AND invoice = $2 AND paid_for IS NULL")
        .bind(site)
        .bind(invoice)
        .bind(subscription)
        .run(conn)
        .await
}

/// Writes how a dispute stands.
pub async fn write_dispute(conn: Conn<'_>, site: SiteId, row: &DisputeRow<'_>, at: Time) -> Result<u64> {
    sql!(
        "INSERT INTO stripe_dispute (site, id, status, amount, currency, reason, invoice, paid_for, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (site, id) DO UPDATE SET status = excluded.status, amount = excluded.amount,
             invoice = COALESCE(excluded.invoice, stripe_dispute.invoice),
             paid_for = COALESCE(excluded.paid_for, stripe_dispute.paid_for)"
    )
    .bind(site)
    .bind(row.dispute.id.as_str())
    .bind(row.status)
    .bind(row.dispute.amount)
    .bind(row.dispute.currency.as_deref().unwrap_or_default())
    .bind(row.dispute.reason.as_deref())
    .bind(row.invoice)
    .bind(row.paid_for)
    .bind(at)
    .run(conn)
    .await
}

/// How much of invoices was lost in disputes, by Stripe's ids.
pub async fn lost(conn: Conn<'_>, site: SiteId, invoices: Vec<String>) -> Result<Vec<(String, i64)>> {
    sql_both!(
        sqlite: "SELECT invoice, amount FROM stripe_dispute
                 WHERE site = $1 AND status = 'lost' AND invoice IN (SELECT value FROM json_each($2))",
        postgres: "SELECT invoice, amount FROM stripe_dispute
                   WHERE site = $1 AND status = 'lost' AND invoice = ANY($2)",
    )
    .bind(site)
    .bind(invoices.into_iter().map(Some).collect::<Vec<_>>())
    .all(conn)
    .await
}

/// Notes with which address a customer pays, if it is known whose it is.
pub async fn pays_as(conn: Conn<'_>, site: SiteId, customer: &str, email_key: &str) -> Result<u64> {
    sql!("UPDATE stripe_customer SET email_key = $3 WHERE site = $1 AND id = $2 AND email_ticket IS NULL")
        .bind(site)
        .bind(customer)
        .bind(email_key)
        .run(conn)
        .await
}

/// With which address a customer pays, as far as that is known; as of members.
pub async fn address_of(conn: Conn<'_>, site: SiteId, customer: &str) -> Result<Option<String>> {
    let row: Option<(Option<String>,)> = sql!("SELECT email_key FROM stripe_customer WHERE site = $1 AND id = $2")
        .bind(site)
        .bind(customer)
        .optional(conn)
        .await?;
    Ok(row.and_then(|(key,)| key))
}

/// Notes which address a customer has, unless that was read with a later ticket. From then on what invoices say of it does
/// not count: they have the address of their day.
pub async fn customer_address(
    conn: Conn<'_>,
    site: SiteId,
    customer: &str,
    email_key: Option<&str>,
    ticket: i64,
) -> Result<u64> {
    sql!(
        "UPDATE stripe_customer SET email_key = $3, email_ticket = $4
         WHERE site = $1 AND id = $2 AND (email_ticket IS NULL OR email_ticket <= $4)"
    )
    .bind(site)
    .bind(customer)
    .bind(email_key)
    .bind(ticket)
    .run(conn)
    .await
}

/// Whether a member is there and stays; held until the transaction ends.
pub async fn hold_member(conn: Conn<'_>, site: SiteId, member: &MemberId) -> Result<bool> {
    let row: Option<(bool,)> = sql_both!(
        sqlite: "SELECT deleting_since IS NULL FROM member WHERE site = $1 AND id = $2",
        postgres: "SELECT deleting_since IS NULL FROM member WHERE site = $1 AND id = $2 FOR UPDATE",
    )
    .bind(site)
    .bind(member)
    .optional(conn)
    .await?;
    Ok(row.is_some_and(|(stays,)| stays))
}

/// A subscription of which nobody knows the member.
pub struct Stray<'a> {
    /// Stripe's id.
    pub id: &'a str,
    /// Who pays.
    pub customer: Option<&'a str>,
    /// With which address, as of members; empty if there is none.
    pub email_key: &'a str,
    /// How it stands.
    pub status: &'a str,
    /// What for.
    pub price: Option<&'a str>,
}

/// Notes a subscription of which nobody knows the member.
pub async fn stray(conn: Conn<'_>, site: SiteId, one: &Stray<'_>, now: Time) -> Result<u64> {
    sql!(
        "INSERT INTO stripe_stray (site, id, customer_id, email_key, status, price_id, seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (site, id) DO UPDATE SET customer_id = excluded.customer_id, email_key = excluded.email_key,
             status = excluded.status, price_id = excluded.price_id, seen_at = excluded.seen_at"
    )
    .bind(site)
    .bind(one.id)
    .bind(one.customer)
    .bind(one.email_key)
    .bind(one.status)
    .bind(one.price)
    .bind(now)
    .run(conn)
    .await
}

/// Subscriptions that are paid with an address, of which nobody knows the member: Stripe's id, its customer and how it
/// stands; those that let in first.
pub async fn strays_of(conn: Conn<'_>, site: SiteId, email_key: &str) -> Result<Vec<(String, Option<String>, String)>> {
    sql!(
        "SELECT id, customer_id, status FROM stripe_stray WHERE site = $1 AND email_key = $2
         ORDER BY CASE WHEN status IN ('active', 'trialing') THEN 0 ELSE 1 END, id LIMIT 20"
    )
    .bind(site)
    .bind(email_key)
    .all(conn)
    .await
}

/// Forgets an address of those.
pub async fn forget_address(conn: Conn<'_>, site: SiteId, email_key: &str) -> Result<u64> {
    sql!("UPDATE stripe_stray SET email_key = '' WHERE site = $1 AND email_key = $2")
        .bind(site)
        .bind(email_key)
        .run(conn)
        .await
}

/// The member of a subscription is known.
pub async fn no_stray(conn: Conn<'_>, site: SiteId, id: &str) -> Result<u64> {
    sql!("DELETE FROM stripe_stray WHERE site = $1 AND id = $2").bind(site).bind(id).run(conn).await
}

/// A checkout by its id at Stripe: its own, whose, of what, and how it stands.
pub async fn checkout(
    conn: Conn<'_>,
    site: SiteId,
    session: &str,
) -> Result<Option<(JobId, MemberId, PlanId, String)>> {
    sql!(
        "SELECT id, member_id, plan_id, status FROM checkout
         WHERE site = $1 AND session_id IS NOT NULL AND session_id = $2"
    )
    .bind(site)
    .bind(session)
    .optional(conn)
    .await
}

/// Writes how a checkout stands; its page is there only while it is open.
pub async fn set_checkout(conn: Conn<'_>, site: SiteId, id: &JobId, status: &str, now: Time) -> Result<u64> {
    sql!(
        "UPDATE checkout SET status = $3, url = CASE WHEN $3 = 'open' THEN url END, updated_at = $4
         WHERE site = $1 AND id = $2"
    )
    .bind(site)
    .bind(id)
    .bind(status)
    .bind(now)
    .run(conn)
    .await
}

/// What was marked of one thing.
pub async fn marked(conn: Conn<'_>, site: SiteId, kind: &str, object: &str) -> Result<Option<Dirty>> {
    sql!(
        "SELECT kind, object_id, marks, source, event_id, event_type, tries FROM stripe_dirty
         WHERE site = $1 AND kind = $2 AND object_id = $3"
    )
    .bind(site)
    .bind(kind)
    .bind(object)
    .optional(conn)
    .await
}

/// Notes when all that was paid once and for all was given back, unless that was read with a later ticket.
pub async fn refund_once(
    conn: Conn<'_>,
    site: SiteId,
    subscription: &SubscriptionId,
    at: Option<Time>,
    now: Time,
    ticket: i64,
) -> Result<u64> {
    sql!(
        "UPDATE subscription SET refunded_at = $3, refunded_until = NULL, updated_at = $4, ticket = $5
         WHERE site = $1 AND id = $2 AND ticket <= $5"
    )
    .bind(site)
    .bind(subscription)
    .bind(at)
    .bind(now)
    .bind(ticket)
    .run(conn)
    .await
}

/// The keys of addresses that may be others by now: those with a quote or with letters that are not ASCII.
pub async fn odd_keys(conn: Conn<'_>, site: SiteId) -> Result<Vec<(String,)>> {
    sql!(
        "SELECT email_key FROM stripe_customer WHERE site = $1 AND email_key IS NOT NULL
           AND (email_key LIKE '%\"%' OR octet_length(email_key) <> length(email_key))
         UNION SELECT email_key FROM stripe_stray WHERE site = $1 AND email_key IS NOT NULL
           AND (email_key LIKE '%\"%' OR octet_length(email_key) <> length(email_key))"
    )
    .bind(site)
    .all(conn)
    .await
}

/// Puts another key in the place of one of customers' addresses.
pub async fn rekey_customers(conn: Conn<'_>, site: SiteId, old: &str, new: &str) -> Result<u64> {
    sql!("UPDATE stripe_customer SET email_key = $3 WHERE site = $1 AND email_key = $2")
        .bind(site)
        .bind(old)
        .bind(new)
        .run(conn)
        .await
}

/// The same of strays.
pub async fn rekey_strays(conn: Conn<'_>, site: SiteId, old: &str, new: &str) -> Result<u64> {
    sql!("UPDATE stripe_stray SET email_key = $3 WHERE site = $1 AND email_key = $2")
        .bind(site)
        .bind(old)
        .bind(new)
        .run(conn)
        .await
}
