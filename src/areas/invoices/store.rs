//! The SQL of invoices.

use poem_openapi::types::ToJSON as _;
use usher_db::{Conn, Result, sql, sql_both};
use uuid::Uuid;

use super::types::{Invoice, InvoiceStatus, invoice_columns};
use crate::values::{InvoiceId, MemberId, SiteId, SubscriptionId, Time};

/// Which invoices.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only those of this member.
    pub member: Option<MemberId>,
    /// Only those of this subscription.
    pub subscription: Option<SubscriptionId>,
    /// Only those that stand so.
    pub status: Option<InvoiceStatus>,
    /// Only those that Stripe made from then on.
    pub from: Option<Time>,
    /// Only those that Stripe made before then.
    pub until: Option<Time>,
}

/// The invoices of a page: of an index that begins with what `$which` names, ids between two others, newest first.
macro_rules! page {
    ($which:literal) => {
        concat!(
            "SELECT ",
            invoice_columns!(),
            " FROM invoice WHERE site = $1 AND id < $2 AND id > $3 ",
            $which,
            " ORDER BY id DESC LIMIT $7"
        )
    };
}

/// A page of invoices, newest first: those whose id is less than `before`.
///
/// What a filter has an index for has a text of its own, since a planner that may not know whether a value is null reads
/// all invoices of the site.
pub async fn list(conn: Conn<'_>, site: SiteId, filter: &Filter, before: &str, limit: u32) -> Result<Vec<Invoice>> {
    let until = filter.until.map(ids_from);
    let before = until.as_deref().map_or(before, |until| before.min(until));
    let statement = if filter.subscription.is_some() {
        sql!(page!("AND subscription_id = $5 AND (member_id = $4 OR $4 IS NULL) AND (status = $6 OR $6 IS NULL)"))
    } else if filter.member.is_some() {
        sql!(page!("AND member_id = $4 AND (subscription_id = $5 OR $5 IS NULL) AND (status = $6 OR $6 IS NULL)"))
    } else if filter.status.is_some() {
        sql!(page!("AND status = $6 AND (member_id = $4 OR $4 IS NULL) AND (subscription_id = $5 OR $5 IS NULL)"))
    } else {
        sql!(page!(
            "AND (member_id = $4 OR $4 IS NULL) AND (subscription_id = $5 OR $5 IS NULL)
             AND (status = $6 OR $6 IS NULL)"
        ))
    };
    statement
        .bind(site)
        .bind(before)
        .bind(filter.from.map_or_else(String::new, ids_from))
        .bind(filter.member.as_ref().map(|id| id.as_str()))
        .bind(filter.subscription.as_ref().map(|id| id.as_str()))
        .bind(filter.status.map(InvoiceStatus::as_str))
        .bind(limit)
        .all(conn)
        .await
}

/// A text after every id of what was made before a moment, and before every other: ids hold milliseconds.
fn ids_from(time: Time) -> String {
    let ms = u64::try_from(time.micros()).unwrap_or_default().div_ceil(1000);
    InvoiceId::of(Uuid::from_u128(u128::from(ms) << 80)).to_string()
}

/// An invoice by the number that is printed on it.
pub async fn by_number(conn: Conn<'_>, site: SiteId, number: &str) -> Result<Option<Invoice>> {
    sql!(concat!(
        "SELECT ",
        invoice_columns!(),
        " FROM invoice WHERE site = $1 AND number IS NOT NULL AND number = $2 ORDER BY id DESC LIMIT 1"
    ))
    .bind(site)
    .bind(number)
    .optional(conn)
    .await
}

/// An invoice by id.
pub async fn by_id(conn: Conn<'_>, site: SiteId, id: &InvoiceId) -> Result<Option<Invoice>> {
    sql!(concat!("SELECT ", invoice_columns!(), " FROM invoice WHERE site = $1 AND id = $2"))
        .bind(site)
        .bind(id)
        .optional(conn)
        .await
}

/// An invoice by its id at Stripe.
pub async fn by_external(conn: Conn<'_>, site: SiteId, external: &str) -> Result<Option<Invoice>> {
    sql!(concat!("SELECT ", invoice_columns!(), " FROM invoice WHERE site = $1 AND external_id = $2"))
        .bind(site)
        .bind(external)
        .optional(conn)
        .await
}

/// Writes an invoice as it was read, unless what is there was read with a later ticket. Whose it is, once that is known,
/// stays; pages that were taken out when the member was deleted stay out.
pub async fn write(conn: Conn<'_>, site: SiteId, new: &Invoice) -> Result<u64> {
    sql!(
        "INSERT INTO invoice (site, id, external_id, member_id, customer_id, subscription_id, number, status, currency,
             subtotal, tax, total, amount_due, amount_paid, amount_refunded, lines, hosted_url, pdf_url, period_start,
             period_end, paid_at, created_at, ticket, synced_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                 $23, $24)
         ON CONFLICT (site, external_id) DO UPDATE SET
             member_id = COALESCE(invoice.member_id, excluded.member_id), customer_id = excluded.customer_id,
             subscription_id = COALESCE(invoice.subscription_id, excluded.subscription_id), number = excluded.number,
             status = excluded.status, currency = excluded.currency, subtotal = excluded.subtotal, tax = excluded.tax,
             total = excluded.total, amount_due = excluded.amount_due, amount_paid = excluded.amount_paid,
             amount_refunded = excluded.amount_refunded, lines = excluded.lines, hosted_url = excluded.hosted_url,
             pdf_url = excluded.pdf_url, period_start = excluded.period_start, period_end = excluded.period_end,
             paid_at = excluded.paid_at, ticket = excluded.ticket, synced_at = excluded.synced_at
         WHERE invoice.ticket <= excluded.ticket"
    )
    .bind(site)
    .bind(&new.id)
    .bind(&new.external_id)
    .bind(new.member_id.as_ref())
    .bind(new.customer_id.as_deref())
    .bind(new.subscription_id.as_ref())
    .bind(new.number.as_deref())
    .bind(new.status.as_str())
    .bind(&new.currency)
    .bind(new.subtotal)
    .bind(new.tax)
    .bind(new.total)
    .bind(new.amount_due)
    .bind(new.amount_paid)
    .bind(new.amount_refunded)
    .bind(new.lines.to_json().unwrap_or_default().to_string())
    .bind(new.hosted_url.as_deref())
    .bind(new.pdf_url.as_deref())
    .bind(new.period_start)
    .bind(new.period_end)
    .bind(new.paid_at)
    .bind(new.created_at)
    .bind(new.ticket)
    .bind(new.synced_at)
    .run(conn)
    .await
}

/// How much was given back of invoices, by Stripe's ids; of those that are known here.
pub async fn refunds(conn: Conn<'_>, site: SiteId, ids: Vec<String>) -> Result<Vec<(String, i64)>> {
    sql_both!(
        sqlite: "SELECT external_id, amount_refunded FROM invoice
                 WHERE site = $1 AND external_id IN (SELECT value FROM json_each($2))",
        postgres: "SELECT external_id, amount_refunded FROM invoice WHERE site = $1 AND external_id = ANY($2)",
    )
    .bind(site)
    .bind(ids.into_iter().map(Some).collect::<Vec<_>>())
    .all(conn)
    .await
}
