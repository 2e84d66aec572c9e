//! What an import keeps of a row.

use usher_files::{Mapping, Row};

use super::{
    Reason,
    lines::{Line, Lines},
};
use crate::{
    imports::{self, Taken, cut, moment},
    values::{Email, Time},
};

/// Characters of a note that are kept.
const NOTE: usize = 1000;

/// Characters of a source or a vendor's code that are kept.
const WORD: usize = 100;

pub(super) struct Take {
    /// What a row's reason is that gives none.
    pub(super) reason: Reason,
    /// Nothing was seen after this.
    pub(super) now: Time,
}

impl imports::Take for Take {
    type Lines = Lines;

    fn begin(&mut self, _: &Mapping) {}

    fn take(&mut self, row: &Row<'_>, email: &Email, lines: &mut Lines) -> Taken {
        lines.push(Line {
            key: email.key(),
            email: Some(email.as_str()).filter(|text| *text != email.key()),
            strength: row.reason.map_or(self.reason, Reason::from).strength(),
            source: row.source.map(|text| cut(text, WORD)),
            note: row.note.map(|text| cut(text, NOTE)),
            vendor_code: row.vendor_code.map(|text| cut(text, WORD)),
            first_seen: row.first_seen.and_then(moment).filter(|seen| *seen < self.now.micros()),
            n: 1,
        });
        Taken::Kept
    }
}
