//! Comments: what members wrote below videos. A comment is made and deleted, and never changed.

mod actions;
pub mod store;
mod tools;
mod types;

pub use actions::list;
pub use tools::AREA;
pub use types::Comment;
