//! The words of the API as types: what arrives is parsed into them once, at the edge, and not checked again.

mod email;
mod fold;
mod id;
mod moment;
mod path;
mod site;
mod slug;
mod tag;
pub mod text;
mod time;
mod title;
mod zone;

pub use email::{Email, InvalidEmail, email_key};
pub use fold::{Word, fold, sort_key, words};
pub use id::{
    BlockId, BundleId, CommentId, EmailId, EntitlementId, GroupId, Id, InvalidId, InvoiceId, JobId, KeyId, Kind,
    LinkId, MemberId, PlanId, RequestId, SubscriptionId, TemplateId, UploadId, VideoId, id_format, kind, site_of_key,
};
pub use moment::{At, Beginning, DateRole, End, InvalidMoment, Moment, is_moment, moment_role};
pub use path::{FORMAT as SITE_PATH, InvalidSitePath, SitePath};
pub use site::SiteId;
pub use slug::{InvalidSlug, Slug};
pub use tag::{InvalidTag, Tag};
pub use text::{Line, Plain};
pub use time::{InvalidTime, Time};
pub use title::{InvalidTitle, Title};
use unicode_normalization::UnicodeNormalization as _;
pub use zone::Zone;

/// What a text must be to fit a pattern of the schemas, for whoever sent another one.
pub fn pattern_asks(pattern: &str) -> &'static str {
    match pattern {
        slug::PATTERN => "must be lower-case letters a to z, digits, and single hyphens between them, like lesson-1",
        text::VISIBLE_LINE => "must be one line with something in it that can be seen, without control characters",
        text::VISIBLE_LINE_OR_NONE => {
            "must be empty, or one line with something in it that can be seen, without control characters"
        }
        text::PLAIN => "has a control character; of those, only tabs and line breaks are allowed",
        r"^[^\x00]*$" => "has a NUL character, which no text may have",
        path::PATTERN => "must be a path like /videos/12: one slash first, then printable ASCII without backslashes",
        _ => "has a character that is not allowed there",
    }
}

/// A text in the form that names and titles are searched in: NFC, lower case, with one blank between words.
pub fn search_key(text: &str) -> String {
    let key = if text.is_ascii() { text.to_ascii_lowercase() } else { text.nfc().collect::<String>().to_lowercase() };
    let words: Vec<_> = key.split_whitespace().collect();
    words.join(" ")
}

/// Makes a type that is a string in JSON known to poem-openapi: `$schema` is its schema, `$parse` reads it and
/// `Display` writes it.
macro_rules! json_string {
    (impl[$($generics:tt)*] $type:ty, $name:expr, $schema:expr, $parse:expr $(,)?) => {
        impl<$($generics)*> poem_openapi::types::Type for $type {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn schema_ref() -> poem_openapi::registry::MetaSchemaRef {
                poem_openapi::registry::MetaSchemaRef::Inline(Box::new($schema))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::once(self))
            }
        }

        impl<$($generics)*> poem_openapi::types::ParseFromJSON for $type {
            fn parse_from_json(value: Option<serde_json::Value>) -> poem_openapi::types::ParseResult<Self> {
                match value {
                    Some(serde_json::Value::String(text)) => Ok($parse(&text)?),
                    other => Err(poem_openapi::types::ParseError::expected_type(other.unwrap_or_default())),
                }
            }
        }

        impl<$($generics)*> poem_openapi::types::ToJSON for $type {
            fn to_json(&self) -> Option<serde_json::Value> {
                Some(serde_json::Value::String(self.to_string()))
            }
        }
    };
}
pub(crate) use json_string;
