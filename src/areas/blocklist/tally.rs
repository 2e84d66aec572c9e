//! Counts why rows of an import would be blocked, and for which values others are left out.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use poem_openapi::Object;

use super::{Reason, preview::Verdict};

/// Values that are listed for which rows are left out.
const MOST_VALUES: usize = 50;

/// How many rows would be blocked for a reason, on the list already or not.
#[derive(Debug, Object)]
#[oai(rename = "ImportPreviewReason", rename_all = "camelCase")]
pub struct ReasonCount {
    /// The reason.
    pub(super) reason: Reason,
    /// Rows that give it.
    pub(super) rows: u64,
}

/// A value for which rows are left out.
#[derive(Debug, Object)]
#[oai(rename = "ImportPreviewLeftOut", rename_all = "camelCase")]
pub struct LeftOut {
    /// `skipped` or `unclear`.
    pub(super) verdict: Verdict,
    /// The column that it stands in; absent if the file as a whole says it.
    pub(super) column: Option<String>,
    /// What stands there; empty for an empty cell.
    pub(super) value: String,
    /// Rows with it.
    pub(super) rows: u64,
}

/// Why rows would be blocked; `of_all` makes of a number of rows that were read one of the whole file.
pub(super) fn reasons(reasons: impl Iterator<Item = Reason>, of_all: impl Fn(u64) -> u64) -> Vec<ReasonCount> {
    let mut counted: BTreeMap<Reason, u64> = BTreeMap::new();
    reasons.for_each(|reason| *counted.entry(reason).or_default() += 1);
    let mut reasons: Vec<_> = counted.into_iter().map(|(reason, n)| ReasonCount { reason, rows: of_all(n) }).collect();
    reasons.sort_by_key(|count| Reverse(count.rows));
    reasons
}

/// For which values rows are left out: for each the verdict, the column and what stands there.
pub(super) fn left_out<'a>(
    rows: impl Iterator<Item = (Verdict, Option<&'a str>, &'a str)>,
    of_all: impl Fn(u64) -> u64,
) -> Vec<LeftOut> {
    let mut counted: HashMap<_, u64> = HashMap::new();
    rows.for_each(|row| *counted.entry(row).or_default() += 1);
    let one = |((verdict, column, value), n): ((Verdict, Option<&str>, &str), u64)| LeftOut {
        verdict,
        column: column.map(str::to_owned),
        value: value.to_owned(),
        rows: of_all(n),
    };
    let mut left_out: Vec<_> = counted.into_iter().map(one).collect();
    left_out.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.value.cmp(&b.value)));
    left_out.truncate(MOST_VALUES);
    left_out
}
