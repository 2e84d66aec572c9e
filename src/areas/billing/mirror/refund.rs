//! What was given back: from a charge to the invoice that it paid, or to what was paid once and for all.

use usher_stripe::{
    requests::{charges, invoice_payments},
    views::Ref,
};

use super::{Reader, Result, store, there};
use crate::areas::{
    billing::store::{Mark, mark},
    subscriptions,
};

impl Reader<'_> {
    pub(super) async fn charge(&self) -> Result<()> {
        let site = self.site();
        let charge = there(self.client.read(&charges::get_one(&self.dirty.object)).await)?;
        let intent = charge.as_ref().and_then(|charge| charge.payment_intent.as_ref()).map(Ref::id);
        let mut paid: Vec<String> =
            charge.iter().filter_map(|charge| charge.invoice.as_ref()).map(|invoice| invoice.id().to_owned()).collect();
        if let Some(intent) = intent.filter(|_| paid.is_empty()) {
            let payments = self.client.read(&invoice_payments::of_intent(intent)).await?.value;
            paid.extend(
                payments
                    .data
                    .iter()
                    .filter_map(|payment| payment.invoice.as_ref())
                    .map(|invoice| invoice.id().to_owned()),
            );
        }
        let mut tx = self.app.db.begin().await?;
        let event = self.dirty.event_id.as_deref().zip(self.dirty.event_type.as_deref());
        for invoice in &paid {
            let heard = Mark { kind: "invoice", object: invoice, source: &self.dirty.source, event };
            mark(tx.conn(), site, &heard, self.now()).await?;
        }
        let is_refunded =
            charge.as_ref().is_some_and(|charge| charge.amount > 0 && charge.amount_refunded >= charge.amount);
        if let Some(intent) = intent.filter(|_| is_refunded)
            && let Some(once) = subscriptions::store::by_payment(tx.conn(), site, intent).await?
            && store::hold_member(tx.conn(), site, &once.member_id).await?
        {
            let changes = self.refunded(&mut tx, &once, None).await?;
            self.record(&mut tx, "refund", Some(&once.member_id), &changes).await?;
        }
        self.end(&mut tx).await?;
        Ok(tx.commit().await?)
    }
}
