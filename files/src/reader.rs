//! Names the cells of the records: the crate's front door.

use std::fmt;
use std::io::{self, Chain, Cursor, Read, Seek};

use crate::detect::{Found, detect};
use crate::encoding::{Encoding, Text};
use crate::error::FileError;
use crate::fault::RowFault;
use crate::input::{Input, read_full};
use crate::json::JsonRecords;
use crate::limits::SAMPLE_BYTES;
use crate::looks::magic;
use crate::mapping::{ERROR_COLUMNS, Field, Format, Mapping, Wanted};
use crate::reason::Reason;
use crate::records::{Cells, Record};
use crate::source::Source;
use crate::values::{Scratch, Texts, Values, values};
use crate::window::n_breaks;

/// Reads one file, row by row.
///
/// ```
/// let file = "Email,Reason\nann@example.com,hard_bounce\nnobody,\n";
/// let mut reader = usher_files::Reader::open(std::io::Cursor::new(file), 1_000_000)?;
/// while let Some(row) = reader.next_row() {
///     let row = row?;
///     match row.email {
///         Ok(email) => assert!(!email.is_empty()),
///         Err(fault) => panic!("line {}: {fault}", row.line),
///     }
/// }
/// # Ok::<(), usher_files::FileError>(())
/// ```
pub struct Reader<R> {
    mapping: Mapping,
    /// The column of each field, in the order of [`Field::ALL`].
    indexes: [Option<usize>; Field::COUNT],
    records: Source<Bytes<R>>,
    scratch: Scratch,
    next_number: u64,
    is_done: bool,
}

/// The sample, and what is behind it: once as it came, once as text.
type Bytes<R> = Chain<Cursor<Vec<u8>>, Text<Chain<Cursor<Vec<u8>>, Input<R>>>>;

/// One row of the file. Values are trimmed; an empty one is `None`.
pub struct Row<'a> {
    /// Which row of data it is, from 0. Rows with a fault count too.
    pub number: u64,
    /// The physical line it begins in, from 1. In a list several rows may be in one line.
    pub line: u64,
    /// What stands in the column of addresses, [bare](crate::bare_address), which need not be a valid address; or what is
    /// wrong with the row, and then the other values are `None`.
    pub email: Result<&'a str, RowFault>,
    /// Why the address is on the list, if the row says it in a way that is known.
    pub reason: Option<Reason>,
    /// Where it comes from.
    pub source: Option<&'a str>,
    /// Whatever else somebody wrote.
    pub note: Option<&'a str>,
    /// When it came on the list, in the file's words.
    pub first_seen: Option<&'a str>,
    /// What the mail server or tool said, as a code; or a reason in words that are not known.
    pub vendor_code: Option<&'a str>,
    /// The row's bytes as they came, without the line break, and in UTF-8 if they came in UTF-16 or Windows-1252. Of a
    /// row that is too long, the first 1,024 bytes.
    pub raw: &'a [u8],
    cells: Cells<'a>,
    texts: Texts<'a>,
    /// Whether formulas are guarded.
    is_guarded: bool,
    n_columns: usize,
    n_skipped: usize,
}

impl<R: Read + Seek> Reader<R> {
    /// Looks at the beginning of `file`, which is where it stands, and finds out how to read it. No more than `limit_bytes` of
    /// text are read, counted after decompression; a file with more ends in
    /// [`FileError::TooLarge`].
    pub fn open(file: R, limit_bytes: u64) -> Result<Self, FileError> {
        Self::open_as(file, limit_bytes, &Wanted::default())
    }

    /// The same, and `wanted` overrules what would be found.
    pub fn open_as(file: R, limit_bytes: u64, wanted: &Wanted) -> Result<Self, FileError> {
        let mut input = Input::new(file, limit_bytes)?;
        let compression = input.compression();
        let (sample, _) = sample(&mut input)?;
        if let Some(kind) = magic(&sample) {
            return Err(FileError::NotAList { kind });
        }
        let (encoding, mark) = Encoding::of(&sample, wanted.encoding);
        let mut bytes = Cursor::new(sample);
        bytes.set_position(mark as u64);

        let mut text = Text::new(bytes.chain(input), encoding);
        let (sample, is_whole) = self::sample(&mut text)?;
        let Found { mapping, start, json } = detect(&sample, is_whole, wanted)?;
        let mapping = Mapping { encoding, compression, ..mapping };
        let first_line = 1 + n_breaks(&sample[..start]);
        let indexes = Field::ALL.map(|field| mapping.index_of(field));
        let mut bytes = Cursor::new(sample);
        bytes.set_position(start as u64);
        let records = match json {
            Some((ends, paths)) => {
                let email = indexes[0].unwrap_or(0);
                Source::Json(JsonRecords::new(bytes.chain(text), ends, paths, email, first_line))
            }
            None => {
                let mut records = Source::of_lines(bytes.chain(text), mapping.format, first_line);
                if mapping.has_header {
                    records.next()?;
                }
                records
            }
        };
        Ok(Self { mapping, indexes, records, scratch: Scratch::default(), next_number: 0, is_done: false })
    }
}

/// The beginning of a file, and whether it is all of it.
fn sample(file: &mut impl Read) -> io::Result<(Vec<u8>, bool)> {
    let mut sample = vec![0; SAMPLE_BYTES];
    let n = read_full(file, &mut sample)?;
    sample.truncate(n);
    Ok((sample, n < SAMPLE_BYTES))
}

impl<R: Read> Reader<R> {
    /// What was found out about the file.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// How many bytes of the file were read so far, as it lies on the disk: still compressed. The
    /// reader reads ahead by up to 192 KiB.
    pub fn bytes_read(&self) -> u64 {
        self.records.input().get_ref().1.input().get_ref().1.bytes_read()
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
                Some(Ok(Row::new(number, record, &self.mapping, &self.indexes, &mut self.scratch)))
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
    fn new(
        number: u64,
        record: Record<'a>,
        mapping: &Mapping,
        indexes: &[Option<usize>; Field::COUNT],
        scratch: &'a mut Scratch,
    ) -> Self {
        let Record { line, raw, cells, fault } = record;
        let values = match fault {
            Some(fault) => Err(fault),
            None => values(raw, cells, mapping, indexes, scratch),
        };
        let (email, values) = match values {
            Ok(values) => (Ok(values.email), values),
            Err(fault) => (Err(fault), Values::default()),
        };
        let Values { reason, source, note, first_seen, vendor_code, texts, .. } = values;
        let n_skipped = if mapping.error_columns_at.is_some() { ERROR_COLUMNS.len() } else { 0 };
        let n_columns = mapping.columns.len();
        let is_guarded = !matches!(mapping.format, Format::Json | Format::JsonLines);
        Self {
            number,
            line,
            email,
            reason,
            source,
            note,
            first_seen,
            vendor_code,
            raw,
            cells,
            texts,
            is_guarded,
            n_columns,
            n_skipped,
        }
    }

    /// What stands in a column of the [`Mapping`], from 0; trimmed, and `None` if that leaves nothing or the row has a
    /// fault.
    pub fn value(&self, column: usize) -> Option<&'a str> {
        self.texts.value(column, self.is_guarded)
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
