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
const NO_MOMENTS: &[&str] = &["freeAccessExpiresAt"];

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
