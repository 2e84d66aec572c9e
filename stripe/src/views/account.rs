//! Accounts.

use serde::Deserialize;

use super::lenient::flag;

/// An account at Stripe.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Account {
    /// `acct_…`.
    pub id: String,
    /// Whether it can take money.
    #[serde(default, deserialize_with = "flag")]
    pub charges_enabled: bool,
    /// Whether its owner has told Stripe all it wants to know.
    #[serde(default, deserialize_with = "flag")]
    pub details_submitted: bool,
    /// Where it is, such as `DE`.
    pub country: Option<String>,
    /// What it is paid out in, in small letters.
    pub default_currency: Option<String>,
    /// What its owner tells of the business.
    pub business_profile: Option<BusinessProfile>,
}

/// What the owner of an account tells of the business.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BusinessProfile {
    /// Its name, which customers see.
    pub name: Option<String>,
}
