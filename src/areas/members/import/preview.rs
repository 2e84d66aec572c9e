//! What an import would do, found out by looking at the beginning of its file.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::{Read, Seek},
};

use poem_openapi::{Enum, Object};
use serde_json::json;
use usher_db::Change;
use usher_files::{Mapping, Row};

use super::{
    fold::{self, fold},
    jobs::Import,
    lines::Lines,
    mail::{MailColumns, Said},
    take::{Given, Known, Take},
    types::ignored,
    write::{Needs, by_key, keys, owners, states},
};
use crate::{
    areas::{
        blocklist::{self, Reason},
        members::metadata::Metadata,
    },
    error::Result,
    gate::Cx,
    imports::{self, ImportFormat, Lines as _, Look, PreviewColumn, Problem, look, no_address},
    values::{BundleId, Email, GroupId, Tag, Time},
};

/// Columns that are shown as not understood, and words of each.
const UNCLEAR_COLUMNS: usize = 50;
const UNCLEAR_VALUES: usize = 10;

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
    /// Its person was deleted where the file comes from; it is left out.
    Skipped,
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
    /// Why the address goes onto the block list, if the row says that its person wants no mail.
    block_reason: Option<Reason>,
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
    /// Rows of people who were deleted where the file comes from, which are left out; absent if none.
    skipped: Option<u64>,
    /// Rows that cannot be taken.
    invalid: u64,
    /// People who go onto the block list, as the file says that they want no mail, and are not there as strongly; absent
    /// if nobody.
    unsubscribed: Option<u64>,
    /// Rows that say something about mail that is not understood; it does nothing. See `unclearColumns`. Absent if
    /// none.
    unclear: Option<u64>,
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
    /// The columns that say something about mail in words that are not understood, or that may be about something else. If
    /// one says who wants no mail, name it as `mapping.mail` or `mapping.noMail`.
    #[oai(validator(max_items = 50))]
    unclear_columns: Vec<UnclearColumn>,
    /// The first 20 rows.
    #[oai(validator(max_items = 20))]
    rows: Vec<PreviewRow>,
    /// How many rows would end how.
    counts: Option<PreviewCounts>,
}

/// A column with words about mail that are not understood.
#[derive(Debug, Object)]
#[oai(rename = "UnclearColumn")]
pub struct UnclearColumn {
    /// Its name in the header.
    name: String,
    /// Such words, at most 10.
    #[oai(validator(max_items = 10))]
    values: Vec<String>,
}

struct Seen {
    row: PreviewRow,
    /// Of each column about mail, a cell that is not understood.
    unclear: Vec<(usize, String)>,
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
    let Look { mapping, summary, mut rows, total, is_whole, .. } =
        match look(&cx.app.config.data, file, bytes, job.mapping.wanted()?, begin).await? {
            Ok(look) => look,
            Err(problem) => return Ok(Preview { problem: Some(problem), ..Preview::default() }),
        };
    let mapping = MailColumns::of(&mapping).marked(&mapping);
    let given = judge(cx, job, &mut rows).await?;
    let n_read = rows.len() as u64;
    let of_all = |n: u64| (n * total).checked_div(n_read).unwrap_or(0);
    let count = |verdict| of_all(rows.iter().filter(|seen| seen.row.verdict == verdict).count() as u64);
    let some = |n: u64| Some(n).filter(|n| *n > 0);
    let counts = PreviewCounts {
        total,
        exact: is_whole,
        created: count(Verdict::Created),
        updated: count(Verdict::Updated),
        unchanged: count(Verdict::Unchanged),
        skipped: some(count(Verdict::Skipped)),
        invalid: count(Verdict::Invalid),
        free_access: of_all(given.free_access),
        bundle: of_all(given.bundle),
        unsubscribed: some(of_all(given.unsubscribed)),
        unclear: some(of_all(rows.iter().filter(|seen| seen.says(Said::Unclear)).count() as u64)),
    };
    if let Some(n) = counts.unsubscribed {
        let blocks = json!({ "exact": is_whole, "count": n });
        cx.tx().note(Change::created("blocks", job.upload.as_str(), blocks));
    }
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
        unclear_columns: unclear_columns(&mapping, &rows),
        rows: rows.into_iter().take(SHOWN).map(|seen| seen.row).collect(),
        counts: Some(counts),
    })
}

/// The columns that are not understood, with some of their words.
fn unclear_columns(mapping: &Mapping, rows: &[Seen]) -> Vec<UnclearColumn> {
    let mut values: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for (column, value) in rows.iter().flat_map(|seen| &seen.unclear) {
        values.entry(*column).or_default().insert(value);
    }
    let column = |(at, values): (usize, BTreeSet<&str>)| UnclearColumn {
        name: mapping.columns[at].name.clone(),
        values: values.into_iter().take(UNCLEAR_VALUES).map(str::to_owned).collect(),
    };
    values.into_iter().take(UNCLEAR_COLUMNS).map(column).collect()
}

impl Seen {
    fn says(&self, said: Said) -> bool {
        self.taken.as_ref().is_some_and(|(_, given)| given.mail == said)
    }
}

fn seen(row: &Row<'_>, take: &Take) -> Seen {
    let plain = |text: &str| text.replace('\0', "").trim().to_owned();
    let read = match row.email {
        Err(fault) => Err((fault.code(), fault.text().into())),
        Ok(text) => match Email::parse(text) {
            Err(fault) => Err(no_address(&fault)),
            Ok(email) => take.read(row).map(|given| (email, given)),
        },
    };
    let is_deleted = read.is_ok() && take.is_deleted(row);
    let (taken, fault) = match read {
        Ok(taken) => (Some(taken).filter(|_| !is_deleted), None),
        Err(fault) => (None, Some(fault)),
    };
    let given = taken.as_ref().map(|(_, given)| given);
    let free = given.and_then(|given| given.free);
    let shown = PreviewRow {
        line: row.line,
        file: row.file.map(str::to_owned),
        email: row.email.ok().map(plain),
        // Of what can be read, the member as it is decides.
        verdict: if is_deleted { Verdict::Skipped } else { Verdict::Invalid },
        name: given.and_then(|given| given.name.clone()),
        note: given.and_then(|given| given.note.clone()),
        tags: given.map_or(Vec::new(), |given| given.tags.clone()),
        groups: given.map_or(Vec::new(), |given| given.groups.clone()),
        bundle: given.and_then(|given| given.bundle.clone()),
        external_id: given.and_then(|given| given.external_id.clone()),
        metadata: given.map(|given| given.metadata.clone()).filter(|metadata| !metadata.is_empty()),
        free_access: free.is_some(),
        free_access_until: free.flatten().map(Time::from_micros),
        block_reason: given.and_then(|given| match given.mail {
            Said::Not(reason) => Some(reason),
            Said::Nothing | Said::Unclear => None,
        }),
        code: fault.as_ref().map(|(code, _)| (*code).into()),
        message: fault.map(|(_, text)| text.into_owned()),
    };
    let unclear = if taken.is_some() { take.unclear(row) } else { Vec::new() };
    Seen { row: shown, unclear, taken }
}

/// How many members rows give access or stop mail to.
#[derive(Default)]
struct Access {
    unsubscribed: u64,
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
    access.unsubscribed = unsubscribed(cx, rows).await?;
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

/// How many people go onto the block list who are not there as strongly.
async fn unsubscribed(cx: &mut Cx, rows: &[Seen]) -> Result<u64> {
    let mut said: HashMap<&str, Reason> = HashMap::new();
    for (email, given) in rows.iter().filter_map(|seen| seen.taken.as_ref()) {
        if let Said::Not(reason) = given.mail {
            let known = said.entry(email.key()).or_insert(reason);
            *known = reason.max(*known);
        }
    }
    let keys: Vec<_> = said.keys().map(|key| (*key).to_owned()).collect();
    let site = cx.site();
    let there = blocklist::find(cx, site, &keys).await?;
    let is_new = |(key, reason): &(&&str, &Reason)| there.get(**key).is_none_or(|entry| entry.reason < **reason);
    Ok(said.iter().filter(is_new).count() as u64)
}
