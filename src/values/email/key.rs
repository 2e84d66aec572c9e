//! What makes two ways of writing an address one address.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// The identity of an address: no outer space, lower case, the domain as ASCII (UTS #46), so that `bücher.example` and
/// `xn--bcher-kva.example` are the same; before the `@` no quotes that are not needed (RFC 5321, 4.1.2), so that
/// `"anna"@example.com` is `anna@example.com`, and letters in their plainest form (NFKC, and one sigma), since no provider
/// tells people apart by others. A part of an address, as people search for, gets the same treatment.
pub fn email_key(text: &str) -> String {
    let text = text.trim();
    if text.is_ascii() && !text.contains('"') {
        return text.to_ascii_lowercase();
    }
    match text.rsplit_once('@') {
        Some((local, domain)) => {
            let ascii = if domain.is_ascii() { None } else { idna::domain_to_ascii(domain).ok() };
            format!("{}@{}", folded(&unquoted(local)), ascii.unwrap_or_else(|| folded(domain)))
        }
        None => folded(text),
    }
}

/// In lower case and in the plainest form of each letter.
fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let lower = text.nfkc().collect::<String>().to_lowercase();
    // Lower case may fall apart again, and has two forms of one letter only here.
    lower.nfkc().map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

/// What stands before the `@`, without quotes and backslashes that are not needed.
pub(super) fn unquoted(local: &str) -> Cow<'_, str> {
    let Some(inside) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return local.into() };
    let mut plain = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    if is_dot_atom(&plain) { plain.into() } else { local.into() }
}

/// Whether a text may stand before the `@` without quotes (RFC 5322, 3.2.3; RFC 6532).
fn is_dot_atom(text: &str) -> bool {
    let is_atext = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}
