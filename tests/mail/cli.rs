//! `usher mail`, as an operator types it.

use serde_json::Value;
use usher_mail::dkim::SigningKey;

use super::{sending::header, server::Server};
use crate::{harness::Backend, storm::server::Installation};

const SEALING: (&str, &str) = ("USHER_SECRET_KEY", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_connected_tried_signed_and_disconnected() {
    let (place, _) = Installation::new(Backend::Sqlite).await;
    let server = Server::start("plain", false).await;
    let port = server.port.to_string();
    let told = async |args: &[&str], stdin: &str| place.told(&[&["mail"], args].concat(), &[SEALING], stdin).await;
    let refused = async |args: &[&str], stdin: &str, why: &str| {
        let told = told(args, stdin).await;
        assert!(!told.status.success() && told.err.contains(why), "{args:?}: {told:?}");
    };
    let here = ["connect", "--host", "localhost", "--port", &port, "--from", "hello@site.example"];
    refused(&["test", "you@example.com"], "", "usher mail connect").await;
    refused(&here, "", "--security tls").await;
    refused(&[&here[..], &["--security", "plain", "--username", "anna"]].concat(), "secret", "535 5.7.8").await;
    refused(&["connect", "--host", "example.com", "--from", "a@b.example", "--security", "plain"], "", "without TLS")
        .await;
    refused(&["show"], "", "usher mail connect").await;
    let connected = told(&[&here[..], &["--security", "plain", "--from-name", "Söhne"]].concat(), "").await;
    assert!(connected.status.success(), "{connected:?}");

    let tried = told(&["test", "you@example.com"], "").await;
    assert!(tried.status.success() && tried.out.contains("It was taken: 250"), "{tried:?}");
    refused(&["dkim", "show"], "", "not signed").await;
    refused(&["dkim", "set", "site.example", "one"], "no key", "PEM").await;
    let made = told(&["dkim", "set", "--generate", "site.example", "one", "--json"], "").await;
    let record: Value = serde_json::from_str(&made.out).expect("JSON");
    assert_eq!(record["name"], "one._domainkey.site.example");
    server.publish("one._domainkey.site.example", record["value"].as_str().expect("a record"));
    assert!(told(&["test", "you@example.com"], "").await.status.success());
    let shown = told(&["dkim", "show", "--json"], "").await;
    assert_eq!(serde_json::from_str::<Value>(&shown.out).expect("JSON"), record);
    // One's own key, and none.
    let own = SigningKey::generate();
    let set = told(&["dkim", "set", "site.example", "two"], &own.pem()).await;
    assert!(set.status.success() && !set.out.contains("PRIVATE"), "{set:?}");
    let shown: Value = serde_json::from_str(&told(&["show", "--json"], "").await.out).expect("JSON");
    assert_eq!((&shown["dkimSelector"], &shown["fromName"]), (&"two".into(), &"Söhne".into()), "{shown}");
    assert!(told(&["dkim", "remove"], "").await.status.success());
    assert!(told(&["test", "you@example.com"], "").await.status.success());

    let taken = server.taken();
    let signed: Vec<_> = taken.iter().map(|one| one["dkim"] == true).collect();
    assert_eq!(signed, [false, true, false], "{taken:#?}");
    assert!(header(&taken[1], "from").contains("Söhne"), "{taken:#?}");
    assert!(told(&["disconnect"], "").await.status.success());
    refused(&["disconnect"], "", "no mail server").await;
}
