//! Keys, as their holders and the operator see them.

use serde_json::json;
use usher::tools::{Scope, scope::PRESETS};

both!(a_key_can_ask_who_it_is, async |world| {
    let key = world.key_with(&[Scope::MembersRead, Scope::AccessGrant]).await;
    let me = world.call(&key, "keys.whoami", json!({})).await.result();
    assert_eq!(me["key"]["id"], json!(key.id.to_string()));
    assert_eq!(me["key"]["scopes"], json!(["members:read", "access:grant"]));
    assert_eq!(me["site"], json!({ "name": "First", "live": true }));
});

both!(a_secret_is_stored_as_a_hash_only_and_never_logged, async |world| {
    world.call(&world.key, "members.list", json!({ "text": world.key.text })).await;
    let secret = &world.key.text[world.key.text.len() - 49..];
    for row in world.rows("SELECT COALESCE(args, '') FROM activity").await {
        assert!(!row.contains(secret) || row.contains("text"), "{row}");
    }
});

both!(the_last_use_is_noted, async |world| {
    assert_eq!(world.rows("SELECT id FROM api_key WHERE last_used_at IS NOT NULL").await.len(), 0);
    world.ok("keys.whoami", json!({})).await;
    assert_eq!(world.rows("SELECT id FROM api_key WHERE last_used_at IS NOT NULL").await.len(), 1);
});

#[test]
fn the_presets_are_the_contracts() {
    let names = |name: &str| PRESETS.iter().find(|preset| preset.name == name).expect("a preset").scopes().names();
    assert_eq!(names("outside-checkout"), ["members:read", "access:grant"]);
    assert_eq!(names("full-access").len(), Scope::ALL.len());
    assert!(names("read-only").iter().all(|name| name.ends_with(":read") && *name != "activity:read"));
    let support = names("support");
    assert!(["members:manage", "access:grant", "plans:read"].iter().all(|name| support.contains(name)));
}
