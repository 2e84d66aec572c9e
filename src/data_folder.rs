//! The data folder: what is in it, and who can read it.
//!
//! It holds addresses, uploads and the secret key, so only the user that Usher runs as may look into it. A folder that
//! others can read is closed when Usher opens it; where that is not possible, Usher says so and goes on.
//!
//! Everything that Usher keeps in files is listed here, so that a backup cannot forget any of it: a new kind of file
//! needs a line in [`Files`].

use std::{
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use crate::config::Config;

/// The SQLite database.
pub const DATABASE: &str = "usher.db";

/// The key that seals secrets in the database.
pub const SECRET_KEY: &str = "secret.key";

/// Whoever serves a SQLite database holds a lock on this file.
pub const SERVE_LOCK: &str = "usher.lock";

/// Whoever runs the jobs of a SQLite database holds a lock on this file.
pub const WORK_LOCK: &str = "usher-worker.lock";

/// Where `usher restore` unpacks a backup before it puts anything in its place.
pub const RESTORING: &str = "restoring";

/// What stands before the time in the name of the folder that `usher restore --replace` moves the old files to.
pub const REPLACED: &str = "replaced-";

/// Files that SQLite keeps beside the database.
const BESIDE: [&str; 2] = ["usher.db-wal", "usher.db-shm"];

/// Reading and writing for the group and for others.
const OTHERS: u32 = 0o077;

/// A folder of files in the data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// Uploads, until they expire.
    Uploads,
    /// Rows that imports could not use.
    Errors,
    /// Results of exports.
    Exports,
}

impl Files {
    /// Every folder of files.
    pub const ALL: [Self; 3] = [Self::Uploads, Self::Errors, Self::Exports];

    /// The folder's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uploads => "uploads",
            Self::Errors => "errors",
            Self::Exports => "exports",
        }
    }

    /// The folder itself.
    pub fn of(self, config: &Config) -> PathBuf {
        config.data.join(self.name())
    }
}

/// Creates the folder if it is not there, readable by this user only, and closes one that others can read. Returns what
/// could not be closed, in one sentence.
pub fn prepare(folder: &Path) -> io::Result<Option<String>> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    Ok(close(folder))
}

/// Whether others can read the folder or files in it that matter.
pub fn is_open(folder: &Path) -> bool {
    let mode = |path: &Path| fs::metadata(path).map(|meta| meta.mode()).unwrap_or_default();
    // Nobody gets at files in a folder that is closed.
    mode(folder) & OTHERS != 0 && (is_ours(folder) || ours(folder).any(|path| mode(&path) & OTHERS != 0))
}

/// The names that are Usher's in a data folder.
pub fn is_our_name(name: &str) -> bool {
    [DATABASE, SECRET_KEY, SERVE_LOCK, WORK_LOCK, RESTORING].contains(&name)
        || BESIDE.contains(&name)
        || Files::ALL.iter().any(|files| files.name() == name)
        || name.starts_with(REPLACED)
}

/// Whether all that is in the folder is Usher's, so that nobody else needs to get in.
fn is_ours(folder: &Path) -> bool {
    let Ok(mut entries) = fs::read_dir(folder) else { return false };
    entries.all(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(is_our_name)))
}

/// The files and folders in it that are Usher's.
fn ours(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let names = [DATABASE, SECRET_KEY, RESTORING].into_iter().chain(BESIDE);
    let names: Vec<_> = names.chain(Files::ALL.map(Files::name)).collect();
    let folder = folder.to_owned();
    names.into_iter().map(move |name| folder.join(name)).filter(|path| path.exists())
}

fn close(folder: &Path) -> Option<String> {
    let what: Vec<_> = if is_ours(folder) { vec![folder.to_owned()] } else { ours(folder).collect() };
    let failed = what.iter().find_map(|path| close_one(path).err().map(|error| (path, error)));
    failed.map(|(path, error)| {
        format!("other users of this machine may read {}, and that cannot be changed: {error}", path.display())
    })
}

fn close_one(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(mode & 0o7777 & !OTHERS))
}

/// Takes the lock of a file in the folder; `None` if another process has it.
pub fn lock(folder: &Path, name: &str) -> io::Result<Option<File>> {
    let file = File::options().create(true).append(true).open(folder.join(name))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").mode() & 0o777
    }

    fn open(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
    }

    #[test]
    fn a_folder_that_others_can_read_is_closed() {
        let place = tempfile::tempdir().expect("a folder");
        for mode_before in [0o755, 0o777, 0o750, 0o701] {
            let folder = place.path().join(mode_before.to_string());
            fs::create_dir(&folder).expect("a folder");
            fs::write(folder.join(DATABASE), "x").expect("a file");
            open(&folder, mode_before);
            assert!(is_open(&folder));
            assert_eq!(prepare(&folder).expect("it works"), None);
            assert_eq!((mode(&folder), is_open(&folder)), (0o700, false));
        }
        let new = place.path().join("a/b");
        prepare(&new).expect("it works");
        assert_eq!((mode(&new), mode(new.parent().expect("a parent"))), (0o700, 0o700));
    }

    #[test]
    fn in_a_folder_that_is_not_only_ours_the_files_are_closed() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path();
        for name in [DATABASE, SECRET_KEY, "usher.db-wal", "somebody-elses"] {
            fs::write(folder.join(name), "x").expect("a file");
            open(&folder.join(name), 0o644);
        }
        fs::create_dir(folder.join("uploads")).expect("a folder");
        open(&folder.join("uploads"), 0o755);
        open(folder, 0o755);
        assert!(is_open(folder));
        prepare(folder).expect("it works");
        assert_eq!(mode(folder), 0o755);
        for name in [DATABASE, SECRET_KEY, "usher.db-wal"] {
            assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
        }
        assert_eq!((mode(&folder.join("uploads")), mode(&folder.join("somebody-elses"))), (0o700, 0o644));
        assert!(!is_open(folder));
    }

    #[test]
    fn a_lock_is_held_once() {
        let place = tempfile::tempdir().expect("a folder");
        let held = lock(place.path(), SERVE_LOCK).expect("it opens");
        assert!(held.is_some() && lock(place.path(), SERVE_LOCK).expect("it opens").is_none());
        drop(held);
        assert!(lock(place.path(), SERVE_LOCK).expect("it opens").is_some());
    }
}
