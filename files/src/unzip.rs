//! The one file in a zip archive.
//!
//! The archive's table of contents is walked entry by entry, so that one with millions of entries takes no memory; the
//! file itself is decompressed as it is read, and its checksum is compared at the end.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Take};

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

/// Where the file lies in the archive, and how.
pub(crate) struct Found {
    n_bytes: u64,
    is_deflated: bool,
    crc32: u32,
}

/// Finds the only file in an archive, and moves `archive` to where its bytes begin.
pub(crate) fn only_file(archive: &mut (impl Read + Seek)) -> Result<Found, FileError> {
    let mut entries = ZipIterable::try_new(&mut *archive, Config::default()).map_err(damaged)?;
    if entries.len() > MAX_ZIP_ENTRIES {
        return Err(FileError::ZipFiles { files: Vec::new(), n_files: entries.len() });
    }
    let mut files = Vec::new();
    for entry in entries.files().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        if matches!(&*name, "[Content_Types].xml" | "mimetype") {
            return Err(FileError::NotAList { kind: Kind::Workbook });
        }
        if !entry.is_dir() && !is_clutter(&name) {
            files.push((name, entry));
        }
    }
    let [(_, entry)] = &files[..] else {
        let names = files.iter().take(3).map(|(name, _)| name.chars().take(MAX_NAME_CHARS).collect());
        return Err(FileError::ZipFiles { files: names.collect(), n_files: files.len() });
    };
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
    archive.seek(SeekFrom::Start(start))?;
    Ok(Found { n_bytes, is_deflated, crc32 })
}

/// What macOS and Windows put beside the files somebody chose.
fn is_clutter(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    name.starts_with("__MACOSX/") || matches!(last, ".DS_Store" | "Thumbs.db" | "desktop.ini")
}

fn damaged(error: ZipError) -> FileError {
    let source = match error {
        ZipError::Io(error) if error.kind() != ErrorKind::UnexpectedEof => return error.into(),
        error => io::Error::new(ErrorKind::InvalidData, error),
    };
    FileError::Damaged { compression: Compression::Zip, source }
}

/// The file, decompressed.
pub(crate) struct Entry<R> {
    data: CrcReader<Data<R>>,
    crc32: u32,
}

enum Data<R> {
    Stored(Take<R>),
    Deflated(DeflateDecoder<Take<R>>),
}

impl<R: Read> Entry<R> {
    /// `archive` is where [`only_file`] left it.
    pub(crate) fn new(archive: R, found: &Found) -> Self {
        let bytes = archive.take(found.n_bytes);
        let data = if found.is_deflated { Data::Deflated(DeflateDecoder::new(bytes)) } else { Data::Stored(bytes) };
        Self { data: CrcReader::new(data), crc32: found.crc32 }
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
