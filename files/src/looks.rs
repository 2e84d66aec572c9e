//! What a file is by the look of its first bytes, when it is no list or table.

use std::fmt;

/// What a file looks like that is not a list of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A PDF document.
    Pdf,
    /// A picture.
    Picture,
    /// A document in a zip archive that is no `.xlsx` (`.docx`, `.ods`, `.xlsb`), or a workbook in another archive.
    Workbook,
    /// An archive that is neither zip nor gzip, or an archive in an archive.
    Archive,
    /// An Excel workbook or Word document of the old kind (`.xls`, `.doc`).
    OldOffice,
    /// A program.
    Program,
    /// A database file.
    Database,
    /// A web page or XML.
    Markup,
    /// Not text, and nothing known.
    Binary,
}

impl Kind {
    /// Its name with an article.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pdf => "a PDF document",
            Self::Picture => "a picture",
            Self::Workbook => "an office document",
            Self::Archive => "a compressed archive",
            Self::OldOffice => "an Excel or Word document of the old kind, or one with a password",
            Self::Program => "a program",
            Self::Database => "a database file",
            Self::Markup => "a web page or XML",
            Self::Binary => "binary data",
        }
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Workbook | Self::OldOffice => "Save the sheet as CSV or as .xlsx.",
            Self::Archive => "Unpack it first; plain text, and gzip or zip of it, are read.",
            Self::Markup => "Download the export itself, as CSV or as plain text.",
            Self::Pdf | Self::Picture | Self::Program | Self::Database | Self::Binary => {
                "Export the list as CSV, or as plain text with one address a line."
            }
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What files begin with that people send by mistake.
const MAGIC: &[(&[u8], Kind)] = &[
    (b"%PDF-", Kind::Pdf),
    (b"\x89PNG\r\n\x1a\n", Kind::Picture),
    (b"\xff\xd8\xff", Kind::Picture),
    (b"GIF87a", Kind::Picture),
    (b"GIF89a", Kind::Picture),
    (b"PK\x03\x04", Kind::Archive),
    (b"\x1f\x8b", Kind::Archive),
    (b"7z\xbc\xaf\x27\x1c", Kind::Archive),
    (b"Rar!\x1a\x07", Kind::Archive),
    (b"\xfd7zXZ\0", Kind::Archive),
    (b"\x28\xb5\x2f\xfd", Kind::Archive),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind::OldOffice),
    (b"\x7fELF", Kind::Program),
    (b"SQLite format 3\0", Kind::Database),
];

/// Says what the bytes of a file are that begin like no text does.
pub(crate) fn magic(sample: &[u8]) -> Option<Kind> {
    // Two letters are too few to tell a Windows program from an address.
    if sample.starts_with(b"MZ") && sample.iter().take(64).any(|&byte| byte == 0) {
        return Some(Kind::Program);
    }
    MAGIC.iter().find(|(magic, _)| sample.starts_with(magic)).map(|(_, kind)| *kind)
}

/// Says what `sample` is, in UTF-8 or a single-byte encoding, when it is no text, and nothing when it may be.
pub(crate) fn foreign(sample: &[u8]) -> Option<Kind> {
    // A few NUL bytes cost their rows, and not the file.
    let n_nul = sample.iter().filter(|&&byte| byte == 0).count();
    if n_nul * MIN_NUL_SHARE > sample.len() || n_control(sample) * MIN_CONTROL_SHARE > sample.len() {
        return Some(Kind::Binary);
    }
    markup(sample.trim_ascii_start())
}

/// One NUL byte in six, and it is no text.
const MIN_NUL_SHARE: usize = 6;

/// One other control byte in twenty, and it is no text.
const MIN_CONTROL_SHARE: usize = 20;

fn n_control(sample: &[u8]) -> usize {
    sample.iter().filter(|&&byte| (1..b' ').contains(&byte) && !byte.is_ascii_whitespace()).count()
}

fn markup(text: &[u8]) -> Option<Kind> {
    let rest = text.strip_prefix(b"<")?;
    let is_html = rest.len() >= 4 && rest[..4].eq_ignore_ascii_case(b"html");
    (is_html || matches!(rest.first(), Some(b'!' | b'?'))).then_some(Kind::Markup)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_not_foreign() {
        for text in ["", "a@example.com\n", "MZ@example.com", "[x]@example.com", "<ann@example.com>"] {
            assert_eq!((magic(text.as_bytes()), foreign(text.as_bytes())), (None, None), "{text}");
        }
    }

    #[test]
    fn bytes_are_no_text_when_many_are_control() {
        for (bytes, kind) in [
            (&b"email,note\na@example.com,x\0\n"[..], None),
            (b"a\0@b.example\nb\0@b.example\n", None),
            (b"a\0b\0c\0d\0", Some(Kind::Binary)),
            (b"rows of \x01\x02 or \x03\x04 fields", Some(Kind::Binary)),
        ] {
            assert_eq!(foreign(bytes), kind, "{bytes:?}");
        }
        assert_eq!(magic(b"MZ\x90\0\x03"), Some(Kind::Program));
    }
}
