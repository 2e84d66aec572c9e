//! The names that columns have in the files people have.
//!
//! This is data: another exporter is another name in a list. Names are compared in small letters
//! with every run of spaces, dashes, dots and underscores as one space.

use crate::mapping::{Field, Flag};
use crate::reason::{Reason, Verdict};

/// Columns that hold addresses and nothing else.
const EMAIL: &[&str] = &[
    "email",
    "e mail",
    "email address",
    "e mail address",
    "emailaddress",
    "mail",
    "mail address",
    "recipient email",
    "subscriber email",
    "user email",
    "contact email",
];

/// Columns that may hold addresses: only taken when no other column looks more like it.
const EMAIL_PERHAPS: &[&str] = &["recipient", "address", "subscriber", "contact", "to", "user", "username", "login"];

/// The other columns that mean something.
const OTHERS: &[(Field, &[&str])] = &[
    // Of these the one with the most known words is taken.
    (
        Field::Reason,
        &[
            "reason",
            "suppression reason",
            "suppression type",
            "bounce type",
            "type",
            "status",
            "email status",
            "subscription status",
            "subscriber status",
            "marketing status",
            "email marketing consent",
            "marketing consent",
        ],
    ),
    (Field::Source, &["source", "origin"]),
    (Field::Note, &["note", "notes", "comment", "comments", "description"]),
    (
        Field::FirstSeen,
        &[
            "first seen",
            "suppressed at",
            "blocked at",
            "bounced at",
            "unsubscribed at",
            "created",
            "created at",
            "date",
            "date added",
            "added at",
            "timestamp",
        ],
    ),
    (Field::VendorCode, &["vendor code", "code", "error code", "smtp code", "status code"]),
];

/// Columns of yes and no, and what a yes in them says. Numbers of bounces and the like are not among them: a 0 there does
/// not say that somebody may get mail.
const FLAGS: &[(Verdict, &[&str])] = &[
    (
        Verdict::Suppressed(Reason::Unsubscribe),
        &["unsubscribed", "is unsubscribed", "opted out", "opt out", "email opt out", "optout"],
    ),
    (
        Verdict::Suppressed(Reason::Manual),
        &[
            "blocklisted",
            "blacklisted",
            "email blacklisted",
            "emailblacklisted",
            "blocked",
            "suppressed",
            "do not email",
        ],
    ),
    (
        Verdict::Sendable,
        &[
            "subscribed",
            "is subscribed",
            "opted in",
            "opt in",
            "email opt in",
            "optin",
            "accepts marketing",
            "accepts email marketing",
        ],
    ),
];

/// What is in a column of yes and no.
pub(crate) fn yes_or_no(cell: &str) -> Option<bool> {
    let is_one_of = |words: &[&str]| words.iter().any(|word| cell.eq_ignore_ascii_case(word));
    match cell {
        _ if is_one_of(&["yes", "true", "1", "y", "t"]) => Some(true),
        _ if is_one_of(&["no", "false", "0", "n", "f"]) => Some(false),
        _ => None,
    }
}

/// The columns among `names` that are called as those of yes and no are.
pub(crate) fn flags(names: &[String]) -> Vec<Flag> {
    let yes_of = |name: &str| FLAGS.iter().find(|(_, known)| known.contains(&name)).map(|(yes, _)| *yes);
    let flag = |(column, name): (usize, &String)| Some(Flag { column, yes: yes_of(name)? });
    names.iter().enumerate().filter_map(flag).collect()
}

/// The names of the columns of yes and no, by what a yes says.
pub fn flag_names() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    FLAGS.iter().map(|(yes, names)| (yes.code(), *names))
}

/// What a column's name is compared as.
pub(crate) fn normal(name: &str) -> String {
    let words = name.split(|c: char| c.is_whitespace() || matches!(c, '-' | '_' | '.'));
    let words: Vec<String> = words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    words.join(" ")
}

/// Whether a column of this normal name holds addresses for certain.
pub(crate) fn is_email(name: &str) -> bool {
    EMAIL.contains(&name)
}

/// The columns among `names` that hold addresses for certain, the best name first.
pub(crate) fn email_columns(names: &[String]) -> Vec<usize> {
    columns(names, EMAIL)
}

/// The columns among `names` that may hold addresses, the best name first.
pub(crate) fn perhaps_email_columns(names: &[String]) -> Vec<usize> {
    columns(names, EMAIL_PERHAPS)
}

/// Each other field with the columns that may be it, the best name first.
pub(crate) fn other_columns(names: &[String]) -> impl Iterator<Item = (Field, Vec<usize>)> {
    OTHERS.iter().map(|(field, known)| (*field, columns(names, known)))
}

/// The columns among `names` that have one of the `known` names, the best first.
pub(crate) fn columns(names: &[String], known: &[&str]) -> Vec<usize> {
    known.iter().filter_map(|known| names.iter().position(|name| name == known)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_signs() {
        for name in ["Email", "E-MAIL", "e_mail", " email  address ", "E-Mail.Address"] {
            assert!(is_email(&normal(name)), "{name}");
        }
        assert!(!is_email(&normal("Email opt-in")));
    }
}
