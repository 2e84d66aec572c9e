use poem_openapi::{Object, types::ToJSON as _};
use serde_json::Value;
use usher_db::{FromRow, Row};

use crate::values::{CommentId, MemberId, Time, VideoId};

/// What a member wrote below a video.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename_all = "camelCase")]
pub struct Comment {
    /// The comment's id.
    pub id: CommentId,
    /// The video.
    #[oai(rename = "video")]
    pub video_id: VideoId,
    /// Who wrote it.
    #[oai(rename = "member")]
    pub member_id: MemberId,
    /// What was written: plain text, to be escaped where it is shown.
    pub text: String,
    /// When it was made.
    pub created_at: Time,
}

impl Comment {
    /// As it stands in answers.
    pub fn json(&self) -> Value {
        self.to_json().unwrap_or_default()
    }
}

impl FromRow for Comment {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            id: row.take()?,
            video_id: row.take()?,
            member_id: row.take()?,
            text: row.take()?,
            created_at: row.take()?,
        })
    }
}
