//! What one column says about mail, by its name and its cells: tables of right values.

use std::io::Cursor;

use usher_files::{FileError, MailColumn, MailMeaning, MailWord, Reader, Reason, is_nothing, mail_column};

fn code(said: MailWord) -> &'static str {
    match said {
        MailWord::Nothing => "nothing",
        MailWord::Unclear => "unclear",
        MailWord::Sendable => "sendable",
        MailWord::SoftBounce => "soft",
        MailWord::Bounced => "bounced",
        MailWord::Suppressed(reason) => reason.code(),
    }
}

fn meaning(name: &str) -> Option<MailMeaning> {
    mail_column(name).map(MailColumn::meaning)
}

#[test]
fn names_say_what_they_are_about() {
    use MailMeaning::{Complaint, HardBounce, Invalid, Manual, NotMail, OptIn, OptOut, PerhapsStatus, Status};
    for (expected, names) in [
        (
            OptIn,
            "Newsletter;Accepts Email Marketing;accepts_marketing;subscribed_to_emails;Email Marketing Consent;Newsletter abonniert;\
             Werbeeinwilligung;Newsletter-Einwilligung;Inscrit à la newsletter;Marketing Opt-In;OPT_IN;News letter;boletín;Nieuwsbrief;\
             Subscribed?;メルマガ;Newsletter (ja/nein);Email Permission;Consent to marketing emails",
        ),
        (
            OptOut,
            "Unsubscribed;unsubscribed_at;UNSUB_TIME;Unsubscribed from all email;HasOptedOutOfEmail;Email Opt Out;Abgemeldet am;\
             Désabonné;Kein Newsletter;Keinen Newsletter;Pas de newsletter;Sin newsletter;Sin boletín;Niente newsletter;\
             Nessuna newsletter;Sem newsletter;Geen nieuwsbrief;Inget nyhetsbrev;No newsletter;Not subscribed;\
             Not opted in;Newsletter off;Newsletter deactivated;Stop newsletter;Exclude from newsletter;Removed from newsletter;\
             Email consent withdrawn;Email permission denied;Email consent revoked;Newsletter abbestellt;No marketing;Keine Werbung",
        ),
        (HardBounce, "Bounced;bounced_at;Hard bounced;Has hard bounced;Email hard bounce reason;Hard Bounces"),
        (
            Complaint,
            "Marked as spam;Marked email as spam;Reported as spam;Spam complaint;complained_at;Als Spam markiert",
        ),
        (Invalid, "Invalid email;Invalid email address;Undeliverable"),
        (
            Manual,
            "Blocked;emailBlacklisted;Is this subscriber blacklisted;Do not email;donotemail;Do not allow Emails;email_disabled;\
             No email;Keine E-Mails;Gesperrt;Suppressions",
        ),
        (Status, "Email status;Bounce type;Newsletter-Status;Email marketing status;email_subscriber_status"),
        (
            PerhapsStatus,
            "Status;Estado;Subscription status;Reason;Type;Consent;Data consent;Einwilligung;Inscrit;Angemeldet;Not unsubscribed;\
             Not blocked;Newsletter no;No opt-out;Nicht abgemeldet",
        ),
        (
            NotMail,
            "SMS opt-out;Phone opt in;Push opt-out;WhatsApp;WhatsApp newsletter;Telegram;Facebook;Podcast;Webinar;Consent to calls;\
             Order status;Payment status;Parcel;Photo consent;Cookie consent;SMS Consent;Lifecycle Stage;Telefonische Anrufe",
        ),
    ] {
        for name in names.split(';') {
            assert_eq!(meaning(name), Some(expected), "{name}");
        }
    }
    for name in [
        "Name;Email;City;Prioridad;Subscribed at;Unsubscribe link;Newsletter sent;Tags;Spam score;Bounce rate;Opens;Rating",
        "Newsletter topics;Country;id;Favourite food;Impact;Riesgo;Reason for joining;Marketing manager",
    ]
    .iter()
    .flat_map(|names| names.split(';'))
    {
        let meaning = meaning(name);
        assert!(meaning.is_none() || name == "Subscribed at", "{name} is {meaning:?}");
    }
}

#[test]
fn cells_say_what_their_name_makes_of_them() {
    for (name, cells) in [
        (
            "Newsletter",
            "yes sendable;1 sendable;no unsubscribe;0 unsubscribe;nein unsubscribe;1.0 sendable;0.0 unsubscribe;-1 sendable",
        ),
        (
            "Newsletter",
            "Nein danke unsubscribe;Ja gerne sendable;No thanks unsubscribe;stopped unsubscribe;Weekly unclear;NULL nothing",
        ),
        (
            "Newsletter",
            "Unsubscribed unsubscribe;cancelled unsubscribe;nan nothing;\\N nothing;bounced bounced;soft bounce soft",
        ),
        ("Kein Newsletter", "ja unsubscribe;nein sendable;x unsubscribe;perhaps unclear;- nothing"),
        ("Email consent withdrawn", "2024-01-01 unsubscribe;yes unsubscribe;no sendable;0001-01-01T00:00:00Z nothing"),
        (
            "unsubscribed_at",
            "2024-01-02 unsubscribe;1970-01-01 00:00:00 nothing;1899-12-30 nothing;0000-00-00 nothing;NaT nothing",
        ),
        (
            "unsubscribed_at",
            "03/04/2025 unsubscribe;1741082400 unsubscribe;-62135596800 nothing;01/01/1970 nothing;1900-01-00 nothing",
        ),
        (
            "Email Marketing Consent",
            "NEVER_SUBSCRIBED sendable;SUBSCRIBED sendable;UNSUBSCRIBED unsubscribe;withdrawn unsubscribe",
        ),
        ("Do not allow Emails", "Allow sendable;Do Not Allow manual;yes manual"),
        ("emailBlacklisted", "true manual;false sendable"),
        ("Blocked", "1 manual;2 unclear;removed unclear;no sendable"),
        ("Hard Bounces", "2 hard_bounce;0 sendable"),
        ("Bounced", "yes bounced;2024-01-02 bounced;no sendable;3 unclear;soft soft"),
        ("Email hard bounce reason", "UNKNOWN_USER hard_bounce;SPAM hard_bounce;MAILBOX_FULL hard_bounce"),
        (
            "Bounce reason",
            "mailbox full soft;no such user hard_bounce;over quota soft;452 4.2.2 full soft;550 5.1.1 x hard_bounce",
        ),
        ("Email status", "invalid invalid;removed unsubscribe;spam complaint;Transient soft;Engaged unclear"),
        (
            "Status",
            "unsubscribed unsubscribe;active sendable;gold nothing;removed unclear;blocked unclear;cleaned hard_bounce",
        ),
        ("Type", "Permanent unclear;Manual unclear;Complaint unclear;Unsubscribed unsubscribe;lead nothing"),
        ("Consent", "no unclear;yes unclear;Unsubscribed unsubscribe;Opted out unclear"),
        ("Not unsubscribed", "yes unclear;no unclear"),
        ("OPT_IN", "2024-01-01 sendable;No unsubscribe;perhaps unclear"),
        ("Subscribed at", "2024-01-01 10:00:00 sendable"),
        ("Soft bounced", "true soft;false nothing;2 soft"),
        ("WhatsApp", "Unsubscribed nothing;no nothing"),
        ("Marked email as spam", "true complaint;false sendable"),
    ] {
        let column = mail_column(name).unwrap_or_else(|| panic!("{name} is not known"));
        for case in cells.split(';') {
            let (cell, expected) = case.rsplit_once(' ').unwrap();
            assert_eq!(code(column.says(cell)), expected, "{name}: {cell}");
        }
    }
}

#[test]
fn the_cells_of_a_row_say_something_together() {
    use MailWord::{Bounced, Nothing, Sendable, SoftBounce, Suppressed, Unclear};
    let (left, gone, spam) = (Reason::Unsubscribe, Reason::HardBounce, Reason::Complaint);
    for (cells, expected) in [
        (&[][..], Nothing),
        (&[Nothing, Sendable], Sendable),
        (&[Unclear, Sendable], Sendable),
        (&[Nothing, Unclear], Unclear),
        (&[Bounced, Sendable], Suppressed(gone)),
        (&[Bounced, SoftBounce, Sendable], SoftBounce),
        (&[SoftBounce, Bounced, Suppressed(left)], Suppressed(left)),
        (&[SoftBounce, Suppressed(gone)], Suppressed(gone)),
        (&[Bounced, Suppressed(spam)], Suppressed(spam)),
        (&[Suppressed(left), Bounced], Suppressed(gone)),
    ] {
        assert_eq!(MailWord::together(cells.iter().copied()), expected, "{cells:?}");
    }
}

#[test]
fn what_programs_write_for_nothing_is_nothing() {
    for cell in [
        "",
        " ",
        "-",
        "--",
        "—",
        "n/a",
        "#N/A",
        "<NA>",
        "NULL",
        "(null)",
        "None",
        "nil",
        "nan",
        "NaT",
        "\\N",
        "[]",
        "undefined",
        "0000-00-00",
        "0000-00-00 00:00:00",
        "00/00/0000",
        "0001-01-01",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00",
        "1/1/0001 12:00:00 AM",
        "01/01/0001",
        "1970-01-01",
        "1970-01-01 00:00:00",
        "1970-01-01T00:00:00Z",
        "01.01.1970",
        "1969-12-31T19:00:00",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "1899-12-30",
        "1899-12-30T00:00:00",
        "1900-01-01",
        "1/1/1900",
        "1900-01-00",
        "1753-01-01",
        "-62135596800",
    ] {
        assert!(is_nothing(cell), "{cell}");
    }
    for cell in ["0", "no", "1", "2024-01-01", "1970-06-05", "1985-01-01", "x", "N", "0.0", "000", "Anna", "1741082400"]
    {
        assert!(!is_nothing(cell), "{cell}");
    }
}

#[test]
fn a_file_that_is_refused_names_the_columns_that_might_say_it() {
    for (file, expected) in [
        (
            "Email,Firstname,ZB Status,ZB Sub Status\na@x.example,Ann,valid,\nb@x.example,Ben,invalid,role_based\n\
             c@x.example,Ann,abuse,\n",
            &["ZB Status", "ZB Sub Status"][..],
        ),
        ("Email,Vorname,Ort,Einwilligung\na@x.example,A,Ulm,nein\nb@x.example,B,Ulm,ja\n", &["Einwilligung"]),
        ("Email,Name,Parcel,Member status\na@x.example,A,undeliverable,gone\n", &["Member status", "Parcel"]),
        ("Email,Name,Level\na@x.example,A,Gold\nb@x.example,B,Silver\n", &["Name", "Level"]),
    ] {
        let error = Reader::open(Cursor::new(file), 1 << 20).err().expect("a file that is refused");
        let FileError::ReasonNeeded { columns } = error else { panic!("{error}") };
        assert_eq!(columns, expected, "{file}");
    }
}
