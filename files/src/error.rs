//! What can be wrong with a whole file.

use std::io;

use crate::limits::MAX_ZIP_ENTRIES;
use crate::looks::Kind;
use crate::mapping::Compression;

/// Why a file cannot be read, or not any further. Each message says what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is nothing in it but white space.
    #[error("The file is empty. Send one address a line, or a table with a column of addresses.")]
    Empty,
    /// It is something else than a list or table.
    #[error("The file is {}, not a list of addresses. {}", .kind.name(), .kind.advice())]
    NotAList {
        /// What it looks like.
        kind: Kind,
    },
    /// It is a table, and none of its columns holds addresses.
    #[error(
        "No column of addresses was found. Name one of the columns \"email\". Seen: {}.",
        quoted(.columns)
    )]
    NoAddressColumn {
        /// The cells of the first row, the first 20 of them.
        columns: Vec<String>,
    },
    /// Several columns hold addresses, and no name tells which counts.
    #[error(
        "Several columns hold addresses: {}. Say which one counts: pass its name as `mapping.email`.",
        quoted(.columns)
    )]
    SeveralAddressColumns {
        /// Their names, the first 20 of them.
        columns: Vec<String>,
    },
    /// It is a file of people, and nothing in it says who of them gets no mail.
    #[error(
        "Nothing in this file says who must not get mail, so nobody would be blocked.{} If everybody in it must not get \
         mail, pass `reason`, such as `unsubscribe`.",
        perhaps(.columns)
    )]
    ReasonNeeded {
        /// The names of the columns that might say it, the first 20 of them.
        columns: Vec<String>,
    },
    /// The columns that the caller asked for are not there.
    #[error("There is no column {wanted:?}. The file has: {}.", quoted(.columns))]
    NoSuchColumn {
        /// What was asked for.
        wanted: String,
        /// The names of the columns, the first 20 of them.
        columns: Vec<String>,
    },
    /// Its compressed bytes are broken or end too early.
    #[error("The {compression} file is damaged or was cut short. Compress it again, or send it uncompressed.")]
    Damaged {
        /// How it is compressed.
        compression: Compression,
        /// What the decoder said.
        #[source]
        source: io::Error,
    },
    /// It was said to be JSON and is not.
    #[error("The file is not JSON. Say its true format, or none: then it is found by looking.")]
    NotJson,
    /// It is JSON, and ends before its brackets are closed.
    #[error("The JSON ends in line {line} before its brackets are closed: the file was cut short. Export it again.")]
    CutShort {
        /// The last line, from 1.
        line: u64,
    },
    /// It is said to be an Excel workbook and is none.
    #[error("The file is no Excel workbook (.xlsx). Say its true format, or none: then it is found by looking.")]
    NotXlsx,
    /// It is an Excel workbook with more in it than can be read.
    #[error("The workbook holds {what}. Save the sheet as CSV: that can be read whatever its size.")]
    WorkbookTooLarge {
        /// What there is too much of.
        what: &'static str,
    },
    /// It is an Excel workbook that cannot be read.
    #[error("The workbook is damaged, or written in an unusual way. Save it again in Excel, or save the sheet as CSV.")]
    WorkbookDamaged {
        /// What its reader said.
        #[source]
        source: io::Error,
    },
    /// It is a zip archive of no file, or of too many.
    #[error("The zip archive holds {n_files} files. Send one with 1 to {MAX_ZIP_ENTRIES}.")]
    ZipFiles {
        /// How many there are.
        n_files: usize,
    },
    /// A file in a zip archive cannot be read.
    #[error("\"{file}\" in the zip archive: {source}")]
    InZip {
        /// Its name in the archive.
        file: String,
        /// What is wrong with it.
        source: Box<FileError>,
    },
    /// It is a zip archive with a password.
    #[error("The zip archive has a password. Send the list without one.")]
    ZipEncrypted,
    /// It is a zip archive that is neither stored nor deflated.
    #[error("The zip archive is compressed in an unusual way. Compress the list again, as zip (deflate) or gzip.")]
    ZipMethod,
    /// It holds more than the caller allows, once decompressed.
    #[error("The file holds more than {limit_bytes} bytes of text. Split it into smaller files.")]
    TooLarge {
        /// The limit on the decompressed text.
        limit_bytes: u64,
    },
    /// The operating system could not read it.
    #[error("The file could not be read. Try again, or send it once more.")]
    Io {
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

/// Every code of a [`FileError`], with its meaning, for a page of documentation.
pub const FILE_ERRORS: [(&str, &str); 17] = [
    ("file_empty", "There is nothing in the file but white space."),
    ("not_a_list", "The file is a picture, a program, a PDF, a workbook, …; the text says which, and what to do."),
    ("no_address_column", "It is a table, and none of its columns holds addresses."),
    (
        "several_address_columns",
        "Several columns hold addresses, and none has a known name; `mapping.email` says which one counts.",
    ),
    (
        "reason_needed",
        "It is a file of people, and no column was understood that says who of them gets no mail. `mapping.reason` names the \
         column, or `reason` says that all of them get none.",
    ),
    ("no_such_column", "`mapping` names a column that is not there; the text lists those that are."),
    ("file_damaged", "The compressed bytes are broken, or end too early."),
    ("file_not_json", "The call says that the file is JSON, and it is not."),
    ("file_cut_short", "The file is JSON, and ends before its brackets are closed."),
    ("file_not_xlsx", "The call says that the file is an Excel workbook, and it is not."),
    ("workbook_too_large", "The workbook holds more than can be read; the text says of what. Saved as CSV it can be."),
    ("workbook_damaged", "The workbook is broken, or is written in a way that is not understood."),
    ("zip_files", "The zip archive holds no file, or more than 100."),
    ("zip_encrypted", "The zip archive has a password."),
    ("zip_method", "The zip archive is neither stored nor deflated."),
    ("file_too_large", "The file holds more than 4 GiB of text once it is decompressed."),
    ("file_unreadable", "The server could not read the file from its disk."),
];

impl FileError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "file_empty",
            Self::NotAList { .. } => "not_a_list",
            Self::NoAddressColumn { .. } => "no_address_column",
            Self::SeveralAddressColumns { .. } => "several_address_columns",
            Self::ReasonNeeded { .. } => "reason_needed",
            Self::NoSuchColumn { .. } => "no_such_column",
            Self::Damaged { .. } => "file_damaged",
            Self::NotJson => "file_not_json",
            Self::CutShort { .. } => "file_cut_short",
            Self::NotXlsx => "file_not_xlsx",
            Self::WorkbookTooLarge { .. } => "workbook_too_large",
            Self::WorkbookDamaged { .. } => "workbook_damaged",
            Self::ZipFiles { .. } => "zip_files",
            Self::InZip { source, .. } => source.code(),
            Self::ZipEncrypted => "zip_encrypted",
            Self::ZipMethod => "zip_method",
            Self::TooLarge { .. } => "file_too_large",
            Self::Io { .. } => "file_unreadable",
        }
    }
}

/// A [`FileError`] travels through [`io::Read`] inside an [`io::Error`]; this takes it out again.
impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(|source| Self::Io { source })
    }
}

fn quoted(columns: &[String]) -> String {
    if columns.is_empty() {
        return "nothing".to_owned();
    }
    let names: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
    names.join(", ")
}

fn perhaps(columns: &[String]) -> String {
    match columns {
        [] => " If a column says it, pass its name as `mapping.reason`.".to_owned(),
        columns => format!(" If a column says it, pass its name as `mapping.reason`: perhaps {}.", quoted(columns)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_is_documented() {
        let (columns, wanted) = (Vec::new(), String::new());
        let errors = [
            FileError::Empty,
            FileError::NotAList { kind: Kind::Pdf },
            FileError::NoAddressColumn { columns: columns.clone() },
            FileError::SeveralAddressColumns { columns: columns.clone() },
            FileError::ReasonNeeded { columns: columns.clone() },
            FileError::NoSuchColumn { wanted, columns },
            FileError::Damaged { compression: Compression::Zip, source: io::Error::other("x") },
            FileError::NotJson,
            FileError::CutShort { line: 1 },
            FileError::NotXlsx,
            FileError::WorkbookTooLarge { what: "x" },
            FileError::WorkbookDamaged { source: io::Error::other("x") },
            FileError::ZipFiles { n_files: 0 },
            FileError::ZipEncrypted,
            FileError::ZipMethod,
            FileError::TooLarge { limit_bytes: 1 },
            FileError::Io { source: io::Error::other("x") },
        ];
        assert_eq!(errors.map(|error| error.code()), FILE_ERRORS.map(|(code, _)| code));
    }
}
