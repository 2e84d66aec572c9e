//! Whether few members fit a filter, each answered by the end of an index.

use usher_db::{Conn, Result, Statement, sql};

use super::{FEW, Filter};
use crate::{
    areas::members::types::MemberStatus,
    values::{GroupId, SiteId, Tag, Time},
};

/// Whether few members have a tag.
pub async fn few_of_tag(conn: Conn<'_>, site: SiteId, tag: &Tag) -> Result<bool> {
    let counting = sql!(
        "SELECT count(*) FROM (SELECT 1 AS one FROM member_tag
         WHERE site = $1 AND tag = $2 LIMIT $3) AS some_of_them"
    );
    few(conn, counting.bind(site).bind(tag)).await
}

/// Whether few members are in a group.
pub async fn few_of_group(conn: Conn<'_>, site: SiteId, group: &GroupId) -> Result<bool> {
    let counting = sql!(
        "SELECT count(*) FROM (SELECT 1 AS one FROM group_place
         WHERE site = $1 AND group_id = $2 LIMIT $3) AS some_of_them"
    );
    few(conn, counting.bind(site).bind(group)).await
}

/// Whether few members have a status.
pub async fn few_of_status(conn: Conn<'_>, site: SiteId, status: MemberStatus) -> Result<bool> {
    let counting = sql!(
        "SELECT count(*) FROM (SELECT 1 AS one FROM member
         WHERE site = $1 AND status = $2 LIMIT $3) AS some_of_them"
    );
    few(conn, counting.bind(site).bind(status.as_str())).await
}

/// Whether few members were made in the time of a filter.
pub async fn few_of_time(conn: Conn<'_>, site: SiteId, filter: &Filter) -> Result<bool> {
    let (after, before) = filter.ids();
    let counting = sql!(
        "SELECT count(*) FROM (SELECT 1 AS one FROM member
         WHERE site = $1 AND id > $2 AND id < $3 LIMIT $4) AS some_of_them"
    );
    few(conn, counting.bind(site).bind(after).bind(before)).await
}

/// Whether few members were changed since a time.
pub async fn few_updated(conn: Conn<'_>, site: SiteId, from: Time) -> Result<bool> {
    let counting = sql!(
        "SELECT count(*) FROM (SELECT 1 AS one FROM member
         WHERE site = $1 AND updated_at >= $2 LIMIT $3) AS some_of_them"
    );
    few(conn, counting.bind(site).bind(from)).await
}

async fn few(conn: Conn<'_>, counting: Statement) -> Result<bool> {
    let (n_members,): (i64,) = counting.bind(FEW + 1).one(conn).await?;
    Ok(n_members <= i64::from(FEW))
}
