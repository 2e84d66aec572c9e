//! Finds the columns that say whether an address gets mail: by their names and by their cells.
//!
//! Where none is understood and others are about people, nobody may be blocked: a file of contacts is no block list.

use std::collections::BTreeSet;

use crate::cell_looks::{is_date, of_status_code};
use crate::evidence::{CellSays, Evidence, EvidenceKind, FlagColumn, WordColumn};
use crate::limits::SHOWN_COLUMNS;
use crate::mail_names::{self, NameSays};
use crate::mapping::Field;
use crate::names;
use crate::reason::{Verdict, WordGrade, is_nothing, known, yes_or_no};

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
    /// Whether its name leaves in doubt what it is about.
    is_doubtful: bool,
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
        let is_bare = is_bare(names, fields, cells);
        let mut seen: Vec<Seen> = free.filter_map(|column| see(column, &names[column], cells, is_bare)).collect();
        without_other_offers(names, &mut seen);
        // That mail came back and came through at last says something beside a bounce of any kind alone.
        let is_any_bounce =
            |seen: &Seen| matches!(seen.evidence.kind, EvidenceKind::YesOrNo(flag) if flag.is_any_bounce);
        if !seen.iter().any(is_any_bounce) {
            seen.retain(|seen| seen.evidence.kind != EvidenceKind::SoftBounces);
        }
        for seen in &mut seen {
            // What the sample does not show may come behind it.
            seen.evidence.is_empty_no &= seen.n_filled > 0 || !cells.is_whole && !takes_all;
        }
        let is_understood = |seen: &Seen| {
            seen.evidence.kind != EvidenceKind::SoftBounces && seen.n_known > 0 || seen.evidence.is_empty_no
        };
        if seen.iter().any(is_understood) {
            // What is in doubt makes nothing unclear that other columns say.
            seen.retain(|seen| !seen.is_doubtful || seen.n_known > 0);
        }
        let is_words = |seen: &&Seen| matches!(seen.evidence.kind, EvidenceKind::Words(_));
        let most =
            seen.iter().filter(is_words).max_by_key(|seen| (seen.n_known, std::cmp::Reverse(seen.evidence.column)));
        let flag = |seen: &Seen| match seen.evidence.kind {
            EvidenceKind::YesOrNo(flag) => Some(flag),
            _ => None,
        };
        let takes_text = |seen: &&Seen| flag(seen).is_some_and(|flag| flag.takes_text);
        let is_dated = |seen: &&Seen| {
            let is_no_mail =
                matches!(flag(seen), Some(FlagColumn { yes: Verdict::Suppressed(_), takes_text: false, .. }));
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
        // Where somebody comes from is in lists of contacts too.
        let is_unused = |column: &usize| matches!(fields[*column], None | Some(Field::Source)) && !is_evidence(column);
        let unused = (0..names.len()).filter(is_unused);
        unused.filter(|column| !cells.is_empty(*column) && !is_number(column)).collect()
    }

    /// Which columns might say who gets no mail, the likeliest first: those that are called so, those with words that are
    /// known, and if there are none, those in which few words come again.
    pub(crate) fn might_say(&self, names: &[String], people: &[usize], cells: &Cells<'_>) -> Vec<usize> {
        let n_known = |column: usize| {
            let is_known = |cell: &&str| WordColumn::ANY.read(cell).is_some();
            cells.of(column).filter(is_known).count()
        };
        let is_short = |column: &usize| {
            let distinct: BTreeSet<&str> = cells.of(*column).collect();
            let n_filled = cells.of(*column).count();
            distinct.len() <= 12
                && (n_filled < 6 || 2 * distinct.len() <= n_filled)
                && distinct
                    .iter()
                    .all(|cell| cell.chars().count() <= 40 && !is_date(cell) && cell.parse::<f64>().is_err())
        };
        let is_mail = |column: &usize| mail_names::might_say(&names[*column]) && !cells.of(*column).all(is_date);
        let mut columns: Vec<usize> = self.evidence.iter().map(|evidence| evidence.column).collect();
        let mut others: Vec<usize> =
            people.iter().copied().filter(|column| !names::is_of_person(&names[*column])).collect();
        // Those that are sorted stay in the order of the file where they are alike.
        others.sort_by_key(|column| std::cmp::Reverse((is_mail(column), n_known(*column))));
        columns.extend(others.iter().copied().filter(|column| is_mail(column) || n_known(*column) > 0));
        if columns.is_empty() {
            let is_other = |column: &usize| mail_names::is_about_other_things(&names[*column]);
            columns.extend(people.iter().copied().filter(|column| is_short(column) && !is_other(column)));
        }
        columns.truncate(SHOWN_COLUMNS);
        columns
    }
}

/// Whether a file says nothing of people: a reason in it has nothing else to be about than mail.
fn is_bare(names: &[String], fields: &[Option<Field>], cells: &Cells<'_>) -> bool {
    let is_known = |column: usize| {
        let name = &names[column];
        fields[column].is_some()
            || cells.is_empty(column)
            || cells.of(column).all(is_date)
            || names::is_listed(name)
            || mail_names::says(name).is_some()
            || is_code_name(name)
    };
    !names.iter().all(String::is_empty) && (0..names.len()).all(is_known)
}

/// Looks whether a column says who gets no mail.
fn see(column: usize, name: &str, cells: &Cells<'_>, is_bare: bool) -> Option<Seen> {
    let n_filled = cells.of(column).count();
    let says = |kind: EvidenceKind| cells.of(column).map(move |cell| kind.read(cell));
    let n_known = |kind| says(kind).filter(|said| !matches!(said, CellSays::Unknown | CellSays::Empty)).count();
    let of = |kind: EvidenceKind, is_of_blocks| Seen {
        evidence: Evidence { column, kind, is_empty_no: matches!(kind, EvidenceKind::YesOrNo(_)) },
        n_known: n_known(kind),
        n_sendable: says(kind).filter(|said| matches!(said, CellSays::Sendable | CellSays::Passing)).count(),
        n_filled,
        is_of_blocks,
        is_doubtful: false,
    };
    let is_code = |cell: &str| of_status_code(cell).is_some();
    let is_codes = n_filled > 0 && cells.of(column).all(is_code);
    match mail_names::says(name) {
        Some(NameSays::YesOrNo(flag)) => {
            let kind = EvidenceKind::YesOrNo(flag);
            let is_plain = 2 * n_known(kind) >= n_filled;
            let is_no_mail = matches!(flag.yes, Verdict::Suppressed(_));
            // A column of dates beside `subscribed` says when, and not whether.
            let is_of_mail = |cell: &str| known(cell).is_some_and(|word| word.grade == WordGrade::Strong);
            let is_mine = is_plain || cells.of(column).any(|cell| yes_or_no(cell).is_some() || is_of_mail(cell));
            let is_mine = is_mine && (flag.is_about_mail || is_flag(name, flag, cells.of(column)));
            (is_mine || is_no_mail && n_filled == 0).then(|| of(kind, false))
        }
        Some(NameSays::Words { .. }) if is_codes => Some(of(EvidenceKind::StatusCodes, true)),
        Some(NameSays::Words { is_of_blocks, weakest }) => {
            let is_reason = is_bare && mail_names::is_reason(name);
            let weakest = if is_reason { WordGrade::Weak } else { weakest };
            Some(of(words(weakest, 2, cells.of(column)), is_of_blocks))
        }
        Some(NameSays::Doubtful) => {
            Some(Seen { is_doubtful: true, ..of(words(WordGrade::Strong, 2, cells.of(column)), false) })
        }
        Some(NameSays::SoftBounces) => Some(of(EvidenceKind::SoftBounces, false)),
        None if is_codes && is_code_name(name) => Some(of(EvidenceKind::StatusCodes, true)),
        None if is_code_name(name) && n_filled > 0 => {
            // What mail servers reply: `smtp; 550 5.1.1 no such user`.
            let kind = EvidenceKind::Words(WordColumn { weakest: WordGrade::Strong, takes_ended: false });
            (2 * n_known(kind) >= n_filled).then(|| of(kind, true))
        }
        None => {
            let weakest = mail_names::of_unknown(name);
            let kind = words(weakest, 1, cells.of(column));
            let is_status = has_signal(weakest, cells.of(column)) && !mail_names::is_about_other_things(name);
            (is_status && 2 * n_known(kind) >= n_filled).then(|| of(kind, false))
        }
    }
}

/// How a column of words is read: where some of its words are surely about mail and one of `share` or more is known, the
/// others are about mail too.
fn words<'a>(weakest: WordGrade, share: usize, cells: impl Iterator<Item = &'a str> + Clone) -> EvidenceKind {
    let has_signal = has_signal(weakest, cells.clone());
    let n_known = cells.clone().filter(|cell| WordColumn::ANY.read(cell).is_some()).count();
    let is_of_mail = has_signal && share * n_known >= cells.count();
    let weakest = if is_of_mail { WordGrade::Weak } else { weakest };
    EvidenceKind::Words(WordColumn { weakest, takes_ended: has_signal })
}

/// Whether any word of some cells is about mail, and no account or parcel.
fn has_signal<'a>(weakest: WordGrade, cells: impl Iterator<Item = &'a str>) -> bool {
    let least = weakest.max(WordGrade::Medium);
    let is_signal = |word: &str| known(word).is_some_and(|word| word.grade >= least);
    let parts = |cell: &'a str| cell.split([',', ';', '|', '/', '(', ')', '[', ']']);
    cells.into_iter().any(|cell| is_signal(cell) || parts(cell).any(is_signal))
}

/// Whether cells are those of a yes or no, or dates, in a column whose name may be about something else: numbers are none.
fn is_flag<'a>(name: &str, flag: FlagColumn, mut cells: impl Iterator<Item = &'a str> + Clone) -> bool {
    let kind = EvidenceKind::YesOrNo(flag);
    let is_number = |cell: &str| cell.parse::<f64>().is_ok() && yes_or_no(cell).is_none() && !is_date(cell);
    if !flag.takes_counts && cells.clone().any(is_number) {
        return false;
    }
    // Of letters and ones nobody can say whether they are flats.
    let is_word = |cell: &str| cell.chars().count() > 1 || cell == "0";
    let is_read = |cell: &str| kind.read(cell) != CellSays::Unknown;
    !mail_names::is_homonym(name) || cells.clone().all(is_read) && cells.any(is_word)
}

/// Whether a column of this normal name may hold the codes of mail servers.
fn is_code_name(name: &str) -> bool {
    let is_code = |word: &&str| matches!(*word, "code" | "smtp" | "dsn" | "diagnostic");
    let is_beside = |word: &str| {
        matches!(
            word,
            "error" | "status" | "bounce" | "enhanced" | "vendor" | "reply" | "response" | "message" | "text"
        )
    };
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
