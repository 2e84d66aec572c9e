//! The program's parts, opened once and shared by everything that runs.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use usher_db::{Db, MigrateError, Migrator, Schema};
use usher_jobs::{Environment, Jobs, Settings as Patience};

use crate::{
    areas::{
        activity::Log,
        emails::{self, Mailers},
        jobs::record_end,
        members::{self, rekey},
        notices, subscriptions, unsubscribe,
    },
    clock::Clock,
    config::Config,
    gate::{Gate, Limits},
    seal::Sealer,
};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Everything that a call or a job can reach.
pub struct App {
    /// How it was configured.
    pub config: Config,
    /// Seals and opens what must not be read from the database.
    pub sealer: Sealer,
    /// The database.
    pub db: Db,
    /// Time and ids.
    pub clock: Clock,
    /// Accepted work.
    pub jobs: Jobs,
    /// The activity log.
    pub log: Log,
    /// Connections to Stripe; `None` where this machine's certificates cannot be read.
    pub stripe: Option<usher_stripe::Http>,
    /// Connections to the sites' mail servers.
    pub mailers: Mailers,
    /// Connections to AWS, whose notices are signed; `None` where this machine's certificates cannot be read.
    pub aws: Option<notices::Aws>,
    /// Who may call what.
    pub gate: Gate,
    /// Cancelled once the program is to stop, so that nobody waits any longer for what may take long.
    pub stopping: CancellationToken,
}

impl App {
    /// Puts the parts together around an open and migrated database.
    pub fn new(config: Config, sealer: Sealer, db: Db, clock: Clock) -> Arc<Self> {
        Self::with_patience(config, sealer, db, clock, Patience::default())
    }

    /// The same, with jobs as patient as that.
    pub fn with_patience(config: Config, sealer: Sealer, db: Db, clock: Clock, patience: Patience) -> Arc<Self> {
        let jobs = jobs(&db, &clock, patience);
        let log = Log::start(db.clone(), clock.clone());
        let gate = Gate::new(Limits::start(db.clone(), clock.clone()), config.unknown_keys_per_minute);
        let stripe =
            usher_stripe::Http::new().inspect_err(|error| tracing::error!(%error, "Stripe cannot be asked")).ok();
        let aws = notices::Aws::new().inspect_err(|error| tracing::error!(%error, "AWS cannot be asked")).ok();
        Arc::new(Self {
            config,
            sealer,
            db,
            clock,
            jobs,
            log,
            stripe,
            mailers: Mailers::default(),
            aws,
            gate,
            stopping: CancellationToken::new(),
        })
    }
}

/// Accepted work, for a process that needs nothing else.
pub fn jobs(db: &Db, clock: &Clock, patience: Patience) -> Jobs {
    let (now, ids, ends) = (clock.clone(), clock.clone(), clock.clone());
    let environment = Environment {
        now: Arc::new(move || now.now().micros()),
        job_id: Arc::new(move || ids.id::<crate::values::kind::Job>().to_string()),
    };
    Jobs::with_settings(db.clone(), environment, patience).at_end(move |tx, job| {
        let clock = ends.clone();
        Box::pin(async move {
            emails::ended(tx, &clock, job).await?;
            subscriptions::taken_back(tx, &clock, job).await?;
            record_end(tx, &clock, job).await
        })
    })
}

/// Brings the database's schema up to this program's.
pub async fn migrate(db: &Db) -> Result<(), MigrateError> {
    usher_db::migrate(db, &SQLITE, &POSTGRES).await?;
    usher_jobs::migrate(db).await?;
    // Here, and not where it is first needed, since that may be inside a transaction of somebody else's.
    let failed = |error| MigrateError::from(sqlx::migrate::MigrateError::Execute(error));
    unsubscribe::prepare(db).await.map_err(failed)?;
    rekey::prepare(db).await.map_err(failed)?;
    let n_members = members::fill_words(db).await.map_err(failed)?;
    if n_members > 0 {
        tracing::info!(n_members, "the words of members were filled in, by which they are found");
    }
    Ok(())
}

/// The newest migration that this program knows.
pub fn newest_migration() -> i64 {
    SQLITE.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// Compares the database's schema with this program's.
pub async fn schema(db: &Db) -> Result<Schema, MigrateError> {
    usher_db::schema(db, &SQLITE, &POSTGRES).await
}
