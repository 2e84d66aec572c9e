//! In which order day, month and year stand in dates that are three numbers.

use chrono::NaiveDate;

/// The order of day, month and year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DateOrder {
    /// `31/12/2030`.
    DayFirst,
    /// `12/31/2030`.
    MonthFirst,
    /// `2030/12/31`, or `30/12/31`.
    YearFirst,
}

impl DateOrder {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::DayFirst, Self::MonthFirst, Self::YearFirst];

    /// As people write it.
    pub fn code(self) -> &'static str {
        match self {
            Self::DayFirst => "DD/MM/YYYY",
            Self::MonthFirst => "MM/DD/YYYY",
            Self::YearFirst => "YYYY-MM-DD",
        }
    }

    /// What a pattern such as `DD/MM/YYYY`, `d.m.yy` or `%m/%d/%Y` says, whatever the signs and the time behind it.
    pub fn of_pattern(pattern: &str) -> Option<Self> {
        let date = pattern.trim().split([' ', 'T']).next().unwrap_or_default().to_lowercase();
        if date.chars().any(|c| c.is_alphabetic() && !"dmyj".contains(c)) {
            return None;
        }
        let mut letters: Vec<char> =
            date.chars().filter(|c| c.is_alphabetic()).map(|c| if c == 'j' { 'd' } else { c }).collect();
        letters.dedup();
        match letters[..] {
            ['d', 'm', 'y'] => Some(Self::DayFirst),
            ['m', 'd', 'y'] => Some(Self::MonthFirst),
            ['y', 'm', 'd'] => Some(Self::YearFirst),
            _ => None,
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }

    /// Three numbers, read in this order.
    pub(super) fn date(self, parts: &Parts) -> Option<NaiveDate> {
        let [first, second, third] = parts.numbers;
        let (year, month, day) = match self {
            Self::DayFirst => (third, second, first),
            Self::MonthFirst => (third, first, second),
            Self::YearFirst => (first, second, third),
        };
        let is_day = |part: Part| part.digits <= 2;
        let year = year.year()?;
        (is_day(month) && is_day(day)).then(|| NaiveDate::from_ymd_opt(year, month.value, day.value))?
    }
}

/// A number of a date, with how many digits it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) value: u32,
    pub(super) digits: usize,
}

impl Part {
    /// As a year: of two digits those of 1969 to 2068, as POSIX has it.
    pub(super) fn year(self) -> Option<i32> {
        let value = i32::try_from(self.value).ok()?;
        match self.digits {
            4 => Some(value),
            2 => Some(if value < 69 { 2000 + value } else { 1900 + value }),
            _ => None,
        }
    }
}

/// Three numbers that are a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) numbers: [Part; 3],
    /// Whether dots are between them.
    pub(super) has_dots: bool,
}

impl Parts {
    /// The orders in which they are a date.
    pub(super) fn orders(&self) -> impl Iterator<Item = (DateOrder, NaiveDate)> + use<'_> {
        let all = DateOrder::ALL.into_iter().filter_map(|order| Some((order, order.date(self)?)));
        // With dots and a whole year the day comes first wherever people write so.
        let is_plain = self.has_dots && self.numbers[2].digits == 4 && DateOrder::DayFirst.date(self).is_some();
        all.filter(move |(order, _)| !is_plain || *order == DateOrder::DayFirst)
    }
}

/// In which orders the dates of a column can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateOrders {
    possible: u8,
    is_ambiguous: bool,
}

impl Default for DateOrders {
    fn default() -> Self {
        Self { possible: !0, is_ambiguous: false }
    }
}

impl DateOrders {
    /// What the cells of a column tell.
    pub(crate) fn of<'a>(cells: impl Iterator<Item = &'a str>) -> Self {
        let mut orders = Self::default();
        // A year that is written first tells nothing about the others.
        let is_open = |parts: &Parts| parts.numbers[0].digits <= 2;
        for parts in cells.filter_map(super::text::parts).filter(is_open) {
            let (mut possible, mut dates) = (0, [None; 3]);
            for ((order, date), place) in parts.orders().zip(&mut dates) {
                possible |= order.bit();
                *place = Some(date);
            }
            let mut dates = dates.into_iter().flatten();
            let first = dates.next();
            orders.is_ambiguous |= dates.any(|date| Some(date) != first);
            if first.is_some() {
                orders.possible &= possible;
            }
        }
        orders
    }

    /// Whether a date of the column has two readings.
    pub fn is_ambiguous(self) -> bool {
        self.is_ambiguous
    }

    /// The one order in which all of its dates can be read.
    pub fn decided(self) -> Option<DateOrder> {
        let mut fitting = DateOrder::ALL.into_iter().filter(|order| self.possible & order.bit() != 0);
        fitting.next().filter(|_| fitting.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_rows_decide_for_a_column() {
        let of = |cells: &[&str]| {
            let orders = DateOrders::of(cells.iter().copied());
            (orders.is_ambiguous(), orders.decided())
        };
        assert_eq!(of(&["01/02/2030", "x", ""]), (true, None));
        assert_eq!(of(&["01/02/2030", "31/12/2030"]), (true, Some(DateOrder::DayFirst)));
        assert_eq!(of(&["01/02/2030 10:00", "12/31/2030 3:00 PM"]), (true, Some(DateOrder::MonthFirst)));
        // A file that contradicts itself decides nothing.
        assert_eq!(of(&["01/02/2030", "31/12/2030", "12/31/2030"]), (true, None));
        assert!(!of(&["05/05/2030", "2030-12-31"]).0);
        assert_eq!(of(&["01/02/2030", "31.12.2030", "2030-12-31T00:00:00Z"]), (true, Some(DateOrder::DayFirst)));
        // Of two-digit years it takes two rows.
        assert_eq!(of(&["31/12/28", "01/02/28"]), (true, None));
        assert_eq!(of(&["31/12/28", "01/02/28", "15/10/2069"]), (true, Some(DateOrder::DayFirst)));
    }

    #[test]
    fn a_pattern_tells_an_order() {
        for (pattern, order) in [
            ("DD/MM/YYYY", Some(DateOrder::DayFirst)),
            ("d.m.yy", Some(DateOrder::DayFirst)),
            ("dd-mm-yyyy hh:mm", Some(DateOrder::DayFirst)),
            ("MM/DD/YYYY", Some(DateOrder::MonthFirst)),
            ("%m/%d/%Y", Some(DateOrder::MonthFirst)),
            ("YYYY-MM-DD", Some(DateOrder::YearFirst)),
            ("yy/mm/dd", Some(DateOrder::YearFirst)),
            ("european", None),
            ("YYYY-DD-MM", None),
            ("MM/YYYY", None),
            ("", None),
        ] {
            assert_eq!(DateOrder::of_pattern(pattern), order, "{pattern}");
        }
        for order in DateOrder::ALL {
            assert_eq!(DateOrder::of_pattern(order.code()), Some(order));
        }
    }
}
