//! What is understood of a file, and that nobody is blocked by accident.

use serde_json::{Value, json};

use super::{counts, entry};
use crate::{harness::World, uploads::upload};

/// Imports a file, and gives the job once it has ended.
async fn import(world: &World, file: &str, args: Value) -> Value {
    let mut args = args;
    args["upload"] = upload(world, file.to_owned()).await["id"].clone();
    world.job(&world.ok("blocklist.import", args).await["job"]["id"]).await
}

/// What a dry run of the same says.
async fn preview(world: &World, file: &str, args: Value) -> Value {
    let mut args = args;
    args["upload"] = upload(world, file.to_owned()).await["id"].clone();
    let reply = world.call_with(&world.key, "blocklist.import", json!({ "args": args, "dryRun": true }), &[]).await;
    reply.result()["preview"].clone()
}

async fn blocked(world: &World) -> Vec<String> {
    let page = world.ok("blocklist.list", json!({})).await;
    let emails = page["items"].as_array().unwrap().iter().map(|entry| entry["email"].as_str().unwrap().to_owned());
    let mut emails: Vec<_> = emails.collect();
    emails.sort();
    emails
}

both!(a_file_of_people_is_refused_until_somebody_says_why, async |world| {
    world.without_budgets().await;
    world.leaves_traces = true;
    let file = "Email,Name,Joined,Level\na@example.com,Anna,2020-01-02,Gold\nb@example.com,Ben,2021-01-02,Silver\n";
    let job = import(world, file, json!({})).await;
    assert_eq!((&job["status"], &job["error"]["code"]), (&json!("failed"), &json!("reason_needed")), "{job}");
    assert_eq!(blocked(world).await, Vec::<String>::new());

    let seen = preview(world, file, json!({})).await;
    assert_eq!(seen["problem"]["code"], "reason_needed");
    let text = seen["problem"]["message"].as_str().unwrap();
    assert!(text.contains("`mapping.reason`: perhaps \"Name\", \"Level\"") && text.contains("pass `reason`"), "{text}");
    assert_eq!((&seen["rows"], seen.get("counts")), (&json!([]), None), "{seen}");
    assert_eq!(seen["explanation"], json!(["“Email” is the address.", "Not used: “Name”, “Joined”, “Level”."]));
    assert_eq!(seen["columns"][1], json!({ "name": "Name" }));

    // A column that the caller names says it for the rows in which something stands.
    let file = "Email,Name,Why\na@example.com,Anna,moved away\nb@example.com,Ben,\nc@example.com,Cid,unsubscribed\n";
    let job = import(world, file, json!({ "mapping": { "reason": "Why" } })).await;
    assert_eq!(counts(&job), [3, 3, 2, 0, 0, 0, 1, 0]);
    let moved = entry(world, "a@").await;
    assert_eq!((&moved["reason"], &moved["vendorCode"]), (&json!("manual"), &json!("moved away")));
    // A reason blocks all of them.
    let job = import(world, file, json!({ "reason": "complaint" })).await;
    assert_eq!(counts(&job), [3, 3, 1, 1, 1, 0, 0, 0], "{job}");
});

both!(what_is_unclear_is_counted_and_listed_and_left_as_it_is, async |world| {
    world.without_budgets().await;
    let file = "Email,First Name,Status\nleft@example.com,A,Unsubscribed\nvip@example.com,B,Engaged\n\
                none@example.com,C,\nok@example.com,D,Subscribed\nbad,E,Bounced\ntwo@example.com,F,Engaged\n";
    let seen = preview(world, file, json!({})).await;
    let counts_seen = json!({
        "total": 6, "exact": true, "added": 1, "strengthened": 0, "already": 0, "skipped": 1, "unclear": 3, "invalid": 1,
    });
    assert_eq!(seen["counts"], counts_seen);
    assert_eq!(seen["reasons"], json!([{ "reason": "unsubscribe", "rows": 1 }]));
    let left_out = json!([
        { "verdict": "unclear", "column": "Status", "value": "Engaged", "rows": 2 },
        { "verdict": "unclear", "column": "Status", "value": "", "rows": 1 },
        { "verdict": "skipped", "column": "Status", "value": "Subscribed", "rows": 1 },
    ]);
    assert_eq!(seen["leftOut"], left_out);
    let sentences = json!([
        "“Email” is the address.",
        "“Status” says in words who gets no mail, and why.",
        "Not used: “First Name”.",
        "Of 6 rows, 1 would be blocked: 1 unsubscribed.",
        "1 may get mail and stay as they are: “Status” is “Subscribed” (1).",
        "3 are unclear and stay as they are: “Status” is “Engaged” (2), empty (1). If they must get no mail either, pass a \
         reason for them.",
        "1 cannot be read; the error file will hold them.",
    ]);
    assert_eq!(seen["explanation"], sentences);
    let verdicts: Vec<_> = (0..6).map(|at| seen["rows"][at]["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["added", "unclear", "unclear", "skipped", "invalid", "unclear"]);
    assert_eq!((&seen["rows"][1]["email"], &seen["rows"][1]["code"]), (&json!("vip@example.com"), &json!("unclear")));

    assert_eq!(counts(&import(world, file, json!({})).await), [6, 6, 1, 0, 0, 1, 3, 1]);
    assert_eq!(blocked(world).await, ["left@example.com"]);
});

both!(words_that_mean_other_things_block_nobody, async |world| {
    world.without_budgets().await;
    world.leaves_traces = true;
    for file in [
        "Email,Nombre,Prioridad\na@example.com,A,Alta\nb@example.com,B,Baja\n",
        "Correo,Nombre,Bloque\na@example.com,A,3\nb@example.com,B,1\n",
        "Email,Name,WhatsApp\na@example.com,A,Opted out\nb@example.com,B,Unsubscribed\n",
        "Email,Name,Data consent\na@example.com,A,no\nb@example.com,B,yes\n",
        "email,source\na@example.com,landing page\nb@example.com,facebook\n",
    ] {
        let job = import(world, file, json!({})).await;
        assert_eq!(job["error"]["code"], "reason_needed", "{file}: {job}");
    }
    assert_eq!(blocked(world).await, Vec::<String>::new());
});

both!(a_name_that_is_turned_round_and_a_bounce_that_passes_are_understood, async |world| {
    world.without_budgets().await;
    let file = "email,first_name,No newsletter\nleft@example.com,A,yes\nwants@example.com,B,no\n";
    assert_eq!(counts(&import(world, file, json!({})).await), [2, 2, 1, 0, 0, 1, 0, 0]);
    let file = "email;bounce type;bounced at\nsoft@example.com;soft;2024-01-02\nhard@example.com;hard;2024-01-02\n";
    assert_eq!(counts(&import(world, file, json!({})).await), [2, 2, 1, 0, 0, 1, 0, 0]);
    let file = "email,name,unsubscribed_at\nzero@example.com,A,0001-01-01T00:00:00Z\ngone@example.com,B,2024-01-02\n";
    assert_eq!(counts(&import(world, file, json!({})).await), [2, 2, 1, 0, 0, 1, 0, 0]);
    assert_eq!(blocked(world).await, ["gone@example.com", "hard@example.com", "left@example.com"]);
});

both!(an_empty_cell_means_no_where_others_say_yes, async |world| {
    world.without_budgets().await;
    let file = "Email,First Name,Unsubscribed from all email,Email hard bounce reason,Create Date\n\
                ok1@example.com,A,false,,2019-01-01\nok2@example.com,B,,,2019-01-01\n\
                left@example.com,C,true,,2019-01-01\ngone@example.com,D,,UNKNOWN_USER,2019-01-01\n";
    assert_eq!(counts(&import(world, file, json!({})).await), [4, 4, 2, 0, 0, 2, 0, 0]);
    let gone = entry(world, "gone@").await;
    assert_eq!((&gone["reason"], &gone["vendorCode"]), (&json!("hard_bounce"), &json!("UNKNOWN_USER")));
    // When the contact was made is not since when it is blocked.
    assert!(!gone["firstSeen"].as_str().unwrap().starts_with("2019"), "{gone}");
    let file =
        "email,unsubscribed,unsubscribed_at\na@example.com,,\nb@example.com,true,2020-01-01\nc@example.com,false,\n";
    assert_eq!(counts(&import(world, file, json!({})).await), [3, 3, 1, 0, 0, 2, 0, 0]);
    assert_eq!(entry(world, "b@").await["firstSeen"].as_str().unwrap()[..10], *"2020-01-01");
});

both!(the_address_of_the_customer_is_taken, async |world| {
    world.without_budgets().await;
    world.leaves_traces = true;
    let file = "Kundennr;Zuständig;E-Mail-Adresse;Grund\n1;shop@my.example;a@example.com;Beschwerde\n";
    assert_eq!(counts(&import(world, file, json!({})).await), [1, 1, 1, 0, 0, 0, 0, 0]);
    assert_eq!(blocked(world).await, ["a@example.com"]);
    let file = "Wer;Wer noch;Grund\nb@example.com;c@example.com;Beschwerde\n";
    let job = import(world, file, json!({})).await;
    assert_eq!(job["error"]["code"], "several_address_columns", "{job}");
    assert_eq!(
        counts(&import(world, file, json!({ "mapping": { "email": "Wer noch" } })).await),
        [1, 1, 1, 0, 0, 0, 0, 0]
    );
    assert_eq!(blocked(world).await, ["a@example.com", "c@example.com"]);
    // So it is with members.
    let args = json!({ "upload": upload(world, file.to_owned()).await["id"] });
    let job = world.job(&world.ok("members.import", args).await["job"]["id"]).await;
    assert_eq!(job["error"]["code"], "several_address_columns", "{job}");
});

both!(an_export_gives_the_same_bytes_back, async |world| {
    world.without_budgets().await;
    let file =
        "email,reason,source,note,vendor_code\na@example.com,spam,''=src,'''=n,'''@v\nb@example.com,manual,'x,',''\n";
    counts(&import(world, file, json!({})).await);
    let first = entry(world, "a@").await;
    assert_eq!((&first["source"], &first["note"]), (&json!("'=src"), &json!("''=n")));
    let headers = [("authorization", format!("Bearer {}", world.key.text))];
    let export = world.send("GET", "/api/v1/blocklist/export", &headers, "").await.text;
    world.ok("blocklist.remove", json!({ "emails": ["a@example.com", "b@example.com"] })).await;
    counts(&import(world, &export, json!({})).await);
    let again = world.send("GET", "/api/v1/blocklist/export", &headers, "").await.text;
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&again), sorted(&export));
});
