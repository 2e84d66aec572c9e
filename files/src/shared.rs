//! One file that is read at several places in turn.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

/// A place in a file. Each clone goes on by itself; the file is only moved where another was there in between, so that a
/// stream, which cannot go back, can be read by one.
pub(crate) struct SharedFile<R> {
    file: Arc<Mutex<Shared<R>>>,
    at: u64,
}

struct Shared<R> {
    file: R,
    /// Where it stands.
    at: u64,
}

impl<R: Read + Seek> SharedFile<R> {
    /// A file, where it stands.
    pub(crate) fn new(mut file: R) -> Self {
        let at = file.stream_position().unwrap_or(0);
        Self { file: Arc::new(Mutex::new(Shared { file, at })), at }
    }
}

impl<R> Clone for SharedFile<R> {
    /// The same place, for somebody else.
    fn clone(&self) -> Self {
        Self { file: self.file.clone(), at: self.at }
    }
}

impl<R: Read + Seek> Read for SharedFile<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut shared = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.at != self.at {
            shared.at = shared.file.seek(SeekFrom::Start(self.at))?;
        }
        let n = shared.file.read(buf)?;
        shared.at += n as u64;
        self.at = shared.at;
        Ok(n)
    }
}

impl<R: Read + Seek> Seek for SharedFile<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let mut shared = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let to = match to {
            SeekFrom::Current(by) => {
                SeekFrom::Start(self.at.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput)?)
            }
            to => to,
        };
        shared.at = shared.file.seek(to)?;
        self.at = shared.at;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn each_goes_on_by_itself() {
        let mut one = SharedFile::new(Cursor::new(b"abcdef".to_vec()));
        let mut buf = [0; 2];
        one.read_exact(&mut buf).unwrap();
        let mut other = one.clone();
        other.seek(SeekFrom::Current(-1)).unwrap();
        for (reader, expected) in [(&mut other, b"bc"), (&mut one, b"cd")] {
            reader.read_exact(&mut buf).unwrap();
            assert_eq!(&buf, expected);
        }
        other.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"de");
    }
}
