//! The part of the file that is in memory, and which line of it we are in.

use std::io::{self, ErrorKind, Read};

use crate::limits::{BUFFER_BYTES, SHOWN_BYTES};

/// A window over the bytes of a file. What is before `start` is forgotten when more is read.
pub(crate) struct Window<R> {
    input: R,
    buffer: Box<[u8]>,
    /// How many bytes came before those in memory.
    n_before: u64,
    /// Where the record that is being read begins.
    pub(crate) start: usize,
    /// What was looked at, and what is filled.
    pub(crate) pos: usize,
    pub(crate) end: usize,
    is_at_end: bool,
    /// The physical line of `start`, from 1.
    pub(crate) line: u64,
    /// Whether the byte before `start` is a carriage return, so that a line feed now is no new line.
    is_after_cr: bool,
}

impl<R: Read> Window<R> {
    /// `input` begins in `line`.
    pub(crate) fn new(input: R, line: u64) -> Self {
        Self {
            input,
            buffer: vec![0; BUFFER_BYTES].into(),
            n_before: 0,
            start: 0,
            pos: 0,
            end: 0,
            is_at_end: false,
            line,
            is_after_cr: false,
        }
    }

    pub(crate) fn input(&self) -> &R {
        &self.input
    }

    /// How many bytes of the input come before the record that is being read.
    pub(crate) fn n_done(&self) -> u64 {
        self.n_before + self.start as u64
    }

    pub(crate) fn bytes(&self, (start, end): (usize, usize)) -> &[u8] {
        &self.buffer[start..end]
    }

    /// What was looked at of the record that is being read.
    pub(crate) fn record(&self) -> &[u8] {
        &self.buffer[self.start..self.pos]
    }

    /// What is in memory and was not looked at yet.
    pub(crate) fn ahead(&self) -> &[u8] {
        &self.buffer[self.pos..self.end]
    }

    /// Where the record that was read ends, without its line break.
    pub(crate) fn raw_end(&self) -> usize {
        self.pos - usize::from(matches!(self.record().last(), Some(b'\r' | b'\n')))
    }

    /// Makes `pos` the start of what comes next, and counts the line breaks up to there.
    pub(crate) fn advance(&mut self) {
        let read = &self.buffer[self.start..self.pos];
        for at in memchr::memchr2_iter(b'\r', b'\n', read) {
            let is_after_cr = if at == 0 { self.is_after_cr } else { read[at - 1] == b'\r' };
            self.line += u64::from(read[at] == b'\r' || !is_after_cr);
        }
        if let Some(&last) = read.last() {
            self.is_after_cr = last == b'\r';
        }
        self.start = self.pos;
    }

    /// The byte at `pos`; `None` at the end of the file.
    pub(crate) fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.pos == self.end && !self.fill()? {
            return Ok(None);
        }
        Ok(Some(self.buffer[self.pos]))
    }

    /// Moves to the first byte that is no line break; `false` at the end of the file.
    pub(crate) fn skip_line_breaks(&mut self) -> io::Result<bool> {
        loop {
            let rest = &self.buffer[self.pos..self.end];
            let found = rest.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
            self.pos = found.map_or(self.end, |at| self.pos + at);
            self.advance();
            if found.is_some() {
                return Ok(true);
            }
            if !self.fill()? {
                return Ok(false);
            }
        }
    }

    /// Moves to the next line break, or to the end of the file.
    pub(crate) fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let found = first_break(&self.buffer[self.pos..self.end]);
            self.pos = found.map_or(self.end, |at| self.pos + at);
            self.advance();
            if found.is_some() || !self.fill()? {
                return Ok(());
            }
        }
    }

    /// Reads more behind `end`, keeping what is behind `start`; `false` at the end of the file.
    pub(crate) fn fill(&mut self) -> io::Result<bool> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.n_before += self.start as u64;
            self.pos -= self.start;
            self.end -= self.start;
            self.start = 0;
        }
        // A record is at most half of the buffer, so there is always room.
        while !self.is_at_end {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.is_at_end = true,
                Ok(n) => {
                    self.end += n;
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

/// How many lines end in `bytes`.
pub(crate) fn n_breaks(bytes: &[u8]) -> u64 {
    let breaks = memchr::memchr2_iter(b'\r', b'\n', bytes);
    breaks.filter(|&at| bytes[at] == b'\r' || at == 0 || bytes[at - 1] != b'\r').count() as u64
}

/// Where the first line break is.
pub(crate) fn first_break(bytes: &[u8]) -> Option<usize> {
    memchr::memchr2(b'\r', b'\n', bytes)
}

/// How much of `bytes` is shown, never ending inside a UTF-8 character.
pub(crate) fn shown(bytes: &[u8]) -> usize {
    let is_inside = |n: usize| n < bytes.len() && bytes[n] & 0b1100_0000 == 0b1000_0000;
    let mut n = bytes.len().min(SHOWN_BYTES);
    while n > 0 && is_inside(n) {
        n -= 1;
    }
    n
}
