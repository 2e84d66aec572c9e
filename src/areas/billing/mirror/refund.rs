//! What was given back: from a charge to the invoice that it paid, or to what was paid once and for all.

use usher_db::Tx;
use usher_stripe::{
    requests::{charges, invoice_payments},
    views::{Charge, Ref},
};

use super::{Reader, Result, store, there, time};
use crate::areas::{
    payments::{self, store::SalePayment},
    subscriptions::{self, Subscription},
};

impl Reader<'_> {
    /// Keeps what was paid once without an invoice.
    async fn sold_once(&self, tx: &mut Tx, once: &Subscription, (intent, charge): (&str, &Charge)) -> Result<()> {
        if charge.status.as_deref() != Some("succeeded") {
            return Ok(());
        }
        let currency = charge.currency.as_deref().unwrap_or_default().to_ascii_uppercase();
        let sale = SalePayment {
            subscription: &once.id,
            intent,
            amount: charge.amount,
            amount_refunded: charge.amount_refunded,
            currency: &currency,
            paid_at: charge.created.map_or_else(|| self.now(), time),
            ticket: self.ticket,
        };
        payments::store::write_sale(tx.conn(), self.site(), &sale).await?;
        Ok(())
    }

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
        let once = match intent {
            Some(intent) => subscriptions::store::by_payment(self.app.db.read(), site, intent).await?,
            None => None,
        };
        let member = once.map(|once| once.member_id);
        let mut tx = self.app.db.begin().await?;
        if let (true, Some(intent), Some(charge)) = (self.holds(&mut tx, member.as_ref()).await?, intent, &charge)
            && let Some(once) = subscriptions::store::by_payment(tx.conn(), site, intent).await?
        {
            if Some(&once.member_id) != member.as_ref() {
                // It has got another member meanwhile; it stays to be read.
                return Ok(());
            }
            let is_refunded = charge.amount > 0 && charge.amount_refunded >= charge.amount;
            let at = is_refunded.then(|| self.now());
            // A try that was declined says nothing of the one that paid.
            let is_news = once.refunded_at.is_some() != is_refunded && charge.status.as_deref() != Some("failed");
            if is_news && store::refund_once(tx.conn(), site, &once.id, at, self.now(), self.ticket).await? == 1 {
                let changes = self.refund_shown(&mut tx, &once).await?;
                self.record(&mut tx, "refund", Some(&once.member_id), &changes).await?;
            }
            if paid.is_empty() {
                self.sold_once(&mut tx, &once, (intent, charge)).await?;
            }
        }
        self.end(&mut tx).await?;
        self.hear(&mut tx, paid.iter().map(|invoice| ("invoice", invoice.as_str())).collect()).await?;
        Ok(tx.commit().await?)
    }
}
