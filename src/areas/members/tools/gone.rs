use std::collections::BTreeMap;

use poem_openapi::Object;

use crate::{
    areas::{
        jobs::JobView,
        members::{
            delete::{self, Subscriptions},
            duplicates::{self, Group},
            merge,
            types::{Member, MemberRef},
        },
    },
    error::Result,
    gate::Cx,
    paging::default_limit,
    tools::{Access, Risk, Scope, Tool},
    values::{MemberId, SubscriptionId},
};

fn yes() -> bool {
    true
}

/// Delete a member
///
/// Deletes a member and everything of it: watch data, comments, entitlements, granted orders, tags, places in groups and
/// subscriptions. Nothing brings it back. From the acceptance on, nothing else can be done with the member
/// (`member_deleting`); the rows go in a job, whose `result` counts them by kind. In old rows of the activity log and in
/// answers that are kept for an Idempotency-Key, `erased:` and the member's id take the address's place, and that of
/// addresses that the member had before. A block on the
/// address stays as a keyed hash, and so does each order, which is not granted again (`order_id_used`). A call for a member that is being deleted gives the job that does it, with
/// `changed: false`; a job that has failed or was cancelled is begun again where it stopped. A live subscription at
/// Stripe is cancelled there first, and open checkouts are closed: the job deletes nothing before Stripe says so, and waits
/// for Stripe as long as that takes. Where Usher may not write at Stripe (`stripe_not_connected`, `stripe_writes_locked`)
/// such a member is not deleted.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct DeleteMember {
    /// The member.
    member: MemberRef,
    /// Whether a live subscription is cancelled; if not, it refuses as `subscription_active`.
    #[oai(default = "yes")]
    cancel_subscription: bool,
}

/// A deletion that was accepted.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct DeleteResult {
    /// The member.
    #[oai(rename = "member")]
    member_id: MemberId,
    /// Whether this call began it.
    changed: bool,
    /// The job. `Prefer: wait=N` waits up to N seconds (at most 30) for its end.
    job: JobView,
    /// In a dry run: how many rows would be deleted, by kind; rows of the log that would be rewritten are not counted.
    #[oai(validator(max_properties = 50))]
    would_remove: Option<BTreeMap<String, i64>>,
}

impl Tool for DeleteMember {
    const NAME: &'static str = "members.delete";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::High).destructive();
    const EXAMPLE: &'static str =
        r#"{"member":{"id":"mem_01kan8v3t0e0rt8nfkzk1s7p4qs","expectEmail":"anna@example.com"}}"#;
    type Output = DeleteResult;

    async fn run(self, cx: &mut Cx) -> Result<DeleteResult> {
        let subscriptions = if self.cancel_subscription { Subscriptions::Cancel } else { Subscriptions::Keep };
        let deletion = delete::accept(cx, &self.member, subscriptions).await?;
        Ok(DeleteResult {
            member_id: deletion.member,
            changed: deletion.is_new,
            job: deletion.job,
            would_remove: deletion.would_remove,
        })
    }
}

/// A page of groups of members who may be the same person.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct DuplicatePage {
    /// Those alike by address first, then those with the same name.
    items: Vec<Group>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// Find duplicates
///
/// Groups of members who are likely the same person: those whose addresses differ in nothing but a sub-address
/// (`anna+shop@example.com`), in quotes that are not needed or, at Gmail, in dots, and those with the same name, whatever its case. Two may stand in a
/// group of either kind. Members that are being deleted are left out. `members.merge` makes one of two.
#[derive(Object)]
pub struct FindDuplicates {
    /// How many groups to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 2000))]
    cursor: Option<String>,
}

impl Tool for FindDuplicates {
    const NAME: &'static str = "members.findDuplicates";
    const ACCESS: Access = Access::read(Scope::MembersRead);
    const EXAMPLE: &'static str = r#"{"limit":20}"#;
    type Output = DuplicatePage;

    async fn run(self, cx: &mut Cx) -> Result<DuplicatePage> {
        let (items, next_cursor) = duplicates::find(cx, self.cursor.as_deref(), self.limit).await?;
        Ok(DuplicatePage { items, next_cursor })
    }
}

/// Merge two members
///
/// The winner gets everything of the loser, and the loser is deleted as by `members.delete`. **Nothing brings it back**,
/// so both must be named by address, or by id with `expectEmail`. Where both have something the better wins, so that the
/// winner's access is never less than before: of two entitlements to a bundle an active one, then the one that ends
/// later; of free access and trials the one that ends later; of watch data the furthest and the first completion. Tags
/// are united (more than 100: `too_many_tags`), notes are joined and cut to 5000 characters, the name stays unless there
/// is none, the address stays. Tags, name, note, free access, trial and subscriptions move with the call, the rest in a
/// job, whose `result` counts rows by kind; meanwhile the winner can be used and the loser cannot. Nothing is cancelled: who
/// paid twice goes on paying twice, and `liveSubscriptions` says for what. If the loser unsubscribed or complained, the
/// winner's address is blocked too; a bounce and a block by hand stay with the loser's address, which is a former address
/// of the winner.
#[derive(Object)]
pub struct MergeMembers {
    /// Who stays.
    winner: MemberRef,
    /// Who goes.
    loser: MemberRef,
}

/// A merge that was accepted.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct MergeResult {
    /// The winner, with what moved in the call.
    winner: Member,
    /// Who goes.
    #[oai(rename = "loser")]
    loser_id: MemberId,
    /// The job. `Prefer: wait=N` waits up to N seconds (at most 30) for its end.
    job: JobView,
    /// Present if the winner has more than one live subscription now: their ids. Each is charged until
    /// `subscriptions.cancel` ends it.
    #[oai(validator(max_items = 1000))]
    live_subscriptions: Option<Vec<SubscriptionId>>,
    /// In a dry run: how many rows would move, by kind.
    #[oai(validator(max_properties = 50))]
    would_move: Option<BTreeMap<String, i64>>,
}

impl Tool for MergeMembers {
    const NAME: &'static str = "members.merge";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::High).destructive();
    const EXAMPLE: &'static str =
        r#"{"winner":{"email":"anna@example.com"},"loser":{"email":"anna+shop@example.com"}}"#;
    type Output = MergeResult;

    async fn run(self, cx: &mut Cx) -> Result<MergeResult> {
        let merger = merge::accept(cx, &self.winner, &self.loser).await?;
        Ok(MergeResult {
            winner: merger.winner,
            loser_id: merger.loser,
            job: merger.job,
            live_subscriptions: Some(merger.live_subscriptions).filter(|ids| ids.len() > 1),
            would_move: merger.would_move,
        })
    }
}
