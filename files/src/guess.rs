//! Which code page bytes are written in that are not UTF-8: a guess.
//!
//! `chardetng`, which is what a web browser guesses with, knows the Windows and Asian code pages and not Mac Roman. That is
//! told by what its bytes would be elsewhere: it has its accented letters where the others have signs, or consonants.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, EUC_JP, EUC_KR, GBK, ISO_2022_JP, MACINTOSH, SHIFT_JIS, WINDOWS_1252};

/// What `text` may be written in.
pub(crate) fn guess(text: &[u8]) -> &'static encoding_rs::Encoding {
    if !has_words(text) {
        return WINDOWS_1252;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(text, false);
    let country = country(text);
    let guessed = detector.guess(country.as_deref().map(str::as_bytes), Utf8Detection::Deny);
    let is_asian = [BIG5, EUC_JP, EUC_KR, GBK, ISO_2022_JP, SHIFT_JIS].contains(&guessed);
    if is_mac_roman(text, is_asian) { MACINTOSH } else { guessed }
}

/// Whether any byte beyond ASCII stands beside a letter. What stands alone says nothing of its language.
fn has_words(text: &[u8]) -> bool {
    let is_in_word = |byte: &u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
    text.windows(2).any(|pair| pair.iter().all(is_in_word) && !pair.is_ascii())
}

/// The country that most addresses of lines beyond ASCII are in, by the last part of their domain.
fn country(text: &[u8]) -> Option<String> {
    let mut found: Vec<(String, usize)> = Vec::new();
    let lines = text.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_ascii());
    for line in lines.take(MAX_LINES) {
        let Some(at) = memchr::memchr(b'@', line) else { continue };
        let domain = &line[at + 1..];
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        let end = domain.iter().position(|byte| !is_part(byte)).unwrap_or(domain.len());
        let last = domain[..end].rsplit(|byte| *byte == b'.').next().unwrap_or_default();
        if last.len() == 2 && last.iter().all(u8::is_ascii_alphabetic) {
            let last = String::from_utf8_lossy(last).to_ascii_lowercase();
            match found.iter_mut().find(|(country, _)| *country == last) {
                Some((_, n)) => *n += 1,
                None => found.push((last, 1)),
            }
        }
    }
    found.into_iter().max_by_key(|(_, n)| *n).map(|(country, _)| country)
}

/// Lines whose addresses are looked at.
const MAX_LINES: usize = 1_000;

/// Whether the bytes beyond ASCII make sense as the accented letters of Mac Roman, and less as anything else.
fn is_mac_roman(text: &[u8], may_be_asian: bool) -> bool {
    let (mut n_for, mut n_against, mut n_letters, mut n_high) = (0, 0, 0, 0);
    for (at, &byte) in text.iter().enumerate().filter(|(_, byte)| !byte.is_ascii()) {
        let beside = |at: Option<usize>| at.and_then(|at| text.get(at)).copied().unwrap_or(b' ');
        let (before, after) = (beside(at.checked_sub(1)), beside(Some(at + 1)));
        n_high += 1;
        n_letters += [before, after].iter().filter(|byte| byte.is_ascii_alphabetic()).count();
        match vote(before, byte, after) {
            Some(true) => n_for += 1,
            Some(false) => n_against += 1,
            None => {}
        }
    }
    // Of a pair of bytes one may look like a letter; a word of Mac Roman has more of them than of others.
    n_for > 2 * n_against && (!may_be_asian || 2 * n_letters >= 3 * n_high && has_plain_words(text))
}

/// Whether words with a byte beyond ASCII have mostly letters of ASCII: in those of two bytes a letter, half are not.
fn has_plain_words(text: &[u8]) -> bool {
    let is_in_word = |byte: &u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
    let words = text.split(|byte| !is_in_word(byte)).filter(|word| !word.is_ascii());
    let (n_bytes, n_high) = words.fold((0, 0), |(n_bytes, n_high), word| {
        (n_bytes + word.len(), n_high + word.iter().filter(|byte| !byte.is_ascii()).count())
    });
    n_high * 3 <= n_bytes
}

/// Whether a byte speaks for Mac Roman between its neighbours.
fn vote(before: u8, byte: u8, after: u8) -> Option<bool> {
    let is_vowel = |byte: u8| b"aeiouyAEIOUY".contains(&byte);
    let is_consonant = |byte: u8| byte.is_ascii_alphabetic() && !is_vowel(byte);
    let is_letter = |byte: u8| byte.is_ascii_alphabetic();
    let is_alone = before.is_ascii() && after.is_ascii();
    match byte {
        // An apostrophe elsewhere, and í.
        0x92 => None,
        _ if !is_alone => Some(false),
        // Letters with two dots and the like, where Windows has nothing, or signs that stand at no letter.
        0x81 | 0x83 | 0x86..=0x88 | 0x90 | 0x98 if is_letter(before) || is_letter(after) => Some(true),
        // Signs elsewhere, which stand at words and not in them.
        0x80 | 0x82 | 0x84 | 0x85 | 0x89 | 0x8b | 0x91 | 0x93..=0x97 | 0x99 | 0x9b => {
            let is_within = is_letter(before) && after.is_ascii_lowercase();
            let is_last = byte == 0x91 && is_letter(before);
            (is_within || is_last).then_some(true)
        }
        // Vowels, where Windows has the S, T and Z of the east.
        0x8a | 0x8c..=0x8f | 0x9a | 0x9c..=0x9f => {
            let is_first = !is_letter(before) && byte < 0x90;
            let has_vowel = is_vowel(before) || is_vowel(after);
            let has_consonant = is_consonant(before) || is_consonant(after);
            match (is_first || has_vowel, has_consonant) {
                (true, _) => Some(false),
                (false, true) => Some(true),
                (false, false) => None,
            }
        }
        0x80..=0x9f => None,
        _ => Some(false),
    }
}
