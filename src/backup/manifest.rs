//! What a backup says of itself.

use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use super::{BackupError, Result};
use crate::data_folder::{DATABASE, Files, SECRET_KEY};

/// The entry that says what the others are.
pub const MANIFEST: &str = "manifest.json";

/// How a backup is laid out. A later Usher that changes it counts on.
const FORMAT: u32 = 1;

/// Which database a backup was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MadeFrom {
    /// The database is in it.
    Sqlite,
    /// The database is not in it.
    Postgres,
}

/// What a backup says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// How it is laid out.
    pub format: u32,
    /// The Usher that made it.
    pub version: String,
    /// When, RFC 3339.
    pub created_at: String,
    /// From which database.
    pub from: MadeFrom,
    /// The newest migration of that database.
    pub schema: i64,
    /// What is in it.
    pub files: Vec<Entry>,
}

/// A file in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it was in the data folder.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in lower-case hexadecimal.
    pub sha256: String,
}

impl Manifest {
    pub(super) fn new(from: MadeFrom, schema: i64, created_at: String) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT, version, created_at, from, schema, files: Vec::new() }
    }

    /// Reads it, and refuses what this program would not understand.
    pub(super) fn parse(text: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
            version: String,
        }
        let damaged = |error| BackupError::new(format!("it is damaged: {MANIFEST}: {error}"));
        let head: Head = serde_json::from_slice(text).map_err(damaged)?;
        if head.format > FORMAT {
            return Err(BackupError::new(format!(
                "it was made by Usher {}, which is newer than this one; restore it with that version",
                head.version
            )));
        }
        let manifest: Self = serde_json::from_slice(text).map_err(damaged)?;
        match manifest.files.iter().find(|entry| !is_known(&entry.path)) {
            Some(entry) => Err(BackupError::new(format!("it has a file that no backup has: {:?}", entry.path))),
            None => Ok(manifest),
        }
    }

    /// Whether the database is in it.
    pub fn has_database(&self) -> bool {
        self.files.iter().any(|entry| entry.path == DATABASE)
    }

    /// Whether the secret key is in it.
    pub fn has_secret_key(&self) -> bool {
        self.files.iter().any(|entry| entry.path == SECRET_KEY)
    }

    /// How many uploads, error files and exports are in it.
    pub fn n_files(&self) -> usize {
        self.files.iter().filter(|entry| entry.path.contains('/')).count()
    }
}

/// Whether a path is one that a backup may put into a data folder.
fn is_known(path: &str) -> bool {
    if path == DATABASE || path == SECRET_KEY {
        return true;
    }
    let mut parts = Path::new(path).components();
    let folder = parts.next();
    let is_ours = Files::ALL.iter().any(|files| folder == Some(Component::Normal(files.name().as_ref())));
    let mut n_parts = 0;
    let are_plain = parts.inspect(|_| n_parts += 1).all(|part| matches!(part, Component::Normal(_)));
    is_ours && are_plain && n_parts > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_a_data_folder_are_taken() {
        for good in ["usher.db", "secret.key", "uploads/1/upl_x", "errors/1/job_x.csv", "exports/2/job_x.jsonl"] {
            assert!(is_known(good), "{good}");
        }
        let bad = ["", "uploads", "/etc/passwd", "../usher.db", "uploads/../../x", "x/y", "usher.lock", "/uploads/x"];
        for bad in bad {
            assert!(!is_known(bad), "{bad}");
        }
    }

    #[test]
    fn what_a_newer_usher_made_is_refused_with_its_version() {
        let newer = br#"{"format": 2, "version": "9.0.0", "else": true}"#;
        assert!(Manifest::parse(newer).expect_err("a refusal").to_string().contains("Usher 9.0.0, which is newer"));
        let manifest = Manifest::new(MadeFrom::Sqlite, 21, "2026-11-28T00:00:00.000Z".into());
        let read = Manifest::parse(&serde_json::to_vec(&manifest).expect("JSON")).expect("it is right");
        assert_eq!((read.format, read.schema, read.from), (1, 21, MadeFrom::Sqlite));
        assert!(Manifest::parse(b"{").is_err());
    }
}
