use poem_openapi::Object;

use super::{
    actions::{self, Done, Target},
    fixes::LONGEST_TRIAL,
    grants::Act,
    orders,
    types::{AccessView, EntitlementView},
};
use crate::{
    areas::{
        groups::GroupRef,
        jobs::{JobPreview, JobView},
        members::{Member, MemberRef, Name, New},
    },
    error::{Error, Result},
    gate::Cx,
    tools::{Access, Area, Risk, Scope, Tool, tools},
    values::{BundleId, End, Line, Moment, Time},
};

/// The tools of access.
pub const AREA: Area = Area {
    name: "access",
    about: "What members are given without paying here: free access, trials, bundles.",
    tools: tools![GrantFree, RemoveFree, SetTrial, GrantBundle, RevokeBundle],
};

/// What was done: to one member, or as a job to each member of a group.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct Granted {
    /// Whether it gave more than there was, or took something (also an order, if others still hold the bundle); absent
    /// for a group.
    changed: Option<bool>,
    /// The member as it is now.
    member: Option<Member>,
    /// Only of `access.grantBundle`: whether the member was made by this call.
    member_created: Option<bool>,
    /// Whether this order was granted before; then nothing was done, even if the bundle was revoked since.
    order_repeated: Option<bool>,
    /// The entitlement as it is now, with the orders that it was granted for and whether each holds it.
    entitlement: Option<EntitlementView>,
    /// What the member may see now: what is in the bundle, or else member content in general.
    access: Option<AccessView>,
    /// For a group: the job. Its counts are `granted`, `alreadyHad` and `failed` (members that are being deleted), or
    /// `removed`, `hadNone` and `failed`.
    job: Option<JobView>,
    /// Only in a dry run for a group: the counts as they would be.
    preview: Option<JobPreview>,
}

impl Granted {
    fn to_member(done: Done) -> Self {
        Self {
            changed: Some(done.changed || done.is_new),
            member: Some(done.member),
            member_created: None,
            order_repeated: done.is_repeated.then_some(true),
            entitlement: done.entitlement,
            access: Some(done.access),
            job: None,
            preview: None,
        }
    }

    fn to_group((job, preview): (JobView, Option<JobPreview>)) -> Self {
        Self {
            changed: None,
            member: None,
            member_created: None,
            order_repeated: None,
            entitlement: None,
            access: None,
            job: Some(job),
            preview,
        }
    }
}

async fn apply(cx: &mut Cx, target: Target, act: Act) -> Result<Granted> {
    match target {
        Target::Member(member) => Ok(Granted::to_member(actions::apply(cx, &member, None, &act).await?)),
        Target::Group(group) => Ok(Granted::to_group(actions::apply_to_group(cx, &group, act).await?)),
    }
}

/// Give free access
///
/// Opens all member content to a member, or to each member of a group, without billing: for good, or until
/// `expiresAt`. It stands above subscriptions and limits to plans, touches nothing at Stripe and sends no mail. Who has
/// it for as long already keeps it (`changed: false`); to shorten it, remove it and give it anew.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct GrantFree {
    /// The member; or else `group`.
    member: Option<MemberRef>,
    /// The group, for each of its members; or else `member`.
    group: Option<GroupRef>,
    /// When it ends; without it, never.
    expires_at: Option<Moment<End>>,
}

impl Tool for GrantFree {
    const NAME: &'static str = "access.grantFree";
    const ACCESS: Access = Access::write(Scope::AccessGrant, Risk::High);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"},"expiresAt":"2027-12-31T23:59:59Z"}"#;
    type Output = Granted;

    async fn run(self, cx: &mut Cx) -> Result<Granted> {
        let target = Target::of(cx, self.member, self.group).await?;
        let expires_at = self.expires_at.map(|end| end.in_zone(cx.zone()));
        apply(cx, target, Act::GrantFree { until: expires_at.map(Time::micros) }).await
    }
}

/// Remove free access
///
/// Takes free access from a member, or from each member of a group, with its expiry. What a subscription, a trial or a
/// bundle opens stays open.
#[derive(Object)]
pub struct RemoveFree {
    /// The member; or else `group`.
    member: Option<MemberRef>,
    /// The group, for each of its members; or else `member`.
    group: Option<GroupRef>,
}

impl Tool for RemoveFree {
    const NAME: &'static str = "access.removeFree";
    const ACCESS: Access = Access::write(Scope::AccessGrant, Risk::High);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"}}"#;
    type Output = Granted;

    async fn run(self, cx: &mut Cx) -> Result<Granted> {
        let target = Target::of(cx, self.member, self.group).await?;
        apply(cx, target, Act::RemoveFree).await
    }
}

/// Give a trial
///
/// Opens all member content to a member, or to each member of a group, from now on for at most 365 days. It is the
/// site's own trial, and has nothing to do with one that a plan has at Stripe. A member whose trial already lasts as
/// long keeps it (`changed: false`).
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct SetTrial {
    /// The member; or else `group`.
    member: Option<MemberRef>,
    /// The group, for each of its members; or else `member`.
    group: Option<GroupRef>,
    /// When it ends: later than now, and at most 365 days from now.
    expires_at: Moment<End>,
}

impl Tool for SetTrial {
    const NAME: &'static str = "access.setTrial";
    const ACCESS: Access = Access::write(Scope::AccessGrant, Risk::High);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"},"expiresAt":"2027-01-15T00:00:00Z"}"#;
    type Output = Granted;

    async fn run(self, cx: &mut Cx) -> Result<Granted> {
        let target = Target::of(cx, self.member, self.group).await?;
        let end = self.expires_at.in_zone(cx.zone());
        if end <= cx.now {
            return Err(Error::refused("args.expiresAt", "must be later than now"));
        }
        if end > cx.now + LONGEST_TRIAL {
            return Err(Error::refused("args.expiresAt", "must be at most 365 days from now"));
        }
        apply(cx, target, Act::SetTrial { until: end.micros() }).await
    }
}

/// Grant a bundle
///
/// Gives a member, or each member of a group, a bundle: for life, or until `expiresAt`. For a shop elsewhere, one call
/// does it all: with `createMember` an unknown address becomes a member first, and with `orderId` the same order is one
/// grant, however often and from wherever it is sent (even after it was taken back); an order that was granted to
/// another member or for another bundle is `order_id_used`. A bundle that was revoked is revived. Who owns it for as
/// long already keeps it (`changed: false`); that this order, or a grant without one, holds it too is noted, so that
/// `access.revokeBundle` of another order does not take it.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct GrantBundle {
    /// The member; or else `group`.
    member: Option<MemberRef>,
    /// The group, for each of its members; or else `member`.
    group: Option<GroupRef>,
    /// The bundle.
    bundle: BundleId,
    /// When it ends; without it, never.
    expires_at: Option<Moment<End>>,
    /// Who grants it, for people who look it up: 1 to 100 characters. Without it, what was said before stays, or else
    /// `api`.
    source: Option<Line<100>>,
    /// The order that it is for, as the shop calls it: 1 to 200 characters, unique in the site. Not for a group.
    order_id: Option<Line<200>>,
    /// Whether an address that is nobody's becomes a member first. Only for a member by address.
    #[oai(default)]
    create_member: bool,
    /// With `createMember`: what a new member is called.
    name: Option<Name>,
}

impl Tool for GrantBundle {
    const NAME: &'static str = "access.grantBundle";
    const ACCESS: Access = Access::write(Scope::AccessGrant, Risk::High);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"},"bundle":"bun_01kan8v3t0e0rt8nfkzk1s7p4qi","orderId":"shop-10023","createMember":true}"#;
    type Output = Granted;

    async fn run(self, cx: &mut Cx) -> Result<Granted> {
        let target = Target::of(cx, self.member, self.group).await?;
        let expires_at = self.expires_at.map(|end| end.in_zone(cx.zone()));
        let order_id = self.order_id.map(Line::into_string);
        let act = Act::GrantBundle {
            bundle: self.bundle,
            until: expires_at.map(Time::micros),
            source: self.source.map(Line::into_string),
            order_id: order_id.clone(),
        };
        if self.name.is_some() && !self.create_member {
            return Err(Error::refused("args.name", "only with createMember: true; members.update renames a member"));
        }
        match target {
            Target::Group(_) if order_id.is_some() => {
                Err(Error::refused("args.orderId", "an order is one member's; leave it out for a group"))
            }
            Target::Group(_) if self.create_member => {
                Err(Error::refused("args.createMember", "only for a member by address"))
            }
            Target::Group(group) => Ok(Granted::to_group(actions::apply_to_group(cx, &group, act).await?)),
            Target::Member(member) => {
                let new = match (&member, self.create_member) {
                    (_, false) => None,
                    (MemberRef::Email(by), true) => Some(New { name: self.name, ..New::of(by.email.clone()) }),
                    (MemberRef::Id(_), true) => {
                        return Err(Error::refused("args.createMember", "only for a member by address"));
                    }
                };
                let done = actions::apply(cx, &member, new, &act).await?;
                Ok(Granted { member_created: Some(done.is_new), ..Granted::to_member(done) })
            }
        }
    }
}

/// Revoke a bundle
///
/// Takes a bundle from a member, or from each member of a group, whatever it was granted for. Other bundles and
/// subscriptions stay, and nothing is refunded. Granting it again revives the same entitlement.
///
/// With `orderId`, for a shop that gives money back, it takes only that order back; member and bundle need not be given.
/// The bundle goes if neither another order nor a grant without one holds it, or else lasts as long as they do:
/// `entitlement` and `access` say which. The order that was taken back never holds it again, however often it is sent;
/// taking it back twice is `changed: false`, and one that was never granted is `order_not_found`.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct RevokeBundle {
    /// The member; or else `group`. With `orderId` it may be left out, and must be the order's if it is given.
    member: Option<MemberRef>,
    /// The group, for each of its members; or else `member`.
    group: Option<GroupRef>,
    /// The bundle. With `orderId` it may be left out, and must be the order's if it is given.
    bundle: Option<BundleId>,
    /// The order that is taken back, as `access.grantBundle` was given it. Not for a group.
    order_id: Option<Line<200>>,
}

impl Tool for RevokeBundle {
    const NAME: &'static str = "access.revokeBundle";
    const ACCESS: Access = Access::write(Scope::AccessGrant, Risk::High);
    const EXAMPLE: &'static str =
        r#"{"member":{"email":"anna@example.com"},"bundle":"bun_01kan8v3t0e0rt8nfkzk1s7p4qi"}"#;
    type Output = Granted;

    async fn run(self, cx: &mut Cx) -> Result<Granted> {
        if let Some(order) = self.order_id.map(Line::into_string) {
            if self.group.is_some() {
                return Err(Error::refused("args.orderId", "an order is one member's; leave it out for a group"));
            }
            let done = orders::take_back(cx, &order, self.member.as_ref(), self.bundle.as_ref()).await?;
            return Ok(Granted::to_member(done));
        }
        let bundle = self.bundle.ok_or_else(|| Error::refused("args.bundle", "give `bundle`, or `orderId`"))?;
        let target = Target::of(cx, self.member, self.group).await?;
        apply(cx, target, Act::RevokeBundle { bundle }).await
    }
}
