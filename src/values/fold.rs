//! Text as people search for it: without accents, case, and the difference between letters that keyboards often lack.
//!
//! [`fold`] makes `jurgen` of `Jürgen`, `strasse` of `Straße`, `isik` of `Işık`, in composed and decomposed form alike.
//! Signs that make another letter in their script (Japanese voicing, Indic vowels) stay. [`words`] cuts a folded text into
//! what a search finds the beginning of. Scripts that are written without blanks have no words to cut: their signs stand
//! together as one [`Word::Run`], which is found from each of its signs on.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// A word of a folded text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// Letters and digits.
    Plain(String),
    /// Signs of a script without blanks, or symbols.
    Run(String),
}

impl Word {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Run(text) => text,
        }
    }
}

/// A text without case, accents and width.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_dropped(*c)).flat_map(char::to_lowercase) {
        match plain(c) {
            Some(letters) => folded.push_str(letters),
            // The dot of a Turkish İ comes with its lower case.
            None if is_dropped(c) => {}
            None => folded.push(c),
        }
    }
    folded.nfc().collect()
}

/// What names are sorted and compared by: their words with one blank between them, or if there are none the text folded.
/// An apostrophe joins.
pub fn sort_key(text: &str) -> String {
    /// Characters that count, so that an index can hold a key whatever a name's characters decompose into.
    const LONGEST: usize = 256;
    let folded = fold(text);
    let mut key = String::with_capacity(folded.len());
    for c in folded.chars().filter(|c| !is_apostrophe(*c)).take(LONGEST) {
        match kind(c) {
            Kind::Letter | Kind::Sign => key.push(c),
            Kind::Between if key.is_empty() || key.ends_with(' ') => {}
            Kind::Between => key.push(' '),
        }
    }
    key.truncate(key.trim_end().len());
    match key.is_empty() {
        true => folded.split_whitespace().flat_map(str::chars).take(LONGEST).collect(),
        false => key,
    }
}

/// The words of a text, in its order. What an apostrophe joins is one word and its parts: `o`, `brien` and `obrien`.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for part in fold(text).split(|c| kind(c) == Kind::Between && !is_apostrophe(c)) {
        if part.contains(is_apostrophe) {
            let joined: String = part.chars().filter(|c| !is_apostrophe(*c)).collect();
            cut(&joined, &mut words);
        }
        part.split(is_apostrophe).for_each(|part| cut(part, &mut words));
    }
    words
}

/// Cuts a text of letters and signs where one kind follows the other.
fn cut(text: &str, words: &mut Vec<Word>) {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_run = kind(first) == Kind::Sign;
        let end = rest.find(|c| (kind(c) == Kind::Sign) != is_run).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        words.push(if is_run { Word::Run(word.into()) } else { Word::Plain(word.into()) });
        rest = after;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Of a script with blanks between words.
    Letter,
    /// Of a script without, or a symbol.
    Sign,
    /// What stands between words.
    Between,
}

fn kind(c: char) -> Kind {
    match c {
        'a'..='z' | '0'..='9' => Kind::Letter,
        '\0'..='\u{bf}' | '\u{d7}' | '\u{f7}' | '\u{2000}'..='\u{206f}' | '\u{2e00}'..='\u{2e7f}' => Kind::Between,
        '\u{3000}'..='\u{3004}' | '\u{3008}'..='\u{303f}' | '\u{30fb}' | '\u{fe10}'..='\u{fe6f}' => Kind::Between,
        // Thai to Myanmar, Khmer, then symbols, Chinese, Japanese and Korean.
        '\u{e00}'..='\u{10ff}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}' if !is_georgian(c) => Kind::Sign,
        '\u{2190}'..='\u{2bff}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' => {
            Kind::Sign
        }
        '\u{1b000}'..='\u{1b2ff}' | '\u{1f000}'..='\u{1faff}' | '\u{20000}'..='\u{3ffff}' => Kind::Sign,
        _ if c.is_alphanumeric() || is_combining_mark(c) => Kind::Letter,
        _ => Kind::Between,
    }
}

fn is_georgian(c: char) -> bool {
    matches!(c, '\u{10a0}'..='\u{10ff}')
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '`' | '\u{b4}' | '\u{2b9}'..='\u{2bc}' | '\u{2018}' | '\u{2019}' | '\u{2032}')
}

/// Whether a character of a decomposed text says nothing to who searches: accents, vowel points, and what cannot be seen.
fn is_dropped(c: char) -> bool {
    match c {
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' => {
            is_combining_mark(c)
        }
        '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' => is_combining_mark(c),
        '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}' => true,
        '\u{ad}' | '\u{640}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{feff}' => true,
        _ => false,
    }
}

/// The plain letters for one that does not decompose.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ı' | 'ɨ' => "i",
        'ħ' => "h",
        'ŋ' => "n",
        'ŧ' => "t",
        'ĸ' => "k",
        'ə' => "e",
        'ƶ' => "z",
        'ς' => "σ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).iter().map(|word| word.as_str().to_owned()).collect()
    }

    #[test]
    fn a_text_is_folded_as_people_type_it() {
        let cases = [
            ("Jürgen", "jurgen"),
            ("Ju\u{308}rgen", "jurgen"),
            ("JÜRGEN", "jurgen"),
            ("Straße", "strasse"),
            ("STRAẞE", "strasse"),
            ("Núñez", "nunez"),
            ("Søren", "soren"),
            ("Łukasz", "lukasz"),
            ("Æsop", "aesop"),
            ("Œuvre", "oeuvre"),
            ("Işık", "isik"),
            ("İstanbul", "istanbul"),
            ("ISPARTA", "isparta"),
            ("Đorđe", "dorde"),
            ("Þórður", "thordur"),
            ("Ångström", "angstrom"),
            ("Trần Nguyễn", "tran nguyen"),
            ("Čapek Dvořák", "capek dvorak"),
            ("Ｗｉｄｅ", "wide"),
            ("ﬁsh", "fish"),
            ("Ἀθῆναι", "αθηναι"),
            ("Νίκος", "νικοσ"),
            ("Ёлкин", "елкин"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد", "محمد"),
            ("がくせい", "がくせい"),
            ("ｶﾞ", "ガ"),
            ("김철수", "김철수"),
            ("हिन्दी", "हिन्दी"),
            ("so\u{ad}ft", "soft"),
        ];
        for (text, folded) in cases {
            assert_eq!(fold(text), folded, "{text}");
            assert_eq!(fold(&fold(text)), folded, "{text} twice");
        }
    }

    #[test]
    fn a_name_is_sorted_by_its_words() {
        let cases = [
            ("Ärzte  ohne\tGrenzen", "arzte ohne grenzen"),
            ("\"Zoe\" (Smith)", "zoe smith"),
            ("O'Brien", "obrien"),
            ("O\u{2019}Brien", "obrien"),
            ("Jean-Luc", "jean luc"),
            ("***", "***"),
            ("100%_", "100"),
            ("山田 太郎", "山田 太郎"),
            ("", ""),
            ("🌸", "🌸"),
        ];
        for (text, key) in cases {
            assert_eq!(sort_key(text), key, "{text}");
        }
        assert!(sort_key(&"\u{fdfa}".repeat(200)).chars().count() <= 256);
    }

    #[test]
    fn a_text_has_words() {
        assert_eq!(texts("Anna Lind"), ["anna", "lind"]);
        assert_eq!(texts("O'Brien"), ["obrien", "o", "brien"]);
        assert_eq!(texts("anna.lind+news_x@mail.example.com"), ["anna", "lind", "news", "x", "mail", "example", "com"]);
        assert_eq!(texts("Jean-Luc d’Arc"), ["jean", "luc", "darc", "d", "arc"]);
        assert_eq!(texts("%_!@ "), Vec::<String>::new());
        assert_eq!(words("山田太郎"), [Word::Run("山田太郎".into())]);
        assert_eq!(words("Bob山田🌸"), [Word::Plain("bob".into()), Word::Run("山田🌸".into())]);
        assert_eq!(words("ნინო"), [Word::Plain("ნინო".into())]);
        assert_eq!(words("हिन्दी"), [Word::Plain("हिन्दी".into())]);
    }
}
