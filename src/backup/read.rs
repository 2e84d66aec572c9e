//! Reading a backup.

use std::{
    fs::{DirBuilder, File},
    io::{self, BufReader, Read as _},
    os::unix::fs::DirBuilderExt as _,
    path::Path,
};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;
use zip::{ZipArchive, result::ZipError};

use super::{
    BackupError, Result,
    manifest::{MANIFEST, Manifest},
    write::hex,
};
use crate::data_folder::SECRET_KEY;

/// The largest manifest that is read: that of some millions of files.
const MAX_MANIFEST_BYTES: u64 = 1 << 30;

/// The longest secret key, with older ones after it.
const MAX_KEY_BYTES: u64 = 64 * 1024;

/// A backup whose manifest was read.
pub struct Backup {
    zip: ZipArchive<BufReader<File>>,
    /// What it says of itself.
    pub manifest: Manifest,
    /// What tells it from every other backup: the SHA-256 of its manifest.
    pub id: String,
}

impl Backup {
    /// Opens it and reads what it says of itself.
    pub fn open(path: &Path) -> Result<Self> {
        let named = |error: BackupError| BackupError::new(format!("{} cannot be restored: {error}", path.display()));
        let file = File::open(path).map_err(BackupError::of(path))?;
        Self::read(file).map_err(named)
    }

    fn read(file: File) -> Result<Self> {
        let mut zip = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
        let mut text = Vec::new();
        let entry = match zip.by_name(MANIFEST) {
            Err(ZipError::FileNotFound) => return Err(BackupError::new("it is no backup of Usher's")),
            entry => entry.map_err(damaged)?,
        };
        entry.take(MAX_MANIFEST_BYTES).read_to_end(&mut text).map_err(|error| damaged(error.into()))?;
        let manifest = Manifest::parse(&text)?;
        if zip.len() != manifest.files.len() + 1 {
            return Err(BackupError::new(
                "it is damaged: files are missing, or there are more than its manifest lists",
            ));
        }
        Ok(Self { zip, manifest, id: hex(&Sha256::digest(&text)) })
    }

    /// Reads all of it and compares each file with what the manifest says.
    pub fn check(&mut self) -> Result<()> {
        self.each(|_| Ok(io::sink()), |_, _| Ok(()))
    }

    /// The secret key in it, as text.
    pub(super) fn secret_key(&mut self) -> Result<Option<Zeroizing<String>>> {
        let mut text = Zeroizing::new(String::new());
        match self.zip.by_name(SECRET_KEY) {
            Err(ZipError::FileNotFound) => Ok(None),
            entry => {
                let mut entry = entry.map_err(damaged)?.take(MAX_KEY_BYTES);
                entry.read_to_string(&mut text).map_err(|error| damaged(error.into()))?;
                Ok(Some(text))
            }
        }
    }

    /// Unpacks it into a folder that is there, and compares each file with what the manifest says. When this returns, the
    /// disk has all of it.
    pub(super) fn unpack(&mut self, folder: &Path) -> Result<()> {
        let mut folders = std::collections::BTreeSet::from([folder.to_owned()]);
        self.each(
            |path| {
                let path = folder.join(path);
                if let Some(parent) = path.parent() {
                    DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(BackupError::of(parent))?;
                    folders.extend(parent.ancestors().take_while(|one| one.starts_with(folder)).map(Path::to_owned));
                }
                File::create_new(&path).map_err(BackupError::of(&path))
            },
            |path, file: File| file.sync_all().map_err(BackupError::of(Path::new(path))),
        )?;
        for folder in folders {
            File::open(&folder).and_then(|one| one.sync_all()).map_err(BackupError::of(&folder))?;
        }
        Ok(())
    }

    fn each<W: io::Write>(
        &mut self,
        mut begin: impl FnMut(&str) -> Result<W>,
        end: impl Fn(&str, W) -> Result<()>,
    ) -> Result<()> {
        for listed in &self.manifest.files {
            let path = listed.path.as_str();
            let wrong = || BackupError::new(format!("the backup is damaged: {path} is not what was written"));
            let mut entry = self.zip.by_name(path).map_err(|_| wrong())?;
            let mut target = begin(path)?;
            let (mut hash, mut bytes) = (Sha256::new(), 0);
            let mut buffer = vec![0; 256 * 1024];
            loop {
                let n = match entry.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(n) => n,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(_) => return Err(wrong()),
                };
                bytes += n as u64;
                if bytes > listed.bytes {
                    return Err(wrong());
                }
                hash.update(&buffer[..n]);
                target.write_all(&buffer[..n]).map_err(BackupError::of(Path::new(path)))?;
            }
            if bytes != listed.bytes || hex(&hash.finalize()) != listed.sha256 {
                return Err(wrong());
            }
            end(path, target)?;
        }
        Ok(())
    }
}

fn damaged(error: ZipError) -> BackupError {
    BackupError::new(format!("it is no backup, or damaged, or not all of it is there: {error}"))
}
