//! `usher doctor`: looks at what is set up, and says what is missing and what to do. It changes nothing.

mod installation;
mod site;

use serde_json::json;

use super::{Failure, Result, out};
use crate::{areas::sites, clock::Clock, config::Config};

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// As it should be.
    Ok,
    /// Not set up, which may be meant.
    Off,
    /// Wrong or missing: something does not work.
    Problem,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Off => "off",
            Self::Problem => "problem",
        }
    }
}

/// What was found of one thing.
struct Finding {
    /// Whose, if a site's.
    site: Option<String>,
    /// Of what, such as `data folder`.
    what: &'static str,
    state: State,
    /// How it is, in one sentence without its full stop.
    text: String,
    /// What to do, if there is something to do.
    fix: Option<String>,
}

/// Everything that was found.
#[derive(Default)]
struct Findings {
    site: Option<String>,
    all: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, what: &'static str, state: State, text: impl Into<String>, fix: Option<String>) {
        self.all.push(Finding { site: self.site.clone(), what, state, text: text.into(), fix });
    }

    fn ok(&mut self, what: &'static str, text: impl Into<String>) {
        self.add(what, State::Ok, text, None);
    }

    fn off(&mut self, what: &'static str, text: impl Into<String>, fix: impl Into<String>) {
        self.add(what, State::Off, text, Some(fix.into()));
    }

    fn problem(&mut self, what: &'static str, text: impl Into<String>, fix: impl Into<String>) {
        self.add(what, State::Problem, text, Some(fix.into()));
    }
}

pub(super) async fn run(json: bool) -> Result<()> {
    let (config, clock) = (Config::load()?, Clock::system());
    let mut found = Findings::default();
    let db = installation::look(&config, &clock, &mut found).await;
    if let Some(db) = db {
        let all = sites::store::all(db.read()).await?;
        if all.is_empty() {
            found.problem(
                "sites",
                "there is no site yet",
                "run `usher` once, which makes a site and a key; or `usher sites create NAME`, then `usher keys create`",
            );
        }
        let key = crate::areas::secret_key::check(&config, &db, clock.now()).await.ok().flatten();
        let app = key.map(|key| crate::app::App::new(config.clone(), key.sealer, db.clone(), clock.clone()));
        for site in &all {
            found.site = Some(site.name.clone());
            site::look(site, &db, app.as_deref(), clock.now(), &mut found).await?;
        }
        db.close().await;
    }
    let n_problems = found.all.iter().filter(|one| one.state == State::Problem).count();
    show(&found.all, n_problems, json)?;
    match n_problems {
        0 => Ok(()),
        1 => Err(Failure("1 problem".into())),
        n => Err(Failure(format!("{n} problems"))),
    }
}

fn show(all: &[Finding], n_problems: usize, json: bool) -> Result<()> {
    if json {
        let one = |one: &Finding| json!({ "site": one.site, "what": one.what, "state": one.state.word(), "text": one.text, "fix": one.fix });
        let list: Vec<_> = all.iter().map(one).collect();
        return out(&json!({ "ok": n_problems == 0, "problems": n_problems, "findings": list }).to_string());
    }
    let mut site = &None;
    for one in all {
        if one.site != *site {
            site = &one.site;
            out(&format!("\nSite {}", one.site.as_deref().unwrap_or_default()))?;
        }
        let mark = match one.state {
            State::Ok => "ok      ",
            State::Off => "off     ",
            State::Problem => "PROBLEM ",
        };
        out(&format!("{mark} {:<16} {}", one.what, one.text))?;
        if let Some(fix) = &one.fix {
            out(&format!("{:>27} {fix}", "→"))?;
        }
    }
    if n_problems == 0 { out("\nNo problem was found.") } else { out("") }
}
