//! The SQL of access. The facts of a member are one statement; lists within it are JSON, which both databases can make.

use usher_db::{Conn, Result, Value, sql, sql_both};

use super::{
    facts::{Asked, Content, Doubted, Doubts, Known, Wanted},
    types::EntitlementView,
};
use crate::{
    areas::members::{MemberRef, member_columns},
    values::{BundleId, EntitlementId, GroupId, MemberId, SiteId, Time, VideoId},
};

/// The facts of members `m`: what `$columns` adds, of what `$from` joins, where `$where` holds.
macro_rules! known {
    (sqlite, $columns:expr, $from:expr, $where:expr) => {
        concat!(
            "SELECT ",
            member_columns!(),
            ", (SELECT json_group_array(json_array(s.id, s.plan_id, s.status, s.started_at, s.period_end,
                    s.past_due_since, json(iif(s.external_id IS NULL, 'false', 'true')), s.synced_at, s.refunded_at, s.refunded_until))
                FROM subscription s WHERE s.site = m.site AND s.member_id = m.id),
               (SELECT json_group_array(json_array(e.bundle_id, e.granted_at, e.expires_at, e.revoked_at))
                FROM entitlement e WHERE e.site = m.site AND e.member_id = m.id)",
            $columns,
            " FROM member m ",
            $from,
            " WHERE m.site = $1 AND ",
            $where
        )
    };
    (postgres, $columns:expr, $from:expr, $where:expr) => {
        concat!(
            "SELECT ",
            member_columns!(),
            ", (SELECT COALESCE(json_agg(json_build_array(s.id, s.plan_id, s.status, s.started_at, s.period_end,
                    s.past_due_since, s.external_id IS NOT NULL, s.synced_at, s.refunded_at, s.refunded_until)), '[]')::text
                FROM subscription s WHERE s.site = m.site AND s.member_id = m.id),
               (SELECT COALESCE(json_agg(json_build_array(e.bundle_id, e.granted_at, e.expires_at, e.revoked_at)),
                                '[]')::text
                FROM entitlement e WHERE e.site = m.site AND e.member_id = m.id)",
            $columns,
            " FROM member m ",
            $from,
            " WHERE m.site = $1 AND ",
            $where
        )
    };
}

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
/// somebody of nearly the same address, or who pays with the member's. `$4` says whether a bundle is wanted itself.
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
                      AND c.member_id <> m.id)"
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
pub(super) async fn known_by_id(conn: Conn<'_>, site: SiteId, id: &MemberId) -> Result<Option<Known>> {
    known_where!("m.id = $2").bind(site).bind(id).optional(conn).await
}

/// The members of a site that have anything that access is decided on, in the order of their ids.
pub(super) async fn known_with_anything(conn: Conn<'_>, site: SiteId, limit: u32) -> Result<Vec<Known>> {
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

/// How many members a site has; at most `limit`.
pub(super) async fn count_members(conn: Conn<'_>, site: SiteId, limit: u32) -> Result<u64> {
    let (n_members,): (i64,) =
        sql!("SELECT count(*) FROM (SELECT id FROM member WHERE site = $1 AND deleting_since IS NULL LIMIT $2) m")
            .bind(site)
            .bind(limit)
            .one(conn)
            .await?;
    Ok(n_members.unsigned_abs())
}

/// What is known of a member, and of a video if one is asked about.
pub(super) async fn asked(
    conn: Conn<'_>,
    site: SiteId,
    who: &MemberRef,
    video: Option<&VideoId>,
) -> Result<Option<Asked>> {
    let video = video.map_or("", VideoId::as_str);
    match who {
        MemberRef::Id(by) => asked_where!("m.id = $2", "").bind(site).bind(&by.id).bind(video).optional(conn).await,
        MemberRef::Email(by) => {
            asked_where!("m.email_key = $2", "").bind(site).bind(by.email.key()).bind(video).optional(conn).await
        }
    }
}

/// The same, and what else a refusal may come of.
pub(super) async fn doubted(
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
pub(super) async fn content(conn: Conn<'_>, site: SiteId, video: &VideoId) -> Result<Option<Content>> {
    sql!(concat!("SELECT ", content_columns!("TRUE", "TRUE"), " FROM video v WHERE v.site = $1 AND v.id = $2"))
        .bind(site)
        .bind(video)
        .optional(conn)
        .await
}

/// Whom else a member may be.
pub(super) struct Alike<'a> {
    /// The member itself.
    pub(super) member: &'a MemberId,
    /// The name's key; a text that no name has, if there is no name.
    pub(super) name: &'a str,
    /// The address's key without its sub-address.
    pub(super) address: &'a str,
    /// The address's key, with which somebody may pay.
    pub(super) own: &'a str,
}

/// Those who are [`Alike`] by address, also that with which they pay, and by name as `$which` says. SQLite would rather read all members in the order of
/// their ids, so it is told the index.
macro_rules! alike {
    ($index:literal, $which:literal, $limit:literal, $own:literal) => {
        concat!(
            "SELECT id FROM member WHERE site = $1 AND email_key = $3
             UNION ALL SELECT c.id FROM (SELECT member_id AS id FROM stripe_customer
                                         WHERE site = $1 AND email_key = ",
            $own,
            " ORDER BY member_id LIMIT ",
            $limit,
            ") c UNION ALL SELECT a.id FROM (SELECT id FROM member WHERE site = $1 AND twin_key = $3 ORDER BY id LIMIT ",
            $limit,
            ") a UNION ALL SELECT n.id FROM (SELECT id FROM member ",
            $index,
            " WHERE site = $1 AND name_key = $4 ",
            $which,
            " ORDER BY id LIMIT ",
            $limit,
            ") n"
        )
    };
}

macro_rules! alike_with_access {
    ($index:literal) => {
        concat!(
            "m.id <> $2 AND m.id IN (",
            alike!($index, "AND (status <> 'free' OR trial_until IS NOT NULL)", "$5", "$6"),
            ") ORDER BY m.id"
        )
    };
}

macro_rules! alike_with_bundles {
    ($index:literal, $bundles:literal) => {
        concat!(
            "m.id <> $2 AND m.id IN (SELECT c.id FROM (",
            alike!($index, "", "$6", "$8"),
            ") c WHERE EXISTS (SELECT 1 FROM entitlement e WHERE e.site = $1 AND e.member_id = c.id
                               AND e.revoked_at IS NULL AND e.bundle_id ",
            $bundles,
            ")) ORDER BY m.id LIMIT $7"
        )
    };
}

/// Some of the other members of the same name that pay or were given free access or a trial, and of those of nearly the
/// same address. An index has each, however many have the name.
pub(super) async fn alike(conn: Conn<'_>, site: SiteId, like: &Alike<'_>, limit: u32) -> Result<Vec<Known>> {
    sql_both!(
        sqlite: known!(sqlite, "", "", alike_with_access!("INDEXED BY member_namesake")),
        postgres: known!(postgres, "", "", alike_with_access!("")),
    )
    .bind(site)
    .bind(like.member)
    .bind(like.address)
    .bind(like.name)
    .bind(limit)
    .bind(like.own)
    .all(conn)
    .await
}

/// The same for those who have one of some bundles, looked for among so many of the name.
pub(super) async fn alike_with_bundles(
    conn: Conn<'_>,
    site: SiteId,
    like: &Alike<'_>,
    bundles: Vec<Option<String>>,
    among: u32,
    limit: u32,
) -> Result<Vec<Known>> {
    sql_both!(
        sqlite: known!(sqlite, "", "", alike_with_bundles!("INDEXED BY member_name", "IN (SELECT value FROM json_each($5))")),
        postgres: known!(postgres, "", "", alike_with_bundles!("", "= ANY($5)")),
    )
    .bind(site)
    .bind(like.member)
    .bind(like.address)
    .bind(like.name)
    .bind(bundles)
    .bind(among)
    .bind(limit)
    .bind(like.own)
    .all(conn)
    .await
}

/// What an entitlement is read from, with the orders that it was granted for: those that were not taken back first, and
/// of those the newest.
macro_rules! entitlement_where {
    ($where:literal) => {
        sql_both!(
            sqlite: concat!(
                "SELECT e.id, e.member_id, e.bundle_id, b.name, e.source, e.granted_at, e.expires_at, e.revoked_at,
                        e.direct_since, e.direct_until, e.job_id,
                        (SELECT json_group_array(json_array(o.order_id, o.granted_at, o.expires_at, o.revoked_at)) FROM (
                            SELECT order_id, granted_at, expires_at, revoked_at FROM granted_order
                            WHERE site = e.site AND member_id = e.member_id AND bundle_id = e.bundle_id
                            ORDER BY (revoked_at IS NOT NULL), granted_at DESC, order_id LIMIT 201) o)
                 FROM entitlement e JOIN bundle b ON b.site = e.site AND b.id = e.bundle_id
                 WHERE e.site = $1 AND e.member_id = $2 AND ", $where),
            postgres: concat!(
                "SELECT e.id, e.member_id, e.bundle_id, b.name, e.source, e.granted_at, e.expires_at, e.revoked_at,
                        e.direct_since, e.direct_until, e.job_id,
                        (SELECT COALESCE(json_agg(json_build_array(o.order_id, o.granted_at, o.expires_at,
                                                                   o.revoked_at)), '[]')::text FROM (
                            SELECT order_id, granted_at, expires_at, revoked_at FROM granted_order
                            WHERE site = e.site AND member_id = e.member_id AND bundle_id = e.bundle_id
                            ORDER BY (revoked_at IS NOT NULL), granted_at DESC, order_id LIMIT 201) o)
                 FROM entitlement e JOIN bundle b ON b.site = e.site AND b.id = e.bundle_id
                 WHERE e.site = $1 AND e.member_id = $2 AND ", $where),
        )
    };
}

/// A page of a member's entitlements, newest first: those whose id is less than `before`.
pub(super) async fn entitlements(
    conn: Conn<'_>,
    site: SiteId,
    member: &MemberId,
    before: &str,
    limit: u32,
) -> Result<Vec<EntitlementView>> {
    entitlement_where!("e.id < $3 ORDER BY e.id DESC LIMIT $4")
        .bind(site)
        .bind(member)
        .bind(before)
        .bind(limit)
        .all(conn)
        .await
}

/// A member's entitlement to a bundle.
pub(super) async fn entitlement(
    conn: Conn<'_>,
    site: SiteId,
    member: &MemberId,
    bundle: &BundleId,
) -> Result<Option<EntitlementView>> {
    entitlement_where!("e.bundle_id = $3").bind(site).bind(member).bind(bundle).optional(conn).await
}

/// Gives members free access until a moment, or for good; those that have it as long keep it as it is. Gives how many
/// got more.
pub(super) async fn grant_free(
    conn: Conn<'_>,
    site: SiteId,
    members: Value,
    until: Option<Time>,
    now: Time,
) -> Result<u64> {
    sql_both!(
        sqlite: "UPDATE member SET status = 'comped', free_until = $3, updated_at = max(updated_at, $4),
                        free_since = iif(free_since IS NOT NULL AND free_until > $4, free_since, $4)
                 WHERE site = $1 AND id IN (SELECT value FROM json_each($2))
                   AND (free_since IS NULL OR free_until < COALESCE($3, 9223372036854775807))",
        postgres: "UPDATE member SET status = 'comped', free_until = $3, updated_at = greatest(updated_at, $4),
                          free_since = CASE WHEN free_since IS NOT NULL AND free_until > $4 THEN free_since ELSE $4 END
                   WHERE site = $1 AND id = ANY($2)
                     AND (free_since IS NULL OR free_until < COALESCE($3, 9223372036854775807))",
    )
    .bind(site)
    .bind(members)
    .bind(until)
    .bind(now)
    .run(conn)
    .await
}

/// Takes free access from members; gives how many had been given it.
pub(super) async fn remove_free(conn: Conn<'_>, site: SiteId, members: Value, now: Time) -> Result<u64> {
    sql_both!(
        sqlite: "UPDATE member SET status = iif(is_paid, 'paid', 'free'), free_since = NULL, free_until = NULL,
                        updated_at = max(updated_at, $3)
                 WHERE site = $1 AND id IN (SELECT value FROM json_each($2)) AND free_since IS NOT NULL",
        postgres: "UPDATE member SET status = CASE WHEN is_paid THEN 'paid' ELSE 'free' END, free_since = NULL,
                          free_until = NULL, updated_at = greatest(updated_at, $3)
                   WHERE site = $1 AND id = ANY($2) AND free_since IS NOT NULL",
    )
    .bind(site)
    .bind(members)
    .bind(now)
    .run(conn)
    .await
}

/// Gives members a trial until a moment; those that have one as long keep it. Gives how many got more.
pub(super) async fn set_trial(conn: Conn<'_>, site: SiteId, members: Value, until: Time, now: Time) -> Result<u64> {
    sql_both!(
        sqlite: "UPDATE member SET trial_until = $3, updated_at = max(updated_at, $4),
                        trial_since = iif(trial_until > $4, trial_since, $4)
                 WHERE site = $1 AND id IN (SELECT value FROM json_each($2)) AND (trial_until IS NULL OR trial_until < $3)",
        postgres: "UPDATE member SET trial_until = $3, updated_at = greatest(updated_at, $4),
                          trial_since = CASE WHEN trial_until > $4 THEN trial_since ELSE $4 END
                   WHERE site = $1 AND id = ANY($2) AND (trial_until IS NULL OR trial_until < $3)",
    )
    .bind(site)
    .bind(members)
    .bind(until)
    .bind(now)
    .run(conn)
    .await
}

/// What a bundle is granted with.
pub(super) struct Terms<'a> {
    pub(super) bundle: &'a BundleId,
    /// Who grants it; what was said before stays if nothing is said.
    pub(super) source: Option<&'a str>,
    /// Whether an order holds it, which is noted elsewhere; else the grant itself does.
    pub(super) for_order: bool,
    pub(super) expires_at: Option<Time>,
    /// The job that grants it, if one does.
    pub(super) job: Option<&'a str>,
    pub(super) now: Time,
}

/// Gives members a bundle: revives what was revoked, and lengthens what would end earlier. Gives how many got more.
pub(super) async fn grant_bundle(
    conn: Conn<'_>,
    site: SiteId,
    members: impl IntoIterator<Item = (&MemberId, EntitlementId)>,
    terms: &Terms<'_>,
) -> Result<u64> {
    let Terms { bundle, source, for_order, expires_at, job, now } = *terms;
    let (direct_since, direct_until) = if for_order { (None, None) } else { (Some(now), expires_at) };
    sql!(
        "INSERT INTO entitlement (site, id, member_id, bundle_id, source, granted_at, expires_at, direct_since,
                                  direct_until, created_at, updated_at, job_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (site, member_id, bundle_id) DO UPDATE SET
             granted_at = CASE WHEN entitlement.revoked_at IS NULL
                                AND (entitlement.expires_at IS NULL OR entitlement.expires_at > excluded.granted_at)
                          THEN entitlement.granted_at ELSE excluded.granted_at END,
             source = COALESCE(excluded.source, entitlement.source), job_id = excluded.job_id,
             expires_at = excluded.expires_at, revoked_at = NULL, updated_at = excluded.updated_at,
             direct_since = CASE WHEN excluded.direct_since IS NULL
                                   OR entitlement.revoked_at IS NULL AND entitlement.direct_until > excluded.direct_since
                            THEN entitlement.direct_since ELSE excluded.direct_since END,
             direct_until = CASE WHEN excluded.direct_since IS NULL
                            THEN entitlement.direct_until ELSE excluded.direct_until END
         WHERE entitlement.revoked_at IS NOT NULL
            OR entitlement.expires_at < COALESCE(excluded.expires_at, 9223372036854775807)"
    )
    .rows(members.into_iter().map(|(member, id)| {
        [
            site.into(),
            (&id).into(),
            member.into(),
            bundle.into(),
            source.into(),
            now.into(),
            expires_at.into(),
            direct_since.into(),
            direct_until.into(),
            now.into(),
            now.into(),
            job.into(),
        ]
    }))
    .run(conn)
    .await
}

/// Of members that own a bundle for as long already, notes that a grant without an order holds it too.
pub(super) async fn hold_directly(
    conn: Conn<'_>,
    site: SiteId,
    members: Value,
    bundle: &BundleId,
    until: Option<Time>,
    now: Time,
) -> Result<u64> {
    sql_both!(
        sqlite: "UPDATE entitlement SET direct_until = $4, updated_at = max(updated_at, $5),
                        direct_since = iif(direct_until > $5, direct_since, $5)
                 WHERE site = $1 AND member_id IN (SELECT value FROM json_each($2)) AND bundle_id = $3
                   AND revoked_at IS NULL
                   AND (direct_since IS NULL OR direct_until < COALESCE($4, 9223372036854775807))",
        postgres: "UPDATE entitlement SET direct_until = $4, updated_at = greatest(updated_at, $5),
                          direct_since = CASE WHEN direct_until > $5 THEN direct_since ELSE $5 END
                   WHERE site = $1 AND member_id = ANY($2) AND bundle_id = $3 AND revoked_at IS NULL
                     AND (direct_since IS NULL OR direct_until < COALESCE($4, 9223372036854775807))",
    )
    .bind(site)
    .bind(members)
    .bind(bundle)
    .bind(until)
    .bind(now)
    .run(conn)
    .await
}

/// Takes a bundle from members, whatever holds it; gives how many had it, and not yet lost it.
pub(super) async fn revoke_bundle(
    conn: Conn<'_>,
    site: SiteId,
    members: Value,
    bundle: &BundleId,
    now: Time,
) -> Result<u64> {
    sql_both!(
        sqlite: "UPDATE entitlement SET revoked_at = $4, direct_since = NULL, direct_until = NULL, updated_at = $4
                 WHERE site = $1 AND member_id IN (SELECT value FROM json_each($2)) AND bundle_id = $3
                   AND revoked_at IS NULL",
        postgres: "UPDATE entitlement SET revoked_at = $4, direct_since = NULL, direct_until = NULL, updated_at = $4
                   WHERE site = $1 AND member_id = ANY($2) AND bundle_id = $3 AND revoked_at IS NULL",
    )
    .bind(site)
    .bind(members)
    .bind(bundle)
    .bind(now)
    .run(conn)
    .await
}

/// The next members of a group after an id, in the order of their ids, those that are being deleted included.
pub(super) async fn places_after(
    conn: Conn<'_>,
    site: SiteId,
    group: &GroupId,
    after: &str,
    limit: usize,
) -> Result<Vec<MemberId>> {
    let rows: Vec<(MemberId,)> = sql!(
        "SELECT member_id FROM group_place WHERE site = $1 AND group_id = $2 AND member_id > $3
         ORDER BY member_id LIMIT $4"
    )
    .bind(site)
    .bind(group)
    .bind(after)
    .bind(limit as i64)
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Of these members, those that are not being deleted; nobody else changes them until the transaction ends.
pub(super) async fn hold(conn: Conn<'_>, site: SiteId, members: Value) -> Result<Vec<MemberId>> {
    let rows: Vec<(MemberId,)> = sql_both!(
        sqlite: "SELECT id FROM member
                 WHERE site = $1 AND id IN (SELECT value FROM json_each($2)) AND deleting_since IS NULL ORDER BY id",
        postgres: "SELECT id FROM member WHERE site = $1 AND id = ANY($2) AND deleting_since IS NULL
                   ORDER BY id FOR UPDATE",
    )
    .bind(site)
    .bind(members)
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Writes down that free access has ended by itself, for some members of any site; gives how many.
pub(super) async fn lapse(conn: Conn<'_>, now: Time, limit: u32) -> Result<u64> {
    sql_both!(
        sqlite: "UPDATE member SET status = iif(is_paid, 'paid', 'free')
                 WHERE (site, id) IN (SELECT site, id FROM member
                                      WHERE status = 'comped' AND free_until IS NOT NULL AND free_until <= $1 LIMIT $2)",
        postgres: "UPDATE member SET status = CASE WHEN is_paid THEN 'paid' ELSE 'free' END
                   WHERE (site, id) IN (SELECT site, id FROM member
                                        WHERE status = 'comped' AND free_until IS NOT NULL AND free_until <= $1
                                        ORDER BY site, id LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind(now)
    .bind(limit)
    .run(conn)
    .await
}
