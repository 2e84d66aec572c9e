//! Email addresses, which are who somebody is.
//!
//! **One mailbox has one key, or the text is refused**: whatever way there is to write an address in two ways leads to the
//! same [`key`](Email::key) (`key.rs`) or is no address here (`fault.rs`). So a block cannot be passed by spelling.

mod fault;
mod key;

use std::{borrow::Cow, fmt};

pub use fault::InvalidEmail;
pub use key::email_key;
use poem_openapi::registry::MetaSchema;

/// The longest address, in bytes (RFC 5321, 4.5.3.1.3 less the angle brackets).
const LONGEST: usize = 254;

/// Signs that look like an `@`.
const WIDE_ATS: [char; 2] = ['\u{ff20}', '\u{fe6b}'];

/// An email address: as typed, without outer space. Two are the same person if their [`key`](Email::key) is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    text: Box<str>,
    key: Box<str>,
}

impl Email {
    /// Reads an address: a local part, `@` and a domain (RFC 5322 `addr-spec`, with RFC 6531's letters; no
    /// display name, no comments, and nothing that needs quotes).
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(InvalidEmail::TooLong);
        }
        if let Some(fault) = InvalidEmail::invisible(text) {
            return Err(fault);
        }
        let email = Self::stored(text);
        email.check()?;
        Ok(email)
    }

    /// An address that was accepted before, maybe by other rules, and is not looked at again.
    pub fn stored(text: &str) -> Self {
        Self { text: text.into(), key: email_key(text).into() }
    }

    fn check(&self) -> Result<(), InvalidEmail> {
        let Some((local, domain)) = self.key.rsplit_once('@').filter(|_| self.text.contains('@')) else {
            let wide = self.text.chars().find(|c| WIDE_ATS.contains(c));
            return Err(wide.map_or(InvalidEmail::NotAnAddress, InvalidEmail::WideAt));
        };
        if local.starts_with('"') && local.ends_with('"') {
            return Err(InvalidEmail::Quotes);
        }
        if domain.starts_with('[') {
            return Err(InvalidEmail::Literal);
        }
        // `=?…?=`, which some mail programs decode wherever it stands.
        if self.text.contains("=?") {
            return Err(InvalidEmail::EncodedWord);
        }
        let options = email_address::Options::default().without_display_text().without_domain_literal();
        let is_address = self.key.len() <= LONGEST
            && is_domain(domain)
            && email_address::EmailAddress::parse_with_options(&self.key, options).is_ok();
        if is_address {
            return Ok(());
        }
        let without_spaces = self.text.replace(' ', "");
        match InvalidEmail::space(&self.text) {
            Some(fault) if Self::parse(&without_spaces).is_ok() => Err(fault),
            _ => Err(InvalidEmail::NotAnAddress),
        }
    }

    /// As typed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What makes two addresses the same, see [`email_key`]. What stands behind a plus sign, or a dot in the local part,
    /// makes another address: only the mailbox's own server knows.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What mail is sent to: before the `@` as typed, without quotes that are not needed, and the domain in ASCII.
    pub fn parts(&self) -> (Cow<'_, str>, &str) {
        let (local, _) = self.text.rsplit_once('@').unwrap_or_default();
        let (_, domain) = self.key.rsplit_once('@').unwrap_or_default();
        (key::unquoted(local), domain)
    }
}

/// Whether a name in ASCII is one that the domain name system can hold, and the only way to write it: what begins with
/// `xn--` must stand for letters, and for no others than it would be made of.
fn is_domain(domain: &str) -> bool {
    domain.is_ascii() && (!domain.contains("xn--") || idna::domain_to_ascii(domain).is_ok_and(|same| same == domain))
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

super::json_string!(
    impl[] Email,
    "string_email",
    MetaSchema {
        min_length: Some(3),
        max_length: Some(LONGEST),
        example: Some("anna@example.com".into()),
        ..MetaSchema::new_with_format("string", "email")
    },
    Email::parse
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> String {
        Email::parse(text).unwrap_or_else(|fault| panic!("{text:?}: {fault}")).key().to_owned()
    }

    #[test]
    fn one_mailbox_has_one_key() {
        for (texts, expected) in [
            (
                &[
                    " Victim@Example.com ",
                    "\"victim\"@example.com",
                    "\"Victim\"@EXAMPLE.COM",
                    "\"vic\\tim\"@example.com",
                    "\"\\v\\i\\c\\t\\i\\m\"@example.com",
                    "victim@example\u{3002}com",
                    "victim@\u{ff45}xample.com",
                    "\u{ff56}ictim@example.com",
                    "\"\u{ff56}ictim\"@example.com",
                    "victim@\u{24d4}xample.com",
                    "\u{a0}victim@example.com\u{2003}",
                ][..],
                "victim@example.com",
            ),
            (
                &["jos\u{e9}@example.com", "Jose\u{301}@example.com", "\"JOS\u{c9}\"@example.com"],
                "jos\u{e9}@example.com",
            ),
            (&["o'neil+x@example.com", "\"O'Neil+x\"@example.com"], "o'neil+x@example.com"),
            (&["a.b@example.com", "\"a.b\"@example.com", "\"a\\.b\"@example.com"], "a.b@example.com"),
            (
                &[
                    "anna@B\u{fc}cher.example",
                    "anna@bu\u{308}cher.example",
                    "ANNA@xn--bcher-kva.example",
                    "\"anna\"@XN--BCHER-KVA.example",
                ],
                "anna@xn--bcher-kva.example",
            ),
            (
                &[
                    "\u{39f}\u{394}\u{39f}\u{3a3}@example.com",
                    "\u{3bf}\u{3b4}\u{3bf}\u{3c2}@example.com",
                    "\u{3bf}\u{3b4}\u{3bf}\u{3c3}@example.com",
                ],
                "\u{3bf}\u{3b4}\u{3bf}\u{3c3}@example.com",
            ),
            (&["j\u{30c}@example.com", "J\u{30c}@example.com", "\u{1f0}@example.com"], "\u{1f0}@example.com"),
        ] {
            for text in texts {
                assert_eq!(key(text), expected, "{text:?}");
                assert_eq!(key(expected), expected, "a key is its own");
            }
        }
        for (one, other) in [
            ("anna+news@example.com", "anna@example.com"),
            ("an.na@example.com", "anna@example.com"),
            ("stra\u{df}e@example.com", "strasse@example.com"),
            ("anna@stra\u{df}e.example", "anna@strasse.example"),
        ] {
            assert_ne!(key(one), key(other), "{one}");
        }
        assert_eq!(email_key("@B\u{fc}cher"), "@xn--bcher-kva");
        assert_eq!((email_key("\"vic"), email_key("\"Vic\"@exa")), ("\"vic".into(), "vic@exa".into()));
    }

    #[test]
    fn what_is_another_way_to_write_an_address_and_has_no_key_is_refused() {
        use InvalidEmail::{EncodedWord, Literal, NotAnAddress, Quotes, Space, WideAt};
        for (text, fault) in [
            ("", NotAnAddress),
            ("anna", NotAnAddress),
            ("@example.com", NotAnAddress),
            ("anna@", NotAnAddress),
            ("Anna <a@example.com>", NotAnAddress),
            ("<a@example.com>", NotAnAddress),
            ("mailto:a@example.com", NotAnAddress),
            // Comments, folding, source routes, dots that are not needed.
            ("victim(comment)@example.com", NotAnAddress),
            ("(comment)victim@example.com", NotAnAddress),
            ("victim@example.com(comment)", NotAnAddress),
            ("victim@(comment)example.com", NotAnAddress),
            ("@relay.example:victim@example.com", NotAnAddress),
            ("vic\\tim@example.com", NotAnAddress),
            ("\"vic\".tim@example.com", NotAnAddress),
            ("vic.\"tim\"@example.com", NotAnAddress),
            ("victim@example.com.", NotAnAddress),
            ("victim@.example.com", NotAnAddress),
            ("victim@example..com", NotAnAddress),
            (".victim@example.com", NotAnAddress),
            ("victim.@example.com", NotAnAddress),
            ("vic..tim@example.com", NotAnAddress),
            ("victim@\"example.com\"", NotAnAddress),
            ("\u{ff02}victim\u{ff02}@example.com", Quotes),
            ("a\u{ff20}b@example.com", NotAnAddress),
            ("vic\u{ff0e}\u{ff0e}tim@example.com", NotAnAddress),
            ("victim\u{b4}@example.com", NotAnAddress),
            // Names that the domain name system cannot hold, or holds in another form.
            ("a@b\u{fffd}.example", NotAnAddress),
            ("victim@xn--example-.com", NotAnAddress),
            ("victim@xn--a.com", NotAnAddress),
            ("victim@xn--Bcher-9na.example", NotAnAddress),
            // Quotes that are needed.
            ("\"anna lind\"@example.com", Quotes),
            ("\"\"@example.com", Quotes),
            ("\" \"@example.com", Quotes),
            ("\"a@b\"@example.com", Quotes),
            ("\"a..b\"@example.com", Quotes),
            ("\".a\"@example.com", Quotes),
            ("\"a\\\"b\"@example.com", Quotes),
            ("\"a\\\\b\"@example.com", Quotes),
            ("\"<a>\"@example.com", Quotes),
            // Another way to name the server.
            ("victim@[192.0.2.1]", Literal),
            ("victim@[IPv6:2001:db8::1]", Literal),
            ("=?utf-8?q?victim?=@example.com", EncodedWord),
            ("=?x?q?=41=42?=victim@example.com", EncodedWord),
            ("victim\u{ff20}example.com", WideAt('\u{ff20}')),
            ("victim\u{fe6b}example.com", WideAt('\u{fe6b}')),
            ("an na@example.com", Space("an".into())),
            ("anna @example.com", Space("anna".into())),
            ("anna@example. com", Space("anna@example.".into())),
        ] {
            assert_eq!(Email::parse(text), Err(fault), "{text:?}");
        }
        assert_eq!(Email::parse(&format!("{}@example.com", "a".repeat(250))), Err(InvalidEmail::TooLong));
        assert_eq!(Email::parse(&format!("{}@example.com", "a".repeat(65))), Err(NotAnAddress));
    }

    #[test]
    fn an_invisible_character_is_named_with_its_place() {
        for (text, words) in [
            ("an\u{200b}na@example.com", "has an invisible character, U+200B ZERO WIDTH SPACE, after \"an\""),
            (
                "\u{feff}anna@example.com",
                "has an invisible character, U+FEFF ZERO WIDTH NO-BREAK SPACE, at its beginning",
            ),
            (
                "anna@example.com\u{200e}",
                "has an invisible character, U+200E LEFT-TO-RIGHT MARK, after \"anna@example.com\"",
            ),
            ("anna@exam\u{ad}ple.com", "has an invisible character, U+00AD SOFT HYPHEN, after \"anna@exam\""),
            ("an\u{a0}na@example.com", "has an invisible character, U+00A0 NO-BREAK SPACE, after \"an\""),
            ("anna\u{202e}@example.com", "has an invisible character, U+202E RIGHT-TO-LEFT OVERRIDE, after \"anna\""),
            ("anna@\u{2063}example.com", "has an invisible character, U+2063 INVISIBLE SEPARATOR, after \"anna@\""),
            ("anna\u{3164}@example.com", "has an invisible character, U+3164 HANGUL FILLER, after \"anna\""),
            (
                "anna\u{e0041}@example.com",
                "has an invisible character, U+E0041 TAG LATIN CAPITAL LETTER A, after \"anna\"",
            ),
            ("an\tna@example.com", "has an invisible character, U+0009 TAB, after \"an\""),
            ("anna@exa\r\n mple.com", "has an invisible character, U+000D CARRIAGE RETURN, after \"anna@exa\""),
            ("anna\0@example.com", "has an invisible character, U+0000 NULL, after \"anna\""),
            ("anna\u{7}@example.com", "has an invisible character, U+0007 (a control character), after \"anna\""),
        ] {
            assert_eq!(Email::parse(text).unwrap_err().to_string(), words);
        }
        let long = format!("{}\u{200b}@example.com", "é".repeat(50));
        let shown = Email::parse(&long).unwrap_err().to_string();
        assert!(shown.ends_with(&format!("after \"{}\"", "é".repeat(40))), "{shown}");
    }

    proptest! {
        /// Whatever is an address has a key that is one, and mail can be sent to it.
        #[test]
        fn whatever_is_taken_can_be_sent_to(
            local in "[\"\\\\aB.é\u{ff41} _+ς'%-]{0,8}", domain in "(\\[?[aé1\u{ff41}_-]{1,5}[.。]){0,2}[acé-]{1,3}[.\\]]?",
        ) {
            if let Ok(email) = Email::parse(&format!("{local}@{domain}")) {
                let same = Email::parse(email.key()).expect("a key is an address");
                prop_assert_eq!(same.key(), email.key());
                let (local, domain) = email.parts();
                let address = usher_mail::Address::new(&*local, domain).expect("mail can be sent to it");
                let sent = Email::parse(address.as_ref()).expect("an address");
                prop_assert_eq!(sent.key(), email.key());
                let quoted = Email::parse(&format!("\"{local}\"@{domain}")).expect("quotes change nothing");
                prop_assert_eq!(quoted.key(), email.key());
            }
        }
    }
}
