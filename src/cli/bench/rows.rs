//! The rows that are imported: distinct addresses in no order, as a list of bounces has them.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use zip::{ZipWriter, write::SimpleFileOptions};

use serde_json::json;

use super::Result;
use crate::{clock::Clock, values::BlockId};

/// Reasons of the file, with their strengths in the table.
pub(super) const REASONS: [(&str, u8); 4] = [("hard_bounce", 4), ("complaint", 5), ("unsubscribe", 2), ("invalid", 3)];

/// The same rows twice.
pub(super) struct Files {
    /// As somebody has them: `email,reason,created_at`, with a header.
    pub(super) list: PathBuf,
    /// As the table `block` has them, a column each, without a header.
    pub(super) table: PathBuf,
}

pub(super) fn write(folder: &Path, n: u64) -> Result<Files> {
    let files = Files { list: folder.join("list.csv"), table: folder.join("table.csv") };
    let (mut list, mut table) =
        (BufWriter::new(File::create(&files.list)?), BufWriter::new(File::create(&files.table)?));
    let clock = Clock::system();
    let now = clock.now().micros();
    writeln!(list, "email,reason,created_at")?;
    for i in 0..n {
        let mixed = mix(i);
        let email =
            format!("{}{:05x}.{i}@mail{}.example.com", (b'a' + (mixed % 26) as u8) as char, mixed >> 44, mixed % 97);
        let (reason, strength) = REASONS[(mixed >> 8) as usize % REASONS.len()];
        let (day, second) = (mixed % 28 + 1, mixed % 60);
        writeln!(list, "{email},{reason},2026-0{}-{day:02}T12:{second:02}:00Z", mixed % 9 + 1)?;
        let id: BlockId = clock.id();
        writeln!(table, "1,{email},{id},{email},{strength},import,,,{},{now}", now - mixed as i64 % (1 << 44))?;
    }
    list.flush()?;
    table.flush()?;
    Ok(files)
}

/// How else somebody's list may be written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Tabs,
    Semicolons,
    Lines,
    JsonArray,
    JsonLines,
    Utf16,
    Gzip,
    Zip,
}

impl Shape {
    pub(super) const ALL: [Self; 8] = [
        Self::Tabs,
        Self::Semicolons,
        Self::Lines,
        Self::JsonArray,
        Self::JsonLines,
        Self::Utf16,
        Self::Gzip,
        Self::Zip,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tabs => "TSV",
            Self::Semicolons => "semicolons",
            Self::Lines => "plain list",
            Self::JsonArray => "JSON array",
            Self::JsonLines => "JSON Lines",
            Self::Utf16 => "CSV in UTF-16",
            Self::Gzip => "CSV in gzip",
            Self::Zip => "CSV in zip",
        }
    }

    /// Writes the list once more, in this shape.
    pub(super) fn write(self, list: &Path) -> Result<PathBuf> {
        let path = list.with_extension(match self {
            Self::Tabs => "tsv",
            Self::Semicolons => "semicolons.csv",
            Self::Lines => "txt",
            Self::JsonArray => "json",
            Self::JsonLines => "jsonl",
            Self::Utf16 => "utf16.csv",
            Self::Gzip => "csv.gz",
            Self::Zip => "csv.zip",
        });
        let file = BufWriter::new(File::create(&path)?);
        let lines = BufReader::new(File::open(list)?).lines();
        match self {
            Self::Gzip => {
                let mut packed = GzEncoder::new(file, Compression::default());
                self.copy(lines, &mut packed)?;
                packed.finish()?.flush()?;
            }
            Self::Zip => {
                let mut packed = ZipWriter::new(file);
                packed.start_file("list.csv", SimpleFileOptions::default()).map_err(std::io::Error::from)?;
                self.copy(lines, &mut packed)?;
                packed.finish().map_err(std::io::Error::from)?.flush()?;
            }
            _ => {
                let mut file = file;
                self.copy(lines, &mut file)?;
                file.flush()?;
            }
        }
        Ok(path)
    }

    fn copy(self, lines: impl Iterator<Item = std::io::Result<String>>, file: &mut dyn Write) -> Result<()> {
        for (i, line) in lines.enumerate() {
            let line = line?;
            let mut cells = line.split(',');
            let [email, reason, seen] = [(); 3].map(|()| cells.next().unwrap_or_default());
            let header = i == 0;
            let object = json!({ "email": email, "reason": reason, "created_at": seen });
            match self {
                Self::Gzip | Self::Zip => writeln!(file, "{line}")?,
                Self::Tabs => writeln!(file, "{}", line.replace(',', "\t"))?,
                Self::Semicolons => writeln!(file, "{}", line.replace(',', ";"))?,
                Self::Utf16 => {
                    let mark = if header { "\u{feff}" } else { "" };
                    let text = format!("{mark}{line}\n");
                    file.write_all(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())?;
                }
                Self::Lines | Self::JsonLines if header => {}
                Self::Lines => writeln!(file, "{email}")?,
                Self::JsonLines => writeln!(file, "{object}")?,
                Self::JsonArray if header => {}
                Self::JsonArray => write!(file, "{}{object}", if i == 1 { "[" } else { ",\n" })?,
            }
        }
        if self == Self::JsonArray {
            writeln!(file, "]")?;
        }
        Ok(())
    }
}

/// Numbers in no order that anybody would notice (splitmix64).
pub(super) fn mix(i: u64) -> u64 {
    let mut z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ z >> 31) >> 1
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::values::Email;

    #[test]
    fn every_row_is_a_valid_address_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path(), 3000).unwrap();
        let text = std::fs::read_to_string(files.list).unwrap();
        let emails: HashSet<_> = text.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
        assert_eq!(emails.len(), 3000);
        assert!(emails.iter().all(|email| Email::parse(email).is_ok_and(|parsed| parsed.key() == *email)));
        assert_eq!(std::fs::read_to_string(files.table).unwrap().lines().count(), 3000);
    }

    #[test]
    fn every_shape_holds_every_row() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path(), 3000).unwrap();
        for shape in Shape::ALL {
            let file = File::open(shape.write(&files.list).unwrap()).unwrap();
            let mut reader = usher_files::Reader::open(file, u64::MAX).unwrap();
            let mut rows = 0;
            while let Some(row) = reader.next_row() {
                row.unwrap().email.unwrap();
                rows += 1;
            }
            assert_eq!(rows, 3000, "{}", shape.name());
        }
    }
}
