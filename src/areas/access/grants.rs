//! What can be given to members or taken from them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use usher_db::{Result, Tx};

use super::{
    facts::Content,
    orders,
    store::{self, Terms},
};
use crate::{
    clock::Clock,
    tools::schema,
    values::{BundleId, MemberId, SiteId, Time},
};

/// One of them. Part of a job's payload, and so readable for ever; moments are microseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Act {
    /// Free access, until a moment or for good.
    GrantFree { until: Option<i64> },
    /// Takes free access away.
    RemoveFree,
    /// A trial until a moment.
    SetTrial { until: i64 },
    /// A bundle, until a moment or for life. A source that is not said leaves what was said before.
    GrantBundle { bundle: BundleId, until: Option<i64>, source: Option<String>, order_id: Option<String> },
    /// Takes a bundle away.
    RevokeBundle { bundle: BundleId },
}

/// Who does it, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct By<'a> {
    /// The job; a call if there is none.
    pub(super) job: Option<&'a str>,
    pub(super) now: Time,
}

impl Act {
    /// The content that it is about.
    pub(super) fn content(&self) -> Content {
        match self.bundle() {
            Some(bundle) => Content::bundle(bundle.clone()),
            None => Content::members(),
        }
    }

    /// The bundle that it is about.
    pub(super) fn bundle(&self) -> Option<&BundleId> {
        match self {
            Self::GrantBundle { bundle, .. } | Self::RevokeBundle { bundle } => Some(bundle),
            Self::GrantFree { .. } | Self::RemoveFree | Self::SetTrial { .. } => None,
        }
    }

    /// As it stands in the log and in a dry run.
    pub(super) fn shown(&self) -> Value {
        let end = |until: Option<i64>| until.map(Time::from_micros);
        let mut shown = match self {
            Self::GrantFree { until } => json!({ "what": "grantFree", "expiresAt": end(*until) }),
            Self::RemoveFree => json!({ "what": "removeFree" }),
            Self::SetTrial { until } => json!({ "what": "setTrial", "expiresAt": end(Some(*until)) }),
            Self::GrantBundle { bundle, until, source, .. } => {
                json!({ "what": "grantBundle", "bundle": bundle, "expiresAt": end(*until), "source": source })
            }
            Self::RevokeBundle { bundle } => json!({ "what": "revokeBundle", "bundle": bundle }),
        };
        schema::without_nulls(&mut shown);
        shown
    }

    /// Whether what it gives is over at a moment.
    pub(super) fn is_over(&self, at: Time) -> bool {
        match self {
            Self::GrantFree { until } | Self::GrantBundle { until, .. } => until.is_some_and(|end| end <= at.micros()),
            Self::SetTrial { until } => *until <= at.micros(),
            Self::RemoveFree | Self::RevokeBundle { .. } => false,
        }
    }

    /// Whether it gives.
    pub(super) fn gives(&self) -> bool {
        !matches!(self, Self::RemoveFree | Self::RevokeBundle { .. })
    }

    /// Does it to members that are held, and gives how many it changed.
    pub(super) async fn apply(
        &self,
        tx: &mut Tx,
        site: SiteId,
        clock: &Clock,
        members: &[MemberId],
        by: By<'_>,
    ) -> Result<u64> {
        let By { job, now } = by;
        if members.is_empty() {
            return Ok(0);
        }
        let ids = || members.iter().map(|id| id.as_str().to_owned()).collect();
        match self {
            Self::GrantFree { until } => {
                store::grant_free(tx.conn(), site, ids(), until.map(Time::from_micros), now).await
            }
            Self::RemoveFree => store::remove_free(tx.conn(), site, ids(), now).await,
            Self::SetTrial { until } => store::set_trial(tx.conn(), site, ids(), Time::from_micros(*until), now).await,
            Self::GrantBundle { bundle, until, source, order_id } => {
                let (expires_at, for_order) = (until.map(Time::from_micros), order_id.is_some());
                let terms = Terms { bundle, source: source.as_deref(), for_order, expires_at, job, now };
                let n = store::grant_bundle(tx.conn(), site, members.iter().map(|id| (id, clock.id())), &terms).await?;
                if !for_order && n < members.len() as u64 {
                    store::hold_directly(tx.conn(), site, ids(), bundle, expires_at, now).await?;
                }
                Ok(n)
            }
            Self::RevokeBundle { bundle } => {
                let n = store::revoke_bundle(tx.conn(), site, ids(), bundle, now).await?;
                orders::store::revoke(tx.conn(), site, ids(), bundle, now).await?;
                Ok(n)
            }
        }
    }
}
