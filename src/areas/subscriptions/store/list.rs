//! A page of subscriptions, newest first. Each filter has an index in the order of ids, and each text names one of them
//! by what it compares without a choice: a page costs the same however many subscriptions there are. What else is asked
//! for is tried on each, in words that PostgreSQL, which plans without the values, does not take for picky: it would gather
//! and sort.

use usher_db::{Conn, Result, sql};

use crate::{
    areas::{
        access::SubscriptionStatus,
        subscriptions::types::{Subscription, live_statuses, subscription_columns},
    },
    values::{MemberId, PlanId, SiteId},
};

/// Which subscriptions.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only this member's.
    pub member: Option<MemberId>,
    /// Only those of which an item is for this plan.
    pub plan: Option<PlanId>,
    /// Only those that stand so.
    pub status: Option<SubscriptionStatus>,
    /// Only those that were sold there.
    pub source: Option<String>,
    /// Only those that are live, or only those that are not.
    pub live: Option<bool>,
}

/// The text of a page. Placeholders are the same in all: site, before, limit, member, plan, status, source, live.
macro_rules! page {
    ($path:expr) => {
        sql!(concat!(
            "SELECT ",
            subscription_columns!(),
            " FROM subscription s WHERE s.site = $1 AND s.id < $2 AND ",
            $path,
            " AND COALESCE(s.member_id = $4, TRUE) AND COALESCE(s.plan_id = $5
                   OR EXISTS (SELECT 1 FROM subscription_item i
                              WHERE i.site = s.site AND i.plan_id = $5 AND i.subscription_id = s.id), TRUE)
              AND COALESCE(s.status = $6, TRUE) AND COALESCE(s.source = $7, TRUE)
              AND COALESCE((s.status IN ",
            live_statuses!(),
            ") = $8, TRUE) ORDER BY s.id DESC LIMIT $3"
        ))
    };
}

/// The subscriptions before an id, newest first.
pub async fn list(
    conn: Conn<'_>,
    site: SiteId,
    filter: &Filter,
    before: &str,
    limit: u32,
) -> Result<Vec<Subscription>> {
    let Filter { member, plan, status, source, live } = filter;
    // By what is likely to fit the fewest.
    let text = match (member, plan, status, source, live) {
        (Some(_), ..) => page!("s.member_id = $4"),
        (_, Some(_), ..) => page!(
            "s.id IN (SELECT id FROM subscription WHERE site = $1 AND plan_id = $5
                      UNION SELECT i.subscription_id FROM subscription_item i WHERE i.site = $1 AND i.plan_id = $5)"
        ),
        (_, _, Some(_), ..) => page!("s.status = $6"),
        (_, _, _, Some(_), _) => page!("s.source = $7"),
        (.., Some(true)) => page!(concat!("s.status IN ", live_statuses!())),
        (.., Some(false)) => page!(concat!("s.status NOT IN ", live_statuses!())),
        (None, None, None, None, None) => page!("TRUE"),
    };
    text.bind(site)
        .bind(before)
        .bind(limit)
        .bind(member.as_ref())
        .bind(plan.as_ref())
        .bind(status.map(SubscriptionStatus::as_str))
        .bind(source.as_deref())
        .bind(*live)
        .all(conn)
        .await
}
