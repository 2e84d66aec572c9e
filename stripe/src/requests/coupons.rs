//! Coupons.

use super::{get, segment};
use crate::request::Request;
use crate::views::Coupon;

/// One coupon.
pub fn get_one(id: &str) -> Request<Coupon> {
    get(format!("/coupons/{}", segment(id)), &[])
}
