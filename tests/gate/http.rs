//! What HTTP adds to a call: compression both ways, ends of lines, tags of documents, headers of refused calls.

use std::io::{Read as _, Write as _};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use poem::Endpoint as _;
use serde_json::{Value, json};
use usher::{surfaces::http, tools::Scope};

use crate::harness::{Backend, World};

const LIST: &str = "/api/v1/tools/members.list";

fn gzip(text: &str) -> Vec<u8> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::default());
    writer.write_all(text.as_bytes()).expect("memory");
    writer.finish().expect("memory")
}

fn headers(world: &World, more: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let mut all =
        vec![("authorization", format!("Bearer {}", world.key.text)), ("content-type", "application/json".into())];
    all.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    all
}

both!(a_body_may_come_as_gzip, async |world| {
    world.without_budgets().await;
    let bomb = format!(r#"{{"args":{{"text":"{}"}}}}"#, "x".repeat(1 << 20));
    for (encoding, body, status, code) in [
        ("gzip", gzip(r#"{"args":{"limit":1}}"#), 200, ""),
        ("GZIP", gzip(r#"{"args":{}}"#), 200, ""),
        ("identity", br#"{"args":{}}"#.to_vec(), 200, ""),
        ("gzip", gzip(r#"{"args":{"limit":0}}"#), 400, "invalid_arguments"),
        ("gzip", br#"{"args":{}}"#.to_vec(), 400, "invalid_json"),
        ("gzip", gzip(&bomb), 413, "body_too_large"),
        ("br", gzip("{}"), 415, "unsupported_media_type"),
        ("gzip, gzip", gzip("{}"), 415, "unsupported_media_type"),
    ] {
        let reply = world.send("POST", LIST, &headers(world, &[("content-encoding", encoding)]), body).await;
        assert_eq!(reply.status, status, "{encoding}: {}", reply.text);
        if status != 200 {
            assert_eq!(reply.code(), code, "{}", reply.text);
        }
        if status == 415 {
            assert_eq!(reply.header("accept-encoding"), "gzip");
        }
    }
});

#[tokio::test(flavor = "multi_thread")]
async fn long_answers_and_documents_are_compressed_and_end_with_a_line() {
    let mut world = World::start(Backend::Sqlite).await;
    world.without_budgets().await;
    for n in 0..20 {
        world.ok("members.create", json!({ "email": format!("m{n}@example.com") })).await;
    }
    let get = async |path: &str, more: &[(&'static str, &str)]| {
        let mut request = world.http.get(format!("{}{path}", world.address));
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        request.send().await.expect("an answer")
    };
    let unzip = |bytes: &[u8]| {
        let mut text = String::new();
        GzDecoder::new(bytes).read_to_string(&mut text).expect("gzip");
        text
    };
    // A tool's answer.
    let call = async |args: Value, encoding: &str| {
        let mut request = world.http.post(format!("{}{LIST}", world.address)).body(json!({ "args": args }).to_string());
        for (name, value) in headers(&world, &[("accept-encoding", encoding)]) {
            request = request.header(name, value);
        }
        let response = request.send().await.expect("an answer");
        let encoding = response.headers().get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
        (encoding, response.bytes().await.expect("a body").to_vec())
    };
    let (encoding, plain) = call(json!({}), "identity").await;
    assert_eq!((encoding, plain.last()), (None, Some(&b'\n')));
    let (encoding, zipped) = call(json!({}), "gzip").await;
    assert_eq!(encoding.as_deref(), Some("gzip"));
    assert!(zipped.len() * 3 < plain.len());
    assert_eq!(unzip(&zipped).into_bytes(), plain);
    assert_eq!(call(json!({}), "gzip, br").await.0.as_deref(), Some("br"));
    let (encoding, short) = call(json!({ "limit": 1 }), "gzip").await;
    assert_eq!((encoding, short.last()), (None, Some(&b'\n')));
    for path in ["/healthz", "/readyz", "/nowhere", "/api/v1/uploads"] {
        assert!(get(path, &[]).await.text().await.unwrap().ends_with("}\n"), "{path}");
    }
    // Documents.
    for path in ["/openapi.json", "/llms.txt", "/api/v1/scopes", "/api/v1/errors", "/.well-known/agent.json"] {
        let plain = get(path, &[]).await;
        let tag = plain.headers()["etag"].to_str().unwrap().to_owned();
        assert_eq!(plain.headers()["vary"], "accept-encoding", "{path}");
        let text = plain.text().await.unwrap();
        let zipped = get(path, &[("accept-encoding", "gzip")]).await;
        assert_ne!(zipped.headers()["etag"], *tag, "{path}");
        assert_eq!(zipped.headers()["content-encoding"], "gzip", "{path}");
        assert_eq!(unzip(&zipped.bytes().await.unwrap()), text, "{path}");
        for same in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".into()] {
            let kept = get(path, &[("if-none-match", &same)]).await;
            assert_eq!((kept.status().as_u16(), kept.headers()["etag"].to_str().unwrap()), (304, &*tag), "{path}");
            assert_eq!(kept.text().await.unwrap(), "", "{path}");
        }
        assert_eq!(get(path, &[("if-none-match", "\"other\"")]).await.status(), 200, "{path}");
    }
    let document: Value = get("/openapi.json", &[]).await.json().await.unwrap();
    assert_eq!(document["servers"][0]["url"], "/");
    world.end().await;
}

both!(a_refused_call_says_how_the_budgets_stand, async |world| {
    let narrow = world.key_with(&[Scope::GroupsRead]).await;
    world.call(&narrow, "groups.list", json!({})).await.result();
    for (tool, status, remaining) in [("members.get", 403, "99"), ("no.such", 404, "99"), ("members.create", 403, "30")]
    {
        let reply = world.call(&narrow, tool, json!({})).await;
        assert_eq!((reply.status, reply.header("x-ratelimit-remaining")), (status, remaining), "{tool}");
        assert!(reply.header("ratelimit").contains(&format!("r={remaining}")), "{tool}");
    }
    let bearer = [("authorization", format!("Bearer {}", narrow.text))];
    let export = world.send("GET", "/api/v1/activity/export", &bearer, "").await;
    assert_eq!((export.status, export.header("x-ratelimit-remaining")), (403, "99"));
    // Nothing was used.
    assert_eq!(world.call(&narrow, "groups.list", json!({})).await.header("x-ratelimit-remaining"), "98");
    // Nobody learns anything of a key that is not known.
    let unknown = [("authorization", "Bearer nonsense".to_owned())];
    let reply = world.send("POST", LIST, &unknown, "{}").await;
    assert!(!reply.headers.contains_key("x-ratelimit-remaining"));
});

both!(a_dry_run_of_what_only_reads_is_the_same, async |world| {
    world.ok("members.create", json!({ "email": "anna@example.com" })).await;
    let list = async |dry: bool| {
        let body = json!({ "args": {}, "dryRun": dry });
        world.call_with(&world.key, "members.list", body, &[]).await.result()
    };
    assert_eq!(list(true).await, list(false).await);
});

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_who_has_the_token() {
    let get = async |world: &World, token: Option<&str>| {
        let bearer: Vec<_> = token.map(|token| ("authorization", format!("Bearer {token}"))).into_iter().collect();
        world.send("GET", "/metrics", &bearer, "").await
    };
    http::start_metrics();
    let closed = World::start(Backend::Sqlite).await;
    assert_eq!(get(&closed, None).await.status, 404);
    assert_eq!(get(&closed, Some("")).await.status, 404);
    closed.end().await;
    let world = World::start_with(Backend::Sqlite, &[("USHER_METRICS_TOKEN", "0123456789abcdef")]).await;
    assert_eq!(get(&world, None).await.failure(), (401, "invalid_key".into()));
    assert_eq!(get(&world, Some("0123456789abcdeX")).await.status, 401);
    assert_eq!(get(&world, Some(&world.key.text)).await.status, 401);
    let counted = get(&world, Some("0123456789abcdef")).await;
    assert_eq!((counted.status, counted.text.contains("usher_jobs")), (200, true), "{}", counted.text);
    // A listener of its own needs no token, and serves nothing else.
    let own = http::metrics_endpoint(world.app.clone());
    for (path, status) in [("/metrics", 200), ("/", 404), ("/healthz", 404), ("/api/v1/tools/members.list", 404)] {
        let request = poem::Request::builder().uri(path.parse().expect("a path")).finish();
        assert_eq!(own.get_response(request).await.status().as_u16(), status, "{path}");
    }
    world.end().await;
}
