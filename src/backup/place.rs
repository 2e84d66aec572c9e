//! Putting what was unpacked in place, so that a stop in the middle is finished by the next restore.
//!
//! The folder `restoring` is the state. Without the list in it, it is what a restore left that was stopped while it
//! unpacked: nothing of it counts. With the list, everything in it is whole and on disk: each name is moved in place, the
//! database last, and what had the name before is moved aside first.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{BackupError, Result};
use crate::data_folder::{self, DATABASE, Files, REPLACED, RESTORING, SECRET_KEY};

/// The list of what is to be put in place.
const LIST: &str = "list.json";

/// Whether a restore was stopped while it put files in place: nothing may use the folder until it is finished.
pub fn is_unfinished(folder: &Path) -> bool {
    folder.join(RESTORING).join(LIST).exists()
}

/// What is to be put in place.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List {
    /// Which backup it is from ([`super::Backup::id`]).
    pub id: String,
    /// Whether the database goes to PostgreSQL: then nothing counts until it is there.
    pub postgres: bool,
    /// The folder for what was there before.
    aside: String,
    /// The names in the data folder that the backup has.
    names: Vec<String>,
}

/// A data folder that is restored, with nobody else in it.
pub struct Place {
    folder: PathBuf,
    _locks: [File; 2],
}

impl Place {
    /// Takes the folder, which is made if it is not there.
    pub fn take(folder: &Path) -> Result<Self> {
        data_folder::prepare(folder).map_err(BackupError::of(folder))?;
        let lock = |name| {
            let lock = data_folder::lock(folder, name).map_err(BackupError::of(&folder.join(name)))?;
            lock.ok_or_else(|| {
                BackupError::new(format!("Usher runs in the folder {}; stop it first", folder.display()))
            })
        };
        let locks = [lock(data_folder::SERVE_LOCK)?, lock(data_folder::WORK_LOCK)?];
        Ok(Self { folder: folder.to_owned(), _locks: locks })
    }

    /// The folder where a backup is unpacked.
    pub(super) fn unpacking(&self) -> PathBuf {
        self.folder.join(RESTORING)
    }

    /// The names that something of Usher's has in the folder. A file that is the same as the backup's does not count.
    pub(super) fn occupied(&self) -> Vec<String> {
        let is_there = |name: &&str| {
            let path = self.folder.join(name);
            let is_empty = fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_none());
            path.exists() && !is_empty
        };
        all_names().filter(is_there).map(str::to_owned).collect()
    }

    /// Makes an empty folder to unpack to. What a restore left there that was stopped is removed.
    pub(super) fn clear(&self) -> Result<()> {
        let path = self.unpacking();
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(BackupError::of(&path)(error)),
            _ => {}
        }
        DirBuilder::new().mode(0o700).create(&path).map_err(BackupError::of(&path))
    }

    /// Removes the folder again, where nothing came of it.
    pub(super) fn give_up(&self) {
        _ = fs::remove_dir_all(self.unpacking());
    }

    /// Writes down what is to be put in place. From now on it is, whatever happens.
    pub(super) fn decide(&self, id: &str, postgres: bool, now_seconds: i64) -> Result<()> {
        let folder = self.unpacking();
        let failed = |error| BackupError::of(&folder)(error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            if all_names().any(|known| known == name) {
                names.push(name);
            }
        }
        // The database last: an Usher that has one has everything.
        names.sort_by_key(|name| name == DATABASE);
        let list = List { id: id.into(), postgres, aside: format!("{REPLACED}{now_seconds}"), names };
        let text = serde_json::to_vec(&list).map_err(|error| failed(error.into()))?;
        let (partial, path) = (folder.join("list.partial"), folder.join(LIST));
        let mut file = File::create(&partial).map_err(failed)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)?;
        fs::rename(&partial, &path).map_err(failed)?;
        sync(&folder)
    }

    /// What was decided and is not finished.
    pub(super) fn decided(&self) -> Result<Option<List>> {
        let path = self.unpacking().join(LIST);
        match fs::read(&path) {
            Ok(text) => {
                let list = serde_json::from_slice(&text);
                list.map(Some).map_err(|error| BackupError::of(&path)(error.into()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BackupError::of(&path)(error)),
        }
    }

    /// Puts everything in place that is not there yet. Returns the folder to which what was there before has gone, if
    /// there was something.
    pub(super) fn finish(&self, list: &List) -> Result<Option<PathBuf>> {
        let (new, aside) = (self.unpacking(), self.folder.join(&list.aside));
        // Files beside the old database would be taken for the new one's.
        let beside = ["usher.db-wal", "usher.db-shm"];
        let database = list.names.iter().any(|name| name == DATABASE);
        let waits = new.join(DATABASE).exists();
        for name in beside.into_iter().filter(|_| !database || waits) {
            move_if_there(&self.folder.join(name), &aside.join(name))?;
        }
        for name in all_names().filter(|name| list.names.iter().all(|one| one != name)) {
            // A key that the backup does not have is left where it is: it may be the right one.
            if name != SECRET_KEY {
                move_if_there(&self.folder.join(name), &aside.join(name))?;
            }
        }
        for name in &list.names {
            if new.join(name).exists() {
                move_if_there(&self.folder.join(name), &aside.join(name))?;
                move_if_there(&new.join(name), &self.folder.join(name))?;
                sync(&self.folder)?;
            }
        }
        if aside.exists() {
            sync(&aside)?;
        }
        sync(&self.folder)?;
        fs::remove_dir_all(&new).map_err(BackupError::of(&new))?;
        sync(&self.folder)?;
        Ok(Some(aside).filter(|aside| aside.exists()))
    }
}

/// The names that a backup may have at the top.
fn all_names() -> impl Iterator<Item = &'static str> {
    [DATABASE, SECRET_KEY].into_iter().chain(Files::ALL.map(Files::name))
}

fn move_if_there(from: &Path, to: &Path) -> Result<()> {
    if !from.exists() {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(BackupError::of(folder))?;
    }
    fs::rename(from, to).map_err(BackupError::of(from))
}

fn sync(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(BackupError::of(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: PathBuf, text: &str) {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// After each of its moves a restore may be stopped. The next one finishes it, and nothing of the old is lost.
    #[test]
    fn a_restore_is_finished_from_wherever_it_was_stopped() {
        let old = ["usher.db", "usher.db-wal", "usher.db-shm", "secret.key", "uploads/1/old", "exports/1/old"];
        let new = ["usher.db", "secret.key", "uploads/1/new", "errors/1/new"];
        // Moves that were done before the stop: of the old ones aside, of the new ones in place.
        for stop in 0..14 {
            let home = tempfile::tempdir().expect("a folder");
            let data = home.path().join("data");
            old.iter().for_each(|name| write(data.join(name), "old"));
            let place = Place::take(&data).expect("it is free");
            place.clear().expect("it works");
            new.iter().for_each(|name| write(place.unpacking().join(name), "new"));
            assert!(!is_unfinished(&data));
            place.decide("id", false, 7).expect("it works");
            let list = place.decided().expect("it works").expect("it was decided");
            let moves: Vec<(PathBuf, PathBuf)> = ["usher.db-wal", "usher.db-shm", "exports", "errors"]
                .map(|name| (data.join(name), data.join("replaced-7").join(name)))
                .into_iter()
                .chain(list.names.iter().flat_map(|name| {
                    let aside = (data.join(name), data.join("replaced-7").join(name));
                    [aside, (place.unpacking().join(name), data.join(name))]
                }))
                .collect();
            moves.iter().take(stop).for_each(|(from, to)| move_if_there(from, to).expect("a move"));
            drop(place);
            assert!(is_unfinished(&data));

            let place = Place::take(&data).expect("it is free");
            let aside = place.finish(&list).expect("it works").expect("something was there");
            for name in new {
                assert_eq!(fs::read_to_string(data.join(name)).expect("a file"), "new", "{name}, stopped at {stop}");
            }
            for name in old {
                assert_eq!(fs::read_to_string(aside.join(name)).expect("a file"), "old", "{name}, stopped at {stop}");
            }
            assert!(!data.join("usher.db-wal").exists() && !data.join("exports").exists());
            assert!(!data.join(RESTORING).exists());
        }
    }
}
