use poem_openapi::{Object, types::ToJSON as _};
use serde_json::Value;
use usher_db::{FromRow, Row};

use crate::{
    tools::schema,
    values::{BundleId, Time, Title},
};

/// Content that is sold or given as a package.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename_all = "camelCase")]
pub struct Bundle {
    /// The bundle's id, which never changes.
    pub id: BundleId,
    /// What it is called.
    pub name: Title,
    /// What is in it, for people.
    pub description: Option<String>,
    /// Whether it is offered to everyone; a private one only goes to whom it is granted.
    pub public: bool,
    /// When it was archived; absent while it is not.
    pub archived_at: Option<Time>,
    /// How many videos it holds; `videos.list` with `bundle` lists them.
    pub video_count: u32,
    /// When it was made.
    pub created_at: Time,
    /// When anything of it changed last, its videos included.
    pub updated_at: Time,
}

impl Bundle {
    /// As it stands in answers.
    pub fn json(&self) -> Value {
        let mut value = self.to_json().unwrap_or_default();
        schema::without_nulls(&mut value);
        value
    }
}

impl FromRow for Bundle {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            id: row.take()?,
            name: row.take()?,
            description: row.take()?,
            public: row.take()?,
            archived_at: row.take()?,
            video_count: row.take()?,
            created_at: row.take()?,
            updated_at: row.take()?,
        })
    }
}
