use std::fmt;

use poem_openapi::registry::MetaSchema;
use unicode_normalization::UnicodeNormalization;

/// The longest address, in bytes (RFC 5321, 4.5.3.1.3 less the angle brackets).
const LONGEST: usize = 254;

/// An email address: as typed, without outer space. Two are the same person if their [`key`](Email::key) is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    text: Box<str>,
    key: Box<str>,
}

/// A text that is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an email address")]
pub struct InvalidEmail;

impl Email {
    /// Reads an address: a local part, `@` and a domain (RFC 5322 `addr-spec`, with RFC 6531's letters; no
    /// display name, no comments).
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        if text.len() > LONGEST || text.chars().any(char::is_control) {
            return Err(InvalidEmail);
        }
        let key = email_key(text);
        // What is left of letters in the domain is no name that the domain name system can hold.
        if key.len() > LONGEST || key.rsplit_once('@').is_some_and(|(_, domain)| !domain.is_ascii()) {
            return Err(InvalidEmail);
        }
        let options = email_address::Options::default().without_display_text();
        email_address::EmailAddress::parse_with_options(&key, options).map_err(|_| InvalidEmail)?;
        Ok(Self { text: text.into(), key: key.into() })
    }

    /// As typed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What makes two addresses the same: no outer space, NFC, lower case, the domain as ASCII. What stands behind a
    /// plus sign, or a dot in the local part, makes another address: only the mailbox's own server knows.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// The identity of an address: no outer space, NFC, lower case, the domain as ASCII (UTS #46), so that `bücher.example`
/// and `xn--bcher-kva.example` are the same. A part of an address, as people search for, gets the same treatment.
pub fn email_key(text: &str) -> String {
    let text = text.trim();
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let key = text.nfc().collect::<String>().to_lowercase();
    match key.rsplit_once('@') {
        Some((local, domain)) if !domain.is_ascii() => match idna::domain_to_ascii(domain) {
            Ok(ascii) => format!("{local}@{ascii}"),
            Err(_) => key,
        },
        _ => key,
    }
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
    use super::*;

    #[test]
    fn case_space_and_composition_do_not_matter() {
        let keys = [" Anna@Example.com ", "anna@example.COM"].map(|text| Email::parse(text).unwrap().key().to_owned());
        assert_eq!(keys, ["anna@example.com", "anna@example.com"]);
        assert_eq!(Email::parse("Jose\u{301}@example.com").unwrap().key(), "jos\u{e9}@example.com");
    }

    #[test]
    fn a_domain_is_the_same_in_letters_and_in_ascii() {
        let keys = ["anna@B\u{fc}cher.example", "anna@bu\u{308}cher.example", "ANNA@xn--bcher-kva.example"];
        for text in keys {
            assert_eq!(Email::parse(text).unwrap().key(), "anna@xn--bcher-kva.example", "{text}");
        }
        // Letters before the @ stay (RFC 6531).
        assert_eq!(Email::parse("Zo\u{eb}@example.com").unwrap().key(), "zo\u{eb}@example.com");
        assert_ne!(Email::parse("anna+news@example.com").unwrap(), Email::parse("anna@example.com").unwrap());
        for text in ["a@b\u{fffd}.example", "a@\u{200b}.example"] {
            assert_eq!(Email::parse(text), Err(InvalidEmail), "{text:?}");
        }
        assert_eq!(email_key("@B\u{fc}cher"), "@xn--bcher-kva");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "anna", "@example.com", "anna@", "a b@example.com", "Anna <a@example.com>", "a@b\n.com"] {
            assert_eq!(Email::parse(text), Err(InvalidEmail), "{text:?}");
        }
        assert_eq!(Email::parse(&format!("{}@example.com", "a".repeat(250))), Err(InvalidEmail));
    }
}
