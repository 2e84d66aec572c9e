//! What can be given to members or taken from them.

use serde::{Deserialize, Serialize};
use usher_db::{Conn, Result};

use super::{
    facts::Content,
    store::{self, Terms},
};
use crate::{
    clock::Clock,
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
    /// A bundle, until a moment or for life.
    GrantBundle { bundle: BundleId, until: Option<i64>, source: String, order_id: Option<String> },
    /// Takes a bundle away.
    RevokeBundle { bundle: BundleId },
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
        conn: Conn<'_>,
        site: SiteId,
        clock: &Clock,
        members: &[MemberId],
        now: Time,
    ) -> Result<u64> {
        if members.is_empty() {
            return Ok(0);
        }
        let ids = || members.iter().map(|id| id.as_str().to_owned()).collect();
        match self {
            Self::GrantFree { until } => store::grant_free(conn, site, ids(), until.map(Time::from_micros), now).await,
            Self::RemoveFree => store::remove_free(conn, site, ids(), now).await,
            Self::SetTrial { until } => store::set_trial(conn, site, ids(), Time::from_micros(*until), now).await,
            Self::GrantBundle { bundle, until, source, order_id } => {
                let (expires_at, order_id) = (until.map(Time::from_micros), order_id.as_deref());
                let terms = Terms { bundle, source, order_id, expires_at, now };
                store::grant_bundle(conn, site, members.iter().map(|id| (id, clock.id())), &terms).await
            }
            Self::RevokeBundle { bundle } => store::revoke_bundle(conn, site, ids(), bundle, now).await,
        }
    }
}
