//! Making, changing and cancelling subscriptions.

use serde_json::Value;

use super::{
    coupons::{Discount, take_discounts},
    customers,
    plan_changes::{self, Proration},
    subscription_params::{change_item, take_details, take_items, take_pause, take_trial},
    subscriptions::{Item, Subscription},
};
use crate::{
    account::Account,
    billing,
    error::{ApiError, Result},
    form::{Metadata, Params, patch},
    table::Record,
};

/// What a new subscription is to be.
#[derive(Debug, Default)]
pub struct New {
    /// Whose.
    pub customer: String,
    /// Price and quantity of each item.
    pub items: Vec<(String, i64)>,
    /// Whatever its owner notes.
    pub metadata: Metadata,
    /// A text for the customer.
    pub description: Option<String>,
    /// When its trial ends.
    pub trial_end: Option<i64>,
    /// What is redeemed.
    pub coupon: Option<String>,
    /// `pm_…`.
    pub payment_method: Option<String>,
    /// Whether it is to be billed in the flexible mode.
    pub flexible: bool,
}

impl New {
    /// A subscription that is not in the table yet, `incomplete` or `trialing`.
    pub fn make(self, account: &mut Account) -> Result<Subscription> {
        let now = account.now;
        let mut items = Vec::new();
        let mut currency = None;
        for (at, (id, quantity)) in self.items.iter().enumerate() {
            let param = format!("items[{at}][price]");
            let price = account.prices.find(id, &param)?;
            if price.recurring.is_none() {
                let message = format!(
                    "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`: {id}"
                );
                return Err(ApiError { param: Some(param), ..ApiError::request(400, message) });
            }
            if !price.active() {
                let message = format!("The price specified is inactive. This field only accepts active prices: {id}");
                return Err(ApiError { param: Some(param), ..ApiError::request(400, message) });
            }
            currency.get_or_insert_with(|| price.currency.clone());
            items.push(Item {
                id: String::new(),
                created: now,
                price: id.clone(),
                quantity: *quantity,
                metadata: Metadata::new(),
            });
        }
        for item in &mut items {
            item.id = account.rng.id("si");
        }
        let discount = self.coupon.map(|coupon| Discount::redeem(account, &coupon)).transpose()?;
        let anchor = self.trial_end.unwrap_or(now);
        let mut subscription = Subscription {
            id: account.rng.id("sub"),
            created: now,
            customer: self.customer,
            currency: currency.unwrap_or_else(|| account.currency.clone()),
            items,
            status: if self.trial_end.is_some() { "trialing" } else { "incomplete" },
            anchor,
            n_periods: 0,
            period: (now, anchor),
            cancel_at: None,
            cancel_at_period_end: false,
            canceled_at: None,
            ended_at: None,
            cancellation: Default::default(),
            pause: None,
            paused_at: None,
            trial: self.trial_end.map(|end| (now, end)),
            metadata: self.metadata,
            description: self.description,
            schedule: None,
            latest_invoice: None,
            discount,
            payment_method: self.payment_method,
            flexible: self.flexible,
            pending: vec![],
        };
        let prices: Vec<_> = subscription.items.iter().map(|item| item.price.as_str()).collect();
        plan_changes::check_prices(account, &prices)?;
        if self.trial_end.is_none() {
            subscription.n_periods = 1;
            subscription.period.1 = billing::period_end(&subscription.recurring(account), anchor, 1);
        }
        Ok(subscription)
    }
}

/// `POST /v1/subscriptions`
pub fn create(account: &mut Account, mut params: Params) -> Result<Value> {
    let mut new = New { customer: params.required("customer")?, flexible: true, ..New::default() };
    new.items = take_items(&mut params)?
        .ok_or_else(|| ApiError::missing("items"))?
        .into_iter()
        .map(|item| (item.price, item.quantity.unwrap_or(1)))
        .collect();
    new.metadata = params.metadata("metadata")?.fresh();
    new.description = params.text("description")?;
    new.payment_method = params.text("default_payment_method")?;
    new.coupon = take_discounts(&mut params)?;
    new.trial_end = take_trial(&mut params, account.now)?;
    let cancel_at_period_end = params.boolean("cancel_at_period_end")?.unwrap_or(false);
    if let Some(Some(mut mode)) = params.branch("billing_mode")? {
        new.flexible = mode.word("type", &["classic", "flexible"])?.as_deref() != Some("classic");
        mode.finish()?;
    }
    let behavior =
        params.word("payment_behavior", &["allow_incomplete", "default_incomplete", "error_if_incomplete"])?;
    params.word("collection_method", &["charge_automatically"])?;
    params.ignore(&["off_session", "payment_settings", "proration_behavior", "currency"]);
    params.finish()?;
    let customer = customers::find(account, &new.customer, "customer")?;
    let fails = match (&customer.card, &new.payment_method) {
        (Some(card), _) => card.fails,
        (None, Some(_)) => false,
        (None, None) if new.trial_end.is_some() || behavior.as_deref() == Some("default_incomplete") => false,
        (None, None) => {
            let message = "This customer has no attached payment source or default payment method. Please consider adding a default payment method.";
            return Err(ApiError::request(400, message).code("resource_missing"));
        }
    };
    if behavior.as_deref() == Some("error_if_incomplete") && fails && new.trial_end.is_none() {
        return Err(ApiError::declined(&account.rng.id("ch")));
    }
    if let Some(name) = new.payment_method.clone() {
        let card = customers::Card::named(account, &name);
        new.payment_method = Some(card.id.clone());
        if let Some(customer) = account.customers.get_mut(&new.customer)
            && customer.card.is_none()
        {
            customer.card = Some(card);
        }
    }
    let mut subscription = new.make(account)?;
    if cancel_at_period_end {
        subscription.cancel_at_period_end = true;
        subscription.cancel_at = Some(subscription.period.1);
        subscription.canceled_at = Some(account.now);
    }
    let id = subscription.id.clone();
    billing::start(account, subscription, behavior.as_deref() != Some("default_incomplete"));
    Ok(account.shown(|account| &account.subscriptions, &id))
}

/// `POST /v1/subscriptions/{id}`
pub fn update(account: &mut Account, id: &str, mut params: Params) -> Result<Value> {
    let metadata = params.metadata("metadata")?;
    let description = params.patch("description")?;
    let cancel_at_period_end = params.boolean("cancel_at_period_end")?;
    let cancel_at = params.int("cancel_at")?;
    let pause = take_pause(&mut params)?;
    let items = take_items(&mut params)?;
    let trial_end = take_trial(&mut params, account.now)?;
    let payment_method = params.text("default_payment_method")?;
    let details = params.branch("cancellation_details")?.flatten();
    let (comment, feedback) = details.map(take_details).transpose()?.unwrap_or_default();
    let proration = Proration::take(&mut params)?;
    let proration_date = params.int("proration_date")?;
    params.word("payment_behavior", &["allow_incomplete"])?;
    params.ignore(&["off_session"]);
    params.finish()?;
    let now = account.now;
    let subscription = account.subscriptions.find(id, "id")?;
    let structural = cancel_at_period_end.is_some()
        || cancel_at.is_some()
        || pause.is_some()
        || items.is_some()
        || trial_end.is_some();
    if subscription.ended() && structural {
        let message = "A canceled subscription can only update its cancellation_details and metadata.";
        return Err(ApiError::request(400, message));
    }
    let mut new_items = subscription.items.clone();
    for item in items.into_iter().flatten() {
        if !item.price.is_empty() {
            let price = account.prices.find(&item.price, "items[0][price]")?;
            plan_changes::check(subscription, price)?;
        }
        match &item.id {
            Some(id) => change_item(&mut new_items, id, &item)?,
            None => new_items.push(Item {
                id: account.rng.id("si"),
                created: now,
                price: item.price,
                quantity: item.quantity.unwrap_or(1),
                metadata: Metadata::new(),
            }),
        }
    }
    if let (Some(schedule), true) = (&subscription.schedule, cancel_at_period_end.is_some() || cancel_at.is_some()) {
        let message = format!(
            "The subscription is managed by the subscription schedule `{schedule}`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead."
        );
        return Err(ApiError::request(400, message));
    }
    let at = proration_date.unwrap_or(now);
    let change = plan_changes::change(account, id, &new_items, proration, at)?;
    let mut lines = Vec::new();
    let shown = billing::change(account, id, |subscription| {
        lines = change.apply(subscription, now);
        metadata.apply(&mut subscription.metadata);
        patch(&mut subscription.description, description);
        patch(&mut subscription.pause, pause);
        patch(&mut subscription.cancellation.comment, comment);
        patch(&mut subscription.cancellation.feedback, feedback);
        subscription.payment_method = payment_method.or_else(|| subscription.payment_method.take());
        if let Some(end) = trial_end {
            subscription.trial = Some((subscription.trial.map_or(now, |trial| trial.0), end));
            (subscription.status, subscription.anchor, subscription.n_periods) = ("trialing", end, 0);
            subscription.period.1 = end;
        }
        if let Some(at) = cancel_at {
            (subscription.cancel_at, subscription.canceled_at) = (Some(at), Some(now));
            subscription.cancellation.reason = Some("cancellation_requested");
        }
        match cancel_at_period_end {
            Some(true) if !subscription.cancel_at_period_end => {
                (subscription.cancel_at, subscription.canceled_at) = (Some(subscription.period.1), Some(now));
                subscription.cancel_at_period_end = true;
                subscription.cancellation.reason = Some("cancellation_requested");
            }
            Some(false) => {
                (subscription.cancel_at, subscription.canceled_at) = (None, None);
                subscription.cancel_at_period_end = false;
                subscription.cancellation.reason = None;
            }
            _ => {}
        }
    });
    Ok(match plan_changes::invoice(account, id, lines) {
        true => account.shown(|account| &account.subscriptions, id),
        false => shown,
    })
}

/// `DELETE /v1/subscriptions/{id}`: it ends at once; nothing is given back.
pub fn cancel(account: &mut Account, id: &str, mut params: Params) -> Result<Value> {
    let details = params.branch("cancellation_details")?.flatten();
    let (comment, feedback) = details.map(take_details).transpose()?.unwrap_or_default();
    if params.boolean("invoice_now")? == Some(true) || params.boolean("prorate")? == Some(true) {
        return Err(ApiError::invalid("prorate", "stripe-fake models no prorations."));
    }
    params.finish()?;
    if account.subscriptions.find(id, "id")?.ended() {
        return Err(ApiError::no_such("subscription", id, "id"));
    }
    if let Some(subscription) = account.subscriptions.get_mut(id) {
        patch(&mut subscription.cancellation.comment, comment);
        patch(&mut subscription.cancellation.feedback, feedback);
    }
    billing::end(account, id, "cancellation_requested");
    Ok(account.subscriptions.find(id, "id")?.render(account))
}
