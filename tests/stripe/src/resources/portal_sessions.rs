//! `/v1/billing_portal/sessions`: a page for a customer. It can be made and nothing else.

use serde_json::{Value, json};

use super::customers;
use crate::{account::Account, error::Result, form::Params};

/// `POST /v1/billing_portal/sessions`
pub fn create(account: &mut Account, mut params: Params) -> Result<Value> {
    let customer = params.required("customer")?;
    let return_url = params.text("return_url")?;
    params.ignore(&["configuration", "locale"]);
    params.finish()?;
    customers::find(account, &customer, "customer")?;
    account.portal_customers.push(customer.clone());
    let id = account.rng.id("bps");
    Ok(json!({
        "id": id,
        "object": "billing_portal.session",
        "configuration": "bpc_fake",
        "created": account.now,
        "customer": customer,
        "customer_account": null,
        "flow": null,
        "livemode": false,
        "locale": null,
        "on_behalf_of": null,
        "return_url": return_url,
        "url": format!("https://billing.stripe.com/p/session/test_{id}"),
    }))
}
