//! What cannot start says why in one line, and does not exit as if all were well.

use futures_util::future::join_all;
use tokio::net::TcpListener;

use crate::{
    harness::Backend,
    storm::server::{Ended, Installation},
};

/// One line that says it, and nothing that looks like a crash.
#[track_caller]
fn says(ended: &Ended, what: &str) {
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let lines: Vec<_> = ended.err.lines().collect();
    assert_eq!(lines.len(), 1, "{ended:?}");
    assert!(lines[0].starts_with("usher: ") && lines[0].contains(what), "{ended:?}");
    assert!(!ended.err.contains("panicked") && ended.out.is_empty(), "{ended:?}");
}

/// What serves or works.
const COMMANDS: [&[&str]; 3] = [&[], &["serve"], &["work"]];

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_one_folder() {
    let (place, key) = Installation::new(Backend::Sqlite).await;
    let server = place.serve(&[]).await;
    for command in [&COMMANDS[0], &COMMANDS[1]] {
        says(&place.ends(command, &[]).await, "another Usher serves the folder");
    }
    let reply = server.client(&key).call("keys.whoami", serde_json::json!({})).await;
    assert_eq!(reply.status, 200, "the first one still serves");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let (place, _) = Installation::new(backend).await;
        for command in [&COMMANDS[0], &COMMANDS[1]] {
            let ended = place.ends(command, &[("USHER_LISTEN", &address)]).await;
            says(&ended, &format!("{address} is taken by another program; set USHER_LISTEN"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_run_that_cannot_serve_uses_up_no_key() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let place = Installation::empty(backend).await;
        says(&place.ends(&[], &[("USHER_LISTEN", &address)]).await, "is taken by another program");
        // The key is shown once, so it is made only by the run that shows it.
        assert_eq!(place.usher(&["sites", "list"]).await, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_is_not_there() {
    let place = Installation::empty(Backend::Sqlite).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("an address");
    let url = format!("postgres://usher:hunter2@{nobody}/usher");
    // All at once, as each tries for ten seconds.
    let commands = COMMANDS.into_iter().chain([&["migrate"][..], &["keys", "list"]]);
    let settings = [("DATABASE_URL", url.as_str())];
    for ended in join_all(commands.map(|command| place.ends(command, &settings))).await {
        says(&ended, &format!("PostgreSQL at {nobody}, database \"usher\" cannot be opened"));
        assert!(!ended.err.contains("hunter2"), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_setting() {
    let place = Installation::empty(Backend::Sqlite).await;
    for (name, value, what) in [
        ("USHER_LISTEN", "8080", "USHER_LISTEN (listen): \"8080\" is not an address and port"),
        ("USHER_WORKERS", "tcp://10.0.0.1:8080", "USHER_WORKERS (workers)"),
        ("DATABASE_URL", "mysql://usher:hunter2@localhost/usher", "DATABASE_URL"),
        ("USHER_DATA", "/dev/null/usher", "the data folder /dev/null/usher cannot be made"),
        ("USHER_CONFIG", "/nowhere/usher.toml", "/nowhere/usher.toml cannot be read"),
    ] {
        for command in COMMANDS {
            let ended = place.ends(command, &[(name, value)]).await;
            says(&ended, what);
            assert!(!ended.err.contains("hunter2"), "{ended:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let (place, _) = Installation::new(backend).await;
        place
            .rows::<1>(
                "INSERT INTO _usher_migrations (version, description, success, checksum, execution_time)
                 SELECT 999, 'from the future', success, checksum, 0 FROM _usher_migrations WHERE version = 1
                 RETURNING description",
            )
            .await;
        for command in COMMANDS.into_iter().chain([&["migrate"][..], &["keys", "list"]]) {
            says(&place.ends(command, &[]).await, "migrated by a newer Usher; run that version, or restore a backup");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_schema() {
    let place = Installation::empty(Backend::Postgres).await;
    for command in [&["serve"][..], &["work"], &["keys", "list"]] {
        says(&place.ends(command, &[]).await, "schema is older than this version; run `usher migrate`");
    }
    place.usher(&["migrate"]).await;
    place.usher(&["sites", "create", "First"]).await;
    place.serve(&[]).await.kill();

    // SQLite's is brought up to date on the way, as nobody else serves it.
    let place = Installation::empty(Backend::Sqlite).await;
    says(&place.ends(&["work"], &[]).await, "schema is older than this version; run `usher migrate`");
    place.serve(&[]).await.kill();
}
