//! A member who is asked in by mail: made if need be, given what is to be given, and sent a link to sign in.

use super::{
    actions::{Changes, New, Tagging, create, hold, tag, update},
    types::{Member, MemberByEmail, MemberById, MemberRef},
};
use crate::{
    areas::{
        access::{self, AccessView, Wanted},
        emails::{self, Recipient, SystemMail},
        groups, sign_in,
    },
    error::{Code, Result},
    gate::Cx,
    values::SitePath,
};

/// What came of it.
pub struct Invited {
    /// Whether the member was made.
    pub is_new: bool,
    /// The member as it is now.
    pub member: Member,
    /// What the member may see.
    pub access: AccessView,
    /// The mail.
    pub email: Recipient,
}

/// Invites somebody. To who is a member already, what is new is given: nothing that there is gets less.
pub async fn invite(cx: &mut Cx, new: New, redirect: Option<&SitePath>) -> Result<Invited> {
    let who = MemberRef::Email(MemberByEmail { email: new.email.clone() });
    groups::share(cx, &new.groups).await?;
    let (id, is_new) = match hold(cx, &who).await {
        Ok(member) => (give(cx, member, new).await?.id, false),
        Err(error) if error.code() == Code::MemberNotFound => match create(cx, new.clone()).await {
            Ok(member) => (member.id, true),
            // Another call has made the member at the same moment.
            Err(error) if error.code() == Code::MemberExists => {
                let member = hold(cx, &who).await?;
                (give(cx, member, new).await?.id, false)
            }
            Err(error) => return Err(error),
        },
        Err(error) => return Err(error),
    };
    let who = MemberRef::Id(MemberById { id, expect_email: None });
    let (member, url, _) = sign_in::create(cx, &who, redirect).await?;
    let email = emails::queue_system(cx, &member, SystemMail::Invite { url }).await?;
    let now = cx.now;
    let (member, decision) = access::check(cx, &who, &Wanted::Members, now).await?;
    Ok(Invited { is_new, member, access: AccessView::from(&decision), email })
}

/// Gives a member who is held what is new to it.
async fn give(cx: &mut Cx, member: Member, new: New) -> Result<Member> {
    let who = MemberRef::Id(MemberById { id: member.id.clone(), expect_email: None });
    let name = new.name.filter(|_| member.name.is_none());
    let external_id = new.external_id.filter(|_| member.external_id.is_none());
    update(cx, &who, Changes { name, external_id, metadata: new.metadata, ..Changes::default() }).await?;
    if !new.tags.is_empty() {
        tag(cx, &who, Tagging::Add, new.tags).await?;
    }
    groups::join(cx, &member.id, new.groups).await?;
    if let Some(free) = new.free_access {
        access::grant_free(cx, &who, free.expires_at).await?;
    }
    Ok(member)
}
