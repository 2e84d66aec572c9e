//! Uploads: files that come in whole or not at all.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::{Backend, Reply, TestKey, World};

const BOUNDARY: &str = "a-line-that-is-in-no-file";

/// Sends a file as the body.
pub async fn send(world: &World, key: &TestKey, query: &str, body: impl Into<reqwest::Body>) -> Reply {
    let headers = [("authorization", format!("Bearer {}", key.text))];
    world.send("POST", &format!("/api/v1/uploads{query}"), &headers, body).await
}

/// The same with the key that may do everything; gives the upload.
pub async fn upload(world: &World, body: impl Into<reqwest::Body>) -> Value {
    let reply = send(world, &world.key, "", body).await;
    assert_eq!((reply.status, reply.header("cache-control")), (200, "no-store"), "{}", reply.text);
    assert_eq!(reply.json()["ok"], true);
    reply.json()["result"]["upload"].clone()
}

async fn send_form(world: &World, parts: &[(&str, &[u8])]) -> Reply {
    let mut body = Vec::new();
    for (disposition, content) in parts {
        let head = format!("--{BOUNDARY}\r\ncontent-disposition: form-data; {disposition}\r\n\r\n");
        body.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
    let headers = [
        ("authorization", format!("Bearer {}", world.key.text)),
        ("content-type", format!("multipart/form-data; boundary={BOUNDARY}")),
    ];
    world.send("POST", "/api/v1/uploads", &headers, body).await
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes of every kind, in more than one buffer.
fn bytes() -> Vec<u8> {
    (0..300_000_u32).map(|n| (n % 251) as u8).collect()
}

both!(a_body_is_kept_as_it_came, async |world| {
    let reply = send(world, &world.key, "?name=l%C3%A4nge.csv", bytes()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let upload = reply.json()["result"]["upload"].clone();
    assert!(upload["id"].as_str().unwrap().starts_with("upl_"));
    assert_eq!((&upload["bytes"], &upload["name"]), (&json!(300_000), &json!("länge.csv")));
    assert_eq!(upload["sha256"], sha256(&bytes()));
    let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
    assert_eq!((&row["tool"], &row["status"]), (&json!("uploads.create"), &json!("ok")));
    assert_eq!((&row["changes"][0]["kind"], &row["changes"][0]["id"]), (&json!("upload"), &upload["id"]));
});

both!(the_first_file_of_a_form_is_kept_as_it_came, async |world| {
    let content = bytes();
    let file = r#"name="file"; filename="list.csv""#;
    let parts: [(&str, &[u8]); 3] =
        [(r#"name="note""#, b"not the file"), (file, &content), (r#"name="b"; filename="b""#, b"later")];
    let reply = send_form(world, &parts).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let upload = reply.json()["result"]["upload"].clone();
    assert_eq!((&upload["bytes"], &upload["name"]), (&json!(300_000), &json!("list.csv")));
    assert_eq!(upload["sha256"], sha256(&content));
    let reply = send_form(world, &parts[..1]).await;
    assert_eq!(reply.failure(), (400, "invalid_arguments".into()));
    assert_eq!(reply.json()["fields"][0]["path"], "body");
});

both!(an_empty_file_is_refused_and_recorded, async |world| {
    let form = send_form(world, &[(r#"name="file"; filename="empty""#, b"")]).await;
    for reply in [send(world, &world.key, "", "").await, form] {
        assert_eq!(reply.failure(), (400, "invalid_arguments".into()));
        assert_eq!(reply.json()["fields"][0]["path"], "body");
        let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
        assert_eq!((&row["tool"], &row["code"]), (&json!("uploads.create"), &json!("invalid_arguments")));
    }
    assert_eq!(world.rows("SELECT id FROM upload").await, Vec::<String>::new());
});

both!(an_upload_is_its_sites_alone, async |world| {
    let (_, stranger) = world.other_site("Second", None).await;
    let upload = send(world, &stranger, "", "a@example.com\n").await.json()["result"]["upload"].clone();
    let args = json!({ "upload": upload["id"] });
    assert_eq!(world.call(&world.key, "blocklist.import", args.clone()).await.code(), "upload_not_found");
    // Nor is it there once it has expired.
    world.clock.advance(std::time::Duration::from_secs(86_400));
    assert_eq!(world.call(&stranger, "blocklist.import", args).await.code(), "upload_not_found");
});

async fn with_a_limit_of_one_mib(backend: Backend) {
    let world = World::start_with(backend, &[("USHER_UPLOAD_MAX_MIB", "1")]).await;
    let most = vec![b'a'; 1 << 20];
    assert_eq!(upload(&world, most.clone()).await["bytes"], 1 << 20);
    let over = [most, vec![b'a']].concat();
    let far_over = vec![b'a'; 1 << 21];
    let form = send_form(&world, &[(r#"name="file"; filename="a""#, &over)]).await;
    for reply in [send(&world, &world.key, "", over).await, send(&world, &world.key, "", far_over).await, form] {
        assert_eq!(reply.failure(), (413, "body_too_large".into()));
    }
    assert_eq!(world.rows("SELECT id FROM upload").await.len(), 1);
    world.end().await;
}

mod the_largest_file_is_taken_and_no_larger_one {
    use super::{Backend, with_a_limit_of_one_mib};

    #[tokio::test(flavor = "multi_thread")]
    async fn sqlite() {
        with_a_limit_of_one_mib(Backend::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn postgres() {
        with_a_limit_of_one_mib(Backend::Postgres).await;
    }
}
