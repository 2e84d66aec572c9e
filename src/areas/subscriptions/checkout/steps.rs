//! What a checkout makes at Stripe: who pays, and the page.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use usher_db::Tx;
use usher_jobs::Fail;
use usher_stripe::{
    Client, Error, Request, StoredRequest,
    requests::{checkout as ask, customers},
    views::{self, CheckoutStatus},
};

use super::{Checkout, job::gone, store};
use crate::{
    app::App,
    areas::{
        billing::{
            self, MEMBER,
            outbox::{Step, search},
            store::Mark,
        },
        members::Member,
        plans::{Every, OP, PLAN, Plan},
    },
    values::{JobId, SiteId, Time},
};

/// The member's customer, of whom there is one: what another checkout has made is taken.
pub struct MakeCustomer<'a> {
    pub site: SiteId,
    pub member: &'a Member,
    pub now: Time,
}

/// What is kept of a customer.
#[derive(Serialize, Deserialize)]
pub struct Customer {
    /// Stripe's id.
    pub id: String,
}

impl Step for MakeCustomer<'_> {
    const NAME: &'static str = "customer";
    const LOOKS_FIRST: bool = true;
    type View = views::Customer;
    type Made = Customer;

    fn request(&self, op: &str) -> Request<views::Customer> {
        let metadata = [(MEMBER, self.member.id.to_string()), (OP, op.to_owned())];
        customers::create(&customers::NewCustomer {
            email: &self.member.email,
            name: self.member.name.as_deref(),
            metadata: &metadata.map(|(name, value)| (name.to_owned(), value)).into(),
        })
    }

    async fn find(&self, client: &Client, _: &str, sent: &StoredRequest) -> Result<Option<views::Customer>, Error> {
        // By the address that was sent: the member's may be another by now.
        let email = sent.parameter("email").unwrap_or_else(|| self.member.email.clone());
        let member = self.member.id.as_str();
        let is_it = |one: &views::Customer| !one.deleted && one.metadata.get(MEMBER).is_some_and(|id| id == member);
        search(client, customers::with_email(&email), is_it).await
    }

    fn made(&self, view: views::Customer) -> Customer {
        Customer { id: view.id }
    }

    async fn keep(&self, tx: &mut Tx, made: &Customer) -> usher_db::Result<Result<(), Fail>> {
        billing::link(tx.conn(), self.site, &made.id, &self.member.id, self.now).await?;
        Ok(Ok(()))
    }
}

/// The page.
pub struct OpenSession<'a> {
    pub app: &'a App,
    pub site: SiteId,
    pub job: &'a JobId,
    pub wanted: &'a Checkout,
    pub plan: &'a Plan,
    /// Days at the beginning that are free.
    pub trial_days: u32,
    pub customer: &'a str,
    pub price: &'a str,
    pub now: Time,
}

/// What is kept of a page.
#[derive(Serialize, Deserialize)]
pub struct Session {
    /// Stripe's id.
    pub id: String,
    /// Where the member pays.
    pub url: String,
    /// Until when it is open, in microseconds.
    pub expires_at: Option<i64>,
}

impl Session {
    pub fn until(&self) -> Option<Time> {
        self.expires_at.map(Time::from_micros)
    }
}

impl Step for OpenSession<'_> {
    const NAME: &'static str = "session";
    type View = views::CheckoutSession;
    type Made = Session;

    fn request(&self, op: &str) -> Request<views::CheckoutSession> {
        let member = self.wanted.member.to_string();
        let metadata = [(MEMBER, member.clone()), (OP, op.to_owned()), (PLAN, self.plan.id.to_string())];
        let metadata: BTreeMap<_, _> = metadata.map(|(name, value)| (name.to_owned(), value)).into();
        ask::create(&ask::NewCheckout {
            customer: self.customer,
            price: self.price,
            sells: match self.plan.every {
                Every::OneTime => ask::Sells::PaymentWithInvoice,
                _ => ask::Sells::Subscription { trial_days: self.trial_days },
            },
            reference: &member,
            metadata: &metadata,
            success_url: &self.wanted.success_url,
            cancel_url: self.wanted.cancel_url.as_deref(),
            coupon: self.wanted.coupon.as_deref(),
            expires_at: None,
        })
    }

    /// One that is closed is of no use to anybody, and nobody has seen it: another is made.
    async fn find(
        &self,
        client: &Client,
        op: &str,
        _: &StoredRequest,
    ) -> Result<Option<views::CheckoutSession>, Error> {
        let is_it = |one: &views::CheckoutSession| {
            one.metadata.get(OP).is_some_and(|known| known == op) && one.status != Some(CheckoutStatus::Expired)
        };
        search(client, ask::of_customer(self.customer), is_it).await
    }

    fn made(&self, view: views::CheckoutSession) -> Session {
        Session {
            id: view.id,
            url: view.url.map(|url| url.to_string()).unwrap_or_default(),
            expires_at: view.expires_at.map(|seconds| seconds.saturating_mul(1_000_000)),
        }
    }

    async fn keep(&self, tx: &mut Tx, made: &Session) -> usher_db::Result<Result<(), Fail>> {
        match store::hold(tx.conn(), self.site, self.job).await? {
            Some((_, _, true)) => {}
            _ => return Ok(Err(gone())),
        }
        let page = store::Page { session: &made.id, url: &made.url, expires_at: made.until() };
        store::open(tx.conn(), self.site, self.job, page, self.now).await?;
        // What was heard of it before it was known here is asked for once more.
        let mark = Mark { kind: "checkout", object: &made.id, source: "write", event: None };
        billing::store::mark(tx.conn(), self.site, &mark, self.now).await?;
        billing::wake(tx, self.app, self.site).await?;
        Ok(Ok(()))
    }
}
