//! `members.overview`: all about one member in one answer, in parts that are read like the tools that list each.

use poem_openapi::Object;

use super::{
    actions, store,
    types::{Member, MemberRef},
};
use crate::{
    areas::{
        access::{self, AccessView, EntitlementView, Wanted},
        activity::{self, Activity},
        billing::{self, status::SyncStatus},
        blocklist::{self, Entry},
        comments::{self, Comment},
        emails::{self, Mail},
        groups::{self, Group},
        invoices::{self, Invoice},
        subscriptions::{self, Subscription},
        videos::{self, WatchProgress},
    },
    error::Result,
    gate::Cx,
    paging::{self, LAST},
    tools::Scope,
    values::Time,
};

/// Things of a kind that are shown.
pub const SHOWN: u32 = 10;

/// A part that the key may not read.
#[derive(Debug, Object)]
pub struct LeftOut {
    /// The part, as it is called in the answer.
    part: String,
    /// The scope that opens it.
    scope: String,
}

/// All about one member.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Overview {
    /// The member.
    member: Member,
    /// Addresses that the member had before.
    former_emails: Vec<String>,
    /// Whether the member may see member content in general, why, and until when.
    access: AccessView,
    /// Why the member gets no mail but sign-in; absent if the address is not on the block list.
    block: Option<Entry>,
    /// How what is known of the member's subscriptions compares with Stripe.
    sync_status: SyncStatus,
    /// When the member signed in last, as far as the activity log goes back.
    last_sign_in_at: Option<Time>,
    /// The bundles that the member owns or has owned, newest first.
    entitlements: Vec<EntitlementView>,
    /// The groups that the member is in. Needs `groups:read`.
    groups: Option<Vec<Group>>,
    /// The member's subscriptions, newest first. Needs `subscriptions:read`.
    subscriptions: Option<Vec<Subscription>>,
    /// The member's invoices, newest first. Needs `invoices:read`.
    invoices: Option<Vec<Invoice>>,
    /// What the member has watched, newest videos first. Needs `videos:read`.
    watched: Option<Vec<WatchProgress>>,
    /// What the member wrote below videos, newest first. Needs `videos:read`.
    comments: Option<Vec<Comment>>,
    /// Mails to the member, newest first. Needs `members:email`.
    emails: Option<Vec<Mail>>,
    /// What was done about the member, newest first, without this call. Needs `activity:read`.
    activity: Option<Vec<Activity>>,
    /// Parts of which there is more than is shown: at most 10 of each.
    more: Vec<String>,
    /// Parts that this key may not read, with the scope that each needs.
    left_out: Vec<LeftOut>,
}

/// What the parts have in common.
#[derive(Default)]
struct Parts {
    more: Vec<String>,
    left_out: Vec<LeftOut>,
}

impl Parts {
    /// Whether the key may read a part; if not, that is noted.
    fn may_read(&mut self, cx: &Cx, part: &str, scope: Scope) -> bool {
        let may_read = cx.caller.key.scopes.has(scope);
        if !may_read {
            self.left_out.push(LeftOut { part: part.into(), scope: scope.name().into() });
        }
        may_read
    }

    /// The things of a part, noting whether there are more.
    fn shown<T>(&mut self, part: &str, (items, more): (Vec<T>, bool)) -> Vec<T> {
        if more {
            self.more.push(part.into());
        }
        items
    }
}

/// All about one member, as far as the key may read it.
pub async fn overview(cx: &mut Cx, who: &MemberRef) -> Result<Overview> {
    let member = actions::find(cx, who).await?;
    let (site, now) = (cx.site(), cx.now);
    let mut parts = Parts::default();
    let (_, decision) = access::check(cx, who, &Wanted::Members, now).await?;
    let key = member.email_key();
    let block = blocklist::find(cx, site, std::slice::from_ref(&key)).await?.remove(&key);
    let sync_status = billing::status::tell(cx, who).await?.status;
    let last_sign_in_at = activity::store::last_sign_in(cx.conn(), site, &member.id).await?;
    let owned = access::list_entitlements(cx, who, LAST, SHOWN).await?;
    let entitlements = parts.shown("entitlements", owned);
    let former = store::former_of(cx.conn(), site, &member.id).await?;
    let mut all = Overview {
        former_emails: former.into_iter().map(|(_, email)| email).collect(),
        access: AccessView::from(&decision),
        block,
        sync_status,
        last_sign_in_at,
        entitlements,
        groups: None,
        subscriptions: None,
        invoices: None,
        watched: None,
        comments: None,
        emails: None,
        activity: None,
        more: Vec::new(),
        left_out: Vec::new(),
        member,
    };
    bought(cx, who, &mut all, &mut parts).await?;
    done(cx, who, &mut all, &mut parts).await?;
    let Parts { more, left_out } = parts;
    Ok(Overview { more, left_out, ..all })
}

/// Groups, subscriptions and invoices.
async fn bought(cx: &mut Cx, who: &MemberRef, all: &mut Overview, parts: &mut Parts) -> Result<()> {
    let member = Some(all.member.id.clone());
    if parts.may_read(cx, "groups", Scope::GroupsRead) {
        let groups = groups::list(cx, None, Some(who), LAST, SHOWN).await?;
        all.groups = Some(parts.shown("groups", groups));
    }
    if parts.may_read(cx, "subscriptions", Scope::SubscriptionsRead) {
        let filter = subscriptions::store::Filter { member: member.clone(), ..Default::default() };
        let subscriptions = subscriptions::list(cx, &filter, LAST, SHOWN).await?;
        all.subscriptions = Some(parts.shown("subscriptions", subscriptions));
    }
    if parts.may_read(cx, "invoices", Scope::InvoicesRead) {
        let filter = invoices::store::Filter { member, ..Default::default() };
        let invoices = invoices::list(cx, &filter, LAST, SHOWN).await?;
        all.invoices = Some(parts.shown("invoices", invoices));
    }
    Ok(())
}

/// What the member has done, and what was done about the member.
async fn done(cx: &mut Cx, who: &MemberRef, all: &mut Overview, parts: &mut Parts) -> Result<()> {
    let (site, member) = (cx.site(), all.member.id.clone());
    if parts.may_read(cx, "watched", Scope::VideosRead) {
        let page = videos::watch_progress(cx, Some(who), None, None, LAST, SHOWN).await?;
        all.watched = Some(parts.shown("watched", (page.items, page.more)));
    }
    if parts.may_read(cx, "comments", Scope::VideosRead) {
        let comments = comments::list(cx, None, Some(who), LAST, SHOWN).await?;
        all.comments = Some(parts.shown("comments", comments));
    }
    if parts.may_read(cx, "emails", Scope::MembersEmail) {
        let emails = emails::list_of(cx, &member, SHOWN).await?;
        all.emails = Some(parts.shown("emails", emails));
    }
    if parts.may_read(cx, "activity", Scope::ActivityRead) {
        let filter = activity::store::Filter { member: Some(member), ..Default::default() };
        let mut rows = activity::store::list(cx.conn(), site, &filter, LAST, SHOWN + 1).await?;
        let more = paging::cut(&mut rows, SHOWN);
        all.activity = Some(parts.shown("activity", (rows, more)));
    }
    Ok(())
}
