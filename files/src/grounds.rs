//! Finds the columns that say whether an address gets mail: by their names and by their cells.
//!
//! Where none is understood and others are about people, nobody may be blocked: a file of contacts is no block list.

use std::collections::BTreeSet;

use crate::evidence::{CellSays, Evidence, EvidenceKind, is_date, of_status_code};
use crate::limits::SHOWN_COLUMNS;
use crate::mail_names::{self, NameSays};
use crate::mapping::Field;
use crate::names;
use crate::reason::{Verdict, is_about_mail, is_nothing, yes_or_no};

/// The cells of a sample.
pub(crate) struct Cells<'a> {
    pub(crate) rows: &'a [Vec<String>],
    /// Whether these are all rows of the file.
    pub(crate) is_whole: bool,
}

/// The columns that say whether an address gets mail.
#[derive(Default)]
pub(crate) struct Grounds {
    pub(crate) evidence: Vec<Evidence>,
    /// Whether anything was understood in them, or the caller has said which it is.
    pub(crate) is_understood: bool,
    /// The one with the most known words.
    pub(crate) words: Option<usize>,
    /// One of status codes.
    pub(crate) codes: Option<usize>,
    /// One of texts that are reasons.
    pub(crate) texts: Option<usize>,
    /// One of dates since when an address gets no mail.
    pub(crate) dates: Option<usize>,
    /// Whether the file is a list of nothing but addresses that get no mail.
    pub(crate) is_all_blocks: bool,
}

/// A column of evidence, and what was seen in it.
struct Seen {
    evidence: Evidence,
    /// Cells that say something that is understood.
    n_known: usize,
    /// Cells that say that an address may get mail.
    n_sendable: usize,
    n_filled: usize,
    is_of_blocks: bool,
}

impl Cells<'_> {
    /// The cells of a column that say something.
    fn of(&self, column: usize) -> impl Iterator<Item = &str> + Clone {
        self.rows.iter().filter_map(move |row| Some(row.get(column)?.trim())).filter(|cell| !is_nothing(cell))
    }

    fn is_empty(&self, column: usize) -> bool {
        self.of(column).next().is_none()
    }
}

impl Grounds {
    /// The caller has said which column it is.
    pub(crate) fn asked(evidence: Evidence) -> Self {
        Self { evidence: vec![evidence], is_understood: true, words: Some(evidence.column), ..Self::default() }
    }

    /// What is found in columns of these normal names; `fields` are those that are known already.
    pub(crate) fn of(names: &[String], fields: &[Option<Field>], cells: &Cells<'_>, takes_all: bool) -> Self {
        let free = (0..names.len()).filter(|column| matches!(fields[*column], None | Some(Field::Reason)));
        let mut seen: Vec<Seen> = free.filter_map(|column| see(column, &names[column], cells)).collect();
        without_other_offers(names, &mut seen);
        for seen in &mut seen {
            // What the sample does not show may come behind it.
            seen.evidence.is_empty_no &= seen.n_filled > 0 || !cells.is_whole && !takes_all;
        }
        let is_understood = |seen: &Seen| seen.n_known > 0 || seen.evidence.is_empty_no;
        let is_words = |seen: &&Seen| matches!(seen.evidence.kind, EvidenceKind::Words { .. });
        let most =
            seen.iter().filter(is_words).max_by_key(|seen| (seen.n_known, std::cmp::Reverse(seen.evidence.column)));
        let takes_text = |seen: &&Seen| matches!(seen.evidence.kind, EvidenceKind::YesOrNo { takes_text: true, .. });
        let is_dated = |seen: &&Seen| {
            let is_no_mail =
                matches!(seen.evidence.kind, EvidenceKind::YesOrNo { yes: Verdict::Suppressed(_), takes_text: false });
            is_no_mail && seen.n_filled > 0 && cells.of(seen.evidence.column).all(is_date)
        };
        let column = |seen: &Seen| seen.evidence.column;
        Self {
            is_understood: seen.iter().any(is_understood),
            words: most.map(column),
            codes: seen.iter().find(|seen| seen.evidence.kind == EvidenceKind::StatusCodes).map(column),
            texts: seen.iter().find(takes_text).map(column),
            dates: seen.iter().find(is_dated).map(column),
            is_all_blocks: !seen.is_empty() && seen.iter().all(|seen| seen.is_of_blocks && seen.n_sendable == 0),
            evidence: seen.into_iter().map(|seen| seen.evidence).collect(),
        }
    }

    /// The columns that say something of people, and nothing that is used.
    pub(crate) fn people(&self, names: &[String], fields: &[Option<Field>], cells: &Cells<'_>) -> Vec<usize> {
        let is_evidence = |column: &usize| self.evidence.iter().any(|evidence| evidence.column == *column);
        let is_number = |column: &usize| names::is_number(&names[*column]) && is_numbered(cells.of(*column));
        let unused = (0..names.len()).filter(|column| fields[*column].is_none() && !is_evidence(column));
        unused.filter(|column| !cells.is_empty(*column) && !is_number(column)).collect()
    }

    /// Which columns might say who gets no mail: those that are called so, and those in which few words come again.
    pub(crate) fn might_say(&self, people: &[usize], cells: &Cells<'_>) -> Vec<usize> {
        let is_asked = self.evidence.iter().map(|evidence| evidence.column);
        let is_short = |column: &usize| {
            let distinct: BTreeSet<&str> = cells.of(*column).collect();
            let n_filled = cells.of(*column).count();
            distinct.len() <= 12
                && (n_filled < 6 || 2 * distinct.len() <= n_filled)
                && distinct
                    .iter()
                    .all(|cell| cell.chars().count() <= 40 && !is_date(cell) && cell.parse::<f64>().is_err())
        };
        let mut columns: Vec<usize> = is_asked.collect();
        columns.extend(people.iter().copied().filter(is_short));
        columns.truncate(SHOWN_COLUMNS);
        columns
    }
}

/// Looks whether a column says who gets no mail.
fn see(column: usize, name: &str, cells: &Cells<'_>) -> Option<Seen> {
    let is_of_mail = cells.of(column).any(is_about_mail);
    let words = EvidenceKind::Words { is_about_mail: is_of_mail };
    let n_filled = cells.of(column).count();
    let says = |kind: EvidenceKind| cells.of(column).map(move |cell| kind.read(cell));
    let n_known = |kind| says(kind).filter(|said| !matches!(said, CellSays::Unknown | CellSays::Empty)).count();
    let of = |kind: EvidenceKind, is_of_blocks| Seen {
        evidence: Evidence { column, kind, is_empty_no: matches!(kind, EvidenceKind::YesOrNo { .. }) },
        n_known: n_known(kind),
        n_sendable: says(kind).filter(|said| *said == CellSays::Sendable).count(),
        n_filled,
        is_of_blocks,
    };
    let is_code = |cell: &str| of_status_code(cell).is_some();
    let is_codes = n_filled > 0 && cells.of(column).all(is_code);
    match mail_names::says(name) {
        Some(NameSays::YesOrNo { yes, takes_text }) => {
            let kind = EvidenceKind::YesOrNo { yes, takes_text };
            let is_plain = 2 * n_known(kind) >= n_filled;
            let is_no_mail = matches!(yes, Verdict::Suppressed(_));
            // A column of dates beside `subscribed` says when, and not whether.
            let is_mine = is_plain || cells.of(column).any(|cell| yes_or_no(cell).is_some() || is_about_mail(cell));
            (is_mine || is_no_mail && n_filled == 0).then(|| of(kind, false))
        }
        Some(NameSays::Words { .. }) if is_codes => Some(of(EvidenceKind::StatusCodes, true)),
        Some(NameSays::Words { is_of_blocks }) => Some(of(words, is_of_blocks)),
        None if is_codes && is_code_name(name) => Some(of(EvidenceKind::StatusCodes, true)),
        None => {
            let is_status = is_of_mail && !mail_names::is_about_other_things(name) && 2 * n_known(words) >= n_filled;
            is_status.then(|| of(words, false))
        }
    }
}

/// Whether a column of this normal name may hold the codes of mail servers.
fn is_code_name(name: &str) -> bool {
    let is_code = |word: &&str| matches!(*word, "code" | "smtp" | "dsn" | "diagnostic");
    let is_beside = |word: &str| matches!(word, "error" | "status" | "bounce" | "enhanced" | "vendor" | "reply");
    let tokens = names::tokens(name);
    tokens.iter().any(&is_code) && tokens.iter().all(|word| is_code(word) || is_beside(word))
}

/// Whoever takes the newsletter and not the offers of partners has not left: that column says nothing here.
fn without_other_offers(names: &[String], seen: &mut Vec<Seen>) {
    let is_of = |seen: &Seen, known: &[&str]| known.contains(&names[seen.evidence.column].replace(' ', "").as_str());
    if seen.iter().any(|seen| is_of(seen, &["newsletter"])) {
        seen.retain(|seen| !is_of(seen, &["optin", "partneroffers"]));
    }
}

/// Whether cells only count the rows.
fn is_numbered<'a>(cells: impl Iterator<Item = &'a str> + Clone) -> bool {
    let numbers = cells.map(|cell| cell.parse::<u64>().ok());
    let next = numbers.clone().skip(1);
    numbers.zip(next).all(|(one, next)| matches!((one, next), (Some(one), Some(next)) if next == one + 1))
}
