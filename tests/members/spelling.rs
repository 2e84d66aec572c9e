//! One mailbox is one member and one block, however its address is written.

use serde_json::{Value, json};

use super::{delete::job, make};
use crate::{
    harness::World,
    imports::{errors, import},
    uploads::upload,
};

const SPELLINGS: [&str; 6] = [
    "victim@example.com",
    "Victim@EXAMPLE.com",
    "\"victim\"@example.com",
    "\"vic\\tim\"@example.com",
    "\u{ff56}ictim@example.com",
    "victim@example\u{3002}com",
];

both!(every_spelling_leads_to_one_member_and_one_block, async |world| {
    world.without_budgets().await;
    let member = make(world, "\"Victim\"@example.com").await;
    assert_eq!(member["email"], "\"Victim\"@example.com", "kept as typed");
    world.ok("blocklist.add", json!({ "emails": ["victim@example.com"], "reason": "unsubscribe" })).await;
    for email in SPELLINGS {
        let made = world.call(&world.key, "members.create", json!({ "email": email })).await;
        assert_eq!(made.code(), "member_exists", "{email}");
        let found = world.one("members.get", json!({ "member": { "email": email } })).await;
        assert_eq!(found["id"], member["id"], "{email}");
        let args = json!({ "member": { "id": member["id"], "expectEmail": email }, "tags": ["x"] });
        world.ok("members.addTags", args).await;
        let check = world.ok("blocklist.check", json!({ "emails": [email] })).await;
        assert_eq!(check["results"][0]["blocked"], true, "{email}");
        let listed = world.ok("members.list", json!({ "text": "victim@example.com" })).await;
        assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
        let again = world.ok("blocklist.add", json!({ "emails": [email], "reason": "manual" })).await;
        assert_eq!(again["already"], 1, "{email}");
    }
    let job = import(world, "email,name\n\"\"\"victim\"\"@example.com\",Vic\n", json!({})).await;
    assert_eq!((&job["result"]["updated"], &job["result"]["created"]), (&json!(1), &json!(0)), "{job}");
    let removed = world.ok("blocklist.remove", json!({ "emails": ["\"victim\"@example.com"] })).await;
    assert_eq!(removed["removed"], 1);
});

both!(what_no_mail_can_be_sent_to_is_refused_with_the_reason, async |world| {
    world.without_budgets().await;
    for (email, why) in [
        ("\"anna lind\"@example.com", "needs quotes before the @"),
        ("anna@[192.0.2.1]", "a server's number"),
        ("=?utf-8?q?anna?=@example.com", "has =? in it"),
        ("an\u{200b}na@example.com", "has an invisible character, U+200B ZERO WIDTH SPACE, after \"an\""),
        ("an\u{a0}na@example.com", "U+00A0 NO-BREAK SPACE"),
        ("anna\u{ff20}example.com", "U+FF20 FULLWIDTH COMMERCIAL AT where an @ belongs"),
        ("an na@example.com", "has a space after \"an\""),
    ] {
        let made = world.call(&world.key, "members.create", json!({ "email": email })).await;
        assert_eq!(made.code(), "invalid_arguments", "{email}");
        let field = &made.json()["fields"][0];
        assert!(field["path"] == "args.email" && field["message"].as_str().unwrap().contains(why), "{field}");
        for tool in ["blocklist.add", "blocklist.check"] {
            let said = world.ok(tool, json!({ "emails": [email] })).await["results"][0].clone();
            assert!(said["error"].as_str().unwrap().contains(why) && said["blocked"] == false, "{tool}: {said}");
        }
    }
    let file = "email\nan\u{200b}na@example.com\n\"\"\"anna lind\"\"@example.com\"\nanna\n";
    for tool in ["members.import", "blocklist.import"] {
        let args = json!({ "upload": upload(world, file).await["id"] });
        let dry = world.call_with(&world.key, tool, json!({ "args": args, "dryRun": true }), &[]).await.result();
        let texts: Vec<_> =
            dry["preview"]["rows"].as_array().unwrap().iter().map(|row| row["message"].clone()).collect();
        let expected = [
            "The address has an invisible character, U+200B ZERO WIDTH SPACE, after \"an\". Correct it, or remove the row.",
            "The address needs quotes before the @, and no mail can be sent to such an address. Correct it, or remove the row.",
            "This is not an email address. Correct it, or remove the row.",
        ];
        assert_eq!(texts, expected);
        let job = world.job(&world.ok(tool, args).await["job"]["id"]).await;
        assert_eq!(job["result"]["invalid"], 3, "{job}");
        let rows = errors(world, &world.key, &job).await;
        assert!(rows.contains("U+200B ZERO WIDTH SPACE, after \"\"an\"\""), "{rows}");
    }
});

/// Lets a member stand as an earlier version of Usher has written it.
async fn as_before(world: &World, member: &Value, email: &str) {
    let id = member["id"].as_str().expect("an id");
    let set = format!("UPDATE member SET email = '{email}', email_key = '{email}', twin_key = NULL WHERE id = '{id}'");
    world.execute(&set).await;
}

async fn migrate_again(world: &World) {
    world.execute("DELETE FROM setting WHERE name = 'address_keys'").await;
    usher::app::migrate(&world.app.db).await.expect("the migrations apply");
}

both!(members_of_one_mailbox_are_told_apart_and_never_merged_by_a_migration, async |world| {
    world.without_budgets().await;
    // The plain one is older; the quoted one is older; only a quoted one; three; letters.
    let mut made = Vec::new();
    for (n, spellings) in [
        &["{}@example.com", "\"{}\"@example.com"][..],
        &["\"{}\"@example.com", "{}@example.com"],
        &["\"{}\"@example.com"],
        &["\"v\\{}\"@example.com", "\"v{}\"@example.com", "v{}@example.com"],
        &["\u{ff56}{}@example.com", "v{}@example.com"],
    ]
    .iter()
    .enumerate()
    {
        let mut group = Vec::new();
        for (at, spelling) in spellings.iter().enumerate() {
            let member = make(world, &format!("x{n}{at}@example.com")).await;
            as_before(world, &member, &spelling.replace("{}", &format!("a{n}"))).await;
            group.push(member);
        }
        made.push(group);
    }
    for _ in 0..2 {
        migrate_again(world).await;
        for (group, key) in made.iter().zip(["a0", "a1", "a2", "va3", "va4"]) {
            let key = format!("{key}@example.com");
            let found = world.one("members.get", json!({ "member": { "email": key } })).await;
            assert_eq!(found["id"], group[0]["id"], "the older has the key: {key}");
            for member in group {
                // All are there, are found by a search, and keep what they are.
                let who = json!({ "id": member["id"], "expectEmail": key });
                world.one("members.update", json!({ "member": who, "name": key })).await;
            }
            let listed = world.ok("members.list", json!({ "text": "example.com", "sort": "email", "limit": 2 })).await;
            assert_eq!(listed["items"].as_array().map(Vec::len), Some(2));
        }
    }
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let page = world.ok("members.list", json!({ "sort": "email", "limit": 3, "cursor": cursor })).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen.len(), 10, "each stands once in the order of addresses");
    let groups = world.ok("members.findDuplicates", json!({})).await;
    let alike: Vec<_> = groups["items"].as_array().unwrap().iter().filter(|one| one["reason"] == "address").collect();
    assert_eq!(alike.len(), 4, "{groups}");
    assert_eq!(alike.iter().map(|one| one["members"].as_array().unwrap().len()).sum::<usize>(), 9, "{groups}");

    // Once the key is free, the other gets it: after an update, and after a merge.
    world
        .one("members.update", json!({ "member": { "id": made[0][0]["id"] }, "email": "elsewhere@example.com" }))
        .await;
    let found = world.one("members.get", json!({ "member": { "email": "a0@example.com" } })).await;
    assert_eq!(found["id"], made[0][1]["id"]);
    let member = |member: &Value| json!({ "id": member["id"], "expectEmail": "a1@example.com" });
    let args = json!({ "winner": member(&made[1][1]), "loser": member(&made[1][0]) });
    let reply = world.call(&world.key, "members.merge", args).await;
    job(world, &reply).await;
    let found = world.one("members.get", json!({ "member": { "email": "a1@example.com" } })).await;
    assert_eq!(found["id"], made[1][1]["id"]);
});

both!(blocks_of_one_mailbox_become_one_by_a_migration, async |world| {
    world.without_budgets().await;
    for (n, (old, new, stands)) in [
        ("unsubscribe", "", "unsubscribe"),
        ("complaint", "manual", "complaint"),
        ("manual", "hard_bounce", "hard_bounce"),
    ]
    .iter()
    .enumerate()
    {
        world.ok("blocklist.add", json!({ "emails": [format!("x{n}@example.com")], "reason": old })).await;
        let quoted =
            format!("UPDATE block SET email_key = '\"a{n}\"@example.com' WHERE email_key = 'x{n}@example.com'");
        world.execute(&quoted).await;
        if !new.is_empty() {
            world.ok("blocklist.add", json!({ "emails": [format!("a{n}@example.com")], "reason": new })).await;
        }
        let check = async || {
            let check = world.ok("blocklist.check", json!({ "emails": [format!("\"a{n}\"@example.com")] })).await;
            check["results"][0].get("reason").cloned().unwrap_or_default()
        };
        migrate_again(world).await;
        assert_eq!(check().await, *stands);
    }
    assert_eq!(world.ok("blocklist.list", json!({})).await["items"].as_array().map(Vec::len), Some(3));
});

both!(where_a_member_was_mailed_before_is_a_former_address, async |world| {
    world.without_budgets().await;
    let anna = make(world, "new@example.com").await;
    let other = make(world, "taken@example.com").await;
    world.ok("blocklist.add", json!({ "emails": ["old@example.com"], "reason": "unsubscribe" })).await;
    let (id, now) = (anna["id"].as_str().expect("an id"), world.clock.now().micros());
    for (n, address) in ["Old@example.com", "taken@example.com", "new@example.com"].iter().enumerate() {
        world
            .execute(&format!(
                "INSERT INTO email (site, id, request_id, member_id, address, kind, subject, status, attempts, in_doubt,
                                    created_at, updated_at)
                 VALUES (1, 'eml_{n}', 'req_1', '{id}', '{address}', 'message', 's', 'sent', 1, {}, {now}, {now})",
                if world.app.db.postgres().is_some() { "FALSE" } else { "0" }
            ))
            .await;
    }
    migrate_again(world).await;
    assert_eq!(world.rows("SELECT email FROM former_address").await, ["Old@example.com"]);
    let check = world.ok("blocklist.check", json!({ "emails": ["new@example.com", "taken@example.com"] })).await;
    let reasons: Vec<_> = check["results"].as_array().unwrap().iter().map(|one| one.get("reason")).collect();
    assert_eq!(reasons, [Some(&json!("unsubscribe")), None], "{other}");
});
