//! Adding addresses one by one, by whoever it is but an import: the strongest reason wins.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value as Json, json};
use usher_db::{Change, Tx};

use super::{
    Reason, hidden,
    rows::NewRow,
    store::{self, Said},
    types::Entry,
};
use crate::{
    clock::Clock,
    values::{BlockId, Email, SiteId, Time},
};

/// Changes of one call that are noted one by one; more are noted as one.
const NOTED: usize = 200;

/// What somebody says of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    /// The address.
    pub email: &'a Email,
    /// Why it is to be blocked.
    pub reason: Reason,
    /// Who says so.
    pub source: &'a str,
    /// What they say beside it.
    pub note: Option<&'a str>,
    /// What the mail provider calls it.
    pub vendor_code: Option<&'a str>,
    /// Since when, if not since now.
    pub first_seen: Option<Time>,
}

/// What became of an address.
#[derive(Clone, Debug)]
pub enum Became {
    /// It was added.
    Added(Change),
    /// It was there, with a weaker reason.
    Strengthened(Change),
    /// It was there with this reason, which is as strong.
    Already(Reason),
}

impl Became {
    /// What changed.
    pub fn change(&self) -> Option<&Change> {
        match self {
            Self::Added(change) | Self::Strengthened(change) => Some(change),
            Self::Already(_) => None,
        }
    }
}

/// Blocks addresses, unless they are blocked as strongly: in the open, or as hashes of people who were erased. Gives what
/// became of each by its key. Of an address that is said twice the stronger word counts.
pub async fn block(
    tx: &mut Tx,
    clock: &Clock,
    site: SiteId,
    words: &[Word<'_>],
) -> usher_db::Result<BTreeMap<String, Became>> {
    let keys: Vec<_> = words.iter().map(|word| word.email.key().to_owned()).collect();
    let there = hidden::find(tx, site, &keys).await?;
    let (old, new): (Vec<_>, Vec<_>) = words
        .iter()
        .cloned()
        .partition(|word| there.get(word.email.key()).is_some_and(|entry| entry.reason >= word.reason));
    let known = |word: &Word<'_>| Some((there.get(word.email.key())?.key.as_str(), word.reason));
    let wishes: Vec<_> = old.iter().filter_map(known).collect();
    wish(tx, site, &wishes).await?;
    let mut became = if new.is_empty() { BTreeMap::new() } else { write(tx, clock, site, clock.now(), &new).await? };
    for word in old {
        let key = word.email.key();
        let reason = there.get(key).map_or(word.reason, |entry| entry.reason);
        became.entry(key.to_owned()).or_insert(Became::Already(reason));
    }
    Ok(became)
}

/// Adds entries in the open, or strengthens those that are there.
pub(super) async fn write(
    tx: &mut Tx,
    clock: &Clock,
    site: SiteId,
    now: Time,
    words: &[Word<'_>],
) -> usher_db::Result<BTreeMap<String, Became>> {
    // One row for each address, in the order of the index.
    let mut wanted: BTreeMap<&str, (&Word<'_>, BlockId)> = BTreeMap::new();
    for word in words {
        let (kept, _) = wanted.entry(word.email.key()).or_insert_with(|| (word, clock.id()));
        if kept.reason < word.reason {
            *kept = word;
        }
    }
    let rows: Vec<_> = wanted.values().map(|(word, id)| row(word, id)).collect();
    // Each row says all of it.
    let said = Said { source: "api", note: None, now, import: None };
    let mut added: HashSet<String> = HashSet::new();
    let before = loop {
        added.extend(store::add_and_name(tx.conn(), site, &rows, said).await?);
        let there = wanted.keys().filter(|key| !added.contains(**key)).map(|key| (*key).to_owned()).collect();
        let before = store::hold(tx.conn(), site, there).await?;
        // What an undo has taken away in between is added.
        if added.len() + before.len() == wanted.len() {
            break before;
        }
    };
    let before: HashMap<_, _> = before.into_iter().map(|entry| (entry.key.clone(), entry)).collect();
    let is_weaker = |row: &NewRow<'_>| before.get(row.key).is_some_and(|entry| entry.reason.strength() < row.strength);
    let (weak, mut rest): (Vec<_>, Vec<_>) = rows.into_iter().partition(is_weaker);
    if !weak.is_empty() {
        store::strengthen(tx.conn(), site, &weak, said).await?;
    }
    rest.retain(|row| !added.contains(row.key));
    if !rest.is_empty() {
        store::claim(tx.conn(), site, &rest, said).await?;
    }
    let wishes: Vec<_> = wanted.iter().map(|(key, (word, _))| (*key, word.reason)).collect();
    wish(tx, site, &wishes).await?;
    let became = |(key, (word, id)): (&str, (&Word<'_>, BlockId))| {
        let became = match before.get(key) {
            None => Became::Added(Change::created("block", id.as_str(), after(word, word.email.as_str(), word.note))),
            Some(entry) if entry.reason < word.reason => {
                let after = after(word, &entry.email, word.note.or(entry.note.as_deref()));
                Became::Strengthened(Change::updated("block", entry.id.as_str(), entry.change(), after))
            }
            Some(entry) => Became::Already(entry.reason),
        };
        (key.to_owned(), became)
    };
    Ok(wanted.into_iter().map(became).collect())
}

/// Keeps what persons said of entries that stand with a stronger reason, which is about the address.
pub(super) async fn wish(tx: &mut Tx, site: SiteId, said: &[(&str, Reason)]) -> usher_db::Result<()> {
    for wish in [Reason::Manual, Reason::Unsubscribe] {
        let keys: Vec<_> =
            said.iter().filter(|(_, reason)| *reason == wish).map(|(key, _)| (*key).to_owned()).collect();
        if !keys.is_empty() {
            store::wish(tx.conn(), site, keys.into_iter().collect(), wish.strength()).await?;
        }
    }
    Ok(())
}

fn row<'a>(word: &Word<'a>, id: &BlockId) -> NewRow<'a> {
    let key = word.email.key();
    NewRow {
        key,
        id: id.clone(),
        email: Some(word.email.as_str()).filter(|text| *text != key),
        strength: word.reason.strength(),
        source: Some(word.source),
        note: word.note,
        vendor_code: word.vendor_code,
        first_seen: word.first_seen.map(Time::micros),
    }
}

/// An entry as the activity log has it.
fn after(word: &Word<'_>, email: &str, note: Option<&str>) -> Json {
    let mut value = json!({ "email": email, "reason": word.reason, "source": word.source });
    if let Some(note) = note {
        value["note"] = json!(note);
    }
    if let Some(code) = word.vendor_code {
        value["vendorCode"] = json!(code);
    }
    value
}

/// Notes changes of the call that a transaction is for.
pub(super) fn note(tx: &mut Tx, changes: Vec<Change>) {
    let more = changes.len().saturating_sub(NOTED);
    changes.into_iter().take(NOTED).for_each(|change| tx.note(change));
    if more > 0 {
        let summary = json!({ "count": more });
        tx.note(Change { kind: "blocks", id: format!("{more} more"), before: None, after: Some(summary) });
    }
}

impl Entry {
    /// As the activity log has it.
    pub(super) fn change(&self) -> Json {
        let mut value = json!({ "email": self.email, "reason": self.reason, "source": self.source });
        if let Some(note) = &self.note {
            value["note"] = json!(note);
        }
        value
    }
}
