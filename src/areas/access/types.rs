use poem_openapi::{Enum, Object, types::ToJSON as _};
use serde_json::Value;
use usher_db::{FromRow, Row};

use super::decide::{Decision, Reason};
use crate::{
    areas::members::{Member, Span},
    tools::schema,
    values::{BundleId, EntitlementId, JobId, MemberId, Time, Title},
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

impl EntitlementState {
    /// As it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    fn of(revoked_at: Option<Time>, expires_at: Option<Time>, at: Time) -> Self {
        match (revoked_at, expires_at) {
            (Some(_), _) => Self::Revoked,
            (None, Some(end)) if end <= at => Self::Expired,
            _ => Self::Active,
        }
    }
}

/// The most orders that are shown of an entitlement. As many and one are read.
const MAX_ORDERS: usize = 200;

/// An order that a bundle was granted for.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename_all = "camelCase")]
pub struct EntitlementOrder {
    /// The order, as the shop calls it.
    pub order_id: String,
    /// Whether it holds the bundle (`active`), its time is over, or it was taken back: by itself or with the bundle.
    pub state: EntitlementState,
    /// When it was granted.
    pub granted_at: Time,
    /// It holds the bundle until then; absent for life.
    pub expires_at: Option<Time>,
    /// When it was taken back.
    pub revoked_at: Option<Time>,
}

/// order, granted_at, expires_at, revoked_at
type OrderRow = (String, i64, Option<i64>, Option<i64>);

fn order((order_id, granted_at, expires_at, revoked_at): OrderRow) -> EntitlementOrder {
    EntitlementOrder {
        order_id,
        state: EntitlementState::Active,
        granted_at: Time::from_micros(granted_at),
        expires_at: expires_at.map(Time::from_micros),
        revoked_at: revoked_at.map(Time::from_micros),
    }
}

/// A member's right to a bundle.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename = "Entitlement", rename_all = "camelCase")]
pub struct EntitlementView {
    /// The entitlement's id; it stays the same when it is revoked and granted again.
    pub id: EntitlementId,
    /// Whose.
    #[oai(rename = "member")]
    pub member_id: MemberId,
    /// To what.
    #[oai(rename = "bundle")]
    pub bundle_id: BundleId,
    /// What that is called.
    pub bundle_name: Title,
    /// How it stands.
    pub state: EntitlementState,
    /// Who granted it last, as the last call that said so did: a shop's name, `import`, …; `api` if none did.
    pub source: String,
    /// The job that granted it last, if one did: for a group, or of an import. Its call is in the activity log under it.
    pub job: Option<JobId>,
    /// The last order that it was granted for and that was not taken back; if all were, the last.
    pub order_id: Option<String>,
    /// The orders that it was granted for: those that were not taken back first, and of those the newest. At most 200.
    pub orders: Vec<EntitlementOrder>,
    /// Present if there are more orders than are shown.
    pub more_orders: Option<bool>,
    /// A grant without an order that holds it too, if there is one; it may be over.
    pub direct: Option<Span>,
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
        let orders = self.orders.into_iter().map(|one| {
            let state = EntitlementState::of(one.revoked_at, one.expires_at, at);
            EntitlementOrder { state, ..one }
        });
        Self { state: EntitlementState::of(self.revoked_at, self.expires_at, at), orders: orders.collect(), ..self }
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
        let (id, member_id, bundle_id, bundle_name) = (row.take()?, row.take()?, row.take()?, row.take()?);
        let source: Option<String> = row.take()?;
        let (granted_at, expires_at, revoked_at) = (row.take()?, row.take()?, row.take()?);
        let (since, until): (Option<Time>, _) = (row.take()?, row.take()?);
        let job = row.take()?;
        let wrong = |error: serde_json::Error| usher_db::Error::Decode(error.into());
        let orders: Vec<OrderRow> = serde_json::from_str(&row.take::<String>()?).map_err(wrong)?;
        Ok(Self {
            id,
            member_id,
            bundle_id,
            bundle_name,
            state: EntitlementState::Active,
            source: source.unwrap_or_else(|| "api".into()),
            job,
            order_id: orders.first().map(|(id, ..)| id.clone()),
            more_orders: (orders.len() > MAX_ORDERS).then_some(true),
            orders: orders.into_iter().take(MAX_ORDERS).map(order).collect(),
            direct: since.map(|since| Span { since, expires_at: until }),
            granted_at,
            expires_at,
            revoked_at,
        })
    }
}

/// A member who owns a bundle, or has owned it.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename_all = "camelCase")]
pub struct BundleOwner {
    /// The member.
    pub member: Member,
    /// The entitlement.
    #[oai(rename = "entitlement")]
    pub entitlement_id: EntitlementId,
    /// How it stands.
    pub state: EntitlementState,
    /// Who granted it last: a shop's name, `import`, …; `api` if no call said so.
    pub source: String,
    /// It holds from then on.
    pub granted_at: Time,
    /// It holds until then; absent for life.
    pub expires_at: Option<Time>,
    /// When it was taken away.
    pub revoked_at: Option<Time>,
}

impl BundleOwner {
    /// The owner as of a moment.
    pub(super) fn at(self, at: Time) -> Self {
        let state = EntitlementState::of(self.revoked_at, self.expires_at, at);
        Self { state, member: self.member.with_status_at(at), ..self }
    }
}

impl FromRow for BundleOwner {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        let (entitlement_id, source): (_, Option<String>) = (row.take()?, row.take()?);
        Ok(Self {
            entitlement_id,
            state: EntitlementState::Active,
            source: source.unwrap_or_else(|| "api".into()),
            granted_at: row.take()?,
            expires_at: row.take()?,
            revoked_at: row.take()?,
            member: Member::from_row(row)?,
        })
    }
}
