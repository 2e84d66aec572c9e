//! Names the cells of the records: the crate's front door.

use std::fmt;
use std::io::{Read, Seek};

use crate::detect::{detect, error_columns};
use crate::error::FileError;
use crate::fault::RowFault;
use crate::input::Limit;
use crate::mapping::{ERROR_COLUMNS, Format, Mapping, Wanted};
use crate::part::{OpenPart, Part, open_all, open_in_zip};
use crate::reason::Reason;
use crate::records::{Cells, Record};
use crate::shared::SharedFile;
use crate::source::Source;
use crate::values::{LeftOut, Scratch, Texts, Values, values};

/// Reads one file, row by row.
///
/// ```
/// let file = "Email,Reason\nann@example.com,hard_bounce\nnobody,complaint\n";
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
    file: SharedFile<R>,
    wanted: Wanted,
    /// The files in it: those of an archive, or the one that it is.
    parts: Vec<Part>,
    /// Which of them is read.
    at: usize,
    open: OpenPart<R>,
    /// How many tables came before: files, and parts of an error file of several.
    n_tables: usize,
    scratch: Scratch,
    next_number: u64,
    is_done: bool,
}

/// One row of the file. Values are trimmed; an empty one is `None`.
pub struct Row<'a> {
    /// Which row of data it is, from 0. Rows with a fault count too.
    pub number: u64,
    /// The physical line it begins in, from 1. In a list several rows may be in one line.
    pub line: u64,
    /// The file that the line is in, of an archive of several.
    pub file: Option<&'a str>,
    /// Which table it is in, from 0: an archive has one a file, an error file one for each that its rows come from. With
    /// another table its columns mean something else.
    pub table: usize,
    /// What was found out about that table.
    pub mapping: &'a Mapping,
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
    /// The column that decided whether the address gets mail, from 0; also of a row that is left out for what it says there.
    pub decided_by: Option<usize>,
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
        let file = SharedFile::new(file);
        let (parts, open) = open_all(&file, Limit::new(limit_bytes), wanted)?;
        Ok(Self {
            file,
            wanted: wanted.clone(),
            parts,
            at: 0,
            open,
            n_tables: 0,
            scratch: Scratch::default(),
            next_number: 0,
            is_done: false,
        })
    }

    /// What was found out about the file; of an archive, about its first.
    pub fn mapping(&self) -> &Mapping {
        &self.parts[0].mapping
    }

    /// The files of an archive, with what was found out about each; without a name if there is one.
    pub fn files(&self) -> impl Iterator<Item = (Option<&str>, &Mapping)> {
        self.parts.iter().map(|part| (part.name(), &part.mapping))
    }

    /// How many bytes of the file were read so far, as it lies on the disk: still compressed. The
    /// reader reads ahead by up to 192 KiB.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_before() + self.open.bytes_read()
    }

    /// About how many bytes of the file lie before the next row: with more rows like those so far, the whole file has as
    /// many more as it has more bytes.
    pub fn bytes_done(&self) -> u64 {
        let (done, read) = self.open.text_bytes();
        let bytes = u128::from(self.open.bytes_read()) * u128::from(done) / u128::from(read.max(1));
        self.bytes_before() + u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Bytes of the archive that are files before the one that is read.
    fn bytes_before(&self) -> u64 {
        self.parts[..self.at].iter().filter_map(|part| part.zip.as_ref()).map(|zip| zip.n_bytes()).sum()
    }

    /// The next row, or `None` at the end of the file. After an error there are no more rows.
    pub fn next_row(&mut self) -> Option<Result<Row<'_>, FileError>> {
        if self.is_done {
            return None;
        }
        match self.begin_row() {
            Ok(true) => {}
            Ok(false) => {
                self.is_done = true;
                return None;
            }
            Err(error) => {
                self.is_done = true;
                return Some(Err(self.parts[self.at].named(error)));
            }
        }
        let Self { open, parts, at, n_tables, scratch, next_number, .. } = self;
        let record = open.records.record();
        let number = *next_number;
        *next_number += 1;
        Some(Ok(Row::new((number, *n_tables), record, &parts[*at], scratch)))
    }

    /// Reads the next record; `false` at the end of the last file.
    fn begin_row(&mut self) -> Result<bool, FileError> {
        loop {
            if self.parts[self.at].mapping.error_columns_at.is_some() {
                self.begin_table()?;
            }
            if self.open.records.read()? {
                return Ok(true);
            }
            if !self.next_file()? {
                return Ok(false);
            }
        }
    }

    /// Goes on with the next file of the archive; `false` if there is none.
    fn next_file(&mut self) -> Result<bool, FileError> {
        let Some(part) = self.parts.get(self.at + 1) else { return Ok(false) };
        let Some(zip) = &part.zip else { return Ok(false) };
        let opened = open_in_zip(&self.file, zip, self.open.limit(), &self.wanted);
        self.open = opened.map_err(|error| part.named(error))?.1;
        self.at += 1;
        self.n_tables += 1;
        self.scratch = Scratch::default();
        Ok(true)
    }

    /// An error file of an archive has a table for each of its files: if the next row is the header of one, it counts from
    /// there on.
    fn begin_table(&mut self) -> Result<(), FileError> {
        let Source::Table(records) = &mut self.open.records else { return Ok(()) };
        let Some(sample) = records.ahead_with(ERROR_COLUMNS[1].as_bytes())? else { return Ok(()) };
        let before = &self.parts[self.at].mapping;
        let wanted = Wanted { format: Some(before.format), has_header: Some(true), ..self.wanted.clone() };
        if !begins_table(sample, before) {
            return Ok(());
        }
        let found = match detect(sample, false, &wanted) {
            // What comes before is applied already: its rows are unclear.
            Err(FileError::ReasonNeeded { .. }) => {
                let mut found = detect(sample, false, &Wanted { takes_all: true, ..wanted })?;
                found.mapping.takes_all = false;
                found
            }
            found => found?,
        };
        let mapping = Mapping { encoding: before.encoding, compression: before.compression, ..found.mapping };
        self.parts[self.at].change(mapping);
        self.n_tables += 1;
        self.scratch = Scratch::default();
        self.open.records.read()?;
        Ok(())
    }
}

/// Whether the first row of `sample`, a part of an error file, is a header and no row of the table before.
fn begins_table(sample: &[u8], before: &Mapping) -> bool {
    let mut records = Source::of_lines(sample, before.format, before.has_escapes, 1);
    let Ok(true) = records.read() else { return false };
    let cells = records.record().cells;
    let cells = (0..cells.len()).filter_map(|at| cells.get(at)).map(String::from_utf8_lossy);
    let cells: Vec<String> = cells.map(|cell| cell.trim().to_owned()).collect();
    let is_row = before
        .error_columns_at
        .and_then(|at| cells.get(at))
        .is_some_and(|line| line.ends_with(|c: char| c.is_ascii_digit()));
    let behind = error_columns(&cells).map(|at| &cells[at + ERROR_COLUMNS.len()..]);
    !is_row && behind.is_some_and(|behind| behind.iter().all(String::is_empty))
}

impl<'a> Row<'a> {
    fn new((number, table): (u64, usize), record: Record<'a>, part: &'a Part, scratch: &'a mut Scratch) -> Self {
        let Part { mapping, indexes, .. } = part;
        let Record { line, raw, cells, fault } = record;
        let values = match fault {
            Some(fault) => Err(LeftOut::from(fault)),
            None => values(raw, cells, mapping, indexes, scratch),
        };
        let (email, values) = match values {
            Ok(values) => (Ok(values.email), values),
            Err(LeftOut { fault, decided_by }) => (Err(fault), Values { decided_by, ..Values::default() }),
        };
        let Values { reason, source, note, first_seen, vendor_code, decided_by, texts, .. } = values;
        let n_skipped = if mapping.error_columns_at.is_some() { ERROR_COLUMNS.len() } else { 0 };
        let n_columns = mapping.columns.len();
        let is_guarded = !matches!(mapping.format, Format::Json | Format::JsonLines);
        Self {
            number,
            line,
            file: part.name(),
            table,
            mapping,
            email,
            reason,
            source,
            note,
            first_seen,
            vendor_code,
            decided_by,
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
        row.field("number", &self.number).field("line", &self.line).field("file", &self.file);
        row.field("fault", &self.email.err()).finish_non_exhaustive()
    }
}
