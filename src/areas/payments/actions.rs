use usher_jobs::State;
use usher_stripe::money::{Currency, Money};

use super::{
    store::{self, PaymentCursor, PaymentFilter},
    types::Payment,
};
use crate::{
    areas::{
        invoices::{self, Invoice, InvoiceRef},
        members,
    },
    error::{Code, Error, Result},
    gate::Cx,
    paging,
    values::InvoiceId,
};

/// A page of payments, newest first, and whether there are more.
pub async fn list(
    cx: &mut Cx,
    filter: &PaymentFilter,
    after: &PaymentCursor,
    limit: u32,
) -> Result<(Vec<Payment>, bool)> {
    let site = cx.site();
    let mut items = store::list(cx.conn(), site, filter, after, limit + 1).await?;
    let more = paging::cut(&mut items, limit);
    Ok((items, more))
}

/// The invoice that is to be refunded, held with its member until the call has ended.
pub async fn hold(cx: &mut Cx, which: &InvoiceRef) -> Result<Invoice> {
    let found = invoices::find(cx, which).await?;
    let site = cx.site();
    if let Some(member) = &found.member_id {
        members::store::hold(cx.conn(), site, member).await?;
        cx.touches(member);
    }
    store::hold_invoice(cx.conn(), site, &found.id).await?;
    // Read only now: while it waited, something may have been given back.
    invoices::find(cx, &InvoiceRef::Id(found.id)).await
}

/// How much of an invoice can still be refunded: what was paid, without what was given back and what running jobs are
/// about to.
pub async fn left(cx: &mut Cx, invoice: &Invoice) -> Result<i64> {
    Ok(invoice.amount_paid - invoice.amount_refunded - under_way(cx, &invoice.id).await?)
}

async fn under_way(cx: &mut Cx, invoice: &InvoiceId) -> Result<i64> {
    let (app, site) = (cx.app.clone(), cx.site());
    let mut sum = 0;
    for (job, amount) in store::refunds_of(cx.conn(), site, invoice).await? {
        let row = app.jobs.get(cx.conn(), site.number(), job.as_str()).await?;
        if row.is_some_and(|row| matches!(row.state, State::Queued | State::Running)) {
            sum += amount;
        }
    }
    Ok(sum)
}

/// How much a refund gives back: what was asked for, or all that is left.
pub fn amount(invoice: &Invoice, asked: Option<i64>, left: i64) -> Result<i64> {
    if left <= 0 {
        let text = match (invoice.amount_paid, invoice.amount_refunded) {
            (0, _) => "Nothing was paid on this invoice, so there is nothing to refund.".to_owned(),
            (paid, back) if back >= paid => {
                format!("All {} of this invoice were refunded already.", money(paid, &invoice.currency))
            }
            (paid, _) => format!(
                "All {} of this invoice were refunded already, or are being refunded by a job that has not ended.",
                money(paid, &invoice.currency)
            ),
        };
        return Err(Error::new(Code::NothingToRefund, text));
    }
    let amount = asked.unwrap_or(left);
    if amount > left {
        let text = format!(
            "Only {} of this invoice can still be refunded, and {} were asked for. Refund less, or leave `amount` out to \
             refund all that is left.",
            money(left, &invoice.currency),
            money(amount, &invoice.currency)
        );
        return Err(Error::new(Code::RefundTooLarge, text));
    }
    Ok(amount)
}

/// An amount as people write it.
fn money(amount: i64, currency: &str) -> String {
    match Currency::parse(currency) {
        Ok(currency) => Money { amount, currency }.to_string(),
        Err(_) => format!("{amount} {currency}"),
    }
}
