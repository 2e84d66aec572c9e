//! Dates that are one number.

use chrono::NaiveDate;

use super::{DateCell, DateFault};

/// Seconds since 1970 from 1973 to 2286, and the same in milliseconds and microseconds.
const SECONDS: std::ops::Range<i64> = 100_000_000..10_000_000_000;
const MILLIS: std::ops::Range<i64> = 100_000_000_000..10_000_000_000_000;
const MICROS: std::ops::Range<i64> = 100_000_000_000_000..10_000_000_000_000_000;

/// Years in which eight digits are a day.
const YEARS: std::ops::Range<i32> = 1900..2200;

/// A cell that is one number, perhaps with a fraction; `None` if it is more than that.
pub(super) fn read(cell: &str) -> Option<Result<DateCell, DateFault>> {
    let (whole, fraction) = cell.split_once('.').unwrap_or((cell, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    if whole.len() == 8 && !cell.contains('.') {
        return Some(day(whole).map(DateCell::Date).ok_or(DateFault::Unknown));
    }
    let number: i64 = whole.parse().unwrap_or_default();
    let micros = match number {
        seconds if SECONDS.contains(&seconds) => seconds * 1_000_000 + micros_of(fraction),
        millis if MILLIS.contains(&millis) => millis * 1000,
        micros if MICROS.contains(&micros) => micros,
        _ => return Some(Err(DateFault::Unknown)),
    };
    Some(Ok(DateCell::Moment(micros)))
}

/// `20301231`.
pub(super) fn day(digits: &str) -> Option<NaiveDate> {
    let part = |range: std::ops::Range<usize>| digits.get(range)?.parse::<u32>().ok();
    let year = i32::try_from(part(0..4)?).ok().filter(|year| YEARS.contains(year))?;
    NaiveDate::from_ymd_opt(year, part(4..6)?, part(6..8)?)
}

/// The digits after the point, as microseconds.
pub(super) fn micros_of(fraction: &str) -> i64 {
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    digits.fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0'))
}
