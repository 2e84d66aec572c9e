//! Access as money really moves: subscriptions and invoices as Stripe words them, served as JSON.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use poem::{
    EndpointExt as _, IntoResponse as _, Request, Response, Server,
    endpoint::make,
    http::StatusCode,
    listener::{Acceptor as _, Listener as _, TcpListener},
    web::Json,
};
use serde_json::{Value, json};
use usher::{
    areas::plans::{self, Opens},
    values::{PlanId, Time},
};

use super::{
    events::{event, signature},
    shop::{connect, member, periodic_jobs_have_run, read_all, subscription, why},
};
use crate::harness::World;

const SECRET: &str = "whsec_of_the_tests";

/// A Stripe that answers with what a test has put there.
pub(super) struct Served {
    objects: Arc<Mutex<BTreeMap<String, Value>>>,
    n: std::sync::atomic::AtomicU32,
}

fn answer(objects: &BTreeMap<String, Value>, request: &Request) -> Response {
    let path = request.uri().path().trim_start_matches("/v1/");
    let query: BTreeMap<String, String> = request.params().unwrap_or_default();
    let path = path.trim_start_matches("checkout/");
    if let Some((_, id)) = path.split_once('/') {
        return match objects.get(id) {
            Some(object) => Json(object.clone()).into_response(),
            None => {
                let error = json!({ "error": { "type": "invalid_request_error", "code": "resource_missing" } });
                Json(error).with_status(StatusCode::NOT_FOUND).into_response()
            }
        };
    }
    let fits = |object: &&Value| {
        let is = |field: &str| query.get(field).is_none_or(|wanted| object[field] == json!(wanted));
        format!("{}s", object["object"].as_str().expect("a kind")) == path
            && is("subscription")
            && is("status")
            && is("charge")
    };
    let mut data: Vec<_> = objects.values().filter(fits).cloned().collect();
    data.sort_by_key(|object| std::cmp::Reverse(object["created"].as_i64()));
    Json(json!({ "object": "list", "data": data, "has_more": false, "url": "/v1" })).into_response()
}

impl Served {
    pub(super) async fn open(world: &mut World) -> Self {
        periodic_jobs_have_run(world).await;
        let objects: Arc<Mutex<BTreeMap<String, Value>>> = Arc::default();
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.expect("a free port");
        let address = acceptor.local_addr()[0].as_socket_addr().expect("an address").to_string();
        let known = objects.clone();
        let endpoint = make(move |request: Request| {
            let known = known.clone();
            async move { Ok::<_, poem::Error>(answer(&known.lock().expect("nobody panics"), &request)) }
        });
        tokio::spawn(Server::new_with_acceptor(acceptor).run(endpoint.boxed()));
        connect(world, &format!("http://{address}/"), "acct_served", "sk_test_of_the_tests", SECRET).await;
        Self { objects, n: Default::default() }
    }

    pub(super) fn put(&self, object: Value) {
        let id = object["id"].as_str().expect("an id").to_owned();
        self.objects.lock().expect("nobody panics").insert(id, object);
    }

    /// Tells of something that is new, and waits until it is read.
    pub(super) async fn tell(&self, world: &World, kind: &str, id: &str) {
        let n = self.n.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let object = self.objects.lock().expect("nobody panics")[id].clone();
        let mut told = event(&format!("evt_{n}"), id);
        told["type"] = json!(kind);
        told["data"]["object"] = object;
        let body = told.to_string();
        let header = signature(&body, world.clock.now().micros() / 1_000_000, &[SECRET]);
        let path = format!("/webhooks/stripe/{}", world.site.id);
        let reply = world.send("POST", &path, &[("stripe-signature", header)], body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        read_all(world, world.site.id).await;
    }
}

/// A moment, in days from the world's now.
pub(super) fn day(world: &World, days: i64) -> i64 {
    world.clock.now().micros() / 1_000_000 + days * 86_400
}

/// A plan with a price at Stripe.
pub(super) async fn plan(world: &World, name: &str, price: &str, opens: Opens) -> PlanId {
    let id: PlanId = world.clock.id();
    world.plan(&id, name).await;
    let mut tx = world.app.db.begin().await.expect("a transaction");
    plans::store::set_price(tx.conn(), world.site.id, &id, &format!("prod_{price}"), price)
        .await
        .expect("it is written");
    let known = plans::store::by_id(tx.conn(), world.site.id, &id).await.expect("a plan").expect("it is there");
    plans::store::update(tx.conn(), world.site.id, &plans::Plan { opens, ..known }).await.expect("it is written");
    tx.commit().await.expect("a commit");
    id
}

pub(super) fn price(id: &str) -> Value {
    json!({ "id": id, "object": "price", "active": true, "currency": "eur", "unit_amount": 900, "type": "recurring",
            "product": format!("prod_{id}"), "recurring": { "interval": "month", "interval_count": 1 } })
}

/// A member's subscription, of these prices, in a period of these days.
pub(super) fn sub(world: &World, member: &Value, status: &str, prices: &[&str], (from, until): (i64, i64)) -> Value {
    let item = |(n, id): (usize, &&str)| {
        json!({ "id": format!("si_{n}"), "object": "subscription_item", "price": price(id), "quantity": 1,
                "current_period_start": day(world, from), "current_period_end": day(world, until) })
    };
    let items: Vec<_> = prices.iter().enumerate().map(item).collect();
    json!({
        "id": "sub_1", "object": "subscription", "status": status, "customer": "cus_1", "currency": "eur",
        "created": day(world, -60), "start_date": day(world, -60), "metadata": { "usher_member": member },
        "cancel_at_period_end": false, "collection_method": "charge_automatically",
        "items": { "object": "list", "data": items, "has_more": false },
    })
}

/// An invoice of it: id, status, made on a day, over so much, of which so much was given back; price, amount and days of
/// each line.
pub(super) fn invoice(
    world: &World,
    (id, status): (&str, &str),
    (created, amount, refunded): (i64, i64, i64),
    lines: &[(&str, i64, i64, i64)],
) -> Value {
    let line = |(price, amount, from, until): &(&str, i64, i64, i64)| {
        json!({ "id": "il_1", "object": "line_item", "amount": amount, "currency": "eur", "price": { "id": price, "object": "price" },
                "period": { "start": day(world, *from), "end": day(world, *until) } })
    };
    let paid = if status == "paid" { amount } else { 0 };
    json!({
        "id": id, "object": "invoice", "status": status, "currency": "eur", "created": day(world, created),
        "number": format!("N-{}", &id[3..]), "amount_due": amount, "amount_paid": paid, "total": amount, "subtotal": amount,
        "customer": "cus_1", "subscription": "sub_1", "hosted_invoice_url": format!("https://pay.example/{id}"),
        "charge": { "id": format!("ch_{id}"), "object": "charge", "amount": amount, "amount_refunded": refunded },
        "lines": { "object": "list", "data": lines.iter().map(line).collect::<Vec<_>>(), "has_more": false },
    })
}

async fn reason(world: &World, member: &Value) -> String {
    why(world, member).await["reason"].as_str().expect("a reason").to_owned()
}

async fn status(world: &World, member: &Value) -> String {
    let id = json!({ "member": { "id": member } });
    let shown = world.one("members.get", id).await["status"].as_str().expect("a status").to_owned();
    // Lists by status say the same.
    let listed = world.ok("members.list", json!({ "status": shown })).await;
    assert!(listed["items"].as_array().expect("items").iter().any(|one| one["id"] == *member), "{listed}");
    shown
}

both!(the_newest_payment_counts_whatever_was_given_back_before, async |world| {
    world.without_budgets().await;
    let stripe = Served::open(world).await;
    plan(world, "Gold", "price_month", Opens::All).await;
    plan(world, "Gold yearly", "price_year", Opens::All).await;
    let anna = member(world, "anna@example.com").await;
    // B1: a year is paid and given back, and a month is paid since.
    stripe.put(sub(world, &anna, "active", &["price_year"], (-20, 345)));
    stripe.put(invoice(world, ("in_1", "paid"), (-20, 9000, 9000), &[("price_year", 9000, -20, 345)]));
    stripe.tell(world, "customer.subscription.updated", "sub_1").await;
    assert_eq!((reason(world, &anna).await, status(world, &anna).await), ("subscription_ended".into(), "free".into()));
    stripe.put(sub(world, &anna, "active", &["price_month"], (-1, 29)));
    let lines = [("price_year", -8500, -1, 345), ("price_month", 900, -1, 29)];
    stripe.put(invoice(world, ("in_2", "paid"), (-1, 900, 0), &lines));
    stripe.tell(world, "invoice.paid", "in_2").await;
    stripe.tell(world, "customer.subscription.updated", "sub_1").await;
    assert_eq!(
        (reason(world, &anna).await, status(world, &anna).await),
        ("allowed_subscription".into(), "paid".into())
    );
    let report = world.ok("billing.reconcile", json!({})).await;
    assert_eq!(report["items"], json!([]), "{report}");
    // B2: of an upgrade's small payment that is given back nothing ends.
    stripe.put(invoice(world, ("in_3", "paid"), (0, 150, 150), &[("price_year", 150, 0, 29)]));
    stripe.tell(world, "charge.refunded", "in_3").await;
    stripe.tell(world, "invoice.paid", "in_3").await;
    assert_eq!(reason(world, &anna).await, "allowed_subscription");
    // All of the running period is given back.
    stripe.put(invoice(world, ("in_2", "paid"), (-1, 900, 900), &lines));
    stripe.tell(world, "invoice.updated", "in_2").await;
    assert_eq!((reason(world, &anna).await, status(world, &anna).await), ("subscription_ended".into(), "free".into()));
    let summary = why(world, &anna).await["summary"].clone();
    assert!(
        summary.as_str().expect("a text").contains("All that was paid for Gold went back to the payer"),
        "{summary}"
    );
});

both!(every_item_counts_in_any_order_and_a_plan_opens_what_its_owner_says, async |world| {
    world.without_budgets().await;
    let stripe = Served::open(world).await;
    let gold = plan(world, "Gold", "price_gold", Opens::Listed).await;
    let coaching = plan(world, "Coaching", "price_coaching", Opens::Nothing).await;
    let anna = member(world, "anna@example.com").await;
    let video = world.one("videos.create", json!({ "title": "Lesson", "level": "members" })).await["id"].clone();
    world.one("videos.setVisibility", json!({ "video": video, "visibility": "published" })).await;
    world.one("videos.setAccess", json!({ "video": video, "level": "members", "allowedPlans": [gold] })).await;
    let why_video = async || world.ok("members.whyPaywall", json!({ "member": { "id": anna }, "video": video })).await;
    stripe.put(invoice(world, ("in_1", "paid"), (-1, 900, 0), &[("price_gold", 900, -1, 29)]));
    // B4: a video limited to Gold, and Gold in either place.
    for prices in [["price_coaching", "price_gold"], ["price_gold", "price_coaching"]] {
        stripe.put(sub(world, &anna, "active", &prices, (-1, 29)));
        stripe.tell(world, "customer.subscription.updated", "sub_1").await;
        assert_eq!(why_video().await["reason"], "allowed_subscription", "{prices:?}");
        // Gold opens only what names it.
        assert_eq!(reason(world, &anna).await, "plan_not_included");
        assert_eq!(status(world, &anna).await, "paid");
        let shown = world.ok("subscriptions.list", json!({ "plan": gold })).await["items"][0].clone();
        let plans: Vec<_> = shown["items"].as_array().expect("items").iter().map(|item| item["plan"].clone()).collect();
        assert_eq!(plans.len(), 2, "{shown}");
        assert_eq!(shown["plan"], plans[0], "{shown}");
        let listed = world.ok("subscriptions.list", json!({ "plan": coaching })).await;
        assert_eq!(listed["items"].as_array().expect("items").len(), 1, "{listed}");
    }
    // Gold goes, and what stays opens nothing until somebody says so.
    stripe.put(sub(world, &anna, "active", &["price_coaching"], (-1, 29)));
    stripe.tell(world, "customer.subscription.updated", "sub_1").await;
    assert_eq!((reason(world, &anna).await, status(world, &anna).await), ("plan_not_included".into(), "free".into()));
    let refused = why(world, &anna).await;
    let summary = refused["summary"].as_str().expect("a text");
    assert!(summary.contains("Coaching opens no content."), "{refused}");
    let answer = world.ok("plans.update", json!({ "plan": coaching, "opens": "all" })).await;
    assert_eq!((&answer["plan"]["opens"], answer["plan"].get("needsReview")), (&json!("all"), None), "{answer}");
    assert_eq!(reason(world, &anna).await, "allowed_subscription");
    for job in world.rows("SELECT id FROM job WHERE kind = 'access.recount'").await {
        world.job(&json!(job)).await;
    }
    assert_eq!(status(world, &anna).await, "paid");
});

both!(what_comes_from_stripe_unasked_opens_nothing_until_somebody_says_so, async |world| {
    world.without_budgets().await;
    let stripe = Served::open(world).await;
    let anna = member(world, "anna@example.com").await;
    stripe.put(sub(world, &anna, "active", &["price_shirt"], (-1, 29)));
    stripe
        .put(json!({ "id": "prod_price_shirt", "object": "product", "name": "T-shirt of the month", "active": true }));
    stripe.tell(world, "customer.subscription.updated", "sub_1").await;
    assert_eq!((reason(world, &anna).await, status(world, &anna).await), ("plan_not_included".into(), "free".into()));
    let plans = world.ok("plans.list", json!({ "needsReview": true })).await;
    assert_eq!(
        (&plans["items"][0]["opens"], &plans["items"][0]["name"]),
        (&json!("nothing"), &json!("T-shirt of the month"))
    );
});

both!(grace_runs_from_when_it_was_due_and_then_what_is_paid_for_goes_on, async |world| {
    world.without_budgets().await;
    let stripe = Served::open(world).await;
    let dear = plan(world, "Platinum", "price_dear", Opens::All).await;
    plan(world, "Basic", "price_basic", Opens::All).await;
    let anna = member(world, "anna@example.com").await;
    let shown = |why: &Value| why["summary"].as_str().expect("a text").to_owned();
    // B5: sent with 30 days to pay, and unpaid a day after.
    stripe.put(sub(world, &anna, "past_due", &["price_basic"], (-31, -1)));
    let mut sent = invoice(world, ("in_1", "open"), (-31, 900, 0), &[("price_basic", 900, -31, -1)]);
    sent["due_date"] = json!(day(world, -1));
    stripe.put(sent);
    stripe.tell(world, "customer.subscription.updated", "sub_1").await;
    let grace = why(world, &anna).await;
    assert_eq!((&grace["reason"], status(world, &anna).await), (&json!("allowed_grace"), "paid".to_owned()));
    assert!(shown(&grace).contains("Basic: invoice N-1 over 9.00 EUR was due on"), "{grace}");
    let until = Time::parse(grace["until"].as_str().expect("an end")).expect("a time").micros() / 1_000_000;
    assert_eq!(until, day(world, 6));
    let later = json!({ "member": { "id": anna }, "at": grace["until"] });
    let refused = world.ok("members.whyPaywall", later).await;
    assert_eq!(refused["reason"], "subscription_past_due");
    assert_eq!(refused["fixes"][0]["url"], "https://pay.example/in_1", "{refused}");
    // B6: a year of Basic is paid; the invoice of an upgrade is unpaid for 15 days.
    stripe.objects.lock().expect("nobody panics").remove("in_1");
    stripe.put(sub(world, &anna, "past_due", &["price_dear"], (-100, 265)));
    stripe.put(invoice(world, ("in_2", "paid"), (-100, 9000, 0), &[("price_basic", 9000, -100, 265)]));
    stripe.put(invoice(world, ("in_3", "open"), (-15, 90_000, 0), &[("price_dear", 90_000, -15, 265)]));
    stripe.tell(world, "customer.subscription.updated", "sub_1").await;
    let basic = why(world, &anna).await;
    assert_eq!((&basic["reason"], status(world, &anna).await), (&json!("allowed_subscription"), "paid".to_owned()));
    assert!(shown(&basic).contains("A payment for Platinum is overdue; Basic is paid until"), "{basic}");
    let video = world.one("videos.create", json!({ "title": "Lesson", "level": "members" })).await["id"].clone();
    world.one("videos.setVisibility", json!({ "video": video, "visibility": "published" })).await;
    world.one("videos.setAccess", json!({ "video": video, "level": "members", "allowedPlans": [dear] })).await;
    let only = world.ok("members.whyPaywall", json!({ "member": { "id": anna }, "video": video })).await;
    assert_eq!(only["reason"], "subscription_past_due", "{only}");
    // What is unpaid in the end is as what is overdue.
    stripe.put(sub(world, &anna, "unpaid", &["price_dear"], (-100, 265)));
    stripe.tell(world, "customer.subscription.updated", "sub_1").await;
    assert_eq!(reason(world, &anna).await, "allowed_subscription");
    // Given back, it is not paid for.
    stripe.put(invoice(world, ("in_2", "paid"), (-100, 9000, 9000), &[("price_basic", 9000, -100, 265)]));
    stripe.tell(world, "invoice.updated", "in_2").await;
    assert_ne!(reason(world, &anna).await, "allowed_subscription");
});

both!(only_subscriptions_that_go_on_are_two, async |world| {
    let stripe = Served::open(world).await;
    plan(world, "Gold", "price_gold", Opens::All).await;
    plan(world, "Silver", "price_silver", Opens::All).await;
    let anna = member(world, "anna@example.com").await;
    // B3: Gold ends with its period, and Silver goes on.
    let mut ending = sub(world, &anna, "active", &["price_gold"], (-1, 29));
    ending["cancel_at_period_end"] = json!(true);
    stripe.put(ending);
    stripe.tell(world, "customer.subscription.updated", "sub_1").await;
    let mut other = sub(world, &anna, "active", &["price_silver"], (0, 30));
    other["id"] = json!("sub_2");
    stripe.put(other);
    stripe.tell(world, "customer.subscription.updated", "sub_2").await;
    let report = world.ok("billing.reconcile", json!({})).await;
    assert_eq!(report["items"], json!([]), "{report}");
    let alarms = world.ok("activity.list", json!({ "tool": "stripe.twoLiveSubscriptions" })).await;
    assert_eq!(alarms["items"], json!([]), "{alarms}");
    // Gold goes on after all.
    stripe.put(sub(world, &anna, "active", &["price_gold"], (-1, 29)));
    stripe.tell(world, "customer.subscription.updated", "sub_1").await;
    let report = world.ok("billing.reconcile", json!({})).await;
    assert_eq!(report["items"][0]["kind"], "two_live", "{report}");
    assert_ne!(subscription(world, &anna).await, json!(null));
});

both!(a_sale_on_another_page_is_linked_by_its_reference_or_by_a_call, async |world| {
    world.without_budgets().await;
    let stripe = Served::open(world).await;
    plan(world, "Gold", "price_gold", Opens::All).await;
    let (anna, ben) = (member(world, "anna@example.com").await, member(world, "ben@example.com").await);
    stripe.put(json!({ "id": "cus_1", "object": "customer", "email": "ben@example.com", "metadata": {} }));
    let mut sold = sub(world, &anna, "active", &["price_gold"], (-1, 29));
    sold["metadata"] = json!({});
    stripe.put(sold.clone());
    stripe.tell(world, "customer.subscription.created", "sub_1").await;
    assert_eq!(reason(world, &anna).await, "no_subscription");
    // B7: the page names the member.
    let session = json!({
        "id": "cs_1", "object": "checkout.session", "mode": "subscription", "status": "complete", "payment_status": "paid",
        "customer": "cus_1", "subscription": "sub_1", "client_reference_id": anna, "metadata": {}, "created": day(world, 0),
    });
    stripe.put(session);
    stripe.tell(world, "checkout.session.completed", "cs_1").await;
    assert_eq!(reason(world, &anna).await, "allowed_subscription");
    assert_eq!(reason(world, &ben).await, "no_subscription");
    // One that names nobody is offered where it was paid with the member's address, and linked by the call.
    sold["id"] = json!("sub_2");
    sold["customer"] = json!("cus_2");
    stripe.put(json!({ "id": "cus_2", "object": "customer", "email": "ben@example.com", "metadata": {} }));
    stripe.put(sold);
    stripe.tell(world, "customer.subscription.created", "sub_2").await;
    let refused = why(world, &ben).await;
    let fix = &refused["fixes"][0];
    assert_eq!(
        (&fix["tool"], &fix["args"]["externalId"]),
        (&json!("subscriptions.link"), &json!("sub_2")),
        "{refused}"
    );
    let taken =
        world.call(&world.key, "subscriptions.link", json!({ "member": { "id": ben }, "externalId": "sub_1" })).await;
    assert_eq!(taken.code(), "subscription_linked");
    let unknown =
        world.call(&world.key, "subscriptions.link", json!({ "member": { "id": ben }, "externalId": "sub_9" })).await;
    assert_eq!(unknown.code(), "subscription_not_found");
    let linked = world.ok("subscriptions.link", fix["args"].clone()).await;
    let job = world.job(&linked["job"]["id"]).await;
    assert_eq!(job["status"], "succeeded", "{job}");
    assert_eq!(reason(world, &ben).await, "allowed_subscription");
});

both!(what_a_guest_bought_once_is_shown_with_the_call_that_links_it, async |world| {
    world.without_budgets().await;
    let stripe = Served::open(world).await;
    let life = plan(world, "For life", "price_life", Opens::All).await;
    world.execute(&format!("UPDATE plan SET every = 'one_time' WHERE id = '{life}'")).await;
    let anna = member(world, "anna@example.com").await;
    // B11: paid as a guest, with the member's address.
    stripe.put(json!({
        "id": "cs_1", "object": "checkout.session", "mode": "payment", "status": "complete", "payment_status": "paid",
        "customer": null, "customer_details": { "email": "Anna@Example.com" }, "metadata": {}, "created": day(world, 0),
    }));
    let line = json!({ "id": "li_1", "object": "item", "quantity": 1, "price": price("price_life") });
    stripe.put(json!({ "id": "cs_1/line_items", "object": "list", "data": [line], "has_more": false }));
    stripe.tell(world, "checkout.session.completed", "cs_1").await;
    let refused = why(world, &anna).await;
    assert_eq!(refused["fixes"][0]["tool"], "subscriptions.link", "{refused}");
    let report = world.ok("billing.reconcile", json!({})).await;
    assert_eq!(report["items"][0]["fix"]["args"], refused["fixes"][0]["args"], "{report}");
    let linked = world.ok("subscriptions.link", refused["fixes"][0]["args"].clone()).await;
    world.job(&linked["job"]["id"]).await;
    assert_eq!(reason(world, &anna).await, "allowed_subscription");
    let report = world.ok("billing.reconcile", json!({})).await;
    assert_eq!(report["items"], json!([]), "{report}");
});

both!(a_lost_dispute_is_told_and_ends_access_if_the_site_says_so, async |world| {
    world.without_budgets().await;
    let stripe = Served::open(world).await;
    plan(world, "Gold", "price_gold", Opens::All).await;
    let anna = member(world, "anna@example.com").await;
    stripe.put(sub(world, &anna, "active", &["price_gold"], (-1, 29)));
    stripe.put(invoice(world, ("in_1", "paid"), (-1, 900, 0), &[("price_gold", 900, -1, 29)]));
    stripe.tell(world, "invoice.paid", "in_1").await;
    stripe.put(json!({ "id": "ch_in_1", "object": "charge", "amount": 900, "amount_refunded": 0, "disputed": true,
                       "status": "succeeded", "invoice": "in_1", "payment_intent": null }));
    let dispute = |status: &str| {
        json!({ "id": "dp_1", "object": "dispute", "status": status, "amount": 900, "currency": "eur", "charge": "ch_in_1",
                "reason": "fraudulent", "created": day(world, 0) })
    };
    // B10.
    stripe.put(dispute("needs_response"));
    stripe.tell(world, "charge.dispute.created", "dp_1").await;
    assert_eq!(world.ok("billing.reconcile", json!({})).await["items"], json!([]));
    stripe.put(dispute("lost"));
    stripe.tell(world, "charge.dispute.closed", "dp_1").await;
    stripe.tell(world, "charge.dispute.closed", "dp_1").await;
    let report = world.ok("billing.reconcile", json!({})).await;
    let found = &report["items"][0];
    assert_eq!(
        (&found["kind"], &found["member"], &found["fix"]["tool"]),
        (&json!("lost_dispute"), &anna, &json!("subscriptions.cancel"))
    );
    assert!(found["detail"].as_str().expect("a text").contains("over 9.00 EUR was lost"), "{found}");
    let told = world.ok("activity.list", json!({ "tool": "stripe.dispute" })).await;
    assert_eq!(told["items"].as_array().expect("items").len(), 2, "{told}");
    assert_eq!(told["items"][0]["member"], anna, "{told}");
    assert_eq!(reason(world, &anna).await, "allowed_subscription");
    world.settings(|settings| settings.lost_disputes_end_access = true).await;
    stripe.tell(world, "customer.subscription.updated", "sub_1").await;
    assert_eq!((reason(world, &anna).await, status(world, &anna).await), ("subscription_ended".into(), "free".into()));
});
