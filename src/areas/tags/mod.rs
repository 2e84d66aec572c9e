//! Tags: what members are labelled with. A tag is there as long as a member has it; `members.addTags` and its like
//! give and take them.

pub mod store;
mod tools;

pub use tools::AREA;
