//! `/v1/coupons`, and the discounts that come of them.

use serde_json::{Value, json};

use crate::{
    account::Account,
    error::{ApiError, Result},
    form::{Metadata, Params},
    table::{Page, Record},
};

/// A coupon.
#[derive(Debug)]
pub struct Coupon {
    id: String,
    created: i64,
    name: Option<String>,
    percent_off: Option<f64>,
    amount_off: Option<i64>,
    currency: Option<String>,
    duration: String,
    duration_in_months: Option<i64>,
    max_redemptions: Option<i64>,
    redeem_by: Option<i64>,
    times_redeemed: i64,
    metadata: Metadata,
}

impl Coupon {
    /// What it takes off an amount.
    pub fn off(&self, amount: i64) -> i64 {
        let off = match (self.percent_off, self.amount_off) {
            (Some(percent), _) => (amount as f64 * percent / 100.0).round() as i64,
            (None, off) => off.unwrap_or(0),
        };
        off.clamp(0, amount)
    }

    /// Whether it may be redeemed now.
    pub fn valid(&self, now: i64) -> bool {
        self.max_redemptions.is_none_or(|most| self.times_redeemed < most) && self.redeem_by.is_none_or(|by| now <= by)
    }
}

impl Record for Coupon {
    const WHAT: &'static str = "coupon";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn render(&self, account: &Account) -> Value {
        json!({
            "id": self.id,
            "object": "coupon",
            "amount_off": self.amount_off,
            "created": self.created,
            "currency": self.currency,
            "duration": self.duration,
            "duration_in_months": self.duration_in_months,
            "livemode": false,
            "max_redemptions": self.max_redemptions,
            "metadata": self.metadata,
            "name": self.name,
            "percent_off": self.percent_off,
            "redeem_by": self.redeem_by,
            "times_redeemed": self.times_redeemed,
            "valid": self.valid(account.now),
        })
    }
}

/// A coupon as it was redeemed for a subscription or a checkout.
#[derive(Debug, Clone)]
pub struct Discount {
    /// `di_…`.
    pub id: String,
    /// What was redeemed.
    pub coupon: String,
    start: i64,
    end: Option<i64>,
    once: bool,
    used: bool,
}

impl Discount {
    /// Redeems a coupon.
    pub fn redeem(account: &mut Account, coupon: &str) -> Result<Self> {
        let now = account.now;
        let id = account.rng.id("di");
        let Some(found) = account.coupons.get_mut(coupon) else {
            return Err(ApiError::no_such("coupon", coupon, "discounts[0][coupon]"));
        };
        if !found.valid(now) {
            return Err(
                ApiError::request(400, format!("Coupon {coupon} is used up or expired.")).code("coupon_expired")
            );
        }
        found.times_redeemed += 1;
        let end = found.duration_in_months.map(|months| crate::billing::months_after(now, months));
        Ok(Self { id, coupon: coupon.to_owned(), start: now, end, once: found.duration == "once", used: false })
    }

    /// What it takes off an amount, and that it has.
    pub fn take(&mut self, account: &Account, amount: i64) -> i64 {
        if (self.once && self.used) || self.end.is_some_and(|end| account.now >= end) {
            return 0;
        }
        self.used = true;
        account.coupons.get(&self.coupon).map_or(0, |coupon| coupon.off(amount))
    }

    /// It as the API gives it when it is expanded.
    pub fn render(&self, customer: &str, subscription: Option<&str>) -> Value {
        json!({
            "id": self.id,
            "object": "discount",
            "checkout_session": null,
            "customer": customer,
            "customer_account": null,
            "end": self.end,
            "invoice": null,
            "invoice_item": null,
            "promotion_code": null,
            "source": { "coupon": self.coupon, "type": "coupon" },
            "start": self.start,
            "subscription": subscription,
            "subscription_item": null,
        })
    }
}

/// `POST /v1/coupons`
pub fn create(account: &mut Account, mut params: Params) -> Result<Value> {
    let coupon = Coupon {
        id: params.text("id")?.unwrap_or_default(),
        created: account.now,
        name: params.text("name")?,
        percent_off: params.number("percent_off")?,
        amount_off: params.int("amount_off")?,
        currency: params.text("currency")?.map(super::prices::currency).transpose()?,
        duration: params.word("duration", &["forever", "once", "repeating"])?.unwrap_or_else(|| "once".into()),
        duration_in_months: params.int("duration_in_months")?,
        max_redemptions: params.int("max_redemptions")?,
        redeem_by: params.int("redeem_by")?,
        times_redeemed: 0,
        metadata: params.metadata("metadata")?.fresh(),
    };
    params.finish()?;
    if coupon.percent_off.is_some() == coupon.amount_off.is_some() {
        return Err(ApiError::invalid(
            "percent_off",
            "You must provide either a percent_off or amount_off, but not both.",
        ));
    }
    if coupon.percent_off.is_some_and(|percent| !(percent > 0.0 && percent <= 100.0)) {
        return Err(ApiError::invalid("percent_off", "Invalid percent_off: must be above 0 and at most 100"));
    }
    if coupon.amount_off.is_some() && coupon.currency.is_none() {
        return Err(ApiError::missing("currency"));
    }
    if (coupon.duration == "repeating") != coupon.duration_in_months.is_some() {
        return Err(ApiError::missing("duration_in_months"));
    }
    if account.coupons.get(&coupon.id).is_some() {
        return Err(ApiError::request(400, "Coupon already exists.").code("resource_already_exists"));
    }
    let id = if coupon.id.is_empty() { account.rng.letters(8) } else { coupon.id.clone() };
    let coupon = Coupon { id, ..coupon };
    let shown = coupon.render(account);
    account.coupons.insert(coupon);
    account.emit("coupon.created", &shown, None);
    Ok(shown)
}

/// `GET /v1/coupons/{id}`
pub fn get(account: &Account, id: &str) -> Result<Value> {
    Ok(account.coupons.find(id, "id")?.render(account))
}

/// `GET /v1/coupons`
pub fn list(account: &Account, mut params: Params) -> Result<Value> {
    let page = Page::take(&mut params)?;
    params.finish()?;
    page.list(account, &account.coupons, None, "/v1/coupons", |_| true)
}

/// The one coupon of a parameter `discounts[0][coupon]`.
pub fn take_discounts(params: &mut Params) -> Result<Option<String>> {
    let Some(Some(mut discounts)) = params.branches("discounts")? else { return Ok(None) };
    if discounts.len() > 1 {
        return Err(ApiError::invalid("discounts", "stripe-fake models one discount."));
    }
    let Some(mut discount) = discounts.pop() else { return Ok(None) };
    let coupon = discount.required("coupon")?;
    discount.finish()?;
    Ok(Some(coupon))
}
