//! What a support person is told: the usual ways of being locked out, written out whole in `lockouts.txt`, to be read from
//! top to bottom.

use std::fmt::Write as _;

use serde_json::{Value, json};
use usher::{
    areas::plans::Opens,
    values::{PlanId, Time},
};

use super::{
    served::{Served, day, invoice, plan, sub},
    shop::member,
};
use crate::harness::World;

/// What `lockouts.txt` says.
const TOLD: &str = include_str!("lockouts.txt");

/// A shop, and what it was told.
struct Shop<'a> {
    world: &'a World,
    stripe: Served,
    gold: PlanId,
    lesson: Value,
    course: Value,
    told: String,
    n: usize,
}

impl<'a> Shop<'a> {
    async fn open(world: &'a mut World) -> Shop<'a> {
        world.without_budgets().await;
        world.settings(|settings| settings.login_url = Some("https://films.example/login".into())).await;
        let stripe = Served::open(world).await;
        let world: &World = world;
        let gold = plan(world, "Gold", "price_gold", Opens::All).await;
        world.execute(&format!("UPDATE plan SET is_public = TRUE WHERE id = '{gold}'")).await;
        plan(world, "Silver", "price_silver", Opens::Listed).await;
        plan(world, "T-shirts", "price_shirt", Opens::Nothing).await;
        let lesson = world.one("videos.create", json!({ "title": "Lesson", "level": "bundle" })).await["id"].clone();
        show(world, &lesson, "published").await;
        let course = world.one("bundles.create", json!({ "name": "The course" })).await["id"].clone();
        world.ok("bundles.addVideos", json!({ "bundle": course, "videos": [lesson] })).await;
        Shop { world, stripe, gold, lesson, course, told: String::new(), n: 0 }
    }

    /// Who is meant, in the cases after this.
    async fn member(&mut self) -> Value {
        self.n += 1;
        member(self.world, &format!("m{}@films.example", self.n)).await
    }

    /// Somebody with a subscription at Stripe of these prices, and its invoices: `change` says what is unusual.
    async fn subscriber(
        &mut self,
        status: &str,
        prices: &[&str],
        (from, until): (i64, i64),
        invoices: &[Value],
        change: Value,
    ) -> Value {
        let member = self.member().await;
        let n = self.n;
        let mut one = sub(self.world, &member, status, prices, (from, until));
        let (id, customer) = (format!("sub_{n}"), format!("cus_{n}"));
        merge(&mut one, &json!({ "id": id, "customer": customer }));
        merge(&mut one, &change);
        self.stripe.put(one);
        for (at, invoice) in invoices.iter().enumerate() {
            let mut invoice = invoice.clone();
            let number = format!("N-{n}{at}");
            let own =
                json!({ "id": format!("in_{n}_{at}"), "customer": customer, "subscription": id, "number": number });
            merge(&mut invoice, &own);
            self.stripe.put(invoice);
            self.stripe.tell(self.world, "invoice.updated", &format!("in_{n}_{at}")).await;
        }
        self.stripe.tell(self.world, "customer.subscription.updated", &id).await;
        member
    }

    /// The last one has T-shirts too, which are paid.
    async fn with_shirts(&mut self, member: &Value) {
        let mut one = sub(self.world, member, "active", &["price_shirt"], (-10, 20));
        let id = format!("sub_{}_shirts", self.n);
        merge(&mut one, &json!({ "id": id, "customer": format!("cus_{}", self.n) }));
        self.stripe.put(one);
        self.stripe.tell(self.world, "customer.subscription.updated", &id).await;
    }

    /// Asks, and writes down what is answered.
    async fn ask(&mut self, about: &str, member: &Value, content: Value) {
        let mut args = json!({ "member": { "id": member } });
        merge(&mut args, &content);
        let why = self.world.ok("members.whyPaywall", args).await;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let out = &mut self.told;
        let until = why["until"].as_str().map_or_else(String::new, |until| format!(", until {until}"));
        let sync = Some(text(&why["syncStatus"])).filter(|sync| !matches!(sync.as_str(), "synced" | "not_linked"));
        let sync = sync.map_or_else(String::new, |sync| format!(", {sync}"));
        writeln!(out, "\n# {about}\n\n{}\n\n    {}{until}{sync}", text(&why["summary"]), text(&why["reason"])).unwrap();
        for check in why["checks"].as_array().expect("checks") {
            let mark = match (&check["passed"], &check["decisive"]) {
                (Value::Bool(true), Value::Bool(true)) => "yes, and decides",
                (Value::Bool(true), _) => "yes",
                (_, Value::Bool(true)) => "no, and decides",
                _ => "no",
            };
            writeln!(out, "    {}: {mark}. {}", text(&check["name"]), text(&check["detail"])).unwrap();
        }
        for (n, fix) in why["fixes"].as_array().expect("fixes").iter().enumerate() {
            let url = fix["url"].as_str().map_or_else(String::new, |url| format!("\n       {url}"));
            writeln!(
                out,
                "    {}. {}\n       {} {}{url}",
                n + 1,
                text(&fix["summary"]),
                text(&fix["tool"]),
                fix["args"]
            )
            .unwrap();
        }
    }
}

/// Puts the fields of one object into another.
fn merge(object: &mut Value, more: &Value) {
    for (name, value) in more.as_object().expect("an object") {
        object[name] = value.clone();
    }
}

/// Ids are made anew in each run; what they are of is kept.
fn without_ids(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
        let (id, rest) = word.split_at(word.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).len());
        match id.split_once('_') {
            Some((kind, body)) if kind.len() == 3 && body.len() > 20 => write!(out, "{kind}_…{rest}").unwrap(),
            _ => out.push_str(word),
        }
    }
    out
}

async fn show(world: &World, video: &Value, visibility: &str) {
    world.one("videos.setVisibility", json!({ "video": video, "visibility": visibility })).await;
}

/// A day as an argument.
fn date(world: &World, days: i64) -> Value {
    json!(Time::from_micros(day(world, days) * 1_000_000).to_string())
}

both!(what_support_is_told_reads_well, async |world| {
    let mut shop = Shop::open(world).await;
    without_stripe(&mut shop).await;
    content(&mut shop).await;
    subscriptions(&mut shop).await;
    refunds_and_disputes(&mut shop).await;
    strangers(&mut shop).await;
    let told = without_ids(shop.told.trim_start());
    for (now, before) in told.split("\n\n# ").zip(TOLD.split("\n\n# ")) {
        assert_eq!(now, before, "all that is told now:\n{told}");
    }
    assert!(told == TOLD, "all that is told now:\n{told}");
});

/// What is given and taken here.
async fn without_stripe(shop: &mut Shop<'_>) {
    let world = shop.world;
    let none = json!({});
    let one = shop.member().await;
    shop.ask("Somebody who never had anything", &one, none.clone()).await;

    let one = shop.member().await;
    let end = date(world, 20);
    world.ok("access.grantFree", json!({ "member": { "id": one }, "expiresAt": end })).await;
    shop.ask("Free access that goes on", &one, none.clone()).await;
    shop.ask("Free access that goes on, and a day before it began", &one, json!({ "at": date(world, -1) })).await;
    shop.ask("Free access, and a day after its end", &one, json!({ "at": date(world, 21) })).await;

    for (about, field) in [("Free access that has ended", "free"), ("A trial that has ended", "trial")] {
        let one = shop.member().await;
        let (since, until) = (day(world, -30) * 1_000_000, day(world, -2) * 1_000_000);
        let id = one.as_str().expect("an id");
        let text = format!("UPDATE member SET {field}_since = {since}, {field}_until = {until} WHERE id = '{id}'");
        world.execute(&text).await;
        shop.ask(about, &one, none.clone()).await;
    }

    let one = shop.member().await;
    world.ok("access.setTrial", json!({ "member": { "id": one }, "expiresAt": date(world, 5) })).await;
    shop.ask("A trial that goes on", &one, none.clone()).await;

    let one = shop.member().await;
    let gold = shop.gold.clone();
    let sale = json!({ "member": { "id": one }, "plan": gold, "source": "bank transfer", "expiresAt": date(world, 3) });
    world.ok("subscriptions.recordExternal", sale).await;
    shop.ask("Paid by bank transfer, for three days more", &one, none.clone()).await;
    shop.ask("Paid by bank transfer, and the day after", &one, json!({ "at": date(world, 4) })).await;

    let one = shop.member().await;
    let (id, job, now) = (one.as_str().expect("an id"), world.clock.id::<usher::values::kind::Job>(), day(world, -1));
    let (made, end) = (now * 1_000_000, day(world, 1) * 1_000_000);
    world
        .execute(&format!(
            "INSERT INTO checkout (site, id, member_id, plan_id, session_id, status, url, expires_at, created_at, updated_at)
             VALUES ({}, '{job}', '{id}', '{gold}', 'cs_open', 'open', 'https://pay.example/cs_open', {end}, {made}, {made})",
            world.site.id
        ))
        .await;
    shop.ask("A checkout that nobody has completed", &one, none.clone()).await;

    let one = shop.member().await;
    world.ok("blocklist.add", json!({ "emails": [format!("m{}@films.example", shop.n)] })).await;
    shop.ask("An address on the block list, which is about mail only", &one, none).await;
}

/// What the content says.
async fn content(shop: &mut Shop<'_>) {
    let world = shop.world;
    let (lesson, course) = (json!({ "video": shop.lesson }), shop.course.clone());
    let one = shop.member().await;
    shop.ask("A video of a bundle, and no bundle", &one, lesson.clone()).await;
    world.ok("access.grantBundle", json!({ "member": { "id": one }, "bundle": course })).await;
    shop.ask("A video of a bundle that is owned", &one, lesson.clone()).await;
    world.ok("access.revokeBundle", json!({ "member": { "id": one }, "bundle": course })).await;
    shop.ask("A bundle that was taken away", &one, lesson.clone()).await;

    let one = shop.member().await;
    let end = date(world, 10);
    world.ok("access.grantBundle", json!({ "member": { "id": one }, "bundle": course, "expiresAt": end })).await;
    shop.ask("A bundle that has ended", &one, json!({ "video": shop.lesson, "at": date(world, 11) })).await;

    let loose = world.one("videos.create", json!({ "title": "Loose", "level": "bundle" })).await["id"].clone();
    show(world, &loose, "published").await;
    shop.ask("A video for owners of a bundle that no bundle holds", &one, json!({ "video": loose })).await;
    for visibility in ["hidden", "unpublished"] {
        show(world, &loose, visibility).await;
        shop.ask(&format!("A video that is {visibility}"), &one, json!({ "video": loose })).await;
    }
    let args = json!({ "video": loose, "visibility": "scheduled", "from": date(world, 2) });
    world.one("videos.setVisibility", args).await;
    shop.ask("A video that is shown in two days", &one, json!({ "video": loose })).await;
}

/// What Stripe says of subscriptions.
async fn subscriptions(shop: &mut Shop<'_>) {
    let world = shop.world;
    let (none, usual) = (json!({}), json!({}));
    let paid =
        |days: (i64, i64)| invoice(world, ("in_0", "paid"), (days.0, 900, 0), &[("price_gold", 900, days.0, days.1)]);
    let open =
        |days: (i64, i64)| invoice(world, ("in_0", "open"), (days.0, 900, 0), &[("price_gold", 900, days.0, days.1)]);
    let one = shop.subscriber("active", &["price_gold"], (-10, 20), &[paid((-10, 20))], usual.clone()).await;
    shop.ask("A subscription that is paid", &one, none.clone()).await;
    shop.ask("A subscription that is paid, and a video of a bundle", &one, json!({ "video": shop.lesson })).await;

    let ending = json!({ "cancel_at_period_end": true });
    let one = shop.subscriber("active", &["price_gold"], (-10, 20), &[paid((-10, 20))], ending).await;
    shop.ask("A subscription that ends with its period", &one, none.clone()).await;
    shop.ask("A subscription that ends with its period, the day after", &one, json!({ "at": date(world, 21) })).await;

    let ended = json!({ "ended_at": day(world, -3), "canceled_at": day(world, -3) });
    let one = shop.subscriber("canceled", &["price_gold"], (-10, 20), &[paid((-10, 20))], ended).await;
    shop.ask("A subscription that was cancelled three days ago", &one, none.clone()).await;

    let due = [open((-3, 27)), paid((-33, -3))];
    let one = shop.subscriber("past_due", &["price_gold"], (-3, 27), &due, usual.clone()).await;
    shop.ask("A card that failed three days ago", &one, none.clone()).await;
    let due = [open((-12, 18)), paid((-42, -12))];
    let one = shop.subscriber("past_due", &["price_gold"], (-12, 18), &due, usual.clone()).await;
    shop.ask("A card that failed twelve days ago", &one, none.clone()).await;
    let one = shop.subscriber("unpaid", &["price_gold"], (-12, 18), &due, usual.clone()).await;
    shop.ask("A subscription that Stripe has given up collecting", &one, none.clone()).await;

    let first = [open((0, 30))];
    let one = shop.subscriber("incomplete", &["price_gold"], (0, 30), &first, usual.clone()).await;
    shop.ask("A first payment that waits for the bank", &one, none.clone()).await;
    let one = shop.subscriber("incomplete_expired", &["price_gold"], (-2, 28), &[], usual.clone()).await;
    shop.ask("A first payment that was never completed", &one, none.clone()).await;

    let paused = json!({ "pause_collection": { "behavior": "void", "resumes_at": null } });
    let one = shop.subscriber("active", &["price_gold"], (-10, 20), &[paid((-10, 20))], paused.clone()).await;
    shop.ask("A subscription that is paused, in the time that was paid", &one, none.clone()).await;
    let one = shop.subscriber("active", &["price_gold"], (-10, 20), &[paid((-40, -10))], paused).await;
    shop.ask("A subscription that is paused, and the time that was paid is over", &one, none.clone()).await;

    let trial = json!({ "trial_end": day(world, 4), "trial_start": day(world, -3) });
    let one = shop.subscriber("trialing", &["price_gold"], (-3, 4), &[], trial).await;
    shop.ask("A trial at Stripe", &one, none.clone()).await;
    let trial = json!({ "trial_end": day(world, -1), "trial_start": day(world, -8) });
    let one = shop.subscriber("paused", &["price_gold"], (-8, -1), &[], trial).await;
    shop.ask("A trial at Stripe that ended without a card", &one, none.clone()).await;

    let silver = invoice(world, ("in_0", "paid"), (-10, 500, 0), &[("price_silver", 500, -10, 20)]);
    let one =
        shop.subscriber("active", &["price_silver"], (-10, 20), std::slice::from_ref(&silver), usual.clone()).await;
    shop.ask("A plan that opens only what names it", &one, none.clone()).await;
    let limited = world.one("videos.create", json!({ "title": "For Gold", "level": "members" })).await["id"].clone();
    show(world, &limited, "published").await;
    let args = json!({ "video": limited, "level": "members", "allowedPlans": [shop.gold] });
    world.one("videos.setAccess", args).await;
    shop.ask("A video for Gold, and a subscription to Silver", &one, json!({ "video": limited })).await;
    let shirt = invoice(world, ("in_0", "paid"), (-10, 700, 0), &[("price_shirt", 700, -10, 20)]);
    let one = shop.subscriber("active", &["price_shirt"], (-10, 20), &[shirt], usual.clone()).await;
    shop.ask("A subscription to T-shirts, which open nothing", &one, none.clone()).await;
    let tea = invoice(world, ("in_0", "paid"), (-10, 700, 0), &[("price_tea", 700, -10, 20)]);
    let one = shop.subscriber("active", &["price_tea"], (-10, 20), &[tea], usual.clone()).await;
    shop.ask("A subscription to something that Usher has not heard of", &one, none.clone()).await;
    let both = [("price_shirt", 700, -10, 20), ("price_gold", 900, -10, 20)];
    let both = invoice(world, ("in_0", "paid"), (-10, 1600, 0), &both);
    let one = shop.subscriber("active", &["price_shirt", "price_gold"], (-10, 20), &[both], usual.clone()).await;
    shop.ask("A subscription to T-shirts and Gold", &one, none.clone()).await;

    // What opens nothing hides nothing of what would let in once it is paid.
    let one = shop.subscriber("past_due", &["price_gold"], (-12, 18), &due, usual.clone()).await;
    shop.with_shirts(&one).await;
    shop.ask("Gold overdue for twelve days, and T-shirts that are paid", &one, none.clone()).await;
    let paused = json!({ "pause_collection": { "behavior": "void", "resumes_at": null } });
    let one = shop.subscriber("active", &["price_gold"], (-10, 20), &[paid((-40, -10))], paused).await;
    shop.with_shirts(&one).await;
    shop.ask("Gold paused, and T-shirts that are paid", &one, none.clone()).await;
    let back = invoice(world, ("in_0", "paid"), (-10, 900, 900), &[("price_gold", 900, -10, 20)]);
    let one = shop.subscriber("active", &["price_gold"], (-10, 20), &[back], usual.clone()).await;
    shop.with_shirts(&one).await;
    shop.ask("Gold refunded and not cancelled, and T-shirts that are paid", &one, none.clone()).await;
    let again = json!({ "member": { "id": one }, "plan": shop.gold, "successUrl": "https://films.example/" });
    let refused = world.call(&world.key, "subscriptions.createCheckout", again).await;
    assert_eq!(
        (refused.code().as_str(), &refused.json()["fix"]["tool"]),
        ("subscription_exists", &json!("subscriptions.cancel"))
    );
    let bills = [
        invoice(world, ("in_0", "open"), (-12, 500, 0), &[("price_silver", 500, -12, 18)]),
        invoice(world, ("in_0", "paid"), (-42, 500, 0), &[("price_silver", 500, -42, -12)]),
    ];
    let one = shop.subscriber("past_due", &["price_silver"], (-12, 18), &bills, usual.clone()).await;
    let ending = json!({ "cancel_at_period_end": true });
    shop.ask("Silver overdue for twelve days, and a video for Gold", &one, json!({ "video": limited })).await;
    let silver_paid = std::slice::from_ref(&silver);
    let one = shop.subscriber("active", &["price_silver"], (-10, 20), silver_paid, ending).await;
    shop.ask("A video for Gold, and a subscription to Silver that ends", &one, json!({ "video": limited })).await;

    // An upgrade whose bill is not paid.
    let lines = [("price_silver", -400, -9, 20), ("price_gold", 800, -9, 20)];
    let upgrade = invoice(world, ("in_0", "open"), (-9, 400, 0), &lines);
    let bills = [upgrade, silver];
    let one = shop.subscriber("past_due", &["price_gold"], (-10, 20), &bills, usual.clone()).await;
    shop.ask("An upgrade from Silver to Gold, unpaid for nine days", &one, none.clone()).await;

    let odd = shop.subscriber("hibernating", &["price_gold"], (-10, 20), &[paid((-10, 20))], usual.clone()).await;
    shop.ask("A status that Usher does not know", &odd, none.clone()).await;
    let again = json!({ "member": { "id": odd }, "plan": shop.gold, "successUrl": "https://films.example/" });
    assert_eq!(world.call(&world.key, "subscriptions.createCheckout", again).await.code(), "subscription_exists");
    let soon = json!({ "start_date": day(world, 2), "trial_end": null });
    let one = shop.subscriber("active", &["price_gold"], (2, 32), &[], soon).await;
    shop.ask("A subscription that begins in two days", &one, none).await;
}

/// Money that went back.
async fn refunds_and_disputes(shop: &mut Shop<'_>) {
    let world = shop.world;
    let (none, usual) = (json!({}), json!({}));
    let paid = |refunded: i64| invoice(world, ("in_0", "paid"), (-10, 900, refunded), &[("price_gold", 900, -10, 20)]);
    let one = shop.subscriber("active", &["price_gold"], (-10, 20), &[paid(900)], usual.clone()).await;
    shop.ask("All that was paid was given back", &one, none.clone()).await;
    let one = shop.subscriber("active", &["price_gold"], (-10, 20), &[paid(300)], usual).await;
    shop.ask("A third of what was paid was given back", &one, none).await;
}

/// Somebody who pays under another address.
async fn strangers(shop: &mut Shop<'_>) {
    let world = shop.world;
    let named = async |email: &str, name: &str| {
        world.one("members.create", json!({ "email": email, "name": name })).await["id"].clone()
    };
    let anna = named("anna@films.example", "Anna Lind").await;
    let work = named("a.lind@work.example", "Anna Lind").await;
    world.ok("access.grantFree", json!({ "member": { "id": work } })).await;
    shop.ask("Somebody of the same name has access", &anna, json!({})).await;
    let ben = named("ben@films.example", "Ben").await;
    let mut guest = sub(world, &json!("mem_nobody"), "active", &["price_gold"], (-10, 20));
    merge(&mut guest, &json!({ "id": "sub_guest", "customer": "cus_guest", "metadata": {} }));
    shop.stripe.put(guest);
    shop.stripe.put(json!({ "id": "cus_guest", "object": "customer", "email": "ben@films.example", "created": 1 }));
    shop.stripe.tell(world, "customer.subscription.updated", "sub_guest").await;
    shop.ask("A subscription at Stripe with this address, and linked to nobody", &ben, json!({})).await;
}
