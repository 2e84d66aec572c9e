//! A run of an import: rows in memory, compact, sorted by address.
//!
//! The texts of all rows stand in one buffer, so that a quarter of a million of them are about 16 MiB.

use crate::imports;

/// Bytes of text after which a run ends early.
const MAX_TEXT: usize = 12 << 20;

/// A row of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// The address's key.
    pub(super) key: &'a str,
    /// The address as written, if it is not the key.
    pub(super) email: Option<&'a str>,
    pub(super) strength: u8,
    pub(super) source: Option<&'a str>,
    pub(super) note: Option<&'a str>,
    pub(super) vendor_code: Option<&'a str>,
    /// Microseconds.
    pub(super) first_seen: Option<i64>,
    /// How many rows of the file it stands for.
    pub(super) n: u32,
}

/// Rows of a file.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: String,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The key's first bytes as a number, which mostly decides the order without a look at the text.
    prefix: u64,
    /// `i64::MAX`: not said.
    first_seen: i64,
    /// Where its texts begin; grows with the row's number.
    text: u32,
    n: u32,
    /// Key, email, source, note, vendor code; 0: none.
    lengths: [u16; 5],
    strength: u8,
}

impl Lines {
    pub(super) fn push(&mut self, line: Line<'_>) {
        let Line { key, email, strength, source, note, vendor_code, first_seen, n } = line;
        let text = u32::try_from(self.text.len()).expect("a run ends long before 4 GiB");
        let mut lengths = [0; 5];
        for (length, part) in lengths.iter_mut().zip([Some(key), email, source, note, vendor_code]) {
            let part = part.unwrap_or_default();
            *length = u16::try_from(part.len()).expect("texts are cut before they get here");
            self.text.push_str(part);
        }
        let mut prefix = [0; 8];
        let known = key.len().min(prefix.len());
        prefix[..known].copy_from_slice(&key.as_bytes()[..known]);
        let first_seen = first_seen.unwrap_or(i64::MAX);
        self.entries.push(Entry { prefix: u64::from_be_bytes(prefix), first_seen, text, n, lengths, strength });
    }

    pub(super) fn get(&self, at: usize) -> Line<'_> {
        let entry = &self.entries[at];
        let mut from = entry.text as usize;
        let [key, email, source, note, vendor_code] = entry.lengths.map(|length| {
            let part = &self.text[from..from + usize::from(length)];
            from += usize::from(length);
            (length > 0).then_some(part)
        });
        Line {
            key: key.unwrap_or_default(),
            email,
            strength: entry.strength,
            source,
            note,
            vendor_code,
            first_seen: (entry.first_seen != i64::MAX).then_some(entry.first_seen),
            n: entry.n,
        }
    }
}

impl imports::Lines for Lines {
    /// Forgets the rows and keeps the memory.
    fn clear(&mut self) {
        self.text.clear();
        self.entries.clear();
    }

    /// Whether the run should end for the memory it takes.
    fn is_full(&self) -> bool {
        self.text.len() >= MAX_TEXT
    }

    /// Sorts by key and makes one of the rows of an address: the strongest, of equals the first, with the earliest
    /// time.
    fn sort(&mut self) {
        let Self { text, entries } = self;
        entries.sort_unstable_by(|a, b| {
            let by_key = a.prefix.cmp(&b.prefix).then_with(|| a.key(text).cmp(b.key(text)));
            by_key.then(b.strength.cmp(&a.strength)).then(a.text.cmp(&b.text))
        });
        entries.dedup_by(|next, kept| {
            let same = next.prefix == kept.prefix && next.key(text) == kept.key(text);
            if same {
                kept.n += next.n;
                kept.first_seen = kept.first_seen.min(next.first_seen);
            }
            same
        });
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn key(&self, at: usize) -> &str {
        self.entries[at].key(&self.text)
    }

    /// Where the rows after `key` begin.
    fn after(&self, key: &str) -> usize {
        self.entries.partition_point(|entry| entry.key(&self.text) <= key)
    }

    fn chunk_end(&self, from: usize, most: usize) -> usize {
        self.len().min(from + most)
    }
}

impl Entry {
    fn key<'a>(&self, text: &'a str) -> &'a str {
        let from = self.text as usize;
        &text[from..from + usize::from(self.lengths[0])]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::imports::Lines as _;

    fn line(key: &str, strength: u8) -> Line<'_> {
        Line { key, email: None, strength, source: None, note: None, vendor_code: None, first_seen: None, n: 1 }
    }

    #[test]
    fn the_strongest_row_wins_then_the_first_and_the_earliest_time() {
        let mut lines = Lines::default();
        lines.push(Line { note: Some("one"), first_seen: Some(5), ..line("b@example.com", 2) });
        lines.push(Line { note: Some("two"), email: Some("B@example.com"), ..line("b@example.com", 4) });
        lines.push(Line { note: Some("three"), first_seen: Some(3), ..line("b@example.com", 4) });
        lines.push(line("a@example.com", 1));
        lines.sort();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines.get(0), line("a@example.com", 1));
        let strongest = Line {
            note: Some("two"),
            email: Some("B@example.com"),
            first_seen: Some(3),
            n: 3,
            ..line("b@example.com", 4)
        };
        assert_eq!(lines.get(1), strongest);
        assert_eq!((lines.after("a@example.com"), lines.after("b@example.com")), (1, 2));
    }

    proptest! {
        #[test]
        fn sorted_rows_are_a_map_of_the_strongest(rows in prop::collection::vec(("[a-c]{1,10}", 1u8..=5), 0..60)) {
            let mut lines = Lines::default();
            let mut expected = BTreeMap::<&str, (u8, u32)>::new();
            for (key, strength) in &rows {
                lines.push(line(key, *strength));
                let entry = expected.entry(key).or_default();
                *entry = (entry.0.max(*strength), entry.1 + 1);
            }
            lines.sort();
            let sorted: Vec<_> = (0..lines.len()).map(|at| lines.get(at)).map(|l| (l.key, (l.strength, l.n))).collect();
            prop_assert_eq!(sorted, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
