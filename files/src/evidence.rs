//! What a cell says of its row's address: whether it gets mail, and why not.
//!
//! Somebody is only ever blocked for what stands in their row. An empty cell is no reason, and nor is a word that is not
//! known: either the column shows that it means no, or it is unclear, and then nothing is done.

use crate::cell_looks::{is_count, is_date, of_code, of_status_line};
use crate::fold::{is_same, plain};
use crate::mail_names::NameSays;
use crate::reason::{Reason, Verdict, WordGrade, is_about_passing, is_allowed, is_ended, is_nothing, known, yes_or_no};

/// A column that says whether an address gets mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// Which column it is, from 0.
    pub column: usize,
    /// How its cells say it.
    pub kind: EvidenceKind,
    /// Whether an empty cell means no, since other cells of the column say something.
    pub is_empty_no: bool,
}

/// How the cells of a column say whether an address gets mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceKind {
    /// By words, such as `unsubscribed`.
    Words(WordColumn),
    /// By yes and no, a date, or a word.
    YesOrNo(FlagColumn),
    /// By the status codes of mail servers, such as `550` or `5.1.1`.
    StatusCodes,
    /// By yes, a date or a number of times that mail came back for a trouble that passes; a no says nothing.
    SoftBounces,
    /// The caller has said that its cells are the reasons, in whatever words.
    Asked {
        /// What a yes says, if the column's name tells it.
        yes: Option<Verdict>,
    },
}

/// A column of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordColumn {
    /// The least sure words that say in it why an address gets no mail.
    pub weakest: WordGrade,
    /// Whether `cancelled` is an unsubscription in it, and not an order's end.
    pub takes_ended: bool,
}

/// A column of yes and no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlagColumn {
    /// What a yes says.
    pub yes: Verdict,
    /// Whether its name is about mail alone: a column `Blocked` may be that of an account.
    pub is_about_mail: bool,
    /// Whether any text is a yes, as in a column of reasons.
    pub takes_text: bool,
    /// Whether a number of times is a yes, as in a column of hard bounces.
    pub takes_counts: bool,
    /// Whether a yes may be a bounce of any kind.
    pub is_any_bounce: bool,
}

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellSays {
    /// The address gets no mail, for this reason.
    Suppressed(Reason),
    /// Mail to the address bounced, for good unless another cell says that it was a trouble that passes.
    Bounced,
    /// The address is on the list, for a reason in words that are not known.
    Listed,
    /// The address may get mail: what was wrong has passed.
    Passing,
    /// The address may get mail.
    Sendable,
    /// Something that is not understood.
    Unknown,
    /// Nothing.
    Empty,
}

impl CellSays {
    /// How much it counts beside what other cells say.
    fn strength(self) -> (u8, Option<Reason>) {
        match self {
            Self::Suppressed(reason) => (4, Some(reason)),
            Self::Bounced => (4, Some(Reason::HardBounce)),
            Self::Listed => (3, None),
            Self::Passing | Self::Sendable => (2, None),
            Self::Unknown => (1, None),
            Self::Empty => (0, None),
        }
    }
}

impl From<Verdict> for CellSays {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Suppressed(reason) => Self::Suppressed(reason),
            Verdict::Sendable => Self::Sendable,
        }
    }
}

impl EvidenceKind {
    /// What a cell of such a column says; without outer space.
    pub(crate) fn read(self, cell: &str) -> CellSays {
        if is_nothing(cell) {
            return CellSays::Empty;
        }
        match self {
            Self::Words(column) => column.read(cell).unwrap_or(CellSays::Unknown),
            Self::YesOrNo(column) => column.read(cell),
            Self::StatusCodes => of_code(cell).unwrap_or(CellSays::Unknown),
            Self::SoftBounces if yes_or_no(cell) == Some(true) || is_date(cell) || is_count(cell) => CellSays::Passing,
            Self::SoftBounces => CellSays::Empty,
            Self::Asked { yes: Some(yes) } => match FlagColumn::of(yes).read(cell) {
                CellSays::Unknown => CellSays::Listed,
                said => said,
            },
            Self::Asked { yes: None } => match yes_or_no(cell) {
                Some(false) => CellSays::Sendable,
                Some(true) => CellSays::Listed,
                None => WordColumn::ANY.read(cell).unwrap_or(CellSays::Listed),
            },
        }
    }

    /// Of a column with this name.
    pub(crate) fn asked(name: Option<NameSays>) -> Self {
        match name {
            Some(NameSays::YesOrNo(FlagColumn { yes, takes_text: false, .. })) => Self::Asked { yes: Some(yes) },
            _ => Self::Asked { yes: None },
        }
    }
}

impl WordColumn {
    /// One that is about mail for certain.
    pub(crate) const ANY: Self = Self { weakest: WordGrade::Weak, takes_ended: true };

    /// What the words of a cell say: all of it, or its parts together.
    pub(crate) fn read(self, cell: &str) -> Option<CellSays> {
        let parts = || cell.split([',', ';', '|', '/', '(', ')', '[', ']']).filter_map(|part| self.word(part));
        self.word(cell).or_else(|| together(parts()))
    }

    fn word(self, word: &str) -> Option<CellSays> {
        if let Some(known) = known(word) {
            return match known.verdict {
                Verdict::Sendable if known.is_passing => Some(CellSays::Passing),
                Verdict::Sendable => Some(CellSays::Sendable),
                Verdict::Suppressed(_) if known.grade < self.weakest => None,
                Verdict::Suppressed(_) if known.is_bounce => Some(CellSays::Bounced),
                Verdict::Suppressed(reason) => Some(CellSays::Suppressed(reason)),
            };
        }
        let ended = || (self.takes_ended && is_ended(word)).then_some(CellSays::Suppressed(Reason::Unsubscribe));
        let passing = || is_about_passing(word).then_some(CellSays::Passing);
        ended().or_else(|| of_status_line(word)).or_else(passing)
    }
}

impl FlagColumn {
    /// One of which nothing is known but what a yes says.
    pub(crate) fn of(yes: Verdict) -> Self {
        Self { yes, is_about_mail: true, takes_text: false, takes_counts: false, is_any_bounce: false }
    }

    /// What a yes says.
    fn yes(self) -> CellSays {
        if self.is_any_bounce { CellSays::Bounced } else { self.yes.into() }
    }

    fn read(self, cell: &str) -> CellSays {
        let is_block = matches!(self.yes, Verdict::Suppressed(_));
        match yes_or_no(cell) {
            Some(true) => self.yes(),
            Some(false) if is_block => CellSays::Sendable,
            // Who does not want mail has left.
            Some(false) => CellSays::Suppressed(Reason::Unsubscribe),
            None if is_block && (is_date(cell) || self.takes_counts && is_count(cell)) => self.yes(),
            None if self.takes_text => self.text(cell),
            None => self.word(cell),
        }
    }

    fn word(self, cell: &str) -> CellSays {
        let weakest = if self.is_about_mail { WordGrade::Weak } else { WordGrade::Medium };
        let words = WordColumn { weakest, takes_ended: self.is_about_mail };
        // `hard` is a word of many things, but not under `Bounced`.
        let of_bounce = || {
            let is_bounce =
                |said: &CellSays| matches!(said, CellSays::Suppressed(Reason::HardBounce) | CellSays::Bounced);
            WordColumn::ANY
                .read(cell)
                .filter(|said| self.yes == Verdict::Suppressed(Reason::HardBounce) && is_bounce(said))
        };
        words.read(cell).or_else(of_bounce).unwrap_or_else(|| match (is_allowed(cell), self.yes) {
            (Some(true), Verdict::Sendable) => CellSays::Sendable,
            (Some(false), Verdict::Sendable) => CellSays::Suppressed(Reason::Unsubscribe),
            // `Do not allow emails` is `Allow` or `Do not allow`.
            _ if is_same_word(cell, "do not allow") => self.yes(),
            _ if is_same_word(cell, "allow") => CellSays::Sendable,
            _ => CellSays::Unknown,
        })
    }

    /// In a column of reasons a word may say another than its name; one of a bounce has no other kind.
    fn text(self, cell: &str) -> CellSays {
        let is_bounce = self.yes == Verdict::Suppressed(Reason::HardBounce);
        match WordColumn::ANY.read(cell) {
            Some(CellSays::Passing | CellSays::Sendable) if is_bounce && !self.is_any_bounce => self.yes(),
            Some(said @ (CellSays::Suppressed(Reason::HardBounce | Reason::Invalid) | CellSays::Passing)) => said,
            Some(said) if !is_bounce => said,
            _ => self.yes(),
        }
    }
}

fn is_same_word(cell: &str, word: &str) -> bool {
    is_same(&plain(cell), word)
}

/// What several things say together: the strongest counts, but a bounce of which another says that it passes.
pub(crate) fn together(said: impl Iterator<Item = CellSays>) -> Option<CellSays> {
    strongest(said.enumerate()).map(|(_, said)| said)
}

/// The same with where it stands; of equal ones the first.
pub(crate) fn strongest<T>(said: impl Iterator<Item = (T, CellSays)>) -> Option<(T, CellSays)> {
    let (mut most, mut passing, mut bounced): (Option<(T, CellSays)>, _, _) = (None, None, None);
    for (at, said) in said {
        match said {
            CellSays::Passing => passing = passing.or(Some((at, said))),
            CellSays::Bounced => bounced = bounced.or(Some((at, said))),
            _ if most.as_ref().is_none_or(|(_, most)| said.strength() > most.strength()) => most = Some((at, said)),
            _ => {}
        }
    }
    let bounce = passing.or(bounced);
    match (most, bounce) {
        (Some(most), Some(bounce)) if bounce.1.strength() >= most.1.strength() => Some(bounce),
        (None, bounce) => bounce,
        (most, _) => most,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_yes_and_no_may_be_a_date_or_a_word() {
        let kind = |yes| EvidenceKind::YesOrNo(FlagColumn::of(yes));
        let (left, wants) = (kind(Verdict::Suppressed(Reason::Unsubscribe)), kind(Verdict::Sendable));
        let unsubscribed = CellSays::Suppressed(Reason::Unsubscribe);
        for (cell, of_left, of_wants) in [
            ("yes", unsubscribed, CellSays::Sendable),
            ("WAHR", unsubscribed, CellSays::Sendable),
            ("0", CellSays::Sendable, unsubscribed),
            ("nein", CellSays::Sendable, unsubscribed),
            ("2024-03-04 10:11", unsubscribed, CellSays::Unknown),
            ("3", CellSays::Unknown, CellSays::Unknown),
            ("Unsubscribed", unsubscribed, unsubscribed),
            ("Subscribed", CellSays::Sendable, CellSays::Sendable),
            ("perhaps", CellSays::Unknown, CellSays::Unknown),
            ("", CellSays::Empty, CellSays::Empty),
            ("-", CellSays::Empty, CellSays::Empty),
            ("n/a", CellSays::Empty, CellSays::Empty),
        ] {
            assert_eq!((left.read(cell), wants.read(cell)), (of_left, of_wants), "{cell}");
        }
    }

    #[test]
    fn words_may_stand_in_a_list_or_beside_others() {
        let surely = EvidenceKind::Words(WordColumn::ANY);
        let perhaps = EvidenceKind::Words(WordColumn { weakest: WordGrade::Strong, takes_ended: false });
        for (cell, said) in [
            ("Bounced (hard)", CellSays::Suppressed(Reason::HardBounce)),
            ("['UNSUBSCRIBE', 'SPAM_COMPLAINT']", CellSays::Suppressed(Reason::Complaint)),
            ("Soft bounce, mailbox full", CellSays::Passing),
            ("Bounced (soft)", CellSays::Passing),
            ("Bounced", CellSays::Bounced),
            ("550 5.1.1 no such user", CellSays::Suppressed(Reason::HardBounce)),
            ("421 try later", CellSays::Passing),
            ("Engaged", CellSays::Unknown),
            ("Opt-in pending", CellSays::Unknown),
            ("[]", CellSays::Empty),
        ] {
            assert_eq!(surely.read(cell), said, "{cell}");
        }
        assert_eq!(perhaps.read("cancelled"), CellSays::Unknown);
        assert_eq!(perhaps.read("removed"), CellSays::Unknown);
        assert_eq!(surely.read("cancelled"), CellSays::Suppressed(Reason::Unsubscribe));
    }

    #[test]
    fn what_somebody_says_is_the_reason_is_one() {
        let asked = EvidenceKind::Asked { yes: None };
        for (cell, said) in [
            ("moved to Rome", CellSays::Listed),
            ("Active", CellSays::Sendable),
            ("no", CellSays::Sendable),
            ("yes", CellSays::Listed),
            ("spam", CellSays::Suppressed(Reason::Complaint)),
            ("", CellSays::Empty),
        ] {
            assert_eq!(asked.read(cell), said, "{cell}");
        }
        let wants = EvidenceKind::Asked { yes: Some(Verdict::Sendable) };
        assert_eq!((wants.read("yes"), wants.read("x y")), (CellSays::Sendable, CellSays::Listed));
    }
}
