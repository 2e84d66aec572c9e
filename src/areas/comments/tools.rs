use poem_openapi::Object;

use super::{actions, types::Comment};
use crate::{
    areas::members::MemberRef,
    error::Result,
    gate::Cx,
    paging::{Cursor, LAST, default_limit},
    tools::{Access, Area, Risk, Scope, Tool, tools},
    values::{CommentId, Plain, VideoId},
};

/// The tools of comments.
pub const AREA: Area = Area {
    name: "comments",
    about: "What members wrote below videos.",
    tools: tools![ListComments, CreateComment, DeleteComment],
};

/// The list has one order, newest first.
const ORDER: &str = "comments.list -id";

/// A page of comments.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct CommentPage {
    /// Newest first.
    items: Vec<Comment>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// List comments
///
/// The comments of the site, newest first; those below one video, of one member, or both.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListComments {
    /// Only those below this video.
    video: Option<VideoId>,
    /// Only those of this member.
    member: Option<MemberRef>,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for ListComments {
    const NAME: &'static str = "comments.list";
    const ACCESS: Access = Access::read(Scope::VideosRead);
    const EXAMPLE: &'static str = r#"{"video":"vid_01kan8v3t0e0rt8nfkzk1s7p4qs"}"#;
    type Output = CommentPage;

    async fn run(self, cx: &mut Cx) -> Result<CommentPage> {
        let before = Cursor::decode::<1>(self.cursor.as_deref(), ORDER)?.map_or(LAST.into(), |[id]| id);
        let (items, more) = actions::list(cx, self.video.as_ref(), self.member.as_ref(), &before, self.limit).await?;
        let next_cursor =
            items.last().filter(|_| more).map(|comment| Cursor::after(ORDER, [comment.id.to_string()]).encode());
        Ok(CommentPage { items, next_cursor })
    }
}

/// One comment.
#[derive(Object)]
pub struct CommentResult {
    /// The comment.
    comment: Comment,
}

/// Write a comment
///
/// Puts a comment of a member below a video. It asks nothing about access, and sends nothing.
#[derive(Object)]
pub struct CreateComment {
    /// Who writes it.
    member: MemberRef,
    /// Below which video.
    video: VideoId,
    /// What is written: plain text of 1 to 5,000 characters, of which tabs and line breaks are the only control
    /// characters.
    text: Plain<5000>,
}

impl Tool for CreateComment {
    const NAME: &'static str = "comments.create";
    const ACCESS: Access = Access::write(Scope::VideosManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"},"video":"vid_01kan8v3t0e0rt8nfkzk1s7p4qs","text":"Which paper is this?"}"#;
    type Output = CommentResult;

    async fn run(self, cx: &mut Cx) -> Result<CommentResult> {
        Ok(CommentResult { comment: actions::create(cx, &self.member, &self.video, self.text.into_string()).await? })
    }
}

/// Delete a comment
///
/// Deletes one comment for good; the activity log keeps what it said until the member is deleted. It counts towards
/// the site's destructive calls of the day.
#[derive(Object)]
pub struct DeleteComment {
    /// The comment.
    comment: CommentId,
}

impl Tool for DeleteComment {
    const NAME: &'static str = "comments.delete";
    const ACCESS: Access = Access::write(Scope::VideosManage, Risk::Medium).destructive();
    const EXAMPLE: &'static str = r#"{"comment":"cmt_01kan8v3t0e0rt8nfkzk1s7p4qj"}"#;
    /// The comment that is gone.
    type Output = CommentResult;

    async fn run(self, cx: &mut Cx) -> Result<CommentResult> {
        Ok(CommentResult { comment: actions::delete(cx, &self.comment).await? })
    }
}
