//! What a file of people says about mail: who wants none.
//!
//! A word that says so is believed, and a yes never takes a block away. Files say it in columns of yes and no, of dates and
//! of words; which ones, is known by their names ([`Kind::of`]). A column whose name does not tell what its words are about,
//! such as `status`, which may be that of a payment, blocks nobody but by words that are about mail and nothing else. A word
//! that is not known is `unclear`: it is counted and shown, and does nothing.

use usher_files::{Field, Mapping, Verdict, verdict};

use crate::areas::blocklist::Reason;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whether somebody wants mail: yes, no, or a word.
    Wants,
    /// The same, and other words are names of lists.
    Lists,
    /// Whether somebody wants none: yes, no, a word, or since when.
    WantsNone,
    /// Whether mail came back.
    Bounced,
    /// Whether mail was reported as spam.
    Complained,
    /// Words that may be about something else.
    Status,
    /// When somebody was deleted.
    Deleted,
}

/// The columns of a file that say something about mail or about being deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MailColumns(Vec<(usize, Kind)>);

impl MailColumns {
    /// Those of a file, by what the call says of them or by their names.
    pub(super) fn of(mapping: &Mapping) -> Self {
        let wanted = |code| mapping.index_of(Field::Own(code));
        let named = mapping.columns.iter().enumerate().filter(|(_, column)| column.field.is_none());
        let by_name = named.filter_map(|(at, column)| Some((at, Kind::of(&column.name)?)));
        let by_call = [(wanted("mail"), Kind::Wants), (wanted("no_mail"), Kind::WantsNone)];
        let by_call = by_call.into_iter().filter_map(|(at, kind)| Some((at?, kind)));
        Self(by_call.chain(by_name.filter(|_| mapping.has_header)).collect())
    }

    /// Each, with what it is about.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, Kind)> + '_ {
        self.0.iter().copied()
    }

    /// What a row says, by its cells: the strongest word counts.
    pub(super) fn said<'a>(&self, cell: impl Fn(usize) -> Option<&'a str>) -> Said {
        let about_mail = self.0.iter().filter(|(_, kind)| *kind != Kind::Deleted);
        about_mail.fold(Said::Nothing, |said, (at, kind)| {
            match (said, cell(*at).map_or(Said::Nothing, |cell| kind.read(cell))) {
                (Said::Not(one), Said::Not(other)) => Said::Not(one.max(other)),
                (said @ Said::Not(_), _) | (_, said @ Said::Not(_)) => said,
                (Said::Unclear, _) | (_, Said::Unclear) => Said::Unclear,
                _ => Said::Nothing,
            }
        })
    }

    /// The cells that are not understood, each with its column.
    pub(super) fn unclear<'a>(
        &self,
        cell: impl Fn(usize) -> Option<&'a str>,
    ) -> impl Iterator<Item = (usize, &'a str)> {
        let read =
            move |(at, kind)| cell(at).filter(|cell| Kind::read(kind, cell) == Said::Unclear).map(|cell| (at, cell));
        self.all().filter_map(read)
    }

    /// Whether a row says that its person was deleted.
    pub(super) fn is_deleted<'a>(&self, cell: impl Fn(usize) -> Option<&'a str>) -> bool {
        let deleted = self.0.iter().filter(|(_, kind)| *kind == Kind::Deleted);
        deleted.filter_map(|(at, _)| cell(*at)).any(|cell| !is_nothing(cell) && yes_or_no(cell) != Some(false))
    }

    /// The mapping with these columns as what they are taken for.
    pub(super) fn marked(&self, mapping: &Mapping) -> Mapping {
        let mut marked = mapping.clone();
        for (at, kind) in self.all() {
            marked.columns[at].field = Some(Field::Own(kind.code()));
        }
        marked
    }
}

/// Other ways to reach people than email.
const OTHER_WAYS: [&str; 14] = [
    "sms",
    "text",
    "phone",
    "mobile",
    "whatsapp",
    "push",
    "telegram",
    "fax",
    "call",
    "calls",
    "postal",
    "post",
    "letter",
    "messenger",
];

/// Words at the end of a name that make it say something else: where, by what, how often.
const ASIDES: [&str; 15] = [
    "reason", "other", "campaign", "title", "ip", "source", "id", "count", "level", "method", "text", "version",
    "form", "url", "by",
];

/// Words that make it a moment.
const MOMENTS: [&str; 8] = ["at", "time", "date", "on", "since", "timestamp", "datetime", "am"];

impl Kind {
    /// What a column is taken for, as the preview shows it.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Wants | Self::Lists => "mail",
            Self::WantsNone | Self::Bounced | Self::Complained => "no_mail",
            Self::Status => "mail_status",
            Self::Deleted => "deleted",
        }
    }

    /// What a column is about, by its name; `None` if it is not about mail.
    pub(super) fn of(name: &str) -> Option<Self> {
        let words = words(name);
        let has = |word: &str| words.iter().any(|own| own == word);
        let one_of = |some: &[&str]| some.iter().any(|word| has(word));
        let ends = |some: &[&str]| words.last().is_some_and(|last| some.contains(&last.as_str()));
        let pair = |a: &str, b: &str| words.windows(2).any(|two| two[0] == a && two[1] == b);
        if one_of(&["deleted", "gelöscht", "supprimé", "eliminado"]) {
            return Some(Self::Deleted).filter(|_| words.len() <= 3 && !ends(&ASIDES));
        }
        if one_of(&OTHER_WAYS) && !one_of(&["email", "emails", "mail", "newsletter"]) || ends(&ASIDES) {
            return None;
        }
        let is_moment = one_of(&MOMENTS);
        let is_mail =
            one_of(&["email", "emails", "mail", "mails", "mailing", "marketing", "newsletter", "newsletters"]);
        let opts = |way: &str| pair("opt", way) || pair("opted", way) || has(&format!("opt{way}"));
        let leaves = one_of(&[
            "unsubscribe",
            "unsubscribed",
            "unsub",
            "unsubscribes",
            "unsubbed",
            "abgemeldet",
            "ausgetragen",
            "désabonné",
            "désinscrit",
            "disiscritto",
            "afgemeld",
            "uitgeschreven",
            "baja",
            "blacklisted",
            "blocklisted",
            "suppressed",
        ]);
        if leaves
            || opts("out")
            || is_mail && one_of(&["disabled", "blocked", "stopped", "declined", "refused", "excluded"])
            || is_mail && (pair("do", "not") || has("no") || has("dont") || has("never"))
            || pair("do", "not") && one_of(&["contact", "send"])
        {
            return Some(Self::WantsNone);
        }
        if one_of(&["bounced", "cleaned"]) && !has("soft") || has("clean") && is_moment {
            return Some(Self::Bounced);
        }
        if one_of(&["complained", "complaint"]) || has("spam") && !has("score") {
            return Some(Self::Complained);
        }
        if is_moment {
            return None;
        }
        let is_paid = one_of(&["paid", "plan", "payment", "billing", "tier", "active", "order", "product", "stripe"]);
        if one_of(&["status", "state"]) && !is_paid {
            let about_mail = is_mail || one_of(&["subscriber", "consent", "permission"]) || opts("in");
            let may_be = words.len() == 1 || one_of(&["subscription", "member", "contact", "list", "global"]);
            return if about_mail { Some(Self::Wants) } else { Some(Self::Status).filter(|_| may_be) };
        }
        if is_paid {
            return None;
        }
        let agrees = one_of(&[
            "accepts",
            "accept",
            "accepted",
            "consent",
            "consented",
            "receive",
            "receives",
            "wants",
            "allow",
            "allows",
            "allowed",
            "agreed",
            "enabled",
            "permission",
            "subscribed",
            "subscription",
            "subscribe",
            "acepta",
            "accepte",
            "einwilligung",
        ]);
        let is_subscribed =
            one_of(&["subscribed", "abonniert", "abonné", "suscrito", "inscrit", "iscritto", "aangemeld"]);
        if one_of(&["newsletter", "newsletters"]) || pair("mailing", "list") || pair("mailing", "lists") {
            return Some(if agrees || is_subscribed || opts("in") { Self::Wants } else { Self::Lists });
        }
        let can_contact = one_of(&["can", "may"]) && one_of(&["contact", "email", "mail"]);
        let is_bare = pair("email", "marketing") && words.len() == 2 || pair("marketing", "emails") && words.len() == 2;
        let yes = is_subscribed || opts("in") || is_mail && agrees || can_contact || is_bare;
        yes.then_some(Self::Wants)
    }

    /// What a cell of such a column says.
    fn read(self, cell: &str) -> Said {
        if is_nothing(cell) {
            return Said::Nothing;
        }
        let yes = yes_or_no(cell);
        match self {
            Self::Wants | Self::Lists => match yes {
                Some(true) => Said::Nothing,
                Some(false) => Said::Not(Reason::Unsubscribe),
                None => word(cell).unwrap_or(match self {
                    Self::Lists => Said::Nothing,
                    _ if is_moment(cell) => Said::Nothing,
                    _ => Said::Unclear,
                }),
            },
            Self::WantsNone | Self::Bounced | Self::Complained => {
                let reason = match self {
                    Self::Bounced => Reason::HardBounce,
                    Self::Complained => Reason::Complaint,
                    _ => Reason::Unsubscribe,
                };
                match yes {
                    Some(true) => Said::Not(reason),
                    Some(false) => Said::Nothing,
                    None if is_moment(cell) => Said::Not(reason),
                    None => word(cell).unwrap_or(Said::Unclear),
                }
            }
            Self::Status => status(cell),
            Self::Deleted => Said::Nothing,
        }
    }
}

/// What a word says that is about mail.
fn word(cell: &str) -> Option<Said> {
    let plain = words(cell).join(" ");
    match plain.as_str() {
        "not subscribed" | "non subscribed" | "nonsubscribed" | "never subscribed" | "neversubscribed"
        | "notsubscribed" | "declined" | "denied" | "refused" | "withdrawn" | "revoked" | "disabled" | "never"
        | "no permission" | "no consent" | "do not email" | "unsub" | "removed" | "cancelled" | "canceled" => {
            Some(Said::Not(Reason::Unsubscribe))
        }
        "granted" | "accepted" | "express" | "implied" | "given" | "allowed" | "single opt in" | "double opt in"
        | "confirmed opt in" | "explicit" => Some(Said::Nothing),
        "pending" | "unconfirmed" | "inactive" | "cold" | "archived" | "transactional" => Some(Said::Unclear),
        _ => verdict(cell).map(|verdict| match verdict {
            Verdict::Suppressed(usher_files::Reason::Manual) => Said::Not(Reason::Unsubscribe),
            Verdict::Suppressed(reason) => Said::Not(reason.into()),
            Verdict::Sendable => Said::Nothing,
        }),
    }
}

/// What a word says in a column that may be about something else.
fn status(cell: &str) -> Said {
    match words(cell).join(" ").as_str() {
        "unsubscribed" | "unsubscribe" | "unsub" | "opted out" | "opt out" | "optout" => Said::Not(Reason::Unsubscribe),
        "bounced" | "hard bounced" | "hard bounce" | "cleaned" => Said::Not(Reason::HardBounce),
        "complained" | "complaint" | "spam complaint" | "marked as spam" | "reported spam" => {
            Said::Not(Reason::Complaint)
        }
        "cancelled" | "canceled" | "inactive" | "blocked" | "disabled" | "suspended" | "suppressed" | "blacklisted"
        | "blocklisted" | "not subscribed" | "non subscribed" | "nonsubscribed" | "never subscribed" | "removed"
        | "archived" => Said::Unclear,
        _ => Said::Nothing,
    }
}

/// The words of a name or cell, in small letters: `subscribed_to_emails`, `HasOptedOut` and `Email Opt-Out?` have three each.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in text.chars() {
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

fn yes_or_no(cell: &str) -> Option<bool> {
    match cell.trim().to_lowercase().as_str() {
        "yes" | "y" | "true" | "t" | "1" | "1.0" | "x" | "on" | "ja" | "j" | "oui" | "si" | "sí" | "sim" | "da"
        | "tak" | "✓" | "✔" | "☑" => Some(true),
        "no" | "n" | "false" | "f" | "0" | "0.0" | "off" | "nein" | "non" | "não" | "nao" | "nee" | "nie" | "✗"
        | "✘" | "☐" => Some(false),
        _ => None,
    }
}

/// Whether a cell stands for an empty one.
fn is_nothing(cell: &str) -> bool {
    let cell = cell.trim().to_lowercase();
    let has_no_date = cell.contains("0000-00-00") || cell.contains("00/00/0000");
    has_no_date
        || matches!(cell.as_str(), "" | "-" | "--" | "—" | "n/a" | "na" | "null" | "nil" | "none" | "undefined" | "[]")
}

/// Whether a cell looks like a moment, however it is written.
fn is_moment(cell: &str) -> bool {
    let n_digits = cell.bytes().filter(u8::is_ascii_digit).count();
    n_digits >= 9 && n_digits == cell.trim().len() || n_digits >= 5 && cell.contains(['-', '/', '.', ':', ' '])
}

#[cfg(test)]
mod tests {
    use Reason::{Complaint, HardBounce, Unsubscribe};

    use super::*;

    const NO: Said = Said::Not(Unsubscribe);

    #[test]
    fn columns_of_other_tools_are_believed() {
        for (name, cells) in [
            // Ghost, Shopify, Squarespace, BigCommerce, Magento, PrestaShop.
            ("subscribed_to_emails", &[("true", Said::Nothing), ("false", NO), ("", Said::Nothing)][..]),
            ("Accepts Email Marketing", &[("yes", Said::Nothing), ("no", NO)]),
            ("Accepts Marketing", &[("TRUE", Said::Nothing), ("FALSE", NO)]),
            ("accepts_marketing", &[("1", Said::Nothing), ("0", NO)]),
            (
                "Email Marketing: Status",
                &[
                    ("SUBSCRIBED", Said::Nothing),
                    ("NOT_SUBSCRIBED", NO),
                    ("UNSUBSCRIBED", NO),
                    ("PENDING", Said::Unclear),
                ],
            ),
            ("Receive Marketing Emails", &[("Yes", Said::Nothing), ("No", NO)]),
            ("Newsletter", &[("1", Said::Nothing), ("0", NO), ("Weekly", Said::Nothing), ("nein", NO)]),
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
            (
                "Email Marketing Consent",
                &[("NEVER_SUBSCRIBED", NO), ("SUBSCRIBED", Said::Nothing), ("UNSUBSCRIBED", NO)],
            ),
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
                let kind = Kind::of(name).unwrap_or_else(|| panic!("{name} is not known"));
                assert_eq!(kind.read(cell), *said, "{name}: {cell}");
            }
        }
    }

    #[test]
    fn columns_about_something_else_are_left_alone() {
        for name in [
            "Accepts SMS Marketing",
            "Phone opt in",
            "Push opt-out",
            "WhatsApp consent",
            "active_subscription",
            "Subscription plan",
            "Subscription status paid",
            "Payment status",
            "Order status",
            "Patron Status",
            "subscription_id",
            "Subscriber since",
            "Optin time",
            "OPTIN_IP",
            "CONFIRM_TIME",
            "UNSUB_REASON",
            "UNSUB_CAMPAIGN_TITLE",
            "Subscribed at",
            "created_at",
            "digest_enabled",
            "Email",
            "E-mail 2",
            "Name",
            "Follows You",
            "Tags",
            "Spam score",
            "Country",
            "id",
            "complimentary_plan",
            "Soft bounced",
            "State/Province",
            "former_emails",
            "Unsubscribe source",
            "Paid subscriber",
        ] {
            assert_eq!(Kind::of(name), None, "{name}");
        }
        for name in ["deleted_at", "Deleted", "Date deleted", "isDeleted"] {
            assert_eq!(Kind::of(name), Some(Kind::Deleted), "{name}");
        }
    }

    #[test]
    fn the_strongest_word_of_a_row_counts() {
        let columns = MailColumns(vec![(0, Kind::Wants), (1, Kind::WantsNone), (2, Kind::Bounced), (3, Kind::Deleted)]);
        for (cells, said) in [
            (["yes", "no", "", ""], Said::Nothing),
            (["maybe", "", "", ""], Said::Unclear),
            (["maybe", "yes", "", ""], NO),
            (["no", "", "1", ""], Said::Not(HardBounce)),
        ] {
            assert_eq!(columns.said(|at| Some(cells[at])), said, "{cells:?}");
        }
        let is_deleted = |text: &'static str| columns.is_deleted(|at| (at == 3).then_some(text));
        assert!(is_deleted("2025-01-01") && is_deleted("true") && is_deleted("yes"));
        assert!(!["", "null", "0", "false", "0000-00-00 00:00:00", "-"].iter().any(|text| is_deleted(text)));
    }
}
