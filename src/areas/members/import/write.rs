//! Writes a chunk of an import: the members of some addresses in one transaction.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use usher_db::{Conn, Tx, Value};
use usher_jobs::Fail;

use super::{
    fold::{Owners, Rules, State, Verdict, fold},
    jobs::Started,
    lines::{Line, Lines},
    mail::Said,
    take::Take,
    types::Counts,
};
use crate::{
    areas::{
        blocklist::{self, Reason, Word},
        members::{store, types::Member},
    },
    clock::Clock,
    error::Code,
    gate::Cx,
    imports::{self, At, Lines as _},
    values::{Email, EntitlementId, JobId, SiteId},
};

/// Times that a chunk is begun anew since somebody else made one of its members at the same moment.
const TRIES: usize = 20;

/// Where what the block list has from such a file comes from.
const SOURCE: &str = "members import";

/// Rows that one statement takes.
const ROWS: usize = 2000;

impl imports::Import for Started {
    type Take = Take;
    type Counts = Counts;
    /// More than of other imports, as a row touches several tables and their indexes; found by trying.
    const CALM_ROWS: Option<usize> = Some(1000);

    fn take_back(_: &str) -> String {
        "They stay. Import the whole file once it is mended: rows that are done change nothing.".into()
    }

    async fn write(&self, lines: &Lines, rows: Range<usize>, at: &mut At<Counts>) -> Result<(), Fail> {
        for _ in 0..TRIES {
            let mut tx = self.app.db.begin().await?;
            let Some(counts) = self.chunk(&mut tx, lines, rows.clone(), at.counts).await? else {
                tx.rollback().await?;
                continue;
            };
            let next = At { counts, ..at.clone() };
            // Last, since the counts are known only now: if the job is somebody else's, nothing of this is committed.
            self.run.checkpoint(&mut tx, &next, &self.progress(counts)).await?;
            tx.commit().await?;
            *at = next;
            return Ok(());
        }
        Err(Fail::retry("unavailable", "Others write the same members all the time. Usher will try again."))
    }
}

impl Started {
    /// Writes rows, and gives the counts with them; `None` if a member was made meanwhile.
    async fn chunk(
        &self,
        tx: &mut Tx,
        lines: &Lines,
        rows: Range<usize>,
        mut counts: Counts,
    ) -> Result<Option<Counts>, Fail> {
        let rules = Rules { now: self.app.clock.now(), ..self.rules.clone() };
        let keys = keys(lines, rows.clone());
        let mut found = HashMap::new();
        let n_held = store::hold_all(tx.conn(), self.site, keys.iter().map(|key| (*key).to_owned()).collect()).await?;
        if n_held > 0 {
            let needs = Needs::of(lines, rows.clone(), &rules);
            found = states(tx, self.site, &keys, needs).await?;
            if found.len() != n_held {
                return Ok(None);
            }
        }
        let mut owners = owners(tx, self.site, lines, rows.clone()).await?;
        let (states, refused) = self.fold(lines, rows.clone(), &rules, found, (&mut owners, &mut counts));
        let (new, there): (Vec<_>, Vec<_>) = states.iter().partition(|state| state.is_new);
        for some in new.chunks(ROWS) {
            let members = some.iter().map(|state| &state.member);
            if store::insert(tx.conn(), self.site, members).await? < some.len() as u64 {
                return Ok(None);
            }
        }
        let changed = there.iter().filter(|state| state.is_changed);
        let changed: Vec<_> = changed.map(|state| Member { id: self.app.clock.id(), ..state.member.clone() }).collect();
        for some in changed.chunks(ROWS) {
            store::update_all(tx.conn(), self.site, some).await?;
        }
        let renamed = there.iter().filter(|state| state.member.name != state.old_name);
        let renamed: Vec<_> = renamed
            .map(|state| {
                let before = Member { name: state.old_name.clone(), ..state.member.clone() };
                (&state.member.id, before.words(), state.member.words())
            })
            .collect();
        if !renamed.is_empty() {
            store::words::replace(tx.conn(), self.site, &renamed).await?;
        }
        give(tx, self.site, &states, &self.app.clock, &rules, &self.id).await?;
        for some in refused.chunks(ROWS) {
            store::insert_refusals(tx.conn(), self.site, &self.id, some).await?;
        }
        counts.unsubscribed += self.block(tx, lines, rows, &refused).await?;
        Ok(Some(counts))
    }

    /// Puts those who want no mail onto the block list, but for rows that were refused. Gives for how many that changed
    /// anything.
    async fn block(
        &self,
        tx: &mut Tx,
        lines: &Lines,
        rows: Range<usize>,
        refused: &[(i64, &'static str)],
    ) -> usher_db::Result<u64> {
        let is_refused = |line: &Line<'_>| refused.iter().any(|(row, _)| u64::try_from(*row) == Ok(line.number));
        let said: Vec<_> = rows.map(|at| lines.get(at)).filter_map(|line| Some((no_mail(&line)?, line))).collect();
        let said = said.into_iter().filter(|(_, line)| !is_refused(line));
        let said: Vec<_> = said.map(|(reason, line)| (reason, Email::stored(line.email))).collect();
        if said.is_empty() {
            return Ok(0);
        }
        let words: Vec<_> = said.iter().map(|(reason, email)| no_mail_word(*reason, email)).collect();
        let became = blocklist::block(tx, &self.app.clock, self.site, &words).await?;
        Ok(became.values().filter(|became| became.change().is_some()).count() as u64)
    }

    /// The members as the rows make them, sorted by address, and the rows that were refused.
    fn fold(
        &self,
        lines: &Lines,
        rows: Range<usize>,
        rules: &Rules,
        mut found: HashMap<String, State>,
        (owners, counts): (&mut Owners, &mut Counts),
    ) -> (Vec<State>, Vec<(i64, &'static str)>) {
        let (mut states, mut refused) = (Vec::new(), Vec::new());
        counts.done += rows.len() as u64;
        for group in by_key(lines, rows) {
            let mut state = found.remove(lines.key(group.start));
            for line in group.map(|at| lines.get(at)) {
                let verdict = fold(&mut state, &line, rules, owners, || self.app.clock.id());
                counts.count(verdict);
                counts.unclear += u64::from(line.mail == Said::Unclear);
                if let Some(code) = verdict.refusal() {
                    refused.push((i64::try_from(line.number).unwrap_or(i64::MAX), code.name()));
                }
            }
            states.extend(state);
        }
        (states, refused)
    }
}

/// Why the person of a row wants no mail, if so.
fn no_mail(line: &Line<'_>) -> Option<Reason> {
    match line.mail {
        Said::Not(reason) => Some(reason),
        Said::Nothing | Said::Unclear => None,
    }
}

/// What an import says of such a person.
pub(super) fn no_mail_word(reason: Reason, email: &Email) -> Word<'_> {
    Word { email, reason, source: SOURCE, note: None, vendor_code: None, first_seen: None }
}

impl Counts {
    fn count(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Created => &mut self.created,
            Verdict::Updated => &mut self.updated,
            Verdict::Unchanged => &mut self.unchanged,
            Verdict::Deleting | Verdict::TooManyTags | Verdict::ExternalIdTaken | Verdict::TooMuchMetadata => {
                &mut self.invalid
            }
        } += 1;
    }
}

impl Verdict {
    /// Why the row is refused, if it is.
    pub(super) fn refusal(self) -> Option<Code> {
        match self {
            Self::Created | Self::Updated | Self::Unchanged => None,
            Self::Deleting => Some(Code::MemberDeleting),
            Self::TooManyTags => Some(Code::TooManyTags),
            Self::ExternalIdTaken => Some(Code::ExternalIdTaken),
            Self::TooMuchMetadata => Some(Code::TooMuchMetadata),
        }
    }
}

/// The addresses of rows, each once.
pub(super) fn keys(lines: &Lines, rows: Range<usize>) -> Vec<&str> {
    by_key(lines, rows).map(|group| lines.key(group.start)).collect()
}

/// The rows of each address.
pub(super) fn by_key(lines: &Lines, rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut from = rows.start;
    std::iter::from_fn(move || {
        let first = from;
        if first == rows.end {
            return None;
        }
        while from < rows.end && lines.key(from) == lines.key(first) {
            from += 1;
        }
        Some(first..from)
    })
}

/// What must be known of the members that are there.
#[derive(Clone, Copy)]
pub(super) struct Needs {
    groups: bool,
    bundles: bool,
}

impl Needs {
    pub(super) fn of(lines: &Lines, mut rows: Range<usize>, rules: &Rules) -> Self {
        Self {
            groups: !rules.groups.is_empty() || rows.clone().any(|at| lines.get(at).groups().next().is_some()),
            bundles: rules.bundle.is_some() || rows.any(|at| lines.get(at).bundle.is_some()),
        }
    }
}

/// Who asks the database: a transaction, or a call.
pub(super) trait Asks: Send {
    fn conn(&mut self) -> Conn<'_>;
}

impl Asks for Tx {
    fn conn(&mut self) -> Conn<'_> {
        Tx::conn(self)
    }
}

impl Asks for Cx {
    fn conn(&mut self) -> Conn<'_> {
        Cx::conn(self)
    }
}

/// Who has the external ids of rows.
pub(super) async fn owners(
    place: &mut impl Asks,
    site: SiteId,
    lines: &Lines,
    rows: Range<usize>,
) -> usher_db::Result<Owners> {
    let ids: BTreeSet<_> = rows.filter_map(|at| lines.get(at).external_id).collect();
    if ids.is_empty() {
        return Ok(Owners::new());
    }
    let ids: Value = ids.into_iter().map(str::to_owned).collect();
    Ok(store::external_ids(place.conn(), site, ids).await?.into_iter().collect())
}

/// The members that are there, by address.
pub(super) async fn states(
    place: &mut impl Asks,
    site: SiteId,
    keys: &[&str],
    needs: Needs,
) -> usher_db::Result<HashMap<String, State>> {
    let keys: Value = keys.iter().map(|key| (*key).to_owned()).collect();
    let members = store::by_emails(place.conn(), site, keys).await?;
    let ids = || members.iter().map(|member| member.id.to_string()).collect::<Value>();
    let (mut places, mut owned) = (HashMap::<String, BTreeSet<String>>::new(), HashMap::new());
    if needs.groups {
        for (member, group) in store::places_of(place.conn(), site, ids()).await? {
            places.entry(member.to_string()).or_default().insert(group);
        }
    }
    if needs.bundles {
        for (member, bundle) in store::owned_for_life(place.conn(), site, ids()).await? {
            owned.entry(member.to_string()).or_insert_with(BTreeSet::new).insert(bundle);
        }
    }
    let state = |member: Member| {
        let groups = places.remove(member.id.as_str()).unwrap_or_default();
        let bundles = owned.remove(member.id.as_str()).unwrap_or_default();
        (member.key.clone(), State { groups, bundles, ..State::found(member) })
    };
    Ok(members.into_iter().map(state).collect())
}

/// Writes the tags, places and rights that members got.
async fn give(
    tx: &mut Tx,
    site: SiteId,
    states: &[State],
    clock: &Clock,
    rules: &Rules,
    job: &JobId,
) -> usher_db::Result<()> {
    let tags: Vec<_> =
        states.iter().flat_map(|state| state.new_tags.iter().map(|tag| (&state.member.id, tag))).collect();
    if !tags.is_empty() {
        store::insert_many_tags(tx.conn(), site, &tags).await?;
    }
    let places: Vec<_> = states
        .iter()
        .flat_map(|state| state.new_groups.iter().map(|group| (&state.member.id, group.as_str())))
        .collect();
    if !places.is_empty() {
        store::insert_places(tx.conn(), site, &places, rules.now).await?;
    }
    let grants = states.iter().flat_map(|state| state.new_bundles.iter().map(|bundle| (&state.member.id, bundle)));
    let grants: Vec<(EntitlementId, _, _)> =
        grants.map(|(member, bundle)| (clock.id(), member, bundle.as_str())).collect();
    if !grants.is_empty() {
        store::grant_for_life(tx.conn(), site, &grants, job, rules.now).await?;
    }
    Ok(())
}
