//! The bytes of the file: gzip and zip undone, the size limit held, the bytes read counted.

use std::io::{self, Chain, Cursor, ErrorKind, Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;

use crate::error::FileError;
use crate::mapping::Compression;
use crate::unzip::{self, Entry, ZipFile};

/// What every gzip file begins with.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// What every zip archive begins with, also one without files.
const ZIP_MAGIC: [[u8; 4]; 2] = [*b"PK\x03\x04", *b"PK\x05\x06"];

/// A file, decompressed. Its errors hold a [`FileError`].
pub(crate) struct Input<R> {
    body: Body<R>,
    limit: Limit,
}

/// How much text may come out of a file, and how much of that is left.
#[derive(Clone, Copy)]
pub(crate) struct Limit {
    bytes: u64,
    left_bytes: u64,
}

impl Limit {
    pub(crate) fn new(bytes: u64) -> Self {
        Self { bytes, left_bytes: bytes }
    }
}

enum Body<R> {
    Plain(Counted<R>),
    Gzip(Box<MultiGzDecoder<Counted<R>>>),
    Zip(Box<Entry<Counted<R>>>),
}

/// What a file turned out to be.
pub(crate) enum Opened<R> {
    /// One text.
    Text(Input<R>),
    /// An archive of these.
    Zip(Vec<ZipFile>),
}

impl<R: Read + Seek> Input<R> {
    /// Looks at the first bytes of `file`. No more than `limit` of text will come out.
    pub(crate) fn open(mut file: R, limit: Limit) -> Result<Opened<R>, FileError> {
        let mut head = [0; 4];
        let n = read_full(&mut file, &mut head)?;
        let body = if head[..n].starts_with(&GZIP_MAGIC) {
            Body::Gzip(Box::new(MultiGzDecoder::new(Counted::new(&head[..n], file))))
        } else if ZIP_MAGIC.contains(&head) {
            return Ok(Opened::Zip(unzip::files(&mut file)?));
        } else {
            Body::Plain(Counted::new(&head[..n], file))
        };
        Ok(Opened::Text(Self { body, limit }))
    }

    /// A file of an archive.
    pub(crate) fn of_zip(mut archive: R, file: &ZipFile, limit: Limit) -> Result<Self, FileError> {
        archive.seek(SeekFrom::Start(file.start()))?;
        let body = Body::Zip(Box::new(Entry::new(Counted::new(&[], archive), file)));
        Ok(Self { body, limit })
    }
}

impl<R: Read> Input<R> {
    /// Bytes of the file as it lies on the disk that were read so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        match &self.body {
            Body::Plain(file) => file.n_read,
            Body::Gzip(decoder) => decoder.get_ref().n_read,
            Body::Zip(entry) => entry.file().n_read,
        }
    }

    /// What is left of the limit.
    pub(crate) fn limit(&self) -> Limit {
        self.limit
    }

    pub(crate) fn compression(&self) -> Compression {
        match self.body {
            Body::Plain(_) => Compression::None,
            Body::Gzip(_) => Compression::Gzip,
            Body::Zip(_) => Compression::Zip,
        }
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // One byte more than is left tells a file that ends at the limit from one that goes on.
        let room = self.limit.left_bytes.saturating_add(1).min(buf.len() as u64) as usize;
        let n = match &mut self.body {
            Body::Plain(file) => file.read(&mut buf[..room])?,
            Body::Gzip(decoder) => decoder.read(&mut buf[..room]).map_err(|error| damaged(error, Compression::Gzip))?,
            Body::Zip(entry) => entry.read(&mut buf[..room]).map_err(|error| damaged(error, Compression::Zip))?,
        };
        match self.limit.left_bytes.checked_sub(n as u64) {
            Some(left_bytes) => self.limit.left_bytes = left_bytes,
            None => {
                return Err(io::Error::other(FileError::TooLarge { limit_bytes: self.limit.bytes }));
            }
        }
        Ok(n)
    }
}

/// The decoder's own complaints have these kinds; what else comes is from the file below it.
fn damaged(source: io::Error, compression: Compression) -> io::Error {
    match source.kind() {
        ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
            io::Error::other(FileError::Damaged { compression, source })
        }
        _ => source,
    }
}

/// A file whose bytes are counted.
pub(crate) struct Counted<R> {
    file: Chain<Cursor<Vec<u8>>, R>,
    n_read: u64,
}

impl<R: Read> Counted<R> {
    /// `head` was read of it before.
    fn new(head: &[u8], file: R) -> Self {
        Self { file: Cursor::new(head.to_owned()).chain(file), n_read: 0 }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buf)?;
        self.n_read += n as u64;
        Ok(n)
    }
}

/// Reads until `buf` is full or the file ends, and says how much there was.
pub(crate) fn read_full(file: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < buf.len() {
        match file.read(&mut buf[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n)
}
