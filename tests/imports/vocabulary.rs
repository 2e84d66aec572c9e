//! The columns and words about mail: the ones that block lists are read with.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{counts, import, mail::blocked};
use crate::{blocklist::archives::zip, harness::World, uploads::upload};

/// The columns of yes and no that the guide lists, each with what a yes means.
fn columns_of_the_guide() -> Vec<(&'static str, &'static str)> {
    let guide = include_str!("../../docs/block-lists.md");
    let rows = guide.lines().skip_while(|line| !line.starts_with("| A yes means |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let columns = rows.flat_map(|line| {
        let (meaning, names) = line[2..].split_once(" | ").expect("two cells");
        names.split('`').skip(1).step_by(2).map(move |name| (name, meaning))
    });
    // Which consent `consent` is does not stand there, so a file of people leaves it unclear.
    columns.filter(|(name, _)| *name != "consent").collect()
}

/// What the block list has of addresses.
async fn reasons(world: &World, emails: &[String]) -> BTreeMap<String, Value> {
    let mut reasons = BTreeMap::new();
    for some in emails.chunks(100) {
        let results = world.ok("blocklist.check", json!({ "emails": some })).await["results"].clone();
        for one in results.as_array().unwrap() {
            reasons.insert(one["email"].as_str().unwrap().to_owned(), one.get("reason").cloned().unwrap_or_default());
        }
    }
    reasons
}

both!(every_column_of_the_guide_is_understood_in_a_file_of_people, async |world| {
    world.without_budgets().await;
    let columns = columns_of_the_guide();
    assert!(columns.len() > 100, "{}", columns.len());
    for (n, some) in columns.chunks(100).enumerate() {
        let of = |at: usize, cell: &str| format!("{cell}-{n}-{at}@example.com");
        let files: Vec<(String, String)> = some
            .iter()
            .enumerate()
            .map(|(at, (name, _))| {
                let rows = ["yes", "no"].map(|cell| format!("{},Anna,{cell}\n", of(at, cell)));
                (format!("{at}.csv"), format!("email,first_name,{name}\n{}", rows.concat()))
            })
            .collect();
        let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
        let job = import(world, zip(&files), json!({})).await;
        assert_eq!(counts(&job), [2 * some.len() as u64, 2 * some.len() as u64, 2 * some.len() as u64, 0, 0, 0]);
        assert_eq!((&job["result"]["ignoredColumns"], &job["result"]["unclear"]), (&Value::Null, &json!(0)), "{job}");
        let emails: Vec<_> = (0..some.len()).flat_map(|at| [of(at, "yes"), of(at, "no")]).collect();
        let found = reasons(world, &emails).await;
        for (at, (name, meaning)) in some.iter().enumerate() {
            let expected = match *meaning {
                "skipped" => (Value::Null, json!("unsubscribe")),
                // Whoever is blocked by hand wants no mail, as far as is known.
                "manual" => (json!("unsubscribe"), Value::Null),
                reason => (json!(reason), Value::Null),
            };
            let said = (found[&of(at, "yes")].clone(), found[&of(at, "no")].clone());
            assert_eq!(said, expected, "{name}: {meaning}");
        }
    }
});

/// What became of a cell in a column of a file of people: the reason, `-` for none, `?` for unclear.
async fn said(world: &World, n: usize, column: &str, cell: &str) -> String {
    let email = format!("m{n}@example.com");
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let file = format!("email,first_name,{}\n{email},Anna,{}\n", quoted(column), quoted(cell));
    let args = json!({ "upload": upload(world, file).await["id"] });
    let dry = world.call_with(&world.key, "members.import", json!({ "args": args, "dryRun": true }), &[]).await;
    let preview = dry.result()["preview"].clone();
    assert_eq!(preview["counts"]["created"], 1, "{column}: {cell}: {preview:#}");
    let is_unclear = preview["counts"]["unclear"] == 1;
    let shown = json!([{ "name": column, "values": [cell] }]);
    assert_eq!(preview["unclearColumns"], if is_unclear { shown } else { json!([]) }, "{column}: {cell}");
    match preview["rows"][0]["blockReason"].as_str() {
        Some(reason) => reason.to_owned(),
        None => if is_unclear { "?" } else { "-" }.to_owned(),
    }
}

both!(a_name_that_denies_is_never_read_backwards, async |world| {
    world.without_budgets().await;
    let names = "Kein Newsletter;Keine Newsletter;Pas de newsletter;Sin newsletter;Niente newsletter;Geen nieuwsbrief;\
                 Brak newslettera;Inget nyhetsbrev;Intet nyhedsbrev;No newsletter;no_newsletter;Not subscribed;Not opted in;\
                 Newsletter off;Newsletter deactivated;Stop newsletter;Exclude from newsletter;Removed from newsletter;\
                 Email consent withdrawn;Email consent revoked;Email permission denied;Nicht abonniert;Non abonné;No suscrito;\
                 Non iscritto;Niet ingeschreven;Does not accept marketing;Never subscribed;Do not email;Unsubscribed";
    for (n, name) in names.split(';').enumerate() {
        let (yes, no) = (said(world, 2 * n, name, "yes").await, said(world, 2 * n + 1, name, "no").await);
        assert!(["?", "unsubscribe"].contains(&yes.as_str()), "{name} = yes: {yes}");
        assert!(["?", "-"].contains(&no.as_str()), "{name} = no: {no}");
    }
});

both!(a_cell_about_mail_is_understood_or_unclear, async |world| {
    world.without_budgets().await;
    for (n, (column, cell, expected)) in [
        ("Newsletter", "yes", "-"),
        ("Newsletter", "Ja gerne", "-"),
        ("Newsletter", "no", "unsubscribe"),
        ("Newsletter", "Nein danke", "unsubscribe"),
        ("Newsletter", "on hold", "?"),
        ("Newsletter", "perhaps", "?"),
        ("Newsletter", "", "-"),
        ("Newsletter", "NULL", "-"),
        ("Unsubscribed", "1.0", "unsubscribe"),
        ("Unsubscribed", "0.0", "-"),
        ("Unsubscribed", "nan", "-"),
        ("Unsubscribed", "-1", "unsubscribe"),
        ("Unsubscribed", "-1.0", "unsubscribe"),
        ("subscribed_to_emails", "0.0", "unsubscribe"),
        ("subscribed_to_emails", "1.0", "-"),
        ("unsubscribed_at", "2024-01-01", "unsubscribe"),
        ("unsubscribed_at", "0001-01-01T00:00:00Z", "-"),
        ("unsubscribed_at", "1970-01-01 00:00:00", "-"),
        ("unsubscribed_at", "1970-01-01T00:00:00Z", "-"),
        ("unsubscribed_at", "0000-00-00 00:00:00", "-"),
        ("unsubscribed_at", "NULL", "-"),
        ("unsubscribed_at", "\\N", "-"),
        ("Consent", "no", "?"),
        ("Data consent", "no", "?"),
        ("Photo consent", "no", "-"),
        ("SMS status", "Unsubscribed", "-"),
        ("WhatsApp", "Opted out", "-"),
        ("Push", "Unsubscribed", "-"),
        ("Consent to calls", "Opted out", "-"),
        ("Prioridad", "Baja", "-"),
        // Klaviyo, HubSpot.
        ("Email Marketing Consent", "SUBSCRIBED", "-"),
        ("Email Marketing Consent", "UNSUBSCRIBED", "unsubscribe"),
        ("Email Suppressions", "['HARD_BOUNCE']", "hard_bounce"),
        ("Email Suppressions", "['UNSUBSCRIBE']", "unsubscribe"),
        ("Email Suppressions", "[]", "-"),
        ("Email Hard Bounce Reason", "UNKNOWN_USER", "hard_bounce"),
        ("Email Hard Bounce Reason", "", "-"),
        ("Opt-out reason", "Too many mails", "unsubscribe"),
        ("Unsubscribed from all email", "true", "unsubscribe"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(said(world, n, column, cell).await, expected, "{column}: {cell}");
    }
});

both!(exports_of_other_tools_are_believed, async |world| {
    world.without_budgets().await;
    for (n, (file, expected)) in [
        // Kit.
        ("first_name,email_address,state,created_at\nA,1@,cancelled,2024-01-01\nB,2@,active,2024-01-01\nC,3@,bounced,2024-01-01\n\
          D,4@,complained,2024-01-01\n", ["unsubscribe", "-", "hard_bounce", "complaint"]),
        // Klaviyo.
        ("Email,First Name,Email Marketing Consent,Email Suppressions\n1@,A,UNSUBSCRIBED,['UNSUBSCRIBE']\n2@,B,SUBSCRIBED,[]\n\
          3@,C,SUBSCRIBED,['HARD_BOUNCE']\n4@,D,SUBSCRIBED,\"['SPAM_COMPLAINT', 'UNSUBSCRIBE']\"\n",
         ["unsubscribe", "-", "hard_bounce", "complaint"]),
        // HubSpot.
        ("Email,First Name,Unsubscribed from all email,Email Hard Bounce Reason,Opt-out reason\n1@,A,,,I never signed up\n2@,B,false,,\n\
          3@,C,,UNKNOWN_USER,\n4@,D,true,,\n", ["unsubscribe", "-", "hard_bounce", "unsubscribe"]),
        // Intercom.
        ("Name,Email,Unsubscribed from Emails,Marked email as spam,Has hard bounced\nA,1@,true,false,false\nB,2@,false,false,false\n\
          C,3@,false,false,true\nD,4@,false,true,false\n", ["unsubscribe", "-", "hard_bounce", "complaint"]),
        // A soft bounce beside a column that only says that mail came back.
        ("email,name,bounce type,bounced\n1@,A,hard,yes\n2@,B,soft,yes\n3@,C,,\n4@,D,permanent,yes\n",
         ["hard_bounce", "-", "-", "hard_bounce"]),
    ]
    .into_iter()
    .enumerate()
    {
        let of = |at: usize| format!("{at}@{n}.example.com");
        let file = (1..=4).fold(file.to_owned(), |file, at| file.replace(&format!("{at}@"), &of(at)));
        let job = import(world, file.clone(), json!({})).await;
        assert_eq!(counts(&job), [4, 4, 4, 0, 0, 0], "{file}");
        assert_eq!(job["result"]["unclear"], 0, "{file}: {job}");
        for (at, reason) in (1..=4).zip(expected) {
            let found = blocked(world, &of(at)).await;
            assert_eq!(found.as_str().unwrap_or("-"), reason, "{} of {file}", of(at));
        }
    }
});
