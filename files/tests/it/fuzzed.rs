//! The corpus of the fuzz targets (`fuzz/`), in which everything they have found stays.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/checks.rs"]
mod checks;

#[test]
fn the_corpus_holds() {
    for (target, check) in [
        ("detector", checks::any_file as fn(&[u8])),
        ("tables", checks::table),
        ("json", checks::json),
        ("compressed", checks::compressed),
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let mut n_files = 0;
        for entry in fs::read_dir(folder).expect("a corpus") {
            check(&fs::read(entry.expect("an entry").path()).expect("a file"));
            n_files += 1;
        }
        assert!(n_files > 0, "{target}");
    }
}
