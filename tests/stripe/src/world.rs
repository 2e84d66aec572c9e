//! All accounts and what is around them. Everything here happens at once; waiting is the business of `server` and
//! `deliver`.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::{
    account::Account, auth::Key, faults::Faults, idempotency::Keys, ids::Rng, log::Log, rate::Rate, webhooks::Webhooks,
};

/// How a fake begins.
#[derive(Debug, Clone)]
pub struct Config {
    /// What ids, chances and orders come from.
    pub seed: u64,
    /// The virtual time at the start, in seconds.
    pub now: i64,
    /// The first account.
    pub account: String,
    /// Its key, which may do everything.
    pub key: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { seed: 1, now: 1_790_000_000, account: "acct_fake".into(), key: "sk_test_fake".into() }
    }
}

/// Everything.
pub struct World {
    /// What ids, chances and orders come from.
    pub seed: u64,
    /// The virtual time.
    pub now: i64,
    /// By id.
    pub accounts: BTreeMap<String, Account>,
    /// By the key itself.
    pub keys: HashMap<String, Key>,
    /// Of all accounts.
    pub idempotency: Keys,
    /// What goes wrong.
    pub faults: Faults,
    /// What was asked.
    pub log: Log,
    /// By account.
    pub rates: BTreeMap<String, Rate>,
    /// What is to be delivered, and how.
    pub webhooks: Webhooks,
    /// For ids of requests.
    pub rng: Rng,
}

impl World {
    /// A world with one account.
    pub fn new(config: &Config) -> Self {
        let mut world = Self {
            seed: config.seed,
            now: config.now,
            accounts: BTreeMap::new(),
            keys: HashMap::new(),
            idempotency: Keys::default(),
            faults: Faults::new(config.seed),
            log: Log::default(),
            rates: BTreeMap::new(),
            webhooks: Webhooks::new(config.seed),
            rng: Rng::new(config.seed, "requests"),
        };
        world.add_account(&config.account, None);
        world.add_key(Key { key: config.key.clone(), account: config.account.clone(), permissions: None });
        world
    }

    /// Adds an account, unless it is there; a platform's keys may act for one that is connected to it.
    pub fn add_account(&mut self, id: &str, connected_to: Option<String>) {
        let (seed, now) = (self.seed, self.now);
        self.accounts.entry(id.to_owned()).or_insert_with(|| Account::new(id, connected_to, seed, now));
    }

    /// Adds a key or changes what it may do.
    pub fn add_key(&mut self, key: Key) {
        self.add_account(&key.account, None);
        self.keys.insert(key.key.clone(), key);
    }

    /// The account that is meant: the one named, or the only one that has what is looked for, or the first.
    pub fn account(&mut self, id: Option<&str>, has: impl Fn(&Account) -> bool) -> Option<&mut Account> {
        match id {
            Some(id) => self.accounts.get_mut(id),
            None => self.accounts.values_mut().find(|account| has(account)),
        }
    }

    /// Time passes; what it brings happens one after the other, each at its moment.
    pub fn advance(&mut self, seconds: i64) {
        let end = self.now + seconds.max(0);
        loop {
            let next = self.accounts.values().filter_map(|account| account.schedule.next()).min();
            let now = next.map_or(end, |next| next.clamp(self.now, end));
            self.now = now;
            for account in self.accounts.values_mut() {
                account.now = now;
                account.run_due();
            }
            self.plan_webhooks();
            if next.is_none_or(|next| next > end) {
                break;
            }
        }
        self.idempotency.prune(self.now);
    }

    /// Plans deliveries for what has just happened.
    pub fn plan_webhooks(&mut self) {
        for id in self.accounts.keys().cloned().collect::<Vec<_>>() {
            let fresh = match self.accounts.get_mut(&id) {
                Some(account) if !account.fresh.is_empty() => std::mem::take(&mut account.fresh),
                _ => continue,
            };
            for event in fresh {
                self.webhooks.plan_event(&mut self.accounts, &id, &event, self.now);
            }
        }
    }

    /// How much there is of everything.
    pub fn summary(&self) -> Value {
        let accounts = self.accounts.values().map(|account| {
            let counts = json!({
                "connected_to": account.connected_to,
                "products": account.products.len(),
                "prices": account.prices.len(),
                "customers": account.customers.len(),
                "checkout_sessions": account.sessions.len(),
                "portal_sessions": account.portal_customers.len(),
                "subscriptions": account.subscriptions.len(),
                "invoices": account.invoices.len(),
                "charges": account.charges.len(),
                "refunds": account.refunds.len(),
                "disputes": account.disputes.len(),
                "events": account.events.len(),
                "webhook_endpoints": account.endpoints.len(),
            });
            (account.id.clone(), counts)
        });
        json!({
            "now": self.now,
            "requests": self.log.entries().len(),
            "pending_webhooks": self.webhooks.pending().len(),
            "accounts": accounts.collect::<serde_json::Map<_, _>>(),
        })
    }
}
