//! Usher as its operator has it: a folder or a database, and processes that are started on it and killed.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection};
use tokio::{sync::oneshot, time::timeout};

use super::clients::Client;
use crate::harness::{Backend, PATIENCE};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// One Usher: its data, whatever processes run on it.
pub struct Installation {
    pub backend: Backend,
    pub folder: tempfile::TempDir,
    /// The URL of its PostgreSQL database.
    pub database: Option<String>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

impl Installation {
    /// One with nothing in it, not even a schema.
    pub async fn empty(backend: Backend) -> Self {
        let database = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some(create_database().await),
        };
        Self { backend, folder: tempfile::tempdir().expect("a temporary folder"), database }
    }

    /// One with a site, and the text of a key that may do everything.
    pub async fn new(backend: Backend) -> (Self, String) {
        let new = Self::empty(backend).await;
        new.usher(&["migrate"]).await;
        new.usher(&["sites", "create", "Storm"]).await;
        let (_, key) = new.key("Everything").await;
        (new, key)
    }

    /// Another key that may do everything: its id and its text.
    pub async fn key(&self, name: &str) -> (String, String) {
        let line = self.usher(&["--json", "keys", "create", "--name", name, "--scopes", "full-access"]).await;
        let made: Value = serde_json::from_str(&line).expect("one JSON object");
        (text(&made["id"]), text(&made["key"]))
    }

    /// Lets every key call as often as it likes.
    pub async fn without_budgets(&self) {
        let [reads, writes, calls] = ["--reads-per-minute", "--writes-per-minute", "--calls-per-minute"];
        self.usher(&["sites", "update", reads, "9000000", writes, "9000000", calls, "9000000"]).await;
    }

    /// Runs a command that succeeds, and gives what it prints.
    pub async fn usher(&self, arguments: &[&str]) -> String {
        let ended = self.ends(arguments, &[]).await;
        assert!(ended.status.success(), "usher {arguments:?}: {ended:?}");
        ended.out
    }

    /// Runs a command to its end, with more settings.
    pub async fn ends(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
        self.end_of(arguments, settings, Stdio::null()).await
    }

    async fn end_of(&self, arguments: &[&str], settings: &[(&str, &str)], input: Stdio) -> Ended {
        let [out, err] = ["out", "err"].map(|name| self.file(name));
        let mut command = self.command(arguments, settings);
        command.stdin(input);
        command.stdout(File::create(&out).expect("a file")).stderr(File::create(&err).expect("a file"));
        let mut running =
            Process { child: command.spawn().expect("usher starts"), address: String::new(), log: err.clone() };
        let status = running.ended().await;
        let read = |path| fs::read_to_string(path).expect("text");
        Ended { status, out: read(out), err: read(err) }
    }

    /// Runs a command to its end that reads something.
    pub async fn told(&self, arguments: &[&str], settings: &[(&str, &str)], input: &str) -> Ended {
        let given = self.file("in");
        fs::write(&given, input).expect("a file");
        self.end_of(arguments, settings, Stdio::from(File::open(given).expect("a file"))).await
    }

    /// Starts a server, and returns once it serves.
    pub async fn serve(&self, settings: &[(&str, &str)]) -> Process {
        let mut server = self.start(&["--json", "serve"], settings);
        let (send, line) = oneshot::channel();
        let out = BufReader::new(server.child.stdout.take().expect("it is piped"));
        // Its own thread, since a pipe's read cannot be given up; it ends with the process.
        std::thread::spawn(move || send.send(out.lines().next().and_then(Result::ok)));
        let line = timeout(PATIENCE, line).await.expect("it starts in time").expect("the thread answers");
        let line: Value = serde_json::from_str(&line.expect("a line before its end")).expect("one JSON object");
        server.address = text(&line["address"]);
        server
    }

    /// Starts a worker.
    pub fn work(&self) -> Process {
        self.work_with(&[])
    }

    /// Starts a worker with settings of its own.
    pub fn work_with(&self, settings: &[(&str, &str)]) -> Process {
        self.start(&["work"], settings)
    }

    /// Starts a command that may be killed.
    pub fn start(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Process {
        let log = self.file("log");
        let mut command = self.command(arguments, settings);
        command.stdout(Stdio::piped()).stderr(File::create(&log).expect("a file"));
        Process { child: command.spawn().expect("usher starts"), address: String::new(), log }
    }

    /// The program with the settings of this installation and no others.
    fn command(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
        command.args(arguments).stdin(Stdio::null()).current_dir(self.folder.path()).env_clear();
        command.env("USHER_LISTEN", "127.0.0.1:0").env("USHER_DATA", self.folder.path());
        if let Some(url) = &self.database {
            command.env("DATABASE_URL", url);
        }
        command.envs(settings.iter().copied());
        command
    }

    fn file(&self, kind: &str) -> PathBuf {
        self.folder.path().join(format!("{}.{kind}", NUMBER.fetch_add(1, Ordering::Relaxed)))
    }

    /// What a statement of the test's own gives, whose columns are all text. Beside whatever runs.
    pub async fn rows<const N: usize>(&self, statement: &'static str) -> Vec<[String; N]> {
        let Some(url) = &self.database else {
            let file = sqlx::sqlite::SqliteConnectOptions::new().filename(self.folder.path().join("usher.db"));
            let file = file.busy_timeout(PATIENCE);
            let mut connection = SqliteConnection::connect_with(&file).await.expect("the file opens");
            let rows = sqlx::query(statement).fetch_all(&mut connection).await.expect("rows");
            connection.close().await.expect("it closes");
            return rows.iter().map(|row| std::array::from_fn(|at| row.get(at))).collect();
        };
        let mut connection = PgConnection::connect(url).await.expect("PostgreSQL answers");
        let rows = sqlx::query(statement).fetch_all(&mut connection).await.expect("rows");
        connection.close().await.expect("it closes");
        rows.iter().map(|row| std::array::from_fn(|at| row.get(at))).collect()
    }

    /// Waits until every job of a site has ended.
    pub async fn jobs_are_over(&self) {
        let began = Instant::now();
        loop {
            let open = "SELECT CAST(count(*) AS TEXT) FROM job WHERE site <> 0 AND state IN ('queued', 'running')";
            let [[open]]: [[String; 1]; 1] = self.rows(open).await.try_into().expect("one row");
            if open == "0" {
                return;
            }
            assert!(began.elapsed() < 10 * PATIENCE, "{open} jobs are still open");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Makes an empty database. The server is the test run's own and is erased with it.
async fn create_database() -> String {
    let url = postgres_url();
    let (server, _) = url.rsplit_once('/').expect("a URL with a database");
    let name = format!("usher_{}_process_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL answers");
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a new database");
    connection.close().await.expect("it closes");
    format!("{server}/{name}")
}

#[expect(clippy::disallowed_methods, reason = "the tests' own setting")]
fn postgres_url() -> String {
    std::env::var("USHER_TEST_POSTGRES").expect("USHER_TEST_POSTGRES is set, as `bin/postgres run` does")
}

/// A text in JSON.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

/// A process that does not outlive the test.
pub struct Process {
    child: Child,
    pub address: String,
    log: PathBuf,
}

impl Process {
    /// Somebody who calls it with a key.
    pub fn client(&self, key: &str) -> Client {
        Client::new(&self.address, key)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it has ended");
    }

    /// SIGTERM, which it may take its time for.
    pub fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
    }

    /// Whether it runs no more.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("its status").is_some()
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("its status") {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What it wrote to standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "what a failed test's reader needs")]
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- standard error of usher {}\n{}", self.address, self.log());
        }
    }
}
