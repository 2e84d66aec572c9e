use poem_openapi::{Enum, Object, types::Any};
use serde_json::Value;

use crate::values::{MemberId, SubscriptionId};

/// What does not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum FindingKind {
    /// Live at Stripe, and it opens nothing here.
    LockedOut,
    /// Held to pay here, without anything that is paid.
    NotPaying,
    /// Live at Stripe, and of no member that is known.
    UnknownHere,
    /// One of several live subscriptions of a member, and not the first.
    TwoLive,
    /// Cancelled here, and live at Stripe.
    CanceledButLive,
    /// A customer's bank took a payment back for good, and what it paid for goes on.
    LostDispute,
}

/// A call that mends it.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename = "BillingFix", rename_all = "camelCase")]
pub struct FixView {
    /// The tool.
    pub tool: String,
    /// Its arguments, complete.
    pub args: Any<Value>,
    /// The scope it needs.
    pub scope: String,
    /// What it does.
    pub summary: String,
}

/// Somebody's access and money do not agree.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename = "BillingFinding", rename_all = "camelCase")]
pub struct Finding {
    /// What does not agree.
    pub kind: FindingKind,
    /// Whose it is; absent if that is not known.
    #[oai(rename = "member")]
    pub member_id: Option<MemberId>,
    /// The subscription.
    #[oai(rename = "subscription")]
    pub subscription_id: Option<SubscriptionId>,
    /// Stripe's id of it.
    pub external_id: Option<String>,
    /// Stripe's id of who pays.
    pub customer_id: Option<String>,
    /// What was found, in a sentence or two.
    pub detail: String,
    /// The call that mends it; absent where it can be mended only at Stripe, as `detail` says.
    pub fix: Option<FixView>,
}

impl Finding {
    /// Of nothing yet.
    pub(super) fn new(kind: FindingKind) -> Self {
        Self {
            kind,
            member_id: None,
            subscription_id: None,
            external_id: None,
            customer_id: None,
            detail: String::new(),
            fix: None,
        }
    }
}
