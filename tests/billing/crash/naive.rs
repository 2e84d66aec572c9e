//! What is not done: nothing looked up, by three manners of trying.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use serde::de::DeserializeOwned;
use stripe_fake::{Payer, Seed};
use usher_stripe::{
    Kind, Request,
    requests::{checkout, customers, prices, products, subscriptions},
};

use super::{Shop, check};

/// Members at the same time.
const AT_ONCE: usize = 8;

/// How often what fails is tried.
const TRIES: usize = 1000;

/// The same with one key: Stripe keeps an answer that says that it has failed.
const TRIES_WITH_ONE_KEY: usize = 60;

/// How something is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Until it works, with another key each time.
    NewKeys,
    /// Once; what fails is given up.
    OneTry,
    /// Until it works, with the same key for ever.
    OneKey,
}

/// What came of it for how many members.
#[derive(Debug, Default)]
pub struct Wrong {
    pub charged_twice: usize,
    pub never_subscribed: usize,
    pub live_after_cancel: usize,
    pub stuck: usize,
}

/// What became of one request.
enum Came<T> {
    /// It works.
    Of(T),
    /// Stripe says that it cannot be.
    Refused,
    /// It never works.
    Nothing,
}

/// Sells to so many members, and ends the subscriptions of as many others.
pub async fn sell(shop: &Shop, members: u64, manner: Manner) -> Wrong {
    let price = price(shop).await;
    let asked = (0..members).map(|n| one(shop, n, &price, manner));
    let asked: Vec<bool> = stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
    for session in check::sessions(shop) {
        _ = shop.fake.complete_checkout(&session.id, &Payer::default());
    }
    let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for one in check::subscriptions(shop) {
        if !seen.insert(one.member.clone()) {
            twice.insert(one.member);
        }
    }
    // As many have bought before, and leave.
    let seed = Seed { subscriptions: usize::try_from(members).expect("a number"), ..Seed::default() };
    let ids: Vec<String> = shop.fake.seed(&seed).expect("subscriptions").made.into_iter().map(|(_, id)| id).collect();
    let leaving =
        ids.iter().map(async |id| send(shop, &format!("l{id}"), &subscriptions::cancel_now(id), manner).await);
    let leaving: Vec<Came<_>> = stream::iter(leaving).buffer_unordered(AT_ONCE).collect().await;
    let stuck = |came: &&Came<_>| matches!(came, Came::Nothing) && manner == Manner::OneKey;
    let n_waiting = asked.iter().filter(|sold| !**sold).count();
    let all = shop.fake.subscriptions();
    let live = all.iter().filter(|one| one["status"] == "active");
    Wrong {
        charged_twice: twice.len(),
        never_subscribed: usize::try_from(members).expect("a number") - seen.len(),
        live_after_cancel: live.filter(|one| ids.iter().any(|id| one["id"] == **id)).count(),
        stuck: leaving.iter().filter(stuck).count() + if manner == Manner::OneKey { n_waiting } else { 0 },
    }
}

/// What is sold, made by somebody who looks.
async fn price(shop: &Shop) -> String {
    let metadata = BTreeMap::new();
    let product = products::NewProduct { id: "gold", name: "Gold", description: None, metadata: &metadata };
    _ = send(shop, "product", &products::create(&product), Manner::NewKeys).await;
    let price = prices::NewPrice {
        product: "gold",
        price: usher_stripe::money::Money {
            amount: 900,
            currency: usher_stripe::money::Currency::parse("EUR").expect("a currency"),
        },
        every: prices::Every::Months(1),
        lookup_key: "gold",
        metadata: &metadata,
    };
    loop {
        if let Came::Of(price) = send(shop, "price", &prices::create(&price), Manner::NewKeys).await {
            return price.id;
        }
        let filter = prices::PriceFilter { lookup_key: Some("gold"), ..Default::default() };
        if let Ok(found) = shop.owner.read(&prices::list(&filter)).await {
            return found.value.data[0].id.clone();
        }
    }
}

/// Whether somebody got a page.
async fn one(shop: &Shop, n: u64, price: &str, manner: Manner) -> bool {
    let metadata = BTreeMap::from([("usher_member".to_owned(), format!("m{n}"))]);
    let customer = customers::NewCustomer { email: "m@example.com", name: None, metadata: &metadata };
    let Came::Of(customer) = send(shop, &format!("c{n}"), &customers::create(&customer), manner).await else {
        return false;
    };
    let new = checkout::NewCheckout {
        customer: &customer.id,
        price,
        sells: checkout::Sells::Subscription { trial_days: 0 },
        reference: "r",
        metadata: &metadata,
        success_url: "https://example.com/",
        cancel_url: None,
        coupon: None,
        expires_at: None,
    };
    matches!(send(shop, &format!("s{n}"), &checkout::create(&new), manner).await, Came::Of(_))
}

async fn send<T: DeserializeOwned>(shop: &Shop, name: &str, request: &Request<T>, manner: Manner) -> Came<T> {
    let tries = match manner {
        Manner::NewKeys => TRIES,
        Manner::OneTry => 1,
        Manner::OneKey => TRIES_WITH_ONE_KEY,
    };
    for attempt in 0..tries {
        let attempt = if manner == Manner::OneKey { 0 } else { attempt };
        match shop.owner.write(request.stored(), &format!("naive:{name}:{attempt}")).await {
            Ok(answer) => return Came::Of(answer.value),
            Err(error) if matches!(error.kind(), Kind::Refused | Kind::Missing) => return Came::Refused,
            Err(_) => {}
        }
    }
    Came::Nothing
}
