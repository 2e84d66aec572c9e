//! The resources of the API, one file each: what an object is, how it is shown and what its addresses do.

pub mod accounts;
pub mod charges;
pub mod coupons;
pub mod customers;
pub mod disputes;
pub mod endpoints;
pub mod events;
pub mod invoice_payments;
pub mod invoice_writes;
pub mod invoices;
pub mod pauses;
pub mod payment_intents;
pub mod plan_changes;
pub mod portal_sessions;
pub mod prices;
pub mod products;
pub mod refunds;
pub mod schedules;
pub mod session_writes;
pub mod sessions;
pub mod subscription_params;
pub mod subscription_writes;
pub mod subscriptions;

use serde_json::Value;

use crate::{
    account::Account,
    error::{ApiError, Result},
    form::Params,
};

/// Does what a request asks for. `path` is what comes after `/v1/`.
pub fn call(account: &mut Account, method: &str, path: &[&str], params: Params) -> Result<Value> {
    match path {
        ["products" | "prices" | "coupons" | "customers", ..] => catalog(account, method, path, params),
        ["checkout", "sessions", rest @ ..] => checkout(account, method, rest, params),
        ["subscriptions", rest @ ..] => subscription(account, method, rest, params),
        ["subscription_schedules", rest @ ..] => schedule(account, method, rest, params),
        ["webhook_endpoints", rest @ ..] => endpoint(account, method, rest, params),
        _ => payment(account, method, path, params),
    }
}

fn catalog(account: &mut Account, method: &str, path: &[&str], params: Params) -> Result<Value> {
    match (method, path) {
        ("POST", ["products"]) => products::create(account, params),
        ("GET", ["products"]) => products::list(account, params),
        ("POST", ["products", id]) => products::update(account, id, params),
        ("GET", ["products", id]) => bare(params, || products::get(account, id)),
        ("DELETE", ["products", id]) => bare(params, || products::delete(account, id)),
        ("POST", ["prices"]) => prices::create(account, params),
        ("GET", ["prices"]) => prices::list(account, params),
        ("POST", ["prices", id]) => prices::update(account, id, params),
        ("GET", ["prices", id]) => bare(params, || prices::get(account, id)),
        ("POST", ["coupons"]) => coupons::create(account, params),
        ("GET", ["coupons"]) => coupons::list(account, params),
        ("GET", ["coupons", id]) => bare(params, || coupons::get(account, id)),
        ("POST", ["customers"]) => customers::create(account, params),
        ("GET", ["customers"]) => customers::list(account, params),
        ("POST", ["customers", id]) => customers::update(account, id, params),
        ("GET", ["customers", id]) => bare(params, || customers::get(account, id)),
        ("DELETE", ["customers", id]) => bare(params, || customers::delete(account, id)),
        _ => unknown(method, path),
    }
}

fn checkout(account: &mut Account, method: &str, path: &[&str], params: Params) -> Result<Value> {
    match (method, path) {
        ("POST", []) => session_writes::create(account, params),
        ("GET", []) => sessions::list(account, params),
        ("GET", [id]) => bare(params, || sessions::get(account, id)),
        ("GET", [id, "line_items"]) => sessions::line_items(account, id),
        ("POST", [id, "expire"]) => session_writes::expire(account, id, params),
        _ => unknown(method, path),
    }
}

fn subscription(account: &mut Account, method: &str, path: &[&str], params: Params) -> Result<Value> {
    match (method, path) {
        ("POST", []) => subscription_writes::create(account, params),
        ("GET", []) => subscriptions::list(account, params),
        ("GET", [id]) => bare(params, || subscriptions::get(account, id)),
        ("POST", [id]) => subscription_writes::update(account, id, params),
        ("DELETE", [id]) => subscription_writes::cancel(account, id, params),
        ("POST", [id, "pause"]) => pauses::pause(account, id, params),
        ("POST", [id, "resume"]) => pauses::resume(account, id, params),
        ("POST", [id, "migrate"]) => pauses::migrate(account, id, params),
        _ => unknown(method, path),
    }
}

fn schedule(account: &mut Account, method: &str, path: &[&str], params: Params) -> Result<Value> {
    match (method, path) {
        ("POST", []) => schedules::create(account, params),
        ("GET", [id]) => bare(params, || schedules::get(account, id)),
        ("POST", [id]) => schedules::update(account, id, params),
        ("POST", [id, "release"]) => schedules::release(account, id, params),
        _ => unknown(method, path),
    }
}

fn endpoint(account: &mut Account, method: &str, path: &[&str], params: Params) -> Result<Value> {
    match (method, path) {
        ("POST", []) => endpoints::create(account, params),
        ("GET", []) => endpoints::list(account, params),
        ("POST", [id]) => endpoints::update(account, id, params),
        ("GET", [id]) => bare(params, || endpoints::get(account, id)),
        ("DELETE", [id]) => bare(params, || endpoints::delete(account, id)),
        _ => unknown(method, path),
    }
}

fn payment(account: &mut Account, method: &str, path: &[&str], params: Params) -> Result<Value> {
    match (method, path) {
        ("GET", ["account"]) => accounts::get(account, params),
        ("POST", ["billing_portal", "sessions"]) => portal_sessions::create(account, params),
        ("GET", ["accounts", id]) if *id == account.id => accounts::get(account, params),
        ("GET", ["invoices"]) => invoices::list(account, params),
        ("GET", ["invoices", id]) => bare(params, || invoices::get(account, id)),
        ("GET", ["invoices", id, "lines"]) => invoices::lines(account, id, params),
        ("POST", ["invoices", "create_preview"]) => plan_changes::preview(account, params),
        ("POST", ["invoices", id]) => invoice_writes::update(account, id, params),
        ("POST", ["invoices", id, verb @ ("finalize" | "mark_uncollectible" | "pay" | "void")]) => {
            invoice_writes::act(account, id, verb, params)
        }
        ("GET", ["invoice_payments"]) => invoice_payments::list(account, params),
        ("GET", ["invoice_payments", id]) => bare(params, || invoice_payments::get(account, id)),
        ("GET", ["payment_intents"]) => payment_intents::list(account, params),
        ("GET", ["payment_intents", id]) => bare(params, || payment_intents::get(account, id)),
        ("GET", ["charges"]) => charges::list(account, params),
        ("GET", ["charges", id]) => bare(params, || charges::get(account, id)),
        ("POST", ["refunds"]) => refunds::create(account, params),
        ("GET", ["refunds"]) => refunds::list(account, params),
        ("GET", ["refunds", id]) => bare(params, || refunds::get(account, id)),
        ("GET", ["disputes"]) => disputes::list(account, params),
        ("GET", ["disputes", id]) => bare(params, || disputes::get(account, id)),
        ("POST", ["disputes", id]) => disputes::update(account, id, params),
        ("POST", ["disputes", id, "close"]) => disputes::close(account, id, params),
        ("GET", ["events"]) => events::list(account, params),
        ("GET", ["events", id]) => bare(params, || events::get(account, id)),
        _ => unknown(method, path),
    }
}

/// For addresses that take no parameters.
fn bare(params: Params, act: impl FnOnce() -> Result<Value>) -> Result<Value> {
    params.finish()?;
    act()
}

fn unknown(method: &str, path: &[&str]) -> Result<Value> {
    Err(ApiError::unrecognized(method, &format!("/v1/{}", path.join("/"))))
}
