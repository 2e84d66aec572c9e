//! The activity log: every call with a known key, every job's end, every change by the command line.
//!
//! A row is durable before the answer leaves. A writing call's row commits with what it wrote; every other row goes
//! through the [`Log`], which writes whatever piled up during one commit with the next. Arguments are redacted before
//! they get here. Rows are never changed, but for the count of those that a flood of refused calls shares, and when a
//! member is erased.

mod export;
mod jobs;
mod log;
pub mod mentions;
pub mod store;
mod tools;
mod types;

pub use export::{export, export_filter};
pub use jobs::{Retention, retain};
pub use log::Log;
pub use tools::AREA;
pub use types::{Activity, ActivityStatus, Actor, ChangeView, Record, Surface, changes_json};
