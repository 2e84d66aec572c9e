//! The rows that are imported: distinct addresses in no order, as a list of bounces has them.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

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

/// Numbers in no order that anybody would notice (splitmix64).
fn mix(i: u64) -> u64 {
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
}
