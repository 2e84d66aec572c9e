//! A site that sells, with an account at a fake Stripe.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::{Value, json};
use stripe_fake::{Config, Fake, Payer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
};
use usher::{
    app::App,
    areas::{
        billing::{connection, store},
        plans,
    },
    surfaces::http,
    values::{JobId, PlanId, SiteId},
    worker,
};
use usher_stripe::{
    ApiKey, Client, Http, Request, Settings, Url,
    requests::{checkout, customers, invoices, prices, products},
    views,
};

use super::events::signature;
use crate::harness::{PATIENCE, World};

/// A site that is connected to a fake Stripe, which sends it its events.
pub struct Shop {
    pub fake: Fake,
    /// Speaks to the fake as the owner's dashboard would.
    pub owner: Client,
    /// What its events are signed with.
    secret: String,
    n: std::sync::atomic::AtomicU32,
    /// Where its plans are made known.
    app: Arc<App>,
    site: SiteId,
}

impl Shop {
    /// Connects the first site; Stripe's clock begins with the world's.
    pub async fn open(world: &mut World) -> Self {
        periodic_jobs_have_run(world).await;
        Self::open_idle(world).await
    }

    /// The same in a world where nobody works yet.
    pub async fn open_idle(world: &mut World) -> Self {
        let config = Config { now: world.clock.now().micros() / 1_000_000, ..Config::default() };
        let (key, account) = (config.key.clone(), config.account.clone());
        let fake = Fake::start(config).await.expect("a free port");
        let url = format!("{}/webhooks/stripe/{}", world.address, world.site.id);
        let (_, secret) = fake.add_endpoint(None, &url, None, false).expect("an endpoint");
        let base = fake.url();
        connect(world, &base, &account, &key, &secret).await;
        let key = ApiKey::parse(&key).expect("a key");
        let settings = Settings { base: Some(Url::parse(&base).expect("a URL")), ..Settings::new(key) };
        let owner = Client::new(settings, Http::new().expect("certificates")).expect("a client");
        Self { fake, owner, secret, n: Default::default(), app: world.app.clone(), site: world.site.id }
    }

    /// Writes something at Stripe as its owner.
    pub async fn write<T: serde::de::DeserializeOwned>(&self, request: Request<T>) -> T {
        let n = self.n.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.owner.write(&request.into_stored(), &format!("owner-{n}")).await.expect("Stripe does it").value
    }

    /// Writes something at Stripe as its owner, which Stripe may refuse.
    pub async fn try_write<T: serde::de::DeserializeOwned>(&self, request: Request<T>) {
        let n = self.n.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        _ = self.owner.write::<T>(&request.into_stored(), &format!("owner-{n}")).await;
    }

    /// Gives back what the newest paid invoice of a customer brought, or a part of it; Stripe may refuse.
    pub async fn refund(&self, world: &World, customer: &str, amount: Option<i64>) {
        let filter = invoices::InvoiceFilter { customer: Some(customer), with_payments: true, ..Default::default() };
        let Ok(all) = self.owner.read(&invoices::list(&filter)).await else { return };
        let paid = all.value.data.into_iter().filter(|one| one.status == Some(views::InvoiceStatus::Paid));
        let Some(newest) = paid.max_by_key(|invoice| invoice.created) else { return };
        let Some(intent) = newest.payment_intent_ids().next().map(str::to_owned) else { return };
        self.refund_intent(world, &intent, amount).await;
    }

    /// Gives back what a payment intent brought, or a part of it.
    pub async fn refund_intent(&self, world: &World, intent: &str, amount: Option<i64>) {
        let amount = amount.map_or(String::new(), |amount| format!("&amount={amount}"));
        let request = world.http.post(format!("{}/v1/refunds", self.fake.url())).bearer_auth(Config::default().key);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(format!("payment_intent={intent}{amount}")).send().await.expect("Stripe answers");
    }

    /// Posts a form to Stripe as its owner, which Stripe must take.
    async fn post(&self, world: &World, path: &str, form: String) -> Value {
        let request = world.http.post(format!("{}{path}", self.fake.url())).bearer_auth(Config::default().key);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let text = request.body(form).send().await.expect("Stripe answers").text().await.expect("a body");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert!(value.get("error").is_none(), "{text}");
        value
    }

    /// Adds an item to a subscription.
    pub async fn add_item(&self, world: &World, subscription: &str, price: &str) {
        let form = format!("items[0][price]={price}&proration_behavior=none");
        self.post(world, &format!("/v1/subscriptions/{subscription}"), form).await;
    }

    /// Has a subscription become another at the end of its period, as its owner may in the dashboard.
    pub async fn schedule(&self, world: &World, subscription: &str, price: &str) {
        let made = self.post(world, "/v1/subscription_schedules", format!("from_subscription={subscription}")).await;
        let phase = &made["phases"][0];
        let form = format!(
            "phases[0][start_date]={}&phases[0][end_date]={}&phases[0][items][0][price]={}&\
             phases[1][items][0][price]={price}&phases[1][duration][interval]=month",
            phase["start_date"],
            phase["end_date"],
            phase["items"][0]["price"].as_str().expect("a price")
        );
        let id = made["id"].as_str().expect("an id");
        self.post(world, &format!("/v1/subscription_schedules/{id}"), form).await;
    }

    /// Deletes a customer, whose subscriptions end with it.
    pub async fn delete_customer(&self, world: &World, customer: &str) {
        let request = world.http.delete(format!("{}/v1/customers/{customer}", self.fake.url()));
        let reply = request.bearer_auth(Config::default().key).send().await.expect("Stripe answers");
        assert!(reply.status().is_success(), "{reply:?}");
    }

    /// Reads something at Stripe as its owner.
    pub async fn read<T: serde::de::DeserializeOwned>(&self, request: Request<T>) -> T {
        self.owner.read(&request).await.expect("Stripe answers").value
    }

    /// A price of so many cents a month, and its plan here, which opens everything.
    pub async fn price(&self, amount: i64) -> String {
        self.plan("Gold", amount, prices::Every::Months(1)).await
    }

    /// A price, and its plan here, which opens everything.
    pub async fn plan(&self, name: &str, amount: i64, every: prices::Every) -> String {
        self.plan_that_opens(plans::Opens::All, name, amount, every).await.1
    }

    /// A plan, and its price at Stripe.
    pub async fn plan_that_opens(
        &self,
        opens: plans::Opens,
        name: &str,
        amount: i64,
        every: prices::Every,
    ) -> (PlanId, String) {
        let price = self.made(amount, every).await;
        let plan = plans::of_price(&price, Some(name), self.app.clock.id(), self.app.clock.now());
        let plan = plans::Plan { opens, needs_review: None, ..plan };
        let mut tx = self.app.db.begin().await.expect("a transaction");
        plans::store::insert(tx.conn(), self.site, &plan).await.expect("it is written");
        tx.commit().await.expect("a commit");
        (plan.id, price.id)
    }

    /// A price that Usher has not heard of.
    pub async fn unheard_of(&self, amount: i64, every: prices::Every) -> String {
        self.made(amount, every).await.id
    }

    async fn made(&self, amount: i64, every: prices::Every) -> views::Price {
        use usher_stripe::money::{Currency, Money};
        let n = self.n.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let metadata = BTreeMap::new();
        let id = format!("prod_{n}");
        let product = products::NewProduct { id: &id, name: "Gold", description: None, metadata: &metadata };
        self.write(products::create(&product)).await;
        let price = Money { amount, currency: Currency::parse("EUR").expect("a currency") };
        let new =
            prices::NewPrice { product: &id, price, every, lookup_key: &format!("price-{n}"), metadata: &metadata };
        self.write(prices::create(&new)).await
    }

    /// A member buys a subscription on Stripe's page, in a checkout that Usher has not made; gives its id at Stripe.
    pub async fn sells(&self, member: &Value, price: &str) -> String {
        let (_, session) = self.checkout(member, price, checkout::Sells::Subscription { trial_days: 0 }).await;
        let session = self.fake.complete_checkout(&session, &Payer::default()).expect("it is paid");
        session["subscription"].as_str().expect("a subscription").to_owned()
    }

    /// A new customer, and a checkout for it; gives both ids.
    pub async fn checkout(&self, member: &Value, price: &str, sells: checkout::Sells) -> (String, String) {
        let metadata = BTreeMap::from([("usher_member".to_owned(), member.as_str().expect("an id").to_owned())]);
        let customer = customers::NewCustomer { email: "x@example.com", name: None, metadata: &metadata };
        let customer = self.write(customers::create(&customer)).await.id;
        let new = checkout::NewCheckout {
            customer: &customer,
            price,
            sells,
            reference: "r",
            metadata: &metadata,
            success_url: "https://example.com/",
            cancel_url: None,
            coupon: None,
            expires_at: None,
        };
        let session = self.write(checkout::create(&new)).await.id;
        (customer, session)
    }

    /// A price that is paid once and that Usher has not heard of.
    pub async fn once(&self, amount: i64) -> String {
        self.unheard_of(amount, prices::Every::Once).await
    }

    /// The customer who came last.
    pub async fn customer(&self) -> String {
        self.read(customers::list()).await.data.remove(0).id
    }

    /// The invoices of a customer with their payments, newest first.
    pub async fn invoices(&self, customer: &str) -> Vec<views::Invoice> {
        let filter = invoices::InvoiceFilter { customer: Some(customer), with_payments: true, ..Default::default() };
        self.read(invoices::list(&filter)).await.data
    }

    /// Notes a checkout as one that Usher has made.
    pub async fn knows(&self, world: &World, member: &Value, session: &str) {
        let plan: PlanId = world.clock.id();
        world.plan(&plan, "Once").await;
        let (id, site, now): (JobId, _, _) = (world.clock.id(), world.site.id, world.clock.now().micros());
        let member = member.as_str().expect("an id");
        let row = format!("{site}, '{id}', '{member}', '{plan}', '{session}', 'open', 'https://x', {now}, {now}");
        let columns = "site, id, member_id, plan_id, session_id, status, url, created_at, updated_at";
        world.execute(&format!("INSERT INTO checkout ({columns}) VALUES ({row})")).await;
    }

    /// Posts an event of the test's own, well signed.
    pub async fn tell(&self, world: &World, event: &Value) {
        let body = event.to_string();
        let header = signature(&body, world.clock.now().micros() / 1_000_000, &[&self.secret]);
        let path = format!("/webhooks/stripe/{}", world.site.id);
        let reply = world.send("POST", &path, &[("stripe-signature", header)], body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
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

/// Connects the first site to an account, whose events are signed with a secret.
pub async fn connect(world: &mut World, base: &str, account_id: &str, key: &str, secret: &str) {
    let (site, now) = (world.site.id, world.clock.now());
    let sealer = world.app.sealer.clone();
    let mut tx = world.app.db.begin().await.expect("a transaction");
    let new = store::NewConnection {
        account_id,
        acts_for: None,
        base: Some(base),
        key_sealed: &sealer.seal(&connection::key_purpose(site), key),
        key_hint: "sk_test_…fake",
        live: false,
    };
    store::connect(tx.conn(), site, &new, now).await.expect("it is written");
    let sealed = sealer.seal(&connection::secret_purpose(site), secret);
    store::insert_secret(tx.conn(), site, "secret", &sealed, now).await.expect("it is written");
    tx.commit().await.expect("a commit");
    world.settings(|settings| settings.stripe_writes = true).await;
}

/// Until what comes round has come round, so that it asks this Stripe for nothing while a test looks.
pub async fn periodic_jobs_have_run(world: &World) {
    const RAN: &str = "SELECT kind FROM job WHERE site = 0 AND state = 'succeeded'
                       AND kind IN ('stripe.catchup', 'stripe.sweeps', 'stripe.tick')";
    let begun = std::time::Instant::now();
    while world.rows(RAN).await.len() < 3 {
        assert!(begun.elapsed() < PATIENCE, "the periodic jobs have not run");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Until nothing that is due is to be read any more; as long as something is read, however much there is.
pub async fn read_all(world: &World, site: SiteId) {
    let (mut begun, mut last) = (std::time::Instant::now(), Vec::new());
    loop {
        let due = store::due(world.app.db.read(), site, world.clock.now(), 1).await.expect("the database answers");
        if due.is_empty() {
            return;
        }
        let first: Vec<_> = due.iter().map(|dirty| (dirty.object.clone(), dirty.marks, dirty.tries)).collect();
        if first != last {
            (begun, last) = (std::time::Instant::now(), first);
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

/// A second process on a world's database, as far as a test can be one: another server, another worker, other
/// connections.
pub struct Second {
    pub address: String,
    stop: tokio::sync::watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    app: std::sync::Arc<App>,
}

impl Second {
    pub async fn start(world: &World) -> Self {
        let db = usher_db::Db::open(&world.app.config.database).await.expect("the database opens");
        let app = App::new(world.app.config.clone(), world.app.sealer.clone(), db, world.clock.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let (mut until, endpoint) = (stopped.clone(), http::endpoint(app.clone()));
        let serving = tokio::spawn(async move {
            let stop = async { _ = until.wait_for(|stop| *stop).await };
            http::serve(listener, endpoint, std::time::Duration::from_secs(5), stop).await;
        });
        let working = tokio::spawn(worker::run(app.clone(), stopped));
        Self { address, stop, tasks: vec![serving, working], app }
    }

    pub async fn end(self) {
        self.stop.send(true).expect("it runs");
        for task in self.tasks {
            tokio::time::timeout(PATIENCE, task).await.expect("it stops in time").expect("it did not panic");
        }
        self.app.db.close().await;
    }
}

/// Runs a job of the installation to its end.
pub async fn work<J: usher_jobs::Job>(world: &World, job: &J) -> usher_jobs::JobRow {
    let mut tx = world.app.db.begin().await.expect("a transaction");
    let row = world.app.jobs.enqueue(&mut tx, usher_jobs::Owner::site(0), job).await.expect("it is accepted");
    tx.commit().await.expect("a commit");
    ended(world, &row.id).await
}

/// Waits until a job of the installation has succeeded.
pub async fn ended(world: &World, id: &str) -> usher_jobs::JobRow {
    let row = world.app.jobs.wait(0, id, PATIENCE * 2).await.expect("the database answers").expect("there is a job");
    assert_eq!(row.state, usher_jobs::State::Succeeded, "{row:?}");
    row
}

/// A member with an address.
pub async fn member(world: &World, email: &str) -> Value {
    world.one("members.create", json!({ "email": email })).await["id"].clone()
}

/// Why a member gets in or does not.
pub async fn why(world: &World, member: &Value) -> Value {
    world.ok("members.whyPaywall", json!({ "member": { "id": member } })).await
}

/// A way to Stripe on which answers can be held, so that what they say is of the past when it comes.
pub struct Way {
    pub address: String,
    /// How many of the next answers are held.
    hold: Arc<Semaphore>,
    /// Lets go on what is held.
    go: Arc<Notify>,
    held: Arc<AtomicU32>,
}

impl Way {
    pub async fn to(stripe: std::net::SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let (hold, go, held) = (Arc::new(Semaphore::new(0)), Arc::new(Notify::new()), Arc::new(AtomicU32::new(0)));
        let way = Self { address, hold: hold.clone(), go: go.clone(), held: held.clone() };
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (hold, go, held) = (hold.clone(), go.clone(), held.clone());
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(stripe).await else { return };
                    let ((mut asked, mut told), (mut answers, mut asks)) = (near.into_split(), far.into_split());
                    tokio::spawn(async move { tokio::io::copy(&mut asked, &mut asks).await });
                    let mut some = vec![0; 65_536];
                    while let Ok(n @ 1..) = answers.read(&mut some).await {
                        if let Ok(permit) = hold.try_acquire() {
                            permit.forget();
                            let released = go.notified();
                            held.fetch_add(1, Ordering::SeqCst);
                            released.await;
                        }
                        if told.write_all(&some[..n]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        way
    }

    /// Holds the next answer.
    pub fn hold_one(&self) {
        self.held.store(0, Ordering::SeqCst);
        self.hold.add_permits(1);
    }

    /// Until the answer is held.
    pub async fn is_held(&self) {
        let begun = std::time::Instant::now();
        while self.held.load(Ordering::SeqCst) == 0 {
            assert!(begun.elapsed() < PATIENCE, "nobody asks");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// Lets the answer go on.
    pub fn release(&self) {
        self.go.notify_waiters();
    }
}
