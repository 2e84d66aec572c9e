//! `/v1/checkout/sessions`: what a session is, get and list. Making one is in `session_writes`, completing it
//! in `checkout`.

use serde_json::{Value, json};

use crate::{
    account::Account,
    error::Result,
    form::{Metadata, Params},
    table::{Page, Record, list_of},
};

/// A checkout.
#[derive(Debug)]
pub struct Session {
    /// `cs_test_…`.
    pub id: String,
    /// When it was made.
    pub created: i64,
    /// When it expires.
    pub expires_at: i64,
    /// `subscription` or `payment`.
    pub mode: String,
    /// `open`, `complete`, `expired`.
    pub status: &'static str,
    /// Whether it is paid, where there is something to pay.
    pub payment_status: &'static str,
    /// Who pays, if that is known.
    pub customer: Option<String>,
    /// The address that was given for it.
    pub email: Option<String>,
    /// Its owner's name for it.
    pub client_reference_id: Option<String>,
    /// Whatever its owner noted.
    pub metadata: Metadata,
    /// Price and quantity of each line.
    pub lines: Vec<(String, i64)>,
    /// `li_…` of each line.
    pub line_ids: Vec<String>,
    /// Where the person goes after paying.
    pub success_url: Option<String>,
    /// Where the person goes otherwise.
    pub cancel_url: Option<String>,
    /// What is redeemed.
    pub coupon: Option<String>,
    /// The metadata of the subscription to be made.
    pub subscription_metadata: Metadata,
    /// Days that are free.
    pub trial_end: TrialEnd,
    /// The metadata of the payment to be made.
    pub payment_metadata: Metadata,
    /// The metadata of the invoice of a one-time payment.
    pub invoice_metadata: Metadata,
    /// Whether a one-time payment gets an invoice.
    pub invoice_creation: bool,
    /// Whether a payment without a customer makes one.
    pub customer_creation: bool,
    /// `sub_…`, once it is complete.
    pub subscription: Option<String>,
    /// `pi_…`, once it is complete.
    pub payment_intent: Option<String>,
    /// `in_…`, once it is complete.
    pub invoice: Option<String>,
}

/// When the trial of a checkout's subscription is to end.
#[derive(Debug, Clone, Copy)]
pub enum TrialEnd {
    /// There is none.
    Never,
    /// So many seconds after the checkout is completed.
    After(i64),
    /// At a moment.
    At(i64),
}

impl Session {
    fn amounts(&self, account: &Account) -> (i64, i64, Option<String>) {
        let prices = self.lines.iter().filter_map(|(price, n)| account.prices.get(price).map(|price| (price, n)));
        let free = !matches!(self.trial_end, TrialEnd::Never);
        let subtotal = prices.map(|(price, n)| if free { 0 } else { price.unit_amount * n }).sum();
        let off = self.coupon.as_ref().and_then(|id| account.coupons.get(id)).map_or(0, |coupon| coupon.off(subtotal));
        let currency = self.lines.first().and_then(|(price, _)| account.prices.get(price));
        (subtotal, off, currency.map(|price| price.currency.clone()))
    }

    /// What is to be paid, and in what currency.
    pub fn total(&self, account: &Account) -> (i64, String) {
        let (subtotal, off, currency) = self.amounts(account);
        (subtotal - off, currency.unwrap_or_else(|| account.currency.clone()))
    }
}

impl Record for Session {
    const WHAT: &'static str = "checkout.session";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn owner(&self) -> Option<&str> {
        self.customer.as_deref()
    }

    fn render(&self, account: &Account) -> Value {
        let (subtotal, off, currency) = self.amounts(account);
        let customer = self.customer.as_ref().and_then(|id| account.customers.get(id));
        let email = self.email.as_ref().or_else(|| customer.and_then(|customer| customer.email.as_ref()));
        let details = (self.status == "complete" || email.is_some()).then(|| {
            json!({
                "address": null,
                "business_name": null,
                "email": email,
                "individual_name": null,
                "name": customer.and_then(|customer| customer.name.as_ref()),
                "phone": null,
                "tax_exempt": "none",
                "tax_ids": null,
            })
        });
        let one_time = self.mode == "payment";
        let invoice_creation = one_time.then(|| {
            json!({
                "enabled": self.invoice_creation,
                "invoice_data": {
                    "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null,
                    "issuer": null, "metadata": self.invoice_metadata, "rendering_options": null,
                },
            })
        });
        json!({
            "id": self.id,
            "object": "checkout.session",
            "adaptive_pricing": { "enabled": false },
            "after_expiration": null,
            "allow_promotion_codes": null,
            "amount_subtotal": subtotal,
            "amount_total": subtotal - off,
            "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
            "billing_address_collection": null,
            "cancel_url": self.cancel_url,
            "client_reference_id": self.client_reference_id,
            "client_secret": null,
            "collected_information": null,
            "consent": null,
            "consent_collection": null,
            "created": self.created,
            "currency": currency,
            "currency_conversion": null,
            "custom_fields": [],
            "custom_text": {
                "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null,
            },
            "customer": self.customer,
            "customer_account": null,
            "customer_creation": one_time.then_some(if self.customer_creation { "always" } else { "if_required" }),
            "customer_details": details,
            "customer_email": self.email,
            "discounts": self.coupon.iter().map(|coupon| json!({ "coupon": coupon, "promotion_code": null })).collect::<Vec<_>>(),
            "expires_at": self.expires_at,
            "integration_identifier": null,
            "invoice": self.invoice,
            "invoice_creation": invoice_creation,
            "livemode": false,
            "locale": null,
            "managed_payments": null,
            "metadata": self.metadata,
            "mode": self.mode,
            "origin_context": null,
            "payment_intent": self.payment_intent,
            "payment_link": null,
            "payment_method_collection": if one_time { "if_required" } else { "always" },
            "payment_method_configuration_details": null,
            "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
            "payment_method_types": ["card"],
            "payment_status": self.payment_status,
            "permissions": null,
            "phone_number_collection": { "enabled": false },
            "recovered_from": null,
            "saved_payment_method_options": null,
            "setup_intent": null,
            "shipping_address_collection": null,
            "shipping_cost": null,
            "shipping_options": [],
            "status": self.status,
            "submit_type": null,
            "subscription": self.subscription,
            "success_url": self.success_url,
            "total_details": { "amount_discount": off, "amount_shipping": 0, "amount_tax": 0 },
            "ui_mode": "hosted_page",
            "url": (self.status == "open").then(|| format!("https://checkout.stripe.com/c/pay/{}", self.id)),
            "wallet_options": null,
        })
    }
}

/// `GET /v1/checkout/sessions/{id}`
pub fn get(account: &Account, id: &str) -> Result<Value> {
    Ok(account.sessions.find(id, "id")?.render(account))
}

/// `GET /v1/checkout/sessions`
pub fn list(account: &Account, mut params: Params) -> Result<Value> {
    let page = Page::take(&mut params)?;
    let customer = params.text("customer")?;
    let subscription = params.text("subscription")?;
    let intent = params.text("payment_intent")?;
    let status = params.word("status", &["complete", "expired", "open"])?;
    params.finish()?;
    // A customer that the checkout itself made does not own it in the table.
    page.list(account, &account.sessions, None, "/v1/checkout/sessions", |session| {
        (customer.is_none() || session.customer == customer)
            && (subscription.is_none() || session.subscription == subscription)
            && (intent.is_none() || session.payment_intent == intent)
            && status.as_ref().is_none_or(|status| session.status == status)
    })
}

/// `GET /v1/checkout/sessions/{id}/line_items`
pub fn line_items(account: &Account, id: &str) -> Result<Value> {
    let session = account.sessions.find(id, "id")?;
    let each = session.lines.iter().zip(&session.line_ids).filter_map(|((price, quantity), line)| {
        let price = account.prices.get(price)?;
        let amount = price.unit_amount * quantity;
        Some(json!({
            "id": line,
            "object": "item",
            "adjustable_quantity": null,
            "amount_discount": 0,
            "amount_subtotal": amount,
            "amount_tax": 0,
            "amount_total": amount,
            "currency": price.currency,
            "description": account.products.get(&price.product).map(|product| product.name()),
            "metadata": {},
            "price": price.render(account),
            "quantity": quantity,
        }))
    });
    Ok(list_of(&format!("/v1/checkout/sessions/{id}/line_items"), false, each.collect()))
}
