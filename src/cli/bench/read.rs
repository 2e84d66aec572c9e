//! A reading tool through the whole pipeline: key, scope, budgets, validation, query, durable log.

use usher_db::Engine;

use super::{
    Bench, Result,
    load::{Request, Requests},
    name,
    report::{Aim, Row},
    say, scene,
    server::{Server, Workers},
    subject::Subject,
};

/// Members of the site that is read from.
const MEMBERS: u64 = 10_000;

/// Different requests, each for another key or member.
const REQUESTS: usize = 4000;

pub(super) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let hello = Server::hello(bench.stage.folder()).await?;
    let mut subjects = vec![Subject::new(hello, Requests::new([Request::hello()]))];
    let mut places = Vec::new();
    for engine in bench.engines() {
        say(&format!("read: setting up {}", name(engine)));
        let place = bench.stage.place(engine).await?;
        let scene = scene::set(&place, bench.command.keys, MEMBERS).await?;
        let server = Server::start(&place, Workers::Auto).await?;
        let requests = scene.calls("members.get", REQUESTS, |i| {
            let member = &scene.members[i * 7919 % scene.members.len()];
            format!("{{\"member\":{{\"id\":\"{member}\"}}}}")
        });
        subjects.push(Subject::new(server, requests));
        places.push(place);
    }
    for subject in &subjects {
        subject.warm(bench).await?;
    }
    for round in 1..=bench.command.rounds {
        say(&format!("read: round {round} of {}", bench.command.rounds));
        for subject in &mut subjects {
            subject.round(bench).await?;
        }
    }
    let (hello, ours) = subjects.split_first().expect("hello is there");
    let rows = bench.engines().zip(ours).map(|(engine, subject)| {
        let aim = if engine == Engine::Sqlite { 0.4 } else { 0.2 };
        Row::compared("read: members.get", name(engine), hello.figure(), subject.figure()).aim(Aim::RatioOver(aim))
    });
    let rows = rows.collect();
    drop(subjects);
    for place in places {
        bench.stage.leave(place).await;
    }
    Ok(rows)
}
