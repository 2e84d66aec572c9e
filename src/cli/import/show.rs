//! What is seen meanwhile: bars on a terminal, else a line now and then, or nothing.

use std::{
    io::{IsTerminal as _, Write as _},
    sync::Arc,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;
use serde_json::Value;

use super::report::{counts, grouped, number};

/// How often a line is written where there is no terminal.
const NOW_AND_THEN: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Bars,
    Lines,
    Nothing,
}

/// The one place that writes to standard error while an import runs.
pub(super) struct Show {
    way: Way,
    bar: Arc<Mutex<ProgressBar>>,
    line: Arc<Mutex<Option<Instant>>>,
}

/// Told how many bytes were sent, from the body's stream.
pub(crate) type Counter = Arc<dyn Fn(u64) + Send + Sync>;

impl Show {
    pub(super) fn new(json: bool) -> Self {
        let way = match () {
            () if json => Way::Nothing,
            () if std::io::stderr().is_terminal() => Way::Bars,
            () => Way::Lines,
        };
        Self { way, bar: Arc::new(Mutex::new(ProgressBar::hidden())), line: Arc::default() }
    }

    pub(super) fn reading(&self) {
        if std::io::stdin().is_terminal() {
            self.note("Reading standard input.");
        }
    }

    pub(super) fn sending(&self, name: Option<&str>, bytes: u64) {
        let template = "Sending   [{wide_bar:.green}] {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
        self.next(Some(bytes), template);
        if self.way == Way::Lines {
            let name = name.unwrap_or("standard input");
            self.note(&format!("Sending {name} ({} KiB).", grouped(bytes.div_ceil(1024))));
        }
    }

    /// For the bytes that are sent.
    pub(super) fn counter(&self) -> Counter {
        let (bar, line, way) = (self.bar.lock().clone(), self.line.clone(), self.way);
        Arc::new(move |bytes| {
            bar.inc(bytes);
            if way == Way::Lines && due(&line) {
                let percent = 100 * bar.position() / bar.length().unwrap_or(1).max(1);
                say(&format!("Sent {percent} %."));
            }
        })
    }

    pub(super) fn importing(&self) {
        self.next(None, "Importing [{wide_bar:.green}] {human_pos}/{human_len} rows, {eta} left\n{wide_msg}");
    }

    /// How the job stands.
    pub(super) fn job(&self, job: &Value) {
        let progress = &job["progress"];
        let (done, total) = (number(progress, "done"), number(progress, "total"));
        let told = match (total, job["status"].as_str()) {
            (0, Some("queued")) => "Waits for a worker.".into(),
            (0, _) => "Reads the file.".into(),
            _ => format!("{}.", counts(progress)),
        };
        let bar = self.bar.lock();
        bar.set_length(total.max(done));
        bar.set_position(done);
        bar.set_message(told.clone());
        if self.way == Way::Lines && due(&self.line) {
            let rows = format!("{} of {} rows: {told}", grouped(done), grouped(total.max(done)));
            say(if total == 0 { &told } else { &rows });
        }
    }

    /// Says something that is not progress.
    pub(super) fn note(&self, text: &str) {
        match self.way {
            Way::Bars => self.bar.lock().suspend(|| say(text)),
            Way::Lines | Way::Nothing => say(text),
        }
    }

    /// Takes the bar away.
    pub(super) fn done(&self) {
        self.bar.lock().finish_and_clear();
    }

    fn next(&self, length: Option<u64>, template: &str) {
        let style = ProgressStyle::with_template(template).expect("a template that is written here");
        let target = match self.way {
            Way::Bars => ProgressDrawTarget::stderr(),
            Way::Lines | Way::Nothing => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(length.or(Some(0)), target).with_style(style.progress_chars("=> "));
        bar.tick();
        std::mem::replace(&mut *self.bar.lock(), bar).finish_and_clear();
        *self.line.lock() = Some(Instant::now());
    }
}

/// Whether it is time for another line.
fn due(line: &Mutex<Option<Instant>>) -> bool {
    let mut last = line.lock();
    let due = last.is_none_or(|at| at.elapsed() >= NOW_AND_THEN);
    if due {
        *last = Some(Instant::now());
    }
    due
}

fn say(text: &str) {
    _ = writeln!(std::io::stderr(), "{text}");
}
