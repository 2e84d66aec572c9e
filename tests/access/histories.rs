//! Ten thousand random histories of grants and removals, against a model that knows nothing of SQL: each member has one.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt as _, stream};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use usher::values::{GroupId, MemberId, SubscriptionId, Time};

use super::bundle;
use crate::harness::World;

const MEMBERS: usize = 10_000;
const ROUNDS: usize = 12;
const GROUPS: usize = 7;
/// Members to whom a shop sells something, or gives the money back, in each round.
const SALES: usize = 400;
const DAY: Duration = Duration::from_secs(86_400);

/// What the model remembers: `Some(None)` has no end.
#[derive(Clone, Default)]
struct Model {
    free: Option<Option<Time>>,
    trial: Option<Time>,
    owned: BTreeMap<usize, Owned>,
    pays: bool,
}

/// What holds a bundle: what was taken back holds nothing, and is forgotten.
#[derive(Clone, Default)]
struct Owned {
    direct: Option<Option<Time>>,
    orders: BTreeMap<String, Option<Time>>,
    is_revoked: bool,
    /// When it ends, or would if it were not revoked.
    end: Option<Time>,
}

impl Owned {
    fn give(&mut self, end: Option<Time>) {
        self.end = if self.is_revoked { end } else { later(self.end, end) };
        self.is_revoked = false;
    }

    fn take_back(&mut self, order: &str, now: Time) {
        self.orders.remove(order);
        let holders = self.orders.values().copied().chain(self.direct);
        match holders.filter(|end| end.is_none_or(|end| end > now)).reduce(later) {
            Some(end) => self.end = end,
            None => self.revoke(),
        }
    }

    fn revoke(&mut self) {
        *self = Self { is_revoked: true, end: self.end, ..Self::default() };
    }
}

#[derive(Clone, Copy, Debug)]
enum Act {
    GrantFree(Option<u32>),
    RemoveFree,
    SetTrial(u32),
    GrantBundle(usize, Option<u32>),
    RevokeBundle(usize),
}

impl Act {
    fn random(rng: &mut StdRng) -> Self {
        let days = |rng: &mut StdRng| rng.random_bool(0.7).then(|| rng.random_range(1..30));
        match rng.random_range(0..5) {
            0 => Self::GrantFree(days(rng)),
            1 => Self::RemoveFree,
            2 => Self::SetTrial(rng.random_range(1..30)),
            3 => Self::GrantBundle(rng.random_range(0..2), days(rng)),
            _ => Self::RevokeBundle(rng.random_range(0..2)),
        }
    }

    fn call(self, group: &GroupId, bundles: &[Value], now: Time) -> (&'static str, Value) {
        let mut args = json!({ "group": group });
        let mut until = |days: Option<u32>| {
            if let Some(days) = days {
                args["expiresAt"] = json!(now + DAY * days);
            }
        };
        let tool = match self {
            Self::GrantFree(days) => {
                until(days);
                "access.grantFree"
            }
            Self::RemoveFree => "access.removeFree",
            Self::SetTrial(days) => {
                until(Some(days));
                "access.setTrial"
            }
            Self::GrantBundle(at, days) => {
                until(days);
                args["bundle"] = bundles[at].clone();
                "access.grantBundle"
            }
            Self::RevokeBundle(at) => {
                args["bundle"] = bundles[at].clone();
                "access.revokeBundle"
            }
        };
        (tool, args)
    }
}

/// The later of two ends, of which none is the latest.
fn later(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    Some(one?.max(other?))
}

impl Model {
    fn apply(&mut self, act: Act, now: Time) {
        let end = |days: Option<u32>| days.map(|days| now + DAY * days);
        match act {
            Act::GrantFree(days) => {
                let new = end(days);
                self.free = Some(self.free.map_or(new, |old| later(old, new)));
            }
            Act::RemoveFree => self.free = None,
            Act::SetTrial(days) => {
                let new = now + DAY * days;
                self.trial = Some(self.trial.map_or(new, |old| old.max(new)));
            }
            Act::GrantBundle(at, days) => {
                let new = end(days);
                let owned = self.own(at, new);
                owned.direct = Some(owned.direct.map_or(new, |old| later(old, new)));
            }
            Act::RevokeBundle(at) => {
                if let Some(owned) = self.owned.get_mut(&at) {
                    owned.revoke();
                }
            }
        }
    }

    fn own(&mut self, bundle: usize, end: Option<Time>) -> &mut Owned {
        let owned = self.owned.entry(bundle).or_insert_with(|| Owned { is_revoked: true, ..Owned::default() });
        owned.give(end);
        owned
    }

    /// One call of a shop: a new order, or one of those that hold something taken back.
    fn trade(&mut self, rng: &mut StdRng, order: String, now: Time) -> (&'static str, Value) {
        let at = rng.random_range(0..2);
        let held = self.owned.get(&at).and_then(|owned| owned.orders.keys().next().cloned());
        if let Some(order) = held.filter(|_| rng.random_bool(0.6)) {
            self.owned.get_mut(&at).expect("it is held").take_back(&order, now);
            return ("access.revokeBundle", json!({ "orderId": order }));
        }
        let end = rng.random_bool(0.7).then(|| now + DAY * rng.random_range(1..30));
        self.own(at, end).orders.insert(order.clone(), end);
        ("access.grantBundle", json!({ "bundle": at, "orderId": order, "expiresAt": end }))
    }

    fn may_see_members(&self, at: Time) -> &'static str {
        match (self.free, self.trial) {
            (Some(end), _) if end.is_none_or(|end| at < end) => "allowed_free_access",
            (_, Some(end)) if at < end => "allowed_trial",
            _ if self.pays => "allowed_subscription",
            (Some(Some(free)), Some(trial)) if trial > free => "trial_ended",
            (Some(_), _) => "free_access_expired",
            (None, Some(_)) => "trial_ended",
            (None, None) => "no_subscription",
        }
    }

    fn may_see_bundle(&self, bundle: usize, at: Time) -> &'static str {
        match self.owned.get(&bundle) {
            None => "bundle_required",
            Some(owned) if owned.is_revoked => "bundle_revoked",
            Some(owned) if owned.end.is_some_and(|end| end <= at) => "bundle_expired",
            Some(_) => "allowed_bundle",
        }
    }
}

/// Members and groups, written straight into the tables.
async fn fill(world: &World, rng: &mut StdRng) -> (Vec<MemberId>, Vec<GroupId>, Vec<Model>) {
    let members: Vec<MemberId> = (0..MEMBERS).map(|_| world.app.clock.id()).collect();
    let models: Vec<_> = members.iter().map(|_| Model { pays: rng.random_bool(0.2), ..Model::default() }).collect();
    for (chunk, some) in members.chunks(500).enumerate() {
        let rows: Vec<_> = (some.iter().enumerate())
            .map(|(at, id)| {
                let n = chunk * 500 + at;
                format!("(1, '{id}', 'm{n}@example.com', 'm{n}@example.com', '', 'free', 0, 0)")
            })
            .collect();
        let head = "INSERT INTO member (site, id, email, email_key, name_key, status, created_at, updated_at) VALUES ";
        world.execute(&format!("{head}{}", rows.join(","))).await;
    }
    let paying = members.iter().zip(&models).filter(|(_, model)| model.pays);
    let rows: Vec<_> = paying
        .map(|(id, _)| {
            let subscription: SubscriptionId = world.app.clock.id();
            format!("(1, '{subscription}', '{id}', 'pln_x', 'active', 'stripe', 0, 0, 0, 0)")
        })
        .map(|row| row.replace("pln_x", world.app.clock.id::<usher::values::kind::Plan>().as_str()))
        .collect();
    let head = "INSERT INTO subscription (site, id, member_id, plan_id, status, source, ticket, started_at, created_at, updated_at) VALUES ";
    world.execute(&format!("{head}{}", rows.join(","))).await;
    let groups: Vec<GroupId> = (0..GROUPS).map(|_| world.app.clock.id()).collect();
    let rows: Vec<_> = groups.iter().map(|id| format!("(1, '{id}', '{id}', '{id}', 0, 0)")).collect();
    let head = "INSERT INTO member_group (site, id, name, name_key, created_at, updated_at) VALUES ";
    world.execute(&format!("{head}{}", rows.join(","))).await;
    (members, groups, models)
}

/// Puts each member into a group by chance, or into none.
async fn shuffle(world: &World, rng: &mut StdRng, members: &[MemberId], groups: &[GroupId]) -> Vec<Option<usize>> {
    let places: Vec<_> =
        members.iter().map(|_| Some(rng.random_range(0..groups.len() + 1)).filter(|at| *at < groups.len())).collect();
    world.execute("DELETE FROM group_place").await;
    let rows: Vec<_> = (members.iter().zip(&places))
        .filter_map(|(member, at)| Some(format!("(1, '{}', '{member}', 0)", groups[(*at)?])))
        .collect();
    for some in rows.chunks(1000) {
        let head = "INSERT INTO group_place (site, group_id, member_id, added_at) VALUES ";
        world.execute(&format!("{head}{}", some.join(","))).await;
    }
    places
}

/// Compares what the API says of a member with the model: of one thing by chance.
async fn check(world: &World, id: &MemberId, model: &Model, bundles: &[Value], seed: usize, at: Time) {
    let who = json!({ "id": id });
    match seed % 4 {
        0 => {
            let why = world.ok("members.whyPaywall", json!({ "member": who, "at": at })).await;
            assert_eq!(why["reason"], model.may_see_members(at), "{id}");
        }
        1 => {
            let reason = super::reason(world, json!({ "member": who, "at": at })).await;
            assert_eq!(reason, model.may_see_members(at), "{id}");
        }
        bundle => {
            let n = bundle - 2;
            let reason = super::reason(world, json!({ "member": who, "bundle": bundles[n], "at": at })).await;
            assert_eq!(reason, model.may_see_bundle(n, at), "{id}");
        }
    }
}

/// A shop sells bundles to some members, and takes back what it sold.
async fn trade(world: &World, rng: &mut StdRng, members: &[MemberId], models: &mut [Model], bundles: &[Value]) {
    let now = world.clock.now();
    // Few members, so that they have several orders each.
    let calls: BTreeMap<usize, _> = (0..SALES).map(|n| (rng.random_range(0..SALES), n)).collect();
    let calls = calls.into_iter().map(|(at, n)| {
        let order = format!("{}-{at}-{n}", now.micros());
        let (tool, mut args) = models[at].trade(rng, order, now);
        if let Some(n) = args["bundle"].as_u64() {
            args["bundle"] = bundles[n as usize].clone();
            args["member"] = json!({ "id": members[at] });
        }
        async move { assert_eq!(world.ok(tool, args.clone()).await.get("orderRepeated"), None, "{args}") }
    });
    let calls: Vec<_> = calls.collect();
    stream::iter(calls).buffer_unordered(16).collect::<Vec<_>>().await;
}

both!(ten_thousand_histories_end_as_the_model_says, async |world| {
    world.without_budgets().await;
    let mut rng = StdRng::seed_from_u64(4);
    let bundles = [bundle(world, &[]).await, bundle(world, &[]).await];
    let (members, groups, mut models) = fill(world, &mut rng).await;
    for _ in 0..ROUNDS {
        let places = shuffle(world, &mut rng, &members, &groups).await;
        let now = world.clock.now();
        let acts: Vec<_> = groups.iter().map(|_| Act::random(&mut rng)).collect();
        for (act, group) in acts.iter().zip(&groups) {
            let (tool, args) = act.call(group, &bundles, now);
            let accepted = world.ok(tool, args).await;
            let job = world.job(&accepted["job"]["id"]).await;
            assert_eq!(job["status"], "succeeded", "{job}");
        }
        for (model, at) in models.iter_mut().zip(&places) {
            if let Some(at) = at {
                model.apply(acts[*at], now);
            }
        }
        trade(world, &mut rng, &members, &mut models, &bundles).await;
        world.clock.advance(DAY * rng.random_range(1..9));
    }
    let now = world.clock.now();
    let checks = members.iter().zip(&models).map(|(id, model)| {
        let (seed, days) = (rng.random_range(0..4), rng.random_range(0..20));
        check(world, id, model, &bundles, seed, now + DAY * days)
    });
    stream::iter(checks).buffer_unordered(64).collect::<Vec<_>>().await;
});
