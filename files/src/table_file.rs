//! Writes a table, so that it can be read again.

use std::io::{self, Write};

use crate::formula::guarded;

/// A table that is being written, as CSV. A cell that a spreadsheet would run as a formula has an apostrophe before it,
/// which [`Row::value`](crate::Row::value) takes away again; so has one that would else lose one of its own.
pub struct TableFile<W: Write>(csv::Writer<W>);

impl<W: Write> TableFile<W> {
    /// Begins a table with its header.
    pub fn begin(out: W, names: &[&str]) -> io::Result<Self> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(names)?;
        Ok(Self(csv))
    }

    /// Goes on with a table that has its header already.
    pub fn resume(out: W) -> Self {
        Self(csv::Writer::from_writer(out))
    }

    /// Writes a row.
    pub fn write<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) -> io::Result<()> {
        for cell in cells {
            self.0.write_field(&*guarded(cell))?;
        }
        self.0.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Ends it and gives `out` back.
    pub fn finish(self) -> io::Result<W> {
        self.0.into_inner().map_err(|error| error.into_error())
    }
}
