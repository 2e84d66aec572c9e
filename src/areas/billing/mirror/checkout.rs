//! Checkouts, and what was paid in one once and for all.

use usher_db::Change;
use usher_stripe::{
    requests::checkout as ask,
    views::{CheckoutMode, CheckoutSession, CheckoutStatus, PaymentStatus, Ref},
};

use super::{Reader, Result, store, there, time};
use crate::{
    areas::{
        access::SubscriptionStatus,
        billing::store::{Mark, mark},
        subscriptions::{self, Subscription},
    },
    values::{MemberId, PlanId},
};

impl Reader<'_> {
    pub(super) async fn checkout(&self) -> Result<()> {
        let view = there(self.client.read(&ask::get(&self.dirty.object)).await)?;
        let site = self.site();
        let known = store::checkout(self.app.db.read(), site, &self.dirty.object).await?;
        let mut tx = self.app.db.begin().await?;
        if let (Some(view), Some((id, member, plan, before))) = (view, known) {
            let status = match view.status {
                Some(CheckoutStatus::Complete) => "complete",
                Some(CheckoutStatus::Expired) => "expired",
                _ => "open",
            };
            let stays = store::hold_member(tx.conn(), site, &member).await?;
            if stays && before != status && before != "complete" {
                store::set_checkout(tx.conn(), site, &id, status, self.now()).await?;
                let json = |status: &str| serde_json::json!({ "status": status, "plan": plan });
                let change = Change::updated("checkout", id.as_str(), json(&before), json(status));
                self.record(&mut tx, "checkout", Some(&member), &[change]).await?;
            }
            if stays && status == "complete" {
                self.completed(&mut tx, &view, member, plan).await?;
            }
        }
        self.end(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    async fn completed(
        &self,
        tx: &mut usher_db::Tx,
        view: &CheckoutSession,
        member: MemberId,
        plan: PlanId,
    ) -> Result<()> {
        let (site, now) = (self.site(), self.now());
        if let Some(customer) = view.customer_id() {
            store::link(tx.conn(), site, customer, &member, now).await?;
        }
        let event = self.dirty.event_id.as_deref().zip(self.dirty.event_type.as_deref());
        let mut hear = Vec::new();
        hear.extend(view.subscription_id().map(|id| ("subscription", id)));
        hear.extend(view.invoice.as_ref().map(|invoice| ("invoice", Ref::id(invoice))));
        for (kind, object) in hear {
            mark(tx.conn(), site, &Mark { kind, object, source: &self.dirty.source, event }, now).await?;
        }
        let is_paid = matches!(view.payment_status, Some(PaymentStatus::Paid | PaymentStatus::NoPaymentRequired));
        if view.mode != Some(CheckoutMode::Payment) || !is_paid {
            return Ok(());
        }
        let before = subscriptions::store::by_external(tx.conn(), site, &view.id).await?;
        let started_at = before.as_ref().map_or_else(|| view.created.map_or(now, time), |before| before.started_at);
        let after = Subscription {
            id: before.as_ref().map_or_else(|| self.app.clock.id(), |before| before.id.clone()),
            member_id: before.as_ref().map_or(member, |before| before.member_id.clone()),
            plan_id: plan,
            status: SubscriptionStatus::Active,
            source: "stripe".into(),
            started_at,
            period_start: None,
            period_end: None,
            trial_end: None,
            past_due_since: None,
            resumes_at: None,
            cancel_at: None,
            canceled_at: None,
            ended_at: None,
            refunded_at: before.as_ref().and_then(|before| before.refunded_at),
            refunded_until: before.as_ref().and_then(|before| before.refunded_until),
            wanted: None,
            external_id: Some(view.id.clone()),
            customer_id: view.customer_id().map(str::to_owned),
            reference: None,
            synced_at: Some(now),
            created_at: before.as_ref().map_or(now, |before| before.created_at),
            updated_at: before.as_ref().map_or(now, |before| before.updated_at),
            payment_intent: view.payment_intent.as_ref().map(|intent| Ref::id(intent).to_owned()),
            resume_wanted: None,
            ticket: self.ticket,
        };
        self.write(tx, before, after).await
    }
}
