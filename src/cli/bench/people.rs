//! The import of members, from the first byte sent to the end of the job, against each database's own bulk load.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use usher_db::Engine;

use super::{
    super::import::grouped,
    Bench, Result,
    import::{What, job, raw, rows_of},
    name,
    report::Row,
    rows::mix,
    say,
};
use crate::{
    areas::members::Words,
    clock::Clock,
    values::{MemberId, sort_key},
};

const FIRST: [&str; 8] = ["Anna", "Ben", "Chloe", "Dmitri", "Elif", "Femi", "Grace", "Hiro"];
const LAST: [&str; 9] = ["Lind", "Okafor", "Silva", "Novak", "Tanaka", "Mueller", "Haddad", "Kowalski", "Rossi"];

/// The same rows twice.
struct Files {
    /// As somebody has them: `email,name,tags`, with a header.
    list: PathBuf,
    /// As the tables `member` and `member_tag` have them, a column each, without a header.
    members: PathBuf,
    tags: PathBuf,
    /// As `member_word` has them.
    words: PathBuf,
    /// The same for a member whose id is not known yet: `email,begins,word`, with a header.
    words_by_email: PathBuf,
}

pub(super) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let n = bench.command.rows.div_ceil(2);
    say(&format!("members: writing {n} rows"));
    let folder = bench.stage.folder().to_owned();
    let files = tokio::task::spawn_blocking(move || write(&folder, n)).await??;
    let what = What { tool: "members.import", counted: "created", n };
    let mut report = Vec::new();
    for engine in bench.engines() {
        let (mut baseline, mut ours) = (Vec::new(), Vec::new());
        let rounds = bench.command.rounds.div_ceil(2);
        for round in 1..=rounds {
            say(&format!("members: {}, round {round} of {rounds}", name(engine)));
            let script = match engine {
                Engine::Sqlite => sqlite_script(&files),
                Engine::Postgres => postgres_script(&files),
            };
            baseline.extend(raw(bench, engine, script, n).await?);
            ours.push(job(bench, engine, &files.list, &what).await?);
        }
        report.extend(rows_of(&format!("import: {} members", grouped(n)), engine, n, &baseline, &ours));
    }
    Ok(report)
}

fn write(folder: &Path, n: u64) -> Result<Files> {
    let path = |name: &str| folder.join(name);
    let files = Files {
        list: path("people.csv"),
        members: path("member.csv"),
        tags: path("member-tag.csv"),
        words: path("member-word.csv"),
        words_by_email: path("words.csv"),
    };
    let create = |path: &Path| File::create(path).map(BufWriter::new);
    let (mut list, mut members, mut tags) = (create(&files.list)?, create(&files.members)?, create(&files.tags)?);
    let (mut words, mut words_by_email) = (create(&files.words)?, create(&files.words_by_email)?);
    writeln!(words_by_email, "email,begins,word")?;
    let clock = Clock::system();
    let now = clock.now().micros();
    writeln!(list, "email,name,tags")?;
    for i in 0..n {
        let mixed = mix(i);
        let email =
            format!("{}{:05x}.{i}@mail{}.example.com", (b'a' + (mixed % 26) as u8) as char, mixed >> 44, mixed % 97);
        let (first, last) = (FIRST[mixed as usize % FIRST.len()], LAST[(mixed >> 8) as usize % LAST.len()]);
        let tag = format!("course-{}", mixed % 20);
        writeln!(list, "{email},{first} {last},{tag}")?;
        let id: MemberId = clock.id();
        let name = format!("{first} {last}");
        let (key, found) = (sort_key(&name), Words::of(&email, Some(&name), &sort_key(&name)));
        writeln!(members, "1,{id},{email},{email},{name},{key},,free,{now},{now},0,0,0,0,0,0")?;
        for (begins, word) in &found.rows {
            writeln!(words, "1,{begins},{word},{id}")?;
            writeln!(words_by_email, "{email},{begins},{word}")?;
        }
        writeln!(tags, "1,{id},{tag}")?;
    }
    [list.flush(), members.flush(), tags.flush(), words.flush(), words_by_email.flush()]
        .into_iter()
        .collect::<std::io::Result<()>>()?;
    Ok(files)
}

/// With the settings that Usher opens the file with; one transaction a table. A strict table takes no empty text for
/// NULL, and a 0 takes as little room.
fn sqlite_script(files: &Files) -> String {
    format!(
        "PRAGMA synchronous=FULL;\nPRAGMA cache_size=-65536;\nPRAGMA temp_store=MEMORY;\n\
         .import --csv \"{}\" member\n.import --csv \"{}\" member_tag\n\
         CREATE TEMP TABLE staging (site, begins, word, member_id);\n\
         .import --csv \"{}\" staging\nINSERT INTO member_word SELECT * FROM staging ORDER BY site, begins, word, member_id;\n\
         SELECT count(*) FROM member;\n",
        files.members.display(),
        files.tags.display(),
        files.words.display()
    )
}

/// Sorted on the way into the tables.
fn postgres_script(files: &Files) -> String {
    format!(
        r#"\set ON_ERROR_STOP on
CREATE TEMP TABLE staging (email text, name text, tag text);
CREATE TEMP TABLE staged_word (email text, begins bigint, word text);
\copy staging FROM '{}' CSV HEADER
\copy staged_word FROM '{}' CSV HEADER
WITH numbered AS MATERIALIZED (
    SELECT 'mem_' || lpad(row_number() OVER (ORDER BY lower(email) COLLATE "C")::text, 27, '0') AS id, email, name, tag
    FROM staging ORDER BY lower(email) COLLATE "C"
), made AS (
    INSERT INTO member (site, id, email, email_key, name, name_key, status, created_at, updated_at)
    SELECT 1, id, email, lower(email), name, lower(name), 'free', 0, 0 FROM numbered
    ON CONFLICT (site, email_key) DO NOTHING
), worded AS (
    INSERT INTO member_word (site, begins, word, member_id)
    SELECT 1, w.begins, w.word, n.id FROM staged_word w JOIN numbered n USING (email)
    ORDER BY w.begins, w.word COLLATE "C", n.id
    ON CONFLICT DO NOTHING
)
INSERT INTO member_tag (site, member_id, tag) SELECT 1, id, tag FROM numbered;
SELECT count(*) FROM member;
"#,
        files.list.display(),
        files.words_by_email.display()
    )
}
