//! The guide to mail, with the placeholders and the codes.

use super::person::KNOWN;
use crate::{areas::guide::table, error::Code};

/// What each placeholder stands for, in the order of [`KNOWN`].
const STAND_FOR: [&str; KNOWN.len()] = [
    "the first word of the member's name",
    "the member's name",
    "the member's address",
    "the name of the plan that the member has",
    "the site's name",
];

/// The codes by which a call is refused.
const REFUSALS: [Code; 10] = [
    Code::EmailDisabled,
    Code::MailNotConnected,
    Code::MailUnusable,
    Code::PublicUrlMissing,
    Code::TooManyRecipients,
    Code::DailyCapReached,
    Code::RepeatedEmail,
    Code::UnknownPlaceholder,
    Code::VariableMissing,
    Code::VariableUnknown,
];

/// The guide, in Markdown.
pub fn guide() -> String {
    let placeholders =
        KNOWN.into_iter().zip(STAND_FOR).map(|(name, means)| [format!("`{{{{{name}}}}}`"), means.into()]);
    let refusals = REFUSALS.into_iter().map(|code| [format!("`{}`", code.name()), code.about().to_owned()]);
    include_str!("guide.md")
        .replace("[placeholders]", &table(["Placeholder", "Stands for"], placeholders))
        .replace("[refusals]", &table(["Code", "What it means"], refusals))
}
