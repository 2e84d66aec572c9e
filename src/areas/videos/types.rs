use poem_openapi::{Enum, Object, types::ToJSON};
use serde_json::Value;
use usher_db::{FromRow, Row};

use crate::{
    tools::schema,
    values::{MemberId, PlanId, Slug, Time, Title, VideoId},
};

/// Who a video is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename = "VideoLevel", rename_all = "lowercase")]
pub enum Level {
    /// Everyone.
    Free,
    /// Members with free access, a trial or a subscription; may be limited to some plans.
    Members,
    /// Only who owns a bundle that holds it.
    Bundle,
}

/// Whether a video is shown at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename = "VideoVisibility", rename_all = "lowercase")]
pub enum Visibility {
    /// Shown.
    Published,
    /// Not shown.
    Unpublished,
    /// Shown from a moment on, until a moment, or both.
    Scheduled,
    /// Taken out of sight, whatever else holds.
    Hidden,
}

macro_rules! stored {
    ($name:ident $what:literal $($variant:ident $text:literal),*) => {
        impl $name {
            /// As it is stored and shown.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// Reads what was stored.
            pub fn stored(text: &str) -> usher_db::Result<Self> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    other => Err(usher_db::Error::Decode(format!("a video's {} is {other:?}", $what).into())),
                }
            }
        }
    };
}

stored!(Level "level" Free "free", Members "members", Bundle "bundle");
stored!(Visibility "visibility" Published "published", Unpublished "unpublished", Scheduled "scheduled", Hidden "hidden");

/// A video of the site.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename_all = "camelCase")]
pub struct Video {
    /// The video's id, which never changes.
    pub id: VideoId,
    /// What it is called.
    pub title: Title,
    /// What stands for it in addresses. No other video of the site has it.
    pub slug: Slug,
    /// Who it is for.
    pub level: Level,
    /// The plans that it is limited to, sorted by id; empty for every plan. Only for the level `members`.
    pub allowed_plans: Vec<PlanId>,
    /// Whether it is shown at all.
    pub visibility: Visibility,
    /// While `scheduled`: when it begins to be shown; absent if at once.
    pub visible_from: Option<Time>,
    /// While `scheduled`: when it ceases to be shown; absent if never.
    pub visible_until: Option<Time>,
    /// When it was made.
    pub created_at: Time,
    /// When anything of it changed last.
    pub updated_at: Time,
}

impl Video {
    /// As it stands in answers.
    pub fn json(&self) -> Value {
        let mut value = self.to_json().unwrap_or_default();
        schema::without_nulls(&mut value);
        value
    }
}

impl FromRow for Video {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        let (id, title, slug) = (row.take()?, row.take()?, row.take()?);
        let level = Level::stored(&row.take::<String>()?)?;
        let visibility = Visibility::stored(&row.take::<String>()?)?;
        let (visible_from, visible_until) = (row.take()?, row.take()?);
        let (created_at, updated_at) = (row.take()?, row.take()?);
        let joined: Option<String> = row.take()?;
        let plans: Result<Vec<_>, _> = joined.iter().flat_map(|plans| plans.split(',')).map(PlanId::parse).collect();
        let mut allowed_plans = plans.map_err(|error| usher_db::Error::Decode(error.into()))?;
        allowed_plans.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        Ok(Self {
            id,
            title,
            slug,
            level,
            allowed_plans,
            visibility,
            visible_from,
            visible_until,
            created_at,
            updated_at,
        })
    }
}

/// How far a member got in a video.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename_all = "camelCase")]
pub struct Watch {
    /// The member.
    #[oai(rename = "member")]
    pub member_id: MemberId,
    /// The video.
    #[oai(rename = "video")]
    pub video_id: VideoId,
    /// Where to go on: seconds from the beginning.
    pub position_s: u32,
    /// The furthest that was ever reported: seconds from the beginning.
    pub furthest_s: u32,
    /// When it was first reported as watched to the end; absent if never.
    pub completed_at: Option<Time>,
    /// When the member began.
    pub created_at: Time,
    /// The last report.
    pub updated_at: Time,
}

/// How far a member got in a video, with what they are called.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename_all = "camelCase")]
pub struct WatchProgress {
    /// The member.
    #[oai(rename = "member")]
    pub member_id: MemberId,
    /// The member's address; only for a key that has `members:read`.
    pub member_email: Option<String>,
    /// The member's name; only for a key that has `members:read`.
    pub member_name: Option<String>,
    /// The video.
    #[oai(rename = "video")]
    pub video_id: VideoId,
    /// What the video is called.
    pub video_title: Title,
    /// Where to go on: seconds from the beginning.
    pub position_s: u32,
    /// The furthest that was ever reported: seconds from the beginning.
    pub furthest_s: u32,
    /// When it was first reported as watched to the end; absent if never.
    pub completed_at: Option<Time>,
    /// When the member began.
    pub created_at: Time,
    /// The last report.
    pub updated_at: Time,
}

impl FromRow for WatchProgress {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            member_id: row.take()?,
            member_email: row.take()?,
            member_name: row.take()?,
            video_id: row.take()?,
            video_title: row.take()?,
            position_s: row.take()?,
            furthest_s: row.take()?,
            completed_at: row.take()?,
            created_at: row.take()?,
            updated_at: row.take()?,
        })
    }
}

impl FromRow for Watch {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            member_id: row.take()?,
            video_id: row.take()?,
            position_s: row.take()?,
            furthest_s: row.take()?,
            completed_at: row.take()?,
            created_at: row.take()?,
            updated_at: row.take()?,
        })
    }
}
