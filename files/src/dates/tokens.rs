//! A cell cut into numbers, words and signs.

/// Tokens that a date has at most.
const MAX_TOKENS: usize = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// The digits of a number.
    Number(&'a str),
    Word(&'a str),
    Sign(char),
}

/// The tokens of a text, without the space between them; `None` if they are too many for a date.
pub(super) fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphabetic() || matches!(c, 'º' | 'ª');
        let end_of = |test: &dyn Fn(char) -> bool| rest.find(|c| !test(c)).unwrap_or(rest.len());
        let end = if first.is_ascii_digit() {
            let end = end_of(&|c| c.is_ascii_digit());
            tokens.push(Token::Number(&rest[..end]));
            end
        } else if is_word(first) {
            let end = end_of(&is_word);
            tokens.push(Token::Word(&rest[..end]));
            end
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Sign(first));
            }
            first.len_utf8()
        };
        rest = &rest[end..];
        if tokens.len() > MAX_TOKENS {
            return None;
        }
    }
    Some(tokens)
}
