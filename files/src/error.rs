//! What can be wrong with a whole file.

use std::io;

use crate::looks::Kind;

/// Why a file cannot be read, or not any further. Each message says what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is nothing in it but white space.
    #[error("The file is empty. Send one address a line, or a table with a column of addresses.")]
    Empty,
    /// It is something else than a list or table in UTF-8.
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
    /// Its gzip stream is broken or ends too early.
    #[error("The gzip file is damaged or was cut short. Compress it again, or send it uncompressed.")]
    GzipDamaged {
        /// What the decoder said.
        #[source]
        source: io::Error,
    },
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

impl FileError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "file_empty",
            Self::NotAList { .. } => "not_a_list",
            Self::NoAddressColumn { .. } => "no_address_column",
            Self::GzipDamaged { .. } => "gzip_damaged",
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
