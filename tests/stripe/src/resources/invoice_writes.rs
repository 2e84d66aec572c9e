//! Changing invoices, and taking them on their way by hand.

use serde_json::Value;

use crate::{
    account::Account,
    error::{ApiError, Result},
    form::Params,
    payments,
    table::Record,
};

/// `POST /v1/invoices/{id}`: only its metadata and whether it goes on by itself.
pub fn update(account: &mut Account, id: &str, mut params: Params) -> Result<Value> {
    let metadata = params.metadata("metadata")?;
    let auto_advance = params.boolean("auto_advance")?;
    params.finish()?;
    let before = account.invoices.find(id, "id")?.render(account);
    if let Some(invoice) = account.invoices.get_mut(id) {
        metadata.apply(&mut invoice.metadata);
        invoice.auto_advance = auto_advance.unwrap_or(invoice.auto_advance);
    }
    let after = account.shown(|account| &account.invoices, id);
    account.emit_change("invoice.updated", &before, &after);
    Ok(after)
}

/// `POST /v1/invoices/{id}/pay`, `/finalize`, `/void` and `/mark_uncollectible`
pub fn act(account: &mut Account, id: &str, verb: &str, mut params: Params) -> Result<Value> {
    params.ignore(&["payment_method", "off_session", "auto_advance"]);
    params.finish()?;
    let status = account.invoices.find(id, "id")?.status;
    match (verb, status) {
        ("finalize", "draft") => payments::finalize(account, id),
        ("void", "open" | "uncollectible") => payments::void(account, id),
        ("mark_uncollectible", "open") => payments::mark_uncollectible(account, id),
        ("pay", "draft" | "open") => {
            if status == "draft" {
                payments::finalize(account, id);
            }
            if !payments::attempt(account, id) {
                return Err(ApiError::declined(account.charges.iter().next_back().map_or("", |charge| charge.id())));
            }
        }
        ("pay", "paid") => return Err(ApiError::request(400, "Invoice is already paid").code("invoice_already_paid")),
        _ => {
            let message = format!("You can't {verb} an invoice that is {status}.");
            return Err(ApiError::request(400, message).code("invoice_not_editable"));
        }
    }
    Ok(account.shown(|account| &account.invoices, id))
}
