//! What the name of a column says of whether its rows' addresses get mail.
//!
//! A name is known if one of the words or phrases of `mail_words` is in it and nothing else is but words that say no more.
//! So `Unsubscribed from all email` is known, and `Unsubscribe link`, `SMS unsubscribed` and `Order status` are not. A word
//! such as `no` or `removed` turns a name round: whoever says yes to `No newsletter` wants none. What is turned round and
//! says that somebody gets none, or is turned round twice, is not read as yes and no at all.

use crate::evidence::FlagColumn;
use crate::mail_words::{
    ABOUT, ABOUT_MAIL, ANSWERS, ANY_BOUNCE, BESIDE, COUNTED, HOMONYMS, KINDS, MAIL, NEGATIONS, NEGATIONS_BEFORE,
    NOT_MAIL_ALONE, OTHER_THINGS, REASONS, SOFT_BOUNCES, STATES, WITH_MAIL, YES_OR_NO,
};
use crate::names;
use crate::reason::{Reason, Verdict, WordGrade};

/// What a column's name says of its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameSays {
    /// What a yes in it says.
    YesOrNo(FlagColumn),
    /// Words say it. In a column of reasons all rows are there for one; in a column of states they need not be.
    Words { is_of_blocks: bool, weakest: WordGrade },
    /// It is about mail or a consent, and what a yes says is in doubt: only words say something.
    Doubtful,
    /// A yes says that mail came back for a trouble that passes.
    SoftBounces,
}

/// What a column of this normal name says, if anything.
pub(crate) fn says(name: &str) -> Option<NameSays> {
    let tokens = without_answers(names::tokens(name));
    if tokens.is_empty() || is_about_other_things(name) {
        return None;
    }
    let soft = SOFT_BOUNCES.iter().flat_map(|line| line.split("; "));
    if soft.filter_map(|phrase| without_phrase(&tokens, phrase)).any(|rest| rest.into_iter().all(is_beside)) {
        return Some(NameSays::SoftBounces);
    }
    // The type of a bounce may be a soft one, so a bounce alone does not say it.
    if tokens.contains(&"type") || tokens.contains(&"status") {
        return of_words(&tokens).or_else(|| of_yes_or_no(&tokens));
    }
    of_yes_or_no(&tokens).or_else(|| of_words(&tokens))
}

/// The words of a name without those that only say what its cells are.
fn without_answers(mut tokens: Vec<&str>) -> Vec<&str> {
    let is_answers = |two: &[&str]| {
        ANSWERS.iter().any(|(yes, no)| two == [*yes, *no] || two == [*no, *yes])
            || matches!(two, ["0", "1"] | ["1", "0"])
    };
    if let Some(at) = tokens.windows(2).position(is_answers) {
        tokens.drain(at..at + 2);
    }
    tokens
}

fn is_in(lines: &[&str], token: &str) -> bool {
    lines.iter().flat_map(|line| line.split(' ')).any(|one| one == token)
}

fn is_phrase(lines: &[&str], phrase: &str) -> bool {
    lines.iter().flat_map(|line| line.split("; ")).any(|one| one == phrase)
}

/// Whether a word of a normal name is about mail.
fn is_mail(token: &str) -> bool {
    is_in(MAIL, token) || matches!(token, "e mail" | "e mails" | "e post" | "e posta")
}

fn is_beside(token: &str) -> bool {
    is_in(BESIDE, token) || is_mail(token)
}

/// A column of states or reasons.
fn of_words(tokens: &[&str]) -> Option<NameSays> {
    let has = |lines: &[&str]| tokens.iter().any(|token| is_in(lines, token));
    let is_known = |token: &&str| {
        is_beside(token) || [STATES, REASONS, KINDS, ABOUT_MAIL, ABOUT].iter().any(|lines| is_in(lines, token))
    };
    let is_named = has(STATES) || has(REASONS) || has(KINDS);
    if !is_named || !tokens.iter().all(is_known) {
        return None;
    }
    let weakest = match () {
        () if has(ABOUT_MAIL) || tokens.iter().any(|token| is_mail(token)) => WordGrade::Weak,
        () if has(STATES) || has(REASONS) || has(ABOUT) => WordGrade::Medium,
        () => WordGrade::Strong,
    };
    let is_of_blocks = has(REASONS) || has(KINDS) || has(&["suppression bounce block"]);
    Some(NameSays::Words { is_of_blocks, weakest })
}

/// A phrase that is found in a name.
struct Found {
    yes: Verdict,
    phrase: &'static str,
    needs_mail: bool,
}

fn of_yes_or_no(tokens: &[&str]) -> Option<NameSays> {
    let with_mail = WITH_MAIL.iter().map(|line| (Verdict::Sendable, line, true));
    let others = YES_OR_NO.iter().flat_map(|(yes, lines)| lines.iter().map(|line| (*yes, line, false)));
    let phrases = others
        .chain(with_mail)
        .flat_map(|(yes, line, needs_mail)| line.split("; ").map(move |phrase| Found { yes, phrase, needs_mail }));
    phrases.filter_map(|found| of_phrase(tokens, &found)).next()
}

/// What a name says that has this phrase in it, perhaps with words about mail between its own.
fn of_phrase(tokens: &[&str], found: &Found) -> Option<NameSays> {
    let rest = without_phrase(tokens, found.phrase)?;
    if !rest.iter().all(|token| is_beside(token) || is_in(NEGATIONS, token) || is_in(REASONS, token)) {
        return None;
    }
    let is_negation = |token: &&&str| is_in(NEGATIONS, token) || matches!(**token, "ne" if rest.len() > 1);
    let n_negations = rest.iter().filter(is_negation).count();
    let is_last_in_doubt = tokens.last().is_some_and(|last| is_in(NEGATIONS_BEFORE, last) && rest.last() == Some(last));
    let has_mail = rest.iter().any(|token| is_mail(token));
    if n_negations > 1 || n_negations > 0 && (is_last_in_doubt || found.yes != Verdict::Sendable) {
        return Some(NameSays::Doubtful);
    }
    if found.needs_mail && !has_mail {
        return Some(NameSays::Doubtful);
    }
    let is_reason = rest.iter().any(|token| is_in(REASONS, token));
    if n_negations > 0 {
        let flag = FlagColumn::of(Verdict::Suppressed(Reason::Unsubscribe));
        return Some(NameSays::YesOrNo(FlagColumn { takes_text: is_reason, ..flag }));
    }
    let flag = FlagColumn {
        yes: found.yes,
        is_about_mail: has_mail || !is_phrase(NOT_MAIL_ALONE, found.phrase),
        takes_text: is_reason || has_mail && found.phrase.starts_with("suppression"),
        takes_counts: is_phrase(COUNTED, found.phrase),
        is_any_bounce: is_phrase(ANY_BOUNCE, found.phrase) && !rest.contains(&"hard"),
    };
    Some(NameSays::YesOrNo(flag))
}

/// The words of a name beside those of a phrase; `None` if it is not there. Words about mail may be within it: `marked
/// email as spam`.
fn without_phrase<'a>(tokens: &[&'a str], phrase: &str) -> Option<Vec<&'a str>> {
    let words = names::tokens(phrase);
    for at in 0..tokens.len() {
        let (mut rest, mut words) = (tokens[..at].to_vec(), words.iter().peekable());
        let mut is_begun = false;
        for token in &tokens[at..] {
            match words.peek() {
                Some(word) if *word == token => {
                    words.next();
                    is_begun = true;
                }
                Some(_) if !is_begun || !is_mail(token) => break,
                _ => rest.push(token),
            }
        }
        if words.peek().is_none() {
            return Some(rest);
        }
    }
    None
}

/// Whether a column of this normal name is about something else than mail to people: another way to reach them, an order.
pub(crate) fn is_about_other_things(name: &str) -> bool {
    let tokens = names::tokens(name);
    // `WhatsApp` is two words as names are cut.
    let is_pair = |two: &[&str]| is_in(OTHER_THINGS, &two.concat());
    let is_other = tokens.iter().any(|token| is_in(OTHER_THINGS, token)) || tokens.windows(2).any(is_pair);
    let is_email = |token: &&str| matches!(*token, "email" | "emails" | "e mail" | "e mails");
    is_other && !tokens.iter().any(is_email)
}

/// Whether a column of this normal name is about mail by one of its words, though not all of it is known.
fn has_mail_word(name: &str) -> bool {
    names::tokens(name).into_iter().any(is_mail)
}

/// Whether a column of this normal name may say who gets no mail, for those who look for one: a word of it is about states,
/// reasons or mail.
pub(crate) fn might_say(name: &str) -> bool {
    const STEMS: [&str; 12] = [
        "subscri",
        "abonn",
        "opt",
        "consent",
        "bounc",
        "black",
        "block",
        "suppress",
        "newsletter",
        "marketing",
        "spam",
        "unsub",
    ];
    let is_word = |token: &str| [STATES, REASONS, ABOUT_MAIL, ABOUT].iter().any(|lines| is_in(lines, token));
    !is_about_other_things(name)
        && names::tokens(name)
            .into_iter()
            .any(|token| is_word(token) || STEMS.iter().any(|stem| token.starts_with(stem)))
}

/// Whether the name's word is another one in another language, so that only plain words of yes and no count under it.
pub(crate) fn is_homonym(name: &str) -> bool {
    is_phrase(HOMONYMS, name)
}

/// Which words count in a column whose name is not known.
pub(crate) fn of_unknown(name: &str) -> WordGrade {
    if has_mail_word(name) { WordGrade::Medium } else { WordGrade::Strong }
}

/// Whether a column of this normal name is one of reasons, and not of kinds or states.
pub(crate) fn is_reason(name: &str) -> bool {
    names::tokens(name).into_iter().any(|token| is_in(REASONS, token))
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
            Some(NameSays::YesOrNo(FlagColumn { yes, takes_text, .. })) => {
                format!("{}{}", yes.code(), if takes_text { " text" } else { "" })
            }
            Some(NameSays::Words { is_of_blocks: true, .. }) => "reasons".into(),
            Some(NameSays::Words { is_of_blocks: false, .. }) => "states".into(),
            Some(NameSays::Doubtful) => "doubt".into(),
            Some(NameSays::SoftBounces) => "soft".into(),
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
            ("-", "SMS unsubscribed;Order status;Payment status;Lead Status;Unsubscribe link;Name;City;Phone"),
            ("soft", "Soft bounces;soft_bounced;bounced_soft"),
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
