//! What cells of people's files mean: names, tags, notes and metadata.

use serde_json::{Value, json};

use super::{counts, errors, import, member};

both!(what_programs_write_for_nothing_is_nothing, async |world| {
    world.without_budgets().await;
    let all = ["NULL", "null", "N/A", "n/a", "-", "undefined", "nan", "NaN", "#N/A", "#REF!", "None", "\\N", "(null)"];
    let rows =
        all.iter().enumerate().map(|(n, cell)| format!("{n}@example.com,{cell},{cell},{cell},{cell},{cell},{cell}\n"));
    let file = format!("email,name,note,labels,groups,bundle,external_id\n{}", rows.collect::<String>());
    assert_eq!(counts(&import(world, file, json!({})).await), [13, 13, 13, 0, 0, 0]);
    for (n, cell) in all.iter().enumerate() {
        let made = member(world, &format!("{n}@example.com")).await;
        let texts = ["name", "note", "externalId"].map(|name| made.get(name).cloned().unwrap_or_default());
        assert_eq!((texts, &made["tags"]), ([Value::Null, Value::Null, Value::Null], &json!([])), "{cell}");
    }
});

both!(parts_of_names_and_addresses_are_told_apart, async |world| {
    world.without_budgets().await;
    for (n, (header, row, name)) in [
        ("Vorname,Nachname", "Eva,NULL", json!("Eva")),
        ("Vorname,Nachname", "N/A,Lind", json!("Lind")),
        ("Name", "undefined undefined", Value::Null),
        ("Name", "Eva undefined", json!("Eva")),
        ("Name", "Christopher Null", json!("Christopher Null")),
        ("First name,Last name", "Christopher,Null", json!("Christopher Null")),
        ("Name", "Nan Goldin", json!("Nan Goldin")),
        ("Name", "Na", json!("Na")),
        ("Name", "{n}@example.com", Value::Null),
        ("Name", "<{n}@EXAMPLE.com>", Value::Null),
        ("Name,First name", "{n}@example.com,Eva", json!("Eva")),
    ]
    .into_iter()
    .enumerate()
    {
        let file = format!("Email,{header}\n{n}@example.com,{row}\n").replace("{n}", &n.to_string());
        assert_eq!(counts(&import(world, file.clone(), json!({})).await), [1, 1, 1, 0, 0, 0], "{file}");
        assert_eq!(
            member(world, &format!("{n}@example.com")).await.get("name").cloned().unwrap_or_default(),
            name,
            "{file}"
        );
    }
});

both!(a_name_may_be_an_object, async |world| {
    world.without_budgets().await;
    for (n, (name, expected)) in [
        (json!({ "first": "Anna", "last": "Lind" }), json!("Anna Lind")),
        (json!({ "firstName": "Anna", "lastName": "Lind" }), json!("Anna Lind")),
        (json!({ "given_name": "Anna", "family_name": "Lind" }), json!("Anna Lind")),
        (json!({ "full": "Anna Lind" }), json!("Anna Lind")),
        (json!({ "first": "Anna", "last": null }), json!("Anna")),
        (json!({ "first": null, "last": null }), Value::Null),
        (Value::Null, Value::Null),
    ]
    .into_iter()
    .enumerate()
    {
        // By itself, as a line beside others that have a text, and in a cell of a table.
        let cell = name.to_string().replace('"', "\"\"");
        let files = [
            json!([{ "email": format!("a{n}@example.com"), "name": name }]).to_string(),
            format!(
                "{}\n{}\n",
                json!({ "email": format!("c{n}@example.com"), "name": "Cat" }),
                json!({ "email": format!("b{n}@example.com"), "name": name })
            ),
            format!("email,name\nd{n}@example.com,\"{cell}\"\n"),
        ];
        for (file, who) in files.into_iter().zip(["a", "b", "d"]) {
            import(world, file.clone(), json!({})).await;
            let made = member(world, &format!("{who}{n}@example.com")).await;
            assert_eq!(made.get("name").cloned().unwrap_or_default(), expected, "{file}");
        }
    }
});

both!(metadata_is_texts_however_it_is_written, async |world| {
    world.without_budgets().await;
    for (n, (metadata, expected)) in [
        ("null", Value::Null),
        ("NULL", Value::Null),
        ("{}", Value::Null),
        ("[]", Value::Null),
        (r#"{"a":null}"#, Value::Null),
        (r#"{"a":null,"b":"x"}"#, json!({ "b": "x" })),
        (r#"{"a":1,"b":2.5,"c":true,"d":false}"#, json!({ "a": "1", "b": "2.5", "c": "true", "d": "false" })),
        (r#"{"a":{"b":"x","c":3}}"#, json!({ "a.b": "x", "a.c": "3" })),
        (r#"{"a":["x","y"]}"#, json!({ "a": r#"["x","y"]"# })),
    ]
    .into_iter()
    .enumerate()
    {
        let cell = metadata.replace('"', "\"\"");
        let mut files = vec![(format!("t{n}"), format!("email,metadata\nt{n}@example.com,\"{cell}\"\n"))];
        if serde_json::from_str::<Value>(metadata).is_ok() {
            files.push((format!("j{n}"), format!("{{\"email\":\"j{n}@example.com\",\"metadata\":{metadata}}}\n")));
        }
        for (who, file) in files {
            assert_eq!(counts(&import(world, file.clone(), json!({})).await), [1, 1, 1, 0, 0, 0], "{file}");
            let made = member(world, &format!("{who}@example.com")).await;
            assert_eq!(made.get("metadata").cloned().unwrap_or_default(), expected, "{file}");
        }
    }
    let job = import(world, "email,metadata\nx@example.com,gold\ny@example.com,\"{\"\"a\"\":1}\"\n", json!({})).await;
    assert_eq!(counts(&job), [2, 2, 1, 0, 0, 1]);
    let bad = errors(world, &world.key, &job).await;
    assert!(
        bad.contains("x@example.com,gold,2,invalid_metadata,The metadata cannot be kept: it is no JSON object."),
        "{bad}"
    );
});

both!(who_was_deleted_is_told_by_a_date_and_not_by_a_zero, async |world| {
    world.without_budgets().await;
    for (n, (column, cell, is_skipped)) in [
        ("deleted_at", "2025-01-01", true),
        ("deleted_at", "2025-01-01T10:00:00Z", true),
        ("deletedAt", "1735732800", true),
        ("is_deleted", "true", true),
        ("Deleted", "yes", true),
        ("Gelöscht am", "01.01.2025", true),
        ("deleted_at", "", false),
        ("deleted_at", "0001-01-01T00:00:00Z", false),
        ("deleted_at", "1970-01-01 00:00:00", false),
        ("deleted_at", "1970-01-01T00:00:00.000Z", false),
        ("deleted_at", "0000-00-00 00:00:00", false),
        ("deleted_at", "NULL", false),
        ("deleted_at", "\\N", false),
        ("deleted_at", "nan", false),
        ("deleted_at", "NaT", false),
        ("is_deleted", "0.0", false),
        ("is_deleted", "false", false),
        ("Not deleted", "yes", false),
        ("deleted_by", "Ben", false),
    ]
    .into_iter()
    .enumerate()
    {
        let job = import(world, format!("email,{column}\n{n}@example.com,{cell}\n"), json!({})).await;
        let n_skipped = u64::from(is_skipped);
        assert_eq!(
            (&job["result"]["skipped"], &job["result"]["created"]),
            (&json!(n_skipped), &json!(1 - n_skipped)),
            "{column}: {cell}"
        );
    }
});
