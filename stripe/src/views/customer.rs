//! Customers.

use serde::Deserialize;

use super::Metadata;
use super::lenient::{flag, or_default};
use crate::private::Private;

/// Who pays.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Customer {
    /// `cus_…`.
    pub id: String,
    /// Whether it has been deleted, and nothing but the id is left.
    #[serde(default, deserialize_with = "flag")]
    pub deleted: bool,
    /// Where invoices go.
    pub email: Option<Private<String>>,
    /// Their name.
    pub name: Option<Private<String>>,
    /// When they were made.
    pub created: Option<i64>,
    /// What was kept with them.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
    /// Whether it is about real money.
    pub livemode: Option<bool>,
}
