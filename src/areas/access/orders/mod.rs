//! Orders: what a shop was paid for, and may have to give back.
//!
//! An order is granted once for ever, to one member for one bundle, and holds the bundle until its own end. Any number of
//! orders hold one entitlement, and so does a grant without an order. Taking one back takes the bundle only if nothing
//! else holds it; else what remains lasts as long as the one that lasts longest. An order that was taken back, by itself
//! or with the whole bundle, never holds anything again.
//!
//! Whoever writes an order holds its member first. When a member is deleted, a keyed hash of each order stays
//! (`spent_order`), so that a shop that sends one again does not bring the member back.

pub mod store;

use store::Order;

use usher_db::Tx;

use super::actions::{Done, Snapshot, note, snapshot};
use super::grants::Act;
use crate::{
    areas::{
        installation,
        members::{self, MemberById, MemberRef},
    },
    error::{Code, Error, Result},
    gate::Cx,
    values::{BundleId, MemberId, SiteId, Time},
};

/// The name of the installation's key for hashes of orders, among its settings.
const SETTING: &str = "order_hash_key";

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
        return if is_spent(cx, id).await? { Err(spent(Code::OrderIdUsed, id)) } else { Ok(true) };
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
    let Some(known) = store::find(cx.conn(), site, id).await? else {
        let is_spent = is_spent(cx, id).await?;
        return Err(if is_spent { spent(Code::OrderNotFound, id) } else { not_found(id) });
    };
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

/// Deletes orders of a member who goes, at most `limit`, and keeps the hash of each. Gives how many.
pub async fn spend(tx: &mut Tx, site: SiteId, member: &MemberId, limit: u32) -> usher_db::Result<u64> {
    let ids = store::of_member(tx.conn(), site, member, limit).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let secret = installation::make_secret(tx, SETTING).await?;
    let hashes = ids.iter().map(|id| installation::keyed_hash(&secret, site, id)).collect();
    store::keep_hashes(tx.conn(), site, hashes).await?;
    store::delete(tx.conn(), site, ids.into_iter().collect()).await
}

/// Whether an order was granted to a member who was deleted.
async fn is_spent(cx: &mut Cx, id: &str) -> Result<bool> {
    let site = cx.site();
    // Without a key there is no hash yet.
    let Some(secret) = installation::secret(cx.conn(), SETTING).await? else { return Ok(false) };
    Ok(store::is_spent(cx.conn(), site, &installation::keyed_hash(&secret, site, id)).await?)
}

fn spent(code: Code, id: &str) -> Error {
    let text = format!(
        "The order {id:?} was granted to a member who was deleted since, and an order is granted once. To give the bundle \
         all the same, call access.grantBundle without orderId or with another one."
    );
    Error::new(code, text)
}

fn used(id: &str, order: &Order) -> Error {
    let text = format!(
        "The order {id:?} was granted to member {} for bundle {}. An order is one member's and one bundle's: give each line \
         of an order its own orderId (such as 1001-1), or take this one back with access.revokeBundle and grant the other \
         under a new one.",
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
