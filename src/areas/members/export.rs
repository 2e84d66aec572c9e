//! `members.export`: the members of a filter in a file, which `members.import` reads as it is.
//!
//! An attempt writes the file from its beginning, beside the final name, and gives it that name once it is whole; so what
//! a job says it made is there, and an attempt that was killed leaves nothing that anybody sees.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use poem_openapi::Enum;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{fs, io::AsyncWriteExt as _};
use usher_files::TableFile;
use usher_jobs::{Fail, Job, Queue, Run};

use super::{
    metadata::Metadata,
    store::{self, Filter, Path as Way, Place},
    types::{Member, MemberSort, MemberStatus},
    words::Search,
};
use crate::{
    app::App,
    areas::uploads,
    values::{GroupId, JobId, SiteId, Tag, Time},
};

/// Members read at once.
const PAGE: u32 = 1000;

/// Pages after which it says how far it is.
const PAGES: u64 = 10;

/// How the file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "ExportFormat", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A table with a header, separated by commas.
    #[default]
    Csv,
    /// JSON Lines: an object for each member.
    Jsonl,
}

impl Format {
    /// The ending of the file's name.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }
}

/// Exports members of the job's site.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Export {
    format: Format,
    text: Option<String>,
    tag: Option<String>,
    #[serde(default)]
    group: Option<GroupId>,
    status: Option<String>,
    /// In microseconds.
    from: Option<i64>,
    until: Option<i64>,
    #[serde(default)]
    updated_from: Option<i64>,
    /// Whether the names of groups are a column.
    groups: bool,
}

impl Export {
    pub(super) fn new(format: Format, filter: &Filter, groups: bool) -> Self {
        Self {
            format,
            text: filter.text.as_ref().map(|search| search.typed.clone()),
            tag: filter.tag.as_ref().map(|tag| tag.as_str().to_owned()),
            group: filter.group.clone(),
            status: filter.status.map(|status| status.as_str().to_owned()),
            from: filter.from.map(Time::micros),
            until: filter.until.map(Time::micros),
            updated_from: filter.updated_from.map(Time::micros),
            groups,
        }
    }

    fn filter(&self) -> usher_db::Result<Filter> {
        Ok(Filter {
            text: self.text.as_deref().map(Search::parse),
            tag: self.tag.as_deref().map(Tag::stored),
            group: self.group.clone(),
            status: self.status.as_deref().map(MemberStatus::stored).transpose()?,
            from: self.from.map(Time::from_micros),
            until: self.until.map(Time::from_micros),
            updated_from: self.updated_from.map(Time::from_micros),
        })
    }
}

impl Job for Export {
    const KIND: &'static str = "members.export";
    const QUEUE: Queue = Queue::Bulk;
    const TIMEOUT: Duration = Duration::from_secs(3600);

    fn progress(&self) -> Value {
        json!(Progress { done: 0, total: 0 })
    }
}

#[derive(Clone, Copy, Serialize)]
struct Progress {
    done: u64,
    total: u64,
}

/// Applies [`Export`]. Safe to run twice.
pub async fn export(app: &Arc<App>, job: Export, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let id = JobId::parse(&run.job_id).map_err(|_| Fail::fatal("internal", "The job's id cannot be read."))?;
    let path = uploads::export_file(&app.config, site, &id, job.format.ending());
    let part = path.with_extension(format!("{}.part", run.attempt));
    let written = write(app, &job, run, site, &part).await;
    if written.is_err() {
        _ = fs::remove_file(&part).await; // The sweep removes what is left.
    }
    let progress = written?;
    fs::rename(&part, &path).await.map_err(unwritable)?;
    let mut tx = app.db.begin().await?;
    let result = json!({
        "done": progress.done, "total": progress.total, "format": job.format, "file": format!("/api/v1/jobs/{id}/file"),
    });
    run.finish(&mut tx, &result, &progress).await?;
    tx.commit().await?;
    Ok(())
}

async fn write(app: &App, job: &Export, run: &Run, site: SiteId, part: &Path) -> Result<Progress, Fail> {
    let filter = job.filter()?;
    let total = store::count(app.db.read(), site, &filter).await?;
    let mut progress = Progress { done: 0, total };
    if let Some(folder) = part.parent() {
        fs::create_dir_all(folder).await.map_err(unwritable)?;
    }
    let mut file = fs::File::create(part).await.map_err(unwritable)?;
    let columns = Columns { groups: job.groups, former_emails: store::has_former(app.db.read(), site).await? };
    if job.format == Format::Csv {
        file.write_all(&header(columns)?).await.map_err(unwritable)?;
    }
    let mut place = Place::start(MemberSort::Oldest);
    for n in 0.. {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
        if n % PAGES == 0 {
            let mut tx = app.db.begin().await?;
            run.checkpoint(&mut tx, &(), &progress).await?;
            tx.commit().await?;
        }
        let members =
            store::list_by_creation(app.db.read(), site, &filter, MemberSort::Oldest, &Way::Walk, &place, PAGE).await?;
        let Some(last) = members.last() else { break };
        place = Place::after(last, MemberSort::Oldest);
        let groups = match job.groups {
            true => groups_of(app, site, &members).await?,
            false => HashMap::new(),
        };
        let now = app.clock.now();
        let here: Vec<_> = members.into_iter().filter(|member| member.deleting_since.is_none()).collect();
        progress.done += here.len() as u64;
        progress.total = progress.total.max(progress.done);
        let former = former_of(app, site, &here).await?;
        let of = |member: &Member| (groups.get(member.id.as_str()), former.get(member.id.as_str()));
        let rows = here.iter().map(|member| Row::of(member, of(member), now));
        let text = match job.format {
            Format::Csv => csv(rows, columns)?,
            Format::Jsonl => rows.flat_map(|row| format!("{}\n", row.json(job.groups)).into_bytes()).collect(),
        };
        file.write_all(&text).await.map_err(unwritable)?;
    }
    file.sync_all().await.map_err(unwritable)?;
    Ok(Progress { total: progress.done, ..progress })
}

async fn groups_of(app: &App, site: SiteId, members: &[Member]) -> usher_db::Result<HashMap<String, Vec<String>>> {
    let mut groups: HashMap<String, Vec<String>> = HashMap::new();
    let ids = members.iter().map(|member| member.id.to_string()).collect();
    for (member, name) in store::group_names_of(app.db.read(), site, ids).await? {
        groups.entry(member.to_string()).or_default().push(name);
    }
    Ok(groups)
}

async fn former_of(app: &App, site: SiteId, members: &[Member]) -> usher_db::Result<HashMap<String, Vec<String>>> {
    let mut former: HashMap<String, Vec<String>> = HashMap::new();
    let ids = members.iter().map(|member| member.id.to_string()).collect();
    for (member, email) in store::former_of_all(app.db.read(), site, ids).await? {
        former.entry(member.to_string()).or_default().push(email);
    }
    Ok(former)
}

/// The columns of a table that not every one has.
#[derive(Clone, Copy)]
struct Columns {
    groups: bool,
    /// Where somebody had another address.
    former_emails: bool,
}

/// A member as a file has it. What comes after the groups is for people; an import passes it over.
struct Row<'a> {
    member: &'a Member,
    groups: &'a [String],
    former_emails: &'a [String],
    /// A moment or `never`; free access that is over gives nothing.
    free_access_until: Option<String>,
    status: &'static str,
}

impl<'a> Row<'a> {
    fn of(member: &'a Member, (groups, former): (Option<&'a Vec<String>>, Option<&'a Vec<String>>), now: Time) -> Self {
        let free = member.free_access.filter(|free| free.holds(now));
        Self {
            member,
            groups: groups.map(Vec::as_slice).unwrap_or_default(),
            former_emails: former.map(Vec::as_slice).unwrap_or_default(),
            free_access_until: free.map(|free| free.expires_at.map_or("never".into(), |end| end.to_string())),
            status: member.status_at(now).as_str(),
        }
    }

    fn json(&self, with_groups: bool) -> Value {
        let member = self.member;
        let mut row = json!({ "email": member.email });
        let texts = [("name", &member.name), ("note", &member.note)];
        for (name, text) in texts.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?))) {
            row[name] = json!(text);
        }
        row["tags"] = json!(member.tags);
        if let Some(external_id) = &member.external_id {
            row["external_id"] = json!(external_id);
        }
        // A text, as in a table: of an object, an import finds only the keys that the first rows have.
        if let Some(metadata) = member.metadata.as_ref().and_then(Metadata::to_store) {
            row["metadata"] = json!(metadata);
        }
        if let Some(until) = &self.free_access_until {
            row["free_access_until"] = json!(until);
        }
        if with_groups {
            row["groups"] = json!(self.groups);
        }
        row["id"] = json!(member.id);
        row["status"] = json!(self.status);
        row["created_at"] = json!(member.created_at);
        if !self.former_emails.is_empty() {
            row["former_emails"] = json!(self.former_emails);
        }
        row
    }
}

fn header(columns: Columns) -> Result<Vec<u8>, Fail> {
    let mut names = vec!["email", "name", "note", "tags", "free_access_until", "external_id", "metadata"];
    names.extend(columns.groups.then_some("groups"));
    names.extend(["id", "status", "created_at"]);
    names.extend(columns.former_emails.then_some("former_emails"));
    TableFile::begin(Vec::new(), &names).and_then(TableFile::finish).map_err(unwritable)
}

fn csv<'a>(rows: impl Iterator<Item = Row<'a>>, columns: Columns) -> Result<Vec<u8>, Fail> {
    let mut table = TableFile::resume(Vec::new());
    for row in rows {
        let member = row.member;
        let tags = member.tags.iter().map(Tag::as_str).collect::<Vec<_>>().join(",");
        let groups = columns.groups.then(|| list(row.groups));
        let former = row.former_emails.join(" ");
        let metadata = member.metadata.as_ref().and_then(Metadata::to_store);
        let (id, made) = (member.id.to_string(), member.created_at.to_string());
        let mut cells = vec![
            member.email.as_str(),
            member.name.as_deref().unwrap_or_default(),
            member.note.as_deref().unwrap_or_default(),
            &tags,
            row.free_access_until.as_deref().unwrap_or_default(),
            member.external_id.as_deref().unwrap_or_default(),
            metadata.as_deref().unwrap_or_default(),
        ];
        cells.extend(groups.as_deref());
        cells.extend([id.as_str(), row.status, &made]);
        cells.extend(columns.former_emails.then_some(former.as_str()));
        table.write(cells).map_err(unwritable)?;
    }
    table.finish().map_err(unwritable)
}

/// Several names in a cell; as JSON where commas would not tell them apart.
fn list(names: &[String]) -> String {
    let is_plain = |name: &String| !name.contains([',', ';', '|']) && !name.starts_with('[');
    match names.iter().all(is_plain) {
        true => names.join(","),
        false => serde_json::to_string(names).expect("texts are JSON"),
    }
}

fn unwritable(error: std::io::Error) -> Fail {
    let text = match error.kind() {
        std::io::ErrorKind::StorageFull => "The server's disk is full. Free some space; Usher will try again.",
        _ => "The file cannot be written to the data folder. Usher will try again.",
    };
    Fail::retry("unavailable", text).because(error)
}
