//! What a file is by the look of its first bytes, when it is no list or table in UTF-8.

use std::fmt;

/// What a file looks like that is not a list of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A PDF document.
    Pdf,
    /// A picture.
    Picture,
    /// A zip archive, which every Excel workbook (`.xlsx`) and OpenDocument sheet is too.
    Zip,
    /// An archive that is neither zip nor gzip, or gzip inside gzip.
    Archive,
    /// An Excel workbook or Word document of the old kind (`.xls`, `.doc`).
    OldOffice,
    /// A program.
    Program,
    /// A database file.
    Database,
    /// UTF-16 or UTF-32 text.
    Utf16,
    /// JSON.
    Json,
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
            Self::Zip => "a zip archive or an Excel workbook",
            Self::Archive => "a compressed archive",
            Self::OldOffice => "an Excel or Word document",
            Self::Program => "a program",
            Self::Database => "a database file",
            Self::Utf16 => "UTF-16 text",
            Self::Json => "JSON",
            Self::Markup => "a web page or XML",
            Self::Binary => "binary data",
        }
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Zip => "Unpack it first, or save the sheet as CSV in UTF-8.",
            Self::Archive => "Unpack it first; plain text and gzip of plain text are read.",
            Self::OldOffice => "Save the sheet as CSV in UTF-8.",
            Self::Utf16 => "Save it as UTF-8.",
            Self::Json => "Save it as CSV, or as plain text with one address a line.",
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
    (b"PK\x03\x04", Kind::Zip),
    (b"PK\x05\x06", Kind::Zip),
    (b"\x1f\x8b", Kind::Archive),
    (b"7z\xbc\xaf\x27\x1c", Kind::Archive),
    (b"Rar!\x1a\x07", Kind::Archive),
    (b"\xfd7zXZ\0", Kind::Archive),
    (b"\x28\xb5\x2f\xfd", Kind::Archive),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind::OldOffice),
    (b"\x7fELF", Kind::Program),
    (b"SQLite format 3\0", Kind::Database),
    (b"\xff\xfe", Kind::Utf16),
    (b"\xfe\xff", Kind::Utf16),
    (b"\0\0\xfe\xff", Kind::Utf16),
];

/// Says what `sample` is when it is no text that can be read here, and nothing when it may be.
pub(crate) fn foreign(sample: &[u8]) -> Option<Kind> {
    if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| sample.starts_with(magic)) {
        return Some(*kind);
    }
    if memchr::memchr(0, sample).is_some() {
        return Some(nul_kind(sample));
    }
    if control_bytes(sample) * MIN_CONTROL_SHARE > sample.len() {
        return Some(Kind::Binary);
    }
    markup(sample.trim_ascii_start())
}

/// One control byte in twenty, and it is no text.
const MIN_CONTROL_SHARE: usize = 20;

fn control_bytes(sample: &[u8]) -> usize {
    sample.iter().filter(|&&byte| byte < b' ' && !byte.is_ascii_whitespace()).count()
}

/// Text has no NUL bytes; UTF-16 without a mark has one in every other place.
fn nul_kind(sample: &[u8]) -> Kind {
    let at = |parity| sample.iter().skip(parity).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd) = (at(0), at(1));
    let (few, many) = (even.min(odd), even.max(odd));
    if sample.starts_with(b"MZ") {
        Kind::Program
    } else if many * 4 > sample.len() && few * 20 < many {
        Kind::Utf16
    } else {
        Kind::Binary
    }
}

fn markup(text: &[u8]) -> Option<Kind> {
    let (first, rest) = text.split_first()?;
    let second = rest.trim_ascii_start().first();
    match (first, second) {
        (b'{', Some(b'"' | b'}')) | (b'[', Some(b'"' | b'{' | b'[' | b']')) => Some(Kind::Json),
        (b'<', Some(b'!' | b'?')) => Some(Kind::Markup),
        (b'<', _) if rest.len() >= 4 && rest[..4].eq_ignore_ascii_case(b"html") => Some(Kind::Markup),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_not_foreign() {
        for text in ["", "a@example.com\n", "MZ@example.com", "[x]@example.com", "<ann@example.com>"] {
            assert_eq!(foreign(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn utf16_is_known_without_its_mark() {
        let bytes = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        assert_eq!(foreign(&bytes("ann@example.com\r\n")), Some(Kind::Utf16));
        assert_eq!(foreign(b"email,note\na@example.com,x\0\n"), Some(Kind::Binary));
    }
}
