//! Cells that a spreadsheet would run as a formula, made harmless and read back.
//!
//! OWASP's advice against CSV injection is an apostrophe before a cell that begins with `=`, `+`,
//! `-`, `@`, a tab or a line break. But `+news@example.com` is an address, so what is written here
//! must read back the same: one apostrophe is put before such a cell, and one is taken away again
//! from a cell that has apostrophes and then such a beginning. This holds for every file that is
//! read, so that a list which another tool made harmless gives the right addresses too. Its price:
//! an address that truly begins with `'+` loses its apostrophe.

use std::borrow::Cow;

/// The signs that begin a formula; some spreadsheets take the full-width ones for the narrow ones.
const SIGNS: [&str; 8] = ["=", "+", "-", "@", "＝", "＋", "－", "＠"];

fn is_formula(cell: &str) -> bool {
    SIGNS.iter().any(|sign| cell.starts_with(sign))
}

/// What to write for `cell`: an apostrophe or nothing, and then the cell. White space that would
/// begin or hide a formula is left out, since the reader trims it anyway.
pub(crate) fn guard(cell: &str) -> (&'static str, &str) {
    let body = cell.trim_ascii_start();
    if is_formula(body) {
        ("'", body)
    } else if cell.starts_with(['\t', '\r', '\n']) {
        ("", body)
    } else {
        ("", cell)
    }
}

/// A cell as it is written so that it reads back the same: guarded, also where it would else lose an apostrophe of its own.
pub(crate) fn guarded(cell: &str) -> Cow<'_, str> {
    let (apostrophe, body) = guard(cell);
    match if unguard(body.trim_start()) == body.trim_start() { apostrophe } else { "'" } {
        "" => Cow::Borrowed(body),
        apostrophe => Cow::Owned([apostrophe, body].concat()),
    }
}

/// Takes the apostrophe away that [`guard`] put there.
pub(crate) fn unguard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest.trim_start_matches('\'')) => rest,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_guarded_and_read_back() {
        for cell in ["=1+1", "+a@example.com", "-x", "@x", "＝x"] {
            assert_eq!(guard(cell), ("'", cell));
            assert_eq!(unguard(&format!("'{cell}")), cell);
        }
        assert_eq!(guard(" \t=x"), ("'", "=x"));
        assert_eq!(guard("\rx"), ("", "x"));
    }

    #[test]
    fn whatever_is_written_reads_back() {
        for cell in ["=x", "'=x", "''=n", "''+", "'x", "o'neil", "'+a@example.com", "-", "'", "＝x", "'＝x"] {
            assert_eq!(unguard(&guarded(cell)), cell);
        }
    }

    #[test]
    fn other_cells_stay_what_they_are() {
        for cell in ["", "a@example.com", "'quoted'", "o'neil@example.com", "''", " x", "'=x"] {
            assert_eq!(guard(cell), ("", cell));
        }
        for cell in ["'quoted'", "''", "'", "=x"] {
            assert_eq!(unguard(cell), cell);
        }
    }
}
