use poem_openapi::Object;

use crate::{
    areas::members::{
        actions,
        overview::{Overview, overview},
        types::{Member, MemberByEmail, MemberRef},
    },
    error::{Error, Result},
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

/// One member, or several.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct MembersFound {
    /// With `member`: the member.
    member: Option<Member>,
    /// With `members`: those that the site has, each once, in the order in which they were named.
    members: Option<Vec<Member>>,
    /// With `members`: those that the site does not have, as they were named.
    missing_members: Option<Vec<MemberRef>>,
}

/// Get a member, or up to 100
///
/// One member, by id or by address; or up to 100 in one read with `members`. An `expectEmail` is checked here too: if one
/// of them has another address, the call is refused as `email_mismatch`. With `member`, a member that the site does not
/// have is refused as `member_not_found`; with `members` it is listed in `missingMembers`.
#[derive(Object)]
pub struct GetMember {
    /// The member; or else `members`.
    member: Option<MemberRef>,
    /// 1 to 100 members; or else `member`.
    #[oai(validator(min_items = 1, max_items = 100))]
    members: Option<Vec<MemberRef>>,
}

impl Tool for GetMember {
    const NAME: &'static str = "members.get";
    const ACCESS: Access = Access::read(Scope::MembersRead);
    const EXAMPLE: &'static str = r#"{"member":{"id":"mem_01kan8v3t0e0rt8nfkzk1s7p4qs"}}"#;
    type Output = MembersFound;

    async fn run(self, cx: &mut Cx) -> Result<MembersFound> {
        match (self.member, self.members) {
            (Some(_), Some(_)) => Err(Error::refused("args.members", "give `member` or `members`, not both")),
            (None, None) => Err(Error::refused("args.member", "give `member` or `members`")),
            (Some(member), None) => {
                let member = actions::find(cx, &member).await?;
                Ok(MembersFound { member: Some(member), members: None, missing_members: None })
            }
            (None, Some(whom)) => {
                let (members, missing_members) = actions::get_many(cx, &whom).await?;
                Ok(MembersFound { member: None, members: Some(members), missing_members: Some(missing_members) })
            }
        }
    }
}

/// Get all about a member
///
/// One answer with what support asks about a member: the member, access to member content, the block on the address, the
/// bundles, groups, subscriptions, newest invoices, what was watched and written, mails, the last sign-in and the recent
/// activity. Each part needs the scope of the tool that lists it; a part that this key may not read is left out and named
/// in `leftOut`. At most 10 of each kind are shown; `more` names the parts with more.
#[derive(Object)]
pub struct GetOverview {
    /// The member.
    member: MemberRef,
}

impl Tool for GetOverview {
    const NAME: &'static str = "members.overview";
    const ACCESS: Access = Access::read(Scope::MembersRead);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"}}"#;
    type Output = Overview;

    async fn run(self, cx: &mut Cx) -> Result<Overview> {
        overview(cx, &self.member).await
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
