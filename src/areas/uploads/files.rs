//! Where the files are, and how they get there whole.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    config::Config,
    data_folder::Files,
    values::{JobId, SiteId, UploadId},
};

/// The folder of a site's uploads.
pub(super) fn uploads_folder(config: &Config, site: SiteId) -> PathBuf {
    Files::Uploads.of(config).join(site.to_string())
}

/// The folder of the rows that a site's imports could not take.
pub(super) fn errors_folder(config: &Config, site: SiteId) -> PathBuf {
    Files::Errors.of(config).join(site.to_string())
}

/// The file of an upload.
pub fn path(config: &Config, site: SiteId, id: &UploadId) -> PathBuf {
    uploads_folder(config, site).join(id.as_str())
}

/// The rows that an import could not take, as CSV; there only if there were any.
pub fn error_file(config: &Config, site: SiteId, job: &JobId) -> PathBuf {
    errors_folder(config, site).join(format!("{job}.csv"))
}

/// The folder of what a site's exports made.
pub(super) fn exports_folder(config: &Config, site: SiteId) -> PathBuf {
    Files::Exports.of(config).join(site.to_string())
}

/// What an export made; there only once its job has succeeded.
pub fn export_file(config: &Config, site: SiteId, job: &JobId, ending: &str) -> PathBuf {
    exports_folder(config, site).join(format!("{job}.{ending}"))
}

/// A file on its way to its final name. Dropped before [`put`](Self::put), it is removed.
pub(super) struct Part {
    pub(super) path: PathBuf,
    done: bool,
}

impl Part {
    /// A place beside `target` that no other writer has: the id in the name is ours alone.
    pub(super) fn beside(target: &Path) -> io::Result<Self> {
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(Self { path: target.with_extension("part"), done: false })
    }

    /// Gives the file, which must be synced, its final name, for good.
    pub(super) fn put(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.done = true;
        match target.parent() {
            Some(folder) => fs::File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.done
            && let Err(error) = fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the part of an upload could not be removed; the sweep will");
        }
    }
}

/// Names of the files in a folder that nobody has written to since `before` (microseconds since 1970).
pub(super) fn older_than(folder: &Path, before: i64) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        let written = match entry.metadata() {
            Ok(metadata) if metadata.is_file() => metadata.modified()?,
            Ok(_) => continue,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let written = written.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_micros();
        if i64::try_from(written).is_ok_and(|written| written < before)
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// Removes a file that may be gone already.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
