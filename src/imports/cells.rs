//! What stands in cells: times and texts that are too long.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// The first characters of a text.
pub(crate) fn cut(text: &str, characters: usize) -> &str {
    if text.len() <= characters {
        return text;
    }
    text.char_indices().nth(characters).map_or(text, |(at, _)| &text[..at])
}

/// A time as files have it: RFC 3339, RFC 2822, `2026-11-22 13:00:00`, `2026-11-22`, or seconds or milliseconds since
/// 1970. What stands for another day in another country, such as 03/04/2026, is not guessed.
pub(crate) fn moment(text: &str) -> Option<i64> {
    const SECONDS: std::ops::Range<i64> = 100_000_000..10_000_000_000;
    const MILLIS: std::ops::Range<i64> = 100_000_000_000..10_000_000_000_000;
    let is_fraction = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit());
    let whole = text.split_once('.').filter(|(_, rest)| is_fraction(rest)).map_or(text, |(whole, _)| whole);
    if let Ok(number) = whole.parse::<i64>() {
        return match number {
            seconds if SECONDS.contains(&seconds) => Some(seconds * 1_000_000),
            millis if MILLIS.contains(&millis) => Some(millis * 1000),
            _ => None,
        };
    }
    let micros = if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        time.timestamp_micros()
    } else if let Ok(time) = DateTime::parse_from_rfc2822(&text.replace(" UTC", " +0000")) {
        time.timestamp_micros()
    } else if let Some(time) = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text.trim_end_matches(" UTC"), form).ok())
    {
        time.and_utc().timestamp_micros()
    } else {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros()
    };
    (micros > 0).then_some(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_files_have_them() {
        for text in [
            "2026-11-22T13:00:00Z",
            "2026-11-22T14:00:00+01:00",
            "2026-11-22 13:00:00",
            "2026-11-22 13:00",
            "1795352400",
            "1795352400000",
            "1795352400.0",
            "1795352400.077",
            "Sun, 22 Nov 2026 13:00:00 GMT",
            "Sun, 22 Nov 2026 13:00:00 UTC",
            "2026-11-22 13:00:00 UTC",
            "2026-11-22T08:00:00-05:00",
        ] {
            assert_eq!(moment(text), Some(1_795_352_400_000_000), "{text}");
        }
        assert_eq!(moment("2026-11-22"), Some(1_795_305_600_000_000));
        for text in ["yesterday", "", "550", "0000-00-00 00:00:00", "03/04/2026"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn a_text_is_cut_at_a_character() {
        assert_eq!((cut("ééé", 2), cut("ab", 2), cut("abc", 2)), ("éé", "ab", "ab"));
    }
}
