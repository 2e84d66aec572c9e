//! Writes a list, so that it can be read again.

use std::io::{self, Write};

use crate::formula::guarded;
use crate::mapping::Field;

/// A list that is being written: a CSV with a column for each [`Field`]. A cell that a spreadsheet would run as a
/// formula has an apostrophe before it, which the reader takes away again; so has one that would else lose one of its own.
pub struct ListFile<W: Write>(csv::Writer<W>);

impl<W: Write> ListFile<W> {
    /// Begins a list, with its header.
    pub fn begin(out: W) -> io::Result<Self> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(Field::ALL.map(Field::code))?;
        Ok(Self(csv))
    }

    /// Goes on with a list that has its header already.
    pub fn resume(out: W) -> Self {
        Self(csv::Writer::from_writer(out))
    }

    /// Writes a row: the values in the order of [`Field::ALL`].
    pub fn write(&mut self, values: [Option<&str>; Field::COUNT]) -> io::Result<()> {
        for value in values {
            self.0.write_field(&*guarded(value.unwrap_or_default()))?;
        }
        self.0.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Ends it and gives `out` back.
    pub fn finish(self) -> io::Result<W> {
        self.0.into_inner().map_err(|error| error.into_error())
    }
}
