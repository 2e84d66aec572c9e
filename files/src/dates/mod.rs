//! Dates and times as files have them.
//!
//! Whatever has one reading is read: a date may stand for a day, a time without a zone for a moment of the caller's zone,
//! and one with a zone for a moment. What has two, such as `01/02/2030`, is read if the order of day and month is known,
//! and is never guessed. A number of days, as spreadsheets keep dates, looks like any other number and is not read.

mod numbers;
mod order;
mod text;
mod tokens;
mod words;

use chrono::{DateTime, NaiveDate, NaiveDateTime};

pub use order::{DateOrder, DateOrders};

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateCell {
    /// Nothing: it is empty, or says so (`N/A`, `NULL`, `0000-00-00`).
    Nothing,
    /// That it never comes: `never`, `forever`.
    Never,
    /// A day.
    Date(NaiveDate),
    /// A moment by the clocks of a place that it does not name.
    Local(NaiveDateTime),
    /// A moment, in microseconds since 1970.
    Moment(i64),
}

/// Why a cell is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateFault {
    /// It has two readings, and no order was given.
    Ambiguous,
    /// It cannot be read in the order that was given.
    OtherOrder,
    /// It is nothing that is known as a date.
    Unknown,
}

/// Reads a cell. Of three numbers that have several readings, `order` tells which counts.
pub fn read_date(cell: &str, order: Option<DateOrder>) -> Result<DateCell, DateFault> {
    let cell = cell.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '\'' | '"' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
    });
    if words::is_nothing(cell) {
        return Ok(DateCell::Nothing);
    }
    if words::is_never(cell) {
        return Ok(DateCell::Never);
    }
    if let Some(number) = numbers::read(cell) {
        return number;
    }
    // As most files have it.
    if let Ok(time) = DateTime::parse_from_rfc3339(cell) {
        return Ok(of_moment(time.timestamp_micros()));
    }
    text::read(cell, order)
}

/// The first moment of the calendar is what programs write that have none.
fn of_moment(micros: i64) -> DateCell {
    const YEAR_2_US: i64 = -62_104_060_800_000_000;
    if micros < YEAR_2_US { DateCell::Nothing } else { DateCell::Moment(micros) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> DateCell {
        DateCell::Date(text.parse().unwrap())
    }

    fn local(text: &str) -> DateCell {
        DateCell::Local(text.parse().unwrap())
    }

    fn moment(text: &str) -> DateCell {
        DateCell::Moment(DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros())
    }

    #[test]
    fn a_day_is_read_however_it_is_written() {
        for text in [
            "2030-12-31",
            "2030/12/31",
            "2030.12.31",
            "2030 12 31",
            "20301231",
            "31.12.2030",
            "31. 12. 2030",
            "31/12/2030",
            "12/31/2030",
            "31-12-2030",
            "12-31-2030",
            "31 12 2030",
            "12/31/30",
            "31 Dec 2030",
            "31-Dec-2030",
            "31-DEC-30",
            "31Dec2030",
            "Dec 31, 2030",
            "Dec 31 2030",
            "December 31st, 2030",
            "Tuesday, December 31, 2030",
            "Tue 31 Dec 2030",
            "2030-Dec-31",
            "2030 December 31",
            "31st of December 2030",
            "31. Dezember 2030",
            "31. Dez. 2030",
            "Dienstag, 31. Dezember 2030",
            "31 décembre 2030",
            "31 déc. 2030",
            "mar. 31 déc. 2030",
            "le 31 décembre 2030",
            "31 de diciembre de 2030",
            "31 dic 2030",
            "31 dicembre 2030",
            "31 de dezembro de 2030",
            "31 dez. 2030",
            "31 december 2030",
            "31. desember 2030",
            "31. joulukuuta 2030",
            "31 grudnia 2030",
            "31. prosince 2030",
            "31 декабря 2030 г.",
            "31 Aralık 2030",
            "31 decembrie 2030",
            "2030. december 31.",
            "2030年12月31日",
            "2030년 12월 31일",
            "'2030-12-31'",
            "\u{a0}2030-12-31 ",
            "\"2030-12-31\"",
        ] {
            assert_eq!(read_date(text, None), Ok(day("2030-12-31")), "{text}");
        }
        // The same in every order, and the orders of the world of which one is left.
        for (text, date) in [
            ("05/05/2030", "2030-05-05"),
            ("1.2.2030", "2030-02-01"),
            ("01.02.2030", "2030-02-01"),
            ("2030-1-5", "2030-01-05"),
            ("1 May 2030", "2030-05-01"),
            ("1 mai 2030", "2030-05-01"),
            ("3 mar 2030", "2030-03-03"),
            ("1 März 2030", "2030-03-01"),
            ("1er janvier 2030", "2030-01-01"),
            ("29/02/2028", "2028-02-29"),
            ("Feb 29, 2028", "2028-02-29"),
            ("0099-01-02", "0099-01-02"),
            ("5 août 2030", "2030-08-05"),
        ] {
            assert_eq!(read_date(text, None), Ok(day(date)), "{text}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_one_of_the_callers() {
        for text in [
            "2030-12-31T15:04",
            "2030-12-31 15:04",
            "2030-12-31 15:04:00",
            "2030-12-31T15:04:00.000",
            "2030/12/31 15:04:00",
            "31.12.2030 15:04",
            "31.12.2030, 15:04",
            "31.12.2030 um 15:04 Uhr",
            "12/31/2030 3:04 PM",
            "12/31/2030 03:04:00 p.m.",
            "31 Dec 2030 15:04",
            "Dec 31, 2030 at 3:04 PM",
            "Dec 31, 2030, 3:04:00\u{202f}PM",
            "20301231T150400",
            "15:04 31.12.2030",
            "Tue Dec 31 15:04:00 2030",
        ] {
            assert_eq!(read_date(text, None), Ok(local("2030-12-31T15:04:00")), "{text}");
        }
        assert_eq!(read_date("12/31/2030 12:00 AM", None), Ok(local("2030-12-31T00:00:00")));
        assert_eq!(read_date("12/31/2030 12:30 PM", None), Ok(local("2030-12-31T12:30:00")));
        assert_eq!(read_date("2030-12-31 10:00:00,25", None), Ok(local("2030-12-31T10:00:00.25")));
    }

    #[test]
    fn a_time_with_a_zone_is_a_moment() {
        for text in [
            "2030-12-31T00:00:00Z",
            "2030-12-31 00:00:00+00",
            "2030-12-31T00:00:00+0000",
            "2030-12-31T00:00Z",
            "2030-12-31 00:00:00 UTC",
            "2030-12-31 00:00:00 +0000",
            "2030-12-31 00:00:00+00:00",
            "2030-12-31 00:00:00.000000+00",
            "2030-12-31T01:00:00+01",
            "2030-12-30T19:00:00-0500",
            "2030-12-30 19:00:00 -05:00",
            "2030-12-31 05:30 +05:30",
            "Tue, 31 Dec 2030 00:00:00 GMT",
            "Tue, 31 Dec 2030 00:00:00 +0000",
            "31 Dec 2030 00:00:00 UT",
            "Mon, 30 Dec 2030 19:00:00 EST",
            "Tue Dec 31 00:00:00 UTC 2030",
            "Tue, 31 Dec 2030 00:00:00 UTC",
            "Tue Dec 31 2030 01:00:00 GMT+0100 (Central European Standard Time)",
            "20301231T000000Z",
            "2030-12-31 00:00:00 +0000 UTC",
            "1924905600",
            "1924905600000",
            "1924905600.0",
            "1924905600000000",
        ] {
            assert_eq!(read_date(text, None), Ok(moment("2030-12-31T00:00:00Z")), "{text}");
        }
        assert_eq!(read_date("2016-12-31T23:59:60Z", None), Ok(moment("2017-01-01T00:00:00Z")));
        assert_eq!(read_date("1795352400.077", None), Ok(moment("2026-11-22T13:00:00.077Z")));
    }

    #[test]
    fn nothing_and_never_are_words() {
        for text in [
            "",
            " ",
            "\u{a0}",
            "-",
            "--",
            "—",
            "N/A",
            "n/a",
            "NA",
            "#N/A",
            "NULL",
            "null",
            "(null)",
            "None",
            "nil",
            "\\N",
            "NaN",
            "NaT",
            "undefined",
            "0",
            "0000-00-00",
            "0000-00-00 00:00:00",
            "00/00/0000",
            "00.00.0000",
            "0000-00-00T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "0001-01-01",
            "0001-01-01 00:00:00",
            "01/01/0001",
        ] {
            assert_eq!(read_date(text, None), Ok(DateCell::Nothing), "{text}");
        }
        for text in ["never", "Never", "forever", "Lifetime", "unlimited", "infinity"] {
            assert_eq!(read_date(text, None), Ok(DateCell::Never), "{text}");
        }
    }

    #[test]
    fn what_has_two_readings_needs_an_order() {
        use DateOrder::{DayFirst, MonthFirst, YearFirst};
        for text in ["01/02/2030", "1/2/2030", "01-02-2030", "01/02/2030 10:00", "31/12/30", "1/2/30", "01.02.30"] {
            assert_eq!(read_date(text, None), Err(DateFault::Ambiguous), "{text}");
        }
        for (text, order, date) in [
            ("01/02/2030", DayFirst, "2030-02-01"),
            ("01/02/2030", MonthFirst, "2030-01-02"),
            ("01.02.2030", MonthFirst, "2030-01-02"),
            ("31/12/30", DayFirst, "2030-12-31"),
            ("31/12/30", YearFirst, "2031-12-30"),
            ("01-02-69", DayFirst, "1969-02-01"),
            // What tells its order by itself is read in any.
            ("2030-12-31", DayFirst, "2030-12-31"),
            ("Dec 31, 2030", DayFirst, "2030-12-31"),
        ] {
            assert_eq!(read_date(text, Some(order)), Ok(day(date)), "{text} {order:?}");
        }
        assert_eq!(read_date("12/31/2030", Some(DayFirst)), Err(DateFault::OtherOrder));
        assert_eq!(read_date("31.12.2030", Some(MonthFirst)), Err(DateFault::OtherOrder));
    }

    #[test]
    fn what_is_no_date_is_not_read() {
        for text in [
            "yesterday",
            "550",
            "47848",
            "47848.5",
            "2030",
            "12/2030",
            "Dec 2030",
            "2030-13-01",
            "2030-02-30",
            "32/12/2030",
            "13/13/2030",
            "2030-12-31T25:00",
            "2030-12-31 10:61",
            "10:00",
            "2030-W01-1",
            "2030-365",
            "31 Foo 2030",
            "1.2.3.4",
            "2030/12-31",
            "+49 30 123456",
            "1/2",
            "12345678",
            "99999999999999999999",
            "12/31/2030 13:00 PM",
            "é",
            "2030-12-31T00:00:00+99:00",
            "31 Dec 2030 Dec",
            "5.1.1",
            "550 5.1.1",
            "4.2.2 mailbox full",
            "x 31.12.2030",
        ] {
            assert_eq!(read_date(text, None), Err(DateFault::Unknown), "{text}");
        }
    }
}
