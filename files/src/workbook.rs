//! Excel workbooks (`.xlsx`): the first sheet that is shown, written down as CSV.
//!
//! `calamine` reads them. It holds the table of a workbook's texts in memory and reads the rest as it goes, so what it
//! would hold is measured before it is asked, and more than [`MAX_WORKBOOK_TEXTS_BYTES`] is refused. Each row of the sheet is a
//! line of the CSV, empty ones too, so that the numbers of the lines are those that Excel shows; line breaks in cells become
//! spaces.

use std::fmt;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx};
use chrono::{Duration, NaiveTime, Timelike as _};

use crate::error::FileError;
use crate::input::{Input, Limit};
use crate::limits::{
    MAX_COLUMNS, MAX_SHEET_ROWS, MAX_WORKBOOK_ENTRIES, MAX_WORKBOOK_PART_BYTES, MAX_WORKBOOK_TEXT_BYTES,
    MAX_WORKBOOK_TEXTS_BYTES,
};
use crate::mapping::ERROR_COLUMNS;
use crate::shared::SharedFile;
use crate::unzip::{ZipFile, all_files};

/// The sheet of a workbook that was read. Printed, it is a piece of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Its name.
    pub name: String,
    /// How many sheets the workbook has.
    pub n_sheets: usize,
}

impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Excel workbook, sheet \"{}\"", self.name)?;
        if self.n_sheets > 1 {
            write!(f, " (the only one of {} that is read)", self.n_sheets)?;
        }
        Ok(())
    }
}

/// Writes the first sheet of a workbook that is shown to what `out` makes, as CSV; `None` if `file` is no workbook, which
/// is where it was then. No more than `limit_bytes` are read of a part of it, or written.
pub fn sheet_as_csv<W: Write>(
    file: &mut (impl Read + Seek),
    limit_bytes: u64,
    out: impl FnOnce() -> io::Result<W>,
) -> Result<Option<Sheet>, FileError> {
    let at = file.stream_position()?;
    let mut head = [0; 4];
    let n = crate::input::read_full(file, &mut head)?;
    file.seek(SeekFrom::Start(at))?;
    if head[..n] != *b"PK\x03\x04" {
        return Ok(None);
    }
    let mut shared = SharedFile::new(&mut *file);
    let parts = match all_files(&mut shared, MAX_WORKBOOK_ENTRIES, |_| too_large("too many parts")) {
        Ok(parts) if is_workbook(&parts) => parts,
        _ => {
            drop(shared);
            file.seek(SeekFrom::Start(at))?;
            return Ok(None);
        }
    };
    for part in &parts {
        measure(&shared, part, limit_bytes)?;
    }
    shared.seek(SeekFrom::Start(at))?;
    // Its reader is careful; if it is not careful enough, the workbook is to blame and not the program.
    let written = catch_unwind(AssertUnwindSafe(|| write_sheet(shared, limit_bytes, out)));
    written.unwrap_or_else(|_| Err(damaged("its reader gave up"))).map(Some)
}

/// Whether these are the parts of an `.xlsx`.
fn is_workbook(parts: &[ZipFile]) -> bool {
    let has = |name: &str| parts.iter().any(|part| part.name.eq_ignore_ascii_case(name));
    has("[Content_Types].xml") && has("xl/workbook.xml")
}

fn too_large(what: &'static str) -> FileError {
    FileError::WorkbookTooLarge { what }
}

fn damaged(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> FileError {
    FileError::WorkbookDamaged { source: io::Error::new(io::ErrorKind::InvalidData, error) }
}

/// Reads a part of the workbook to its end, and refuses what would take too much memory.
fn measure<R: Read + Seek>(file: &SharedFile<R>, part: &ZipFile, limit_bytes: u64) -> Result<(), FileError> {
    let name = part.name.to_ascii_lowercase();
    // Pictures and the like are not read.
    if !name.ends_with(".xml") && !name.ends_with(".rels") {
        return Ok(());
    }
    let is_texts = name.ends_with("sharedstrings.xml");
    let is_sheet = name.starts_with("xl/worksheets/");
    let limit_bytes = if is_texts || is_sheet { limit_bytes } else { MAX_WORKBOOK_PART_BYTES };
    let mut input = Input::of_zip(file.clone(), part, Limit::new(limit_bytes))?;
    let mut measured = Measured::default();
    let mut chunk = vec![0; 64 << 10];
    loop {
        let n = crate::input::read_full(&mut input, &mut chunk).map_err(FileError::from).map_err(as_workbook)?;
        if n == 0 {
            break;
        }
        measured.take(&chunk[..n]);
        if measured.longest > MAX_WORKBOOK_TEXT_BYTES {
            return Err(too_large("a text of more than 1 MiB"));
        }
        if is_texts && measured.memory() > MAX_WORKBOOK_TEXTS_BYTES {
            return Err(too_large("more different texts than fit into the memory that is meant for them"));
        }
    }
    if is_texts && measured.n_claimed > measured.n_texts.saturating_add(1000) {
        return Err(damaged("it claims more texts than it has"));
    }
    Ok(())
}

fn as_workbook(error: FileError) -> FileError {
    match error {
        FileError::TooLarge { .. } => too_large("a part that is too large"),
        FileError::Damaged { source, .. } => FileError::WorkbookDamaged { source },
        error => error,
    }
}

/// What a part of a workbook would take.
#[derive(Default)]
struct Measured {
    /// The text between two tags, or in one, that is longest, and the one that has begun.
    longest: u64,
    current: u64,
    /// Bytes beside tags.
    n_text_bytes: u64,
    n_texts: u64,
    /// How many texts there are, by what it says itself.
    n_claimed: u64,
    is_in_tag: bool,
    /// The beginning of the tag that has begun.
    tag: Vec<u8>,
}

/// How much of a tag is looked at.
const TAG_BYTES: usize = 512;

impl Measured {
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let end = memchr::memchr(if self.is_in_tag { b'>' } else { b'<' }, bytes);
            let piece = &bytes[..end.unwrap_or(bytes.len())];
            self.current += piece.len() as u64;
            self.longest = self.longest.max(self.current);
            if self.is_in_tag {
                let room = TAG_BYTES - self.tag.len();
                self.tag.extend_from_slice(&piece[..piece.len().min(room)]);
            } else {
                self.n_text_bytes += piece.len() as u64;
            }
            let Some(end) = end else { return };
            if self.is_in_tag {
                self.end_tag();
            }
            (self.is_in_tag, self.current) = (!self.is_in_tag, 0);
            bytes = &bytes[end + 1..];
        }
    }

    fn end_tag(&mut self) {
        let name = self.tag.split(|byte| byte.is_ascii_whitespace() || *byte == b'/').next().unwrap_or_default();
        let local = name.rsplit(|byte| *byte == b':').next().unwrap_or_default();
        match local {
            b"si" => self.n_texts += 1,
            b"sst" => self.n_claimed = claimed(&self.tag),
            _ => {}
        }
        self.tag.clear();
    }

    /// Bytes that the texts take in memory: each is in a place of its own, of 16 bytes more and up to 16 bytes of rest, and
    /// has an entry of 24 bytes.
    fn memory(&self) -> u64 {
        self.n_text_bytes + self.n_texts * 40
    }
}

/// The attribute `uniqueCount` of a tag.
fn claimed(tag: &[u8]) -> u64 {
    let tag = String::from_utf8_lossy(tag);
    let value = tag.split_once("uniqueCount").map(|(_, rest)| rest.trim_start_matches([' ', '=', '"', '\'']));
    let digits: String = value.unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
    if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u64::MAX) }
}

fn write_sheet<R: Read + Seek, W: Write>(
    file: SharedFile<R>,
    limit_bytes: u64,
    out: impl FnOnce() -> io::Result<W>,
) -> Result<Sheet, FileError> {
    let mut book: Xlsx<_> = Xlsx::new(BufReader::new(file)).map_err(damaged)?;
    let sheets = book.sheets_metadata();
    let is_sheet = |sheet: &&calamine::Sheet| sheet.typ == SheetType::WorkSheet;
    let shown = sheets.iter().filter(is_sheet).find(|sheet| sheet.visible == SheetVisible::Visible);
    let first = shown.or_else(|| sheets.iter().find(is_sheet)).ok_or_else(|| damaged("it has no sheet"))?;
    let sheet = Sheet { name: first.name.clone(), n_sheets: sheets.len() };
    let mut cells = book.worksheet_cells_reader(&sheet.name).map_err(damaged)?;
    let mut csv =
        SheetCsv { out: BufWriter::with_capacity(1 << 16, out()?), row: 0, column: 0, left_bytes: limit_bytes };
    let mut text = String::new();
    while let Some(cell) = cells.next_cell().map_err(damaged)? {
        text.clear();
        push(&mut text, cell.get_value());
        csv.cell(cell.get_position(), text.trim())?;
    }
    csv.out.write_all(b"\n")?;
    csv.out.flush()?;
    Ok(sheet)
}

/// A sheet on its way to CSV.
struct SheetCsv<W: Write> {
    out: BufWriter<W>,
    /// Where the next cell may stand, from 0.
    row: u32,
    column: u32,
    left_bytes: u64,
}

/// Columns that are written. The first that is too many tells that the row has too many.
const WRITTEN_COLUMNS: u32 = (MAX_COLUMNS + ERROR_COLUMNS.len() + 1) as u32;

impl<W: Write> SheetCsv<W> {
    fn cell(&mut self, (row, column): (u32, u32), text: &str) -> Result<(), FileError> {
        if text.is_empty() {
            return Ok(());
        }
        if row >= MAX_SHEET_ROWS || (row, column) < (self.row, self.column) {
            return Err(damaged("its rows are in no order"));
        }
        if row > self.row {
            self.write(&b"\n".repeat((row - self.row) as usize))?;
            (self.row, self.column) = (row, 0);
        }
        let column = column.min(WRITTEN_COLUMNS);
        self.write(&b",".repeat(column.saturating_sub(self.column) as usize))?;
        self.column = column;
        if text.contains([',', '"', '\r', '\n']) {
            let text = text.replace('"', "\"\"").replace("\r\n", " ").replace(['\r', '\n'], " ");
            self.write(b"\"")?;
            self.write(text.as_bytes())?;
            self.write(b"\"")
        } else {
            self.write(text.as_bytes())
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let left = self.left_bytes.checked_sub(bytes.len() as u64);
        self.left_bytes = left.ok_or_else(|| too_large("more text than is read of one file"))?;
        Ok(self.out.write_all(bytes)?)
    }
}

/// A cell as text: a number without a fraction of nothing, a day or moment as in ISO 8601.
fn push(text: &mut String, value: &DataRef<'_>) {
    use fmt::Write as _;
    // Writing to memory cannot fail.
    _ = match value {
        DataRef::Empty => Ok(()),
        DataRef::String(value) | DataRef::DateTimeIso(value) | DataRef::DurationIso(value) => text.write_str(value),
        DataRef::SharedString(value) => text.write_str(value),
        DataRef::Int(value) => write!(text, "{value}"),
        DataRef::Float(value) => write!(text, "{value}"),
        DataRef::Bool(value) => write!(text, "{value}"),
        DataRef::Error(value) => write!(text, "{value}"),
        DataRef::DateTime(value) => text.write_str(&moment(value)),
    };
}

/// A day, a moment, or a time of the day.
fn moment(value: &ExcelDateTime) -> String {
    let Some(time) = value.as_datetime().filter(|_| value.is_datetime()) else {
        let seconds = (value.as_f64() * 86_400.0).round() as i64;
        return format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    };
    // The number is a fraction of a day, and a second is none that can be written down.
    let time = time + Duration::milliseconds(500);
    let time = time.with_nanosecond(0).unwrap_or(time);
    match value.as_f64() {
        0.0..1.0 => time.format("%H:%M:%S").to_string(),
        _ if time.time() == NaiveTime::MIN => time.format("%Y-%m-%d").to_string(),
        _ => time.format("%Y-%m-%dT%H:%M:%S").to_string(),
    }
}
