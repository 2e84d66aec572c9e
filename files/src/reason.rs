//! Why an address is on a list, in the words of the files people have.

use std::fmt;

/// Why an address gets no mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The person reported mail as spam.
    Complaint,
    /// Its mail server said that there is no such mailbox.
    HardBounce,
    /// It is no address that can work.
    Invalid,
    /// The person unsubscribed.
    Unsubscribe,
    /// Somebody put it on the list by hand.
    Manual,
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

/// Words that mean the same whatever the file, as [`plain`] makes them.
pub(crate) const WORDS: &[(Verdict, &[&str])] = &[
    (
        Verdict::Suppressed(Reason::Complaint),
        &[
            "complaint",
            "complained",
            "spam",
            "spam complaint",
            "spam complaints",
            "spam report",
            "spam reports",
            "spamcomplaint",
            "reported spam",
            "marked as spam",
            "abuse",
            "junk",
        ],
    ),
    (
        Verdict::Suppressed(Reason::HardBounce),
        &[
            "hard bounce",
            "hard bounces",
            "hard bounced",
            "hardbounce",
            "hard",
            "bounce",
            "bounces",
            "bounced",
            "permanent",
            "cleaned",
        ],
    ),
    (
        Verdict::Suppressed(Reason::Invalid),
        &["invalid", "invalid email", "invalid address", "bad address", "undeliverable"],
    ),
    (
        Verdict::Suppressed(Reason::Unsubscribe),
        &[
            "unsubscribe",
            "unsubscribes",
            "unsubscribed",
            "unsubscription",
            "opt out",
            "opted out",
            "optout",
            "cancelled",
            "canceled",
        ],
    ),
    (
        Verdict::Suppressed(Reason::Manual),
        &[
            "manual",
            "manually added",
            "manual suppression",
            "manualsuppression",
            "blocked",
            "blocklisted",
            "blacklist",
            "blacklisted",
            "suppressed",
            "user suppressed",
            "excluded",
        ],
    ),
    (
        Verdict::Sendable,
        &[
            "active",
            "subscribed",
            "confirmed",
            "unconfirmed",
            "pending",
            "inactive",
            "cold",
            "never subscribed",
            "non subscribed",
            "nonsubscribed",
            "not subscribed",
            "transactional",
            "valid",
            "deliverable",
            "soft bounce",
            "soft bounces",
            "soft bounced",
            "softbounce",
            "soft",
            "transient",
            "temporary",
            "sendable",
            "enabled",
            "opted in",
            "opt in",
            "archived",
            "delivered",
        ],
    ),
];

/// The words that are known, by what they say.
pub fn words() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    WORDS.iter().map(|(verdict, words)| (verdict.code(), *words))
}

/// A word as it is compared: in small letters, with single spaces in place of all signs, and `HardBounce` and
/// `HARD_BOUNCE` the same as `hard bounce`.
pub(crate) fn plain(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    let mut before = ' ';
    for c in word.chars() {
        let begins = c.is_uppercase() && before.is_lowercase();
        if (begins || !c.is_alphanumeric()) && !plain.is_empty() && !plain.ends_with(' ') {
            plain.push(' ');
        }
        if c.is_alphanumeric() {
            plain.extend(c.to_lowercase());
        }
        before = c;
    }
    plain.truncate(plain.trim_end().len());
    plain
}

/// What a word says, whatever the file.
pub fn verdict(word: &str) -> Option<Verdict> {
    let word = plain(word);
    WORDS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(verdict, _)| *verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_case_and_signs() {
        for (word, reason) in [
            ("hard_bounce", Reason::HardBounce),
            ("Hard-Bounce", Reason::HardBounce),
            ("HardBounce", Reason::HardBounce),
            ("HARD_BOUNCE", Reason::HardBounce),
            ("SPAM complaint", Reason::Complaint),
            (" Unsubscribed ", Reason::Unsubscribe),
            ("ManualSuppression", Reason::Manual),
        ] {
            assert_eq!(verdict(word), Some(Verdict::Suppressed(reason)), "{word}");
        }
        assert_eq!(verdict("Soft bounce"), Some(Verdict::Sendable));
        assert_eq!((verdict("moved to Rome"), verdict(""), verdict("--")), (None, None, None));
    }

    #[test]
    fn each_word_is_there_once_and_plain() {
        let words: Vec<_> = WORDS.iter().flat_map(|(_, words)| *words).collect();
        for (at, word) in words.iter().enumerate() {
            assert_eq!(plain(word), **word);
            assert!(!words[..at].contains(word), "{word}");
        }
        for reason in [Reason::Complaint, Reason::HardBounce, Reason::Invalid, Reason::Unsubscribe, Reason::Manual] {
            assert_eq!(verdict(reason.code()), Some(Verdict::Suppressed(reason)));
        }
    }
}
