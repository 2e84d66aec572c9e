//! Notices of mail providers: what they do, and who is not believed.

mod aws;
mod hostile;
mod postmark;
mod processes;
mod sendgrid;
mod ses;

use serde_json::{Value, json};

use crate::harness::{Reply, World};

/// What the block list says of an address; null if it is not blocked.
async fn entry(world: &World, email: &str) -> Value {
    let page = world.ok("blocklist.list", json!({ "text": email })).await;
    page["items"][0].clone()
}

/// The rows of the log about notices, newest first.
async fn log(world: &World) -> Vec<Value> {
    let log = world.ok("activity.list", json!({ "actor": "mail" })).await;
    log["items"].as_array().expect("rows").clone()
}

/// Blocked, already, ignored and unreadable, of a notice that was taken.
#[track_caller]
fn counts(reply: &Reply) -> [u64; 4] {
    assert_eq!(reply.status, 200, "{}", reply.text);
    ["blocked", "already", "ignored", "unreadable"].map(|name| reply.json()[name].as_u64().expect(name))
}

/// Fails unless it was refused, for a reason with this in its text.
#[track_caller]
fn refused(reply: &Reply, why: &str) {
    assert_eq!(reply.failure(), (400, "webhook_refused".into()), "{}", reply.text);
    assert!(reply.text.contains(why), "{why}: {}", reply.text);
}
