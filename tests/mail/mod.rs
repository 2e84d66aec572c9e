//! Mail, up to a server that others wrote and back by its links.

mod cli;
mod killed;
mod rules;
mod sending;
pub mod server;
mod templates;

use serde_json::{Value, json};

use crate::harness::{Reply, World};

/// A member with a name.
async fn member(world: &World, email: &str) -> Value {
    world.one("members.create", json!({ "email": email, "name": "Anna Lind" })).await["id"].clone()
}

/// Sends, and waits for what becomes of it.
async fn sent(world: &World, args: Value) -> Value {
    world.call_with(&world.key, "emails.send", json!({ "args": args }), &[("prefer", "wait=25")]).await.result()
}

/// Sends.
async fn send(world: &World, args: Value) -> Reply {
    world.call(&world.key, "emails.send", args).await
}

/// A message to some.
fn to(addresses: &[&str]) -> Value {
    let to: Vec<_> = addresses.iter().map(|email| json!({ "email": email })).collect();
    json!({ "to": to, "subject": "Your question", "text": "Hello {{first_name}}." })
}
