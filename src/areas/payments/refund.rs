//! Giving back what was paid on an invoice: the call, and the job that does it at Stripe.
//!
//! The amount is settled when the call is accepted. The job finds the payment of the invoice, and sends one refund with the
//! job's name in its metadata, by which it is found again where a response was lost. It ends once the mirror has read
//! the invoice, so that who waits for its end sees what is left.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::json;
use usher_db::Tx;
use usher_jobs::{Fail, Job, JobRow, Queue, Run};
use usher_stripe::{
    Client, Error as StripeError, Request, StoredRequest,
    requests::{
        invoice_payments,
        refunds::{self, NewRefund, Refunded},
    },
    views::{self, InvoicePayment},
};

use super::{actions, store};
use crate::{
    app::App,
    areas::{
        billing::{
            self,
            job::{read_now, to_read, would_call},
            outbox::{MAX_ATTEMPTS, Outbox, Step, search},
            store::Mark,
        },
        invoices::{self, Invoice, InvoiceRef},
        plans::OP,
        subscriptions,
    },
    error::{Code, Result},
    gate::Cx,
    values::{InvoiceId, JobId, SiteId},
};

/// Gives back what was paid on an invoice, or a part of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refund {
    /// Of which invoice.
    pub invoice: InvoiceId,
    /// How much, in minor units of its currency.
    pub amount: i64,
}

impl Job for Refund {
    const KIND: &'static str = "payments.refund";
    const QUEUE: Queue = Queue::Fast;
    const MAX_ATTEMPTS: u32 = MAX_ATTEMPTS;
    const TIMEOUT: Duration = Duration::from_secs(10 * 60);
}

/// A refund that was accepted.
pub struct AcceptedRefund {
    pub invoice: Invoice,
    pub amount: i64,
    /// What can be refunded besides.
    pub left: i64,
    pub job: JobRow,
}

/// Accepts a refund.
pub async fn accept(cx: &mut Cx, which: &InvoiceRef, asked: Option<i64>) -> Result<AcceptedRefund> {
    let invoice = actions::hold(cx, which).await?;
    let left = actions::left(cx, &invoice).await?;
    let amount = actions::amount(&invoice, asked, left)?;
    billing::job::may_write(cx).await?;
    let job = cx.enqueue(&Refund { invoice: invoice.id.clone(), amount }).await?;
    let id = JobId::parse(&job.id).map_err(crate::error::Error::internal)?;
    let (site, now) = (cx.site(), cx.now);
    store::insert_refund(cx.conn(), site, &id, &invoice.id, amount, now).await?;
    let about = json!({ "invoice": invoice.id, "amount": amount, "currency": invoice.currency, "left": left - amount });
    would_call(cx, invoice.id.as_str(), "POST /v1/refunds", about);
    Ok(AcceptedRefund { invoice, amount, left: left - amount, job })
}

/// Applies [`Refund`].
pub async fn refund(app: &App, job: Refund, run: &Run) -> std::result::Result<(), Fail> {
    let site = SiteId::new(run.site);
    let invoice = invoices::store::by_id(app.db.read(), site, &job.invoice).await?;
    let invoice = invoice.ok_or_else(|| Fail::fatal(Code::InvoiceNotFound.name(), "The invoice is gone."))?;
    let mut outbox = Outbox::open(app, run, 1);
    let id = outbox.job()?;
    let of = match outbox.may_have_sent::<GiveBack<'_>>() {
        true => None,
        false => Some(choose(&mut outbox, &invoice, job.amount).await?),
    };
    let step = GiveBack { app, site, job: &id, invoice: &invoice, of, amount: job.amount };
    let made = outbox.make(&step).await?;
    let (connection, client) = to_read(app, site).await?;
    read_now(app, run, (&connection, &client), ("invoice", &invoice.external_id)).await?;
    // What was given back may end what it was paid for, which whoever has waited for the job sees.
    let paid_for = match &invoice.subscription_id {
        Some(id) => subscriptions::store::by_id(app.db.read(), site, id).await?.and_then(|one| one.external_id),
        None => None,
    };
    if let Some(external) = paid_for.filter(|id| !id.starts_with("cs_")) {
        read_now(app, run, (&connection, &client), ("subscription", &external)).await?;
    }
    let mut tx = app.db.begin().await?;
    let now = invoices::store::by_id(tx.conn(), site, &invoice.id).await?.unwrap_or(invoice);
    let result = json!({
        "invoice": now.id, "amount": job.amount, "currency": now.currency, "refundId": made.id, "status": made.status,
        "amountPaid": now.amount_paid, "amountRefunded": now.amount_refunded,
    });
    run.finish(&mut tx, &result, &json!({ "total": 1, "done": 1 })).await?;
    tx.commit().await?;
    Ok(())
}

/// What paid an invoice.
enum PaidWith {
    Intent(String),
    Charge(String),
}

impl PaidWith {
    /// What a payment was made with, if it has so much left to give back.
    fn of(payment: &InvoicePayment, amount: i64) -> Option<Self> {
        let charge = payment.charge()?;
        if payment.status.as_deref() != Some("paid") || charge.amount - charge.amount_refunded < amount {
            return None;
        }
        let intent = payment.payment_intent_id().map(|intent| Self::Intent(intent.to_owned()));
        intent.or_else(|| Some(Self::Charge(charge.id.clone())))
    }
}

/// The payment of an invoice that has so much left.
async fn choose(outbox: &mut Outbox<'_>, invoice: &Invoice, amount: i64) -> std::result::Result<PaidWith, Fail> {
    let client = outbox.client().await?;
    let payments = match client.read(&invoice_payments::of_invoice(&invoice.external_id)).await {
        Ok(answer) => answer.value.data,
        Err(error) => return Err(outbox.failed(error).await),
    };
    payments.iter().find_map(|payment| PaidWith::of(payment, amount)).ok_or_else(|| {
        let text = "No single payment of this invoice at Stripe has so much left to refund: it was refunded meanwhile, was \
                    paid outside Stripe, or was paid in parts. Refund less, or refund it in the Stripe dashboard.";
        Fail::fatal(Code::RefundTooLarge.name(), text)
    })
}

/// The one refund of a job.
struct GiveBack<'a> {
    app: &'a App,
    site: SiteId,
    job: &'a JobId,
    invoice: &'a Invoice,
    /// Not known any more once it was sent: what was sent says it.
    of: Option<PaidWith>,
    amount: i64,
}

/// What is kept of a refund.
#[derive(Serialize, Deserialize)]
struct RefundMade {
    id: String,
    status: Option<String>,
}

impl Step for GiveBack<'_> {
    const NAME: &'static str = "refund";
    type View = views::Refund;
    type Made = RefundMade;

    fn request(&self, op: &str) -> Request<views::Refund> {
        let of = match &self.of {
            Some(PaidWith::Intent(intent)) => Refunded::Intent(intent),
            Some(PaidWith::Charge(charge)) => Refunded::Charge(charge),
            None => Refunded::Intent(""),
        };
        let metadata = BTreeMap::from([(OP.to_owned(), op.to_owned())]);
        refunds::create(&NewRefund { of, amount: self.amount, metadata: &metadata })
    }

    async fn find(
        &self,
        client: &Client,
        op: &str,
        sent: &StoredRequest,
    ) -> std::result::Result<Option<views::Refund>, StripeError> {
        let list = match sent.parameter("payment_intent") {
            Some(intent) => refunds::of_intent(&intent),
            None => refunds::of_charge(&sent.parameter("charge").unwrap_or_default()),
        };
        search(client, list, |one| one.metadata.get(OP).is_some_and(|known| known == op)).await
    }

    fn made(&self, view: views::Refund) -> RefundMade {
        RefundMade { id: view.id, status: view.status }
    }

    async fn keep(&self, tx: &mut Tx, made: &RefundMade) -> usher_db::Result<std::result::Result<(), Fail>> {
        store::refund_made(tx.conn(), self.site, self.job, &made.id).await?;
        let heard = Mark { kind: "invoice", object: &self.invoice.external_id, source: "write", event: None };
        billing::store::mark(tx.conn(), self.site, &heard, self.app.clock.now()).await?;
        billing::wake(tx, self.app, self.site).await?;
        Ok(Ok(()))
    }
}
