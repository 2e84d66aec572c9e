//! Free access and trials: given, taken, and over by themselves.

use usher_db::{Conn, Result, Value, sql, sql_both};

use crate::values::{MemberId, PlanId, SiteId, Time};

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

/// Whether free access, or what somebody paid for, has ended by itself and is not written down, of a site or of any.
pub async fn is_over(conn: Conn<'_>, site: Option<SiteId>, now: Time) -> Result<bool> {
    let (is_over,): (bool,) = sql!(
        "SELECT EXISTS (SELECT 1 FROM member WHERE status = 'comped' AND free_until IS NOT NULL AND free_until <= $1
                           AND COALESCE(site = $2, TRUE))
             OR EXISTS (SELECT 1 FROM member WHERE paid_until IS NOT NULL AND paid_until <= $1
                           AND COALESCE(site = $2, TRUE))"
    )
    .bind(now)
    .bind(site.map(SiteId::number))
    .one(conn)
    .await?;
    Ok(is_over)
}

/// Writes down that free access has ended by itself, for some members of a site, or of any; gives how many.
pub async fn lapse(conn: Conn<'_>, site: Option<SiteId>, now: Time, limit: u32) -> Result<u64> {
    macro_rules! text {
        ($hold:literal) => {
            concat!(
                "UPDATE member SET updated_at = $1, status = CASE WHEN is_paid AND (paid_until IS NULL OR paid_until > $1)
                                                                  THEN 'paid' ELSE 'free' END
                 WHERE (site, id) IN (SELECT site, id FROM member
                                      WHERE status = 'comped' AND free_until IS NOT NULL AND free_until <= $1
                                        AND COALESCE(site = $3, TRUE)
                                      ORDER BY site, id LIMIT $2",
                $hold,
                ")"
            )
        };
    }
    sql_both!(sqlite: text!(""), postgres: text!(" FOR UPDATE SKIP LOCKED"))
        .bind(now)
        .bind(limit)
        .bind(site.map(SiteId::number))
        .run(conn)
        .await
}

/// Some members of a site, or of any, of whom it is written that they pay, and the end of that has passed.
pub async fn paid_over(conn: Conn<'_>, site: Option<SiteId>, now: Time, limit: u32) -> Result<Vec<(SiteId, MemberId)>> {
    macro_rules! text {
        ($hold:literal) => {
            concat!(
                "SELECT site, id FROM member WHERE paid_until IS NOT NULL AND paid_until <= $1 AND COALESCE(site = $3, TRUE)
                 ORDER BY site, id LIMIT $2",
                $hold
            )
        };
    }
    sql_both!(sqlite: text!(""), postgres: text!(" FOR UPDATE SKIP LOCKED"))
        .bind(now)
        .bind(limit)
        .bind(site.map(SiteId::number))
        .all(conn)
        .await
}

/// Writes whether a member pays, until when if that ends, and the status that comes of it. Whoever begins or ceases to pay is
/// changed by it.
pub async fn set_paid(
    conn: Conn<'_>,
    site: SiteId,
    member: &MemberId,
    (is_paid, until): (bool, Option<Time>),
    now: Time,
) -> Result<u64> {
    sql!(
        "UPDATE member SET is_paid = $3, paid_until = $4,
                updated_at = CASE WHEN is_paid <> $3 THEN $5 ELSE updated_at END,
                status = CASE WHEN free_since IS NOT NULL AND (free_until IS NULL OR free_until > $5) THEN 'comped'
                              WHEN $3 THEN 'paid' ELSE 'free' END
         WHERE site = $1 AND id = $2"
    )
    .bind(site)
    .bind(member)
    .bind(is_paid)
    .bind(until)
    .bind(now)
    .run(conn)
    .await
}

/// Members after an id who have a plan, or without one: of whom a payment is overdue.
pub async fn who_may_pay(
    conn: Conn<'_>,
    site: SiteId,
    plan: Option<&PlanId>,
    after: &str,
    limit: u32,
) -> Result<Vec<(MemberId,)>> {
    match plan {
        Some(plan) => sql!(
            "SELECT DISTINCT s.member_id FROM subscription_item i
             JOIN subscription s ON s.site = i.site AND s.id = i.subscription_id
             WHERE i.site = $1 AND i.plan_id = $4 AND s.member_id > $2 ORDER BY s.member_id LIMIT $3"
        )
        .bind(site)
        .bind(after)
        .bind(limit)
        .bind(plan),
        None => sql!(
            "SELECT DISTINCT s.member_id FROM subscription s
             WHERE s.site = $1 AND s.status IN ('past_due', 'unpaid') AND s.member_id > $2
             ORDER BY s.member_id LIMIT $3"
        )
        .bind(site)
        .bind(after)
        .bind(limit),
    }
    .all(conn)
    .await
}
