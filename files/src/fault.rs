//! What can be wrong with one row.

use std::fmt;

/// Why a row could not be read. Whether its address is a valid one is decided by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowFault {
    /// The row has no value in the column of addresses.
    NoAddress,
    /// The row holds several addresses where one belongs.
    SeveralAddresses,
    /// The row says of its address that it may get mail.
    Sendable,
    /// The row says nothing about its address that is understood, in a file of rows that do.
    Unclear,
    /// The address holds bytes that are no character.
    NotUtf8,
    /// The row is no JSON, or no object among objects.
    NotJson,
    /// The row holds a NUL byte, which no database text may hold.
    NulByte,
    /// The row is longer than [`MAX_RECORD_BYTES`](crate::MAX_RECORD_BYTES).
    RowTooLong,
    /// The row has more columns than [`MAX_COLUMNS`](crate::MAX_COLUMNS).
    TooManyColumns,
    /// A quote is opened in this line and not closed where a field may end.
    UnclosedQuote,
}

impl RowFault {
    /// All of them, for a documentation page or a test.
    pub const ALL: [Self; 10] = [
        Self::NoAddress,
        Self::SeveralAddresses,
        Self::Sendable,
        Self::Unclear,
        Self::NotUtf8,
        Self::NotJson,
        Self::NulByte,
        Self::RowTooLong,
        Self::TooManyColumns,
        Self::UnclosedQuote,
    ];

    /// The stable code, as the error file holds it.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoAddress => "no_address",
            Self::SeveralAddresses => "several_addresses",
            Self::Sendable => "sendable",
            Self::Unclear => "unclear",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::NulByte => "nul_byte",
            Self::RowTooLong => "row_too_long",
            Self::TooManyColumns => "too_many_columns",
            Self::UnclosedQuote => "unclosed_quote",
        }
    }

    /// What is wrong and what to do, in plain English.
    pub fn text(self) -> &'static str {
        match self {
            Self::NoAddress => "There is no address in this row.",
            Self::SeveralAddresses => "This row holds several addresses. Put each on a line of its own.",
            Self::Sendable => "This row says that its address may get mail, so it was left out.",
            Self::Unclear => "This row does not say in known words whether its address gets mail, so it was left out.",
            Self::NotUtf8 => {
                "The address holds bytes that are no characters. Write it anew, or save the file as UTF-8."
            }
            Self::NotJson => "This row is not JSON like the others. Mend its quotes and brackets.",
            Self::NulByte => "This row holds a NUL byte. Remove it.",
            Self::RowTooLong => "This row is longer than 64 KiB. Shorten it, or close its quotes.",
            Self::TooManyColumns => "This row has more than 1,000 columns. Remove the ones not needed.",
            Self::UnclosedQuote => "A quote is opened in this row and never properly closed. Close it, or double it.",
        }
    }
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
