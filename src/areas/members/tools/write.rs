use poem_openapi::Object;

use crate::{
    areas::{
        groups::{self, GroupRef},
        jobs::JobView,
        members::{
            actions::{self, Changes, New},
            metadata::{ExternalId, MetadataChange},
            tools::read::MemberResult,
            types::{Member, MemberRef, Name, Note, Span},
        },
    },
    error::{Error, Result},
    gate::Cx,
    tools::{Access, Risk, Scope, Tool, Versioned},
    values::{Email, End, Moment, Tag, Time, Zone},
};

/// Create a member
///
/// Makes a member: with free access if `freeAccess` is given, else with the status `free`. Sends nothing: the member is not told. An address that is a member's
/// already, whatever its case and however it is quoted, is refused as `member_exists`, with that member's id; nothing changes then.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
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
    /// Free access from now on.
    free_access: Option<FreeAccess>,
    /// Groups that the member comes into, at most 100. One that the site does not have is refused as
    /// `group_not_found`, and no member is made.
    #[oai(validator(max_items = 100))]
    groups: Option<Vec<GroupRef>>,
    /// The id that the member has elsewhere: one line of at most 200 characters, compared as it is written. One that another
    /// member has is refused as `external_id_taken`.
    external_id: Option<ExternalId>,
    /// Texts by key: at most 50 keys of 1 to 40 characters, with up to 500 characters each.
    metadata: Option<MetadataChange>,
}

/// Free access for a new member.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct FreeAccess {
    /// When it ends; without it, never.
    expires_at: Option<Moment<End>>,
}

impl FreeAccess {
    /// From a moment on.
    pub(super) fn from(self, now: Time, zone: Zone) -> Result<Span> {
        match self.expires_at.map(|end| end.in_zone(zone)) {
            Some(at) if at <= now => Err(Error::refused("args.freeAccess.expiresAt", "must be later than now")),
            expires_at => Ok(Span { since: now, expires_at }),
        }
    }
}

impl Tool for CreateMember {
    const NAME: &'static str = "members.create";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::High);
    const EXAMPLE: &'static str = r#"{"email":"anna@example.com","name":"Anna Lind","tags":["early-bird"]}"#;
    type Output = MemberResult;

    async fn run(self, cx: &mut Cx) -> Result<MemberResult> {
        let free_access = self.free_access.map(|free| free.from(cx.now, cx.zone())).transpose()?;
        let (tags, groups) =
            (self.tags.unwrap_or_default(), groups::resolve_all(cx, self.groups.unwrap_or_default()).await?);
        let new = New {
            name: self.name,
            note: self.note,
            tags,
            free_access,
            groups,
            external_id: self.external_id,
            metadata: self.metadata.unwrap_or_default(),
            ..New::of(self.email)
        };
        Ok(MemberResult { member: actions::create(cx, new).await? })
    }
}

/// A member that a call was to change.
#[derive(Object)]
pub struct MemberUpdated {
    /// The member as it is now.
    member: Member,
    /// Whether anything is different; if not, nothing was written.
    changed: bool,
    /// The job that passes a new address on to the member's Stripe customer, if there is one and Stripe writes are on.
    job: Option<JobView>,
}

/// Update a member
///
/// Changes what is given and leaves the rest as it is. An empty text takes away the name or the note; null is the
/// same as leaving the field out. An address that is another member's is refused as `member_exists`. Sends nothing. An
/// unsubscription, a complaint or a block by hand goes along to a new address and stays on the old one; a hard bounce or
/// `invalid` does not go along. The old address is kept as a former one, so that links in old mails still work. A job passes it on to the
/// member's Stripe customer, unless that pays with an address of its own.
/// If nothing is different, nothing is written and `updatedAt` stays.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct UpdateMember {
    /// The member.
    member: MemberRef,
    /// The new address. Kept as typed, without outer space.
    email: Option<Email>,
    /// The new name: one line of at most 200 characters. An empty text takes the name away.
    name: Option<Name>,
    /// The new note, at most 5000 characters. An empty text takes the note away.
    note: Option<Note>,
    /// The id that the member has elsewhere; an empty text takes it away. One that another member has is refused as
    /// `external_id_taken`.
    external_id: Option<ExternalId>,
    /// Texts by key that are put in the place of those before; null removes a key, and keys that are not given stay.
    metadata: Option<MetadataChange>,
}

impl Tool for UpdateMember {
    const NAME: &'static str = "members.update";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::High);
    const EXAMPLE: &'static str =
        r#"{"member":{"id":"mem_01kan8v3t0e0rt8nfkzk1s7p4qs","expectEmail":"anna@example.com"},"name":"Anna Lind"}"#;
    const CHANGES: Option<Versioned> = Some(Versioned::MEMBER);
    type Output = MemberUpdated;

    async fn run(self, cx: &mut Cx) -> Result<MemberUpdated> {
        let Self { email, name, note, external_id, metadata, .. } = self;
        let changes = Changes { email, name, note, external_id, metadata: metadata.unwrap_or_default() };
        let (member, job) = actions::update(cx, &self.member, changes).await?;
        Ok(MemberUpdated { member, changed: cx.has_changed(), job: job.map(JobView::from_row).transpose()? })
    }
}
