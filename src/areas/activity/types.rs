use poem_openapi::{Enum, Object, types::Any};
use serde_json::{Value, json};
use usher_db::{Change, FromRow, Row};

use crate::values::{JobId, KeyId, MemberId, RequestId, SiteId, Time};

macro_rules! stored_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        #[oai(rename_all = "lowercase")]
        pub enum $name { $($(#[$about])* $variant),* }

        impl $name {
            /// As it is stored and shown.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            fn stored(text: &str) -> usher_db::Result<Self> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    other => Err(usher_db::Error::Decode(format!("{other:?} in the activity log").into())),
                }
            }
        }
    };
}

stored_enum! {
    /// Who did it.
    Actor {
        /// A program with an API key.
        Key = "key",
        /// Somebody on the admin pages.
        Admin = "admin",
        /// A member.
        Member = "member",
        /// A job.
        Worker = "worker",
        /// An event from Stripe.
        Stripe = "stripe",
        /// A notice from a mail provider.
        Mail = "mail",
        /// The operator, on the command line.
        Cli = "cli",
    }
}

stored_enum! {
    /// How it ended.
    ActivityStatus {
        /// It was done.
        Ok = "ok",
        /// It was valid, and the tool could not do it.
        Refused = "refused",
        /// It was not let in: no scope, no budget, wrong arguments.
        Rejected = "rejected",
        /// Our fault.
        Failed = "failed",
    }
}

stored_enum! {
    /// The way it came in.
    Surface {
        /// The HTTP API.
        Http = "http",
        /// A worker.
        Worker = "worker",
        /// The command line.
        Cli = "cli",
    }
}

/// A row of the log, to be written.
#[derive(Clone, Debug)]
pub struct Record {
    /// Whose log.
    pub site: SiteId,
    /// The request, or for a job's end an id of its own.
    pub id: RequestId,
    /// When the call came in.
    pub at: Time,
    /// Who did it.
    pub actor: Actor,
    /// The key, if one was used.
    pub key: Option<KeyId>,
    /// The way it came in.
    pub surface: Surface,
    /// The tool, or what else was done.
    pub tool: String,
    /// Its arguments as JSON, redacted.
    pub args: Option<String>,
    /// How it ended.
    pub status: ActivityStatus,
    /// Why, unless it was done.
    pub code: Option<String>,
    /// What the caller was told of that.
    pub error: Option<String>,
    /// Microseconds from the call's arrival to this row.
    pub duration_us: i64,
    /// The member it was about.
    pub member: Option<MemberId>,
    /// The job that it started, or that ended.
    pub job: Option<JobId>,
    /// What it wrote, as JSON.
    pub changes: Option<String>,
    /// Whether nothing was meant to happen.
    pub dry_run: bool,
    /// Whether an earlier answer was given again.
    pub replayed: bool,
}

impl Record {
    /// The row of something that was done, with nothing to say but when, by whom, which way and what.
    pub fn done(
        site: SiteId,
        id: RequestId,
        at: Time,
        (actor, surface): (Actor, Surface),
        tool: impl Into<String>,
    ) -> Self {
        Self {
            site,
            id,
            at,
            actor,
            key: None,
            surface,
            tool: tool.into(),
            args: None,
            status: ActivityStatus::Ok,
            code: None,
            error: None,
            duration_us: 0,
            member: None,
            job: None,
            changes: None,
            dry_run: false,
            replayed: false,
        }
    }

    /// Changes as a row holds them; `None` if there are none.
    pub fn changes_of(changes: &[Change]) -> Option<String> {
        (!changes.is_empty()).then(|| changes_json(changes).to_string())
    }

    /// Whether it may share a row with others like it of the same second: refused calls come in floods.
    pub(super) fn is_flood(&self) -> bool {
        const FLOODS: [&str; 4] = ["rate_limited", "missing_scope", "unknown_tool", "method_not_allowed"];
        self.status == ActivityStatus::Rejected && self.code.as_deref().is_some_and(|code| FLOODS.contains(&code))
    }
}

/// Changes as the API shows them.
pub fn changes_json(changes: &[Change]) -> Value {
    let one = |change: &Change| {
        let mut value = json!({ "kind": change.kind, "id": change.id });
        if let Some(before) = &change.before {
            value["before"] = before.clone();
        }
        if let Some(after) = &change.after {
            value["after"] = after.clone();
        }
        value
    };
    changes.iter().map(one).collect()
}

/// What was written: created where there is no `before`, deleted where there is no `after`.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Change", rename_all = "camelCase")]
pub struct ChangeView {
    /// What kind of thing: `member`, `block`, `job`, ….
    pub kind: String,
    /// Its id, or what stands for one.
    pub id: String,
    /// Its state before.
    pub before: Option<Any<Value>>,
    /// Its state after.
    pub after: Option<Any<Value>>,
}

/// A row of the activity log.
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Activity {
    /// The request id; answers carry it in `X-Request-Id`.
    pub id: RequestId,
    /// When the call came in.
    pub at: Time,
    /// Who did it.
    pub actor: Actor,
    /// The key that was used.
    #[oai(rename = "key")]
    pub key_id: Option<KeyId>,
    /// What the key is called now.
    pub key_name: Option<String>,
    /// The way it came in.
    pub surface: Surface,
    /// The tool; for a job's end `jobs.` and its kind.
    pub tool: String,
    /// The arguments, redacted and cut to a readable length.
    pub args: Option<Any<Value>>,
    /// How it ended.
    pub status: ActivityStatus,
    /// Why, unless it was done.
    pub code: Option<String>,
    /// What the caller was told of that, cut to 500 characters.
    pub error: Option<String>,
    /// Microseconds from the call's arrival to its record.
    #[oai(validator(minimum(value = "0"), maximum(value = "9007199254740991")))]
    pub duration_us: i64,
    /// The member it was about.
    #[oai(rename = "member")]
    pub member_id: Option<MemberId>,
    /// The job that it started, or that ended.
    #[oai(rename = "job")]
    pub job_id: Option<JobId>,
    /// What it wrote.
    pub changes: Option<Vec<ChangeView>>,
    /// Whether it was a dry run.
    pub dry_run: bool,
    /// Whether an earlier answer was given again.
    pub replayed: bool,
    /// Calls that share this row: refused calls of one key, tool and code in one second.
    #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    pub count: i64,
}

impl FromRow for Activity {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        let json = |text: Option<String>| text.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        Ok(Self {
            id: row.take()?,
            at: row.take()?,
            actor: Actor::stored(&row.take::<String>()?)?,
            key_id: row.take()?,
            key_name: row.take()?,
            surface: Surface::stored(&row.take::<String>()?)?,
            tool: row.take()?,
            args: json(row.take()?).map(Any),
            status: ActivityStatus::stored(&row.take::<String>()?)?,
            code: row.take()?,
            error: row.take()?,
            duration_us: row.take()?,
            member_id: row.take()?,
            job_id: row.take()?,
            changes: json(row.take()?).map(views),
            dry_run: row.take()?,
            replayed: row.take()?,
            count: row.take()?,
        })
    }
}

fn views(changes: Value) -> Vec<ChangeView> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |change: &Value| ChangeView {
        kind: text(&change["kind"]),
        id: text(&change["id"]),
        before: change.get("before").cloned().map(Any),
        after: change.get("after").cloned().map(Any),
    };
    changes.as_array().into_iter().flatten().map(one).collect()
}
