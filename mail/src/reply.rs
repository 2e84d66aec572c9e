use std::fmt;

/// The longest reply that is kept, in characters.
const LONGEST: usize = 500;

/// How far a message got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Connecting, securing, greeting and signing in: nothing that is about this message.
    Connect,
    /// Saying from whom it is.
    Sender,
    /// Saying to whom it goes.
    Recipient,
    /// The message itself.
    Message,
}

/// What is to become of a message that a server did not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is worth another try.
    Later,
    /// It will not be taken, however often it is tried.
    Never,
    /// There is no such mailbox: nothing will ever be taken for it.
    NoMailbox,
}

/// Why a message was not handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How far it got.
    pub stage: Stage,
    /// What is to become of it.
    pub verdict: Verdict,
    /// The server's code, if it answered.
    pub code: Option<u16>,
    /// The server's words, or what went wrong without any.
    pub reply: String,
    /// Whether the server may have taken it all the same.
    pub is_in_doubt: bool,
}

impl Failure {
    /// A reply, or the lack of one, at a stage.
    pub fn new(stage: Stage, code: Option<u16>, words: &str) -> Self {
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        // What lettre puts before its own errors says nothing to who reads the rest.
        let words = words.strip_prefix("internal client error: ").map_or(words.clone(), str::to_owned);
        let reply = match code {
            Some(code) => format!("{code} {words}"),
            None => words.clone(),
        };
        Self {
            stage,
            verdict: verdict(stage, code, &words),
            code,
            reply: reply.trim().chars().take(LONGEST).collect(),
            is_in_doubt: stage == Stage::Message && code.is_none(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reply)
    }
}

impl std::error::Error for Failure {}

/// What a reply means (RFC 5321, 4.2.1; RFC 3463).
///
/// - Whatever goes wrong before the message is spoken of says nothing about it: a password can be mended.
/// - 4xx, silence and what is no reply are temporary.
/// - 5xx is for good. It means that the *mailbox* is none only where it is said of the recipient, with 550, 551 or 553 and
///   an enhanced code that says just this: 5.1.1 no such mailbox, 5.1.2 no such system, 5.1.3 no such address, 5.1.6 moved,
///   5.1.10 takes no mail at all (RFC 7505). A 550 alone is also how servers say that they do not like the *sender*, and
///   5.7.x says so outright; 5.1.7 and 5.1.8 are about the sender's address, 5.1.0 says nothing. Nobody is to lose their
///   mail for that.
pub fn verdict(stage: Stage, code: Option<u16>, words: &str) -> Verdict {
    match code {
        _ if stage == Stage::Connect => Verdict::Later,
        Some(code) if code >= 500 => match (stage, code, enhanced(words)) {
            (Stage::Recipient, 550 | 551 | 553, Some((5, 1, 1 | 2 | 3 | 6 | 10))) => Verdict::NoMailbox,
            _ => Verdict::Never,
        },
        _ => Verdict::Later,
    }
}

/// The enhanced code (RFC 3463) that a reply begins with.
fn enhanced(words: &str) -> Option<(u16, u16, u16)> {
    let first = words.split_whitespace().next()?;
    let mut numbers = first.split('.').map(|number| number.parse().ok());
    let code = (numbers.next()??, numbers.next()??, numbers.next()??);
    numbers.next().is_none().then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_means_what_it_says() {
        use Stage::{Connect, Message, Recipient, Sender};
        use Verdict::{Later, Never, NoMailbox};
        for (stage, code, words, means) in [
            (Connect, Some(535), "5.7.8 Bad password", Later),
            (Connect, Some(554), "5.7.1 Go away", Later),
            (Connect, None, "connection refused", Later),
            (Sender, Some(553), "5.1.8 Sender unknown", Never),
            (Sender, Some(451), "4.3.0 Busy", Later),
            (Recipient, Some(550), "5.1.1 No such user", NoMailbox),
            (Recipient, Some(551), "5.1.6 Moved", NoMailbox),
            (Recipient, Some(553), "5.1.3 Bad address", NoMailbox),
            (Recipient, Some(550), "5.1.10 Null MX", NoMailbox),
            (Recipient, Some(550), "5.7.1 Listed", Never),
            (Recipient, Some(550), "5.1.8 Bad sender", Never),
            (Recipient, Some(550), "No such user", Never),
            (Recipient, Some(550), "5.1.1.1 Odd", Never),
            (Recipient, Some(552), "5.2.2 Mailbox full", Never),
            (Recipient, Some(554), "5.1.1 Relay", Never),
            (Recipient, Some(450), "4.2.0 Greylisted", Later),
            (Recipient, None, "timed out", Later),
            (Message, Some(550), "5.1.1 No such user", Never),
            (Message, Some(554), "5.6.0 Spam", Never),
            (Message, None, "connection lost", Later),
        ] {
            assert_eq!(verdict(stage, code, words), means, "{stage:?} {code:?} {words}");
        }
    }

    #[test]
    fn only_silence_after_the_message_leaves_doubt() {
        assert!(Failure::new(Stage::Message, None, "gone").is_in_doubt);
        assert!(!Failure::new(Stage::Message, Some(451), "4.3.0 no").is_in_doubt);
        assert!(!Failure::new(Stage::Recipient, None, "gone").is_in_doubt);
        let failure = Failure::new(Stage::Recipient, Some(550), "5.1.1  No\r\nsuch user");
        assert_eq!(failure.reply, "550 5.1.1 No such user");
    }
}
