//! The bytes of the file: gzip undone, the size limit held, the bytes read counted.

use std::io::{self, ErrorKind, Read};

use flate2::read::MultiGzDecoder;

use crate::error::FileError;

/// What every gzip file begins with.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A file, decompressed. Its errors hold a [`FileError`].
pub(crate) struct Input<R> {
    body: Body<R>,
    limit_bytes: u64,
    left_bytes: u64,
}

enum Body<R> {
    Plain(Counted<R>),
    Gzip(Box<MultiGzDecoder<Counted<R>>>),
}

impl<R: Read> Input<R> {
    /// Looks at the first two bytes of `file`. No more than `limit_bytes` of text will come out.
    pub(crate) fn new(file: R, limit_bytes: u64) -> io::Result<Self> {
        let file = Counted::new(file)?;
        let body =
            if file.head() == GZIP_MAGIC { Body::Gzip(Box::new(MultiGzDecoder::new(file))) } else { Body::Plain(file) };
        Ok(Self { body, limit_bytes, left_bytes: limit_bytes })
    }

    /// Bytes of the file as it lies on the disk that were read so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        match &self.body {
            Body::Plain(file) => file.n_read,
            Body::Gzip(decoder) => decoder.get_ref().n_read,
        }
    }

    pub(crate) fn is_gzip(&self) -> bool {
        matches!(self.body, Body::Gzip(_))
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // One byte more than is left tells a file that ends at the limit from one that goes on.
        let room = self.left_bytes.saturating_add(1).min(buf.len() as u64) as usize;
        let n = match &mut self.body {
            Body::Plain(file) => file.read(&mut buf[..room])?,
            Body::Gzip(decoder) => decoder.read(&mut buf[..room]).map_err(gzip_error)?,
        };
        match self.left_bytes.checked_sub(n as u64) {
            Some(left_bytes) => self.left_bytes = left_bytes,
            None => {
                return Err(io::Error::other(FileError::TooLarge { limit_bytes: self.limit_bytes }));
            }
        }
        Ok(n)
    }
}

/// The decoder's own complaints have these kinds; what else comes is from the file below it.
fn gzip_error(source: io::Error) -> io::Error {
    match source.kind() {
        ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
            io::Error::other(FileError::GzipDamaged { source })
        }
        _ => source,
    }
}

/// A file whose first two bytes were looked at, and whose bytes are counted.
struct Counted<R> {
    file: R,
    head: [u8; 2],
    n_head: usize,
    n_head_given: usize,
    n_read: u64,
}

impl<R: Read> Counted<R> {
    fn new(mut file: R) -> io::Result<Self> {
        let mut head = [0; 2];
        let n_head = read_full(&mut file, &mut head)?;
        Ok(Self { file, head, n_head, n_head_given: 0, n_read: n_head as u64 })
    }

    fn head(&self) -> &[u8] {
        &self.head[..self.n_head]
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.n_head_given < self.n_head {
            let n = (&self.head[self.n_head_given..self.n_head]).read(buf)?;
            self.n_head_given += n;
            return Ok(n);
        }
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
