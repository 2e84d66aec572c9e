//! Dates that are more than one number.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::{
    DateCell, DateFault, DateOrder, numbers, of_moment,
    order::{Part, Parts},
    tokens::{Token, tokens},
    words,
};

/// Characters of the longest date.
const MAX_CHARS: usize = 80;

/// A time of the day, and what was said of its zone.
struct Clock {
    time: NaiveTime,
    /// A leap second: one second later than `time`.
    is_leap: bool,
    /// Minutes east of Greenwich.
    offset: Option<i32>,
}

pub(super) fn read(cell: &str, order: Option<DateOrder>) -> Result<DateCell, DateFault> {
    let text = plain(cell).ok_or(DateFault::Unknown)?;
    let tokens = tokens(&text).ok_or(DateFault::Unknown)?;
    let (clock, rest) = split(&tokens).ok_or(DateFault::Unknown)?;
    let date = date(&rest, order)?;
    let Some(clock) = clock else {
        let is_zero = date < NaiveDate::from_ymd_opt(2, 1, 1).unwrap_or_default();
        return Ok(if is_zero { DateCell::Nothing } else { DateCell::Date(date) });
    };
    let local = date.and_time(clock.time) + TimeDelta::seconds(i64::from(clock.is_leap));
    match clock.offset {
        Some(minutes) => Ok(of_moment(micros(local) - i64::from(minutes) * 60_000_000)),
        None if of_moment(micros(local)) == DateCell::Nothing => Ok(DateCell::Nothing),
        None => Ok(DateCell::Local(local)),
    }
}

fn micros(local: NaiveDateTime) -> i64 {
    local.and_utc().timestamp_micros()
}

/// The three numbers of a cell that is a date of three numbers, with a time or without.
pub(super) fn parts(cell: &str) -> Option<Parts> {
    let text = plain(cell.trim())?;
    let tokens = tokens(&text)?;
    let (_, rest) = split(&tokens)?;
    three_numbers(&rest)
}

/// In small letters, with one way of writing what has several; `None` if it is too long for a date.
fn plain(cell: &str) -> Option<String> {
    if cell.len() > MAX_CHARS || !cell.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let cell = cell.split_once(" (").map_or(cell, |(date, _)| date);
    let text = cell.to_lowercase();
    if text.is_ascii() && !text.contains(".m") {
        return Some(text);
    }
    let text = text.replace(['年', '月', '년', '월'], "-").replace(['日', '号', '일'], " ");
    Some(text.replace("a.m.", "am").replace("p.m.", "pm"))
}

/// The time of the day, if there is one, and what is left: the date.
fn split<'a>(tokens: &[Token<'a>]) -> Option<(Option<Clock>, Vec<Token<'a>>)> {
    if let [Token::Number(date), Token::Word("t"), Token::Number(time), zone @ ..] = tokens
        && date.len() == 8
        && time.len() == 6
    {
        let part = |range: std::ops::Range<usize>| time[range].parse().ok();
        let time = NaiveTime::from_hms_opt(part(0..2)?, part(2..4)?, part(4..6)?)?;
        let clock = after_time(zone, Clock { time, is_leap: false, offset: None })?;
        return Some((Some(clock.0), vec![Token::Number(date)]));
    }
    let is_time = |three: &[Token<'_>]| matches!(three, [Token::Number(_), Token::Sign(':'), Token::Number(_)]);
    let Some(at) = tokens.windows(3).position(is_time) else { return Some((None, tokens.to_vec())) };
    let (clock, mut rest) = time(&tokens[at..])?;
    let mut before = tokens[..at].to_vec();
    while before.last().is_some_and(|last| match last {
        Token::Word(word) => words::is_before_time(word),
        Token::Sign(sign) => *sign == ',',
        Token::Number(_) => false,
    }) {
        before.pop();
    }
    before.append(&mut rest);
    Some((Some(clock), before))
}

/// Reads the time that the tokens begin with; what is left belongs to the date.
fn time<'a>(tokens: &[Token<'a>]) -> Option<(Clock, Vec<Token<'a>>)> {
    let number = |digits: &str| (digits.len() <= 2).then(|| digits.parse::<u32>().ok())?;
    let [Token::Number(hour), _, Token::Number(minute), rest @ ..] = tokens else { return None };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let (second, rest) = match rest {
        [Token::Sign(':'), Token::Number(second), rest @ ..] => (number(second)?, rest),
        _ => (0, rest),
    };
    let (fraction, rest) = match rest {
        [Token::Sign('.' | ','), Token::Number(fraction), rest @ ..] if fraction.len() != 4 || second > 0 => {
            (numbers::micros_of(fraction), rest)
        }
        _ => (0, rest),
    };
    let (hour, rest) = match rest {
        [Token::Word(half @ ("am" | "pm")), rest @ ..] => {
            let hour = (1..=12).contains(&hour).then_some(hour % 12)?;
            (if *half == "pm" { hour + 12 } else { hour }, rest)
        }
        _ => (hour, rest),
    };
    let time = NaiveTime::from_hms_micro_opt(hour, minute, second.min(59), u32::try_from(fraction).ok()?)?;
    (second <= 60).then(|| after_time(rest, Clock { time, is_leap: second == 60, offset: None }))?
}

/// Reads the zone that stands behind a time.
fn after_time<'a>(mut tokens: &[Token<'a>], mut clock: Clock) -> Option<(Clock, Vec<Token<'a>>)> {
    const MOST: i32 = 18 * 60;
    let mut rest = Vec::new();
    // A date that follows its time begins at once.
    if matches!(tokens, [Token::Number(_), _, ..]) {
        return Some((clock, tokens.to_vec()));
    }
    while let Some((first, others)) = tokens.split_first() {
        tokens = others;
        match first {
            Token::Word(word) if words::is_after_time(word) => {}
            Token::Word(word) => clock.offset = clock.offset.or(Some(words::zone(word)?)),
            Token::Sign(',') => {}
            Token::Sign(sign @ ('+' | '-' | '−')) => {
                let (minutes, others) = offset(others)?;
                clock.offset = Some(if *sign == '+' { minutes } else { -minutes }).filter(|at| at.abs() <= MOST);
                clock.offset?;
                tokens = others;
            }
            // The year of `Tue Dec 31 00:00:00 UTC 2030`.
            Token::Number(year) if year.len() == 4 && rest.is_empty() => rest.push(*first),
            Token::Sign(_) | Token::Number(_) => return None,
        }
    }
    Some((clock, rest))
}

/// `+00`, `+0000`, `+00:00`.
fn offset<'a, 'b>(tokens: &'b [Token<'a>]) -> Option<(i32, &'b [Token<'a>])> {
    let number = |digits: &str| digits.parse::<i32>().ok();
    match tokens {
        [Token::Number(hours), Token::Sign(':'), Token::Number(minutes), rest @ ..] if hours.len() <= 2 => {
            Some((number(hours)? * 60 + number(minutes).filter(|minutes| *minutes < 60)?, rest))
        }
        [Token::Number(digits), rest @ ..] => match digits.len() {
            1 | 2 => Some((number(digits)? * 60, rest)),
            4 => Some((number(&digits[..2])? * 60 + number(&digits[2..])?, rest)),
            _ => None,
        },
        _ => None,
    }
}

fn date(tokens: &[Token<'_>], order: Option<DateOrder>) -> Result<NaiveDate, DateFault> {
    if let [Token::Number(digits)] = tokens
        && digits.len() == 8
    {
        return numbers::day(digits).ok_or(DateFault::Unknown);
    }
    if let Some(parts) = three_numbers(tokens) {
        return of_three(&parts, order);
    }
    named(tokens).ok_or(DateFault::Unknown)
}

fn of_three(parts: &Parts, order: Option<DateOrder>) -> Result<NaiveDate, DateFault> {
    // A year that is written first tells the order by itself.
    let order = order.filter(|_| parts.numbers[0].digits <= 2);
    if let Some(date) = order.and_then(|order| order.date(parts)) {
        return Ok(date);
    }
    let mut dates = parts.orders().map(|(_, date)| date);
    let first = dates.next().ok_or(DateFault::Unknown)?;
    match order {
        Some(_) => Err(DateFault::OtherOrder),
        None if dates.any(|date| date != first) => Err(DateFault::Ambiguous),
        None => Ok(first),
    }
}

/// Three numbers with the same sign between them, or none.
fn three_numbers(tokens: &[Token<'_>]) -> Option<Parts> {
    let tokens = match tokens {
        [tokens @ .., Token::Sign('.' | '-')] => tokens,
        _ => tokens,
    };
    let (numbers, sign) = match tokens {
        [Token::Number(a), Token::Sign(x), Token::Number(b), Token::Sign(y), Token::Number(c)] if x == y => {
            ([a, b, c], *x)
        }
        [Token::Number(a), Token::Number(b), Token::Number(c)] => ([a, b, c], ' '),
        _ => return None,
    };
    if !matches!(sign, '/' | '.' | '-' | ' ' | '‐' | '‑' | '–' | '⁄') {
        return None;
    }
    let mut parts = [Part { value: 0, digits: 0 }; 3];
    for (part, digits) in parts.iter_mut().zip(numbers) {
        *part = self::part(digits)?;
    }
    Some(Parts { numbers: parts, has_dots: sign == '.' })
}

fn part(digits: &str) -> Option<Part> {
    (digits.len() <= 4).then(|| Some(Part { value: digits.parse().ok()?, digits: digits.len() }))?
}

/// A date with the name of its month.
fn named(tokens: &[Token<'_>]) -> Option<NaiveDate> {
    let (mut months, mut numbers, mut is_weekday) = (Vec::new(), Vec::new(), false);
    for token in tokens {
        match token {
            Token::Number(digits) => numbers.push(part(digits)?),
            Token::Word(word) => match words::month(word) {
                Some(month) => months.push((month, *word)),
                None if words::is_weekday(word) && !is_weekday => is_weekday = true,
                None if words::is_filling(word) => {}
                None => return None,
            },
            Token::Sign('.' | ',' | '-' | '/' | '‑' | '–') => {}
            Token::Sign(_) => return None,
        }
    }
    // March is a Tuesday in French.
    if months.len() == 2 && !is_weekday {
        let at = months.iter().position(|(_, word)| words::is_weekday(word))?;
        months.remove(at);
    }
    let [(month, _)] = months[..] else { return None };
    let [first, second] = numbers[..] else { return None };
    let (day, year) = if first.digits == 4 { (second, first) } else { (first, second) };
    let year = year.year()?;
    (day.digits <= 2).then(|| NaiveDate::from_ymd_opt(year, month, day.value))?
}
