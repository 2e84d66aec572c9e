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
    pub(crate) fn of_lines(input: R, format: Format, line: u64) -> Self {
        match format.separator() {
            Some(separator) => Self::Table(Box::new(Records::new(input, separator, line))),
            None => Self::List(ListRecords::new(input, line)),
        }
    }

    /// The next record that is not blank.
    pub(crate) fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        match self {
            Self::Table(records) => records.next(),
            Self::List(records) => records.next(),
            Self::Json(records) => records.next(),
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
