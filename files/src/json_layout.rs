//! Where the elements of JSON are, and where each ends.

use crate::address::is_address;
use crate::names;

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
    /// The same, and the array is a value of an object.
    Wrapped,
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
        let mut text_at = start;
        let mut end = sample.len();
        for (at, &byte) in sample.iter().enumerate().skip(start) {
            let was_in_string = scan.is_in_string;
            let is_over = scan.step(byte);
            match byte {
                _ if is_over => {
                    end = at;
                    break;
                }
                b'"' if scan.depth == 1 && !was_in_string => text_at = at + 1,
                b'"' if scan.depth == 1 && !scan.is_in_string => {
                    let text = String::from_utf8_lossy(&sample[text_at..at]);
                    let is_key = sample[at + 1..].trim_ascii_start().starts_with(b":");
                    is_record |= if is_key { names::is_email(&names::normal(&text)) } else { is_address(&text) };
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
            Some(start) if !is_record => Self { start, ends: Ends::Wrapped },
            _ => Self { start, ends: if is_one_line { Ends::Lines } else { Ends::Sequence } },
        }
    }
}

/// Follows an element from its first byte to its last.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Scan {
    /// How many brackets are open.
    pub(crate) depth: usize,
    pub(crate) is_in_string: bool,
    is_escaped: bool,
}

impl Scan {
    /// So many brackets are open.
    pub(crate) fn inside(depth: usize) -> Self {
        Self { depth, ..Self::default() }
    }

    /// Takes the next byte, and says whether it is the last.
    pub(crate) fn step(&mut self, byte: u8) -> bool {
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
    pub(crate) fn is_bare(&self) -> bool {
        self.depth == 0 && !self.is_in_string
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_found() {
        for (text, expected) in [
            (" [\"a@example.com\"]", Some((2, Ends::Array))),
            ("[ {\"email\":1}]", Some((1, Ends::Array))),
            ("{\"items\": [{\"address\":1}], \"paging\": {}}", Some((11, Ends::Wrapped))),
            ("{\"total\": 2, \"list\": [\n\"a\"", Some((22, Ends::Wrapped))),
            ("{\"address\":\"a@example.com\",\"tags\":[\"x\"]}", Some((0, Ends::Lines))),
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
