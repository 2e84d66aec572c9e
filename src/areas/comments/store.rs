//! The SQL of comments.

use usher_db::{Conn, Result, sql};

use super::types::Comment;
use crate::values::{CommentId, MemberId, SiteId, VideoId};

/// The comments before an id, newest first; of a video and of a member, where they are given.
pub async fn list(
    conn: Conn<'_>,
    site: SiteId,
    video: Option<&VideoId>,
    member: Option<&MemberId>,
    before: &str,
    limit: u32,
) -> Result<Vec<Comment>> {
    // The video's or the member's own index, so that no filter is left to try on each comment of the site.
    let statement = match (video, member) {
        (Some(video), None) => sql!(
            "SELECT id, video_id, member_id, text, created_at FROM comment
             WHERE site = $1 AND id < $2 AND video_id = $4 ORDER BY id DESC LIMIT $3"
        )
        .bind(site)
        .bind(before)
        .bind(limit)
        .bind(video),
        (None, Some(member)) => sql!(
            "SELECT id, video_id, member_id, text, created_at FROM comment
             WHERE site = $1 AND id < $2 AND member_id = $4 ORDER BY id DESC LIMIT $3"
        )
        .bind(site)
        .bind(before)
        .bind(limit)
        .bind(member),
        (Some(video), Some(member)) => sql!(
            "SELECT id, video_id, member_id, text, created_at FROM comment
             WHERE site = $1 AND id < $2 AND member_id = $4 AND video_id = $5 ORDER BY id DESC LIMIT $3"
        )
        .bind(site)
        .bind(before)
        .bind(limit)
        .bind(member)
        .bind(video),
        (None, None) => sql!(
            "SELECT id, video_id, member_id, text, created_at FROM comment
             WHERE site = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
        )
        .bind(site)
        .bind(before)
        .bind(limit),
    };
    statement.all(conn).await
}

/// Writes a comment.
pub async fn insert(conn: Conn<'_>, site: SiteId, comment: &Comment) -> Result<u64> {
    sql!("INSERT INTO comment (site, id, video_id, member_id, text, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(site)
        .bind(&comment.id)
        .bind(&comment.video_id)
        .bind(&comment.member_id)
        .bind(&comment.text)
        .bind(comment.created_at)
        .run(conn)
        .await
}

/// Deletes a comment and gives it.
pub async fn delete(conn: Conn<'_>, site: SiteId, id: &CommentId) -> Result<Option<Comment>> {
    sql!(
        "DELETE FROM comment WHERE site = $1 AND id = $2
         RETURNING id, video_id, member_id, text, created_at"
    )
    .bind(site)
    .bind(id)
    .optional(conn)
    .await
}
