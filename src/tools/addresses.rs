//! The addresses of the API that are no tool's: files that are sent or fetched, what follows a job, and what anybody may
//! read. HTTP serves [`ADDRESSES`], the OpenAPI document describes them.

use serde_json::{Map, Value, json};

use super::{CATALOG, Kind, Scope};
use crate::error::{Error, Result};

/// An address that is not a tool's.
pub struct Address {
    /// Its name, in the document and in the activity log.
    pub name: &'static str,
    /// Its path; what stands in braces is a parameter.
    pub path: &'static str,
    /// Who may use it.
    pub opens: Opens,
    /// One line.
    pub summary: &'static str,
    /// The rest.
    pub description: &'static str,
    /// The tool whose filters are its query parameters.
    pub filters: Option<&'static str>,
    /// The media types of its answers.
    pub media: &'static [&'static str],
}

/// Who may use an address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Opens {
    /// Anybody, without a key.
    Anybody,
    /// Any key with the scope, if one is named; counted as a call of that kind.
    Keys(Option<Scope>, Kind),
}

impl Address {
    /// Its path as the router takes it.
    pub fn route(&self) -> String {
        self.path.replace('{', ":").replace('}', "")
    }

    /// The names in its path.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Its group in the document.
    pub fn tag(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(group, _)| group)
    }

    /// Whether it is a POST; the others are GETs.
    pub fn is_post(&self) -> bool {
        matches!(self.opens, Opens::Keys(_, Kind::Write))
    }

    /// Its filters from the pairs of a query, as arguments of the tool that lists. A file has no pages.
    pub fn arguments(&self, query: Vec<(String, String)>) -> Result<Value> {
        let Some(tool) = self.filters.and_then(|tool| CATALOG.get(tool)) else { return Ok(json!({})) };
        let mut args = Map::new();
        for (name, value) in query {
            if PAGING.contains(&name.as_str()) {
                return Err(Error::field(&format!("query.{name}"), "an export has no pages; leave it out"));
            }
            if tool.args["properties"][&name]["type"] == "array" {
                // `status=refused&status=failed`, or `status=refused,failed`.
                let some = value.split(',').map(|one| json!(one.trim()));
                match args.entry(name).or_insert_with(|| json!([])).as_array_mut() {
                    Some(all) => all.extend(some),
                    None => return Err(Error::internal("a list in a query is a list in the arguments")),
                }
                continue;
            }
            if args.insert(name.clone(), Value::String(value)).is_some() {
                return Err(Error::field(&format!("query.{name}"), "stands twice; give it once"));
            }
        }
        tool.accept(Value::Object(args)).map_err(Error::of_query)
    }
}

/// Arguments of a tool that lists which an export has not.
pub const PAGING: &[&str] = &["limit", "cursor"];

/// A file for a tool's arguments.
pub const UPLOAD: Address = Address {
    name: "uploads.create",
    path: "/api/v1/uploads",
    opens: Opens::Keys(Some(Scope::MembersManage), Kind::Write),
    summary: "Send a file",
    description: "The file for the `upload` argument of an import: as the body, with its name in `?name=`, or as the first \
        file of a form. It is removed after a day, or once no job reads it any more.",
    filters: None,
    media: &["application/json"],
};

/// A job's progress.
pub const JOB_EVENTS: Address = Address {
    name: "jobs.events",
    path: "/api/v1/jobs/{job}/events",
    opens: Opens::Keys(None, Kind::Read),
    summary: "Follow a job",
    description: "Server-sent events (HTML Living Standard, section 9.2) of a job that this key has started: `progress` for \
        each change, then `end`, after which the stream ends. The data of each is the job as `jobs.get` answers it.",
    filters: None,
    media: &["text/event-stream"],
};

/// The rows that an import could not take.
pub const JOB_ERRORS: Address = Address {
    name: "jobs.errors",
    path: "/api/v1/jobs/{job}/errors",
    opens: Opens::Keys(None, Kind::Read),
    summary: "Get the bad rows of an import",
    description: "The rows that an import of this key could not take, with what is wrong with each, as CSV. Mended, the file \
        imports again.",
    filters: None,
    media: &["text/csv"],
};

/// What an export made.
pub const JOB_FILE: Address = Address {
    name: "jobs.file",
    path: "/api/v1/jobs/{job}/file",
    opens: Opens::Keys(Some(Scope::MembersRead), Kind::Read),
    summary: "Get the file of an export",
    description: "What `members.export` of this key has made: CSV, or JSON Lines if the export was asked for them; or the JSON of \
        `members.exportData`.",
    filters: None,
    media: &["text/csv", "application/x-ndjson", "application/json"],
};

/// The block list as a file.
pub const BLOCKLIST_EXPORT: Address = Address {
    name: "blocklist.export",
    path: "/api/v1/blocklist/export",
    opens: Opens::Keys(Some(Scope::MembersRead), Kind::Read),
    summary: "Export the block list",
    description: "The entries of `blocklist.list` as CSV that imports again, newest first.",
    filters: Some("blocklist.list"),
    media: &["text/csv"],
};

/// The activity log as a file.
pub const ACTIVITY_EXPORT: Address = Address {
    name: "activity.export",
    path: "/api/v1/activity/export",
    opens: Opens::Keys(Some(Scope::ActivityRead), Kind::Read),
    summary: "Export the activity log",
    description: "The rows of `activity.list` as JSON Lines, newest first. A filter that is a list is given several times, or \
        once with commas: `status=refused,failed`.",
    filters: Some("activity.list"),
    media: &["application/x-ndjson"],
};

/// All scopes.
pub const SCOPES: Address = Address {
    name: "server.scopes",
    path: "/api/v1/scopes",
    opens: Opens::Anybody,
    summary: "List the scopes",
    description: "Every scope, what it lets a key do and how much harm that can do, and the presets of `usher keys create`.",
    filters: None,
    media: &["application/json"],
};

/// All error codes.
pub const ERRORS: Address = Address {
    name: "server.errors",
    path: "/api/v1/errors",
    opens: Opens::Anybody,
    summary: "List the error codes",
    description: "Every code that an answer may have, what it means, and whether the same call may succeed later.",
    filters: None,
    media: &["application/json"],
};

/// The keys by which a site's sign-in tokens are checked.
pub const KEY_SET: Address = Address {
    name: "server.keySet",
    path: "/.well-known/jwks.json",
    opens: Opens::Anybody,
    summary: "Get the keys that check sign-in tokens",
    description: "The JSON Web Key Set (RFC 7517) of the site whose host name was called.",
    filters: None,
    media: &["application/jwk-set+json"],
};

/// Whether the process lives.
pub const ALIVE: Address = Address {
    name: "server.alive",
    path: "/healthz",
    opens: Opens::Anybody,
    summary: "See whether the process lives",
    description: "200 as long as the process serves at all; it looks at nothing else.",
    filters: None,
    media: &["application/json"],
};

/// Whether the server can serve.
pub const READY: Address = Address {
    name: "server.ready",
    path: "/readyz",
    opens: Opens::Anybody,
    summary: "See whether the server can serve",
    description: "200 if the database answers and has the schema that the program needs, else 503 with what is wrong.",
    filters: None,
    media: &["application/json"],
};

/// All of them, in the order of the document.
pub const ADDRESSES: &[&Address] = &[
    &UPLOAD,
    &JOB_EVENTS,
    &JOB_ERRORS,
    &JOB_FILE,
    &BLOCKLIST_EXPORT,
    &ACTIVITY_EXPORT,
    &SCOPES,
    &ERRORS,
    &KEY_SET,
    &ALIVE,
    &READY,
];
