use std::{collections::HashSet, io};

use usher_db::Change;

use super::{
    Import, Reason,
    add::{self, Became, Word},
    hidden, preview, store,
    tools::{AddResult, Added, CheckResult, ImportAccepted, Removed},
    types::{Entry, ImportMapping},
};
use crate::{
    areas::{jobs::JobView, uploads},
    error::{Code, Error, Result},
    gate::Cx,
    imports::UPLOAD_GONE,
    values::{Email, InvalidEmail, UploadId, email_key},
};

/// Says of each address whether it is blocked, in the order asked.
pub(super) async fn check(cx: &mut Cx, emails: Vec<String>) -> Result<Vec<CheckResult>> {
    let parsed: Vec<_> = emails.iter().map(|email| Email::parse(email)).collect();
    let site = cx.site();
    let keys: Vec<_> = parsed.iter().flatten().map(|email| email.key().to_owned()).collect();
    let found = hidden::find(cx, site, &keys).await?;
    let one = |(email, parsed): (String, Result<Email, InvalidEmail>)| {
        let entry = parsed.as_ref().ok().and_then(|email| found.get(email.key()));
        CheckResult {
            email,
            blocked: entry.is_some(),
            id: entry.map(|entry| entry.id.clone()),
            reason: entry.map(|entry| entry.reason),
            source: entry.map(|entry| entry.source.clone()),
            first_seen: entry.map(|entry| entry.first_seen),
            error: parsed.err().map(|fault| fault.to_string()),
        }
    };
    Ok(emails.into_iter().zip(parsed).map(one).collect())
}

/// Blocks addresses for one reason. The strongest reason wins.
pub(super) async fn add(cx: &mut Cx, emails: Vec<String>, reason: Reason, note: Option<String>) -> Result<Added> {
    let note = note.map(|note| plain(&note)).filter(|note| !note.is_empty());
    let (site, now, clock) = (cx.site(), cx.now, cx.app.clock.clone());
    let parsed: Vec<_> = emails.iter().map(|email| Email::parse(email)).collect();
    let word =
        |email| Word { email, reason, source: "api", note: note.as_deref(), vendor_code: None, first_seen: None };
    let words: Vec<_> = parsed.iter().flatten().map(word).collect();
    let became = add::write(cx.tx(), &clock, site, now, &words).await?;
    add::note(cx.tx(), became.values().filter_map(|became| became.change().cloned()).collect());
    let count = |is: fn(&Became) -> bool| became.values().filter(|became| is(became)).count();
    let (added, strengthened) =
        (count(|became| matches!(became, Became::Added(_))), count(|became| matches!(became, Became::Strengthened(_))));

    let mut seen: HashSet<String> = HashSet::new();
    let result = |(email, address): (&String, &Result<Email, InvalidEmail>)| {
        let key = address.as_ref().ok().map(Email::key);
        let became = key.and_then(|key| became.get(key));
        // Of an address that is named twice, only the first changes anything.
        let changed = became.is_some_and(|became| became.change().is_some())
            && key.is_some_and(|key| seen.insert(key.to_owned()));
        AddResult {
            email: email.clone(),
            blocked: key.is_some(),
            changed,
            reason: became.map(|became| if let Became::Already(stands) = became { *stands } else { reason }),
            error: address.as_ref().err().map(ToString::to_string),
        }
    };
    let results: Vec<_> = emails.iter().zip(&parsed).map(result).collect();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let invalid = parsed.iter().filter(|email| email.is_err()).count();
    Ok(Added {
        added: count(added),
        strengthened: count(strengthened),
        already: count(results.len() - invalid - added - strengthened),
        invalid: count(invalid),
        results,
    })
}

/// Takes addresses off the list, whatever their reason.
pub(super) async fn remove(cx: &mut Cx, emails: Vec<String>) -> Result<Removed> {
    // Not only what is an address: other rules may have let an entry in.
    let keys: Vec<_> = emails.iter().map(|email| email_key(&email.replace('\0', ""))).collect();
    let site = cx.site();
    let hashed = hidden::hashes(cx, site, &keys).await?;
    let both = keys.iter().cloned().chain(hashed.keys().cloned()).collect();
    let gone = store::remove(cx.tx().conn(), site, both).await?;
    store::forget_claims(cx.tx().conn(), site, gone.iter().map(|entry| entry.key.clone()).collect()).await?;
    let changes = gone.iter().map(|entry| Change::deleted("block", entry.id.as_str(), entry.change())).collect();
    add::note(cx.tx(), changes);
    let gone: HashSet<_> = gone.into_iter().map(|entry| hashed.get(&entry.key).cloned().unwrap_or(entry.key)).collect();
    let missing = |key: &String| !gone.contains(key);
    Ok(Removed {
        removed: u32::try_from(gone.len()).unwrap_or(u32::MAX),
        not_found: emails.into_iter().zip(&keys).filter(|(_, key)| missing(key)).map(|(email, _)| email).collect(),
    })
}

/// Where an import's rows come from, as the call says it.
pub(super) struct Rest {
    pub(super) reason: Option<Reason>,
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
    let job = Import { upload, reason, source: text(source), note: text(note), mapping, zone: cx.zone() };
    job.wanted()?;
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

/// A text without what no database text may hold, and without outer space.
pub(super) fn plain(text: &str) -> String {
    text.replace('\0', "").trim().to_owned()
}

/// A page of entries.
pub(super) async fn list(cx: &mut Cx, filter: &store::Filter, before: &str, limit: u32) -> Result<Vec<Entry>> {
    let site = cx.site();
    Ok(store::list(cx.conn(), site, filter, before, limit).await?)
}
