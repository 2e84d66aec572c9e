//! Ending all that a member who is to be deleted has at Stripe: nobody must be charged who is not known any more.

use usher_jobs::{Fail, Run};
use usher_stripe::{
    Client, Error, Kind, Pager,
    requests::{checkout, subscriptions as ask},
    views::{self, CheckoutStatus},
};

use super::store;
use crate::{
    app::App,
    areas::billing::job::{failed, to_write},
    error::Code,
    values::{MemberId, SiteId},
};

/// Looks at one subscription, and writes to it, before an attempt gives up.
const STEPS: usize = 5;

/// Pages of a list: more than a member has.
const MAX_PAGES: u32 = 20;

/// Ends every subscription of a member at Stripe now, and closes the member's open checkouts. Safe to run twice; done only
/// when Stripe says so. Gives how many it has ended.
pub async fn end_all(app: &App, site: SiteId, member: &MemberId, run: &Run) -> Result<u64, Fail> {
    let known = store::at_stripe(app.db.read(), site, member, app.clock.now()).await?;
    let client = match to_write(app, site).await {
        Ok((_, client)) => client,
        // Nothing is known to live there, so the member does not wait for a connection that the site may never have.
        Err(_) if !known.lives() => return Ok(0),
        Err(fail) => return Err(fail),
    };
    if !known.lives() && known.customers.is_empty() {
        return Ok(0);
    }
    let ending = Ending { app, client: &client, run };
    let mut subscriptions = known.subscriptions;
    let mut sessions = known.sessions;
    for customer in &known.customers {
        let (more, open) = ending.of_customer(customer).await?;
        subscriptions.extend(more);
        sessions.extend(open);
    }
    subscriptions.sort_unstable();
    subscriptions.dedup();
    sessions.sort_unstable();
    sessions.dedup();
    // What could still become a subscription first.
    for session in &sessions {
        ending.close(session).await?;
    }
    let mut n = 0;
    for subscription in &subscriptions {
        n += u64::from(ending.end(subscription).await?);
    }
    Ok(n)
}

struct Ending<'a> {
    app: &'a App,
    client: &'a Client,
    run: &'a Run,
}

impl Ending<'_> {
    /// A customer's subscriptions that are not over, and open checkouts.
    async fn of_customer(&self, customer: &str) -> Result<(Vec<String>, Vec<String>), Fail> {
        let filter = ask::SubscriptionFilter { customer: Some(customer), ..Default::default() };
        let all = self.listed(ask::list(&filter)).await?;
        let live = all.into_iter().filter(|one| !one.status.is_terminal()).map(|one| one.id).collect();
        let sessions = self.listed(checkout::of_customer(customer)).await?;
        let open = sessions.into_iter().filter(|one: &views::CheckoutSession| one.status == Some(CheckoutStatus::Open));
        Ok((live, open.map(|one| one.id).collect()))
    }

    async fn listed<T: serde::de::DeserializeOwned>(
        &self,
        request: usher_stripe::Request<views::Page<T>>,
    ) -> Result<Vec<T>, Fail> {
        let mut pager = Pager::new(request, std::time::Duration::from_millis(100), MAX_PAGES);
        let mut all = Vec::new();
        loop {
            match pager.next(self.client).await {
                Ok(Some(page)) => match page.value.unreadable.into_iter().next() {
                    None => all.extend(page.value.data),
                    // It may live and charge.
                    Some(one) => {
                        let id = one.id.unwrap_or_else(|| "something".into());
                        let text = format!("What Stripe says of {id} cannot be read, so the member cannot go yet.");
                        return Err(Fail::retry(Code::StripeUnavailable.name(), text).because(one.why));
                    }
                },
                Ok(None) => return Ok(all),
                // The customer was deleted at Stripe, and all that it had.
                Err(error) if is_gone(&error) => return Ok(all),
                Err(error) => return Err(failed(self.app, self.run, error).await),
            }
        }
    }

    /// Ends a subscription; whether it had not ended before.
    async fn end(&self, id: &str) -> Result<bool, Fail> {
        for n in 0..STEPS {
            self.goes_on()?;
            match self.client.read(&ask::get(id)).await {
                Ok(answer) if answer.value.status.is_terminal() => return Ok(n > 0),
                Ok(_) => {}
                Err(error) if error.kind() == Kind::Missing => return Ok(n > 0),
                Err(error) => return Err(failed(self.app, self.run, error).await),
            }
            let key = format!("usher:{}:end:{id}:{n}", self.run.job_id);
            match self.client.write::<views::Subscription>(ask::cancel_now(id).stored(), &key).await {
                Ok(_) => {}
                // It may have ended meanwhile, so it is looked at again.
                Err(error) if n + 1 < STEPS && matches!(error.kind(), Kind::Missing | Kind::Refused) => {}
                Err(error) => return Err(self.again(error).await),
            }
        }
        Err(Fail::retry(Code::StripeUnavailable.name(), "Stripe has not ended a subscription yet."))
    }

    /// Closes an open checkout. One that was completed meanwhile has become a subscription, which is found next time.
    async fn close(&self, id: &str) -> Result<(), Fail> {
        self.goes_on()?;
        let before = match self.client.read(&checkout::get(id)).await {
            Ok(answer) => answer.value,
            Err(error) if error.kind() == Kind::Missing => return Ok(()),
            Err(error) => return Err(failed(self.app, self.run, error).await),
        };
        if before.status == Some(CheckoutStatus::Open) {
            let key = format!("usher:{}:{}:close:{id}", self.run.job_id, self.run.attempt);
            match self.client.write::<views::CheckoutSession>(checkout::expire(id).stored(), &key).await {
                Ok(_) => return Ok(()),
                Err(error) => return Err(self.again(error).await),
            }
        }
        match before.subscription_id() {
            Some(subscription) => self.end(subscription).await.map(drop),
            None => Ok(()),
        }
    }

    /// What Stripe refuses now is tried again: the member must not go while anything lives there.
    async fn again(&self, error: Error) -> Fail {
        match failed(self.app, self.run, error).await {
            Fail::Fatal { code, message } => Fail::retry(code, message),
            fail => fail,
        }
    }

    fn goes_on(&self) -> Result<(), Fail> {
        if self.run.stopping() {
            return Err(Fail::Stopping);
        }
        if self.run.cancelling() {
            return Err(Fail::Cancelled);
        }
        Ok(())
    }
}

fn is_gone(error: &Error) -> bool {
    error.api().is_some_and(|said| said.code.as_deref() == Some("resource_missing"))
}
