//! Coupons.

use serde::Deserialize;

use super::lenient::flag;

/// What takes something off a price.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Coupon {
    /// Its id, which may be a word of the owner's.
    pub id: String,
    /// Its name, which customers see.
    pub name: Option<String>,
    /// Whether it can still be used.
    #[serde(default, deserialize_with = "flag")]
    pub valid: bool,
    /// How much it takes off, if an amount.
    pub amount_off: Option<i64>,
    /// Of what, in small letters.
    pub currency: Option<String>,
    /// How much it takes off, if a part: 25.5 is 25.5 %.
    pub percent_off: Option<f64>,
    /// `once`, `repeating` or `forever`.
    pub duration: Option<String>,
    /// For how many months, if `repeating`.
    pub duration_in_months: Option<i64>,
    /// Until when it can be used.
    pub redeem_by: Option<i64>,
    /// Whether it is of real money.
    pub livemode: Option<bool>,
}
