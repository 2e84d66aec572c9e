use poem_openapi::{Enum, Object, types::Any};
use serde_json::Value;
use usher_db::{FromRow, Row};

use crate::{
    areas::access::SubscriptionStatus,
    values::{MemberId, SubscriptionId, Time},
};

/// How what is known here compares with Stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum SyncStatus {
    /// Compared within a day, and the same.
    Synced,
    /// Not compared for more than a day, or the site is not connected to Stripe any more.
    Stale,
    /// Found to be different, and not read anew yet.
    Drifted,
    /// Reading fails, or the site's Stripe key cannot be used.
    Failing,
    /// The member has no subscription at Stripe.
    NotLinked,
}

/// A subscription at Stripe, and when it was compared.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SyncedSubscription", rename_all = "camelCase")]
pub struct SyncedView {
    /// Its id.
    pub id: SubscriptionId,
    /// Stripe's id (`sub_…`), or that of the checkout (`cs_…`) of what was paid once.
    pub external_id: String,
    /// How it stands here.
    pub status: SubscriptionStatus,
    /// When it was compared with Stripe last.
    pub synced_at: Option<Time>,
}

/// Something of a member's that is to be read from Stripe.
#[derive(Clone, Debug, Object)]
#[oai(rename = "PendingRead", rename_all = "camelCase")]
pub struct PendingView {
    /// `subscription` or `checkout`.
    pub kind: String,
    /// Stripe's id of it.
    pub external_id: String,
    /// Who said so: `webhook`, `events`, `sweep`, `resync` or `write`.
    pub source: String,
    /// The event that it was heard by.
    pub event: Option<String>,
    /// When it was first heard of.
    pub since: Time,
    /// When it is read next.
    pub next_at: Time,
    /// How often reading it has failed.
    #[oai(validator(minimum(value = "0"), maximum(value = "9007199254740991")))]
    pub tries: i64,
    /// Why it failed last.
    pub error: Option<String>,
}

impl FromRow for PendingView {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            kind: row.take()?,
            external_id: row.take()?,
            source: row.take()?,
            event: row.take()?,
            since: row.take()?,
            next_at: row.take()?,
            tries: row.take()?,
            error: row.take()?,
        })
    }
}

/// Something that Stripe's word has changed.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SyncChange", rename_all = "camelCase")]
pub struct ChangeView {
    /// When it was written here.
    pub at: Time,
    /// Who had said so: `webhook`, `events`, `sweep`, `resync` or `write`.
    pub source: Option<String>,
    /// The event that it was heard by (`evt_…`).
    pub event: Option<String>,
    /// What kind of event, such as `customer.subscription.updated`.
    pub event_type: Option<String>,
    /// What changed: `subscription`, `member`, `invoice`, `checkout`, ….
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its state before; absent if it was new.
    pub before: Option<Any<Value>>,
    /// Its state after.
    pub after: Option<Any<Value>>,
}

/// How what is known of a member compares with Stripe.
#[derive(Clone, Debug, Object)]
#[oai(rename = "MemberSync", rename_all = "camelCase")]
pub struct SyncView {
    /// The member.
    #[oai(rename = "member")]
    pub member_id: MemberId,
    /// How it compares: the first that holds of `not_linked`, `failing`, `drifted`, `stale` and `synced`.
    pub status: SyncStatus,
    /// The last comparison of the subscription that waits the longest for one.
    pub last_sync_at: Option<Time>,
    /// Why reading failed, or why the site's Stripe key cannot be used.
    pub last_error: Option<String>,
    /// Stripe's ids of the member as one who pays (`cus_…`), newest first.
    pub customers: Vec<String>,
    /// The member's subscriptions at Stripe, newest first.
    pub subscriptions: Vec<SyncedView>,
    /// What is to be read, the oldest first; at most 50.
    pub pending: Vec<PendingView>,
    /// The changes of the last ten times that Stripe's word changed something of the member's, newest first.
    pub changes: Vec<ChangeView>,
}
