use std::time::Duration;

use serde_json::json;

use super::{LOGIN_URL, handed, link, links::refusals, look, open, path, press, read, sign_in, title};
use crate::harness::Reply;

both!(looking_does_nothing_and_the_button_lets_in, async |world| {
    open(world).await;
    let (member, anna) = link(world, "anna@example.com").await;
    for method in ["GET", "HEAD", "GET", "GET"] {
        let reply = world.send(method, &anna, &[], "").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        guarded(&reply);
        if method == "GET" {
            assert_eq!(title(&reply), "Sign in to First?");
            assert!(reply.text.contains("You will be signed in as anna@example.com."), "{}", reply.text);
            assert!(
                reply.text.contains("<form method=\"post\">") && reply.text.matches("<script>").count() == 1,
                "{}",
                reply.text
            );
            assert!(!reply.text.contains("http"), "it leads nowhere: {}", reply.text);
        } else {
            assert_eq!(reply.text, "");
        }
    }
    let reply = press(world, &anna).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let policy = guarded(&reply);
    assert!(
        policy.contains("script-src 'sha256-") && policy.ends_with("form-action https://site.example https:"),
        "{policy}"
    );
    let (url, token) = handed(&reply).expect("a form");
    assert_eq!(url, LOGIN_URL);
    let [header, claims] = read(&token);
    let kid = &world.rows("SELECT kid FROM signing_key").await[0];
    assert_eq!(header, json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid }));
    let now = world.clock.now().micros() / 1_000_000;
    let jti = &world.rows("SELECT id FROM login_link").await[0];
    assert_eq!(
        claims,
        json!({
            "sub": member["id"], "email": "anna@example.com", "name": "Anna \"A\" <Lind>", "iss": world.address,
            "aud": LOGIN_URL, "jti": jti, "iat": now, "exp": now + 60,
        })
    );
    let signed = world.ok("activity.list", json!({ "tool": "members.signIn" })).await;
    let row = &signed["items"][0];
    assert_eq!((&row["actor"], &row["status"], &row["member"]), (&json!("member"), &json!("ok"), &member["id"]));
    assert_eq!((&row["id"], &row["args"]), (&json!(reply.header("x-request-id")), &json!({ "link": jti })));
    assert_eq!(row["changes"][0]["kind"], "loginLink");
    let text = signed.to_string();
    assert!(!text.contains(&token) && !text.contains(&anna), "{text}");
});

/// Checks what every page says, and gives its policy.
fn guarded(reply: &Reply) -> String {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex, nofollow"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    assert!(reply.header("x-request-id").starts_with("req_"));
    assert!(reply.header("set-cookie").is_empty());
    let policy = reply.header("content-security-policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action "] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    policy.to_owned()
}

both!(a_link_takes_its_redirect_along, async |world| {
    open(world).await;
    world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let args = json!({ "member": { "email": "anna@example.com" }, "redirect": "/a/../videos/12?t=30" });
    let made = world.ok("members.createLoginLink", args).await;
    let [_, claims] = read(&sign_in(world, &path(&made)).await);
    assert_eq!(claims["redirect"], "/videos/12?t=30");
    assert!(claims.get("name").is_none(), "{claims}");
});

both!(a_used_link_says_so_and_lets_nobody_in, async |world| {
    open(world).await;
    let (_, anna) = link(world, "anna@example.com").await;
    sign_in(world, &anna).await;
    for reply in [look(world, &anna).await, press(world, &anna).await, press(world, &anna).await] {
        ended(&reply, "This link has been used");
    }
    assert_eq!(refusals(world).await, ["login_link_used", "login_link_used"]);
    // Older than it may be as well: what happened first is told.
    world.clock.advance(Duration::from_secs(7200));
    ended(&look(world, &anna).await, "This link has been used");
});

/// It says no more than why.
fn ended(reply: &Reply, why: &str) {
    assert_eq!((reply.status, title(reply)), (410, why), "{}", reply.text);
    guarded(reply);
    assert!(!reply.text.contains("<form") && !reply.text.contains("anna"), "{}", reply.text);
}

both!(a_link_works_for_an_hour, async |world| {
    world.without_budgets().await;
    open(world).await;
    let (_, anna) = link(world, "anna@example.com").await;
    let again = world.ok("members.createLoginLink", json!({ "member": { "email": "anna@example.com" } })).await;
    world.clock.advance(Duration::from_secs(3599));
    sign_in(world, &anna).await;
    world.clock.advance(Duration::from_secs(1));
    for reply in [look(world, &path(&again)).await, press(world, &path(&again)).await] {
        ended(&reply, "This link has expired");
    }
    assert_eq!(refusals(world).await, ["login_link_expired"]);
});

both!(whoever_holds_no_link_is_told_nothing, async |world| {
    open(world).await;
    let (_, anna) = link(world, "anna@example.com").await;
    sign_in(world, &anna).await;
    let (second, key) = world.other_site("Second", Some("second.example")).await;
    world.call(&key, "members.create", json!({ "email": "anna@example.com" })).await.one();
    let args = json!({ "member": { "email": "anna@example.com" } });
    let theirs = path(&world.call(&key, "members.createLoginLink", args).await.result());
    assert!(theirs.starts_with(&format!("/sign-in/{}-", second.id)));

    let altered = format!("{}{}", &anna[..anna.len() - 1], if anna.ends_with('x') { 'y' } else { 'x' });
    let other_site = anna.replacen("/1-", "/2-", 1);
    let nowhere = anna.replacen("/1-", "/77-", 1);
    let expected = look(world, "/sign-in/x").await;
    assert_eq!((expected.status, title(&expected)), (404, "This link does not work"));
    guarded(&expected);
    let long = format!("/sign-in/1-{}", "a".repeat(5000));
    for (path, host) in [
        (altered.as_str(), None),
        (&other_site, None),
        (&nowhere, None),
        ("/sign-in/1-", None),
        ("/sign-in/%00%ff", None),
        (&long, None),
        // A link of the first site, used or not, at the host name of the second.
        (&anna, Some("second.example")),
        (&anna, Some("SECOND.example.:8080")),
    ] {
        for method in ["GET", "POST"] {
            let host = host.map(|host| ("host", host.to_owned()));
            let reply = world.send(method, path, host.as_slice(), "").await;
            assert_eq!((reply.status, &reply.text), (404, &expected.text), "{method} {path}");
        }
    }
    // At its own host name, and at one that is nobody's, it opens.
    for host in ["second.example", "Second.Example:443", "localhost"] {
        let reply = world.send("GET", &theirs, &[("host", host.into())], "").await;
        assert_eq!((reply.status, title(&reply)), (200, "Sign in to Second?"), "{host}");
    }
    assert!(refusals(world).await.is_empty());
});

both!(another_sites_page_cannot_press_the_button, async |world| {
    open(world).await;
    let (_, anna) = link(world, "anna@example.com").await;
    for headers in [
        vec![("sec-fetch-site", "cross-site".to_owned()), ("origin", "null".to_owned())],
        vec![("sec-fetch-site", "same-site".to_owned())],
        vec![("origin", "https://evil.example".to_owned())],
    ] {
        let reply = world.send("POST", &anna, &headers, "").await;
        assert_eq!((reply.status, title(&reply)), (200, "Sign in to First?"), "{headers:?}");
        assert!(handed(&reply).is_none(), "{}", reply.text);
    }
    // A browser that says nothing, as older ones do.
    let reply = world.send("POST", &anna, &[("origin", "null".into())], "").await;
    assert!(handed(&reply).is_some(), "{}", reply.text);
});

both!(guesses_are_counted_and_links_work_all_the_same, async |world| {
    open(world).await;
    let (_, anna) = link(world, "anna@example.com").await;
    for n in 0..30 {
        assert_eq!(look(world, &format!("/sign-in/1-guess{n}")).await.status, 404);
    }
    let reply = look(world, "/sign-in/1-guess").await;
    assert_eq!((reply.status, title(&reply)), (429, "Too many tries"));
    guarded(&reply);
    let wait: u64 = reply.header("retry-after").parse().expect("seconds");
    assert!((1..=61).contains(&wait));
    sign_in(world, &anna).await;
    // Nor does somebody with an old link fill the log.
    assert_eq!(press(world, &anna).await.status, 429);
    world.clock.advance(Duration::from_secs(wait));
    for _ in 0..40 {
        press(world, &anna).await;
    }
    assert_eq!(refusals(world).await.len(), 30);
});

both!(a_link_is_not_lost_while_the_site_takes_nobody_over, async |world| {
    open(world).await;
    let (_, anna) = link(world, "anna@example.com").await;
    world.settings(|settings| settings.login_url = None).await;
    let reply = press(world, &anna).await;
    assert_eq!((reply.status, title(&reply)), (503, "Signing in does not work right now"));
    guarded(&reply);
    assert!(!reply.text.contains("usher sites"), "the operator's to know: {}", reply.text);
    assert_eq!(refusals(world).await, ["login_url_not_set"]);
    open(world).await;
    sign_in(world, &anna).await;
});

both!(a_page_is_opened_or_its_button_pressed, async |world| {
    let reply = world.send("PUT", "/sign-in/x", &[], "").await;
    assert_eq!((reply.status, reply.header("allow")), (405, "GET, HEAD, POST"));
    guarded(&reply);
});

both!(the_name_of_a_site_is_text, async |world| {
    open(world).await;
    let name = "<script>alert(1)</script> & Co";
    world.execute(&format!("UPDATE site SET name = '{name}'")).await;
    let (_, anna) = link(world, "anna@example.com").await;
    for reply in [look(world, &anna).await, press(world, &anna).await, look(world, &anna).await] {
        assert!(!reply.text.contains("<script>alert") && reply.text.contains("&#60;script&#62;"), "{}", reply.text);
    }
});
