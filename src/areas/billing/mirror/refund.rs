//! What was given back, or taken back by the customer's bank: from a charge to the invoice that it paid, or to what was paid
//! once and for all.

use usher_db::{Change, Conn, Tx};
use usher_stripe::{
    Kind,
    requests::{charges, disputes, invoice_payments},
    views::{Charge, Dispute, Ref},
};

use super::{Reader, Result, store, there, time};
use crate::{
    areas::{
        invoices,
        payments::{self, store::SalePayment},
        sites,
        subscriptions::{self, Subscription},
    },
    values::MemberId,
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
        let disputes = match &charge {
            Some(charge) if charge.disputed => self.disputes(&charge.id).await?,
            _ => Vec::new(),
        };
        let once = match intent {
            Some(intent) => subscriptions::store::by_payment(self.app.db.read(), site, intent).await?,
            None => None,
        };
        let bought = self.bought(once.as_ref(), paid.first().map(String::as_str)).await?;
        let member = once.or(bought).map(|one| one.member_id);
        let mut tx = self.app.db.begin().await?;
        if let (true, Some(intent), Some(charge)) = (self.holds(&mut tx, member.as_ref()).await?, intent, &charge)
            && let Some(once) = subscriptions::store::by_payment(tx.conn(), site, intent).await?
        {
            if Some(&once.member_id) != member.as_ref() {
                // It has got another member meanwhile; it stays to be read.
                return Ok(());
            }
            let is_lost = disputes.iter().any(Dispute::is_lost) && self.do_lost_disputes_end_access(tx.conn()).await?;
            let is_refunded = charge.amount > 0 && (charge.amount_refunded >= charge.amount || is_lost);
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
        let heard =
            self.disputed(&mut tx, &disputes, (intent, paid.first().map(String::as_str)), member.as_ref()).await?;
        self.end(&mut tx).await?;
        let invoices = paid.iter().map(|invoice| ("invoice", invoice.as_str()));
        let subscriptions = heard.iter().map(|external| ("subscription", external.as_str()));
        self.hear(&mut tx, invoices.chain(subscriptions).collect()).await?;
        Ok(tx.commit().await?)
    }

    /// The disputes of a charge. A key that may not read them, as those that were made before they counted, has none.
    async fn disputes(&self, charge: &str) -> Result<Vec<Dispute>> {
        match self.client.read(&disputes::of_charge(charge)).await {
            Ok(answer) => Ok(answer.value.data),
            Err(error) if matches!(error.kind(), Kind::Missing | Kind::Refused | Kind::Permission) => {
                tracing::warn!(site = %self.site(), charge, %error, "disputes cannot be read; see `usher stripe check`");
                Ok(Vec::new())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What a charge paid for, if it is known: once, or with an invoice.
    async fn bought(&self, once: Option<&Subscription>, invoice: Option<&str>) -> Result<Option<Subscription>> {
        let (db, site) = (self.app.db.read(), self.site());
        let Some(invoice) = invoice.filter(|_| once.is_none()) else { return Ok(None) };
        let invoice = invoices::store::by_external(self.app.db.read(), site, invoice).await?;
        match invoice.and_then(|invoice| invoice.subscription_id) {
            Some(id) => Ok(subscriptions::store::by_id(db, site, &id).await?),
            None => Ok(None),
        }
    }

    /// Writes disputes, and what is new of them into the log; gives the subscriptions at Stripe that are to be read since.
    async fn disputed(
        &self,
        tx: &mut Tx,
        disputes: &[Dispute],
        (intent, invoice): (Option<&str>, Option<&str>),
        member: Option<&MemberId>,
    ) -> Result<Vec<String>> {
        if disputes.is_empty() {
            return Ok(Vec::new());
        }
        let (site, now) = (self.site(), self.now());
        let once = match intent {
            Some(intent) => subscriptions::store::by_payment(tx.conn(), site, intent).await?,
            None => None,
        };
        let subscription = match invoice {
            Some(invoice) => match invoices::store::by_external(tx.conn(), site, invoice).await? {
                Some(invoice) => invoice.subscription_id,
                None => None,
            },
            None => None,
        };
        let subscription = match subscription {
            Some(id) => subscriptions::store::by_id(tx.conn(), site, &id).await?,
            None => None,
        };
        let paid_for = once.or(subscription).and_then(|one| one.external_id);
        let (mut changes, mut heard) = (Vec::new(), Vec::new());
        for dispute in disputes {
            let known = store::dispute(tx.conn(), site, &dispute.id).await?;
            let status = dispute.status.as_deref().unwrap_or_default();
            // It may have been read before what it is about.
            let same = |(stood, of): &(String, Option<String>)| stood == status && (of.is_some() || paid_for.is_none());
            if known.as_ref().is_some_and(same) {
                continue;
            }
            let row = store::DisputeRow { dispute, status, invoice, paid_for: paid_for.as_deref() };
            store::write_dispute(tx.conn(), site, &row, dispute.created.map_or(now, time)).await?;
            let json = |status: &str| {
                serde_json::json!({
                    "status": status, "amount": dispute.amount, "currency": dispute.currency, "reason": dispute.reason,
                    "invoice": invoice, "paidFor": paid_for,
                })
            };
            changes.push(match known {
                Some((stood, _)) => Change::updated("dispute", &dispute.id, json(&stood), json(status)),
                None => Change::created("dispute", &dispute.id, json(status)),
            });
            heard.extend(paid_for.clone().filter(|id| id.starts_with("sub_")));
        }
        self.record(tx, "dispute", member, &changes).await?;
        heard.dedup();
        Ok(heard)
    }

    /// What the site's owner has chosen.
    pub(super) async fn do_lost_disputes_end_access(&self, conn: Conn<'_>) -> Result<bool> {
        let site = sites::store::get(conn, self.site()).await?;
        Ok(site.is_some_and(|site| site.settings.lost_disputes_end_access))
    }
}
