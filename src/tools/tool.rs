use std::{future::Future, time::Duration};

use futures_util::future::BoxFuture;
use poem_openapi::{
    Enum,
    registry::{MetaSchemaRef, Registry},
    types::{ParseFromJSON, ToJSON, Type},
};
use serde_json::Value;

use super::{Risk, Scope, schema};
use crate::{
    app::App,
    error::{Error, Result},
    gate::Cx,
    values::SiteId,
};

/// A tool: a value of the type is one call of it.
///
/// `derive(Object)` on the type gives the schema of the arguments, and its doc comment is the tool's documentation:
/// the first paragraph the summary, the rest the description. Everything that any surface or document says about
/// the tool comes from this one impl.
pub trait Tool: ParseFromJSON + Send + Sync + 'static {
    /// `members.get`: the area, a dot, the verb.
    const NAME: &'static str;
    /// Who may call it and what a call may do.
    const ACCESS: Access;
    /// Arguments, as JSON, of a call as people make it.
    const EXAMPLE: &'static str = "{}";
    /// How long a call that says nothing of it waits for the end of the job that it starts.
    const WAIT: Duration = Duration::ZERO;
    /// Fields of that job's result that an answer which has waited for it also has beside `job`.
    const LIFTS: &'static [&'static str] = &[];
    /// Whether what it gives has a secret in it, and so is sealed where it is kept for an Idempotency-Key. No person can
    /// be taken out of what is sealed: there must be none in it.
    const GIVES_SECRET: bool = false;
    /// The thing that it changes, if that has `updatedAt`: then it takes `ifUpdatedAt` ([`Versioned`]).
    const CHANGES: Option<Versioned> = None;
    /// What it gives.
    type Output: ToJSON;

    /// Does it.
    fn run(self, cx: &mut Cx) -> impl Future<Output = Result<Self::Output>> + Send;

    /// Puts what a job has changed in the place of what the result had of it, for a call that has waited for its job.
    fn renew(_app: &App, _site: SiteId, _result: &mut Value) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }
}

/// Who may call a tool and what a call may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Access {
    /// The scope it needs; `None` if any key may.
    pub scope: Option<Scope>,
    /// Scopes that it needs as well, since its answer has what these open.
    pub also: &'static [Scope],
    /// Which budget it uses, and whether it runs in a transaction.
    pub kind: Kind,
    /// How much harm it can do.
    pub risk: Risk,
    /// Whether it deletes or cancels what cannot be brought back.
    pub destructive: bool,
}

impl Access {
    /// A tool that only reads.
    pub const fn read(scope: Scope) -> Self {
        Self { scope: Some(scope), also: &[], kind: Kind::Read, risk: scope.risk(), destructive: false }
    }

    /// A tool that writes.
    pub const fn write(scope: Scope, risk: Risk) -> Self {
        Self { scope: Some(scope), also: &[], kind: Kind::Write, risk, destructive: false }
    }

    /// The same, for what deletes or cancels: each call counts towards the site's destructive calls of the day.
    pub const fn destructive(self) -> Self {
        Self { destructive: true, ..self }
    }

    /// The same, for what needs other scopes as well.
    pub const fn also(self, also: &'static [Scope]) -> Self {
        Self { also, ..self }
    }

    /// Every scope that it needs.
    pub fn scopes(self) -> impl Iterator<Item = Scope> {
        self.scope.into_iter().chain(self.also.iter().copied())
    }

    /// A tool that any key may call.
    pub const fn any_key(kind: Kind) -> Self {
        Self { scope: None, also: &[], kind, risk: Risk::Low, destructive: false }
    }
}

/// A thing that has `updatedAt`. A tool that changes one answers with it under its kind; the catalogue gives the tool an
/// argument `ifUpdatedAt`, and the gate refuses the call as `changed_meanwhile` if the thing was changed since.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Versioned {
    /// What the thing is called in the answer.
    pub kind: &'static str,
    /// The scope that opens it to reading; a key without it is told the id and `updatedAt` only.
    pub read: Scope,
}

impl Versioned {
    /// A member.
    pub const MEMBER: Self = Self { kind: "member", read: Scope::MembersRead };
    /// A group.
    pub const GROUP: Self = Self { kind: "group", read: Scope::GroupsRead };
    /// A video.
    pub const VIDEO: Self = Self { kind: "video", read: Scope::VideosRead };
    /// A bundle.
    pub const BUNDLE: Self = Self { kind: "bundle", read: Scope::BundlesRead };
    /// A plan.
    pub const PLAN: Self = Self { kind: "plan", read: Scope::PlansRead };
    /// An email template.
    pub const TEMPLATE: Self = Self { kind: "template", read: Scope::TemplatesRead };
}

/// What a tool does to the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, serde::Serialize)]
#[oai(rename = "ToolKind", rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Looks only.
    Read,
    /// Changes something; takes an Idempotency-Key and a dry run.
    Write,
    /// Makes text or pictures with a model; a write with a budget of its own.
    Generate,
}

/// The erased form of a [`Tool`], fit for a `const` list.
pub struct Definition {
    /// The tool's name.
    pub name: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Arguments of a call, as JSON.
    pub example: &'static str,
    /// How long a call that says nothing of it waits for the end of its job.
    pub wait: Duration,
    /// Fields of that job's result that the answer has beside `job`.
    pub lifts: &'static [&'static str],
    /// Whether what it gives is sealed where it is kept.
    pub gives_secret: bool,
    /// The thing that it changes, if the call may name the `updatedAt` that it has seen.
    pub changes: Option<Versioned>,
    pub(super) register: fn(&mut Registry),
    pub(super) args: fn() -> MetaSchemaRef,
    pub(super) result: fn() -> MetaSchemaRef,
    run: for<'a> fn(Value, &'a mut Cx) -> BoxFuture<'a, Result<Value>>,
    renew: for<'a> fn(&'a App, SiteId, &'a mut Value) -> BoxFuture<'a, Result<()>>,
}

impl Definition {
    /// The definition of a tool.
    pub const fn of<T: Tool>() -> Self {
        Self {
            name: T::NAME,
            access: T::ACCESS,
            example: T::EXAMPLE,
            wait: T::WAIT,
            lifts: T::LIFTS,
            gives_secret: T::GIVES_SECRET,
            changes: T::CHANGES,
            register: |registry| {
                T::register(registry);
                T::Output::register(registry);
            },
            args: T::schema_ref,
            result: T::Output::schema_ref,
            run: |args, cx| {
                Box::pin(async move {
                    // The arguments fit the schema; what the schema cannot say, the types do.
                    let call = T::parse_from_json(Some(args)).map_err(|e| Error::field("args", e.into_message()))?;
                    let mut result = call.run(cx).await?.to_json().unwrap_or_default();
                    schema::without_nulls(&mut result);
                    Ok(result)
                })
            },
            renew: |app, site, result| Box::pin(T::renew(app, site, result)),
        }
    }

    /// Runs it with arguments that [`ToolInfo::accept`](super::ToolInfo::accept) let in.
    pub fn run<'a>(&self, args: Value, cx: &'a mut Cx) -> BoxFuture<'a, Result<Value>> {
        (self.run)(args, cx)
    }

    /// Renews what a result has of things that its jobs have changed.
    pub fn renew<'a>(&self, app: &'a App, site: SiteId, result: &'a mut Value) -> BoxFuture<'a, Result<()>> {
        (self.renew)(app, site, result)
    }

    pub(super) fn args_ref(&self) -> Value {
        serde_json::to_value((self.args)()).expect("a schema is JSON")
    }

    pub(super) fn result_ref(&self) -> Value {
        serde_json::to_value((self.result)()).expect("a schema is JSON")
    }

    /// `members.addTags` → `MembersAddTags`, the stem of its schemas' names.
    pub fn type_name(&self) -> String {
        let upper = |part: &str| part[..1].to_uppercase() + &part[1..];
        self.name.split('.').map(upper).collect()
    }
}

/// Tools that belong together: one tag in the docs.
pub struct Area {
    /// What stands before the dot in the tools' names.
    pub name: &'static str,
    /// What it is about, in one sentence.
    pub about: &'static str,
    /// Its tools.
    pub tools: &'static [Definition],
}

/// The definitions of an area's tools.
macro_rules! tools {
    ($($tool:ty),* $(,)?) => { &[$($crate::tools::Definition::of::<$tool>()),*] };
}
pub(crate) use tools;
