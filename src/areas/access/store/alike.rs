//! Others who may be the same person.

use usher_db::{Conn, Result, sql_both};

use crate::{
    areas::{access::facts::Known, members::member_columns},
    values::{MemberId, SiteId},
};

/// Whom else a member may be.
pub struct Alike<'a> {
    /// The member itself.
    pub member: &'a MemberId,
    /// The name's key; a text that no name has, if there is no name.
    pub name: &'a str,
    /// The address's key without its sub-address.
    pub address: &'a str,
    /// The address's key, with which somebody may pay.
    pub own: &'a str,
}

/// Those who are [`Alike`] by address, also that with which they pay, and by name as `$which` says. SQLite would rather
/// read all members in the order of their ids, so it is told the index.
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
pub async fn alike(conn: Conn<'_>, site: SiteId, like: &Alike<'_>, limit: u32) -> Result<Vec<Known>> {
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
pub async fn alike_with_bundles(
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
