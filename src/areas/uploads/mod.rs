//! Uploads: files that clients send for a tool's arguments, and the files that jobs leave behind.
//!
//! A file is in its folder under its final name only once all of it is on the disk; its row follows in a transaction
//! with the call's activity row. So a row always has its file, and what a crash or a hang-up leaves is a file without
//! a row, which the [`Sweep`] removes after an hour. An upload expires ([`Config::upload_keep`]); a job that is to read
//! one puts that off. Nothing here looks into a file: whoever reads it decides whether it can be read.
//!
//! [`Config::upload_keep`]: crate::config::Config::upload_keep

pub mod actions;
mod files;
mod jobs;
pub mod store;
mod types;

pub use files::{error_file, export_file, path};
pub use jobs::{Sweep, sweep};
pub use types::Upload;
