//! Where the measures take place: a temporary folder and databases that are made for them, and removed.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use reqwest::Url;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;
use usher_db::{Db, Engine, Options, Synchronous};

use super::{Failure, Result, say};

pub(super) struct Stage {
    folder: TempDir,
    postgres: Option<Url>,
    /// What the names of our databases begin with.
    prefix: String,
    /// Every database that was made, or was about to be.
    made: Mutex<Vec<String>>,
    places: Mutex<usize>,
}

/// An empty database, with a folder for whatever else is needed.
pub(super) struct Place {
    pub(super) folder: PathBuf,
    url: Option<Url>,
}

impl Stage {
    pub(super) async fn open(folder: Option<&Path>, postgres: Option<&str>) -> Result<Self> {
        let wrong = || Failure("the URL of PostgreSQL is not one like postgres://user:password@host/database".into());
        let postgres = postgres.map(|url| Url::parse(url).map_err(|_| wrong())).transpose()?;
        if let Some(server) = &postgres {
            execute(server, "SELECT 1".into()).await?;
        }
        let builder = || {
            let mut builder = tempfile::Builder::new();
            builder.prefix("usher-bench-");
            builder
        };
        let made = match folder {
            Some(folder) => builder().tempdir_in(folder),
            None => builder().tempdir(),
        };
        let folder = made.map_err(|error| Failure(format!("no temporary folder can be made: {error}")))?;
        let prefix = format!("usher_bench_{:08x}_", rand::random::<u32>());
        Ok(Self { folder, postgres, prefix, made: Mutex::default(), places: Mutex::default() })
    }

    /// For files that several places use.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A new, empty database.
    pub(super) async fn place(&self, engine: Engine) -> Result<Place> {
        let n = {
            let mut places = self.places.lock();
            *places += 1;
            *places
        };
        let folder = self.folder.path().join(n.to_string());
        std::fs::create_dir(&folder)?;
        let url = match (engine, &self.postgres) {
            (Engine::Postgres, Some(server)) => {
                let name = format!("{}{n}", self.prefix);
                self.made.lock().push(name.clone());
                if let Err(failure) = execute(server, format!("CREATE DATABASE {name}")).await {
                    self.made.lock().retain(|made| *made != name);
                    return Err(failure);
                }
                let mut url = server.clone();
                url.set_path(&name);
                Some(url)
            }
            _ => None,
        };
        Ok(Place { folder, url })
    }

    /// Removes a place that is not needed any more.
    pub(super) async fn leave(&self, place: Place) {
        if let Some(url) = &place.url {
            let name = url.path().trim_start_matches('/');
            self.drop(name).await;
            self.made.lock().retain(|made| made != name);
        }
        _ = std::fs::remove_dir_all(place.folder);
    }

    /// Removes everything.
    pub(super) async fn clear(self) {
        let made = std::mem::take(&mut *self.made.lock());
        for name in made {
            self.drop(&name).await;
        }
        let path = self.folder.path().to_owned();
        if let Err(error) = self.folder.close() {
            say(&format!("The folder {} is left behind: {error}", path.display()));
        }
    }

    async fn drop(&self, name: &str) {
        let Some(server) = &self.postgres else { return };
        if let Err(Failure(why)) = execute(server, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await {
            say(&format!("The database {name} is left behind: {why}"));
        }
    }
}

async fn execute(server: &Url, statement: String) -> Result<()> {
    let cannot = |error| Failure(format!("PostgreSQL refuses to {statement}: {error}"));
    let unreachable = |error| Failure(format!("PostgreSQL cannot be reached: {error}"));
    let mut connection = PgConnection::connect(server.as_str()).await.map_err(unreachable)?;
    sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut connection).await.map_err(cannot)?;
    _ = connection.close().await;
    Ok(())
}

impl Place {
    /// Opens it as a server would.
    pub(super) async fn db(&self) -> Result<Db> {
        let options = match &self.url {
            None => Options::Sqlite { path: self.file(), synchronous: Synchronous::Full, readers: 4 },
            Some(url) => Options::Postgres { url: url.to_string(), connections: 16 },
        };
        Ok(Db::open(&options).await?)
    }

    /// The file of SQLite.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.join("usher.db")
    }

    /// The URL of PostgreSQL; empty with SQLite.
    pub(super) fn url(&self) -> &str {
        self.url.as_ref().map_or("", |url| url.as_str())
    }
}
