use serde_json::json;
use usher::areas::sign_in::store;

use super::{link, look, open, path, press, title};
use crate::{harness::World, members::delete::everything};

both!(a_link_is_told_once_and_kept_nowhere, async |world| {
    open(world).await;
    world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let body = json!({ "args": { "member": { "email": "Anna@example.com" }, "redirect": "/videos/12" } });
    let call = async |key| {
        world.call_with(&world.key, "members.createLoginLink", body.clone(), &[("idempotency-key", key)]).await
    };
    let first = call("first").await;
    let result = first.result();
    // A person in it could not be erased from what is sealed.
    assert_eq!(result.as_object().unwrap().keys().collect::<Vec<_>>(), ["url", "expiresAt"]);
    assert_eq!(result["expiresAt"], "2025-01-01T13:00:00.000Z");
    let url = result["url"].as_str().unwrap();
    let token = url.strip_prefix(&format!("{}/sign-in/", world.address)).expect("a page of ours");
    assert_eq!(token.len(), "1-".len() + 43, "{token}");

    let again = call("first").await;
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &first.text));
    let other = call("second").await.result();
    assert_ne!(other["url"], result["url"]);

    // It is used as well, so that what that writes is there.
    assert_eq!(press(world, &path(&result)).await.status, 200);
    let secret = token.strip_prefix("1-").unwrap();
    let all = everything(world).await;
    assert!(all.iter().any(|row| row.contains("loginLink")), "{all:#?}");
    let told: Vec<_> = all.iter().filter(|row| row.contains(secret) || row.contains("/sign-in/")).collect();
    assert!(told.is_empty(), "{told:#?}");
    let kept = world.rows("SELECT answer FROM idempotency").await;
    assert!(kept.len() == 2 && kept.iter().all(|answer| answer.starts_with("x1:")), "{kept:?}");
    // The other works on.
    assert_eq!(press(world, &path(&other)).await.status, 200);
});

both!(a_refusal_is_kept_in_the_open, async |world| {
    let body = json!({ "args": { "member": { "email": "nobody@example.com" } } });
    for replayed in ["", "true"] {
        let headers = [("idempotency-key", "k")];
        let reply = world.call_with(&world.key, "members.createLoginLink", body.clone(), &headers).await;
        let answer = (reply.json()["code"].clone(), reply.header("idempotent-replayed").to_owned());
        assert_eq!(answer, (json!("member_not_found"), replayed.to_owned()));
    }
    assert!(world.rows("SELECT answer FROM idempotency").await[0].starts_with('{'));
});

both!(what_is_missing_is_said_before_there_is_a_link, async |world| {
    world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let args = json!({ "member": { "email": "anna@example.com" } });
    let reply = world.call(&world.key, "members.createLoginLink", args.clone()).await;
    assert_eq!(reply.failure(), (200, "login_url_not_set".into()));
    assert!(reply.text.contains("usher sites update --site 1 --login-url"), "{}", reply.text);
    world.settings(|settings| settings.login_url = Some("https://site.example/login".into())).await;
    let reply = world.call(&world.key, "members.createLoginLink", args.clone()).await;
    assert_eq!(reply.failure(), (200, "public_url_missing".into()));
    assert!(reply.text.contains("--public-url"), "{}", reply.text);
    let strict = [("prefer", "handling=strict")];
    let body = json!({ "args": args });
    assert_eq!(world.call_with(&world.key, "members.createLoginLink", body, &strict).await.status, 409);
    assert!(world.rows("SELECT id FROM login_link").await.is_empty());
});

both!(a_link_leads_back_to_the_site_and_to_no_other, async |world| {
    world.without_budgets().await;
    open(world).await;
    world.one("members.create", json!({ "email": "anna@example.com" })).await;
    for redirect in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "videos",
        "",
        "/a b",
        "/\u{e9}",
        "/..//evil.example",
        "/%5cevil.example",
        "/a/..//evil.example",
        "/\tb",
    ] {
        let args = json!({ "member": { "email": "anna@example.com" }, "redirect": redirect });
        world.call(&world.key, "members.createLoginLink", args).await.is_refused_for_arguments();
    }
});

both!(a_dry_run_makes_no_link_and_no_key, async |world| {
    open(world).await;
    world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let body = json!({ "args": { "member": { "email": "anna@example.com" } }, "dryRun": true });
    let reply = world.call_with(&world.key, "members.createLoginLink", body, &[]).await;
    let (result, changes) = (reply.result(), reply.json()["changes"].clone());
    assert_eq!(result["url"], format!("{}/sign-in/dry-run", world.address));
    assert_eq!((&changes[0]["kind"], &changes[1]["kind"]), (&json!("signingKey"), &json!("loginLink")));
    assert_eq!(title(&look(world, "/sign-in/dry-run").await), "This link does not work");
    for table in ["SELECT id FROM login_link", "SELECT kid FROM signing_key"] {
        assert!(world.rows(table).await.is_empty());
    }
});

both!(a_link_is_its_members_and_goes_with_the_address, async |world| {
    world.without_budgets().await;
    open(world).await;
    let (_, anna) = link(world, "anna@example.com").await;
    // Only how it is written.
    world
        .one("members.update", json!({ "member": { "email": "anna@example.com" }, "email": "Anna@example.com" }))
        .await;
    assert_eq!(look(world, &anna).await.status, 200);
    world
        .one("members.update", json!({ "member": { "email": "anna@example.com" }, "email": "anna@example.org" }))
        .await;
    assert_eq!(look(world, &anna).await.status, 404);
    assert_eq!(press(world, &anna).await.status, 404);

    // In a merge it does not become the winner's.
    let (_, ben) = link(world, "ben@example.com").await;
    let who = json!({ "winner": { "email": "anna@example.org" }, "loser": { "email": "ben@example.com" } });
    let merged = world.ok("members.merge", who).await;
    world.job(&merged["job"]["id"]).await;
    assert_eq!(press(world, &ben).await.status, 404);

    let (_, cid) = link(world, "cid@example.com").await;
    let deleted = world.ok("members.delete", json!({ "member": { "email": "cid@example.com" } })).await;
    world.job(&deleted["job"]["id"]).await;
    assert_eq!(press(world, &cid).await.status, 404);
    assert!(world.rows("SELECT id FROM login_link").await.is_empty());
});

both!(a_member_that_is_about_to_go_is_not_let_in, async |world| {
    open(world).await;
    let (member, anna) = link(world, "anna@example.com").await;
    let id = member["id"].as_str().unwrap();
    world.execute(&format!("UPDATE member SET deleting_since = 1 WHERE id = '{id}'")).await;
    for reply in [look(world, &anna).await, press(world, &anna).await] {
        assert_eq!((reply.status, title(&reply)), (410, "This link no longer works"));
        assert!(!reply.text.contains("anna@"), "{}", reply.text);
    }
    assert_eq!(refusals(world).await, ["member_deleting"]);
    let args = json!({ "member": { "email": "anna@example.com" } });
    assert_eq!(world.call(&world.key, "members.createLoginLink", args).await.code(), "member_deleting");
});

/// Why sign-ins were refused.
pub async fn refusals(world: &World) -> Vec<String> {
    world
        .rows("SELECT code FROM activity WHERE tool = 'members.signIn' AND status = 'refused' AND actor = 'member' ORDER BY id")
        .await
}

both!(links_are_forgotten_a_month_after_they_worked, async |world| {
    open(world).await;
    link(world, "anna@example.com").await;
    let (_, late) = {
        world.clock.advance(std::time::Duration::from_secs(60));
        link(world, "ben@example.com").await
    };
    let mut tx = world.app.db.begin().await.unwrap();
    let until = world.clock.now() + usher::areas::sign_in::LIFE;
    assert_eq!(store::prune_links(tx.conn(), until, 100).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(look(world, &late).await.status, 200);
});
