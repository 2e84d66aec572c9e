//! Objects of JSON as rows: which columns they have, and what is in them.

use std::{borrow::Cow, collections::HashMap};

use serde_json::{Map, Value};

use crate::limits::{MAX_COLUMNS, MAX_KEYS, MAX_SAMPLE_CELLS};

/// Where a value is in an object: its key, or the keys of the objects it is in and then its own. Of an array of objects
/// it is in the first, unless it is what they are called: then it is in all, `labels.name` of `[{"name":"a"},{"name":"b"}]`
/// is `["a","b"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path(Vec<String>);

/// Keys of what an object is called.
const NAMES: &[&str] = &["name", "label", "title", "slug", "tag"];

impl Path {
    /// The name of the column: `reason.code`.
    pub(crate) fn name(&self) -> String {
        self.0.join(".")
    }

    fn find<'a>(&self, object: &'a Value) -> Option<Cow<'a, Value>> {
        self.find_in(object.get(&self.0[0])?)
    }

    /// Where it is in the value of its first key.
    fn find_in<'a>(&self, value: &'a Value) -> Option<Cow<'a, Value>> {
        let mut value = value;
        for (at, key) in self.0.iter().enumerate().skip(1) {
            let is_last = at + 1 == self.0.len();
            if let Value::Array(all) = value
                && all.len() > 1
                && is_last
                && NAMES.contains(&key.as_str())
            {
                return Some(Cow::Owned(all.iter().filter_map(|one| one.get(key)).cloned().collect()));
            }
            value = inner(value)?.get(key)?;
        }
        Some(Cow::Borrowed(value))
    }

    /// Appends the paths of all values in an object that hold no others.
    fn collect(object: &Map<String, Value>, keys: &mut Vec<String>, paths: &mut Vec<Self>) {
        for (key, value) in object {
            keys.push(key.clone());
            match inner(value) {
                Some(Value::Object(object)) if keys.len() < MAX_KEYS => Self::collect(object, keys, paths),
                _ if paths.len() < MAX_COLUMNS && !paths.iter().any(|path| path.0 == *keys) => {
                    paths.push(Self(keys.clone()));
                }
                _ => {}
            }
            keys.pop();
        }
    }
}

/// The columns of objects. A row costs what it holds, however many columns others have.
#[derive(Debug)]
pub(crate) struct Columns {
    paths: Vec<Path>,
    /// The columns whose values are at or in a key.
    by_key: HashMap<String, Vec<usize>>,
}

impl Columns {
    pub(crate) fn new(paths: Vec<Path>) -> Self {
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, path) in paths.iter().enumerate() {
            by_key.entry(path.0[0].clone()).or_default().push(at);
        }
        Self { paths, by_key }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Appends the cells of an object, up to the last that it has, and where each ends.
    pub(crate) fn fill(&self, object: &Map<String, Value>, cells: &mut Vec<u8>, ends: &mut Vec<usize>) {
        let mut found: Vec<(usize, Cow<'_, Value>)> = Vec::with_capacity(object.len());
        for (key, value) in object {
            let columns = self.by_key.get(key).into_iter().flatten();
            found.extend(columns.filter_map(|&at| Some((at, self.paths[at].find_in(value)?))));
        }
        found.sort_unstable_by_key(|(at, _)| *at);
        for (at, value) in found {
            ends.resize(at, cells.len());
            push_text(cells, &value);
            ends.push(cells.len());
        }
    }
}

/// The object that `value` is, or that is first in it.
fn inner(value: &Value) -> Option<&Value> {
    let value = value.as_array().map_or(Some(value), |values| values.first())?;
    value.is_object().then_some(value)
}

/// The elements of a sample as a table: where the values of its objects are, if there are any, and the rows.
pub(crate) fn table(values: &[Value]) -> (Vec<Path>, Vec<Vec<String>>) {
    let mut paths = Vec::new();
    for object in values.iter().filter_map(Value::as_object) {
        Path::collect(object, &mut Vec::new(), &mut paths);
    }
    let text = |value: &Value| {
        let mut cell = Vec::new();
        push_text(&mut cell, value);
        String::from_utf8(cell).unwrap_or_default()
    };
    if paths.is_empty() {
        return (paths, values.iter().map(|value| vec![text(value)]).collect());
    }
    let n_rows = (MAX_SAMPLE_CELLS / paths.len()).max(1);
    let rows = values.iter().filter(|value| value.is_object()).take(n_rows);
    let rows = rows
        .map(|object| {
            paths.iter().map(|path| path.find(object).map_or_else(String::new, |value| text(&value))).collect()
        })
        .collect();
    (paths, rows)
}

/// Appends a value as a cell: texts as they are, what holds others as JSON.
pub(crate) fn push_text(cells: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => {}
        Value::String(text) => cells.extend_from_slice(text.as_bytes()),
        other => cells.extend_from_slice(other.to_string().as_bytes()),
    }
}
