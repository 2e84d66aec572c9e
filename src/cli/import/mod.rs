//! `usher import`: sends a file to a running server, has it imported, and watches.
//!
//! Everything goes through the API, with a key and its scopes and budgets, so it works from another machine too. The
//! import is a job of the server: this program may be stopped, and the server killed and started again, and the file is
//! imported once. It must never touch a database.

mod client;
mod follow;
mod patience;
mod report;
mod show;
mod source;

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

pub(super) use self::{
    client::{Client, Trouble},
    report::grouped,
};
use self::{
    patience::Patience,
    report::{number, text},
    show::Show,
    source::Source,
};
use super::{Failure, Result, out};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add a file of addresses to the block list.
    ///
    /// Sends the file to a running server and follows its import. The strongest reason wins: an import adds protection
    /// and never removes it. Rows that cannot be read end up in FILE.errors.csv, which can be mended and imported.
    Blocklist(Blocklist),
    /// Make members of a file of people, and change those that are there.
    ///
    /// Sends the file to a running server and follows its import. What a row leaves empty stays; tags and groups are
    /// added, free access is only ever extended, and nobody is sent anything. Who wants no mail, as the file says, goes on
    /// the block list; what it says unclearly is counted and does nothing. Rows that cannot be taken end up in
    /// FILE.errors.csv, which can be mended and imported.
    Members(Members),
}

#[derive(clap::Args)]
pub(super) struct Blocklist {
    #[command(flatten)]
    common: Common,
    /// Why rows are blocked that do not say so themselves. With it, every row is blocked but those that say that they may
    /// get mail; without it only rows that say why, or a bare list of addresses.
    #[arg(long, value_parser = ["hard_bounce", "complaint", "invalid", "unsubscribe", "manual"])]
    reason: Option<String>,
    /// Where rows come from that do not say so themselves, such as the name of the tool you leave.
    #[arg(long)]
    source: Option<String>,
    /// The column that says who gets no mail, by its name or its number from 1, where a look at the file finds none.
    #[arg(long, value_name = "COLUMN")]
    reason_column: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct Members {
    #[command(flatten)]
    common: Common,
    /// Tags for every member of the file, with commas between them.
    #[arg(long, value_delimiter = ',')]
    tags: Vec<String>,
    /// Ids of groups for every member of the file, with commas between them.
    #[arg(long, value_delimiter = ',')]
    groups: Vec<String>,
    /// Free access for every member of the file: a date (its end in the site's time zone), a time such as 2027-12-31T12:00:00Z, or never.
    #[arg(long, value_name = "UNTIL")]
    free_access: Option<String>,
    /// The id of a bundle for every member of the file, for life.
    #[arg(long)]
    bundle: Option<String>,
    /// Leave members as they are that are there already.
    #[arg(long)]
    only_new: bool,
    /// The column that says who wants mail, where its name does not tell it. A no there puts the address on the block list.
    #[arg(long, value_name = "COLUMN")]
    mail_column: Option<String>,
    /// The column that says who wants no mail: a yes, or since when.
    #[arg(long, value_name = "COLUMN")]
    no_mail_column: Option<String>,
}

/// What every import is told.
#[derive(clap::Args)]
struct Common {
    /// The file, as another tool exports it: a table, a list, JSON or an Excel workbook, plain, gzip or zip; - for standard input.
    file: PathBuf,
    /// The column of the addresses, by its name or its number from 1, where a look at the file finds another.
    #[arg(long, value_name = "COLUMN")]
    email_column: Option<String>,
    /// Only look: how the file is understood, what would become of its rows, and nothing is imported.
    #[arg(long, conflicts_with = "no_wait")]
    dry_run: bool,
    /// Do not wait for the end: print the job and leave.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    server: Server,
}

impl Blocklist {
    fn args(&self) -> Value {
        let mut args = json!({});
        if let Some(reason) = &self.reason {
            args["reason"] = json!(reason);
        }
        if let Some(source) = &self.source {
            args["source"] = json!(source);
        }
        if let Some(column) = &self.reason_column {
            args["mapping"]["reason"] = json!(column);
        }
        args
    }
}

impl Members {
    fn args(&self) -> Value {
        let mut args = json!({ "update": !self.only_new });
        if !self.tags.is_empty() {
            args["tags"] = json!(self.tags);
        }
        if !self.groups.is_empty() {
            args["groups"] = json!(self.groups);
        }
        match self.free_access.as_deref() {
            Some("never") => args["freeAccess"] = json!({}),
            Some(until) => args["freeAccess"] = json!({ "expiresAt": until }),
            None => {}
        }
        if let Some(bundle) = &self.bundle {
            args["bundle"] = json!(bundle);
        }
        for (field, column) in [("mail", &self.mail_column), ("noMail", &self.no_mail_column)] {
            if let Some(column) = column {
                args["mapping"][field] = json!(column);
            }
        }
        args
    }
}

#[derive(clap::Args)]
struct Server {
    /// The server's address.
    #[arg(long, env = "USHER_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// An API key with the scope members:manage.
    #[arg(long, env = "USHER_KEY", hide_env_values = true, default_value = "", hide_default_value = true)]
    key: String,
}

/// What the key needs.
const SCOPE: &str = "members:manage";

pub(super) async fn run(command: Command, json: bool) -> Result<()> {
    let (tool, args, command) = match command {
        Command::Blocklist(command) => ("blocklist.import", command.args(), command.common),
        Command::Members(command) => ("members.import", command.args(), command.common),
    };
    let mut import = Import { show: Show::new(json), json, job: None, tool, args, command };
    let interrupted = tokio::signal::ctrl_c();
    tokio::select! {
        ended = import.run() => ended,
        _ = interrupted => Err(import.interrupted()),
    }
}

struct Import {
    show: Show,
    json: bool,
    /// The job, once there is one.
    job: Option<String>,
    tool: &'static str,
    /// The tool's arguments but for the upload.
    args: Value,
    command: Common,
}

impl Import {
    async fn run(&mut self) -> Result<()> {
        let client = Client::new(&self.command.server.url, &self.command.server.key)?;
        if self.command.server.key.is_empty() {
            return Err(Failure(
                "there is no key: set USHER_KEY, or pass --key; `usher keys create --name import --scopes \
                 members:manage` makes one"
                    .into(),
            ));
        }
        let source = Source::open(&self.command.file, &self.show).await?;
        let mut patience = Patience::new(&self.show, &client);
        // Asked first, so that a wrong address or key is known before a long file is sent.
        let key = patience.until_answered(async || client.call("keys.whoami", &json!({}), None).await).await?;
        if key["scopes"].as_array().is_some_and(|scopes| !scopes.contains(&json!(SCOPE))) {
            let name = text(&key, "name").unwrap_or_default();
            return Err(Failure(format!("the key {name:?} lacks the scope {SCOPE}; use one that has it")));
        }

        let upload = self.upload(&client, &source, &mut patience).await?;
        let mut args = self.args.clone();
        args["upload"] = json!(upload);
        if let Some(column) = &self.command.email_column {
            args["mapping"]["email"] = json!(column);
        }
        if self.command.dry_run {
            let call = async || client.dry_run(self.tool, &args).await;
            let answer = patience.until_answered(call).await?;
            return self.looked(&source, &answer["preview"]);
        }
        // The same for every try, so that a call whose answer is lost does not import twice.
        let once = format!("usher-import-{:016x}", rand::random::<u128>());
        let call = async || client.call(self.tool, &args, Some(&once)).await;
        let accepted = patience.until_answered(call).await?;
        let job = &accepted["job"];
        let id = text(job, "id").ok_or_else(|| client.not_usher())?.to_owned();
        self.job = Some(id.clone());
        if self.command.no_wait {
            return self.left(job, &id);
        }
        self.show.importing();
        self.show.job(job);
        let job = follow::to_the_end(&client, &id, &self.show, &mut patience).await?;
        self.show.done();
        self.end(&client, &source, &job, &mut patience).await
    }

    async fn upload(&self, client: &Client, source: &Source, patience: &mut Patience<'_>) -> Result<String> {
        let name = source.name();
        let upload = patience.until_answered(async || {
            self.show.sending(name, source.bytes());
            client.upload(name, &source.path(), source.bytes(), self.show.counter()).await
        });
        let upload = upload.await?;
        text(&upload, "id").map(str::to_owned).ok_or_else(|| client.not_usher())
    }

    /// What a dry run has found.
    fn looked(&self, source: &Source, preview: &Value) -> Result<()> {
        self.show.done();
        if self.json {
            return out(&preview.to_string());
        }
        match text(&preview["problem"], "message") {
            Some(problem) => Err(Failure(report::refused(source.shown(), preview, problem))),
            None => out(&report::preview(source.shown(), preview)),
        }
    }

    /// What is said when nobody waits.
    fn left(&self, job: &Value, id: &str) -> Result<()> {
        self.show.done();
        if self.json {
            return out(&job.to_string());
        }
        out(&format!("The import is job {id}. It goes on in the server.\n\n{}", self.how_to_look(id)))
    }

    async fn end(&self, client: &Client, source: &Source, job: &Value, patience: &mut Patience<'_>) -> Result<()> {
        let invalid = number(&job["progress"], "invalid");
        let saved = match invalid {
            0 => None,
            _ => self.save_errors(client, source, job, patience).await,
        };
        if self.json {
            out(&job.to_string())?;
        }
        match text(job, "status") {
            Some("succeeded") if self.json => Ok(()),
            Some("succeeded") => {
                let id = text(job, "id").unwrap_or_default();
                out(&report::summary(source.shown(), job, saved.as_deref(), &self.how_to_undo(id)))
            }
            _ => Err(Failure(report::failure(source.shown(), job, saved.as_deref()))),
        }
    }

    /// Saves the rows that were refused beside the input. The import has ended all the same if that fails.
    async fn save_errors(
        &self,
        client: &Client,
        source: &Source,
        job: &Value,
        patience: &mut Patience<'_>,
    ) -> Option<PathBuf> {
        let id = text(job, "id").unwrap_or_default();
        let saved = patience.until_answered(async || client.save_errors(id, &source.errors()).await).await;
        match saved {
            Ok(path) => {
                if self.json {
                    self.show.note(&format!("The invalid rows are in {}.", path.display()));
                }
                Some(path)
            }
            Err(Failure(why)) => {
                self.show.note(&format!("The invalid rows could not be saved: {why}"));
                None
            }
        }
    }

    fn interrupted(&self) -> Failure {
        self.show.done();
        match &self.job {
            None => Failure("stopped; nothing was imported".into()),
            Some(id) => Failure(format!(
                "stopped watching; the import goes on in the server as job {id}. {}",
                self.how_to_look(id)
            )),
        }
    }

    /// How to take it back, where a tool does that.
    fn how_to_undo(&self, id: &str) -> String {
        if self.tool != "blocklist.import" {
            return String::new();
        }
        let url = self.command.server.url.trim_end_matches('/');
        format!(
            " To take it back within 30 days:\n  curl -X POST {url}/api/v1/tools/blocklist.undoImport \\\n    -H \
             \"Authorization: Bearer $USHER_KEY\" -H 'Content-Type: application/json' -d '{{\"args\":{{\"job\":\"{id}\"}}}}'"
        )
    }

    fn how_to_look(&self, id: &str) -> String {
        let url = self.command.server.url.trim_end_matches('/');
        format!("Look at it: curl -N -H \"Authorization: Bearer $USHER_KEY\" {url}/api/v1/jobs/{id}/events")
    }
}
