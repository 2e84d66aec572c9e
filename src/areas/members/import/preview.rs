//! What an import would do, found out by looking at the beginning of its file.

use std::io::{Read, Seek};

use poem_openapi::{Enum, Object};
use serde_json::json;
use usher_db::Change;
use usher_files::Row;

use super::{
    fold::{self, fold},
    jobs::Import,
    lines::Lines,
    take::{Given, Known, Take},
    types::ignored,
    write::{Needs, by_key, keys, owners, states},
};
use crate::{
    areas::members::metadata::Metadata,
    error::Result,
    gate::Cx,
    imports::{self, ImportFormat, Lines as _, Look, NO_ADDRESS, PreviewColumn, Problem, look},
    values::{BundleId, Email, GroupId, Tag, Time},
};

/// Rows that are shown.
const SHOWN: usize = 20;

/// What would become of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename = "MemberImportVerdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It makes a member.
    Created,
    /// It changes a member that is there, or that a row before it makes.
    Updated,
    /// It says nothing new.
    Unchanged,
    /// It cannot be taken; `code` and `message` say why.
    Invalid,
}

/// A row, and what would become of it.
#[derive(Debug, Object)]
#[oai(rename = "MemberImportRow", rename_all = "camelCase")]
pub struct PreviewRow {
    /// The line of the file it begins in, from 1.
    line: u64,
    /// The file that the line is in, of a zip archive of several.
    file: Option<String>,
    /// The address, as it was written.
    email: Option<String>,
    /// What would become of it.
    verdict: Verdict,
    /// The name it gives.
    name: Option<String>,
    /// The note it gives.
    note: Option<String>,
    /// The tags it gives.
    #[oai(validator(max_items = 100))]
    tags: Vec<Tag>,
    /// The ids of the groups it names.
    #[oai(validator(max_items = 100))]
    groups: Vec<GroupId>,
    /// The bundle it names.
    bundle: Option<BundleId>,
    /// The external id it gives.
    external_id: Option<String>,
    /// The metadata it gives.
    metadata: Option<Metadata>,
    /// Whether it gives free access.
    free_access: bool,
    /// Until when, if that ends.
    #[oai(rename = "freeAccessExpiresAt")]
    free_access_until: Option<Time>,
    /// Why it cannot be taken, for programs.
    code: Option<String>,
    /// The same, for people.
    message: Option<String>,
}

/// How many rows would end how.
#[derive(Debug, Default, Object)]
#[oai(rename = "MemberImportCounts", rename_all = "camelCase")]
pub struct PreviewCounts {
    /// Rows of the file.
    total: u64,
    /// Whether each row was looked at. If not, the rows were counted, and the other counts are estimates from 10,000 rows that
    /// lie evenly in the file. (Of a file with more than 256 MiB of text, the total is an estimate too.)
    exact: bool,
    /// Rows that make a member.
    created: u64,
    /// Rows that change one.
    updated: u64,
    /// Rows that say nothing new.
    unchanged: u64,
    /// Rows that cannot be taken.
    invalid: u64,
    /// Members who get free access that they did not have, or for longer.
    free_access: u64,
    /// Members who get a bundle that they did not own, or for longer.
    #[oai(rename = "bundlesGranted")]
    bundle: u64,
}

/// What an import would do.
#[derive(Debug, Default, Object)]
#[oai(rename = "MemberImportPreview", rename_all = "camelCase")]
pub struct Preview {
    /// Why the file cannot be imported; then nothing else is here.
    problem: Option<Problem>,
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
    /// The columns, and what they are taken for.
    #[oai(validator(max_items = 1000))]
    columns: Vec<PreviewColumn>,
    /// The columns that are not used.
    #[oai(validator(max_items = 50))]
    ignored_columns: Vec<String>,
    /// The first 20 rows.
    #[oai(validator(max_items = 20))]
    rows: Vec<PreviewRow>,
    /// How many rows would end how.
    counts: Option<PreviewCounts>,
}

struct Seen {
    row: PreviewRow,
    taken: Option<(Email, Given)>,
}

/// Looks at a file of so many bytes, and at the members as they are.
pub(super) async fn preview(
    cx: &mut Cx,
    file: impl Read + Seek + Send + 'static,
    bytes: u64,
    job: &Import,
    known: Known,
) -> Result<Preview> {
    let zone = job.zone;
    let begin = move |mapping: &usher_files::Mapping| {
        let mut take = Take::new(known.clone(), zone);
        imports::Take::begin(&mut take, mapping);
        move |row: &Row<'_>| seen(row, &take)
    };
    let Look { mapping, summary, mut rows, total, is_whole } =
        match look(&cx.app.config.data, file, bytes, job.mapping.wanted()?, begin).await? {
            Ok(look) => look,
            Err(problem) => return Ok(Preview { problem: Some(problem), ..Preview::default() }),
        };
    let given = judge(cx, job, &mut rows).await?;
    let n_read = rows.len() as u64;
    let of_all = |n: u64| (n * total).checked_div(n_read).unwrap_or(0);
    let count = |verdict| of_all(rows.iter().filter(|seen| seen.row.verdict == verdict).count() as u64);
    let counts = PreviewCounts {
        total,
        exact: is_whole,
        created: count(Verdict::Created),
        updated: count(Verdict::Updated),
        unchanged: count(Verdict::Unchanged),
        invalid: count(Verdict::Invalid),
        free_access: of_all(given.free_access),
        bundle: of_all(given.bundle),
    };
    if counts.free_access + counts.bundle > 0 {
        let access = json!({ "exact": is_whole, "freeAccess": counts.free_access, "bundlesGranted": counts.bundle });
        cx.tx().note(Change::created("membersAccess", job.upload.as_str(), access));
    }
    Ok(Preview {
        problem: None,
        summary: Some(summary),
        format: Some(mapping.format.into()),
        encoding: Some(mapping.encoding.code().into()),
        compression: Some(mapping.compression.code().into()),
        header: Some(mapping.has_header),
        columns: PreviewColumn::all(&mapping),
        ignored_columns: ignored([&mapping]),
        rows: rows.into_iter().take(SHOWN).map(|seen| seen.row).collect(),
        counts: Some(counts),
    })
}

fn seen(row: &Row<'_>, take: &Take) -> Seen {
    let plain = |text: &str| text.replace('\0', "").trim().to_owned();
    let read = match row.email {
        Err(fault) => Err((fault.code(), fault.text().into())),
        Ok(text) => match Email::parse(text) {
            Err(_) => Err((NO_ADDRESS.0, NO_ADDRESS.1.into())),
            Ok(email) => take.read(row).map(|given| (email, given)),
        },
    };
    let (taken, fault) = match read {
        Ok(taken) => (Some(taken), None),
        Err(fault) => (None, Some(fault)),
    };
    let given = taken.as_ref().map(|(_, given)| given);
    let free = given.and_then(|given| given.free);
    let shown = PreviewRow {
        line: row.line,
        file: row.file.map(str::to_owned),
        email: row.email.ok().map(plain),
        // Of what can be read, the member as it is decides.
        verdict: Verdict::Invalid,
        name: given.and_then(|given| given.name.clone()),
        note: given.and_then(|given| given.note.clone()),
        tags: given.map_or(Vec::new(), |given| given.tags.clone()),
        groups: given.map_or(Vec::new(), |given| given.groups.clone()),
        bundle: given.and_then(|given| given.bundle.clone()),
        external_id: given.and_then(|given| given.external_id.clone()),
        metadata: given.map(|given| given.metadata.clone()).filter(|metadata| !metadata.is_empty()),
        free_access: free.is_some(),
        free_access_until: free.flatten().map(Time::from_micros),
        code: fault.as_ref().map(|(code, _)| (*code).into()),
        message: fault.map(|(_, text)| text.into_owned()),
    };
    Seen { row: shown, taken }
}

/// How many members rows give access.
#[derive(Default)]
struct Access {
    free_access: u64,
    bundle: u64,
}

/// Applies the rows to the members as they are, and writes nothing.
async fn judge(cx: &mut Cx, job: &Import, rows: &mut [Seen]) -> Result<Access> {
    let mut access = Access::default();
    let (site, rules, clock) = (cx.site(), job.rules(cx.now), cx.app.clock.clone());
    let mut lines = Lines::default();
    for (number, seen) in rows.iter().enumerate() {
        if let Some((email, given)) = &seen.taken {
            lines.push(number as u64, email, given);
        }
    }
    lines.sort();
    let all = 0..lines.len();
    let mut owners = owners(cx, site, &lines, all.clone()).await?;
    let mut found = states(cx, site, &keys(&lines, all.clone()), Needs::of(&lines, all.clone(), &rules)).await?;
    for group in by_key(&lines, all) {
        let mut state = found.remove(lines.key(group.start));
        let had = state.as_ref().and_then(|state| state.member.free_access);
        for line in group.map(|at| lines.get(at)) {
            let row = &mut rows[line.number as usize].row;
            let verdict = fold(&mut state, &line, &rules, &mut owners, || clock.id());
            row.verdict = match verdict {
                fold::Verdict::Created => Verdict::Created,
                fold::Verdict::Updated => Verdict::Updated,
                fold::Verdict::Unchanged => Verdict::Unchanged,
                _ => Verdict::Invalid,
            };
            row.code = verdict.refusal().map(|code| code.name().into());
            row.message = verdict.refusal().map(|code| super::jobs::refusal(code.name()).1.into());
        }
        if let Some(state) = &state {
            access.free_access += u64::from(state.member.free_access != had);
            access.bundle += u64::from(!state.new_bundles.is_empty());
        }
    }
    Ok(access)
}
