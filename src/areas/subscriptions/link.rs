//! Saying whose something at Stripe is that names nobody itself.

use serde_json::json;
use usher_db::Change;
use usher_jobs::JobRow;

use super::{resync::Resync, store};
use crate::{
    areas::{
        billing::{self, connection::not_connected},
        members::{self, MemberRef},
    },
    error::{Code, Error, Result},
    gate::Cx,
};

/// Links a stray to a member, and has it read.
pub async fn link(cx: &mut Cx, who: &MemberRef, external_id: String) -> Result<JobRow> {
    let member = members::hold(cx, who).await?.id;
    let (site, now) = (cx.site(), cx.now);
    if billing::store::connection(cx.conn(), site).await?.is_none() {
        return Err(not_connected());
    }
    if let Some(known) = store::by_external(cx.conn(), site, &external_id).await? {
        if known.member_id != member {
            return Err(taken(&external_id, known.member_id.as_str()));
        }
    } else {
        let customer = billing::stray_customer(cx.conn(), site, &external_id).await?;
        let customer = customer.ok_or_else(|| {
            let text = format!(
                "Usher has heard of no {external_id} that is nobody's. Copy the id from billing.reconcile, or call \
                 subscriptions.resync for the member, which looks for all that is paid with the member's address."
            );
            Error::new(Code::SubscriptionNotFound, text)
        })?;
        if let Some(customer) = customer {
            billing::link(cx.conn(), site, &customer, &member, now).await?;
            let owner = billing::member_of_customer(cx.conn(), site, &customer).await?;
            if let Some(owner) = owner.filter(|owner| *owner != member) {
                return Err(taken(&external_id, owner.as_str()));
            }
        } else {
            billing::claim(cx.conn(), site, &external_id, &member, now).await?;
            let owner = billing::claimant(cx.conn(), site, &external_id).await?;
            if let Some(owner) = owner.filter(|owner| *owner != member) {
                return Err(taken(&external_id, owner.as_str()));
            }
        }
        cx.tx().note(Change::created("stripeLink", &external_id, json!({ "member": member })));
    }
    cx.touches(&member);
    cx.enqueue(&Resync { member, external_id: Some(external_id) }).await
}

fn taken(external_id: &str, owner: &str) -> Error {
    let text = format!("{external_id} is the member {owner}'s. If the two are one person, call members.merge.");
    Error::new(Code::SubscriptionLinked, text)
}
