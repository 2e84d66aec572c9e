//! The figures, in a table or as JSON.

use serde_json::{Map, Value, json};

use super::{
    super::{Result, import::grouped, out},
    load::Times,
};

/// One line of the report: a figure beside the one it is compared with.
pub(super) struct Row {
    pub(super) measure: String,
    pub(super) database: &'static str,
    pub(super) baseline: Option<Figure>,
    pub(super) ours: Figure,
    /// Ours by the baseline's.
    pub(super) ratio: Option<f64>,
    pub(super) aim: Option<Aim>,
}

/// What is aimed at.
#[derive(Clone, Copy)]
pub(super) enum Aim {
    /// A ratio of at least.
    RatioOver(f64),
    /// A ratio of at most.
    RatioUnder(f64),
    /// A value of less than.
    Under(f64),
}

/// A figure.
pub(super) struct Figure {
    value: f64,
    unit: &'static str,
    /// What else is known, in the order shown.
    more: Vec<(&'static str, f64)>,
}

impl Figure {
    pub(super) fn new(value: f64, unit: &'static str) -> Self {
        Self { value, unit, more: Vec::new() }
    }

    /// Adds what else is known.
    pub(super) fn with(mut self, name: &'static str, value: Option<f64>) -> Self {
        self.more.extend(value.map(|value| (name, value)));
        self
    }

    fn shown(&self) -> String {
        format!("{} {}", readable(self.value), self.unit)
    }

    fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("value".into(), json!(self.value));
        object.insert("unit".into(), json!(self.unit));
        object.extend(self.more.iter().map(|(name, value)| (camel(name), json!(value))));
        object.into()
    }
}

impl Row {
    /// Against a baseline.
    pub(super) fn compared(measure: impl Into<String>, database: &'static str, baseline: Figure, ours: Figure) -> Self {
        let ratio = (baseline.value > 0.0).then(|| ours.value / baseline.value);
        Self { measure: measure.into(), database, baseline: Some(baseline), ours, ratio, aim: None }
    }

    /// Alone.
    pub(super) fn alone(measure: impl Into<String>, database: &'static str, ours: Figure) -> Self {
        Self { measure: measure.into(), database, baseline: None, ours, ratio: None, aim: None }
    }

    pub(super) fn aim(mut self, aim: Aim) -> Self {
        self.aim = Some(aim);
        self
    }

    fn met(&self) -> Option<bool> {
        match self.aim? {
            Aim::RatioOver(least) => self.ratio.map(|ratio| ratio >= least),
            Aim::RatioUnder(most) => self.ratio.map(|ratio| ratio <= most),
            Aim::Under(most) => Some(self.ours.value < most),
        }
    }

    fn cells(&self) -> [String; 7] {
        let aim = match self.aim {
            Some(Aim::RatioOver(least)) => format!("≥ {least:.2}"),
            Some(Aim::RatioUnder(most)) => format!("≤ {most:.2}"),
            Some(Aim::Under(most)) => format!("< {} {}", readable(most), self.ours.unit),
            None => String::new(),
        };
        let met = self.met().map_or("", |met| if met { "met" } else { "MISSED" });
        [
            self.measure.clone(),
            self.database.into(),
            self.baseline.as_ref().map_or_else(String::new, Figure::shown),
            self.ours.shown(),
            self.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            aim,
            met.into(),
        ]
    }

    fn json(&self) -> Value {
        json!({
            "measure": self.measure, "database": self.database,
            "baseline": self.baseline.as_ref().map(Figure::json), "ours": self.ours.json(),
            "ratio": self.ratio, "aim": self.cells()[5], "met": self.met(),
        })
    }

    /// What else is known of both figures, for below the table.
    fn notes(&self) -> Option<String> {
        let more = |figure: &Figure| {
            figure
                .more
                .iter()
                .map(|(name, value)| format!("{name} {}", readable(*value)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let baseline = self.baseline.as_ref().map(more).filter(|more| !more.is_empty());
        let ours = Some(more(&self.ours)).filter(|more| !more.is_empty());
        let parts = [baseline.map(|more| format!("baseline: {more}")), ours.map(|more| format!("ours: {more}"))];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("{}, {}\n    {}", self.measure, self.database, parts.join("\n    ")))
    }
}

pub(super) fn print(rows: &[Row], json: bool) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if json {
        let rows: Vec<_> = rows.iter().map(Row::json).collect();
        let build = if cfg!(debug_assertions) { "debug" } else { "release" };
        let report = json!({ "version": env!("CARGO_PKG_VERSION"), "build": build, "cores": cores, "rows": rows });
        return out(&report.to_string());
    }
    let head = ["measure", "database", "baseline", "ours", "ratio", "aim", ""].map(str::to_owned);
    let cells: Vec<_> = std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let widths: Vec<_> = (0..7).map(|at| cells.iter().map(|row| row[at].chars().count()).max().unwrap_or(0)).collect();
    for row in &cells {
        let mut line = String::new();
        for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
            // Figures to the right, words to the left.
            line += &if (2..5).contains(&at) { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") };
        }
        out(line.trim_end())?;
    }
    let notes: Vec<_> = rows.iter().filter_map(Row::notes).collect();
    out(&format!("\nOn {cores} processors, shared by servers, databases and this client.\n\n{}", notes.join("\n")))
}

/// A name as JSON has it: `p50 ms` is `p50Ms`.
fn camel(name: &str) -> String {
    let mut words = name.split(' ').map(str::to_owned);
    let mut text = words.next().unwrap_or_default();
    for mut word in words {
        word[..1].make_ascii_uppercase();
        text += &word;
    }
    text
}

fn readable(value: f64) -> String {
    match value {
        value if value >= 1000.0 => grouped(value.round() as u64),
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// Rounds of the same load as one figure: the median of what they did each second.
pub(super) fn of_rounds(rounds: &[Times]) -> Figure {
    let per_second = |times: &Times| times.per_second();
    let all: Vec<_> = rounds.iter().map(per_second).collect();
    let best = all.iter().copied().fold(0.0, f64::max);
    Figure::new(median(all), "/s")
        .with("best", Some(best))
        .with("p50 ms", Some(median(rounds.iter().map(|times| times.within_ms(0.5)))))
        .with("p99 ms", Some(median(rounds.iter().map(|times| times.within_ms(0.99)))))
}

/// The middle one; of an even number the lower of the two.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aim_is_met_or_missed() {
        let row = |ours, aim| {
            Row::compared("m", "d", Figure::new(100.0, "/s"), Figure::new(ours, "/s")).aim(aim).met().unwrap()
        };
        assert!(row(40.0, Aim::RatioOver(0.4)) && !row(39.0, Aim::RatioOver(0.4)));
        assert!(row(150.0, Aim::RatioUnder(1.5)) && !row(151.0, Aim::RatioUnder(1.5)));
        assert!(row(39.9, Aim::Under(40.0)) && !row(40.0, Aim::Under(40.0)));
    }

    #[test]
    fn the_median_is_one_of_the_values() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 3.0, 2.0]), 2.0);
        assert_eq!(median([]), 0.0);
    }

    #[test]
    fn figures_are_readable() {
        for (value, text) in [(1234567.8, "1,234,568"), (250.4, "250"), (12.34, "12.3"), (0.456, "0.46")] {
            assert_eq!(readable(value), text);
        }
    }
}
