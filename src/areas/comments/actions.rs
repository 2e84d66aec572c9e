use usher_db::Change;

use super::{store, types::Comment};
use crate::{
    areas::{
        members::{self, MemberRef},
        videos,
    },
    error::{Code, Error, Result},
    gate::Cx,
    paging,
    values::{CommentId, VideoId, text},
};

/// A page of comments, newest first, and whether there are more.
pub async fn list(
    cx: &mut Cx,
    video: Option<&VideoId>,
    member: Option<&MemberRef>,
    before: &str,
    limit: u32,
) -> Result<(Vec<Comment>, bool)> {
    if let Some(video) = video {
        videos::find(cx, video).await?;
    }
    let member = match member {
        Some(member) => Some(members::find(cx, member).await?.id),
        None => None,
    };
    let site = cx.site();
    let mut items = store::list(cx.conn(), site, video, member.as_ref(), before, limit + 1).await?;
    let more = paging::cut(&mut items, limit);
    Ok((items, more))
}

/// Writes a comment of a member below a video.
pub async fn create(cx: &mut Cx, member: &MemberRef, video: &VideoId, text: String) -> Result<Comment> {
    if !text::is_visible(&text) {
        return Err(Error::refused("args.text", "has nothing in it that can be seen"));
    }
    let member_id = members::hold(cx, member).await?.id;
    videos::find(cx, video).await?;
    let comment = Comment { id: cx.app.clock.id(), video_id: video.clone(), member_id, text, created_at: cx.now };
    let site = cx.site();
    store::insert(cx.conn(), site, &comment).await?;
    cx.tx().note(Change::created("comment", comment.id.as_str(), comment.json()));
    Ok(comment)
}

/// Deletes a comment.
pub async fn delete(cx: &mut Cx, id: &CommentId) -> Result<Comment> {
    let site = cx.site();
    let gone = store::delete(cx.conn(), site, id).await?;
    let gone = gone.ok_or_else(|| {
        let text = format!("The site has no comment {id}. Find it with comments.list; it may be deleted already.");
        Error::new(Code::CommentNotFound, text)
    })?;
    cx.touches(&gone.member_id);
    cx.tx().note(Change::deleted("comment", gone.id.as_str(), gone.json()));
    Ok(gone)
}
