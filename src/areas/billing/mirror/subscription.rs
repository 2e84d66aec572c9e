//! Subscriptions, as Stripe says them.

use std::collections::{BTreeMap, BTreeSet};

use usher_db::{Change, Tx};
use usher_stripe::{
    requests::{
        invoices::{self as invoices_at_stripe, InvoiceFilter},
        subscriptions as ask,
    },
    views,
};

use super::{Reader, Result, link::Whose, paid::Paid, store, there, time};
use crate::{
    areas::{
        access::{self, SubscriptionStatus},
        billing::store::Dirty,
        invoices, members, plans,
        subscriptions::{self, Subscription, SubscriptionItem, Wanted},
    },
    clock::Clock,
    values::{Email, MemberId},
};

/// Who a subscription is of, and what for.
pub(in crate::areas::billing) struct Link {
    pub(in crate::areas::billing) member: MemberId,
    /// At least one.
    pub(in crate::areas::billing) items: Vec<SubscriptionItem>,
}

impl Reader<'_> {
    pub(super) async fn subscription(&self) -> Result<()> {
        let view = there(self.client.read(&ask::get(&self.dirty.object)).await)?;
        let Some(view) = view else { return self.gone().await };
        let site = self.site();
        let paid = self.paid(&view).await?;
        let known = subscriptions::store::by_external(self.app.db.read(), site, &view.id).await?;
        let Whose { member, email } = match &known {
            Some(known) => Whose::of(known.member_id.clone()),
            None => match store::claimant(self.app.db.read(), site, &view.id).await? {
                Some(member) => Whose::of(member),
                None => self.whose(view.customer_id(), &view.metadata).await?,
            },
        };
        let items = self.items(&view).await?;
        let items = if items.is_empty() { known.map(|known| known.items).unwrap_or_default() } else { items };
        let mut tx = self.app.db.begin().await?;
        let stays = self.holds(&mut tx, member.as_ref()).await?;
        let before = subscriptions::store::by_external(tx.conn(), site, &view.id).await?;
        if before.as_ref().is_some_and(|before| Some(&before.member_id) != member.as_ref()) {
            // It has got another member meanwhile; it stays to be read.
            return Ok(());
        }
        let mut was_stray = false;
        match member.filter(|_| stays && !items.is_empty()) {
            Some(member) => {
                was_stray = self.keep(&mut tx, before, &view, paid.as_ref(), Link { member, items }).await?;
            }
            // What has ended and is nobody's needs nobody.
            _ if view.status.is_terminal() => {
                store::no_stray(tx.conn(), site, &view.id).await?;
            }
            _ => {
                let stray = store::Stray {
                    id: &view.id,
                    customer: view.customer_id(),
                    email_key: email.as_ref().map_or("", Email::key),
                    status: view.status.as_str(),
                    price: view.price_id(),
                };
                store::stray(tx.conn(), site, &stray, self.now()).await?;
            }
        }
        if let Some(paid) = paid.filter(|_| stays) {
            self.hear_of_invoices(&mut tx, &paid, was_stray).await?;
        }
        self.end(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// What a subscription is for, with the plans of its prices.
    async fn items(&self, view: &views::Subscription) -> Result<Vec<SubscriptionItem>> {
        let mut items = Vec::new();
        for (item, price) in view.sold() {
            items.push(SubscriptionItem {
                external_id: item.and_then(|item| item.id.clone()),
                plan_id: self.plan(price).await?.id,
                quantity: item.and_then(|item| item.quantity).unwrap_or(1).max(0),
            });
        }
        Ok(items)
    }

    /// Reads a subscription that something else is about, before that.
    pub(super) async fn subscription_first(&self, external: &str) -> Result<()> {
        let Some(ticket) = super::ticket(self.app, self.site()).await? else { return Ok(()) };
        let dirty = Dirty { kind: "subscription".into(), object: external.to_owned(), ..self.dirty.clone() };
        Reader { dirty: &dirty, ticket, ..*self }.subscription().await
    }

    /// What was paid for a subscription, as its invoices say; `None` of one that is over.
    async fn paid(&self, view: &views::Subscription) -> Result<Option<Paid>> {
        if view.status.is_terminal() {
            return Ok(None);
        }
        let filter = InvoiceFilter { subscription: Some(&view.id), ..Default::default() };
        let mut invoices = self.client.read(&invoices_at_stripe::list(&filter)).await?.value.data;
        for invoice in invoices.iter_mut().filter(|one| one.status == Some(views::InvoiceStatus::Paid)) {
            self.complete_lines(invoice).await?;
        }
        let site = self.site();
        let prices = invoices.iter().flat_map(|invoice| &invoice.lines.data).filter_map(|line| line.price_id());
        let mut plans = BTreeMap::new();
        for price in prices.collect::<BTreeSet<_>>() {
            if let Some(plan) = plans::store::by_price(self.app.db.read(), site, price).await? {
                plans.insert(price.to_owned(), plan.id);
            }
        }
        let ids: Vec<_> = invoices.iter().map(|invoice| invoice.id.clone()).collect();
        let mut refunds: BTreeMap<_, _> =
            invoices::store::refunds(self.app.db.read(), site, ids.clone()).await?.into_iter().collect();
        if self.do_lost_disputes_end_access(self.app.db.read()).await? {
            for (invoice, amount) in store::lost(self.app.db.read(), site, ids).await? {
                *refunds.entry(invoice).or_insert(0) += amount;
            }
        }
        Ok(Some(Paid::read(&invoices, &plans, &refunds)))
    }

    /// Has invoices read that are not known here: all of a subscription that nobody was known for, else those on which access
    /// may depend, as nothing is known yet of what was given back of them.
    async fn hear_of_invoices(&self, tx: &mut Tx, paid: &Paid, was_stray: bool) -> Result<()> {
        let ids = if was_stray { paid.invoices.clone() } else { paid.decisive(self.now()) };
        let known = invoices::store::refunds(tx.conn(), self.site(), ids.iter().cloned().collect()).await?;
        let unknown = ids.iter().filter(|id| known.iter().all(|(known, _)| known != *id));
        self.hear(tx, unknown.map(|id| ("invoice", id.as_str())).collect()).await
    }

    /// Stripe has no such subscription, as in test mode once its data was deleted: it pays for nothing any more.
    async fn gone(&self) -> Result<()> {
        let (site, now) = (self.site(), self.now());
        let known = subscriptions::store::by_external(self.app.db.read(), site, &self.dirty.object).await?;
        let member = known.map(|known| known.member_id);
        let mut tx = self.app.db.begin().await?;
        self.holds(&mut tx, member.as_ref()).await?;
        store::no_stray(tx.conn(), site, &self.dirty.object).await?;
        if let Some(before) = subscriptions::store::by_external(tx.conn(), site, &self.dirty.object).await? {
            if Some(&before.member_id) != member.as_ref() {
                return Ok(());
            }
            let ended = before.ended_at.unwrap_or(now);
            let after = Subscription {
                status: SubscriptionStatus::Canceled,
                ended_at: Some(ended),
                period_end: Some(before.period_end.map_or(ended, |end| end.min(ended))),
                ticket: self.ticket,
                synced_at: Some(now),
                ..before.clone()
            };
            self.write(&mut tx, Some(before), after, None).await?;
        }
        self.end(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// Keeps what Stripe says of a subscription whose member is held; gives whether nobody was known for it before.
    async fn keep(
        &self,
        tx: &mut Tx,
        before: Option<Subscription>,
        view: &views::Subscription,
        paid: Option<&Paid>,
        link: Link,
    ) -> Result<bool> {
        let site = self.site();
        let was_stray = store::no_stray(tx.conn(), site, &view.id).await? > 0;
        // Whoever claims a subscription, by what anybody can write into an address, does not get all that its payer buys.
        if let Some(customer) = view.customer_id()
            && store::claimant(tx.conn(), site, &view.id).await?.is_none()
        {
            store::link(tx.conn(), site, customer, &link.member, self.now()).await?;
        }
        let after = seen(&self.app.clock, self.ticket, before.as_ref(), view, paid, link);
        let id = after.id.clone();
        self.write(tx, before, after, paid).await?;
        if !view.status.is_terminal() {
            subscriptions::cancel_again(tx, self.app, site, &id).await?;
        }
        Ok(was_stray)
    }

    /// Writes a subscription, and what was paid for it where that was read, unless what is there was read later; and what
    /// comes of it for its member.
    pub(super) async fn write(
        &self,
        tx: &mut Tx,
        before: Option<Subscription>,
        after: Subscription,
        paid: Option<&Paid>,
    ) -> Result<()> {
        let (site, now) = (self.site(), self.now());
        let mut after = after;
        if let Some(before) = &before {
            let same = Subscription {
                synced_at: before.synced_at,
                ticket: before.ticket,
                updated_at: before.updated_at,
                ..after.clone()
            };
            if same != *before {
                after.updated_at = now;
            }
            if subscriptions::store::update(tx.conn(), site, &after).await? == 0 {
                return Ok(());
            }
            let is_paid_anew = self.write_spans(tx, &after, paid).await?;
            if same == *before {
                return self.passed(tx, &after, is_paid_anew).await;
            }
        } else if subscriptions::store::insert(tx.conn(), site, &after).await? == 0 {
            return Ok(());
        } else {
            self.write_spans(tx, &after, paid).await?;
        }
        let change = match &before {
            Some(before) => Change::updated("subscription", after.id.as_str(), before.json(), after.json()),
            None => Change::created("subscription", after.id.as_str(), after.json()),
        };
        let mut changes = vec![change];
        changes.extend(self.recount(tx, &after.member_id).await?);
        self.record(tx, "subscription", Some(&after.member_id), &changes).await?;
        let went_on = before.as_ref().is_some_and(Subscription::goes_on);
        if after.goes_on() && !went_on {
            self.alarm_of_two(tx, &after).await?;
        }
        Ok(())
    }

    async fn write_spans(&self, tx: &mut Tx, one: &Subscription, paid: Option<&Paid>) -> Result<bool> {
        let Some(paid) = paid else { return Ok(false) };
        Ok(subscriptions::store::write_spans(tx.conn(), self.site(), &one.id, &paid.spans).await?)
    }

    /// Nothing has changed but the time, by which what was paid may have ended, or what was paid for.
    async fn passed(&self, tx: &mut Tx, one: &Subscription, is_paid_anew: bool) -> Result<()> {
        use SubscriptionStatus::{Active, Trialing};
        if matches!(one.status, Active | Trialing) && one.refunded_at.is_none() && !is_paid_anew {
            return Ok(());
        }
        let changes: Vec<_> = self.recount(tx, &one.member_id).await?.into_iter().collect();
        self.record(tx, "subscription", Some(&one.member_id), &changes).await
    }

    /// Writes whether a member pays; what changed by it.
    pub(super) async fn recount(&self, tx: &mut Tx, member: &MemberId) -> Result<Option<Change>> {
        let (site, now) = (self.site(), self.now());
        let before = members::store::by_id(tx.conn(), site, member).await?;
        access::recount(tx.conn(), site, member, now).await?;
        let after = members::store::by_id(tx.conn(), site, member).await?;
        Ok(match (before, after) {
            (Some(before), Some(after)) if before != after => {
                Some(Change::updated("member", member.as_str(), before.json(), after.json()))
            }
            _ => None,
        })
    }

    /// Says in the log that a member pays twice.
    async fn alarm_of_two(&self, tx: &mut Tx, new: &Subscription) -> Result<()> {
        let paying = subscriptions::paying(tx.conn(), self.site(), &new.member_id).await?;
        let Some(change) = subscriptions::alarm_of_two(self.site(), &new.member_id, &paying) else { return Ok(()) };
        self.record(tx, "twoLiveSubscriptions", Some(&new.member_id), &[change]).await
    }
}

/// What Stripe says of a subscription, as it is kept: the one way from its words to a row.
pub(in crate::areas::billing) fn seen(
    clock: &Clock,
    ticket: i64,
    before: Option<&Subscription>,
    view: &views::Subscription,
    paid: Option<&Paid>,
    link: Link,
) -> Subscription {
    let now = clock.now();
    let is_paused = view.pause_collection.is_some() && !view.status.is_terminal();
    let status = match SubscriptionStatus::stored(view.status.as_str()) {
        Some(_) if is_paused => SubscriptionStatus::Paused,
        Some(status) => status,
        // A word that Stripe has learned since opens nothing; it closes nothing either that was open.
        None => before.map_or(SubscriptionStatus::Unknown, |before| before.status),
    };
    let period = view.current_period();
    let ended_at = view.ended_at.map(time);
    let period_end = match (period.map(|period| time(period.end)), ended_at) {
        (Some(end), Some(ended)) => Some(end.min(ended)),
        (end, ended) => end.or(ended),
    };
    let period_start = period.map(|period| time(period.start));
    // While nothing is collected Stripe's periods go on; what was paid ends where it ended.
    let (period_start, period_end) = match (paid.and_then(Paid::last), before) {
        (Some(last), _) if is_paused => {
            (Some(last.starts_at), Some(period_end.map_or(last.ends_at, |end| end.min(last.ends_at))))
        }
        (None, Some(before)) if is_paused => (before.period_start, before.period_end.min(period_end).or(period_end)),
        _ => (period_start, period_end),
    };
    let wanted = before.and_then(|before| before.wanted).filter(|wanted| match wanted {
        _ if view.status.is_terminal() => false,
        // What was cancelled here must not live again, whenever it is seen alive.
        Wanted::Canceled => true,
        Wanted::Ending => !view.cancel_at_period_end && view.cancel_at.is_none(),
        Wanted::Paused => status != SubscriptionStatus::Paused,
        Wanted::Active => status == SubscriptionStatus::Paused || view.cancel_at_period_end || view.cancel_at.is_some(),
    });
    let before_refund = before.and_then(|before| before.refunded_at).zip(before.map(|before| before.refunded_until));
    let refund = match paid.map(|paid| paid.returned(now)) {
        Some(Some(until)) => before_refund.filter(|(_, known)| *known == Some(until)).or(Some((now, Some(until)))),
        // It was paid again, or giving it back has failed. What is over by itself stays told.
        Some(None) => before_refund.filter(|(_, until)| until.is_some_and(|until| until <= now)),
        None => before_refund,
    };
    Subscription {
        id: before.map_or_else(|| clock.id(), |before| before.id.clone()),
        member_id: link.member,
        plan_id: link.items[0].plan_id.clone(),
        items: link.items,
        status,
        source: "stripe".into(),
        started_at: view.start_date.or(view.created).map_or(now, time),
        period_start,
        period_end,
        trial_end: view.trial_end.map(time),
        past_due_since: match status {
            SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid => {
                let since = paid.and_then(Paid::overdue_since);
                let since = since.or_else(|| before.and_then(|before| before.past_due_since));
                Some(since.or(period_start).unwrap_or(now))
            }
            _ => None,
        },
        needs_card: view.status == views::SubscriptionStatus::Paused
            && view.pause_collection.is_none()
            && view.trial_end.is_some_and(|end| period.is_none_or(|period| period.end <= end)),
        resumes_at: view.pause_collection.as_ref().and_then(|pause| pause.resumes_at).map(time),
        cancel_at: match view.cancel_at {
            Some(at) => Some(time(at)),
            None => period.filter(|_| view.cancel_at_period_end).map(|period| time(period.end)),
        },
        canceled_at: view.canceled_at.map(time),
        ended_at,
        refunded_at: refund.map(|(at, _)| at),
        refunded_until: refund.and_then(|(_, until)| until),
        wanted,
        external_id: Some(view.id.clone()),
        customer_id: view.customer_id().map(str::to_owned),
        reference: None,
        synced_at: Some(now),
        created_at: before.map_or(now, |before| before.created_at),
        updated_at: before.map_or(now, |before| before.updated_at),
        payment_intent: None,
        resume_wanted: before.and_then(|before| before.resume_wanted),
        ticket,
    }
}
