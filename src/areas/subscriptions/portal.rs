//! Links to Stripe's billing portal, where a member changes a card, pays what is open and sees invoices.
//!
//! A session of the portal cannot be listed at Stripe, and changes nothing: one that was made and whose response was lost
//! ends by itself, and another is made.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use usher_jobs::{Fail, Job, Queue, Run};
use usher_stripe::{Client, Error as StripeError, Request, StoredRequest, requests::billing_portal, views};

use super::{checkout, store};
use crate::{
    app::App,
    areas::{
        billing::{
            self,
            job::would_call,
            outbox::{MAX_ATTEMPTS, Outbox, Step},
        },
        jobs::JobView,
        members::{self, MemberRef},
    },
    error::{Code, Error, Fix, Result},
    gate::Cx,
    tools::Scope,
    values::{MemberId, SiteId},
};

/// Makes a link to the billing portal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PortalLink {
    /// For whom.
    pub member: MemberId,
    /// Where the portal leads back to.
    pub return_url: String,
}

impl Job for PortalLink {
    const KIND: &'static str = "subscriptions.createPortalLink";
    const QUEUE: Queue = Queue::Fast;
    const MAX_ATTEMPTS: u32 = MAX_ATTEMPTS;
    const TIMEOUT: Duration = Duration::from_secs(5 * 60);
}

/// Accepts a link.
pub async fn accept(cx: &mut Cx, who: &MemberRef, return_url: String) -> Result<JobView> {
    let member = members::hold(cx, who).await?;
    cx.touches(&member.id);
    checkout::https_or_here("args.returnUrl", &return_url)?;
    billing::job::may_write(cx).await?;
    let site = cx.site();
    if store::payer(cx.conn(), site, &member.id).await?.is_none() {
        return Err(no_customer(&member.id));
    }
    let row = cx.enqueue(&PortalLink { member: member.id.clone(), return_url }).await?;
    would_call(cx, &row.id, "POST /v1/billing_portal/sessions", json!({ "member": member.id }));
    JobView::from_row(row)
}

fn no_customer(member: &MemberId) -> Error {
    let text = format!(
        "Usher knows no Stripe customer of member {member}, so there is no card to change. If the member pays at Stripe, \
         subscriptions.resync finds the customer by the email address."
    );
    let args = json!({ "member": { "id": member } });
    let fix = Fix { tool: "subscriptions.resync", args, scope: Some(Scope::SubscriptionsManage.name()) };
    Error::new(Code::CustomerNotFound, text).fixed_by(fix)
}

/// Applies [`PortalLink`].
pub async fn portal_link(app: &App, job: PortalLink, run: &Run) -> std::result::Result<(), Fail> {
    let site = SiteId::new(run.site);
    let mut outbox = Outbox::open(app, run, 1);
    let customer = store::payer(app.db.read(), site, &job.member).await?;
    let customer = customer.ok_or_else(|| Fail::fatal(Code::CustomerNotFound.name(), "The member has no customer."))?;
    let step = OpenPortal { customer: &customer, return_url: &job.return_url };
    outbox.make_last(&step, |page| json!({ "url": page.url, "sessionId": page.id })).await?;
    Ok(())
}

struct OpenPortal<'a> {
    customer: &'a str,
    return_url: &'a str,
}

/// What is kept of a session of the portal.
#[derive(Serialize, Deserialize)]
struct PortalPage {
    id: String,
    url: String,
}

impl Step for OpenPortal<'_> {
    const NAME: &'static str = "portal";
    type View = views::PortalSession;
    type Made = PortalPage;

    fn request(&self, _: &str) -> Request<views::PortalSession> {
        billing_portal::create(self.customer, self.return_url)
    }

    /// Sessions cannot be listed, and one that nobody has seen harms nobody.
    async fn find(
        &self,
        _: &Client,
        _: &str,
        _: &StoredRequest,
    ) -> std::result::Result<Option<views::PortalSession>, StripeError> {
        Ok(None)
    }

    fn made(&self, view: views::PortalSession) -> PortalPage {
        PortalPage { id: view.id, url: view.url.map(|url| url.to_string()).unwrap_or_default() }
    }
}
