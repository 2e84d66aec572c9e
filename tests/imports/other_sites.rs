//! An export of one site is imported by another.

use serde_json::{Value, json};

use super::{counts, group, import};
use crate::harness::{Reply, TestKey, World};

/// What an export is to bring over.
async fn all(world: &World, key: &TestKey) -> Vec<Value> {
    let page = world.call(key, "members.list", json!({ "sort": "email", "limit": 200 })).await.result();
    let mut members = page["items"].as_array().unwrap().clone();
    for member in &mut members {
        let member = member.as_object_mut().unwrap();
        for name in ["id", "createdAt", "updatedAt"] {
            member.remove(name);
        }
        if let Some(free) = member.get_mut("freeAccess").and_then(Value::as_object_mut) {
            free.remove("since");
        }
    }
    members
}

async fn fetch(world: &World, key: &TestKey, job: &Value) -> Reply {
    let headers = [("authorization", format!("Bearer {}", key.text))];
    world.send("GET", &format!("/api/v1/jobs/{}/file", job["id"].as_str().unwrap()), &headers, "").await
}

both!(an_export_makes_the_same_members_elsewhere, async |world| {
    world.without_budgets().await;
    group(world).await;
    let names = ["=1+1", "'=1", "-x", "Ann, \"the\" Lind", "@y", "", "'quoted'", "ÄÖ"];
    for (n, name) in names.iter().enumerate() {
        let args = json!({
            "email": format!("{}M{n}@example.com", if n == 2 { "+" } else { "" }), "name": name,
            "note": if n % 2 == 0 { "one\ntwo; =three" } else { "" }, "tags": if n == 3 { json!([]) } else { json!(["b", "a-b"]) },
        });
        world.one("members.create", args).await;
    }
    import(
        world,
        "email,free access until,groups\nm1@example.com,never,\"Friends, old\"\nm4@example.com,2027-01-01,\n",
        json!({}),
    )
    .await;
    let before = all(world, &world.key).await;
    for format in ["csv", "jsonl"] {
        let id = world.ok("members.export", json!({ "format": format })).await["job"]["id"].clone();
        let job = world.job(&id).await;
        assert_eq!((&job["status"], &job["result"]["done"]), (&json!("succeeded"), &json!(names.len())), "{job}");
        let file = fetch(world, &world.key, &job).await;
        assert_eq!(file.status, 200, "{}", file.text);
        assert_eq!(counts(&import(world, file.text.clone(), json!({})).await), [8, 8, 0, 0, 8, 0], "{}", file.text);

        let (site, key) = world.other_site(format, None).await;
        let other = world.key_with(&[usher::tools::Scope::MembersRead]).await;
        assert_eq!(fetch(world, &other, &job).await.failure(), (404, "job_not_found".into()));
        assert_eq!(fetch(world, &key, &job).await.failure(), (404, "job_not_found".into()));
        let mut tx = world.app.db.begin().await.unwrap();
        let mut settings = site.settings.clone();
        settings.budgets.calls_per_minute = 1000;
        usher::areas::sites::store::update(tx.conn(), site.id, &site.name, None, &settings).await.unwrap();
        tx.commit().await.unwrap();
        let sent =
            crate::uploads::send(world, &key, "", file.text.clone()).await.json()["result"]["upload"]["id"].clone();
        let args = json!({ "args": { "upload": sent } });
        let made = world.call_with(&key, "members.import", args, &[("prefer", "wait=30")]).await.result();
        assert_eq!(made["job"]["progress"]["created"], 8, "{made}");
        assert_eq!(all(world, &key).await, before, "{}", file.text);
    }
    let args = json!({ "tag": "a-b", "text": "m1@", "withGroups": true });
    let job = world.job(&world.ok("members.export", args).await["job"]["id"]).await;
    let text = fetch(world, &world.key, &job).await.text;
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(lines[0], "email,name,note,tags,free_access_until,external_id,metadata,groups,id,status,created_at");
    assert!(lines[1].starts_with("M1@example.com,''=1,,\"a-b,b\",never,,,\"[\"\"Friends, old\"\"]\",mem_"), "{text}");
    assert_eq!(counts(&import(world, text, json!({})).await), [1, 1, 0, 0, 1, 0]);
    world.leaves_traces = true;
});
