//! Who may be written to, how often, and what is refused before anything goes out.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{
    member, send, sent,
    server::{connect, into},
    to,
};
use usher::tools::Scope;

use crate::harness::{World, new_key};

/// Mails that were written down, blocked ones included.
async fn written(world: &World) -> usize {
    world.rows("SELECT id FROM email").await.len()
}

both!(of_fifty_sends_that_race_for_ten_places_ten_go_out, async |world| {
    world.without_budgets().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let connection = into(world, folder.path().to_owned());
    connect(world, &connection).await;
    world.settings(|settings| settings.emails_per_day = 15).await;
    let world = &*world;
    let all: Vec<_> = (0..55).map(|n| format!("m{n}@example.com")).collect();
    for address in &all {
        member(world, address).await;
    }
    let first: Vec<_> = all[..5].iter().map(String::as_str).collect();
    sent(world, to(&first)).await;
    let replies = join_all(all[5..].iter().map(|address| send(world, to(&[address])))).await;
    let (gone, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.json()["ok"] == true);
    assert_eq!((gone.len(), refused.len()), (10, 40));
    assert!(refused.iter().all(|reply| reply.code() == "daily_cap_reached"));
    for reply in gone {
        world.job(&reply.result()["recipients"][0]["job"]["id"]).await;
    }
    let files = std::fs::read_dir(folder.path()).expect("a folder");
    let is_mail = |file: &std::fs::DirEntry| file.path().extension().is_some_and(|kind| kind == "eml");
    assert_eq!(files.filter(|file| is_mail(file.as_ref().expect("a file"))).count(), 15);
});

both!(nothing_goes_out_of_what_is_refused, async |world| {
    world.without_budgets().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    member(world, "anna@example.com").await;
    let refused = async |world: &World, args: Value| send(world, args).await.code();
    assert_eq!(refused(world, to(&["anna@example.com"])).await, "email_disabled");
    world.settings(|settings| settings.email_members = true).await;
    assert_eq!(refused(world, to(&["anna@example.com"])).await, "mail_not_connected");
    let connection = into(world, folder.path().to_owned());
    connect(world, &connection).await;
    assert_eq!(refused(world, to(&["anna@example.com", "nobody@example.com"])).await, "member_not_found");
    let crowd: Vec<_> = (0..21).map(|n| format!("m{n}@example.com")).collect();
    let crowd: Vec<_> = crowd.iter().map(String::as_str).collect();
    assert_eq!(refused(world, to(&crowd)).await, "too_many_recipients");
    let mut odd = to(&["anna@example.com"]);
    odd["html"] = json!("<p>{{frist_name}}</p>");
    let reply = send(world, odd).await;
    assert_eq!(reply.code(), "unknown_placeholder");
    let error = reply.json()["error"].as_str().expect("a text").to_owned();
    assert!(error.contains("frist_name") && error.contains("first_name"), "{error}");
    // A dry run says what would go out, and it does not.
    let body = json!({ "args": to(&["anna@example.com"]), "dryRun": true });
    let dry = world.call_with(&world.key, "emails.send", body, &[]).await;
    assert_eq!(dry.result()["recipients"][0]["status"], "queued", "{}", dry.text);
    assert!(dry.json()["changes"].as_array().is_some_and(|changes| !changes.is_empty()), "{}", dry.text);
    assert_eq!(written(world).await, 0);
});

both!(nobody_is_told_the_same_twice_in_a_day_by_accident, async |world| {
    world.without_budgets().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let connection = into(world, folder.path().to_owned());
    connect(world, &connection).await;
    member(world, "anna@example.com").await;
    member(world, "ben@example.com").await;
    sent(world, to(&["anna@example.com"])).await;
    assert_eq!(send(world, to(&["ben@example.com", "anna@example.com"])).await.code(), "repeated_email");
    assert_eq!(written(world).await, 1, "all or none");
    let mut again = to(&["anna@example.com"]);
    again["allowRepeat"] = json!(true);
    assert_eq!(sent(world, again).await["recipients"][0]["status"], "sent");
    world.clock.advance(std::time::Duration::from_secs(24 * 3600 + 1));
    assert_eq!(sent(world, to(&["anna@example.com"])).await["recipients"][0]["status"], "sent");
});

both!(a_test_site_writes_to_its_own_people_only, async |world| {
    world.without_budgets().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let connection = into(world, folder.path().to_owned());
    connect(world, &connection).await;
    world.execute("UPDATE site SET live = FALSE").await;
    world.site.live = false;
    world.key = new_key(&world.app, &world.site, Scope::ALL.iter().copied().collect(), None).await;
    world.settings(|settings| settings.mail_only_to = vec!["me@example.com".into(), "@team.example".into()]).await;
    for address in ["me@example.com", "anna@team.example", "anna@example.com"] {
        member(world, address).await;
    }
    let result = sent(world, to(&["me@example.com", "anna@team.example", "anna@example.com"])).await;
    let states: Vec<_> =
        result["recipients"].as_array().expect("recipients").iter().map(|one| &one["status"]).collect();
    assert_eq!(states, ["sent", "sent", "blocked"], "{result}");
    assert_eq!(result["recipients"][2]["reason"], "not_allowed_on_test_site");
});
