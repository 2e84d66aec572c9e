//! The names of columns and the words of cells that are about mail.
//!
//! The columns of yes and no that block lists are read with ([`flag_names`]) are all known here, and so are their words
//! ([`verdict`]). A name that denies one of them is never read as its opposite: `Kein Newsletter` is an opt-out, and
//! `Not unsubscribed` is unclear.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use usher_files::{DateCell, DateFault, Reason, Verdict, flag_names, read_date, verdict};

/// What a column is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MailMeaning {
    OptIn,
    OptOut,
    HardBounce,
    Complaint,
    Invalid,
    Manual,
    /// Words say it; yes or no there is unclear.
    Status,
    /// Another way to reach people, such as SMS.
    NotMail,
}

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MailWord {
    Nothing,
    Unclear,
    Sendable,
    SoftBounce,
    /// Mail bounced: for good, unless another cell says that the trouble passes.
    Bounced,
    Suppressed(Reason),
}

/// A column about mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MailColumn {
    meaning: MailMeaning,
    /// Whether any text is a yes, as in a column of reasons.
    takes_text: bool,
    /// Whether a number of times is a yes.
    takes_counts: bool,
    /// Whether a yes may be a bounce of any kind.
    is_any_bounce: bool,
    /// Whether words such as `cancelled` are about mail in it.
    is_about_mail: bool,
}

impl MailWord {
    /// What the cells of a row say together.
    pub(super) fn together(words: impl Iterator<Item = Self>) -> Self {
        let (mut most, mut is_bounced, mut is_soft) = (Self::Nothing, false, false);
        let rank = |word: Self| match word {
            Self::Suppressed(reason) => (3, Some(reason)),
            Self::Sendable => (2, None),
            Self::Unclear => (1, None),
            _ => (0, None),
        };
        for word in words {
            is_bounced |= word == Self::Bounced;
            is_soft |= word == Self::SoftBounce;
            most = if rank(word) > rank(most) { word } else { most };
        }
        let bounce = if is_bounced && !is_soft { Self::Suppressed(Reason::HardBounce) } else { Self::Nothing };
        if rank(bounce) > rank(most) { bounce } else { most }
    }
}

/// What a column of this name says about mail, if anything.
pub(super) fn mail_column(name: &str) -> Option<MailColumn> {
    let tokens = tokens(name);
    let has = |lines: &[&str]| tokens.iter().any(|token| is_in(lines, token));
    if tokens.is_empty() {
        return None;
    }
    let of = |meaning| MailColumn {
        meaning,
        takes_text: false,
        takes_counts: false,
        is_any_bounce: false,
        is_about_mail: true,
    };
    if has(OTHER_WAYS) && !has(&["email emails mail mails newsletter newsletters"]) {
        return Some(of(MailMeaning::NotMail));
    }
    let is_reason = has(REASONS);
    let Some((meaning, phrase, at)) = phrase_in(&tokens) else {
        return status(&tokens).map(|is_about_mail| MailColumn { is_about_mail, ..of(MailMeaning::Status) });
    };
    let rest: Vec<_> = tokens[..at].iter().chain(&tokens[at + phrase.len()..]).map(String::as_str).collect();
    let is_denied = rest.iter().any(|token| is_in(DENIALS, token));
    let is_moment = rest.iter().any(|token| is_in(MOMENTS, token));
    // A kind of bounce may be a soft one.
    if has(STATES) && !is_denied {
        return status(&tokens).map(|is_about_mail| MailColumn { is_about_mail, ..of(MailMeaning::Status) });
    }
    let meaning = match meaning {
        MailMeaning::OptIn if is_moment && !is_denied => return None,
        // Which consent it is does not stand there.
        MailMeaning::OptIn if phrase == ["consent"] && !rest.iter().any(|token| is_in(ABOUT_MAIL, token)) => {
            MailMeaning::Status
        }
        MailMeaning::OptIn if is_denied => MailMeaning::OptOut,
        _ if is_denied => MailMeaning::Status,
        meaning => meaning,
    };
    let is_suppression = phrase[0].starts_with("suppression");
    Some(MailColumn {
        takes_text: (is_reason || is_suppression) && meaning != MailMeaning::OptIn,
        takes_counts: meaning == MailMeaning::HardBounce,
        is_any_bounce: matches!(phrase, [one] if is_in(&["bounce bounced"], one)),
        ..of(meaning)
    })
}

/// The longest phrase in a name beside which nothing stands that says something else.
fn phrase_in(tokens: &[String]) -> Option<(MailMeaning, &'static [String], usize)> {
    static PHRASES: LazyLock<Vec<(MailMeaning, Vec<String>)>> = LazyLock::new(|| {
        let of = |code: &str| match code {
            "hard_bounce" => MailMeaning::HardBounce,
            "complaint" => MailMeaning::Complaint,
            "invalid" => MailMeaning::Invalid,
            "unsubscribe" => MailMeaning::OptOut,
            "manual" => MailMeaning::Manual,
            _ => MailMeaning::OptIn,
        };
        let known = flag_names().flat_map(|(code, names)| names.into_iter().map(move |name| (of(code), name)));
        let own = MORE_NAMES.iter().flat_map(|(meaning, names)| names.split("; ").map(|name| (*meaning, name)));
        known.chain(own).map(|(meaning, name)| (meaning, self::tokens(name))).collect()
    });
    let is_beside = |token: &String| {
        is_in(BESIDE, token)
            || is_in(DENIALS, token)
            || is_in(REASONS, token)
            || is_in(MOMENTS, token)
            || is_in(STATES, token)
            || is_in(ABOUT_MAIL, token)
    };
    let found = PHRASES.iter().filter_map(|(meaning, phrase)| {
        let at = tokens.windows(phrase.len()).position(|window| window == phrase)?;
        let mut rest = tokens[..at].iter().chain(&tokens[at + phrase.len()..]);
        rest.all(is_beside).then_some((*meaning, phrase.as_slice(), at))
    });
    // Of two that are as long, an opt-out counts, as they stand first.
    found.rev().max_by_key(|(_, phrase, _)| phrase.len())
}

/// Whether a name is that of a column of states; if so, whether these are about mail for certain.
fn status(tokens: &[String]) -> Option<bool> {
    let has = |lines: &[&str]| tokens.iter().any(|token| is_in(lines, token));
    let is_known =
        |token: &String| [STATES, REASONS, STATES_OF, BESIDE, ABOUT_MAIL].iter().any(|lines| is_in(lines, token));
    let is_about = has(ABOUT_MAIL) || has(&["subscriber suppression bounce unsubscribe consent permission optin"]);
    let is_kind = has(&["type"]) && !has(&["bounce suppression unsubscribe"]);
    let is_named =
        has(STATES) && !is_kind && (tokens.len() == 1 || is_about || has(STATES_OF)) && tokens.iter().all(is_known);
    is_named.then_some(is_about)
}

impl MailColumn {
    pub(super) fn meaning(self) -> MailMeaning {
        self.meaning
    }

    /// What a cell says.
    pub(super) fn says(self, cell: &str) -> MailWord {
        if is_nothing(cell) || self.meaning == MailMeaning::NotMail {
            return MailWord::Nothing;
        }
        let suppressed = match self.meaning {
            MailMeaning::Status if self.is_about_mail && yes_or_no(cell).is_none() => return word(cell),
            MailMeaning::Status | MailMeaning::NotMail => return state(cell),
            MailMeaning::OptIn => {
                return match yes_or_no(cell) {
                    Some(true) => MailWord::Sendable,
                    Some(false) => MailWord::Suppressed(Reason::Unsubscribe),
                    None if is_date(cell) => MailWord::Nothing,
                    None => word(cell),
                };
            }
            MailMeaning::OptOut => Reason::Unsubscribe,
            MailMeaning::HardBounce => Reason::HardBounce,
            MailMeaning::Complaint => Reason::Complaint,
            MailMeaning::Invalid => Reason::Invalid,
            MailMeaning::Manual => Reason::Manual,
        };
        let is_count = self.takes_counts && cell.len() <= 6 && cell.parse::<u32>().is_ok_and(|n| n > 0);
        match yes_or_no(cell) {
            Some(true) if self.is_any_bounce => MailWord::Bounced,
            Some(true) => MailWord::Suppressed(suppressed),
            Some(false) => MailWord::Sendable,
            None if (is_date(cell) || is_count) && self.is_any_bounce => MailWord::Bounced,
            None if is_date(cell) || is_count => MailWord::Suppressed(suppressed),
            None => match word(cell) {
                MailWord::Unclear if self.takes_text => MailWord::Suppressed(suppressed),
                word => word,
            },
        }
    }
}

/// What a word says that is about mail: all of a cell, or its parts together.
fn word(cell: &str) -> MailWord {
    let of = |text: &str| match tokens(text).join(" ").as_str() {
        text if is_phrase(GONE, text) => Some(MailWord::Suppressed(Reason::Unsubscribe)),
        text if is_phrase(GRANTED, text) => Some(MailWord::Sendable),
        text if is_phrase(WAITING, text) => Some(MailWord::Unclear),
        text if is_phrase(PASSING, text) => Some(MailWord::SoftBounce),
        "bounce" | "bounced" => Some(MailWord::Bounced),
        _ => verdict(text).map(|verdict| match verdict {
            Verdict::Suppressed(reason) => MailWord::Suppressed(reason),
            Verdict::Sendable => MailWord::Sendable,
        }),
    };
    let parts = || cell.split([',', ';', '|', '/', '(', ')', '[', ']']).filter_map(of);
    of(cell).unwrap_or_else(|| match parts().next() {
        Some(_) => MailWord::together(parts()),
        None => MailWord::Unclear,
    })
}

/// What a word says in a column that may be about something else.
fn state(cell: &str) -> MailWord {
    match tokens(cell).join(" ").as_str() {
        text if is_phrase(GONE_FROM_MAIL, text) => MailWord::Suppressed(Reason::Unsubscribe),
        "bounced" | "cleaned" => MailWord::Bounced,
        "hard bounced" | "hard bounce" => MailWord::Suppressed(Reason::HardBounce),
        "complained" | "complaint" | "spam complaint" | "marked as spam" | "reported spam" => {
            MailWord::Suppressed(Reason::Complaint)
        }
        text if is_phrase(DOUBTFUL, text) => MailWord::Unclear,
        _ if yes_or_no(cell).is_some() => MailWord::Unclear,
        _ => MailWord::Nothing,
    }
}

/// A cell of yes and no.
pub(super) fn yes_or_no(cell: &str) -> Option<bool> {
    let text = cell.trim();
    match text {
        "1.0" | "1,0" | "-1" | "-1.0" | "✓" | "✔" | "☑" => return Some(true),
        "0.0" | "0,0" | "-0" | "✗" | "✘" | "☐" => return Some(false),
        _ => {}
    }
    match tokens(text).join(" ").as_str() {
        text if is_phrase(YES, text) => Some(true),
        text if is_phrase(NO, text) => Some(false),
        _ => None,
    }
}

/// Whether a cell says nothing: it is empty, a placeholder, or the first moment of a calendar.
pub(super) fn is_nothing(cell: &str) -> bool {
    const ZERO_DAYS: [&str; 6] = ["1970-01-01", "1969-12-31", "1900-01-01", "1899-12-30", "1899-12-31", "1753-01-01"];
    let cell = cell.trim();
    let is_zero = || match read_date(cell, None) {
        Ok(DateCell::Nothing) => true,
        Ok(DateCell::Date(day)) => ZERO_DAYS.contains(&day.to_string().as_str()),
        Ok(DateCell::Local(time)) => ZERO_DAYS.contains(&time.date().to_string().as_str()),
        Ok(DateCell::Moment(micros)) => micros.abs() < 86_400_000_000 && cell.len() > 8 || cell.starts_with("-6213559"),
        _ => false,
    };
    yes_or_no(cell).is_none() && (super::blank::is_blank(cell) || is_zero())
}

/// Whether a cell is a date or time.
fn is_date(cell: &str) -> bool {
    let read = read_date(cell, None);
    let is_moment = cell.len() >= 6 && matches!(read, Ok(DateCell::Date(_) | DateCell::Local(_) | DateCell::Moment(_)));
    is_moment || read == Err(DateFault::Ambiguous)
}

fn is_in(lines: &[&str], token: &str) -> bool {
    lines.iter().flat_map(|line| line.split(' ')).any(|known| known == token)
}

fn is_phrase(line: &str, text: &str) -> bool {
    line.split("; ").any(|known| known == text)
}

/// The words of a name or cell in small letters and without accents; `e mail` is one.
fn tokens(text: &str) -> Vec<String> {
    let (mut words, mut before) = (vec![String::new()], ' ');
    for c in text.nfd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)) {
        if !c.is_alphanumeric() || c.is_uppercase() && before.is_lowercase() {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            match c {
                'ß' => word.push_str("ss"),
                'æ' | 'Æ' => word.push_str("ae"),
                'ø' | 'Ø' => word.push('o'),
                'ł' | 'Ł' => word.push('l'),
                c => word.extend(c.to_lowercase()),
            }
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    while let Some(at) = words.windows(2).position(|two| two[0] == "e" && two[1].starts_with("mail")) {
        let mail = words.remove(at + 1);
        words[at] = format!("e{mail}");
    }
    words
}

/// More names than block lists have.
const MORE_NAMES: [(MailMeaning, &str); 4] = [
    (
        MailMeaning::OptIn,
        "can contact; may contact; can email; may email; mailing list; mailing lists; receive marketing emails; receives marketing emails; marketing emails; mailings; subscribed to emails; accepts newsletter; accept marketing; accept email marketing; newslettera; newslettery",
    ),
    (MailMeaning::OptOut, "unsubbed; unsubscribes; do not send; dont email; never email; no newsletters"),
    (MailMeaning::HardBounce, "cleaned; clean time; clean date"),
    (MailMeaning::Complaint, "complaint; marked email as spam; reported as spam"),
];

const OTHER_WAYS: &[&str] = &[
    "sms text phone mobile whatsapp push telegram fax call calls postal post letter messenger facebook podcast webinar voice",
];

const ABOUT_MAIL: &[&str] = &["email emails mail mails mailing mailings marketing newsletter newsletters promotional"];

const STATES: &[&str] =
    &["status state type estado statut etat stato situacao stan tila stav durum статус ステータス 状態"];

const STATES_OF: &[&str] = &[
    "subscription subscriber member contact list global suppression bounce unsubscribe consent permission optin opt in",
];

const REASONS: &[&str] = &["reason reasons grund motif motivo raison reden powod"];

const MOMENTS: &[&str] = &["at time date on since timestamp datetime am datum fecha data le el"];

/// What turns a name around.
const DENIALS: &[&str] = &[
    "no not non never without dont doesnt stop stopped off out disabled deactivated exclude excluded remove removed withdrawn",
    "revoked denied declined refused rejected cancelled canceled ended kein keine keinen keiner nicht nie ohne aus abbestellt",
    "pas sans jamais arret refuse retire sin nunca jamas niente nessun nessuna senza mai geen niet nooit zonder brak bez nie",
    "inget ingen inga inte intet ingen ikke aldrig ei ingen zadny zadne ne hayir degil yok не нет без",
];

/// What says no more.
const BESIDE: &[&str] = &[
    "is has was been user contact contacts subscriber member recipient customer from of for to all any the in de des la le",
    "der die das den du da do i il em um s t list lists subscription subscriptions communication communications message",
    "messages information info global globally flag value values our your we you one sales update updates service address",
    "adresse attributes properties fields permission consent kontakt yes n y data does allow accept wants want opt opted our",
    "mailchimp woocommerce received received receive signup form l d",
];

const GONE: &str = "not subscribed; non subscribed; nonsubscribed; never subscribed; neversubscribed; notsubscribed; declined; denied; refused; withdrawn; revoked; disabled; never; no permission; no consent; do not email; unsub; removed; cancelled; canceled; do not allow; not allowed; rejected";
const GRANTED: &str = "granted; accepted; express; implied; given; allowed; allow; single opt in; double opt in; confirmed opt in; explicit";
const WAITING: &str = "pending; unconfirmed; inactive; cold; archived; transactional";
const PASSING: &str =
    "soft; soft bounce; soft bounces; soft bounced; bounced soft; transient; temporary; deferred; soft fail";
const GONE_FROM_MAIL: &str = "unsubscribed; unsubscribe; unsub; opted out; opt out; optout";
const DOUBTFUL: &str = "cancelled; canceled; inactive; blocked; disabled; suspended; suppressed; blacklisted; blocklisted; not subscribed; non subscribed; nonsubscribed; never subscribed; removed; archived; stopped; paused";
const YES: &str = "yes; y; true; t; 1; x; on; ja; j; wahr; oui; o; vrai; si; s; vero; sim; verdadeiro; verdadero; waar; tak; prawda; sant; sand; kylla; ano; evet; да; da; はい; yes please; ja gerne; ja bitte; oui merci; si gracias; si grazie; ja graag; ja tack; ja tak";
const NO: &str = "no; n; false; f; 0; off; nein; falsch; non; faux; falso; nao; nee; onwaar; nie; falsz; nej; falskt; nei; ei; ne; hayir; нет; いいえ; no thanks; no thank you; nein danke; non merci; no gracias; no grazie; nao obrigado; nee bedankt; nej tack; nej tak; nie dziekuje";
