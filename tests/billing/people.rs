//! Who buys.

use serde_json::{Value, json};

use crate::harness::World;

/// A new member.
pub async fn member(world: &World, email: &str) -> Value {
    world.one("members.create", json!({ "email": email })).await["id"].clone()
}

/// Why a member sees member content, or does not.
pub async fn why(world: &World, member: &Value) -> String {
    let why = world.ok("members.whyPaywall", json!({ "member": { "id": member } })).await;
    why["reason"].as_str().expect("a reason").to_owned()
}

/// The result of a call that waits for its job.
pub async fn waited(world: &World, tool: &str, args: Value) -> Value {
    let body = json!({ "args": args });
    world.call_with(&world.key, tool, body, &[("prefer", "wait=25")]).await.result()
}

/// How a call is refused.
pub async fn refused(world: &World, tool: &str, args: Value) -> String {
    world.call(&world.key, tool, args).await.code()
}
