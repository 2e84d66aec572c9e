//! Finds a file's format and columns by looking at its beginning.
//!
//! Each separator is tried with the very reader that will read the file. One that makes the first row
//! name a column of addresses is right. Else it is the better, the more rows have a cell that is
//! nothing but an address, and then the more rows have the same number of cells.

use crate::address::is_address;
use crate::encoding::Encoding;
use crate::error::FileError;
use crate::exporters::Exporter;
use crate::json::{self, Ends, JsonRecords, Layout};
use crate::limits::{MAX_NAME_CHARS, SHOWN_COLUMNS};
use crate::looks::foreign;
use crate::mapping::{Column, Compression, ERROR_COLUMNS, Field, Format, Mapping, Wanted};
use crate::names;
use crate::reason::verdict;
use crate::records::Records;

/// What was found out about a text.
pub(crate) struct Found {
    pub(crate) mapping: Mapping,
    /// Where its rows, or its header, begin, in bytes.
    pub(crate) start: usize,
    /// Where its elements end, if it is JSON.
    pub(crate) ends: Option<Ends>,
}

/// The rows of the sample, as one format reads them.
struct Table {
    format: Format,
    /// The names of the columns, if something else than the first row says them.
    names: Option<Vec<String>>,
    rows: Vec<Vec<String>>,
}

/// Finds out what `sample` is, the beginning of a text or, if `is_whole`, all of it.
pub(crate) fn detect(sample: &[u8], is_whole: bool, wanted: &Wanted) -> Result<Found, FileError> {
    if let Some(kind) = foreign(sample) {
        return Err(FileError::NotAList { kind });
    }
    if is_whole && sample.trim_ascii().is_empty() {
        return Err(FileError::Empty);
    }
    if matches!(wanted.format, None | Some(Format::Json | Format::JsonLines))
        && let Some(layout) = Layout::of(sample)
    {
        let mapping = json_table(&sample[layout.start..], layout.ends).mapping(wanted)?;
        return Ok(Found { mapping, start: layout.start, ends: Some(layout.ends) });
    }
    let (start, said) = separator_line(sample);
    let sample = whole_lines(&sample[start..], is_whole);
    let table = match wanted.format.or(said) {
        Some(format) => Table::read(sample, format),
        None => best_table(sample),
    };
    Ok(Found { mapping: table.mapping(wanted)?, start, ends: None })
}

/// The length of the line that some tables begin with to tell Excel their separator, and what it says.
fn separator_line(sample: &[u8]) -> (usize, Option<Format>) {
    let Some(rest) = sample.strip_prefix(b"sep=") else { return (0, None) };
    let format = Format::TABLES.into_iter().find(|format| format.separator() == rest.first().copied());
    match rest.get(1..).unwrap_or_default() {
        [b'\r', b'\n', ..] if format.is_some() => (7, format),
        [b'\r' | b'\n', ..] if format.is_some() => (6, format),
        _ => (0, None),
    }
}

fn json_table(sample: &[u8], ends: Ends) -> Table {
    let values = JsonRecords::new(sample, ends, Vec::new(), 0, 1).values();
    let (names, rows) = json::table(&values);
    let format = if ends == Ends::Array { Format::Json } else { Format::JsonLines };
    Table { format, names, rows }
}

/// A sample rarely ends where a line does. Its last piece is left out, if it is not all there is.
fn whole_lines(sample: &[u8], is_whole: bool) -> &[u8] {
    match memchr::memrchr2(b'\r', b'\n', sample) {
        Some(at) if !is_whole => &sample[..=at],
        _ => sample,
    }
}

fn best_table(sample: &[u8]) -> Table {
    let mut best = Table::read(sample, Format::List);
    let mut best_score = best.score();
    for format in Format::TABLES {
        // Where nothing is cut a separator would only win by chance.
        if format.separator().is_none_or(|byte| memchr::memchr(byte, sample).is_none()) {
            continue;
        }
        let table = Table::read(sample, format);
        let score = table.score();
        // At the same score a table is likelier than a list of lines that happen to look like one.
        if score > best_score || (score == best_score && best.format == Format::List) {
            (best, best_score) = (table, score);
        }
    }
    best
}

impl Table {
    fn read(sample: &[u8], format: Format) -> Self {
        let mut records = Records::new(sample, format.separator(), 1);
        let mut rows = Vec::new();
        // Reading from memory cannot fail.
        while let Ok(Some(record)) = records.next() {
            let cells = (0..record.cells.len()).filter_map(|i| record.cells.get(i));
            rows.push(cells.map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect());
        }
        Self { format, names: None, rows }
    }

    /// How well the format fits: whether it makes a header, how even the rows are in thousandths, and
    /// how many columns it gives.
    fn score(&self) -> (bool, usize, usize) {
        let n_rows = self.rows.len().max(1);
        let n_clean = self.rows.iter().filter(|row| row.iter().any(|cell| is_address(cell))).count();
        let (n_columns, n_alike) = self.usual_width();
        (self.names_emails(), (2 * n_clean + n_alike) * 1000 / n_rows, n_columns)
    }

    /// The number of cells that most rows have, and how many rows those are.
    fn usual_width(&self) -> (usize, usize) {
        let mut widths: Vec<usize> = self.rows.iter().map(Vec::len).collect();
        widths.sort_unstable();
        let groups = widths.chunk_by(|a, b| a == b).map(|group| (group[0], group.len()));
        groups.max_by_key(|&(_, n)| n).unwrap_or((0, 0))
    }

    fn mapping(&self, wanted: &Wanted) -> Result<Mapping, FileError> {
        let has_header = self.names.is_some() || wanted.has_header.unwrap_or_else(|| self.has_header());
        let is_first_row = has_header && self.names.is_none();
        let (header, data) = self.rows.split_at(usize::from(is_first_row).min(self.rows.len()));
        let mut names: Vec<String> = match self.names.as_ref().or(header.first()) {
            Some(cells) => cells.iter().map(|name| cut(name)).collect(),
            None => {
                let n_columns = data.iter().map(Vec::len).max().unwrap_or(0);
                (1..=n_columns).map(|n| format!("column_{n}")).collect()
            }
        };
        let error_columns_at = header.first().and_then(|cells| error_columns(cells));
        if let Some(at) = error_columns_at {
            names.truncate(at);
        }
        let normal: Vec<String> = match has_header {
            true => names.iter().map(|name| names::normal(name)).collect(),
            false => Vec::new(),
        };
        let exporter = Exporter::of(&normal).filter(|_| wanted.columns.is_empty());
        let mut fields = Fields::new(names.len());
        for (field, column) in &wanted.columns {
            fields.set(*field, wanted_column(column, &names)?);
        }
        for (field, column) in exporter.iter().flat_map(|exporter| exporter.fields(&normal)) {
            fields.set(field, column);
        }
        let n_ats = n_ats(data, names.len());
        let mut is_by_look = false;
        if fields.of(Field::Email).is_none() {
            let (email, by_look) = email_column(&normal, &n_ats, &fields).ok_or_else(|| self.no_addresses(&names))?;
            fields.set(Field::Email, email);
            is_by_look = by_look;
        }
        if exporter.is_none() {
            for (field, candidates) in names::other_columns(&normal) {
                candidates.into_iter().for_each(|column| fields.set(field, column));
            }
        }
        if !has_header && let Some(column) = reason_column(data, &fields) {
            fields.set(Field::Reason, column);
        }
        let rest_is_note = is_by_look && fields.of(Field::Note).is_none() && fields.has_rest();
        Ok(Mapping {
            format: self.format,
            encoding: Encoding::Utf8,
            compression: Compression::None,
            has_header,
            columns: names.into_iter().zip(fields.0).map(|(name, field)| Column { name, field }).collect(),
            error_columns_at,
            exporter,
            rest_is_note,
        })
    }

    fn no_addresses(&self, names: &[String]) -> FileError {
        let seen = if self.names.is_some() { names } else { self.rows.first().map(Vec::as_slice).unwrap_or_default() };
        FileError::NoAddressColumn { columns: seen.iter().take(SHOWN_COLUMNS).map(|name| cut(name)).collect() }
    }

    /// Whether a cell of the first row is a name that only columns of addresses have.
    fn names_emails(&self) -> bool {
        let first = self.rows.first().map(Vec::as_slice).unwrap_or_default();
        first.iter().any(|name| names::is_email(&names::normal(name)))
    }

    /// A header has the columns of an error file, names a column of addresses, or has no `@` where later rows have one.
    fn has_header(&self) -> bool {
        let Some((first, rest)) = self.rows.split_first() else { return false };
        if error_columns(first).is_some() {
            return true;
        }
        if first.iter().any(|cell| is_address(cell)) {
            return false;
        }
        let has_at = |row: &Vec<String>| row.iter().any(|cell| cell.contains('@'));
        self.names_emails() || (!has_at(first) && rest.iter().any(has_at))
    }
}

/// How many cells of each column hold an `@`.
fn n_ats(rows: &[Vec<String>], n_columns: usize) -> Vec<usize> {
    let mut n_ats = vec![0; n_columns];
    for row in rows {
        for (n, cell) in n_ats.iter_mut().zip(row) {
            *n += usize::from(cell.contains('@'));
        }
    }
    n_ats
}

/// Which column holds which field. What was set first stays.
struct Fields(Vec<Option<Field>>);

impl Fields {
    fn new(n_columns: usize) -> Self {
        Self(vec![None; n_columns])
    }

    fn of(&self, field: Field) -> Option<usize> {
        self.0.iter().position(|known| *known == Some(field))
    }

    fn set(&mut self, field: Field, column: usize) {
        if self.of(field).is_none() && self.0[column].is_none() {
            self.0[column] = Some(field);
        }
    }

    fn is_free(&self, column: usize) -> bool {
        self.0[column].is_none()
    }

    fn has_rest(&self) -> bool {
        self.0.contains(&None)
    }
}

/// The column that somebody asked for by its name or its number from 1.
fn wanted_column(wanted: &str, names: &[String]) -> Result<usize, FileError> {
    let normal = names::normal(wanted);
    let by_name = names.iter().position(|name| names::normal(name) == normal);
    let by_number = || wanted.trim().parse().ok().and_then(|n: usize| n.checked_sub(1)).filter(|at| *at < names.len());
    by_name.or_else(by_number).ok_or_else(|| FileError::NoSuchColumn {
        wanted: cut(wanted),
        columns: names.iter().take(SHOWN_COLUMNS).cloned().collect(),
    })
}

/// A certain name wins, then a name that fits if addresses are there, then the most addresses. Says too whether no name
/// told it.
fn email_column(names: &[String], n_ats: &[usize], fields: &Fields) -> Option<(usize, bool)> {
    let free = |columns: Vec<usize>| columns.into_iter().filter(|column| fields.is_free(*column)).collect::<Vec<_>>();
    let (certain, perhaps) = (free(names::email_columns(names)), free(names::perhaps_email_columns(names)));
    let with_addresses = |columns: &[usize]| columns.iter().copied().find(|&i| n_ats[i] > 0);
    let fullest = || {
        let most =
            (0..n_ats.len()).filter(|i| fields.is_free(*i)).max_by_key(|i| (n_ats[*i], std::cmp::Reverse(*i)))?;
        (n_ats[most] > 0).then_some(most)
    };
    let by_name = with_addresses(&certain).or(certain.first().copied()).or_else(|| with_addresses(&perhaps));
    let by_name = by_name.map(|column| (column, false));
    by_name.or_else(|| fullest().map(|column| (column, true))).or(perhaps.first().map(|column| (*column, false)))
}

/// The column without a name that holds nothing but words for reasons.
fn reason_column(rows: &[Vec<String>], fields: &Fields) -> Option<usize> {
    (0..fields.0.len()).filter(|column| fields.is_free(*column)).find(|column| {
        let mut words = rows.iter().filter_map(|row| row.get(*column)).filter(|cell| !cell.is_empty()).peekable();
        words.peek().is_some() && words.all(|word| verdict(word).is_some())
    })
}

/// Where the three columns of an error file stand in this header.
fn error_columns(header: &[String]) -> Option<usize> {
    header.windows(ERROR_COLUMNS.len()).position(|names| names == ERROR_COLUMNS)
}

fn cut(name: &str) -> String {
    name.chars().take(MAX_NAME_CHARS).collect()
}
