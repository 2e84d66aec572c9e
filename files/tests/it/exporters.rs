//! The exports of other tools, as they come.

use usher_files::{EXPORTERS, Reason};

use crate::{open, read};

/// A file of each export, and what its rows mean: reason (or the fault), code, note, date.
type Sample = (
    &'static str,
    &'static str,
    &'static [(&'static str, Option<&'static str>, Option<&'static str>, Option<&'static str>)],
);

const SAMPLES: &[Sample] = &[
    (
        "sendgrid_bounces",
        "status,reason,email,created\n5.1.1,550 no such user,a@example.com,1443651125\n4.2.2,mailbox full,b@example.com,1443651126\n5.7.1,blocked,c@example.com,1443651127\n",
        &[
            ("hard_bounce", Some("5.1.1"), Some("550 no such user"), Some("1443651125")),
            ("sendable", None, None, None),
            ("sendable", None, None, None),
        ],
    ),
    (
        "sendgrid_spam_reports",
        "email,ip,created\na@example.com,192.0.2.1,1443651125\n",
        &[("complaint", None, None, Some("1443651125"))],
    ),
    (
        "sendgrid_invalid_emails",
        "email,reason,created\na@example.com,Mail domain mentioned in email address is unknown,1443651125\n",
        &[("invalid", None, Some("Mail domain mentioned in email address is unknown"), Some("1443651125"))],
    ),
    (
        "sendgrid_unsubscribes",
        "email,created\na@example.com,1443651125\n",
        &[("unsubscribe", None, None, Some("1443651125"))],
    ),
    (
        "mailgun_bounces",
        "address,code,error,created_at\na@example.com,550,No such mailbox,\"Mon, 06 May 2024 18:11:58 UTC\"\n",
        &[("hard_bounce", Some("550"), Some("No such mailbox"), Some("Mon, 06 May 2024 18:11:58 UTC"))],
    ),
    (
        "mailgun_unsubscribes",
        "{\"items\":[{\"address\":\"a@example.com\",\"tags\":[\"*\"],\"created_at\":\"Mon, 06 May 2024 18:11:58 UTC\"}],\"paging\":{}}",
        &[("unsubscribe", None, Some("[\"*\"]"), Some("Mon, 06 May 2024 18:11:58 UTC"))],
    ),
    (
        "mailgun_complaints",
        "address,created_at\na@example.com,\"Mon, 06 May 2024 18:11:58 UTC\"\n",
        &[("complaint", None, None, Some("Mon, 06 May 2024 18:11:58 UTC"))],
    ),
    (
        "postmark_suppressions",
        "{\"Suppressions\":[{\"EmailAddress\":\"a@example.com\",\"SuppressionReason\":\"ManualSuppression\",\"Origin\":\"Recipient\",\"CreatedAt\":\"2019-12-10T08:58:33-05:00\"},{\"EmailAddress\":\"b@example.com\",\"SuppressionReason\":\"HardBounce\",\"Origin\":\"Recipient\",\"CreatedAt\":\"2019-12-11T08:58:33-05:00\"}]}",
        &[
            ("manual", None, None, Some("2019-12-10T08:58:33-05:00")),
            ("hard_bounce", None, None, Some("2019-12-11T08:58:33-05:00")),
        ],
    ),
    (
        "ses_suppressed_destinations",
        "{\"SuppressedDestinationSummaries\":[{\"EmailAddress\":\"a@example.com\",\"Reason\":\"BOUNCE\",\"LastUpdateTime\":\"2020-04-10T21:03:05+00:00\"},{\"EmailAddress\":\"b@example.com\",\"Reason\":\"COMPLAINT\",\"LastUpdateTime\":1586552585.0}]}",
        &[
            ("hard_bounce", None, None, Some("2020-04-10T21:03:05+00:00")),
            ("complaint", None, None, Some("1586552585.0")),
        ],
    ),
    (
        "mailchimp_cleaned",
        "\"Email Address\",\"First Name\",MEMBER_RATING,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,LEID,EUID\na@example.com,Ann,2,\"2024-03-01 09:00:00\",Spring,1,x\n",
        &[("hard_bounce", None, Some("Spring"), Some("2024-03-01 09:00:00"))],
    ),
    (
        "mailchimp_unsubscribed",
        "\"Email Address\",UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON,UNSUB_REASON_OTHER\na@example.com,\"2024-03-01 09:00:00\",Spring,NORMAL,bored\n",
        &[("unsubscribe", Some("NORMAL"), Some("bored"), Some("2024-03-01 09:00:00"))],
    ),
    (
        "mailchimp_subscribed",
        "\"Email Address\",OPTIN_TIME,LAST_CHANGED,LEID,EUID\na@example.com,\"2024-03-01 09:00:00\",x,1,y\n",
        &[("sendable", None, None, None)],
    ),
    (
        "brevo_blocked_contacts",
        "{\"contacts\":[{\"email\":\"a@example.com\",\"senderEmail\":\"shop@example.org\",\"reason\":{\"code\":\"unsubscribedViaMA\",\"message\":\"Unsubscribed via automation\"},\"blockedAt\":\"2024-03-01T09:00:00.000Z\"},{\"email\":\"b@example.com\",\"reason\":{\"code\":\"hardBounce\"},\"blockedAt\":\"x\"},{\"email\":\"c@example.com\",\"reason\":{\"code\":\"somethingNew\"},\"blockedAt\":null}],\"count\":3}",
        &[
            ("unsubscribe", None, Some("Unsubscribed via automation"), Some("2024-03-01T09:00:00.000Z")),
            ("hard_bounce", None, None, Some("x")),
            ("none", Some("somethingNew"), None, None),
        ],
    ),
    (
        "mailerlite_subscribers",
        "{\"data\":[{\"id\":\"1\",\"email\":\"a@example.com\",\"status\":\"junk\",\"source\":\"form\",\"subscribed_at\":\"x\",\"unsubscribed_at\":\"2024-03-01 09:00:00\",\"fields\":{\"name\":\"Ann\"}},{\"id\":\"2\",\"email\":\"b@example.com\",\"status\":\"active\",\"subscribed_at\":\"x\",\"unsubscribed_at\":null}],\"links\":{}}",
        &[("complaint", None, None, Some("2024-03-01 09:00:00")), ("sendable", None, None, None)],
    ),
    (
        "kit_subscribers",
        "{\"subscribers\":[{\"id\":1,\"first_name\":\"Ann\",\"email_address\":\"a@example.com\",\"state\":\"cancelled\",\"created_at\":\"2023-02-17T11:43:55Z\",\"fields\":{}},{\"id\":2,\"first_name\":null,\"email_address\":\"b@example.com\",\"state\":\"active\",\"created_at\":\"x\",\"fields\":{}}],\"pagination\":{}}",
        &[("unsubscribe", None, None, None), ("sendable", None, None, None)],
    ),
    (
        "activecampaign_contacts",
        "{\"contacts\":[{\"cdate\":\"x\",\"email\":\"a@example.com\",\"bounced_hard\":\"1\",\"bounced_soft\":\"0\",\"bounced_date\":\"2024-03-01\"},{\"cdate\":\"x\",\"email\":\"b@example.com\",\"bounced_hard\":\"0\",\"bounced_soft\":\"4\",\"bounced_date\":null}]}",
        &[("hard_bounce", None, None, Some("2024-03-01")), ("sendable", None, None, None)],
    ),
];

#[test]
fn each_export_is_read_as_it_is_meant() {
    for exporter in EXPORTERS {
        let (_, file, expected) = SAMPLES.iter().find(|(code, ..)| *code == exporter.code).expect(exporter.code);
        let mut reader = open(file.as_bytes()).unwrap();
        assert_eq!(reader.mapping().exporter, Some(exporter));
        let mut n_rows = 0;
        while let Some(row) = reader.next_row() {
            let row = row.unwrap();
            let said = match row.email {
                Ok(_) => row.reason.map_or("none", Reason::code),
                Err(fault) => fault.code(),
            };
            assert_eq!((said, row.vendor_code, row.note, row.first_seen), expected[n_rows], "{}", exporter.code);
            n_rows += 1;
        }
        assert_eq!(n_rows, expected.len());
    }
}

#[test]
fn a_sentence_names_the_export() {
    let (mapping, _) = read("address,created_at\na@example.com,x\n");
    let expected = "Mailgun complaints: table separated by commas in UTF-8, with a header: \
                    email is column 1 \"address\", first_seen is column 2 \"created_at\"";
    assert_eq!(mapping.to_string(), expected);
}

#[test]
fn klaviyos_words_are_known() {
    let file = "Email,Suppression Reason,Timestamp\na@example.com,HARD_BOUNCE,2023-02-21T20:07:38+00:00\n\
                b@example.com,INVALID_EMAIL,\nc@example.com,SPAM_COMPLAINT,\nd@example.com,UNSUBSCRIBE,\n\
                e@example.com,USER_SUPPRESSED,\n";
    let reasons: Vec<_> = read(file).1.iter().map(|row| row.reason.map(Reason::code)).collect();
    let expected = ["hard_bounce", "invalid", "complaint", "unsubscribe", "manual"];
    assert_eq!(reasons, expected.map(Some));
}
