//! The guide to sign-in, with the times that hold.

use std::time::Duration;

use super::{keys, link::LIFE};

/// The guide, in Markdown.
pub fn guide() -> String {
    let minutes = |time: Duration| (time.as_secs() / 60).to_string();
    include_str!("guide.md")
        .replace("{life}", &minutes(LIFE))
        .replace("{ahead}", &minutes(keys::AHEAD))
        .replace("{kept}", &minutes(keys::KEPT))
        .replace("{max_age}", &minutes(Duration::from_secs(keys::MAX_AGE_S)))
}
