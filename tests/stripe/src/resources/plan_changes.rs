//! Other items of a subscription: what is credited and charged for the rest of the period, at once or with the next
//! invoice, and the preview of that. As Stripe does, it credits what was never paid, too.

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
    proration: Proration,
}

/// Whether the rest of a period is made up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proration {
    /// With an invoice of its own.
    Invoiced,
    /// With the next invoice.
    Pending,
    /// Not at all.
    None,
}

impl Proration {
    /// Takes `proration_behavior`.
    pub fn take(params: &mut Params) -> Result<Self> {
        let word = params.word("proration_behavior", &["always_invoice", "create_prorations", "none"])?;
        Ok(match word.as_deref() {
            Some("always_invoice") => Self::Invoiced,
            Some("none") => Self::None,
            _ => Self::Pending,
        })
    }
}

/// Refuses prices that a subscription cannot have together.
pub fn check_prices(account: &Account, prices: &[&str]) -> Result<()> {
    if prices.is_empty() {
        return Err(ApiError::request(400, "A subscription must have at least one active plan."));
    }
    if prices.iter().enumerate().any(|(at, price)| prices[..at].contains(price)) {
        return Err(ApiError::request(400, "Cannot add multiple subscription items with the same plan."));
    }
    let mut every = prices.iter().map(|id| account.prices.get(id).and_then(|price| price.recurring.clone()));
    let first = every.next().flatten();
    if every.any(|other| other != first) {
        return Err(ApiError::request(400, "stripe-fake models no items with different intervals."));
    }
    Ok(())
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
pub fn change(account: &mut Account, id: &str, items: &[Item], proration: Proration, at: i64) -> Result<Change> {
    check_prices(account, &items.iter().map(|item| item.price.as_str()).collect::<Vec<_>>())?;
    let subscription = account.subscriptions.find(id, "id")?;
    let (before, period) = (subscription.items.clone(), subscription.period);
    let of = |items: &[Item]| items.first().and_then(|item| account.prices.get(&item.price)?.recurring.clone());
    let (old, new) = (of(&before), of(items));
    let anew = match &new {
        Some(new) if old.as_ref() != Some(new) => Some(billing::period_end(new, account.now, 1)),
        _ => None,
    };
    let same = |a: &Item, b: &Item| (&a.id, &a.price, a.quantity) == (&b.id, &b.price, b.quantity);
    let is_among = |item: &Item, items: &[Item]| items.iter().any(|other| same(item, other));
    let is_changed = items.len() != before.len() || !items.iter().all(|item| is_among(item, &before));
    let mut change = Change { items: items.to_vec(), lines: vec![], anew, proration };
    let is_made_up_for = proration != Proration::None || anew.is_some();
    if !is_changed || subscription.status == "trialing" || !is_made_up_for {
        return Ok(change);
    }
    if at < period.0 || at > period.1 {
        let message = "The proration date must be within the current subscription period.";
        return Err(ApiError::invalid("proration_date", message));
    }
    let (left, whole) = (i128::from(period.1 - at), i128::from((period.1 - period.0).max(1)));
    let part = |amount: i64| i64::try_from(i128::from(amount) * left / whole).unwrap_or_default();
    let mut lines = Vec::new();
    for item in before.iter().filter(|item| anew.is_some() || !is_among(item, items)) {
        let Some(price) = account.prices.get(&item.price) else { continue };
        let amount = -part(price.unit_amount * item.quantity);
        lines.push((format!("Unused time on {}", price.product), amount, (at, period.1), item.clone()));
    }
    for item in items.iter().filter(|item| anew.is_some() || !is_among(item, &before)) {
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
            is_proration: true,
        })
        .collect();
    Ok(change)
}

impl Change {
    /// Gives the subscription its items; says what the invoice of that has, if it is made at once.
    pub fn apply(self, subscription: &mut Subscription, now: i64) -> Vec<Line> {
        subscription.items = self.items;
        if self.proration == Proration::Pending && self.anew.is_none() {
            subscription.pending.extend(self.lines);
            return Vec::new();
        }
        if let Some(end) = self.anew.filter(|_| subscription.status != "trialing") {
            (subscription.anchor, subscription.n_periods, subscription.period) = (now, 1, (now, end));
        }
        self.lines
    }
}

/// Makes the invoice of a change that was applied, and has it paid; whether there is one.
pub fn invoice(account: &mut Account, id: &str, lines: Vec<Line>) -> bool {
    if lines.is_empty() {
        return false;
    }
    let mut lines = lines;
    lines.extend(payments::take_pending(account, id));
    let Some(subscription) = account.subscriptions.get(id) else { return false };
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
        reason: payments::UPDATE,
        is_retried: true,
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
    let proration = Proration::take(&mut details)?;
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
    let invoice = if proration == Proration::None {
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
                is_proration: false,
            })
        });
        of(account, subscription, lines.collect())
    } else {
        let now = account.now;
        let mut lines = change(account, &id, &items, Proration::Invoiced, date.unwrap_or(now))?.lines;
        let subscription = account.subscriptions.find(&id, "subscription")?;
        lines.extend(subscription.pending.iter().cloned());
        of(account, subscription, lines)
    };
    let credit = account.customers.get(&invoice.customer).map_or(0, |customer| customer.balance);
    let left = (credit + invoice.total()).min(0);
    let mut shown = Invoice { balance: Some((credit, left)), ..invoice }.render(account);
    shown["created"] = json!(account.now);
    Ok(shown)
}
