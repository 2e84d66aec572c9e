use poem_openapi::Object;

use super::{
    store::{self, Filter},
    types::{Activity, ActivityStatus, Actor},
};
use crate::{
    error::{Code, Error, Result},
    gate::Cx,
    paging::{self, Cursor, LAST, default_limit},
    tools::{Access, Area, Scope, Tool, tools},
    values::{Beginning, End, JobId, KeyId, MemberId, Moment, RequestId, Zone},
};

/// The tools of the activity log.
pub const AREA: Area = Area {
    name: "activity",
    about: "Who did what, when, and what it changed.",
    tools: tools![ListActivity, GetActivity],
};

/// The log has one order, newest first.
const ORDER: &str = "activity.list -id";

/// A page of the activity log.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ActivityPage {
    /// Newest first.
    pub items: Vec<Activity>,
    /// Pass as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// List activity
///
/// Every call with a key of the site, every job's end and every change by the command line, newest first. Filters
/// that are given must all hold. `GET /api/v1/activity/export` gives the same rows as NDJSON.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListActivity {
    /// Only those that ended in one of these ways: `ok`, `refused` (the tool could not do it), `rejected` (it was not let
    /// in) or `failed` (our fault). The export takes several as `status=refused,failed`.
    #[oai(validator(min_items = 1, max_items = 4))]
    status: Option<Vec<ActivityStatus>>,
    /// Only those with this error code.
    #[oai(validator(max_length = 64))]
    code: Option<String>,
    /// Only calls with this key.
    key: Option<KeyId>,
    /// Only those by such an actor.
    actor: Option<Actor>,
    /// Only calls of this tool.
    #[oai(validator(max_length = 100))]
    tool: Option<String>,
    /// Only those about this member.
    member: Option<MemberId>,
    /// Only the job's start and end.
    job: Option<JobId>,
    /// Only those from this moment on.
    from: Option<Moment<Beginning>>,
    /// Only those before this moment.
    until: Option<Moment<End>>,
    /// Only those with this text in tool, code, error text, arguments or changes, whatever its case.
    #[oai(validator(min_length = 1, max_length = 200))]
    text: Option<String>,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl ListActivity {
    pub(super) fn filter(self, zone: Zone) -> Filter {
        Filter {
            status: self.status.unwrap_or_default(),
            code: self.code,
            key: self.key,
            actor: self.actor,
            tool: self.tool,
            member: self.member,
            job: self.job,
            from: self.from.map(|from| from.in_zone(zone)),
            until: self.until.map(|until| until.bound(zone)),
            text: self.text,
        }
    }
}

impl Tool for ListActivity {
    const NAME: &'static str = "activity.list";
    const ACCESS: Access = Access::read(Scope::ActivityRead);
    const EXAMPLE: &'static str = r#"{"status":["refused","rejected","failed"],"limit":20}"#;
    type Output = ActivityPage;

    async fn run(self, cx: &mut Cx) -> Result<ActivityPage> {
        let before = Cursor::decode::<1>(self.cursor.as_deref(), ORDER)?.map_or(LAST.into(), |[id]| id);
        let (site, zone, limit) = (cx.site(), cx.zone(), self.limit);
        let mut items = store::list(cx.conn(), site, &self.filter(zone), &before, limit + 1).await?;
        let more = paging::cut(&mut items, limit);
        let next_cursor = items.last().filter(|_| more).map(|row| Cursor::after(ORDER, [row.id.to_string()]).encode());
        Ok(ActivityPage { items, next_cursor })
    }
}

/// Get one activity
///
/// One entry of the log by its request id, which every response carries in `X-Request-Id`.
#[derive(Object)]
pub struct GetActivity {
    /// The entry: the id of its request.
    entry: RequestId,
}

/// One entry of the activity log.
#[derive(Object)]
pub struct ActivityResult {
    /// The entry.
    entry: Activity,
}

impl Tool for GetActivity {
    const NAME: &'static str = "activity.get";
    const ACCESS: Access = Access::read(Scope::ActivityRead);
    const EXAMPLE: &'static str = r#"{"entry":"req_01kan8v3t0e0rt8nfkzk1s7p4qy"}"#;
    type Output = ActivityResult;

    async fn run(self, cx: &mut Cx) -> Result<ActivityResult> {
        let site = cx.site();
        let found = store::get(cx.conn(), site, &self.entry).await?;
        let missing = || Error::new(Code::ActivityNotFound, format!("The activity log has no entry {}.", self.entry));
        Ok(ActivityResult { entry: found.ok_or_else(missing)? })
    }
}
