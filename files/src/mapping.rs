//! What was found out about a file before its first row was read.

use std::fmt;

use crate::dates::{DateOrder, DateOrders};
use crate::encoding::Encoding;
use crate::evidence::Evidence;
use crate::exporter::{DateFormat, Exporter};
use crate::reason::Verdict;
use crate::workbook::Sheet;

/// The columns of an error file behind those of the original: the physical line the row began in, the code and the
/// text of what is wrong.
pub const ERROR_COLUMNS: [&str; 3] = ["line", "error_code", "error"];

/// How rows and cells are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// By commas.
    Csv,
    /// By tabs.
    Tsv,
    /// By semicolons.
    Semicolon,
    /// By vertical bars.
    Pipe,
    /// Not at all: one value a line.
    List,
    /// A JSON array, by itself or in an object. An element is a row, its keys are the columns.
    Json,
    /// One JSON value after the other, mostly one a line.
    JsonLines,
    /// A sheet of an Excel workbook, which [`sheet_as_csv`](crate::sheet_as_csv) has written down.
    Xlsx,
}

impl Format {
    /// All that a text may have.
    pub const ALL: [Self; 7] =
        [Self::Csv, Self::Tsv, Self::Semicolon, Self::Pipe, Self::List, Self::Json, Self::JsonLines];

    /// Those whose cells are separated by a byte, the likelier ones first.
    pub const TABLES: [Self; 4] = [Self::Csv, Self::Tsv, Self::Semicolon, Self::Pipe];

    /// The byte between two cells.
    pub fn separator(self) -> Option<u8> {
        match self {
            Self::Csv | Self::Xlsx => Some(b','),
            Self::Tsv => Some(b'\t'),
            Self::Semicolon => Some(b';'),
            Self::Pipe => Some(b'|'),
            Self::List | Self::Json | Self::JsonLines => None,
        }
    }

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Semicolon => "semicolon",
            Self::Pipe => "pipe",
            Self::List => "list",
            Self::Json => "json",
            Self::JsonLines => "json_lines",
            Self::Xlsx => "xlsx",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "table separated by commas",
            Self::Tsv => "table separated by tabs",
            Self::Semicolon => "table separated by semicolons",
            Self::Pipe => "table separated by vertical bars",
            Self::List => "list with one value a line",
            Self::Json => "JSON array",
            Self::JsonLines => "JSON Lines",
            Self::Xlsx => "sheet of an Excel workbook",
        })
    }
}

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// With gzip (RFC 1952).
    Gzip,
    /// As a file in a zip archive.
    Zip,
}

impl Compression {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zip => "zip",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What a column means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The address.
    Email,
    /// Why it is on the list.
    Reason,
    /// Where it comes from.
    Source,
    /// Whatever else somebody wrote.
    Note,
    /// When it came on the list.
    FirstSeen,
    /// What the mail server or tool said, as a code.
    VendorCode,
    /// A column of a table that is no block list, by the code that its reader has for it.
    Own(&'static str),
}

impl Field {
    /// How many a block list has.
    pub(crate) const COUNT: usize = 6;

    /// All that a block list has.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Email, Self::Reason, Self::Source, Self::Note, Self::FirstSeen, Self::VendorCode];

    /// The stable code, which is also the name of such a column in a file of ours.
    pub fn code(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Reason => "reason",
            Self::Source => "source",
            Self::Note => "note",
            Self::FirstSeen => "first_seen",
            Self::VendorCode => "vendor_code",
            Self::Own(code) => code,
        }
    }
}

/// One column of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the header, or `column_2` and so on when there is none.
    pub name: String,
    /// What it means; `None` for a column that is not used.
    pub field: Option<Field>,
}

/// What was found by looking at the beginning of a file. Printed, it is one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// How rows and cells are told apart.
    pub format: Format,
    /// How characters are written as bytes.
    pub encoding: Encoding,
    /// Whether that is a guess: nothing in a file says which code page it is in.
    pub is_encoding_guessed: bool,
    /// How the file is compressed.
    pub compression: Compression,
    /// Whether the quotes in its cells have a backslash before them.
    pub has_escapes: bool,
    /// The sheet of a workbook that it is.
    pub sheet: Option<Sheet>,
    /// Whether the first row, or the keys of JSON, name the columns.
    pub has_header: bool,
    /// The columns, without the three of an error file.
    pub columns: Vec<Column>,
    /// Where the three columns of an error file stand that is imported again: how many columns are
    /// before them. They are not read.
    pub error_columns_at: Option<usize>,
    /// Whose export it is, known by its columns.
    pub exporter: Option<&'static Exporter>,
    /// What its name in a zip archive says of its rows, where none of its columns does.
    pub name_says: Option<Verdict>,
    /// How many rows are above the header: a title, say. They are not read.
    pub n_titles: usize,
    /// The columns that say whether an address gets mail. Where an export is known, it says it instead.
    pub evidence: Vec<Evidence>,
    /// Whether rows are taken that say nothing: all are there for one reason, as in a bare list, or as the caller has said.
    pub takes_all: bool,
    /// Whether it is a table of the caller's own, of which no row is left out.
    pub is_own: bool,
    /// Whether the columns that mean nothing are a row's note: so they are where no column is known by its name, and
    /// the addresses were found by their look.
    pub rest_is_note: bool,
    /// The columns of dates: which column, from 0, and in which orders its first rows can be read.
    pub date_orders: Vec<(usize, DateOrders)>,
    /// The order that the caller has given for such dates.
    pub date_order: Option<DateOrder>,
}

impl Mapping {
    /// Which column holds a field, from 0.
    pub fn index_of(&self, field: Field) -> Option<usize> {
        self.columns.iter().position(|column| column.field == Some(field))
    }

    /// In which order a column's dates are read that have several readings: as the caller says, or as its other rows
    /// tell.
    pub fn date_order_of(&self, column: usize) -> Option<DateOrder> {
        let decided = || self.date_orders.iter().find(|(at, _)| *at == column)?.1.decided();
        self.date_order.or_else(decided)
    }

    /// Whether a column has dates with two readings, and nothing tells which counts.
    pub fn is_ambiguous(&self, column: usize) -> bool {
        let has_two = self.date_orders.iter().any(|(at, orders)| *at == column && orders.is_ambiguous());
        has_two && self.date_order_of(column).is_none()
    }

    /// How the dates are written, if it is known.
    pub fn dates(&self) -> Option<DateFormat> {
        self.exporter.map(|exporter| exporter.dates)
    }
}

impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(exporter) = self.exporter {
            write!(f, "{}: ", exporter.name)?;
        }
        match &self.sheet {
            Some(sheet) => write!(f, "{sheet}")?,
            None => write!(f, "{} in {}", self.format, self.encoding)?,
        }
        if self.is_encoding_guessed {
            f.write_str(", which is a guess (if letters are wrong, name another in mapping.encoding)")?;
        }
        if self.compression != Compression::None {
            write!(f, " ({})", self.compression)?;
        }
        f.write_str(if self.has_escapes { ", with backslashes before quotes" } else { "" })?;
        if !matches!(self.format, Format::Json | Format::JsonLines) {
            match (self.has_header, self.n_titles) {
                (false, _) => f.write_str(", without a header")?,
                (true, 0) => f.write_str(", with a header")?,
                (true, n) => write!(f, ", with a header below {n} other {}", if n == 1 { "row" } else { "rows" })?,
            }
        }
        let own = self.columns.iter().filter_map(|column| column.field).filter(|field| matches!(field, Field::Own(_)));
        let fields = Field::ALL.into_iter().chain(own);
        for (field, lead) in fields.zip([": "].into_iter().chain(std::iter::repeat(", "))) {
            let Some(i) = self.index_of(field) else { continue };
            write!(f, "{lead}{} is column {}", field.code(), i + 1)?;
            if self.has_header {
                write!(f, " \"{}\"", self.columns[i].name)?;
            }
        }
        let says = |evidence: &&Evidence| self.columns[evidence.column].field != Some(Field::Reason);
        for Evidence { column, .. } in self.evidence.iter().filter(says) {
            write!(f, ", column {} \"{}\" says who gets no mail", column + 1, self.columns[*column].name)?;
        }
        for (column, _) in self.date_orders.iter().filter(|(_, orders)| orders.is_ambiguous()) {
            write!(f, "; the dates of column {} \"{}\" ", column + 1, self.columns[*column].name)?;
            match (self.date_order, self.date_order_of(*column)) {
                (Some(order), _) => write!(f, "are read as {}", order.code())?,
                (None, Some(order)) => write!(f, "are read as {}, as other rows have no other reading", order.code())?,
                (None, None) => f.write_str("have two readings, such as 01/02/2030: give mapping.dateFormat")?,
            }
        }
        f.write_str(if self.rest_is_note { "; the rest is the note" } else { "" })?;
        if let Some(verdict) = self.name_says {
            write!(f, "; by its name: {}", verdict.code())?;
        }
        if self.error_columns_at.is_some() {
            f.write_str("; the columns of an error file are not read")?;
        }
        Ok(())
    }
}

/// What somebody knows better than a look at the file: it overrules what would be found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// How rows and cells are told apart.
    pub format: Option<Format>,
    /// How characters are written as bytes.
    pub encoding: Option<Encoding>,
    /// The sheet that the file was made of.
    pub sheet: Option<Sheet>,
    /// Whether the first row names the columns.
    pub has_header: Option<bool>,
    /// The columns of fields: the name of one in the header, whatever its case, or its number from 1. Whoever says which
    /// column is the reason overrules what the exporter makes of its rows.
    pub columns: Vec<(Field, String)>,
    /// Whose export it is.
    pub exporter: Option<&'static Exporter>,
    /// Whether the caller has a reason for every row that gives none.
    pub takes_all: bool,
    /// The columns that the caller reads beside the address. With any, the file is no block list: no row is left out, and
    /// no export of another tool is looked for. A row's reason is still read: people say in such files that they want no
    /// mail.
    pub own: &'static [OwnColumn],
    /// The codes of those among them that hold dates.
    pub own_dates: &'static [&'static str],
    /// The order of dates that have several readings.
    pub date_order: Option<DateOrder>,
}

/// A column that a caller knows and this crate does not; a row gives it by [`Row::value`](crate::Row::value).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnColumn {
    /// What it is called in [`Field::Own`].
    pub code: &'static str,
    /// The names that it has in files, the best first; in small letters, with one space between words.
    pub names: &'static [&'static str],
}
