//! Cuts a list into records of one cell: a line each, or what a comma or semicolon ends in it.
//!
//! A line pasted from the head of a mail holds several addresses (`anna@example.com, "Lind, Ben" <ben@example.com>`).
//! It is cut behind each comma and semicolon that ends an address, so each has a row and a number of its own, and all
//! of them the same line. A separator that ends anything else, as within a name, is left where it is.

use std::io::{self, Read};

use crate::address::is_address;
use crate::fault::RowFault;
use crate::limits::{MAX_CUT_BYTES, MAX_CUT_TRIES, MAX_RECORD_BYTES};
use crate::records::{Cells, Record, is_blank};
use crate::window::{Window, shown};

/// Reads the values of a list as records.
pub(crate) struct ListRecords<R> {
    window: Window<R>,
    /// Where the only cell ends.
    ends: [usize; 1],
    /// Whether the rest of this line belongs to a value that was too long.
    is_in_long_line: bool,
    /// The value that was read last.
    found: Found,
}

/// A value by its place in the window.
#[derive(Default, Clone, Copy)]
struct Found {
    line: u64,
    raw: (usize, usize),
    n_separator: usize,
    fault: Option<RowFault>,
}

/// How the reading of a value ended.
enum End {
    /// Before a line break, or at the end of the file.
    Line,
    /// Behind a separator, which was read.
    Separator,
    /// It is longer than it may be.
    TooLong,
}

impl<R: Read> ListRecords<R> {
    /// `input` begins in `line`.
    pub(crate) fn new(input: R, line: u64) -> Self {
        Self { window: Window::new(input, line), ends: [0], is_in_long_line: false, found: Found::default() }
    }

    pub(crate) fn input(&self) -> &R {
        self.window.input()
    }

    pub(crate) fn n_done(&self) -> u64 {
        self.window.n_done()
    }

    /// Reads the next value in which something stands; `false` at the end of the file.
    pub(crate) fn read(&mut self) -> io::Result<bool> {
        loop {
            if self.is_in_long_line {
                self.window.skip_line()?;
                self.is_in_long_line = false;
            }
            if !self.window.skip_line_breaks()? {
                return Ok(false);
            }
            let end = self.read_value()?;
            self.is_in_long_line = matches!(end, End::TooLong);
            if self.is_in_long_line || !is_nothing(self.window.record()) {
                self.take(&end);
                return Ok(true);
            }
            self.window.advance();
        }
    }

    /// The value that was read.
    pub(crate) fn record(&self) -> Record<'_> {
        let Found { line, raw, n_separator, fault } = self.found;
        let raw = self.window.bytes(raw);
        let cell = unquoted(&raw[..raw.len() - n_separator]);
        Record { line, raw, cells: Cells::new(cell, &self.ends), fault }
    }

    /// Reads the value that begins at `pos`, which is no line break.
    fn read_value(&mut self) -> io::Result<End> {
        let mut tries_left = MAX_CUT_TRIES;
        loop {
            let found = self.window.ahead().iter().position(|byte| matches!(byte, b'\r' | b'\n' | b',' | b';'));
            self.window.pos = found.map_or(self.window.end, |at| self.window.pos + at);
            if self.window.record().len() > MAX_RECORD_BYTES {
                return Ok(End::TooLong);
            }
            match self.window.peek()? {
                None | Some(b'\r' | b'\n') => return Ok(End::Line),
                Some(_) if found.is_none() => {}
                Some(_) => {
                    let value = self.window.record();
                    let may_end = tries_left > 0 && may_end_address(value);
                    let is_end = may_end && ends_address(value);
                    tries_left -= u32::from(may_end);
                    self.window.pos += 1;
                    if is_end {
                        return Ok(End::Separator);
                    }
                }
            }
        }
    }

    /// Goes on behind the value that was read.
    fn take(&mut self, end: &End) {
        let value = self.window.record();
        let (n_raw, n_separator, fault) = match end {
            End::Line => (value.len(), 0, None),
            End::Separator => (value.len(), 1, None),
            End::TooLong => (shown(value), 0, Some(RowFault::RowTooLong)),
        };
        let (line, start) = (self.window.line, self.window.start);
        self.window.advance();
        self.found = Found { line, raw: (start, start + n_raw), n_separator, fault };
        self.ends[0] = self.record().cells.bytes.len();
    }
}

/// Whether it is worth a look that a comma or semicolon behind `value` ends an address.
fn may_end_address(value: &[u8]) -> bool {
    value.len() <= MAX_CUT_BYTES && memchr::memchr(b'@', value).is_some()
}

fn ends_address(value: &[u8]) -> bool {
    str::from_utf8(value).is_ok_and(|value| is_address(value.trim()))
}

/// Whether a value is blank, or only separators and quotes with nothing in them.
fn is_nothing(value: &[u8]) -> bool {
    match value.trim_ascii_start().first() {
        Some(b',' | b';' | b'"') => {
            let is_mark = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b';' | b'"');
            let n_quotes = value.iter().filter(|byte| **byte == b'"').count();
            value.iter().all(is_mark) && n_quotes.is_multiple_of(2)
        }
        _ => is_blank(value),
    }
}

/// A value may stand in quotes as a whole.
fn unquoted(value: &[u8]) -> &[u8] {
    match value.trim_ascii() {
        [b'"', inside @ .., b'"'] => inside,
        _ => value,
    }
}
