//! Writes the rows that were refused, so that they can be mended and sent in again.
//!
//! The file is a CSV with a header, whatever the original was: its columns first, then where the row
//! was and what is wrong with it. [`Reader`](crate::Reader) knows the three columns at the end and
//! does not read them.

use std::io::{self, Write};

use crate::formula::guard;
use crate::mapping::{ERROR_COLUMNS, Field, Mapping};
use crate::names;
use crate::reader::Row;

/// An error file that is being written.
///
/// Each cell is written as it came, except that an apostrophe is put before what a spreadsheet would
/// run as a formula, in place of the white space there; the reader takes it away again. Bytes that are not UTF-8 stay what they are.
/// Cells beyond the columns of the header stand behind the error columns.
pub struct ErrorFile<W: Write> {
    csv: csv::Writer<W>,
    n_columns: usize,
    cell: Vec<u8>,
}

impl<W: Write> ErrorFile<W> {
    /// Begins an error file for the rows of a file with this mapping, and writes the header.
    pub fn begin(out: W, mapping: &Mapping) -> io::Result<Self> {
        let mut file = Self::resume(out, mapping);
        for column in &mapping.columns {
            // The addresses must be found again even if no row that was refused has one.
            let is_nameless = column.field == Some(Field::Email)
                && !(mapping.has_header && names::is_email(&names::normal(&column.name)));
            file.cell(if is_nameless { Field::Email.code() } else { &column.name }.as_bytes())?;
        }
        file.end_row(ERROR_COLUMNS.map(str::as_bytes), std::iter::empty())?;
        Ok(file)
    }

    /// Goes on with an error file that has its header already. `out` is at its end.
    pub fn resume(out: W, mapping: &Mapping) -> Self {
        let csv = csv::WriterBuilder::new().flexible(true).from_writer(out);
        Self { csv, n_columns: mapping.columns.len(), cell: Vec::new() }
    }

    /// Writes a row that was refused, with a stable code and a plain text that say why.
    pub fn write(&mut self, row: &Row<'_>, code: &str, text: &str) -> io::Result<()> {
        let mut n_cells = 0;
        for cell in row.cells() {
            self.cell(cell)?;
            n_cells += 1;
        }
        for _ in n_cells..self.n_columns {
            self.cell(b"")?;
        }
        let line = row.line.to_string();
        self.end_row([line.as_bytes(), code.as_bytes(), text.as_bytes()], row.extra_cells())
    }

    /// Hands everything written so far to `out` and flushes it.
    pub fn flush(&mut self) -> io::Result<()> {
        self.csv.flush()
    }

    /// Ends the file and gives `out` back.
    pub fn finish(self) -> io::Result<W> {
        self.csv.into_inner().map_err(|error| error.into_error())
    }

    fn end_row<'a>(&mut self, error: [&[u8]; 3], extra_cells: impl Iterator<Item = &'a [u8]>) -> io::Result<()> {
        for cell in error {
            self.cell(cell)?;
        }
        for cell in extra_cells {
            self.cell(cell)?;
        }
        self.csv.write_record(None::<&[u8]>)?;
        Ok(())
    }

    fn cell(&mut self, cell: &[u8]) -> io::Result<()> {
        let (apostrophe, cell) = guard(cell);
        self.cell.clear();
        self.cell.extend_from_slice(apostrophe);
        self.cell.extend_from_slice(cell);
        self.csv.write_field(&self.cell)?;
        Ok(())
    }
}
