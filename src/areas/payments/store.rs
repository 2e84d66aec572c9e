//! The SQL of payments and refunds.

use usher_db::{Conn, Result, sql, sql_both};

use super::types::Payment;
use crate::values::{InvoiceId, JobId, MemberId, SiteId, SubscriptionId, Time};

/// Which payments.
#[derive(Debug, Default)]
pub struct PaymentFilter {
    /// Only those of this member.
    pub member: Option<MemberId>,
    /// Only those of this subscription.
    pub subscription: Option<SubscriptionId>,
    /// Only what was paid from then on.
    pub from: Option<Time>,
    /// Only what was paid before then.
    pub until: Option<Time>,
}

/// Where a page of payments begins: after what was paid at a moment and has a key.
#[derive(Clone, Debug)]
pub struct PaymentCursor {
    /// When it was paid.
    pub paid_at: Time,
    /// Its invoice or subscription.
    pub key: String,
}

/// Paid invoices of a page, newest first, of an index that begins with what `$which` names.
macro_rules! of_invoices {
    ($which:literal) => {
        concat!(
            "SELECT member_id, subscription_id, id, number, amount_paid, amount_refunded, currency,
                    COALESCE(paid_at, created_at), external_id, id
             FROM invoice
             WHERE site = $1 AND amount_paid > 0 AND COALESCE(paid_at, created_at) <= $2
               AND (COALESCE(paid_at, created_at) < $2 OR id < $3) AND COALESCE(paid_at, created_at) >= $4 ",
            $which,
            " ORDER BY COALESCE(paid_at, created_at) DESC, id DESC LIMIT $7"
        )
    };
}

/// A page of payments, newest first.
pub async fn list(
    mut conn: Conn<'_>,
    site: SiteId,
    filter: &PaymentFilter,
    after: &PaymentCursor,
    limit: u32,
) -> Result<Vec<Payment>> {
    let (at, key) = match filter.until {
        // Before then, and nothing at that very moment.
        Some(until) if until <= after.paid_at => (until, ""),
        _ => (after.paid_at, after.key.as_str()),
    };
    let from = filter.from.unwrap_or(Time::from_micros(0));
    let invoices = match (&filter.subscription, &filter.member) {
        (Some(_), _) => sql!(of_invoices!("AND subscription_id = $6 AND (member_id = $5 OR $5 IS NULL)")),
        (None, Some(_)) => sql!(of_invoices!("AND member_id = $5 AND (subscription_id = $6 OR $6 IS NULL)")),
        (None, None) => {
            sql!(of_invoices!("AND (member_id = $5 OR $5 IS NULL) AND (subscription_id = $6 OR $6 IS NULL)"))
        }
    };
    let sales = sql!(
        "SELECT s.member_id, p.subscription_id, NULL, NULL, p.amount, p.amount_refunded, p.currency, p.paid_at,
                p.intent_id, p.subscription_id
         FROM sale_payment p JOIN subscription s ON s.site = p.site AND s.id = p.subscription_id
         WHERE p.site = $1 AND p.paid_at <= $2 AND (p.paid_at < $2 OR p.subscription_id < $3) AND p.paid_at >= $4
           AND (s.member_id = $5 OR $5 IS NULL) AND (p.subscription_id = $6 OR $6 IS NULL)
         ORDER BY p.paid_at DESC, p.subscription_id DESC LIMIT $7"
    );
    let mut all: Vec<Payment> = Vec::new();
    for statement in [invoices, sales] {
        let page: Vec<Payment> = statement
            .bind(site)
            .bind(at)
            .bind(key)
            .bind(from)
            .bind(filter.member.as_ref().map(|id| id.as_str()))
            .bind(filter.subscription.as_ref().map(|id| id.as_str()))
            .bind(limit)
            .all(conn.again())
            .await?;
        all.extend(page);
    }
    all.sort_by(|a, b| (b.paid_at, &b.key).cmp(&(a.paid_at, &a.key)));
    all.truncate(limit as usize);
    Ok(all)
}

/// What was paid once without an invoice.
#[derive(Clone, Copy, Debug)]
pub struct SalePayment<'a> {
    /// What was sold.
    pub subscription: &'a SubscriptionId,
    /// Stripe's id of the payment intent.
    pub intent: &'a str,
    /// How much was paid, in minor units.
    pub amount: i64,
    /// How much of it was refunded.
    pub amount_refunded: i64,
    /// ISO 4217, in capitals.
    pub currency: &'a str,
    /// When.
    pub paid_at: Time,
    /// Of what it was read with.
    pub ticket: i64,
}

/// Writes what was paid once, unless what is there was read with a later ticket.
pub async fn write_sale(conn: Conn<'_>, site: SiteId, new: &SalePayment<'_>) -> Result<u64> {
    sql!(
        "INSERT INTO sale_payment (site, subscription_id, intent_id, amount, amount_refunded, currency, paid_at, ticket)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (site, subscription_id) DO UPDATE SET intent_id = excluded.intent_id, amount = excluded.amount,
             amount_refunded = excluded.amount_refunded, currency = excluded.currency, paid_at = excluded.paid_at,
             ticket = excluded.ticket
         WHERE sale_payment.ticket <= excluded.ticket"
    )
    .bind(site)
    .bind(new.subscription)
    .bind(new.intent)
    .bind(new.amount)
    .bind(new.amount_refunded)
    .bind(new.currency)
    .bind(new.paid_at)
    .bind(new.ticket)
    .run(conn)
    .await
}

/// Holds an invoice until the transaction ends, so that nothing else of it is given back meanwhile.
pub async fn hold_invoice(conn: Conn<'_>, site: SiteId, id: &InvoiceId) -> Result<Option<(InvoiceId,)>> {
    sql_both!(
        sqlite: "SELECT id FROM invoice WHERE site = $1 AND id = $2",
        postgres: "SELECT id FROM invoice WHERE site = $1 AND id = $2 FOR UPDATE",
    )
    .bind(site)
    .bind(id)
    .optional(conn)
    .await
}

/// Notes what a job is to give back of an invoice.
pub async fn insert_refund(
    conn: Conn<'_>,
    site: SiteId,
    job: &JobId,
    invoice: &InvoiceId,
    amount: i64,
    now: Time,
) -> Result<u64> {
    sql!("INSERT INTO invoice_refund (site, id, invoice_id, amount, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(site)
        .bind(job)
        .bind(invoice)
        .bind(amount)
        .bind(now)
        .run(conn)
        .await
}

/// The jobs that were to give something of an invoice back, and how much, newest first.
pub async fn refunds_of(conn: Conn<'_>, site: SiteId, invoice: &InvoiceId) -> Result<Vec<(JobId, i64)>> {
    sql!("SELECT id, amount FROM invoice_refund WHERE site = $1 AND invoice_id = $2 ORDER BY id DESC")
        .bind(site)
        .bind(invoice)
        .all(conn)
        .await
}

/// Notes what a job has made at Stripe.
pub async fn refund_made(conn: Conn<'_>, site: SiteId, job: &JobId, external: &str) -> Result<u64> {
    sql!("UPDATE invoice_refund SET external_id = $3 WHERE site = $1 AND id = $2")
        .bind(site)
        .bind(job)
        .bind(external)
        .run(conn)
        .await
}
