//! Cuts JSON into records: an array, an array inside an object, JSON Lines, or one value after the other.
//!
//! Each element is cut out by its brackets and quotes alone and only then parsed, so that memory stays flat and a bad
//! element costs itself and not the file. RFC 8259 rules what an element is.
//!
//! - Pages of an API that were saved one after the other (`{"items":[…]}{"items":[…]}`, `[…][…]`) are one file.
//! - What stands beside the array in its object, such as the address of the next page, is not read.
//! - Where a bracket was forgotten, the next element is the next line that begins as far from the margin as this one. If
//!   there is none, or the last bracket is missing, the file ends in [`FileError::CutShort`].

use std::io::{self, Read};

use serde_json::Value;

use crate::address::{bare_address, is_address};
use crate::encoding::mended;
use crate::error::FileError;
use crate::fault::RowFault;
use crate::json_layout::{Ends, Scan};
use crate::json_path::{Columns, Path, push_text};
use crate::limits::{MAX_RECORD_BYTES, MAX_RECOVERIES};
use crate::records::{Cells, Record};
use crate::window::{Window, shown};

/// Bytes of white space behind a text beyond which nobody looks what comes.
const MAX_SPACE_BYTES: usize = 1024;

/// Reads the elements as records.
pub(crate) struct JsonRecords<R> {
    window: Window<R>,
    ends: Ends,
    /// Where the values are that are the cells. Without any, an element is one cell.
    columns: Columns,
    /// The column that an element which is a text goes into.
    email: usize,
    /// What is open around the next array; `None` in an array, and where there are none.
    outside: Option<Scan>,
    /// Where in an element we are that was too long to be held.
    long: Option<Scan>,
    /// How far from the margin we are, if nothing but white space is before.
    indent: Option<usize>,
    recoveries_left: u32,
    /// Whether the element before could not be read.
    is_broken: bool,
    cells: Vec<u8>,
    cell_ends: Vec<usize>,
    /// The element that was read last.
    found: Found,
}

/// An element that was read, by its place in the window.
#[derive(Default, Clone, Copy)]
struct Found {
    line: u64,
    raw: (usize, usize),
    fault: Option<RowFault>,
}

/// An element by its place in the window.
pub(crate) struct Element {
    line: u64,
    raw: (usize, usize),
    value: Result<Value, RowFault>,
}

impl<R: Read> JsonRecords<R> {
    /// `input` begins where the layout starts, in `line`.
    pub(crate) fn new(input: R, ends: Ends, paths: Vec<Path>, email: usize, line: u64) -> Self {
        Self {
            window: Window::new(input, line),
            ends,
            columns: Columns::new(paths),
            email,
            outside: None,
            long: None,
            indent: None,
            recoveries_left: MAX_RECOVERIES,
            is_broken: false,
            cells: Vec::new(),
            cell_ends: Vec::new(),
            found: Found::default(),
        }
    }

    pub(crate) fn input(&self) -> &R {
        self.window.input()
    }

    pub(crate) fn n_done(&self) -> u64 {
        self.window.n_done()
    }

    /// Reads the next element in which something stands; `false` at the end of the file.
    pub(crate) fn read(&mut self) -> io::Result<bool> {
        let Element { line, raw, value } = loop {
            match self.next_element()? {
                None => return Ok(false),
                Some(Element { value: Ok(value), .. }) if is_nothing(&value) => {}
                Some(element) => break element,
            }
        };
        let bytes = self.window.bytes(raw);
        self.cells.clear();
        self.cell_ends.clear();
        let mut fault = value.as_ref().err().copied();
        match &value {
            Ok(Value::Object(object)) => self.columns.fill(object, &mut self.cells, &mut self.cell_ends),
            other => {
                self.cell_ends.resize(self.email, 0);
                match other {
                    Ok(value) => push_text(&mut self.cells, value),
                    // The error file shows what could not be read.
                    Err(_) => self.cells.extend_from_slice(&bytes[..shown(bytes)]),
                }
                self.cell_ends.push(self.cells.len());
            }
        }
        let cells = Cells::new(&self.cells, &self.cell_ends);
        if fault.is_none() && cells.get(self.email).is_some_and(|cell| is_guessed(bytes, cell)) {
            fault = Some(RowFault::NotUtf8);
        }
        self.found = Found { line, raw, fault };
        Ok(true)
    }

    /// The element that was read.
    pub(crate) fn record(&self) -> Record<'_> {
        let Found { line, raw, fault } = self.found;
        let cells = Cells::new(&self.cells, &self.cell_ends);
        Record { line, raw: self.window.bytes(raw), cells, fault }
    }

    /// What an element is. Among objects a text by itself is an address only where nothing is broken, and otherwise perhaps
    /// a piece of a broken object.
    fn value(&self, element: &[u8], is_between_others: bool) -> Result<Value, RowFault> {
        if memchr::memchr(0, element).is_some() {
            return Err(RowFault::NulByte);
        }
        let value = serde_json::from_str(&mended(element, false)).map_err(|_| RowFault::NotJson)?;
        let is_alike = match &value {
            Value::Object(_) => true,
            Value::String(text) => self.columns.is_empty() || is_between_others && is_address(text),
            _ => self.columns.is_empty(),
        };
        if is_alike { Ok(value) } else { Err(RowFault::NotJson) }
    }

    /// The values of all elements that can be parsed: for a look at a sample.
    pub(crate) fn values(mut self) -> Vec<Value> {
        let mut values = Vec::new();
        // Reading from memory cannot fail, and a sample may be cut short.
        while let Ok(Some(element)) = self.next_element() {
            values.extend(element.value);
        }
        values
    }

    fn next_element(&mut self) -> io::Result<Option<Element>> {
        if let Some(scan) = self.long.take() {
            self.skip(scan)?;
        }
        if !self.skip_to_element()? {
            return Ok(None);
        }
        let line = self.window.line;
        let (scan, is_too_long) = self.read_element()?;
        let is_text = self.window.record().starts_with(b"\"");
        let is_between_others = is_text && !self.is_broken && self.is_at_end_of_element()?;
        let record = self.window.record();
        let mut value = if is_too_long { Err(RowFault::RowTooLong) } else { self.value(record, is_between_others) };
        if value.is_err()
            && let Some(at) = self.restart()
        {
            self.window.pos = self.window.start + at;
            value = Err(RowFault::NotJson);
        }
        self.is_broken = value.is_err();
        let is_too_long = matches!(value, Err(RowFault::RowTooLong));
        self.long = is_too_long.then_some(scan);
        let record = self.window.record();
        let raw = (self.window.start, self.window.start + if is_too_long { shown(record) } else { record.len() });
        self.window.advance();
        self.indent = None;
        Ok(Some(Element { line, raw, value }))
    }

    /// Whether what comes next may stand behind an element.
    fn is_at_end_of_element(&mut self) -> io::Result<bool> {
        loop {
            let ahead = self.window.ahead();
            let (next, n_ahead) = (ahead.iter().find(|byte| !byte.is_ascii_whitespace()).copied(), ahead.len());
            match next {
                Some(byte) if self.is_in_array() => return Ok(matches!(byte, b',' | b']')),
                Some(_) => return Ok(ahead[0].is_ascii_whitespace()),
                None if n_ahead > MAX_SPACE_BYTES => return Ok(false),
                None if !self.window.fill()? => return Ok(!self.is_in_array()),
                None => {}
            }
        }
    }

    /// Reads the element that begins at `pos`, and says where in it the reading ended and whether it is too long.
    fn read_element(&mut self) -> io::Result<(Scan, bool)> {
        let mut scan = Scan::default();
        while let Some(byte) = self.window.peek()? {
            if self.window.record().len() == MAX_RECORD_BYTES {
                return Ok((scan, true));
            }
            if self.is_after(&scan, byte) {
                break;
            }
            self.window.pos += 1;
            if scan.step(byte) && self.ends != Ends::Lines {
                break;
            }
        }
        Ok((scan, false))
    }

    /// Where the line ends in the element that was read behind which the next one seems to begin.
    fn restart(&mut self) -> Option<usize> {
        let indent = self.indent.filter(|_| self.ends != Ends::Lines && self.recoveries_left > 0)?;
        let record = self.window.record();
        let mut breaks = memchr::memchr2_iter(b'\r', b'\n', record);
        let at = breaks.find(|at| {
            let next = &record[at + 1..];
            let n_spaces = next.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            n_spaces == indent && next.get(n_spaces) == Some(&b'{')
        })?;
        self.recoveries_left -= 1;
        Some(at)
    }

    /// Whether `byte` comes after the element. A line break in a text is no JSON, and mostly a forgotten quote.
    fn is_after(&self, scan: &Scan, byte: u8) -> bool {
        let is_break = matches!(byte, b'\r' | b'\n');
        match self.ends {
            Ends::Lines => is_break,
            _ if scan.is_in_string => is_break,
            _ if self.window.record().is_empty() => false,
            _ => scan.is_bare() && (byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}' | b'{' | b'[')),
        }
    }

    /// Moves to the next element; `false` if there is none.
    fn skip_to_element(&mut self) -> io::Result<bool> {
        loop {
            if let Some(scan) = self.outside.take()
                && !self.skip_to_array(scan)?
            {
                return Ok(false);
            }
            match self.window.peek()? {
                None if self.is_in_array() => return Err(self.cut_short()),
                None => return Ok(false),
                Some(byte @ b']') if self.is_in_array() => {
                    self.pass(byte);
                    self.outside = Some(Scan::inside(usize::from(self.ends == Ends::Wrapped)));
                }
                Some(byte) if byte.is_ascii_whitespace() || byte == b',' => self.pass(byte),
                Some(_) => {
                    self.window.advance();
                    return Ok(true);
                }
            }
        }
    }

    /// Moves into the next array; `false` if there is none. What is no array is a sequence of elements.
    fn skip_to_array(&mut self, mut scan: Scan) -> io::Result<bool> {
        let mut has_array = true;
        while let Some(byte) = self.window.peek()? {
            let is_space = byte.is_ascii_whitespace() || byte == b',';
            if scan.is_bare() && !is_space {
                has_array = false;
                let opener = if self.ends == Ends::Wrapped { b'{' } else { b'[' };
                if byte != opener {
                    self.ends = Ends::Sequence;
                    return Ok(true);
                }
            }
            self.pass(byte);
            scan.step(byte);
            let depth = if self.ends == Ends::Wrapped { 2 } else { 1 };
            let is_array = byte == b'[' && scan.depth == depth && !scan.is_in_string;
            if is_array && !has_array && matches!(self.peek_solid()?, Some(b'{' | b'"')) {
                return Ok(true);
            }
        }
        if scan.is_bare() { Ok(false) } else { Err(self.cut_short()) }
    }

    /// The next byte that is no white space.
    fn peek_solid(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.window.peek()? {
                Some(byte) if byte.is_ascii_whitespace() => self.pass(byte),
                byte => return Ok(byte),
            }
        }
    }

    /// Goes on behind a byte that is in no element.
    fn pass(&mut self, byte: u8) {
        self.window.pos += 1;
        self.indent = match byte {
            b'\r' | b'\n' => Some(0),
            b' ' | b'\t' => self.indent.map(|n| n + 1),
            _ => None,
        };
        if self.window.record().len() >= MAX_RECORD_BYTES {
            self.window.advance();
        }
    }

    fn is_in_array(&self) -> bool {
        matches!(self.ends, Ends::Array | Ends::Wrapped)
    }

    fn cut_short(&mut self) -> io::Error {
        self.window.advance();
        io::Error::other(FileError::CutShort { line: self.window.line })
    }

    /// Passes over the rest of an element.
    fn skip(&mut self, mut scan: Scan) -> io::Result<()> {
        while let Some(byte) = self.window.peek()? {
            if self.is_after(&scan, byte) {
                break;
            }
            self.window.pos += 1;
            if self.window.record().len() >= MAX_RECORD_BYTES {
                self.window.advance();
            }
            if scan.step(byte) && self.ends != Ends::Lines {
                break;
            }
        }
        self.window.advance();
        Ok(())
    }
}

/// Whether an element is an empty text, or an object of keys with nothing in them.
fn is_nothing(element: &Value) -> bool {
    match element {
        Value::String(text) => text.trim().is_empty(),
        Value::Object(object) => {
            !object.is_empty() && object.values().all(|value| value.is_null() || is_nothing(value))
        }
        _ => false,
    }
}

/// Whether the address in `cell` is only there because an element that is not UTF-8 was read as Windows-1252.
fn is_guessed(element: &[u8], cell: &[u8]) -> bool {
    let has_letters = |cell| !bare_address(&mended(cell, true)).is_ascii();
    !cell.is_ascii() && str::from_utf8(element).is_err() && has_letters(cell)
}
