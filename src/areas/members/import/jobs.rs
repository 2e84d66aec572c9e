use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use usher_files::Mapping;
use usher_jobs::{Fail, Job, Queue, Run};

use super::{
    Preview,
    fold::Rules,
    mail::MailColumns,
    preview::preview,
    take::{Known, TOO_MANY_TAGS, Take},
    types::{Counts, FreeAccess, MemberMapping, ignored},
    write::Asks,
};
use crate::{
    app::App,
    areas::{jobs::JobView, members::store, uploads},
    error::{Code, Error, Result},
    gate::Cx,
    imports::{self, At, Halt, MAX_ERROR_BYTES, Place, Speed, unavailable},
    values::{BundleId, GroupId, JobId, SiteId, Tag, Time, UploadId, Zone},
};

/// Rows of a file.
const MAX_ROWS: u64 = 1_000_000;

/// What is wrong with a row that was refused only when it was to be written, by the code that is kept of it.
pub(super) fn refusal(code: &str) -> (&'static str, &'static str) {
    const DELETING: &str = "The member is being deleted. Import the row again once that is done.";
    const TAKEN: &str = "Another member has this external id. Correct it, or remove it from the row.";
    const TOO_MUCH: &str = "With this metadata the member would have more than 50 keys. Remove some.";
    let texts = [(Code::MemberDeleting, DELETING), (Code::ExternalIdTaken, TAKEN), (Code::TooMuchMetadata, TOO_MUCH)];
    let known = texts.into_iter().find(|(known, _)| known.name() == code);
    known.map_or(TOO_MANY_TAGS, |(code, text)| (code.name(), text))
}

/// Refused rows that are read at once.
const PAGE: u32 = 10_000;

/// What an import is to do, as the call says it.
pub(crate) struct Wish {
    pub(crate) upload: UploadId,
    pub(crate) mapping: MemberMapping,
    pub(crate) tags: Vec<Tag>,
    pub(crate) groups: Vec<GroupId>,
    pub(crate) free_access: Option<FreeAccess>,
    pub(crate) bundle: Option<BundleId>,
    pub(crate) update: bool,
}

/// Imports an upload as members of the job's site.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Import {
    /// The file.
    pub upload: UploadId,
    /// What the call knows of the file.
    #[serde(default)]
    pub mapping: MemberMapping,
    /// Tags for every member.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Groups for every member.
    #[serde(default)]
    pub groups: Vec<GroupId>,
    /// A bundle for every member.
    pub bundle: Option<BundleId>,
    /// Free access for every member: its end in microseconds, `i64::MAX` for never.
    pub free_until: Option<i64>,
    /// Whether members that are there are changed.
    pub update: bool,
    /// In which zone a date is a day.
    #[serde(default)]
    pub zone: Zone,
}

impl Import {
    /// Free access without an end.
    const NEVER: i64 = i64::MAX;

    pub(super) fn rules(&self, now: Time) -> Rules {
        Rules {
            tags: self.tags.iter().map(|tag| Tag::stored(tag)).collect(),
            groups: self.groups.iter().map(|group| group.to_string()).collect(),
            bundle: self.bundle.as_ref().map(|bundle| bundle.to_string()),
            free: self.free_until.map(|until| Some(until).filter(|until| *until != Self::NEVER)),
            update: self.update,
            now,
        }
    }
}

impl Job for Import {
    const KIND: &'static str = "members.import";
    const QUEUE: Queue = Queue::Bulk;
    /// A crash counts as an attempt, and each goes on where the last one stopped.
    const MAX_ATTEMPTS: u32 = 100;
    const TIMEOUT: Duration = Duration::from_secs(12 * 3600);

    fn progress(&self) -> Value {
        json!(Counts::default())
    }
}

/// Accepts an import. In a dry run it says what would happen.
pub(crate) async fn accept(cx: &mut Cx, wish: Wish) -> Result<(JobView, Option<Preview>)> {
    let (app, site, now, zone) = (cx.app.clone(), cx.site(), cx.now, cx.zone());
    wish.mapping.wanted()?;
    let free_until =
        wish.free_access.map(|free| free.expires_at.map_or(Import::NEVER, |end| end.in_zone(zone).micros()));
    if free_until.is_some_and(|until| until <= now.micros()) {
        return Err(Error::refused("args.freeAccess.expiresAt", "must be in the future"));
    }
    uploads::actions::reserve(cx.tx(), site, &wish.upload, now).await?;
    let known = known(cx, site).await?;
    if let Some(group) = wish.groups.iter().find(|group| !known.groups.contains_key(group.as_str())) {
        return Err(Error::new(Code::GroupNotFound, format!("The site has no group {group}.")));
    }
    if let Some(bundle) = wish.bundle.iter().find(|bundle| !known.bundles.contains_key(bundle.as_str())) {
        return Err(Error::new(Code::BundleNotFound, format!("The site has no bundle {bundle}.")));
    }
    let job = Import {
        upload: wish.upload,
        mapping: wish.mapping,
        tags: wish.tags.iter().map(|tag| tag.as_str().to_owned()).collect(),
        groups: wish.groups,
        bundle: wish.bundle,
        free_until,
        update: wish.update,
        zone,
    };
    let preview = match cx.dry_run {
        false => None,
        true => {
            let file = tokio::fs::File::open(uploads::path(&app.config, site, &job.upload)).await?;
            let bytes = file.metadata().await?.len();
            Some(preview(cx, file.into_std().await, bytes, &job, known).await?)
        }
    };
    Ok((JobView::from_row(cx.enqueue(&job).await?)?, preview))
}

/// An import that has begun.
pub(super) struct Started {
    pub(super) app: Arc<App>,
    pub(super) run: Run,
    pub(super) site: SiteId,
    pub(super) id: JobId,
    pub(super) rules: Rules,
    speed: Speed,
}

/// How an import stands.
#[derive(Serialize)]
pub(super) struct Progress {
    #[serde(flatten)]
    counts: Counts,
    #[serde(rename = "secondsLeft", skip_serializing_if = "Option::is_none")]
    seconds_left: Option<u64>,
}

impl Started {
    pub(super) fn progress(&self, counts: Counts) -> Progress {
        Progress { counts, seconds_left: self.speed.seconds_left(counts.done, counts.total) }
    }
}

/// Applies [`Import`].
pub async fn import(app: &Arc<App>, job: Import, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let id = JobId::parse(&run.job_id).map_err(|_| Fail::fatal("internal", "The job's id cannot be read."))?;
    let mut at: At<Counts> = At::of(run);
    let known = begin(app, run, site, &job, &at).await?;
    let speed = Speed::new(&app.clock, at.counts.done);
    let rules = job.rules(app.clock.now());
    let import = Started { app: app.clone(), run: run.clone(), site, id: id.clone(), rules, speed };
    let files = Files {
        upload: uploads::path(&app.config, site, &job.upload),
        errors: uploads::error_file(&app.config, site, &id),
    };
    let take = Take::new(known, job.zone);
    let halt = Halt::new();
    let place = files.place(&job, &at, &halt)?;
    let mappings = imports::apply(app, run, &import, &mut at, (place, take.clone()), halt).await?;
    let refused = refused(app, site, &id).await?;
    if !refused.is_empty() {
        let halt = Halt::new();
        let place = Place { first_row: 0, most_rows: None, ..files.place(&job, &at, &halt)? };
        at.error_bytes = imports::refuse(place, take, refused).await?;
    }
    finish(&import, &job, &at, &mappings).await
}

/// Where the files of an import are.
struct Files {
    upload: PathBuf,
    errors: PathBuf,
}

impl Files {
    fn place(&self, job: &Import, at: &At<Counts>, halt: &Halt) -> Result<Place, Fail> {
        Ok(Place {
            upload: self.upload.clone(),
            errors: self.errors.clone(),
            first_row: at.row,
            error_bytes: at.error_bytes,
            wanted: job.mapping.wanted().map_err(|error| Fail::fatal(error.code().name(), error.message()))?,
            deadly: at.deadly(),
            most_rows: Some(MAX_ROWS),
            halt: halt.sign(),
        })
    }
}

/// Puts off the upload's end, as an attempt may come late, and looks what rows may name.
async fn begin(app: &App, run: &Run, site: SiteId, job: &Import, at: &At<Counts>) -> Result<Known, Fail> {
    let mut tx = app.db.begin().await?;
    let reserved = uploads::actions::reserve(&mut tx, site, &job.upload, app.clock.now()).await;
    reserved.map_err(|error| match error.code() {
        Code::UploadNotFound => Fail::fatal(error.code().name(), error.message()),
        _ => unavailable(error),
    })?;
    let known = known(&mut tx, site).await?;
    run.checkpoint(&mut tx, at, &at.counts).await?;
    tx.commit().await?;
    Ok(known)
}

/// The groups and bundles of a site, by id and by name.
async fn known(place: &mut impl Asks, site: SiteId) -> usher_db::Result<Known> {
    let (mut groups, mut bundles) = (HashMap::new(), HashMap::new());
    for (id, name) in store::group_names(place.conn(), site).await? {
        groups.insert(name, id.clone());
        groups.insert(id.to_string(), id);
    }
    let named = store::bundle_names(place.conn(), site).await?;
    let mut n_of_name: HashMap<&str, u32> = HashMap::new();
    named.iter().for_each(|(_, name)| *n_of_name.entry(name).or_default() += 1);
    for (id, name) in &named {
        // A name that several have names none.
        if n_of_name[name.as_str()] == 1 {
            bundles.insert(name.clone(), id.clone());
        }
        bundles.insert(id.to_string(), id.clone());
    }
    Ok(Known { groups: Arc::new(groups), bundles: Arc::new(bundles) })
}

/// The rows that were refused when they were to be written.
async fn refused(app: &App, site: SiteId, id: &JobId) -> Result<Vec<(u64, &'static str, &'static str)>, Fail> {
    let mut all = Vec::new();
    let mut after = -1;
    loop {
        let page = store::refusals(app.db.read(), site, id, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.0;
        all.extend(page.iter().map(|(row, code)| {
            let row = u64::try_from(*row).unwrap_or(0);
            let (code, text) = refusal(code);
            (row, code, text)
        }));
    }
}

async fn finish(import: &Started, job: &Import, at: &At<Counts>, mappings: &[Mapping]) -> Result<(), Fail> {
    let Started { app, run, site, id, .. } = import;
    let mut result = serde_json::to_value(at.counts).expect("counts are JSON");
    let marked: Vec<_> = mappings.iter().map(|mapping| MailColumns::of(mapping).marked(mapping)).collect();
    let ignored = ignored(&marked);
    if !ignored.is_empty() {
        result["ignoredColumns"] = json!(ignored);
    }
    if at.counts.invalid > 0 {
        result["errorFile"] = json!(format!("/api/v1/jobs/{}/errors", run.job_id));
        if at.error_bytes >= MAX_ERROR_BYTES {
            result["errorFileIsCut"] = json!(true);
        }
    }
    let mut tx = app.db.begin().await?;
    run.finish(&mut tx, &result, &at.counts).await?;
    store::forget_refusals(tx.conn(), *site, id).await?;
    uploads::actions::release(app, &mut tx, *site, &job.upload).await.map_err(unavailable)?;
    tx.commit().await?;
    Ok(())
}
