//! Names the cells of the records: the crate's front door.

use std::fmt;
use std::io::{self, Chain, Cursor, Read, Seek};

use crate::address::{bare_address, is_address, is_several};
use crate::detect::{Found, detect};
use crate::encoding::{Encoding, Text, decode_cell};
use crate::error::FileError;
use crate::fault::RowFault;
use crate::formula::unguard;
use crate::input::{Input, read_full};
use crate::json::JsonRecords;
use crate::limits::SAMPLE_BYTES;
use crate::looks::magic;
use crate::mapping::{ERROR_COLUMNS, Field, Format, Mapping, Wanted};
use crate::reason::{Reason, Verdict, verdict};
use crate::records::{Cells, Record, Records};

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

enum Source<R> {
    Table(Box<Records<R>>),
    Json(JsonRecords<R>),
}

impl<R: Read> Source<R> {
    fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        match self {
            Self::Table(records) => records.next(),
            Self::Json(records) => records.next(),
        }
    }

    fn input(&self) -> &R {
        match self {
            Self::Table(records) => records.input(),
            Self::Json(records) => records.input(),
        }
    }
}

/// One row of the file. Values are trimmed; an empty one is `None`.
pub struct Row<'a> {
    /// Which row of data it is, from 0. Rows with a fault count too.
    pub number: u64,
    /// The physical line it begins in, from 1.
    pub line: u64,
    /// What stands in the column of addresses, [bare](bare_address), which need not be a valid address; or what is
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
    /// The row's bytes as they came, without the line break, in UTF-8 if they came in UTF-16. Of a row that is too
    /// long, the first 1,024 bytes.
    pub raw: &'a [u8],
    cells: Cells<'a>,
    n_columns: usize,
    n_skipped: usize,
}

impl<R: Read + Seek> Reader<R> {
    /// Looks at the beginning of `file` and finds out how to read it. No more than `limit_bytes` of
    /// text are read, counted after decompression; a file with more ends in
    /// [`FileError::TooLarge`].
    pub fn open(file: R, limit_bytes: u64) -> Result<Self, FileError> {
        Self::open_as(file, limit_bytes, &Wanted::default())
    }

    /// The same, and `wanted` overrules what would be found.
    pub fn open_as(file: R, limit_bytes: u64, wanted: &Wanted) -> Result<Self, FileError> {
        let mut input = Input::new(file, limit_bytes)?;
        let compression = input.compression();
        let (sample, is_whole) = sample(&mut input)?;
        if let Some(kind) = magic(&sample) {
            return Err(FileError::NotAList { kind });
        }
        let (encoding, mark) = Encoding::of(&sample, is_whole);
        let mut bytes = Cursor::new(sample);
        bytes.set_position(mark as u64);

        let mut text = Text::new(bytes.chain(input), encoding);
        let (sample, is_whole) = self::sample(&mut text)?;
        let Found { mapping, start, ends } = detect(&sample, is_whole, wanted)?;
        let mapping = Mapping { encoding, compression, ..mapping };
        let first_line = 1 + sample[..start].iter().filter(|&&byte| byte == b'\n').count() as u64;
        let indexes = Field::ALL.map(|field| mapping.index_of(field));
        let mut bytes = Cursor::new(sample);
        bytes.set_position(start as u64);
        let records = match ends {
            Some(ends) => {
                let email = indexes[0].unwrap_or(0);
                let names = mapping.columns.iter().map(|column| column.name.clone()).collect();
                Source::Json(JsonRecords::new(bytes.chain(text), ends, names, email, first_line))
            }
            None => {
                let mut records = Records::new(bytes.chain(text), mapping.format.separator(), first_line);
                if mapping.has_header {
                    records.next()?;
                }
                Source::Table(Box::new(records))
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
        let Values { reason, source, note, first_seen, vendor_code, .. } = values;
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

/// What is made anew for each row that needs it.
#[derive(Default)]
struct Scratch {
    /// The cells of a row that is not UTF-8, one after the other.
    text: String,
    ends: Vec<usize>,
    /// The columns that mean nothing, as a note.
    rest: String,
    /// The last word for a reason, and what it says.
    word: String,
    said: Option<Verdict>,
}

/// The values of a row.
#[derive(Default)]
struct Values<'a> {
    email: &'a str,
    reason: Option<Reason>,
    source: Option<&'a str>,
    note: Option<&'a str>,
    first_seen: Option<&'a str>,
    vendor_code: Option<&'a str>,
}

fn values<'a>(
    raw: &[u8],
    cells: Cells<'a>,
    mapping: &Mapping,
    indexes: &[Option<usize>; Field::COUNT],
    scratch: &'a mut Scratch,
) -> Result<Values<'a>, RowFault> {
    if memchr::memchr(0, raw).is_some() || memchr::memchr(0, cells.bytes).is_some() {
        return Err(RowFault::NulByte);
    }
    let Scratch { text, ends, rest, word, said } = scratch;
    let is_json = matches!(mapping.format, Format::Json | Format::JsonLines);
    let texts = match as_utf8(cells) {
        Some(texts) if mapping.encoding != Encoding::Windows1252 || texts.text.is_ascii() || is_json => texts,
        _ => decoded(cells, text, ends),
    };
    let value = |field: Option<usize>| field.and_then(|column| texts.get(column)).and_then(plain);
    let [email, reason, source, note, first_seen, vendor_code] = *indexes;

    let cell = value(email).ok_or(RowFault::NoAddress)?;
    let cell = match mapping.error_columns_at {
        // Somebody has put an address behind the apostrophe that guarded what stood there.
        Some(_) => cell.strip_prefix('\'').unwrap_or(cell),
        None => cell,
    };
    let others = || (0..texts.len()).filter(|column| Some(*column) != email).filter_map(|column| texts.get(column));
    let is_table = !is_json && mapping.format != Format::List;
    if is_several(cell) || (is_table && !mapping.has_header && others().any(is_address)) {
        return Err(RowFault::SeveralAddresses);
    }
    let email = Some(bare_address(cell)).filter(|email| !email.is_empty()).ok_or(RowFault::NoAddress)?;

    let (reason, vendor_code) = (value(reason), value(vendor_code));
    let said = match mapping.exporter {
        Some(exporter) => exporter.verdict(reason, vendor_code),
        None => reason.and_then(|reason| {
            // Whole files say the same word again and again.
            if word != reason {
                reason.clone_into(word);
                *said = verdict(reason);
            }
            *said
        }),
    };
    let known = match said {
        Some(Verdict::Sendable) => return Err(RowFault::Sendable),
        Some(Verdict::Suppressed(reason)) => Some(reason),
        None => None,
    };
    let note = match mapping.rest_is_note {
        true => rest_of(&texts, mapping, rest),
        false => value(note),
    };
    let vendor_code = vendor_code.or(reason.filter(|_| known.is_none()));
    Ok(Values { email, reason: known, source: value(source), note, first_seen: value(first_seen), vendor_code })
}

/// The cells of a row, decoded.
struct Texts<'a> {
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> Texts<'a> {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, column: usize) -> Option<&'a str> {
        let end = *self.ends.get(column)?;
        let start = if column == 0 { 0 } else { self.ends[column - 1] };
        Some(&self.text[start..end])
    }
}

/// The cells as they are, if each is UTF-8 by itself.
fn as_utf8(cells: Cells<'_>) -> Option<Texts<'_>> {
    let text = std::str::from_utf8(cells.bytes).ok()?;
    let is_whole = text.is_ascii() || cells.ends().iter().all(|&end| text.is_char_boundary(end));
    is_whole.then_some(Texts { text, ends: cells.ends() })
}

fn decoded<'a>(cells: Cells<'_>, text: &'a mut String, ends: &'a mut Vec<usize>) -> Texts<'a> {
    text.clear();
    ends.clear();
    for column in 0..cells.len() {
        decode_cell(cells.get(column).unwrap_or_default(), text);
        ends.push(text.len());
    }
    Texts { text, ends }
}

/// The columns that mean nothing, as one text: with their names, if they have any.
fn rest_of<'a>(texts: &Texts<'_>, mapping: &Mapping, rest: &'a mut String) -> Option<&'a str> {
    rest.clear();
    for (at, column) in mapping.columns.iter().enumerate().filter(|(_, column)| column.field.is_none()) {
        let Some(value) = texts.get(at).and_then(plain) else { continue };
        if !rest.is_empty() {
            rest.push_str("; ");
        }
        if mapping.has_header {
            rest.extend([&column.name, ": "]);
        }
        rest.push_str(value);
    }
    (!rest.is_empty()).then_some(rest)
}

/// A cell as somebody meant it: without the space around it, and without what guards a formula.
fn plain(cell: &str) -> Option<&str> {
    let value = unguard(cell.trim()).trim();
    (!value.is_empty()).then_some(value)
}
