use poem_openapi::Object;

use crate::{
    areas::members::{
        actions::{self, Changes, New},
        types::{Member, MemberRef, Name, Note},
    },
    error::Result,
    gate::Cx,
    tools::{Access, Risk, Scope, Tool},
    values::{Email, GroupId, Tag},
};

/// Create a member
///
/// Makes a member with the status `free`. Sends nothing: the member is not told. An address that is a member's
/// already, whatever its case, is refused as `member_exists`, with that member's id; nothing changes then.
#[derive(Object)]
pub struct CreateMember {
    /// The address. Kept as typed, without outer space.
    email: Email,
    /// What the member is called. One line of at most 200 characters.
    name: Option<Name>,
    /// For the site's staff; the member never sees it. At most 5000 characters.
    note: Option<Note>,
    /// Tags, made lower case with hyphens: `Early Bird` becomes `early-bird`. At most 100.
    #[oai(validator(max_items = 100))]
    tags: Option<Vec<Tag>>,
    /// Groups that the member comes into, at most 100. One that the site does not have is refused as
    /// `group_not_found`, and no member is made.
    #[oai(validator(max_items = 100))]
    groups: Option<Vec<GroupId>>,
}

impl Tool for CreateMember {
    const NAME: &'static str = "members.create";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::High);
    const EXAMPLE: &'static str = r#"{"email":"anna@example.com","name":"Anna Lind","tags":["early-bird"]}"#;
    type Output = Member;

    async fn run(self, cx: &mut Cx) -> Result<Member> {
        let (tags, groups) = (self.tags.unwrap_or_default(), self.groups.unwrap_or_default());
        actions::create(cx, New { email: self.email, name: self.name, note: self.note, tags, groups }).await
    }
}

/// Update a member
///
/// Changes what is given and leaves the rest as it is. An empty text takes away the name or the note; null is the
/// same as leaving the field out. An address that is another member's is refused as `member_exists`. Sends nothing.
/// If nothing is different, nothing is written and `updatedAt` stays.
#[derive(Object)]
pub struct UpdateMember {
    /// The member.
    member: MemberRef,
    /// The new address. Kept as typed, without outer space.
    email: Option<Email>,
    /// The new name: one line of at most 200 characters. An empty text takes the name away.
    name: Option<Name>,
    /// The new note, at most 5000 characters. An empty text takes the note away.
    note: Option<Note>,
}

impl Tool for UpdateMember {
    const NAME: &'static str = "members.update";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::High);
    const EXAMPLE: &'static str =
        r#"{"member":{"id":"mem_01kan8v3t0e0rt8nfkzk1s7p4qs","expectEmail":"anna@example.com"},"name":"Anna Lind"}"#;
    type Output = Member;

    async fn run(self, cx: &mut Cx) -> Result<Member> {
        let changes = Changes { email: self.email, name: self.name, note: self.note };
        actions::update(cx, &self.member, changes).await
    }
}
