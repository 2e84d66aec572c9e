//! What each sees at the end, and what they would see by naive policies.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use usher_stripe::requests::prices;

use super::{Buyers, Shop, tell};
use crate::{
    billing::oracle::{Asked, Opens, Policy, Rules, Told},
    harness::World,
};

/// Members that are looked at at the same time.
const AT_ONCE: usize = 8;

/// That each sees what is paid for and nothing else, and that each naive policy is wrong about somebody.
pub async fn is_right(world: &World, shop: &Shop, buyers: &Buyers) {
    let all = shop.read(prices::list(&prices::PriceFilter::default())).await;
    let opens = |amount: Option<i64>| if amount == Some(500) { Opens::Nothing } else { Opens::All };
    let better = all.data.iter().find(|one| one.unit_amount == Some(2900)).expect("the better plan's price");
    let rules = Rules {
        opens: all.data.iter().map(|price| (price.id.clone(), opens(price.unit_amount))).collect(),
        grace_s: i64::from(world.site.settings.grace_days) * 86_400,
        do_lost_disputes_end_access: true,
    };
    let args = json!({ "title": "Lesson", "level": "members", "visibility": "published" });
    let video = world.one("videos.create", args).await["id"].clone();
    let args = json!({ "video": video, "level": "members", "allowedPlans": [buyers.better] });
    world.ok("videos.setAccess", args).await;
    let mut told = BTreeMap::<String, Vec<Told>>::new();
    for one in shop.fake.subscriptions() {
        let member = one["metadata"]["usher_member"].as_str().expect("a member").to_owned();
        told.entry(member).or_default().push(Told::of(&shop.fake, one["id"].as_str().expect("an id")));
    }
    let at = world.clock.now().micros() / 1_000_000;
    let limited = [better.id.clone()];
    let targets = [Asked::Content(&[]), Asked::Content(&limited)];
    let answers = stream::iter(&buyers.members).map(async |member| {
        let args = json!({ "member": { "id": member }, "videos": [video] });
        let checked = world.ok("members.checkAccess", args).await;
        let why = world.ok("members.whyPaywall", json!({ "member": { "id": member } })).await;
        assert_eq!((&why["reason"], &why["allowed"]), (&checked["reason"], &checked["allowed"]), "{why}");
        (member, [checked["reason"].clone(), checked["videos"][0]["reason"].clone()])
    });
    let answers: Vec<(&String, [Value; 2])> = answers.buffer_unordered(AT_ONCE).collect().await;
    let (mut wrong, mut naive) = (Vec::new(), BTreeMap::<Policy, usize>::new());
    for (member, answers) in answers {
        for (asked, answer) in targets.iter().zip(answers) {
            let right = rules.reasons(&told[member], *asked, at, Policy::Promised);
            if !right.contains(&answer.as_str().expect("a reason")) {
                wrong.push(format!("{member} {asked:?} is {answer} and should be {right:?}: {:?}", told[member]));
            }
            for policy in Policy::NAIVE {
                let reasons = rules.reasons(&told[member], *asked, at, policy);
                if reasons[0].starts_with("allowed") != right[0].starts_with("allowed") {
                    *naive.entry(policy).or_default() += 1;
                }
            }
        }
    }
    let n_answers = buyers.members.len() * targets.len();
    tell(&format!("wrong access: {} of {n_answers}; by naive policies: {naive:?}", wrong.len()));
    assert!(wrong.is_empty(), "wrong access: {:#?}", &wrong[..wrong.len().min(8)]);
    for policy in Policy::NAIVE {
        assert!(naive.contains_key(&policy), "{policy:?} is wrong about nobody");
    }
}
