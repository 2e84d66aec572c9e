use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;
use tokio::sync::oneshot;

use super::{super::Result, show::Show};
use crate::cli::Failure;

/// The most that is taken from standard input: the largest upload that a server can be set to take.
const MOST: u64 = 4096 << 20;

/// The file to be imported. It can be read again, since a server that is restarted needs it once more: what comes from
/// standard input or a pipe is kept in a temporary file.
pub(super) struct Source {
    path: PathBuf,
    kept: Option<NamedTempFile>,
    bytes: u64,
}

impl Source {
    pub(super) async fn open(path: &Path, show: &Show) -> Result<Self> {
        let cannot = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Failure(format!("there is no file {}", path.display())),
            _ => Failure(format!("{} cannot be read: {error}", path.display())),
        };
        if path == Path::new("-") {
            return Self::keep(path, io::stdin(), show).await;
        }
        let file = File::open(path).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        match () {
            () if metadata.is_dir() => Err(Failure(format!("{} is a folder, not a file", path.display()))),
            () if !metadata.is_file() => Self::keep(path, file, show).await,
            () => Self { path: path.into(), kept: None, bytes: metadata.len() }.not_empty(),
        }
    }

    async fn keep(path: &Path, from: impl Read + Send + 'static, show: &Show) -> Result<Self> {
        show.reading();
        let kept = NamedTempFile::new()?;
        let mut to = kept.reopen()?;
        let (send, read) = oneshot::channel();
        // On a thread of its own, which nobody waits for when the program is interrupted while nothing comes.
        std::thread::spawn(move || send.send(io::copy(&mut from.take(MOST + 1), &mut to)));
        let bytes = read.await.map_err(|_| Failure("reading standard input broke off".into()))?;
        let bytes = bytes.map_err(|error| Failure(format!("standard input cannot be read: {error}")))?;
        if bytes > MOST {
            return Err(Failure(format!("there is more than {} GiB on standard input", MOST >> 30)));
        }
        Self { path: path.into(), kept: Some(kept), bytes }.not_empty()
    }

    fn not_empty(self) -> Result<Self> {
        if self.bytes == 0 {
            return Err(Failure(format!("{} is empty", self.shown())));
        }
        Ok(self)
    }

    /// Where it can be read.
    pub(super) fn path(&self) -> PathBuf {
        self.kept.as_ref().map_or_else(|| self.path.clone(), |kept| kept.path().into())
    }

    /// Its size.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What the server is told that it is called.
    pub(super) fn name(&self) -> Option<&str> {
        if self.kept.is_some() { None } else { self.path.file_name()?.to_str() }
    }

    /// What people are told that it is called.
    pub(super) fn shown(&self) -> &str {
        if self.path == Path::new("-") { "standard input" } else { self.path.to_str().unwrap_or("the file") }
    }

    /// Where its bad rows go, without the ending.
    pub(super) fn errors(&self) -> PathBuf {
        let mut name = match self.kept {
            Some(_) => "stdin".into(),
            None => self.path.clone().into_os_string(),
        };
        name.push(".errors");
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_no_file_is_said_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.csv");
        std::fs::write(&empty, "").unwrap();
        for (path, says) in [
            (folder.path().join("none.csv"), "there is no file "),
            (folder.path().into(), "is a folder"),
            (empty, "is empty"),
        ] {
            let error = Source::open(&path, &Show::new(true)).await.err().unwrap();
            assert!(error.0.contains(says), "{error:?}");
        }
    }

    #[test]
    fn bad_rows_go_beside_the_input() {
        let source = |path: &str, kept| Source { path: path.into(), kept, bytes: 1 };
        assert_eq!(source("lists/a.csv", None).errors(), Path::new("lists/a.csv.errors"));
        assert_eq!(source("-", NamedTempFile::new().ok()).errors(), Path::new("stdin.errors"));
        assert_eq!(source("/dev/fd/63", NamedTempFile::new().ok()).errors(), Path::new("stdin.errors"));
    }
}
