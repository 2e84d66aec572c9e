//! The SQL of imports: many members in few statements. Rows come sorted by address, so that two imports lock them in the
//! same order.

use usher_db::{Conn, Engine, Result, Statement, Value, sql, sql_both};

use super::values;
use crate::{
    areas::members::types::{Member, member_columns},
    values::{BundleId, EntitlementId, GroupId, JobId, MemberId, SiteId, Tag, Time},
};

/// Holds the members of these addresses until the transaction ends, and says how many there are. A transaction of
/// SQLite holds everything anyway.
pub async fn hold_all(conn: Conn<'_>, site: SiteId, keys: Value) -> Result<usize> {
    let held: Vec<(MemberId,)> = sql_both!(
        sqlite: "SELECT id FROM member WHERE site = $1 AND email_key IN (SELECT value FROM json_each($2))",
        postgres: "SELECT id FROM member WHERE site = $1 AND email_key = ANY ($2) ORDER BY email_key FOR UPDATE",
    )
    .bind(site)
    .bind(keys)
    .all(conn)
    .await?;
    Ok(held.len())
}

/// The members of these addresses.
pub async fn by_emails(conn: Conn<'_>, site: SiteId, keys: Value) -> Result<Vec<Member>> {
    macro_rules! text {
        ($keys:literal) => {
            concat!("SELECT ", member_columns!(), " FROM member m WHERE m.site = $1 AND m.email_key ", $keys)
        };
    }
    sql_both!(sqlite: text!("IN (SELECT value FROM json_each($2))"), postgres: text!("= ANY ($2)"))
        .bind(site)
        .bind(keys)
        .all(conn)
        .await
}

/// Who has these external ids: the id and the key of the address.
pub async fn external_ids(conn: Conn<'_>, site: SiteId, ids: Value) -> Result<Vec<(String, String)>> {
    sql_both!(
        sqlite: "SELECT external_id, email_key FROM member
                 WHERE site = $1 AND external_id IN (SELECT value FROM json_each($2))",
        postgres: "SELECT external_id, email_key FROM member WHERE site = $1 AND external_id = ANY ($2)",
    )
    .bind(site)
    .bind(ids)
    .all(conn)
    .await
}

/// The groups that these members are in.
pub async fn places_of(conn: Conn<'_>, site: SiteId, members: Value) -> Result<Vec<(MemberId, String)>> {
    sql_both!(
        sqlite: "SELECT member_id, group_id FROM group_place
                 WHERE site = $1 AND member_id IN (SELECT value FROM json_each($2))",
        postgres: "SELECT member_id, group_id FROM group_place WHERE site = $1 AND member_id = ANY ($2)",
    )
    .bind(site)
    .bind(members)
    .all(conn)
    .await
}

/// The bundles that these members own for life.
pub async fn owned_for_life(conn: Conn<'_>, site: SiteId, members: Value) -> Result<Vec<(MemberId, String)>> {
    sql_both!(
        sqlite: "SELECT member_id, bundle_id FROM entitlement
                 WHERE site = $1 AND member_id IN (SELECT value FROM json_each($2))
                   AND expires_at IS NULL AND revoked_at IS NULL",
        postgres: "SELECT member_id, bundle_id FROM entitlement
                   WHERE site = $1 AND member_id = ANY ($2) AND expires_at IS NULL AND revoked_at IS NULL",
    )
    .bind(site)
    .bind(members)
    .all(conn)
    .await
}

/// The groups of a site: their ids, and the keys of their names.
pub async fn group_names(conn: Conn<'_>, site: SiteId) -> Result<Vec<(GroupId, String)>> {
    sql!("SELECT id, name_key FROM member_group WHERE site = $1 AND deleting_since IS NULL").bind(site).all(conn).await
}

/// The names of the groups that these members are in.
pub async fn group_names_of(conn: Conn<'_>, site: SiteId, members: Value) -> Result<Vec<(MemberId, String)>> {
    macro_rules! text {
        ($members:literal) => {
            concat!(
                "SELECT p.member_id, g.name FROM group_place p JOIN member_group g ON g.site = p.site AND g.id = p.group_id
                 WHERE p.site = $1 AND p.member_id ",
                $members,
                " ORDER BY p.member_id, p.group_id"
            )
        };
    }
    sql_both!(sqlite: text!("IN (SELECT value FROM json_each($2))"), postgres: text!("= ANY ($2)"))
        .bind(site)
        .bind(members)
        .all(conn)
        .await
}

/// The bundles of a site, likewise. Several may have the same name.
pub async fn bundle_names(conn: Conn<'_>, site: SiteId) -> Result<Vec<(BundleId, String)>> {
    sql!("SELECT id, name_key FROM bundle WHERE site = $1").bind(site).all(conn).await
}

/// Writes what an import may change of members, at most 2,000 at once. All of them must be there and be held; each comes
/// with an id of its own that is not used, and their words have still to be written ([`super::words::replace`]).
///
/// An upsert, since SQLite reads the whole table for an `UPDATE … FROM` several rows.
pub async fn update_all(conn: Conn<'_>, site: SiteId, members: impl IntoIterator<Item = &Member>) -> Result<u64> {
    sql!(
        "INSERT INTO member (site, id, email, email_key, name, name_key, note, status, free_since, free_until,
                             created_at, updated_at, twin_key, external_id, metadata, words)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         ON CONFLICT (site, email_key) DO UPDATE
         SET name = excluded.name, name_key = excluded.name_key, words = excluded.words, note = excluded.note,
             status = excluded.status, free_since = excluded.free_since, free_until = excluded.free_until,
             updated_at = excluded.updated_at, external_id = excluded.external_id, metadata = excluded.metadata"
    )
    .rows(members.into_iter().map(|member| values(site, member, &member.words())))
    .run(conn)
    .await
}

/// Gives members tags that they do not have, any number of them.
pub async fn insert_many_tags(conn: Conn<'_>, site: SiteId, tags: &[(&MemberId, &Tag)]) -> Result<u64> {
    let engine = conn.engine();
    let statement = sql_both!(
        sqlite: "INSERT INTO member_tag (site, member_id, tag)
                 SELECT $1, value ->> 0, value ->> 1 FROM json_each($2)",
        postgres: "INSERT INTO member_tag (site, member_id, tag)
                   SELECT $1, r.member_id, r.tag FROM unnest($2::text[], $3::text[]) AS r (member_id, tag)",
    );
    let rows = tags.iter().map(|(member, tag)| [member.as_str(), tag.as_str()]);
    bind(statement.bind(site), engine, rows).run(conn).await
}

/// Puts members into groups; a group that is gone meanwhile is passed over.
pub async fn insert_places(conn: Conn<'_>, site: SiteId, places: &[(&MemberId, &str)], now: Time) -> Result<u64> {
    let engine = conn.engine();
    let statement = sql_both!(
        sqlite: "INSERT INTO group_place (site, group_id, member_id, added_at)
                 SELECT g.site, g.id, r.value ->> 0, $2
                 FROM json_each($3) AS r CROSS JOIN member_group g WHERE g.site = $1 AND g.id = r.value ->> 1 AND g.deleting_since IS NULL
                 ON CONFLICT (site, group_id, member_id) DO NOTHING",
        postgres: "INSERT INTO group_place (site, group_id, member_id, added_at)
                   SELECT g.site, g.id, r.member_id, $2
                   FROM unnest($3::text[], $4::text[]) AS r (member_id, group_id), member_group g
                   WHERE g.site = $1 AND g.id = r.group_id AND g.deleting_since IS NULL
                   ON CONFLICT (site, group_id, member_id) DO NOTHING",
    );
    let rows = places.iter().map(|(member, group)| [member.as_str(), group]);
    bind(statement.bind(site).bind(now), engine, rows).run(conn).await
}

/// Gives members bundles for life; a right that is there is extended or revived. One that is for life already stays as
/// it is, also if it is an order's: an export that is imported again changes nothing.
pub async fn grant_for_life(
    conn: Conn<'_>,
    site: SiteId,
    grants: &[(EntitlementId, &MemberId, &str)],
    job: &JobId,
    now: Time,
) -> Result<u64> {
    macro_rules! text {
        ($rows:literal) => {
            concat!(
                "INSERT INTO entitlement (site, id, member_id, bundle_id, source, granted_at, direct_since, created_at,
                                          updated_at, job_id)
                 SELECT $1, r.id, r.member_id, r.bundle_id, 'import', $2, $2, $2, $2, $3 FROM ",
                $rows,
                " WHERE r.id IS NOT NULL
                 ON CONFLICT (site, member_id, bundle_id) DO UPDATE
                 SET job_id = excluded.job_id, granted_at = CASE WHEN entitlement.revoked_at IS NULL AND entitlement.expires_at > excluded.granted_at
                                       THEN entitlement.granted_at ELSE excluded.granted_at END,
                     source = excluded.source, expires_at = NULL, revoked_at = NULL, direct_since = excluded.direct_since,
                     direct_until = NULL, updated_at = excluded.updated_at
                 WHERE entitlement.expires_at IS NOT NULL OR entitlement.revoked_at IS NOT NULL"
            )
        };
    }
    let engine = conn.engine();
    let statement = sql_both!(
        sqlite: text!("(SELECT value ->> 0 AS id, value ->> 1 AS member_id, value ->> 2 AS bundle_id
                        FROM json_each($4)) AS r"),
        postgres: text!("unnest($4::text[], $5::text[], $6::text[]) AS r (id, member_id, bundle_id)"),
    );
    let rows = grants.iter().map(|(id, member, bundle)| [id.as_str(), member.as_str(), bundle]);
    bind(statement.bind(site).bind(now).bind(job.as_str()), engine, rows).run(conn).await
}

/// Binds rows of texts as the last values of a statement: an array a column, or on SQLite a JSON array of arrays.
fn bind<'a, const N: usize>(
    statement: Statement,
    engine: Engine,
    rows: impl Iterator<Item = [&'a str; N]> + Clone,
) -> Statement {
    match engine {
        Engine::Sqlite => {
            let rows: Vec<Vec<&str>> = rows.map(Vec::from).collect();
            statement.bind(serde_json::to_string(&rows).expect("texts are JSON"))
        }
        Engine::Postgres => (0..N).fold(statement, |statement, column| {
            statement.bind(rows.clone().map(|row| row[column].to_owned()).collect::<Value>())
        }),
    }
}

/// Keeps rows that were refused when they were to be written, at most 3,000 at once.
pub async fn insert_refusals(conn: Conn<'_>, site: SiteId, job: &JobId, rows: &[(i64, &'static str)]) -> Result<u64> {
    sql!("INSERT INTO import_refusal (site, job_id, row_number, code) VALUES ($1, $2, $3, $4)")
        .rows(rows.iter().map(|(row, code)| [site.into(), job.as_str().into(), (*row).into(), (*code).into()]))
        .run(conn)
        .await
}

/// The next refused rows after one, in their order.
pub async fn refusals(conn: Conn<'_>, site: SiteId, job: &JobId, after: i64, limit: u32) -> Result<Vec<(i64, String)>> {
    sql!(
        "SELECT row_number, code FROM import_refusal
         WHERE site = $1 AND job_id = $2 AND row_number > $3 ORDER BY row_number LIMIT $4"
    )
    .bind(site)
    .bind(job.as_str())
    .bind(after)
    .bind(limit)
    .all(conn)
    .await
}

/// Forgets the refused rows of an import.
pub async fn forget_refusals(conn: Conn<'_>, site: SiteId, job: &JobId) -> Result<u64> {
    sql!("DELETE FROM import_refusal WHERE site = $1 AND job_id = $2").bind(site).bind(job.as_str()).run(conn).await
}
