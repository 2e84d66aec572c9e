//! Access: who may see what, and why not.
//!
//! One pure function decides, [`decide`], over a snapshot of facts and a moment; whatever asks about access asks it:
//! `members.checkAccess`, `members.whyPaywall`, the answers of every grant. Nothing else in Usher may answer that
//! question. Its rules, in their order, are in `decide.rs`; each reason it gives, with an example that produces it, is
//! in `examples.rs`, from which `docs/access.md` is made.
//!
//! Facts are read in one statement (`store.rs`). Nothing has to run for something to expire: a moment that has passed
//! has passed. Only the status by which members are listed is stored, and brought up to date by a periodic job
//! ([`Lapse`]); what a member's answer shows is always true.
//!
//! **A grant never takes access away.** Free access, a trial and a bundle are only ever extended: for good beats until
//! a day, later beats earlier, and what is as good already is `changed: false`. To shorten one, take it away and give it
//! anew. Nor does taking away ever give any. Nothing here touches Stripe or sends mail.
//!
//! A member and a bundle have one entitlement. What holds it is a grant without an order and any number of orders, each
//! until its own end; it lasts as long as the one that lasts longest ([`orders`]). Granting again revives one that was
//! revoked. An order is one grant for ever (`granted_order`): sent again it changes nothing, even after it or the bundle
//! was taken back, so that a shop that repeats itself does not undo a refund; sent for another member or bundle it is
//! refused.
//!
//! For a whole group each is a job, which goes through the group's members in the order of their ids and writes some at a
//! time, with where it is in the same transaction.

mod actions;
mod decide;
pub mod effect;
mod examples;
mod explain;
mod facts;
mod fixes;
mod found;
mod grants;
mod guide;
mod jobs;
mod lapse;
pub mod orders;
mod paying;
#[cfg(test)]
mod properties;
mod store;
mod tools;
mod types;

pub use actions::{Checked, check, check_videos, grant_free, list_entitlements, list_owners, note_new};
pub use decide::{Decision, Reason, decide, pays};
pub use explain::{Explanation, explain};
pub use facts::{Content, Entitlement, Facts, PaidPlan, PaidTime, Subscription, SubscriptionStatus, Wanted};
pub use guide::guide;
pub use jobs::{Grant, grant_to_group};
pub use lapse::{Lapse, lapse};
pub use paying::{Recount, recount, recount_all, recount_overdue, settle, settle_for_reading};
pub use tools::AREA;
pub use types::{AccessView, BundleOwner, EntitlementState, EntitlementView};
