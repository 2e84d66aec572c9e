use poem_openapi::{Enum, Object, registry::MetaSchema};
use usher_db::{Cell, Column, FromRow, Row, Value};

use crate::{
    areas::jobs::JobView,
    values::{EmailId, JobId, MemberId, RequestId, TemplateId, Time, json_string, text},
};

/// What a mail says: a text of several lines and at most `LONGEST` characters, which is never written down in the log.
#[derive(Clone, PartialEq, Eq)]
pub struct Text<const LONGEST: usize>(Box<str>);

/// The format in the schema by which the log knows such a text.
pub const TEXT_FORMAT: &str = "mail-text";

impl<const LONGEST: usize> Text<LONGEST> {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, text::InvalidText> {
        match text::is_plain(text) && text.chars().count() <= LONGEST {
            true => Ok(Self(text.into())),
            false => Err(text::InvalidText),
        }
    }

    /// The text, unless nothing of it can be seen.
    pub fn into_option(self) -> Option<String> {
        text::is_visible(&self.0).then(|| self.0.into())
    }
}

impl<const LONGEST: usize> std::fmt::Display for Text<LONGEST> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

json_string!(
    impl[const LONGEST: usize] Text<LONGEST>,
    format!("string_mail_text_{LONGEST}"),
    MetaSchema {
        max_length: Some(LONGEST),
        pattern: Some(text::PLAIN.into()),
        ..MetaSchema::new_with_format("string", TEXT_FORMAT)
    },
    Self::parse
);

/// A type with a few words, each with the one it is stored as.
macro_rules! words {
    ($type:ident $what:literal { $($variant:ident $word:literal)* }) => {
        impl $type {
            /// As it is stored.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl Column for $type {
            fn read(cell: Cell<'_>) -> usher_db::Result<Self> {
                match &*String::read(cell)? {
                    $($word => Ok(Self::$variant),)*
                    other => Err(usher_db::Error::Decode(format!(concat!($what, " {:?}"), other).into())),
                }
            }
        }

        impl From<$type> for Value {
            fn from(word: $type) -> Self {
                word.as_str().into()
            }
        }
    };
}

/// How a mail stands, as it is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Waits for its first or its next attempt.
    #[default]
    Queued,
    /// The server has said that it takes it; what it has said since is not known yet.
    Sending,
    /// Taken by the server.
    Sent,
    /// Was never to go out, or is not any more.
    Blocked,
    /// Given up.
    Failed,
}

words!(State "a mail's state is" {
    Queued "queued" Sending "sending" Sent "sent" Blocked "blocked" Failed "failed"
});

impl State {
    /// Whether nothing will become of it any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Sent | Self::Blocked | Self::Failed)
    }

    /// As it is shown.
    pub const fn shown(self) -> EmailStatus {
        match self {
            Self::Queued | Self::Sending => EmailStatus::Queued,
            Self::Sent => EmailStatus::Sent,
            Self::Blocked => EmailStatus::Blocked,
            Self::Failed => EmailStatus::Failed,
        }
    }
}

/// How a mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, serde::Serialize)]
#[oai(rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum EmailStatus {
    /// Accepted; it waits for its turn or for its next attempt.
    Queued,
    /// The mail server has taken it.
    Sent,
    /// It does not go out; `reason` says why. Nothing is counted for it.
    Blocked,
    /// Given up; `reply` has the server's words.
    Failed,
}

impl EmailStatus {
    /// As it is stored, each way.
    pub(super) const fn states(self) -> [State; 2] {
        match self {
            Self::Queued => [State::Queued, State::Sending],
            Self::Sent => [State::Sent, State::Sent],
            Self::Blocked => [State::Blocked, State::Blocked],
            Self::Failed => [State::Failed, State::Failed],
        }
    }
}

/// What kind of mail it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename = "EmailKind", rename_all = "snake_case")]
pub enum Kind {
    /// Written in the call.
    Message,
    /// Made from a template.
    Template,
    /// Invites somebody, with a link to sign in.
    Invite,
    /// A link to sign in.
    SignIn,
}

words!(Kind "a mail's kind is" {
    Message "message" Template "template" Invite "invite" SignIn "sign_in"
});

impl Kind {
    /// Whether its recipient has asked for it, so that no block and no cap holds it back.
    pub const fn is_system(self) -> bool {
        matches!(self, Self::Invite | Self::SignIn)
    }
}

/// One mail to one person. What it said is not kept.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SentEmail", rename_all = "camelCase")]
pub struct Mail {
    /// The mail.
    pub id: EmailId,
    /// The call that sent it; the mails of one call have the same.
    pub request: RequestId,
    /// The job that delivers it; absent for one that was never to go out.
    #[oai(rename = "job")]
    pub job_id: Option<JobId>,
    /// To whom.
    pub member: MemberId,
    /// The address that the member had then.
    pub email: String,
    /// What kind of mail it is.
    pub kind: Kind,
    /// The template that it was made from.
    pub template: Option<TemplateId>,
    /// What it is about.
    pub subject: String,
    /// How it stands.
    pub status: EmailStatus,
    /// Why it is blocked (a reason of the block list, `not_allowed_on_test_site` or `email_disabled`) or failed (a code of
    /// `/api/v1/errors`).
    pub reason: Option<String>,
    /// The mail server's last words.
    pub reply: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether it may have arrived twice, or once while it counts as failed: a server that may have taken it could not
    /// say so, or nobody was left to note it.
    pub in_doubt: bool,
    /// The `Message-ID` header (RFC 5322), once the email was first offered to the server; the same in each attempt.
    #[oai(rename = "internetMessageId")]
    pub message_id: Option<String>,
    /// When it was accepted.
    pub created_at: Time,
    /// When anything of it changed last.
    pub updated_at: Time,
    /// When the server took it.
    pub sent_at: Option<Time>,
    #[oai(skip)]
    pub(super) state: State,
}

/// What [`Mail`] is read from.
macro_rules! mail_columns {
    () => {
        "id, request_id, job_id, member_id, address, kind, template_id, subject, status, reason, reply, attempts, in_doubt,
         message_id, created_at, updated_at, sent_at"
    };
}
pub(super) use mail_columns;

impl FromRow for Mail {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        let (id, request, job_id, member, email) = (row.take()?, row.take()?, row.take()?, row.take()?, row.take()?);
        let (kind, template, subject) = (row.take()?, row.take()?, row.take()?);
        let state: State = row.take()?;
        Ok(Self {
            id,
            request,
            job_id,
            member,
            email,
            kind,
            template,
            subject,
            status: state.shown(),
            reason: row.take()?,
            reply: row.take()?,
            attempts: row.take()?,
            in_doubt: row.take()?,
            message_id: row.take()?,
            created_at: row.take()?,
            updated_at: row.take()?,
            sent_at: row.take()?,
            state,
        })
    }
}

/// What became of a mail to one of the people that a call names.
#[derive(Clone, Debug, Object)]
#[oai(rename = "EmailRecipient", rename_all = "camelCase")]
pub struct Recipient {
    /// To whom.
    pub member: MemberId,
    /// The address.
    pub email: String,
    /// The email; `emails.get` gives its status.
    #[oai(rename = "message")]
    pub id: EmailId,
    /// How it stands.
    pub status: EmailStatus,
    /// Why it is blocked or failed, as in `emails.get`.
    pub reason: Option<String>,
    /// The mail server's words, if the call has waited for them.
    pub reply: Option<String>,
    /// The job that delivers it; absent where nothing goes out.
    pub job: Option<JobView>,
}
