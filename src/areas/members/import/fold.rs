//! What a row makes of a member: the rules, without a database.

use std::collections::{BTreeSet, HashMap};

use super::lines::Line;
use crate::{
    areas::members::{
        MAX_TAGS,
        types::{Member, Span},
    },
    values::{MemberId, Tag, Time},
};

/// What the call gives every row, and how it treats members that are there.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) tags: Vec<Tag>,
    pub(super) groups: Vec<String>,
    pub(super) bundle: Option<String>,
    /// Free access, and its end in microseconds if it has one.
    pub(super) free: Option<Option<i64>>,
    /// Whether members that are there are changed.
    pub(super) update: bool,
    pub(super) now: Time,
}

/// A member on the way: as it was found, if it was, and as the rows so far make it.
pub(super) struct State {
    pub(super) member: Member,
    /// What it was called when it was found.
    pub(super) old_name: Option<String>,
    pub(super) is_new: bool,
    /// Whether the member's own row is to be written.
    pub(super) is_changed: bool,
    /// The groups it is in, and the bundles it owns for life.
    pub(super) groups: BTreeSet<String>,
    pub(super) bundles: BTreeSet<String>,
    pub(super) new_tags: Vec<Tag>,
    pub(super) new_groups: Vec<String>,
    pub(super) new_bundles: Vec<String>,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Created,
    Updated,
    Unchanged,
    /// The member is being deleted.
    Deleting,
    /// It would have more tags than it may.
    TooManyTags,
    /// Another member has its external id.
    ExternalIdTaken,
    /// It would have more keys of metadata than it may.
    TooMuchMetadata,
}

/// Who has which external id: the key of the address.
pub(super) type Owners = HashMap<String, String>;

impl State {
    /// A member that was found.
    pub(super) fn found(member: Member) -> Self {
        Self {
            old_name: member.name.clone(),
            member,
            is_new: false,
            is_changed: false,
            groups: BTreeSet::new(),
            bundles: BTreeSet::new(),
            new_tags: Vec::new(),
            new_groups: Vec::new(),
            new_bundles: Vec::new(),
        }
    }
}

/// Applies a row to the member of its address, if there is one; `new_id` is for one that is made.
pub(super) fn fold(
    state: &mut Option<State>,
    line: &Line<'_>,
    rules: &Rules,
    owners: &mut Owners,
    new_id: impl FnOnce() -> MemberId,
) -> Verdict {
    match state {
        Some(state) if state.member.deleting_since.is_some() => Verdict::Deleting,
        Some(_) if !rules.update => Verdict::Unchanged,
        Some(state) => match give(state, line, rules, owners) {
            Err(refusal) => refusal,
            Ok(true) => Verdict::Updated,
            Ok(false) => Verdict::Unchanged,
        },
        None => {
            let mut made = State::found(Member::new(new_id(), line.email.to_owned()));
            made.is_new = true;
            if let Err(refusal) = give(&mut made, line, rules, owners) {
                return refusal;
            }
            *state = Some(made);
            Verdict::Created
        }
    }
}

/// Gives a member what a row has; says whether anything changed. A row that is refused changes nothing.
fn give(state: &mut State, line: &Line<'_>, rules: &Rules, owners: &mut Owners) -> Result<bool, Verdict> {
    let new_tags = new_tags(state, line, rules);
    if state.member.tags.len() + new_tags.len() > MAX_TAGS {
        return Err(Verdict::TooManyTags);
    }
    let is_anothers = |id: &&str| owners.get(*id).is_some_and(|owner| owner != line.key);
    if line.external_id.as_ref().is_some_and(is_anothers) {
        return Err(Verdict::ExternalIdTaken);
    }
    let member = &mut state.member;
    let metadata = member.metadata.clone().unwrap_or_default();
    let metadata = metadata.overlaid(&line.metadata()).ok_or(Verdict::TooMuchMetadata)?;
    let metadata = Some(metadata).filter(|metadata| !metadata.is_empty());
    if let Some(id) = line.external_id {
        owners.insert(id.to_owned(), line.key.to_owned());
    }
    let mut is_changed = !new_tags.is_empty();
    if metadata != member.metadata {
        member.metadata = metadata;
        is_changed = true;
    }
    let texts =
        [(&mut member.name, line.name), (&mut member.note, line.note), (&mut member.external_id, line.external_id)];
    for (field, said) in texts {
        if said.is_some() && field.as_deref() != said {
            *field = said.map(str::to_owned);
            is_changed = true;
        }
    }
    for until in [line.free, rules.free].into_iter().flatten() {
        if let Some(span) = extended(member.free_access, until.map(Time::from_micros), rules.now) {
            member.free_access = Some(span);
            is_changed = true;
        }
    }
    if !new_tags.is_empty() {
        member.tags.extend(new_tags.iter().cloned());
        member.tags.sort_unstable();
    }
    if is_changed {
        member.status = member.status_at(rules.now);
        member.updated_at = if state.is_new { member.updated_at } else { rules.now.or_after(member.updated_at) };
        state.is_changed = true;
    }
    state.new_tags.extend(new_tags);
    for group in line.groups().chain(rules.groups.iter().map(String::as_str)) {
        if !state.groups.contains(group) {
            state.groups.insert(group.to_owned());
            state.new_groups.push(group.to_owned());
            is_changed = true;
        }
    }
    for bundle in line.bundle.into_iter().chain(rules.bundle.as_deref()) {
        if !state.bundles.contains(bundle) {
            state.bundles.insert(bundle.to_owned());
            state.new_bundles.push(bundle.to_owned());
            is_changed = true;
        }
    }
    Ok(is_changed)
}

/// The tags that the member does not have yet. Those of a row are sorted, those it has too.
fn new_tags(state: &State, line: &Line<'_>, rules: &Rules) -> Vec<Tag> {
    let mut new: Vec<Tag> = Vec::new();
    for tag in line.tags().chain(rules.tags.iter().map(Tag::as_str)) {
        let has = state.member.tags.binary_search_by(|had| had.as_str().cmp(tag)).is_ok();
        if !has && !new.iter().any(|known| known.as_str() == tag) {
            new.push(Tag::stored(tag));
        }
    }
    new
}

/// Free access that is there and is to last at least `until` (`None`: for ever), if that changes anything. It is never
/// shortened.
pub(super) fn extended(there: Option<Span>, until: Option<Time>, now: Time) -> Option<Span> {
    if until.is_some_and(|until| until <= now) {
        return None;
    }
    let new = Span { since: now, expires_at: until };
    match there {
        Some(there) if there.expires_at.is_none_or(|end| now < end) => {
            let longer = match (there.expires_at, until) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(end), Some(until)) => end < until,
            };
            longer.then_some(Span { since: there.since.min(now), expires_at: until })
        }
        _ => Some(new),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn span() -> impl Strategy<Value = Option<Span>> {
        let end = prop::option::of(0i64..200).prop_map(|end| end.map(Time::from_micros));
        let span =
            (0i64..100, end).prop_map(|(since, expires_at)| Span { since: Time::from_micros(since), expires_at });
        prop::option::of(span)
    }

    proptest! {
        #[test]
        fn an_import_never_shortens_free_access(there in span(), until in prop::option::of(0i64..200), now in 0i64..150) {
            let (until, now) = (until.map(Time::from_micros), Time::from_micros(now));
            let after = extended(there, until, now).or(there);
            for at in (now.micros()..250).map(Time::from_micros) {
                let held = there.is_some_and(|span| span.holds(at));
                let wanted = until.is_none_or(|until| at < until);
                let holds = after.is_some_and(|span| span.holds(at));
                prop_assert!(holds || !held, "taken away at {at:?}");
                prop_assert!(holds || !wanted || there.is_some_and(|span| span.since > at), "not given at {at:?}");
            }
            prop_assert_eq!(extended(after, until, now), None, "twice is once");
        }
    }
}
