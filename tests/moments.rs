//! Moments as arguments and in answers: dates in the site's time zone, and one precision.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use usher::{
    tools::{CATALOG, ToolInfo},
    values::Zone,
};

use crate::harness::World;

/// What the names of moments end with.
const NAMES: &[&str] = &["At", "at", "From", "from", "Until", "until", "To", "Before", "before", "After", "since"];

/// Arguments with such a name that are something else.
const NO_MOMENTS: &[&str] = &["freeAccessExpiresAt", "ifUpdatedAt"];

/// The moments in a tool's arguments, as pointers with their schemas.
fn moments(tool: &ToolInfo) -> Vec<(Vec<String>, Value)> {
    fn walk(schema: &Value, root: &Value, path: &[String], found: &mut Vec<(Vec<String>, Value)>) {
        let resolved = match schema["$ref"].as_str() {
            Some(name) => &root["$defs"][name.rsplit('/').next().unwrap()],
            None => schema,
        };
        for (name, property) in resolved["properties"].as_object().into_iter().flatten() {
            let path: Vec<_> = path.iter().cloned().chain([name.clone()]).collect();
            if property["format"] == "date-time-or-date" {
                found.push((path.clone(), property.clone()));
            }
            if path.len() < 4 {
                walk(property, root, &path, found);
            }
        }
        for one in ["oneOf", "anyOf"].iter().filter_map(|key| resolved[*key].as_array()).flatten() {
            walk(one, root, path, found);
        }
    }
    let mut found = Vec::new();
    walk(&tool.args, &tool.args, &[], &mut found);
    found
}

#[test]
fn every_moment_that_is_asked_for_is_a_time_or_a_date_and_says_which_moment_of_it() {
    fn check(tool: &str, schema: &Value) {
        let Value::Object(map) = schema else {
            return schema.as_array().into_iter().flatten().for_each(|one| check(tool, one));
        };
        let format = map.get("format").and_then(Value::as_str).unwrap_or_default();
        // What an answer has said is no moment that somebody thinks of.
        let is_version = schema["description"].as_str().is_some_and(|about| about.contains("`changed_meanwhile`"));
        if is_version {
            return;
        }
        assert!(!["date-time", "date"].contains(&format), "{tool}: an argument is a Moment, not a Time: {schema}");
        for (name, property) in map.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let is_named_so =
                NAMES.iter().any(|end| name == end || (name.ends_with(end) && end.starts_with(char::is_uppercase)));
            let is_id = property["format"].as_str().is_some_and(|format| format.starts_with("usher-id"));
            if is_named_so && property["type"] == "string" && !is_id && !NO_MOMENTS.contains(&name.as_str()) {
                assert_eq!(property["format"], "date-time-or-date", "{tool}: {name}");
            }
        }
        map.values().for_each(|value| check(tool, value));
    }
    let mut roles = BTreeSet::new();
    for tool in &CATALOG.tools {
        let name = tool.definition.name;
        check(name, &tool.args);
        for (path, schema) in moments(tool) {
            let role = schema["x-date"].as_str().unwrap_or_default();
            assert!(["end", "beginning", "at"].contains(&role), "{name}: {path:?} does not say its role");
            let last = path.last().unwrap().to_lowercase();
            let expected = match last.as_str() {
                "at" => "at",
                _ if ["from", "since", "startedat"].iter().any(|end| last.ends_with(end)) => "beginning",
                _ => "end",
            };
            assert_eq!(role, expected, "{name}: {path:?}");
            roles.insert(role.to_owned());
            takes_both(tool, &path);
        }
    }
    assert_eq!(roles.len(), 3);
}

/// Fails unless the argument takes a time and a date, and nothing that is neither.
fn takes_both(tool: &ToolInfo, path: &[String]) {
    let with = |value: &str| {
        let mut args = tool.example.clone();
        let mut place = &mut args;
        for step in path {
            place = place.as_object_mut().expect("an object").entry(step.clone()).or_insert_with(|| json!({}));
        }
        *place = json!(value);
        tool.accept(args)
    };
    for right in ["2030-12-31", "2030-12-31T22:59:59.999Z", "2030-12-31T23:59:59+01:00"] {
        assert!(with(right).is_ok(), "{}: {path:?} does not take {right}", tool.definition.name);
    }
    for wrong in ["31.12.2030", "2030-12-31T10:00", "2030-02-30", "0000-00-00", "10000-01-01", "tomorrow", ""] {
        assert!(with(wrong).is_err(), "{}: {path:?} takes {wrong:?}", tool.definition.name);
    }
}

async fn in_zone(world: &mut World, zone: &str) {
    let zone = Zone::parse(zone).expect("a zone");
    world.settings(|settings| settings.time_zone = zone).await;
}

both!(a_date_is_a_day_of_the_sites_time_zone, async |world| {
    in_zone(world, "Europe/Berlin").await;
    let args = json!({ "email": "anna@example.com", "freeAccess": { "expiresAt": "2030-12-31" } });
    let anna = world.one("members.create", args).await;
    let anna = anna.get("member").unwrap_or(&anna).clone();
    assert_eq!(anna["freeAccess"]["expiresAt"], "2030-12-31T22:59:59.999Z");
    let who = json!({ "id": anna["id"] });
    // The whole last day, and not a moment more; `at` is the end of a day too.
    for (at, allowed) in [
        ("2030-12-31", false),
        ("2030-12-30", true),
        ("2030-12-31T22:59:59.998Z", true),
        ("2030-12-31T22:59:59.999Z", false),
        ("2031-01-01", false),
    ] {
        let checked = world.ok("members.checkAccess", json!({ "member": who, "at": at })).await;
        assert_eq!(checked["allowed"], allowed, "{at}");
    }
    // What is stored stays where it is.
    in_zone(world, "America/New_York").await;
    let stored = world.one("members.get", json!({ "member": who })).await;
    assert_eq!(stored.get("member").unwrap_or(&stored)["freeAccess"]["expiresAt"], "2030-12-31T22:59:59.999Z");
});

both!(a_list_until_a_date_has_that_day_in_it, async |world| {
    // The clock stands at 2025-01-01T12:00:00Z, which is 2025-01-02 on Kiritimati.
    in_zone(world, "Pacific/Kiritimati").await;
    world.ok("members.create", json!({ "email": "anna@example.com" })).await;
    for (from, until, n) in [
        ("2025-01-02", "2025-01-02", 1),
        ("2025-01-01", "2025-01-01", 0),
        ("2025-01-03", "2025-01-03", 0),
        ("2025-01-01T12:00:00Z", "2025-01-01T12:00:00.001Z", 1),
        ("2025-01-01T12:00:00Z", "2025-01-01T12:00:00Z", 0),
    ] {
        let args = json!({ "createdFrom": from, "createdUntil": until });
        let page = world.ok("members.list", args).await;
        assert_eq!(page["items"].as_array().unwrap().len(), n, "{from} {until}");
        let page = world.ok("activity.list", json!({ "from": from, "until": until, "tool": "members.create" })).await;
        assert_eq!(page["items"].as_array().unwrap().len(), n, "{from} {until}");
    }
});

both!(a_video_is_shown_from_the_first_moment_of_a_day_to_its_last, async |world| {
    in_zone(world, "Europe/Berlin").await;
    let args = json!({ "title": "A", "visibility": "scheduled", "from": "2026-03-29", "until": "2026-03-29" });
    let video = world.one("videos.create", args).await;
    let video = video.get("video").unwrap_or(&video).clone();
    // A day of 23 hours.
    let moment = |name: &str, other: &str| video.get(name).or(video.get(other)).cloned();
    assert_eq!(moment("visibleFrom", "visibleFrom"), Some(json!("2026-03-28T23:00:00.000Z")));
    assert_eq!(moment("visibleUntil", "expiresAt"), Some(json!("2026-03-29T21:59:59.999Z")));
});

/// Every text in an answer that looks like a moment.
fn times(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let bytes = text.as_bytes();
            let is_time = bytes.len() > 15 && bytes[4] == b'-' && bytes[10] == b'T' && bytes[13] == b':';
            found.extend(is_time.then(|| text.clone()));
        }
        Value::Array(items) => items.iter().for_each(|one| times(one, found)),
        // Arguments are in the log as they came.
        Value::Object(fields) => fields.iter().filter(|one| one.0 != "args").for_each(|one| times(one.1, found)),
        _ => {}
    }
}

both!(every_time_has_three_digits_of_milliseconds, async |world| {
    // A moment that is no whole second, with microseconds.
    world.clock.advance(std::time::Duration::from_micros(1_123_456));
    let args = json!({ "email": "anna@example.com", "freeAccess": { "expiresAt": "2030-12-31T10:00:00.123456Z" } });
    world.ok("members.create", args).await;
    let who = json!({ "email": "anna@example.com" });
    world.ok("access.setTrial", json!({ "member": who, "expiresAt": "2025-01-20" })).await;
    world.ok("groups.create", json!({ "name": "G" })).await;
    world.ok("blocklist.add", json!({ "emails": ["ben@example.com"] })).await;
    let body = json!({ "args": { "member": who, "name": "Anna" }, "dryRun": true });
    let dry = world.call_with(&world.key, "members.update", body, &[]).await.json();
    let mut found = Vec::new();
    times(&dry, &mut found);
    for (tool, args) in [
        ("members.list", json!({})),
        ("members.checkAccess", json!({ "member": who })),
        ("members.whyPaywall", json!({ "member": who })),
        ("groups.list", json!({})),
        ("blocklist.list", json!({})),
        ("activity.list", json!({})),
        ("keys.whoami", json!({})),
        ("jobs.list", json!({})),
    ] {
        times(&world.ok(tool, args).await, &mut found);
    }
    assert!(found.len() > 20, "{found:?}");
    for time in &found {
        assert!(time.len() == "2030-12-31T10:00:00.123Z".len() && time.ends_with('Z'), "{time}");
    }
    assert!(found.contains(&"2030-12-31T10:00:00.123Z".into()), "{found:?}");
});

async fn member(world: &World, email: &str) -> Value {
    let found = world.ok("members.get", json!({ "member": { "email": email } })).await;
    found.get("member").unwrap_or(&found).clone()
}

both!(a_date_in_a_file_ends_with_that_day_in_the_sites_time_zone, async |world| {
    world.without_budgets().await;
    in_zone(world, "Europe/Berlin").await;
    let (day, midnight) = ("2030-12-31T22:59:59.999Z", "2030-12-30T23:00:00.000Z");
    let cells = [
        ("2030-12-31", day),
        ("31.12.2030", day),
        ("12/31/2030", day),
        ("31 Dec 2030", day),
        ("Dec 31, 2030", day),
        ("31 décembre 2030", day),
        ("2030-12-31T00:00", midnight),
        ("2030-12-31 00:00:00+00", "2030-12-31T00:00:00.000Z"),
        ("2030-12-31T00:00:00+0000", "2030-12-31T00:00:00.000Z"),
        ("1924905600", "2030-12-31T00:00:00.000Z"),
    ];
    let nothing = ["", "0000-00-00", "N/A", "-", "NULL"];
    let all = cells.iter().map(|(cell, _)| *cell).chain(nothing);
    let rows = all.enumerate().map(|(n, cell)| format!("m{n}@example.com,\"{cell}\"\n"));
    let file = format!("email,free_access_until\n{}", rows.collect::<String>());
    let job = crate::imports::import(world, file, json!({})).await;
    assert_eq!(crate::imports::counts(&job), [15, 15, 15, 0, 0, 0]);
    for (n, (cell, end)) in cells.iter().enumerate() {
        let made = member(world, &format!("m{n}@example.com")).await;
        assert_eq!(made["freeAccess"]["expiresAt"], *end, "{cell}");
    }
    for n in cells.len()..15 {
        assert_eq!(member(world, &format!("m{n}@example.com")).await["freeAccess"], Value::Null);
    }
});

/// What a dry run of a file says.
async fn preview(world: &World, tool: &str, file: &'static str, mut args: Value) -> Value {
    args["upload"] = crate::uploads::upload(world, file).await["id"].clone();
    let reply = world.call_with(&world.key, tool, json!({ "args": args, "dryRun": true }), &[]).await;
    reply.result()["preview"].clone()
}

both!(a_date_with_two_readings_is_never_guessed, async |world| {
    world.without_budgets().await;
    let unclear = "email,name,comped_until\na@example.com,A,01/02/2030\nb@example.com,B,03/04/2030\n";
    let seen = preview(world, "members.import", unclear, json!({})).await;
    assert_eq!(seen["columns"][2]["dateFormat"], "ambiguous", "{seen}");
    let said = seen["summary"].as_str().unwrap();
    assert!(
        said.contains("column 3 \"comped_until\" have two readings") && said.contains("mapping.dateFormat"),
        "{said}"
    );
    let row = &seen["rows"][0];
    assert_eq!((&row["verdict"], &row["code"]), (&json!("invalid"), &json!("ambiguous_date")), "{row}");
    assert!(row["message"].as_str().unwrap().contains("01/02/2030"), "{row}");
    // The caller says which, whatever the signs.
    for (format, end) in [("DD/MM/YYYY", "2030-02-01T23:59:59.999Z"), ("mm-dd-yyyy", "2030-01-02T23:59:59.999Z")] {
        let seen = preview(world, "members.import", unclear, json!({ "mapping": { "dateFormat": format } })).await;
        assert_eq!(
            (&seen["rows"][0]["freeAccessExpiresAt"], &seen["rows"][0]["verdict"]),
            (&json!(end), &json!("created"))
        );
    }
    let wrong =
        json!({ "upload": crate::uploads::upload(world, unclear).await["id"], "mapping": { "dateFormat": "euro" } });
    world.call(&world.key, "members.import", wrong).await.is_refused_for_arguments();
    // Another row has one reading only, and decides for its column.
    let told = "email,name,comped_until\na@example.com,A,01/02/2030\nb@example.com,B,31/12/2030\n";
    let seen = preview(world, "members.import", told, json!({})).await;
    assert_eq!(seen["columns"][2]["dateFormat"], "DD/MM/YYYY");
    assert_eq!(seen["rows"][0]["freeAccessExpiresAt"], "2030-02-01T23:59:59.999Z");
    let said = seen["summary"].as_str().unwrap();
    assert!(said.contains("read as DD/MM/YYYY, as other rows have no other reading"), "{said}");
    // Nobody is dropped in silence.
    let job = crate::imports::import(world, unclear, json!({})).await;
    assert_eq!(crate::imports::counts(&job), [2, 2, 0, 0, 0, 2]);
    let bad = crate::imports::errors(world, &world.key, &job).await;
    assert!(bad.contains("a@example.com,A,01/02/2030,2,ambiguous_date,"), "{bad}");
    world.leaves_traces = true;
});

both!(a_block_is_seen_first_at_the_beginning_of_a_day, async |world| {
    world.without_budgets().await;
    in_zone(world, "Europe/Berlin").await;
    let file = "email,reason,first_seen\na@example.com,complaint,31.12.2020\nb@example.com,complaint,01/02/2020\n\
                c@example.com,complaint,2020-12-31T00:00:00Z\n";
    let seen = preview(world, "blocklist.import", file, json!({})).await;
    assert_eq!(seen["columns"][2]["dateFormat"], "DD/MM/YYYY", "{seen}");
    let first_seen = |n: usize| seen["rows"][n]["firstSeen"].as_str().map(str::to_owned);
    assert_eq!(first_seen(0).as_deref(), Some("2020-12-30T23:00:00.000Z"));
    assert_eq!(first_seen(1).as_deref(), Some("2020-01-31T23:00:00.000Z"));
    assert_eq!(first_seen(2).as_deref(), Some("2020-12-31T00:00:00.000Z"));
    let args = json!({ "upload": crate::uploads::upload(world, file).await["id"] });
    world.job(&world.ok("blocklist.import", args).await["job"]["id"]).await;
    let list = world.ok("blocklist.list", json!({})).await;
    let a = list["items"].as_array().unwrap().iter().find(|one| one["email"] == "a@example.com").unwrap().clone();
    assert_eq!(a["firstSeen"], "2020-12-30T23:00:00.000Z");
});

both!(names_and_labels_are_read_as_people_write_them, async |world| {
    world.without_budgets().await;
    for (file, name, tags) in [
        ("name,surname,email\nAnna,Lind,a@example.com\n", Some("Anna Lind"), json!([])),
        ("name ,lastname ,email \nAnna,Lind,a@example.com\n", Some("Anna Lind"), json!([])),
        ("email,Vorname,Nachname\na@example.com,Anna,Lind\n", Some("Anna Lind"), json!([])),
        ("email;Prénom;Nom\na@example.com;Anna;Lind\n", Some("Anna Lind"), json!([])),
        ("email,nombre,apellidos\na@example.com,Ana,García López\n", Some("Ana García López"), json!([])),
        ("email,姓,名\na@example.com,山田,太郎\n", Some("山田太郎"), json!([])),
        ("\"\"\"Anna Lind\"\" <a@example.com>\"\n", Some("Anna Lind"), json!([])),
        ("Anna Lind <a@example.com>\nBen <b@example.com>\n", Some("Anna Lind"), json!([])),
        ("\"Anna Lind\" <a@example.com>\n\"Ben\" <b@example.com>\n", Some("Anna Lind"), json!([])),
        ("email,name\na@example.com,\u{a0}\n", None, json!([])),
        ("email,name\na@example.com,\u{200b}\u{2060}\n", None, json!([])),
        ("email,name\na@example.com,\"Ann \\\"Annie\\\" Lind\"\n", Some("Ann \"Annie\" Lind"), json!([])),
        ("email,Labels\na@example.com,* myContacts ::: University\n", None, json!(["mycontacts", "university"])),
        ("[{\"email\":\"a@example.com\",\"labels\":[{\"name\":\"x\"}]}]", None, json!(["x"])),
        ("[{\"email\":\"a@example.com\",\"labels\":[{\"name\":\"x\"},{\"name\":\"y\"}]}]", None, json!(["x", "y"])),
        ("{\"email\":\"a@example.com\",\"labels\":[\"x\",\"y\"]}\n", None, json!(["x", "y"])),
    ] {
        let seen = preview(world, "members.import", file, json!({})).await;
        let row = &seen["rows"][0];
        assert_eq!((row["email"].as_str(), row["name"].as_str()), (Some("a@example.com"), name), "{file}: {seen}");
        assert_eq!((&row["tags"], &row["verdict"]), (&tags, &json!("created")), "{file}");
    }
});
