#![allow(clippy::disallowed_methods, reason = "a test has to get its time and its server from somewhere")]
//! A database of its own for each test, and what the tests have in common.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::future::LocalBoxFuture;
use tokio::{sync::watch, task::JoinHandle, time::Instant};
use usher_db::{Db, Engine, Options, Synchronous, sql};
use usher_jobs::{Environment, JobRow, Jobs, Runner, Settings, State};

/// The site that the tests work for.
pub(crate) const SITE: i64 = 7;

/// No condition of a test takes longer on a machine that works.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a test is given.
pub(crate) struct Bench {
    pub(crate) db: Db,
    pub(crate) jobs: Jobs,
    pub(crate) options: Options,
}

/// A runner at work.
pub(crate) struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Makes a test of an `async fn(Bench)` for each database.
macro_rules! both {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            #[test]
            fn sqlite() {
                crate::bench::run(usher_db::Engine::Sqlite, |bench| Box::pin(super::$name(bench)));
            }

            #[test]
            fn postgres() {
                crate::bench::run(usher_db::Engine::Postgres, |bench| Box::pin(super::$name(bench)));
            }
        }
    )*};
}
pub(crate) use both;

/// Runs a test in a fresh database, and removes the database whatever happens.
pub(crate) fn run(engine: Engine, test: fn(Bench) -> LocalBoxFuture<'static, ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let server = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(Server::new().await),
        };
        let options = match &server {
            None => Options::Sqlite { path: folder.path().join("jobs.db"), synchronous: Synchronous::Full, readers: 4 },
            Some(server) => Options::Postgres { url: server.url(), connections: 16 },
        };
        let db = Db::open(&options).await.unwrap();
        make_tables(&db).await;
        let bench = Bench { jobs: jobs(&db, hasty()), db: db.clone(), options };
        let local = tokio::task::LocalSet::new();
        let outcome = local.run_until(local.spawn_local(test(bench))).await;
        db.close().await;
        if let Some(server) = server {
            server.drop().await;
        }
        if let Err(error) = outcome {
            std::panic::resume_unwind(error.into_panic());
        }
    });
}

async fn make_tables(db: &Db) {
    let engine = match db.engine() {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../migrations/{engine}/0002_jobs.sql"));
    let text = std::fs::read_to_string(file).unwrap();
    let ours = "CREATE TABLE effect (job TEXT NOT NULL, n BIGINT NOT NULL);
                CREATE TABLE ended (job TEXT NOT NULL, state TEXT NOT NULL);";
    for text in [text.as_str(), ours] {
        let text = sqlx::AssertSqlSafe(text.to_owned());
        match db.postgres() {
            None => drop(sqlx::raw_sql(text).execute(db.sqlite_writer().unwrap()).await.unwrap()),
            Some(pool) => drop(sqlx::raw_sql(text).execute(pool).await.unwrap()),
        }
    }
    usher_jobs::migrate(db).await.unwrap();
}

/// Where databases are made.
struct Server {
    url: String,
    name: String,
}

impl Server {
    async fn new() -> Self {
        let url = std::env::var("USHER_TEST_POSTGRES").expect(
            "USHER_TEST_POSTGRES must name a PostgreSQL server on which the tests may make databases, \
             such as postgres://postgres@127.0.0.1:5432/postgres",
        );
        let unique = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let name = format!("usher_jobs_{}_{unique}", std::process::id());
        let server = Self { url, name };
        server.execute(format!("CREATE DATABASE {}", server.name)).await;
        server
    }

    fn url(&self) -> String {
        let (server, _) = self.url.rsplit_once('/').expect("USHER_TEST_POSTGRES ends in /database");
        format!("{server}/{}", self.name)
    }

    async fn drop(self) {
        self.execute(format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }

    async fn execute(&self, text: String) {
        use sqlx::Connection as _;
        let mut conn = sqlx::PgConnection::connect(&self.url).await.expect("USHER_TEST_POSTGRES answers");
        sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    }
}

/// Patience for tests: leases as in production, the rest quick.
pub(crate) fn hasty() -> Settings {
    Settings {
        tick: Duration::from_millis(100),
        sweep: Duration::from_millis(200),
        renew: Duration::from_millis(200),
        backoff: Duration::from_millis(20),
        restart: Duration::from_millis(100),
        ..Settings::default()
    }
}

/// The jobs of one node.
pub(crate) fn jobs(db: &Db, settings: Settings) -> Jobs {
    static LAST: AtomicI64 = AtomicI64::new(0);
    let now = || i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap();
    let job_id = || format!("job_{:012}", LAST.fetch_add(1, Relaxed));
    Jobs::with_settings(db.clone(), Environment { now: Arc::new(now), job_id: Arc::new(job_id) }, settings)
}

impl Bench {
    /// Another process' view of the same database. SQLite has no other process.
    pub(crate) async fn another_node(&self) -> Jobs {
        match self.db.engine() {
            Engine::Sqlite => jobs(&self.db, hasty()),
            Engine::Postgres => jobs(&Db::open(&self.options).await.unwrap(), hasty()),
        }
    }

    pub(crate) fn start(&self, runner: Runner) -> Running {
        start(runner)
    }

    pub(crate) async fn row(&self, id: &str) -> JobRow {
        self.jobs.get(self.db.read(), SITE, id).await.unwrap().expect("the job is there")
    }

    /// Waits until the job stands so.
    pub(crate) async fn until(&self, id: &str, state: State) -> JobRow {
        let row = self.jobs.wait(SITE, id, Duration::ZERO).await.unwrap();
        eventually(&format!("{id} is {state:?}; it was {row:?}"), async || {
            Some(self.row(id).await).filter(|row| row.state == state)
        })
        .await
    }

    /// How often each job's effect was applied.
    pub(crate) async fn effects(&self, id: &str) -> i64 {
        let (n,) = sql!("SELECT count(*) FROM effect WHERE job = $1").bind(id).one(self.db.read()).await.unwrap();
        n
    }

    /// What the end hook saw of a job.
    pub(crate) async fn ends(&self, id: &str) -> Vec<String> {
        let ends: Vec<(String,)> =
            sql!("SELECT state FROM ended WHERE job = $1").bind(id).all(self.db.read()).await.unwrap();
        ends.into_iter().map(|(state,)| state).collect()
    }
}

pub(crate) fn start(runner: Runner) -> Running {
    let (stop, stopped) = watch::channel(false);
    Running { stop, task: tokio::spawn(runner.run(stopped, Duration::from_secs(10))) }
}

impl Running {
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(true);
        self.task.await.unwrap();
    }
}

/// Looks again and again until there is something.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < until, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
