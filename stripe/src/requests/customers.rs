//! Customers: who pays.

use stripe_core::customer::{CreateCustomer, ListCustomer, RetrieveCustomer, UpdateCustomer};

use super::{MAX_PER_PAGE, Metadata, hashed, segment, typed};
use crate::request::Request;
use crate::views::{Customer, Page};

/// A customer to make.
#[derive(Clone)]
pub struct NewCustomer<'a> {
    /// Where invoices go.
    pub email: &'a str,
    /// Their name.
    pub name: Option<&'a str>,
    /// What to keep with them.
    pub metadata: &'a Metadata,
}

/// What to change of a customer; nothing is left as it is.
#[derive(Clone, Default)]
pub struct CustomerChange<'a> {
    /// Where invoices go.
    pub email: Option<&'a str>,
    /// Their name. An empty one removes it.
    pub name: Option<&'a str>,
    /// What to keep with them besides.
    pub metadata: Option<&'a Metadata>,
}

/// Makes a customer.
pub fn create(new: &NewCustomer<'_>) -> Request<Customer> {
    let mut request = CreateCustomer::new().email(new.email);
    if let Some(name) = new.name.filter(|name| !name.is_empty()) {
        request = request.name(name);
    }
    if !new.metadata.is_empty() {
        request = request.metadata(hashed(new.metadata));
    }
    typed(&request)
}

/// Changes a customer.
pub fn update(id: &str, change: &CustomerChange<'_>) -> Request<Customer> {
    let mut request = UpdateCustomer::new(segment(id));
    if let Some(email) = change.email {
        request = request.email(email);
    }
    if let Some(name) = change.name {
        request = request.name(name);
    }
    if let Some(metadata) = change.metadata {
        request = request.metadata(hashed(metadata));
    }
    typed(&request)
}

/// One customer; a deleted one says so.
pub fn get(id: &str) -> Request<Customer> {
    typed(&RetrieveCustomer::new(segment(id)))
}

/// The customers with an address. Stripe compares it letter for letter, capitals too.
pub fn with_email(email: &str) -> Request<Page<Customer>> {
    typed(&ListCustomer::new().email(email).limit(MAX_PER_PAGE))
}

/// All customers.
pub fn list() -> Request<Page<Customer>> {
    typed(&ListCustomer::new().limit(MAX_PER_PAGE))
}
