//! Addresses here and at Stripe.
//!
//! **From here to Stripe**: once a member's address has changed, a job brings the member's customers to it: those that
//! Usher made, and those that have an address which the member had. One that pays with an address of its own, such as that
//! of a company's accounts, keeps it. **From Stripe to here** only the address with which a customer pays is kept (the
//! mirror's `customer`); it never changes with what a member signs in.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use usher_jobs::{Fail, Job, JobRow, Queue, Run};
use usher_stripe::{
    Client, Error, Kind,
    requests::customers::{self, CustomerChange},
    views,
};

use super::{
    MEMBER,
    job::{can_write, would_call},
    outbox::{MAX_ATTEMPTS, Outbox},
    status::store::customers as customers_of,
    store::{Mark, mark},
    sync::wake,
};
use crate::{
    app::App,
    areas::members::{self, Member},
    error::{Code, Result},
    gate::Cx,
    values::{Email, MemberId, SiteId},
};

/// How often one attempt compares.
const MAX_ROUNDS: u32 = 5;

/// Passes a member's address on to Stripe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PassAddress {
    /// Whose.
    pub member: MemberId,
}

impl Job for PassAddress {
    const KIND: &'static str = "members.update";
    const QUEUE: Queue = Queue::Fast;
    const MAX_ATTEMPTS: u32 = MAX_ATTEMPTS;
    const TIMEOUT: Duration = Duration::from_secs(10 * 60);
}

/// Accepts that an address which has changed is passed on, if the member has a customer and the site may write.
pub async fn address_changed(cx: &mut Cx, member: &MemberId) -> Result<Option<JobRow>> {
    let site = cx.site();
    let customers = customers_of(cx.conn(), site, member).await?;
    if customers.is_empty() || !can_write(cx).await? {
        return Ok(None);
    }
    let row = cx.enqueue(&PassAddress { member: member.clone() }).await?;
    for (customer,) in customers {
        would_call(cx, member.as_str(), &format!("POST /v1/customers/{customer}"), json!({ "member": member }));
    }
    Ok(Some(row))
}

/// Applies [`PassAddress`]: reads, writes what is different, and reads again until nothing is, here and there.
pub async fn pass_address(app: &App, job: PassAddress, run: &Run) -> std::result::Result<(), Fail> {
    let site = SiteId::new(run.site);
    let mut outbox = Outbox::open(app, run, 1);
    let mut n_written = 0;
    for _ in 0..MAX_ROUNDS {
        let member = members::store::by_id(app.db.read(), site, &job.member).await?;
        let mut written = Vec::new();
        if let Some(member) = &member {
            let client = outbox.client().await?;
            for (customer,) in customers_of(app.db.read(), site, &member.id).await? {
                match bring(&outbox, &client, member, &customer).await {
                    Ok(true) => written.push(customer),
                    Ok(false) => {}
                    Err(error) => return Err(outbox.failed(error).await),
                }
            }
        }
        n_written += written.len();
        let mut tx = app.db.begin().await?;
        members::store::hold(tx.conn(), site, &job.member).await?;
        let now = members::store::by_id(tx.conn(), site, &job.member).await?;
        let is_same = now.as_ref().map(|now| &now.email) == member.as_ref().map(|member| &member.email);
        for customer in &written {
            let heard = Mark { kind: "customer", object: customer, source: "write", event: None };
            mark(tx.conn(), site, &heard, app.clock.now()).await?;
        }
        if !written.is_empty() {
            wake(&mut tx, app, site).await?;
        }
        if is_same && written.is_empty() {
            let result = json!({ "member": job.member, "customersUpdated": n_written });
            run.finish(&mut tx, &result, &json!({ "total": 1, "done": 1 })).await?;
            tx.commit().await?;
            return Ok(());
        }
        tx.commit().await?;
    }
    Err(Fail::retry(Code::StripeUnavailable.name(), "Stripe does not keep what is written. Usher goes on trying."))
}

/// Writes the member's address to a customer that is to have it; whether it had another.
async fn bring(
    outbox: &Outbox<'_>,
    client: &Client,
    member: &Member,
    customer: &str,
) -> std::result::Result<bool, Error> {
    let view = match client.read(&customers::get(customer)).await {
        Ok(answer) if !answer.value.deleted => answer.value,
        Ok(_) => return Ok(false),
        Err(error) if error.kind() == Kind::Missing => return Ok(false),
        Err(error) => return Err(error),
    };
    let there = view.email.as_deref().map(String::as_str);
    if there == Some(member.email.as_str()) || !is_the_members(outbox, member, &view).await {
        return Ok(false);
    }
    let change = CustomerChange { email: Some(&member.email), ..CustomerChange::default() };
    outbox.set(client, &customers::update(customer, &change)).await?;
    Ok(true)
}

/// Whether a customer is to have the member's address: Usher made it for the member, or it has one that the member had.
async fn is_the_members(outbox: &Outbox<'_>, member: &Member, view: &views::Customer) -> bool {
    if view.metadata.get(MEMBER).is_some_and(|id| id == member.id.as_str()) {
        return true;
    }
    let Some(there) = view.email.as_ref().and_then(|email| Email::parse(email).ok()) else { return false };
    let former = members::store::former_of(outbox.app.db.read(), outbox.site, &member.id).await;
    former.is_ok_and(|former| former.iter().any(|(key, _)| key == there.key()))
}
