//! Making checkouts, and having them expire.

use serde_json::Value;

use super::{
    coupons::take_discounts,
    customers,
    sessions::{Session, TrialEnd, get},
    subscription_params::take_trial,
};
use crate::{
    account::Account,
    clock::Due,
    error::{ApiError, Result},
    form::{Metadata, Params},
    table::Record,
};

/// How long a checkout stays open.
const OPEN_SECONDS: i64 = 24 * 3600;

/// `POST /v1/checkout/sessions`
pub fn create(account: &mut Account, mut params: Params) -> Result<Value> {
    let now = account.now;
    let mode = params.word("mode", &["payment", "subscription"])?.ok_or_else(|| ApiError::missing("mode"))?;
    let lines = take_lines(&mut params)?;
    let expires_at = params.int("expires_at")?.unwrap_or(now + OPEN_SECONDS);
    if !(now + 1800..=now + OPEN_SECONDS).contains(&expires_at) {
        let message = "The `expires_at` timestamp must be at least 30 minutes and less than 24 hours from Checkout Session creation.";
        return Err(ApiError::invalid("expires_at", message));
    }
    let mut session = Session {
        id: String::new(),
        created: now,
        expires_at,
        status: "open",
        payment_status: "unpaid",
        customer: params.text("customer")?,
        email: params.text("customer_email")?,
        client_reference_id: params.text("client_reference_id")?,
        metadata: params.metadata("metadata")?.fresh(),
        line_ids: vec![],
        lines,
        success_url: params.text("success_url")?,
        cancel_url: params.text("cancel_url")?,
        coupon: take_discounts(&mut params)?,
        subscription_metadata: Metadata::new(),
        trial_end: TrialEnd::Never,
        payment_metadata: Metadata::new(),
        invoice_metadata: Metadata::new(),
        invoice_creation: false,
        customer_creation: params.word("customer_creation", &["always", "if_required"])?.as_deref() == Some("always"),
        subscription: None,
        payment_intent: None,
        invoice: None,
        mode,
    };
    take_data(&mut session, &mut params, now)?;
    params.ignore(&[
        "allow_promotion_codes",
        "billing_address_collection",
        "locale",
        "payment_method_collection",
        "payment_method_types",
        "submit_type",
        "ui_mode",
    ]);
    params.finish()?;
    check(account, &session)?;
    session.id = account.rng.id("cs_test");
    session.line_ids = session.lines.iter().map(|_| account.rng.id("li")).collect();
    let shown = session.render(account);
    account.schedule.set(Due::Session(session.id.clone()), Some(expires_at));
    account.sessions.insert(session);
    Ok(shown)
}

fn take_lines(params: &mut Params) -> Result<Vec<(String, i64)>> {
    let lines = params.branches("line_items")?.flatten().ok_or_else(|| ApiError::missing("line_items"))?;
    let each = lines.into_iter().map(|mut line| {
        let taken = (line.required("price")?, line.int("quantity")?.unwrap_or(1));
        line.finish()?;
        Ok(taken)
    });
    each.collect()
}

fn take_data(session: &mut Session, params: &mut Params, now: i64) -> Result<()> {
    if let Some(Some(mut data)) = params.branch("subscription_data")? {
        session.subscription_metadata = data.metadata("metadata")?.fresh();
        let days = data.int("trial_period_days")?.filter(|days| *days > 0);
        session.trial_end = match (days, take_trial(&mut data, now)?) {
            (Some(days), _) => TrialEnd::After(days * 86_400),
            (None, Some(at)) => TrialEnd::At(at),
            (None, None) => TrialEnd::Never,
        };
        data.ignore(&["description", "billing_mode"]);
        data.finish()?;
    }
    if let Some(Some(mut data)) = params.branch("payment_intent_data")? {
        session.payment_metadata = data.metadata("metadata")?.fresh();
        data.ignore(&["description", "setup_future_usage"]);
        data.finish()?;
    }
    if let Some(Some(mut creation)) = params.branch("invoice_creation")? {
        session.invoice_creation = creation.boolean("enabled")?.unwrap_or(false);
        if let Some(Some(mut data)) = creation.branch("invoice_data")? {
            session.invoice_metadata = data.metadata("metadata")?.fresh();
            data.ignore(&["description", "footer"]);
            data.finish()?;
        }
        creation.finish()?;
    }
    Ok(())
}

fn check(account: &Account, session: &Session) -> Result<()> {
    if let Some(customer) = &session.customer {
        customers::find(account, customer, "customer")?;
    }
    if let Some(coupon) = &session.coupon {
        account.coupons.find(coupon, "discounts[0][coupon]")?;
    }
    let mut recurs = false;
    for (at, (id, _)) in session.lines.iter().enumerate() {
        let price = account.prices.find(id, &format!("line_items[{at}][price]"))?;
        if !price.active() {
            return Err(ApiError::request(
                400,
                format!("The price specified is inactive. This field only accepts active prices: {id}"),
            ));
        }
        recurs |= price.recurring.is_some();
    }
    match (session.mode.as_str(), recurs) {
        ("payment", true) => Err(ApiError::request(
            400,
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.",
        )),
        ("subscription", false) => Err(ApiError::request(
            400,
            "You must provide at least one recurring price in `subscription` mode when using prices.",
        )),
        _ => Ok(()),
    }
}

/// `POST /v1/checkout/sessions/{id}/expire`
pub fn expire(account: &mut Account, id: &str, params: Params) -> Result<Value> {
    params.finish()?;
    let status = account.sessions.find(id, "id")?.status;
    if status != "open" {
        let message = format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of `{status}`."
        );
        return Err(ApiError::request(400, message));
    }
    account.expire_session(id);
    get(account, id)
}

impl Account {
    /// A checkout is not completed any more.
    pub fn expire_session(&mut self, id: &str) {
        let Some(session) = self.sessions.get_mut(id).filter(|session| session.status == "open") else { return };
        session.status = "expired";
        self.schedule.set(Due::Session(id.to_owned()), None);
        let shown = self.shown(|account| &account.sessions, id);
        self.emit("checkout.session.expired", &shown, None);
    }
}
