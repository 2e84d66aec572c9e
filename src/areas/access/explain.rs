//! Why somebody sees the paywall, and which call would change it.

use poem_openapi::Object;

use super::{
    actions::{doubted, grace},
    decide::{self, Decision, Outcome, Reason, decide},
    facts::{Content, Doubts, Known, SubscriptionStatus, Wanted},
    fixes::{self, FixView},
    naming,
    store::{self, Alike},
};
use crate::{
    areas::{
        billing::{self, SyncStatus, status::Linked},
        members::MemberRef,
        subscriptions,
        videos::Level,
    },
    error::Result,
    gate::Cx,
    values::{MemberId, Time},
};

/// Members that are looked at for one who paid under another address.
const ALIKE: u32 = 5;

/// Members of the same name among whom one with a bundle is looked for.
const NAMESAKES: u32 = 200;

/// What no stored name is.
const NO_NAME: &str = "\u{1}";

/// The trap of a checkout that nobody has completed.
const CHECKOUT: &str = "checkout";

/// The trap of a subscription at Stripe that nobody is known for.
const UNLINKED: &str = "unlinked_subscription";

/// What one rule found.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename = "AccessCheck", rename_all = "camelCase")]
pub struct CheckView {
    /// The rule: `visibility`, `level`, `free_access`, `trial`, `subscription` or `bundle`; or one of the usual traps:
    /// `checkout`, `sync`, `other_address`, `unlinked_subscription`.
    pub name: String,
    /// Whether it lets in, or stands in nobody's way.
    pub passed: bool,
    /// Whether the decision is this rule's.
    pub decisive: bool,
    /// What it found.
    pub detail: String,
}

/// Why a member may or may not see something.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename = "PaywallExplanation", rename_all = "camelCase")]
pub struct Explanation {
    /// The member.
    #[oai(rename = "member")]
    pub member_id: MemberId,
    /// The moment that is explained.
    pub at: Time,
    /// Whether the member may see it.
    pub allowed: bool,
    /// Why.
    pub reason: Reason,
    /// If allowed: when it ends, as far as is known now; absent if no end is in sight.
    pub until: Option<Time>,
    /// The answer in a sentence or two.
    pub summary: String,
    /// The rules in the order in which they count, and the usual traps.
    pub checks: Vec<CheckView>,
    /// If refused: calls of which each would clear this refusal.
    pub fixes: Vec<FixView>,
    /// How what is known here compares with Stripe.
    pub sync_status: SyncStatus,
}

/// Explains it.
pub async fn explain(cx: &mut Cx, who: &MemberRef, wanted: &Wanted, at: Time) -> Result<Explanation> {
    let (known, content, doubts) = doubted(cx, who, wanted).await?;
    let decision = decide(&known.facts(content.clone(), grace(cx)), at);
    let sync_status = sync_status(cx, &known).await?;
    let mut traps = traps(&known, sync_status);
    let mut twin = None;
    let may_be = |what: fn(Doubts) -> bool| !decision.is_allowed() && doubts.is_some_and(what);
    if may_be(|doubts| doubts.checkout) && traps.iter().all(|trap| trap.name != CHECKOUT) {
        let (site, now) = (cx.site(), cx.now);
        let open = subscriptions::open_of(cx.conn(), site, &known.member.id, now).await?;
        traps
            .extend(open.map(|(id, plan)| trap(CHECKOUT, format!("A checkout was left open: {id}, for plan {plan}."))));
    }
    if may_be(|doubts| doubts.namesake || doubts.twin) && !decision.reason.is_about_content() {
        twin = other_address(cx, &known, &content, at).await?;
        traps.extend(twin.as_ref().map(|(trap, _)| trap.clone()));
    }
    let mut fixes = match decision.is_allowed() {
        true => Vec::new(),
        false => fixes::fixes(&known.member.id, wanted, &content, decision.reason, at, cx.now),
    };
    if decision.reason == Reason::SubscriptionPaused && at >= cx.now {
        let may_write = billing::job::can_write(cx).await?;
        fixes.splice(0..0, fixes::resume(&known, may_write));
    }
    if may_be(|doubts| doubts.unlinked) && content.level == Level::Members && !decision.reason.is_about_content() {
        let (trap, fix) = unlinked(cx, &known).await?;
        traps.extend(trap);
        // One for a plan that does not include it either would not clear that.
        fixes.splice(0..0, fix.filter(|_| at >= cx.now && decision.reason != Reason::PlanNotIncluded));
    }
    // Before anything is given: whoever has paid already needs no gift.
    fixes.splice(0..0, twin.map(|(_, fix)| fix).filter(|_| at >= cx.now));
    let n_rules = decision.checks.len();
    let mut checks: Vec<_> = decision.checks.iter().map(view).chain(traps).collect();
    naming::name(cx, &mut checks, &mut fixes).await?;
    Ok(Explanation {
        member_id: known.member.id,
        at,
        allowed: decision.is_allowed(),
        reason: decision.reason,
        until: decision.until,
        summary: summary(&decision, &checks[..n_rules], &checks[n_rules..]),
        checks,
        fixes,
        sync_status,
    })
}

fn view(check: &decide::Check) -> CheckView {
    CheckView {
        name: check.name.into(),
        passed: matches!(check.outcome, Outcome::Open | Outcome::Lets(..)),
        decisive: check.is_decisive,
        detail: check.detail.clone(),
    }
}

/// What the decisive rule found, which says more than the reason does, unless no rule found anything; and the traps.
fn summary(decision: &Decision, rules: &[CheckView], traps: &[CheckView]) -> String {
    let word = if decision.is_allowed() { "Allowed" } else { "Refused" };
    let found = decision.checks.iter().zip(rules).find(|(check, _)| check.is_decisive);
    let found = found.filter(|_| decision.reason != Reason::NoSubscription).map(|(_, rule)| rule.detail.as_str());
    let why = found.unwrap_or(decision.reason.about());
    let traps = traps.iter().map(|trap| trap.detail.as_str());
    std::iter::once(why).chain(traps).fold(format!("{word}:"), |text, part| text + " " + part)
}

async fn sync_status(cx: &mut Cx, known: &Known) -> Result<SyncStatus> {
    let (site, now) = (cx.site(), cx.now);
    let linked = known.subscriptions.iter().filter(|one| one.is_linked);
    let linked: Vec<_> = linked.map(|one| Linked::of(one.synced_at, one.period_end, one.status, now)).collect();
    Ok(billing::status::of_member(cx.conn(), (site, &known.member.id), &linked, now).await?)
}

/// The usual traps that the member's own facts show.
fn traps(known: &Known, sync_status: SyncStatus) -> Vec<CheckView> {
    let open = known.subscriptions.iter().find(|one| one.status == SubscriptionStatus::Incomplete);
    let open = open.map(|one| trap(CHECKOUT, format!("A checkout was left open: {} waits for its payment.", one.id)));
    let sync = match sync_status {
        SyncStatus::Stale => {
            Some("Stripe was not asked for long, or cannot be any more, so a payment may not be known.")
        }
        SyncStatus::Drifted => Some("Stripe says something else than what is known here, which is being read anew."),
        SyncStatus::Failing => Some("Stripe cannot be asked, so a payment may not be known: see members.syncStatus."),
        SyncStatus::Synced | SyncStatus::NotLinked => None,
    };
    open.into_iter().chain(sync.map(|text| trap("sync", text.into()))).collect()
}

/// A subscription that is paid with the member's address and linked to nobody, and the call that links it.
async fn unlinked(cx: &mut Cx, known: &Known) -> Result<(Option<CheckView>, Option<FixView>)> {
    let site = cx.site();
    let strays = billing::strays_of(cx.conn(), site, &known.member.email_key()).await?;
    let Some((id, _, status)) = strays.into_iter().next() else { return Ok((None, None)) };
    let lets = matches!(status.as_str(), "active" | "trialing");
    let fix = lets.then(|| fixes::resync(&known.member.id, &id));
    let detail = format!("Stripe has {id}, which is {status} and paid with this address; nothing says whose it is.");
    Ok((Some(trap(UNLINKED, detail)), fix))
}

fn trap(name: &str, detail: String) -> CheckView {
    CheckView { name: name.into(), passed: false, decisive: false, detail }
}

/// Somebody who may be the same person, and may see it.
async fn other_address(
    cx: &mut Cx,
    known: &Known,
    content: &Content,
    at: Time,
) -> Result<Option<(CheckView, FixView)>> {
    let (site, grace, member) = (cx.site(), grace(cx), &known.member);
    let name = Some(member.name_key()).filter(|key| !key.is_empty()).unwrap_or_else(|| NO_NAME.into());
    let address = member.twin_key().unwrap_or_else(|| member.email_key());
    let own = member.email_key();
    let like = Alike { member: &member.id, name: &name, address: &address, own: &own };
    let others = match content.level {
        Level::Bundle if content.bundles.is_empty() => Vec::new(),
        Level::Bundle => {
            let bundles = content.bundles.iter().map(|id| Some(id.to_string())).collect();
            store::alike_with_bundles(cx.conn(), site, &like, bundles, NAMESAKES, ALIKE).await?
        }
        Level::Free | Level::Members => store::alike(cx.conn(), site, &like, ALIKE).await?,
    };
    let may_see = |other: &&Known| decide(&other.facts(content.clone(), grace), at).is_allowed();
    Ok(others.iter().find(may_see).map(|other| {
        let twin = other.member.twin_key().unwrap_or_else(|| other.member.email_key());
        let what = if other.member.name_key() == name {
            "has the same name"
        } else if twin == address {
            "has nearly the same address"
        } else {
            "pays at Stripe with this member's address"
        };
        let detail =
            format!("{} ({}) {what} and may see it: perhaps the same person.", other.member.email, other.member.id);
        (
            trap("other_address", detail),
            fixes::merge((&member.id, &member.email), (&other.member.id, &other.member.email)),
        )
    }))
}
