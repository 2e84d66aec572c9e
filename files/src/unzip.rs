//! The files in a zip archive.
//!
//! The archive's table of contents is walked entry by entry, so that one with millions of entries takes no memory; a
//! file is decompressed as it is read, and its checksum is compared at the end.

use std::io::{self, ErrorKind, Read, Seek, Take};

use flate2::CrcReader;
use flate2::read::DeflateDecoder;
use zip::read::Config;
use zip::result::ZipError;
use zip::unstable::read::ZipIterable;
use zip::{CompressionMethod, HasZipMetadata as _};

use crate::error::FileError;
use crate::limits::{MAX_NAME_CHARS, MAX_ZIP_ENTRIES};
use crate::looks::Kind;
use crate::mapping::Compression;

/// A file in an archive: its name, where it lies, and how.
#[derive(Clone)]
pub(crate) struct ZipFile {
    /// For people, and for what it says.
    pub(crate) name: String,
    start: u64,
    n_bytes: u64,
    is_deflated: bool,
    crc32: u32,
}

impl ZipFile {
    /// Where its bytes begin in the archive.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// Its bytes, as they lie in the archive.
    pub(crate) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }
}

/// Every file in an archive, up to so many; more are an error of `too_many`.
pub(crate) fn all_files(
    archive: &mut (impl Read + Seek),
    most: usize,
    too_many: impl FnOnce(usize) -> FileError,
) -> Result<Vec<ZipFile>, FileError> {
    let mut entries = ZipIterable::try_new(&mut *archive, Config::default()).map_err(damaged)?;
    if entries.len() > most {
        return Err(too_many(entries.len()));
    }
    let entries = entries.files().map_err(damaged)?.collect::<Result<Vec<_>, _>>().map_err(damaged)?;
    let files = entries.into_iter().filter(|entry| !entry.is_dir());
    let files = files.map(|entry| {
        if entry.encrypted() {
            return Err(FileError::ZipEncrypted);
        }
        let is_deflated = match entry.compression() {
            CompressionMethod::Stored => false,
            CompressionMethod::Deflated => true,
            _ => return Err(FileError::ZipMethod),
        };
        let (n_bytes, crc32) = (entry.compressed_size(), entry.crc32());
        let start = entry.get_metadata().data_start(&mut *archive).map_err(damaged)?;
        let name = String::from_utf8_lossy(entry.name_raw());
        let name = name.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
        Ok(ZipFile { name, start, n_bytes, is_deflated, crc32 })
    });
    files.collect()
}

/// The files in an archive, without what systems put beside them; one at least.
pub(crate) fn files(archive: &mut (impl Read + Seek)) -> Result<Vec<ZipFile>, FileError> {
    let mut files = all_files(archive, MAX_ZIP_ENTRIES, |n_files| FileError::ZipFiles { n_files })?;
    if files.iter().any(|file| matches!(file.name.as_str(), "[Content_Types].xml" | "mimetype")) {
        return Err(FileError::NotAList { kind: Kind::Workbook });
    }
    files.retain(|file| !is_clutter(&file.name));
    if files.is_empty() { Err(FileError::ZipFiles { n_files: 0 }) } else { Ok(files) }
}

/// What macOS, Windows and others put beside the files somebody chose.
fn is_clutter(name: &str) -> bool {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_system = ["Thumbs.db", "desktop.ini"].iter().any(|known| last.eq_ignore_ascii_case(known));
    name.starts_with("__MACOSX/") || last.starts_with('.') || is_system
}

fn damaged(error: ZipError) -> FileError {
    let source = match error {
        ZipError::Io(error) if error.kind() != ErrorKind::UnexpectedEof => return error.into(),
        error => io::Error::new(ErrorKind::InvalidData, error),
    };
    FileError::Damaged { compression: Compression::Zip, source }
}

/// A file, decompressed.
pub(crate) struct Entry<R> {
    data: CrcReader<Data<R>>,
    crc32: u32,
}

enum Data<R> {
    Stored(Take<R>),
    Deflated(DeflateDecoder<Take<R>>),
}

impl<R: Read> Entry<R> {
    /// `archive` is where the file begins.
    pub(crate) fn new(archive: R, file: &ZipFile) -> Self {
        let bytes = archive.take(file.n_bytes);
        let data = if file.is_deflated { Data::Deflated(DeflateDecoder::new(bytes)) } else { Data::Stored(bytes) };
        Self { data: CrcReader::new(data), crc32: file.crc32 }
    }

    /// The archive.
    pub(crate) fn file(&self) -> &R {
        match self.data.get_ref() {
            Data::Stored(bytes) => bytes.get_ref(),
            Data::Deflated(decoder) => decoder.get_ref().get_ref(),
        }
    }
}

impl<R: Read> Read for Entry<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.data.read(buf)?;
        if n == 0 && !buf.is_empty() && self.data.crc().sum() != self.crc32 {
            return Err(io::Error::new(ErrorKind::InvalidData, "the checksum is another"));
        }
        Ok(n)
    }
}

impl<R: Read> Read for Data<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(bytes) => bytes.read(buf),
            Self::Deflated(decoder) => decoder.read(buf),
        }
    }
}
