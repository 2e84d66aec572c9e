//! The exports of other mail tools: the table of them.
//!
//! This is data: another export is another [`Exporter`] in [`EXPORTERS`]. An export is recognised when every column
//! that makes it known is there, whatever else is; the first that fits wins, so those with more columns stand before
//! those with fewer. The columns are those that the tools document, mostly of their APIs. A file of theirs with other
//! columns is read by the names and words that mean the same everywhere (`names`, `reason`).
//!
//! What is doubtful is decided so that nobody who may get mail is blocked in silence, and nobody who left gets any:
//!
//! - SendGrid's blocks have the columns of its bounces. A row whose status says that the trouble passes, or that the mail
//!   and not the address was refused, is left out and counted. Where it has no status it is a hard bounce.
//! - Someone who unsubscribed from some of the mail (a tag of Mailgun, an audience of Mailchimp) gets none.
//! - A person's own manual suppression at Postmark is an unsubscription; one by the sender is manual.

use crate::exporter::{DateFormat, Exporter, Lists, Verdicts, suppressed};
use crate::mapping::Field::{Email, FirstSeen, Note, Reason as Why, Source, VendorCode};
use crate::reason::{Reason, Verdict};

/// Every export that is known.
pub static EXPORTERS: &[Exporter] = &[
    Exporter {
        code: "sendgrid_bounces",
        name: "SendGrid bounces",
        columns: &["status", "reason", "email", "created"],
        is_exact: true,
        fields: &[(VendorCode, "status"), (Note, "reason"), (FirstSeen, "created")],
        lists: Lists::Blocks,
        verdicts: Verdicts::StatusCode,
        dates: DateFormat::UnixSeconds,
        source: "https://www.twilio.com/docs/sendgrid/api-reference/bounces-api/retrieve-all-bounces",
    },
    // The same columns: it is only known by being asked for.
    Exporter {
        code: "sendgrid_blocks",
        name: "SendGrid blocks",
        columns: &["status", "reason", "email", "created"],
        is_exact: true,
        fields: &[(VendorCode, "status"), (Note, "reason"), (FirstSeen, "created")],
        lists: Lists::Blocks,
        verdicts: Verdicts::All(Verdict::Sendable),
        dates: DateFormat::UnixSeconds,
        source: "https://www.twilio.com/docs/sendgrid/api-reference/blocks-api/retrieve-all-blocks",
    },
    Exporter {
        code: "sendgrid_spam_reports",
        name: "SendGrid spam reports",
        columns: &["email", "ip", "created"],
        is_exact: true,
        fields: &[(FirstSeen, "created")],
        lists: Lists::Blocks,
        verdicts: Verdicts::All(suppressed(Reason::Complaint)),
        dates: DateFormat::UnixSeconds,
        source: "https://www.twilio.com/docs/sendgrid/api-reference/spam-reports-api/retrieve-all-spam-reports",
    },
    Exporter {
        code: "sendgrid_invalid_emails",
        name: "SendGrid invalid emails",
        columns: &["email", "reason", "created"],
        is_exact: true,
        fields: &[(Note, "reason"), (FirstSeen, "created")],
        lists: Lists::Blocks,
        verdicts: Verdicts::All(suppressed(Reason::Invalid)),
        dates: DateFormat::UnixSeconds,
        source: "https://www.twilio.com/docs/sendgrid/api-reference/invalid-e-mails-api/retrieve-all-invalid-emails",
    },
    Exporter {
        code: "sendgrid_unsubscribes",
        name: "SendGrid unsubscribes",
        columns: &["email", "created"],
        is_exact: true,
        fields: &[(FirstSeen, "created")],
        lists: Lists::Blocks,
        verdicts: Verdicts::All(suppressed(Reason::Unsubscribe)),
        dates: DateFormat::UnixSeconds,
        source: "https://www.twilio.com/docs/sendgrid/api-reference/suppressions-global-suppressions",
    },
    Exporter {
        code: "mailgun_bounces",
        name: "Mailgun bounces",
        columns: &["address", "code", "error", "created at"],
        is_exact: false,
        fields: &[(Email, "address"), (VendorCode, "code"), (Note, "error"), (FirstSeen, "created at")],
        lists: Lists::Blocks,
        verdicts: Verdicts::All(suppressed(Reason::HardBounce)),
        dates: DateFormat::Rfc2822,
        source: "https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/bounces",
    },
    Exporter {
        code: "mailgun_unsubscribes",
        name: "Mailgun unsubscribes",
        columns: &["address", "tags", "created at"],
        is_exact: true,
        fields: &[(Email, "address"), (Note, "tags"), (FirstSeen, "created at")],
        lists: Lists::Blocks,
        verdicts: Verdicts::All(suppressed(Reason::Unsubscribe)),
        dates: DateFormat::Rfc2822,
        source: "https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/unsubscribe",
    },
    Exporter {
        code: "mailgun_complaints",
        name: "Mailgun complaints",
        columns: &["address", "created at"],
        is_exact: true,
        fields: &[(Email, "address"), (FirstSeen, "created at")],
        lists: Lists::Blocks,
        verdicts: Verdicts::All(suppressed(Reason::Complaint)),
        dates: DateFormat::Rfc2822,
        source: "https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/complaints",
    },
    Exporter {
        code: "mailgun_allowlist",
        name: "Mailgun allowlist",
        columns: &["type", "value", "reason", "createdat"],
        is_exact: true,
        fields: &[(Email, "value"), (Note, "reason"), (FirstSeen, "createdat")],
        lists: Lists::People,
        verdicts: Verdicts::All(Verdict::Sendable),
        dates: DateFormat::Rfc2822,
        source: "https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/allowlist",
    },
    Exporter {
        code: "postmark_suppressions",
        name: "Postmark suppressions",
        columns: &["emailaddress", "suppressionreason"],
        is_exact: false,
        fields: &[(Why, "suppressionreason"), (Source, "origin"), (FirstSeen, "createdat")],
        lists: Lists::Blocks,
        verdicts: Verdicts::Words(&[("manual suppression recipient", suppressed(Reason::Unsubscribe))], None),
        dates: DateFormat::Iso8601,
        source: "https://postmarkapp.com/developer/api/suppressions-api",
    },
    Exporter {
        code: "postmark_bounces",
        name: "Postmark bounces",
        columns: &["record type", "type", "email", "bounced at"],
        is_exact: false,
        fields: &[(Why, "type"), (Note, "description"), (FirstSeen, "bounced at")],
        lists: Lists::People,
        // The other types are of troubles that pass, or of mail and not of its address.
        verdicts: Verdicts::Words(
            &[
                ("manually deactivated", suppressed(Reason::Manual)),
                ("bad email address", suppressed(Reason::Invalid)),
                ("blocked", Verdict::Sendable),
            ],
            Some(Verdict::Sendable),
        ),
        dates: DateFormat::Iso8601,
        source: "https://postmarkapp.com/developer/api/bounce-api",
    },
    Exporter {
        code: "ses_suppressed_destinations",
        name: "Amazon SES suppressed destinations",
        columns: &["emailaddress", "reason", "lastupdatetime"],
        is_exact: false,
        fields: &[(Why, "reason"), (FirstSeen, "lastupdatetime")],
        lists: Lists::Blocks,
        verdicts: Verdicts::Words(&[], None),
        // The command line writes ISO 8601, other clients seconds.
        dates: DateFormat::Iso8601,
        source: "https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SuppressedDestinationSummary.html",
    },
    Exporter {
        code: "mailchimp_cleaned",
        name: "Mailchimp cleaned contacts",
        columns: &["email address", "clean time"],
        is_exact: false,
        fields: &[(FirstSeen, "clean time"), (Note, "clean campaign title")],
        lists: Lists::BlocksByDate,
        verdicts: Verdicts::All(suppressed(Reason::HardBounce)),
        dates: DateFormat::Iso8601,
        source: "https://mailchimp.com/help/view-export-contacts/",
    },
    Exporter {
        code: "mailchimp_unsubscribed",
        name: "Mailchimp unsubscribed contacts",
        columns: &["email address", "unsub time"],
        is_exact: false,
        fields: &[(FirstSeen, "unsub time"), (VendorCode, "unsub reason"), (Note, "unsub reason other")],
        lists: Lists::BlocksByDate,
        // The reason that somebody gave may be spam.
        verdicts: Verdicts::Words(&[], Some(suppressed(Reason::Unsubscribe))),
        dates: DateFormat::Iso8601,
        source: "https://mailchimp.com/help/view-export-contacts/",
    },
    Exporter {
        code: "mailchimp_subscribed",
        name: "Mailchimp subscribed contacts",
        columns: &["email address", "optin time", "leid", "euid"],
        is_exact: false,
        fields: &[],
        lists: Lists::People,
        verdicts: Verdicts::All(Verdict::Sendable),
        dates: DateFormat::Iso8601,
        source: "https://mailchimp.com/help/view-export-contacts/",
    },
    Exporter {
        code: "brevo_blocked_contacts",
        name: "Brevo blocked and unsubscribed contacts",
        columns: &["email", "reason code", "blockedat"],
        is_exact: false,
        fields: &[(Why, "reason code"), (Note, "reason message"), (Source, "senderemail"), (FirstSeen, "blockedat")],
        lists: Lists::Blocks,
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
        dates: DateFormat::Iso8601,
        source: "https://developers.brevo.com/reference/get-transac-blocked-contacts",
    },
    Exporter {
        code: "brevo_contacts",
        name: "Brevo contacts",
        columns: &["email", "emailblacklisted"],
        is_exact: false,
        fields: &[(Why, "emailblacklisted")],
        lists: Lists::People,
        // Whoever unsubscribes, complains or bounces is blocklisted, and the list does not say which it was.
        verdicts: Verdicts::Words(
            &[
                ("true", suppressed(Reason::Unsubscribe)),
                ("yes", suppressed(Reason::Unsubscribe)),
                ("1", suppressed(Reason::Unsubscribe)),
                ("false", Verdict::Sendable),
                ("no", Verdict::Sendable),
                ("0", Verdict::Sendable),
            ],
            None,
        ),
        dates: DateFormat::Iso8601,
        source: "https://developers.brevo.com/reference/get-contacts",
    },
    Exporter {
        code: "mailerlite_subscribers",
        name: "MailerLite subscribers",
        columns: &["email", "status", "subscribed at", "unsubscribed at"],
        is_exact: false,
        fields: &[(Why, "status"), (Source, "source"), (FirstSeen, "unsubscribed at")],
        lists: Lists::People,
        verdicts: Verdicts::Words(&[], None),
        dates: DateFormat::Iso8601,
        source: "https://developers.mailerlite.com/docs/subscribers.html",
    },
    Exporter {
        code: "klaviyo_profiles",
        name: "Klaviyo profiles with their subscriptions",
        columns: &["attributes email", "attributes subscriptions email marketing consent"],
        is_exact: false,
        fields: &[
            (Email, "attributes email"),
            (Why, "attributes subscriptions email marketing suppression reason"),
            (FirstSeen, "attributes subscriptions email marketing suppression timestamp"),
            (Source, "attributes subscriptions email marketing consent"),
        ],
        lists: Lists::People,
        verdicts: Verdicts::Words(&[], None),
        dates: DateFormat::Iso8601,
        source: "https://developers.klaviyo.com/en/reference/get_profiles",
    },
    Exporter {
        code: "activecampaign_contacts",
        name: "ActiveCampaign contacts",
        columns: &["email", "bounced hard", "bounced soft", "bounced date"],
        is_exact: false,
        fields: &[(FirstSeen, "bounced date")],
        // The number of hard bounces.
        lists: Lists::People,
        verdicts: Verdicts::Columns,
        dates: DateFormat::Iso8601,
        source: "https://developers.activecampaign.com/reference/list-all-contacts",
    },
    Exporter {
        code: "kit_subscribers",
        name: "Kit (ConvertKit) subscribers",
        columns: &["email address", "state", "first name", "created at"],
        is_exact: false,
        // The date is that of the subscription.
        fields: &[(Why, "state")],
        lists: Lists::People,
        verdicts: Verdicts::Words(&[("cancelled", suppressed(Reason::Unsubscribe))], None),
        dates: DateFormat::Iso8601,
        source: "https://developers.kit.com/api-reference/subscribers/list-subscribers",
    },
    Exporter {
        code: "sparkpost_suppressions",
        name: "SparkPost suppressions",
        columns: &["recipient", "type", "source", "description"],
        is_exact: false,
        // The type says which mail somebody must not get, and not why.
        fields: &[
            (Email, "recipient"),
            (Why, "source"),
            (VendorCode, "type"),
            (Note, "description"),
            (FirstSeen, "created"),
        ],
        lists: Lists::Blocks,
        verdicts: Verdicts::Words(
            &[
                ("bounce rule", suppressed(Reason::HardBounce)),
                ("spam complaint", suppressed(Reason::Complaint)),
                ("list unsubscribe", suppressed(Reason::Unsubscribe)),
                ("unsubscribe link", suppressed(Reason::Unsubscribe)),
                ("manually added", suppressed(Reason::Manual)),
                ("compliance", suppressed(Reason::Manual)),
                ("transactional", suppressed(Reason::Manual)),
                ("non transactional", suppressed(Reason::Manual)),
            ],
            Some(suppressed(Reason::Manual)),
        ),
        dates: DateFormat::Iso8601,
        source: "https://developers.sparkpost.com/api/suppression-list/",
    },
    Exporter {
        code: "mandrill_rejects",
        name: "Mandrill rejects",
        columns: &["email", "reason", "detail"],
        is_exact: false,
        fields: &[(Why, "reason"), (Note, "detail"), (FirstSeen, "created at")],
        lists: Lists::People,
        verdicts: Verdicts::Words(&[("custom", suppressed(Reason::Manual))], None),
        dates: DateFormat::Iso8601,
        source: "https://mailchimp.com/developer/transactional/api/rejects/",
    },
    Exporter {
        code: "hubspot_contacts",
        name: "HubSpot contacts",
        columns: &["email", "unsubscribed from all email"],
        is_exact: false,
        fields: &[],
        lists: Lists::People,
        verdicts: Verdicts::Columns,
        dates: DateFormat::Iso8601,
        source: "https://knowledge.hubspot.com/properties/hubspots-default-contact-properties",
    },
    Exporter {
        code: "ghost_members",
        name: "Ghost members",
        columns: &["email", "subscribed to emails"],
        is_exact: false,
        fields: &[],
        lists: Lists::People,
        verdicts: Verdicts::Columns,
        dates: DateFormat::Iso8601,
        source: "https://ghost.org/help/import-members/",
    },
    Exporter {
        code: "mailpoet_subscribers",
        name: "MailPoet subscribers",
        columns: &["email", "global status"],
        is_exact: false,
        fields: &[(Why, "global status")],
        lists: Lists::People,
        verdicts: Verdicts::Words(&[], None),
        dates: DateFormat::Iso8601,
        source: "https://kb.mailpoet.com/article/245-how-to-export-subscribers",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names;

    #[test]
    fn each_export_is_recognised_by_its_own_columns() {
        for exporter in EXPORTERS {
            let columns: Vec<String> = exporter.columns.iter().map(|name| (*name).to_owned()).collect();
            let expected = if exporter.code == "sendgrid_blocks" { "sendgrid_bounces" } else { exporter.code };
            assert_eq!(Exporter::of(&columns, &[]).map(|found| found.code), Some(expected));
            assert!(columns.iter().all(|name| names::normal(name) == *name), "{}", exporter.code);
            assert_eq!(Exporter::of_code(exporter.code), Some(exporter));
            let has_addresses = columns.iter().any(|name| names::is_email(name))
                || exporter.fields.iter().any(|(field, name)| *field == Email && columns.iter().any(|c| c == name));
            assert!(has_addresses, "{}", exporter.code);
        }
    }

    #[test]
    fn each_export_is_described() {
        for exporter in EXPORTERS {
            assert!(!exporter.meaning().is_empty() && !exporter.name.is_empty());
            assert!(exporter.source.starts_with("https://"));
        }
    }
}
