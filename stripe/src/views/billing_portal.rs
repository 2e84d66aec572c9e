//! Billing portal sessions.

use serde::Deserialize;

use super::{Customer, Ref};
use crate::private::Private;

/// A page on which a customer changes a card.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PortalSession {
    /// `bps_…`.
    pub id: String,
    /// Where the page is. Whoever has the address is taken for the customer.
    pub url: Option<Private<String>>,
    /// Whose it is.
    pub customer: Option<Ref<Customer>>,
    /// When it was made.
    pub created: Option<i64>,
}
