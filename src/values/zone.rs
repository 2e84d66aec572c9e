use std::fmt;

use chrono::{Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _};
use chrono_tz::{GapInfo, TZ_VARIANTS, Tz};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Time;

/// A time zone, by its IANA name such as `Europe/Berlin`.
///
/// A day is as long as the zone makes it: 23, 24 or 25 hours. Where its clocks skip midnight, the day begins when they
/// go on; a day that they skip as a whole begins then too, and ends right before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

impl Zone {
    /// Where every day begins at midnight UTC.
    pub const UTC: Self = Self(Tz::UTC);

    /// The zone of a name, whatever its case.
    pub fn parse(name: &str) -> Option<Self> {
        TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name.trim())).copied().map(Self)
    }

    /// Its IANA name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The first moment of a day.
    pub fn first_moment(self, date: NaiveDate) -> Time {
        self.earliest(date.and_time(NaiveTime::MIN))
    }

    /// The last millisecond of a day.
    pub fn last_moment(self, date: NaiveDate) -> Time {
        Time::from_micros(self.end_of(date).micros() - 1).floor_to_millis()
    }

    /// The day of a moment, as people write it: `4 Dec 2026`.
    pub fn day(self, time: Time) -> String {
        match self.0.timestamp_micros(time.micros()) {
            MappedLocalTime::Single(local) => local.format("%-d %b %Y").to_string(),
            _ => time.to_string(),
        }
    }

    /// The moment in which a day is over.
    pub fn end_of(self, date: NaiveDate) -> Time {
        let Some(midnight) = date.checked_add_days(Days::new(1)).map(|next| next.and_time(NaiveTime::MIN)) else {
            return Time::MAX;
        };
        // Where clocks go back over midnight, the day goes on after it has ended once.
        let last = self.latest(midnight);
        match self.0.timestamp_micros(last.micros() - 1) {
            MappedLocalTime::Single(before) if before.date_naive() == date => last,
            _ => self.earliest(midnight),
        }
    }

    /// The moment when its clocks first show this; if they skip it, the moment when they do.
    pub fn earliest(self, local: NaiveDateTime) -> Time {
        self.moment(local).map_or(Time::MAX, |(earliest, _)| earliest)
    }

    /// The moment when its clocks last show this; if they skip it, the moment when they do.
    pub fn latest(self, local: NaiveDateTime) -> Time {
        self.moment(local).map_or(Time::MAX, |(_, latest)| latest)
    }

    fn moment(self, local: NaiveDateTime) -> Option<(Time, Time)> {
        let (earliest, latest) = match self.0.from_local_datetime(&local) {
            MappedLocalTime::Single(time) => (time, time),
            MappedLocalTime::Ambiguous(earliest, latest) => (earliest, latest),
            MappedLocalTime::None => {
                let after = GapInfo::new(&local, &self.0)?.end?;
                (after, after)
            }
        };
        let time = |micros: i64| Time::from_micros(micros).clamp(Time::MIN, Time::MAX);
        Some((time(earliest.timestamp_micros()), time(latest.timestamp_micros())))
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Zone {
    /// A name that this version does not know is UTC: it must not make what stands beside it unreadable.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::parse(&String::deserialize(deserializer)?).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(zone: &str, date: &str) -> (String, String) {
        let (zone, date) = (Zone::parse(zone).unwrap(), date.parse().unwrap());
        (zone.first_moment(date).to_string(), zone.last_moment(date).to_string())
    }

    #[test]
    fn a_day_is_as_long_as_its_zone_makes_it() {
        for (zone, date, first, last) in [
            ("UTC", "2030-12-31", "2030-12-31T00:00:00.000Z", "2030-12-31T23:59:59.999Z"),
            ("Europe/Berlin", "2030-12-31", "2030-12-30T23:00:00.000Z", "2030-12-31T22:59:59.999Z"),
            ("America/New_York", "2030-07-04", "2030-07-04T04:00:00.000Z", "2030-07-05T03:59:59.999Z"),
            ("Asia/Kathmandu", "2030-12-31", "2030-12-30T18:15:00.000Z", "2030-12-31T18:14:59.999Z"),
            // 23 and 25 hours.
            ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00.000Z", "2026-03-29T21:59:59.999Z"),
            ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00.000Z", "2026-10-25T22:59:59.999Z"),
            // Midnight does not exist: clocks go from 00:00 to 01:00.
            ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z", "2018-11-05T01:59:59.999Z"),
            ("America/Sao_Paulo", "2018-11-03", "2018-11-03T03:00:00.000Z", "2018-11-04T02:59:59.999Z"),
            // Clocks go back at midnight to 23:00 of the same day, and at 01:00 to midnight.
            ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00.000Z", "2018-02-18T02:59:59.999Z"),
            ("America/Havana", "2026-11-01", "2026-11-01T04:00:00.000Z", "2026-11-02T04:59:59.999Z"),
            ("America/Havana", "2026-10-31", "2026-10-31T04:00:00.000Z", "2026-11-01T03:59:59.999Z"),
            // Clocks go back at 00:01, over midnight.
            ("America/St_Johns", "2010-11-06", "2010-11-06T02:30:00.000Z", "2010-11-07T03:29:59.999Z"),
            ("America/St_Johns", "2010-11-07", "2010-11-07T02:30:00.000Z", "2010-11-08T03:29:59.999Z"),
            // The day before the one that does not exist, that day, and the one after it.
            ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00.000Z", "2011-12-30T09:59:59.999Z"),
            ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z", "2011-12-30T09:59:59.999Z"),
            ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00.000Z", "2011-12-31T09:59:59.999Z"),
            // What RFC 3339 cannot say any more.
            ("America/New_York", "9999-12-31", "9999-12-31T05:00:00.000Z", "9999-12-31T23:59:59.999Z"),
            ("Asia/Tokyo", "0000-01-01", "0000-01-01T00:00:00.000Z", "0000-01-01T14:41:00.999Z"),
        ] {
            assert_eq!(day(zone, date), (first.into(), last.into()), "{date} in {zone}");
        }
    }

    #[test]
    fn days_follow_each_other_without_a_gap() {
        for zone in TZ_VARIANTS.iter().copied().map(Zone) {
            let mut date = NaiveDate::from_ymd_opt(2009, 1, 1).unwrap();
            for _ in 0..1500 {
                let next = date.succ_opt().unwrap();
                // Where clocks go back over midnight a day begins before the one before it is over: by three hours at most.
                let (end, begin) = (zone.end_of(date), zone.first_moment(next));
                assert!(begin <= end && zone.last_moment(date) < end, "{date} in {zone}");
                assert!(end.since(begin).as_secs() <= 3 * 3600, "{date} in {zone}");
                date = next;
            }
        }
    }

    #[test]
    fn a_zone_has_its_name() {
        assert_eq!(Zone::parse(" europe/berlin ").unwrap().name(), "Europe/Berlin");
        assert_eq!(Zone::parse("Berlin"), None);
        assert_eq!(serde_json::to_string(&Zone::parse("Asia/Tokyo").unwrap()).unwrap(), r#""Asia/Tokyo""#);
        assert_eq!(serde_json::from_str::<Zone>(r#""Mars/Base""#).unwrap(), Zone::UTC);
    }
}
