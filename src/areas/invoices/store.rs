//! The SQL of invoices.

use poem_openapi::types::ToJSON as _;
use usher_db::{Conn, Result, sql};

use super::types::{Invoice, invoice_columns};
use crate::values::{InvoiceId, SiteId};

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
