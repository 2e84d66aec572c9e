//! Cuts bytes into records and cells, in one pass and with one buffer.
//!
//! `csv-core` knows where cells and records end. Around it stand the rules of this crate: where a
//! record begins in lines, what it looked like, that a record that is too long is passed over instead
//! of held, and that an unclosed quote costs one line.

use std::io::{self, Read};

use crate::fault::RowFault;
use crate::limits::{MAX_COLUMNS, MAX_RECORD_BYTES, MAX_RECOVERIES, SAMPLE_BYTES, SHOWN_BYTES};
use crate::mapping::ERROR_COLUMNS;
use crate::window::{Window, first_break, shown};

/// One record as it lies in the file.
pub(crate) struct Record<'a> {
    /// The physical line it begins in, from 1.
    pub(crate) line: u64,
    /// Its bytes without the line break; only the beginning when it is too long.
    pub(crate) raw: &'a [u8],
    pub(crate) cells: Cells<'a>,
    pub(crate) fault: Option<RowFault>,
}

/// The cells of a record, unquoted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cells<'a> {
    /// All of them, one after the other.
    pub(crate) bytes: &'a [u8],
    ends: &'a [usize],
}

impl<'a> Cells<'a> {
    pub(crate) fn new(bytes: &'a [u8], ends: &'a [usize]) -> Self {
        Self { bytes, ends }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Where each ends in `bytes`.
    pub(crate) fn ends(&self) -> &'a [usize] {
        self.ends
    }

    /// Where cell `i` lies in `bytes`; `None` when the record is shorter.
    pub(crate) fn span(&self, i: usize) -> Option<(usize, usize)> {
        let end = *self.ends.get(i)?;
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        Some((start, end))
    }

    pub(crate) fn get(&self, i: usize) -> Option<&'a [u8]> {
        self.span(i).map(|(start, end)| &self.bytes[start..end])
    }
}

/// Reads the records of a table with one separator.
pub(crate) struct Records<R> {
    window: Window<R>,
    core: csv_core::Reader,
    /// The separator between cells.
    separator: u8,
    /// Whether a backslash takes a quote's meaning away.
    has_escapes: bool,
    cells: Box<[u8]>,
    ends: Box<[usize]>,
    /// Whether the rest of this line belongs to a record that was too long.
    is_in_long_line: bool,
    recoveries_left: u32,
    /// The record that was read last.
    found: Found,
}

/// How the reading of a record ended.
enum End {
    /// At a line break, which was read, or at the end of the file.
    Closed,
    /// At the end of the file, inside quotes.
    Open,
    /// It is longer than it may be.
    TooLong,
}

/// How much of the cells is filled.
#[derive(Default)]
struct Filled {
    n_bytes: usize,
    n_ends: usize,
    is_too_wide: bool,
}

/// A record by its places in the buffers.
#[derive(Default)]
struct Found {
    line: u64,
    raw: (usize, usize),
    filled: Filled,
    fault: Option<RowFault>,
}

impl<R: Read> Records<R> {
    /// `input` begins in `line`.
    pub(crate) fn new(input: R, separator: u8, has_escapes: bool, line: u64) -> Self {
        let escape = has_escapes.then_some(b'\\');
        Self {
            window: Window::new(input, line),
            core: csv_core::ReaderBuilder::new().delimiter(separator).escape(escape).build(),
            separator,
            has_escapes,
            cells: vec![0; MAX_RECORD_BYTES + 2].into(),
            ends: vec![0; MAX_COLUMNS + ERROR_COLUMNS.len()].into(),
            is_in_long_line: false,
            recoveries_left: MAX_RECOVERIES,
            found: Found::default(),
        }
    }

    pub(crate) fn input(&self) -> &R {
        self.window.input()
    }

    pub(crate) fn n_done(&self) -> u64 {
        self.window.n_done()
    }

    /// What comes next, if it begins with a line that holds `words`.
    pub(crate) fn ahead_with(&mut self, words: &[u8]) -> io::Result<Option<&[u8]>> {
        if self.is_in_long_line || !self.window.skip_line_breaks()? {
            return Ok(None);
        }
        // There is room for it: a record is at most half of the buffer.
        while first_break(self.window.ahead()).is_none() && self.window.ahead().len() < MAX_RECORD_BYTES {
            if !self.window.fill()? {
                break;
            }
        }
        let ahead = self.window.ahead();
        let line = &ahead[..first_break(ahead).unwrap_or(ahead.len())];
        if memchr::memmem::find(line, words).is_none() {
            return Ok(None);
        }
        while self.window.ahead().len() < SAMPLE_BYTES && self.window.fill()? {}
        Ok(Some(self.window.ahead()))
    }

    /// Reads the next record in which something stands: blank lines, and rows of nothing but separators, are passed over.
    /// `false` at the end of the file.
    pub(crate) fn read(&mut self) -> io::Result<bool> {
        loop {
            if self.is_in_long_line {
                self.window.skip_line()?;
                self.is_in_long_line = false;
            }
            if !self.window.skip_line_breaks()? {
                return Ok(false);
            }
            self.found = self.read_record()?;
            let may_be_blank = matches!(self.found.fault, None | Some(RowFault::TooManyColumns));
            if !may_be_blank || !is_blank(&self.cells[..self.found.filled.n_bytes]) {
                return Ok(true);
            }
        }
    }

    /// The record that was read.
    pub(crate) fn record(&self) -> Record<'_> {
        let Found { line, raw, filled, fault } = &self.found;
        let cells = Cells { bytes: &self.cells[..filled.n_bytes], ends: &self.ends[..filled.n_ends] };
        Record { line: *line, raw: self.window.bytes(*raw), cells, fault: *fault }
    }

    /// Reads the record that begins at `pos`, which is no line break.
    fn read_record(&mut self) -> io::Result<Found> {
        let mut filled = Filled::default();
        let end = self.read_to_end(&mut filled)?;
        let break_at = match end {
            End::Closed => {
                let raw = self.window.bytes((self.window.start, self.window.raw_end()));
                first_break(raw).filter(|_| !quotes_are_sound(raw, self.separator, self.has_escapes))
            }
            End::Open | End::TooLong => first_break(self.window.record()),
        };
        if !matches!(end, End::Closed) {
            self.core.reset();
        }
        match (end, break_at) {
            (_, Some(at)) if self.recoveries_left > 0 => {
                self.recoveries_left -= 1;
                Ok(self.first_line_of(at))
            }
            (End::TooLong, _) => Ok(self.too_long(filled, break_at)),
            (End::Open, _) => Ok(self.whole(filled, Some(RowFault::UnclosedQuote))),
            (End::Closed, Some(_)) => Ok(self.whole(filled, Some(RowFault::UnclosedQuote))),
            (End::Closed, None) => {
                let fault = filled.is_too_wide.then_some(RowFault::TooManyColumns);
                Ok(self.whole(filled, fault))
            }
        }
    }

    /// Feeds the record to the core until it ends, filling the buffer as it goes.
    fn read_to_end(&mut self, filled: &mut Filled) -> io::Result<End> {
        loop {
            let limit = self.window.start + MAX_RECORD_BYTES + 1;
            let end = self.window.end.min(limit);
            if self.window.pos < end {
                let (is_record, n_read) = self.feed((self.window.pos, end), filled);
                self.window.pos += n_read;
                if is_record {
                    return Ok(End::Closed);
                }
            } else if self.window.pos == limit {
                return Ok(End::TooLong);
            } else if !self.window.fill()? {
                return Ok(self.close(filled));
            }
        }
    }

    /// Gives the core a part of the buffer, and says whether the record ended and how much was read.
    fn feed(&mut self, part: (usize, usize), filled: &mut Filled) -> (bool, usize) {
        let mut beyond = [0; 64];
        filled.is_too_wide |= filled.n_ends == self.ends.len();
        let ends = if filled.is_too_wide { &mut beyond[..] } else { &mut self.ends[filled.n_ends..] };
        let cells = &mut self.cells[filled.n_bytes..];
        let (result, n_read, n_bytes, n_ends) = self.core.read_record(self.window.bytes(part), cells, ends);
        filled.n_bytes += n_bytes;
        if !filled.is_too_wide {
            filled.n_ends += n_ends;
        }
        (result == csv_core::ReadRecordResult::Record, n_read)
    }

    /// Ends the last record of the file. A line break ends it, but not inside quotes.
    fn close(&mut self, filled: &mut Filled) -> End {
        let (mut byte, mut beyond) = ([0; 1], [0; 1]);
        filled.is_too_wide |= filled.n_ends == self.ends.len();
        let ends = if filled.is_too_wide { &mut beyond[..] } else { &mut self.ends[filled.n_ends..] };
        let (result, _, _, n_ends) = self.core.read_record(b"\n", &mut byte, ends);
        if result == csv_core::ReadRecordResult::Record {
            if !filled.is_too_wide {
                filled.n_ends += n_ends;
            }
            return End::Closed;
        }
        // What was quoted last is a cell too, so that the error file can show it.
        if let Some(end) = self.ends.get_mut(filled.n_ends) {
            *end = filled.n_bytes;
            filled.n_ends += 1;
        }
        End::Open
    }

    /// The record as it was read, up to `pos`.
    fn whole(&mut self, filled: Filled, fault: Option<RowFault>) -> Found {
        let raw = (self.window.start, self.window.raw_end());
        let line = self.window.line;
        self.window.advance();
        Found { line, raw, filled, fault }
    }

    /// Goes back to the first line break of the record, and gives what is before it as a fault.
    fn first_line_of(&mut self, break_at: usize) -> Found {
        let raw = (self.window.start, self.window.start + break_at);
        self.core.reset();
        let mut filled = Filled::default();
        self.feed(raw, &mut filled);
        // The line ends in quotes or not; either way what is left is the last cell.
        if let Some(end) = self.ends.get_mut(filled.n_ends) {
            *end = filled.n_bytes;
            filled.n_ends += 1;
        }
        self.core.reset();
        let line = self.window.line;
        self.window.pos = raw.1;
        self.window.advance();
        Found { line, raw, filled, fault: Some(RowFault::UnclosedQuote) }
    }

    /// The beginning of a record that is too long. The rest of its line is passed over next time.
    fn too_long(&mut self, mut filled: Filled, break_at: Option<usize>) -> Found {
        let record = self.window.record();
        let raw = (self.window.start, self.window.start + shown(record));
        self.is_in_long_line = !matches!(record.last(), Some(b'\r' | b'\n'));
        filled.n_ends = self.ends[..filled.n_ends].partition_point(|&end| end <= SHOWN_BYTES);
        if filled.n_ends == 0 {
            self.ends[0] = shown(&self.cells[..filled.n_bytes]);
            filled.n_ends = 1;
        }
        filled.n_bytes = self.ends[filled.n_ends - 1];
        let fault = if break_at.is_some() { RowFault::UnclosedQuote } else { RowFault::RowTooLong };
        let line = self.window.line;
        self.window.advance();
        Found { line, raw, filled, fault: Some(fault) }
    }
}

/// Whether nothing stands in `cells`, be they one or several.
pub(crate) fn is_blank(cells: &[u8]) -> bool {
    match cells.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => true,
        Some(byte) if byte.is_ascii() => false,
        Some(_) => str::from_utf8(cells).is_ok_and(|text| text.chars().all(is_invisible)),
    }
}

/// White space, and what somebody's cell is empty with all the same.
fn is_invisible(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// Whether every quote that opens a cell of `raw` is closed where the cell ends. A record over several
/// lines that fails this is no record: a quote was forgotten, and the next one, of another row, was
/// taken for its end.
fn quotes_are_sound(raw: &[u8], separator: u8, has_escapes: bool) -> bool {
    enum State {
        Start,
        Plain,
        Quoted,
        Escaped,
        Closed,
    }
    let mut state = State::Start;
    for &byte in raw {
        state = match (state, byte) {
            (State::Start | State::Closed, b'"') => State::Quoted,
            (State::Quoted, b'\\') if has_escapes => State::Escaped,
            (State::Quoted, b'"') => State::Closed,
            (State::Quoted | State::Escaped, _) => State::Quoted,
            (_, byte) if byte == separator => State::Start,
            (State::Closed, b' ') => State::Closed,
            (State::Closed, _) => return false,
            (State::Start | State::Plain, _) => State::Plain,
        };
    }
    !matches!(state, State::Quoted | State::Escaped)
}

/// Whether the quotes within the cells of a text have a backslash before them, as MySQL and old PHP write them: some line
/// can be read only so, and none can be read only otherwise.
pub(crate) fn has_escapes(text: &[u8], separator: u8) -> bool {
    if memchr::memmem::find(text, b"\\\"").is_none() {
        return false;
    }
    let mut is_needed = false;
    for line in text.split(|byte| matches!(byte, b'\r' | b'\n')) {
        let sound = |has_escapes| quotes_are_sound(line, separator, has_escapes);
        match (sound(false), sound(true)) {
            (true, false) => return false,
            (false, true) => is_needed = true,
            (true, true) | (false, false) => {}
        }
    }
    is_needed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backslashes_before_quotes_are_seen() {
        for (text, expected) in [
            (r#"a@x.example,"Ann \"Annie\" Lind""#, true),
            (r#"a@x.example,"\"Annie\"",x"#, true),
            (r#"a@x.example,"C:\""#, false),
            (r#"a@x.example,"Ann ""Annie"" Lind""#, false),
            ("a@x.example,\"C:\\\"\nb@x.example,\"Ann \\\"Annie\\\" Lind\"", false),
            (r#"a@x.example,Ann \"Annie\" Lind"#, false),
        ] {
            assert_eq!(has_escapes(text.as_bytes(), b','), expected, "{text}");
        }
    }
}
