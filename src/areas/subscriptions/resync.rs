//! Asking Stripe anew for everything of a member.
//!
//! Known customers, and those with the member's address that are nobody else's (as it is written here, in small letters, or
//! however it is written with a subscription that Usher has read), are linked to the member; then all their
//! subscriptions, recent invoices and checkouts, and whatever is known here besides, are marked as to be read and are
//! read. What was found of it is the job's result.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use usher_jobs::{Fail, Job, Queue, Run};
use usher_stripe::{
    Client, Kind, Pager,
    requests::{checkout, customers, invoices, subscriptions as ask},
    views::{self, CheckoutStatus, Unreadable},
};

use super::{store, types::Subscription};
use crate::{
    app::App,
    areas::{
        billing::{
            self,
            connection::Connection,
            job::{failed, read_now, to_read},
            store::{Mark, mark},
        },
        members::{self, Member},
    },
    error::Code,
    values::{MemberId, SiteId},
};

/// Pages of subscriptions of a customer: more than there are.
const MAX_PAGES: u32 = 20;

/// Pages of a customer's invoices, 100 each.
const INVOICE_PAGES: u32 = 2;

/// Things that are read at the same time.
const AT_ONCE: usize = 4;

/// Reads anew what Stripe has of a member.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resync {
    /// Whose.
    pub member: MemberId,
    /// What else is read, by Stripe's id: a subscription, or the checkout of what is paid once.
    #[serde(default)]
    pub external_id: Option<String>,
}

impl Job for Resync {
    const KIND: &'static str = "subscriptions.resync";
    const QUEUE: Queue = Queue::Fast;
    const MAX_ATTEMPTS: u32 = 200;
    const TIMEOUT: Duration = Duration::from_secs(15 * 60);
}

/// How far it got: the job's checkpoint. Readable for ever.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct At {
    /// Whether everything is marked.
    is_marked: bool,
    /// The member's subscriptions before, without when they were compared.
    before: BTreeMap<String, String>,
    customers: u64,
    /// Customers that are the member's since this.
    linked: Vec<String>,
    /// Customers with the member's address that are somebody else's.
    others: Vec<String>,
    /// What is to be read: its kind and its id.
    objects: Vec<(String, String)>,
    /// What Stripe lists of the member and cannot be read.
    unreadable: Vec<String>,
}

struct Resyncing<'a> {
    app: &'a App,
    run: &'a Run,
    site: SiteId,
    member: &'a MemberId,
    external_id: Option<&'a str>,
    connection: &'a Connection,
    client: &'a Client,
}

/// Applies [`Resync`].
pub async fn resync(app: &App, job: Resync, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let (connection, client) = to_read(app, site).await?;
    let (connection, client) = (&connection, &client);
    Resyncing { app, run, site, member: &job.member, external_id: job.external_id.as_deref(), connection, client }
        .go()
        .await
}

impl Resyncing<'_> {
    async fn go(&self) -> Result<(), Fail> {
        let mut at: At = self.run.checkpoint_value().unwrap_or_default();
        if !at.is_marked {
            at = self.find().await?;
            self.mark(&mut at).await?;
        }
        // Invoices name subscriptions; and what was given back of them is a fact about those, which are read once more.
        let is_invoice = |kind: &str| kind == "invoice";
        let of = |invoices: bool| at.objects.iter().filter(move |(kind, _)| is_invoice(kind) == invoices).cloned();
        for part in [of(false).collect::<Vec<_>>(), of(true).collect(), of(false).collect()] {
            let reads = part.into_iter().map(|(kind, id)| self.read(kind, id));
            let outcomes: Vec<Result<(), Fail>> = stream::iter(reads).buffer_unordered(AT_ONCE).collect().await;
            outcomes.into_iter().collect::<Result<(), Fail>>()?;
        }
        let after = snapshot(store::of_member(self.app.db.read(), self.site, self.member).await?);
        let new: Vec<_> = after.keys().filter(|id| !at.before.contains_key(*id)).collect();
        let is_changed = |(id, text): &(&String, &String)| at.before.get(*id).is_some_and(|before| before != *text);
        let changed: Vec<_> = after.iter().filter(is_changed).map(|(id, _)| id).collect();
        let count = |kind: &str| at.objects.iter().filter(|(known, _)| known == kind).count();
        let result = json!({
            "customers": at.customers, "linkedCustomers": at.linked, "customersOfOthers": at.others,
            "subscriptions": count("subscription"), "invoices": count("invoice"), "checkouts": count("checkout"),
            "new": new, "changed": changed, "unreadable": at.unreadable,
        });
        let mut tx = self.app.db.begin().await?;
        let n = at.objects.len();
        self.run.finish(&mut tx, &result, &json!({ "done": n, "total": n })).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Looks for all that Stripe has of the member.
    async fn find(&self) -> Result<At, Fail> {
        let member = members::store::by_id(self.app.db.read(), self.site, self.member).await?;
        let Some(member) = member.filter(|member| member.deleting_since.is_none()) else {
            return Err(Fail::fatal(Code::MemberNotFound.name(), "The member is gone."));
        };
        let at_stripe = store::at_stripe(self.app.db.read(), self.site, self.member, self.app.clock.now()).await?;
        let known = at_stripe.customers;
        let mut at = At::default();
        let before = store::of_member(self.app.db.read(), self.site, self.member).await?;
        for external in before.iter().filter_map(|one| one.external_id.as_deref()).chain(self.external_id) {
            let kind = if external.starts_with("cs_") { "checkout" } else { "subscription" };
            at.objects.push((kind.into(), external.into()));
        }
        at.before = snapshot(before);
        at.objects.extend(at_stripe.sessions.into_iter().map(|id| ("checkout".to_owned(), id)));
        let mut all = known.clone();
        for customer in self.with_address(&member, &mut at).await? {
            if known.contains(&customer.id) || customer.deleted {
                continue;
            }
            if self.is_of_others(&customer).await? {
                at.others.push(customer.id);
            } else {
                all.push(customer.id.clone());
                at.linked.push(customer.id);
            }
        }
        at.customers = all.len() as u64;
        for customer in &all {
            self.of_customer(customer, &mut at).await?;
        }
        at.objects.sort_unstable();
        at.objects.dedup();
        Ok(at)
    }

    /// Customers with the member's address. Stripe compares it letter for letter, so that it is asked for those with the
    /// address as it is written here and in small letters; of subscriptions that were read the address is known as of
    /// members.
    async fn with_address(&self, member: &Member, at: &mut At) -> Result<Vec<views::Customer>, Fail> {
        let mut found = self.listed(customers::with_email(&member.email), MAX_PAGES, at).await?;
        let small = member.email.to_lowercase();
        if small != member.email {
            found.extend(self.listed(customers::with_email(&small), MAX_PAGES, at).await?);
        }
        for (_, customer, _) in billing::strays_of(self.app.db.read(), self.site, &member.email_key()).await? {
            let Some(customer) = customer.filter(|id| found.iter().all(|one| one.id != *id)) else { continue };
            match self.client.read(&customers::get(&customer)).await {
                Ok(customer) => found.push(customer.value),
                Err(error) if matches!(error.kind(), Kind::Missing | Kind::Refused) => {}
                Err(error) => return Err(failed(self.app, self.run, error).await),
            }
        }
        found.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        found.dedup_by(|one, other| one.id == other.id);
        Ok(found)
    }

    /// Whether a customer is another member's: by what is known here, else by what was kept with it.
    async fn is_of_others(&self, customer: &views::Customer) -> Result<bool, Fail> {
        if let Some(owner) = billing::member_of_customer(self.app.db.read(), self.site, &customer.id).await? {
            return Ok(owner != *self.member);
        }
        let named = customer.metadata.get(billing::MEMBER).and_then(|text| MemberId::parse(text).ok());
        let Some(named) = named.filter(|named| named != self.member) else { return Ok(false) };
        let other = members::store::by_id(self.app.db.read(), self.site, &named).await?;
        Ok(other.is_some_and(|other| other.deleting_since.is_none()))
    }

    async fn of_customer(&self, customer: &str, at: &mut At) -> Result<(), Fail> {
        let filter = ask::SubscriptionFilter { customer: Some(customer), ..Default::default() };
        for one in self.listed(ask::list(&filter), MAX_PAGES, at).await? {
            at.objects.push(("subscription".into(), one.id));
        }
        let filter = invoices::InvoiceFilter { customer: Some(customer), ..Default::default() };
        for one in self.listed(invoices::list(&filter), INVOICE_PAGES, at).await? {
            at.objects.push(("invoice".into(), one.id));
        }
        for one in self.listed(checkout::of_customer(customer), 1, at).await? {
            let is_wanted = matches!(one.status, Some(CheckoutStatus::Open | CheckoutStatus::Complete));
            at.objects.extend(is_wanted.then(|| ("checkout".to_owned(), one.id)));
        }
        Ok(())
    }

    /// The objects of a list, as many as so many pages have.
    async fn listed<T: serde::de::DeserializeOwned>(
        &self,
        request: usher_stripe::Request<views::Page<T>>,
        n_pages: u32,
        at: &mut At,
    ) -> Result<Vec<T>, Fail> {
        let mut pager = Pager::new(request, Duration::from_millis(50), n_pages);
        let mut all = Vec::new();
        for _ in 0..n_pages {
            match pager.next(self.client).await {
                Ok(Some(page)) => {
                    for Unreadable { id, why } in page.value.unreadable {
                        tracing::warn!(site = %self.site, object = id, why, "what Stripe lists cannot be read");
                        at.unreadable.extend(id);
                    }
                    all.extend(page.value.data);
                }
                Ok(None) => break,
                // A customer that was deleted at Stripe has nothing any more.
                Err(error) if matches!(error.kind(), Kind::Missing | Kind::Refused) => break,
                Err(error) => return Err(failed(self.app, self.run, error).await),
            }
        }
        Ok(all)
    }

    /// Links customers and marks what is to be read.
    async fn mark(&self, at: &mut At) -> Result<(), Fail> {
        let now = self.app.clock.now();
        let mut tx = self.app.db.begin().await?;
        at.is_marked = true;
        let total = at.objects.len();
        self.run.checkpoint(&mut tx, at, &json!({ "done": 0, "total": total })).await?;
        if members::store::hold(tx.conn(), self.site, self.member).await?.is_none() {
            return Err(Fail::fatal(Code::MemberNotFound.name(), "The member is gone."));
        }
        for customer in &at.linked {
            billing::link(tx.conn(), self.site, customer, self.member, now).await?;
        }
        for (kind, object) in &at.objects {
            mark(tx.conn(), self.site, &Mark { kind, object, source: "resync", event: None }, now).await?;
        }
        billing::wake(&mut tx, self.app, self.site).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn read(&self, kind: String, id: String) -> Result<(), Fail> {
        if self.run.stopping() {
            return Err(Fail::Stopping);
        }
        read_now(self.app, self.run, (self.connection, self.client), (&kind, &id)).await
    }
}

/// Subscriptions as they are told apart: without when they were compared.
fn snapshot(all: Vec<Subscription>) -> BTreeMap<String, String> {
    let text = |one: Subscription| Subscription { synced_at: None, ..one }.json().to_string();
    all.into_iter().map(|one| (one.id.to_string(), text(one))).collect()
}
