//! Plans, here and at Stripe.

use serde_json::{Value, json};
use usher_stripe::requests::{prices, products};

use super::Shop;
use crate::harness::World;

async fn gold(world: &World) -> Value {
    let args = json!({ "name": "Gold", "amount": 900, "currency": "eur", "every": "month", "trialDays": 7 });
    world.ok("plans.create", args).await
}

both!(a_plan_is_made_private_changed_and_archived, async |world| {
    world.without_budgets().await;
    let made = gold(world).await;
    assert!(made.get("job").is_none(), "nothing is at Stripe: {made}");
    let plan = made["plan"].clone();
    let now = world.clock.now().to_string();
    let expected = json!({
        "id": plan["id"], "name": "Gold", "amount": 900, "currency": "EUR", "every": "month", "everyN": 1,
        "trialDays": 7, "public": false, "opens": "all", "createdAt": now, "updatedAt": now,
    });
    assert_eq!(plan, expected);
    let args = json!({ "plan": plan["id"], "public": true, "description": " All of it. ", "trialDays": 0 });
    let after = world.ok("plans.update", args).await["plan"].clone();
    assert_eq!(
        (&after["public"], &after["description"], &after["trialDays"]),
        (&json!(true), &json!("All of it."), &json!(0))
    );
    assert_eq!(world.one("plans.get", json!({ "plan": plan["id"] })).await, after);
    let archived = world.ok("plans.archive", json!({ "plan": plan["id"] })).await;
    assert!(archived["plan"]["archivedAt"].is_string(), "{archived}");
    let listed = async |args: Value| world.ok("plans.list", args).await["items"].as_array().expect("items").len();
    assert_eq!(listed(json!({})).await, 0);
    assert_eq!(listed(json!({ "withArchived": true, "text": "gOLD", "public": true })).await, 1);
    assert_eq!(listed(json!({ "withArchived": true, "text": "silver" })).await, 0);
    assert_eq!(listed(json!({ "withArchived": true, "public": false })).await, 0);
    let back = world.ok("plans.archive", json!({ "plan": plan["id"], "archived": false })).await;
    assert!(back["plan"].get("archivedAt").is_none(), "{back}");
    assert_eq!(listed(json!({})).await, 1);
});

both!(plans_come_page_by_page_newest_first, async |world| {
    world.without_budgets().await;
    for n in 0..5 {
        let args = json!({ "name": format!("P{n}"), "amount": 900, "currency": "EUR", "every": "year" });
        world.ok("plans.create", args).await;
    }
    let (mut names, mut args) = (Vec::new(), json!({ "limit": 2 }));
    loop {
        let page = world.ok("plans.list", args.clone()).await;
        names.extend(page["items"].as_array().expect("items").iter().map(|plan| plan["name"].clone()));
        let Some(cursor) = page.get("nextCursor") else { break };
        args["cursor"] = cursor.clone();
    }
    assert_eq!(names, ["P4", "P3", "P2", "P1", "P0"]);
});

both!(what_stripe_would_not_sell_is_refused, async |world| {
    world.without_budgets().await;
    for (amount, currency, every, n, path) in [
        (49, "EUR", "month", 1, "args.amount"),
        (5124, "KWD", "month", 1, "args.amount"),
        (900, "XXX", "month", 1, "args.currency"),
        (900, "EUR", "year", 4, "args.everyN"),
        (900, "EUR", "one_time", 2, "args.everyN"),
    ] {
        let args = json!({ "name": "P", "amount": amount, "currency": currency, "every": every, "everyN": n });
        let reply = world.call(&world.key, "plans.create", args).await;
        assert_eq!(reply.code(), "arguments_refused", "{}", reply.text);
        assert_eq!(reply.json()["fields"][0]["path"], path);
    }
    for (amount, currency) in [(50, "JPY"), (5120, "KWD"), (500, "ISK"), (0, "EUR")] {
        world
            .ok("plans.create", json!({ "name": "P", "amount": amount, "currency": currency, "every": "month" }))
            .await;
    }
});

both!(stripe_follows_a_plan, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let made = gold(world).await;
    assert_eq!(world.job(&made["job"]["id"]).await["status"], "succeeded");
    let id = made["plan"]["id"].as_str().expect("an id").to_owned();
    let product = shop.read(products::get(&id)).await;
    assert_eq!((product.name.as_deref(), product.active), (Some("Gold"), true));
    let plan = world.one("plans.get", json!({ "plan": id })).await;
    let price = shop.read(prices::get(plan["priceId"].as_str().expect("a price"))).await;
    assert_eq!((price.unit_amount, price.lookup_key.as_deref()), (Some(900), Some(id.as_str())));
    assert_eq!(plan["productId"], json!(id));
    // Name, description and sale follow; what is known here only starts nothing.
    let args = json!({ "plan": id, "name": "Platinum", "description": "More." });
    let job = world.ok("plans.update", args).await["job"].clone();
    assert_eq!(world.job(&job["id"]).await["status"], "succeeded");
    let product = shop.read(products::get(&id)).await;
    assert_eq!((product.name.as_deref(), product.description.as_deref()), (Some("Platinum"), Some("More.")));
    assert!(world.ok("plans.update", json!({ "plan": id, "public": true })).await.get("job").is_none());
    for (archived, active) in [(true, false), (false, true)] {
        let job = world.ok("plans.archive", json!({ "plan": id, "archived": archived })).await["job"].clone();
        assert_eq!(world.job(&job["id"]).await["status"], "succeeded");
        let price = shop.read(prices::get(plan["priceId"].as_str().expect("a price"))).await;
        assert_eq!((price.active, shop.read(products::get(&id)).await.active), (active, active));
    }
});

both!(what_stripe_knows_of_a_plan_is_not_changed_while_writes_are_off, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let made = gold(world).await;
    world.job(&made["job"]["id"]).await;
    world.settings(|settings| settings.stripe_writes = false).await;
    let plan = &made["plan"]["id"];
    for (tool, args) in [
        ("plans.update", json!({ "plan": plan, "name": "Platinum" })),
        ("plans.update", json!({ "plan": plan, "description": "More." })),
        ("plans.archive", json!({ "plan": plan })),
    ] {
        assert_eq!(world.call(&world.key, tool, args).await.code(), "stripe_writes_locked");
    }
    // What only counts here can be changed, and so can what Stripe does not know yet.
    world.ok("plans.update", json!({ "plan": plan, "public": true, "trialDays": 3 })).await;
    let own = gold(world).await["plan"]["id"].clone();
    assert_eq!(world.ok("plans.update", json!({ "plan": own, "name": "Silver" })).await["plan"]["name"], "Silver");
    shop.settle(world).await;
});

both!(what_is_sold_at_stripe_becomes_plans, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let ours = gold(world).await;
    world.job(&ours["job"]["id"]).await;
    let first = shop.unheard_of(500, prices::Every::Months(1)).await;
    let tried = json!({ "args": {}, "dryRun": true });
    let tried = world.call_with(&world.key, "plans.importFromStripe", tried, &[]).await.json();
    let plans: Vec<_> =
        tried["changes"].as_array().expect("changes").iter().filter(|change| change["kind"] == "plan").collect();
    assert_eq!((plans.len(), &plans[0]["after"]["priceId"]), (1, &json!(first)), "{tried}");
    assert_eq!(world.ok("plans.list", json!({})).await["items"].as_array().expect("items").len(), 1);
    let import = async || {
        let job = world.ok("plans.importFromStripe", json!({})).await;
        world.job(&job["job"]["id"]).await
    };
    let job = import().await;
    assert_eq!((&job["result"]["created"], &job["result"]["total"]), (&json!(1), &json!(2)), "{job}");
    let plans = world.ok("plans.list", json!({})).await;
    let plan = plans["items"].as_array().expect("items").iter().find(|plan| plan["priceId"] == json!(first));
    let plan = plan.expect("it is there");
    assert_eq!((&plan["name"], &plan["public"], &plan["amount"]), (&json!("Gold"), &json!(false), &json!(500)));
    assert_eq!(import().await["result"]["created"], 0);
    // The owner calls it something else.
    let change = products::ProductChange { name: Some("Silver"), ..Default::default() };
    shop.write(products::update(plan["productId"].as_str().expect("a product"), &change)).await;
    assert_eq!(import().await["result"]["updated"], 1);
    assert_eq!(world.one("plans.get", json!({ "plan": plan["id"] })).await["name"], "Silver");
});

both!(plans_are_imported_only_from_an_account, async |world| {
    let reply = world.call(&world.key, "plans.importFromStripe", json!({})).await;
    assert_eq!(reply.code(), "stripe_not_connected", "{}", reply.text);
});
