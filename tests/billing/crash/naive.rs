//! What is not done: each attempt with a new key, and nothing looked up.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use serde::de::DeserializeOwned;
use stripe_fake::Payer;
use usher_stripe::{
    Request,
    requests::{checkout, customers, prices, products},
};

use super::{Shop, check};

/// Members at the same time.
const AT_ONCE: usize = 8;

/// Sells to so many members, and gives how many of them pay twice.
pub async fn sell(shop: &Shop, members: u64) -> usize {
    let metadata = BTreeMap::new();
    let product = products::NewProduct { id: "gold", name: "Gold", description: None, metadata: &metadata };
    _ = until_it_works(shop, "product", &products::create(&product)).await;
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
    let price = loop {
        if let Some(price) = until_it_works(shop, "price", &prices::create(&price)).await {
            break price.id;
        }
        let filter = prices::PriceFilter { lookup_key: Some("gold"), ..Default::default() };
        if let Ok(found) = shop.owner.read(&prices::list(&filter)).await {
            break found.value.data[0].id.clone();
        }
    };
    let sold: Vec<()> =
        stream::iter(0..members).map(|n| one(shop, n, &price)).buffer_unordered(AT_ONCE).collect().await;
    assert_eq!(sold.len() as u64, members);
    for session in check::sessions(shop) {
        _ = shop.fake.complete_checkout(&session.id, &Payer::default());
    }
    let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for one in check::subscriptions(shop) {
        if !seen.insert(one.member.clone()) {
            twice.insert(one.member);
        }
    }
    twice.len()
}

async fn one(shop: &Shop, n: u64, price: &str) {
    let metadata = BTreeMap::from([("usher_member".to_owned(), format!("m{n}"))]);
    let customer = customers::NewCustomer { email: "m@example.com", name: None, metadata: &metadata };
    let customer = until_it_works(shop, &format!("c{n}"), &customers::create(&customer)).await.expect("a customer").id;
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
    until_it_works(shop, &format!("s{n}"), &checkout::create(&new)).await.expect("a page");
}

/// Sends it with one key after the other; nothing if Stripe says that it is there.
async fn until_it_works<T: DeserializeOwned>(shop: &Shop, name: &str, request: &Request<T>) -> Option<T> {
    for attempt in 0..1000 {
        match shop.owner.write(request.stored(), &format!("naive:{name}:{attempt}")).await {
            Ok(answer) => return Some(answer.value),
            Err(error) if error.kind() == usher_stripe::Kind::Refused => return None,
            Err(_) => {}
        }
    }
    panic!("{name} never works")
}
