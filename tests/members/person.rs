//! What somebody said about mail belongs to the person, whatever address the person has.

use serde_json::{Value, json};
use usher::{areas::unsubscribe::Links, values::MemberId};

use super::{
    delete::{everything, job},
    make,
};
use crate::{harness::World, imports::import, uploads::upload};

async fn reason(world: &World, email: &str) -> Value {
    let found = world.ok("blocklist.check", json!({ "emails": [email] })).await["results"][0].clone();
    found.get("reason").cloned().unwrap_or_default()
}

async fn block(world: &World, email: &str, reason: &str) {
    world.ok("blocklist.add", json!({ "emails": [email], "reason": reason })).await;
}

async fn move_to(world: &World, member: &Value, email: &str) {
    world.one("members.update", json!({ "member": { "id": member["id"] }, "email": email })).await;
}

fn id(member: &Value) -> MemberId {
    MemberId::parse(member["id"].as_str().expect("an id")).expect("a member's id")
}

/// Presses the button of a link: of one that names a member, or of one of the time before links did.
async fn press(world: &World, email: &str, member: Option<&Value>) {
    let links = Links::load(world.app.db.read()).await.expect("the installation's secret");
    let token = match member {
        Some(member) => links.token_for(world.site.id, email, &id(member)),
        None => links.token(world.site.id, email),
    };
    let reply = world.send("POST", &format!("/unsubscribe/{token}"), &[], "").await;
    assert!(reply.status == 200 && reply.text.contains("You are unsubscribed"), "{}", reply.text);
}

/// What was said of an address, in this order, and what goes along on a change of address and on a merge.
const SAID: [(&[&str], Option<&str>, Option<&str>); 9] = [
    (&[], None, None),
    (&["unsubscribe"], Some("unsubscribe"), Some("unsubscribe")),
    (&["complaint"], Some("complaint"), Some("complaint")),
    (&["manual"], Some("manual"), None),
    (&["hard_bounce"], None, None),
    (&["invalid"], None, None),
    (&["unsubscribe", "hard_bounce"], Some("unsubscribe"), Some("unsubscribe")),
    (&["invalid", "unsubscribe", "hard_bounce"], Some("unsubscribe"), Some("unsubscribe")),
    (&["hard_bounce", "manual"], Some("manual"), None),
];

both!(what_a_person_said_goes_along_to_a_new_address, async |world| {
    world.without_budgets().await;
    for (n, (said, along, _)) in SAID.iter().enumerate() {
        let (old, new) = (format!("old{n}@example.com"), format!("new{n}@example.com"));
        let member = make(world, &old).await;
        for reason in *said {
            block(world, &old, reason).await;
        }
        let before = reason(world, &old).await;
        let args = json!({ "member": { "id": member["id"] }, "email": new });
        let dry = world.call_with(&world.key, "members.update", json!({ "args": args, "dryRun": true }), &[]).await;
        let blocked =
            dry.json()["changes"].as_array().expect("changes").iter().find(|one| one["kind"] == "block").cloned();
        assert_eq!(
            blocked.map(|change| change["after"]["reason"].clone()),
            along.map(|reason| json!(reason)),
            "{said:?}"
        );
        assert_eq!(reason(world, &new).await, Value::Null);
        move_to(world, &member, &new).await;
        assert_eq!(reason(world, &new).await, json!(along), "{said:?}");
        assert_eq!(reason(world, &old).await, before, "the old row stays");
    }
});

both!(what_a_loser_said_becomes_the_winners, async |world| {
    world.without_budgets().await;
    for (n, (said, _, along)) in SAID.iter().enumerate() {
        let (old, new) = (format!("old{n}@example.com"), format!("new{n}@example.com"));
        let (winner, loser) = (make(world, &new).await, make(world, &old).await);
        for reason in *said {
            block(world, &old, reason).await;
        }
        let before = reason(world, &old).await;
        let args = json!({ "winner": { "email": new }, "loser": { "email": old } });
        let dry = world.call_with(&world.key, "members.merge", json!({ "args": args, "dryRun": true }), &[]).await;
        let blocked =
            dry.json()["changes"].as_array().expect("changes").iter().find(|one| one["kind"] == "block").cloned();
        assert_eq!(
            blocked.map(|change| change["after"]["reason"].clone()),
            along.map(|reason| json!(reason)),
            "{said:?}"
        );
        let reply = world.call(&world.key, "members.merge", args).await;
        assert_eq!(reason(world, &new).await, json!(along), "at once: {said:?}");
        job(world, &reply).await;
        assert_eq!((reason(world, &new).await, reason(world, &old).await), (json!(along), before), "{said:?}");
        // What comes by the link of a mail to the loser is about the winner, and so is what comes without a member.
        world.ok("blocklist.remove", json!({ "emails": [new] })).await;
        press(world, &old, if n % 2 == 0 { Some(&loser) } else { None }).await;
        assert_eq!(reason(world, &new).await, "unsubscribe", "{said:?}");
        move_to(world, &winner, &format!("newer{n}@example.com")).await;
        assert_eq!(reason(world, &format!("newer{n}@example.com")).await, "unsubscribe");
    }
});

both!(what_is_said_during_a_merge_counts_too, async |world| {
    make(world, "winner@example.com").await;
    let loser = make(world, "loser@example.com").await;
    let args = json!({ "winner": { "email": "winner@example.com" }, "loser": { "email": "loser@example.com" } });
    let reply = world.call(&world.key, "members.merge", args).await;
    press(world, "loser@example.com", Some(&loser)).await;
    job(world, &reply).await;
    assert_eq!(reason(world, "winner@example.com").await, "unsubscribe");
});

both!(an_old_link_is_about_who_got_the_mail_and_nobody_else, async |world| {
    world.without_budgets().await;
    // Who had x, and is elsewhere now; then somebody else had x, and is elsewhere too.
    let scene = async |n: u32| {
        let mail = |name: &str| format!("{name}{n}@example.com");
        let first = make(world, &mail("x")).await;
        move_to(world, &first, &mail("y")).await;
        let second = make(world, &mail("x")).await;
        move_to(world, &second, &mail("z")).await;
        (first, second)
    };
    let all = async |n: u32| {
        let mut blocked = Vec::new();
        for name in ["x", "y", "z"] {
            if !reason(world, &format!("{name}{n}@example.com")).await.is_null() {
                blocked.push(name);
            }
        }
        blocked
    };
    let (first, _) = scene(1).await;
    press(world, "x1@example.com", Some(&first)).await;
    assert_eq!(all(1).await, ["x", "y"]);
    let (_, second) = scene(2).await;
    press(world, "x2@example.com", Some(&second)).await;
    assert_eq!(all(2).await, ["x", "z"]);
    // A link that names nobody is older than all who came later.
    scene(3).await;
    press(world, "x3@example.com", None).await;
    assert_eq!(all(3).await, ["x", "y"]);
    // Who is back has one address.
    let (first, _) = scene(4).await;
    move_to(world, &first, "x4@example.com").await;
    press(world, "x4@example.com", Some(&first)).await;
    assert_eq!(all(4).await, ["x"]);
    // Who was deleted has none, and nobody takes the place.
    let (first, _) = scene(5).await;
    let gone = world.call(&world.key, "members.delete", json!({ "member": { "id": first["id"] } })).await;
    job(world, &gone).await;
    press(world, "x5@example.com", Some(&first)).await;
    assert_eq!(all(5).await, ["x"]);
});

both!(a_page_says_that_who_has_moved_may_still_unsubscribe, async |world| {
    let member = make(world, "old@example.com").await;
    block(world, "old@example.com", "hard_bounce").await;
    move_to(world, &member, "new@example.com").await;
    let links = Links::load(world.app.db.read()).await.expect("the installation's secret");
    let path = format!("/unsubscribe/{}", links.token_for(world.site.id, "old@example.com", &id(&member)));
    let look = async || world.send("GET", &path, &[], "").await.text;
    assert!(look().await.contains("<form"), "mail goes to the new address");
    press(world, "old@example.com", Some(&member)).await;
    assert!(look().await.contains("unsubscribed already"));
    let log = world.ok("activity.list", json!({ "tool": "unsubscribe" })).await;
    assert_eq!(log["items"][0]["member"], member["id"], "{log}");
});

both!(a_wish_behind_a_bounce_comes_from_files_and_links_too, async |world| {
    world.without_budgets().await;
    for n in 0..2 {
        let member = make(world, &format!("old{n}@example.com")).await;
        block(world, &format!("old{n}@example.com"), "hard_bounce").await;
        if n == 0 {
            let file = "email,reason\nold0@example.com,unsubscribed\n";
            let args = json!({ "upload": upload(world, file).await["id"] });
            let job = world.ok("blocklist.import", args).await["job"]["id"].clone();
            assert_eq!(world.job(&job).await["status"], "succeeded");
        } else {
            press(world, "old1@example.com", Some(&member)).await;
        }
        assert_eq!(reason(world, &format!("old{n}@example.com")).await, "hard_bounce");
        move_to(world, &member, &format!("new{n}@example.com")).await;
        assert_eq!(reason(world, &format!("new{n}@example.com")).await, "unsubscribe", "{n}");
    }
});

both!(former_addresses_go_with_the_member_and_are_exported, async |world| {
    world.without_budgets().await;
    let member = make(world, "first.one@example.org").await;
    block(world, "first.one@example.org", "unsubscribe").await;
    move_to(world, &member, "second@example.org").await;
    move_to(world, &member, "third@example.org").await;
    let reply = world.call(&world.key, "members.export", json!({ "format": "jsonl" })).await;
    let done = world.job(&reply.result()["job"]["id"]).await;
    let headers = [("authorization", format!("Bearer {}", world.key.text))];
    let path = done["result"]["file"].as_str().expect("a path").to_owned();
    let row: Value = serde_json::from_str(&world.send("GET", &path, &headers, "").await.text).expect("a row");
    let former: Vec<_> = row["former_emails"].as_array().expect("addresses").iter().filter_map(Value::as_str).collect();
    assert_eq!(former.len(), 2, "{row}");
    assert!(former.contains(&"first.one@example.org") && former.contains(&"second@example.org"), "{row}");
    // It is no column of an import, and says nothing there.
    let again = import(world, format!("email,former_emails\nnew@example.org,{}\n", former.join(" ")), json!({})).await;
    assert_eq!((&again["result"]["created"], &again["result"]["invalid"]), (&json!(1), &json!(0)), "{again}");

    let gone = world.call(&world.key, "members.delete", json!({ "member": { "id": member["id"] } })).await;
    let counts = job(world, &gone).await;
    assert_eq!((&counts["addresses"], world.rows("SELECT email FROM former_address").await.len()), (&json!(2), 0));
    for email in ["first.one@example.org", "second@example.org", "third@example.org"] {
        assert_eq!(reason(world, email).await, "unsubscribe", "{email}");
    }
    let left = everything(world).await;
    for text in ["first.one@", "second@example.org", "third@"] {
        let found: Vec<_> = left.iter().filter(|row| row.contains(text)).collect();
        // The checks above are calls about addresses, and of no member.
        assert!(found.iter().all(|row| row.contains("blocklist.check")), "{text}: {found:#?}");
    }
});
