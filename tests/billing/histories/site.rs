//! What a site sells, and what it shows to whom.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use usher::{areas::plans, values::PlanId};
use usher_stripe::requests::prices::Every;

use crate::{
    billing::{
        Shop,
        oracle::{Opens, Rules},
    },
    harness::World,
};

pub struct Site {
    pub rules: Rules,
    /// Prices of which a subscription has one.
    pub bases: Vec<String>,
    /// Prices that come beside it.
    pub extras: Vec<String>,
    /// The plan of each price.
    pub plans: BTreeMap<String, PlanId>,
    /// Videos, each with the prices of the plans that it is limited to.
    pub videos: Vec<(Value, Vec<String>)>,
    /// One that only owners of a bundle may see, and the bundle.
    pub bundled: (Value, Value),
}

impl Site {
    pub async fn open(world: &World, shop: &Shop) -> Self {
        let (mut opens, mut plans) = (BTreeMap::new(), BTreeMap::new());
        let mut sell = async |name: &str, amount: i64, what: Opens| {
            let stored = match what {
                Opens::All => plans::Opens::All,
                Opens::Listed => plans::Opens::Listed,
                Opens::Nothing => plans::Opens::Nothing,
            };
            let (plan, price) = shop.plan_that_opens(stored, name, amount, Every::Months(1)).await;
            plans.insert(price.clone(), plan);
            opens.insert(price.clone(), what);
            price
        };
        let (silver, gold) = (sell("Silver", 900, Opens::All).await, sell("Gold", 2500, Opens::All).await);
        let library = sell("Library", 1500, Opens::Listed).await;
        let coaching = sell("Coaching", 500, Opens::Nothing).await;
        let workshop = sell("Workshop", 700, Opens::Listed).await;
        let mut videos = Vec::new();
        for named in [vec![], vec![&gold], vec![&library], vec![&gold, &workshop], vec![&coaching]] {
            let video = video(world, "members").await;
            let plans_of: Vec<_> = named.iter().map(|price| &plans[*price]).collect();
            let args = json!({ "video": video, "level": "members", "allowedPlans": plans_of });
            world.ok("videos.setAccess", args).await;
            videos.push((video, named.into_iter().cloned().collect()));
        }
        let bundle = world.one("bundles.create", json!({ "name": "All lessons" })).await["id"].clone();
        let held = video(world, "bundle").await;
        world.ok("bundles.addVideos", json!({ "bundle": bundle, "videos": [held] })).await;
        let settings = &world.site.settings;
        let rules = Rules {
            opens,
            grace_s: i64::from(settings.grace_days) * 86_400,
            do_lost_disputes_end_access: settings.lost_disputes_end_access,
        };
        let (bases, extras) = (vec![silver, gold, library], vec![coaching, workshop]);
        Self { rules, bases, extras, plans, videos, bundled: (held, bundle) }
    }

    /// The base that costs most.
    pub fn best(&self) -> &str {
        &self.bases[1]
    }
}

async fn video(world: &World, level: &str) -> Value {
    let args = json!({ "title": "Lesson", "level": level, "visibility": "published" });
    world.one("videos.create", args).await["id"].clone()
}
