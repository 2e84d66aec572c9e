use serde_json::json;
use usher_db::Change;

use super::{
    import::{self, Import},
    offer::Offer,
    push::Push,
    store::{self, Filter},
    types::{Opens, Plan},
};
use crate::{
    areas::{
        access,
        billing::{
            self,
            connection::not_connected,
            job::{can_write, may_write, would_call},
        },
        jobs::JobView,
    },
    error::{Code, Error, Result},
    gate::Cx,
    paging,
    values::{PlanId, Title},
};

/// What is to become of a plan; `None` stays as it is.
#[derive(Debug, Default)]
pub struct Changes {
    pub name: Option<Title>,
    pub description: Option<String>,
    pub public: Option<bool>,
    pub trial_days: Option<u32>,
    pub opens: Option<Opens>,
    pub archived: Option<bool>,
}

/// A plan that was written, and the job that brings Stripe to it, if it may.
pub type Saved = (Plan, Option<JobView>);

/// A page of plans, newest first, and whether there are more.
pub async fn list(cx: &mut Cx, filter: &Filter, before: &str, limit: u32) -> Result<(Vec<Plan>, bool)> {
    let site = cx.site();
    let mut items = store::list(cx.conn(), site, filter, before, limit + 1).await?;
    let more = paging::cut(&mut items, limit);
    Ok((items, more))
}

/// The plan that a call is about.
pub async fn find(cx: &mut Cx, id: &PlanId) -> Result<Plan> {
    let site = cx.site();
    store::by_id(cx.conn(), site, id).await?.ok_or_else(|| not_found(id))
}

fn not_found(id: &PlanId) -> Error {
    let text = format!("The site has no plan {id}. Find it with plans.list, or make it with plans.create.");
    Error::new(Code::PlanNotFound, text)
}

/// Makes a plan.
pub async fn create(
    cx: &mut Cx,
    name: Title,
    description: Option<String>,
    offer: &Offer,
    (public, opens): (bool, Opens),
) -> Result<Saved> {
    let (currency, every, every_n) = offer.checked()?;
    let plan = Plan {
        id: cx.app.clock.id(),
        name,
        description: description.and_then(plain),
        pricing: None,
        amount: offer.amount,
        currency,
        every,
        every_n,
        trial_days: offer.trial_days,
        public,
        opens,
        needs_review: None,
        archived_at: None,
        product_id: None,
        price_id: None,
        created_at: cx.now,
        updated_at: cx.now,
    };
    let site = cx.site();
    store::insert(cx.conn(), site, &plan).await?;
    cx.tx().note(Change::created("plan", plan.id.as_str(), plan.json()));
    let job = follow(cx, &plan).await?;
    Ok((plan, job))
}

/// Changes what was given.
pub async fn update(cx: &mut Cx, id: &PlanId, changes: Changes) -> Result<Saved> {
    let site = cx.site();
    let before = store::hold(cx.conn(), site, id).await?.ok_or_else(|| not_found(id))?;
    let mut after = before.clone();
    after.name = changes.name.unwrap_or(after.name);
    after.public = changes.public.unwrap_or(after.public);
    after.trial_days = changes.trial_days.unwrap_or(after.trial_days);
    if let Some(opens) = changes.opens {
        (after.opens, after.needs_review) = (opens, None);
    }
    if after.trial_days > 0 && after.every == super::Every::OneTime {
        return Err(Error::refused("args.trialDays", "what is paid once has no trial; use access.setTrial"));
    }
    if let Some(description) = changes.description {
        after.description = plain(description);
    }
    match changes.archived {
        Some(true) => after.archived_at = before.archived_at.or(Some(cx.now)),
        Some(false) => after.archived_at = None,
        None => {}
    }
    if after == before {
        return Ok((after, None));
    }
    let is_stripes =
        (&after.name, &after.description, after.archived_at) != (&before.name, &before.description, before.archived_at);
    if is_stripes && before.price_id.is_some() && billing::store::connection(cx.conn(), site).await?.is_some() {
        may_write(cx).await?;
    }
    // Always another, as that is how a job sees that it has been overtaken.
    after.updated_at = cx.now.or_after(before.updated_at);
    store::update(cx.conn(), site, &after).await?;
    cx.tx().note(Change::updated("plan", after.id.as_str(), before.json(), after.json()));
    if after.opens != before.opens {
        cx.enqueue(&access::Recount { plan: Some(after.id.clone()) }).await?;
    }
    let job = if is_stripes { follow(cx, &after).await? } else { None };
    Ok((after, job))
}

/// Has a job bring Stripe to the plan, if the site may write there.
async fn follow(cx: &mut Cx, plan: &Plan) -> Result<Option<JobView>> {
    if !can_write(cx).await? {
        return Ok(None);
    }
    would_make(cx, plan);
    if let (Some(product), Some(price)) = (&plan.product_id, &plan.price_id) {
        let about = json!({ "name": plan.name.as_str(), "description": plan.description, "active": plan.archived_at.is_none() });
        would_call(cx, plan.id.as_str(), &format!("POST /v1/products/{product}"), about.clone());
        would_call(cx, plan.id.as_str(), &format!("POST /v1/prices/{price}"), json!({ "active": about["active"] }));
    }
    let row = cx.enqueue(&Push { plan: plan.id.clone() }).await?;
    Ok(Some(JobView::from_row(row)?))
}

/// Says in a dry run what would be made at Stripe before a plan can be sold.
pub fn would_make(cx: &mut Cx, plan: &Plan) {
    if plan.price_id.is_none() {
        would_call(cx, plan.id.as_str(), "POST /v1/products", json!({ "name": plan.name.as_str() }));
        let about = json!({ "amount": plan.amount, "currency": plan.currency });
        would_call(cx, plan.id.as_str(), "POST /v1/prices", about);
    }
}

/// Accepts an import of what is sold at Stripe. A dry run reads it, and notes what would come of it.
pub async fn import(cx: &mut Cx) -> Result<JobView> {
    let site = cx.site();
    let connection = billing::store::connection(cx.conn(), site).await?.ok_or_else(not_connected)?;
    if cx.dry_run {
        let client = connection.client(&cx.app)?;
        let offered = cx.apart(import::prices(&client)).await?.map_err(|error| {
            Error::new(Code::StripeUnavailable, "Stripe does not answer as it should. Try again in a moment.")
                .caused_by(error)
        })?;
        let clock = cx.app.clock.clone();
        import::apply(cx.tx(), site, &offered, &clock).await?;
    }
    let row = cx.enqueue(&Import {}).await?;
    JobView::from_row(row)
}

fn plain(text: String) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
