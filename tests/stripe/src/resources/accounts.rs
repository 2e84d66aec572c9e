//! `/v1/account`: whose key it is.

use serde_json::{Value, json};

use crate::{account::Account, error::Result, form::Params};

/// `GET /v1/account` and `GET /v1/accounts/{id}`
pub fn get(account: &Account, params: Params) -> Result<Value> {
    params.finish()?;
    Ok(json!({
        "id": account.id,
        "object": "account",
        "business_profile": {
            "annual_revenue": null,
            "estimated_worker_count": null,
            "mcc": null,
            "minority_owned_business_designation": null,
            "name": "Stripe fake",
            "product_description": null,
            "support_address": null,
            "support_email": null,
            "support_phone": null,
            "support_url": null,
            "url": null,
        },
        "business_type": null,
        "capabilities": { "card_payments": "active", "transfers": "active" },
        "charges_enabled": true,
        "controller": { "type": "account" },
        "country": account.country,
        "created": 1_700_000_000,
        "default_currency": account.currency,
        "details_submitted": true,
        "email": "owner@stripe-fake.example",
        "external_accounts": {
            "object": "list",
            "data": [],
            "has_more": false,
            "url": format!("/v1/accounts/{}/external_accounts", account.id),
        },
        "metadata": {},
        "payouts_enabled": true,
        "settings": {
            "branding": { "icon": null, "logo": null, "primary_color": null, "secondary_color": null },
            "card_payments": {
                "decline_on": { "avs_failure": false, "cvc_failure": false },
                "statement_descriptor_prefix": null,
                "statement_descriptor_prefix_kana": null,
                "statement_descriptor_prefix_kanji": null,
            },
            "dashboard": { "display_name": "Stripe fake", "timezone": "Etc/UTC" },
            "payments": {
                "statement_descriptor": null,
                "statement_descriptor_kana": null,
                "statement_descriptor_kanji": null,
            },
        },
        "type": "standard",
    }))
}
