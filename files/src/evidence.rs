//! What a cell says of its row's address: whether it gets mail, and why not.
//!
//! Somebody is only ever blocked for what stands in their row. An empty cell is no reason, and nor is a word that is not
//! known: either the column shows that it means no, or it is unclear, and then nothing is done.

use crate::mail_names::NameSays;
use crate::reason::{Reason, Verdict, is_ended, is_nothing, verdict, yes_or_no};

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
    Words {
        /// Whether words are about mail in it, so that `cancelled` is an unsubscription and not an order's end.
        is_about_mail: bool,
    },
    /// By yes and no, a date or a number.
    YesOrNo {
        /// What a yes says.
        yes: Verdict,
        /// Whether any text is a yes, as in a column of reasons.
        takes_text: bool,
    },
    /// By the status codes of mail servers, such as `550` or `5.1.1`.
    StatusCodes,
    /// The caller has said that its cells are the reasons, in whatever words.
    Asked {
        /// What a yes says, if the column's name tells it.
        yes: Option<Verdict>,
    },
}

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellSays {
    /// The address gets no mail, for this reason.
    Suppressed(Reason),
    /// The address is on the list, for a reason in words that are not known.
    Listed,
    /// The address may get mail.
    Sendable,
    /// Something that is not understood.
    Unknown,
    /// Nothing.
    Empty,
}

impl CellSays {
    /// How much it counts beside what other cells say.
    pub(crate) fn strength(self) -> (u8, Option<Reason>) {
        match self {
            Self::Suppressed(reason) => (4, Some(reason)),
            Self::Listed => (3, None),
            Self::Sendable => (2, None),
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
            Self::Words { is_about_mail } => words(cell, is_about_mail).unwrap_or(CellSays::Unknown),
            Self::YesOrNo { yes, takes_text } => of_yes_or_no(cell, yes, takes_text),
            Self::StatusCodes => of_status_code(cell).map_or(CellSays::Unknown, CellSays::from),
            Self::Asked { yes: Some(yes) } => match of_yes_or_no(cell, yes, false) {
                CellSays::Unknown => CellSays::Listed,
                said => said,
            },
            Self::Asked { yes: None } => match yes_or_no(cell) {
                Some(false) => CellSays::Sendable,
                Some(true) => CellSays::Listed,
                None => words(cell, true).unwrap_or(CellSays::Listed),
            },
        }
    }

    /// Of a column with this name.
    pub(crate) fn asked(name: Option<NameSays>) -> Self {
        match name {
            Some(NameSays::YesOrNo { yes, takes_text: false }) => Self::Asked { yes: Some(yes) },
            _ => Self::Asked { yes: None },
        }
    }
}

/// What the words of a cell say: all of it, or the strongest of its parts.
fn words(cell: &str, is_about_mail: bool) -> Option<CellSays> {
    let of = |word: &str| {
        let ended = || (is_about_mail && is_ended(word)).then_some(Verdict::Suppressed(Reason::Unsubscribe));
        verdict(word).or_else(ended).map(CellSays::from)
    };
    let parts = || cell.split([',', ';', '|', '/', '(', ')', '[', ']']).filter_map(of);
    of(cell).or_else(|| strongest(parts())).or_else(|| of_status_line(cell).map(CellSays::from))
}

fn of_yes_or_no(cell: &str, yes: Verdict, takes_text: bool) -> CellSays {
    match (yes_or_no(cell), yes) {
        (Some(true), yes) => yes.into(),
        (Some(false), Verdict::Suppressed(_)) => CellSays::Sendable,
        // Who does not want mail has left.
        (Some(false), Verdict::Sendable) => CellSays::Suppressed(Reason::Unsubscribe),
        (None, Verdict::Suppressed(_)) if is_date(cell) || is_count(cell) => yes.into(),
        (None, _) => match words(cell, true) {
            Some(said) => said,
            None if takes_text => yes.into(),
            None => CellSays::Unknown,
        },
    }
}

/// The strongest of what several things say.
pub(crate) fn strongest(said: impl Iterator<Item = CellSays>) -> Option<CellSays> {
    said.max_by_key(|said| said.strength())
}

/// What a mail server's status says (RFC 3463, RFC 5321): 4.x.x and 4xx pass, and 5.7.x is a refusal of that mail and not
/// of the address.
pub(crate) fn of_status_code(code: &str) -> Option<Verdict> {
    let is_code = |code: &str| {
        let digits = |text: &str| !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        let n_parts = code.split('.').count();
        code.split('.').all(digits) && (n_parts == 3 || n_parts == 1 && code.len() == 3)
    };
    match code.as_bytes().first() {
        _ if !is_code(code) => None,
        Some(b'4') => Some(Verdict::Sendable),
        Some(b'5') if code.starts_with("5.7.") => Some(Verdict::Sendable),
        Some(b'5') => Some(Verdict::Suppressed(Reason::HardBounce)),
        _ => None,
    }
}

/// What a mail server's reply says that begins with its codes: `550 5.1.1 unknown user`.
fn of_status_line(line: &str) -> Option<Verdict> {
    let mut codes = line.split([' ', '-']).take(2).filter(|word| of_status_code(word).is_some());
    let first = codes.next()?;
    let exact = Some(first).into_iter().chain(codes).find(|code| code.contains('.'));
    of_status_code(exact.unwrap_or(first))
}

/// Whether a cell is a date or time by its look.
pub(crate) fn is_date(cell: &str) -> bool {
    let is_sign = |c: char| "-/.:, +年月日時分秒".contains(c);
    let is_word = |word: &str| word.chars().count() <= 10;
    if cell.len() > 60 || !cell.chars().all(|c| c.is_alphanumeric() || is_sign(c)) {
        return false;
    }
    let groups: Vec<usize> =
        cell.split(|c: char| !c.is_ascii_digit()).map(str::len).filter(|length| *length > 0).collect();
    let has_letters = cell.contains(char::is_alphabetic);
    let is_unix = !has_letters && matches!(groups[..], [9..=13] | [9..=13, _]);
    let is_spelled = has_letters && cell.split(|c: char| !c.is_alphabetic()).all(is_word) && cell.contains(' ');
    let is_day = match groups[..] {
        [day, year] => is_spelled && matches!((day, year), (1 | 2, 4)),
        [one, two, three, ..] => {
            let lengths = [one, two, three];
            let is_separated = has_letters || cell.contains(['-', '/', ':']) || cell.matches('.').count() == 2;
            is_separated
                && lengths.iter().all(|length| matches!(length, 1 | 2 | 4))
                && lengths.iter().sum::<usize>() >= 4
        }
        _ => false,
    };
    is_unix || is_day
}

/// Whether a cell is a number of times, at least one.
fn is_count(cell: &str) -> bool {
    cell.len() <= 6 && cell.parse::<u32>().is_ok_and(|n| n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_yes_and_no_may_be_a_date_or_a_word() {
        let kind = |yes| EvidenceKind::YesOrNo { yes, takes_text: false };
        let (left, wants) = (kind(Verdict::Suppressed(Reason::Unsubscribe)), kind(Verdict::Sendable));
        let unsubscribed = CellSays::Suppressed(Reason::Unsubscribe);
        for (cell, of_left, of_wants) in [
            ("yes", unsubscribed, CellSays::Sendable),
            ("WAHR", unsubscribed, CellSays::Sendable),
            ("0", CellSays::Sendable, unsubscribed),
            ("nein", CellSays::Sendable, unsubscribed),
            ("2024-03-04 10:11", unsubscribed, CellSays::Unknown),
            ("3", unsubscribed, CellSays::Unknown),
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
        let words = |is_about_mail| EvidenceKind::Words { is_about_mail };
        for (cell, said) in [
            ("Bounced (hard)", CellSays::Suppressed(Reason::HardBounce)),
            ("['UNSUBSCRIBE', 'SPAM_COMPLAINT']", CellSays::Suppressed(Reason::Complaint)),
            ("Soft bounce, mailbox full", CellSays::Sendable),
            ("550 5.1.1 no such user", CellSays::Suppressed(Reason::HardBounce)),
            ("421 try later", CellSays::Sendable),
            ("Engaged", CellSays::Unknown),
            ("Opt-in pending", CellSays::Unknown),
            ("[]", CellSays::Empty),
        ] {
            assert_eq!(words(false).read(cell), said, "{cell}");
        }
        assert_eq!(words(false).read("cancelled"), CellSays::Unknown);
        assert_eq!(words(true).read("cancelled"), CellSays::Suppressed(Reason::Unsubscribe));
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

    #[test]
    fn dates_are_known_by_their_look() {
        for cell in [
            "2024-01-02",
            "2024-01-02T03:04:05Z",
            "03/04/2026",
            "1.2.24 10:00",
            "Mon, 06 May 2024 18:11:58 UTC",
            "1443651125",
            "1586552585.077",
            "2 May 2024",
            "2024年1月2日",
        ] {
            assert!(is_date(cell), "{cell}");
        }
        for cell in
            ["", "12", "yes", "5.1.1", "Anna", "+49 30 1234", "Main Street 5", "12345", "030-1234-567", "030 12 45"]
        {
            assert!(!is_date(cell), "{cell}");
        }
    }

    #[test]
    fn a_temporary_failure_is_no_bounce() {
        let bounce = Some(Verdict::Suppressed(Reason::HardBounce));
        for (code, said) in [
            ("5.1.1", bounce),
            ("550", bounce),
            ("5.7.1", Some(Verdict::Sendable)),
            ("4.2.2", Some(Verdict::Sendable)),
            ("421", Some(Verdict::Sendable)),
            ("200", None),
            ("55", None),
            ("55000", None),
            ("unknown", None),
        ] {
            assert_eq!(of_status_code(code), said, "{code}");
        }
        assert_eq!(of_status_line("550-5.7.1 refused"), Some(Verdict::Sendable));
        assert_eq!(of_status_line("Main Street 550"), None);
    }
}
