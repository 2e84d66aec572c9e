//! How an import ended, in words.

use std::path::Path;

use serde_json::Value;

/// A field that is a text.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value[name].as_str()
}

/// A field that is a count; 0 if it is not there.
pub(super) fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or(0)
}

/// What is counted of a file of addresses.
const OF_BLOCKS: [(&str, &str); 6] = [
    ("added", "added"),
    ("already", "there already"),
    ("strengthened", "strengthened"),
    ("skipped", "skipped since they may get mail"),
    ("unclear", "unclear and left as they are"),
    ("invalid", "invalid"),
];

/// What is counted of a file of people.
const OF_MEMBERS: [(&str, &str); 7] = [
    ("created", "created"),
    ("updated", "updated"),
    ("unchanged", "unchanged"),
    ("skipped", "skipped since they were deleted"),
    ("invalid", "invalid"),
    ("unsubscribed", "opt-outs for the block list"),
    ("unclear", "unclear about mail"),
];

/// The counts of a job, such as `9 added, 1 invalid`; those that are 0 are left out, but for the first.
pub(super) fn counts(progress: &Value) -> String {
    let names = if is_of_members(progress) { &OF_MEMBERS[..] } else { &OF_BLOCKS };
    let counted = names.iter().map(|(name, words)| (number(progress, name), *name, words));
    let shown = counted.filter(|(n, name, _)| *n > 0 || *name == names[0].0);
    let one_of = |n: u64, words: &str| if n == 1 { words.replace("opt-outs", "opt-out") } else { words.to_owned() };
    shown.map(|(n, _, words)| format!("{} {}", grouped(n), one_of(n, words))).collect::<Vec<_>>().join(", ")
}

/// Whether counts are those of people.
fn is_of_members(progress: &Value) -> bool {
    progress["created"].is_u64()
}

/// Of an import that succeeded.
pub(super) fn summary(file: &str, job: &Value, errors: Option<&Path>, undo: &str) -> String {
    let id = text(job, "id").unwrap_or_default();
    let progress = &job["progress"];
    let rows = match number(progress, "total") {
        1 => "1 row".into(),
        n => format!("{} rows", grouped(n)),
    };
    let unclear = match number(progress, "unclear") {
        0 => "",
        _ if is_of_members(progress) => " Nobody is blocked for what is unclear; --dry-run shows it.",
        _ => " Of the unclear rows --dry-run shows what they say.",
    };
    let (counts, ignored, mend) = (counts(progress), ignored(&job["result"]), mend(errors));
    format!("Imported {file}: {rows}; {counts}.{unclear}{ignored}{mend}\nIt was job {id}.{undo}")
}

/// The columns that were not used, if any.
fn ignored(result: &Value) -> String {
    let names = result["ignoredColumns"].as_array().map(Vec::as_slice).unwrap_or_default();
    match names.iter().filter_map(Value::as_str).collect::<Vec<_>>() {
        names if names.is_empty() => String::new(),
        names => format!(" Columns that were not used: {}.", names.join(", ")),
    }
}

/// Of a file that was only looked at.
pub(super) fn preview(file: &str, preview: &Value) -> String {
    let counted = &preview["counts"];
    let about = if counted["exact"] == true { "" } else { "about " };
    let total = grouped(number(counted, "total"));
    let mut said = understood(file, preview);
    said += &unclear_columns(preview);
    said += &format!("\nOf {about}{total} rows: {about}{}. Nothing was imported. The first rows:\n", counts(counted));
    for row in preview["rows"].as_array().into_iter().flatten() {
        let (line, verdict) = (number(row, "line"), text(row, "verdict").unwrap_or_default());
        let email = text(row, "email").unwrap_or("-");
        let why = ["reason", "message", "name"].into_iter().find_map(|name| text(row, name)).unwrap_or_default();
        let no_mail = text(row, "blockReason").map(|reason| format!("  no mail: {reason}")).unwrap_or_default();
        said += &format!("{line:>7}  {verdict:<12} {email}  {why}{no_mail}\n");
    }
    said.truncate(said.trim_end().len());
    said
}

/// The columns about mail that are not understood, each with some of its words.
fn unclear_columns(preview: &Value) -> String {
    let columns = preview["unclearColumns"].as_array().map(Vec::as_slice).unwrap_or_default();
    let each = columns.iter().map(|column| {
        let values = column["values"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let values: Vec<_> = values.map(|value| format!("“{value}”")).collect();
        format!("  “{}”: {}\n", text(column, "name").unwrap_or_default(), values.join(", "))
    });
    let each: String = each.collect();
    match each.as_str() {
        "" => each,
        each => format!(
            "\nUnclear about mail, so nobody is blocked for it:\n{each}If such a column says who wants mail, pass \
             --mail-column NAME; if it says who wants none, --no-mail-column NAME.\n"
        ),
    }
}

/// How a file is understood: as what, and then sentence by sentence.
fn understood(file: &str, preview: &Value) -> String {
    let summary = text(preview, "summary").unwrap_or("nothing");
    let sentences: Vec<_> = preview["explanation"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if sentences.is_empty() {
        return format!("{file} is understood as: {summary}.{}\n", ignored(preview));
    }
    // The sentences name the columns.
    let kind = summary.split_once(": email is").map_or(summary, |(kind, _)| kind);
    let kind = kind.rsplit_once(": ").map_or(kind, |(_, kind)| kind);
    let article = if kind.starts_with(['A', 'E', 'I', 'O', 'U', 'a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    let mut said = format!("{file}: {article} {kind}.\n\n");
    sentences.iter().for_each(|sentence| said += &format!("  {sentence}\n"));
    said
}

/// Why a file that was only looked at cannot be imported, and what is known of it all the same.
pub(super) fn refused(file: &str, preview: &Value, problem: &str) -> String {
    let pass = match text(&preview["problem"], "code") {
        Some("reason_needed") => "\nHere: --reason-column NAME, or --reason unsubscribe for everybody in it.",
        Some("several_address_columns") => "\nHere: --email-column NAME.",
        _ => "",
    };
    let known = match preview["explanation"].as_array() {
        Some(sentences) if !sentences.is_empty() => format!("\n\n{}", understood(file, preview).trim_end()),
        _ => String::new(),
    };
    format!("{file} cannot be imported: {problem}{pass}{known}")
}

/// Of an import that failed or was cancelled.
pub(super) fn failure(file: &str, job: &Value, errors: Option<&Path>) -> String {
    let id = text(job, "id").unwrap_or_default();
    let ended = match text(job, "status") {
        Some("cancelled") => "was cancelled".to_owned(),
        _ => format!("failed: {}", text(&job["error"], "message").unwrap_or("the server does not say why")),
    };
    let ended = ended.trim_end_matches('.');
    let done = match number(&job["progress"], "done") {
        0 => format!("Nothing was imported. It was job {id}."),
        n => format!(
            "{} rows were done before: {}; they stay. It was job {id}; jobs.retry goes on where it stopped.",
            grouped(n),
            counts(&job["progress"])
        ),
    };
    format!("the import of {file} {ended}. {done}{}", mend(errors))
}

fn mend(errors: Option<&Path>) -> String {
    let saved =
        errors.map(|path| format!("\nThe invalid rows are in {}; mend them and import that file.", path.display()));
    saved.unwrap_or_default()
}

/// A number with its thousands apart.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_end_is_told_in_words() {
        let job = json!({
            "id": "job_x", "status": "succeeded",
            "progress": { "done": 1234, "total": 1234, "added": 1200, "already": 0, "strengthened": 33, "invalid": 1 },
        });
        let said = summary("a.csv", &job, Some(Path::new("a.csv.errors.csv")), " To take it back: …");
        assert!(said.ends_with("\nIt was job job_x. To take it back: …"), "{said}");
        assert!(said.starts_with("Imported a.csv: 1,234 rows; 1,200 added, 33 strengthened, 1 invalid.\n"), "{said}");
        assert!(said.contains("in a.csv.errors.csv;"), "{said}");
    }

    #[test]
    fn a_look_at_a_file_is_told_in_words() {
        let seen = json!({
            "summary": "list in UTF-8",
            "counts": { "total": 3, "exact": true, "added": 1, "skipped": 1, "invalid": 1 },
            "rows": [
                { "line": 1, "verdict": "added", "email": "a@example.com", "reason": "manual" },
                { "line": 3, "verdict": "invalid", "message": "There is no address." },
            ],
        });
        let said = preview("a.txt", &seen);
        assert!(
            said.starts_with("a.txt is understood as: list in UTF-8.\n\nOf 3 rows: 1 added, 1 skipped since"),
            "{said}"
        );
        assert!(said.ends_with("\n      3  invalid      -  There is no address."), "{said}");
    }

    #[test]
    fn opt_outs_and_what_is_unclear_are_told() {
        let mut job = json!({
            "id": "job_x", "status": "succeeded",
            "progress": { "done": 4, "total": 4, "created": 4, "updated": 0, "skipped": 1, "unsubscribed": 2, "unclear": 1 },
        });
        let said = summary("a.csv", &job, None, "");
        let expected = "Imported a.csv: 4 rows; 4 created, 1 skipped since they were deleted, 2 opt-outs for the block list, \
                        1 unclear about mail. Nobody is blocked for what is unclear; --dry-run shows it.\n";
        assert!(said.starts_with(expected), "{said}");
        job["progress"] = json!({ "total": 1, "created": 0, "unsubscribed": 1 });
        assert!(summary("a.csv", &job, None, "").contains("1 row; 0 created, 1 opt-out for the block list.\n"));
        let seen = json!({
            "summary": "table",
            "unclearColumns": [{ "name": "Status", "values": ["canceled", "paused"] }],
            "counts": { "total": 2, "exact": true, "created": 2, "unsubscribed": 1, "unclear": 1 },
            "rows": [{ "line": 2, "verdict": "created", "email": "a@example.com", "name": "Anna", "blockReason": "unsubscribe" }],
        });
        let said = preview("a.csv", &seen);
        assert!(said.contains("blocked for it:\n  “Status”: “canceled”, “paused”\nIf such a column"), "{said}");
        assert!(said.contains("Of 2 rows: 2 created, 1 opt-out for the block list, 1 unclear about mail."), "{said}");
        assert!(said.ends_with("a@example.com  Anna  no mail: unsubscribe"), "{said}");
    }

    #[test]
    fn a_look_is_told_in_the_sentences_of_the_server() {
        let mut seen = json!({
            "summary": "HubSpot contacts: table separated by commas in UTF-8, with a header: email is column 1 \"Email\"",
            "explanation": ["“Email” is the address.", "Not used: “City”."],
            "counts": { "total": 1, "exact": true, "added": 0, "unclear": 1 },
            "rows": [{ "line": 2, "verdict": "unclear", "message": "This row does not say." }],
        });
        let said = preview("a.csv", &seen);
        let begin = "a.csv: a table separated by commas in UTF-8, with a header.\n\n  “Email” is the address.\n  Not used: “City”.\n";
        assert!(said.starts_with(begin), "{said}");
        assert!(said.contains("0 added, 1 unclear and left as they are"), "{said}");
        seen["summary"] = json!("Excel workbook, sheet \"People\": email is column 1");
        assert!(preview("a.xlsx", &seen).starts_with("a.xlsx: an Excel workbook, sheet \"People\".\n"));
        seen["problem"] = json!({ "code": "reason_needed", "message": "Nothing says it." });
        let said = refused("a.csv", &seen, "Nothing says it.");
        assert!(
            said.starts_with("a.csv cannot be imported: Nothing says it.\nHere: --reason-column NAME, or"),
            "{said}"
        );
        assert!(said.ends_with("\n  Not used: “City”."), "{said}");
    }

    #[test]
    fn a_failure_says_what_stays() {
        let mut job = json!({
            "id": "job_x", "status": "failed", "error": { "code": "x", "message": "The file is a PDF." }, "progress": {},
        });
        let said = failure("a.pdf", &job, None);
        assert!(said.starts_with("the import of a.pdf failed: The file is a PDF. Nothing was imported."), "{said}");
        job["status"] = json!("cancelled");
        job["progress"] = json!({ "done": 1000, "total": 2000, "added": 0, "already": 1000 });
        assert!(
            failure("a", &job, None)
                .contains("was cancelled. 1,000 rows were done before: 0 added, 1,000 there already")
        );
    }

    #[test]
    fn thousands_are_apart() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(n), text);
        }
    }
}
