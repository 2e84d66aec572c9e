//! The SQL of videos. An id has no comma, so plans can be read as one text.

use usher_db::{Conn, Result, Value, sql, sql_both};

use super::types::{Level, Video, Visibility, Watch, WatchProgress};
use crate::values::{BundleId, MemberId, PlanId, SiteId, Slug, VideoId, search_key};

/// Which videos.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only those for these.
    pub level: Option<Level>,
    /// Only those that are shown so.
    pub visibility: Option<Visibility>,
    /// Only those in this bundle.
    pub bundle: Option<BundleId>,
    /// A pattern of LIKE with the escape `!`, for title or slug.
    pub pattern: Option<String>,
}

/// The videos before an id, newest first.
pub async fn list(conn: Conn<'_>, site: SiteId, filter: &Filter, before: &str, limit: u32) -> Result<Vec<Video>> {
    sql!(
        "SELECT v.id, v.title, v.slug, v.level, v.visibility, v.visible_from, v.visible_until, v.created_at,
                v.updated_at,
                (SELECT string_agg(p.plan_id, ',') FROM video_plan p WHERE p.site = v.site AND p.video_id = v.id)
         FROM video v
         WHERE v.site = $1 AND v.id < $2 AND (v.level = $3 OR $3 IS NULL) AND (v.visibility = $4 OR $4 IS NULL)
           AND (EXISTS (SELECT 1 FROM bundle_video b
                        WHERE b.site = v.site AND b.video_id = v.id AND b.bundle_id = $5) OR $5 IS NULL)
           AND (v.title_key LIKE $6 ESCAPE '!' OR v.slug LIKE $6 ESCAPE '!' OR $6 IS NULL)
         ORDER BY v.id DESC LIMIT $7"
    )
    .bind(site)
    .bind(before)
    .bind(filter.level.map(Level::as_str))
    .bind(filter.visibility.map(Visibility::as_str))
    .bind(filter.bundle.as_ref().map(BundleId::as_str))
    .bind(filter.pattern.as_deref())
    .bind(limit)
    .all(conn)
    .await
}

/// A video by id.
pub async fn by_id(conn: Conn<'_>, site: SiteId, id: &VideoId) -> Result<Option<Video>> {
    sql!(
        "SELECT v.id, v.title, v.slug, v.level, v.visibility, v.visible_from, v.visible_until, v.created_at,
                v.updated_at,
                (SELECT string_agg(p.plan_id, ',') FROM video_plan p WHERE p.site = v.site AND p.video_id = v.id)
         FROM video v WHERE v.site = $1 AND v.id = $2"
    )
    .bind(site)
    .bind(id)
    .optional(conn)
    .await
}

/// Holds the row of a video until the transaction ends; whether there is one.
pub async fn hold(conn: Conn<'_>, site: SiteId, id: &VideoId) -> Result<bool> {
    let row: Option<(VideoId,)> = sql_both!(
        sqlite: "SELECT id FROM video WHERE site = $1 AND id = $2",
        postgres: "SELECT id FROM video WHERE site = $1 AND id = $2 FOR UPDATE",
    )
    .bind(site)
    .bind(id)
    .optional(conn)
    .await?;
    Ok(row.is_some())
}

/// Writes a new video, without its plans; `false` if another has its slug.
pub async fn insert(conn: Conn<'_>, site: SiteId, video: &Video) -> Result<bool> {
    let n = sql!(
        "INSERT INTO video (site, id, title, title_key, slug, level, visibility, visible_from, visible_until,
                            created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (site, slug) DO NOTHING"
    )
    .bind(site)
    .bind(&video.id)
    .bind(&video.title)
    .bind(search_key(video.title.as_str()))
    .bind(&video.slug)
    .bind(video.level.as_str())
    .bind(video.visibility.as_str())
    .bind(video.visible_from)
    .bind(video.visible_until)
    .bind(video.created_at)
    .bind(video.updated_at)
    .run(conn)
    .await?;
    Ok(n == 1)
}

/// Writes what may change of a video, but for the plans.
pub async fn update(conn: Conn<'_>, site: SiteId, video: &Video) -> Result<u64> {
    sql!(
        "UPDATE video SET title = $3, title_key = $4, slug = $5, level = $6, visibility = $7, visible_from = $8,
                          visible_until = $9, updated_at = $10
         WHERE site = $1 AND id = $2"
    )
    .bind(site)
    .bind(&video.id)
    .bind(&video.title)
    .bind(search_key(video.title.as_str()))
    .bind(&video.slug)
    .bind(video.level.as_str())
    .bind(video.visibility.as_str())
    .bind(video.visible_from)
    .bind(video.visible_until)
    .bind(video.updated_at)
    .run(conn)
    .await
}

/// The video with a slug.
pub async fn id_of(conn: Conn<'_>, site: SiteId, slug: &Slug) -> Result<Option<VideoId>> {
    let row: Option<(VideoId,)> =
        sql!("SELECT id FROM video WHERE site = $1 AND slug = $2").bind(site).bind(slug).optional(conn).await?;
    Ok(row.map(|(id,)| id))
}

/// Of these videos, those that there are.
pub async fn known(conn: Conn<'_>, site: SiteId, ids: Value) -> Result<Vec<(VideoId,)>> {
    sql_both!(
        sqlite: "SELECT id FROM video WHERE site = $1 AND id IN (SELECT value FROM json_each($2))",
        postgres: "SELECT id FROM video WHERE site = $1 AND id = ANY($2)",
    )
    .bind(site)
    .bind(ids)
    .all(conn)
    .await
}

/// Of these plans, those that there are.
pub async fn known_plans(conn: Conn<'_>, site: SiteId, ids: Value) -> Result<Vec<(PlanId,)>> {
    sql_both!(
        sqlite: "SELECT id FROM plan WHERE site = $1 AND id IN (SELECT value FROM json_each($2))",
        postgres: "SELECT id FROM plan WHERE site = $1 AND id = ANY($2)",
    )
    .bind(site)
    .bind(ids)
    .all(conn)
    .await
}

/// Limits a video to plans.
pub async fn insert_plans(conn: Conn<'_>, site: SiteId, video: &VideoId, plans: &[PlanId]) -> Result<u64> {
    sql!("INSERT INTO video_plan (site, video_id, plan_id) VALUES ($1, $2, $3)")
        .rows(plans.iter().map(|plan| [site.into(), video.into(), plan.into()]))
        .run(conn)
        .await
}

/// Takes the limits away.
pub async fn delete_plans(conn: Conn<'_>, site: SiteId, video: &VideoId) -> Result<u64> {
    sql!("DELETE FROM video_plan WHERE site = $1 AND video_id = $2").bind(site).bind(video).run(conn).await
}

/// How far a member got in a video.
pub async fn watch(conn: Conn<'_>, site: SiteId, member: &MemberId, video: &VideoId) -> Result<Option<Watch>> {
    sql!(
        "SELECT member_id, video_id, position_s, furthest_s, completed_at, created_at, updated_at
         FROM watch WHERE site = $1 AND member_id = $2 AND video_id = $3"
    )
    .bind(site)
    .bind(member)
    .bind(video)
    .optional(conn)
    .await
}

/// Writes how far a member got in a video.
pub async fn record(conn: Conn<'_>, site: SiteId, watch: &Watch) -> Result<u64> {
    sql!(
        "INSERT INTO watch (site, member_id, video_id, position_s, furthest_s, completed_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (site, member_id, video_id) DO UPDATE SET
             position_s = excluded.position_s, furthest_s = excluded.furthest_s,
             completed_at = excluded.completed_at, updated_at = excluded.updated_at"
    )
    .bind(site)
    .bind(&watch.member_id)
    .bind(&watch.video_id)
    .bind(watch.position_s)
    .bind(watch.furthest_s)
    .bind(watch.completed_at)
    .bind(watch.created_at)
    .bind(watch.updated_at)
    .run(conn)
    .await
}

/// Whose progress, or in what.
#[derive(Clone, Copy, Debug)]
pub enum Watched<'a> {
    /// Of all members in a video, newest members first.
    Video(&'a VideoId),
    /// Of a member in all videos, newest videos first.
    Member(&'a MemberId),
}

/// A page of progress: what comes before an id, of a member or a video; only what was watched to its end, or only what was
/// not, if that is asked for.
pub async fn progress(
    conn: Conn<'_>,
    site: SiteId,
    of: Watched<'_>,
    completed: Option<bool>,
    before: &str,
    limit: u32,
) -> Result<Vec<WatchProgress>> {
    macro_rules! page {
        ($where:literal, $order:literal) => {
            sql!(concat!(
                "SELECT w.member_id, m.email, m.name, w.video_id, v.title, w.position_s, w.furthest_s, w.completed_at,
                        w.created_at, w.updated_at
                 FROM watch w CROSS JOIN member m CROSS JOIN video v
                 WHERE w.site = $1 AND ",
                $where,
                " AND ((w.completed_at IS NOT NULL) = $4 OR $4 IS NULL)
                  AND m.site = $1 AND m.id = w.member_id AND v.site = $1 AND v.id = w.video_id
                 ORDER BY ",
                $order,
                " DESC LIMIT $5"
            ))
        };
    }
    let (statement, id) = match of {
        Watched::Video(video) => (page!("w.video_id = $2 AND w.member_id < $3", "w.member_id"), video.as_str()),
        Watched::Member(member) => (page!("w.member_id = $2 AND w.video_id < $3", "w.video_id"), member.as_str()),
    };
    statement.bind(site).bind(id).bind(before).bind(completed).bind(limit).all(conn).await
}

/// How many began, and how many of these came to the end; at most `limit` are looked at.
pub async fn count_progress(conn: Conn<'_>, site: SiteId, of: Watched<'_>, limit: u32) -> Result<(u32, u32)> {
    macro_rules! count {
        ($where:literal) => {
            sql!(concat!(
                "SELECT count(*), count(s.completed_at) FROM
                 (SELECT completed_at FROM watch WHERE site = $1 AND ",
                $where,
                " = $2 LIMIT $3) AS s"
            ))
        };
    }
    let (statement, id) = match of {
        Watched::Video(video) => (count!("video_id"), video.as_str()),
        Watched::Member(member) => (count!("member_id"), member.as_str()),
    };
    statement.bind(site).bind(id).bind(limit).one(conn).await
}
