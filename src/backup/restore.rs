//! Restoring a backup, into a data folder or into an empty PostgreSQL.

use std::{fs, path::PathBuf};

use usher_db::{Besides, Db, Engine, Options, Schema, TransferError, Transferred};

use super::{
    BackupError, Result,
    manifest::{MadeFrom, Manifest},
    place::{List, Place},
    read::Backup,
};
use crate::{
    app,
    areas::{installation, members},
    config::Config,
    data_folder::{DATABASE, SECRET_KEY},
    values::Time,
};

/// Tables that are not moved from SQLite to PostgreSQL: lists of migrations, tickets of jobs (which are made again for
/// every job that waits), what budgets are used, and how many members there are, which is counted anew. `setting` has secrets that the migrations have made.
pub const BESIDES: Besides<'static> = Besides {
    sqlite: &["_usher_migrations", "_sqlx_migrations", "Jobs", "Workers", "member_tally"],
    postgres: &["_usher_migrations", "budget", "member_blocked", "member_tally", "member_tally_change"],
    replaced: &["setting"],
};

/// The setting that says from which backup a PostgreSQL database was filled.
const RESTORED: &str = "restored_from";

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// What the backup said of itself.
    pub manifest: Manifest,
    /// Where the files went that were there before.
    pub aside: Option<PathBuf>,
    /// What was moved into PostgreSQL.
    pub moved: Option<Transferred>,
    /// It was begun before, and is finished now.
    pub was_unfinished: bool,
}

/// Restores a backup. `replace` says that what is in the folder may be moved aside.
pub async fn restore(config: &Config, mut backup: Backup, replace: bool, now: Time) -> Result<Restored> {
    let place = Place::take(&config.data)?;
    suits(&backup.manifest, config.database.engine())?;
    if let Some(list) = place.decided()?
        && let Some(restored) = go_on(config, &place, &list, &backup).await?
    {
        return Ok(restored);
    }
    may_fill(&place, config, &mut backup, replace)?;
    place.clear()?;
    let moved = match unpack(config, &place, &mut backup, now).await {
        Ok(moved) => moved,
        Err(error) => {
            // A commit whose answer did not come may have been done: then the next restore finishes it.
            let is_open = match place.decided()? {
                Some(list) => arrived(config).await.map_or(true, |id| id.is_some_and(|id| id == list.id)),
                None => false,
            };
            if !is_open {
                place.give_up();
            }
            return Err(error);
        }
    };
    let list = place.decided()?.ok_or_else(|| BackupError::new("the list of files is gone"))?;
    let aside = place.finish(&list)?;
    Ok(Restored { manifest: backup.manifest, aside, moved, was_unfinished: false })
}

/// Whether a backup can be restored with this database at all.
fn suits(manifest: &Manifest, engine: Engine) -> Result<()> {
    if manifest.schema > app::newest_migration() {
        return Err(BackupError::new(format!(
            "the backup was made by Usher {}, whose database is newer than this one knows; restore it with that version",
            manifest.version
        )));
    }
    match (manifest.from, engine) {
        (MadeFrom::Postgres, Engine::Sqlite) => Err(BackupError::new(
            "the backup was made on PostgreSQL: it has the files and the secret key. Set DATABASE_URL to the database that \
             pg_restore has filled",
        )),
        (MadeFrom::Sqlite, _) if !manifest.has_database() => Err(BackupError::new("the backup has no database")),
        _ => Ok(()),
    }
}

/// Finishes a restore that was stopped, if it was one of this backup; `None` if it has to begin again.
async fn go_on(config: &Config, place: &Place, list: &List, backup: &Backup) -> Result<Option<Restored>> {
    if list.postgres && arrived(config).await?.is_none_or(|id| id != list.id) {
        // The database was not filled: nothing has happened yet.
        return Ok(None);
    }
    let aside = place.finish(list)?;
    if list.id != backup.id {
        return Err(BackupError::new(
            "an earlier restore, of another backup, had been interrupted; it has been finished now. Run this one again \
             with --replace to replace it",
        ));
    }
    Ok(Some(Restored { manifest: backup.manifest.clone(), aside, moved: None, was_unfinished: true }))
}

/// From which backup the PostgreSQL database was filled.
async fn arrived(config: &Config) -> Result<Option<String>> {
    let db = open(&config.database).await?;
    let id = match app::schema(&db).await {
        Ok(Schema::Behind(_)) => Ok(None),
        _ => installation::secret(db.read(), RESTORED).await,
    };
    db.close().await;
    id.map_err(|error| BackupError::new(error.to_string()))
}

fn may_fill(place: &Place, config: &Config, backup: &mut Backup, replace: bool) -> Result<()> {
    let mut names = place.occupied();
    let key = fs::read_to_string(config.data.join(SECRET_KEY)).unwrap_or_default();
    // A key that was put there for a backup without one, or that is the backup's.
    if !backup.manifest.has_secret_key() || backup.secret_key()?.is_some_and(|text| text.trim() == key.trim()) {
        names.retain(|name| name != SECRET_KEY);
    }
    if names.is_empty() || replace {
        return Ok(());
    }
    Err(BackupError::new(format!(
        "the folder {} is not empty: it has {}. Set USHER_DATA to a new folder, or say --replace: what is there is moved \
         aside, and nothing is deleted",
        config.data.display(),
        names.join(", ")
    )))
}

/// Unpacks, checks, migrates, fills PostgreSQL, and decides.
async fn unpack(config: &Config, place: &Place, backup: &mut Backup, now: Time) -> Result<Option<Transferred>> {
    let folder = place.unpacking();
    tokio::task::block_in_place(|| backup.unpack(&folder))?;
    let seconds = now.micros() / 1_000_000;
    let file = folder.join(DATABASE);
    if backup.manifest.has_database() {
        migrate(&file).await?;
    }
    if config.database.engine() == Engine::Sqlite || !backup.manifest.has_database() {
        place.decide(&backup.id, false, seconds)?;
        return Ok(None);
    }
    // By another name it is not put in place.
    let moving = folder.join("moving.db");
    fs::rename(&file, &moving).map_err(BackupError::of(&file))?;
    place.decide(&backup.id, true, seconds)?;
    fill(config, &moving, &backup.id).await.map(Some)
}

/// Brings the unpacked database to this version, and folds everything into the one file.
async fn migrate(file: &std::path::Path) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| BackupError::new(format!("the backup's database: {error}"));
    let options = Options::Sqlite { path: file.to_owned(), synchronous: usher_db::Synchronous::Full, readers: 1 };
    let db = open(&options).await?;
    let migrated = app::migrate(&db).await;
    db.close().await;
    drop(db);
    migrated.map_err(|error| failed(&error))?;
    let path = file.to_owned();
    let folded = tokio::task::spawn_blocking(move || usher_db::fold(&path).and_then(|()| usher_db::verify(&path)));
    folded.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
}

async fn open(options: &Options) -> Result<Db> {
    Db::open(options).await.map_err(|error| BackupError::new(error.to_string()))
}

/// Moves every row into PostgreSQL, in one transaction.
async fn fill(config: &Config, file: &std::path::Path, id: &str) -> Result<Transferred> {
    let db = open(&config.database).await?;
    let filled = fill_open(&db, file, id).await;
    db.close().await;
    filled
}

async fn fill_open(db: &Db, file: &std::path::Path, id: &str) -> Result<Transferred> {
    let failed = |error: &dyn std::fmt::Display| BackupError::new(error.to_string());
    let pool = db.postgres().ok_or_else(|| BackupError::new("DATABASE_URL is not PostgreSQL"))?;
    let is_anothers = usher_db::has_other_tables(pool).await.map_err(|error| failed(&error))?;
    if is_anothers {
        return Err(BackupError::new(
            "the PostgreSQL database is not empty: it has tables that are not Usher's. Create a new database",
        ));
    }
    app::migrate(db).await.map_err(|error| failed(&error))?;
    let id = id.to_owned();
    let moved = usher_db::transfer(file, pool, BESIDES, async |conn| {
        members::count_anew(usher_db::Conn::PgTx(&mut *conn)).await?;
        installation::note(usher_db::Conn::PgTx(conn), RESTORED, &id).await
    })
    .await;
    moved.map_err(|error| match error {
        TransferError::NotEmpty(table) => BackupError::new(format!(
            "the PostgreSQL database is not empty: table {table} has rows. A backup of SQLite goes into an empty database; \
             create a new one"
        )),
        error => failed(&error),
    })
}
