mod change;
mod checkout;
mod external;
mod link;
mod plan_change;
mod portal;
mod read;
mod resync;

use change::{CancelSubscription, PauseSubscription, ResumeSubscription};
use checkout::CreateCheckout;
use external::RecordExternal;
use link::LinkSubscription;
use plan_change::ChangeSubscriptionPlan;
use portal::CreatePortalLink;
use read::{GetSubscription, ListSubscriptions};
use resync::ResyncSubscriptions;

use crate::tools::{Area, tools};

/// The tools of subscriptions.
pub const AREA: Area = Area {
    name: "subscriptions",
    about: "What members pay for, at Stripe or elsewhere.",
    tools: tools![
        ListSubscriptions,
        GetSubscription,
        CreateCheckout,
        CreatePortalLink,
        CancelSubscription,
        PauseSubscription,
        ResumeSubscription,
        ChangeSubscriptionPlan,
        RecordExternal,
        LinkSubscription,
        ResyncSubscriptions
    ],
};
