//! The names of columns that say whether an address gets mail.
//!
//! This is data: another name is another word in a list. A name is known if one of the words or phrases is in it and
//! nothing else is but words that say no more. So `Unsubscribed from all email` is known, and `Unsubscribe link`, `SMS
//! unsubscribed` and `Order status` are not.

use crate::names::tokens;
use crate::reason::{Reason, Verdict};

/// What a column's name says of its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameSays {
    /// What a yes in it says, or a date; and whether any text is a yes, as in a column of reasons.
    YesOrNo { yes: Verdict, takes_text: bool },
    /// Words say it. In a column of reasons all rows are there for one; in a column of states they need not be.
    Words { is_of_blocks: bool },
}

/// What a yes says, and the phrases that say so.
const YES_OR_NO: &[(Verdict, &[&str])] = &[
    (
        Verdict::Suppressed(Reason::HardBounce),
        &[
            "hard bounced; hard bounce; hard bounces; bounced hard; hardbounced; hardbounce; bounced; bounce; rebotado",
            "rebond definitif; unzustellbar; onbestelbaar; odbity; studsad; ハードバウンス",
        ],
    ),
    (
        Verdict::Suppressed(Reason::Complaint),
        &["complained; spam complaint; spam complaints; spam report; spam reported; marked as spam; marked spam"],
    ),
    (
        Verdict::Suppressed(Reason::Invalid),
        &[
            "invalid email address; invalid email; email invalid; invalid address; bad email; bad address; undeliverable",
        ],
    ),
    (
        Verdict::Suppressed(Reason::Unsubscribe),
        &[
            "unsubscribed; unsubscribe; unsubscription; unsub; opted out; opt out; optout; optedout; abgemeldet; abmeldung",
            "abmeldedatum; abbestellt; ausgetragen; desabonne; desabonnee; desabonnement; desinscrit; desinscrite",
            "desinscription; dado de baja; baja; desuscrito; disiscritto; disiscrizione; descadastrado; descadastro",
            "afgemeld; afmelding; uitgeschreven; uitschrijving; uitschrijfdatum; wypisany; wypisano; wypisania",
            "avregistrerad; avanmald; avprenumererad; afmeldt; frameldt; avmeldt; odhlasen; odhlaseno; отписан; отписался",
            "отписка; 配信停止; 配信停止日; 購読解除; 登録解除; オプトアウト",
        ],
    ),
    (
        Verdict::Suppressed(Reason::Manual),
        &[
            "blocklisted; blacklisted; blocked; suppressed; suppressions; suppression; blocklist; blacklist; do not email",
            "do not e mail; donotemail; do not mail; do not contact; email disabled; no email; no emails; no mail; do not allow emails",
            "do not allow bulk emails; gesperrt; blockiert; keine e mails; bloque; bloqueado; bloccato; geblokkeerd",
            "zablokowany; blockerad; sparrad; blokeret; blokkert; estetty; blokovan; engelli; заблокирован; ブロック",
        ],
    ),
    (
        Verdict::Sendable,
        &[
            "subscribed; opted in; opt in; optin; optedin; accepts marketing; accepts email marketing; accepts email; newsletter",
            "email permission; marketing permission; email consent; marketing consent; consent; allow email; allow emails",
            "receive email; receive emails; receives emails; wants emails; email marketing; abonniert; angemeldet; newsletter",
            "einwilligung; werbeeinwilligung; abonne; inscrit; suscrito; acepta marketing; boletin; iscritto; inscrito",
            "ingeschreven; aangemeld; nieuwsbrief; zapisany; prenumererar; nyhetsbrev; nyhedsbrev; tilmeldt; pameldt",
            "uutiskirje; prihlasen; bulten; подписан; рассылка; メルマガ; 購読; メール配信",
        ],
    ),
];

/// What stands in the names of columns of states.
const STATES: &[&str] = &[
    "status state abostatus zustand estado statut etat stato situacao situazione stan tila stav durum статус состояние",
    "ステータス 状態 配信状態 배송상태 상태 状态",
];

/// What stands in the names of columns of reasons.
const REASONS: &[&str] = &[
    "reason type grund motif raison motivo razon causa reden powod orsak anledning arsag syy duvod neden причина 理由 原因",
    "category classification event typ tipo soort rodzaj tyyppi",
];

/// What a column of states or reasons may be about.
const ABOUT: &[&str] = &[
    "subscription subscriptions subscriber suppression bounce unsubscribe unsub consent block blocklist abo abonnement",
    "optin opt in deliverability abonnenten suscripcion iscrizione assinatura subskrypcji",
];

/// What says no more.
const BESIDE: &[&str] = &[
    "is has was been user contact contacts subscriber member recipient customer from of for to all any the in on at out",
    "um am le la el il em den der die das de del da du des do date datum data fecha dato time timestamp zeit zeitpunkt",
    "email emails mail mails mailing mailings list lists newsletter newsletters marketing promotional communication",
    "communications message messages info information global globally status state flag reason grund motif motivo raison",
    "reden powod value our your we you one sales update updates service address adresse attributes properties fields",
    "permission consent kontakt empfanger yes no y n e",
];

/// What stands in the names of columns about something else than mail to people.
const OTHER_THINGS: &[&str] = &[
    "sms phone mobile tel telephone telefon handy push whatsapp order orders bestellung bestell pedido commande ordine",
    "payment payments zahlung pago paiement pagamento betaling invoice rechnung shipping vat tax ticket deal lead lifecycle",
    "fulfillment fulfilment financial refund kyc login device fax post postal letter voice call stripe webhook campaign",
];

/// What a column of this normal name says, if anything.
pub(crate) fn says(name: &str) -> Option<NameSays> {
    let tokens = tokens(name);
    let squashed: String = tokens.concat().split(' ').collect();
    if squashed.is_empty() || is_about_other_things(name) {
        return None;
    }
    let is_in = |lines: &[&str], token: &str| lines.iter().flat_map(|line| line.split(' ')).any(|one| one == token);
    let is_beside = |token: &str| is_in(BESIDE, token) || matches!(token, "e mail" | "e mails");
    let has = |lines: &[&str]| tokens.iter().any(|token| is_in(lines, token));
    let of_words = || {
        let is_known =
            |token: &&str| is_beside(token) || [STATES, REASONS, ABOUT].iter().any(|lines| is_in(lines, token));
        let is_named = (has(STATES) || has(REASONS)) && tokens.iter().all(is_known);
        let is_of_blocks =
            has(REASONS) || tokens.iter().any(|token| matches!(*token, "suppression" | "bounce" | "block"));
        is_named.then_some(NameSays::Words { is_of_blocks })
    };
    // The type of a bounce may be a soft one, so a bounce alone does not say it.
    if tokens.contains(&"type") || tokens.contains(&"status") {
        return of_words().or_else(|| yes_or_no(&tokens, is_beside));
    }
    yes_or_no(&tokens, is_beside).or_else(of_words)
}

fn yes_or_no(tokens: &[&str], is_beside: impl Fn(&str) -> bool) -> Option<NameSays> {
    let phrases = YES_OR_NO.iter().flat_map(|(yes, lines)| lines.iter().map(move |line| (*yes, line)));
    let phrases = phrases.flat_map(|(yes, line)| line.split("; ").map(move |phrase| (yes, phrase)));
    for (yes, phrase) in phrases {
        let words = crate::names::tokens(phrase);
        let found = tokens.windows(words.len()).position(|window| window == words);
        let Some(at) = found else { continue };
        let mut rest = tokens[..at].iter().chain(&tokens[at + words.len()..]);
        if rest.clone().all(|token| is_beside(token)) {
            let is_reason =
                rest.any(|token| matches!(*token, "reason" | "grund" | "motif" | "motivo" | "raison" | "reden"));
            let takes_text = is_reason || phrase.starts_with("suppression");
            return Some(NameSays::YesOrNo { yes, takes_text });
        }
    }
    None
}

/// Whether a column of this normal name is about something else than mail to people.
pub(crate) fn is_about_other_things(name: &str) -> bool {
    let tokens = tokens(name);
    let is_other = |token: &&str| OTHER_THINGS.iter().flat_map(|line| line.split(' ')).any(|other| other == *token);
    let is_mail = |token: &&str| matches!(*token, "email" | "emails" | "e mail" | "newsletter");
    tokens.iter().any(is_other) && !tokens.iter().any(is_mail)
}

/// The phrases in names of columns of yes and no, by what a yes says.
pub fn flag_names() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    YES_OR_NO.iter().map(|(yes, lines)| (yes.code(), lines.iter().flat_map(|line| line.split("; ")).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::normal;

    fn code(name: &str) -> String {
        match says(&normal(name)) {
            None => "-".into(),
            Some(NameSays::YesOrNo { yes, takes_text }) => {
                format!("{}{}", yes.code(), if takes_text { " text" } else { "" })
            }
            Some(NameSays::Words { is_of_blocks: true }) => "reasons".into(),
            Some(NameSays::Words { is_of_blocks: false }) => "states".into(),
        }
    }

    #[test]
    fn names_say_what_their_cells_mean() {
        for (expected, names) in [
            (
                "unsubscribe",
                "Unsubscribed;unsubscribed_at;Unsubscribed from all email;HasOptedOutOfEmail;Email Opt Out;Opt-Out",
            ),
            (
                "unsubscribe",
                "Opted out of email: Marketing Information;Unsub time;Abgemeldet am;Fecha de baja;配信停止",
            ),
            (
                "unsubscribe",
                "Désabonné;Désinscrit de la newsletter;Date de désinscription;Disiscritto;Uitgeschreven;Wypisany",
            ),
            ("unsubscribe text", "Unsubscribe reason"),
            ("hard_bounce text", "Email hard bounce reason;Bounce reason"),
            ("hard_bounce", "Hard bounced;bounced_at;Hard Bounces"),
            ("complaint", "Spam complaint;Marked as spam;complained_at"),
            ("invalid", "Invalid email address;Undeliverable"),
            (
                "manual",
                "Blacklisted;EMAIL_BLACKLISTED;emailBlacklisted;Do Not Email;donotemail;Do not allow Emails;Gesperrt",
            ),
            ("manual text", "Email Suppressions"),
            (
                "skipped",
                "subscribed_to_emails;Accepts Email Marketing;Subscribed;Opt-In;Newsletter;Email consent;Abonniert",
            ),
            (
                "states",
                "Status;Global status;Email marketing status;Subscription Status;Subscriber status;Estado;Statut",
            ),
            ("states", "Newsletter-Status;Stan;ステータス;Marketing status;List status"),
            ("reasons", "Reason;Grund;Motivo;Raison;Bounce type;Type;Suppression reason type;причина;理由"),
            (
                "-",
                "SMS unsubscribed;Order status;Payment status;Lead Status;Unsubscribe link;Name;City;Soft bounces;Phone",
            ),
            (
                "-",
                "Campaigns unsubscribed;Lifecycle Stage;Opens;Signup date;Account manager;SMS Consent;Rating;Language",
            ),
        ] {
            for name in names.split(';') {
                assert_eq!(code(name), expected, "{name}");
            }
        }
    }
}
