//! The command line. Every failure is one line on standard error and an exit code that is not 0.

mod backup;
mod bench;
mod doctor;
mod documents;
mod import;
mod keys;
mod mail;
mod notices;
mod secret_key;
mod serve;
mod sign_in;
mod sites;
mod stripe;

use std::{fmt, io::Write as _, process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};
use usher_db::{Db, Options, Schema};

use crate::{
    app::{self, App},
    areas::{
        activity::{self, Actor, Record, Surface},
        secret_key as secrets,
        sites::Site,
    },
    clock::Clock,
    config::{Config, SETTINGS},
    data_folder,
    values::SiteId,
};

/// A self-hosted back office for membership sites: one API of typed tools.
///
/// Without a command it sets itself up if need be, prints its address and, the first time, a key, and serves.
#[derive(Parser)]
#[command(name = "usher", version, max_term_width = 100)]
struct Arguments {
    /// Print for programs: one JSON object.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API; with SQLite also run the jobs.
    Serve,
    /// Run jobs only.
    Work,
    /// Bring the database's schema up to this version's.
    Migrate,
    /// Save everything in one file, while Usher runs: the database (SQLite), uploads, and the secret key.
    Backup(backup::Backup),
    /// Restore a backup into an empty data folder. With DATABASE_URL set, a backup of SQLite goes into an empty
    /// PostgreSQL.
    Restore(backup::Restore),
    /// Look at what is set up, and say what is missing and what to do. Ends with 1 if something does not work.
    Doctor,
    /// Look after sites.
    #[command(subcommand)]
    Sites(sites::Command),
    /// Look after API keys.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Connect sites to their Stripe accounts.
    #[command(subcommand)]
    Stripe(stripe::Command),
    /// Say how a site sends mail.
    #[command(subcommand)]
    Mail(mail::Command),
    /// Say which mail providers a site listens to for bounces and complaints.
    #[command(subcommand)]
    Notices(notices::Command),
    /// Look after the key that seals secrets in the database.
    #[command(subcommand)]
    SecretKey(secret_key::Command),
    /// Look after how members sign in.
    #[command(subcommand)]
    SignIn(sign_in::Command),
    /// Send a file to a running server and follow its import.
    #[command(subcommand)]
    Import(import::Command),
    /// Print the OpenAPI document, or check that the committed one is up to date.
    Openapi {
        /// Compare openapi/ and docs/ in the working folder with this program, and fail if it is old.
        #[arg(long)]
        check: bool,
        /// Write openapi/ and docs/ in the working folder.
        #[arg(long, conflicts_with = "check")]
        write: bool,
    },
    /// Measure this machine side by side with what it could do at best. benches/README.md says how.
    Bench(bench::Command),
    #[command(hide = true)]
    BenchHello,
    /// List the settings with their values, where they come from and what they mean.
    Config,
}

/// A failure, in one line.
#[derive(Debug)]
struct Failure(String);

impl<E: fmt::Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

type Result<T, E = Failure> = std::result::Result<T, E>;

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    // Whatever is written holds addresses, keys or links: it is for this user only.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    match runtime.block_on(run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(text)) => fail(&text),
    }
}

/// The settings, after a word about what looks like one and is none.
fn settings() -> Result<Config> {
    let config = Config::load()?;
    for warning in &config.warnings {
        _ = writeln!(std::io::stderr(), "usher: {warning}.");
    }
    Ok(config)
}

fn fail(text: &str) -> ExitCode {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    _ = writeln!(std::io::stderr(), "usher: {line}");
    ExitCode::FAILURE
}

async fn run(arguments: Arguments) -> Result<()> {
    let json = arguments.json;
    match arguments.command {
        None => serve::first_run(settings()?, json).await,
        Some(Command::Serve) => serve::serve(settings()?, json).await,
        Some(Command::Work) => serve::work(settings()?).await,
        Some(Command::Migrate) => migrate(&settings()?).await,
        Some(Command::Backup(command)) => backup::backup(command, json).await,
        Some(Command::Restore(command)) => backup::restore(command, json).await,
        Some(Command::Doctor) => doctor::run(json).await,
        Some(Command::Sites(command)) => sites::run(command, &Office::open().await?, json).await,
        Some(Command::Keys(command)) => keys::run(command, &Office::open().await?, json).await,
        Some(Command::Stripe(command)) => stripe::run(command, &Office::open().await?, json).await,
        Some(Command::Mail(command)) => mail::run(command, &Office::open().await?, json).await,
        Some(Command::Notices(command)) => notices::run(command, &Office::open().await?, json).await,
        Some(Command::SecretKey(command)) => secret_key::run(command, &Office::open().await?, json).await,
        Some(Command::SignIn(command)) => sign_in::run(command, &Office::open().await?, json).await,
        Some(Command::Import(command)) => import::run(command, json).await,
        Some(Command::Openapi { check, write }) => documents::run(check, write),
        Some(Command::Bench(command)) => bench::run(command, json).await,
        Some(Command::BenchHello) => bench::hello::serve().await,
        Some(Command::Config) => config(&settings()?, json),
    }
}

async fn migrate(config: &Config) -> Result<()> {
    let db = open(config).await?;
    app::migrate(&db).await?;
    db.close().await;
    out("The database is up to date.")
}

fn config(config: &Config, json: bool) -> Result<()> {
    let mut lines = Vec::new();
    for setting in SETTINGS {
        let (value, source) = config.shown(setting);
        let source = source.to_string();
        lines.push(if json {
            serde_json::json!({
                "name": setting.name, "env": setting.env, "value": value, "source": source,
                "default": setting.default, "about": setting.about,
            })
            .to_string()
        } else {
            let value = if value.is_empty() { "(empty)" } else { &value };
            format!("{} = {value}   [{source}]\n    {}: {}", setting.name, setting.env, setting.about)
        });
    }
    out(&lines.join("\n"))
}

/// What the commands on sites and keys work with.
struct Office {
    config: Config,
    db: Db,
    clock: Clock,
}

impl Office {
    async fn open() -> Result<Self> {
        let config = settings()?;
        check_folder(&config)?;
        let db = open(&config).await?;
        check_schema(&db).await?;
        Ok(Self { config, db, clock: Clock::system() })
    }

    /// The parts that a command works with which seals, opens, or starts jobs. Not within a transaction.
    async fn app(&self) -> Result<Arc<App>> {
        app(self.config.clone(), self.db.clone()).await
    }

    /// The site that a command means: the one it names, or the only one.
    async fn site(&self, named: Option<&str>) -> Result<Site> {
        let sites = crate::areas::sites::store::all(self.db.read()).await?;
        if sites.is_empty() {
            return Err(Failure("there is no site yet; run `usher` once, or `usher sites create`".into()));
        }
        let found = match named {
            None if sites.len() == 1 => sites.into_iter().next(),
            None => {
                let names: Vec<_> = sites.iter().map(|site| format!("{} ({})", site.id, site.name)).collect();
                return Err(Failure(format!("say which site with --site: {}", names.join(", "))));
            }
            Some(name) => sites
                .into_iter()
                .find(|site| site.id.to_string() == name || site.domain.as_deref() == Some(name) || site.name == name),
        };
        found.ok_or_else(|| Failure("there is no such site; `usher sites list` lists them".into()))
    }

    /// The row of the activity log for what the operator does.
    fn record(&self, site: SiteId, what: &str, args: serde_json::Value) -> Record {
        Record {
            args: Some(args.to_string()),
            ..Record::done(site, self.clock.id(), self.clock.now(), (Actor::Cli, Surface::Cli), what)
        }
    }

    /// Commits with a row of the activity log.
    async fn commit(&self, mut tx: usher_db::Tx, site: SiteId, what: &str, args: serde_json::Value) -> Result<()> {
        activity::store::insert(tx.conn(), [(&self.record(site, what, args), 1)]).await?;
        Ok(tx.commit().await?)
    }
}

/// Opens the database; with SQLite makes its folder.
async fn open(config: &Config) -> Result<Db> {
    let folder = match &config.database {
        Options::Sqlite { path, .. } => path.parent().unwrap_or(&config.data),
        Options::Postgres { .. } => &config.data,
    };
    check_restored(config)?;
    let is_open = data_folder::prepare(folder)
        .map_err(|error| Failure(format!("the data folder {} cannot be made: {error}", folder.display())))?;
    if let Some(warning) = is_open {
        tracing::warn!("{warning}");
    }
    Ok(Db::open(&config.database).await?)
}

/// There is an Usher in the data folder.
fn check_folder(config: &Config) -> Result<()> {
    check_restored(config)?;
    match &config.database {
        Options::Sqlite { path, .. } if !path.exists() => {
            let folder = config.data.display();
            Err(Failure(format!("there is no Usher in the folder {folder} yet; run `usher`, or set USHER_DATA")))
        }
        _ => Ok(()),
    }
}

/// No restore was stopped in the middle.
fn check_restored(config: &Config) -> Result<()> {
    if crate::backup::is_unfinished(&config.data) {
        return Err(Failure(format!(
            "a restore into {} was interrupted; run the same `usher restore` again to finish it",
            config.data.display()
        )));
    }
    Ok(())
}

async fn check_schema(db: &Db) -> Result<()> {
    match app::schema(db).await? {
        Schema::Current => Ok(()),
        Schema::Behind(_) => {
            Err(Failure("the database's schema is older than this version; run `usher migrate`".into()))
        }
        Schema::Ahead => {
            Err(Failure("the database was migrated by a newer Usher; run that version, or restore a backup".into()))
        }
    }
}

/// Puts the parts together, with the secret key, which is created if there is none.
async fn app(config: Config, db: Db) -> Result<Arc<App>> {
    let clock = Clock::system();
    let key = secrets::prepare(&config, &db, clock.now()).await?;
    Ok(App::new(config, key.sealer, db, clock))
}

fn out(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}")?;
    Ok(stdout.flush()?)
}
