//! What was paid, and giving it back.

use futures_util::future::join_all;
use serde_json::{Value, json};
use stripe_fake::{Fault, Payer, Rule};
use usher::tools::Scope;
use usher_stripe::requests::{checkout::Sells, refunds};

use super::{
    Shop,
    people::{refused, waited, why},
    shop::{member, subscription},
};
use crate::harness::World;

/// A member who pays 9.00 a month; its invoice.
async fn payer(world: &World, shop: &Shop, email: &str) -> (Value, Value) {
    let payer = member(world, email).await;
    let price = shop.price(900).await;
    shop.sells(&payer, &price).await;
    shop.settle(world).await;
    let page = world.ok("invoices.list", json!({ "member": { "id": payer } })).await;
    (payer, page["items"][0]["id"].clone())
}

/// How much was given back at Stripe in all, and in how many refunds.
async fn given_back(shop: &Shop) -> (i64, usize) {
    let (mut sum, mut n) = (0, 0);
    for invoice in shop.invoices(&shop.customer().await).await {
        for intent in invoice.payment_intent_ids() {
            let page = shop.read(refunds::of_intent(intent)).await;
            sum += page.data.iter().map(|refund| refund.amount).sum::<i64>();
            n += page.data.len();
        }
    }
    (sum, n)
}

both!(a_part_of_an_invoice_is_refunded_and_then_the_rest_which_ends_access, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (anna, invoice) = payer(world, &shop, "anna@example.com").await;
    let dry = json!({ "args": { "invoice": invoice, "amount": 250 }, "dryRun": true });
    let dry = world.call_with(&world.key, "payments.refund", dry, &[]).await.json();
    let call = dry["changes"].as_array().expect("changes").iter().find(|one| one["kind"] == "stripeCall");
    let would = &call.expect("a call")["after"];
    assert_eq!(
        (&would["call"], &would["amount"], &would["left"]),
        (&json!("POST /v1/refunds"), &json!(250), &json!(650))
    );
    assert_eq!(given_back(&shop).await, (0, 0));

    let part = waited(world, "payments.refund", json!({ "invoice": invoice, "amount": 250 })).await;
    assert_eq!((&part["amount"], &part["left"], &part["currency"]), (&json!(250), &json!(650), &json!("EUR")));
    let result = &part["job"]["result"];
    assert_eq!((&result["amountRefunded"], &result["status"]), (&json!(250), &json!("succeeded")), "{part}");
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    assert_eq!(world.one("invoices.get", json!({ "invoice": invoice })).await["amountRefunded"], 250);

    let large = world.call(&world.key, "payments.refund", json!({ "invoice": invoice, "amount": 651 })).await;
    assert_eq!(large.code(), "refund_too_large");
    assert!(large.text.contains("Only 6.50 EUR") && large.text.contains("6.51 EUR"), "{}", large.text);

    let rest = waited(world, "payments.refund", json!({ "invoice": invoice })).await;
    assert_eq!((&rest["amount"], &rest["left"]), (&json!(650), &json!(0)), "{rest}");
    assert_eq!(rest["job"]["status"], "succeeded");
    assert_eq!(given_back(&shop).await, (900, 2));
    // The mirror, not the tool, has ended it; the subscription goes on at Stripe.
    assert_eq!(why(world, &anna).await, "subscription_ended");
    assert_eq!(subscription(world, &anna).await["status"], "active");
    assert_eq!(refused(world, "payments.refund", json!({ "invoice": invoice })).await, "nothing_to_refund");
    shop.settle(world).await;
});

both!(refunds_at_once_never_give_back_more_than_was_paid, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (_, invoice) = payer(world, &shop, "anna@example.com").await;
    let call = |amount: i64| world.call(&world.key, "payments.refund", json!({ "invoice": invoice, "amount": amount }));
    let replies = join_all([500, 500, 500, 500].map(call)).await;
    let accepted: Vec<_> = replies.iter().filter(|reply| reply.json()["ok"] == true).collect();
    assert_eq!(accepted.len(), 1);
    assert!(replies.iter().filter(|reply| reply.json()["ok"] != true).all(|reply| reply.code() == "refund_too_large"));
    assert_eq!(world.job(&accepted[0].json()["result"]["job"]["id"]).await["status"], "succeeded");
    shop.settle(world).await;
    // What the owner gives back in the dashboard counts before Usher has heard of it.
    shop.fake.set_plan(stripe_fake::Plan { held: true, ..Default::default() });
    shop.refund(world, &shop.customer().await, Some(300)).await;
    let late = waited(world, "payments.refund", json!({ "invoice": invoice, "amount": 400 })).await;
    assert_eq!(late["job"]["error"]["code"], "refund_too_large", "{late}");
    assert_eq!(given_back(&shop).await, (800, 2));
    shop.fake.set_plan(stripe_fake::Plan::default());
    shop.settle(world).await;
    let rest = waited(world, "payments.refund", json!({ "invoice": invoice })).await;
    assert_eq!((&rest["amount"], &rest["job"]["status"]), (&json!(100), &json!("succeeded")), "{rest}");
    world.leaves_traces = true;
});

both!(a_refund_whose_response_is_lost_is_made_once, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (_, invoice) = payer(world, &shop, "anna@example.com").await;
    let faults = [
        Fault::ServerErrorAfter,
        Fault::ServerErrorBefore,
        Fault::Garbled,
        Fault::Truncated,
        Fault::BadGatewayAfter,
        Fault::ResetAfter,
    ];
    for (n, fault) in faults.into_iter().enumerate() {
        shop.fake.fault(Rule::next([fault]).on("POST", "/v1/refunds"));
        let made = world.ok("payments.refund", json!({ "invoice": invoice, "amount": 100 })).await;
        assert_eq!(world.job(&made["job"]["id"]).await["status"], "succeeded", "{fault:?}");
        shop.fake.clear_faults();
        let expected = i64::try_from(n).expect("few") + 1;
        assert_eq!(given_back(&shop).await, (expected * 100, n + 1), "{fault:?}");
    }
    shop.settle(world).await;
});

both!(what_cannot_be_refunded_is_refused, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (_, invoice) = payer(world, &shop, "anna@example.com").await;
    assert_eq!(
        refused(world, "payments.refund", json!({ "invoice": { "number": "NO-1" } })).await,
        "invoice_not_found"
    );
    assert_eq!(
        refused(world, "payments.refund", json!({ "invoice": invoice, "amount": 0 })).await,
        "invalid_arguments"
    );
    world.settings(|settings| settings.stripe_writes = false).await;
    assert_eq!(refused(world, "payments.refund", json!({ "invoice": invoice })).await, "stripe_writes_locked");
    world.settings(|settings| settings.stripe_writes = true).await;
    let lesser = world.key_with(&[Scope::InvoicesRead]).await;
    let reply = world.call(&lesser, "payments.refund", json!({ "invoice": invoice })).await;
    assert_eq!(reply.code(), "missing_scope");
    let (_, stranger) = world.other_site("Second", None).await;
    let reply = world.call(&stranger, "payments.refund", json!({ "invoice": invoice })).await;
    assert_eq!(reply.code(), "invoice_not_found");
    // Paid outside Stripe.
    world.execute("UPDATE invoice SET amount_paid = 2000").await;
    let outside = waited(world, "payments.refund", json!({ "invoice": invoice, "amount": 1500 })).await;
    assert_eq!(outside["job"]["error"]["code"], "refund_too_large", "{outside}");
    assert_eq!(given_back(&shop).await, (0, 0));
    world.leaves_traces = true;
});

both!(payments_are_listed_newest_first_with_and_without_invoices, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (anna, invoice) = payer(world, &shop, "anna@example.com").await;
    shop.advance(world, 3600).await;
    // A sale once and for all without an invoice, as of a payment link.
    let ben = member(world, "ben@example.com").await;
    let price = shop.once(5000).await;
    let import = world.ok("plans.importFromStripe", json!({})).await;
    world.job(&import["job"]["id"]).await;
    let (_, session) = shop.checkout(&ben, &price, Sells::Payment).await;
    shop.fake.complete_checkout(&session, &Payer::default()).expect("it is paid");
    shop.settle(world).await;
    let sale = subscription(world, &ben).await;
    let all = world.ok("payments.list", json!({})).await;
    let items = all["items"].as_array().expect("items");
    assert_eq!(items.len(), 2, "{all}");
    assert_eq!((&items[0]["member"], &items[1]["member"]), (&ben, &anna));
    assert_eq!((&items[0]["amount"], &items[0]["subscription"]), (&json!(5000), &sale["id"]));
    assert!(
        items[0].get("invoice").is_none() && items[0]["externalId"].as_str().is_some_and(|id| id.starts_with("pi_"))
    );
    assert_eq!((&items[1]["amount"], &items[1]["invoice"]), (&json!(900), &invoice));
    assert_eq!((&items[1]["amountRefunded"], &items[1]["currency"]), (&json!(0), &json!("EUR")));
    let one = async |args: Value| {
        let page = world.ok("payments.list", args).await;
        let items = page["items"].as_array().expect("items").clone();
        assert_eq!(items.len(), 1, "{page}");
        (items[0].clone(), page["nextCursor"].clone())
    };
    let (first, cursor) = one(json!({ "limit": 1 })).await;
    assert_eq!(&first, &items[0]);
    assert_eq!(one(json!({ "limit": 1, "cursor": cursor })).await, (items[1].clone(), Value::Null));
    assert_eq!(one(json!({ "member": { "id": anna } })).await.0, items[1]);
    assert_eq!(one(json!({ "member": { "email": "ben@example.com" } })).await.0, items[0]);
    assert_eq!(one(json!({ "subscription": sale["id"] })).await.0, items[0]);
    assert_eq!(one(json!({ "paidFrom": items[0]["paidAt"] })).await.0, items[0]);
    assert_eq!(one(json!({ "paidUntil": items[0]["paidAt"] })).await.0, items[1]);
    // Given back, it says so.
    shop.refund_intent(world, items[0]["externalId"].as_str().expect("an id"), Some(2000)).await;
    shop.settle(world).await;
    assert_eq!(one(json!({ "subscription": sale["id"] })).await.0["amountRefunded"], 2000);
    let (_, stranger) = world.other_site("Second", None).await;
    assert_eq!(world.call(&stranger, "payments.list", json!({})).await.result()["items"], json!([]));
});
