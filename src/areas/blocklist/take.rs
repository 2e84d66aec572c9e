//! What an import keeps of a row.

use usher_files::{Field, Mapping, Row};

use super::{
    Reason,
    lines::{Line, Lines},
};
use crate::{
    imports::{self, DateColumn, Taken, cut},
    values::{Email, Time, Zone},
};

/// Characters of a note that are kept.
const NOTE: usize = 1000;

/// Characters of a source or a vendor's code that are kept.
const WORD: usize = 100;

pub(super) struct Take {
    /// What a row's reason is that gives none.
    reason: Reason,
    /// Nothing was seen after this.
    now: Time,
    /// In which zone a date is a day.
    zone: Zone,
    /// How the dates are read; known once the file is.
    dates: DateColumn,
}

impl Take {
    pub(super) fn new(reason: Reason, now: Time, zone: Zone) -> Self {
        Self { reason, now, zone, dates: DateColumn::default() }
    }
}

impl imports::Take for Take {
    type Lines = Lines;

    fn begin(&mut self, mapping: &Mapping) {
        self.dates = DateColumn::of(mapping, mapping.index_of(Field::FirstSeen), self.zone);
    }

    fn take(&mut self, row: &Row<'_>, email: &Email, lines: &mut Lines) -> Taken {
        lines.push(Line {
            key: email.key(),
            email: Some(email.as_str()).filter(|text| *text != email.key()),
            strength: row.reason.map_or(self.reason, Reason::from).strength(),
            source: row.source.map(|text| cut(text, WORD)),
            note: row.note.map(|text| cut(text, NOTE)),
            vendor_code: row.vendor_code.map(|text| cut(text, WORD)),
            first_seen: row
                .first_seen
                .and_then(|cell| self.dates.beginning(cell))
                .filter(|seen| *seen < self.now)
                .map(Time::micros),
            n: 1,
        });
        Taken::Kept
    }
}
