use poem_openapi::Object;

use crate::{
    areas::members::{
        actions,
        types::{Member, MemberByEmail, MemberRef},
    },
    error::Result,
    gate::Cx,
    tools::{Access, Scope, Tool},
    values::Email,
};

/// One member.
#[derive(Object)]
pub struct MemberResult {
    /// The member.
    pub(super) member: Member,
}

/// Get a member
///
/// One member, by id or by address. An `expectEmail` is checked here too.
#[derive(Object)]
pub struct GetMember {
    /// The member.
    member: MemberRef,
}

impl Tool for GetMember {
    const NAME: &'static str = "members.get";
    const ACCESS: Access = Access::read(Scope::MembersRead);
    const EXAMPLE: &'static str = r#"{"member":{"id":"mem_01kan8v3t0e0rt8nfkzk1s7p4qs"}}"#;
    type Output = MemberResult;

    async fn run(self, cx: &mut Cx) -> Result<MemberResult> {
        Ok(MemberResult { member: actions::find(cx, &self.member).await? })
    }
}

/// Find a member by address
///
/// The member with this address, compared without regard to case; `member_not_found` if the site has none.
#[derive(Object)]
pub struct FindMemberByEmail {
    /// The address.
    email: Email,
}

impl Tool for FindMemberByEmail {
    const NAME: &'static str = "members.findByEmail";
    const ACCESS: Access = Access::read(Scope::MembersRead);
    const EXAMPLE: &'static str = r#"{"email":"anna@example.com"}"#;
    type Output = MemberResult;

    async fn run(self, cx: &mut Cx) -> Result<MemberResult> {
        Ok(MemberResult { member: actions::find(cx, &MemberRef::Email(MemberByEmail { email: self.email })).await? })
    }
}
