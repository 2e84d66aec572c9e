//! What the name of a file in an archive says of its rows.
//!
//! Tools that export a list as several files say in their names which people are in which:
//! `cleaned_members_export_4f.csv` beside `subscribed_members_export_4f.csv`. Only such names are known: of a word that is
//! surely about mail, and of those that tools put around it. `Unsubscribed from sms.csv` and `Hard rock fans.csv` have
//! others, and say nothing.

use crate::fold::plain;
use crate::reason::{Verdict, WordGrade, known};

/// What stands in the names of exports beside who is in them.
const BESIDE: &[&str] = &[
    "export exports exported list lists member members email emails audience segment contact contacts subscriber subscribers",
    "address addresses recipient recipients people users all global group my the of from report file csv data suppression",
    "suppressions sendgrid mailgun postmark ses amazon brevo sendinblue mailchimp mailerlite klaviyo activecampaign",
    "convertkit kit hubspot sparkpost mandrill mailjet liste listen kontakte adressen empfanger abonnenten mitglieder newsletter",
    "lista listas contactos contacts abonnes destinataires contatti contatos",
];

/// What the rows of a file of this name are.
pub(crate) fn verdict_of_name(path: &str) -> Option<Verdict> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let plain = plain(stem);
    // Dates, and what makes a name the only one, are no words.
    let mut words: Vec<&str> =
        plain.split(' ').filter(|word| !word.contains(|c: char| c.is_ascii_digit())).take(MAX_WORDS).collect();
    let export = words.iter().position(|word| *word == "export");
    words.truncate(export.map_or(words.len(), |at| at + 1));
    let is_beside = |word: &&str| BESIDE.iter().any(|line| line.split(' ').any(|beside| beside == *word));
    let of = |from: usize, to: usize| {
        let word = known(&words[from..to].join(" "))?;
        // An address list that was cleaned is named so too, so this one must be called as its tool calls it.
        let is_certain =
            word.grade == WordGrade::Strong || word.grade == WordGrade::Medium && from == 0 && export.is_some();
        (is_certain && words[..from].iter().chain(&words[to..]).all(is_beside)).then_some(word.verdict)
    };
    let n = words.len();
    (1..=n).rev().find_map(|length| (0..=n - length).find_map(|from| of(from, from + length)))
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
            ("suppression_bounces.csv", suppressed(Reason::HardBounce)),
            ("suppression_invalid_emails.csv", suppressed(Reason::Invalid)),
            ("sendgrid spam reports 2024.csv", suppressed(Reason::Complaint)),
            ("Abgemeldet.csv", suppressed(Reason::Unsubscribe)),
            ("Désabonnés - liste.csv", None),
            ("cleaned.csv", None),
            ("contacts_cleaned.csv", None),
            ("spam-free customers.csv", None),
            ("bounced cheques.csv", None),
            ("Hard rock fans.csv", None),
            ("Unsubscribed from sms.csv", None),
            ("removed seats.csv", None),
            ("removed.csv", None),
            ("Manual gearbox owners.csv", None),
            ("blocked accounts.csv", None),
            ("Invalid parking.csv", None),
            ("not unsubscribed.csv", None),
            ("never bounced contacts.csv", None),
            ("no spam complaints.csv", None),
            ("soft drinks.csv", None),
            ("baja california.csv", None),
            ("unsubscribed whatsapp export.csv", None),
            (".csv", None),
            ("", None),
        ] {
            assert_eq!(verdict_of_name(name), expected, "{name}");
        }
    }
}
