//! What a cell is by its look: a mail server's code, a date, a number of times.

use crate::dates::{DateCell, read_date};
use crate::evidence::CellSays;
use crate::reason::{Reason, Verdict};

/// What a mail server's status says (RFC 3463, RFC 5321): 4.x.x and 4xx pass, and 5.7.x is a refusal of that mail and not
/// of the address.
pub(crate) fn of_status_code(code: &str) -> Option<Verdict> {
    let is_code = |code: &str| {
        let digits = |text: &str| !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        let n_parts = code.split('.').count();
        code.split('.').all(digits) && (n_parts == 3 || n_parts == 1 && code.len() == 3)
    };
    match code.as_bytes().first() {
        _ if !is_code(code) => None,
        Some(b'4') => Some(Verdict::Sendable),
        Some(b'5') if code.starts_with("5.7.") => Some(Verdict::Sendable),
        Some(b'5') => Some(Verdict::Suppressed(Reason::HardBounce)),
        _ => None,
    }
}

/// What a code of such a column says.
pub(crate) fn of_code(code: &str) -> Option<CellSays> {
    let says = of_status_code(code)?;
    Some(if says == Verdict::Sendable { CellSays::Passing } else { says.into() })
}

/// What a mail server's reply says that begins with its codes: `550 5.1.1 unknown user`.
pub(crate) fn of_status_line(line: &str) -> Option<CellSays> {
    let mut codes = line.trim_start().split([' ', '-']).take(2).filter(|word| of_status_code(word).is_some());
    let first = codes.next()?;
    let exact = Some(first).into_iter().chain(codes).find(|code| code.contains('.'));
    of_code(exact.unwrap_or(first))
}

/// Whether a cell is a date or time by its look.
pub(crate) fn is_date(cell: &str) -> bool {
    let is_sign = |c: char| "-/.:, +年月日時分秒".contains(c);
    let is_word = |word: &str| word.chars().count() <= 10;
    if cell.len() > 60 || !cell.chars().all(|c| c.is_alphanumeric() || is_sign(c)) {
        return false;
    }
    let groups: Vec<usize> =
        cell.split(|c: char| !c.is_ascii_digit()).map(str::len).filter(|length| *length > 0).collect();
    let has_letters = cell.contains(char::is_alphabetic);
    let is_unix = !has_letters && !cell.starts_with('-') && matches!(groups[..], [9..=13] | [9..=13, _]);
    let is_spelled = has_letters && cell.split(|c: char| !c.is_alphabetic()).all(is_word) && cell.contains(' ');
    let is_day = match groups[..] {
        [day, year] => is_spelled && matches!((day, year), (1 | 2, 4)),
        [one, two, three, ..] => {
            let lengths = [one, two, three];
            let is_separated = has_letters || cell.contains(['-', '/', ':']) || cell.matches('.').count() == 2;
            is_separated
                && lengths.iter().all(|length| matches!(length, 1 | 2 | 4))
                && lengths.iter().sum::<usize>() >= 4
        }
        _ => false,
    };
    is_unix || is_day
}

/// Whether a cell is the first moment of some calendar, which programs write where they have no date: those of year 0 and
/// 1, of Unix, and of spreadsheets.
pub(crate) fn is_zero_date(cell: &str) -> bool {
    const ZERO_DAYS: [&str; 6] = ["1970-01-01", "1969-12-31", "1900-01-01", "1899-12-30", "1899-12-31", "1753-01-01"];
    let cell = cell.trim();
    if !cell.bytes().any(|byte| byte.is_ascii_digit()) || cell.len() > 60 {
        return false;
    }
    let is_zero = |c: char| matches!(c, '0' | '-' | '/' | '.' | ':' | ' ' | 'T' | 'Z');
    if cell.chars().all(is_zero) {
        return cell.matches('0').count() >= 6;
    }
    // The years of a moment before 1970 in seconds.
    if let Some(seconds) = cell.strip_prefix('-') {
        return seconds.len() >= 9 && seconds.bytes().all(|byte| byte.is_ascii_digit());
    }
    if !["1970", "1969", "1900", "1899", "1753", "0001"].iter().any(|year| cell.contains(year)) {
        return false;
    }
    let day = match read_date(cell, None) {
        Ok(DateCell::Nothing) => return true,
        Ok(DateCell::Date(day)) => day,
        Ok(DateCell::Local(time)) => time.date(),
        Ok(DateCell::Moment(micros)) => match chrono::DateTime::from_timestamp_micros(micros) {
            Some(time) => time.date_naive(),
            None => return true,
        },
        // `12/30/1899` and `01/00/1900`.
        _ => return cell.starts_with("1900-01-00") || cell.starts_with("00/01/1900") || cell.starts_with("01/00/1900"),
    };
    let day = day.to_string();
    day.starts_with("0001-01-01") || day.starts_with("0000") || ZERO_DAYS.contains(&day.as_str())
}

/// Whether a cell is a number of times, at least one.
pub(crate) fn is_count(cell: &str) -> bool {
    cell.len() <= 6 && cell.parse::<u32>().is_ok_and(|n| n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_known_by_their_look() {
        for cell in [
            "2024-01-02",
            "2024-01-02T03:04:05Z",
            "03/04/2026",
            "1.2.24 10:00",
            "Mon, 06 May 2024 18:11:58 UTC",
            "1443651125",
            "1586552585.077",
            "2 May 2024",
            "2024年1月2日",
        ] {
            assert!(is_date(cell), "{cell}");
        }
        for cell in
            ["", "12", "yes", "5.1.1", "Anna", "+49 30 1234", "Main Street 5", "12345", "030-1234-567", "030 12 45"]
        {
            assert!(!is_date(cell), "{cell}");
        }
    }

    #[test]
    fn a_temporary_failure_is_no_bounce() {
        let bounce = Some(Verdict::Suppressed(Reason::HardBounce));
        for (code, said) in [
            ("5.1.1", bounce),
            ("550", bounce),
            ("5.7.1", Some(Verdict::Sendable)),
            ("4.2.2", Some(Verdict::Sendable)),
            ("421", Some(Verdict::Sendable)),
            ("200", None),
            ("55", None),
            ("55000", None),
            ("unknown", None),
        ] {
            assert_eq!(of_status_code(code), said, "{code}");
        }
        assert_eq!(of_status_line("550-5.7.1 refused"), Some(CellSays::Passing));
        assert_eq!(of_status_line("Main Street 550"), None);
    }
}
