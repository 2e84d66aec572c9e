//! Writes the rows that were refused, so that they can be mended and sent in again.
//!
//! The file is a CSV with a header, whatever the original was: its columns first, then where the row
//! was and what is wrong with it. [`Reader`](crate::Reader) knows the three columns at the end and
//! does not read them.

use std::io::{self, Write};

use crate::encoding::mended;
use crate::formula::guard;
use crate::mapping::{ERROR_COLUMNS, Field, Mapping};
use crate::names;
use crate::reader::Row;
use crate::reason::Verdict;

/// An error file that is being written.
///
/// Each cell is written as it came, except that an apostrophe is put before what a spreadsheet would
/// run as a formula, in place of the white space there; the reader takes it away again. The file is UTF-8, whatever the
/// original was: a NUL, and what is no character in an address, is written as U+FFFD, so that somebody sees where to mend
/// it.
/// Cells beyond the columns of the header stand behind the error columns.
///
/// Of an archive it has a header for each file that its rows come from, and the line says which file that is. What only the
/// name of a file says of its rows is a column of its own.
pub struct ErrorFile<W: Write> {
    csv: csv::Writer<W>,
    /// Which table of the original the last header is for.
    table: Option<usize>,
    shape: Shape,
    cell: String,
}

/// What the rows of a table look like.
#[derive(Default)]
struct Shape {
    n_columns: usize,
    email: Option<usize>,
    /// What only the name of its file says.
    name_says: Option<&'static str>,
}

impl Shape {
    fn of(mapping: &Mapping) -> Self {
        let name_says = mapping.name_says.map(Verdict::word);
        Self { n_columns: mapping.columns.len(), email: mapping.index_of(Field::Email), name_says }
    }
}

impl<W: Write> ErrorFile<W> {
    /// Begins an error file for the rows of a file with this mapping, and writes the header.
    pub fn begin(out: W, mapping: &Mapping) -> io::Result<Self> {
        let mut file = Self::resume(out, mapping);
        file.header(mapping)?;
        Ok(file)
    }

    /// Goes on with an error file that has its header already. `out` is at its end.
    pub fn resume(out: W, mapping: &Mapping) -> Self {
        Self { table: Some(0), shape: Shape::of(mapping), ..Self::append(out) }
    }

    /// Goes on with an error file, or begins one, with a header before the next row.
    pub fn append(out: W) -> Self {
        let csv = csv::WriterBuilder::new().flexible(true).from_writer(out);
        Self { csv, table: None, shape: Shape::default(), cell: String::new() }
    }

    fn header(&mut self, mapping: &Mapping) -> io::Result<()> {
        self.shape = Shape::of(mapping);
        for column in &mapping.columns {
            // The addresses must be found again even if no row that was refused has one.
            let is_nameless = column.field == Some(Field::Email)
                && !(mapping.has_header && names::is_email(&names::normal(&column.name)));
            self.cell(if is_nameless { Field::Email.code() } else { &column.name })?;
        }
        if self.shape.name_says.is_some() {
            self.cell(Field::Reason.code())?;
        }
        self.end_row(ERROR_COLUMNS, std::iter::empty())
    }

    /// Writes a row that was refused, with a stable code and a plain text that say why.
    pub fn write(&mut self, row: &Row<'_>, code: &str, text: &str) -> io::Result<()> {
        if self.table != Some(row.table) {
            self.header(row.mapping)?;
            self.table = Some(row.table);
        }
        let Shape { n_columns, email, name_says } = self.shape;
        let mut n_cells = 0;
        for cell in row.cells() {
            self.cell(&mended(cell, Some(n_cells) == email))?;
            n_cells += 1;
        }
        for _ in n_cells..n_columns {
            self.cell("")?;
        }
        if let Some(word) = name_says {
            self.cell(word)?;
        }
        let line = match row.file {
            Some(file) => format!("{file}:{}", row.line),
            None => row.line.to_string(),
        };
        self.end_row([&line, code, text], row.extra_cells())
    }

    /// Hands everything written so far to `out` and flushes it.
    pub fn flush(&mut self) -> io::Result<()> {
        self.csv.flush()
    }

    /// Ends the file and gives `out` back.
    pub fn finish(self) -> io::Result<W> {
        self.csv.into_inner().map_err(|error| error.into_error())
    }

    fn end_row<'a>(&mut self, error: [&str; 3], extra_cells: impl Iterator<Item = &'a [u8]>) -> io::Result<()> {
        for cell in error {
            self.cell(cell)?;
        }
        for cell in extra_cells {
            self.cell(&mended(cell, false))?;
        }
        self.csv.write_record(None::<&[u8]>)?;
        Ok(())
    }

    fn cell(&mut self, cell: &str) -> io::Result<()> {
        let (apostrophe, cell) = guard(cell);
        self.cell.clear();
        self.cell.push_str(apostrophe);
        // With a NUL the whole file would be no text.
        let characters = cell.chars().map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c });
        self.cell.extend(characters);
        self.csv.write_field(&self.cell)?;
        Ok(())
    }
}
