//! Products.

use serde::Deserialize;

use super::lenient::{flag, or_default};
use super::{Metadata, Price, Ref};

/// What is sold.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Product {
    /// Its id, `prod_…` or a word of the owner's.
    pub id: String,
    /// Whether it has been deleted, and nothing but the id is left.
    #[serde(default, deserialize_with = "flag")]
    pub deleted: bool,
    /// Its name, which customers see.
    pub name: Option<String>,
    /// Its description, which customers see.
    pub description: Option<String>,
    /// Whether it can be bought.
    #[serde(default, deserialize_with = "flag")]
    pub active: bool,
    /// The price that it is bought at unless another is chosen.
    pub default_price: Option<Ref<Price>>,
    /// When it was made.
    pub created: Option<i64>,
    /// What was kept with it.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
    /// Whether it is about real money.
    pub livemode: Option<bool>,
}
