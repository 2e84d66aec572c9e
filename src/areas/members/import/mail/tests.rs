//! Tables of columns and cells, and what they say.

use Reason::{Complaint, HardBounce, Unsubscribe};

use super::*;

const NO: Said = Said::Not(Unsubscribe);

fn columns(names: &[&str]) -> MailColumns {
    let column = |name: &str| match is_about_deletion(name) {
        true => Some(Kind::Deleted),
        false => column_of(name).map(Kind::Mail),
    };
    MailColumns(names.iter().enumerate().filter_map(|(at, name)| Some((at, column(name)?))).collect())
}

#[test]
fn the_strongest_word_of_a_row_counts() {
    let columns = columns(&["Subscribed", "Unsubscribed", "Bounced", "Bounce type"]);
    for (cells, said) in [
        (["yes", "no", "", ""], Said::Nothing),
        (["maybe", "", "", ""], Said::Unclear),
        (["maybe", "yes", "", ""], Said::Not(Reason::Unsubscribe)),
        (["no", "", "1", ""], Said::Not(Reason::HardBounce)),
        (["yes", "", "1", "soft"], Said::Nothing),
        (["yes", "", "1", "hard"], Said::Not(Reason::HardBounce)),
    ] {
        assert_eq!(columns.said(|at| Some(cells[at])), said, "{cells:?}");
    }
}

#[test]
fn who_was_deleted_is_known_by_a_filled_cell() {
    for name in ["deleted_at", "Deleted", "Date deleted", "isDeleted", "Gelöscht am"] {
        let deleted = |text: &'static str| columns(&[name]).is_deleted(|_| Some(text));
        assert!(deleted("2025-01-01") && deleted("true") && deleted("yes"));
        for nothing in
            ["", "null", "0", "false", "0000-00-00 00:00:00", "-", "0001-01-01T00:00:00Z", "1970-01-01 00:00:00"]
        {
            assert!(!deleted(nothing), "{name}: {nothing}");
        }
    }
    assert!(!["Not deleted", "deleted_by", "deletedReason", "Undeleted"].iter().any(|name| is_about_deletion(name)));
}

#[test]
fn columns_of_other_tools_are_believed() {
    let mut wrong = Vec::new();
    for (name, cells) in [
        // Ghost, Shopify, Squarespace, BigCommerce, Magento, PrestaShop.
        ("subscribed_to_emails", &[("true", Said::Nothing), ("false", NO), ("", Said::Nothing)][..]),
        ("Accepts Email Marketing", &[("yes", Said::Nothing), ("no", NO)]),
        ("Accepts Marketing", &[("TRUE", Said::Nothing), ("FALSE", NO)]),
        ("accepts_marketing", &[("1", Said::Nothing), ("0", NO)]),
        (
            "Email Marketing: Status",
            &[("SUBSCRIBED", Said::Nothing), ("NOT_SUBSCRIBED", NO), ("UNSUBSCRIBED", NO), ("PENDING", Said::Unclear)],
        ),
        ("Receive Marketing Emails", &[("Yes", Said::Nothing), ("No", NO)]),
        ("Newsletter", &[("1", Said::Nothing), ("0", NO), ("Weekly", Said::Unclear), ("nein", NO)]),
        ("Newsletter subscription", &[("Subscribed", Said::Nothing), ("Unsubscribed", NO)]),
        // Mailchimp, Kit, MailerLite, Brevo, Klaviyo, beehiiv, Campaign Monitor, Constant Contact.
        ("UNSUB_TIME", &[("2025-03-04 10:11:12", NO), ("0000-00-00 00:00:00", Said::Nothing)]),
        ("CLEAN_TIME", &[("2025-03-04 10:11:12", Said::Not(HardBounce)), ("", Said::Nothing)]),
        (
            "Status",
            &[
                ("Unsubscribed", NO),
                ("subscribed", Said::Nothing),
                ("cleaned", Said::Not(HardBounce)),
                ("complained", Said::Not(Complaint)),
                ("cancelled", Said::Unclear),
                ("active", Said::Nothing),
                ("past_due", Said::Nothing),
            ],
        ),
        (
            "unsubscribed_at",
            &[
                ("2025-03-04T10:11:12Z", NO),
                ("03/04/2025", NO),
                ("1741082400", NO),
                ("null", Said::Nothing),
                ("-", Said::Nothing),
            ],
        ),
        ("emailBlacklisted", &[("true", NO), ("false", Said::Nothing)]),
        ("Email Marketing Consent", &[("NEVER_SUBSCRIBED", NO), ("SUBSCRIBED", Said::Nothing), ("UNSUBSCRIBED", NO)]),
        (
            "Email permission status",
            &[("Express", Said::Nothing), ("Unsubscribed", NO), ("Awaiting Confirmation", Said::Unclear)],
        ),
        ("email_subscriber_status", &[("Never subscribed", NO), ("Subscribed", Said::Nothing)]),
        ("Subscriber status", &[("Cancelled", NO), ("Active", Said::Nothing), ("Bounced", Said::Not(HardBounce))]),
        ("OPT_IN", &[("No", NO), ("Yes", Said::Nothing), ("2024-01-01", Said::Nothing)]),
        // Kajabi, Podia, Teachable, Thinkific, Substack, Memberful, WooCommerce, Gumroad.
        ("Email Marketing Status", &[("Never subscribed", NO), ("Subscribed", Said::Nothing)]),
        (
            "Subscribed",
            &[("false", NO), ("Yes", Said::Nothing), ("2024-05-06", Said::Nothing), ("perhaps", Said::Unclear)],
        ),
        ("Subscribed?", &[("No", NO)]),
        ("unsubscribe_from_marketing_emails", &[("t", NO), ("f", Said::Nothing)]),
        ("email_disabled", &[("true", NO), ("false", Said::Nothing)]),
        ("Marketing Opt-In", &[("false", NO), ("true", Said::Nothing)]),
        ("mailchimp_woocommerce_is_subscribed", &[("0", NO), ("1", Said::Nothing)]),
        ("can_contact", &[("false", NO), ("true", Said::Nothing)]),
        // HubSpot, Salesforce, Zoho, in other languages.
        ("Unsubscribed from all email", &[("true", NO), ("", Said::Nothing)]),
        ("HasOptedOutOfEmail", &[("1", NO), ("0", Said::Nothing)]),
        ("Email Opt Out", &[("TRUE", NO)]),
        ("Do not email", &[("x", NO)]),
        ("Newsletter abonniert", &[("nein", NO), ("ja", Said::Nothing)]),
        ("Abgemeldet am", &[("04.03.2025", NO)]),
        ("Désabonné", &[("oui", NO), ("non", Said::Nothing)]),
        ("Bounced", &[("true", Said::Not(HardBounce)), ("false", Said::Nothing)]),
        ("Marked as spam", &[("yes", Said::Not(Complaint))]),
    ] {
        for (cell, said) in cells {
            let read = columns(&[name]).said(|_| Some(cell));
            if read != *said {
                wrong.push(format!("{name}: {cell}: {read:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn columns_about_something_else_are_left_alone() {
    for name in "Accepts SMS Marketing;Phone opt in;Push opt-out;WhatsApp consent;Consent to calls".split(';') {
        let says =
            column_of(name).map(|column| ["yes", "no", "Unsubscribed", "Opted out"].map(|cell| read(column, cell)));
        assert!(says.is_none_or(|says| says == [MailWord::Nothing; 4] || name == "Accepts SMS Marketing"), "{name}");
    }
    let names = "active_subscription;Subscription plan;Payment status;Order status;Patron Status;subscription_id;\
                 Subscriber since;OPTIN_IP;CONFIRM_TIME;UNSUB_CAMPAIGN_TITLE;created_at;digest_enabled;Email;\
                 E-mail 2;Name;Follows You;Tags;Spam score;Country;id;complimentary_plan;State/Province;former_emails;\
                 Paid subscriber;Photo consent;Cookie consent;Priority;Prioridad;Calle;Parcel";
    for name in names.split(';') {
        let says = column_of(name).map(|column| ["yes", "no", "2024-01-01", "x y"].map(|cell| read(column, cell)));
        assert!(says.is_none_or(|says| says == [MailWord::Nothing; 4]), "{name}: {says:?}");
    }
}

#[test]
fn every_column_of_block_lists_is_known() {
    for (code, names) in usher_files::flag_names() {
        for name in names {
            let said = |cell| columns(&[name]).said(|_| Some(cell));
            let not = |reason| (Said::Not(reason), Said::Nothing);
            let expected = match code {
                "hard_bounce" => not(Reason::HardBounce),
                "complaint" => not(Reason::Complaint),
                "invalid" => not(Reason::Invalid),
                "unsubscribe" | "manual" => not(Reason::Unsubscribe),
                _ if name == "consent" => (Said::Unclear, Said::Unclear),
                _ => (Said::Nothing, Said::Not(Reason::Unsubscribe)),
            };
            assert_eq!((said("yes"), said("no")), expected, "{code}: {name}");
        }
    }
}

#[test]
fn a_name_that_denies_is_never_read_backwards() {
    let names = "Kein Newsletter;Keine Newsletter;Pas de newsletter;Sin newsletter;Niente newsletter;Geen nieuwsbrief;\
                 Inget nyhetsbrev;Intet nyhedsbrev;No newsletter;no_newsletter;Not subscribed;Not opted in;Newsletter off;\
                 Newsletter deactivated;Stop newsletter;Exclude from newsletter;Removed from newsletter;\
                 Email consent withdrawn;Email permission denied;Nicht abonniert;Non abonné;No suscrito;Non iscritto;\
                 Niet ingeschreven;Not unsubscribed;Not blocked;Not bounced;Nicht abgemeldet;Pas désabonné";
    for name in names.split(';') {
        let is_double = "Not unsubscribed;Not blocked;Not bounced;Nicht abgemeldet;Pas désabonné".contains(name);
        let said = |cell| columns(&[name]).said(|_| Some(cell));
        let (yes, no) = (said("yes"), said("no"));
        match is_double {
            true => assert_eq!((yes, no), (Said::Unclear, Said::Unclear), "{name}"),
            false => {
                assert!([Said::Unclear, Said::Not(Reason::Unsubscribe)].contains(&yes), "{name}: {yes:?}");
                assert!([Said::Unclear, Said::Nothing].contains(&no), "{name}: {no:?}");
            }
        }
    }
}
