//! From the program's start to its first answer on a database that is set up, and its memory once nothing happens.

use std::time::{Duration, Instant};

use super::{
    Bench, Failure, Result,
    load::{Connection, Requests},
    name,
    report::{Aim, Figure, Row, median},
    say, scene,
    server::{Server, Workers},
};

/// Starts that are measured.
const STARTS: usize = 10;

/// How long nothing happens before the memory is looked at.
const REST: Duration = Duration::from_secs(2);

/// Members of the site.
const MEMBERS: u64 = 10_000;

pub(super) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for engine in bench.engines() {
        say(&format!("start: {}", name(engine)));
        let place = bench.stage.place(engine).await?;
        let scene = scene::set(&place, 1, MEMBERS).await?;
        let request = scene.calls("keys.whoami", 1, |_| "{}".into());
        let mut times = Vec::new();
        for _ in 0..STARTS {
            let begun = Instant::now();
            let server = Server::start(&place, Workers::Auto).await?;
            first_answer(&server, &request).await?;
            times.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
        let slowest = times.iter().copied().fold(0.0, f64::max);
        let figure = Figure::new(median(times), "ms").with("slowest ms", Some(slowest));
        rows.push(Row::alone("start: first answer", name(engine), figure).aim(Aim::Under(200.0)));

        let server = Server::start(&place, Workers::Auto).await?;
        first_answer(&server, &request).await?;
        tokio::time::sleep(REST).await;
        if let Some(mib) = server.memory_now_mib() {
            rows.push(Row::alone("start: idle memory", name(engine), Figure::new(mib, "MiB")).aim(Aim::Under(40.0)));
        }
        drop(server);
        bench.stage.leave(place).await;
    }
    Ok(rows)
}

async fn first_answer(server: &Server, request: &Requests) -> Result<()> {
    let answer = async { Connection::open(server.address).await?.send(request, 0).await };
    let answered = tokio::time::timeout(Duration::from_secs(10), answer).await;
    answered.map_err(|_| Failure("the server does not answer".into()))?.map(drop)
}
