//! Templates: what is written once and sent to some, each with their own words in it.

use serde_json::{Value, json};

use super::{
    member,
    sending::header,
    server::{Server, connect, to as through},
};
use crate::harness::{Reply, World};

/// The template of these tests, under a name.
fn welcome(name: &str) -> Value {
    json!({
        "name": name, "subject": "Welcome, {{first_name|friend}}", "variables": ["course"],
        "html": "<h1>Hello {{first_name|friend}}</h1><p>{{course}} begins. <a href=\"https://site.example/go\">Look</a></p>\
                 <script>alert(1)</script>",
    })
}

async fn send(world: &World, args: Value) -> Reply {
    world.call_with(&world.key, "emails.sendTemplate", json!({ "args": args }), &[("prefer", "wait=25")]).await
}

async fn refused(world: &World, tool: &str, args: Value) -> String {
    world.call(&world.key, tool, args).await.code()
}

both!(a_template_is_made_shown_changed_and_deleted, async |world| {
    world.without_budgets().await;
    let made = world.one("emailTemplates.create", welcome("welcome")).await;
    assert_eq!(refused(world, "emailTemplates.create", welcome("welcome")).await, "template_exists");
    let second = world.one("emailTemplates.create", welcome("second")).await;
    // By name or by id, newest first.
    let by_id = json!({ "template": made["id"] });
    assert_eq!(world.one("emailTemplates.get", by_id.clone()).await, made);
    assert_eq!(world.one("emailTemplates.get", json!({ "template": { "name": "welcome" } })).await, made);
    let page = world.ok("emailTemplates.list", json!({ "limit": 1 })).await;
    assert_eq!(page["items"], json!([second]));
    let rest = world.ok("emailTemplates.list", json!({ "cursor": page["nextCursor"] })).await;
    assert_eq!(rest["items"], json!([made]));
    // To somebody made up, and to a member.
    let shown = world.ok("emailTemplates.preview", by_id.clone()).await;
    assert_eq!(shown["subject"], "Welcome, Anna");
    let text = shown["text"].as_str().expect("there is always a text");
    assert!(text.contains("Hello Anna") && text.contains("{{course}} begins"), "{text}");
    assert!(text.contains("https://site.example/go"), "{text}");
    world.one("members.create", json!({ "email": "nameless@example.com" })).await;
    let args = json!({
        "template": { "name": "welcome" }, "member": { "email": "nameless@example.com" }, "variables": { "course": "<b>Ink & Co</b>" },
    });
    let shown = world.ok("emailTemplates.preview", args).await;
    assert_eq!(shown["subject"], "Welcome, friend");
    let html = shown["html"].as_str().expect("HTML");
    assert!(html.contains("&lt;b&gt;Ink &amp; Co&lt;/b&gt; begins") && !html.contains("alert"), "{html}");
    assert!(shown["text"].as_str().expect("a text").contains("<b>Ink & Co</b> begins"), "{shown}");
    // What cannot be filled in is refused, and what is left out stays.
    for (change, code) in [
        (json!({ "subject": "{{nope}}" }), "unknown_placeholder"),
        (json!({ "variables": [] }), "unknown_placeholder"),
        (json!({ "variables": ["course", "name"] }), "arguments_refused"),
        (json!({ "html": "" }), "arguments_refused"),
        (json!({ "name": "second" }), "template_exists"),
    ] {
        let mut args = change.clone();
        args["template"] = json!({ "name": "welcome" });
        assert_eq!(refused(world, "emailTemplates.update", args).await, code, "{change}");
    }
    assert_eq!(world.one("emailTemplates.get", by_id.clone()).await, made);
    let changed =
        world.one("emailTemplates.update", json!({ "template": { "name": "welcome" }, "text": "{{course}}!" })).await;
    assert_eq!(
        (&changed["text"], &changed["html"], &changed["id"]),
        (&json!("{{course}}!"), &made["html"], &made["id"])
    );
    // Another site has its own.
    let (_, key) = world.other_site("Other", None).await;
    assert_eq!(world.call(&key, "emailTemplates.get", by_id.clone()).await.code(), "template_not_found");
    assert!(world.call(&key, "emailTemplates.create", welcome("welcome")).await.one()["id"].is_string());
    world.one("emailTemplates.delete", by_id.clone()).await;
    assert_eq!(refused(world, "emailTemplates.delete", by_id).await, "template_not_found");
});

both!(each_gets_a_template_in_their_own_words_and_as_it_was_when_it_was_sent, async |world| {
    world.without_budgets().await;
    let server = Server::start("plain", false).await;
    let connection = through(world, &server, "plain");
    connect(world, &connection).await;
    member(world, "anna@example.com").await;
    world.one("members.create", json!({ "email": "nameless@example.com" })).await;
    world.one("emailTemplates.create", welcome("welcome")).await;
    let to = json!([{ "email": "anna@example.com" }, { "email": "nameless@example.com" }]);
    let args = json!({ "template": { "name": "welcome" }, "to": to, "variables": { "course": "Watercolour <1>" } });
    for (variables, code) in
        [(json!({}), "variable_missing"), (json!({ "course": "x", "curse": "y" }), "variable_unknown")]
    {
        let mut args = args.clone();
        args["variables"] = variables;
        assert_eq!(send(world, args).await.code(), code);
    }
    assert!(world.rows("SELECT id FROM email").await.is_empty());
    let sent = send(world, args.clone()).await.result();
    assert!(sent["recipients"].as_array().expect("recipients").iter().all(|one| one["status"] == "sent"), "{sent}");
    let mut taken = server.taken();
    taken.sort_by_key(|one| one["envelope"].to_string());
    let subjects: Vec<_> = taken.iter().map(|one| header(one, "subject")).collect();
    assert_eq!(subjects, ["Welcome, Anna", "Welcome, friend"]);
    let (text, html) = (taken[0]["text"].as_str().expect("a text"), taken[0]["html"].as_str().expect("HTML"));
    assert!(text.contains("Watercolour <1> begins") && text.contains("Unsubscribe: http"), "{text}");
    assert!(html.contains("Watercolour &lt;1&gt; begins") && html.contains("https://site.example/go"), "{html}");
    assert!(!html.contains("alert") && taken[0]["defects"] == json!([]), "{html}");

    // The same is not said twice; in other words it is another mail. What it was made of may go before it leaves.
    assert_eq!(send(world, args.clone()).await.code(), "repeated_email");
    let mut other = args;
    other["variables"]["course"] = json!("Ink");
    let accepted = world.call(&world.key, "emails.sendTemplate", other).await.result();
    world.one("emailTemplates.delete", json!({ "template": { "name": "welcome" } })).await;
    for one in accepted["recipients"].as_array().expect("recipients") {
        assert_eq!(world.job(&one["job"]["id"]).await["status"], "succeeded");
    }
    assert_eq!(server.taken().iter().filter(|one| one["text"].to_string().contains("Ink begins")).count(), 2);
    // And they are found by what they are.
    let listed = async |args: Value| world.ok("emails.list", args).await["items"].as_array().expect("items").len();
    assert_eq!(listed(json!({ "kind": "template" })).await, 4);
    assert_eq!(listed(json!({ "kind": "invite" })).await, 0);
});
