//! A second opinion: localstripe, a Stripe that others wrote, for what it has. It speaks an API of years ago, in which a
//! subscription is to a plan and not to a price, and signs its own events.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};

use super::{
    people::{member, waited, why},
    shop::{connect, periodic_jobs_have_run, read_all, subscription},
};
use crate::harness::{PATIENCE, World, python};

const KEY: &str = "sk_test_localstripe";
const SECRET: &str = "whsec_localstripe";

/// The program, which ends with its standard input.
struct LocalStripe {
    address: String,
    process: Child,
}

impl Drop for LocalStripe {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

impl LocalStripe {
    async fn start(world: &World) -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stripe/localstripe_server.py");
        let mut process = Command::new(python())
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let port = tokio::task::spawn_blocking(|| output.lines().next());
        let port = tokio::time::timeout(PATIENCE, port).await.expect("it starts in time").expect("a task");
        let port = port.expect("a line").expect("its output");
        let stripe = Self { address: format!("http://127.0.0.1:{port}"), process };
        let url = format!("{}/webhooks/stripe/{}", world.address, world.site.id);
        stripe.post(world, "/_config/webhooks/usher", &[("url", &url), ("secret", SECRET)]).await;
        stripe
    }

    async fn send(&self, world: &World, method: reqwest::Method, path: &str, form: &[(&str, &str)]) -> Value {
        let mut query = reqwest::Url::parse("http://form").expect("an address");
        query.query_pairs_mut().extend_pairs(form);
        let request = world.http.request(method, format!("{}{path}", self.address)).bearer_auth(KEY);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(query.query().unwrap_or_default().to_owned()).send().await.expect("an answer");
        let (status, text) = (answer.status(), answer.text().await.expect("a body"));
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn post(&self, world: &World, path: &str, form: &[(&str, &str)]) -> Value {
        self.send(world, reqwest::Method::POST, path, form).await
    }

    /// A customer with a card that pays.
    async fn customer(&self, world: &World, member: &str) -> String {
        let fields = [("email", "anna@example.com"), ("metadata[usher_member]", member)];
        let customer = text(&self.post(world, "/v1/customers", &fields).await["id"]);
        let card = [
            ("type", "card"),
            ("card[number]", "4242424242424242"),
            ("card[exp_month]", "12"),
            ("card[exp_year]", "2049"),
            ("card[cvc]", "123"),
        ];
        let card = text(&self.post(world, "/v1/payment_methods", &card).await["id"]);
        self.post(world, &format!("/v1/payment_methods/{card}/attach"), &[("customer", &customer)]).await;
        let default = [("invoice_settings[default_payment_method]", card.as_str())];
        self.post(world, &format!("/v1/customers/{customer}"), &default).await;
        customer
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// It has the time of day, and so has the world that hears from it.
#[expect(clippy::disallowed_methods, reason = "another program's clock")]
fn now_by_the_other_clock(world: &World) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let here = Duration::from_micros(world.clock.now().micros().unsigned_abs());
    world.clock.advance(now.saturating_sub(here));
}

/// Until something has come of its events, which it sends a second after it has answered.
async fn until(world: &World, mut holds: impl AsyncFnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !holds().await {
        now_by_the_other_clock(world);
        if begun.elapsed() > PATIENCE {
            let open =
                world.rows("SELECT kind || ' ' || object_id || ' ' || COALESCE(error, '') FROM stripe_dirty").await;
            let seen = world.rows("SELECT id FROM stripe_event").await;
            let strays = world.rows("SELECT id FROM stripe_stray").await;
            panic!("nothing came of it; to be read: {open:?}, events: {seen:?}, nobody's: {strays:?}");
        }
        read_all(world, world.site.id).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

both!(what_another_stripe_says_is_understood, async |world| {
    world.without_budgets().await;
    periodic_jobs_have_run(world).await;
    now_by_the_other_clock(world);
    let stripe = LocalStripe::start(world).await;
    let address = stripe.address.clone();
    connect(world, &address, "acct_localstripe", KEY, SECRET).await;
    let world = &*world;
    let anna = member(world, "anna@example.com").await;
    let customer = stripe.customer(world, anna.as_str().expect("an id")).await;
    stripe.post(world, "/v1/products", &[("id", "prod_gold"), ("name", "Gold"), ("type", "service")]).await;
    let plan =
        [("id", "gold"), ("amount", "900"), ("currency", "eur"), ("interval", "month"), ("product", "prod_gold")];
    stripe.post(world, "/v1/plans", &plan).await;
    let bought = [("customer", customer.as_str()), ("items[0][plan]", "gold")];
    let external = text(&stripe.post(world, "/v1/subscriptions", &bought).await["id"]);

    // Only its event tells of it.
    until(world, async || why(world, &anna).await == "plan_not_included").await;
    let mirrored = subscription(world, &anna).await;
    // What comes from Stripe unasked opens nothing until somebody says so.
    world.ok("plans.update", json!({ "plan": mirrored["plan"], "opens": "all" })).await;
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    assert_eq!((&mirrored["externalId"], &mirrored["status"]), (&json!(external), &json!("active")), "{mirrored}");
    let plan = world.one("plans.get", json!({ "plan": mirrored["plan"] })).await;
    let expected = (&json!("Gold"), &json!(900), &json!("EUR"), &json!("month"));
    assert_eq!((&plan["name"], &plan["amount"], &plan["currency"], &plan["every"]), expected, "{plan}");
    until(world, async || {
        let invoices = world.ok("invoices.list", json!({})).await["items"].clone();
        invoices[0]["status"] == "paid" && invoices[0]["amountPaid"] == 900
    })
    .await;

    // What is asked for here is so there.
    let args = json!({ "subscription": mirrored["id"] });
    let job = waited(world, "subscriptions.cancel", args.clone()).await["job"].clone();
    assert_eq!(job["result"]["outcome"], "done", "{job}");
    let there = async || stripe.send(world, reqwest::Method::GET, &format!("/v1/subscriptions/{external}"), &[]).await;
    assert_eq!(there().await["cancel_at_period_end"], true);
    let job = waited(world, "subscriptions.resume", args.clone()).await["job"].clone();
    assert_eq!(job["result"]["outcome"], "done", "{job}");
    assert_eq!(there().await["cancel_at_period_end"], false);
    let now = json!({ "subscription": mirrored["id"], "when": "now" });
    let job = waited(world, "subscriptions.cancel", now).await["job"].clone();
    assert_eq!(job["result"]["outcome"], "done", "{job}");
    assert_eq!(there().await["status"], "canceled");
    until(world, async || why(world, &anna).await == "subscription_ended").await;
    let synced = world.ok("members.syncStatus", json!({ "member": { "id": anna } })).await;
    assert_eq!(synced["status"], "synced", "{synced}");
});
