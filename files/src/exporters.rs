//! The exports of other mail tools, recognised by their columns.
//!
//! This is data: another export is another [`Exporter`] in [`EXPORTERS`]. An export is recognised when every column
//! that makes it known is there, whatever else is; the first that fits wins, so those with more columns stand before
//! those with fewer.

use crate::mapping::Field;
use crate::reason::{Reason, Verdict, plain, verdict};

/// An export of another tool.
#[derive(Debug, PartialEq, Eq)]
pub struct Exporter {
    /// The stable code.
    pub code: &'static str,
    /// What it is, for people.
    pub name: &'static str,
    /// The columns that make it known, in small letters and with spaces for all signs.
    columns: &'static [&'static str],
    /// Whether there may be no other columns.
    is_exact: bool,
    /// Which column means what; the first that is there counts. The addresses need not be named, if their column is
    /// called as it mostly is.
    fields: &'static [(Field, &'static str)],
    /// What its rows say.
    verdicts: Verdicts,
    /// Where its columns and words are described.
    pub source: &'static str,
}

/// How the rows of an export say why they are there.
#[derive(Debug, PartialEq, Eq)]
enum Verdicts {
    /// All are there for the same reason.
    All(Verdict),
    /// The column of the reason says it, in these words before those that mean the same everywhere. Then, if a word is
    /// not known, the last.
    Words(&'static [(&'static str, Verdict)], Option<Verdict>),
    /// The enhanced status code (RFC 3463) in the column of the code says whether the failure was for good.
    StatusCode,
}

const fn suppressed(reason: Reason) -> Verdict {
    Verdict::Suppressed(reason)
}

use Field::{Email, FirstSeen, Note, Reason as Why, Source, VendorCode};

/// Every export that is recognised.
pub static EXPORTERS: &[Exporter] = &[
    Exporter {
        code: "sendgrid_bounces",
        name: "SendGrid bounces or blocks",
        columns: &["status", "reason", "email", "created"],
        is_exact: true,
        fields: &[(VendorCode, "status"), (Note, "reason"), (FirstSeen, "created")],
        verdicts: Verdicts::StatusCode,
        source: "https://www.twilio.com/docs/sendgrid/api-reference/bounces-api/retrieve-all-bounces",
    },
    Exporter {
        code: "sendgrid_spam_reports",
        name: "SendGrid spam reports",
        columns: &["email", "ip", "created"],
        is_exact: true,
        fields: &[(FirstSeen, "created")],
        verdicts: Verdicts::All(suppressed(Reason::Complaint)),
        source: "https://www.twilio.com/docs/sendgrid/api-reference/spam-reports-api/retrieve-all-spam-reports",
    },
    Exporter {
        code: "sendgrid_invalid_emails",
        name: "SendGrid invalid emails",
        columns: &["email", "reason", "created"],
        is_exact: true,
        fields: &[(Note, "reason"), (FirstSeen, "created")],
        verdicts: Verdicts::All(suppressed(Reason::Invalid)),
        source: "https://www.twilio.com/docs/sendgrid/api-reference/invalid-e-mails-api/retrieve-all-invalid-emails",
    },
    Exporter {
        code: "sendgrid_unsubscribes",
        name: "SendGrid unsubscribes",
        columns: &["email", "created"],
        is_exact: true,
        fields: &[(FirstSeen, "created")],
        verdicts: Verdicts::All(suppressed(Reason::Unsubscribe)),
        source: "https://www.twilio.com/docs/sendgrid/api-reference/suppressions-global-suppressions",
    },
    Exporter {
        code: "mailgun_bounces",
        name: "Mailgun bounces",
        columns: &["address", "code", "error", "created at"],
        is_exact: false,
        fields: &[(Email, "address"), (VendorCode, "code"), (Note, "error"), (FirstSeen, "created at")],
        verdicts: Verdicts::All(suppressed(Reason::HardBounce)),
        source: "https://documentation.mailgun.com/docs/mailgun/api-reference/openapi-final/tag/Bounces/",
    },
    Exporter {
        code: "mailgun_unsubscribes",
        name: "Mailgun unsubscribes",
        columns: &["address", "tags", "created at"],
        is_exact: false,
        fields: &[(Email, "address"), (Note, "tags"), (FirstSeen, "created at")],
        verdicts: Verdicts::All(suppressed(Reason::Unsubscribe)),
        source: "https://documentation.mailgun.com/docs/mailgun/api-reference/openapi-final/tag/Unsubscribe/",
    },
    Exporter {
        code: "mailgun_complaints",
        name: "Mailgun complaints",
        columns: &["address", "created at"],
        is_exact: true,
        fields: &[(Email, "address"), (FirstSeen, "created at")],
        verdicts: Verdicts::All(suppressed(Reason::Complaint)),
        source: "https://documentation.mailgun.com/docs/mailgun/api-reference/openapi-final/tag/Complaints/",
    },
    Exporter {
        code: "postmark_suppressions",
        name: "Postmark suppressions",
        columns: &["emailaddress", "suppressionreason"],
        is_exact: false,
        fields: &[(Why, "suppressionreason"), (Source, "origin"), (FirstSeen, "createdat")],
        // A person who unsubscribes is a manual suppression by the recipient: the origin is kept as the source.
        verdicts: Verdicts::Words(&[], None),
        source: "https://postmarkapp.com/developer/api/suppressions-api",
    },
    Exporter {
        code: "ses_suppressed_destinations",
        name: "Amazon SES suppressed destinations",
        columns: &["emailaddress", "reason", "lastupdatetime"],
        is_exact: false,
        fields: &[(Why, "reason"), (FirstSeen, "lastupdatetime")],
        verdicts: Verdicts::Words(&[], None),
        source: "https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SuppressedDestinationSummary.html",
    },
    Exporter {
        code: "mailchimp_cleaned",
        name: "Mailchimp cleaned contacts",
        columns: &["email address", "clean time"],
        is_exact: false,
        fields: &[(FirstSeen, "clean time"), (Note, "clean campaign title")],
        verdicts: Verdicts::All(suppressed(Reason::HardBounce)),
        source: "https://mailchimp.com/help/view-export-contacts/",
    },
    Exporter {
        code: "mailchimp_unsubscribed",
        name: "Mailchimp unsubscribed contacts",
        columns: &["email address", "unsub time"],
        is_exact: false,
        fields: &[(FirstSeen, "unsub time"), (VendorCode, "unsub reason"), (Note, "unsub reason other")],
        verdicts: Verdicts::All(suppressed(Reason::Unsubscribe)),
        source: "https://mailchimp.com/help/view-export-contacts/",
    },
    Exporter {
        code: "mailchimp_subscribed",
        name: "Mailchimp subscribed contacts",
        columns: &["email address", "optin time", "leid", "euid"],
        is_exact: false,
        fields: &[],
        verdicts: Verdicts::All(Verdict::Sendable),
        source: "https://mailchimp.com/help/view-export-contacts/",
    },
    Exporter {
        code: "brevo_blocked_contacts",
        name: "Brevo blocked contacts",
        columns: &["email", "reason code", "blockedat"],
        is_exact: false,
        fields: &[(Why, "reason code"), (Note, "reason message"), (Source, "senderemail"), (FirstSeen, "blockedat")],
        verdicts: Verdicts::Words(
            &[
                ("unsubscribed via ma", suppressed(Reason::Unsubscribe)),
                ("unsubscribed via email", suppressed(Reason::Unsubscribe)),
                ("unsubscribed via api", suppressed(Reason::Unsubscribe)),
                ("contact flagged as spam", suppressed(Reason::Complaint)),
                ("admin blocked", suppressed(Reason::Manual)),
            ],
            None,
        ),
        source: "https://developers.brevo.com/reference/get-transac-blocked-contacts",
    },
    Exporter {
        code: "mailerlite_subscribers",
        name: "MailerLite subscribers",
        columns: &["email", "status", "subscribed at", "unsubscribed at"],
        is_exact: false,
        fields: &[(Why, "status"), (Source, "source"), (FirstSeen, "unsubscribed at")],
        verdicts: Verdicts::Words(&[], None),
        source: "https://developers.mailerlite.com/docs/subscribers.html",
    },
    Exporter {
        code: "kit_subscribers",
        name: "Kit (ConvertKit) subscribers",
        columns: &["email address", "state", "first name", "created at"],
        is_exact: false,
        fields: &[(Why, "state")],
        verdicts: Verdicts::Words(&[], None),
        source: "https://developers.kit.com/api-reference/subscribers/list-subscribers",
    },
    Exporter {
        code: "activecampaign_contacts",
        name: "ActiveCampaign contacts",
        columns: &["email", "bounced hard", "bounced soft"],
        is_exact: false,
        fields: &[(Why, "bounced hard"), (FirstSeen, "bounced date")],
        // How often mail to the address has bounced for good.
        verdicts: Verdicts::Words(
            &[
                ("1", suppressed(Reason::HardBounce)),
                ("2", suppressed(Reason::HardBounce)),
                ("3", suppressed(Reason::HardBounce)),
            ],
            Some(Verdict::Sendable),
        ),
        source: "https://developers.activecampaign.com/reference/list-all-contacts",
    },
];

impl Exporter {
    /// The export that has columns of these normal names.
    pub(crate) fn of(columns: &[String]) -> Option<&'static Self> {
        let has = |name: &&str| columns.iter().any(|column| column == name);
        let fits = |exporter: &&Self| {
            exporter.columns.iter().all(has) && (!exporter.is_exact || exporter.columns.len() == columns.len())
        };
        EXPORTERS.iter().find(fits)
    }

    /// The export of this code.
    pub fn of_code(code: &str) -> Option<&'static Self> {
        EXPORTERS.iter().find(|exporter| exporter.code == code)
    }

    /// Which of these columns mean something.
    pub(crate) fn fields(&self, columns: &[String]) -> impl Iterator<Item = (Field, usize)> {
        self.fields.iter().filter_map(|(field, name)| Some((*field, columns.iter().position(|column| column == name)?)))
    }

    /// What a row says that has this reason and this code.
    pub(crate) fn verdict(&self, reason: Option<&str>, code: Option<&str>) -> Option<Verdict> {
        match &self.verdicts {
            Verdicts::All(verdict) => Some(*verdict),
            Verdicts::StatusCode => Some(of_status(code)),
            Verdicts::Words(words, otherwise) => {
                let own = |word: &str| {
                    let word = plain(word);
                    words.iter().find(|(known, _)| *known == word).map(|(_, verdict)| *verdict)
                };
                reason.and_then(|word| own(word).or_else(|| verdict(word))).or(*otherwise)
            }
        }
    }

    /// The columns that make it known, for people.
    pub fn columns(&self) -> &'static [&'static str] {
        self.columns
    }

    /// The column of each field, as far as they are not called as usual.
    pub fn known_fields(&self) -> &'static [(Field, &'static str)] {
        self.fields
    }

    /// What its rows mean, in one plain sentence.
    pub fn meaning(&self) -> String {
        let said = |verdict: &Verdict| match verdict {
            Verdict::Suppressed(reason) => reason.code().to_owned(),
            Verdict::Sendable => "skipped".to_owned(),
        };
        match &self.verdicts {
            Verdicts::All(verdict) => said(verdict),
            Verdicts::StatusCode => {
                "hard_bounce; skipped where the status is 4.x.x (a trouble that passes) or 5.7.x (a refusal of that mail)"
                    .to_owned()
            }
            Verdicts::Words(words, otherwise) => {
                let words = words.iter().map(|(word, verdict)| format!("{word}: {}", said(verdict)));
                let last = otherwise.iter().map(|verdict| format!("else {}", said(verdict)));
                words.chain(["the words below".to_owned()]).chain(last).collect::<Vec<_>>().join("; ")
            }
        }
    }
}

/// What an enhanced status code says: 4.x.x passes, 5.7.x is a refusal of that mail and not of the address.
fn of_status(code: Option<&str>) -> Verdict {
    let code = code.unwrap_or_default().trim();
    if code.starts_with('4') || code.starts_with("5.7.") { Verdict::Sendable } else { suppressed(Reason::HardBounce) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names;

    #[test]
    fn each_export_is_recognised_by_its_own_columns() {
        for exporter in EXPORTERS {
            let columns: Vec<String> = exporter.columns.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(Exporter::of(&columns).map(|found| found.code), Some(exporter.code));
            assert!(columns.iter().all(|name| names::normal(name) == *name), "{}", exporter.code);
            assert_eq!(Exporter::of_code(exporter.code), Some(exporter));
            let has_addresses = columns.iter().any(|name| names::is_email(name))
                || exporter.fields.iter().any(|(field, name)| *field == Email && columns.iter().any(|c| c == name));
            assert!(has_addresses, "{}", exporter.code);
        }
    }

    #[test]
    fn a_temporary_failure_is_no_bounce() {
        for (code, verdict) in [
            ("5.1.1", suppressed(Reason::HardBounce)),
            ("550", suppressed(Reason::HardBounce)),
            ("", suppressed(Reason::HardBounce)),
            ("4.2.2", Verdict::Sendable),
            ("5.7.1", Verdict::Sendable),
        ] {
            assert_eq!(of_status(Some(code)), verdict, "{code}");
        }
    }
}
