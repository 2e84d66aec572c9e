//! Serving: the first run, and every other.

use std::{
    fs::File,
    io::{self, IsTerminal as _},
    sync::Arc,
};

use serde_json::json;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use usher_db::{Db, Engine};

use super::{Failure, Result, app, check_schema, open, out};
use crate::{
    app::{self as application, App},
    areas::{keys, sites},
    clock::Clock,
    config::Config,
    data_folder,
    surfaces::http,
    tools::scope::Preset,
    worker,
};

/// What a first run made, to be shown once.
struct Welcome {
    site: sites::Site,
    key: String,
}

/// Whether a site and a key are made if there is none.
#[derive(Clone, Copy)]
enum Run {
    First,
    Later,
}

/// Sets up what is not there yet, and serves.
pub(super) async fn first_run(config: Config, json: bool) -> Result<()> {
    log(&config);
    let db = open(&config).await?;
    application::migrate(&db).await?;
    start(config, db, Run::First, json).await
}

/// Serves a database that is set up; SQLite is migrated on the way.
pub(super) async fn serve(config: Config, json: bool) -> Result<()> {
    log(&config);
    let db = open(&config).await?;
    match db.engine() {
        Engine::Sqlite => application::migrate(&db).await?,
        Engine::Postgres => check_schema(&db).await?,
    }
    start(config, db, Run::Later, json).await
}

/// Runs jobs until told to stop.
pub(super) async fn work(config: Config) -> Result<()> {
    log(&config);
    let db = open(&config).await?;
    check_schema(&db).await?;
    let stop = stopped()?;
    let app = app(config, db).await?;
    let _working = working(&app).await?;
    tracing::info!("running jobs");
    worker::run(app.clone(), stop).await;
    app.db.close().await;
    Ok(())
}

async fn start(config: Config, db: Db, run: Run, json: bool) -> Result<()> {
    http::start_metrics();
    let metrics = match config.metrics_address {
        Some(address) => Some(bind(address, "USHER_METRICS_ADDRESS").await?),
        None => None,
    };
    let _alone = alone(&config, &db, data_folder::SERVE_LOCK, "serves")?;
    let listener = bind(config.listen, "USHER_LISTEN").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let app = app(config, db).await?;
    // Only now that nothing can go wrong any more: the key that is made here is shown once.
    let welcome = match run {
        Run::First => welcome(&app.db).await?,
        Run::Later => None,
    };
    let stop = stopped()?;
    let _working = if app.config.workers { working(&app).await? } else { None };
    let workers = app.config.workers.then(|| tokio::spawn(worker::run(app.clone(), stop.clone())));
    greet(&app, &address, welcome, json).await?;
    let drain = app.config.drain;
    if let Some(listener) = metrics {
        tracing::info!(address = %listener.local_addr()?, "metrics");
        let (endpoint, mut stop) = (http::metrics_endpoint(app.clone()), stop.clone());
        tokio::spawn(http::serve(listener, endpoint, drain, async move { _ = stop.wait_for(|stop| *stop).await }));
    }
    http::serve(listener, http::endpoint(app.clone()), drain, async {
        let mut stop = stop;
        _ = stop.wait_for(|stop| *stop).await;
        app.stopping.cancel();
    })
    .await;
    if let Some(workers) = workers {
        _ = workers.await;
    }
    app.db.close().await;
    tracing::info!("stopped");
    Ok(())
}

async fn bind(address: std::net::SocketAddr, setting: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            Failure(format!("{address} is taken by another program; set {setting} to a free address"))
        }
        _ => Failure(format!("cannot listen on {address}: {error}")),
    })
}

/// Makes the first site and its key, if there is none.
async fn welcome(db: &Db) -> Result<Option<Welcome>> {
    let clock = Clock::system();
    let mut tx = db.begin().await?;
    if !sites::store::all(tx.conn()).await?.is_empty() {
        tx.rollback().await?;
        return Ok(None);
    }
    let site = sites::store::insert(tx.conn(), "My site", None, true, clock.now()).await?;
    let scopes = Preset::parse("full-access").expect("a known preset").scopes();
    let (_, key) = keys::actions::create(&mut tx, &clock, &site, "First key", scopes, None).await?;
    tx.commit().await?;
    Ok(Some(Welcome { site, key }))
}

async fn greet(app: &Arc<App>, address: &str, welcome: Option<Welcome>, json: bool) -> Result<()> {
    if json {
        let line = match &welcome {
            Some(new) => json!({ "address": address, "site": new.site.id.number(), "key": new.key }),
            None => {
                empty(app, true).await?;
                let sites = sites::store::all(app.db.read()).await?;
                json!({ "address": address, "site": sites.first().map(|site| site.id.number()) })
            }
        };
        return out(&line.to_string());
    }
    out(&format!("Usher {} serves at {address} (reference: {address}/docs)", env!("CARGO_PKG_VERSION")))?;
    let Some(Welcome { site, key }) = welcome else { return empty(app, false).await };
    out(&format!(
        "\nMade the site {:?} and a key with full access. It is shown only now:\n\n  {key}\n\nTry it:\n\n  \
         curl -X POST {address}/api/v1/tools/keys.whoami -H 'Authorization: Bearer {key}'\n",
        site.name
    ))
}

/// Says what is missing before anybody can call: a site, or a key.
async fn empty(app: &App, json: bool) -> Result<()> {
    let mut missing = Vec::new();
    let all = sites::store::all(app.db.read()).await?;
    if all.is_empty() {
        missing.push(
            "There is no site yet, so nobody can call. Stop this and run `usher` without a command, which makes a site and \
             a key; or run, beside it:\n\n  usher sites create \"My site\"\n  usher keys create --name \"First key\" --scopes \
             full-access"
                .to_owned(),
        );
    }
    for site in all {
        if keys::store::all(app.db.read(), site.id).await?.iter().all(|key| key.revoked_at.is_some()) {
            missing.push(format!(
                "The site {:?} has no key, so nobody can call it. Create one, beside this:\n\n  usher keys create --site {} \
                 --name \"First key\" --scopes full-access",
                site.name,
                site.id.number()
            ));
        }
    }
    for text in missing {
        if json {
            tracing::warn!("{}", text.split_whitespace().collect::<Vec<_>>().join(" "));
        } else {
            out(&format!("\n{text}\n"))?;
        }
    }
    Ok(())
}

/// With SQLite one process serves, since the budgets are in its memory, and one runs the jobs.
fn alone(config: &Config, db: &Db, name: &str, does: &str) -> Result<Option<File>> {
    if db.engine() == Engine::Postgres {
        return Ok(None);
    }
    let lock = data_folder::lock(&config.data, name);
    match lock.map_err(|error| Failure(format!("{}: {error}", config.data.join(name).display())))? {
        Some(file) => Ok(Some(file)),
        None => Err(Failure(format!(
            "another Usher {does} the folder {}; stop it, or set USHER_DATA to another folder",
            config.data.display()
        ))),
    }
}

/// The right to run the jobs. Where it is the only one there can be, what a crash left running goes on at once.
async fn working(app: &App) -> Result<Option<File>> {
    let lock = alone(&app.config, &app.db, data_folder::WORK_LOCK, "runs the jobs of")?;
    if lock.is_some() {
        app.jobs.reclaim().await?;
    }
    Ok(lock)
}

/// Turns true on SIGTERM or SIGINT; a second signal ends the process at once.
fn stopped() -> Result<watch::Receiver<bool>> {
    let (send, stop) = watch::channel(false);
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        let mut again = false;
        loop {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
            if again {
                std::process::exit(1);
            }
            again = true;
            tracing::info!("stopping");
            _ = send.send(true);
        }
    });
    Ok(stop)
}

fn log(config: &Config) {
    let filter: tracing_subscriber::EnvFilter = config.log.parse().expect("the configuration was checked");
    let colours = io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(io::stderr);
    // Whoever embeds the program may have a subscriber already; then theirs is used.
    _ = if config.log_json { builder.json().try_init() } else { builder.try_init() };
}
