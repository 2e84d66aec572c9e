//! `usher backup` and `usher restore`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use usher_db::Engine;

use super::{Result, out};
use crate::{
    app,
    areas::secret_key::{self, SecretKeyError},
    backup::{self, Backup as File, Made, MadeFrom, Manifest, Source},
    clock::Clock,
    config::Config,
};

/// How a PostgreSQL database is saved and filled again. The commands take its address from the environment.
const DUMP: &str = "pg_dump --format=custom --no-owner --file=usher.dump \"$DATABASE_URL\"";
const FILL: &str = "pg_restore --no-owner --dbname=\"$DATABASE_URL\" usher.dump";

#[derive(Args)]
pub(super) struct Backup {
    /// The file to write, such as usher-2026-11-28.zip. A backup of this name is replaced once the new one is whole.
    file: PathBuf,
    /// Leave the secret key out: whoever finds the backup cannot use the Stripe keys and passwords in it. Keep
    /// secret.key somewhere else; without it they have to be set again.
    #[arg(long)]
    without_key: bool,
}

#[derive(Args)]
pub(super) struct Restore {
    /// The backup.
    file: PathBuf,
    /// Restore into a folder that is not empty: what is there is moved aside.
    #[arg(long)]
    replace: bool,
    /// Only read the backup and check that it is whole.
    #[arg(long, conflicts_with = "replace")]
    check: bool,
}

pub(super) async fn backup(command: Backup, json: bool) -> Result<()> {
    let config = Config::load()?;
    super::check_folder(&config)?;
    let found = secret_key::find(&config)?.filter(|_| !command.without_key);
    let source = Source {
        data: config.data.clone(),
        engine: config.database.engine(),
        schema: app::newest_migration(),
        secret_key: found.map(|found| found.text),
        now: Clock::system().now().to_string(),
    };
    let file = command.file.clone();
    let made = tokio::task::spawn_blocking(move || backup::make(&source, &file)).await??;
    show(&command, &config, &made, json)
}

fn show(command: &Backup, config: &Config, made: &Made, json: bool) -> Result<()> {
    let (manifest, file) = (&made.manifest, command.file.display());
    if json {
        let mut line = about(manifest);
        line["file"] = json!(command.file);
        line["bytes"] = json!(made.bytes);
        return out(&line.to_string());
    }
    out(&format!("Wrote {file} ({}): {}.", size(made.bytes), contents(manifest)))?;
    if !manifest.has_secret_key() {
        let key = config.data.join(crate::data_folder::SECRET_KEY);
        out(&format!("The secret key is not in it. Keep {} as well.", key.display()))?;
    }
    if config.database.engine() == Engine::Postgres {
        out(&format!(
            "\nThe database is not in it. Save it as well, at about the same time:\n\n  {DUMP}\n\nTo restore both, into an \
             empty database:\n\n  {FILL}\n  usher restore {file}"
        ))?;
    }
    Ok(())
}

pub(super) async fn restore(command: Restore, json: bool) -> Result<()> {
    let (config, clock) = (Config::load()?, Clock::system());
    let mut file = File::open(&command.file)?;
    let name = command.file.display();
    if command.check {
        let checked = tokio::task::spawn_blocking(move || file.check().map(|()| file.manifest));
        let manifest = checked.await??;
        return match json {
            true => out(&about(&manifest).to_string()),
            false => out(&format!("{name} is whole: {}.", contents(&manifest))),
        };
    }
    let restored = backup::restore(&config, file, command.replace, clock.now()).await?;
    let manifest = &restored.manifest;
    let db = super::open(&config).await?;
    let key = secret_key::check(&config, &db, clock.now()).await;
    db.close().await;
    let rows = restored.moved.as_ref().map(|moved| moved.rows.values().sum::<i64>());
    if json {
        let mut line = about(manifest);
        line["rows"] = json!(rows);
        line["movedAside"] = json!(restored.aside);
        line["secretKeyError"] = json!(key.as_ref().err().map(ToString::to_string));
        return out(&line.to_string());
    }
    let begun = if restored.was_unfinished { "Finished the restore of" } else { "Restored" };
    out(&format!("{begun} {name}: {}.", contents(manifest)))?;
    if let Some(rows) = rows {
        out(&format!("Moved {rows} rows into PostgreSQL, and counted them there."))?;
    }
    if let Some(moved) = restored.moved.as_ref().filter(|moved| moved.n_replaced > 0) {
        out(&format!("PostgreSQL cannot store NUL characters: replaced them in {} values.", moved.n_replaced))?;
    }
    if let Some(aside) = &restored.aside {
        out(&format!("What was there before is now in {}.", aside.display()))?;
    }
    // Without a schema there is nothing yet that it could open.
    if let Err(error) = key
        && !matches!(error, SecretKeyError::Database(_))
    {
        out(&format!("Before you start: {error}."))?;
    }
    out("Start Usher with `usher serve`.")
}

/// What is in a backup, in words.
fn contents(manifest: &Manifest) -> String {
    let mut parts = Vec::new();
    if manifest.has_database() {
        parts.push("the database".to_owned());
    }
    parts.push(match manifest.n_files() {
        1 => "1 file (uploads, error files, exports)".into(),
        n => format!("{n} files (uploads, error files, exports)"),
    });
    parts.push(if manifest.has_secret_key() { "the secret key".into() } else { "no secret key".into() });
    format!("{}; made {} by Usher {}", parts.join(", "), manifest.created_at, manifest.version)
}

fn about(manifest: &Manifest) -> serde_json::Value {
    json!({
        "createdAt": manifest.created_at, "version": manifest.version, "schema": manifest.schema,
        "database": match manifest.from { MadeFrom::Sqlite => "sqlite", MadeFrom::Postgres => "postgres" },
        "hasDatabase": manifest.has_database(), "hasSecretKey": manifest.has_secret_key(), "files": manifest.n_files(),
    })
}

/// A size in words.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
