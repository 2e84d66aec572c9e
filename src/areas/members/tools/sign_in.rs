use poem_openapi::Object;

use super::write::FreeAccess;
use crate::{
    areas::{
        access::AccessView,
        emails::{self, Recipient, SystemMail},
        groups::{self, GroupRef},
        members::{
            actions::New,
            invite::{self, Invited},
            metadata::{ExternalId, MetadataChange},
            types::{Member, MemberRef, Name},
        },
        sign_in::{self, LoginLink},
    },
    error::Result,
    gate::Cx,
    tools::{Access, Risk, Scope, Tool},
    values::{Email, SitePath, Tag},
};

/// Invite a member
///
/// Mails somebody a link to sign in with, and makes the member first if the address is nobody's yet. Who is a member already
/// gets the mail too, keeps what there is, and gets what is new: tags and groups are added, free access is given as by
/// `access.grantFree`, a name is taken only if there is none. The mail goes out even to who is on the block list and while
/// members may not be written to; on a test site only to those whom it may write to. The link works once, within 60
/// minutes, and is in the mail only. Nothing is done where the mail could not go out: `mail_not_connected`,
/// `login_url_not_set`, `public_url_missing`.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct InviteMember {
    /// The address. Kept as typed, without outer space.
    email: Email,
    /// What the member is called. One line of at most 200 characters.
    name: Option<Name>,
    /// Tags, made lower case with hyphens. At most 100.
    #[oai(validator(max_items = 100))]
    tags: Option<Vec<Tag>>,
    /// Groups that the member comes into, at most 100. One that the site does not have is refused as `group_not_found`.
    #[oai(validator(max_items = 100))]
    groups: Option<Vec<GroupRef>>,
    /// Free access from now on.
    free_access: Option<FreeAccess>,
    /// The id that the member has elsewhere: one line of at most 200 characters. Taken only if the member has none; one that
    /// another member has is refused as `external_id_taken`.
    external_id: Option<ExternalId>,
    /// Texts by key, as `members.update` takes them.
    metadata: Option<MetadataChange>,
    /// Where at the site the member goes on, as a path. Without it the site decides.
    redirect: Option<SitePath>,
}

/// Who was invited.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct Invitation {
    /// Whether the member was made by this call.
    created: bool,
    /// The member as it is now.
    member: Member,
    /// What the member may see of member content.
    access: AccessView,
    /// The email, and its status.
    message: Recipient,
}

impl Tool for InviteMember {
    const NAME: &'static str = "members.invite";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::High);
    const EXAMPLE: &'static str = r#"{"email":"anna@example.com","name":"Anna Lind","tags":["early-bird"]}"#;
    const LIFTS: &'static [&'static str] = &["status", "reason", "reply"];
    type Output = Invitation;

    async fn run(self, cx: &mut Cx) -> Result<Invitation> {
        let free_access = self.free_access.map(|free| free.from(cx.now, cx.zone())).transpose()?;
        let (tags, groups) =
            (self.tags.unwrap_or_default(), groups::resolve_all(cx, self.groups.unwrap_or_default()).await?);
        let new = New {
            name: self.name,
            tags,
            free_access,
            groups,
            external_id: self.external_id,
            metadata: self.metadata.unwrap_or_default(),
            ..New::of(self.email)
        };
        let Invited { is_new, member, access, email } = invite::invite(cx, new, self.redirect.as_ref()).await?;
        Ok(Invitation { created: is_new, member, access, message: email })
    }
}

/// Make a sign-in link
///
/// Gives the address of a page where the member signs in with the press of a button: once, and within 60 minutes. It is a
/// secret that is shown here and nowhere else: whoever has it can sign in as the member. With `send`, it is mailed to the
/// member and shown nowhere: what a site calls when somebody who has no password asks to come in. Like an invitation, that
/// mail goes out even to who is on the block list. Links that were made before go on working. Needs to know where the
/// site's members go on (`login_url_not_set`) and where Usher's pages are reached (`public_url_missing`). A dry run gives
/// an address that does not work.
#[derive(Object)]
pub struct CreateLoginLink {
    /// The member.
    member: MemberRef,
    /// Where at the site the member goes on, as a path: the token that the site gets repeats it. Without it the site
    /// decides.
    redirect: Option<SitePath>,
    /// Whether it is mailed to the member (`mail_not_connected` if the site sends no mail).
    #[oai(default)]
    send: bool,
}

impl Tool for CreateLoginLink {
    const NAME: &'static str = "members.createLoginLink";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::High);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"},"redirect":"/videos/12"}"#;
    const GIVES_SECRET: bool = true;
    const LIFTS: &'static [&'static str] = &["status", "reason", "reply"];
    type Output = LoginLink;

    async fn run(self, cx: &mut Cx) -> Result<LoginLink> {
        let (member, url, expires_at) = sign_in::create(cx, &self.member, self.redirect.as_ref()).await?;
        if !self.send {
            return Ok(LoginLink { url: Some(url), expires_at, message: None });
        }
        let email = emails::queue_system(cx, &member, SystemMail::SignIn { url }).await?;
        Ok(LoginLink { url: None, expires_at, message: Some(email) })
    }
}
