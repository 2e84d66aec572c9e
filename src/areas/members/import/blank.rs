//! Cells that programs write where they have nothing.
//!
//! Some of these words are also names of people: Null, Nan, Nil and Na. So a cell counts as blank only as programs write
//! it, `NULL`, `null` or `NaN`, and a person called Null keeps the name.

/// What programs write for nothing, whatever its case.
const WORDS: [&str; 20] = [
    "n/a",
    "n.a.",
    "none",
    "undefined",
    "not set",
    "unset",
    "empty",
    "blank",
    "\\n",
    "#n/a",
    "#ref!",
    "#value!",
    "#name?",
    "#null!",
    "#num!",
    "#div/0!",
    "#error!",
    "#getting_data",
    "#calc!",
    "#spill!",
];

/// The same where the case tells it from a name.
const EXACT: [&str; 9] = ["NULL", "null", "NaN", "nan", "NAN", "NaT", "nil", "NIL", "NA"];

/// Whether a cell stands for an empty one: `NULL`, `N/A`, `-`, `undefined undefined`, an error of a spreadsheet.
pub(super) fn is_blank(cell: &str) -> bool {
    let cell = cell.trim();
    is_word(cell) || !cell.is_empty() && cell.split(|c: char| c.is_whitespace() || c == ',').all(is_word)
}

/// A cell without the words that a program put in place of a part: `Eva undefined` is `Eva`. Others are kept, as they
/// may be names.
pub(super) fn without_blanks(cell: &str) -> String {
    let is_blank = |word: &str| matches!(word, "undefined" | "null" | "NaN" | "(null)" | "[null]");
    if !cell.split_whitespace().any(is_blank) {
        return cell.to_owned();
    }
    cell.split_whitespace().filter(|word| !is_blank(word)).collect::<Vec<_>>().join(" ")
}

fn is_word(word: &str) -> bool {
    let bare = [('(', ')'), ('<', '>'), ('[', ']'), ('{', '}')]
        .iter()
        .find_map(|(open, close)| word.strip_prefix(*open)?.strip_suffix(*close))
        .unwrap_or(word);
    let is_line = |c: char| "-–—−_.?*/".contains(c);
    bare.chars().all(is_line) || EXACT.contains(&bare) || WORDS.iter().any(|known| known.eq_ignore_ascii_case(bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_write_for_nothing_is_blank() {
        for cell in [
            "",
            " ",
            "NULL",
            "null",
            "(null)",
            "<null>",
            "[NULL]",
            "N/A",
            "n/a",
            "NA",
            "NaN",
            "nan",
            "None",
            "none",
            "-",
            "--",
            "—",
            "?",
            "...",
            "undefined",
            "undefined undefined",
            "null null",
            "NULL, NULL",
            "#N/A",
            "#REF!",
            "#NAME?",
            "#DIV/0!",
            "\\N",
            "not set",
            "(empty)",
            "[]",
            "{}",
        ] {
            assert!(is_blank(cell), "{cell}");
        }
        for cell in [
            "Null",
            "Na",
            "Nan",
            "Nil",
            "Anna",
            "Nan Goldin",
            "Christopher Null",
            "Nadia None",
            "0",
            "=1+1",
            "@y",
            "山",
            "🌸",
            "NULL vip",
            "-x",
            "'",
            "No",
        ] {
            assert!(!is_blank(cell), "{cell}");
        }
    }

    #[test]
    fn a_part_that_a_program_left_out_is_taken_away() {
        for (cell, name) in [
            ("Eva undefined", "Eva"),
            ("undefined Lind", "Lind"),
            ("Eva null", "Eva"),
            ("Eva Null", "Eva Null"),
            ("EVA NULL", "EVA NULL"),
            ("Nan Goldin", "Nan Goldin"),
        ] {
            assert_eq!(without_blanks(cell), name, "{cell}");
        }
    }
}
