//! The address in a cell, as people and programs wrap them.

/// What stands around an address and means nothing: white space of any kind, characters without a width, and the
/// separators and quotes of lists.
fn is_wrapping(c: char) -> bool {
    let is_invisible =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}' | '\u{ad}');
    c.is_whitespace() || is_invisible || matches!(c, '"' | ',' | ';' | '<' | '>' | '“' | '”' | '„')
}

/// The bare address of a cell: without a name before it (`Anna Lind <anna@example.com>`), a comment behind it
/// (`anna@example.com (Anna)`), `mailto:`, quotes, and the spaces, separators and dots around it. Whether what is left
/// is an address is the caller's to decide.
///
/// ```
/// assert_eq!(usher_files::bare_address(" \"Lind, Anna\" <Anna@Example.com>; "), "Anna@Example.com");
/// assert_eq!(usher_files::bare_address("mailto:anna@example.com."), "anna@example.com");
/// ```
pub fn bare_address(cell: &str) -> &str {
    let cell = cell.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
    let cell = match cell.rsplit_once('<') {
        Some((_, address)) => address.split_once('>').map_or(address, |(address, _)| address),
        None => cell,
    };
    let cell = match cell.split_once(" (") {
        Some((address, comment)) if comment.ends_with(')') => address,
        _ => cell,
    };
    let cell = cell.trim_matches(is_wrapping);
    let cell = match cell.split_at_checked("mailto:".len()) {
        Some((scheme, address)) if scheme.eq_ignore_ascii_case("mailto:") => address,
        _ => cell,
    };
    // A dot ends a sentence, or a fully qualified name; no address ends in one.
    let cell = cell.trim_end_matches(|c: char| c == '.' || is_wrapping(c));
    match cell.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(quoted) => quoted,
        None => cell,
    }
}

/// Whether a cell is an address and nothing else, by its look.
pub(crate) fn is_address(cell: &str) -> bool {
    let odd = |c: char| is_wrapping(c) || c == '|';
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
        for cell in
            ["o'neil@example.com", "anna+news@example.com", "'x@example.com", ".a@example.com", "\u{e9}@\u{e9}.fr"]
        {
            assert_eq!(bare_address(cell), cell);
        }
        assert_eq!((bare_address(""), bare_address("<>"), bare_address("mailto:")), ("", "", ""));
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
