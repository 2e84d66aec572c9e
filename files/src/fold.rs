//! Words as they are compared, whatever their case, accents and signs.

/// A text in small letters without accents, with one space in place of all signs: `HardBounce`, `HARD_BOUNCE` and
/// `hard-bounce` are all `hard bounce`, and `Désabonné` is `desabonne`.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        if is_mark(c) {
            continue;
        }
        let begins = c.is_uppercase() && before.is_lowercase();
        let is_word = c.is_alphanumeric();
        if (begins || !is_word) && !plain.is_empty() && !plain.ends_with(' ') {
            plain.push(' ');
        }
        if is_word {
            c.to_lowercase().filter(|c| !is_mark(*c)).for_each(|c| push(&mut plain, c));
        }
        before = c;
    }
    plain.truncate(plain.trim_end().len());
    plain
}

/// The same without any space: `E-Mail Address`, `email_address` and `EmailAddress` are one.
pub(crate) fn squashed(plain: &str) -> String {
    plain.split(' ').collect()
}

/// Whether two plain texts are the same but for their spaces.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one.bytes().filter(|byte| *byte != b' ').eq(other.bytes().filter(|byte| *byte != b' '))
}

/// Accents that stand behind their letter.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Appends a small letter without its accent.
fn push(plain: &mut String, c: char) {
    let letter = match c {
        _ if c.is_ascii() => c,
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'ď' | 'đ' | 'ð' => 'd',
        'è'..='ë' | 'ē' | 'ę' | 'ě' => 'e',
        'ğ' => 'g',
        'ì'..='ï' | 'ī' | 'ı' => 'i',
        'ł' | 'ľ' => 'l',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ő' | 'ō' => 'o',
        'ŕ' | 'ř' => 'r',
        'ś' | 'ş' | 'š' | 'ș' => 's',
        'ť' | 'ţ' | 'ț' => 't',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        'ё' => 'е',
        'й' => 'и',
        'ß' => {
            plain.push('s');
            's'
        }
        'æ' => {
            plain.push('a');
            'e'
        }
        'œ' => {
            plain.push('o');
            'e'
        }
        other => other,
    };
    plain.push(letter);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_case_accents_and_signs() {
        for (text, expected) in [
            ("hard_bounce", "hard bounce"),
            ("HardBounce", "hard bounce"),
            ("HARD_BOUNCE", "hard bounce"),
            (" -- Opted  out! ", "opted out"),
            ("Désabonné(e)", "desabonne e"),
            ("De\u{301}sabonne\u{301}", "desabonne"),
            ("Größe", "grosse"),
            ("ÅÆØ", "aaeo"),
            ("İptal", "iptal"),
            ("Отписан", "отписан"),
            ("メールアドレス", "メールアドレス"),
            ("--", ""),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
        assert!(is_same("e mail address", "email address") && !is_same("email", "emails"));
        assert_eq!(squashed("e mail address"), "emailaddress");
    }
}
