//! Orders: what a shop was paid for, and may have to give back.
//!
//! An order is granted once for ever, to one member for one bundle, and holds the bundle until its own end. Any number of
//! orders hold one entitlement, and so does a grant without an order. Taking one back takes the bundle only if nothing
//! else holds it; else what remains lasts as long as the one that lasts longest. An order that was taken back, by itself
//! or with the whole bundle, never holds anything again.
//!
//! Whoever writes an order holds its member first.

pub mod store;

use store::Order;

use super::actions::{Done, Snapshot, note, snapshot};
use super::grants::Act;
use crate::{
    areas::members::{self, MemberById, MemberRef},
    error::{Code, Error, Result},
    gate::Cx,
    values::{BundleId, MemberId, Time},
};

/// Notes that an order is granted to a member that is held; `false` if the same was granted before.
pub(super) async fn take(
    cx: &mut Cx,
    id: &str,
    member: &MemberId,
    bundle: &BundleId,
    expires_at: Option<Time>,
) -> Result<bool> {
    let (site, now) = (cx.site(), cx.now);
    let order = Order { member: member.clone(), bundle: bundle.clone(), expires_at, revoked_at: None };
    if store::insert(cx.conn(), site, id, &order, now).await? {
        return Ok(true);
    }
    match store::find(cx.conn(), site, id).await? {
        Some(known) if known.member == *member && known.bundle == *bundle => Ok(false),
        Some(known) => Err(used(id, &known)),
        None => Err(moved()),
    }
}

/// Takes an order back, whoever has it; if a member or a bundle is given, it must be that one's.
pub(super) async fn take_back(
    cx: &mut Cx,
    id: &str,
    who: Option<&MemberRef>,
    bundle: Option<&BundleId>,
) -> Result<Done> {
    let site = cx.site();
    let known = store::find(cx.conn(), site, id).await?.ok_or_else(|| not_found(id))?;
    let owner = MemberRef::Id(MemberById { id: known.member.clone(), expect_email: None });
    let member = match members::hold(cx, who.unwrap_or(&owner)).await {
        // Its orders are on their way to another member.
        Err(error) if error.code() == Code::MemberDeleting && members::is_merging(cx, &known.member).await? => {
            return Err(moved());
        }
        held => held?,
    };
    // Read again: while it waited for the member, a merge may have moved the order.
    let order = store::find(cx.conn(), site, id).await?.ok_or_else(|| not_found(id))?;
    if order.member != member.id {
        return Err(if who.is_some() { used(id, &order) } else { moved() });
    }
    if bundle.is_some_and(|bundle| *bundle != order.bundle) {
        return Err(used(id, &order));
    }
    let act = Act::RevokeBundle { bundle: order.bundle.clone() };
    let before = snapshot(cx, &member, &act).await?;
    let now = cx.now;
    let changed = store::take_back(cx.conn(), site, id, now).await?;
    if changed && before.entitlement.as_ref().is_some_and(|one| one.revoked_at.is_none()) {
        store::settle(cx.conn(), site, &member.id, &order.bundle, now).await?;
    }
    let after = snapshot(cx, &member, &act).await?;
    note(cx, &before, &after);
    let Snapshot { member, entitlement, access } = after;
    Ok(Done { member, is_new: false, changed, is_repeated: false, entitlement, access })
}

fn used(id: &str, order: &Order) -> Error {
    let text = format!(
        "The order {id:?} was granted to member {} for bundle {}. An order is one member's and one bundle's.",
        order.member, order.bundle
    );
    Error::new(Code::OrderIdUsed, text)
}

fn not_found(id: &str) -> Error {
    let text = format!(
        "No order {id:?} was granted here, so there is nothing to take back. Compare it with the orderId that \
         access.grantBundle was called with; members.listEntitlements shows a member's orders."
    );
    Error::new(Code::OrderNotFound, text)
}

fn moved() -> Error {
    Error::unavailable("The order's member is being merged into another; nothing was written. Try again.")
}
