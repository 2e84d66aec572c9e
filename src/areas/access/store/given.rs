//! Free access and trials: given, taken, and over by themselves.

use usher_db::{Conn, Result, Value, sql_both};

use crate::values::{SiteId, Time};

/// Gives members free access until a moment, or for good; those that have it as long keep it as it is. Gives how many
/// got more.
pub async fn grant_free(conn: Conn<'_>, site: SiteId, members: Value, until: Option<Time>, now: Time) -> Result<u64> {
    sql_both!(
        sqlite: "UPDATE member SET status = 'comped', free_until = $3, updated_at = max(updated_at / 1000 * 1000 + 1000, $4),
                        free_since = iif(free_since IS NOT NULL AND free_until > $4, free_since, $4)
                 WHERE site = $1 AND id IN (SELECT value FROM json_each($2))
                   AND (free_since IS NULL OR free_until < COALESCE($3, 9223372036854775807))",
        postgres: "UPDATE member SET status = 'comped', free_until = $3, updated_at = greatest(updated_at / 1000 * 1000 + 1000, $4),
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
pub async fn remove_free(conn: Conn<'_>, site: SiteId, members: Value, now: Time) -> Result<u64> {
    sql_both!(
        sqlite: "UPDATE member SET status = iif(is_paid, 'paid', 'free'), free_since = NULL, free_until = NULL,
                        updated_at = max(updated_at / 1000 * 1000 + 1000, $3)
                 WHERE site = $1 AND id IN (SELECT value FROM json_each($2)) AND free_since IS NOT NULL",
        postgres: "UPDATE member SET status = CASE WHEN is_paid THEN 'paid' ELSE 'free' END, free_since = NULL,
                          free_until = NULL, updated_at = greatest(updated_at / 1000 * 1000 + 1000, $3)
                   WHERE site = $1 AND id = ANY($2) AND free_since IS NOT NULL",
    )
    .bind(site)
    .bind(members)
    .bind(now)
    .run(conn)
    .await
}

/// Gives members a trial until a moment; those that have one as long keep it. Gives how many got more.
pub async fn set_trial(conn: Conn<'_>, site: SiteId, members: Value, until: Time, now: Time) -> Result<u64> {
    sql_both!(
        sqlite: "UPDATE member SET trial_until = $3, updated_at = max(updated_at / 1000 * 1000 + 1000, $4),
                        trial_since = iif(trial_until > $4, trial_since, $4)
                 WHERE site = $1 AND id IN (SELECT value FROM json_each($2)) AND (trial_until IS NULL OR trial_until < $3)",
        postgres: "UPDATE member SET trial_until = $3, updated_at = greatest(updated_at / 1000 * 1000 + 1000, $4),
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

/// Writes down that free access has ended by itself, for some members of any site; gives how many.
pub async fn lapse(conn: Conn<'_>, now: Time, limit: u32) -> Result<u64> {
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
