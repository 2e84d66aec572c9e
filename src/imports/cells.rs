//! What stands in cells: times and texts that are too long.

use usher_files::{DateCell, DateFault, DateOrder, Mapping, read_date};

use crate::values::{Time, Zone};

/// The first characters of a text.
pub(crate) fn cut(text: &str, characters: usize) -> &str {
    if text.len() <= characters {
        return text;
    }
    text.char_indices().nth(characters).map_or(text, |(at, _)| &text[..at])
}

/// How the dates of a column are read.
#[derive(Clone, Copy, Default)]
pub(crate) struct DateColumn {
    /// The order of those that have several readings.
    pub(crate) order: Option<DateOrder>,
    /// In which zone a date is a day.
    pub(crate) zone: Zone,
}

impl DateColumn {
    /// The column of a file, if there is one.
    pub(crate) fn of(mapping: &Mapping, column: Option<usize>, zone: Zone) -> Self {
        Self { order: column.and_then(|column| mapping.date_order_of(column)), zone }
    }

    /// When something begins: the first moment of a day. `None` if nothing is said, or nothing that has one reading.
    pub(crate) fn beginning(self, cell: &str) -> Option<Time> {
        let time = match read_date(cell, self.order).ok()? {
            DateCell::Nothing | DateCell::Never => return None,
            DateCell::Date(date) => self.zone.first_moment(date),
            DateCell::Local(local) => self.zone.earliest(local),
            DateCell::Moment(micros) => Time::from_micros(micros),
        };
        Some(time).filter(|time| time.micros() > 0)
    }

    /// When something ends: the last millisecond of a day. `None` if nothing is said, `Some(None)` if never.
    pub(crate) fn end(self, cell: &str) -> Result<Option<Option<Time>>, DateFault> {
        let time = match read_date(cell, self.order)? {
            DateCell::Nothing => return Ok(None),
            DateCell::Never => return Ok(Some(None)),
            DateCell::Date(date) => self.zone.last_moment(date),
            DateCell::Local(local) => self.zone.latest(local),
            DateCell::Moment(micros) => Time::from_micros(micros),
        };
        let is_known = (Time::MIN..=Time::MAX).contains(&time);
        if is_known { Ok(Some(Some(time.floor_to_millis()))) } else { Err(DateFault::Unknown) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_and_ends_in_the_zone() {
        let utc = DateColumn::default();
        let berlin = DateColumn { order: Some(DateOrder::DayFirst), zone: Zone::parse("Europe/Berlin").unwrap() };
        let beginning = |column: DateColumn, cell: &str| column.beginning(cell).map(|time| time.to_string());
        let end = |column: DateColumn, cell: &str| column.end(cell).unwrap().unwrap().map(|time| time.to_string());
        for (column, cell, first, last) in [
            (utc, "2030-12-31", "2030-12-31T00:00:00.000Z", "2030-12-31T23:59:59.999Z"),
            (berlin, "31.12.2030", "2030-12-30T23:00:00.000Z", "2030-12-31T22:59:59.999Z"),
            (berlin, "01/02/2030", "2030-01-31T23:00:00.000Z", "2030-02-01T22:59:59.999Z"),
            // A time is a time.
            (berlin, "2030-12-31T00:00", "2030-12-30T23:00:00.000Z", "2030-12-30T23:00:00.000Z"),
            (berlin, "2030-12-31 00:00:00+00", "2030-12-31T00:00:00.000Z", "2030-12-31T00:00:00.000Z"),
            // Clocks show it twice, or not at all.
            (berlin, "2026-10-25 02:30", "2026-10-25T00:30:00.000Z", "2026-10-25T01:30:00.000Z"),
            (berlin, "2026-03-29 02:30", "2026-03-29T01:00:00.000Z", "2026-03-29T01:00:00.000Z"),
        ] {
            assert_eq!(beginning(column, cell).as_deref(), Some(first), "{cell}");
            assert_eq!(end(column, cell).as_deref(), Some(last), "{cell}");
        }
        assert_eq!(utc.end("01/02/2030"), Err(DateFault::Ambiguous));
        assert_eq!((utc.end("N/A"), utc.end("never")), (Ok(None), Ok(Some(None))));
        for nothing in ["01/02/2030", "N/A", "never", "yesterday", "1969-12-31"] {
            assert_eq!(utc.beginning(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_text_is_cut_at_a_character() {
        assert_eq!((cut("ééé", 2), cut("ab", 2), cut("abc", 2)), ("éé", "ab", "ab"));
    }
}
