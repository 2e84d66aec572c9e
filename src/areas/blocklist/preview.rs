//! What an import would do, found out by looking at its file.

use std::{
    collections::HashMap,
    io::{Read, Seek},
};

use poem_openapi::{Enum, Object};
use usher_files::{Field, Mapping, RowFault};

use super::{
    Import, Reason, actions, explain, store,
    tally::{self, LeftOut, ReasonCount},
};
use crate::{
    error::Result,
    gate::Cx,
    imports::{DateColumn, ImportFormat, Look, PreviewColumn, Problem, look, no_address},
    values::{Email, Time},
};

/// Rows that are shown.
const SHOWN: usize = 20;

/// Characters that are shown of what stands where an address belongs.
const SHOWN_CHARS: usize = 254;

/// Characters that are shown of a value for which rows are left out.
const VALUE_CHARS: usize = 40;

/// What would become of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
#[oai(rename = "ImportVerdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Its address is new on the list.
    Added,
    /// Its address is there for a weaker reason.
    Strengthened,
    /// Its address is there for a reason as strong, or stands in the file before.
    Already,
    /// It says that its address may get mail.
    Skipped,
    /// It does not say in known words whether its address gets mail; it is left as it is.
    Unclear,
    /// It cannot be taken; `code` and `message` say why.
    Invalid,
}

/// A row, and what would become of it.
#[derive(Debug, Object)]
#[oai(rename = "ImportPreviewRow", rename_all = "camelCase")]
pub struct PreviewRow {
    /// The line of the file it begins in, from 1.
    line: u64,
    /// The file that the line is in, of a zip archive of several.
    file: Option<String>,
    /// The address, or what stands in its place, as it was written.
    email: Option<String>,
    /// What would become of it.
    verdict: Verdict,
    /// The reason it would be blocked for.
    reason: Option<Reason>,
    /// The source it gives.
    source: Option<String>,
    /// The note it gives.
    note: Option<String>,
    /// Since when, if it says so in a way that is understood.
    first_seen: Option<Time>,
    /// The mail provider's code.
    vendor_code: Option<String>,
    /// Why it cannot be taken, or is skipped, for programs.
    code: Option<String>,
    /// The same, for people.
    message: Option<String>,
}

/// How many rows would end how.
#[derive(Debug, Default, Object)]
#[oai(rename = "ImportPreviewCounts", rename_all = "camelCase")]
pub struct PreviewCounts {
    /// Rows of the file.
    pub(super) total: u64,
    /// Whether each row was looked at. If not, the rows were counted, and the other counts are estimates from 10,000 rows that
    /// lie evenly in the file. (Of a file with more than 256 MiB of text, the total is an estimate too.)
    pub(super) exact: bool,
    /// New addresses.
    pub(super) added: u64,
    /// Addresses that are there for a weaker reason.
    pub(super) strengthened: u64,
    /// Addresses that are there, or stand in the file before.
    pub(super) already: u64,
    /// Rows that say that their address may get mail.
    pub(super) skipped: u64,
    /// Rows that do not say in known words whether it may.
    pub(super) unclear: u64,
    /// Rows that cannot be taken.
    pub(super) invalid: u64,
}

/// What an import would do.
#[derive(Debug, Default, Object)]
#[oai(rename = "ImportPreview", rename_all = "camelCase")]
pub struct Preview {
    /// Why the file cannot be imported; then there are no rows and no counts.
    problem: Option<Problem>,
    /// What was understood and what would happen, in sentences for people.
    #[oai(validator(max_items = 100))]
    explanation: Vec<String>,
    /// How the file was understood, in one sentence.
    summary: Option<String>,
    /// How its cells are separated.
    format: Option<ImportFormat>,
    /// How its characters are written, such as `utf-8` or `windows-1250`; the summary says if that is a guess.
    encoding: Option<String>,
    /// How it is compressed: `none`, `gzip` or `zip`.
    compression: Option<String>,
    /// Whether the first row names the columns.
    header: Option<bool>,
    /// Whose export it is, such as `mailgun_bounces`.
    exporter: Option<String>,
    /// The columns, and what they are taken for.
    #[oai(validator(max_items = 1000))]
    columns: Vec<PreviewColumn>,
    /// Why rows would be blocked, the most frequent reason first.
    #[oai(validator(max_items = 5))]
    reasons: Vec<ReasonCount>,
    /// For which values rows are skipped or unclear, the most frequent first; at most 50.
    #[oai(validator(max_items = 50))]
    left_out: Vec<LeftOut>,
    /// The first 20 rows.
    #[oai(validator(max_items = 20))]
    rows: Vec<PreviewRow>,
    /// How many rows would end how.
    counts: Option<PreviewCounts>,
}

struct Seen {
    row: PreviewRow,
    email: Option<Email>,
    /// Of a row that is left out, the column that decided and what stands there.
    left_out: Option<(Option<String>, String)>,
}

/// Looks at a file of so many bytes, and at the list as it is.
pub(super) async fn preview(
    cx: &mut Cx,
    file: impl Read + Seek + Send + 'static,
    bytes: u64,
    job: Import,
) -> Result<Preview> {
    let (now, wanted, reason) = (cx.now, job.wanted()?, job.reason.unwrap_or(Reason::Manual));
    let see = move |mapping: &Mapping| {
        let column = mapping.index_of(Field::Email);
        let dates = DateColumn::of(mapping, mapping.index_of(Field::FirstSeen), job.zone);
        let seen_at = move |cell: &str| dates.beginning(cell).filter(|seen| *seen < now);
        move |row: &usher_files::Row<'_>| seen(row, column, reason, seen_at)
    };
    let Look { mapping, summary, files, mut rows, total, is_whole, problem } =
        match look(&cx.app.config.data, file, bytes, wanted, see).await? {
            Ok(look) => look,
            Err(problem) => return Ok(Preview { problem: Some(problem), ..Preview::default() }),
        };
    if problem.is_some() {
        let explanation = explain::columns(&files);
        return Ok(Preview { problem, explanation, ..understood(&mapping, summary) });
    }
    judge(cx, &mut rows).await?;
    let n_read = rows.len() as u64;
    let count = |verdict: Verdict| {
        let n = rows.iter().filter(|seen| seen.row.verdict == verdict).count() as u64;
        (n * total).checked_div(n_read).unwrap_or(0)
    };
    let counts = PreviewCounts {
        total,
        exact: is_whole,
        added: count(Verdict::Added),
        strengthened: count(Verdict::Strengthened),
        already: count(Verdict::Already),
        skipped: count(Verdict::Skipped),
        unclear: count(Verdict::Unclear),
        invalid: count(Verdict::Invalid),
    };
    let of_all = |n: u64| (n * total).checked_div(n_read).unwrap_or(0);
    let reasons = tally::reasons(rows.iter().filter_map(|seen| seen.row.reason), of_all);
    let left_out = rows.iter().filter_map(|seen| {
        let (column, value) = seen.left_out.as_ref()?;
        Some((seen.row.verdict, column.as_deref(), value.as_str()))
    });
    let left_out = tally::left_out(left_out, of_all);
    let explanation = explain::whole(&files, &counts, &reasons, &left_out);
    let rows = rows.into_iter().take(SHOWN).map(|seen| seen.row).collect();
    Ok(Preview { explanation, reasons, left_out, rows, counts: Some(counts), ..understood(&mapping, summary) })
}

/// What is known of a file before its rows.
fn understood(mapping: &Mapping, summary: String) -> Preview {
    Preview {
        summary: Some(summary),
        format: Some(mapping.format.into()),
        encoding: Some(mapping.encoding.code().into()),
        compression: Some(mapping.compression.code().into()),
        header: Some(mapping.has_header),
        exporter: mapping.exporter.map(|exporter| exporter.code.into()),
        columns: PreviewColumn::all(mapping),
        ..Preview::default()
    }
}

fn seen(
    row: &usher_files::Row<'_>,
    column: Option<usize>,
    reason: Reason,
    seen_at: impl Fn(&str) -> Option<Time>,
) -> Seen {
    let owned = |text: Option<&str>| text.map(actions::plain);
    let (text, email, fault) = match row.email {
        Err(fault) => (in_place(row, column, SHOWN_CHARS), None, Some((fault.code(), fault.text().into()))),
        Ok(text) => match Email::parse(text) {
            Ok(email) => (Some(actions::plain(text)), Some(email), None),
            Err(fault) => (Some(actions::plain(text)), None, Some(no_address(&fault))),
        },
    };
    let verdict = match row.email {
        Err(RowFault::Sendable) => Verdict::Skipped,
        Err(RowFault::Unclear) => Verdict::Unclear,
        _ => Verdict::Invalid,
    };
    let is_left_out = matches!(verdict, Verdict::Skipped | Verdict::Unclear);
    let left_out = is_left_out.then(|| {
        let name = |column: usize| row.mapping.columns.get(column).map(|column| column.name.clone());
        (row.decided_by.and_then(name), in_place(row, row.decided_by, VALUE_CHARS).unwrap_or_default())
    });
    let row = PreviewRow {
        line: row.line,
        file: row.file.map(str::to_owned),
        email: text,
        // Of an address, what is on the list decides.
        verdict,
        reason: email.is_some().then(|| row.reason.map_or(reason, Reason::from)),
        source: owned(row.source),
        note: owned(row.note),
        first_seen: row.first_seen.and_then(seen_at),
        vendor_code: owned(row.vendor_code),
        code: fault.as_ref().map(|(code, _)| (*code).into()),
        message: fault.map(|(_, text)| text.into_owned()),
    };
    Seen { row, email, left_out }
}

/// What stands in a column of a row that is not taken.
fn in_place(row: &usher_files::Row<'_>, column: Option<usize>, most: usize) -> Option<String> {
    let cell = String::from_utf8_lossy(row.cells().nth(column?)?);
    let text: String = actions::plain(&cell).chars().take(most).collect();
    (!text.is_empty()).then_some(text)
}

/// Compares addresses with the list, and with those before them.
async fn judge(cx: &mut Cx, rows: &mut [Seen]) -> Result<()> {
    let site = cx.site();
    let keys = rows.iter().filter_map(|seen| Some(seen.email.as_ref()?.key().to_owned())).collect();
    let there = store::of_keys(cx.conn(), site, keys).await?;
    let mut there: HashMap<String, Option<Reason>> =
        there.into_iter().map(|entry| (entry.key, Some(entry.reason))).collect();
    for seen in rows {
        let (Some(email), Some(reason)) = (&seen.email, seen.row.reason) else { continue };
        seen.row.verdict = match there.insert(email.key().to_owned(), None) {
            None => Verdict::Added,
            Some(Some(before)) if before < reason => Verdict::Strengthened,
            Some(_) => Verdict::Already,
        };
    }
    Ok(())
}
