//! The address in a cell, as people and programs wrap them.

/// What stands around an address and means nothing: white space of any kind, characters without a width, and the
/// separators of lists.
fn is_filling(c: char) -> bool {
    let is_invisible =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}' | '\u{ad}');
    c.is_whitespace() || is_invisible || matches!(c, ',' | ';')
}

/// Quotes and brackets that stand around addresses in pairs.
const PAIRS: [(char, char); 8] =
    [('"', '"'), ('\'', '\''), ('<', '>'), ('“', '”'), ('„', '“'), ('‘', '’'), ('(', ')'), ('[', ']')];

/// The bare address of a cell: without a name before it (`Anna Lind <anna@example.com>`), a comment behind it
/// (`anna@example.com (Anna)`), `mailto:`, quotes, and the spaces, separators and dots around it. Otherwise it stays as
/// it was written; whether it is an address is the caller's to decide.
///
/// ```
/// assert_eq!(usher_files::bare_address(" \"Lind, Anna\" <Anna@Example.com>; "), "Anna@Example.com");
/// assert_eq!(usher_files::bare_address("mailto:anna@example.com."), "anna@example.com");
/// ```
pub fn bare_address(cell: &str) -> &str {
    if is_bare(cell) {
        return cell;
    }
    let cell = match cell.rsplit_once('<') {
        Some((_, address)) => address.split_once('>').map_or(address, |(address, _)| address),
        None => cell.split_once(" (").filter(|(_, comment)| comment.contains(')')).map_or(cell, |(address, _)| address),
    };
    let cell = unwrapped(without_mailto(unwrapped(cell)));
    // A dot ends a sentence, or a fully qualified name; no address ends in one.
    cell.trim_end_matches(|c: char| c == '.' || is_filling(c))
}

/// Whether a cell holds only what nearly all addresses are made of, as most cells do.
fn is_bare(cell: &str) -> bool {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'.' | b'_' | b'-' | b'+');
    cell.bytes().all(is_usual) && !cell.ends_with('.')
}

/// Without what stands around an address, however often.
fn unwrapped(cell: &str) -> &str {
    let mut cell = cell.trim_matches(is_filling);
    loop {
        let inside = PAIRS.iter().find_map(|&(open, close)| cell.strip_prefix(open)?.strip_suffix(close));
        match inside.or_else(|| without_half_a_pair(cell)) {
            Some(inside) => cell = inside.trim_matches(is_filling),
            None => return cell,
        }
    }
}

/// Without a quote whose other half was lost, as in a cell that was cut. One before the `@` may belong to the address:
/// `"anna lind"@example.com` is one.
fn without_half_a_pair(cell: &str) -> Option<&str> {
    let is_alone = cell.matches('"').count() == 1;
    cell.strip_prefix('"').or_else(|| cell.strip_suffix('"')).filter(|_| is_alone)
}

/// Without the scheme of a link to write to somebody, and what the link says of the mail.
fn without_mailto(cell: &str) -> &str {
    const SCHEME: &str = "mailto:";
    match cell.split_at_checked(SCHEME.len()) {
        Some((scheme, link)) if scheme.eq_ignore_ascii_case(SCHEME) => link.split('?').next().unwrap_or_default(),
        _ => cell,
    }
}

/// Whether a cell is an address and nothing else, by its look.
pub(crate) fn is_address(cell: &str) -> bool {
    let odd = |c: char| is_filling(c) || matches!(c, '|' | '"' | '<' | '>');
    match bare_address(cell).split_once('@') {
        Some((local, domain)) => {
            let is_whole = !local.contains(odd) && !domain.contains(odd);
            is_whole && !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        }
        None => false,
    }
}

/// Whether a cell holds several addresses.
pub(crate) fn is_several(cell: &str) -> bool {
    cell.matches('@').nth(1).is_some()
        && cell.split([',', ';', '|', ' ']).filter(|part| is_address(part)).nth(1).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_what_is_around_it() {
        for cell in [
            "anna@example.com",
            "Anna Lind <anna@example.com>",
            "\"Lind, Anna\" <anna@example.com>",
            "<anna@example.com>",
            "anna@example.com (Anna Lind)",
            "mailto:anna@example.com",
            "<mailto:anna@example.com?subject=Hello>",
            "\"anna@example.com",
            "anna@example.com\"",
            "(anna@example.com)",
            "Anna \"Ann\" Lind <anna@example.com> (work)",
            "\"'anna@example.com'\"",
            "< \"anna@example.com\"; >",
            "MAILTO:anna@example.com.",
            "anna@example.com.",
            "anna@example.com,",
            " anna@example.com ; ",
            "'anna@example.com'",
            "“anna@example.com”",
            "\u{a0}anna@example.com\u{200b}",
            "\u{feff}anna@example.com",
        ] {
            assert_eq!(bare_address(cell), "anna@example.com", "{cell}");
            assert!(is_address(cell), "{cell}");
        }
    }

    #[test]
    fn what_may_belong_to_an_address_stays() {
        for cell in [
            "o'neil@example.com",
            "anna+news@example.com",
            "'x@example.com",
            ".a@example.com",
            "é@é.fr",
            "\"b c\"@example.com",
        ] {
            assert_eq!(bare_address(cell), cell);
        }
        assert_eq!((bare_address(""), bare_address("\"<>"), bare_address("mailto:")), ("", "", ""));
    }

    #[test]
    fn several_addresses_are_seen() {
        for cell in ["a@x.com, b@y.com", "a@x.com;b@y.com", "A <a@x.com>, B <b@y.com>", "a@x.com b@y.com"] {
            assert!(is_several(cell), "{cell}");
        }
        for cell in ["a@x.com", "a@b@c", "see a@x.com", "\"a@b\"@x.com"] {
            assert!(!is_several(cell), "{cell}");
        }
    }
}
