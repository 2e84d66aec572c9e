//! The program as it is run: whom it listens to is said on the command line, and what it has answered survives kill -9.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::{harness::Backend, storm::server::Installation};

/// Posts a complaint as Postmark does: its status, if an answer came.
async fn post(http: &reqwest::Client, server: &str, password: &str, email: &str) -> Option<u16> {
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("usher:{password}")));
    let body = json!({ "RecordType": "SpamComplaint", "Type": "SpamComplaint", "Email": email }).to_string();
    let request = http.post(format!("{server}/webhooks/mail/1")).header("authorization", basic).body(body);
    Some(request.send().await.ok()?.status().as_u16())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_a_kill_on_sqlite() {
    what_was_answered_survives_a_kill(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_a_kill_on_postgres() {
    what_was_answered_survives_a_kill(Backend::Postgres).await;
}

async fn what_was_answered_survives_a_kill(backend: Backend) {
    let (place, _) = Installation::new(backend).await;
    let added = place.ends(&["--json", "notices", "add", "postmark"], &[]).await;
    assert!(added.status.success(), "{added:?}");
    let added: Value = serde_json::from_str(&added.out).expect("JSON");
    let url = added["url"].as_str().expect("an address");
    let password = url.split_once("usher:").and_then(|(_, rest)| rest.split_once('@')).expect("a password").0;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut answered = BTreeSet::new();
    for life in 0..4 {
        let mut server = place.serve(&[]).await;
        let address = server.address.clone();
        let all = (0..30).map(|n| {
            let (http, address, email) = (&http, &address, format!("life{life}-{n}@example.com"));
            async move { post(http, address, password, &email).await.map(|status| (status, email)) }
        });
        let mut all = std::pin::pin!(stream::iter(all).buffer_unordered(4));
        let mut n_answers = 0;
        while let Some(answer) = all.next().await {
            if let Some((status, email)) = answer {
                assert_eq!(status, 200);
                answered.insert(email);
            }
            n_answers += 1;
            if n_answers == 15 {
                server.kill();
            }
        }
        let blocked: BTreeSet<_> = place.rows::<1>("SELECT email_key FROM block").await.concat().into_iter().collect();
        assert!(answered.is_subset(&blocked), "lost: {:?}", answered.difference(&blocked));
        // Each with its row of the log.
        let logged = place.rows::<1>("SELECT changes FROM activity WHERE tool = 'mail.notice'").await.concat();
        assert_eq!(logged.len(), blocked.len());
    }
    assert!(answered.len() >= 4 * 14, "{}", answered.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_site_listens_to_is_said_on_the_command_line() {
    const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:bounces";
    let (place, _) = Installation::new(Backend::Sqlite).await;
    let run = async |arguments: &[&str]| place.ends(&[&["notices"], arguments].concat(), &[]).await;
    assert!(run(&["list"]).await.out.contains("listens to no mail provider"));
    for (wrong, says) in [
        (["add", "ses", "bounces"], "is no topic"),
        (["add", "sendgrid", "AAAA"], "is no verification key"),
        (["remove", "ses", TOPIC], "does not listen to Amazon SES"),
    ] {
        let told = run(&wrong).await;
        assert!(!told.status.success() && told.err.contains(says), "{told:?}");
    }
    for _ in 0..2 {
        let added = run(&["add", "ses", TOPIC]).await;
        assert!(added.status.success() && added.out.contains("/webhooks/mail/1 to it by HTTPS"), "{added:?}");
    }
    let added = run(&["add", "postmark"]).await.out;
    let password = added.split_once("usher:").and_then(|(_, rest)| rest.split_once('@')).expect("a password").0;
    let listed = run(&["list"]).await.out;
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(listed.contains(TOPIC) && !listed.contains(password), "{listed}");
    // Of a password only a hash is kept, and it is in no log.
    let kept = place.rows::<1>("SELECT proof FROM notice_source WHERE provider = 'postmark'").await.concat();
    assert!(kept[0].len() == 64 && kept[0] != password, "{kept:?}");
    let rows = place.rows::<1>("SELECT args FROM activity WHERE tool = 'notices.add'").await.concat();
    assert!(rows.len() == 3 && rows.iter().all(|row| !row.contains(password)), "{rows:?}");
    // A flood of guesses makes a few lines, and no line has a password in it.
    let server = place.serve(&[]).await;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let all = (0..200).map(async |_| post(&http, &server.address, "guessed-password", "a@example.com").await);
    let statuses: Vec<_> = stream::iter(all).buffer_unordered(16).collect().await;
    assert!(statuses.iter().all(|status| *status == Some(400)), "{statuses:?}");
    assert_eq!(post(&http, &server.address, password, "a@example.com").await, Some(200));
    let log = server.log();
    let said = log.lines().filter(|line| line.contains("was not taken")).count();
    // Twenty a minute, and this may be the turn of one.
    assert!((1..=40).contains(&said), "{said} lines");
    assert!(!log.contains("guessed-password") && !log.contains(password));
    assert!(run(&["list"]).await.out.contains("heard of at 20"), "{}", run(&["list"]).await.out);
    let hint = &password[password.len() - 6..];
    let removed = run(&["remove", "postmark", hint]).await;
    assert!(removed.status.success(), "{removed:?}");
    assert_eq!(post(&http, &server.address, password, "a@example.com").await, Some(409));
}
