//! `usher doctor`: what is missing is said with what to do, and what is well ends with 0. And what `usher serve` says
//! where nobody can call it yet.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command, time::Instant};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    harness::{Backend, PATIENCE},
    storm::server::{Ended, Installation},
};

/// What the doctor found of a thing: its state, text and fix.
#[track_caller]
fn found(ended: &Ended, what: &str) -> (String, String, String) {
    let all: Value = serde_json::from_str(&ended.out).expect("one JSON object");
    let one = all["findings"].as_array().expect("a list").iter().rfind(|one| one["what"] == what);
    let one = one.unwrap_or_else(|| panic!("nothing about {what}: {ended:?}"));
    let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(all["ok"].as_bool(), Some(ended.status.success()), "{ended:?}");
    (text("state"), text("text"), text("fix"))
}

#[track_caller]
fn is(found: (String, String, String), state: &str, says: &str, fix: &str) {
    let fits = found.0 == state && found.1.contains(says) && found.2.contains(fix);
    assert!(fits, "{found:?} is not {state}, {says:?}, {fix:?}");
}

const DOCTOR: [&str; 2] = ["--json", "doctor"];

async fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("an address").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_folder() {
    let place = Installation::empty(Backend::Sqlite).await;
    let ended = place.ends(&DOCTOR, &[]).await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    is(found(&ended, "database"), "problem", "usher.db is not there", "run `usher`");
    assert!(!place.folder.path().join("usher.db").exists() && !place.folder.path().join("secret.key").exists());
    let place = Installation::empty(Backend::Postgres).await;
    let ended = place.ends(&DOCTOR, &[]).await;
    is(found(&ended, "database"), "problem", "migrations are missing", "usher migrate");
    place.usher(&["migrate"]).await;
    is(found(&place.ends(&DOCTOR, &[]).await, "sites"), "problem", "there is no site yet", "usher sites create");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_of_another_folder_is_not_taken_for_this_ones() {
    let (served, _) = Installation::new(Backend::Sqlite).await;
    let (other, _) = Installation::new(Backend::Sqlite).await;
    let address = free_address().await;
    let settings = [("USHER_LISTEN", address.as_str())];
    let server = served.serve(&settings).await;
    let ended = other.ends(&DOCTOR, &settings).await;
    is(found(&ended, "server"), "problem", "serves another data folder", "USHER_LISTEN");
    drop(server);
    // A budget of nothing would refuse every call for ever.
    let nothing = other.ends(&["sites", "update", "--calls-per-minute", "0"], &[]).await;
    assert_eq!(nothing.status.code(), Some(2), "{nothing:?}");
}

async fn from_nothing_to_well(backend: Backend) {
    let (place, _) = Installation::new(backend).await;
    let address = free_address().await;
    let settings = [("USHER_LISTEN", address.as_str()), ("USHER_WORKERS", "on")];
    let ended = place.ends(&DOCTOR, &settings).await;
    is(found(&ended, "server"), "problem", "nobody answers at", "usher serve");
    is(found(&ended, "jobs"), "problem", "nobody runs jobs", "start");
    is(found(&ended, "secret key"), "off", "none yet", "the next start creates it");

    let server = place.serve(&settings).await;
    // On PostgreSQL its workers say only a moment after it is ready that they are there.
    let begun = Instant::now();
    let mut ended = place.ends(&DOCTOR, &settings).await;
    while found(&ended, "jobs").0 == "problem" && begun.elapsed() < PATIENCE {
        ended = place.ends(&DOCTOR, &settings).await;
    }
    assert!(ended.status.success(), "{ended:?}");
    for (what, state, says) in [
        ("data folder", "ok", "readable by this user only"),
        ("disk", "ok", "GiB are free"),
        ("database", "ok", "up to date"),
        ("secret key", "ok", "from secret.key in the data folder"),
        ("clock", "ok", "Z"),
        ("jobs", "ok", " wait, "),
        ("server", "ok", "ready at"),
        ("proxies", "off", "X-Forwarded-For is taken from nobody"),
        ("keys", "ok", "1 that work"),
        ("public URL", "off", "not set"),
        ("login URL", "off", "not set"),
        ("time zone", "ok", "UTC"),
        ("mail", "off", "no mail server"),
        ("Stripe", "off", "not connected"),
    ] {
        is(found(&ended, what), state, says, "");
    }
    let words = place.ends(&["doctor"], &settings).await;
    assert!(words.status.success() && words.out.contains("Site Storm") && words.out.contains("No problem was found."));

    // One thing after the other goes wrong.
    let mail = crate::mail::server::Server::start("plain", false).await;
    let port = mail.port.to_string();
    let connect = ["mail", "connect", "--host", "localhost", "--port", &port, "--security", "plain"];
    place.usher(&[&connect[..], &["--from", "a@site.example"]].concat()).await;
    is(found(&place.ends(&DOCTOR, &settings).await, "DKIM"), "off", "not signed", "usher mail dkim set");
    drop(mail);
    is(found(&place.ends(&DOCTOR, &settings).await, "mail"), "problem", "cannot be used", "usher mail show");
    place.usher(&["mail", "disconnect"]).await;
    place.usher(&["sites", "update", "--public-url", "http://127.0.0.1:1"]).await;
    is(found(&place.ends(&DOCTOR, &settings).await, "public URL"), "off", "lead to this machine only", "https://");
    place.usher(&["sites", "update", "--public-url", "https://members.example.com"]).await;
    let keys: Vec<Value> = place
        .usher(&["--json", "keys", "list"])
        .await
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    place.usher(&["keys", "revoke", keys[0]["id"].as_str().expect("an id")]).await;
    is(found(&place.ends(&DOCTOR, &settings).await, "keys"), "problem", "no key that works", "usher keys create");
    place.key("Another").await;

    fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let uploads = place.folder.path().join("uploads");
    fs::create_dir_all(&uploads).expect("a folder");
    fs::set_permissions(&uploads, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let ended = place.ends(&DOCTOR, &settings).await;
    is(found(&ended, "data folder"), "problem", "other users of this machine can read", "chmod 700");
    fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o700)).expect("it is ours");
    fs::remove_file(place.folder.path().join("secret.key")).expect("it was there");
    is(found(&place.ends(&DOCTOR, &settings).await, "secret key"), "problem", "is missing", "running.md");
    drop(server);
    assert_eq!(place.ends(&DOCTOR, &settings).await.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_well_on_sqlite() {
    from_nothing_to_well(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_well_on_postgres() {
    from_nothing_to_well(Backend::Postgres).await;
}

/// What a server says in its first two seconds.
fn served(place: &Installation) -> String {
    let mut command = Command::new("timeout");
    command.args(["-s", "TERM", "2", env!("CARGO_BIN_EXE_usher"), "serve"]).env_clear();
    command.env("USHER_DATA", place.folder.path()).env("USHER_LISTEN", "127.0.0.1:0");
    let done = command.output().expect("it starts");
    String::from_utf8(done.stdout).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_says_that_nobody_can_call_yet() {
    let place = Installation::empty(Backend::Sqlite).await;
    let said = served(&place);
    assert!(said.contains("There is no site yet") && said.contains("usher sites create"), "{said}");
    let server = place.serve(&[]).await;
    assert!(server.log().contains("There is no site yet"), "{}", server.log());
    drop(server);
    place.usher(&["sites", "create", "First"]).await;
    let said = served(&place);
    assert!(said.contains("The site \"First\" has no key") && said.contains("usher keys create --site 1"), "{said}");
    let (_, key) = place.key("Everything").await;
    let said = served(&place);
    assert_eq!(said.lines().count(), 1, "{said}");
    place.serve(&[]).await.client(&key).call("keys.whoami", json!({})).await.result();
}
