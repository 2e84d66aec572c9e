use std::{borrow::Cow, fmt, marker::PhantomData};

use chrono::NaiveDate;
use poem_openapi::registry::MetaSchema;

use super::{Time, Zone, json_string};

/// What a date stands for where a moment is asked for.
pub trait DateRole: Send + Sync + 'static {
    /// What it is called in schemas.
    const NAME: &'static str;
    /// The `format` of its schema in the registry, which the documents say in two words.
    const FORMAT: &'static str;
    /// The moment of a date.
    fn of_date(date: NaiveDate, zone: Zone) -> Time;
}

/// Something ends: a date is its last millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {}

/// Something begins: a date is its first moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {}

/// A moment that is looked at: a date is its last millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {}

impl DateRole for End {
    const NAME: &'static str = "end";
    const FORMAT: &'static str = "moment-end";

    fn of_date(date: NaiveDate, zone: Zone) -> Time {
        zone.last_moment(date)
    }
}

impl DateRole for Beginning {
    const NAME: &'static str = "beginning";
    const FORMAT: &'static str = "moment-beginning";

    fn of_date(date: NaiveDate, zone: Zone) -> Time {
        zone.first_moment(date)
    }
}

impl DateRole for At {
    const NAME: &'static str = "at";
    const FORMAT: &'static str = "moment-at";

    fn of_date(date: NaiveDate, zone: Zone) -> Time {
        zone.last_moment(date)
    }
}

/// A moment as an argument says it: a time as RFC 3339 has it, or a date in the site's time zone. `R` says which moment
/// of a date is meant.
///
/// Every moment that a tool is asked with is one of these. It is no [`Time`] until the zone is known.
#[derive(Debug, PartialEq, Eq)]
pub struct Moment<R> {
    given: Given,
    role: PhantomData<fn() -> R>,
}

impl<R> Clone for Moment<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Moment<R> {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    Time(Time),
    Date(NaiveDate),
}

/// Why a text is not a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time as RFC 3339 has it, like 2026-11-22T13:00:00Z, nor a date, like 2026-11-22")]
pub struct InvalidMoment;

impl<R: DateRole> Moment<R> {
    /// Reads a time or a date.
    pub fn parse(text: &str) -> Result<Self, InvalidMoment> {
        read(text).map(|given| Self { given, role: PhantomData }).ok_or(InvalidMoment)
    }

    /// The moment, in a zone.
    pub fn in_zone(self, zone: Zone) -> Time {
        match self.given {
            Given::Time(time) => time,
            Given::Date(date) => R::of_date(date, zone),
        }
    }
}

impl Moment<End> {
    /// The first moment that comes too late for a list of what was before: that of a date includes the whole day.
    pub fn bound(self, zone: Zone) -> Time {
        match self.given {
            Given::Time(time) => time,
            Given::Date(date) => zone.end_of(date),
        }
    }
}

/// A time in whole milliseconds, as it is shown, or a date that is written with four, two and two digits.
fn read(text: &str) -> Option<Given> {
    if let Ok(time) = Time::parse(text) {
        return Some(Given::Time(time.floor_to_millis()));
    }
    let is_date = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    is_date.then(|| text.parse().ok().map(Given::Date))?
}

/// Whether a text is a moment, whatever its role.
pub fn is_moment(text: &str) -> bool {
    read(text).is_some()
}

/// What the role of a schema's `format` is called, if it is one of a moment.
pub fn moment_role(format: &str) -> Option<&'static str> {
    let roles = [(End::FORMAT, End::NAME), (Beginning::FORMAT, Beginning::NAME), (At::FORMAT, At::NAME)];
    roles.into_iter().find(|(known, _)| *known == format).map(|(_, name)| name)
}

impl<R> fmt::Display for Moment<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.given {
            Given::Time(time) => time.fmt(f),
            Given::Date(date) => date.fmt(f),
        }
    }
}

json_string!(
    impl[R: DateRole] Moment<R>,
    Cow::Borrowed(R::FORMAT),
    MetaSchema { example: Some("2026-12-31".into()), ..MetaSchema::new_with_format("string", R::FORMAT) },
    Moment::<R>::parse
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_a_date() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let all = |text: &str| {
            let (end, beginning, at) =
                (Moment::<End>::parse(text), Moment::<Beginning>::parse(text), Moment::<At>::parse(text));
            let (end, beginning, at) = (end.unwrap(), beginning.unwrap(), at.unwrap());
            let (end, beginning, at) = (end.in_zone(berlin), beginning.in_zone(berlin), at.in_zone(berlin));
            [end.to_string(), beginning.to_string(), at.to_string()]
        };
        assert_eq!(
            all("2030-12-31"),
            ["2030-12-31T22:59:59.999Z", "2030-12-30T23:00:00.000Z", "2030-12-31T22:59:59.999Z"]
        );
        for time in ["2030-12-31T00:00:00Z", "2030-12-31t01:00:00.000999+01:00", "2030-12-30T19:00:00-05:00"] {
            assert_eq!(all(time), ["2030-12-31T00:00:00.000Z"; 3], "{time}");
        }
    }

    #[test]
    fn a_date_as_a_bound_includes_the_day() {
        let bound = |text: &str| Moment::<End>::parse(text).unwrap().bound(Zone::UTC).to_string();
        assert_eq!(bound("2030-12-31"), "2031-01-01T00:00:00.000Z");
        assert_eq!(bound("2030-12-31T12:00:00Z"), "2030-12-31T12:00:00.000Z");
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in [
            "",
            "2030",
            "2030-12",
            "2030-13-01",
            "2030-02-29",
            "2030-2-3",
            "31.12.2030",
            "2030/12/31",
            "20301231",
            "2030-12-31T00:00",
            "2030-12-31T00:00:00",
            "0000-00-00",
            "+2030-12-3",
            "10000-01-01",
            "2030-12-31 ",
            "9999-12-31T23:59:59-05:00",
        ] {
            assert_eq!(Moment::<End>::parse(text), Err(InvalidMoment), "{text}");
        }
    }
}
