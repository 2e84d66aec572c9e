//! Files as people have them from many tools, and what becomes of each of their rows: a table of right values.
//!
//! A row is `skipped`, `unclear`, `invalid` or the reason that it is blocked for; a file that is refused has its code.

mod about_mail;
mod languages;
mod other_things;
mod people;
mod services;
mod strange;

use std::io::Cursor;

use proptest::prelude::*;
use usher_files::{Reader, Reason, RowFault, Wanted};

use crate::ENOUGH_BYTES;

/// A file, and what becomes of its rows.
type Shape = (&'static str, &'static str, &'static str);

/// What becomes of each row, one word each.
fn outcome(file: &str, wanted: &Wanted) -> String {
    let mut reader = match Reader::open_as(Cursor::new(file), ENOUGH_BYTES, wanted) {
        Ok(reader) => reader,
        Err(error) => return error.code().to_owned(),
    };
    let mut words = Vec::new();
    while let Some(row) = reader.next_row() {
        let row = row.expect("no error in the middle");
        words.push(match row.email {
            Ok(_) => row.reason.unwrap_or(Reason::Manual).code(),
            Err(RowFault::Sendable) => "skipped",
            Err(RowFault::Unclear) => "unclear",
            Err(_) => "invalid",
        });
    }
    words.join(" ")
}

#[test]
fn every_shape_is_understood() {
    let lists = [
        services::SHAPES,
        people::SHAPES,
        languages::SHAPES,
        strange::SHAPES,
        about_mail::SHAPES,
        other_things::SHAPES,
    ];
    let shapes = lists.concat();
    assert!(shapes.len() >= 150, "{}", shapes.len());
    let wrong: Vec<_> = shapes
        .iter()
        .filter_map(|(name, file, expected)| {
            let found = outcome(file, &Wanted::default());
            (found != *expected).then(|| format!("{name}:\n  found    {found}\n  expected {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_reason_that_the_caller_gives_blocks_all_but_those_who_may_get_mail() {
    let wanted = Wanted { takes_all: true, ..Wanted::default() };
    for (name, file, without) in [services::SHAPES, people::SHAPES, languages::SHAPES].concat() {
        if without == "several_address_columns" {
            continue;
        }
        let with = outcome(file, &wanted);
        assert!(!with.contains("unclear") && with != "reason_needed", "{name}: {with}");
        // Nothing else changes.
        for (with, without) in with.split(' ').zip(without.split(' ')) {
            assert!(with == without || matches!(without, "unclear" | "reason_needed"), "{name}: {with} and {without}");
        }
    }
}

/// Columns that files of people have, with cells as they may be in them.
fn people_column() -> impl Strategy<Value = (&'static str, Vec<String>)> {
    let column =
        |name: &'static str, cells: &'static str| prop::collection::vec(cells, 6).prop_map(move |cells| (name, cells));
    prop_oneof![
        column("First name", "[A-Z][a-z]{1,7}"),
        column("Name", "([A-Z][a-z]{1,7} [A-Z][a-z]{1,7})?"),
        column("City", "(Ulm|Bonn|São Paulo|Active|Blocked|)"),
        column("Phone", "[+]?[0-9 ]{3,12}"),
        column("Created at", "20[0-2][0-9]-0[1-9]-1[0-9]( 10:00:00)?"),
        column("Subscribed at", "20[0-2][0-9]-0[1-9]-1[0-9]"),
        column("Orders", "[0-9]{1,3}"),
        column("Opens", "[0-9]{0,3}"),
        column("Total spent", "[0-9]{1,4}\\.[0-9]{2}"),
        column("Status", "(Engaged|regular|VIP|Awaiting Confirmation|expired|)"),
        column("Account status", "(active|cancelled|trialing|past_due)"),
        column("Order status", "(completed|cancelled|refunded)"),
        column("SMS status", "(unsubscribed|subscribed)"),
        column("SMS Consent", "(UNSUBSCRIBED|SUBSCRIBED)"),
        column("Soft bounces", "[0-9]"),
        column("Unsubscribe link", "https://example[.]com/u/[a-z]{3}"),
        column("Lead Status", "(Open|Bad fit|New)"),
        column("Plan", "(Gold|Silver|Free|cancelled)"),
        column("Tags", "([a-z]{2,5}(, [a-z]{2,5})?)?"),
        column("id", "[0-9]{1,6}"),
        column("", "[A-Za-z]{1,6}"),
        column("Verified", "(yes|no|true|false)"),
        column("Opt-in date", "20[0-2][0-9]-0[1-9]-1[0-9]"),
        column("Country", "(DE|AT|CH|NO|BY)"),
        column("Owner email", "(eva|max)@shop[.]example"),
        column("Address", "[A-Z][a-z]{3,6}straße [0-9]{1,2}"),
        column("Area code", "[4-5][0-9]{2}"),
        column("Type", "(customer|lead|partner)"),
        column("Language", "(de|en|no|si)"),
        column("Prioridad", "(Alta|Baja|Media)"),
        column("Bloque", "([1-9]|[A-Z])"),
        column("WhatsApp", "(Unsubscribed|Subscribed|Opted out)"),
        column("Podcast", "(Unsubscribed|Subscribed)"),
        column("Category", "(Junk|Antiques|Complaint)"),
        column("Contract", "(Permanent|Temporary|Manual|Hard)"),
        column("Event", "(Removed|Added|Manual|Blocked|Invalid)"),
        column("Parcel", "(delivered|undeliverable)"),
        column("Consent", "(yes|no)"),
        column("Data consent", "(yes|no|Opted out)"),
        column("Inscrit", "(oui|non)"),
        column("Not unsubscribed", "(yes|no)"),
        column("Source", "(landing page|facebook)"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    /// The rule that matters most: no file of people blocks anybody for what it does not say.
    #[test]
    fn people_are_never_blocked_by_accident(
        columns in prop::collection::vec(people_column(), 1..7),
        email_at in 0usize..7,
        email_name in prop::sample::select(&["Email", "E-Mail-Adresse", "Wer", "Billing Email", "member_email"][..]),
        has_header in prop::bool::weighted(0.85),
        has_title in any::<bool>(),
        separator in prop::sample::select(&[b',', b';', b'\t'][..]),
        is_json in prop::bool::weighted(0.2),
    ) {
        // Without its name nobody can tell a status of short messages from one of mail.
        prop_assume!(has_header || is_json || columns.iter().all(|(name, _)| !matches!(*name, "SMS status" | "SMS Consent" | "WhatsApp" | "Podcast")));
        let at = email_at.min(columns.len());
        let mut names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        names.insert(at, email_name);
        let row = |n: usize| {
            let mut cells: Vec<String> = columns.iter().map(|(_, cells)| cells[n].clone()).collect();
            cells.insert(at, format!("member{n}@people.example"));
            cells
        };
        // A file with empty cells alone beside the addresses is a bare list.
        let is_bare = |n: usize| columns.iter().all(|(_, cells)| cells[n].trim().is_empty());
        prop_assume!(!(0..6).all(is_bare));
        let file = if is_json {
            let object = |n: usize| -> serde_json::Value {
                names.iter().map(ToString::to_string).zip(row(n)).collect()
            };
            serde_json::to_string(&(0..6).map(object).collect::<Vec<_>>()).unwrap()
        } else {
            let mut csv = csv::WriterBuilder::new().delimiter(separator).flexible(true).from_writer(Vec::new());
            if has_title && has_header {
                csv.write_record(["Contacts export 2024"]).unwrap();
            }
            if has_header {
                csv.write_record(&names).unwrap();
            }
            (0..6).for_each(|n| csv.write_record(row(n)).unwrap());
            String::from_utf8(csv.into_inner().unwrap()).unwrap()
        };
        let found = outcome(&file, &Wanted::default());
        for word in found.split(' ') {
            let is_harmless = matches!(
                word,
                "skipped" | "unclear" | "invalid" | "reason_needed" | "several_address_columns" | "no_address_column"
            );
            prop_assert!(is_harmless, "{}\n{}", found, file);
        }
    }
}
