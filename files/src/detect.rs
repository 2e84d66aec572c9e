//! Finds a file's format and columns by looking at its beginning.
//!
//! Each separator is tried with the very reader that will read the file. One that makes the first row
//! name a column of addresses is right. Else it is the better, the more rows have a cell that is
//! nothing but an address, and then the more rows have the same number of cells.

use crate::error::FileError;
use crate::limits::{MAX_NAME_CHARS, SHOWN_COLUMNS};
use crate::looks::foreign;
use crate::mapping::{Column, ERROR_COLUMNS, Field, Format, Mapping};
use crate::names;
use crate::records::Records;

/// The rows of the sample, as one format reads them.
struct Table {
    format: Format,
    rows: Vec<Vec<String>>,
}

/// What stands before UTF-8 in files that Windows wrote.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Finds out what `sample` is, the beginning of a file or, if `is_whole`, all of it.
pub(crate) fn detect(sample: &[u8], is_whole: bool) -> Result<Mapping, FileError> {
    let sample = sample.strip_prefix(BYTE_ORDER_MARK).unwrap_or(sample);
    if let Some(kind) = foreign(sample) {
        return Err(FileError::NotAList { kind });
    }
    if is_whole && sample.trim_ascii().is_empty() {
        return Err(FileError::Empty);
    }
    best_table(whole_lines(sample, is_whole)).mapping()
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
    for format in Format::ALL {
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
        let mut records = Records::new(sample, format.separator());
        let mut rows = Vec::new();
        // Reading from memory cannot fail.
        while let Ok(Some(record)) = records.next() {
            let cells = (0..record.cells.len()).filter_map(|i| record.cells.get(i));
            rows.push(cells.map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect());
        }
        Self { format, rows }
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

    fn mapping(&self) -> Result<Mapping, FileError> {
        let has_header = self.has_header();
        let (header, data) = self.rows.split_at(usize::from(has_header));
        let mut names: Vec<String> = match header.first() {
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
        let email = email_column(&normal, &n_ats(data, names.len())).ok_or_else(|| {
            let seen = self.rows.first().map(Vec::as_slice).unwrap_or_default();
            let columns = seen.iter().take(SHOWN_COLUMNS).map(|name| cut(name)).collect();
            FileError::NoAddressColumn { columns }
        })?;
        let columns = columns(names, &normal, email);
        Ok(Mapping { format: self.format, is_gzip: false, has_header, columns, error_columns_at })
    }

    /// Whether a cell of the first row is a name that only columns of addresses have.
    fn names_emails(&self) -> bool {
        let first = self.rows.first().map(Vec::as_slice).unwrap_or_default();
        first.iter().any(|name| names::is_email(&names::normal(name)))
    }

    /// A header names a column of addresses, or has no `@` where later rows have one.
    fn has_header(&self) -> bool {
        let Some((first, rest)) = self.rows.split_first() else { return false };
        if first.iter().any(|cell| is_address(cell)) {
            return false;
        }
        let has_at = |row: &Vec<String>| row.iter().any(|cell| cell.contains('@'));
        self.names_emails() || error_columns(first).is_some() || (!has_at(first) && rest.iter().any(has_at))
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

/// A certain name wins, then a name that fits if addresses are there, then the most addresses.
fn email_column(names: &[String], n_ats: &[usize]) -> Option<usize> {
    let certain = names::email_columns(names);
    let perhaps = names::perhaps_email_columns(names);
    let with_addresses = |columns: &[usize]| columns.iter().copied().find(|&i| n_ats[i] > 0);
    let fullest = || {
        let most = *n_ats.iter().max()?;
        n_ats.iter().position(|&n| n == most && n > 0)
    };
    with_addresses(&certain)
        .or(certain.first().copied())
        .or_else(|| with_addresses(&perhaps))
        .or_else(fullest)
        .or(perhaps.first().copied())
}

fn columns(names: Vec<String>, normal: &[String], email: usize) -> Vec<Column> {
    let mut columns: Vec<Column> = names.into_iter().map(|name| Column { name, field: None }).collect();
    columns[email].field = Some(Field::Email);
    for (field, candidates) in names::other_columns(normal) {
        if let Some(&i) = candidates.iter().find(|&&i| columns[i].field.is_none()) {
            columns[i].field = Some(field);
        }
    }
    columns
}

/// Where the three columns of an error file stand in this header.
fn error_columns(header: &[String]) -> Option<usize> {
    header.windows(ERROR_COLUMNS.len()).position(|names| names == ERROR_COLUMNS)
}

/// Whether a cell is an address and nothing else, by its look.
fn is_address(cell: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '"' | '<' | '>');
    match cell.split_once('@') {
        Some((local, domain)) => {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !cell.contains(odd)
        }
        None => false,
    }
}

fn cut(name: &str) -> String {
    name.chars().take(MAX_NAME_CHARS).collect()
}
