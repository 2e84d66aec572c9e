//! Inviting somebody, up to the mail and what its link opens.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};
use usher::areas::sites;

use super::{LOGIN_URL, between, look, open, read, sign_in, title};
use crate::{
    harness::{Backend, World, new_key, new_site},
    members::delete::everything,
};

/// Lets a site send mail, into a folder.
async fn mails(world: &World, site: i64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    world
        .execute(&format!(
            "INSERT INTO mail_connection (site, transport, folder, from_name, from_address, revision, created_at, updated_at)
             VALUES ({site}, 'folder', '{}', 'First', 'hello@site.example', 1, 1, 1)",
            folder.path().display()
        ))
        .await;
    folder
}

/// What the mails in a folder say, as Python's library reads them: to whom, and the text.
fn inbox(folder: &Path) -> Vec<[String; 2]> {
    const READ: &str = "import email, email.policy, json, sys
message = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
print(json.dumps([message['To'], message.get_body(('plain',)).get_content()]))";
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/venv/bin/python");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "eml"));
    files.sort_unstable();
    let one = |file| {
        let mail = fs::File::open(file).expect("a mail");
        let output = Command::new(&python).args(["-c", READ]).stdin(mail).output().expect("Python reads it");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    };
    files.iter().map(one).collect()
}

/// The path of the link in a mail.
fn link_in(world: &World, text: &str) -> String {
    let start = format!("{}/sign-in/", world.address);
    let token = between(text, &start, "\n").unwrap_or_else(|| panic!("no link: {text}")).trim_end();
    format!("/sign-in/{token}")
}

async fn invited(world: &World, args: Value) -> Value {
    world.call_with(&world.key, "members.invite", json!({ "args": args }), &[("prefer", "wait=20")]).await.result()
}

both!(somebody_new_is_made_a_member_and_signs_in_by_the_mail, async |world| {
    world.without_budgets().await;
    open(world).await;
    let folder = mails(world, 1).await;
    let group = world.one("groups.create", json!({ "name": "Early" })).await;
    // Who wants no mail wants to sign in all the same.
    world.ok("blocklist.add", json!({ "emails": ["anna@example.com"], "reason": "unsubscribe" })).await;
    let args = json!({
        "email": "Anna@example.com", "name": "Anna Lind", "tags": ["Early Bird"], "groups": [group["id"]],
        "freeAccess": { "expiresAt": "2025-02-01T00:00:00Z" }, "redirect": "/welcome",
    });
    let result = invited(world, args).await;
    assert_eq!(result["created"], true);
    assert_eq!((&result["member"]["tags"], &result["member"]["status"]), (&json!(["early-bird"]), &json!("comped")));
    assert_eq!(
        (&result["access"]["allowed"], &result["access"]["until"]),
        (&json!(true), &json!("2025-02-01T00:00:00.000Z"))
    );
    let email = &result["message"];
    assert_eq!((&email["status"], &email["job"]["status"]), (&json!("sent"), &json!("succeeded")), "{result}");
    assert!(email["message"].as_str().unwrap().starts_with("eml_") && result.get("job").is_none(), "{result}");
    assert_eq!(world.one("groups.get", json!({ "group": group["id"] })).await["memberCount"], 1);

    let inbox = inbox(folder.path());
    let [[to, text]] = &inbox[..] else { panic!("one mail: {inbox:?}") };
    assert!(to.contains("Anna@example.com") && text.contains("Anna"), "{inbox:?}");
    let path = link_in(world, text);
    let token = path.strip_prefix("/sign-in/").unwrap();
    let [_, claims] = read(&sign_in(world, &path).await);
    assert_eq!(
        (&claims["sub"], &claims["aud"], &claims["redirect"]),
        (&result["member"]["id"], &json!(LOGIN_URL), &json!("/welcome"))
    );
    let told: Vec<_> = everything(world).await.into_iter().filter(|row| row.contains(token)).collect();
    assert!(told.is_empty(), "{told:#?}");
});

both!(a_member_keeps_what_there_is_and_gets_what_is_new, async |world| {
    world.without_budgets().await;
    open(world).await;
    let folder = mails(world, 1).await;
    let [old, new] = [
        world.one("groups.create", json!({ "name": "Old" })).await,
        world.one("groups.create", json!({ "name": "New" })).await,
    ];
    let member = world
        .one("members.create", json!({ "email": "ben@example.com", "name": "Ben", "tags": ["a"], "groups": [old["id"]], "freeAccess": {} }))
        .await;
    let args = json!({
        "email": "BEN@example.com", "name": "Benjamin", "tags": ["b"], "groups": [old["id"], new["id"]],
        "freeAccess": { "expiresAt": "2025-02-01T00:00:00Z" },
    });
    for round in 1..=2 {
        let result = invited(world, args.clone()).await;
        let now = &result["member"];
        assert_eq!((&result["created"], &now["id"], &now["name"]), (&json!(false), &member["id"], &json!("Ben")));
        assert_eq!((&now["tags"], &now["email"]), (&json!(["a", "b"]), &json!("ben@example.com")));
        assert!(now["freeAccess"].get("expiresAt").is_none(), "for good is not made shorter: {now}");
        assert_eq!(inbox(folder.path()).len(), round);
    }
    for group in [&old, &new] {
        assert_eq!(world.one("groups.get", json!({ "group": group["id"] })).await["memberCount"], 1);
    }
    // Each mail's link works.
    for [_, text] in inbox(folder.path()) {
        sign_in(world, &link_in(world, &text)).await;
    }
    let nameless = json!({ "email": "cid@example.com" });
    world.one("members.create", nameless.clone()).await;
    let named = invited(world, json!({ "email": "cid@example.com", "name": "Cid" })).await;
    assert_eq!(named["member"]["name"], "Cid");
});

both!(who_comes_back_is_mailed_a_link_and_no_flood_of_them, async |world| {
    world.without_budgets().await;
    open(world).await;
    let folder = mails(world, 1).await;
    world.one("members.create", json!({ "email": "anna@example.com", "name": "Anna Lind" })).await;
    let args = json!({ "member": { "email": "anna@example.com" }, "redirect": "/videos/12", "send": true });
    let send = async || {
        let body = json!({ "args": args });
        world.call_with(&world.key, "members.createLoginLink", body, &[("prefer", "wait=20")]).await
    };
    let sent = send().await.result();
    assert!(sent.get("url").is_none() && sent["expiresAt"].is_string(), "{sent}");
    assert_eq!((&sent["message"]["status"], &sent["message"]["job"]["status"]), (&json!("sent"), &json!("succeeded")));
    let [[to, text]] = &inbox(folder.path())[..] else { panic!("one mail") };
    assert!(to.contains("anna@example.com") && text.contains("sign in to First") && !text.contains("invit"), "{text}");
    let [_, claims] = read(&sign_in(world, &link_in(world, text)).await);
    assert_eq!(claims["redirect"], "/videos/12");
    // An invitation is one of five, too.
    invited(world, json!({ "email": "anna@example.com" })).await;
    world.clock.advance(std::time::Duration::from_secs(60));
    for _ in 0..3 {
        send().await.result();
    }
    let refused = send().await;
    assert_eq!(refused.code(), "too_many_sign_in_mails", "{}", refused.text);
    assert!(refused.text.contains("2025-01-01T13:00:00"), "{}", refused.text);
    let invite = world.call(&world.key, "members.invite", json!({ "email": "anna@example.com" })).await;
    assert_eq!(invite.code(), "too_many_sign_in_mails");
    assert_eq!(inbox(folder.path()).len(), 5);
    // Others, and links that are not mailed, are not held up; nor is she in an hour.
    invited(world, json!({ "email": "ben@example.com" })).await;
    world.ok("members.createLoginLink", json!({ "member": { "email": "anna@example.com" } })).await;
    world.clock.advance(std::time::Duration::from_secs(3600));
    assert_eq!(send().await.result()["message"]["status"], "sent");
});

both!(nobody_is_made_where_no_mail_can_go_out, async |world| {
    world.without_budgets().await;
    let args = json!({ "email": "anna@example.com", "tags": ["a"] });
    assert_eq!(world.call(&world.key, "members.invite", args.clone()).await.code(), "login_url_not_set");
    open(world).await;
    assert_eq!(world.call(&world.key, "members.invite", args.clone()).await.code(), "mail_not_connected");
    let _folder = mails(world, 1).await;
    let mut unknown = args.clone();
    unknown["groups"] = json!(["grp_01kan8v3t0e0rt8nfkzk1s7p4qe"]);
    assert_eq!(world.call(&world.key, "members.invite", unknown).await.code(), "group_not_found");
    let mut over = args.clone();
    over["freeAccess"] = json!({ "expiresAt": "2025-01-01T11:00:00Z" });
    world.call(&world.key, "members.invite", over).await.is_refused_for_arguments();
    let dry = world.call_with(&world.key, "members.invite", json!({ "args": args, "dryRun": true }), &[]).await;
    assert_eq!(dry.result()["created"], true);
    let kinds: Vec<_> = dry.json()["changes"].as_array().unwrap().iter().map(|change| change["kind"].clone()).collect();
    assert!(kinds.contains(&json!("member")) && kinds.contains(&json!("loginLink")) && kinds.contains(&json!("email")));
    for table in ["SELECT id FROM member", "SELECT id FROM login_link", "SELECT id FROM email"] {
        assert!(world.rows(table).await.is_empty(), "{table}");
    }
});

both!(who_is_about_to_go_is_not_invited, async |world| {
    world.without_budgets().await;
    open(world).await;
    let _folder = mails(world, 1).await;
    world.one("members.create", json!({ "email": "anna@example.com" })).await;
    world.execute("UPDATE member SET deleting_since = 1").await;
    let args = json!({ "email": "anna@example.com" });
    assert_eq!(world.call(&world.key, "members.invite", args).await.code(), "member_deleting");
    assert!(world.rows("SELECT id FROM login_link").await.is_empty());
});

both!(a_test_site_mails_only_to_whom_it_may, async |world| {
    let site = new_site(&world.app, "Test", None, false).await;
    let settings = sites::Settings {
        login_url: Some(LOGIN_URL.into()),
        public_url: Some(world.address.clone()),
        mail_only_to: vec!["@site.example".into()],
        ..sites::Settings::default()
    };
    let mut tx = world.app.db.begin().await.expect("a transaction");
    sites::store::update(tx.conn(), site.id, "Test", None, &settings).await.expect("an update");
    tx.commit().await.expect("a commit");
    let key = new_key(&world.app, &site, usher::tools::Scope::ALL.iter().copied().collect(), None).await;
    let folder = mails(world, site.id.number()).await;
    for (email, status, reason) in
        [("anna@example.com", "blocked", json!("not_allowed_on_test_site")), ("anna@site.example", "sent", Value::Null)]
    {
        let body = json!({ "args": { "email": email } });
        let reply = world.call_with(&key, "members.invite", body, &[("prefer", "wait=20")]).await.result();
        assert_eq!((&reply["message"]["status"], &reply["message"]["reason"]), (&json!(status), &reason), "{reply}");
    }
    assert_eq!(inbox(folder.path()).len(), 1);
});

/// The link is a secret while its mail waits, too.
async fn waits(backend: Backend) {
    let mut world = World::start_idle(backend, &[]).await;
    world.leaves_traces = true;
    open(&mut world).await;
    let _folder = mails(&world, 1).await;
    let result = world.ok("members.invite", json!({ "email": "anna@example.com" })).await;
    assert_eq!(
        (&result["message"]["status"], &result["message"]["job"]["status"]),
        (&json!("queued"), &json!("queued"))
    );
    let all = everything(&world).await;
    assert!(all.iter().any(|row| row.starts_with("email:")), "{all:#?}");
    assert!(all.iter().all(|row| !row.contains("/sign-in/")), "{all:#?}");
    assert_eq!(title(&look(&world, "/sign-in/1-x").await), "This link does not work");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_sealed_while_its_mail_waits_on_sqlite() {
    waits(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_sealed_while_its_mail_waits_on_postgres() {
    waits(Backend::Postgres).await;
}
