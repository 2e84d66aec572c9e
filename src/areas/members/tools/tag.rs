use poem_openapi::Object;

use crate::{
    areas::members::{
        actions::{self, Tagging},
        types::{Member, MemberRef},
    },
    error::Result,
    gate::Cx,
    tools::{Access, Risk, Scope, Tool, Versioned},
    values::Tag,
};

/// A member that a call was to change.
#[derive(Object)]
pub struct MemberSaved {
    /// The member as it is now.
    pub(super) member: Member,
    /// Whether anything is different; if not, nothing was written.
    pub(super) changed: bool,
}

async fn tag(cx: &mut Cx, member: &MemberRef, how: Tagging, tags: Vec<Tag>) -> Result<MemberSaved> {
    let (member, changed) = actions::tag(cx, member, how, tags).await?;
    Ok(MemberSaved { member, changed })
}

/// Add tags to a member
///
/// Tags that the member has already stay. A member has at most 100: one that would have more is refused as
/// `too_many_tags`, and gets none.
#[derive(Object)]
pub struct AddTags {
    /// The member.
    member: MemberRef,
    /// 1 to 100 tags, made lower case with hyphens: `Early Bird` becomes `early-bird`.
    #[oai(validator(min_items = 1, max_items = 100))]
    tags: Vec<Tag>,
}

impl Tool for AddTags {
    const NAME: &'static str = "members.addTags";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"},"tags":["early-bird","workshop"]}"#;
    const CHANGES: Option<Versioned> = Some(Versioned::MEMBER);
    type Output = MemberSaved;

    async fn run(self, cx: &mut Cx) -> Result<MemberSaved> {
        tag(cx, &self.member, Tagging::Add, self.tags).await
    }
}

/// Remove tags from a member
///
/// Tags that the member does not have are no fault.
#[derive(Object)]
pub struct RemoveTags {
    /// The member.
    member: MemberRef,
    /// 1 to 100 tags, made lower case with hyphens: `Early Bird` becomes `early-bird`.
    #[oai(validator(min_items = 1, max_items = 100))]
    tags: Vec<Tag>,
}

impl Tool for RemoveTags {
    const NAME: &'static str = "members.removeTags";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"},"tags":["early-bird"]}"#;
    const CHANGES: Option<Versioned> = Some(Versioned::MEMBER);
    type Output = MemberSaved;

    async fn run(self, cx: &mut Cx) -> Result<MemberSaved> {
        tag(cx, &self.member, Tagging::Remove, self.tags).await
    }
}

/// Replace a member's tags
///
/// Afterwards the member has these tags and no others; an empty list takes all away.
#[derive(Object)]
pub struct ReplaceTags {
    /// The member.
    member: MemberRef,
    /// 0 to 100 tags, made lower case with hyphens: `Early Bird` becomes `early-bird`.
    #[oai(validator(max_items = 100))]
    tags: Vec<Tag>,
}

impl Tool for ReplaceTags {
    const NAME: &'static str = "members.replaceTags";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"},"tags":["workshop"]}"#;
    const CHANGES: Option<Versioned> = Some(Versioned::MEMBER);
    type Output = MemberSaved;

    async fn run(self, cx: &mut Cx) -> Result<MemberSaved> {
        tag(cx, &self.member, Tagging::Replace, self.tags).await
    }
}
