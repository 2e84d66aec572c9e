//! The secret key of an installation: nobody has to create it, and a wrong one is noticed at start.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use futures_util::future::join_all;
use serde_json::json;

use crate::{
    harness::Backend,
    storm::server::{Ended, Installation},
};

const OTHER: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

fn key_of(place: &Installation) -> String {
    fs::read_to_string(place.folder.path().join("secret.key")).expect("a key")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").mode() & 0o777
}

#[track_caller]
fn refused(ended: &Ended, what: &[&str]) {
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
    for what in what {
        assert!(ended.err.contains(what), "{what:?} is not in {ended:?}");
    }
}

/// A mail server with a password: something that is sealed.
async fn sealed_password(place: &Installation) {
    let server = crate::mail::server::Server::start("plain", false).await;
    let port = server.port.to_string();
    let args = ["mail", "connect", "--host", "localhost", "--port", &port, "--from", "hello@site.example"];
    place.usher(&[&args[..], &["--security", "plain"]].concat()).await;
    place.usher(&["mail", "dkim", "set", "--generate", "site.example", "one"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_creates_it_and_nothing_needs_a_restart() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let (place, key) = Installation::new(backend).await;
        let server = place.serve(&[]).await;
        let created = key_of(&place);
        assert_eq!((created.len(), mode(&place.folder.path().join("secret.key"))), (45, 0o600));
        let login = ["--public-url", "http://127.0.0.1:1", "--login-url", "https://site.example/login"];
        place.usher(&[&["sites", "update"], &login[..]].concat()).await;
        place.usher(&["mail", "connect", "--folder", "mails", "--from", "hello@site.example"]).await;
        place.usher(&["mail", "dkim", "set", "--generate", "site.example", "one"]).await;
        // What the command line has sealed, the server opens, as it runs.
        let anna = json!({ "member": { "email": "anna@example.com" }, "send": true });
        server.client(&key).call("members.create", json!({ "email": "anna@example.com" })).await.result();
        server.client(&key).call_with("members.createLoginLink", anna, &[("prefer", "wait=20")]).await.result();
        assert_eq!(key_of(&place), created);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_creates_it_too_and_many_at_once_create_one() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let (place, _) = Installation::new(backend).await;
        assert!(place.usher(&["secret-key", "check"]).await.contains("The next start creates it"));
        let shown = ["mail", "connect", "--folder", "mails", "--from", "hello@site.example"];
        for ended in join_all((0..6).map(|_| place.ends(&shown, &[]))).await {
            assert!(ended.status.success(), "{ended:?}");
        }
        let created = key_of(&place);
        place.usher(&["mail", "dkim", "set", "--generate", "site.example", "one"]).await;
        let checked = place.usher(&["secret-key", "check"]).await;
        assert!(checked.contains("can be opened:     the DKIM key of the site \"Storm\""), "{checked}");
        assert!(!checked.contains("CANNOT") && !checked.contains(created.trim()), "{checked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_damaged_or_foreign_file_is_told_and_never_replaced_by_itself() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let (place, _) = Installation::new(backend).await;
        sealed_password(&place).await;
        let (file, created) = (place.folder.path().join("secret.key"), key_of(&place));
        let dkim = "the DKIM key of the site \"Storm\"";
        let starts = [&["serve"][..], &["work"], &["mail", "test", "you@example.com"]];
        for (content, what) in [
            (None, ["secret key is missing", dkim, "usher secret-key replace"]),
            (Some(&created[..20]), ["holds no key: 20 bytes", "44 characters", "from a backup"]),
            (Some(""), ["holds no key: 0 bytes", "44 characters", "from a backup"]),
            (Some(OTHER), ["is not the key of this database", dkim, "usher secret-key replace"]),
        ] {
            match content {
                Some(content) => fs::write(&file, content).expect("a file"),
                None => fs::remove_file(&file).expect("it was there"),
            }
            for start in starts {
                refused(&place.ends(start, &[]).await, &what);
            }
            assert_eq!(fs::read_to_string(&file).ok().as_deref(), content, "it was changed");
        }
        // Nobody is without a way on.
        let ended = place.ends(&["secret-key", "replace"], &[]).await;
        assert!(
            ended.out.contains("CANNOT be opened:  the DKIM key") && ended.out.contains("usher mail dkim"),
            "{ended:?}"
        );
        assert!(key_of(&place) != created && key_of(&place) != OTHER);
        place.serve(&[]).await;
        place.usher(&["mail", "dkim", "set", "--generate", "site.example", "two"]).await;
        refused(&place.ends(&["secret-key", "replace"], &[]).await, &["works, so there is nothing to replace"]);
        let aside = fs::read_dir(place.folder.path())
            .expect("a folder")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        assert_eq!(aside.filter(|name| name.starts_with("secret.key.replaced-")).count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_variable_goes_first_and_the_file_still_opens() {
    let (place, _) = Installation::new(Backend::Sqlite).await;
    sealed_password(&place).await;
    let created = key_of(&place);
    let variable = [("USHER_SECRET_KEY", OTHER)];
    let checked = place.ends(&["secret-key", "check"], &variable).await;
    assert!(
        checked.out.contains("comes from USHER_SECRET_KEY") && checked.out.contains("still opens older ones"),
        "{checked:?}"
    );
    assert!(checked.out.contains("can be opened:     the DKIM key"), "{checked:?}");
    let server = place.serve(&variable).await;
    assert!(server.log().contains("Keep both"), "{}", server.log());
    drop(server);
    assert_eq!(key_of(&place), created);
    // It seals now: the file alone is not enough any more.
    refused(&place.ends(&["serve"], &[]).await, &["is not the key of this database"]);
    for wrong in ["x", "AAAA"] {
        refused(&place.ends(&["serve"], &[("USHER_SECRET_KEY", wrong)]).await, &["32 bytes in base64"]);
    }
    // With the variable from the beginning there is no file.
    let (place, _) = Installation::new(Backend::Sqlite).await;
    place.serve(&variable).await;
    assert!(!place.folder.path().join("secret.key").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_a_folder_of_its_own_is_told() {
    let (place, _) = Installation::new(Backend::Postgres).await;
    let elsewhere = tempfile::tempdir().expect("a folder");
    let folder = elsewhere.path().display().to_string();
    let _first = place.serve(&[]).await;
    for start in [&["serve"][..], &["work"]] {
        let ended = place.ends(start, &[("USHER_DATA", &folder)]).await;
        refused(&ended, &["secret key is missing", "share the folder USHER_DATA", "copy secret.key"]);
    }
    assert!(!elsewhere.path().join("secret.key").exists());
    fs::copy(place.folder.path().join("secret.key"), elsewhere.path().join("secret.key")).expect("a copy");
    place.serve(&[("USHER_DATA", &folder)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_was_there_is_closed_to_others() {
    let place = Installation::empty(Backend::Sqlite).await;
    let folder = place.folder.path().join("usher-data");
    fs::create_dir(&folder).expect("a folder");
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("it is ours");
    let settings = [("USHER_DATA", folder.to_str().expect("text"))];
    let migrated = place.ends(&["migrate"], &settings).await;
    assert!(migrated.status.success(), "{migrated:?}");
    assert_eq!((mode(&folder), mode(&folder.join("usher.db"))), (0o700, 0o600));
    let server = place.serve(&settings).await;
    for name in ["usher.db-wal", "usher.lock", "secret.key"] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    drop(server);
}
