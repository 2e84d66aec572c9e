//! A page of members, of many and of few.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use usher_db::Engine;

use super::{
    Bench, Result,
    load::{Connection, Requests, Times},
    name,
    report::{Aim, Figure, Row},
    say,
    scene::{self, Scene},
    server::{Server, Workers},
    stage::Place,
};
use crate::paging::Cursor;

/// Members of the smaller site.
const FEW: u64 = 10_000;

/// Pages of each kind from each site at most. The 99th percentile is the 30th from above.
const PAGES: usize = 3000;

/// Time for each kind, after which fewer pages have to do.
const TIME: Duration = Duration::from_secs(60);

/// What is listed; each filter leaves a tenth of the members.
const FILTERS: [(&str, &str); 3] =
    [("no filter", ""), ("by status", r#""status":"comped""#), ("by tag", r#""tag":"vip""#)];

/// A site to be listed. Its requests are of each kind of page.
struct Listed {
    server: Server,
    place: Place,
    pages: Vec<Arc<Requests>>,
}

pub(super) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let many = bench.command.rows;
    let mut rows = Vec::new();
    for engine in bench.engines() {
        let few = listed(bench, engine, FEW).await?;
        let many = listed(bench, engine, many).await?;
        for (at, kind) in kinds().enumerate() {
            say(&format!("list: {}, {kind}", name(engine)));
            let (few, many) = in_turns(&few, &many, at).await?;
            let row = Row::compared(format!("list: {kind}"), name(engine), figure(&few), figure(&many));
            rows.push(row.aim(Aim::RatioUnder(1.5)));
        }
        for listed in [few, many] {
            drop(listed.server);
            bench.stage.leave(listed.place).await;
        }
    }
    Ok(rows)
}

fn kinds() -> impl Iterator<Item = String> {
    ["first page", "middle page"]
        .iter()
        .flat_map(|page| FILTERS.iter().map(move |(filter, _)| format!("{page}, {filter}")))
}

fn figure(times: &Times) -> Figure {
    Figure::new(times.within_ms(0.99), "ms p99").with("p50 ms", Some(times.within_ms(0.5)))
}

/// One page of the one, then one of the other, so that whatever else the machine does hits both.
async fn in_turns(few: &Listed, many: &Listed, kind: usize) -> Result<(Times, Times)> {
    let (mut of_few, mut of_many) = (Vec::with_capacity(PAGES), Vec::with_capacity(PAGES));
    const WARM: usize = 200;
    let (mut to_few, mut to_many) = (few.connect().await?, many.connect().await?);
    let begun = Instant::now();
    for at in 0..WARM + PAGES {
        if at >= 2 * WARM && begun.elapsed() >= TIME {
            break;
        }
        let (one, other) = (to_few.send(&few.pages[kind], at).await?, to_many.send(&many.pages[kind], at).await?);
        if at >= WARM {
            of_few.push(one);
            of_many.push(other);
        }
    }
    Ok((Times::new(of_few, Duration::ZERO), Times::new(of_many, Duration::ZERO)))
}

async fn listed(bench: &Bench, engine: Engine, members: u64) -> Result<Listed> {
    say(&format!("list: {}, making {members} members", name(engine)));
    let place = bench.stage.place(engine).await?;
    let scene = scene::set(&place, bench.command.keys, members).await?;
    let server = Server::start(&place, Workers::Auto).await?;
    let pages =
        [false, true].iter().flat_map(|middle| FILTERS.iter().map(|(_, filter)| requests(&scene, filter, *middle)));
    let pages = pages.collect();
    Ok(Listed { server, place, pages })
}

fn requests(scene: &Scene, filter: &str, middle: bool) -> Arc<Requests> {
    scene.calls("members.list", 500, |i| {
        if !middle {
            return format!("{{{filter}}}");
        }
        // Somewhere in the middle half, another place each time.
        let n = scene.members.len();
        let id = &scene.members[n / 4 + i * 7919 % (n / 2)];
        let cursor = Cursor::after("members.list -createdAt", [String::new(), id.to_string()]).encode();
        let comma = if filter.is_empty() { "" } else { "," };
        format!("{{{filter}{comma}\"cursor\":\"{cursor}\"}}")
    })
}

impl Listed {
    /// Anew for each kind: the server lets go of a connection that rests.
    async fn connect(&self) -> Result<Connection> {
        Connection::open(self.server.address).await
    }
}
