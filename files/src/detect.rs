//! Finds a file's format and columns by looking at its beginning.
//!
//! Each separator is tried with the very reader that will read the file. One that makes the first row
//! name a column of addresses is right. Else it is the better, the more rows have a cell that is
//! nothing but an address, and then the more rows have the same number of cells.

use crate::address::is_address;
use crate::columns::{Chosen, Named, cut};
use crate::dates::DateOrders;
use crate::encoding::Encoding;
use crate::error::FileError;
use crate::json::JsonRecords;
use crate::json_layout::{Ends, Layout};
use crate::json_path::{self, Path};
use crate::limits::{MAX_HEAD_ROWS, SHOWN_COLUMNS};
use crate::looks::foreign;
use crate::mapping::{Column, Compression, ERROR_COLUMNS, Field, Format, Mapping, Wanted};
use crate::names;
use crate::records::has_escapes;
use crate::source::Source;
use crate::wrapped::unwrap_all;

/// What was found out about a text.
pub(crate) struct Found {
    pub(crate) mapping: Mapping,
    /// Where its rows, or its header, begin, in bytes.
    pub(crate) start: usize,
    /// Where its elements end and their values are, if it is JSON.
    pub(crate) json: Option<(Ends, Vec<Path>)>,
    /// Whether each of its lines is in quotes as a whole.
    pub(crate) is_wrapped: bool,
}

/// The rows of the sample, as one format reads them.
struct Table {
    format: Format,
    has_escapes: bool,
    /// Where the values of JSON are.
    paths: Vec<Path>,
    rows: Vec<Vec<String>>,
    /// The line of each row, in a table or list.
    lines: Vec<u64>,
}

/// Finds out what `sample` is, the beginning of a text or, if `is_whole`, all of it.
pub(crate) fn detect(sample: &[u8], is_whole: bool, wanted: &Wanted) -> Result<Found, FileError> {
    if let Some(kind) = foreign(sample) {
        return Err(FileError::NotAList { kind });
    }
    if is_whole && sample.trim_ascii().is_empty() {
        return Err(FileError::Empty);
    }
    let is_json = matches!(wanted.format, Some(Format::Json | Format::JsonLines));
    if (is_json || wanted.format.is_none())
        && let Some(layout) = Layout::of(sample)
    {
        let table = json_table(&sample[layout.start..], layout.ends);
        let mapping = table.mapping(wanted, is_whole)?;
        return Ok(Found { mapping, start: layout.start, json: Some((layout.ends, table.paths)), is_wrapped: false });
    }
    if is_json {
        return Err(FileError::NotJson);
    }
    let (start, said) = separator_line(sample);
    let sample = whole_lines(&sample[start..], is_whole);
    let unwrapped = unwrap_all(sample).filter(|text| best_table(text).is_certain());
    let is_wrapped = unwrapped.is_some();
    let sample = unwrapped.as_deref().unwrap_or(sample);
    let table = match wanted.format.or(said) {
        Some(format) => Table::read(sample, format),
        None => best_table(sample),
    };
    Ok(Found { mapping: table.mapping(wanted, is_whole)?, start, json: None, is_wrapped })
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
    let (paths, rows) = json_path::table(&values);
    let format = match ends {
        Ends::Array | Ends::Wrapped => Format::Json,
        Ends::Sequence | Ends::Lines => Format::JsonLines,
    };
    Table { format, has_escapes: false, paths, rows, lines: Vec::new() }
}

/// A sample rarely ends where a line does, or where an address does if it is one long line of them. Its last piece is left
/// out, if it is not all there is.
fn whole_lines(sample: &[u8], is_whole: bool) -> &[u8] {
    let end = || memchr::memrchr2(b'\r', b'\n', sample).or_else(|| memchr::memrchr2(b',', b';', sample));
    match end() {
        Some(at) if !is_whole => &sample[..=at],
        _ => sample,
    }
}

fn best_table(sample: &[u8]) -> Table {
    // Where nothing is cut a separator would only win by chance.
    let occurs = |format: &Format| format.separator().is_some_and(|byte| memchr::memchr(byte, sample).is_some());
    let mut tables: Vec<_> =
        Format::TABLES.into_iter().filter(occurs).map(|format| Table::read(sample, format)).collect();
    if let Some(at) = tables.iter().position(Table::is_error_file) {
        return tables.swap_remove(at);
    }
    let mut best = Table::read(sample, Format::List);
    // Columns of addresses below a header are no list of them all: it would hold whoever looks after somebody, too.
    if best.is_below_header() && !tables.is_empty() {
        best = tables.swap_remove(0);
    }
    // Where each line has as many they may be columns that mean different things.
    let may_be_pasted = |table: &Table| matches!(table.format, Format::Csv | Format::Semicolon);
    if best.is_pasted() && !tables.iter().filter(|table| may_be_pasted(table)).any(Table::is_even) {
        return best;
    }
    let mut best_score = best.score();
    for table in tables {
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
        let has_escapes = format.separator().is_some_and(|separator| has_escapes(sample, separator));
        let mut records = Source::of_lines(sample, format, has_escapes, 1);
        let (mut rows, mut lines) = (Vec::new(), Vec::new());
        // Reading from memory cannot fail.
        while let Ok(Some(record)) = records.next() {
            lines.push(record.line);
            let cells = (0..record.cells.len()).filter_map(|i| record.cells.get(i));
            // A NUL costs its row, and must not hide what the column is.
            rows.push(cells.map(|cell| String::from_utf8_lossy(cell).replace('\0', "").trim().to_owned()).collect());
        }
        Self { format, has_escapes, paths: Vec::new(), rows, lines }
    }

    /// Whether it is a table and no list whose names have commas in them.
    fn is_certain(&self) -> bool {
        let has_names_around = || self.rows.iter().flatten().any(|cell| cell.contains('<'));
        self.named_header().is_some() || self.is_even() && !has_names_around()
    }

    /// Whether the first row names the columns of an error file.
    fn is_error_file(&self) -> bool {
        self.rows.first().is_some_and(|first| error_columns(first).is_some())
    }

    /// Whether these are nothing but addresses, and several in a line, as in the head of a mail.
    fn is_pasted(&self) -> bool {
        let is_several = self.lines.windows(2).any(|lines| lines[0] == lines[1]);
        is_several && self.rows.iter().flatten().all(|cell| is_address(cell))
    }

    /// Whether several addresses are in a line, below one that is a header and no address.
    fn is_below_header(&self) -> bool {
        let is_several = self.lines.windows(2).any(|lines| lines[0] == lines[1]);
        let mut head = self.rows.iter().flatten().take_while(|cell| !is_address(cell));
        is_several && head.any(|cell| cell.contains([',', ';']))
    }

    /// Whether each row has the same columns, and there are several of both.
    fn is_even(&self) -> bool {
        let n_columns = self.rows.first().map_or(0, Vec::len);
        self.rows.len() > 1 && n_columns > 1 && self.rows.iter().all(|row| row.len() == n_columns)
    }

    /// How well the format fits: whether it makes a header, how even the rows are in thousandths, and
    /// how many columns it gives.
    fn score(&self) -> (bool, usize, usize) {
        let n_rows = self.rows.len().max(1);
        let n_clean = self.rows.iter().filter(|row| row.iter().any(|cell| is_address(cell))).count();
        let (n_columns, n_alike) = self.usual_width();
        (self.named_header().is_some(), (2 * n_clean + n_alike) * 1000 / n_rows, n_columns)
    }

    /// The number of cells that most rows have, and how many rows those are.
    fn usual_width(&self) -> (usize, usize) {
        let mut widths: Vec<usize> = self.rows.iter().map(Vec::len).collect();
        widths.sort_unstable();
        let groups = widths.chunk_by(|a, b| a == b).map(|group| (group[0], group.len()));
        groups.max_by_key(|&(_, n)| n).unwrap_or((0, 0))
    }

    fn mapping(&self, wanted: &Wanted, is_whole: bool) -> Result<Mapping, FileError> {
        let has_keys = !self.paths.is_empty();
        let header_at = match wanted.has_header {
            _ if has_keys => None,
            Some(false) => None,
            Some(true) => self.header().or((!self.rows.is_empty()).then_some(0)),
            None => self.header(),
        };
        let has_header = has_keys || header_at.is_some() || wanted.has_header == Some(true);
        let n_titles = header_at.unwrap_or(0);
        let (header, rows) = self.rows[n_titles..].split_at(usize::from(header_at.is_some()));
        let mut names = self.names(header, rows);
        let error_columns_at = header.first().and_then(|cells| error_columns(cells));
        names.truncate(error_columns_at.unwrap_or(names.len()));
        let seen = if has_keys { names.clone() } else { self.rows.get(n_titles).cloned().unwrap_or_default() };
        let is_error_file = error_columns_at.is_some();
        let named = Named { names, has_header, rows, is_whole, is_error_file };
        let Some(Chosen { columns, exporter, evidence, takes_all, rest_is_note }) = named.choose(wanted)? else {
            return Err(FileError::NoAddressColumn {
                columns: seen.iter().take(SHOWN_COLUMNS).map(|name| cut(name)).collect(),
            });
        };
        let date_orders = date_orders(&columns, rows, wanted);
        Ok(Mapping {
            format: self.format,
            has_escapes: self.has_escapes,
            encoding: Encoding::Utf8,
            compression: Compression::None,
            is_encoding_guessed: false,
            sheet: None,
            has_header,
            columns,
            error_columns_at,
            exporter,
            name_says: None,
            n_titles,
            evidence,
            takes_all,
            is_own: !wanted.own.is_empty(),
            rest_is_note,
            date_orders,
            date_order: wanted.date_order,
        })
    }

    /// The names of the columns: the keys of JSON, or what the header says, or their numbers.
    fn names(&self, header: &[Vec<String>], rows: &[Vec<String>]) -> Vec<String> {
        if !self.paths.is_empty() {
            return self.paths.iter().map(|path| cut(&path.name())).collect();
        }
        match header.first() {
            Some(cells) => cells.iter().map(|name| cut(name)).collect(),
            None => {
                let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
                (1..=n_columns).map(|n| format!("column_{n}")).collect()
            }
        }
    }

    /// The first row that names a column of addresses, and what is above it names nobody. Of a title of one cell and a
    /// row of several, the header is the row.
    fn named_header(&self) -> Option<usize> {
        let has_address = |row: &Vec<String>| row.iter().any(|cell| is_address(cell));
        let head = self.rows.iter().take(MAX_HEAD_ROWS).take_while(|row| !has_address(row));
        let names = |row: &Vec<String>| row.iter().any(|name| names::is_email(&names::normal(name)));
        let named = head.enumerate().filter(|(_, row)| names(row));
        let is_wide = self.usual_width().0 > 1;
        let wide = named.clone().find(|(_, row)| !is_wide || n_filled(row) > 1);
        wide.or_else(|| named.clone().next()).map(|(at, _)| at)
    }

    /// A header is that of an error file, or names a column of addresses, or has no address where later rows have one.
    fn header(&self) -> Option<usize> {
        if self.is_error_file() {
            return Some(0);
        }
        if let Some(at) = self.named_header() {
            return Some(at);
        }
        let has_address = |row: &Vec<String>| row.iter().any(|cell| is_address(cell));
        let n_before = self.rows.iter().take_while(|row| !has_address(row)).count();
        if n_before == 0 || n_before == self.rows.len() || self.rows[0].iter().any(|cell| cell.contains('@')) {
            return None;
        }
        // A title stands alone in its row.
        let is_wide = self.usual_width().0 > 1;
        let n_titles = self.rows[..n_before - 1].iter().take_while(|row| is_wide && n_filled(row) <= 1).count();
        Some(n_titles.min(MAX_HEAD_ROWS))
    }
}

/// In which orders each column of dates can be read.
fn date_orders(columns: &[Column], rows: &[Vec<String>], wanted: &Wanted) -> Vec<(usize, DateOrders)> {
    let holds_dates = |field| match field {
        Field::FirstSeen => true,
        Field::Own(code) => wanted.own_dates.contains(&code),
        _ => false,
    };
    let of_dates = columns.iter().enumerate().filter(|(_, column)| column.field.is_some_and(holds_dates));
    let cells = |at: usize| rows.iter().filter_map(move |row| row.get(at).map(String::as_str));
    of_dates.map(|(at, _)| (at, DateOrders::of(cells(at)))).collect()
}

/// Cells of a row in which something stands.
fn n_filled(row: &[String]) -> usize {
    row.iter().filter(|cell| !cell.is_empty()).count()
}

/// Where the three columns of an error file stand in this header.
pub(crate) fn error_columns(header: &[String]) -> Option<usize> {
    header.windows(ERROR_COLUMNS.len()).position(|names| names == ERROR_COLUMNS)
}
