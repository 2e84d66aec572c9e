//! The guide to bounces and complaints, with what each notice does.

use super::{postmark, sendgrid};
use crate::areas::{blocklist::Reason, guide::table};

/// The guide, in Markdown.
pub fn guide() -> String {
    let reason = |reason: Reason| format!("`{}`", reason.as_str());
    let kinds = postmark::FINAL.into_iter().map(|(kind, why)| [format!("`{kind}`"), reason(why)]);
    let drops = sendgrid::DROPPED.into_iter().map(|(text, why)| [text.to_owned(), reason(why)]);
    include_str!("guide.md")
        .replace("{postmark}", &table(["A bounce's `Type`", "Blocks as"], kinds))
        .replace("{dropped}", &table(["A drop's `reason`", "Blocks as"], drops))
}
