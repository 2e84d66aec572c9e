//! Takes a person out of what the installation has written down: the activity log, kept answers, ended jobs.
//!
//! It is read without a transaction, in parts, and what has to change is read again and written in short ones. While that
//! goes on, more is written; so it is read once more from where it was begun, and what is then still left is so little
//! that the last transaction reads it.

use std::time::Duration;

use usher_db::{Engine, Tx, Value};
use usher_jobs::{Fail, Run, Texts};

use super::{At, Person};
use crate::{
    app::App,
    areas::{
        activity::mentions::{self, Mention},
        members::export_data,
    },
    gate::idempotency::{self, Kept},
    pace::Pace,
    values::{SiteId, Time},
};

/// Rows of the log that are looked at in one statement.
const PAGE: u32 = 5000;

/// Answers and jobs that are read at once, if a person may stand in them.
const SOME: u32 = 200;

/// How long after its time a row may be committed: PostgreSQL's transactions wait for each other.
const LATE: Duration = Duration::from_secs(60);

/// The same on SQLite, where they come one after the other.
const LITTLE_LATE: Duration = Duration::from_secs(5);

/// A job that takes a person out.
pub struct Work<'a> {
    /// The program.
    pub app: &'a App,
    /// The job's attempt.
    pub run: &'a Run,
    /// The member's site.
    pub site: SiteId,
    /// Who goes.
    pub person: &'a Person,
}

/// From where on the last transaction looks.
pub struct Tail {
    place: String,
    since: Time,
}

/// Rewrites all that is there.
pub async fn rewrite(work: &Work<'_>, at: &mut At) -> Result<Tail, Fail> {
    let (db, clock) = (&work.app.db, &work.app.clock);
    let late = if db.engine() == Engine::Sqlite { LITTLE_LATE } else { LATE };
    let mut since = Time::from_micros(0);
    let mut place = String::new();
    // The second time for what came in during the first.
    for _ in 0..2 {
        let began = clock.now();
        for pattern in work.person.patterns() {
            answers(work, at, &pattern, since).await?;
            jobs(work, at, &pattern, since).await?;
        }
        since = began - late;
        let began = clock.now();
        log(work, at).await?;
        place = mentions::place_before(&at.log, db.engine(), began - late);
    }
    Ok(Tail { place, since })
}

/// Rewrites what has come since, in the transaction that ends it.
pub async fn rewrite_tail(work: &Work<'_>, tx: &mut Tx, at: &mut At, tail: &Tail) -> Result<(), Fail> {
    let Work { site, person, .. } = *work;
    let last = mentions::last_place(tx.conn(), site).await?;
    let place = if mentions::is_beyond(&tail.place, &last, tx.engine()) { "" } else { &tail.place };
    let between = (place, last.as_str());
    for pattern in person.patterns() {
        let found = mentions::mentions(tx.conn(), site, person.id(), &pattern, between).await?;
        at.count("activity", rewrite_rows(tx, site, person, &found.iter().collect::<Vec<_>>()).await?);
        answers_of_tail(work, tx, at, &pattern, tail.since).await?;
        jobs_of_tail(work, tx, at, &pattern, tail.since).await?;
    }
    Ok(())
}

async fn answers_of_tail(work: &Work<'_>, tx: &mut Tx, at: &mut At, pattern: &str, since: Time) -> Result<(), Fail> {
    let Work { site, person, .. } = *work;
    let mut after = (String::new(), String::new());
    loop {
        let wanted = (person.id(), pattern);
        let kept = idempotency::mentions(tx.conn(), site, wanted, since, &after, SOME).await?;
        let Some(last) = kept.last() else { return Ok(()) };
        after = last.place.clone();
        for kept in kept {
            at.count("answers", rewrite_answer(tx, site, person, &kept.place).await?);
        }
    }
}

async fn jobs_of_tail(work: &Work<'_>, tx: &mut Tx, at: &mut At, pattern: &str, since: Time) -> Result<(), Fail> {
    let Work { app, site, person, .. } = *work;
    let id = format!("%{}%", person.id());
    let mut after = String::new();
    loop {
        let since = since.micros();
        let found = app.jobs.mentions(tx.conn(), site.number(), (&id, pattern), since, &after, SOME).await?;
        let Some(last) = found.last() else { return Ok(()) };
        after.clone_from(&last.id);
        for texts in found {
            at.count("jobs", rewrite_job(app, tx, site, person, &texts.id).await?);
        }
    }
}

/// Rewrites the log from where an earlier attempt got to.
async fn log(work: &Work<'_>, at: &mut At) -> Result<(), Fail> {
    let Work { app, run, site, person } = *work;
    let mut pace = Pace::new(&app.db);
    loop {
        let next = mentions::place_after(app.db.read(), site, &at.log, PAGE).await?;
        let is_last = next.is_none();
        let until = match next {
            Some(place) => place,
            None => mentions::last_place(app.db.read(), site).await?,
        };
        if mentions::is_beyond(&at.log, &until, app.db.engine()) {
            at.log.clear();
            continue;
        }
        let between = (at.log.as_str(), until.as_str());
        let mut found = Vec::new();
        for pattern in person.patterns() {
            found.extend(mentions::mentions(app.db.read(), site, person.id(), &pattern, between).await?);
        }
        let changed: Vec<_> = found.iter().filter(|row| without(person, row).is_some()).collect();
        let mut rest = &changed[..];
        while !rest.is_empty() {
            let (some, others) = rest.split_at(rest.len().min(pace.rows(&app.db, app.clock.now())));
            rest = others;
            let mut tx = begin(work).await?;
            at.count("activity", rewrite_rows(&mut tx, site, person, some).await?);
            run.checkpoint(&mut tx, at, &at.progress()).await?;
            tx.commit().await?;
        }
        at.log = until;
        if is_last {
            return Ok(());
        }
    }
}

/// Rewrites kept answers to calls since a time.
async fn answers(work: &Work<'_>, at: &mut At, pattern: &str, since: Time) -> Result<(), Fail> {
    let Work { app, run, site, person } = *work;
    let mut after = (String::new(), String::new());
    loop {
        let wanted = (person.id(), pattern);
        let found = idempotency::mentions(app.db.read(), site, wanted, since, &after, SOME).await?;
        let Some(last) = found.last() else { return Ok(()) };
        after = last.place.clone();
        let changed = found.into_iter().filter(|kept| person.out_of_json(&kept.answer).is_some());
        for some in chunks(app, changed) {
            let mut tx = begin(work).await?;
            for Kept { place, .. } in some {
                at.count("answers", rewrite_answer(&mut tx, site, person, &place).await?);
            }
            run.checkpoint(&mut tx, at, &at.progress()).await?;
            tx.commit().await?;
        }
    }
}

/// Rewrites jobs that ended since a time.
async fn jobs(work: &Work<'_>, at: &mut At, pattern: &str, since: Time) -> Result<(), Fail> {
    let Work { app, run, site, person } = *work;
    let id = format!("%{}%", person.id());
    let mut after = String::new();
    loop {
        let wanted = (id.as_str(), pattern);
        let found = app.jobs.mentions(app.db.read(), site.number(), wanted, since.micros(), &after, SOME).await?;
        let Some(last) = found.last() else { return Ok(()) };
        after.clone_from(&last.id);
        let changed = found.into_iter().filter(|texts| job_without(person, texts).is_some());
        for some in chunks(app, changed) {
            let mut tx = begin(work).await?;
            for texts in some {
                at.count("jobs", rewrite_job(app, &mut tx, site, person, &texts.id).await?);
            }
            run.checkpoint(&mut tx, at, &at.progress()).await?;
            tx.commit().await?;
        }
    }
}

async fn begin(work: &Work<'_>) -> Result<Tx, Fail> {
    if work.run.stopping() {
        return Err(Fail::Stopping);
    }
    Ok(work.app.db.begin().await?)
}

/// What is written in one transaction each.
fn chunks<T>(app: &App, items: impl Iterator<Item = T>) -> Vec<Vec<T>> {
    let n = Pace::new(&app.db).rows(&app.db, app.clock.now());
    let mut chunks: Vec<Vec<T>> = Vec::new();
    for item in items {
        match chunks.last_mut().filter(|chunk| chunk.len() < n) {
            Some(chunk) => chunk.push(item),
            None => chunks.push(vec![item]),
        }
    }
    chunks
}

async fn rewrite_rows(tx: &mut Tx, site: SiteId, person: &Person, rows: &[&Mention]) -> Result<u64, Fail> {
    let ids: Value = rows.iter().map(|row| row.id.to_string()).collect();
    let mut n = 0;
    for row in mentions::hold(tx.conn(), site, ids).await? {
        if let Some(row) = without(person, &row) {
            n += mentions::rewrite(tx.conn(), site, &row).await?;
        }
    }
    Ok(n)
}

/// A row of the log without the person; `None` if it stays.
fn without(person: &Person, row: &Mention) -> Option<Mention> {
    let is_own = row.member.as_deref() == Some(person.id().as_str());
    let names_by_itself = is_own && (row.tool.starts_with("members.") || row.tool.starts_with("comments."));
    let tool = person.out_of_text(&row.tool);
    let args = row.args.as_ref().and_then(|args| match names_by_itself {
        true => person.out_of_own_args(args),
        false => person.out_of_json(args),
    });
    let changes = row.changes.as_ref().and_then(|changes| person.out_of_json(changes));
    let error = row.error.as_ref().and_then(|error| person.out_of_text(error));
    (tool.is_some() || args.is_some() || changes.is_some() || error.is_some()).then(|| Mention {
        id: row.id.clone(),
        member: row.member.clone(),
        tool: tool.unwrap_or_else(|| row.tool.clone()),
        args: args.or_else(|| row.args.clone()),
        changes: changes.or_else(|| row.changes.clone()),
        error: error.or_else(|| row.error.clone()),
    })
}

async fn rewrite_answer(tx: &mut Tx, site: SiteId, person: &Person, place: &(String, String)) -> Result<u64, Fail> {
    let Some(kept) = idempotency::hold_kept(tx.conn(), site, place).await? else { return Ok(0) };
    let Some(answer) = person.out_of_json(&kept.answer) else { return Ok(0) };
    Ok(idempotency::rewrite(tx.conn(), site, &Kept { answer, ..kept }).await?)
}

async fn rewrite_job(app: &App, tx: &mut Tx, site: SiteId, person: &Person, id: &str) -> Result<u64, Fail> {
    let Some(texts) = app.jobs.hold_texts(tx.conn(), site.number(), id).await? else { return Ok(0) };
    export_data::remove_file(&app.config, site, id, &texts.payload, person.id()).await.map_err(|error| {
        Fail::retry("unavailable", "A file about the member cannot be removed. Usher will try again.").because(error)
    })?;
    let Some(texts) = job_without(person, &texts) else { return Ok(0) };
    Ok(app.jobs.rewrite(tx.conn(), site.number(), &texts).await?)
}

/// A job without the person; `None` if it stays.
fn job_without(person: &Person, texts: &Texts) -> Option<Texts> {
    let json = |text: &Option<String>| text.as_ref().and_then(|text| person.out_of_json(text));
    let (payload, checkpoint) = (person.out_of_json(&texts.payload), json(&texts.checkpoint));
    let (result, error) = (json(&texts.result), texts.error.as_ref().and_then(|text| person.out_of_text(text)));
    let has_changed = payload.is_some() || checkpoint.is_some() || result.is_some() || error.is_some();
    has_changed.then(|| Texts {
        id: texts.id.clone(),
        payload: payload.unwrap_or_else(|| texts.payload.clone()),
        checkpoint: checkpoint.or_else(|| texts.checkpoint.clone()),
        result: result.or_else(|| texts.result.clone()),
        error: error.or_else(|| texts.error.clone()),
    })
}

/// What only mentions a person among others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mentioned {
    /// Rows of the activity log that are about somebody or something else.
    Activity,
    /// Answers that are kept for an Idempotency-Key.
    Answers,
    /// Jobs that have ended.
    Jobs,
}

impl Mentioned {
    /// As it is called in a file about the person.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activity => "mentionedInActivity",
            Self::Answers => "mentionedInAnswers",
            Self::Jobs => "mentionedInJobs",
        }
    }

    /// Some of them, by what they are found by, and where the next begin.
    pub async fn page(
        self,
        app: &App,
        site: SiteId,
        person: &Person,
        after: Option<&str>,
    ) -> Result<(Vec<serde_json::Value>, Option<String>), Fail> {
        match self {
            Self::Activity => activity_page(app, site, person, after.unwrap_or_default()).await,
            Self::Answers => answers_of(app, site, person).await.map(|all| (all, None)),
            Self::Jobs => jobs_of(app, site, person).await.map(|all| (all, None)),
        }
    }
}

async fn activity_page(
    app: &App,
    site: SiteId,
    person: &Person,
    after: &str,
) -> Result<(Vec<serde_json::Value>, Option<String>), Fail> {
    let next = mentions::place_after(app.db.read(), site, after, PAGE).await?;
    let until = match &next {
        Some(place) => place.clone(),
        None => mentions::last_place(app.db.read(), site).await?,
    };
    let mut found = std::collections::BTreeMap::new();
    for pattern in person.patterns() {
        for row in mentions::mentions(app.db.read(), site, person.id(), &pattern, (after, &until)).await? {
            let is_own = row.member.as_deref() == Some(person.id().as_str());
            if !is_own && (without(person, &row).is_some() || names_id(person, &row)) {
                found.insert(row.id.to_string(), serde_json::json!({ "entry": row.id, "tool": row.tool }));
            }
        }
    }
    Ok((found.into_values().collect(), next))
}

/// Whether the member's id stands in a row.
fn names_id(person: &Person, row: &Mention) -> bool {
    let texts = [row.args.as_deref(), row.changes.as_deref(), row.error.as_deref()];
    texts.into_iter().flatten().any(|text| text.contains(person.id().as_str()))
}

async fn answers_of(app: &App, site: SiteId, person: &Person) -> Result<Vec<serde_json::Value>, Fail> {
    let mut all = std::collections::BTreeMap::new();
    for pattern in person.patterns() {
        let mut after = (String::new(), String::new());
        loop {
            let wanted = (person.id(), pattern.as_str());
            let since = Time::from_micros(0);
            let found = idempotency::mentions(app.db.read(), site, wanted, since, &after, SOME).await?;
            let Some(last) = found.last() else { break };
            after = last.place.clone();
            for kept in found {
                if person.out_of_json(&kept.answer).is_some() || kept.answer.contains(person.id().as_str()) {
                    let (key, name) = kept.place.clone();
                    all.insert(kept.place, serde_json::json!({ "key": key, "idempotencyKey": name }));
                }
            }
        }
    }
    Ok(all.into_values().collect())
}

async fn jobs_of(app: &App, site: SiteId, person: &Person) -> Result<Vec<serde_json::Value>, Fail> {
    let id = format!("%{}%", person.id());
    let mut all = std::collections::BTreeSet::new();
    for pattern in person.patterns() {
        let mut after = String::new();
        loop {
            let wanted = (id.as_str(), pattern.as_str());
            let found = app.jobs.mentions(app.db.read(), site.number(), wanted, 0, &after, SOME).await?;
            let Some(last) = found.last() else { break };
            after.clone_from(&last.id);
            let names = |texts: &Texts| {
                let own = person.id().as_str();
                let all = [Some(texts.payload.as_str()), texts.result.as_deref(), texts.error.as_deref()];
                job_without(person, texts).is_some() || all.into_iter().flatten().any(|text| text.contains(own))
            };
            all.extend(found.into_iter().filter(names).map(|texts| texts.id));
        }
    }
    Ok(all.into_iter().map(|id| serde_json::json!({ "job": id })).collect())
}
