//! Cuts JSON into records: an array, an array inside an object, JSON Lines, or one value after the other.
//!
//! Each element is cut out by its brackets and quotes alone and only then parsed, so that memory stays flat and a bad
//! element costs itself and not the file. RFC 8259 rules what an element is.

use std::io::{self, Read};

use serde_json::{Map, Value};

use crate::encoding::decode_cell;
use crate::fault::RowFault;
use crate::limits::{MAX_COLUMNS, MAX_RECORD_BYTES};
use crate::names;
use crate::records::{Cells, Record};
use crate::window::{Window, shown};

/// Where the elements are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Where the first may begin, in bytes from the beginning of the text.
    pub(crate) start: usize,
    pub(crate) ends: Ends,
}

/// Where an element ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// With its own brackets, in an array.
    Array,
    /// With its own brackets, one after the other.
    Sequence,
    /// With its line.
    Lines,
}

impl Layout {
    /// The layout of a text that begins like `sample`; `None` if it is not JSON.
    pub(crate) fn of(sample: &[u8]) -> Option<Self> {
        let start = sample.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let second = sample[start + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
        match (sample[start], second) {
            (b'[', Some(b'"' | b'{' | b']')) => Some(Self { start: start + 1, ends: Ends::Array }),
            (b'{', Some(b'"' | b'}')) => Some(Self::of_object(sample, start)),
            _ => None,
        }
    }

    /// An object is the first of many, or it holds the array of them.
    fn of_object(sample: &[u8], start: usize) -> Self {
        let (mut scan, mut array, mut is_record) = (Scan::default(), None, false);
        let mut key = start;
        let mut end = sample.len();
        for (at, &byte) in sample.iter().enumerate().skip(start) {
            let was_in_string = scan.is_in_string;
            let is_over = scan.step(byte);
            match byte {
                _ if is_over => {
                    end = at;
                    break;
                }
                b'"' if scan.depth == 1 && !was_in_string => key = at + 1,
                b'"' if scan.depth == 1 && !scan.is_in_string => {
                    let name = String::from_utf8_lossy(&sample[key..at]);
                    let is_key = sample[at + 1..].trim_ascii_start().starts_with(b":");
                    is_record |= is_key && names::is_email(&names::normal(&name));
                }
                b'[' if scan.depth == 2 && !scan.is_in_string && array.is_none() => {
                    let first = sample[at + 1..].trim_ascii_start().first();
                    array = matches!(first, Some(b'{' | b'"')).then_some(at + 1);
                }
                _ => {}
            }
        }
        let is_one_line = memchr::memchr2(b'\r', b'\n', &sample[start..end]).is_none();
        match array {
            Some(start) if !is_record => Self { start, ends: Ends::Array },
            _ => Self { start, ends: if is_one_line { Ends::Lines } else { Ends::Sequence } },
        }
    }
}

/// Follows an element from its first byte to its last.
#[derive(Debug, Default, Clone, Copy)]
struct Scan {
    depth: usize,
    is_in_string: bool,
    is_escaped: bool,
}

impl Scan {
    /// Takes the next byte, and says whether it is the last.
    fn step(&mut self, byte: u8) -> bool {
        if self.is_in_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.is_in_string = false,
                _ => {}
            }
            return !self.is_in_string && self.depth == 0;
        }
        match byte {
            b'"' => self.is_in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.depth == 0 && matches!(byte, b'}' | b']')
    }

    /// Whether nothing is open, so that white space or a comma ends what was read.
    fn is_bare(&self) -> bool {
        self.depth == 0 && !self.is_in_string
    }
}

/// Reads the elements as records.
pub(crate) struct JsonRecords<R> {
    window: Window<R>,
    ends: Ends,
    /// The keys whose values are the cells. Without any, an element is one cell.
    columns: Vec<String>,
    /// The column that an element which is a text goes into.
    email: usize,
    /// Where in an element we are that was too long to be held.
    long: Option<Scan>,
    cells: Vec<u8>,
    cell_ends: Vec<usize>,
    is_over: bool,
}

/// An element by its place in the window.
pub(crate) struct Element {
    line: u64,
    raw: (usize, usize),
    fault: Option<RowFault>,
}

impl<R: Read> JsonRecords<R> {
    /// `input` begins where the layout starts, in `line`.
    pub(crate) fn new(input: R, ends: Ends, columns: Vec<String>, email: usize, line: u64) -> Self {
        let window = Window::new(input, line);
        Self { window, ends, columns, email, long: None, cells: Vec::new(), cell_ends: Vec::new(), is_over: false }
    }

    pub(crate) fn input(&self) -> &R {
        self.window.input()
    }

    pub(crate) fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        let Some(Element { line, raw, fault }) = self.next_element()? else { return Ok(None) };
        self.cells.clear();
        self.cell_ends.clear();
        let bytes = self.window.bytes(raw);
        let value = if fault.is_none() { parsed(bytes) } else { None };
        let fault = fault.or_else(|| value.is_none().then_some(RowFault::NotJson));
        let n_columns = self.columns.len().max(1);
        for at in 0..n_columns {
            match &value {
                Some(Value::Object(object)) => {
                    push_text(&mut self.cells, self.columns.get(at).and_then(|name| value_of(object, name)));
                }
                Some(value) if at == self.email => push_text(&mut self.cells, Some(value)),
                // The error file shows what could not be read.
                None if at == self.email => self.cells.extend_from_slice(&bytes[..shown(bytes)]),
                _ => {}
            }
            self.cell_ends.push(self.cells.len());
        }
        let cells = Cells::new(&self.cells, &self.cell_ends);
        Ok(Some(Record { line, raw: bytes, cells, fault }))
    }

    /// The values of all elements that can be parsed: for a look at a sample.
    pub(crate) fn values(mut self) -> Vec<Value> {
        let mut values = Vec::new();
        // Reading from memory cannot fail.
        while let Ok(Some(element)) = self.next_element() {
            if element.fault.is_none() {
                values.extend(parsed(self.window.bytes(element.raw)));
            }
        }
        values
    }

    fn next_element(&mut self) -> io::Result<Option<Element>> {
        if let Some(scan) = self.long.take() {
            self.skip(scan)?;
        }
        if self.is_over || !self.skip_to_element()? {
            return Ok(None);
        }
        let line = self.window.line;
        let mut scan = Scan::default();
        let fault = loop {
            match self.window.peek()? {
                None if scan.is_bare() => break None,
                None => break Some(RowFault::NotJson),
                Some(_) if self.window.record().len() == MAX_RECORD_BYTES => {
                    self.long = Some(scan);
                    break Some(RowFault::RowTooLong);
                }
                Some(byte) if self.is_after(&scan, byte) => break None,
                Some(byte) => {
                    self.window.pos += 1;
                    if scan.step(byte) && self.ends != Ends::Lines {
                        break None;
                    }
                }
            }
        };
        let raw = (self.window.start, self.window.start + self.shown_length(fault));
        self.window.advance();
        Ok(Some(Element { line, raw, fault }))
    }

    fn shown_length(&self, fault: Option<RowFault>) -> usize {
        let record = self.window.record();
        if fault == Some(RowFault::RowTooLong) { shown(record) } else { record.len() }
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
            match self.window.peek()? {
                None => return Ok(false),
                Some(b']') if self.ends == Ends::Array => {
                    self.is_over = true;
                    return Ok(false);
                }
                Some(byte) if byte.is_ascii_whitespace() || byte == b',' => self.window.pos += 1,
                Some(_) => {
                    self.window.advance();
                    return Ok(true);
                }
            }
            if self.window.record().len() == MAX_RECORD_BYTES {
                self.window.advance();
            }
        }
    }

    /// Passes over the rest of an element.
    fn skip(&mut self, mut scan: Scan) -> io::Result<()> {
        while let Some(byte) = self.window.peek()? {
            if self.is_after(&scan, byte) {
                break;
            }
            self.window.pos += 1;
            if self.window.record().len() == MAX_RECORD_BYTES {
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

/// The value of an element. RFC 8259 wants UTF-8; what is not is read as Windows-1252, like any other row.
fn parsed(element: &[u8]) -> Option<Value> {
    match std::str::from_utf8(element) {
        Ok(text) => serde_json::from_str(text).ok(),
        Err(_) => {
            let mut text = String::new();
            decode_cell(element, &mut text);
            serde_json::from_str(&text).ok()
        }
    }
}

/// Appends a value as a cell: texts as they are, what holds others as JSON.
fn push_text(cells: &mut Vec<u8>, value: Option<&Value>) {
    match value {
        None | Some(Value::Null) => {}
        Some(Value::String(text)) => cells.extend_from_slice(text.as_bytes()),
        Some(other) => cells.extend_from_slice(other.to_string().as_bytes()),
    }
}

/// The value of a key, or of a key in the object that is the value of a key: `reason.code`.
fn value_of<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        let (outer, inner) = name.split_once('.')?;
        object.get(outer)?.get(inner)
    })
}

/// The keys of an object; those of an object in it have its own before them.
fn keys_of(object: &Map<String, Value>) -> impl Iterator<Item = String> {
    object.iter().flat_map(|(key, value)| match value {
        Value::Object(inner) => inner.keys().map(|inner| format!("{key}.{inner}")).collect(),
        _ => vec![key.clone()],
    })
}

/// The elements of a sample as a table: the keys of its objects, if there are any, and the rows.
pub(crate) fn table(values: &[Value]) -> (Option<Vec<String>>, Vec<Vec<String>>) {
    let mut keys: Vec<String> = Vec::new();
    for object in values.iter().filter_map(Value::as_object) {
        for key in keys_of(object) {
            if keys.len() < MAX_COLUMNS && !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    let text = |value: Option<&Value>| {
        let mut cell = Vec::new();
        push_text(&mut cell, value);
        String::from_utf8(cell).unwrap_or_default()
    };
    if keys.is_empty() {
        return (None, values.iter().map(|value| vec![text(Some(value))]).collect());
    }
    let rows = values.iter().filter_map(Value::as_object);
    let rows = rows.map(|object| keys.iter().map(|key| text(value_of(object, key))).collect()).collect();
    (Some(keys), rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_found() {
        for (text, expected) in [
            (" [\"a@example.com\"]", Some((2, Ends::Array))),
            ("[ {\"email\":1}]", Some((1, Ends::Array))),
            ("{\"items\": [{\"address\":1}], \"paging\": {}}", Some((11, Ends::Array))),
            ("{\"total\": 2, \"list\": [\n\"a\"", Some((22, Ends::Array))),
            ("{\"email\":\"a\",\"tags\":[\"x\"]}\n{", Some((0, Ends::Lines))),
            ("{\n\"email\":\"a\"\n}\n{", Some((0, Ends::Sequence))),
            ("{}", Some((0, Ends::Lines))),
            ("[x]@example.com", None),
            ("email\n{", None),
            ("", None),
        ] {
            let layout = Layout::of(text.as_bytes()).map(|layout| (layout.start, layout.ends));
            assert_eq!(layout, expected, "{text}");
        }
    }
}
