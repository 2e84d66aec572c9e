use poem_openapi::Object;
use serde_json::Value;

use super::{
    actions::{self, Changes, Saved},
    offer::{Offer, Period},
    store::{self, Filter},
    types::{Opens, Plan},
};
use crate::{
    app::App,
    areas::{
        activity::store::escape,
        jobs::{Accepted, JobView},
    },
    error::Result,
    gate::Cx,
    paging::{Cursor, LAST, default_limit},
    tools::{Access, Area, Risk, Scope, Tool, Versioned, tools},
    values::{PlanId, SiteId, Title, search_key},
};

/// The tools of plans.
pub const AREA: Area = Area {
    name: "plans",
    about: "What members can subscribe to, at the site's Stripe account.",
    tools: tools![ListPlans, GetPlan, CreatePlan, UpdatePlan, ArchivePlan, ImportPlans],
};

/// The list has one order, newest first.
const ORDER: &str = "-id";

/// A page of plans.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct PlanPage {
    /// Newest first.
    items: Vec<Plan>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// A plan that was written.
#[derive(Object)]
pub struct PlanSaved {
    /// The plan as it is now; in an answer that has waited for the job, as it is then.
    plan: Plan,
    /// The job that brings Stripe to it; absent where there is nothing to do there, or the site may not write there. Such
    /// a plan is made at Stripe by its first checkout. `Prefer: wait=N` waits up to N seconds (at most 30) for its end.
    job: Option<JobView>,
}

impl From<Saved> for PlanSaved {
    fn from((plan, job): Saved) -> Self {
        Self { plan, job }
    }
}

/// The plan as it is now, with its ids at Stripe.
async fn renew(app: &App, site: SiteId, result: &mut Value) -> Result<()> {
    let id = result["plan"]["id"].as_str().and_then(|id| PlanId::parse(id).ok());
    let Some(id) = id else { return Ok(()) };
    if let Some(now) = store::by_id(app.db.read(), site, &id).await? {
        result["plan"] = now.json();
    }
    Ok(())
}

/// List plans
///
/// The site's plans, newest first; the archived ones only if asked for.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListPlans {
    /// Only those with this text in the name, whatever its case. 1 to 200 characters.
    #[oai(validator(min_length = 1, max_length = 200, pattern = r"^[^\x00]*$"))]
    text: Option<String>,
    /// Only public (`true`) or only private (`false`) ones.
    public: Option<bool>,
    /// The archived ones too.
    #[oai(default)]
    with_archived: bool,
    /// Only those of which nobody has said yet what they open (`true`), or only the others (`false`).
    needs_review: Option<bool>,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for ListPlans {
    const NAME: &'static str = "plans.list";
    const ACCESS: Access = Access::read(Scope::PlansRead);
    const EXAMPLE: &'static str = r#"{"public":true}"#;
    type Output = PlanPage;

    async fn run(self, cx: &mut Cx) -> Result<PlanPage> {
        let before = Cursor::decode::<1>(self.cursor.as_deref(), ORDER)?.map_or(LAST.into(), |[id]| id);
        let filter = Filter {
            public: self.public,
            with_archived: self.with_archived,
            needs_review: self.needs_review,
            pattern: self.text.map(|text| format!("%{}%", escape(&search_key(&text)))),
        };
        let (items, more) = actions::list(cx, &filter, &before, self.limit).await?;
        let next_cursor =
            items.last().filter(|_| more).map(|plan| Cursor::after(ORDER, [plan.id.to_string()]).encode());
        Ok(PlanPage { items, next_cursor })
    }
}

/// One plan.
#[derive(Object)]
pub struct PlanResult {
    /// The plan.
    plan: Plan,
}

/// Get a plan
///
/// One plan, archived or not.
#[derive(Object)]
pub struct GetPlan {
    /// The plan.
    plan: PlanId,
}

impl Tool for GetPlan {
    const NAME: &'static str = "plans.get";
    const ACCESS: Access = Access::read(Scope::PlansRead);
    const EXAMPLE: &'static str = r#"{"plan":"pln_01kan8v3t0e0rt8nfkzk1s7p4qq"}"#;
    type Output = PlanResult;

    async fn run(self, cx: &mut Cx) -> Result<PlanResult> {
        Ok(PlanResult { plan: actions::find(cx, &self.plan).await? })
    }
}

/// Create a plan
///
/// Makes a plan; private unless said otherwise. Price and period never change: for another price archive the plan and
/// make a new one. Where the site is connected to Stripe and may write there, a job makes its product and price; else
/// its first checkout does.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct CreatePlan {
    /// What it is called, on Stripe's pages too: one line of 1 to 200 characters.
    name: Title,
    /// What it gives, for people; at most 5,000 characters.
    #[oai(validator(max_length = 5000, pattern = r"^[^\x00]*$"))]
    description: Option<String>,
    /// What one period costs, in minor units of the currency: `900` is 9.00 EUR, and 900 JPY. 0 is free; else at least
    /// what Stripe charges in this currency.
    #[oai(validator(minimum(value = "0"), maximum(value = "99999999999")))]
    amount: i64,
    /// ISO 4217, three letters in whatever case.
    #[oai(validator(min_length = 3, max_length = 3, pattern = "^[A-Za-z]{3}$"))]
    currency: String,
    /// How often it is paid.
    every: Period,
    /// One payment for so many months (1 to 36) or years (1 to 3); 1 unless given.
    #[oai(validator(minimum(value = "1"), maximum(value = "36")))]
    every_n: Option<u32>,
    /// Days at the beginning that are free, 0 to 730; not for what is paid once.
    #[oai(default, validator(minimum(value = "0"), maximum(value = "730")))]
    trial_days: u32,
    /// Whether it is offered to everyone.
    #[oai(default)]
    public: bool,
    /// What it opens to whoever pays for it; `all` unless given.
    #[oai(default)]
    opens: Opens,
}

impl Tool for CreatePlan {
    const NAME: &'static str = "plans.create";
    const ACCESS: Access = Access::write(Scope::PlansManage, Risk::High);
    const EXAMPLE: &'static str = r#"{"name":"Gold","amount":900,"currency":"EUR","every":"month","trialDays":14}"#;
    type Output = PlanSaved;

    async fn run(self, cx: &mut Cx) -> Result<PlanSaved> {
        let offer = Offer {
            amount: self.amount,
            currency: self.currency,
            every: self.every,
            every_n: self.every_n,
            trial_days: self.trial_days,
        };
        Ok(actions::create(cx, self.name, self.description, &offer, (self.public, self.opens)).await?.into())
    }

    async fn renew(app: &App, site: SiteId, result: &mut Value) -> Result<()> {
        renew(app, site, result).await
    }
}

/// Update a plan
///
/// Changes what is given and leaves the rest as it is; who has subscribed keeps price, period and trial. An empty
/// description takes it away. The name of a plan that was imported changes here only.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct UpdatePlan {
    /// The plan.
    plan: PlanId,
    /// The new name: one line of 1 to 200 characters.
    name: Option<Title>,
    /// The new description, at most 5,000 characters.
    #[oai(validator(max_length = 5000, pattern = r"^[^\x00]*$"))]
    description: Option<String>,
    /// Whether it is offered to everyone.
    public: Option<bool>,
    /// Free days of checkouts from now on, 0 to 730.
    #[oai(validator(minimum(value = "0"), maximum(value = "730")))]
    trial_days: Option<u32>,
    /// What it opens from now on, also to those who pay for it already. Said even as it is, it takes `needsReview` off.
    opens: Option<Opens>,
}

impl Tool for UpdatePlan {
    const NAME: &'static str = "plans.update";
    const ACCESS: Access = Access::write(Scope::PlansManage, Risk::High);
    const EXAMPLE: &'static str = r#"{"plan":"pln_01kan8v3t0e0rt8nfkzk1s7p4qq","public":true}"#;
    const CHANGES: Option<Versioned> = Some(Versioned::PLAN);
    type Output = PlanSaved;

    async fn run(self, cx: &mut Cx) -> Result<PlanSaved> {
        let changes = Changes {
            name: self.name,
            description: self.description,
            public: self.public,
            trial_days: self.trial_days,
            opens: self.opens,
            archived: None,
        };
        Ok(actions::update(cx, &self.plan, changes).await?.into())
    }

    async fn renew(app: &App, site: SiteId, result: &mut Value) -> Result<()> {
        renew(app, site, result).await
    }
}

/// Archive a plan
///
/// Takes a plan off sale and out of the list. Who has subscribed keeps it, and goes on paying and watching.
/// `archived: false` takes it back.
#[derive(Object)]
pub struct ArchivePlan {
    /// The plan.
    plan: PlanId,
    /// `true` to archive it, `false` to take it back.
    #[oai(default = "yes")]
    archived: bool,
}

fn yes() -> bool {
    true
}

impl Tool for ArchivePlan {
    const NAME: &'static str = "plans.archive";
    const ACCESS: Access = Access::write(Scope::PlansManage, Risk::High);
    const EXAMPLE: &'static str = r#"{"plan":"pln_01kan8v3t0e0rt8nfkzk1s7p4qq"}"#;
    const CHANGES: Option<Versioned> = Some(Versioned::PLAN);
    type Output = PlanSaved;

    async fn run(self, cx: &mut Cx) -> Result<PlanSaved> {
        let changes = Changes { archived: Some(self.archived), ..Changes::default() };
        Ok(actions::update(cx, &self.plan, changes).await?.into())
    }

    async fn renew(app: &App, site: SiteId, result: &mut Value) -> Result<()> {
        renew(app, site, result).await
    }
}

/// Import plans from Stripe
///
/// Makes a private plan of every price on sale at the site's Stripe account that is not known yet, up to 5,000 prices,
/// and gives the plans that came from there their names of today. Prices by tier or by use are left out. Nothing changes
/// at Stripe. The job's result counts `total` prices, and plans `created` and `updated`, and prices `skipped`; a dry run
/// shows them. Each new plan opens nothing until `plans.update` says what it opens: an account may sell more than access.
#[derive(Object)]
pub struct ImportPlans {}

impl Tool for ImportPlans {
    const NAME: &'static str = "plans.importFromStripe";
    const ACCESS: Access = Access::write(Scope::PlansManage, Risk::High);
    const EXAMPLE: &'static str = "{}";
    type Output = Accepted;

    async fn run(self, cx: &mut Cx) -> Result<Accepted> {
        Ok(Accepted { job: actions::import(cx).await? })
    }
}
