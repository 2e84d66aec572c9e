//! Videos: the content that access is about, and how far each member got in each.
//!
//! A video has a level (who it is for) and a visibility (whether it is shown at all); `access` decides by both. A new
//! one is for members and unpublished, so that nothing is shown by accident. Only a video for members can be limited
//! to plans, and only a scheduled one has moments.
//!
//! A call that changes a video holds its row first. Whatever changes it moves `updated_at` on and notes one `video`
//! change.

mod actions;
pub mod store;
mod tools;
mod types;

pub use actions::{find, not_found, watch_progress};
pub use tools::AREA;
pub use types::{Level, Video, Visibility, WatchProgress};
