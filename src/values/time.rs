use std::{
    fmt,
    ops::{Add, Sub},
    time::Duration,
};

use chrono::{DateTime, SecondsFormat, Utc};
use poem_openapi::registry::MetaSchema;
use usher_db::{Cell, Column, Nullable, Value};

/// A moment, in microseconds since the Unix epoch; in JSON RFC 3339 in UTC with `Z` and three digits of milliseconds.
///
/// An argument of a tool is a [`Moment`](super::Moment), which may be a date as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// The latest moment that RFC 3339 can say.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// The earliest moment that RFC 3339 can say.
    pub const MIN: Self = Self(-62_167_219_200_000_000);

    /// From microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The same moment in whole milliseconds, which is what JSON says of it.
    pub const fn floor_to_millis(self) -> Self {
        Self(self.0.div_euclid(1000) * 1000)
    }

    /// Midnight UTC of the day of this moment.
    pub const fn midnight(self) -> Self {
        const DAY: i64 = 86_400_000_000;
        Self(self.0.div_euclid(DAY) * DAY)
    }

    /// This moment, or the millisecond after `earlier` if it would be written as that or an older one. So each state of a
    /// thing has an `updatedAt` of its own, however fast it changes.
    pub fn or_after(self, earlier: Self) -> Self {
        self.max(Self(earlier.floor_to_millis().0 + 1000))
    }

    /// How long after `earlier` this is; zero if it is before.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// Reads a moment as RFC 3339 has it. One that UTC has in another year than 0 to 9999 could not be written again.
    pub fn parse(text: &str) -> Result<Self, InvalidTime> {
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| InvalidTime)?;
        Some(Self(time.timestamp_micros())).filter(|time| (Self::MIN..=Self::MAX).contains(time)).ok_or(InvalidTime)
    }
}

/// Why a text is not a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time as RFC 3339 has it, like 2026-11-22T13:00:00Z")]
pub struct InvalidTime;

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(rhs.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(rhs.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = DateTime::<Utc>::from_timestamp_micros(self.0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl serde::Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Column for Time {
    fn read(cell: Cell<'_>) -> usher_db::Result<Self> {
        i64::read(cell).map(Self)
    }
}

impl From<Time> for Value {
    fn from(time: Time) -> Self {
        Self::Int(Some(time.0))
    }
}

impl Nullable for Time {
    const NULL: Value = Value::Int(None);
}

super::json_string!(
    impl[] Time,
    "string_date-time",
    MetaSchema { example: Some("2026-11-22T13:00:00.000Z".into()), ..MetaSchema::new_with_format("string", "date-time") },
    Time::parse
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_three_digits_of_milliseconds() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_700_000_000_123_456, "2023-11-14T22:13:20.123Z"),
            (1_700_000_000_120_000, "2023-11-14T22:13:20.120Z"),
            (1_700_000_000_999_999, "2023-11-14T22:13:20.999Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (Time::MAX.micros(), "9999-12-31T23:59:59.999Z"),
            (Time::MIN.micros(), "0000-01-01T00:00:00.000Z"),
        ] {
            let time = Time::from_micros(micros);
            assert_eq!(time.to_string(), text);
            assert_eq!(Time::parse(text).unwrap(), time.floor_to_millis());
        }
    }

    #[test]
    fn a_time_out_of_range_is_none() {
        for text in ["9999-12-31T23:59:59-05:00", "0000-01-01T00:00:00+05:00", "+10000-01-01T00:00:00Z"] {
            assert_eq!(Time::parse(text), Err(InvalidTime), "{text}");
        }
        // A leap second is the moment after it.
        assert_eq!(Time::parse("2016-12-31T23:59:60Z").unwrap().to_string(), "2017-01-01T00:00:00.000Z");
    }
}
