//! What a test does to a fake, in its process. The same is at `/_fake/…`, see `routes`.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use crate::{
    account::{Account, Settings},
    auth::Key,
    checkout::{self, Payer},
    deliver::{self, Flushed},
    error::{ApiError, Result},
    expand::expand,
    faults::{Fault, Rule, fits},
    form::Params,
    handle::Inner,
    log::Entry,
    rate::{Limit, Speed},
    resources::{self, customers::Card, disputes, endpoints::Endpoint},
    seed::{self, Seed, Seeded},
    sign::{Dress, Signed, places, sign},
    table::Record,
    webhooks::{Delivery, Plan, Sent},
};

/// What a test does to a fake. An account that is not named is the one that has what is meant, or the first.
#[derive(Clone)]
pub struct Control(Arc<Inner>);

impl Control {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self(inner)
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    // -- accounts and keys

    /// Adds an account; the keys of the platform that it is connected to may act for it by `Stripe-Account`.
    pub fn add_account(&self, id: &str, connected_to: Option<&str>) {
        self.0.world.lock().add_account(id, connected_to.map(ToOwned::to_owned));
    }

    /// Adds a key, or changes what it may do.
    pub fn add_key(&self, key: Key) {
        self.0.world.lock().add_key(key);
    }

    /// A key is not valid any more.
    pub fn remove_key(&self, key: &str) {
        self.0.world.lock().keys.remove(key);
    }

    /// What an account has chosen about billing.
    pub fn set_settings(&self, account: Option<&str>, settings: Settings) -> Result<()> {
        self.with(account, |_| true, |account| account.settings = settings)
    }

    /// How much there is of everything.
    pub fn summary(&self) -> Value {
        self.0.world.lock().summary()
    }

    // -- time

    /// The virtual time, in seconds.
    pub fn now(&self) -> i64 {
        self.0.world.lock().now
    }

    /// Time passes: what it brings happens, one thing after the other, and what is due is delivered. Gives the time.
    pub async fn advance(&self, seconds: i64) -> i64 {
        self.0.world.lock().advance(seconds);
        self.settle().await;
        self.now()
    }

    // -- people

    /// A person completes a checkout in the browser. If the card is declined the checkout stays open and this is an
    /// error.
    pub fn complete_checkout(&self, session: &str, payer: &Payer) -> Result<Value> {
        let done = self.with(
            None,
            |account| account.sessions.get(session).is_some(),
            |account| checkout::complete(account, session, payer),
        )?;
        self.happened();
        done
    }

    /// Every checkout of every account, as it stands, whatever faults are planned.
    pub fn sessions(&self) -> Vec<Value> {
        let world = self.0.world.lock();
        world.accounts.values().flat_map(|account| account.sessions.iter().map(|one| one.render(account))).collect()
    }

    /// The customers of every session of the billing portal, oldest first.
    pub fn portal_customers(&self) -> Vec<String> {
        let world = self.0.world.lock();
        world.accounts.values().flat_map(|account| account.portal_customers.clone()).collect()
    }

    /// Every subscription of every account, likewise.
    pub fn subscriptions(&self) -> Vec<Value> {
        let world = self.0.world.lock();
        world
            .accounts
            .values()
            .flat_map(|account| account.subscriptions.iter().map(|one| one.render(account)))
            .collect()
    }

    /// A customer has a new card, or the old one begins to be declined.
    pub fn set_card(&self, customer: &str, fails: bool) -> Result<()> {
        self.with(
            None,
            |account| account.customers.get(customer).is_some(),
            |account| {
                let card = Card::named(account, "pm_card_visa");
                if let Some(customer) = account.customers.get_mut(customer) {
                    customer.card = Some(Card { fails, ..customer.card.take().unwrap_or(card) });
                }
            },
        )
    }

    /// What the owner of an account does in the dashboard, or looks up there: a request to `/v1/…` without its key, its log
    /// entry and whatever goes wrong with requests. What is asked of a `GET` is in the path.
    pub fn owner(&self, method: &str, path: &str, form: &str) -> Result<Value> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut params = Params::parse(if method == "GET" { query } else { form }.as_bytes())?;
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let done = self.with(
            None,
            |_| true,
            |account| {
                let expanded = params.list("expand")?;
                let mut answer = resources::call(account, method, &parts, params)?;
                account.run_due();
                expanded.iter().try_for_each(|path| expand(account, &mut answer, path))?;
                Ok(answer)
            },
        )?;
        if method != "GET" {
            self.happened();
        }
        done
    }

    /// A customer has the bank take back what a charge brought, or a part of it; gives the dispute.
    pub fn dispute(&self, charge: &str, amount: Option<i64>) -> Result<Value> {
        let has = |account: &Account| account.charges.get(charge).is_some();
        let opened = self.with(None, has, |account| disputes::open(account, charge, amount))?;
        self.happened();
        opened
    }

    /// The bank decides a dispute; gives it as it is then.
    pub fn decide_dispute(&self, dispute: &str, is_won: bool) -> Result<Value> {
        let has = |account: &Account| account.disputes.get(dispute).is_some();
        let decided = self.with(None, has, |account| disputes::decide(account, dispute, is_won))?;
        self.happened();
        decided
    }

    // -- webhooks

    /// Registers an endpoint for all events, and gives its id and secret. `connect`: for those of connected accounts.
    pub fn add_endpoint(
        &self,
        account: Option<&str>,
        url: &str,
        secret: Option<&str>,
        connect: bool,
    ) -> Result<(String, String)> {
        self.with(
            account,
            |_| true,
            |account| {
                let endpoint = Endpoint::for_all(account, url, secret.map(ToOwned::to_owned), connect);
                let made = (endpoint.id.clone(), endpoint.secret.clone());
                account.endpoints.insert(endpoint);
                made
            },
        )
    }

    /// How what happens from now on is delivered.
    pub fn set_plan(&self, plan: Plan) {
        self.0.world.lock().webhooks.plan = plan;
        self.0.wake.notify_one();
    }

    /// What has not been answered with 2xx, and will be tried (again).
    pub fn pending(&self) -> Vec<Delivery> {
        self.0.world.lock().webhooks.pending().to_vec()
    }

    /// What was tried.
    pub fn sent(&self) -> Vec<Sent> {
        self.0.world.lock().webhooks.sent().to_vec()
    }

    /// Delivers everything that waits, late and failed ones too, once each; returns when all have been answered.
    pub async fn flush(&self) -> Flushed {
        deliver::deliver(&self.0, |_| true).await
    }

    /// Returns when everything that is due has been delivered; nothing, if webhooks are held.
    pub async fn settle(&self) -> Flushed {
        let (held, now) = {
            let world = self.0.world.lock();
            (world.webhooks.plan.held, world.now)
        };
        if held {
            return Flushed::default();
        }
        deliver::deliver(&self.0, |delivery| delivery.due <= now).await
    }

    /// An event as it would be posted to each endpoint that wants it.
    pub fn signed(&self, event: &str, dress: &Dress) -> Result<Vec<Signed>> {
        let world = self.0.world.lock();
        let home = world.accounts.values().find_map(|account| Some((account, account.events.get(event)?)));
        let Some((home, found)) = home else { return Err(ApiError::no_such("event", event, "id")) };
        let places = places(&world.accounts, &home.id, dress.kind.as_deref().unwrap_or(&found.kind));
        let wanted = |id: &str| dress.endpoint.as_ref().is_none_or(|wanted| wanted == id);
        let each = places.iter().filter(|(_, endpoint)| wanted(endpoint));
        Ok(each.filter_map(|(account, id)| sign(&world.accounts, &home.id, event, (account, id), dress)).collect())
    }

    /// Posts an event now, whatever the plan is, and gives the statuses of the answers; 0 if none came.
    pub async fn deliver(&self, event: &str, dress: &Dress) -> Result<Vec<u16>> {
        let mut statuses = Vec::new();
        for signed in self.signed(event, dress)? {
            statuses.push(deliver::post(&signed).await);
        }
        Ok(statuses)
    }

    /// The events of an account, oldest first: id and type.
    pub fn events(&self, account: Option<&str>) -> Result<Vec<(String, String)>> {
        self.with(
            account,
            |_| true,
            |account| account.events.iter().map(|event| (event.id().to_owned(), event.kind.clone())).collect(),
        )
    }

    // -- what goes wrong

    /// Plans faults; of the rules that fit a request the first decides.
    pub fn fault(&self, rule: Rule) {
        self.0.world.lock().faults.add(rule);
    }

    /// Nothing goes wrong any more.
    pub fn clear_faults(&self) {
        self.0.world.lock().faults.clear();
    }

    /// Lets go on what a `held` fault has stopped.
    pub fn release(&self) {
        self.0.released.send_modify(|times| *times += 1);
    }

    /// How many requests are held.
    pub fn n_held(&self) -> usize {
        let world = self.0.world.lock();
        world.log.entries().iter().filter(|entry| entry.fault == Fault::Held && entry.status == 0).count()
    }

    // -- how it was called

    /// Limits the requests of an account; `None` is no limit.
    pub fn set_limit(&self, account: Option<&str>, limit: Option<Limit>) -> Result<()> {
        let id = self.with(account, |_| true, |account| account.id.clone())?;
        self.0.world.lock().rates.entry(id).or_default().limit = limit;
        Ok(())
    }

    /// How fast each account was called.
    pub fn speeds(&self) -> BTreeMap<String, Speed> {
        self.0.world.lock().rates.iter().map(|(account, rate)| (account.clone(), rate.speed())).collect()
    }

    /// Counts speeds anew.
    pub fn reset_speeds(&self) {
        self.0.world.lock().rates.values_mut().for_each(crate::rate::Rate::reset);
    }

    /// What was asked, in order.
    pub fn log(&self) -> Vec<Entry> {
        self.0.world.lock().log.entries().to_vec()
    }

    /// How many requests of a method came to a path, such as `/v1/subscriptions/*`.
    pub fn n_requests(&self, method: &str, path: &str) -> usize {
        let world = self.0.world.lock();
        world.log.entries().iter().filter(|entry| entry.method == method && fits(path, &entry.path)).count()
    }

    /// How much was asked.
    pub fn n_asked(&self) -> usize {
        self.0.world.lock().log.entries().len()
    }

    /// Forgets what was asked.
    pub fn clear_log(&self) {
        self.0.world.lock().log.clear();
    }

    // -- much at once

    /// Makes many customers, each with a subscription, without events.
    pub fn seed(&self, seed: &Seed) -> Result<Seeded> {
        self.with(seed.account.as_deref(), |_| true, |account| seed::seed(account, seed))?
    }

    fn with<R>(
        &self,
        id: Option<&str>,
        has: impl Fn(&Account) -> bool,
        act: impl FnOnce(&mut Account) -> R,
    ) -> Result<R> {
        let mut world = self.0.world.lock();
        match world.account(id, has) {
            Some(account) => Ok(act(account)),
            None => Err(ApiError::request(404, "stripe-fake: no account has that")),
        }
    }

    /// What has happened is planned to be delivered.
    fn happened(&self) {
        self.0.world.lock().plan_webhooks();
        self.0.wake.notify_one();
    }
}
