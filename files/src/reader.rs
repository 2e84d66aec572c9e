//! Names the cells of the records: the crate's front door.

use std::fmt;
use std::io::{Chain, Cursor, Read};

use crate::detect::{BYTE_ORDER_MARK, detect};
use crate::error::FileError;
use crate::fault::RowFault;
use crate::formula::unguard;
use crate::input::{Input, read_full};
use crate::limits::SAMPLE_BYTES;
use crate::mapping::{ERROR_COLUMNS, Field, Mapping};
use crate::records::{Cells, Record, Records};

/// Reads one file, row by row.
///
/// ```
/// let file = "Email,Reason\nann@example.com,hard_bounce\nnobody,\n";
/// let mut reader = usher_files::Reader::open(file.as_bytes(), 1_000_000)?;
/// while let Some(row) = reader.next_row() {
///     let row = row?;
///     match row.email {
///         Ok(email) => assert!(!email.is_empty()),
///         Err(fault) => panic!("line {}: {fault}", row.line),
///     }
/// }
/// # Ok::<(), usher_files::FileError>(())
/// ```
pub struct Reader<R: Read> {
    mapping: Mapping,
    /// The column of each field, in the order of [`Field::ALL`].
    indexes: [Option<usize>; Field::COUNT],
    records: Records<Chain<Cursor<Vec<u8>>, Input<R>>>,
    next_number: u64,
    is_done: bool,
}

/// One row of the file. Values are trimmed; an empty one is `None`.
pub struct Row<'a> {
    /// Which row of data it is, from 0. Rows with a fault count too.
    pub number: u64,
    /// The physical line it begins in, from 1.
    pub line: u64,
    /// What stands in the column of addresses, which need not be a valid address; or what is wrong
    /// with the row, and then the other values are `None`.
    pub email: Result<&'a str, RowFault>,
    /// Why the address is on the list, in the file's words.
    pub reason: Option<&'a str>,
    /// Where it comes from.
    pub source: Option<&'a str>,
    /// Whatever else somebody wrote.
    pub note: Option<&'a str>,
    /// When it came on the list, in the file's words.
    pub first_seen: Option<&'a str>,
    /// What the mail server or tool said, as a code.
    pub vendor_code: Option<&'a str>,
    /// The row's bytes as they came, without the line break. Of a row that is too long, the first
    /// 1,024 bytes.
    pub raw: &'a [u8],
    cells: Cells<'a>,
    n_columns: usize,
    n_skipped: usize,
}

impl<R: Read> Reader<R> {
    /// Looks at the beginning of `file` and finds out how to read it. No more than `limit_bytes` of
    /// text are read, counted after decompression; a file with more ends in
    /// [`FileError::TooLarge`].
    pub fn open(file: R, limit_bytes: u64) -> Result<Self, FileError> {
        let mut input = Input::new(file, limit_bytes)?;
        let mut sample = vec![0; SAMPLE_BYTES];
        let n = read_full(&mut input, &mut sample)?;
        let is_whole = n < sample.len();
        sample.truncate(n);
        let mapping = Mapping { is_gzip: input.is_gzip(), ..detect(&sample, is_whole)? };

        let mut sample = Cursor::new(sample);
        if sample.get_ref().starts_with(BYTE_ORDER_MARK) {
            sample.set_position(BYTE_ORDER_MARK.len() as u64);
        }
        let mut records = Records::new(sample.chain(input), mapping.format.separator());
        if mapping.has_header {
            records.next()?;
        }
        let indexes = Field::ALL.map(|field| mapping.index_of(field));
        Ok(Self { mapping, indexes, records, next_number: 0, is_done: false })
    }

    /// What was found out about the file.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// How many bytes of the file were read so far, as it lies on the disk: still compressed. The
    /// reader reads ahead by up to 192 KiB.
    pub fn bytes_read(&self) -> u64 {
        self.records.input().get_ref().1.bytes_read()
    }

    /// The next row, or `None` at the end of the file. After an error there are no more rows.
    pub fn next_row(&mut self) -> Option<Result<Row<'_>, FileError>> {
        if self.is_done {
            return None;
        }
        match self.records.next() {
            Ok(Some(record)) => {
                let number = self.next_number;
                self.next_number += 1;
                Some(Ok(Row::new(number, record, &self.mapping, &self.indexes)))
            }
            Ok(None) => {
                self.is_done = true;
                None
            }
            Err(error) => {
                self.is_done = true;
                Some(Err(error.into()))
            }
        }
    }
}

impl<'a> Row<'a> {
    fn new(number: u64, record: Record<'a>, mapping: &Mapping, indexes: &[Option<usize>; Field::COUNT]) -> Self {
        let Record { line, raw, cells, fault } = record;
        let mut values = [None; Field::COUNT];
        let fault = fault.or_else(|| fill(&mut values, raw, cells, indexes).err());
        let [email, reason, source, note, first_seen, vendor_code] = values;
        let email = match fault {
            Some(fault) => Err(fault),
            None => email.ok_or(RowFault::NoAddress),
        };
        let n_skipped = if mapping.error_columns_at.is_some() { ERROR_COLUMNS.len() } else { 0 };
        let n_columns = mapping.columns.len();
        Self { number, line, email, reason, source, note, first_seen, vendor_code, raw, cells, n_columns, n_skipped }
    }

    /// The cells of the columns of the [`Mapping`], unquoted and otherwise as they came. A short row
    /// has fewer.
    pub fn cells(&self) -> impl Iterator<Item = &'a [u8]> {
        let cells = self.cells;
        (0..self.n_columns.min(cells.len())).filter_map(move |i| cells.get(i))
    }

    /// The cells beyond the columns of the [`Mapping`].
    pub fn extra_cells(&self) -> impl Iterator<Item = &'a [u8]> {
        let cells = self.cells;
        (self.n_columns + self.n_skipped..cells.len()).filter_map(move |i| cells.get(i))
    }
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A row is about somebody: only where it is and what is wrong with it.
        let mut row = f.debug_struct("Row");
        row.field("number", &self.number).field("line", &self.line);
        row.field("fault", &self.email.err()).finish_non_exhaustive()
    }
}

/// Takes the values of the fields out of the cells.
fn fill<'a>(
    values: &mut [Option<&'a str>; Field::COUNT],
    raw: &[u8],
    cells: Cells<'a>,
    indexes: &[Option<usize>; Field::COUNT],
) -> Result<(), RowFault> {
    if memchr::memchr(0, raw).is_some() {
        return Err(RowFault::NulByte);
    }
    // A file in another encoding may still come out as UTF-8 where two cells meet, so each cell is
    // cut at characters: `get` gives nothing elsewhere.
    let text = std::str::from_utf8(cells.bytes).map_err(|_| RowFault::NotUtf8)?;
    let mut found = [None; Field::COUNT];
    for (value, index) in found.iter_mut().zip(indexes) {
        let Some((start, end)) = index.and_then(|i| cells.span(i)) else { continue };
        *value = plain(text.get(start..end).ok_or(RowFault::NotUtf8)?);
    }
    *values = found;
    Ok(())
}

/// A cell as somebody meant it: without the space around it, and without what guards a formula.
fn plain(cell: &str) -> Option<&str> {
    let value = unguard(cell.trim()).trim();
    (!value.is_empty()).then_some(value)
}
