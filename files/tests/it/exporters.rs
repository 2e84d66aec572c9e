//! The exports of other tools, as they come.

use std::io::Cursor;

use usher_files::{EXPORTERS, Field, Reader, Reason, Wanted};

use crate::{ENOUGH_BYTES, read};

/// A file of each export, and what its rows mean: reason (or the fault), code, note, date.
type Sample = (
    &'static str,
    &'static str,
    &'static [(&'static str, Option<&'static str>, Option<&'static str>, Option<&'static str>)],
);

const SAMPLES: &[Sample] = &[
    (
        "sendgrid_blocks",
        "status,reason,email,created\n5.1.1,550 no such user,a@example.com,1443651125\n",
        &[("sendable", None, None, None)],
    ),
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
            ("unsubscribe", None, None, Some("2019-12-10T08:58:33-05:00")),
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
        "\"Email Address\",UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON,UNSUB_REASON_OTHER\na@example.com,\"2024-03-01 09:00:00\",Spring,NORMAL,bored\nb@example.com,\"2024-03-01 09:00:00\",Spring,SPAM,\n",
        &[
            ("unsubscribe", Some("NORMAL"), Some("bored"), Some("2024-03-01 09:00:00")),
            ("complaint", Some("SPAM"), None, Some("2024-03-01 09:00:00")),
        ],
    ),
    (
        "mailchimp_subscribed",
        "\"Email Address\",OPTIN_TIME,LAST_CHANGED,LEID,EUID\na@example.com,\"2024-03-01 09:00:00\",x,1,y\n",
        &[("sendable", None, None, None)],
    ),
    (
        "mailgun_allowlist",
        "{\"items\":[{\"type\":\"address\",\"value\":\"a@example.com\",\"reason\":\"test\",\"createdAt\":\"Thu, 11 Dec 2025 01:49:40 UTC\"}]}",
        &[("sendable", None, None, None)],
    ),
    (
        "brevo_blocked_contacts",
        "{\"count\":3,\"contacts\":[{\"email\":\"a@example.com\",\"senderEmail\":\"me@example.org\",\"reason\":{\"code\":\"hardBounce\",\"message\":\"Hard bounce\"},\"blockedAt\":\"2017-05-01T12:30:00Z\"},{\"email\":\"b@example.com\",\"reason\":{\"code\":\"unsubscribedViaMA\",\"message\":\"Unsubscribed\"},\"blockedAt\":\"2017-05-01T12:30:00Z\"},{\"email\":\"c@example.com\",\"reason\":{\"code\":\"contactFlaggedAsSpam\",\"message\":\"Spam\"},\"blockedAt\":\"2017-05-01T12:30:00Z\"},{\"email\":\"d@example.com\",\"reason\":{\"code\":\"somethingNew\"},\"blockedAt\":null}]}",
        &[
            ("hard_bounce", None, Some("Hard bounce"), Some("2017-05-01T12:30:00Z")),
            ("unsubscribe", None, Some("Unsubscribed"), Some("2017-05-01T12:30:00Z")),
            ("complaint", None, Some("Spam"), Some("2017-05-01T12:30:00Z")),
            ("none", Some("somethingNew"), None, None),
        ],
    ),
    (
        "brevo_contacts",
        "{\"contacts\":[{\"email\":\"a@example.com\",\"emailBlacklisted\":true,\"listIds\":[1]},{\"email\":\"b@example.com\",\"emailBlacklisted\":false,\"listIds\":[1]}]}",
        &[("unsubscribe", None, None, None), ("sendable", None, None, None)],
    ),
    (
        "mailerlite_subscribers",
        "{\"data\":[{\"email\":\"a@example.com\",\"status\":\"junk\",\"source\":\"api\",\"subscribed_at\":\"2021-08-31 14:22:08\",\"unsubscribed_at\":null},{\"email\":\"b@example.com\",\"status\":\"unsubscribed\",\"source\":\"api\",\"subscribed_at\":\"2021-08-31 14:22:08\",\"unsubscribed_at\":\"2022-01-02 03:04:05\"},{\"email\":\"c@example.com\",\"status\":\"active\",\"source\":\"api\",\"subscribed_at\":\"2021-08-31 14:22:08\",\"unsubscribed_at\":null}]}",
        &[
            ("complaint", None, None, None),
            ("unsubscribe", None, None, Some("2022-01-02 03:04:05")),
            ("sendable", None, None, None),
        ],
    ),
    (
        "klaviyo_profiles",
        "{\"data\":[{\"type\":\"profile\",\"attributes\":{\"email\":\"a@example.com\",\"subscriptions\":{\"email\":{\"marketing\":{\"consent\":\"SUBSCRIBED\",\"suppression\":[{\"reason\":\"HARD_BOUNCE\",\"timestamp\":\"2023-02-21T20:07:38+00:00\"}]}}}}},{\"type\":\"profile\",\"attributes\":{\"email\":\"b@example.com\",\"subscriptions\":{\"email\":{\"marketing\":{\"consent\":\"UNSUBSCRIBED\",\"suppression\":[]}}}}},{\"type\":\"profile\",\"attributes\":{\"email\":\"c@example.com\",\"subscriptions\":{\"email\":{\"marketing\":{\"consent\":\"NEVER_SUBSCRIBED\",\"suppression\":[]}}}}}],\"links\":{\"next\":null}}",
        &[
            ("hard_bounce", None, None, Some("2023-02-21T20:07:38+00:00")),
            ("unsubscribe", None, None, None),
            ("sendable", None, None, None),
        ],
    ),
    (
        "activecampaign_contacts",
        "{\"contacts\":[{\"cdate\":\"2022-08-02T10:44:02-05:00\",\"email\":\"a@example.com\",\"bounced_hard\":\"1\",\"bounced_soft\":\"0\",\"bounced_date\":\"2022-08-03\"},{\"cdate\":\"2022-08-02T10:44:02-05:00\",\"email\":\"b@example.com\",\"bounced_hard\":\"0\",\"bounced_soft\":\"2\",\"bounced_date\":\"2022-08-03\"}],\"meta\":{}}",
        &[("hard_bounce", None, None, Some("2022-08-03")), ("sendable", None, None, None)],
    ),
    (
        "kit_subscribers",
        "{\"subscribers\":[{\"id\":1,\"first_name\":\"Ann\",\"email_address\":\"a@example.com\",\"state\":\"cancelled\",\"created_at\":\"2023-02-17T11:43:55Z\",\"fields\":{}},{\"id\":2,\"first_name\":null,\"email_address\":\"b@example.com\",\"state\":\"complained\",\"created_at\":\"2023-02-17T11:43:55Z\",\"fields\":{}},{\"id\":3,\"first_name\":null,\"email_address\":\"c@example.com\",\"state\":\"active\",\"created_at\":\"2023-02-17T11:43:55Z\",\"fields\":{}}],\"pagination\":{}}",
        &[("unsubscribe", None, None, None), ("complaint", None, None, None), ("sendable", None, None, None)],
    ),
    (
        "sparkpost_suppressions",
        "recipient,type,source,description,created,updated\na@example.com,transactional,Bounce Rule,550 5.1.1 unknown,2025-03-04T10:11:12Z,x\nb@example.com,non_transactional,Spam Complaint,,2025-03-04T10:11:12Z,x\nc@example.com,transactional,List Unsubscribe,,,\nd@example.com,non_transactional,Unsubscribe Link,,,\ne@example.com,transactional,Manually Added,by Eva,,\nf@example.com,transactional,Compliance,,,\ng@example.com,transactional,Something New,,,\n",
        &[
            ("hard_bounce", Some("transactional"), Some("550 5.1.1 unknown"), Some("2025-03-04T10:11:12Z")),
            ("complaint", Some("non_transactional"), None, Some("2025-03-04T10:11:12Z")),
            ("unsubscribe", Some("transactional"), None, None),
            ("unsubscribe", Some("non_transactional"), None, None),
            ("manual", Some("transactional"), Some("by Eva"), None),
            ("manual", Some("transactional"), None, None),
            ("manual", Some("transactional"), None, None),
        ],
    ),
    (
        "postmark_bounces",
        "RecordType,Type,Email,BouncedAt,Description\nBounce,HardBounce,a@example.com,2024-01-02T10:00:00Z,Unknown\nBounce,SoftBounce,b@example.com,2024-01-02T10:00:00Z,Full\nBounce,ManuallyDeactivated,c@example.com,2024-01-02T10:00:00Z,\n",
        &[
            ("hard_bounce", None, Some("Unknown"), Some("2024-01-02T10:00:00Z")),
            ("sendable", None, None, None),
            ("manual", None, None, Some("2024-01-02T10:00:00Z")),
        ],
    ),
    (
        "mandrill_rejects",
        "email,reason,detail,created_at,expires_at,expired\na@example.com,hard-bounce,550 mailbox does not exist,2024-03-01 10:00:00,x,no\nb@example.com,soft-bounce,421 later,2024-03-01 10:00:00,x,no\nc@example.com,unsub,by link,2024-03-01 10:00:00,,\nd@example.com,custom,asked,2024-03-01 10:00:00,,\ne@example.com,spam,,2024-03-01 10:00:00,,\n",
        &[
            ("hard_bounce", None, Some("550 mailbox does not exist"), Some("2024-03-01 10:00:00")),
            ("sendable", None, None, None),
            ("unsubscribe", None, Some("by link"), Some("2024-03-01 10:00:00")),
            ("manual", None, Some("asked"), Some("2024-03-01 10:00:00")),
            ("complaint", None, None, Some("2024-03-01 10:00:00")),
        ],
    ),
    (
        "hubspot_contacts",
        "Record ID,First Name,Email,Unsubscribed from all email,Email hard bounce reason,Create Date\n1,A,a@example.com,,UNKNOWN_USER,2020-01-01\n2,B,b@example.com,true,,2020-01-01\n3,C,c@example.com,false,,2020-01-01\n4,D,d@example.com,,,2020-01-01\n",
        &[
            ("hard_bounce", Some("UNKNOWN_USER"), None, None),
            ("unsubscribe", None, None, None),
            ("sendable", None, None, None),
            ("sendable", None, None, None),
        ],
    ),
    (
        "ghost_members",
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\n1,a@example.com,A,,true,false,,2022-01-01T00:00:00Z,,,\n2,b@example.com,B,,false,false,,2022-01-01T00:00:00Z,,,\n",
        &[("sendable", None, None, None), ("unsubscribe", None, None, None)],
    ),
    (
        "mailpoet_subscribers",
        "Email,First name,Last name,Global status,List status,Subscribed on IP\na@example.com,A,B,Subscribed,subscribed,1.2.3.4\nb@example.com,A,B,Unsubscribed,subscribed,\nc@example.com,A,B,Bounced,subscribed,\nd@example.com,A,B,,subscribed,\n",
        &[
            ("sendable", None, None, None),
            ("unsubscribe", None, None, None),
            ("hard_bounce", None, None, None),
            ("unclear", None, None, None),
        ],
    ),
];

#[test]
fn each_export_is_read_as_it_is_meant() {
    for exporter in EXPORTERS {
        let (_, file, expected) = SAMPLES.iter().find(|(code, ..)| *code == exporter.code).expect(exporter.code);
        let asked = Some(exporter).filter(|exporter| exporter.code == "sendgrid_blocks");
        let wanted = Wanted { exporter: asked, ..Wanted::default() };
        let mut reader = Reader::open_as(Cursor::new(file), ENOUGH_BYTES, &wanted).unwrap();
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
fn a_column_for_the_reason_overrules_the_export() {
    let file = "status,reason,email,created\n4.2.2,complaint,a@example.com,1443651125\n";
    let wanted = Wanted { columns: vec![(Field::Reason, "Reason".to_owned())], ..Wanted::default() };
    let mut reader = Reader::open_as(Cursor::new(file), ENOUGH_BYTES, &wanted).unwrap();
    let row = reader.next_row().unwrap().unwrap();
    assert_eq!(
        (row.reason, row.vendor_code, row.first_seen),
        (Some(Reason::Complaint), Some("4.2.2"), Some("1443651125"))
    );
    // Another column changes nothing else.
    let wanted = Wanted { columns: vec![(Field::Note, "created".to_owned())], ..Wanted::default() };
    let mut reader = Reader::open_as(Cursor::new(file), ENOUGH_BYTES, &wanted).unwrap();
    assert_eq!(reader.mapping().exporter.map(|exporter| exporter.code), Some("sendgrid_bounces"));
    assert_eq!(reader.next_row().unwrap().unwrap().email.unwrap_err().code(), "sendable");
}

#[test]
fn an_error_file_of_an_export_is_still_the_export() {
    let file = "email,reason.code,reason.message,blockedAt,line,error_code,error\na@example.com,hardBounce,x,2017-05-01,3,invalid_email,x\n";
    let (mapping, rows) = read(file);
    assert_eq!(mapping.exporter.map(|exporter| exporter.code), Some("brevo_blocked_contacts"));
    assert_eq!(rows[0].reason, Some(Reason::HardBounce));
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
