//! Whether a member may see each video of a page, in one call.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{bundle, member, video};

both!(one_call_answers_for_a_page_as_single_calls_do, async |world| {
    world.without_budgets().await;
    let anna = member(world, "anna@example.com").await;
    let who = json!({ "id": anna });
    let (free, members, bundled) =
        (video(world, "free").await, video(world, "members").await, video(world, "bundle").await);
    let hidden = video(world, "members").await;
    world.one("videos.setVisibility", json!({ "video": hidden, "visibility": "hidden" })).await;
    let all = bundle(world, &[&bundled]).await;
    let nobodys = json!("vid_01kan8v3t0e0rt8nfkzk1s7p4qs");
    let videos = [&free, &members, &bundled, &hidden];
    let mut asked: Vec<Value> = videos.iter().map(|video| (*video).clone()).collect();
    asked.extend([nobodys.clone(), members.clone()]);
    for step in 0..3 {
        match step {
            1 => {
                _ = world
                    .ok("access.grantBundle", json!({ "member": who, "bundle": all, "expiresAt": "2026-01-01" }))
                    .await;
            }
            2 => _ = world.ok("access.grantFree", json!({ "member": who })).await,
            _ => {}
        }
        let answer = world.ok("members.checkAccess", json!({ "member": who, "videos": asked })).await;
        assert_eq!(answer["missingVideos"], json!([nobodys]));
        let in_general = world.ok("members.checkAccess", json!({ "member": who })).await;
        for field in ["member", "at", "allowed", "reason"] {
            assert_eq!(answer[field], in_general[field], "{field}");
        }
        let items = answer["videos"].as_array().unwrap();
        assert_eq!(items.len(), videos.len());
        for (item, video) in items.iter().zip(videos) {
            let mut single = world.ok("members.checkAccess", json!({ "member": who, "video": video })).await;
            let fields = single.as_object_mut().unwrap();
            fields.shift_remove("member");
            fields.shift_remove("at");
            fields.insert("video".into(), video.clone());
            assert_eq!(*item, single, "{step}");
        }
    }
    let later = json!({ "member": who, "videos": [bundled], "at": "2026-06-01T00:00:00Z" });
    let answer = world.ok("members.checkAccess", later).await;
    assert_eq!((&answer["videos"][0]["reason"], &answer["allowed"]), (&json!("bundle_expired"), &json!(true)));
    let (_, stranger) = world.other_site("Second", None).await;
    let other = world.call(&stranger, "members.create", json!({ "email": "anna@example.com" })).await.one();
    let args = json!({ "member": { "id": other["id"] }, "videos": [free] });
    let answer = world.call(&stranger, "members.checkAccess", args).await.result();
    assert_eq!((&answer["videos"], &answer["missingVideos"]), (&json!([]), &json!([free])));
    for bad in [
        json!({ "videos": [] }),
        json!({ "videos": [free], "video": free }),
        json!({ "videos": [free], "bundle": all }),
    ] {
        let mut args = json!({ "member": who });
        args.as_object_mut().unwrap().extend(bad.as_object().unwrap().clone());
        world.call(&world.key, "members.checkAccess", args).await.is_refused_for_arguments();
    }
});

both!(two_hundred_videos_are_answered_at_once, async |world| {
    world.without_budgets().await;
    let anna = member(world, "anna@example.com").await;
    let mut videos = Vec::new();
    for n in 0..200 {
        videos.push(video(world, ["free", "members", "bundle"][n % 3]).await);
    }
    for part in videos.chunks(20) {
        let all = bundle(world, &part.iter().collect::<Vec<_>>()).await;
        world.ok("access.grantBundle", json!({ "member": { "id": anna }, "bundle": all })).await;
    }
    let args = json!({ "member": { "id": anna }, "videos": videos });
    let answer = world.ok("members.checkAccess", args.clone()).await;
    assert_eq!(answer["videos"].as_array().unwrap().len(), 200);
    let mut best = Duration::MAX;
    for _ in 0..20 {
        let began = Instant::now();
        world.ok("members.checkAccess", args.clone()).await;
        best = best.min(began.elapsed());
    }
    // Under 5 ms in a release build; a test's build is far slower.
    assert!(best < Duration::from_millis(250), "{best:?}");
    let too_many: Vec<_> = videos.iter().chain(&videos[..1]).collect();
    let args = json!({ "member": { "id": anna }, "videos": too_many });
    world.call(&world.key, "members.checkAccess", args).await.is_refused_for_arguments();
});
