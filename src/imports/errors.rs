//! The error file of an import: the rows that could not be taken.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::PathBuf,
};

use usher_files::{ErrorFile, FileError, Row};
use usher_jobs::Fail;

/// The error file, opened when the first row goes into it.
pub(super) struct Errors {
    path: PathBuf,
    /// Its length that is true.
    pub(super) bytes: u64,
    open: Option<(ErrorFile<File>, File)>,
    is_dirty: bool,
}

impl Errors {
    pub(super) fn new(path: PathBuf, bytes: u64) -> Self {
        Self { path, bytes, open: None, is_dirty: false }
    }

    pub(super) fn write(&mut self, row: &Row<'_>, code: &str, text: &str) -> io::Result<()> {
        if self.open.is_none() {
            self.open = Some(self.begin(row)?);
        }
        self.is_dirty = true;
        self.open.as_mut().expect("it was opened").0.write(row, code, text)
    }

    /// A new file with the bytes that are true, in the place of the old one: an attempt that has lost the job and does
    /// not know it yet writes to the old one, which nobody sees.
    fn begin(&self, row: &Row<'_>) -> io::Result<(ErrorFile<File>, File)> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        let kept = match File::open(&self.path) {
            Ok(old) if self.bytes > 0 => io::copy(&mut old.take(self.bytes), &mut file)?,
            Ok(_) => 0,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        let out = file.try_clone()?;
        // Which table of several the last header was for is not known any more; one more does no harm.
        let has_header = kept > 0 && row.table == 0 && row.file.is_none();
        let writer = if has_header { ErrorFile::resume(out, row.mapping) } else { ErrorFile::append(out) };
        Ok((writer, file))
    }

    /// Brings what was written to the disk, and gives the file's length.
    pub(super) fn settle(&mut self) -> io::Result<u64> {
        if let (Some((writer, file)), true) = (&mut self.open, self.is_dirty) {
            writer.flush()?;
            file.sync_data()?;
            self.bytes = file.metadata()?.len();
            self.is_dirty = false;
        }
        Ok(self.bytes)
    }
}

pub(super) fn unreadable(error: FileError) -> Fail {
    match error {
        FileError::Io { .. } => Fail::retry(error.code(), error.to_string()).because(error),
        _ => Fail::fatal(error.code(), error.to_string()),
    }
}

pub(super) fn unwritable(error: io::Error) -> Fail {
    let text = match error.kind() {
        io::ErrorKind::StorageFull => "The server's disk is full. Free some space; Usher will try again.",
        _ => "The rows that could not be taken cannot be written to the data folder. Usher will try again.",
    };
    Fail::retry("unavailable", text).because(error)
}
