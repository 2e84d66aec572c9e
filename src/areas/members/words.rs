//! The words by which members are found: of the name and the address, folded ([`crate::values::words`]).
//!
//! A member's words stand twice. `member.words` has them as one text, which says whether a word begins with what somebody
//! typed. `member_word` has a row for each, which leads from the beginning of a word to its members; a word of letters and
//! digits has one for each part, and a run of signs one for each sign, so that few different words have many members. A
//! row is no more than a hint where to look: the text decides.
//!
//! A row says whether the member's address or name begins with its word. In the order of addresses or names those members
//! stand together, wherever that is, and are read from there; the others stand anywhere.

use std::collections::BTreeSet;

use crate::values::{Word, words};

/// Characters of a row; what is longer is cut.
const LONGEST: usize = 32;

/// A text after every word with the same beginning.
pub const LAST: char = char::MAX;

/// The address begins with the word.
pub const ADDRESS: i64 = 1;

/// The name begins with the word.
pub const NAME: i64 = 2;

/// The row is of a later part of a word.
pub const CONTINUES: i64 = 4;

/// What `begins` says of the first part of a word.
pub const BEGINNINGS: [i64; 4] = [0, 1, 2, 3];

/// The words of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// As `member.words` has them.
    pub text: String,
    /// The rows: what begins with a word, and the word.
    pub rows: BTreeSet<(i64, String)>,
}

impl Words {
    /// Of a member with these keys of address and name.
    pub fn of(email_key: &str, name: Option<&str>, name_key: &str) -> Self {
        let mut all = name.map(words).unwrap_or_default();
        all.extend(words(email_key));
        if let Some((_, domain)) = email_key.rsplit_once('@').filter(|(_, domain)| domain.contains("xn--")) {
            all.extend(words(&idna::domain_to_unicode(domain).0));
        }
        let mut found = Self { text: String::new(), rows: BTreeSet::new() };
        for word in &all {
            let text = word.as_str();
            if !found.text.split(' ').any(|known| known == text) {
                found.text.push(' ');
                found.text.push_str(text);
            }
            for (at, part) in parts(word).enumerate() {
                let is_address = i64::from(email_key.starts_with(&part));
                let is_name = i64::from(name_key.starts_with(&part));
                let begins = match (word, at) {
                    (Word::Run(_), _) => 0,
                    (Word::Plain(_), 0) => ADDRESS * is_address + NAME * is_name,
                    (Word::Plain(_), _) => CONTINUES,
                };
                found.rows.insert((begins, part));
            }
        }
        found
    }
}

/// The rows of a word.
fn parts(word: &Word) -> impl Iterator<Item = String> {
    let mut parts: Vec<String> = Vec::new();
    match word {
        Word::Run(signs) => parts.extend(signs.chars().map(String::from)),
        Word::Plain(text) => {
            let mut was_digit = None;
            for c in text.chars() {
                let is_digit = c.is_ascii_digit();
                match parts.last_mut().filter(|_| was_digit == Some(is_digit)) {
                    Some(part) => part.push(c),
                    None => parts.push(c.into()),
                }
                was_digit = Some(is_digit);
            }
        }
    }
    parts.into_iter().map(|part| match part.char_indices().nth(LONGEST) {
        Some((end, _)) => part[..end].to_owned(),
        None => part,
    })
}

/// What somebody searches for: all of its words must begin a word of the member.
#[derive(Clone, Debug)]
pub struct Search {
    /// As typed.
    pub typed: String,
    /// The longest word first; one that another begins with is left out.
    pub terms: Vec<Term>,
}

/// Rows that are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordRange {
    /// What may begin with the words, or [`CONTINUES`].
    pub begins: Vec<i64>,
    /// The first word.
    pub from: String,
    /// The last.
    pub to: String,
}

/// A word that somebody searches for.
#[derive(Clone, Debug)]
pub struct Term {
    word: Word,
    /// The rows that its members have.
    pub ranges: Vec<WordRange>,
}

impl Search {
    /// Reads a text. Without a letter, a digit or a symbol in it there is nothing to search for, and nobody is found.
    pub fn parse(text: &str) -> Self {
        let mut found = words(text);
        found.sort_by(|a, b| (b.as_str().len(), a).cmp(&(a.as_str().len(), b)));
        let mut terms: Vec<Term> = Vec::new();
        for word in found {
            let is_known = terms.iter().any(|term| match &word {
                Word::Plain(text) => term.word.as_str().starts_with(text),
                Word::Run(text) => term.word.as_str().contains(text),
            });
            if !is_known {
                terms.push(Term::of(word));
            }
        }
        Self { typed: text.into(), terms }
    }

    /// What the longest word has to look like for LIKE, and the others. No member has no word.
    pub fn patterns(&self) -> (Option<String>, Vec<String>) {
        if self.terms.is_empty() {
            return (Some(String::new()), Vec::new());
        }
        let mut patterns = self.terms.iter().map(Term::pattern);
        (patterns.next(), patterns.collect())
    }
}

impl Search {
    /// Whether a member with these words is found.
    pub fn fits(&self, words: &Words) -> bool {
        let has = |term: &Term| match &term.word {
            Word::Plain(text) => words.text.contains(&format!(" {text}")),
            Word::Run(text) => words.text.contains(text.as_str()),
        };
        !self.terms.is_empty() && self.terms.iter().all(has)
    }
}

impl Term {
    fn of(word: Word) -> Self {
        let parts: Vec<_> = parts(&word).collect();
        let is_run = matches!(word, Word::Run(_));
        let last = parts.len().saturating_sub(1);
        let ranges = parts.into_iter().enumerate().map(|(at, part)| WordRange {
            begins: if at == 0 || is_run { BEGINNINGS.to_vec() } else { vec![CONTINUES] },
            to: if at == last && !is_run { format!("{part}{LAST}") } else { part.clone() },
            from: part,
        });
        Self { ranges: ranges.collect(), word }
    }

    /// A folded word has no sign that LIKE knows.
    fn pattern(&self) -> String {
        match &self.word {
            Word::Plain(text) => format!("% {text}%"),
            Word::Run(text) => format!("%{text}%"),
        }
    }

    /// The beginning of addresses and names that is the whole of the word, if rows say of members whether theirs begin so.
    pub fn beginning(&self) -> Option<&str> {
        match (&self.word, &self.ranges[..]) {
            (Word::Plain(text), [_]) if text.chars().count() <= LONGEST => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(email: &str, name: &str) -> Words {
        Words::of(email, Some(name), &crate::values::sort_key(name))
    }

    #[test]
    fn a_member_has_the_words_of_name_and_address() {
        let words = of("jurgen.meier85@bücher.example", "Jürgen Meier");
        assert_eq!(words.text, " jurgen meier meier85 bucher example");
        let rows: Vec<_> = words.rows.iter().map(|(begins, word)| (*begins, word.as_str())).collect();
        assert_eq!(rows, [(0, "bucher"), (0, "example"), (0, "meier"), (3, "jurgen"), (4, "85")]);
        let words = of("a@xn--bcher-kva.example", "");
        assert_eq!(words.text, " a xn bcher kva example bucher");
        let words = of("o'brien@x.example", "山田太郎");
        assert_eq!(words.text, " 山田太郎 obrien o brien x example");
        for row in [(ADDRESS, "o"), (0, "山"), (0, "郎")] {
            assert!(words.rows.contains(&(row.0, row.1.to_owned())), "{row:?}");
        }
    }

    #[test]
    fn a_search_has_each_word_once() {
        let search = Search::parse("  Jür JÜRGEN lind ");
        assert_eq!(search.patterns(), (Some("% jurgen%".into()), vec!["% lind%".into()]));
        assert_eq!(search.terms[0].beginning(), Some("jurgen"));
        let search = Search::parse("user12");
        let range = |begins: &[i64], from: &str, to: &str| WordRange {
            begins: begins.to_vec(),
            from: from.into(),
            to: to.into(),
        };
        let ranges = [range(&BEGINNINGS, "user", "user"), range(&[CONTINUES], "12", &format!("12{LAST}"))];
        assert_eq!(search.terms[0].ranges, ranges);
        assert_eq!(search.terms[0].beginning(), None);
        assert_eq!(Search::parse("太郎").patterns().0, Some("%太郎%".into()));
        assert!(Search::parse("%_ !").terms.is_empty());
        let found = |text: &str| Search::parse(text).fits(&of("anna@x.example", "Ánna Lind 太郎"));
        assert!(found("lin an") && found("郎") && !found("ind") && !found("lin b") && !found("!"));
    }
}
