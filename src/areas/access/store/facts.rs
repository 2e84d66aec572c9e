//! The facts of a member and of what is asked about, in one statement; lists within it are JSON, which both databases can make.

use usher_db::{Conn, FromRow, Result, Row, Value, sql, sql_both};

use crate::{
    areas::{
        access::facts::{Asked, Content, Doubted, Doubts, Known, Wanted},
        members::{MemberRef, member_columns},
    },
    values::{GroupId, MemberId, PlanId, SiteId, VideoId},
};

macro_rules! known_where {
    ($where:literal) => {
        sql_both!(sqlite: known!(sqlite, "", "", $where), postgres: known!(postgres, "", "", $where))
    };
}

/// What [`Content`] is read from, of a table `v`: the plans and the bundles where `$if_members` and `$if_bundle` hold.
macro_rules! content_columns {
    ($if_members:literal, $if_bundle:literal) => {
        concat!(
            "v.level, v.visibility, v.visible_from, v.visible_until,
             CASE WHEN ",
            $if_members,
            " THEN
              (SELECT string_agg(p.plan_id, ',') FROM video_plan p WHERE p.site = v.site AND p.video_id = v.id) END,
             CASE WHEN ",
            $if_bundle,
            " THEN
              (SELECT string_agg(c.bundle_id, ',' ORDER BY (b.archived_at IS NOT NULL), c.bundle_id)
               FROM bundle_video c JOIN bundle b ON b.site = c.site AND b.id = c.bundle_id
               WHERE c.site = v.site AND c.video_id = v.id) END"
        )
    };
}

/// Whether there is anything that a refusal may come of besides the member's own facts, of a member `m` and what is wanted:
/// an open checkout; somebody of the same name, who for anything but a bundle has to have paid or been given something;
/// somebody of nearly the same address, or who pays with the member's; a subscription of nobody known that is paid with it.
/// `$4` says whether a bundle is wanted itself.
macro_rules! doubt_columns {
    () => {
        ", EXISTS (SELECT 1 FROM checkout k WHERE k.site = m.site AND k.member_id = m.id AND k.status = 'open'),
           CASE WHEN m.name_key = '' THEN FALSE
           WHEN $4 OR v.level = 'bundle' THEN
            EXISTS (SELECT 1 FROM member n WHERE n.site = m.site AND n.name_key = m.name_key AND n.id <> m.id)
           ELSE
            EXISTS (SELECT 1 FROM member n WHERE n.site = m.site AND n.name_key = m.name_key AND n.id <> m.id
                    AND (n.status <> 'free' OR n.trial_until IS NOT NULL)) END,
           (m.twin_key IS NOT NULL
            AND EXISTS (SELECT 1 FROM member n WHERE n.site = m.site AND n.email_key = m.twin_key AND n.id <> m.id))
           OR EXISTS (SELECT 1 FROM member n WHERE n.site = m.site AND n.twin_key = COALESCE(m.twin_key, m.email_key)
                      AND n.id <> m.id)
           OR EXISTS (SELECT 1 FROM stripe_customer c WHERE c.site = m.site AND c.email_key = m.email_key
                      AND c.member_id <> m.id),
           EXISTS (SELECT 1 FROM stripe_stray t WHERE t.site = m.site AND t.email_key = m.email_key)"
    };
}

/// The facts of a member, those of the video `$3`, and what `$more` adds.
macro_rules! asked_where {
    ($where:literal, $more:expr) => {
        sql_both!(
            sqlite: asked_text!(sqlite, $where, $more),
            postgres: asked_text!(postgres, $where, $more),
        )
    };
}

macro_rules! asked_text {
    ($engine:tt, $where:literal, $more:expr) => {
        known!(
            $engine,
            concat!(", ", content_columns!("v.level = 'members'", "v.level = 'bundle'"), $more),
            "LEFT JOIN video v ON v.site = m.site AND v.id = $3",
            $where
        )
    };
}

/// What is known of a member by id.
pub async fn known_by_id(conn: Conn<'_>, site: SiteId, id: &MemberId) -> Result<Option<Known>> {
    known_where!("m.id = $2").bind(site).bind(id).optional(conn).await
}

/// The members of a site that have anything that access is decided on, in the order of their ids.
pub async fn known_with_anything(conn: Conn<'_>, site: SiteId, limit: u32) -> Result<Vec<Known>> {
    known_where!(
        "m.deleting_since IS NULL AND (m.free_since IS NOT NULL OR m.trial_since IS NOT NULL
            OR EXISTS (SELECT 1 FROM subscription s WHERE s.site = m.site AND s.member_id = m.id)
            OR EXISTS (SELECT 1 FROM entitlement e WHERE e.site = m.site AND e.member_id = m.id))
         ORDER BY m.id LIMIT $2"
    )
    .bind(site)
    .bind(limit)
    .all(conn)
    .await
}

/// The first members of a group, in the order of their ids.
pub async fn known_of_group(conn: Conn<'_>, site: SiteId, group: &GroupId, limit: usize) -> Result<Vec<Known>> {
    known_where!(
        "m.deleting_since IS NULL AND m.id IN
           (SELECT p.member_id FROM group_place p WHERE p.site = $1 AND p.group_id = $2 ORDER BY p.member_id LIMIT $3)
         ORDER BY m.id"
    )
    .bind(site)
    .bind(group)
    .bind(limit as i64)
    .all(conn)
    .await
}

/// What bundles and plans are called.
pub async fn names(conn: Conn<'_>, site: SiteId, ids: Value) -> Result<Vec<(String, String)>> {
    sql_both!(
        sqlite: "SELECT id, name FROM bundle WHERE site = $1 AND id IN (SELECT value FROM json_each($2))
                 UNION ALL SELECT id, name FROM plan WHERE site = $1 AND id IN (SELECT value FROM json_each($2))",
        postgres: "SELECT id, name FROM bundle WHERE site = $1 AND id = ANY($2)
                   UNION ALL SELECT id, name FROM plan WHERE site = $1 AND id = ANY($2)",
    )
    .bind(site)
    .bind(ids)
    .all(conn)
    .await
}

/// A plan on sale that includes content of level `members`: that which somebody had, else the first that was made.
pub async fn plan_on_sale(
    conn: Conn<'_>,
    site: SiteId,
    content: &Content,
    had: Option<&PlanId>,
) -> Result<Option<(PlanId, String)>> {
    let named: Vec<_> = content.plans.iter().map(|id| Some(id.to_string())).collect();
    macro_rules! text {
        ($named:literal) => {
            concat!(
                "SELECT id, name FROM plan
                 WHERE site = $1 AND archived_at IS NULL AND (is_public OR id = $2) AND opens <> 'nothing'
                   AND CASE WHEN $4 THEN id ",
                $named,
                " ELSE opens = 'all' END
                 ORDER BY CASE WHEN id = $2 THEN 0 ELSE 1 END, id LIMIT 1"
            )
        };
    }
    let is_limited = !named.is_empty();
    sql_both!(sqlite: text!("IN (SELECT value FROM json_each($3))"), postgres: text!("= ANY($3)"))
        .bind(site)
        .bind(had)
        .bind(named)
        .bind(is_limited)
        .optional(conn)
        .await
}

/// How many members a site has; at most `limit`.
pub async fn count_members(conn: Conn<'_>, site: SiteId, limit: u32) -> Result<u64> {
    let (n_members,): (i64,) =
        sql!("SELECT count(*) FROM (SELECT id FROM member WHERE site = $1 AND deleting_since IS NULL LIMIT $2) m")
            .bind(site)
            .bind(limit)
            .one(conn)
            .await?;
    Ok(n_members.unsigned_abs())
}

/// What is known of a member, and of a video if one is asked about.
pub async fn asked(conn: Conn<'_>, site: SiteId, who: &MemberRef, video: Option<&VideoId>) -> Result<Option<Asked>> {
    let video = video.map_or("", VideoId::as_str);
    match who {
        MemberRef::Id(by) => asked_where!("m.id = $2", "").bind(site).bind(&by.id).bind(video).optional(conn).await,
        MemberRef::Email(by) => {
            asked_where!("m.email_key = $2", "").bind(site).bind(by.email.key()).bind(video).optional(conn).await
        }
    }
}

/// The same, and what else a refusal may come of.
pub async fn doubted(
    conn: Conn<'_>,
    site: SiteId,
    who: &MemberRef,
    wanted: &Wanted,
) -> Result<Option<(Asked, Doubts)>> {
    let video = wanted.video().map_or("", VideoId::as_str);
    let (statement, key) = match who {
        MemberRef::Id(by) => (asked_where!("m.id = $2", doubt_columns!()), by.id.as_str()),
        MemberRef::Email(by) => (asked_where!("m.email_key = $2", doubt_columns!()), by.email.key()),
    };
    let is_bundle = matches!(wanted, Wanted::Bundle(_));
    let row: Option<Doubted> = statement.bind(site).bind(key).bind(video).bind(is_bundle).optional(conn).await?;
    Ok(row.map(|row| (row.asked, row.doubts)))
}

/// What access asks of a video, also what counts only at another level.
pub async fn content(conn: Conn<'_>, site: SiteId, video: &VideoId) -> Result<Option<Content>> {
    sql!(concat!("SELECT ", content_columns!("TRUE", "TRUE"), " FROM video v WHERE v.site = $1 AND v.id = $2"))
        .bind(site)
        .bind(video)
        .optional(conn)
        .await
}

/// A video, and what access asks of it.
pub struct VideoContent {
    /// The video.
    pub video: VideoId,
    /// What access asks of it.
    pub content: Content,
}

impl FromRow for VideoContent {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { video: row.take()?, content: Content::from_row(row)? })
    }
}

/// What access asks of these videos, in one statement.
pub async fn contents(conn: Conn<'_>, site: SiteId, videos: Value) -> Result<Vec<VideoContent>> {
    macro_rules! text {
        ($videos:literal) => {
            concat!(
                "SELECT v.id, ",
                content_columns!("v.level = 'members'", "v.level = 'bundle'"),
                " FROM video v WHERE v.site = $1 AND v.id ",
                $videos
            )
        };
    }
    sql_both!(sqlite: text!("IN (SELECT value FROM json_each($2))"), postgres: text!("= ANY ($2)"))
        .bind(site)
        .bind(videos)
        .all(conn)
        .await
}
