//! What one column of any file says about mail: the vocabulary of block lists for other readers of tables.

use crate::cell_looks::is_date;
use crate::evidence::{CellSays, EvidenceKind, FlagColumn, WordColumn, together};
use crate::mail_names::{self, NameSays};
use crate::names;
use crate::reason::{Reason, Verdict, WordGrade};

/// What the name of a column says about mail to the address of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailMeaning {
    /// A yes says that somebody wants mail, a no that they do not: `Newsletter`, `Accepts marketing`.
    OptIn,
    /// A yes or a date says that somebody wants none: `Unsubscribed at`, `No newsletter`.
    OptOut,
    /// A yes or a date says that mail bounced: `Hard bounced`, `bounced_at`.
    HardBounce,
    /// A yes or a date says that somebody reported mail as spam.
    Complaint,
    /// A yes says that the address cannot work.
    Invalid,
    /// A yes says that somebody else wants them to get no mail: `Blocked`, `Do not email`.
    Manual,
    /// Words say it, and they are about mail: `Email status`, `Bounce type`.
    Status,
    /// Words may say it, and may be about something else: `Status`, `Consent`, `Not unsubscribed`.
    PerhapsStatus,
    /// Nothing: it is about another way to reach people, or about orders and the like.
    NotMail,
}

/// A column that says something about mail, or certainly nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailColumn {
    meaning: MailMeaning,
    kind: Option<EvidenceKind>,
}

/// What a cell says about mail to the address of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailWord {
    /// Nothing.
    Nothing,
    /// Something that is not understood, or may be about something else.
    Unclear,
    /// The address may get mail.
    Sendable,
    /// The address may get mail: what was wrong has passed.
    SoftBounce,
    /// Mail bounced, for good unless another cell of the row says [`SoftBounce`](Self::SoftBounce).
    Bounced,
    /// The address gets no mail.
    Suppressed(Reason),
}

/// What the column of this name says about mail; `None` if its name says nothing of it.
pub fn mail_column(name: &str) -> Option<MailColumn> {
    let name = names::normal(name);
    let words = |weakest| Some(EvidenceKind::Words(WordColumn { weakest, takes_ended: weakest == WordGrade::Weak }));
    let (meaning, kind) = match mail_names::says(&name) {
        Some(NameSays::YesOrNo(flag)) => (of_flag(flag), Some(EvidenceKind::YesOrNo(flag))),
        Some(NameSays::Words { weakest: WordGrade::Weak, .. }) => (MailMeaning::Status, words(WordGrade::Weak)),
        Some(NameSays::Words { weakest, .. }) => (MailMeaning::PerhapsStatus, words(weakest)),
        Some(NameSays::SoftBounces) => (MailMeaning::Status, Some(EvidenceKind::SoftBounces)),
        Some(NameSays::Doubtful) => (MailMeaning::PerhapsStatus, words(WordGrade::Strong)),
        None if mail_names::is_about_other_things(&name) => (MailMeaning::NotMail, None),
        None => return None,
    };
    Some(MailColumn { meaning, kind })
}

fn of_flag(flag: FlagColumn) -> MailMeaning {
    match flag.yes {
        Verdict::Sendable => MailMeaning::OptIn,
        Verdict::Suppressed(Reason::Unsubscribe) => MailMeaning::OptOut,
        Verdict::Suppressed(Reason::HardBounce) => MailMeaning::HardBounce,
        Verdict::Suppressed(Reason::Complaint) => MailMeaning::Complaint,
        Verdict::Suppressed(Reason::Invalid) => MailMeaning::Invalid,
        Verdict::Suppressed(Reason::Manual) => MailMeaning::Manual,
    }
}

impl MailColumn {
    /// What its name says.
    pub fn meaning(self) -> MailMeaning {
        self.meaning
    }

    /// What a cell says under it. In a column whose words may be about something else, a word that is not known says
    /// nothing, and one that is known but not surely about mail is unclear; so are a yes and a no under a doubtful name. A
    /// date under `Subscribed` says since when.
    pub fn says(self, cell: &str) -> MailWord {
        let Some(kind) = self.kind else { return MailWord::Nothing };
        let cell = cell.trim();
        match MailWord::from(kind.read(cell)) {
            MailWord::Unclear if self.meaning == MailMeaning::PerhapsStatus => {
                let is_known = crate::reason::yes_or_no(cell).is_some() || WordColumn::ANY.read(cell).is_some();
                if is_known { MailWord::Unclear } else { MailWord::Nothing }
            }
            // Since when somebody is subscribed.
            MailWord::Unclear if self.meaning == MailMeaning::OptIn && is_date(cell) => MailWord::Sendable,
            said => said,
        }
    }
}

impl MailWord {
    /// What the cells of a row say together: the strongest reason counts, but a bounce of which another cell says that it
    /// passes. Never [`Bounced`](Self::Bounced): what is left of it is a hard bounce.
    pub fn together(words: impl IntoIterator<Item = Self>) -> Self {
        let said = words.into_iter().map(|word| match word {
            Self::Nothing => CellSays::Empty,
            Self::Unclear => CellSays::Unknown,
            Self::Sendable => CellSays::Sendable,
            Self::SoftBounce => CellSays::Passing,
            Self::Bounced => CellSays::Bounced,
            Self::Suppressed(reason) => CellSays::Suppressed(reason),
        });
        match together(said) {
            None => Self::Nothing,
            Some(CellSays::Bounced) => Self::Suppressed(Reason::HardBounce),
            Some(said) => said.into(),
        }
    }
}

impl From<CellSays> for MailWord {
    fn from(said: CellSays) -> Self {
        match said {
            CellSays::Suppressed(reason) => Self::Suppressed(reason),
            CellSays::Bounced => Self::Bounced,
            CellSays::Passing => Self::SoftBounce,
            CellSays::Sendable => Self::Sendable,
            CellSays::Unknown | CellSays::Listed => Self::Unclear,
            CellSays::Empty => Self::Nothing,
        }
    }
}
