use serde_json::json;
use usher_db::{Change, Conn};

use super::{store, types::Subscription};
use crate::values::{MemberId, SiteId};

/// Raises an alarm if a member pays twice: in the metrics, in the program's log, and with the change that is given back
/// in the site's.
pub async fn alarm_of_two(conn: Conn<'_>, site: SiteId, member: &MemberId) -> usher_db::Result<Option<Change>> {
    let all = store::of_member(conn, site, member).await?;
    let live: Vec<&Subscription> = all.iter().filter(|one| one.is_live() && one.period_end.is_some()).collect();
    if live.len() < 2 {
        return Ok(None);
    }
    metrics::counter!("usher_stripe_alarms_total", "what" => "two_live_subscriptions").increment(1);
    let ids: Vec<_> = live.iter().map(|one| one.id.to_string()).collect();
    tracing::warn!(%site, %member, subscriptions = ?ids, "a member has two live subscriptions");
    Ok(Some(Change::created("alarm", member.as_str(), json!({ "liveSubscriptions": ids }))))
}
