//! A run of an import: rows in memory, compact, sorted by address and then as they stand in the file.

use super::{mail::Said, take::Given};
use crate::{areas::members::metadata::Metadata, imports, values::Email};

/// Bytes of text after which a run ends early.
const MAX_TEXT: usize = 5 << 20;

/// Texts of a row: key, email, name, note, tags, groups, bundle, external id, metadata.
const TEXTS: usize = 9;

/// No free access is given.
const NONE: i64 = i64::MIN;

/// Free access without an end.
const NEVER: i64 = i64::MAX;

/// A row of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Which row of data it is, from 0.
    pub(super) number: u64,
    /// The address's key.
    pub(super) key: &'a str,
    /// The address as written.
    pub(super) email: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) note: Option<&'a str>,
    /// With commas between them, and so are the groups' ids.
    tags: &'a str,
    groups: &'a str,
    pub(super) bundle: Option<&'a str>,
    /// Free access, and its end in microseconds if it has one.
    pub(super) free: Option<Option<i64>>,
    pub(super) external_id: Option<&'a str>,
    /// As JSON; empty for none.
    metadata: &'a str,
    /// What it says about mail.
    pub(super) mail: Said,
}

impl<'a> Line<'a> {
    pub(super) fn metadata(&self) -> Metadata {
        if self.metadata.is_empty() { Metadata::default() } else { Metadata::stored(self.metadata) }
    }

    pub(super) fn tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.tags.split_terminator(',')
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.groups.split_terminator(',')
    }
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
    free: i64,
    mail: Said,
    number: u64,
    /// Where its texts begin.
    text: u32,
    lengths: [u32; TEXTS],
}

impl Lines {
    pub(super) fn push(&mut self, number: u64, email: &Email, given: &Given) {
        let text = u32::try_from(self.text.len()).expect("a run ends long before 4 GiB");
        let (key, mut from) = (email.key(), self.text.len());
        let mut lengths = [0; TEXTS];
        let mut ends = lengths.iter_mut();
        let mut end = |text: &str| {
            *ends.next().expect("there are so many") = u32::try_from(text.len() - from).expect("a text has a limit");
            from = text.len();
        };
        let written = if email.as_str() == key { "" } else { email.as_str() };
        for part in [key, written, text_of(&given.name), text_of(&given.note)] {
            self.text.push_str(part);
            end(&self.text);
        }
        for tag in &given.tags {
            self.text.extend([tag.as_str(), ","]);
        }
        end(&self.text);
        for group in &given.groups {
            self.text.extend([group.as_str(), ","]);
        }
        end(&self.text);
        self.text.push_str(given.bundle.as_ref().map_or("", |bundle| bundle.as_str()));
        end(&self.text);
        self.text.push_str(text_of(&given.external_id));
        end(&self.text);
        self.text.push_str(&given.metadata.to_store().unwrap_or_default());
        end(&self.text);
        let mut prefix = [0; 8];
        let known = key.len().min(prefix.len());
        prefix[..known].copy_from_slice(&key.as_bytes()[..known]);
        let free = given.free.map_or(NONE, |until| until.unwrap_or(NEVER));
        let prefix = u64::from_be_bytes(prefix);
        self.entries.push(Entry { prefix, free, mail: given.mail, number, text, lengths });
    }

    pub(super) fn get(&self, at: usize) -> Line<'_> {
        let entry = &self.entries[at];
        let mut from = entry.text as usize;
        let [key, email, name, note, tags, groups, bundle, external_id, metadata] = entry.lengths.map(|length| {
            let part = &self.text[from..from + length as usize];
            from += length as usize;
            part
        });
        let some = |text: &'_ str| !text.is_empty();
        Line {
            number: entry.number,
            key,
            email: if email.is_empty() { key } else { email },
            name: Some(name).filter(|text| some(text)),
            note: Some(note).filter(|text| some(text)),
            tags,
            groups,
            bundle: Some(bundle).filter(|text| some(text)),
            free: match entry.free {
                NONE => None,
                NEVER => Some(None),
                until => Some(Some(until)),
            },
            external_id: Some(external_id).filter(|text| some(text)),
            metadata,
            mail: entry.mail,
        }
    }
}

fn text_of(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

impl imports::Lines for Lines {
    fn clear(&mut self) {
        self.text.clear();
        self.entries.clear();
    }

    fn is_full(&self) -> bool {
        self.text.len() >= MAX_TEXT
    }

    fn sort(&mut self) {
        let Self { text, entries } = self;
        entries.sort_unstable_by(|a, b| {
            let by_key = a.prefix.cmp(&b.prefix).then_with(|| a.key(text).cmp(b.key(text)));
            by_key.then(a.number.cmp(&b.number))
        });
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn key(&self, at: usize) -> &str {
        self.entries[at].key(&self.text)
    }

    fn after(&self, key: &str) -> usize {
        self.entries.partition_point(|entry| entry.key(&self.text) <= key)
    }

    fn chunk_end(&self, from: usize, most: usize) -> usize {
        let mut end = self.len().min(from + most);
        while (1..self.len()).contains(&end) && self.key(end) == self.key(end - 1) {
            end += 1;
        }
        end
    }
}

impl Entry {
    fn key<'a>(&self, text: &'a str) -> &'a str {
        let from = self.text as usize;
        &text[from..from + self.lengths[0] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        imports::Lines as _,
        values::{Tag, Time},
    };

    #[test]
    fn rows_are_sorted_by_address_then_by_number_and_those_of_one_stay_together() {
        let mut lines = Lines::default();
        let given = Given {
            name: Some("Ben".into()),
            tags: vec![Tag::stored("x"), Tag::stored("y")],
            free: Some(Some(Time::MAX.micros())),
            ..Given::default()
        };
        for (number, email) in ["b@example.com", "a@example.com", "B@example.com", "c@example.com"].iter().enumerate() {
            lines.push(number as u64, &Email::parse(email).unwrap(), &given);
        }
        lines.sort();
        let order: Vec<_> = (0..4).map(|at| lines.get(at)).map(|line| (line.email, line.number)).collect();
        assert_eq!(order, [("a@example.com", 1), ("b@example.com", 0), ("B@example.com", 2), ("c@example.com", 3)]);
        let line = lines.get(2);
        assert_eq!((line.key, line.name, line.note), ("b@example.com", Some("Ben"), None));
        assert_eq!((line.tags().collect::<Vec<_>>(), line.groups().count()), (vec!["x", "y"], 0));
        assert_eq!((line.free, line.bundle), (Some(Some(Time::MAX.micros())), None));
        assert_eq!([1, 2, 3, 9].map(|most| lines.chunk_end(0, most)), [1, 3, 3, 4]);
        assert_eq!((lines.chunk_end(3, 1), lines.chunk_end(4, 1), lines.after("b@example.com")), (4, 4, 3));
    }
}
