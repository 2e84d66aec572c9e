//! Why somebody sees the paywall: every reason from rows of the database, and calls that clear it.

use std::time::Duration;

use serde_json::{Value, json};
use usher::values::{PlanId, SubscriptionId, Time};

use super::{bundle, member, reason, video};
use crate::harness::{START, World};

const DAY: Duration = Duration::from_secs(86_400);

/// A member's subscription, as Stripe's events will write it.
async fn subscribe(world: &World, member: &Value, status: &str, period_end: Time, plan: Option<PlanId>) {
    let id: SubscriptionId = world.app.clock.id();
    let plan = plan.unwrap_or_else(|| world.app.clock.id());
    let (start, end, past_due) = ((START - DAY * 90).micros(), period_end.micros(), (START - DAY * 8).micros());
    let member = member.as_str().expect("an id");
    world
        .execute(&format!(
            "INSERT INTO subscription (site, id, member_id, plan_id, status, started_at, period_end, past_due_since,
                                       external_id, synced_at, created_at, updated_at, source, ticket)
             VALUES (1, '{id}', '{member}', '{plan}', '{status}', {start}, {end}, {past_due}, 'sub_{id}', {start}, {start}, {start}, 'stripe', 0)"
        ))
        .await;
}

/// Asserts that a sentence names things as people do.
fn assert_no_id(sentence: &str) {
    let is_id = |word: &str| word.split_once('_').is_some_and(|(kind, rest)| kind.len() == 3 && rest.len() > 20);
    assert!(!sentence.split(|c: char| !c.is_alphanumeric() && c != '_').any(is_id), "{sentence}");
}

/// A refusal of each reason: what is asked, and why it is refused.
async fn refusals(world: &World, round: &str) -> Vec<(Value, &'static str)> {
    let ended = START - DAY;
    let mut all = Vec::new();
    let who = async |name: &str| member(world, &format!("{name}.{round}@example.com")).await;
    for (status, reason) in [
        ("canceled", "subscription_ended"),
        ("past_due", "subscription_past_due"),
        ("unpaid", "subscription_past_due"),
        ("paused", "subscription_paused"),
        ("incomplete", "subscription_incomplete"),
    ] {
        let id = who(status).await;
        subscribe(world, &id, status, ended, None).await;
        all.push((json!({ "member": { "id": id } }), reason));
    }
    all.push((json!({ "member": { "id": who("nothing").await } }), "no_subscription"));

    let limited = video(world, "members").await;
    let plan: PlanId = world.app.clock.id();
    world.plan(&plan, "Gold").await;
    world.one("videos.setAccess", json!({ "video": limited, "level": "members", "allowedPlans": [plan] })).await;
    let silver = who("silver").await;
    subscribe(world, &silver, "active", START + DAY, None).await;
    all.push((json!({ "member": { "id": silver }, "video": limited }), "plan_not_included"));

    let lapsed = who("lapsed").await;
    let micros = ended.micros();
    world
        .execute(&format!(
            "UPDATE member SET free_since = 1, free_until = {micros} WHERE id = '{}'",
            lapsed.as_str().unwrap()
        ))
        .await;
    all.push((json!({ "member": { "id": lapsed } }), "free_access_expired"));
    let tried = who("tried").await;
    let text =
        format!("UPDATE member SET trial_since = 1, trial_until = {micros} WHERE id = '{}'", tried.as_str().unwrap());
    world.execute(&text).await;
    all.push((json!({ "member": { "id": tried } }), "trial_ended"));

    let lesson = video(world, "bundle").await;
    let course = bundle(world, &[&lesson]).await;
    all.push((json!({ "member": { "id": who("poor").await }, "video": lesson }), "bundle_required"));
    let loose = video(world, "bundle").await;
    all.push((json!({ "member": { "id": who("poorer").await }, "video": loose }), "bundle_required"));
    for (name, column, reason) in
        [("expired", "expires_at", "bundle_expired"), ("revoked", "revoked_at", "bundle_revoked")]
    {
        let id = who(name).await;
        world.ok("access.grantBundle", json!({ "member": { "id": id }, "bundle": course })).await;
        world
            .execute(&format!(
                "UPDATE entitlement SET granted_at = 1, {column} = {micros} WHERE member_id = '{}'",
                id.as_str().unwrap()
            ))
            .await;
        all.push((json!({ "member": { "id": id }, "video": lesson }), reason));
    }
    for (visibility, reason) in [
        (json!({ "visibility": "hidden" }), "content_hidden"),
        (json!({ "visibility": "unpublished" }), "content_unpublished"),
        (json!({ "visibility": "scheduled", "from": START + DAY }), "content_scheduled"),
        (json!({ "visibility": "scheduled", "until": START - DAY }), "content_scheduled"),
    ] {
        let mut args = visibility;
        args["video"] = video(world, "free").await;
        world.one("videos.setVisibility", args.clone()).await;
        all.push((json!({ "member": { "id": silver }, "video": args["video"] }), reason));
    }
    all
}

both!(every_refusal_is_explained_and_each_of_its_fixes_clears_it, async |world| {
    world.without_budgets().await;
    // As many rounds as a refusal has fixes at most, since each is carried out on a refusal of its own.
    let mut fixed = 0;
    for nth in 0..2 {
        for (args, expected) in refusals(world, &nth.to_string()).await {
            let why = world.ok("members.whyPaywall", args.clone()).await;
            assert_eq!(why["reason"], expected, "{why}");
            assert_eq!(why["allowed"], false);
            assert_eq!(reason(world, args.clone()).await, expected);
            assert!(why["summary"].as_str().unwrap().starts_with("Refused: "), "{why}");
            let decisive: Vec<_> = why["checks"].as_array().unwrap().iter().filter(|c| c["decisive"] == true).collect();
            assert_eq!(decisive.len(), 1, "{why}");
            // Nothing is said twice, and what has a name is called by it; ids are for programs.
            assert_no_id(why["summary"].as_str().unwrap());
            let said: Vec<_> = why["summary"].as_str().unwrap().split_inclusive(". ").collect();
            assert!(said.iter().all(|part| said.iter().filter(|other| *other == part).count() == 1), "{why}");
            if expected.starts_with("bundle_") && !why["fixes"][0]["args"]["bundle"].is_null() {
                assert!(why["summary"].as_str().unwrap().contains("All lessons"), "{why}");
            }
            let fixes = why["fixes"].as_array().unwrap();
            assert!(!fixes.is_empty(), "{why}");
            let Some(fix) = fixes.get(nth) else { continue };
            world.ok(fix["tool"].as_str().unwrap(), fix["args"].clone()).await;
            assert_ne!(reason(world, args.clone()).await, expected, "{fix} did not clear it");
            fixed += 1;
        }
    }
    assert!(fixed > 25, "{fixed}");
});

both!(a_subscription_lets_in_as_long_as_it_is_paid, async |world| {
    world.without_budgets().await;
    for (status, until, expected, later) in [
        ("active", START + DAY, "allowed_subscription", "allowed_subscription"),
        ("trialing", START + DAY, "allowed_subscription", "allowed_subscription"),
        ("canceled", START + DAY, "allowed_subscription", "subscription_ended"),
        ("paused", START + DAY, "allowed_subscription", "subscription_paused"),
    ] {
        let id = member(world, &format!("{status}@example.com")).await;
        subscribe(world, &id, status, until, None).await;
        let why = world.ok("members.whyPaywall", json!({ "member": { "id": id } })).await;
        assert_eq!(why["reason"], expected, "{why}");
        assert_eq!(why["syncStatus"], "stale");
        assert_eq!(why["fixes"], json!([]));
        assert_eq!(reason(world, json!({ "member": { "id": id }, "at": until })).await, later);
    }
    // The grace period is a setting of the site.
    let late = member(world, "late@example.com").await;
    subscribe(world, &late, "past_due", START - DAY * 8, None).await;
    let ask = json!({ "member": { "id": late } });
    assert_eq!(reason(world, ask.clone()).await, "subscription_past_due");
    world.settings(|settings| settings.grace_days = 9).await;
    assert_eq!(reason(world, ask).await, "allowed_grace");
});

both!(the_usual_traps_are_found, async |world| {
    let trap = |why: &Value, name: &str| {
        let checks = why["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["name"] == name).map(|check| check["detail"].as_str().unwrap().to_owned())
    };
    let named = async |email: &str, name: &str| {
        world.one("members.create", json!({ "email": email, "name": name })).await["id"].clone()
    };
    let anna = named("anna@example.com", "Anna Lind").await;
    let ask = json!({ "member": { "id": anna } });
    let why = world.ok("members.whyPaywall", ask.clone()).await;
    assert_eq!(trap(&why, "other_address"), None);
    assert_eq!(why["syncStatus"], "not_linked");
    // Somebody of the same name who may not see it either is no trap; one who may, is.
    let work = named("a.lind@work.example.com", "ANNA LIND").await;
    assert_eq!(trap(&world.ok("members.whyPaywall", ask.clone()).await, "other_address"), None);
    world.ok("access.grantFree", json!({ "member": { "id": work } })).await;
    let detail = trap(&world.ok("members.whyPaywall", ask.clone()).await, "other_address").expect("a trap");
    assert!(
        detail.contains(work.as_str().unwrap()) && detail.contains("work.example.com") && detail.contains("same name"),
        "{detail}"
    );
    // Of many of a name, the one who may see it.
    for n in 0..8 {
        named(&format!("jo{n}@example.com"), "Jo Smith").await;
    }
    world.ok("access.grantFree", json!({ "member": { "email": "jo7@example.com" } })).await;
    let why = world.ok("members.whyPaywall", json!({ "member": { "email": "jo0@example.com" } })).await;
    assert!(trap(&why, "other_address").is_some(), "{why}");
    // An address that differs behind the plus.
    let ben = named("ben@example.com", "").await;
    let plus = named("ben+shop@example.com", "").await;
    named("benno@example.com", "").await;
    world.ok("access.grantFree", json!({ "member": { "id": plus } })).await;
    let why = world.ok("members.whyPaywall", json!({ "member": { "id": ben } })).await;
    let detail = trap(&why, "other_address").expect("a trap");
    assert!(detail.contains(plus.as_str().unwrap()) && detail.contains("nearly the same address"), "{detail}");
    assert!(why["summary"].as_str().unwrap().contains("ben+shop@example.com"), "{why}");
    assert_no_id(why["summary"].as_str().unwrap());
    // Blanks do not tell two names apart; who has no bundle is no trap where one is asked for, and who has it is.
    let jane = named("jane@example.com", "Jane Doe").await;
    let twice = named("jd@example.com", " JANE  doe").await;
    let lesson = video(world, "bundle").await;
    let course = bundle(world, &[&lesson]).await;
    let ask = json!({ "member": { "id": jane }, "video": lesson });
    world.ok("access.grantFree", json!({ "member": { "id": twice } })).await;
    assert_eq!(trap(&world.ok("members.whyPaywall", ask.clone()).await, "other_address"), None);
    let who = json!({ "id": twice });
    world.ok("access.grantBundle", json!({ "member": who, "bundle": course })).await;
    let detail = trap(&world.ok("members.whyPaywall", ask.clone()).await, "other_address").expect("a trap");
    assert!(detail.contains(twice.as_str().unwrap()), "{detail}");
    world.one("videos.setVisibility", json!({ "video": lesson, "visibility": "hidden" })).await;
    assert_eq!(trap(&world.ok("members.whyPaywall", ask).await, "other_address"), None);
    // A checkout that was left open, and a comparison that is old.
    subscribe(world, &ben, "incomplete", START, None).await;
    let why = world.ok("members.whyPaywall", json!({ "member": { "id": ben } })).await;
    assert!(trap(&why, "checkout").is_some() && trap(&why, "sync").is_some(), "{why}");
});

both!(a_question_names_one_thing, async |world| {
    let who = json!({ "id": member(world, "anna@example.com").await });
    let (lesson, course) = (video(world, "free").await, bundle(world, &[]).await);
    let both = json!({ "member": who, "video": lesson, "bundle": course });
    assert_eq!(world.call(&world.key, "members.checkAccess", both).await.failure(), (200, "arguments_refused".into()));
    assert_eq!(reason(world, json!({ "member": who, "bundle": course })).await, "bundle_required");
    assert_eq!(reason(world, json!({ "member": who, "video": lesson })).await, "allowed_free_content");
    let missing = json!({ "member": who, "video": "vid_01kan8v3t0e0rt8nfkzk1s7p4qs" });
    assert_eq!(world.call(&world.key, "members.whyPaywall", missing).await.code(), "video_not_found");
});

both!(a_bundle_can_be_asked_about, async |world| {
    let course = bundle(world, &[]).await;
    let who = json!({ "id": member(world, "anna@example.com").await });
    let args = json!({ "member": who, "bundle": course });
    let why = world.ok("members.whyPaywall", args.clone()).await;
    assert_eq!(why["reason"], "bundle_required");
    let fix = &why["fixes"][0];
    world.ok(fix["tool"].as_str().unwrap(), fix["args"].clone()).await;
    assert_eq!(world.ok("members.whyPaywall", args).await["reason"], "allowed_bundle");
    let both = json!({ "member": who, "bundle": course, "video": "vid_01kan8v3t0e0rt8nfkzk1s7p4qs" });
    assert_eq!(world.call(&world.key, "members.whyPaywall", both).await.code(), "arguments_refused");
});
