//! Why an address is on a list, in the words of the files people have.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use crate::cell_looks::is_zero_date;
use crate::fold::{is_same, plain, squashed};
use crate::words::{
    ABOUT_MAIL, ALLOWED, BOUNCED, ENDED, MEDIUM, NO, NOTHING, PASSING, PASSING_PHRASES, REFUSED, WEAK, WORDS, YES,
};

/// Why an address gets no mail, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Somebody put it on the list by hand.
    Manual,
    /// The person unsubscribed.
    Unsubscribe,
    /// It is no address that can work.
    Invalid,
    /// Its mail server said that there is no such mailbox.
    HardBounce,
    /// The person reported mail as spam.
    Complaint,
}

impl Reason {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Complaint => "complaint",
            Self::HardBounce => "hard_bounce",
            Self::Invalid => "invalid",
            Self::Unsubscribe => "unsubscribe",
            Self::Manual => "manual",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What a word in a file says of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The address gets no mail, for this reason.
    Suppressed(Reason),
    /// The address may get mail: the file lists it among others, or for a trouble that passed.
    Sendable,
}

impl Verdict {
    /// A word that says it in a file.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Suppressed(reason) => reason.code(),
            Self::Sendable => "subscribed",
        }
    }

    /// The code of the reason, or `skipped`.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Suppressed(reason) => reason.code(),
            Self::Sendable => "skipped",
        }
    }
}

/// The words that are known, by what they say.
pub fn words() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    WORDS.iter().map(|(verdict, lines)| (verdict.code(), each(lines).collect()))
}

/// The words in lines of them.
fn each(lines: &'static [&'static str]) -> impl Iterator<Item = &'static str> {
    lines.iter().flat_map(|line| line.split("; "))
}

/// How surely a word is about mail, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WordGrade {
    /// It may be about anything: `removed`, `invalid`, `active`.
    Weak,
    /// It is about mail in a column of states or reasons: `complaint`, `opted out`.
    Medium,
    /// It is about mail wherever it stands: `unsubscribed`, `hard bounce`.
    Strong,
}

/// A word that is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownWord {
    pub(crate) verdict: Verdict,
    pub(crate) grade: WordGrade,
    /// Whether it is said of a bounce of any kind.
    pub(crate) is_bounce: bool,
    /// Whether it is said of a trouble that passes.
    pub(crate) is_passing: bool,
}

/// What is known of a word.
pub(crate) fn known(word: &str) -> Option<KnownWord> {
    static KNOWN: LazyLock<HashMap<String, KnownWord>> = LazyLock::new(|| {
        let is_in = |word: &str, lines: &'static [&'static str]| each(lines).any(|known| is_same(known, word));
        let of = |word: &'static str, verdict| {
            let is_mail = ABOUT_MAIL.iter().flat_map(|line| line.split(' ')).any(|stem| word.contains(stem));
            let is_weak = is_in(word, WEAK) || verdict == Verdict::Sendable && !is_mail;
            let is_medium = is_in(word, MEDIUM);
            let grade = match (is_weak, is_medium) {
                (true, _) => WordGrade::Weak,
                (false, true) => WordGrade::Medium,
                (false, false) => WordGrade::Strong,
            };
            let (is_bounce, is_passing) = (is_in(word, BOUNCED), is_in(word, PASSING));
            (squashed(word), KnownWord { verdict, grade, is_bounce, is_passing })
        };
        WORDS.iter().flat_map(|(verdict, lines)| each(lines).map(|word| of(word, *verdict))).collect()
    });
    KNOWN.get(&squashed(&plain(word))).copied()
}

/// What a word says, whatever the file.
pub fn verdict(word: &str) -> Option<Verdict> {
    known(word).map(|word| word.verdict)
}

/// Whether a text is about a trouble that passes, such as a full mailbox.
pub(crate) fn is_about_passing(text: &str) -> bool {
    let text = plain(text);
    each(PASSING_PHRASES).any(|phrase| text.contains(phrase))
}

/// What a word of permission says: whether mail is allowed.
pub(crate) fn is_allowed(word: &str) -> Option<bool> {
    match word {
        _ if is_one_of(word, ALLOWED) => Some(true),
        _ if is_one_of(word, REFUSED) => Some(false),
        _ => None,
    }
}

/// Whether a word says that something has ended which may be a subscription to mail.
pub(crate) fn is_ended(word: &str) -> bool {
    is_one_of(word, ENDED)
}

/// What a cell of yes and no says, in many languages: `yes`, `1.0`, `Nein danke`. `None` if it is neither.
pub fn yes_or_no(cell: &str) -> Option<bool> {
    let cell = cell.trim();
    match cell {
        // As tables of numbers have them, and some databases.
        "1.0" | "1,0" | "1.00" | "-1" | "-1.0" => Some(true),
        "0.0" | "0,0" | "0.00" | "-0" | "-0.0" => Some(false),
        _ if is_one_of(cell, YES) => Some(true),
        _ if is_one_of(cell, NO) => Some(false),
        _ => None,
    }
}

/// Whether a cell says nothing: it is empty, or a dash, `NULL`, `nan` or a date such as `0001-01-01` stands in it, which
/// programs write that have none.
pub fn is_nothing(cell: &str) -> bool {
    let cell = cell.trim();
    cell.is_empty()
        || cell.eq_ignore_ascii_case("\\n")
        || !cell.contains(char::is_alphanumeric) && yes_or_no(cell).is_none()
        || is_one_of(cell, NOTHING)
        || is_zero_date(cell)
}

/// Most cells are short and ASCII, so they are compared as they are before they are made plain.
fn is_one_of(cell: &str, lines: &'static [&'static str]) -> bool {
    if each(lines).any(|word| word.eq_ignore_ascii_case(cell)) {
        return true;
    }
    let word = squashed(&plain(cell));
    !word.is_empty() && each(lines).any(|known| is_same(known, &word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_in_many_languages() {
        use Reason::{Complaint, HardBounce, Invalid, Manual, Unsubscribe};
        for (words, reason) in [
            ("hard_bounce Hard-Bounce HardBounce HARD_BOUNCE hard-fail", HardBounce),
            ("unsub Unsub Removed Unsubscribed opted_out OptedOut optout", Unsubscribe),
            ("Abgemeldet Désabonné Désinscrite Baja Disiscritto Descadastrado Uitgeschreven Wypisany", Unsubscribe),
            ("Avregistrerad Afmeldt Avmeldt Odhlášen Отписался 配信停止", Unsubscribe),
            ("ManualSuppression Blacklisted gesperrt bloqué Bloqueado geblokkeerd zablokowany Заблокирован", Manual),
            ("SPAM_complaint Beschwerde Plainte Queja Klacht Şikayet Жалоба 苦情", Complaint),
            ("Unzustellbar Rebotado Rimbalzo Onbestelbaar Odbity Studsad ハードバウンス", HardBounce),
            ("Ungültig invalide inválido ongeldig nieprawidłowy ogiltig ugyldig neplatný geçersiz 無効", Invalid),
        ] {
            for word in words.split(' ') {
                assert_eq!(verdict(word), Some(Verdict::Suppressed(reason)), "{word}");
            }
        }
        for word in
            "Soft_bounce Active Angemeldet Abonné Suscrito Iscritto Ingeschreven Zapisany Tilmeldt 購読中".split(' ')
        {
            assert_eq!(verdict(word), Some(Verdict::Sendable), "{word}");
        }
        for word in
            ["moved to Rome", "", "--", "Engaged", "regular", "Awaiting Confirmation", "cancelled", "yes", "VIP"]
        {
            assert_eq!(verdict(word), None, "{word}");
        }
    }

    #[test]
    fn each_word_is_there_once_and_plain() {
        let words: Vec<_> = WORDS.iter().flat_map(|(_, lines)| each(lines)).collect();
        let lists = [ENDED, YES, NO, NOTHING, WEAK, MEDIUM, BOUNCED, PASSING, PASSING_PHRASES, ALLOWED, REFUSED];
        let lists = lists.into_iter().flat_map(each);
        for word in words.iter().copied().chain(lists.filter(|word| word.contains(char::is_alphanumeric))) {
            assert_eq!(plain(word), word);
        }
        for word in [WEAK, MEDIUM, BOUNCED, PASSING].into_iter().flat_map(each) {
            assert!(words.contains(&word), "{word}");
        }
        let mut once: Vec<_> = words.iter().map(|word| squashed(word)).collect();
        once.sort_unstable();
        assert!(once.windows(2).all(|two| two[0] != two[1]), "{:?}", once.windows(2).find(|two| two[0] == two[1]));
        assert!(each(YES).all(|yes| each(NO).all(|no| yes != no)));
        for reason in [Reason::Complaint, Reason::HardBounce, Reason::Invalid, Reason::Unsubscribe, Reason::Manual] {
            assert_eq!(verdict(reason.code()), Some(Verdict::Suppressed(reason)));
        }
    }

    #[test]
    fn yes_and_no_are_known_in_many_languages() {
        for word in "yes TRUE 1 ja WAHR Oui VRAI sí Sì sim Tak kyllä ano evet да はい x ✓".split(' ') {
            assert_eq!(yes_or_no(word), Some(true), "{word}");
        }
        for word in "No false 0 Nein FALSCH non FAUX não nee Nie nej ei ne hayır Нет いいえ".split(' ') {
            assert_eq!(yes_or_no(word), Some(false), "{word}");
        }
        for word in ["", "perhaps", "2", "10", "2024-01-02"] {
            assert_eq!(yes_or_no(word), None, "{word}");
        }
        for cell in ["1.0", "-1", "Ja gerne", "Oui, merci", "yes, please"] {
            assert_eq!(yes_or_no(cell), Some(true), "{cell}");
        }
        for cell in ["0.0", "Nein danke", "Nein, danke!", "Non merci", "no thanks", "No, gracias"] {
            assert_eq!(yes_or_no(cell), Some(false), "{cell}");
        }
        for cell in
            ["", "-", "--", "n/a", "N/A", "#N/A", "<NA>", "NULL", "None", "0000-00-00", "nan", "NaT", "\\N", "(null)"]
        {
            assert!(is_nothing(cell), "{cell}");
        }
        assert!(!is_nothing("no") && !is_nothing("✗"));
    }
}
