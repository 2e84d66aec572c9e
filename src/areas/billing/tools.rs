use poem_openapi::Object;

use super::reconcile::{self, Finding};
use crate::{
    error::Result,
    gate::Cx,
    paging::{Cursor, default_limit},
    tools::{Access, Area, Scope, Tool, tools},
};

/// The tools of billing.
pub const AREA: Area = Area { name: "billing", about: "Whether access and money agree.", tools: tools![Reconcile] };

/// The report has one order.
const ORDER: &str = "step,id";

/// A page of the report.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct BillingReport {
    /// What was found: of subscriptions, then of members, then of subscriptions that nobody is known for.
    items: Vec<Finding>,
    /// Pass as `cursor` for the next page; absent on the last. A page may have few items, or none, and still not be the
    /// last: a call looks at some 30,000 rows.
    next_cursor: Option<String>,
}

/// Compare access with billing
///
/// A report of where access and money do not agree, each with the call that would mend it: who pays at Stripe and is
/// locked out, who is held to pay and does not, what is live at Stripe and unknown here, who has two live subscriptions,
/// and what was cancelled here and lives on at Stripe. Nothing is changed, and Stripe is not asked: it compares what is
/// known here, which webhooks keep within seconds of Stripe and a nightly comparison repairs. An empty report is the
/// normal one.
#[derive(Object)]
pub struct Reconcile {
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for Reconcile {
    const NAME: &'static str = "billing.reconcile";
    const ACCESS: Access = Access::read(Scope::SubscriptionsRead);
    const EXAMPLE: &'static str = r#"{"limit":100}"#;
    type Output = BillingReport;

    async fn run(self, cx: &mut Cx) -> Result<BillingReport> {
        let at = reconcile::place(Cursor::decode::<2>(self.cursor.as_deref(), ORDER)?)?;
        let (items, next) = reconcile::page(cx, at, self.limit).await?;
        let next_cursor = next.map(|(step, after)| Cursor::after(ORDER, [step.to_string(), after]).encode());
        Ok(BillingReport { items, next_cursor })
    }
}
