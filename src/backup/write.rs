//! Making a backup.

use std::{
    collections::BTreeSet,
    fs::{self, File, TryLockError},
    io::{self, BufWriter, Read, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use usher_db::Engine;
use zeroize::Zeroizing;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{
    BackupError, Result,
    manifest::{Entry, MANIFEST, MadeFrom, Manifest},
    read::Backup,
};
use crate::data_folder::{DATABASE, Files, SECRET_KEY};

/// How hard a backup is compressed, from 1 to 9: little, as it is made beside whatever else the machine does.
const LEVEL: i64 = 1;

/// What the name of an upload ends with while it arrives.
const IN_THE_MAKING: &str = "part";

/// A backup that was made.
#[derive(Debug)]
pub struct Made {
    /// What is in it.
    pub manifest: Manifest,
    /// Its size.
    pub bytes: u64,
}

/// What a backup is made of.
pub struct Source {
    /// The data folder.
    pub data: PathBuf,
    /// Which database there is. SQLite's is in the data folder.
    pub engine: Engine,
    /// The newest migration of a PostgreSQL database.
    pub schema: i64,
    /// The secret key, if it is to be in the backup.
    pub secret_key: Option<Zeroizing<String>>,
    /// The moment, RFC 3339.
    pub now: String,
}

/// Makes a backup. It blocks. Whatever fails, nothing half is left, and a file of this name stays as it was.
pub fn make(source: &Source, target: &Path) -> Result<Made> {
    let partial = Partial::beside(target)?;
    let mut writer = Writer::new(partial.file.try_clone().map_err(BackupError::of(&partial.path))?, source);
    let snapshot = partial.snapshot();
    // Whatever the database knows of is there before or after the moment that it is copied: files that go meanwhile are
    // taken before it, files that come with rows after it.
    for files in [Files::Uploads, Files::Exports] {
        writer.folder(source, files)?;
    }
    if source.engine == Engine::Sqlite {
        let of = |error: usher_db::SnapshotError| BackupError::new(format!("the database cannot be copied: {error}"));
        usher_db::snapshot(&source.data.join(DATABASE), &snapshot).map_err(of)?;
        usher_db::verify(&snapshot).map_err(of)?;
        writer.manifest.schema = usher_db::migrated_to(&snapshot).map_err(of)?;
        let copy = File::open(&snapshot).map_err(BackupError::of(&snapshot))?;
        writer.add(DATABASE, copy)?;
        _ = fs::remove_file(&snapshot);
    }
    for files in Files::ALL {
        writer.folder(source, files)?;
    }
    if let Some(key) = &source.secret_key {
        let line = Zeroizing::new(format!("{}\n", **key));
        writer.add(SECRET_KEY, line.as_bytes())?;
    }
    let manifest = writer.finish(&partial)?;
    // What was written is read again, from the first byte to the last, before it counts.
    Backup::open(&partial.path)?.check()?;
    let bytes = partial.put(target)?;
    Ok(Made { manifest, bytes })
}

/// Writes the entries, with what the manifest says of them.
struct Writer {
    zip: ZipWriter<BufWriter<File>>,
    manifest: Manifest,
    known: BTreeSet<String>,
}

impl Writer {
    fn new(file: File, source: &Source) -> Self {
        let from = match source.engine {
            Engine::Sqlite => MadeFrom::Sqlite,
            Engine::Postgres => MadeFrom::Postgres,
        };
        let manifest = Manifest::new(from, source.schema, source.now.clone());
        Self { zip: ZipWriter::new(BufWriter::new(file)), manifest, known: BTreeSet::new() }
    }

    fn start(&mut self, path: &str) -> Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            .large_file(true)
            .unix_permissions(0o600);
        self.zip.start_file(path, options).map_err(|error| BackupError::of(Path::new(path))(error.into()))
    }

    fn add(&mut self, path: &str, mut content: impl Read) -> Result<()> {
        self.start(path)?;
        let failed = |error| BackupError::of(Path::new(path))(error);
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 256 * 1024];
        let mut bytes = 0;
        loop {
            let n = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(error)),
            };
            hash.update(&buffer[..n]);
            self.zip.write_all(&buffer[..n]).map_err(failed)?;
            bytes += n as u64;
        }
        self.known.insert(path.to_owned());
        self.manifest.files.push(Entry { path: path.to_owned(), bytes, sha256: hex(&hash.finalize()) });
        Ok(())
    }

    /// Adds the files of a folder that are not in the backup yet. One that is gone by now is nobody's any more.
    fn folder(&mut self, source: &Source, files: Files) -> Result<()> {
        for path in found(&source.data, Path::new(files.name()))? {
            let name =
                path.to_str().ok_or_else(|| BackupError::new(format!("{}: its name is no text", path.display())))?;
            if self.known.contains(name) {
                continue;
            }
            match File::open(source.data.join(&path)) {
                Ok(file) => self.add(name, file)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(BackupError::of(&path)(error)),
            }
        }
        Ok(())
    }

    fn finish(mut self, partial: &Partial) -> Result<Manifest> {
        let failed = |error| BackupError::of(&partial.path)(error);
        let text = serde_json::to_vec_pretty(&self.manifest).map_err(|error| failed(error.into()))?;
        self.start(MANIFEST)?;
        self.zip.write_all(&text).map_err(failed)?;
        let mut file = self.zip.finish().map_err(|error| failed(error.into()))?;
        file.flush().map_err(failed)?;
        file.get_ref().sync_all().map_err(failed)?;
        Ok(self.manifest)
    }
}

/// The files below a folder, as paths from the data folder.
fn found(data: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| BackupError::of(folder)(error);
    let entries = match fs::read_dir(data.join(folder)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let path = folder.join(entry.file_name());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(found(data, &path)?),
            Ok(kind) if kind.is_file() && path.extension().is_none_or(|ending| ending != IN_THE_MAKING) => {
                files.push(path);
            }
            _ => {}
        }
    }
    files.sort();
    Ok(files)
}

/// A backup in the making, beside its final name. Dropped before it is put there, it is removed.
struct Partial {
    path: PathBuf,
    file: File,
    is_done: bool,
}

impl Partial {
    fn beside(target: &Path) -> Result<Self> {
        let name = target.file_name().ok_or_else(|| BackupError::new(format!("{} is no file", target.display())))?;
        if target.exists() && Backup::open(target).is_err() {
            return Err(BackupError::new(format!(
                "{} is there already and is no backup; choose another name",
                target.display()
            )));
        }
        let path = target.with_file_name(format!(".{}.partial", name.to_string_lossy()));
        let open = File::options().create(true).read(true).write(true).truncate(false).open(&path);
        let file = open.map_err(BackupError::of(target))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(BackupError::new(format!("another backup to {} is being made", target.display())));
            }
            Err(TryLockError::Error(error)) => return Err(BackupError::of(&path)(error)),
        }
        // What one left that was killed.
        let new = Self { path, file, is_done: false };
        new.file.set_len(0).map_err(BackupError::of(&new.path))?;
        _ = fs::remove_file(new.snapshot());
        Ok(new)
    }

    /// Where the copy of the database is while it is added.
    fn snapshot(&self) -> PathBuf {
        self.path.with_extension("partial-db")
    }

    fn put(mut self, target: &Path) -> Result<u64> {
        let failed = |error| BackupError::of(target)(error);
        let bytes = self.file.metadata().map_err(failed)?.len();
        fs::rename(&self.path, target).map_err(failed)?;
        self.is_done = true;
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        Ok(bytes)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        _ = fs::remove_file(self.snapshot());
        if !self.is_done {
            _ = fs::remove_file(&self.path);
        }
    }
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
