//! Groups: members that belong together, so that something can be done with all of them at once. A member may be in
//! many, and being in one gives nothing by itself.
//!
//! A name is a group's alone among the site's, whatever its case. Members come and go in calls that name them, or in a
//! job that finds them by a filter and goes on from its last chunk after a crash. Both do the same to some members at a
//! time (`actions::place`).
//!
//! **Who waits for whom.** Who puts members into a group shares its row with others who do; who takes them out, moves
//! them or changes the group holds it alone, two groups in the order of their ids. Then come the members, in the order
//! of their ids. So two calls never lock each other out, a group that is being deleted gets no member any more, and
//! neither does a member that is being deleted get a place.
//!
//! **Deleting.** A group may have a million places, and taking them away at once would keep all others waiting. So the
//! group is marked, which makes it a group no more for everything but the job that takes the places away and then the
//! row. Its name is free at once. No member is deleted by it.
//!
//! A place says nothing of the member itself: `updated_at` of the member stays, and so does that of the group.

mod actions;
mod jobs;
pub mod store;
mod tools;
mod types;

pub use actions::{find, hold_free, join, list, not_found, resolve, resolve_all, resolve_any, share};
pub use jobs::{AddByFilter, Delete, MoveByFilter, RemoveByFilter, add, delete, remove, shift};
pub use tools::AREA;
pub use types::{Group, GroupRef, Placed, Placing};
