//! What a file of people says about mail: who wants none.
//!
//! A word that says so is believed, and a yes never takes a block away. Which columns say it, and in which words, is
//! decided by [`mail_column`], whose vocabulary block lists are read with too; [`MailColumns::of`] adds what the call
//! names, what the export of another tool means, and columns whose cells tell it. A cell of such a column that is not
//! understood is `unclear`: it is counted and shown, and does nothing.

use crate::areas::blocklist::Reason;
use usher_files::{
    DateCell, DateFault, EXPORTERS, EvidenceKind, Field, MailColumn, MailMeaning, MailWord, Mapping, is_nothing,
    mail_column, read_date, yes_or_no,
};

/// What a row says about mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Said {
    /// Nothing, or that mail is welcome.
    #[default]
    Nothing,
    /// Something that nobody understands.
    Unclear,
    /// That no mail is to come.
    Not(Reason),
}

/// What a column is about.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Whether somebody gets mail.
    Mail(MailColumn),
    /// When somebody was deleted.
    Deleted,
}

/// The columns of a file that say something about mail or about being deleted.
#[derive(Clone, Debug, Default)]
pub(super) struct MailColumns(Vec<(usize, Kind)>);

impl MailColumns {
    /// Those of a file: by what the call says of them, by the export that it is, by their names or by their cells.
    pub(super) fn of(mapping: &Mapping) -> Self {
        let wanted = |code| mapping.index_of(Field::Own(code));
        let of_status = exporter_status(mapping);
        let named = |(at, name): (usize, &str)| {
            if is_about_deletion(name) {
                return Some((at, Kind::Deleted));
            }
            let column = column_of(name);
            let is_doubtful = column.is_none_or(|column| column.meaning() == MailMeaning::PerhapsStatus);
            let column = match column {
                _ if is_doubtful && of_status == Some(at) => of_a_subscriber(),
                None if has_words_about_mail(mapping, at) => of_a_status(),
                Some(column) if column.meaning() == MailMeaning::NotMail => None,
                column => column,
            };
            Some((at, Kind::Mail(column?)))
        };
        let free = mapping.columns.iter().enumerate().filter(|(_, column)| column.field.is_none());
        let by_name = free.filter(|_| mapping.has_header).map(|(at, column)| (at, column.name.as_str()));
        let name_of = |at: usize| mapping.columns[at].name.as_str();
        let by_call = [
            wanted("mail").and_then(|at| Some((at, Kind::Mail(mail_column("subscribed")?)))),
            wanted("no_mail").and_then(|at| Some((at, Kind::Mail(of_no_mail(name_of(at))?)))),
        ];
        Self(by_call.into_iter().flatten().chain(by_name.filter_map(named)).collect())
    }

    /// What a row says, by its cells: the strongest word counts.
    pub(super) fn said<'a>(&self, cell: impl Fn(usize) -> Option<&'a str>) -> Said {
        let words = || self.mail().filter_map(|(at, column)| Some(read(column, cell(at)?)));
        match MailWord::together(words()) {
            // Whoever blocked a person by hand wants that no mail goes there, as the person may.
            MailWord::Suppressed(usher_files::Reason::Manual) => Said::Not(Reason::Unsubscribe),
            MailWord::Suppressed(reason) => Said::Not(reason.into()),
            _ if words().any(|word| word == MailWord::Unclear) => Said::Unclear,
            _ => Said::Nothing,
        }
    }

    /// The cells that are not understood, each with its column.
    pub(super) fn unclear<'a>(
        &self,
        cell: impl Fn(usize) -> Option<&'a str>,
    ) -> impl Iterator<Item = (usize, &'a str)> {
        let unclear = move |(at, column): (usize, MailColumn)| {
            Some((at, cell(at).filter(|cell| read(column, cell) == MailWord::Unclear)?))
        };
        self.mail().filter_map(unclear)
    }

    /// Whether a row says that its person was deleted.
    pub(super) fn is_deleted<'a>(&self, cell: impl Fn(usize) -> Option<&'a str>) -> bool {
        let deleted = self.0.iter().filter(|(_, kind)| matches!(kind, Kind::Deleted));
        deleted.filter_map(|(at, _)| cell(*at)).any(|cell| !is_nothing(cell) && yes_or_no(cell) != Some(false))
    }

    /// The mapping with these columns as what they are taken for.
    pub(super) fn marked(&self, mapping: &Mapping) -> Mapping {
        let mut marked = mapping.clone();
        for (at, kind) in &self.0 {
            marked.columns[*at].field = Some(Field::Own(kind.code()));
        }
        marked
    }

    fn mail(&self) -> impl Iterator<Item = (usize, MailColumn)> + '_ {
        self.0.iter().filter_map(|(at, kind)| match kind {
            Kind::Mail(column) => Some((*at, *column)),
            Kind::Deleted => None,
        })
    }
}

impl Kind {
    /// What a column is taken for, as the preview shows it.
    fn code(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Mail(column) => match column.meaning() {
                MailMeaning::OptIn => "mail",
                MailMeaning::Status | MailMeaning::PerhapsStatus | MailMeaning::NotMail => "mail_status",
                _ => "no_mail",
            },
        }
    }
}

/// Names that say something about mail in files of people, and what they are the same as.
const MORE_NAMES: [(&str, &str); 13] = [
    ("newsletter subscription", "newsletter"),
    ("subscribed newsletter", "newsletter"),
    ("mailing list", "newsletter"),
    ("mailing lists", "newsletter"),
    ("receive marketing emails", "newsletter"),
    ("can contact", "subscribed"),
    ("can email", "subscribed"),
    ("may contact", "subscribed"),
    ("mailchimp woocommerce is subscribed", "subscribed"),
    ("clean time", "hard bounced"),
    ("intet nyhedsbrev", "no newsletter"),
    ("email stopped", "unsubscribed"),
    ("does not accept marketing", "no newsletter"),
];

/// What the name of a column says about mail.
fn column_of(name: &str) -> Option<MailColumn> {
    let known = || MORE_NAMES.iter().find(|(known, _)| is_same(known, name));
    mail_column(name).or_else(|| mail_column(known()?.1))
}

/// Words of those who never agreed to get mail. A block list passes them over; a file of people says that they want none.
const NEVER_AGREED: [&str; 19] = [
    "not subscribed",
    "non subscribed",
    "never subscribed",
    "not opted in",
    "nicht angemeldet",
    "nicht abonniert",
    "nie abonniert",
    "non abonné",
    "jamais abonné",
    "no suscrito",
    "nunca suscrito",
    "non iscritto",
    "mai iscritto",
    "não inscrito",
    "nunca inscrito",
    "niet aangemeld",
    "niet ingeschreven",
    "nooit ingeschreven",
    "未登録",
];

/// Words of those who have not answered yet, or not for long.
const UNDECIDED: [&str; 6] = ["pending", "unconfirmed", "inactive", "cold", "archived", "transactional"];

/// Words of consent: how it was given.
const AGREED: [&str; 5] = ["express", "implied", "explicit", "granted", "given"];

/// What a cell says. When somebody signed up is not whether they want mail.
fn read(column: MailColumn, cell: &str) -> MailWord {
    let is_one_of = |words: &[&str]| words.iter().any(|word| is_same(word, cell));
    let is_date = || {
        let date = read_date(cell, None);
        cell.trim().len() >= 6 && !matches!(date, Ok(DateCell::Nothing | DateCell::Never) | Err(DateFault::Unknown))
    };
    match (column.says(cell), column.meaning()) {
        (MailWord::Sendable, MailMeaning::PerhapsStatus) if is_one_of(&NEVER_AGREED) => MailWord::Unclear,
        (MailWord::Sendable, MailMeaning::OptIn | MailMeaning::Status) if is_one_of(&NEVER_AGREED) => {
            MailWord::Suppressed(usher_files::Reason::Unsubscribe)
        }
        (MailWord::Sendable, MailMeaning::OptIn | MailMeaning::Status) if is_one_of(&UNDECIDED) => MailWord::Unclear,
        (MailWord::Unclear, MailMeaning::OptIn) if is_date() => MailWord::Nothing,
        (MailWord::Unclear, MailMeaning::Status) if is_one_of(&AGREED) => MailWord::Sendable,
        (word, _) => word,
    }
}

/// A column of words that are about mail and nothing else.
fn of_a_subscriber() -> Option<MailColumn> {
    mail_column("subscriber status")
}

/// A column of words that may be about something else.
fn of_a_status() -> Option<MailColumn> {
    mail_column("status")
}

/// A column that the call names as the one that says who wants no mail. Its name may say why.
fn of_no_mail(name: &str) -> Option<MailColumn> {
    let says_why = |column: &MailColumn| {
        matches!(column.meaning(), MailMeaning::HardBounce | MailMeaning::Complaint | MailMeaning::Invalid)
    };
    column_of(name).filter(says_why).or_else(|| mail_column("unsubscribed"))
}

/// The column of states in an export of a tool that only sends mail: its `cancelled` is no payment's.
fn exporter_status(mapping: &Mapping) -> Option<usize> {
    let position = |name: &str| mapping.columns.iter().position(|column| is_same(&column.name, name));
    let is_it = |exporter: &&usher_files::Exporter| exporter.columns().iter().all(|name| position(name).is_some());
    let status = |exporter: &usher_files::Exporter| {
        exporter.known_fields().iter().find(|(field, _)| *field == Field::Reason).and_then(|(_, name)| position(name))
    };
    EXPORTERS.iter().filter(is_it).find_map(status).filter(|_| mapping.has_header)
}

/// Whether the cells of a column were seen to be words about mail, whatever it is called.
fn has_words_about_mail(mapping: &Mapping, column: usize) -> bool {
    let is_it = |kind: EvidenceKind| matches!(kind, EvidenceKind::Words { .. });
    mapping.evidence.iter().any(|evidence| evidence.column == column && is_it(evidence.kind))
}

/// Whether two names are the same but for case, spaces and signs.
fn is_same(one: &str, other: &str) -> bool {
    let letters =
        |name: &'_ str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    letters(one) == letters(other)
}

/// Words for what was deleted, in names of columns.
const DELETED: [&str; 10] = [
    "deleted",
    "gelöscht",
    "supprimé",
    "eliminado",
    "borrado",
    "verwijderd",
    "usunięty",
    "raderad",
    "slettet",
    "poistettu",
];

/// Words beside them that make a name say something else.
const NOT_WHETHER: [&str; 16] = [
    "not", "no", "non", "nicht", "pas", "never", "un", "reason", "by", "source", "id", "count", "method", "version",
    "url", "email",
];

/// Whether a column says whether or when somebody was deleted, such as `deleted_at`.
fn is_about_deletion(name: &str) -> bool {
    let words = words(name);
    let has = |some: &[&str]| words.iter().any(|word| some.contains(&word.as_str()));
    has(&DELETED) && words.len() <= 3 && !has(&NOT_WHETHER)
}

/// The words of a name, in small letters: `deleted_at` and `deletedAt` have two each.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() && before.is_lowercase() {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests;
