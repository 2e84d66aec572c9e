use serde_json::json;
use usher_db::{Change, Conn};

use super::{store, types::Subscription};
use crate::values::{MemberId, SiteId, SubscriptionId};

/// The subscriptions of a member that go on.
pub async fn paying(conn: Conn<'_>, site: SiteId, member: &MemberId) -> usher_db::Result<Vec<SubscriptionId>> {
    let all = store::of_member(conn, site, member).await?;
    Ok(all.into_iter().filter(Subscription::goes_on).map(|one| one.id).collect())
}

/// Raises an alarm if a member pays for two: in the metrics, in the program's log, and with the change that is given back
/// in the site's.
pub fn alarm_of_two(site: SiteId, member: &MemberId, paying: &[SubscriptionId]) -> Option<Change> {
    if paying.len() < 2 {
        return None;
    }
    metrics::counter!("usher_stripe_alarms_total", "what" => "two_live_subscriptions").increment(1);
    tracing::warn!(%site, %member, subscriptions = ?paying, "a member has two live subscriptions");
    Some(Change::created("alarm", member.as_str(), json!({ "liveSubscriptions": paying })))
}
