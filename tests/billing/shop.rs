//! A site that sells, with an account at a fake Stripe.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stripe_fake::{Config, Fake, Payer};
use usher::{
    areas::billing::{connection, store},
    values::SiteId,
};
use usher_stripe::{
    ApiKey, Client, Http, Request, Settings, Url,
    requests::{checkout, customers, prices, products},
};

use crate::harness::{PATIENCE, World};

/// A site that is connected to a fake Stripe, which sends it its events.
pub struct Shop {
    pub fake: Fake,
    /// Speaks to the fake as the owner's dashboard would.
    pub owner: Client,
    n: std::sync::atomic::AtomicU32,
}

impl Shop {
    /// Connects the first site; Stripe's clock begins with the world's.
    pub async fn open(world: &mut World) -> Self {
        let config = Config { now: world.clock.now().micros() / 1_000_000, ..Config::default() };
        let (key, account) = (config.key.clone(), config.account.clone());
        let fake = Fake::start(config).await.expect("a free port");
        let site = world.site.id;
        let sealer = world.app.config.sealer.clone().expect("the harness sets a key");
        let url = format!("{}/webhooks/stripe/{site}", world.address);
        let (_, secret) = fake.add_endpoint(None, &url, None, false).expect("an endpoint");
        let mut tx = world.app.db.begin().await.expect("a transaction");
        let (base, now) = (fake.url(), world.clock.now());
        let sealed = sealer.seal(&connection::key_purpose(site), &key);
        let new = store::NewConnection {
            account_id: &account,
            acts_for: None,
            base: Some(&base),
            key_sealed: &sealed,
            key_hint: "sk_test_…fake",
            live: false,
        };
        store::connect(tx.conn(), site, &new, now).await.expect("it is written");
        let sealed = sealer.seal(&connection::secret_purpose(site), &secret);
        store::insert_secret(tx.conn(), site, "secret", &sealed, now).await.expect("it is written");
        tx.commit().await.expect("a commit");
        world.settings(|settings| settings.stripe_writes = true).await;
        let key = ApiKey::parse(&key).expect("a key");
        let settings = Settings { base: Some(Url::parse(&base).expect("a URL")), ..Settings::new(key) };
        let owner = Client::new(settings, Http::new().expect("certificates")).expect("a client");
        Self { fake, owner, n: Default::default() }
    }

    /// Writes something at Stripe as its owner.
    pub async fn write<T: serde::de::DeserializeOwned>(&self, request: Request<T>) -> T {
        let n = self.n.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.owner.write(&request.into_stored(), &format!("owner-{n}")).await.expect("Stripe does it").value
    }

    /// Reads something at Stripe as its owner.
    pub async fn read<T: serde::de::DeserializeOwned>(&self, request: Request<T>) -> T {
        self.owner.read(&request).await.expect("Stripe answers").value
    }

    /// A price of so many cents a month that Usher has not heard of.
    pub async fn price(&self, amount: i64) -> String {
        use usher_stripe::money::{Currency, Money};
        let n = self.n.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let metadata = BTreeMap::new();
        let id = format!("prod_{n}");
        let product = products::NewProduct { id: &id, name: "Gold", description: None, metadata: &metadata };
        self.write(products::create(&product)).await;
        let price = Money { amount, currency: Currency::parse("EUR").expect("a currency") };
        let new = prices::NewPrice {
            product: &id,
            price,
            every: prices::Every::Months(1),
            lookup_key: &format!("price-{n}"),
            metadata: &metadata,
        };
        self.write(prices::create(&new)).await.id
    }

    /// A member buys a subscription on Stripe's page, in a checkout that Usher has not made; gives its id at Stripe.
    pub async fn sells(&self, member: &Value, price: &str) -> String {
        let metadata = BTreeMap::from([("usher_member".to_owned(), member.as_str().expect("an id").to_owned())]);
        let customer = customers::NewCustomer { email: "x@example.com", name: None, metadata: &metadata };
        let customer = self.write(customers::create(&customer)).await.id;
        let new = checkout::NewCheckout {
            customer: &customer,
            price,
            sells: checkout::Sells::Subscription { trial_days: 0 },
            reference: "r",
            metadata: &metadata,
            success_url: "https://example.com/",
            cancel_url: None,
            coupon: None,
            expires_at: None,
        };
        let session = self.write(checkout::create(&new)).await.id;
        self.fake.complete_checkout(&session, &Payer::default()).expect("it is paid");
        let session = self.read(checkout::get(&session)).await;
        session.subscription_id().expect("a subscription").to_owned()
    }

    /// Time passes at Stripe and here.
    pub async fn advance(&self, world: &World, seconds: u64) {
        world.clock.advance(std::time::Duration::from_secs(seconds));
        self.fake.advance(i64::try_from(seconds).expect("seconds")).await;
    }

    /// Until every event has come and all that they are about has been read.
    pub async fn settle(&self, world: &World) {
        self.fake.flush().await;
        read_all(world, world.site.id).await;
    }
}

/// Until nothing that is due is to be read any more.
pub async fn read_all(world: &World, site: SiteId) {
    let begun = std::time::Instant::now();
    loop {
        let due = store::due(world.app.db.read(), site, world.clock.now(), 1).await.expect("the database answers");
        if due.is_empty() {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "still to be read: {due:?}");
        if let Some(connection) = store::connection(world.app.db.read(), site).await.expect("the database answers")
            && let Some(job) = connection.sync_job
        {
            world.app.jobs.wait(0, &job, PATIENCE).await.expect("the database answers");
        }
    }
}

/// The first of a member's subscriptions, as the database has it.
pub async fn subscription(world: &World, member: &Value) -> Value {
    let member = usher::values::MemberId::parse(member.as_str().expect("an id")).expect("an id");
    let all = usher::areas::subscriptions::store::of_member(world.app.db.read(), world.site.id, &member).await;
    all.expect("the database answers").first().map_or(json!(null), usher::areas::subscriptions::Subscription::json)
}
