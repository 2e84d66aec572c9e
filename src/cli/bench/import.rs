//! The import of a block list, from the first byte sent to the end of the job, against each database's own bulk load.

use std::{
    fs::File,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use usher_db::Engine;

use super::{
    super::import::{Client, Trouble, grouped},
    Bench, Failure, Result, name,
    report::{Aim, Figure, Row, median},
    rows::{self, Files, REASONS, Shape},
    say, scene,
    server::{Server, Workers},
};

/// How often the job is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What is imported, and by which tool.
pub(super) struct What {
    pub(super) tool: &'static str,
    /// The count that all rows end up in.
    pub(super) counted: &'static str,
    pub(super) n: u64,
}

/// What one round of ours gave.
pub(super) struct Ours {
    upload: Duration,
    all: Duration,
    peak_mib: Option<f64>,
}

pub(super) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let n = bench.command.rows;
    say(&format!("import: writing {n} rows"));
    let folder = bench.stage.folder().to_owned();
    let files = tokio::task::spawn_blocking(move || rows::write(&folder, n)).await??;
    let mut report = Vec::new();
    for engine in bench.engines() {
        let (mut baseline, mut ours) = (Vec::new(), Vec::new());
        let rounds = bench.command.rounds.div_ceil(2);
        for round in 1..=rounds {
            say(&format!("import: {}, round {round} of {rounds}", name(engine)));
            baseline.extend(raw(bench, engine, script(engine, &files), n).await?);
            ours.push(job(bench, engine, &files.list, &blocks(n)).await?);
        }
        report.extend(rows_of(&format!("import: {} rows", grouped(n)), engine, n, &baseline, &ours));
    }
    Ok(report)
}

/// The import of each shape that the same rows may have.
pub(super) async fn formats(bench: &Bench) -> Result<Vec<Row>> {
    let n = bench.command.rows;
    say(&format!("formats: writing {n} rows in each"));
    let folder = bench.stage.folder().to_owned();
    let (files, shapes) = tokio::task::spawn_blocking(move || {
        let files = rows::write(&folder, n)?;
        let shapes = Shape::ALL.map(|shape| shape.write(&files.list).map(|path| (shape, path)));
        Ok::<_, Failure>((files, shapes.into_iter().collect::<Result<Vec<_>>>()?))
    })
    .await??;
    let mut report = Vec::new();
    for engine in bench.engines() {
        for (shape, path) in &shapes {
            say(&format!("formats: {}, {}", name(engine), shape.name()));
            let baseline = raw(bench, engine, script(engine, &files), n).await?;
            let ours = job(bench, engine, path, &blocks(n)).await?;
            report.extend(rows_of(&format!("import: {}", shape.name()), engine, n, baseline.as_slice(), &[ours]));
        }
    }
    Ok(report)
}

fn blocks(n: u64) -> What {
    What { tool: "blocklist.import", counted: "added", n }
}

fn script(engine: Engine, files: &Files) -> String {
    match engine {
        Engine::Sqlite => sqlite_script(&files.table),
        Engine::Postgres => postgres_script(&files.list),
    }
}

pub(super) fn rows_of(what: &str, engine: Engine, n: u64, baseline: &[Duration], ours: &[Ours]) -> Vec<Row> {
    let per_second = |time: &Duration| n as f64 / time.as_secs_f64();
    let figure = |times: Vec<f64>| {
        let best = times.iter().copied().fold(0.0, f64::max);
        Figure::new(median(times), "rows/s").with("best", Some(best))
    };
    let all = figure(ours.iter().map(|one| per_second(&one.all)).collect())
        .with("upload s", Some(median(ours.iter().map(|one| one.upload.as_secs_f64()))));
    let speed = match baseline {
        [] => Row::alone(what, name(engine), all),
        _ => Row::compared(what, name(engine), figure(baseline.iter().map(per_second).collect()), all),
    };
    let peak = ours.iter().filter_map(|one| one.peak_mib).reduce(f64::max);
    let memory = peak.map(|mib| {
        Row::alone(format!("{what}, peak memory"), name(engine), Figure::new(mib, "MiB")).aim(Aim::Under(128.0))
    });
    [Some(speed.aim(Aim::RatioOver(0.6))), memory].into_iter().flatten().collect()
}

/// One import by a server of its own.
pub(super) async fn job(bench: &Bench, engine: Engine, list: &Path, what: &What) -> Result<Ours> {
    let place = bench.stage.place(engine).await?;
    let scene = scene::set(&place, 1, 0).await?;
    let server = Server::start(&place, Workers::On).await?;
    let client = Client::new(&format!("http://{}", server.address), &scene.keys[0])?;
    let begun = Instant::now();
    let accepted = begin(&client, what.tool, list).await?;
    let uploaded = begun.elapsed();
    let ended = loop {
        let answer = look(&client, &accepted).await?;
        if answer["job"]["finishedAt"].is_string() {
            break answer;
        }
        tokio::time::sleep(LOOK).await;
    };
    let all = begun.elapsed();
    let peak_mib = server.peak_mib();
    drop(server);
    bench.stage.leave(place).await;
    if ended["job"]["progress"][what.counted].as_u64() != Some(what.n) {
        return Err(Failure(format!("the import did not take every row: {}", ended["job"])));
    }
    Ok(Ours { upload: uploaded, all, peak_mib })
}

/// Sends the list and starts its import.
pub(super) async fn begin(client: &Client, tool: &str, list: &Path) -> Result<Value> {
    let bytes = std::fs::metadata(list)?.len();
    let upload = client
        .upload(list.file_name().and_then(|name| name.to_str()), list, bytes, Arc::new(|_| {}))
        .await
        .map_err(failed)?;
    client.call(tool, &json!({ "upload": upload["id"] }), None).await.map_err(failed)
}

/// How an import stands.
pub(super) async fn look(client: &Client, accepted: &Value) -> Result<Value> {
    client.call("jobs.get", &json!({ "job": accepted["job"]["id"] }), None).await.map_err(failed)
}

pub(super) fn failed(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Final(failure) => failure,
        Trouble::Away(why) => Failure(why),
        Trouble::Busy(_) => Failure("a budget is used up".into()),
    }
}

/// The same rows by the database's own means; `None` if its program is not installed.
pub(super) async fn raw(bench: &Bench, engine: Engine, text: String, n: u64) -> Result<Option<Duration>> {
    let place = bench.stage.place(engine).await?;
    scene::set(&place, 0, 0).await?;
    let script = place.folder.join("load.sql");
    let program = match engine {
        Engine::Sqlite => "sqlite3",
        Engine::Postgres => "psql",
    };
    std::fs::write(&script, text)?;
    let mut command = Command::new(program);
    match engine {
        Engine::Sqlite => {
            command.arg(place.file()).stdin(File::open(&script)?);
        }
        Engine::Postgres => {
            command.args(["-X", "-q", "-A", "-t", "-f"]).arg(&script).args(["-d", place.url()]).stdin(Stdio::null());
        }
    }
    let (output, errors) = (place.folder.join("load.out"), place.folder.join("load.err"));
    command.stdout(File::create(&output)?).stderr(File::create(&errors)?);
    let begun = Instant::now();
    let mut child = match command.spawn() {
        Ok(child) => Guard(child),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            say(&format!("import: {program} is not installed, so there is nothing to compare with."));
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    while child.0.try_wait()?.is_none() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let time = begun.elapsed();
    let (loaded, said) = (std::fs::read_to_string(output)?, std::fs::read_to_string(errors)?);
    bench.stage.leave(place).await;
    if loaded.lines().last().map(str::trim) != Some(&n.to_string()) {
        return Err(Failure(format!("{program} did not load every row: {}", said.lines().next().unwrap_or(&loaded))));
    }
    Ok(Some(time))
}

/// A program that ends with its measure.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// With the settings that Usher opens the file with; one transaction.
fn sqlite_script(table: &Path) -> String {
    format!(
        "PRAGMA synchronous=FULL;\nPRAGMA cache_size=-65536;\nPRAGMA temp_store=MEMORY;\n\
         .import --csv \"{}\" block\nSELECT count(*) FROM block;\n",
        table.display()
    )
}

/// Sorted on the way into the table, which loads a third faster than unsorted.
fn postgres_script(list: &Path) -> String {
    let strengths: String =
        REASONS.iter().map(|(reason, strength)| format!(" WHEN '{reason}' THEN {strength}")).collect();
    format!(
        r#"\set ON_ERROR_STOP on
CREATE TEMP TABLE staging (email text, reason text, seen timestamptz);
\copy staging FROM '{}' CSV HEADER
INSERT INTO block (site, email_key, id, email, strength, source, note, vendor_code, first_seen, updated_at)
SELECT 1, lower(email), 'blk_' || lpad(row_number() OVER (ORDER BY lower(email) COLLATE "C")::text, 27, '0'), email,
       CASE reason{strengths} ELSE 1 END, 'import', NULL, NULL, (extract(epoch FROM seen) * 1000000)::bigint, 0
FROM staging ORDER BY lower(email) COLLATE "C"
ON CONFLICT (site, email_key) DO UPDATE SET strength = excluded.strength, updated_at = excluded.updated_at
WHERE block.strength < excluded.strength;
SELECT count(*) FROM block;
"#,
        list.display()
    )
}
