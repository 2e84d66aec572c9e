//! The name that stands beside an address in its cell.

use crate::address::is_address;

/// The name in a cell such as `"Anna Lind" <anna@example.com>` or `anna@example.com (Anna Lind)`: without its quotes, and
/// `None` if there is none or it is the address again.
///
/// ```
/// assert_eq!(usher_files::display_name("\"Lind, Anna\" <anna@example.com>"), Some("Lind, Anna"));
/// assert_eq!(usher_files::display_name("anna@example.com"), None);
/// ```
pub fn display_name(cell: &str) -> Option<&str> {
    let name = match cell.rsplit_once('<') {
        Some((name, _)) => name,
        None => cell.split_once(" (")?.1.rsplit_once(')')?.0,
    };
    let name = name.trim().trim_matches(['"', '\'', '“', '”', '„']).trim();
    let is_name = !name.is_empty() && !is_address(name) && !name.contains('@');
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_beside_its_address() {
        for cell in [
            "Anna Lind <anna@example.com>",
            "\"Anna Lind\" <anna@example.com>",
            "'Anna Lind' <anna@example.com>;",
            "anna@example.com (Anna Lind)",
            " “Anna Lind” <mailto:anna@example.com>",
        ] {
            assert_eq!(display_name(cell), Some("Anna Lind"), "{cell}");
        }
        for cell in [
            "anna@example.com",
            "<anna@example.com>",
            "\"anna@example.com\" <anna@example.com>",
            "\"\" <a@b.example>",
            "",
        ] {
            assert_eq!(display_name(cell), None, "{cell}");
        }
    }
}
