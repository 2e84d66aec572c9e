//! `/v1/prices`. What a price is never changes; it can be archived and renamed.

use serde_json::{Value, json};

use crate::{
    account::Account,
    error::{ApiError, Result},
    form::{Metadata, Params, patch},
    table::{Page, Record},
};

/// A price.
#[derive(Debug, Clone)]
pub struct Price {
    /// `price_…`.
    pub id: String,
    /// When it was made.
    pub created: i64,
    /// What it is a price of.
    pub product: String,
    /// Three small letters.
    pub currency: String,
    /// In the smallest unit of the currency.
    pub unit_amount: i64,
    /// How often it recurs; `None` is `one_time`.
    pub recurring: Option<Recurring>,
    active: bool,
    lookup_key: Option<String>,
    nickname: Option<String>,
    metadata: Metadata,
    tax_behavior: String,
}

/// How often a price recurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurring {
    /// `day`, `week`, `month` or `year`.
    pub interval: String,
    /// Every how many of them.
    pub count: u32,
    trial_days: Option<i64>,
}

impl Default for Recurring {
    fn default() -> Self {
        Self { interval: "month".into(), count: 1, trial_days: None }
    }
}

impl Price {
    /// A price of so much a month.
    pub fn monthly(id: String, product: &str, currency: &str, unit_amount: i64, now: i64) -> Self {
        Self {
            id,
            created: now,
            product: product.to_owned(),
            currency: currency.to_owned(),
            unit_amount,
            recurring: Some(Recurring::default()),
            active: true,
            lookup_key: None,
            nickname: None,
            metadata: Metadata::new(),
            tax_behavior: "unspecified".into(),
        }
    }

    /// Whether it may be bought.
    pub fn active(&self) -> bool {
        self.active
    }

    /// The `plan` that items of subscriptions still have next to their price.
    pub fn plan(&self) -> Value {
        let recurring = self.recurring.as_ref();
        json!({
            "id": self.id,
            "object": "plan",
            "active": self.active,
            "amount": self.unit_amount,
            "amount_decimal": self.unit_amount.to_string(),
            "billing_scheme": "per_unit",
            "created": self.created,
            "currency": self.currency,
            "interval": recurring.map_or("month", |recurring| &recurring.interval),
            "interval_count": recurring.map_or(1, |recurring| recurring.count),
            "livemode": false,
            "metadata": self.metadata,
            "meter": null,
            "nickname": self.nickname,
            "product": self.product,
            "tiers_mode": null,
            "transform_usage": null,
            "trial_period_days": recurring.and_then(|recurring| recurring.trial_days),
            "usage_type": "licensed",
        })
    }
}

impl Record for Price {
    const WHAT: &'static str = "price";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn owner(&self) -> Option<&str> {
        Some(&self.product)
    }

    fn render(&self, _: &Account) -> Value {
        let recurring = self.recurring.as_ref().map(|recurring| {
            json!({
                "interval": recurring.interval,
                "interval_count": recurring.count,
                "meter": null,
                "trial_period_days": recurring.trial_days,
                "usage_type": "licensed",
            })
        });
        json!({
            "id": self.id,
            "object": "price",
            "active": self.active,
            "billing_scheme": "per_unit",
            "created": self.created,
            "currency": self.currency,
            "custom_unit_amount": null,
            "livemode": false,
            "lookup_key": self.lookup_key,
            "metadata": self.metadata,
            "nickname": self.nickname,
            "product": self.product,
            "recurring": recurring,
            "tax_behavior": self.tax_behavior,
            "tiers_mode": null,
            "transform_quantity": null,
            "type": if self.recurring.is_some() { "recurring" } else { "one_time" },
            "unit_amount": self.unit_amount,
            "unit_amount_decimal": self.unit_amount.to_string(),
        })
    }
}

/// `POST /v1/prices`
pub fn create(account: &mut Account, mut params: Params) -> Result<Value> {
    let currency = currency(params.required("currency")?)?;
    let product = params.required("product")?;
    let unit_amount = params.int("unit_amount")?.ok_or_else(|| ApiError::missing("unit_amount"))?;
    if unit_amount < 0 {
        let error = ApiError::invalid("unit_amount", "Invalid non-negative integer");
        return Err(error.code("parameter_invalid_integer"));
    }
    let recurring = params.branch("recurring")?.flatten().map(take_recurring).transpose()?;
    let transfer = params.boolean("transfer_lookup_key")?.unwrap_or(false);
    let price = Price {
        id: String::new(),
        created: account.now,
        product,
        currency,
        unit_amount,
        recurring,
        active: params.boolean("active")?.unwrap_or(true),
        lookup_key: params.text("lookup_key")?,
        nickname: params.text("nickname")?,
        metadata: params.metadata("metadata")?.fresh(),
        tax_behavior: params
            .word("tax_behavior", &["exclusive", "inclusive", "unspecified"])?
            .unwrap_or_else(|| "unspecified".into()),
    };
    params.word("billing_scheme", &["per_unit"])?;
    params.finish()?;
    account.products.find(&price.product, "product")?;
    free_lookup_key(account, price.lookup_key.as_deref(), "", transfer)?;
    let price = Price { id: account.rng.id("price"), ..price };
    let shown = price.render(account);
    account.prices.insert(price);
    account.emit("price.created", &shown, None);
    Ok(shown)
}

/// `POST /v1/prices/{id}`
pub fn update(account: &mut Account, id: &str, mut params: Params) -> Result<Value> {
    let active = params.boolean("active")?;
    let lookup_key = params.patch("lookup_key")?;
    let nickname = params.patch("nickname")?;
    let metadata = params.metadata("metadata")?;
    let transfer = params.boolean("transfer_lookup_key")?.unwrap_or(false);
    params.finish()?;
    let before = account.prices.find(id, "id")?.render(account);
    free_lookup_key(account, lookup_key.as_ref().and_then(Option::as_deref), id, transfer)?;
    if let Some(price) = account.prices.get_mut(id) {
        price.active = active.unwrap_or(price.active);
        patch(&mut price.lookup_key, lookup_key);
        patch(&mut price.nickname, nickname);
        metadata.apply(&mut price.metadata);
    }
    let after = account.shown(|account| &account.prices, id);
    account.emit_change("price.updated", &before, &after);
    Ok(after)
}

/// `GET /v1/prices/{id}`
pub fn get(account: &Account, id: &str) -> Result<Value> {
    Ok(account.prices.find(id, "id")?.render(account))
}

/// `GET /v1/prices`
pub fn list(account: &Account, mut params: Params) -> Result<Value> {
    let page = Page::take(&mut params)?;
    let active = params.boolean("active")?;
    let product = params.text("product")?;
    let lookup_keys = params.list("lookup_keys")?;
    let currency = params.text("currency")?;
    let kind = params.word("type", &["one_time", "recurring"])?;
    params.finish()?;
    page.list(account, &account.prices, product.as_deref(), "/v1/prices", |price| {
        active.is_none_or(|active| price.active == active)
            && currency.as_ref().is_none_or(|currency| price.currency == *currency)
            && kind.as_ref().is_none_or(|kind| price.recurring.is_some() == (kind == "recurring"))
            && (lookup_keys.is_empty() || price.lookup_key.as_ref().is_some_and(|key| lookup_keys.contains(key)))
    })
}

/// Three letters, which Stripe makes small.
pub fn currency(text: String) -> Result<String> {
    let small = text.to_ascii_lowercase();
    if small.len() == 3 && small.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(small);
    }
    Err(ApiError::invalid("currency", format!("Invalid currency: {text}.")))
}

fn take_recurring(mut params: Params) -> Result<Recurring> {
    let interval = params.word("interval", &["day", "week", "month", "year"])?;
    let interval = interval.ok_or_else(|| ApiError::missing("recurring[interval]"))?;
    let count = params.int("interval_count")?.unwrap_or(1);
    let trial_days = params.int("trial_period_days")?;
    params.word("usage_type", &["licensed"])?;
    params.finish()?;
    // Stripe: three years at most.
    let most = match interval.as_str() {
        "day" => 1095,
        "week" => 156,
        "month" => 36,
        _ => 3,
    };
    match u32::try_from(count) {
        Ok(count @ 1..) if count <= most => Ok(Recurring { interval, count, trial_days }),
        _ => Err(ApiError::invalid("recurring[interval_count]", "Interval must be between 1 day and 3 years")),
    }
}

/// A lookup key belongs to one price of an account at a time.
fn free_lookup_key(account: &mut Account, key: Option<&str>, but: &str, transfer: bool) -> Result<()> {
    let Some(key) = key else { return Ok(()) };
    let holder = account.prices.iter().find(|price| price.lookup_key.as_deref() == Some(key) && price.id != but);
    let Some(holder) = holder.map(|price| price.id.clone()) else { return Ok(()) };
    if !transfer {
        let message = format!("A price (`{holder}`) already uses that lookup key.");
        return Err(ApiError { param: Some("lookup_key".into()), ..ApiError::request(400, message) });
    }
    if let Some(price) = account.prices.get_mut(&holder) {
        price.lookup_key = None;
    }
    Ok(())
}
