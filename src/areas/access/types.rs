use poem_openapi::{Enum, Object, types::ToJSON as _};
use serde_json::Value;
use usher_db::{FromRow, Row};

use super::decide::{Decision, Reason};
use crate::{
    tools::schema,
    values::{BundleId, EntitlementId, MemberId, Time, Title},
};

/// Whether a member may see something.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename = "AccessDecision", rename_all = "camelCase")]
pub struct AccessView {
    /// Whether the member may see it.
    pub allowed: bool,
    /// Why.
    pub reason: Reason,
    /// If allowed: when it ends, as far as is known now; absent if no end is in sight.
    pub until: Option<Time>,
}

impl From<&Decision> for AccessView {
    fn from(decision: &Decision) -> Self {
        Self { allowed: decision.is_allowed(), reason: decision.reason, until: decision.until }
    }
}

impl AccessView {
    /// As it stands in answers.
    pub fn json(&self) -> Value {
        let mut value = self.to_json().unwrap_or_default();
        schema::without_nulls(&mut value);
        value
    }
}

/// How an entitlement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum EntitlementState {
    /// It holds.
    Active,
    /// Its time is over.
    Expired,
    /// It was taken away.
    Revoked,
}

/// A member's right to a bundle.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename = "Entitlement", rename_all = "camelCase")]
pub struct EntitlementView {
    /// The entitlement's id; it stays the same when it is revoked and granted again.
    pub id: EntitlementId,
    /// Whose.
    pub member_id: MemberId,
    /// To what.
    pub bundle_id: BundleId,
    /// What that is called.
    pub bundle_name: Title,
    /// How it stands.
    pub state: EntitlementState,
    /// Who granted it last, as the call said: `api`, a shop's name, ….
    pub source: String,
    /// The last order that it was granted for.
    pub order_id: Option<String>,
    /// It holds from then on.
    pub granted_at: Time,
    /// It holds until then; absent for life.
    pub expires_at: Option<Time>,
    /// When it was taken away.
    pub revoked_at: Option<Time>,
}

impl EntitlementView {
    /// The entitlement as of a moment.
    pub(super) fn with_state_at(self, at: Time) -> Self {
        let state = match (self.revoked_at, self.expires_at) {
            (Some(_), _) => EntitlementState::Revoked,
            (None, Some(end)) if end <= at => EntitlementState::Expired,
            _ => EntitlementState::Active,
        };
        Self { state, ..self }
    }

    /// As it stands in answers.
    pub fn json(&self) -> Value {
        let mut value = self.to_json().unwrap_or_default();
        schema::without_nulls(&mut value);
        value
    }
}

impl FromRow for EntitlementView {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            id: row.take()?,
            member_id: row.take()?,
            bundle_id: row.take()?,
            bundle_name: row.take()?,
            state: EntitlementState::Active,
            source: row.take()?,
            order_id: row.take()?,
            granted_at: row.take()?,
            expires_at: row.take()?,
            revoked_at: row.take()?,
        })
    }
}

/// What an order is for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Order {
    pub(super) member: MemberId,
    pub(super) bundle: BundleId,
}
