//! Whatever cuts a text into records.

use std::io::{self, Read};

use crate::json::JsonRecords;
use crate::list::ListRecords;
use crate::mapping::Format;
use crate::records::{Record, Records};

/// The records of a text, however they are told apart.
pub(crate) enum Source<R> {
    Table(Box<Records<R>>),
    List(ListRecords<R>),
    Json(JsonRecords<R>),
}

impl<R: Read> Source<R> {
    /// The lines of a table or list. `input` begins in `line`.
    pub(crate) fn of_lines(input: R, format: Format, has_escapes: bool, line: u64) -> Self {
        match format.separator() {
            Some(separator) => Self::Table(Box::new(Records::new(input, separator, has_escapes, line))),
            None => Self::List(ListRecords::new(input, line)),
        }
    }

    /// The next record in which something stands.
    pub(crate) fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        Ok(if self.read()? { Some(self.record()) } else { None })
    }

    /// Reads the next record in which something stands; `false` at the end of the text.
    pub(crate) fn read(&mut self) -> io::Result<bool> {
        match self {
            Self::Table(records) => records.read(),
            Self::List(records) => records.read(),
            Self::Json(records) => records.read(),
        }
    }

    /// The record that was read.
    pub(crate) fn record(&self) -> Record<'_> {
        match self {
            Self::Table(records) => records.record(),
            Self::List(records) => records.record(),
            Self::Json(records) => records.record(),
        }
    }

    /// How many bytes of the input come before the next record.
    pub(crate) fn n_done(&self) -> u64 {
        match self {
            Self::Table(records) => records.n_done(),
            Self::List(records) => records.n_done(),
            Self::Json(records) => records.n_done(),
        }
    }

    pub(crate) fn input(&self) -> &R {
        match self {
            Self::Table(records) => records.input(),
            Self::List(records) => records.input(),
            Self::Json(records) => records.input(),
        }
    }
}
