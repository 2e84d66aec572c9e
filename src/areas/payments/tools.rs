use poem_openapi::Object;

use super::{
    actions, refund,
    store::{PaymentCursor, PaymentFilter},
    types::Payment,
};
use crate::{
    areas::{
        invoices::{self, InvoiceRef},
        jobs::JobView,
        members::MemberRef,
    },
    error::Result,
    gate::Cx,
    paging::{Cursor, LAST, default_limit},
    tools::{Access, Area, Risk, Scope, Tool, tools},
    values::{Beginning, End, InvoiceId, Moment, SubscriptionId, Time},
};

/// The tools of payments.
pub const AREA: Area = Area {
    name: "payments",
    about: "What members have paid at Stripe, and giving it back.",
    tools: tools![ListPayments, RefundPayment],
};

/// The list has one order, newest first.
const ORDER: &str = "-paidAt";

/// A page of payments.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct PaymentPage {
    /// Newest first.
    items: Vec<Payment>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// List payments
///
/// What was paid at Stripe, newest first: of invoices, and of what was paid once without an invoice. It is read from
/// Usher's mirror, which follows Stripe within seconds. What is paid elsewhere (`subscriptions.recordExternal`) is not in
/// it. Amounts are in the currency's smallest unit, as `invoices.list` describes.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListPayments {
    /// Only this member's. By `id` also of one who was deleted, whose invoices stay.
    member: Option<MemberRef>,
    /// Only those for this subscription.
    subscription: Option<SubscriptionId>,
    /// Only what was paid then or later.
    paid_from: Option<Moment<Beginning>>,
    /// Only what was paid before then.
    paid_until: Option<Moment<End>>,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for ListPayments {
    const NAME: &'static str = "payments.list";
    const ACCESS: Access = Access::read(Scope::InvoicesRead);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"},"paidFrom":"2026-01-01T00:00:00Z"}"#;
    type Output = PaymentPage;

    async fn run(self, cx: &mut Cx) -> Result<PaymentPage> {
        let first = PaymentCursor { paid_at: Time::MAX, key: LAST.into() };
        let after = match Cursor::decode::<2>(self.cursor.as_deref(), ORDER)? {
            Some([at, key]) => at.parse().map_or(first, |at| PaymentCursor { paid_at: Time::from_micros(at), key }),
            None => first,
        };
        let member = match &self.member {
            Some(who) => Some(invoices::whose(cx, who).await?),
            None => None,
        };
        let zone = cx.zone();
        let from = self.paid_from.map(|from| from.in_zone(zone));
        let until = self.paid_until.map(|until| until.bound(zone));
        let filter = PaymentFilter { member, subscription: self.subscription, from, until };
        let (items, more) = actions::list(cx, &filter, &after, self.limit).await?;
        let cursor = |one: &Payment| Cursor::after(ORDER, [one.paid_at.micros().to_string(), one.key.clone()]).encode();
        let next_cursor = items.last().filter(|_| more).map(cursor);
        Ok(PaymentPage { items, next_cursor })
    }
}

/// A refund that was accepted.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct RefundAccepted {
    /// The invoice that is refunded.
    invoice: InvoiceId,
    /// How much is given back, in the currency's smallest unit.
    #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    amount: i64,
    /// ISO 4217, in capitals.
    currency: String,
    /// How much of the invoice can be refunded besides.
    #[oai(validator(minimum(value = "0"), maximum(value = "9007199254740991")))]
    left: i64,
    /// The job. Its `result` has Stripe's `refundId` and its `status`, and what was paid and refunded of the invoice in
    /// all.
    job: JobView,
}

/// Refund an invoice
///
/// Gives back what was paid on an invoice, or a part of it, to the card or account that it was paid with. **Money moves,
/// and nothing takes it back.** A job does it, once, and never more than is left; a dry run says how much it would be.
///
/// It cancels nothing: the subscription goes on, and is charged again, until `subscriptions.cancel`. Once all that was
/// paid for the running period was given back, access ends with it; a part changes nothing. More than is left is refused
/// as `refund_too_large`, an invoice of which nothing is left as `nothing_to_refund`.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct RefundPayment {
    /// The invoice: its id, its printed number, or its id at Stripe.
    invoice: InvoiceRef,
    /// How much, in the currency's smallest unit (`1050` is 10.50 EUR). Not given: all that is left.
    #[oai(validator(minimum(value = "1"), maximum(value = "99999999999")))]
    amount: Option<i64>,
}

impl Tool for RefundPayment {
    const NAME: &'static str = "payments.refund";
    const ACCESS: Access = Access::write(Scope::PaymentsRefund, Risk::High).destructive();
    const EXAMPLE: &'static str = r#"{"invoice":"inv_01kan8v3t0e0rt8nfkzk1s7p4qa","amount":500}"#;
    type Output = RefundAccepted;

    async fn run(self, cx: &mut Cx) -> Result<RefundAccepted> {
        let accepted = refund::accept(cx, &self.invoice, self.amount).await?;
        Ok(RefundAccepted {
            invoice: accepted.invoice.id,
            amount: accepted.amount,
            currency: accepted.invoice.currency,
            left: accepted.left,
            job: JobView::from_row(accepted.job)?,
        })
    }
}
