//! `kill -9` at any moment of a backup and of a restore, and a disk that is full.

use std::{fs, process::Command, time::Duration};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_killed_leaves_the_old_one_and_no_half() {
    let shop = Shop::open(Backend::Sqlite).await;
    let file = shop.backup("usher.zip", &[]).await;
    let before = fs::read(&file).expect("a backup");
    let mut n_killed = 0;
    for ms in [5, 20, 40, 60, 80, 100, 130, 160, 200, 250, 300] {
        let mut running = shop.place.start(&["backup", path(&file)], &[]);
        tokio::time::sleep(Duration::from_millis(ms)).await;
        if !running.has_ended() {
            running.kill();
            n_killed += 1;
        }
        // Whichever it is, it is whole.
        shop.place.usher(&["restore", path(&file), "--check"]).await;
    }
    assert!(n_killed > 2, "{n_killed} were killed");
    shop.backup("usher.zip", &[]).await;
    assert_ne!(fs::read(&file).expect("a backup"), before);
    assert_eq!(fs::read_dir(shop.elsewhere.path()).expect("a folder").count(), 1, "something was left over");
    let restored = Installation::empty(Backend::Sqlite).await;
    restored.usher(&["restore", path(&file)]).await;
    shop.is_served_by(&restored).await;
}

async fn a_restore_that_is_killed_is_done_by_the_next(backend: Backend) {
    let shop = Shop::open(Backend::Sqlite).await;
    let file = shop.backup("usher.zip", &[]).await;
    let mut n_killed = 0;
    for ms in [0, 2, 5, 10, 15, 20, 30, 40, 60, 80, 100, 150, 200, 300, 500, 700, 1000] {
        let restored = Installation::empty(backend).await;
        let mut running = restored.start(&["restore", path(&file)], &[]);
        tokio::time::sleep(Duration::from_millis(ms)).await;
        if !running.has_ended() {
            running.kill();
            n_killed += 1;
        } else {
            continue;
        }
        // Nobody serves a half: either nothing is there yet, or it is told.
        let listed = restored.ends(&["sites", "list"], &[]).await;
        assert!(!listed.status.success() || listed.out.contains("Storm") || listed.out.is_empty(), "{listed:?}");
        let again = restored.ends(&["restore", path(&file)], &[]).await;
        assert!(again.status.success() || again.err.contains("is not empty"), "after {ms} ms: {again:?}");
        assert!(!restored.folder.path().join("restoring").exists());
        assert_eq!(count(&restored, N_MEMBERS).await, MEMBERS);
        if n_killed % 4 == 1 {
            shop.is_served_by(&restored).await;
        }
    }
    assert!(n_killed > 2, "{n_killed} were killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_is_done_by_the_next_on_sqlite() {
    a_restore_that_is_killed_is_done_by_the_next(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_is_done_by_the_next_on_postgres() {
    a_restore_that_is_killed_is_done_by_the_next(Backend::Postgres).await;
}

/// No file may grow beyond some KiB: to a writer that is as a disk that is full.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_leaves_nothing_half() {
    let shop = Shop::open(Backend::Sqlite).await;
    let file = shop.backup("usher.zip", &[]).await;
    let usher = env!("CARGO_BIN_EXE_usher");
    let limited = |blocks: u32, data: &Path, arguments: &str| {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {usher} {arguments}");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).env_clear().env("USHER_DATA", data);
        let done = command.output().expect("a shell");
        assert!(!done.status.success(), "{done:?}");
        assert_eq!(String::from_utf8_lossy(&done.stderr).lines().count(), 1, "{done:?}");
    };
    for blocks in [1, 20, 60] {
        limited(blocks, shop.place.folder.path(), &format!("backup {}", shop.file("new.zip").display()));
        limited(blocks, shop.place.folder.path(), &format!("backup {}", file.display()));
        let names: Vec<_> = fs::read_dir(shop.elsewhere.path()).expect("a folder").flatten().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        shop.place.usher(&["restore", path(&file), "--check"]).await;
        let data = tempfile::tempdir().expect("a folder");
        limited(blocks, data.path(), &format!("restore {}", file.display()));
        let names = fs::read_dir(data.path()).expect("a folder").flatten().map(|entry| entry.file_name());
        assert!(names.into_iter().all(|name| name.to_string_lossy().ends_with(".lock")));
    }
}
