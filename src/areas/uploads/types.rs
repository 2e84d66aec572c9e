use poem_openapi::Object;
use usher_db::{FromRow, Row};

use crate::values::{Time, UploadId};

/// A file that was sent, for a tool's arguments.
#[derive(Clone, Debug, PartialEq, Eq, Object)]
#[oai(rename_all = "camelCase")]
pub struct Upload {
    /// What a tool's `upload` argument takes.
    pub id: UploadId,
    /// The file's size in bytes, as it was sent.
    #[oai(validator(minimum(value = "1")))]
    pub bytes: i64,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
    /// What the client called it, at most 200 characters.
    pub name: Option<String>,
    /// When it was sent.
    pub created_at: Time,
    /// When it is removed. A job that is to read it puts that off.
    pub expires_at: Time,
}

impl FromRow for Upload {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            id: row.take()?,
            bytes: row.take()?,
            sha256: row.take()?,
            name: row.take()?,
            created_at: row.take()?,
            expires_at: row.take()?,
        })
    }
}
