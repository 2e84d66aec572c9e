use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
};

use serde_json::json;
use usher_db::Change;

use super::{
    Import, Reason, hidden, preview,
    rows::NewRow,
    store::{self, Said},
    tools::{AddResult, Added, CheckResult, ImportAccepted, Removed},
    types::{Entry, ImportMapping},
};
use crate::{
    areas::{jobs::JobView, uploads},
    error::{Code, Error, Result},
    gate::Cx,
    imports::UPLOAD_GONE,
    values::{BlockId, Email, UploadId},
};

/// Changes of one call that are noted one by one; more are noted as one.
const NOTED: usize = 200;

/// What is said of a text that is no address.
const NO_ADDRESS: &str = "not an email address";

/// Says of each address whether it is blocked, in the order asked.
pub(super) async fn check(cx: &mut Cx, emails: Vec<String>) -> Result<Vec<CheckResult>> {
    let keys = keys_of(&emails);
    let site = cx.site();
    let found = hidden::find(cx, site, &keys.iter().flatten().cloned().collect::<Vec<_>>()).await?;
    let one = |(email, key): (String, Option<String>)| {
        let entry = key.as_ref().and_then(|key| found.get(key));
        CheckResult {
            email,
            blocked: entry.is_some(),
            id: entry.map(|entry| entry.id.clone()),
            reason: entry.map(|entry| entry.reason),
            source: entry.map(|entry| entry.source.clone()),
            first_seen: entry.map(|entry| entry.first_seen),
            error: key.is_none().then(|| NO_ADDRESS.into()),
        }
    };
    Ok(emails.into_iter().zip(keys).map(one).collect())
}

/// Blocks addresses for one reason. The strongest reason wins.
pub(super) async fn add(cx: &mut Cx, emails: Vec<String>, reason: Reason, note: Option<String>) -> Result<Added> {
    let note = note.map(|note| plain(&note)).filter(|note| !note.is_empty());
    let (site, now, clock) = (cx.site(), cx.now, cx.app.clock.clone());
    let parsed: Vec<_> = emails.iter().map(|email| Email::parse(email).ok()).collect();
    // One row for each address, in the order of the index.
    let mut wanted: BTreeMap<&str, (&Email, BlockId)> = BTreeMap::new();
    for email in parsed.iter().flatten() {
        wanted.entry(email.key()).or_insert_with(|| (email, clock.id()));
    }
    let rows: Vec<_> = wanted.iter().map(|(key, (email, id))| row(key, email, id, reason)).collect();
    let said = Said { source: "api", note: note.as_deref(), now, import: None };
    let mut added: HashSet<_> = HashSet::new();
    let before = loop {
        added.extend(store::add_and_name(cx.tx().conn(), site, &rows, said).await?);
        let there = wanted.keys().filter(|key| !added.contains(**key)).map(|key| (*key).to_owned()).collect();
        let before = store::hold(cx.tx().conn(), site, there).await?;
        // What an undo has taken away in between is added.
        if added.len() + before.len() == wanted.len() {
            break before;
        }
    };
    let weaker: HashMap<_, _> =
        before.iter().filter(|entry| entry.reason < reason).map(|entry| (entry.key.as_str(), entry)).collect();
    let (weak, mut rest): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| weaker.contains_key(row.key));
    if !weak.is_empty() {
        store::strengthen(cx.tx().conn(), site, &weak, said).await?;
    }
    rest.retain(|row| !added.contains(row.key));
    if !rest.is_empty() {
        store::claim(cx.tx().conn(), site, &rest, said).await?;
    }

    let stands: HashMap<_, _> = before.iter().map(|entry| (entry.key.as_str(), entry.reason.max(reason))).collect();
    let after = |email: &str, note: Option<&String>| {
        let mut value = json!({ "email": email, "reason": reason, "source": "api" });
        if let Some(note) = note {
            value["note"] = json!(note);
        }
        value
    };
    let mut changes = Vec::new();
    for (key, (email, id)) in &wanted {
        if added.contains(*key) {
            changes.push(Change::created("block", id.as_str(), after(email.as_str(), note.as_ref())));
        } else if let Some(entry) = weaker.get(key) {
            let after = after(&entry.email, note.as_ref().or(entry.note.as_ref()));
            changes.push(Change::updated("block", entry.id.as_str(), entry.change(), after));
        }
    }
    note_changes(cx, changes);

    let mut seen: HashSet<String> = HashSet::new();
    let result = |(email, address): (&String, &Option<Email>)| {
        let key = address.as_ref().map(Email::key);
        // Of an address that is named twice, only the first changes anything.
        let changed =
            key.is_some_and(|key| (added.contains(key) || weaker.contains_key(key)) && seen.insert(key.to_owned()));
        AddResult {
            email: email.clone(),
            blocked: key.is_some(),
            changed,
            reason: key.map(|key| stands.get(key).copied().unwrap_or(reason)),
            error: key.is_none().then(|| NO_ADDRESS.into()),
        }
    };
    let results: Vec<_> = emails.iter().zip(&parsed).map(result).collect();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let invalid = parsed.iter().filter(|email| email.is_none()).count();
    Ok(Added {
        added: count(added.len()),
        strengthened: count(weaker.len()),
        already: count(results.len() - invalid - added.len() - weaker.len()),
        invalid: count(invalid),
        results,
    })
}

/// Takes addresses off the list, whatever their reason.
pub(super) async fn remove(cx: &mut Cx, emails: Vec<String>) -> Result<Removed> {
    let keys = keys_of(&emails);
    let site = cx.site();
    let known: Vec<_> = keys.iter().flatten().cloned().collect();
    let hashed = hidden::hashes(cx, site, &known).await?;
    let both = known.into_iter().chain(hashed.keys().cloned()).collect();
    let gone = store::remove(cx.tx().conn(), site, both).await?;
    store::forget_claims(cx.tx().conn(), site, gone.iter().map(|entry| entry.key.clone()).collect()).await?;
    let changes = gone.iter().map(|entry| Change::deleted("block", entry.id.as_str(), entry.change())).collect();
    note_changes(cx, changes);
    let gone: HashSet<_> = gone.into_iter().map(|entry| hashed.get(&entry.key).cloned().unwrap_or(entry.key)).collect();
    let missing = |key: &Option<String>| key.as_ref().is_none_or(|key| !gone.contains(key));
    Ok(Removed {
        removed: u32::try_from(gone.len()).unwrap_or(u32::MAX),
        not_found: emails.into_iter().zip(&keys).filter(|(_, key)| missing(key)).map(|(email, _)| email).collect(),
    })
}

/// Where an import's rows come from, as the call says it.
pub(super) struct Rest {
    pub(super) reason: Reason,
    pub(super) source: Option<String>,
    pub(super) note: Option<String>,
    pub(super) mapping: ImportMapping,
}

/// Accepts an import of an upload, or of a list in the call, which becomes one. In a dry run it says what would happen.
pub(super) async fn import(
    cx: &mut Cx,
    upload: Option<UploadId>,
    emails: Option<Vec<String>>,
    rest: Rest,
) -> Result<ImportAccepted> {
    let (app, site, now, key) = (cx.app.clone(), cx.site(), cx.now, cx.caller.key.id.clone());
    let (list, dry_run) = (emails.as_deref().map(list_of), cx.dry_run);
    let upload = match (upload, &list) {
        (Some(upload), None) => upload,
        (None, Some(list)) => uploads::actions::keep_text(&app, cx.tx(), site, &key, list.clone(), dry_run).await?.id,
        _ => {
            return Err(Error::new(
                Code::ImportSourceMissing,
                "Pass one of upload (from POST /api/v1/uploads) and emails (at most 5,000 addresses), and not both.",
            ));
        }
    };
    uploads::actions::reserve(cx.tx(), site, &upload, now).await?;
    let text = |text: Option<String>| text.map(|text| plain(&text)).filter(|text| !text.is_empty());
    let Rest { reason, source, note, mapping } = rest;
    mapping.wanted()?;
    let job = Import { upload, reason, source: text(source), note: text(note), mapping };
    let preview = match (dry_run, list) {
        (false, _) => None,
        (true, Some(list)) => {
            let bytes = list.len() as u64;
            Some(preview::preview(cx, std::io::Cursor::new(list), bytes, job.clone()).await?)
        }
        (true, None) => {
            let path = uploads::path(&app.config, site, &job.upload);
            let file = tokio::fs::File::open(path).await.map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => Error::new(Code::UploadNotFound, UPLOAD_GONE),
                _ => error.into(),
            })?;
            let bytes = file.metadata().await?.len();
            Some(preview::preview(cx, file.into_std().await, bytes, job.clone()).await?)
        }
    };
    Ok(ImportAccepted { job: JobView::from_row(cx.enqueue(&job).await?)?, preview })
}

/// Addresses as a file: a header, so that nothing has to be guessed, then one cell a line, quoted, so that what is no
/// address stays one row and is reported as it came.
fn list_of(emails: &[String]) -> String {
    let mut list = String::from("email\n");
    for email in emails {
        let cell = email.replace(['\r', '\n'], " ").replace('"', "\"\"");
        list.extend(["\"", &cell, "\"\n"]);
    }
    list
}

fn row<'a>(key: &'a str, email: &'a Email, id: &BlockId, reason: Reason) -> NewRow<'a> {
    NewRow {
        key,
        id: id.clone(),
        email: Some(email.as_str()).filter(|text| *text != key),
        strength: reason.strength(),
        source: None,
        note: None,
        vendor_code: None,
        first_seen: None,
    }
}

fn note_changes(cx: &mut Cx, changes: Vec<Change>) {
    let more = changes.len().saturating_sub(NOTED);
    changes.into_iter().take(NOTED).for_each(|change| cx.tx().note(change));
    if more > 0 {
        let summary = json!({ "count": more });
        cx.tx().note(Change { kind: "blocks", id: format!("{more} more"), before: None, after: Some(summary) });
    }
}

fn keys_of(emails: &[String]) -> Vec<Option<String>> {
    emails.iter().map(|email| Email::parse(email).ok().map(|email| email.key().to_owned())).collect()
}

/// A text without what no database text may hold, and without outer space.
pub(super) fn plain(text: &str) -> String {
    text.replace('\0', "").trim().to_owned()
}

/// A page of entries.
pub(super) async fn list(cx: &mut Cx, filter: &store::Filter, before: &str, limit: u32) -> Result<Vec<Entry>> {
    let site = cx.site();
    Ok(store::list(cx.conn(), site, filter, before, limit).await?)
}
