//! Lines that stand in quotes as a whole: a table that some program took for one of a single column and saved again.
//!
//! `"a@example.com,""Lind, Anna"",spam"` is the row `a@example.com,"Lind, Anna",spam`. The quotes are taken away line by
//! line, so that the rows have the lines and numbers that they have in the file.

use std::io::{self, Read};

use crate::limits::MAX_RECORD_BYTES;

/// Bytes that are read at once.
const CHUNK: usize = 16 << 10;

/// The bytes of a file, perhaps without the quotes around its lines.
pub(crate) enum Lines<R> {
    AsTheyAre(R),
    Wrapped(Box<Wrapped<R>>),
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(input: R, is_wrapped: bool) -> Self {
        if is_wrapped { Self::Wrapped(Box::new(Wrapped::new(input))) } else { Self::AsTheyAre(input) }
    }

    pub(crate) fn input(&self) -> &R {
        match self {
            Self::AsTheyAre(input) => input,
            Self::Wrapped(wrapped) => &wrapped.input,
        }
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::AsTheyAre(input) => input.read(buf),
            Self::Wrapped(wrapped) => wrapped.read(buf),
        }
    }
}

pub(crate) struct Wrapped<R> {
    input: R,
    /// What was read and not unwrapped yet: the beginning of a line.
    line: Vec<u8>,
    /// What was unwrapped, and how much of it was given.
    ready: Vec<u8>,
    n_given: usize,
    /// Whether this line is too long to be held, and is given as it is.
    is_long: bool,
    is_at_end: bool,
}

impl<R: Read> Wrapped<R> {
    fn new(input: R) -> Self {
        Self { input, line: Vec::new(), ready: Vec::new(), n_given: 0, is_long: false, is_at_end: false }
    }

    /// Makes more ready.
    fn fill(&mut self) -> io::Result<()> {
        let before = self.line.len();
        self.line.resize(before + CHUNK, 0);
        let n = self.input.read(&mut self.line[before..]);
        self.line.truncate(before + *n.as_ref().unwrap_or(&0));
        self.is_at_end = n? == 0;
        self.ready.clear();
        self.n_given = 0;
        let mut from = 0;
        while let Some(at) = memchr::memchr2(b'\r', b'\n', &self.line[from..]) {
            self.push(from, from + at);
            self.ready.push(self.line[from + at]);
            self.is_long = false;
            from += at + 1;
        }
        if self.is_at_end || self.line.len() - from > 2 * MAX_RECORD_BYTES || self.is_long {
            self.is_long |= !self.is_at_end;
            self.push(from, self.line.len());
            from = self.line.len();
        }
        self.line.drain(..from);
        Ok(())
    }

    fn push(&mut self, from: usize, to: usize) {
        match unwrapped(&self.line[from..to]) {
            Some(line) if !self.is_long => self.ready.extend_from_slice(&line),
            _ => self.ready.extend_from_slice(&self.line[from..to]),
        }
    }
}

impl<R: Read> Read for Wrapped<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.n_given == self.ready.len() {
            if self.is_at_end {
                return Ok(0);
            }
            self.fill()?;
        }
        let n = buf.len().min(self.ready.len() - self.n_given);
        buf[..n].copy_from_slice(&self.ready[self.n_given..self.n_given + n]);
        self.n_given += n;
        Ok(n)
    }
}

/// What stands in a line that is in quotes as a whole.
fn unwrapped(line: &[u8]) -> Option<Vec<u8>> {
    let inside = line.trim_ascii().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut text = Vec::with_capacity(inside.len());
    let mut bytes = inside.iter();
    while let Some(&byte) = bytes.next() {
        // A quote by itself ends a cell: the line is no one cell.
        if byte == b'"' && bytes.next() != Some(&b'"') {
            return None;
        }
        text.push(byte);
    }
    Some(text)
}

/// A sample whose lines are all in quotes as a whole, without them.
pub(crate) fn unwrap_all(sample: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(sample.len());
    let mut n_lines = 0;
    for line in sample.split(|byte| matches!(byte, b'\r' | b'\n')) {
        if !line.trim_ascii().is_empty() {
            let line = unwrapped(line).filter(|line| line.iter().any(|byte| b",;\t|".contains(byte)))?;
            text.extend(line);
            n_lines += 1;
        }
        text.push(b'\n');
    }
    (n_lines > 1).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quotes_around_lines_are_taken_away() {
        for (line, expected) in [
            ("\"a,b\"", Some("a,b")),
            (" \"a,\"\"b, c\"\",d\" ", Some("a,\"b, c\",d")),
            ("\"a\",\"b\"", None),
            ("a,b", None),
            ("\"\"", Some("")),
        ] {
            assert_eq!(unwrapped(line.as_bytes()).as_deref(), expected.map(str::as_bytes), "{line}");
        }
        assert_eq!(unwrap_all(b"\"a,b\"\r\n\"c,d\"\n"), Some(b"a,b\n\nc,d\n\n".to_vec()));
        assert_eq!(unwrap_all(b"\"a@example.com\"\n\"b@example.com\"\n"), None);
    }

    #[test]
    fn lines_are_unwrapped_however_they_come() {
        let long = format!("\"a,{}\"\r\n\"c,d\"\n", "x".repeat(200_000));
        for text in ["\"a,b\"\r\n\"c\"\"\"\n\nplain,\"x\"\n\"e,f\"", &long] {
            let mut whole = String::new();
            Wrapped::new(text.as_bytes()).read_to_string(&mut whole).unwrap();
            let mut slow = Wrapped::new(Slowly(text.as_bytes()));
            let mut pieces = String::new();
            slow.read_to_string(&mut pieces).unwrap();
            assert_eq!(whole, pieces);
            let expected = if text.len() > 1000 {
                text.replace("\"c,d\"", "c,d")
            } else {
                "a,b\r\nc\"\n\nplain,\"x\"\ne,f".into()
            };
            assert!(whole == expected);
        }
    }

    /// Gives one byte at a time.
    struct Slowly<'a>(&'a [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let n = buf.len().min(1);
            self.0.read(&mut buf[..n])
        }
    }
}
