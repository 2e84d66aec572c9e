//! Keys: whose they are and what restricted ones may do.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use crate::error::{ApiError, Result};

/// A key of an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// `sk_test_…` or `rk_test_…`.
    pub key: String,
    /// Whose it is.
    pub account: String,
    /// What a restricted key may do, such as `rak_subscription_write`, which has reading in it; `None` is everything.
    #[serde(default)]
    pub permissions: Option<BTreeSet<String>>,
}

impl Key {
    /// Refuses what the key may not do.
    pub fn check(&self, method: &str, path: &str, account: &str) -> Result<()> {
        let Some(permissions) = &self.permissions else { return Ok(()) };
        let Some(needed) = permission(method, path) else { return Ok(()) };
        let write = needed.strip_suffix("_read").map(|start| format!("{start}_write"));
        if permissions.contains(&needed) || write.is_some_and(|write| permissions.contains(&write)) {
            return Ok(());
        }
        let message = format!(
            "The provided key '{}' does not have the required permissions for this endpoint on account '{account}'. Having the '{needed}' permission would allow this request to continue.",
            redacted(&self.key),
        );
        Err(ApiError { before: true, ..ApiError::request(403, message) })
    }
}

/// The key that a request has: as a bearer, or as the user of basic authentication.
pub fn of_header(header: Option<&str>) -> Option<String> {
    let (scheme, value) = header?.split_once(' ')?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Some(value.trim().to_owned()),
        "basic" => {
            let text = String::from_utf8(BASE64_STANDARD.decode(value.trim()).ok()?).ok()?;
            Some(text.split_once(':').map_or(text.clone(), |(user, _)| user.to_owned()))
        }
        _ => None,
    }
}

/// A request without a key, or with one that nobody has.
pub fn refused(key: Option<&str>) -> ApiError {
    let message = match key {
        Some(key) => format!("Invalid API Key provided: {}", redacted(key)),
        None => "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').".into(),
    };
    ApiError { before: true, ..ApiError::request(401, message) }
}

/// A key that may not act for an account.
pub fn no_access(key: &str, account: &str) -> ApiError {
    let message = format!(
        "The provided key '{}' does not have access to account '{account}' (or that account does not exist). Application access may have been revoked.",
        redacted(key),
    );
    ApiError { before: true, ..ApiError::request(403, message) }.code("account_invalid")
}

/// As Stripe shows keys.
fn redacted(key: &str) -> String {
    let ends = key.len().checked_sub(4).and_then(|at| key.get(at..)).unwrap_or_default();
    let begins = key.get(..8).unwrap_or_default();
    format!("{begins}{}{ends}", "*".repeat(key.len().saturating_sub(12)))
}

/// What an address needs.
fn permission(method: &str, path: &str) -> Option<String> {
    let mut parts = path.strip_prefix("/v1/")?.split('/');
    let what = match parts.next()? {
        "account" | "accounts" => return Some("rak_accounts_kyc_basic_read".into()),
        "products" => "product",
        // Prices came after plans and kept their permission.
        "prices" => "plan",
        "customers" => "customer",
        "coupons" => "coupon",
        "checkout" => "checkout_session",
        "billing_portal" => "customer_portal",
        "subscriptions" | "subscription_schedules" => "subscription",
        // A preview writes nothing.
        "invoices" if path.ends_with("/create_preview") => return Some("rak_invoice_read".into()),
        "invoices" | "invoice_payments" => "invoice",
        "charges" | "refunds" => "charge",
        "disputes" => "dispute",
        "payment_intents" => "payment_intent",
        "events" => "event",
        "webhook_endpoints" => "webhook",
        _ => return None,
    };
    Some(format!("rak_{what}_{}", if method == "GET" { "read" } else { "write" }))
}
