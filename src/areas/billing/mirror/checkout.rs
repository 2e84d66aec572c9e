//! Checkouts, and what was paid in one once and for all.

use usher_db::Change;
use usher_stripe::{
    requests::{charges, checkout as ask},
    views::{CheckoutMode, CheckoutSession, CheckoutStatus, PaymentStatus, Ref},
};

use super::{Reader, Result, store, there, time};
use crate::{
    areas::{
        access::SubscriptionStatus,
        plans,
        subscriptions::{self, Subscription, SubscriptionItem},
    },
    values::{Email, JobId, MemberId, PlanId},
};

/// What was sold on a page that Usher has not made: a payment link, a pricing table, or another program's.
struct Sold {
    member: MemberId,
    /// What for, if it was paid once and for all; a subscription says that itself.
    plan: Option<PlanId>,
    /// Whether the customer is the member's besides.
    is_linked: bool,
}

impl Reader<'_> {
    pub(super) async fn checkout(&self) -> Result<()> {
        let view = there(self.client.read(&ask::get(&self.dirty.object)).await)?;
        let site = self.site();
        let known = store::checkout(self.app.db.read(), site, &self.dirty.object).await?;
        let sold = match (&view, &known) {
            (Some(view), None) => self.sold_elsewhere(view).await?,
            _ => None,
        };
        let member = known.map(|(_, member, ..)| member).or_else(|| Some(sold.as_ref()?.member.clone()));
        let (Some(view), Some(member)) = (view, member) else {
            let mut tx = self.app.db.begin().await?;
            self.end(&mut tx).await?;
            return Ok(tx.commit().await?);
        };
        let is_complete = view.status == Some(CheckoutStatus::Complete);
        let mut tx = self.app.db.begin().await?;
        if self.holds(&mut tx, Some(&member)).await? {
            let mut is_linked = true;
            let plan = match (store::checkout(tx.conn(), site, &self.dirty.object).await?, sold) {
                (Some((id, now_of, plan, before)), _) if now_of == member => {
                    self.set_checkout(&mut tx, &view, &id, (&member, &plan), &before).await?;
                    Some(plan)
                }
                (None, Some(sold)) => {
                    is_linked = sold.is_linked;
                    sold.plan
                }
                // It has got another member meanwhile, or is known since; it stays to be read.
                _ => return Ok(()),
            };
            match plan {
                Some(plan) if is_complete => self.completed(&mut tx, &view, (member, plan), is_linked).await?,
                None if is_complete => self.subscribed(&mut tx, &view, &member, is_linked).await?,
                _ => {}
            }
        }
        tx.commit().await?;
        let mut hear = Vec::new();
        if is_complete {
            hear.extend(view.subscription_id().map(|id| ("subscription", id)));
            hear.extend(view.invoice.as_ref().map(|invoice| ("invoice", Ref::id(invoice))));
        }
        // What was given back may have been heard of before it was known what it had paid for.
        let charges = match &view.payment_intent {
            Some(intent) if is_complete => self.client.read(&charges::of_intent(Ref::id(intent))).await?.value.data,
            _ => Vec::new(),
        };
        // What was paid without an invoice is in no other list of payments.
        let given_back = charges.iter().filter(|charge| charge.amount_refunded > 0 || view.invoice.is_none());
        hear.extend(given_back.map(|charge| ("charge", charge.id.as_str())));
        let mut tx = self.app.db.begin().await?;
        let (earlier, later): (Vec<_>, Vec<_>) = hear.into_iter().partition(|(kind, _)| *kind < "checkout");
        self.hear(&mut tx, earlier).await?;
        self.end(&mut tx).await?;
        self.hear(&mut tx, later).await?;
        Ok(tx.commit().await?)
    }

    /// Who has bought what on a page that Usher has not made. What is paid once counts if its price is that of a plan here,
    /// since an account may sell other things than access. Where nothing says who has bought it, it is kept as a stray.
    async fn sold_elsewhere(&self, view: &CheckoutSession) -> Result<Option<Sold>> {
        let (site, is_subscription) = (self.site(), view.mode == Some(CheckoutMode::Subscription));
        let counts = view.status == Some(CheckoutStatus::Complete) && is_subscription
            || view.mode == Some(CheckoutMode::Payment) && is_paid(view);
        if !counts {
            return Ok(None);
        }
        let external = if is_subscription { view.subscription_id() } else { Some(view.id.as_str()) };
        let Some(external) = external else { return Ok(None) };
        if let Some(before) = subscriptions::store::by_external(self.app.db.read(), site, external).await? {
            let plan = Some(before.plan_id).filter(|_| !is_subscription);
            return Ok(plan.map(|plan| Sold { member: before.member_id, plan: Some(plan), is_linked: false }));
        }
        let known = self.whose(view.customer_id(), &view.metadata).await?.member;
        let is_linked = known.is_some();
        let named = match known {
            Some(member) => Some(member),
            None => match store::claimant(self.app.db.read(), site, external).await? {
                Some(member) => Some(member),
                // Anybody can write it into the address of a payment link, so it counts for this one sale.
                None => self.member_by_id(view.client_reference_id.as_deref()).await?,
            },
        };
        if is_subscription {
            return Ok(named.map(|member| Sold { member, plan: None, is_linked }));
        }
        let items = there(self.client.read(&ask::line_items(&view.id)).await)?;
        for price in items.into_iter().flat_map(|page| page.data).filter_map(|item| item.price) {
            let plan = plans::store::by_price(self.app.db.read(), site, &price.id).await?;
            if let Some(plan) = plan.filter(|plan| plan.every == plans::Every::OneTime) {
                match named {
                    Some(member) => return Ok(Some(Sold { member, plan: Some(plan.id), is_linked })),
                    None => self.nobodys(view, &price.id).await?,
                }
                break;
            }
        }
        Ok(None)
    }

    /// Keeps what was sold once to nobody known, by the address that it was paid with.
    async fn nobodys(&self, view: &CheckoutSession, price: &str) -> Result<()> {
        let email = view.customer_details.as_ref().and_then(|details| details.email.as_deref());
        let email = email.and_then(|email| Email::parse(email).ok());
        let stray = store::Stray {
            id: &view.id,
            customer: view.customer_id(),
            email_key: email.as_ref().map_or("", Email::key),
            status: SubscriptionStatus::Active.as_str(),
            price: Some(price),
        };
        let mut tx = self.app.db.begin().await?;
        store::stray(tx.conn(), self.site(), &stray, self.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Notes whose the subscription of a checkout is that Usher has not made.
    async fn subscribed(
        &self,
        tx: &mut usher_db::Tx,
        view: &CheckoutSession,
        member: &MemberId,
        is_linked: bool,
    ) -> Result<()> {
        let (site, now) = (self.site(), self.now());
        match (view.customer_id().filter(|_| is_linked), view.subscription_id()) {
            (Some(customer), _) => {
                store::link(tx.conn(), site, customer, member, now).await?;
                let email = view.customer_details.as_ref().and_then(|details| details.email.as_deref());
                self.pays_as(tx, Some(customer), email.map(String::as_str)).await?;
            }
            (None, Some(subscription)) => {
                store::claim(tx.conn(), site, subscription, member, now).await?;
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// Writes how a checkout stands, which never goes back to being open.
    async fn set_checkout(
        &self,
        tx: &mut usher_db::Tx,
        view: &CheckoutSession,
        id: &JobId,
        (member, plan): (&MemberId, &PlanId),
        before: &str,
    ) -> Result<()> {
        let status = match view.status {
            Some(CheckoutStatus::Complete) => "complete",
            Some(CheckoutStatus::Expired) => "expired",
            _ => "open",
        };
        let rank = |status: &str| ["open", "expired", "complete"].iter().position(|one| *one == status);
        if rank(status) <= rank(before) {
            return Ok(());
        }
        store::set_checkout(tx.conn(), self.site(), id, status, self.now()).await?;
        let json = |status: &str| serde_json::json!({ "status": status, "plan": plan });
        let change = Change::updated("checkout", id.as_str(), json(before), json(status));
        self.record(tx, "checkout", Some(member), &[change]).await
    }

    async fn completed(
        &self,
        tx: &mut usher_db::Tx,
        view: &CheckoutSession,
        (member, plan): (MemberId, PlanId),
        is_linked: bool,
    ) -> Result<()> {
        let (site, now) = (self.site(), self.now());
        if let Some(customer) = view.customer_id().filter(|_| is_linked) {
            store::link(tx.conn(), site, customer, &member, now).await?;
            let email = view.customer_details.as_ref().and_then(|details| details.email.as_deref());
            self.pays_as(tx, Some(customer), email.map(String::as_str)).await?;
        }
        if view.mode != Some(CheckoutMode::Payment) || !is_paid(view) {
            return Ok(());
        }
        store::no_stray(tx.conn(), site, &view.id).await?;
        let before = subscriptions::store::by_external(tx.conn(), site, &view.id).await?;
        let started_at = before.as_ref().map_or_else(|| view.created.map_or(now, time), |before| before.started_at);
        let after = Subscription {
            id: before.as_ref().map_or_else(|| self.app.clock.id(), |before| before.id.clone()),
            member_id: before.as_ref().map_or(member, |before| before.member_id.clone()),
            items: SubscriptionItem::only(plan.clone()),
            plan_id: plan,
            status: SubscriptionStatus::Active,
            source: "stripe".into(),
            started_at,
            period_start: None,
            period_end: None,
            trial_end: None,
            past_due_since: None,
            needs_card: false,
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
        self.write(tx, before, after, None).await
    }
}

fn is_paid(view: &CheckoutSession) -> bool {
    let is_paid = matches!(view.payment_status, Some(PaymentStatus::Paid | PaymentStatus::NoPaymentRequired));
    is_paid && view.status == Some(CheckoutStatus::Complete)
}
