//! A whole Usher for one test: a real server on a free port, a real database of its own, and a clock that stands still.

mod database;
mod reply;

use std::{sync::Arc, time::Duration};

pub use database::Backend;
pub use reply::Reply;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use usher::{
    app::App,
    areas::{keys, plans, sites},
    clock::Clock,
    config::Config,
    surfaces::http,
    tools::{Scope, Scopes},
    values::{KeyId, PlanId, Time, Title},
    worker,
};

/// A test on both databases: `both!(name, async |world| { … });` makes `name::sqlite` and `name::postgres`.
macro_rules! both {
    ($name:ident, async |$world:ident| $body:block) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn run(backend: $crate::harness::Backend) {
                let mut world = $crate::harness::World::start(backend).await;
                {
                    let $world = &mut world;
                    $body
                }
                world.end().await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                run($crate::harness::Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                run($crate::harness::Backend::Postgres).await;
            }
        }
    };
}

/// When every test begins. In the past, so that what is due by this clock is due by the database's too.
pub const START: Time = Time::from_micros(1_735_732_800_000_000);

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The Python that has what `tests/tools/requirements.txt` lists; a test that needs it fails without.
pub fn python() -> &'static str {
    const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/venv/bin/python");
    assert!(std::path::Path::new(PYTHON).exists(), "no {PYTHON}: run bin/setup tools");
    PYTHON
}

/// A running Usher.
pub struct World {
    pub app: Arc<App>,
    pub clock: Clock,
    pub address: String,
    pub http: reqwest::Client,
    /// The first site.
    pub site: sites::Site,
    /// A key of the first site with every scope.
    pub key: TestKey,
    /// Whether a failed call or a waiting job at the end is what the test is about.
    pub leaves_traces: bool,
    stop: watch::Sender<bool>,
    serving: Vec<JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

/// A key as its holder has it.
#[derive(Clone, Debug)]
pub struct TestKey {
    pub id: KeyId,
    pub text: String,
}

impl World {
    pub async fn start(backend: Backend) -> Self {
        Self::start_with(backend, &[]).await
    }

    /// Starts with settings as the environment has them.
    pub async fn start_with(backend: Backend, settings: &[(&str, &str)]) -> Self {
        let mut world = Self::start_idle(backend, settings).await;
        world.serving.push(tokio::spawn(worker::run(world.app.clone(), world.stop.subscribe())));
        world
    }

    /// The same without workers: jobs are accepted, and wait.
    pub async fn start_idle(backend: Backend, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut environment: std::collections::BTreeMap<String, String> =
            settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        environment.insert("USHER_DATA".into(), folder.path().display().to_string());
        environment.insert("USHER_WORKERS".into(), "on".into());
        environment.insert("USHER_SECRET_KEY".into(), "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=".into());
        if backend == Backend::Postgres {
            environment.insert("DATABASE_URL".into(), database::create().await);
            environment.insert("USHER_POSTGRES_CONNECTIONS".into(), "8".into());
        }
        let config = Config::from(environment, None).expect("the test's settings are right");
        let db = usher_db::Db::open(&config.database).await.expect("the database opens");
        if backend == Backend::Sqlite {
            usher::app::migrate(&db).await.expect("the migrations apply");
        }
        let clock = Clock::fixed(START);
        let sealer = config.secret_key.clone().expect("the test's key");
        let app = App::new(config, sealer, db, clock.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = watch::channel(false);
        let mut until = stopped;
        let endpoint = http::endpoint(app.clone());
        let serving = vec![tokio::spawn(async move {
            let stop = async { _ = until.wait_for(|stop| *stop).await };
            http::serve(listener, endpoint, Duration::from_secs(5), stop).await;
        })];
        let site = new_site(&app, "First", None, true).await;
        let key = new_key(&app, &site, Scope::ALL.iter().copied().collect(), None).await;
        // The first test to come here sets it for all.
        _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { app, clock, address, http, site, key, leaves_traces: false, stop, serving, _folder: folder }
    }

    /// Another site with the first one's settings, and a key of it that has every scope.
    pub async fn other_site(&self, name: &str, domain: Option<&str>) -> (sites::Site, TestKey) {
        let site = new_site(&self.app, name, domain, true).await;
        let mut tx = self.app.db.begin().await.expect("a transaction");
        sites::store::update(tx.conn(), site.id, name, domain, &self.site.settings).await.expect("an update");
        tx.commit().await.expect("a commit");
        let key = new_key(&self.app, &site, Scope::ALL.iter().copied().collect(), None).await;
        (site, key)
    }

    /// Another key of the first site.
    pub async fn key_with(&self, scopes: &[Scope]) -> TestKey {
        new_key(&self.app, &self.site, scopes.iter().copied().collect(), None).await
    }

    /// A key of the first site that expires.
    pub async fn key_until(&self, at: Time) -> TestKey {
        new_key(&self.app, &self.site, Scope::ALL.iter().copied().collect(), Some(at)).await
    }

    /// Changes the first site's settings.
    pub async fn settings(&mut self, change: impl FnOnce(&mut sites::Settings)) {
        change(&mut self.site.settings);
        let mut tx = self.app.db.begin().await.expect("a transaction");
        let (name, domain) = (&self.site.name, self.site.domain.as_deref());
        sites::store::update(tx.conn(), self.site.id, name, domain, &self.site.settings).await.expect("an update");
        tx.commit().await.expect("a commit");
    }

    /// Lets every key call as often as it likes.
    pub async fn without_budgets(&mut self) {
        self.settings(|settings| {
            settings.budgets.reads_per_minute = 1_000_000;
            settings.budgets.writes_per_minute = 1_000_000;
            settings.budgets.calls_per_minute = 1_000_000;
        })
        .await;
    }

    /// Calls a tool with the key that may do everything, and gives its result.
    pub async fn ok(&self, tool: &str, args: Value) -> Value {
        self.call(&self.key, tool, args).await.result()
    }

    /// The same for a tool about one thing, and gives that thing: `video` of `videos.get`.
    pub async fn one(&self, tool: &str, args: Value) -> Value {
        self.call(&self.key, tool, args).await.one()
    }

    /// Calls a tool.
    pub async fn call(&self, key: &TestKey, tool: &str, args: Value) -> Reply {
        self.call_with(key, tool, json!({ "args": args }), &[]).await
    }

    /// Calls a tool with a whole body and headers.
    pub async fn call_with(&self, key: &TestKey, tool: &str, body: Value, headers: &[(&str, &str)]) -> Reply {
        let mut all =
            vec![("authorization", format!("Bearer {}", key.text)), ("content-type", "application/json".into())];
        all.extend(headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self.send("POST", &format!("/api/v1/tools/{tool}"), &all, body.to_string()).await
    }

    /// Sends any request.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: impl Into<reqwest::Body>,
    ) -> Reply {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.address)).body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        Reply::read(request.send().await.expect("an answer")).await
    }

    /// Waits until a job has ended, and gives it.
    pub async fn job(&self, id: &Value) -> Value {
        let id = id.as_str().expect("a job's id");
        let site = self.site.id.number();
        let row = self.app.jobs.wait(site, id, PATIENCE).await.expect("the database answers").expect("there is a job");
        assert!(row.state.is_over(), "the job has not ended: {row:?}");
        usher::areas::jobs::JobView::from_row(row).expect("a job").json()
    }

    /// Stops the server, and fails if the test has left a job waiting or made a call fail unseen.
    pub async fn end(self) {
        if !self.leaves_traces {
            let failed = self.rows("SELECT tool FROM activity WHERE status = 'failed'").await;
            assert!(failed.is_empty(), "calls or jobs failed: {failed:?}");
            let open = self.rows("SELECT kind FROM job WHERE site <> 0 AND state IN ('queued', 'running')").await;
            assert!(open.is_empty(), "jobs are still open: {open:?}");
        }
        self.stop.send(true).expect("the server is running");
        for task in self.serving {
            tokio::time::timeout(PATIENCE, task).await.expect("it stops in time").expect("it did not panic");
        }
        self.app.db.close().await;
    }

    /// Runs a statement of the test's own, for what no tool can do.
    pub async fn execute(&self, text: &str) {
        let text = sqlx::AssertSqlSafe(text.to_owned());
        if let Some(pool) = self.app.db.postgres() {
            sqlx::query(text).execute(pool).await.expect("it runs");
        } else {
            let pool = self.app.db.sqlite_writer().expect("one of two databases");
            sqlx::query(text).execute(pool).await.expect("it runs");
        }
    }

    /// Makes a plan that Stripe does not know.
    pub async fn plan(&self, id: &PlanId, name: &str) {
        let mut tx = self.app.db.begin().await.expect("a transaction");
        let plan = plans::Plan {
            id: id.clone(),
            name: Title::parse(name).expect("a title"),
            description: None,
            pricing: None,
            amount: 1000,
            currency: "EUR".into(),
            every: plans::Every::Month,
            every_n: 1,
            trial_days: 0,
            public: false,
            opens: plans::Opens::All,
            needs_review: None,
            archived_at: None,
            product_id: None,
            price_id: None,
            created_at: self.clock.now(),
            updated_at: self.clock.now(),
        };
        plans::store::insert(tx.conn(), self.site.id, &plan).await.expect("it is written");
        tx.commit().await.expect("a commit");
    }

    /// The first column of what a statement of the test's own gives.
    pub async fn rows(&self, text: &'static str) -> Vec<String> {
        use sqlx::Row as _;
        if let Some(pool) = self.app.db.postgres() {
            let rows = sqlx::query(text).fetch_all(pool).await.expect("rows");
            return rows.iter().map(|row| row.get(0)).collect();
        }
        let pool = self.app.db.sqlite_writer().expect("one of two databases");
        let rows = sqlx::query(text).fetch_all(pool).await.expect("rows");
        rows.iter().map(|row| row.get(0)).collect()
    }
}

pub async fn new_site(app: &App, name: &str, domain: Option<&str>, live: bool) -> sites::Site {
    let mut tx = app.db.begin().await.expect("a transaction");
    let site = sites::store::insert(tx.conn(), name, domain, live, app.clock.now()).await.expect("a site");
    tx.commit().await.expect("a commit");
    site
}

pub async fn new_key(app: &App, site: &sites::Site, scopes: Scopes, expires_at: Option<Time>) -> TestKey {
    let mut tx = app.db.begin().await.expect("a transaction");
    let made = keys::actions::create(&mut tx, &app.clock, site, "Test", scopes, expires_at).await;
    let (key, text) = made.expect("a key");
    tx.commit().await.expect("a commit");
    TestKey { id: key.id, text }
}
