//! Another price for an item of a subscription: what is credited and charged for the rest of the period, and the preview
//! of that. Credit that is larger than the charge is forgotten: there are no customer balances.

use serde_json::{Value, json};

use super::{
    invoices::{Invoice, Line},
    prices::Price,
    subscription_params::{change_item, take_items},
    subscriptions::{Item, Subscription},
};
use crate::{
    account::Account,
    billing,
    error::{ApiError, Result},
    form::Params,
    payments,
    table::Record,
};

/// What a change of items comes to.
pub struct Change {
    items: Vec<Item>,
    lines: Vec<Line>,
    /// Where the period begins anew: its end.
    anew: Option<i64>,
}

/// Refuses a price that a subscription cannot have.
pub fn check(subscription: &Subscription, price: &Price) -> Result<()> {
    let refuse = |message: String| {
        let param = Some("items[0][price]".to_owned());
        Err(ApiError { param, ..ApiError::request(400, message) })
    };
    let id = &price.id;
    if price.recurring.is_none() {
        return refuse(format!(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`: {id}"
        ));
    }
    if !price.active() {
        return refuse(format!("The price specified is inactive. This field only accepts active prices: {id}"));
    }
    if price.currency != subscription.currency {
        return refuse(format!(
            "The price specified only supports `{}`. This doesn't match the expected currency: `{}`.",
            price.currency, subscription.currency
        ));
    }
    Ok(())
}

/// What giving a subscription these items comes to. Nothing is written.
pub fn change(account: &mut Account, id: &str, items: &[Item], is_invoiced: bool, at: i64) -> Result<Change> {
    let subscription = account.subscriptions.find(id, "id")?;
    let (before, period) = (subscription.items.clone(), subscription.period);
    let of = |items: &[Item]| items.first().and_then(|item| account.prices.get(&item.price)?.recurring.clone());
    let (old, new) = (of(&before), of(items));
    let anew = match &new {
        Some(new) if old.as_ref() != Some(new) => Some(billing::period_end(new, account.now, 1)),
        _ => None,
    };
    let is_same = |a: &Item| before.iter().any(|b| (&a.id, &a.price, a.quantity) == (&b.id, &b.price, b.quantity));
    let is_changed = items.len() != before.len() || !items.iter().all(is_same);
    let mut change = Change { items: items.to_vec(), lines: vec![], anew };
    if !is_changed || subscription.status == "trialing" || !(is_invoiced || anew.is_some()) {
        return Ok(change);
    }
    if at < period.0 || at > period.1 {
        let message = "The proration date must be within the current subscription period.";
        return Err(ApiError::invalid("proration_date", message));
    }
    let (left, whole) = (i128::from(period.1 - at), i128::from((period.1 - period.0).max(1)));
    let part = |amount: i64| i64::try_from(i128::from(amount) * left / whole).unwrap_or_default();
    let unpaid = matches!(subscription.status, "past_due" | "unpaid");
    let mut lines = Vec::new();
    for item in before.iter().filter(|item| !items.iter().any(|other| other.id == item.id && other.price == item.price))
    {
        let Some(price) = account.prices.get(&item.price) else { continue };
        // What was not paid is not credited.
        let amount = if unpaid { 0 } else { -part(price.unit_amount * item.quantity) };
        lines.push((format!("Unused time on {}", price.product), amount, (at, period.1), item.clone()));
    }
    for item in items.iter().filter(|item| anew.is_some() || !before.iter().any(|other| other.price == item.price)) {
        let Some(price) = account.prices.get(&item.price) else { continue };
        let all = price.unit_amount * item.quantity;
        let (amount, until) = anew.map_or((part(all), period.1), |end| (all, end));
        let from = if anew.is_some() { account.now } else { at };
        lines.push((format!("Remaining time on {}", price.product), amount, (from, until), item.clone()));
    }
    change.lines = lines
        .into_iter()
        .map(|(description, amount, period, item)| Line {
            id: account.rng.id("il"),
            amount,
            description,
            period,
            quantity: item.quantity,
            product: account.prices.get(&item.price).map(|price| price.product.clone()).unwrap_or_default(),
            price: item.price,
            item: Some(item.id),
        })
        .collect();
    Ok(change)
}

impl Change {
    /// Gives the subscription its items; says what the invoice of that has.
    pub fn apply(self, subscription: &mut Subscription, now: i64) -> Vec<Line> {
        if let Some(end) = self.anew.filter(|_| subscription.status != "trialing") {
            (subscription.anchor, subscription.n_periods, subscription.period) = (now, 1, (now, end));
        }
        subscription.items = self.items;
        self.lines
    }
}

/// Makes the invoice of a change that was applied, and has it paid; whether there is one.
pub fn invoice(account: &mut Account, id: &str, lines: Vec<Line>) -> bool {
    let Some(subscription) = account.subscriptions.get(id).filter(|_| !lines.is_empty()) else { return false };
    let made = of(account, subscription, lines);
    let made = Invoice { id: account.rng.id("in"), ..made };
    let invoice = made.id.clone();
    account.invoices.insert(made);
    if let Some(subscription) = account.subscriptions.get_mut(id) {
        subscription.latest_invoice = Some(invoice.clone());
    }
    payments::announce(account, &invoice);
    payments::finalize(account, &invoice);
    payments::attempt(account, &invoice);
    true
}

fn of(account: &Account, subscription: &Subscription, lines: Vec<Line>) -> Invoice {
    Invoice {
        customer: subscription.customer.clone(),
        subscription: Some(subscription.id.clone()),
        reason: payments::RESUMPTION,
        currency: subscription.currency.clone(),
        lines,
        period: (account.now, account.now),
        parent_metadata: subscription.metadata.clone(),
        ..Invoice::blank(format!("upcoming_in_{}", subscription.id), account.now)
    }
}

/// `POST /v1/invoices/create_preview`
pub fn preview(account: &mut Account, mut params: Params) -> Result<Value> {
    let id = params.required("subscription")?;
    let Some(Some(mut details)) = params.branch("subscription_details")? else {
        return Err(ApiError::missing("subscription_details"));
    };
    let changes = take_items(&mut details)?.unwrap_or_default();
    let proration = details.word("proration_behavior", &["always_invoice", "create_prorations", "none"])?;
    let date = details.int("proration_date")?;
    details.finish()?;
    params.finish()?;
    let subscription = account.subscriptions.find(&id, "subscription")?;
    if subscription.ended() {
        return Err(ApiError::request(404, "No upcoming invoices for customer").code("invoice_upcoming_none"));
    }
    let mut items = subscription.items.clone();
    for item in &changes {
        let price = account.prices.find(&item.price, "subscription_details[items][0][price]")?;
        check(subscription, price)?;
        change_item(&mut items, item.id.as_deref().unwrap_or_default(), item)?;
    }
    let invoice = if proration.as_deref() == Some("none") {
        // The next period.
        let recurring = items.first().and_then(|item| account.prices.get(&item.price)?.recurring.clone());
        let start = subscription.period.1;
        let end = billing::period_end(&recurring.unwrap_or_default(), start, 1);
        let lines = items.iter().filter_map(|item| {
            let price = account.prices.get(&item.price)?;
            Some(Line {
                id: "il_preview".into(),
                amount: price.unit_amount * item.quantity,
                description: format!("{} × {}", item.quantity, price.product),
                period: (start, end),
                quantity: item.quantity,
                price: item.price.clone(),
                product: price.product.clone(),
                item: Some(item.id.clone()),
            })
        });
        of(account, subscription, lines.collect())
    } else {
        let now = account.now;
        let lines = change(account, &id, &items, true, date.unwrap_or(now))?.lines;
        of(account, account.subscriptions.find(&id, "subscription")?, lines)
    };
    let mut shown = invoice.render(account);
    shown["created"] = json!(account.now);
    Ok(shown)
}
