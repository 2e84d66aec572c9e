//! Signing in by a link.

mod example;
mod invite;
mod keys;
mod links;
mod pages;
mod race;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::harness::{Reply, World};

/// Where the first site takes members over.
const LOGIN_URL: &str = "https://site.example/login";

/// Lets members of the first site sign in.
async fn open(world: &mut World) {
    let address = world.address.clone();
    world
        .settings(|settings| {
            settings.public_url = Some(address);
            settings.login_url = Some(LOGIN_URL.into());
        })
        .await;
}

/// A member of the first site, and a link.
async fn link(world: &World, email: &str) -> (Value, String) {
    let member = world.one("members.create", json!({ "email": email, "name": "Anna \"A\" <Lind>" })).await;
    let link = world.ok("members.createLoginLink", json!({ "member": { "email": email } })).await;
    (member, path(&link))
}

/// The path of a link.
fn path(link: &Value) -> String {
    let url = link["url"].as_str().expect("an address");
    url[url.find("/sign-in/").expect("a path")..].to_owned()
}

async fn look(world: &World, path: &str) -> Reply {
    world.send("GET", path, &[], "").await
}

async fn press(world: &World, path: &str) -> Reply {
    world.send("POST", path, &[("sec-fetch-site", "same-origin".into())], "").await
}

/// What the page's heading says.
fn title(reply: &Reply) -> &str {
    between(&reply.text, "<h1>", "</h1>").unwrap_or_default()
}

/// Where a page hands over to, and the token.
fn handed(reply: &Reply) -> Option<(String, String)> {
    let url = between(&reply.text, "action=\"", "\"")?;
    let token = between(&reply.text, "name=\"token\" value=\"", "\"")?;
    Some((url.to_owned(), token.to_owned()))
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(between, _)| between)
}

/// A token's header and claims, unchecked.
fn read(token: &str) -> [Value; 2] {
    let parts: Vec<_> = token.split('.').collect();
    assert_eq!(parts.len(), 3, "{token}");
    [0, 1]
        .map(|at| serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(parts[at]).expect("base64url")).expect("JSON"))
}

/// Signs somebody in, and gives the token.
async fn sign_in(world: &World, path: &str) -> String {
    let reply = press(world, path).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    handed(&reply).unwrap_or_else(|| panic!("nobody is handed over: {}", reply.text)).1
}
