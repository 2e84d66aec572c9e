//! Prices: what a product costs, once or every so many months or years. An amount and a period never change.

use std::str::FromStr;

use stripe_product::price::{
    CreatePrice, CreatePriceRecurring, CreatePriceRecurringInterval, ListPrice, RetrievePrice, UpdatePrice,
};
use stripe_types::Currency;

use super::{MAX_PER_PAGE, Metadata, expanding, hashed, segment, typed};
use crate::money::Money;
use crate::request::Request;
use crate::views::{Page, Price};

/// A price to make.
#[derive(Clone, Debug)]
pub struct NewPrice<'a> {
    /// Of what.
    pub product: &'a str,
    /// How much.
    pub price: Money,
    /// How often.
    pub every: Every,
    /// A name for it that no other price of the account has, by which it is found again; up to 200 characters.
    pub lookup_key: &'a str,
    /// What to keep with it.
    pub metadata: &'a Metadata,
}

/// How often something is paid. Stripe allows periods of up to three years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// Only once.
    Once,
    /// Every so many months.
    Months(u16),
    /// Every so many years.
    Years(u16),
}

/// Makes a price.
pub fn create(new: &NewPrice<'_>) -> Request<Price> {
    let mut request = CreatePrice::new(currency(new.price.currency))
        .product(new.product)
        .unit_amount(new.price.amount)
        .lookup_key(new.lookup_key);
    let recurring = |interval, count: u16| {
        let mut recurring = CreatePriceRecurring::new(interval);
        recurring.interval_count = Some(count.into());
        recurring
    };
    match new.every {
        Every::Once => {}
        Every::Months(count) => request = request.recurring(recurring(CreatePriceRecurringInterval::Month, count)),
        Every::Years(count) => request = request.recurring(recurring(CreatePriceRecurringInterval::Year, count)),
    }
    if !new.metadata.is_empty() {
        request = request.metadata(hashed(new.metadata));
    }
    typed(&request)
}

/// Says whether it can be bought. Who has bought it keeps it.
pub fn set_active(id: &str, active: bool) -> Request<Price> {
    typed(&UpdatePrice::new(segment(id)).active(active))
}

/// One price, with its product.
pub fn get(id: &str) -> Request<Price> {
    typed(&RetrievePrice::new(segment(id)).expand(expanding(&["product"])))
}

/// Which prices.
#[derive(Clone, Debug, Default)]
pub struct PriceFilter<'a> {
    /// Of this product.
    pub product: Option<&'a str>,
    /// With this lookup key: one, or none.
    pub lookup_key: Option<&'a str>,
    /// Those that can be bought, or those that cannot.
    pub active: Option<bool>,
}

/// Prices, with their products.
pub fn list(filter: &PriceFilter<'_>) -> Request<Page<Price>> {
    let mut request = ListPrice::new().limit(MAX_PER_PAGE).expand(expanding(&["data.product"]));
    if let Some(product) = filter.product {
        request = request.product(product);
    }
    if let Some(key) = filter.lookup_key {
        request = request.lookup_keys(vec![key.to_owned()]);
    }
    if let Some(active) = filter.active {
        request = request.active(active);
    }
    typed(&request)
}

fn currency(currency: crate::money::Currency) -> Currency {
    let code = currency.stripe_code();
    Currency::from_str(&code).unwrap_or(Currency::Unknown(code))
}
