//! What was found out about a file before its first row was read.

use std::fmt;

/// The columns of an error file behind those of the original: the physical line the row began in, the code and the
/// text of what is wrong.
pub const ERROR_COLUMNS: [&str; 3] = ["line", "error_code", "error"];

/// How cells are separated.
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
}

impl Format {
    /// All of them, the likelier ones first.
    pub const ALL: [Self; 5] = [Self::Csv, Self::Tsv, Self::Semicolon, Self::Pipe, Self::List];

    /// The byte between two cells.
    pub fn separator(self) -> Option<u8> {
        match self {
            Self::Csv => Some(b','),
            Self::Tsv => Some(b'\t'),
            Self::Semicolon => Some(b';'),
            Self::Pipe => Some(b'|'),
            Self::List => None,
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
        })
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
}

impl Field {
    /// How many there are.
    pub(crate) const COUNT: usize = 6;

    /// All of them.
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
    /// How the cells are separated.
    pub format: Format,
    /// Whether the file is compressed with gzip.
    pub is_gzip: bool,
    /// Whether the first row names the columns.
    pub has_header: bool,
    /// The columns, without the three of an error file.
    pub columns: Vec<Column>,
    /// Where the three columns of an error file stand that is imported again: how many columns are
    /// before them. They are not read.
    pub error_columns_at: Option<usize>,
}

impl Mapping {
    /// Which column holds a field, from 0.
    pub fn index_of(&self, field: Field) -> Option<usize> {
        self.columns.iter().position(|column| column.field == Some(field))
    }
}

impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.format)?;
        f.write_str(if self.is_gzip { " (gzip)" } else { "" })?;
        f.write_str(if self.has_header { ", with a header" } else { ", without a header" })?;
        for (field, lead) in Field::ALL.iter().zip([": "].into_iter().chain(std::iter::repeat(", "))) {
            let Some(i) = self.index_of(*field) else { continue };
            write!(f, "{lead}{} is column {}", field.code(), i + 1)?;
            if self.has_header {
                write!(f, " \"{}\"", self.columns[i].name)?;
            }
        }
        if self.error_columns_at.is_some() {
            f.write_str("; the columns of an error file are not read")?;
        }
        Ok(())
    }
}
