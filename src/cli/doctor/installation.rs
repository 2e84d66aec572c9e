//! What there is once, whatever the number of sites.

use std::{path::PathBuf, time::Duration};

use usher_db::{Db, Engine, Options, Schema};

use super::Findings;
use crate::{
    app,
    areas::{
        installation::database_clock,
        secret_key::{self, Origin},
    },
    backup,
    clock::Clock,
    config::Config,
    data_folder,
};

/// Less free disk than this is a problem.
const MIN_FREE_BYTES: u64 = 1 << 30;

/// A clock that differs from the database's by more is a problem.
const MAX_DRIFT: Duration = Duration::from_secs(5);

/// When this was written, in microseconds since 1970: a clock before it is wrong.
const WRITTEN: i64 = 1_795_000_000_000_000;

/// Work that waits for longer shows that nobody does it.
const MAX_WAIT_US: i64 = 60_000_000;

/// How long the server may take to say that it is there.
const ANSWER: Duration = Duration::from_secs(2);

/// Looks, and gives the database if there is one to look into.
pub(super) async fn look(config: &Config, clock: &Clock, found: &mut Findings) -> Option<Db> {
    folder(config, found);
    disk(config, found);
    let db = database(config, found).await;
    if let Some(db) = &db {
        key(config, db, clock, found).await;
        time(db, clock, found).await;
        work(config, db, clock, found).await;
    }
    server(config, found).await;
    proxies(config, found);
    db
}

fn folder(config: &Config, found: &mut Findings) {
    let (what, folder) = ("data folder", config.data.display());
    if backup::is_unfinished(&config.data) {
        let text = format!("{folder}: a restore was interrupted");
        found.problem(what, text, "run the same `usher restore` again");
    } else if !config.data.exists() {
        found.problem(what, format!("{folder} is not there"), "run `usher`, or set USHER_DATA to the folder");
    } else if data_folder::is_open(&config.data) {
        let fix = format!("run `chmod 700 {folder}` as the user that Usher runs as");
        found.problem(what, format!("other users of this machine can read {folder}"), fix);
    } else {
        found.ok(what, format!("{folder}, readable by this user only"));
    }
}

fn disk(config: &Config, found: &mut Findings) {
    let there: Option<PathBuf> = config.data.ancestors().find(|path| path.exists()).map(PathBuf::from);
    let folder = there.filter(|path| !path.as_os_str().is_empty()).unwrap_or_else(|| ".".into());
    match rustix::fs::statvfs(&folder) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let text = format!("{:.1} GiB are free", free as f64 / f64::from(1 << 30));
            if free < MIN_FREE_BYTES {
                found.problem("disk", text, "make room: when the disk is full, every call is refused");
            } else {
                found.ok("disk", text);
            }
        }
        Err(error) => found.problem("disk", format!("it cannot be asked: {error}"), "look at the data folder's disk"),
    }
}

async fn database(config: &Config, found: &mut Findings) -> Option<Db> {
    let what = "database";
    if let Options::Sqlite { path, .. } = &config.database
        && !path.exists()
    {
        let fix = "run `usher`, which creates it with a site and a key; or set DATABASE_URL";
        found.problem(what, format!("{} is not there", path.display()), fix);
        return None;
    }
    let db = match Db::open(&config.database).await {
        Ok(db) => db,
        Err(error) => {
            found.problem(what, error.to_string(), "start the database, and check DATABASE_URL");
            return None;
        }
    };
    let name = match db.engine() {
        Engine::Sqlite => "SQLite",
        Engine::Postgres => "PostgreSQL",
    };
    let (text, fix) = match app::schema(&db).await {
        Ok(Schema::Current) => {
            found.ok(what, format!("{name}, up to date"));
            return Some(db);
        }
        Ok(Schema::Behind(n)) => (format!("{name}: {n} migrations are missing"), "run `usher migrate`"),
        Ok(Schema::Ahead) => {
            (format!("{name}: a newer Usher has migrated it"), "run that version, or restore a backup")
        }
        Err(error) => (format!("{name}: {error}"), "check the database's log"),
    };
    found.problem(what, text, fix);
    None
}

async fn key(config: &Config, db: &Db, clock: &Clock, found: &mut Findings) {
    let what = "secret key";
    let key = match secret_key::check(config, db, clock.now()).await {
        Ok(Some(key)) => key,
        Ok(None) => return found.off(what, "there is none yet", "nothing to do: the next start creates it"),
        Err(error) => return found.problem(what, error.to_string(), "see docs/running.md, \"The secret key\""),
    };
    let origin = match key.origin {
        Origin::Setting => "from USHER_SECRET_KEY",
        Origin::File => "from secret.key in the data folder",
    };
    let sealed = secret_key::sealed(db, clock.now()).await.unwrap_or_default();
    let lost: Vec<_> = sealed.iter().filter(|one| !one.opens(&key.sealer)).collect();
    for one in &lost {
        found.problem(
            what,
            format!("{} cannot be opened with it", one.what),
            format!("set it again: `usher {}`", one.mend),
        );
    }
    if lost.is_empty() {
        let notes = key.notes.iter().fold(String::new(), |text, note| format!("{text}. {note}"));
        found.ok(what, format!("{origin}; opens what is sealed{notes}"));
    }
}

async fn time(db: &Db, clock: &Clock, found: &mut Findings) {
    let (what, now) = ("clock", clock.now());
    if now.micros() < WRITTEN {
        return found.problem(what, format!("this machine says {now}"), "set its clock (systemd-timesyncd, chrony)");
    }
    let Ok(theirs) = database_clock(db.read()).await else { return };
    let drift = Duration::from_micros(clock.now().micros().abs_diff(theirs));
    if drift > MAX_DRIFT {
        let text = format!("it differs from the database server's by {} s", drift.as_secs());
        found.problem(what, text, "set both clocks (systemd-timesyncd, chrony)");
    } else {
        found.ok(what, format!("{now}"));
    }
}

/// Whether jobs are done.
async fn work(config: &Config, db: &Db, clock: &Clock, found: &mut Findings) {
    let what = "jobs";
    let jobs = app::jobs(db, clock, usher_jobs::Settings::default());
    let Ok(depth) = jobs.depth().await else { return };
    let runs = match db.engine() {
        Engine::Sqlite => data_folder::lock(&config.data, data_folder::WORK_LOCK).is_ok_and(|lock| lock.is_none()),
        Engine::Postgres => jobs.n_workers().await.is_ok_and(|n| n > 0),
    };
    let fix = match db.engine() {
        Engine::Sqlite => "start Usher: `usher serve` (with USHER_WORKERS=off also `usher work`)",
        Engine::Postgres => "start at least one worker: `usher work`",
    };
    if !runs {
        found.problem(what, format!("nobody runs jobs; {} wait", depth.queued), fix);
    } else if depth.oldest_us > MAX_WAIT_US {
        let text = format!("{} wait, the oldest for {} s", depth.queued, depth.oldest_us / 1_000_000);
        found.problem(what, text, "start more workers, or look at the log of those that run");
    } else {
        let failed = if depth.dead > 0 { format!(", {} failed (jobs.list)", depth.dead) } else { String::new() };
        found.ok(what, format!("{} wait, {} run{failed}", depth.queued, depth.running));
    }
}

/// Whether somebody answers at the address, and is ready.
async fn server(config: &Config, found: &mut Findings) {
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    let url = format!("http://{address}");
    let what = "server";
    _ = rustls::crypto::ring::default_provider().install_default(); // there may be one already
    let http = reqwest::Client::builder().no_proxy().timeout(ANSWER).build();
    let Ok(http) = http else { return };
    match http.get(format!("{url}/readyz")).send().await {
        Ok(answer) if answer.status().is_success() && !is_served(config) => {
            let text = format!("the server at {url} serves another data folder than {}", config.data.display());
            found.problem(what, text, "start one for this folder on another address (USHER_LISTEN), or stop that one");
        }
        Ok(answer) if answer.status().is_success() => found.ok(what, format!("ready at {url}")),
        Ok(answer) => {
            let status = answer.status();
            let body = answer.text().await.unwrap_or_default();
            let body: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
            let why = body["error"].as_str().unwrap_or("something else answers there");
            found.problem(what, format!("{url} answers {status}: {why}"), "look at its log");
        }
        Err(_) => found.problem(what, format!("nobody answers at {url}"), "start it: `usher serve`"),
    }
}

/// Whether somebody serves the database of this folder. Of a PostgreSQL database that cannot be told from the folder.
fn is_served(config: &Config) -> bool {
    !matches!(config.database, usher_db::Options::Sqlite { .. })
        || data_folder::lock(&config.data, data_folder::SERVE_LOCK).is_ok_and(|lock| lock.is_none())
}

fn proxies(config: &Config, found: &mut Findings) {
    let what = "proxies";
    if !config.trusted_proxies.is_empty() {
        let list: Vec<_> = config.trusted_proxies.iter().map(ToString::to_string).collect();
        return found.ok(what, format!("X-Forwarded-For is taken from {}", list.join(", ")));
    }
    let fix = "behind a proxy such as Caddy or nginx, set USHER_TRUSTED_PROXIES to its address, such as 127.0.0.1";
    found.off(what, "X-Forwarded-For is taken from nobody: callers behind a proxy all look like one", fix);
}
