//! `members.exportData`: everything that is stored about one person, in one JSON file, for the person (GDPR, article 15).
//!
//! [`SECTIONS`] says for each table with a member or an address in it what of its rows is given; a test compares it with
//! [`erase::TABLES`](super::erase::TABLES) and with the columns of the schema, so that a new table or column cannot be
//! forgotten. Rows about the member are given whole. What only mentions the member among others (a row of the activity log
//! about somebody else, a kept answer, a job) is given by its id: the rest of it is other people's data.
//!
//! Left out are secrets, such as hashes of sign-in links, and what is made of other columns. Files that were uploaded are
//! not searched: they are removed after a day.

mod rows;
mod store;

use std::{io, path::Path, sync::Arc, time::Duration};

pub use rows::{LEFT_OUT, SECTIONS, Section};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::{fs, io::AsyncWriteExt as _};
use usher_jobs::{Fail, Job, Queue, Run};

use super::{
    erase::{Mentioned, Person},
    store as members,
};
use crate::{
    app::App,
    areas::uploads,
    config::Config,
    values::{JobId, MemberId, SiteId},
};

/// Rows read at once.
const PAGE: u32 = 500;

/// The ending of the file's name.
pub const ENDING: &str = "json";

/// Writes what is stored about a member of the job's site.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportData {
    /// The member.
    pub member: MemberId,
}

impl Job for ExportData {
    const KIND: &'static str = "members.exportData";
    const QUEUE: Queue = Queue::Bulk;
    const TIMEOUT: Duration = Duration::from_secs(3600);

    fn progress(&self) -> Value {
        json!({ "done": 0, "total": SECTIONS.len() + MENTIONS.len() })
    }
}

/// What only mentions the member, by the name that it has in the file.
const MENTIONS: [Mentioned; 3] = [Mentioned::Activity, Mentioned::Answers, Mentioned::Jobs];

/// Applies [`ExportData`]. Safe to run twice.
pub async fn export_data(app: &Arc<App>, job: ExportData, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let id = JobId::parse(&run.job_id).map_err(|_| Fail::fatal("internal", "The job's id cannot be read."))?;
    let path = uploads::export_file(&app.config, site, &id, ENDING);
    let part = path.with_extension(format!("{}.part", run.attempt));
    let written = write(app, &job, run, site, &part).await;
    if written.is_err() {
        _ = fs::remove_file(&part).await; // The sweep removes what is left.
    }
    let rows = written?;
    fs::rename(&part, &path).await.map_err(unwritable)?;
    let mut tx = app.db.begin().await?;
    // Whoever is being deleted since has no file left behind: what was written before is removed with the job's texts.
    let member = members::by_id(tx.conn(), site, &job.member).await?;
    if member.is_none_or(|member| member.deleting_since.is_some()) {
        fs::remove_file(&path).await.map_err(unwritable)?;
        return Err(gone());
    }
    let total = SECTIONS.len() + MENTIONS.len();
    let result = json!({ "rows": rows, "format": ENDING, "file": format!("/api/v1/jobs/{id}/file") });
    run.finish(&mut tx, &result, &json!({ "done": total, "total": total })).await?;
    tx.commit().await?;
    Ok(())
}

/// Writes the file, and counts the rows of each section.
async fn write(
    app: &Arc<App>,
    job: &ExportData,
    run: &Run,
    site: SiteId,
    part: &Path,
) -> Result<Map<String, Value>, Fail> {
    let member = members::by_id(app.db.read(), site, &job.member).await?.ok_or_else(gone)?;
    let former = members::former_of(app.db.read(), site, &member.id).await?;
    let keys: Vec<String> = former.into_iter().map(|(key, _)| key).collect();
    let mut addresses = vec![member.key.clone(), member.email_key()];
    addresses.extend(keys.iter().cloned());
    addresses.sort_unstable();
    addresses.dedup();
    if let Some(folder) = part.parent() {
        fs::create_dir_all(folder).await.map_err(unwritable)?;
    }
    let mut file = File { file: fs::File::create(part).await.map_err(unwritable)?, counts: Map::new() };
    file.text("{\n").await?;
    for section in SECTIONS {
        file.begin(section.name).await?;
        let whose = if section.by_address { addresses.clone() } else { vec![member.id.to_string()] };
        for whose in &whose {
            let mut after = String::new();
            loop {
                stop(run)?;
                let rows = store::rows(app.db.read(), site, section.name, whose, &after, PAGE).await?;
                let Some((last, _)) = rows.last() else { break };
                after.clone_from(last);
                for (_, row) in &rows {
                    file.row(section.name, &rows::shown(row)?).await?;
                }
            }
        }
        file.end().await?;
    }
    let person = Person::new(&member.id, &member.email).with_former(keys);
    for (n, mentioned) in MENTIONS.into_iter().enumerate() {
        file.begin(mentioned.name()).await?;
        let mut after = None;
        loop {
            stop(run)?;
            let (found, next) = mentioned.page(app, site, &person, after.as_deref()).await?;
            for one in found {
                file.row(mentioned.name(), &one).await?;
            }
            if next.is_none() {
                break;
            }
            after = next;
        }
        file.text(if n + 1 < MENTIONS.len() { "\n  ],\n" } else { "\n  ]\n" }).await?;
    }
    file.text("}\n").await?;
    file.file.sync_all().await.map_err(unwritable)?;
    Ok(file.counts)
}

fn stop(run: &Run) -> Result<(), Fail> {
    if run.stopping() { Err(Fail::Stopping) } else { Ok(()) }
}

/// A file of sections, each a list of rows.
struct File {
    file: fs::File,
    counts: Map<String, Value>,
}

impl File {
    async fn text(&mut self, text: &str) -> Result<(), Fail> {
        self.file.write_all(text.as_bytes()).await.map_err(unwritable)
    }

    async fn begin(&mut self, section: &str) -> Result<(), Fail> {
        self.counts.insert(section.into(), json!(0));
        self.text(&format!("  {}: [", json!(section))).await
    }

    async fn row(&mut self, section: &str, row: &Value) -> Result<(), Fail> {
        let n = self.counts.get(section).and_then(Value::as_u64).unwrap_or(0);
        self.counts.insert(section.into(), json!(n + 1));
        let comma = if n > 0 { "," } else { "" };
        self.text(&format!("{comma}\n    {row}")).await
    }

    async fn end(&mut self) -> Result<(), Fail> {
        self.text("\n  ],\n").await
    }
}

fn gone() -> Fail {
    Fail::fatal("member_not_found", "The member was deleted before the job had ended.")
}

/// Removes the file that a job has made about a member, if the job with this payload makes one.
pub async fn remove_file(config: &Config, site: SiteId, job: &str, payload: &str, member: &MemberId) -> io::Result<()> {
    let is_about = serde_json::from_str::<ExportData>(payload).is_ok_and(|job| job.member == *member);
    let Some(id) = JobId::parse(job).ok().filter(|_| is_about) else { return Ok(()) };
    match fs::remove_file(uploads::export_file(config, site, &id, ENDING)).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn unwritable(error: std::io::Error) -> Fail {
    let text = match error.kind() {
        std::io::ErrorKind::StorageFull => "The server's disk is full. Free some space; Usher will try again.",
        _ => "The file cannot be written to the data folder. Usher will try again.",
    };
    Fail::retry("unavailable", text).because(error)
}
