//! The link in each mail.

use serde_json::{Value, json};
use usher::{
    areas::unsubscribe::{Links, url},
    values::SiteId,
};

use crate::harness::{Reply, World};

/// The path of a link for somebody.
async fn link(world: &World, email: &str) -> String {
    link_of(world, world.site.id, email).await
}

async fn link_of(world: &World, site: SiteId, email: &str) -> String {
    let links = Links::load(world.app.db.read()).await.expect("the installation's secret");
    format!("/unsubscribe/{}", links.token(site, email))
}

async fn get(world: &World, path: &str) -> Reply {
    world.send("GET", path, &[], "").await
}

async fn press(world: &World, path: &str) -> Reply {
    let headers = [("content-type", "application/x-www-form-urlencoded".to_owned())];
    world.send("POST", path, &headers, "").await
}

async fn checked(world: &World, email: &str) -> Value {
    world.ok("blocklist.check", json!({ "emails": [email] })).await["results"][0].clone()
}

/// Fails unless a page is one that nobody can put to another use.
#[track_caller]
fn is_page(reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    for (name, part) in [
        ("content-security-policy", "default-src 'none'"),
        ("content-security-policy", "frame-ancestors 'none'"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-robots-tag", "noindex"),
    ] {
        assert!(reply.header(name).contains(part), "{name}: {}", reply.header(name));
    }
    assert!(!reply.header("x-request-id").is_empty());
    assert!(!reply.headers.contains_key("set-cookie"));
    // That of the button, if there is one.
    let scripts = usize::from(reply.text.contains("<button"));
    assert_eq!(reply.text.matches("<script").count(), scripts, "{}", reply.text);
}

both!(looking_never_acts, async |world| {
    let path = link(world, "anna@example.com").await;
    for _ in 0..3 {
        let page = get(world, &path).await;
        is_page(&page, 200);
        assert!(
            page.text.contains("<form method=\"post\">\n<button type=\"submit\">Unsubscribe</button>"),
            "{}",
            page.text
        );
        assert!(page.text.contains("Stop mail from First?") && page.text.contains("a***@example.com"), "{}", page.text);
        assert!(!page.text.contains("anna"), "{}", page.text);
        let head = world.send("HEAD", &path, &[], "").await;
        assert_eq!((head.status, head.text.as_str()), (200, ""));
    }
    for method in ["OPTIONS", "PUT", "DELETE", "PATCH"] {
        let reply = world.send(method, &path, &[], "").await;
        is_page(&reply, 405);
        assert_eq!(reply.header("allow"), "GET, HEAD, POST");
    }
    let query = format!("{path}?List-Unsubscribe=One-Click");
    is_page(&get(world, &query).await, 200);
    assert_eq!(checked(world, "anna@example.com").await["blocked"], false);
    let log = world.ok("activity.list", json!({ "tool": "unsubscribe" })).await;
    assert_eq!(log["items"], json!([]));
});

both!(pressing_the_button_stops_the_mail_once_and_for_all, async |world| {
    let anna = world.one("members.create", json!({ "email": "Anna.Berg@example.com" })).await["id"].clone();
    let path = link(world, "anna.berg@example.com").await;
    let done = press(world, &path).await;
    is_page(&done, 200);
    assert!(done.text.contains("You are unsubscribed<") && done.text.contains("an***@example.com"), "{}", done.text);
    assert!(!done.text.contains("<form"), "{}", done.text);
    let entry = world.ok("blocklist.list", json!({})).await["items"][0].clone();
    let found = ["email", "reason", "source"].map(|field| entry[field].as_str().unwrap_or_default());
    assert_eq!(found, ["anna.berg@example.com", "unsubscribe", "unsubscribe link"]);
    let again = press(world, &path).await;
    is_page(&again, 200);
    let page = get(world, &path).await;
    is_page(&page, 200);
    assert!(page.text.contains("unsubscribed already") && !page.text.contains("<form"), "{}", page.text);
    let log = world.ok("activity.list", json!({ "tool": "unsubscribe" })).await;
    let rows = log["items"].as_array().expect("rows");
    assert_eq!(rows.len(), 1, "{log}");
    assert_eq!((&rows[0]["actor"], &rows[0]["member"]), (&json!("member"), &anna));
    assert_eq!(rows[0]["id"], done.header("x-request-id"));
    assert_eq!(rows[0]["changes"][0]["after"]["reason"], "unsubscribe");
});

both!(a_mail_program_unsubscribes_with_one_click, async |world| {
    const FORM: &str = "application/x-www-form-urlencoded";
    const PARTS: &str = "multipart/form-data; boundary=b";
    let parts = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    // RFC 8058, 3.2 and 8: either form, no cookies, no redirect; and what is not quite so is meant as well.
    for (n, (kind, body)) in
        [(FORM, "List-Unsubscribe=One-Click"), (PARTS, parts), ("", ""), ("text/plain", "?")].into_iter().enumerate()
    {
        let email = format!("reader{n}@example.com");
        let path = link(world, &email).await;
        let reply = world.send("POST", &path, &[("content-type", kind.to_owned())], body).await;
        is_page(&reply, 200);
        let found = checked(world, &email).await;
        assert_eq!((&found["reason"], &found["source"]), (&json!("unsubscribe"), &json!("unsubscribe link")), "{kind}");
    }
    let path = link(world, "long@example.com").await;
    is_page(&world.send("POST", &path, &[], "x".repeat(70_000)).await, 413);
    assert_eq!(checked(world, "long@example.com").await["blocked"], false);
});

both!(a_stronger_block_stays_and_a_weaker_one_is_strengthened, async |world| {
    for (email, before, after, says) in [
        ("a@example.com", "complaint", "complaint", "already"),
        ("b@example.com", "hard_bounce", "hard_bounce", "already"),
        ("c@example.com", "unsubscribe", "unsubscribe", "already"),
        ("d@example.com", "manual", "unsubscribe", "<form"),
    ] {
        world.ok("blocklist.add", json!({ "emails": [email], "reason": before, "note": "n" })).await;
        let path = link(world, email).await;
        let page = get(world, &path).await;
        assert!(page.text.contains(says), "{before}: {}", page.text);
        is_page(&press(world, &path).await, 200);
        assert_eq!(checked(world, email).await["reason"], after);
    }
});

both!(a_link_that_was_not_made_here_does_nothing, async |world| {
    let good = link(world, "anna@example.com").await;
    let mut bad = vec![
        "/unsubscribe/".to_owned(),
        "/unsubscribe/1".to_owned(),
        format!("{good}/"),
        format!("{good}/x"),
        "/unsubscribe/x".to_owned(),
        "/unsubscribe/anna@example.com".to_owned(),
        format!("{good}="),
        good[..good.len() - 1].to_owned(),
        good.replacen("/1", "/2", 1),
        format!("/unsubscribe/1{}", "A".repeat(5000)),
        "/unsubscribe/%00".to_owned(),
        link_of(world, SiteId::new(4711), "anna@example.com").await,
    ];
    for at in ["/unsubscribe/1".len(), good.len() / 2, good.len() - 2] {
        let letter = if good.as_bytes()[at] == b'A' { "B" } else { "A" };
        let mut changed = good.clone();
        changed.replace_range(at..=at, letter);
        bad.push(changed);
    }
    for path in bad {
        let page = get(world, &path).await;
        is_page(&page, 404);
        assert!(page.text.contains("This link does not work"), "{}", page.text);
        is_page(&press(world, &path).await, 404);
    }
    assert_eq!(world.ok("blocklist.list", json!({})).await["items"], json!([]));
});

both!(a_link_is_about_its_own_site_wherever_it_is_opened, async |world| {
    let (second, key) = world.other_site("Second", Some("second.example.com")).await;
    let path = link_of(world, second.id, "anna@example.com").await;
    let page = get(world, &path).await;
    assert!(page.text.contains("Stop mail from Second?"), "{}", page.text);
    is_page(&press(world, &path).await, 200);
    assert_eq!(checked(world, "anna@example.com").await["blocked"], false);
    let headers = [("host", "second.example.com")];
    let args = json!({ "args": { "emails": ["anna@example.com"] } });
    let found = world.call_with(&key, "blocklist.check", args, &headers).await.result();
    assert_eq!(found["results"][0]["reason"], "unsubscribe");
    // The link of a site is at its own address; one that has none has no link.
    let made = url(world.app.db.read(), &second, "anna@example.com").await.expect("a link").expect("an address");
    assert_eq!(made, format!("https://second.example.com{path}"));
    assert_eq!(url(world.app.db.read(), &world.site, "anna@example.com").await.expect("no error"), None);
});

both!(who_was_erased_and_unsubscribes_again_is_not_written_down, async |world| {
    let anna = world.one("members.create", json!({ "email": "anna@example.com" })).await["id"].clone();
    let path = link(world, "anna@example.com").await;
    is_page(&press(world, &path).await, 200);
    let job = world.ok("members.delete", json!({ "member": { "id": anna } })).await["job"]["id"].clone();
    assert_eq!(world.job(&job).await["status"], "succeeded");
    assert!(get(world, &path).await.text.contains("unsubscribed already"));
    is_page(&press(world, &path).await, 200);
    let list = world.ok("blocklist.list", json!({})).await;
    assert_eq!(list["items"].as_array().expect("items").len(), 1, "{list}");
    assert_eq!(list["items"][0]["email"], format!("erased:{}", anna.as_str().expect("an id")));
});

both!(a_link_stays_the_same_however_often_the_database_is_migrated, async |world| {
    let path = link(world, "anna@example.com").await;
    usher::app::migrate(&world.app.db).await.expect("the migrations apply");
    assert_eq!(link(world, "anna@example.com").await, path);
    let secrets = world.rows("SELECT value FROM setting WHERE name = 'unsubscribe_key'").await;
    assert_eq!(secrets.len(), 1);
});

both!(a_sites_name_is_shown_as_text, async |world| {
    let name = "<img src=x onerror=alert(1)> & Söhne";
    world.site.name = name.to_owned();
    world.settings(|_| {}).await;
    let page = get(world, &link(world, "anna@example.com").await).await;
    is_page(&page, 200);
    assert!(!page.text.contains("<img"), "{}", page.text);
    assert!(page.text.contains("&#60;img src=x onerror=alert(1)&#62; &#38; Söhne"), "{}", page.text);
});

both!(without_its_database_the_page_says_to_try_again, async |world| {
    let path = link(world, "anna@example.com").await;
    world.leaves_traces = true;
    world.app.db.close().await;
    let reply = press(world, &path).await;
    is_page(&reply, 503);
    assert!(reply.text.contains("Try again in a moment"), "{}", reply.text);
    assert_eq!(reply.header("retry-after"), "1");
});

both!(ten_presses_at_once_are_one, async |world| {
    let path = link(world, "anna@example.com").await;
    let answers = futures_util::future::join_all((0..10).map(|_| press(world, &path))).await;
    answers.iter().for_each(|reply| is_page(reply, 200));
    let log = world.ok("activity.list", json!({ "tool": "unsubscribe" })).await;
    assert_eq!(log["items"].as_array().expect("rows").len(), 1, "{log}");
});
