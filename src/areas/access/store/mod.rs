//! The SQL of access.

/// The facts of members `m`: what `$columns` adds, of what `$from` joins, where `$where` holds.
macro_rules! known {
    (sqlite, $columns:expr, $from:expr, $where:expr) => {
        concat!(
            "SELECT ",
            member_columns!(),
            ", (SELECT json_group_array(json_array(s.id, s.plan_id, s.status, s.started_at, s.period_end,
                    s.past_due_since, json(iif(s.external_id IS NULL, 'false', 'true')), s.synced_at, s.refunded_at,
                    s.refunded_until, s.cancel_at, json(iif(s.needs_card, 'true', 'false')),
                    json(COALESCE((SELECT NULLIF(json_group_array(json_array(i.plan_id, p.opens, p.name,
                                               json(iif(p.needs_review, 'true', 'false')))), '[]')
                                   FROM subscription_item i LEFT JOIN plan p ON p.site = i.site AND p.id = i.plan_id
                                   WHERE i.site = s.site AND i.subscription_id = s.id), '[]')),
                    json(CASE WHEN s.status NOT IN ('past_due', 'unpaid') THEN '[]' ELSE
                         (SELECT json_group_array(json_array(x.plan_id, p.opens, p.name, json(iif(p.needs_review, 'true', 'false')),
                                                      x.starts_at, x.ends_at))
                          FROM paid_span x LEFT JOIN plan p ON p.site = x.site AND p.id = x.plan_id
                          WHERE x.site = s.site AND x.subscription_id = s.id
                            AND NOT (x.paid > 0 AND x.refunded >= x.paid)) END)))
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
                    s.past_due_since, s.external_id IS NOT NULL, s.synced_at, s.refunded_at,
                    s.refunded_until, s.cancel_at, s.needs_card,
                    COALESCE((SELECT json_agg(json_build_array(i.plan_id, p.opens, p.name,
                                                        COALESCE(p.needs_review, FALSE)) ORDER BY i.position)
                              FROM subscription_item i LEFT JOIN plan p ON p.site = i.site AND p.id = i.plan_id
                              WHERE i.site = s.site AND i.subscription_id = s.id), '[]'),
                    CASE WHEN s.status NOT IN ('past_due', 'unpaid') THEN '[]' ELSE
                         COALESCE((SELECT json_agg(json_build_array(x.plan_id, p.opens, p.name, COALESCE(p.needs_review, FALSE),
                                                             x.starts_at, x.ends_at))
                                   FROM paid_span x LEFT JOIN plan p ON p.site = x.site AND p.id = x.plan_id
                                   WHERE x.site = s.site AND x.subscription_id = s.id
                                     AND NOT (x.paid > 0 AND x.refunded >= x.paid)), '[]') END)), '[]')::text
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

mod alike;
mod entitlements;
mod facts;
mod given;
mod owners;
mod places;

pub use alike::{Alike, alike, alike_with_bundles};
pub use entitlements::{Terms, entitlement, entitlements, grant_bundle, hold_directly, revoke_bundle};
pub use facts::{
    asked, content, contents, count_members, doubted, known_by_id, known_of_group, known_with_anything, names,
    plan_on_sale,
};
pub use given::{grant_free, is_over, lapse, paid_over, remove_free, set_paid, set_trial, who_may_pay};
pub use owners::owners;
pub use places::{hold, places_after};
