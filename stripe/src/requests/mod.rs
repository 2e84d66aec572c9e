//! What is asked of Stripe, an object a file. Each function gives a [`Request`]: bytes, and the type of the answer.
//!
//! Typed parameters are async-stripe's; by hand are the few things that it cannot say (an empty value, which unsets) and the
//! objects that would cost more to compile than to write. A list asks for [`MAX_PER_PAGE`] at once, newest first; a
//! [`crate::Pager`] goes through it.

pub mod account;
pub mod billing_portal;
pub mod charges;
pub mod checkout;
pub mod coupons;
pub mod customers;
pub mod disputes;
pub mod events;
pub mod invoice_payments;
pub mod invoices;
pub mod prices;
pub mod products;
pub mod refunds;
pub mod subscription_schedules;
pub mod subscriptions;

use std::collections::{BTreeMap, HashMap};

use stripe_client_core::{RequestBuilder, StripeMethod, StripeRequest};
use stripe_types::{RangeBoundsTs, RangeQueryTs};

use crate::request::{API_VERSION, Method, Request, StoredRequest, encoded};

/// The most that Stripe gives on one page.
pub const MAX_PER_PAGE: i64 = 100;

/// Names and values that Stripe keeps with an object and gives back: up to 50, names of up to 40 characters, values of up to
/// 500. An empty value removes the name.
pub type Metadata = BTreeMap<String, String>;

/// When an object was made, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Created {
    /// Then or later.
    pub from: Option<i64>,
    /// Earlier than then.
    pub before: Option<i64>,
}

impl Created {
    fn range(self) -> Option<RangeQueryTs> {
        let is_any = self == Self::default();
        let bounds = RangeBoundsTs { gte: self.from, lt: self.before, ..RangeBoundsTs::default() };
        (!is_any).then_some(RangeQueryTs::Bounds(bounds))
    }
}

/// A request of async-stripe's, as bytes.
fn typed<T>(request: &impl StripeRequest) -> Request<T> {
    stored(request.build())
}

/// A read by hand.
fn get<T>(path: String, query: &[(&str, &str)]) -> Request<T> {
    let query = (!query.is_empty()).then(|| pairs(query));
    stored(RequestBuilder { query, ..RequestBuilder::new(StripeMethod::Get, path) })
}

/// A write by hand. An empty value unsets.
fn post<T>(path: String, form: &[(&str, &str)]) -> Request<T> {
    stored(RequestBuilder { body: Some(pairs(form)), ..RequestBuilder::new(StripeMethod::Post, path) })
}

fn stored<T>(request: RequestBuilder) -> Request<T> {
    let method = match request.method {
        StripeMethod::Get => Method::Get,
        StripeMethod::Post => Method::Post,
        StripeMethod::Delete => Method::Delete,
    };
    let path = format!("/v1{}", request.path);
    let (query, body) = (sorted(request.query), sorted(request.body));
    Request::new(StoredRequest { method, path, query, body, version: API_VERSION.to_owned() })
}

/// Sorts parameters, so that the same input always gives the same bytes: metadata comes in no order. The items of lists
/// are numbered, so nothing is lost.
fn sorted(parameters: Option<String>) -> Option<String> {
    let parameters = parameters.filter(|parameters| !parameters.is_empty())?;
    let mut pairs: Vec<&str> = parameters.split('&').collect();
    pairs.sort_unstable();
    Some(pairs.join("&"))
}

fn pairs(pairs: &[(&str, &str)]) -> String {
    let encode = |(name, value): &(&str, &str)| format!("{}={}", encoded(name), encoded(value));
    pairs.iter().map(encode).collect::<Vec<_>>().join("&")
}

/// An id as a segment of a path. async-stripe puts ids into paths as they are.
fn segment(id: &str) -> String {
    encoded(id)
}

fn hashed(metadata: &Metadata) -> HashMap<String, String> {
    metadata.clone().into_iter().collect()
}

fn expanding(paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_do_not_change_from_call_to_call() {
        let metadata: Metadata = (0..20).map(|n| (format!("name_{n}"), format!("värde & {n}"))).collect();
        let new = customers::NewCustomer { email: "ann+1@example.org", name: Some("Ann"), metadata: &metadata };
        let first = customers::create(&new);
        for _ in 0..20 {
            assert_eq!(customers::create(&new).stored(), first.stored());
        }
        assert!(first.stored().body.as_deref().unwrap().starts_with("email=ann%2B1@example.org&metadata[name_0]="));
    }

    #[test]
    fn an_id_stays_one_segment() {
        for (id, path) in [
            ("sub_1", "/v1/subscriptions/sub_1"),
            ("a/../b?c#d%2F", "/v1/subscriptions/a%2F..%2Fb%3Fc%23d%252F"),
            ("", "/v1/subscriptions/"),
        ] {
            assert_eq!(subscriptions::get(id).stored().path, path);
        }
    }
}
