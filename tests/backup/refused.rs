//! What a restore refuses, and that it then changes nothing.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
};

use super::*;

/// A backup with another manifest.
fn rewritten(file: &Path, to: &Path, change: impl Fn(&mut Value)) {
    let mut old = zip::ZipArchive::new(File::open(file).expect("a file")).expect("a backup");
    let mut new = zip::ZipWriter::new(File::create(to).expect("a file"));
    for at in 0..old.len() {
        let mut entry = old.by_index(at).expect("an entry");
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("it is whole");
        let name = entry.name().expect("a name").into_owned();
        if name == "manifest.json" {
            let mut manifest = serde_json::from_slice(&content).expect("JSON");
            change(&mut manifest);
            content = manifest.to_string().into_bytes();
        }
        new.start_file(name, zip::write::SimpleFileOptions::default()).expect("an entry");
        new.write_all(&content).expect("it is written");
    }
    new.finish().expect("it is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_newer_or_no_backup() {
    let shop = Shop::open(Backend::Sqlite).await;
    let file = shop.backup("usher.zip", &[]).await;
    let bytes = fs::read(&file).expect("a backup");
    let put = |name: &str, content: &[u8]| {
        let file = shop.file(name);
        fs::write(&file, content).expect("a file");
        file
    };
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 3] ^= 1;
    let change = |name: &str, change: &dyn Fn(&mut Value)| {
        rewritten(&file, &shop.file(name), change);
        shop.file(name)
    };
    let entry = |manifest: &mut Value, path: &str, field: &str, to: Value| {
        let files = manifest["files"].as_array_mut().expect("a list");
        files.iter_mut().find(|entry| entry["path"] == path).expect("a file")[field] = to;
    };
    for (file, says) in [
        (put("cut.zip", &bytes[..bytes.len() / 2]), "or not all of it is there"),
        (put("flipped.zip", &flipped), "damaged"),
        (put("empty.zip", b""), "it is no backup"),
        (put("text.zip", b"email\na@b.example\n"), "it is no backup"),
        (shop.file("nowhere.zip"), "nowhere.zip"),
        (change("version.zip", &|manifest| manifest["format"] = json!(9)), "which is newer than this one"),
        (
            change("schema.zip", &|manifest| manifest["schema"] = json!(9999)),
            "whose database is newer than this one knows",
        ),
        (change("hash.zip", &|all| entry(all, "usher.db", "sha256", json!("00"))), "usher.db is not what was written"),
        (change("size.zip", &|all| entry(all, "usher.db", "bytes", json!(5))), "usher.db is not what was written"),
        (change("path.zip", &|all| entry(all, "secret.key", "path", json!("../../x"))), "a file that no backup has"),
        (change("less.zip", &|all| _ = all["files"].as_array_mut().expect("a list").pop()), "files are missing"),
    ] {
        for place in [Installation::empty(Backend::Sqlite).await, Installation::empty(Backend::Postgres).await] {
            refused(&place.ends(&["restore", path(&file)], &[]).await, says);
            for name in ["usher.db", "secret.key", "uploads", "restoring"] {
                assert!(!place.folder.path().join(name).exists(), "{name} after {}", file.display());
            }
        }
    }
    // A backup is not written over what is none.
    let letter = put("letter.txt", b"Dear Anna");
    refused(&shop.place.ends(&["backup", path(&letter)], &[]).await, "is no backup; choose another name");
    assert_eq!(fs::read(&letter).expect("a file"), b"Dear Anna");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_used_or_not_empty() {
    let shop = Shop::open(Backend::Sqlite).await;
    let file = shop.backup("usher.zip", &[]).await;
    let (other, key) = Installation::new(Backend::Sqlite).await;
    let server = other.serve(&[]).await;
    for more in [&[][..], &["--replace"]] {
        let ended = other.ends(&[&["restore", path(&file)], more].concat(), &[]).await;
        refused(&ended, "Usher runs in the folder");
    }
    server.client(&key).call("keys.whoami", json!({})).await.result();
    drop(server);
    refused(&other.ends(&["restore", path(&file)], &[]).await, "is not empty: it has usher.db, secret.key");
    other.serve(&[]).await.client(&key).call("keys.whoami", json!({})).await.result();

    // Said so, what was there is moved aside.
    let told = other.usher(&["restore", path(&file), "--replace"]).await;
    assert!(told.contains("What was there before is now in"), "{told}");
    shop.is_served_by(&other).await;
    let names = fs::read_dir(other.folder.path()).expect("a folder").flatten().map(|entry| entry.path());
    let aside = names.into_iter().find(|path| path.to_string_lossy().contains("replaced-")).expect("a folder");
    let old = Installation { backend: Backend::Sqlite, folder: tempfile::tempdir().expect("a folder"), database: None };
    let settings = [("USHER_DATA", path(&aside))];
    assert!(old.ends(&["sites", "list"], &settings).await.out.contains("Storm"));
    old.serve(&settings).await.client(&key).call("keys.whoami", json!({})).await.result();
}
