//! The file `secret.key`.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

use crate::{data_folder::SECRET_KEY, seal::Sealer};

/// Why there is no usable key in the file.
#[derive(Debug)]
pub enum Unusable {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It holds something else than a key.
    NoKey {
        /// How many bytes it has.
        n_bytes: usize,
    },
}

/// What the file holds: the key's text, and the key. `None` if there is no file.
pub fn read(folder: &Path) -> Result<Option<(Zeroizing<String>, Sealer)>, Unusable> {
    let bytes = match std::fs::read(folder.join(SECRET_KEY)) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Unusable::Unreadable(error)),
    };
    let text = std::str::from_utf8(&bytes).ok().map(|text| Zeroizing::new(text.trim().to_owned()));
    let found = text.and_then(|text| Sealer::parse(&text).map(|sealer| (text, sealer)));
    found.map(Some).ok_or(Unusable::NoKey { n_bytes: bytes.len() })
}

/// Writes a new key, unless there is a file by now. Whether this call wrote it.
///
/// The file appears with all its bytes or not at all, and never in the place of another one.
pub fn create(folder: &Path) -> io::Result<bool> {
    let key = Zeroizing::new(BASE64_STANDARD.encode(*Zeroizing::new(rand::random::<[u8; 32]>())));
    write(folder, &key)
}

/// The same with a key that is known.
fn write(folder: &Path, key: &str) -> io::Result<bool> {
    // A temporary file is for this user only.
    let mut file = tempfile::Builder::new().prefix(".secret-key-").tempfile_in(folder)?;
    writeln!(file, "{key}")?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(folder.join(SECRET_KEY)) {
        Ok(_) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error.error),
    }
    File::open(folder)?.sync_all()?;
    Ok(true)
}

/// Removes a key that this process has just created and that nothing was sealed with.
pub fn remove(folder: &Path) -> io::Result<()> {
    std::fs::remove_file(folder.join(SECRET_KEY))
}

/// Moves the file out of the way, and returns its new name.
pub fn set_aside(folder: &Path, suffix: &str) -> io::Result<Option<String>> {
    let name = format!("{SECRET_KEY}.{suffix}");
    match std::fs::rename(folder.join(SECRET_KEY), folder.join(&name)) {
        Ok(()) => Ok(Some(name)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn of_many_that_create_it_at_once_one_does() {
        let place = tempfile::tempdir().expect("a folder");
        let created: Vec<_> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..16).map(|_| scope.spawn(|| create(place.path()).expect("it works"))).collect();
            all.into_iter().map(|one| one.join().expect("it does not panic")).collect()
        });
        assert_eq!(created.iter().filter(|created| **created).count(), 1);
        let (text, _) = read(place.path()).expect("a key").expect("a file");
        assert_eq!(BASE64_STANDARD.decode(text.as_bytes()).expect("base64").len(), 32);
        let file = place.path().join(SECRET_KEY);
        assert_eq!(std::fs::metadata(file).expect("a file").mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(place.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn what_is_no_key_is_never_taken_for_one() {
        let place = tempfile::tempdir().expect("a folder");
        assert!(read(place.path()).expect("no error").is_none());
        for content in ["", "\n", "AAAA", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE", "not a key\n"] {
            std::fs::write(place.path().join(SECRET_KEY), content).expect("a file");
            assert!(matches!(read(place.path()), Err(Unusable::NoKey { n_bytes }) if n_bytes == content.len()));
            assert!(!create(place.path()).expect("it works"), "it was overwritten");
        }
        std::fs::write(place.path().join(SECRET_KEY), [0xff; 32]).expect("a file");
        assert!(matches!(read(place.path()), Err(Unusable::NoKey { n_bytes: 32 })));
    }
}
