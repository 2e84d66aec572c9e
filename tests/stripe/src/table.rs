//! Objects of one kind, in the order in which they were made, found by id and by owner.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{
    account::Account,
    error::{ApiError, Result},
    form::{Params, Range},
};

/// What a table keeps.
pub trait Record {
    /// The word for it in messages, such as `subscription`.
    const WHAT: &'static str;
    /// Its id.
    fn id(&self) -> &str;
    /// When it was made.
    fn created(&self) -> i64;
    /// What it belongs to: the customer of a subscription, the product of a price.
    fn owner(&self) -> Option<&str> {
        None
    }
    /// Whether lists leave it out.
    fn hidden(&self) -> bool {
        false
    }
    /// It as the API gives it.
    fn render(&self, account: &Account) -> Value;
}

/// Objects of one kind.
#[derive(Debug)]
pub struct Table<T> {
    rows: Vec<T>,
    by_id: HashMap<String, usize>,
    by_owner: HashMap<String, Vec<usize>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: vec![], by_id: HashMap::new(), by_owner: HashMap::new() }
    }
}

impl<T: Record> Table<T> {
    /// Adds a new object.
    pub fn insert(&mut self, row: T) {
        let at = self.rows.len();
        self.by_id.insert(row.id().to_owned(), at);
        if let Some(owner) = row.owner() {
            self.by_owner.entry(owner.to_owned()).or_default().push(at);
        }
        self.rows.push(row);
    }

    /// The object with an id.
    pub fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(*self.by_id.get(id)?)
    }

    /// The object with an id, to change it. Its owner stays.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.rows.get_mut(*self.by_id.get(id)?)
    }

    /// The object that a path (`param` = `id`) or a parameter names.
    pub fn find(&self, id: &str, param: &str) -> Result<&T> {
        self.get(id).ok_or_else(|| ApiError::no_such(T::WHAT, id, param))
    }

    /// All, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.iter()
    }

    /// Those of one owner, oldest first.
    pub fn of(&self, owner: &str) -> impl DoubleEndedIterator<Item = &T> {
        self.by_owner.get(owner).into_iter().flatten().map(|at| &self.rows[*at])
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }
}

/// Which part of a list is asked for.
#[derive(Debug)]
pub struct Page {
    limit: usize,
    after: Option<String>,
    before: Option<String>,
    created: Range,
}

/// The most objects that one page has.
const LIMIT_MAX: i64 = 100;

impl Page {
    /// Takes `limit`, `starting_after`, `ending_before` and `created`.
    pub fn take(params: &mut Params) -> Result<Self> {
        let limit = params.int("limit")?.unwrap_or(10);
        if !(1..=LIMIT_MAX).contains(&limit) {
            let message = format!("Invalid integer: {limit}, must be between 1 and {LIMIT_MAX}");
            return Err(ApiError::invalid("limit", message).code("parameter_invalid_integer"));
        }
        let page = Self {
            limit: limit as usize,
            after: params.text("starting_after")?,
            before: params.text("ending_before")?,
            created: params.range("created")?,
        };
        if page.after.is_some() && page.before.is_some() {
            let message = "You can specify either starting_after or ending_before, but not both.";
            return Err(ApiError::invalid("starting_after", message));
        }
        Ok(page)
    }

    /// One page of a table, newest first, of one owner if that is given.
    pub fn list<T: Record>(
        &self,
        account: &Account,
        table: &Table<T>,
        owner: Option<&str>,
        url: &str,
        keep: impl Fn(&T) -> bool,
    ) -> Result<Value> {
        const NONE: &[usize] = &[];
        let keep = |row: &T| !row.hidden() && self.created.holds(row.created()) && keep(row);
        // Positions in the table that the list is about; all of it has no list of them.
        let of_owner = owner.map(|owner| table.by_owner.get(owner).map_or(NONE, Vec::as_slice));
        let n = of_owner.map_or(table.rows.len(), <[usize]>::len);
        let row = |position: usize| &table.rows[of_owner.map_or(position, |all| all[position])];
        // Where a cursor stands, as a position in what the list is about: the first that is not before it.
        let stand = |id: &str, param: &str| {
            let Some(at) = table.by_id.get(id).copied() else { return Err(ApiError::no_such(T::WHAT, id, param)) };
            Ok(of_owner.map_or(at, |all| all.partition_point(|other| *other < at)))
        };
        let mut found: Vec<&T> = match (&self.after, &self.before) {
            (Some(after), _) => (0..stand(after, "starting_after")?)
                .rev()
                .map(row)
                .filter(|row| keep(row))
                .take(self.limit + 1)
                .collect(),
            (None, Some(before)) => {
                let at = stand(before, "ending_before")?;
                (at..n).map(row).filter(|row| row.id() != before && keep(row)).take(self.limit + 1).collect()
            }
            (None, None) => (0..n).rev().map(row).filter(|row| keep(row)).take(self.limit + 1).collect(),
        };
        let has_more = found.len() > self.limit;
        found.truncate(self.limit);
        if self.before.is_some() {
            found.reverse();
        }
        Ok(list_of(url, has_more, found.into_iter().map(|row| row.render(account)).collect()))
    }
}

/// A list object.
pub fn list_of(url: &str, has_more: bool, data: Vec<Value>) -> Value {
    json!({ "object": "list", "data": data, "has_more": has_more, "url": url })
}
