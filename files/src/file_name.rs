//! What the name of a file in an archive says of its rows.
//!
//! Tools that export a list as several files say in their names which people are in which:
//! `cleaned_members_export_4f.csv` beside `subscribed_members_export_4f.csv`.

use crate::reason::{Verdict, verdict};

/// What the rows of a file of this name are, if its first words or its last say it. Years, numbers and the like are no words.
pub(crate) fn verdict_of_name(path: &str) -> Option<Verdict> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let words: Vec<String> = stem
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .take(MAX_WORDS)
        .collect();
    let of = |words: &[String]| verdict(&words.join(" "));
    let first = (1..=words.len()).rev().find_map(|n| of(&words[..n]));
    first.or_else(|| (0..words.len()).find_map(|n| of(&words[n..])))
}

/// Words of a name that are looked at.
const MAX_WORDS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::Reason;

    #[test]
    fn names_say_who_is_in_the_file() {
        let suppressed = |reason| Some(Verdict::Suppressed(reason));
        for (name, expected) in [
            ("cleaned_members_export_4f1b.csv", suppressed(Reason::HardBounce)),
            ("unsubscribed_email_audience_export_4f1b.csv", suppressed(Reason::Unsubscribe)),
            ("subscribed_email_audience_export_4f1b.csv", Some(Verdict::Sendable)),
            ("nonsubscribed_email_audience_export_4f1b.csv", Some(Verdict::Sendable)),
            ("export/2024/Hard Bounces 2024-11-02.CSV", suppressed(Reason::HardBounce)),
            ("spam-complaints.txt", suppressed(Reason::Complaint)),
            ("contacts_unsubscribed.csv", suppressed(Reason::Unsubscribe)),
            ("unsubscribed/contacts.csv", None),
            ("members.csv", None),
            ("list", None),
            (".csv", None),
            ("", None),
        ] {
            assert_eq!(verdict_of_name(name), expected, "{name}");
        }
    }
}
