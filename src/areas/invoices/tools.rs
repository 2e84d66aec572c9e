use poem_openapi::Object;

use super::{
    actions,
    store::Filter,
    types::{Invoice, InvoiceRef, InvoiceStatus},
};
use crate::{
    areas::members::MemberRef,
    error::Result,
    gate::Cx,
    paging::{Cursor, LAST, default_limit},
    tools::{Access, Area, Scope, Tool, tools},
    values::{Beginning, End, Moment, SubscriptionId},
};

/// The tools of invoices.
pub const AREA: Area = Area {
    name: "invoices",
    about: "What was billed at Stripe, and what was paid of it.",
    tools: tools![ListInvoices, GetInvoice],
};

/// The list has one order, newest first.
const ORDER: &str = "-id";

/// A page of invoices.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct InvoicePage {
    /// Newest first.
    items: Vec<Invoice>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// List invoices
///
/// The site's invoices as Stripe made them, newest first by when that was. They are read from Usher's mirror, which
/// follows Stripe within seconds; `syncedAt` says when each was read.
///
/// Amounts are whole numbers of the currency's smallest unit as Stripe counts it: `1050` is 10.50 EUR. Of currencies
/// without a smaller unit (BIF, CLP, DJF, GNF, JPY, KMF, KRW, MGA, PYG, RWF, VND, VUV, XAF, XOF, XPF) `1050` is 1,050,
/// and of those with thousandths (BHD, JOD, KWD, OMR, TND) it is 1.050.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListInvoices {
    /// Only those of this member. By `id` also of one who was deleted, whose invoices stay.
    member: Option<MemberRef>,
    /// Only those of this subscription.
    subscription: Option<SubscriptionId>,
    /// Only those that stand so.
    status: Option<InvoiceStatus>,
    /// Only those that Stripe made then or later.
    created_from: Option<Moment<Beginning>>,
    /// Only those that Stripe made before then.
    created_until: Option<Moment<End>>,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for ListInvoices {
    const NAME: &'static str = "invoices.list";
    const ACCESS: Access = Access::read(Scope::InvoicesRead);
    const EXAMPLE: &'static str = r#"{"status":"paid","createdFrom":"2026-01-01T00:00:00Z"}"#;
    type Output = InvoicePage;

    async fn run(self, cx: &mut Cx) -> Result<InvoicePage> {
        let before = Cursor::decode::<1>(self.cursor.as_deref(), ORDER)?.map_or(LAST.into(), |[id]| id);
        let member = match &self.member {
            Some(who) => Some(actions::whose(cx, who).await?),
            None => None,
        };
        let (subscription, status, zone) = (self.subscription, self.status, cx.zone());
        let from = self.created_from.map(|from| from.in_zone(zone));
        let until = self.created_until.map(|until| until.bound(zone));
        let filter = Filter { member, subscription, status, from, until };
        let (items, more) = actions::list(cx, &filter, &before, self.limit).await?;
        let next_cursor = items.last().filter(|_| more).map(|one| Cursor::after(ORDER, [one.id.to_string()]).encode());
        Ok(InvoicePage { items, next_cursor })
    }
}

/// Get an invoice
///
/// One invoice with its lines and the addresses of its page and its PDF at Stripe. Amounts are in the currency's smallest
/// unit, as `invoices.list` describes.
#[derive(Object)]
pub struct GetInvoice {
    /// The invoice: its id, its printed number, or its id at Stripe.
    invoice: InvoiceRef,
}

/// One invoice.
#[derive(Object)]
pub struct InvoiceResult {
    /// The invoice.
    invoice: Invoice,
}

impl Tool for GetInvoice {
    const NAME: &'static str = "invoices.get";
    const ACCESS: Access = Access::read(Scope::InvoicesRead);
    const EXAMPLE: &'static str = r#"{"invoice":"inv_01kan8v3t0e0rt8nfkzk1s7p4qa"}"#;
    type Output = InvoiceResult;

    async fn run(self, cx: &mut Cx) -> Result<InvoiceResult> {
        Ok(InvoiceResult { invoice: actions::find(cx, &self.invoice).await? })
    }
}
