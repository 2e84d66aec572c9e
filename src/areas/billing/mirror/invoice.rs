//! Invoices, as Stripe says them.

use std::time::Duration;

use usher_db::{Change, Tx};
use usher_stripe::{
    Pager,
    requests::{invoice_payments, invoices as ask},
    views,
};

use super::{Reader, Result, store, there, time};
use crate::{
    areas::{
        invoices::{self, Invoice, InvoiceStatus, Line},
        subscriptions::{self, PaidSpan, Subscription},
    },
    values::{InvoiceId, MemberId},
};

/// The lines of an invoice that are kept.
const MAX_LINES: usize = 100;

/// The pages of lines that are read of an invoice, of 100 lines each.
const MAX_PAGES: u32 = 20;

/// The time between two of them.
const PAUSE: Duration = Duration::from_millis(50);

impl Reader<'_> {
    pub(super) async fn invoice(&self) -> Result<()> {
        let view = there(self.client.read(&ask::get(&self.dirty.object)).await)?;
        // A draft that was deleted leaves nothing.
        let Some(mut view) = view else {
            let mut tx = self.app.db.begin().await?;
            self.end(&mut tx).await?;
            return Ok(tx.commit().await?);
        };
        self.complete_lines(&mut view).await?;
        let refunded = match view.refunded() {
            Some(refunded) => refunded,
            None if view.amount_paid > 0 => {
                let payments = self.client.read(&invoice_payments::of_invoice(&view.id)).await?;
                views::refunded(&payments.value.data).unwrap_or_default()
            }
            None => 0,
        };
        let site = self.site();
        // What it pays for is known before it: a refund is a fact about that.
        let external = view.subscription_id();
        if let Some(id) = external
            && subscriptions::store::by_external(self.app.db.read(), site, id).await?.is_none()
        {
            self.subscription_first(id).await?;
        }
        let known = match external {
            Some(id) => subscriptions::store::by_external(self.app.db.read(), site, id).await?,
            None => None,
        };
        let member = match known {
            Some(known) => Some(known.member_id),
            None => self.whose(view.customer_id(), &view.metadata).await?.member,
        };
        let mut tx = self.app.db.begin().await?;
        let stays = self.holds(&mut tx, member.as_ref()).await?;
        let subscription = match external {
            Some(id) => subscriptions::store::by_external(tx.conn(), site, id).await?,
            None => None,
        };
        if subscription.as_ref().is_some_and(|one| Some(&one.member_id) != member.as_ref()) {
            // It has got another member meanwhile; it stays to be read.
            return Ok(());
        }
        let before = invoices::store::by_external(tx.conn(), site, &view.id).await?;
        let after = self.billed(before.as_ref(), &view, refunded, (member, stays), subscription.as_ref());
        let mut is_news = false;
        if invoices::store::write(tx.conn(), site, &after).await? == 1 {
            is_news = self.invoiced(&mut tx, before, &after).await?;
            if stays {
                self.pays_as(&mut tx, view.customer_id(), view.customer_email.as_deref().map(String::as_str)).await?;
            }
        }
        let n_disputes = match (external, &subscription) {
            (Some(id), Some(_)) => store::disputed_of(tx.conn(), site, &view.id, id).await?,
            _ => 0,
        };
        // What it says of what was paid is a fact about its subscription, which is read with all its invoices.
        let is_told = match &subscription {
            Some(_) if n_disputes > 0 => false,
            Some(subscription) if is_news && stays => self.is_counted(&mut tx, subscription, &view, refunded).await?,
            _ => true,
        };
        self.end(&mut tx).await?;
        let about = external.filter(|_| !is_told);
        self.hear(&mut tx, about.map(|id| ("subscription", id)).into_iter().collect()).await?;
        Ok(tx.commit().await?)
    }

    /// Reads all lines of an invoice, which itself has only the first: what was paid for the next period is on the last ones,
    /// behind what makes up for changes.
    pub(super) async fn complete_lines(&self, view: &mut views::Invoice) -> Result<()> {
        if !view.lines.has_more {
            return Ok(());
        }
        let mut pager = Pager::new(ask::lines(&view.id), PAUSE, MAX_PAGES);
        let mut lines = Vec::new();
        while let Some(page) = pager.next(self.client).await? {
            lines.extend(page.value.data);
        }
        view.lines = views::List { data: lines, has_more: false };
        Ok(())
    }

    /// Whether what an invoice says is counted with its subscription already: it is no bill yet, or what was paid and given
    /// back is known.
    async fn is_counted(
        &self,
        tx: &mut Tx,
        subscription: &Subscription,
        view: &views::Invoice,
        refunded: i64,
    ) -> Result<bool> {
        if view.status == Some(views::InvoiceStatus::Draft) {
            return Ok(true);
        }
        let lost: i64 = match self.do_lost_disputes_end_access(tx.conn()).await? {
            true => {
                store::lost(tx.conn(), self.site(), vec![view.id.clone()]).await?.iter().map(|(_, lost)| lost).sum()
            }
            false => 0,
        };
        let counted = (view.amount_paid, refunded + lost);
        let spans = subscriptions::store::spans(tx.conn(), self.site(), &subscription.id).await?;
        let same = |span: &PaidSpan| span.invoice == view.id && (span.paid, span.refunded) == counted;
        Ok(spans.iter().any(same))
    }

    fn billed(
        &self,
        before: Option<&Invoice>,
        view: &views::Invoice,
        refunded: i64,
        (member, stays): (Option<MemberId>, bool),
        subscription: Option<&Subscription>,
    ) -> Invoice {
        let lines = view.lines.data.iter().take(MAX_LINES).map(|line| Line {
            description: line.description.clone(),
            amount: line.amount,
            quantity: line.quantity,
            period_start: line.period.map(|period| time(period.start)),
            period_end: line.period.map(|period| time(period.end)),
        });
        let lines: Vec<_> = lines.collect();
        // The period of an invoice itself is that before it; what it pays for is on its lines.
        let paid_for = lines.iter().filter(|line| line.amount >= 0);
        let period_end = paid_for.clone().filter_map(|line| line.period_end).max();
        let period_start = paid_for.filter_map(|line| line.period_start).max();
        let status = view.status.as_ref().and_then(|status| InvoiceStatus::stored(status.as_str()));
        // Its pages show a name and an address, so they are kept only of a member who stays.
        let url =
            |url: &Option<usher_stripe::Private<String>>| url.as_ref().filter(|_| stays).map(|url| url.to_string());
        Invoice {
            id: before.map_or_else(|| id_of(&view.id, view.created), |before| before.id.clone()),
            member_id: before.and_then(|before| before.member_id.clone()).or(member),
            subscription_id: before
                .and_then(|before| before.subscription_id.clone())
                .or(subscription.map(|one| one.id.clone())),
            number: view.number.clone(),
            status: status.or(before.map(|before| before.status)).unwrap_or(InvoiceStatus::Draft),
            currency: view.currency.clone().unwrap_or_default().to_ascii_uppercase(),
            subtotal: view.subtotal,
            tax: view.tax(),
            total: view.total,
            amount_due: view.amount_due,
            amount_paid: view.amount_paid,
            amount_refunded: refunded,
            lines,
            hosted_url: url(&view.hosted_invoice_url),
            pdf_url: url(&view.invoice_pdf),
            period_start,
            period_end,
            paid_at: view.paid_at().map(time),
            external_id: view.id.clone(),
            customer_id: view.customer_id().map(str::to_owned),
            created_at: time(view.created),
            synced_at: self.now(),
            ticket: self.ticket,
        }
    }

    /// Writes what is new of an invoice into the log; gives whether anything is.
    async fn invoiced(&self, tx: &mut Tx, before: Option<Invoice>, after: &Invoice) -> Result<bool> {
        let same = |before: &Invoice| {
            Invoice { synced_at: before.synced_at, ticket: before.ticket, ..after.clone() } == *before
        };
        if before.as_ref().is_some_and(same) {
            return Ok(false);
        }
        let changes = [match &before {
            Some(before) => Change::updated("invoice", after.id.as_str(), before.json(), after.json()),
            None => Change::created("invoice", after.id.as_str(), after.json()),
        }];
        self.record(tx, "invoice", after.member_id.as_ref(), &changes).await?;
        Ok(true)
    }

    /// What changed by a refund.
    pub(super) async fn refund_shown(&self, tx: &mut Tx, before: &Subscription) -> Result<Vec<Change>> {
        let after = subscriptions::store::by_id(tx.conn(), self.site(), &before.id).await?;
        let mut changes = Vec::new();
        if let Some(after) = after {
            changes.push(Change::updated("subscription", after.id.as_str(), before.json(), after.json()));
        }
        changes.extend(self.recount(tx, &before.member_id).await?);
        Ok(changes)
    }
}

/// The id of an invoice: made of the second in which Stripe made it and of Stripe's id, so that newer ones have greater
/// ids whenever they are first seen, and each has the same one whoever sees it first.
fn id_of(external: &str, created: i64) -> InvoiceId {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(external.as_bytes());
    let mut random = [0; 10];
    random.copy_from_slice(&digest[..10]);
    let millis = u64::try_from(created).unwrap_or_default().saturating_mul(1000);
    InvoiceId::of(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_invoices_are_in_the_order_in_which_stripe_made_them() {
        let (first, second) = (id_of("in_2", 1_700_000_000), id_of("in_1", 1_700_000_001));
        assert!(first.as_str() < second.as_str());
        assert_eq!(first, id_of("in_2", 1_700_000_000));
        assert_ne!(id_of("in_1", 1_700_000_000), first);
    }
}
