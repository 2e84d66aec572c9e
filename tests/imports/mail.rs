//! What a file of people says about mail.

use serde_json::{Value, json};

use super::{counts, import};
use crate::{harness::World, uploads::upload};

pub async fn blocked(world: &World, email: &str) -> Value {
    let found = world.ok("blocklist.check", json!({ "emails": [email] })).await["results"][0].clone();
    found.get("reason").cloned().unwrap_or_default()
}

both!(a_file_that_says_no_mail_is_believed, async |world| {
    world.without_budgets().await;
    // Whose file, and what it says of no@, yes@ and odd@.
    for (n, file) in [
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels\n\
         1,no@,No,,false,false,,2024-01-01T00:00:00Z,,\n2,yes@,Yes,,true,false,,2024-01-01T00:00:00Z,,\n",
        "First Name,Last Name,Email,Accepts Email Marketing,Accepts SMS Marketing\nN,O,no@,no,yes\nY,E,yes@,yes,no\n",
        "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,UNSUB_TIME\nno@,N,2,2024-01-01 10:00:00,2025-01-01 10:00:00\n\
         yes@,Y,2,2024-01-01 10:00:00,\n",
        "email;status;created_at\nno@;unsubscribed;2024-01-01\nyes@;subscribed;2024-01-01\n",
        "Name,Email,Email Marketing Status\nN,no@,Unsubscribed\nY,yes@,Subscribed\n",
        "userid,name,email,unsubscribe_from_marketing_emails\n1,N,no@,t\n2,Y,yes@,f\n",
        "email,active_subscription,expiry,plan,email_disabled,created_at\nno@,true,,yearly,true,2024-01-01\n\
         yes@,false,,free,false,2024-01-01\n",
        "Full Name,Email,Subscribed\nN,no@,false\nY,yes@,true\n",
        "Email,Unsubscribed from all email\nno@,true\nyes@,\n",
        "[{\"email\":\"no@\",\"subscribed\":false},{\"email\":\"yes@\",\"subscribed\":true}]",
    ]
    .iter()
    .enumerate()
    {
        let of = |name: &str| format!("{name}@{n}.example.com");
        let file = file.replace("no@", &of("no")).replace("yes@", &of("yes"));
        let args = json!({ "upload": upload(world, file.clone()).await["id"] });
        let dry = world.call_with(&world.key, "members.import", json!({ "args": args, "dryRun": true }), &[]).await;
        let preview = dry.result()["preview"].clone();
        assert_eq!(preview["counts"]["unsubscribed"], 1, "{file}: {preview:#}");
        assert_eq!(preview["rows"][0]["blockReason"], "unsubscribe", "{preview:#}");
        assert!(preview["rows"][1].get("blockReason").is_none() && preview["unclearColumns"] == json!([]), "{preview:#}");
        let blocks = dry.json()["changes"].as_array().expect("changes").iter().find(|one| one["kind"] == "blocks").cloned();
        assert_eq!(blocks.expect("what would be blocked")["after"]["count"], 1);
        assert_eq!(blocked(world, &of("no")).await, Value::Null, "a dry run");
        let job = import(world, file.clone(), json!({})).await;
        assert_eq!(counts(&job), [2, 2, 2, 0, 0, 0], "{job}");
        assert_eq!((&job["result"]["unsubscribed"], &job["progress"]["unsubscribed"]), (&json!(1), &json!(1)), "{job}");
        assert_eq!((blocked(world, &of("no")).await, blocked(world, &of("yes")).await), (json!("unsubscribe"), Value::Null));
        // Again, and with everybody saying yes: nothing is weaker.
        world.ok("blocklist.add", json!({ "emails": [of("yes")], "reason": "complaint" })).await;
        let job = import(world, file.clone(), json!({ "update": false })).await;
        assert_eq!((&job["result"]["unsubscribed"], &job["result"]["unchanged"]), (&json!(0), &json!(2)), "{job}");
        assert_eq!((blocked(world, &of("no")).await, blocked(world, &of("yes")).await), (json!("unsubscribe"), json!("complaint")));
    }
});

both!(what_is_unclear_about_mail_is_said_and_does_nothing, async |world| {
    world.without_budgets().await;
    let file = "email,Status,Opt-in,deleted_at\n\
                a@example.com,canceled,yes,\nb@example.com,active,perhaps,\nc@example.com,active,yes,2025-01-01\n\
                d@example.com,bounced,yes,null\ne@example.com,past_due,yes,0000-00-00 00:00:00\n";
    let args = json!({ "upload": upload(world, file).await["id"] });
    let dry = world.call_with(&world.key, "members.import", json!({ "args": args, "dryRun": true }), &[]).await;
    let preview = dry.result()["preview"].clone();
    let counted =
        ["created", "skipped", "unsubscribed", "unclear", "invalid"].map(|name| preview["counts"][name].as_u64());
    assert_eq!(counted, [Some(4), Some(1), Some(1), Some(2), Some(0)], "{preview:#}");
    let unclear = json!([{ "name": "Status", "values": ["canceled"] }, { "name": "Opt-in", "values": ["perhaps"] }]);
    assert_eq!((&preview["unclearColumns"], &preview["ignoredColumns"]), (&unclear, &json!([])), "{preview:#}");
    assert_eq!(
        (&preview["rows"][2]["verdict"], &preview["rows"][3]["blockReason"]),
        (&json!("skipped"), &json!("hard_bounce"))
    );
    let fields: Vec<_> = preview["columns"].as_array().unwrap().iter().map(|one| one["field"].clone()).collect();
    assert_eq!(fields, ["email", "mail_status", "mail", "deleted"]);
    let job = import(world, file, json!({})).await;
    assert_eq!(counts(&job), [5, 5, 4, 0, 0, 0], "{job}");
    let counted = ["skipped", "unsubscribed", "unclear"].map(|name| job["result"][name].as_u64());
    assert_eq!(counted, [Some(1), Some(1), Some(2)], "{job}");
    let gone = world.call(&world.key, "members.get", json!({ "member": { "email": "c@example.com" } })).await;
    assert_eq!(gone.code(), "member_not_found");
    // Whoever knows better says so.
    let job = import(world, file, json!({ "mapping": { "mail": "status" } })).await;
    assert_eq!(job["result"]["unsubscribed"], 1, "{job}");
    assert_eq!(blocked(world, "a@example.com").await, "unsubscribe");
    let other = "email,Blaue Liste\nf@example.com,ja\ng@example.com,nein\n";
    let job = import(world, other, json!({ "mapping": { "noMail": "Blaue Liste" } })).await;
    assert_eq!(
        (&job["result"]["unsubscribed"], blocked(world, "f@example.com").await),
        (&json!(1), json!("unsubscribe"))
    );
});
