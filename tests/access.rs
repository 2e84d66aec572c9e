//! Access through the front door: grants, and the questions about it.

mod dry;
mod grants;
mod groups;
mod histories;
mod videos;
mod why;

use serde_json::{Value, json};

use crate::harness::World;

/// A member of this address.
async fn member(world: &World, email: &str) -> Value {
    world.one("members.create", json!({ "email": email })).await["id"].clone()
}

/// A published video of a level.
async fn video(world: &World, level: &str) -> Value {
    let args = json!({ "title": format!("For {level}"), "level": level, "visibility": "published" });
    world.one("videos.create", args).await["id"].clone()
}

/// A bundle that holds these videos.
async fn bundle(world: &World, videos: &[&Value]) -> Value {
    let id = world.one("bundles.create", json!({ "name": "All lessons" })).await["id"].clone();
    if !videos.is_empty() {
        world.ok("bundles.addVideos", json!({ "bundle": id, "videos": videos })).await;
    }
    id
}

/// What `members.checkAccess` says.
async fn reason(world: &World, args: Value) -> String {
    let checked = world.ok("members.checkAccess", args).await;
    let reason = checked["reason"].as_str().expect("a reason").to_owned();
    assert_eq!(checked["allowed"], reason.starts_with("allowed_"), "{checked}");
    reason
}
