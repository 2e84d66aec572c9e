use futures_util::future::join_all;
use serde_json::json;

use super::{handed, link, open, path, press, title};
use crate::{
    harness::{Backend, Reply},
    storm::server::Installation,
};

/// One of them was let in, and the others were told why not.
fn one_got_in(replies: &[Reply]) {
    let (within, without): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| handed(reply).is_some());
    assert_eq!(within.len(), 1, "{replies:?}");
    assert!(
        without.iter().all(|reply| (reply.status, title(reply)) == (410, "This link has been used")),
        "{without:?}"
    );
}

both!(of_all_who_press_at_once_one_gets_in, async |world| {
    world.without_budgets().await;
    open(world).await;
    for round in 0..5 {
        let (_, path) = link(world, &format!("m{round}@example.com")).await;
        // Not more than an address may err in a minute.
        one_got_in(&join_all((0..6).map(|_| press(world, &path))).await);
    }
    assert_eq!(world.rows("SELECT id FROM activity WHERE tool = 'members.signIn' AND status = 'ok'").await.len(), 5);
});

#[tokio::test(flavor = "multi_thread")]
async fn of_all_who_press_at_several_servers_one_gets_in() {
    let (place, key) = Installation::new(Backend::Postgres).await;
    place.without_budgets().await;
    let urls = ["--public-url", "http://127.0.0.1:1", "--login-url", "https://site.example/login"];
    place.usher(&[&["sites", "update"], &urls[..]].concat()).await;
    let settings = [
        ("USHER_SECRET_KEY", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="),
        ("USHER_UNKNOWN_KEYS_PER_MINUTE", "100000"),
    ];
    let servers = [place.serve(&settings).await, place.serve(&settings).await];
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let client = servers[0].client(&key);
    client.call("members.create", json!({ "email": "anna@example.com" })).await.one();
    // The first key is made by both at once.
    let make = |n: usize| {
        let client = servers[n % 2].client(&key);
        async move {
            let args = json!({ "member": { "email": "anna@example.com" } });
            path(&client.call("members.createLoginLink", args).await.result())
        }
    };
    let paths = join_all((0..20).map(make)).await;
    assert_eq!(place.rows::<1>("SELECT kid FROM signing_key").await.len(), 1);
    for path in paths {
        let presses = (0..12).map(|n| {
            let request = http.post(format!("{}{path}", servers[n % 2].address));
            async move { Reply::read(request.send().await.expect("an answer")).await }
        });
        one_got_in(&join_all(presses).await);
    }
    let signed = "SELECT id FROM activity WHERE tool = 'members.signIn' AND status = 'ok'";
    assert_eq!(place.rows::<1>(signed).await.len(), 20);
}
