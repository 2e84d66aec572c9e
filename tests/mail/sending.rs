//! What arrives, and what becomes of what does not.

use serde_json::{Value, json};
use usher_mail::dkim::SigningKey;

use super::{
    member, sent,
    server::{Server, connect, sign, to as through},
    to,
};
use crate::harness::World;

pub fn header(message: &Value, name: &str) -> String {
    let all = message["headers"].as_array().expect("headers");
    let found = all.iter().find(|pair| pair[0].as_str().expect("a name").eq_ignore_ascii_case(name));
    found.map(|pair| pair[1].as_str().expect("a text").to_owned()).unwrap_or_default()
}

async fn blocks(world: &World, address: &str) -> Value {
    world.ok("blocklist.check", json!({ "emails": [address] })).await["results"][0].clone()
}

both!(a_signed_message_arrives_as_it_was_meant_and_its_link_stops_the_next, async |world| {
    world.without_budgets().await;
    let (server, key) = (Server::start("starttls", true).await, SigningKey::generate());
    server.publish("usher1._domainkey.site.example", &key.record());
    let mut connection = through(world, &server, "starttls");
    sign(world, &mut connection, &key);
    connect(world, &connection).await;
    member(world, "anna@example.com").await;
    let args = json!({
        "to": [{ "email": "anna@example.com" }], "subject": "Grüße, {{first_name}} 🎨",
        "text": "Hello {{name}},\n\nfrom {{site_name}}.\n.\nA line that begins with a dot.",
        "html": "<p>Hello <b>{{name}}</b></p><script>alert(1)</script><a href=\"javascript:x\">no</a>",
    });
    let result = sent(world, args).await;
    let mail = &result["recipients"][0];
    assert_eq!((&mail["status"], &mail["reply"]), (&json!("sent"), &json!("250 2.0.0 taken")), "{result}");

    let taken = server.taken();
    let [message] = &taken[..] else { panic!("one message: {taken:#?}") };
    assert_eq!((&message["dkim"], &message["tls"], &message["login"]), (&json!(true), &json!(true), &json!("usher")));
    assert_eq!(message["defects"], json!([]), "{message:#}");
    assert_eq!(message["envelope"], json!(["hello@site.example", ["anna@example.com"]]));
    assert_eq!(header(message, "subject"), "Grüße, Anna 🎨");
    assert_eq!(header(message, "from"), "Söhne & Töchter <hello@site.example>");
    assert_eq!(header(message, "reply-to"), "answers@site.example");
    let id = mail["message"].as_str().expect("an id");
    assert_eq!(header(message, "message-id"), format!("<{id}@site.example>"));
    assert_eq!(header(message, "list-unsubscribe-post"), "List-Unsubscribe=One-Click");
    let signed = header(message, "dkim-signature").to_ascii_lowercase();
    assert!(signed.contains("list-unsubscribe:") || signed.contains("list-unsubscribe;"), "{signed}");
    assert!(signed.contains("list-unsubscribe-post"), "{signed}");
    let text = &message["text"].as_str().expect("a text").replace("\r\n", "\n");
    assert!(text.contains("Hello Anna Lind,") && text.contains("\n.\nA line"), "{text}");
    let html = message["html"].as_str().expect("HTML");
    assert!(html.contains("<b>Anna Lind</b>") && !html.contains("script"), "{html}");

    // By the header of the message, as a mail program does.
    let link = header(message, "list-unsubscribe");
    let link = link.trim_matches(['<', '>']);
    assert!(text.contains(link), "{text}");
    let path = link.strip_prefix(&world.address).expect("a link to the site");
    assert_eq!(world.send("GET", path, &[], "").await.status, 200);
    assert_eq!(blocks(world, "anna@example.com").await["blocked"], false);
    let headers = [("content-type", "application/x-www-form-urlencoded".to_owned())];
    assert_eq!(world.send("POST", path, &headers, "List-Unsubscribe=One-Click").await.status, 200);
    let again = sent(world, to(&["anna@example.com"])).await;
    let mail = &again["recipients"][0];
    assert_eq!((&mail["status"], &mail["reason"]), (&json!("blocked"), &json!("unsubscribe")), "{again}");
    assert_eq!(server.taken().len(), 1);
});

both!(what_a_server_refuses_is_told_and_a_missing_mailbox_is_blocked, async |world| {
    world.without_budgets().await;
    let server = Server::start("tls", true).await;
    let connection = through(world, &server, "tls");
    connect(world, &connection).await;
    for (address, status, reason, blocked) in [
        ("rcpt-550-5.1.1@example.com", "failed", "mailbox_unknown", true),
        ("rcpt-550-5.7.1@example.com", "failed", "mail_refused", false),
        ("data-554-5.7.1@example.com", "failed", "mail_refused", false),
        ("anna@example.com", "sent", "", false),
    ] {
        member(world, address).await;
        let result = sent(world, to(&[address])).await;
        let mail = &result["recipients"][0];
        assert_eq!(mail["status"], status, "{address}: {result}");
        assert_eq!(mail["reason"].as_str().unwrap_or_default(), reason, "{address}: {result}");
        let found = blocks(world, address).await;
        assert_eq!(found["blocked"], blocked, "{address}: {found}");
        if blocked {
            assert_eq!(found["reason"], "hard_bounce", "{found}");
        }
    }
    world.leaves_traces = true;
});

both!(what_a_server_cannot_take_now_is_sent_again_with_the_same_id, async |world| {
    world.without_budgets().await;
    let server = Server::start("plain", false).await;
    let connection = through(world, &server, "plain");
    connect(world, &connection).await;
    let (later, lost) = ("once-rcpt-450-4.2.1@example.com", "once-drop@example.com");
    member(world, later).await;
    member(world, lost).await;
    let result = sent(world, to(&[later, lost])).await;
    for mail in result["recipients"].as_array().expect("recipients") {
        assert_eq!(mail["status"], "sent", "{result}");
        let mail = world.one("emails.get", json!({ "message": mail["message"] })).await;
        assert_eq!(mail["attempts"], 2, "{mail}");
    }
    let taken = server.taken();
    let of = |address: &str| taken.iter().filter(|message| message["envelope"][1][0] == address).collect::<Vec<_>>();
    assert_eq!((of(later).len(), of(lost).len()), (1, 2), "{taken:#?}");
    // It was taken twice, as nobody could know; by its id a mail program knows it again.
    assert_eq!(header(of(lost)[0], "message-id"), header(of(lost)[1], "message-id"));
    let in_doubt = async |at: usize| {
        let mail = world.one("emails.get", json!({ "message": result["recipients"][at]["message"] })).await;
        mail["inDoubt"] == true
    };
    assert_eq!((in_doubt(0).await, in_doubt(1).await), (false, true));
});

both!(a_server_that_nobody_vouches_for_gets_no_password_and_no_mail, async |world| {
    world.without_budgets().await;
    let server = Server::start("starttls", true).await;
    let connection =
        usher::areas::emails::connection::Connection { extra_roots: None, ..through(world, &server, "starttls") };
    connect(world, &connection).await;
    member(world, "anna@example.com").await;
    let result = world.ok("emails.send", to(&["anna@example.com"])).await;
    let id = &result["recipients"][0]["message"];
    let begun = std::time::Instant::now();
    let mail = loop {
        let mail = world.one("emails.get", json!({ "message": id })).await;
        if mail["attempts"] == 1 {
            break mail;
        }
        assert!(begun.elapsed() < crate::harness::PATIENCE, "it is never tried: {mail}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!(mail["status"], "queued", "{mail}");
    assert!(mail["reply"].as_str().expect("a reply").to_lowercase().contains("certificate"), "{mail}");
    assert!(server.taken().is_empty());
    world.leaves_traces = true;
});

both!(what_looks_like_an_encoded_word_is_read_as_it_was_written, async |world| {
    world.without_budgets().await;
    let server = Server::start("plain", false).await;
    let mut connection = through(world, &server, "plain");
    let evil = "=?utf-8?q?=0d=0aBcc:x@example.com?=";
    connection.from_name = evil.into();
    connect(world, &connection).await;
    for name in [evil, "Zoë =?UTF-8?B?QmNjOng=?= Lind", "=?", "a=?b?c?="] {
        let email = format!("anna{}@example.com", name.len());
        world.one("members.create", json!({ "email": email, "name": name })).await;
        let args = json!({ "to": [{ "email": email }], "subject": "To {{name}}", "text": "Hello" });
        assert_eq!(sent(world, args).await["recipients"][0]["status"], "sent");
        let taken = server.taken();
        let message = taken.last().expect("a message");
        assert_eq!(message["defects"], json!([]), "{message:#}");
        assert_eq!(header(message, "subject"), format!("To {name}"));
        assert_eq!(header(message, "to").replace('"', ""), format!("{name} <{email}>"));
        assert_eq!(header(message, "from").replace('"', ""), format!("{evil} <hello@site.example>"));
        assert_eq!(message["envelope"], json!(["hello@site.example", [email]]));
        let names: Vec<_> = message["headers"].as_array().expect("headers").iter().map(|pair| &pair[0]).collect();
        for once in ["From", "To", "Subject", "Reply-To"] {
            assert_eq!(names.iter().filter(|name| ***name == once).count(), 1, "{once}: {names:?}");
        }
        assert!(!names.iter().any(|name| **name == "Bcc"), "{names:?}");
    }
});

both!(the_link_of_an_old_mail_stops_mail_to_the_new_address, async |world| {
    world.without_budgets().await;
    let server = Server::start("plain", false).await;
    let connection = through(world, &server, "plain");
    connect(world, &connection).await;
    let anna = member(world, "old@example.com").await;
    sent(world, to(&["old@example.com"])).await;
    let taken = server.taken();
    let link = header(taken.last().expect("a message"), "list-unsubscribe");
    let path = link.trim_matches(['<', '>']).strip_prefix(&world.address).expect("a link to the site").to_owned();
    world.one("members.update", json!({ "member": { "id": anna }, "email": "new@example.com" })).await;
    // Somebody else has the old address now.
    let ben = member(world, "old@example.com").await;
    world.one("members.update", json!({ "member": { "id": ben }, "email": "ben@example.com" })).await;
    assert_eq!(world.send("POST", &path, &[], "List-Unsubscribe=One-Click").await.status, 200);
    let result = sent(world, to(&["new@example.com", "ben@example.com"])).await;
    let ends: Vec<_> = result["recipients"].as_array().expect("two").iter().map(|one| one["status"].clone()).collect();
    assert_eq!(ends, ["blocked", "sent"], "{result}");
});

both!(a_member_whose_address_cannot_be_mailed_is_told_as_blocked, async |world| {
    world.without_budgets().await;
    let server = Server::start("plain", false).await;
    connect(world, &through(world, &server, "plain")).await;
    let anna = member(world, "anna@example.com").await;
    // As an earlier version of Usher has let it in.
    world
        .execute("UPDATE member SET email = '\"anna lind\"@example.com', email_key = '\"anna lind\"@example.com'")
        .await;
    let args = json!({ "to": [{ "id": anna }], "subject": "Hello", "text": "Hello" });
    let mail = sent(world, args).await["recipients"][0].clone();
    assert_eq!((&mail["status"], &mail["reason"]), (&json!("blocked"), &json!("invalid")));
    let link =
        world.call(&world.key, "members.createLoginLink", json!({ "member": { "id": anna }, "send": true })).await;
    assert!(link.status == 200 && link.json()["code"] != "internal", "{}", link.text);
    assert_eq!(server.taken().len(), 0);
});
