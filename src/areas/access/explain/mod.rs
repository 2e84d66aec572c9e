//! Why somebody sees the paywall, and which call would change it.

mod paying;
mod traps;

use std::collections::BTreeSet;

use poem_openapi::Object;
use usher_stripe::money::{Currency, Money};

use self::{paying::Paying, traps::Trap};
use super::{
    actions::{doubted, grace},
    decide::{self, Decision, Outcome, Reason, decide},
    facts::{Doubts, Known, Wanted},
    fixes::{self, FixView},
    found::{self, Found, State, Words},
    store,
};
use crate::{
    areas::{
        billing::{self, SyncStatus, status::Linked},
        invoices::{self, Invoice, InvoiceStatus},
        members::MemberRef,
        subscriptions,
        videos::Level,
    },
    error::Result,
    gate::Cx,
    paging::LAST,
    tools::Scope,
    values::{BundleId, InvoiceId, MemberId, PlanId, SubscriptionId, Time},
};

/// What a check is about, as data: what its sentence names, for programs and other languages.
#[derive(Clone, Debug, Default, PartialEq, Object)]
#[oai(rename = "AccessCheckAbout", rename_all = "camelCase")]
pub struct CheckAbout {
    /// The subscription.
    #[oai(rename = "subscription")]
    pub subscription_id: Option<SubscriptionId>,
    /// The plans: of a subscription, all that it pays for.
    #[oai(rename = "plans")]
    pub plan_ids: Option<Vec<PlanId>>,
    /// The bundles.
    #[oai(rename = "bundles")]
    pub bundle_ids: Option<Vec<BundleId>>,
    /// The invoice that is unpaid; only for keys with `invoices:read`.
    #[oai(rename = "invoice")]
    pub invoice_id: Option<InvoiceId>,
    /// Somebody who may be the same person.
    #[oai(rename = "member")]
    pub member_id: Option<MemberId>,
    /// Stripe's id of what is known only there.
    pub external_id: Option<String>,
    /// When it begins, began, was due or happened.
    pub from: Option<Time>,
    /// When it ends, ended or renews.
    pub until: Option<Time>,
}

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
    /// What it found, with the ids of what it names in brackets.
    pub detail: String,
    /// The same as data; absent where the sentence names nothing.
    pub about: Option<CheckAbout>,
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
    /// The answer in a sentence or two, for people: with names, amounts and dates (in the site's time zone), and no ids.
    pub summary: String,
    /// The rules in the order in which they count, and the usual traps.
    pub checks: Vec<CheckView>,
    /// If refused: what would clear this refusal. First what leads to paying, then a merge with who may be the same person, a
    /// trial, last a gift with an end; what this key may not call comes after what it may.
    pub fixes: Vec<FixView>,
    /// How what is known here compares with Stripe.
    pub sync_status: SyncStatus,
}

/// A sentence, and what it is about.
struct Said {
    sentence: String,
    /// The same with its ids within; `None`: they come after it.
    detail: Option<String>,
    about: CheckAbout,
}

impl Said {
    fn new(sentence: String, about: CheckAbout) -> Self {
        Self { sentence, detail: None, about }
    }
}

/// Explains it.
pub async fn explain(cx: &mut Cx, who: &MemberRef, wanted: &Wanted, at: Time) -> Result<Explanation> {
    let (known, content, doubts) = doubted(cx, who, wanted).await?;
    let decision = decide(&known.facts(content.clone(), grace(cx)), at);
    let sync_status = sync_status(cx, &known).await?;
    let words = words(cx, &decision).await?;
    let is_refused = !decision.is_allowed();
    let may_be = |what: fn(Doubts) -> bool| is_refused && doubts.is_some_and(what);
    let may_pay = is_refused && at >= cx.now && !decision.reason.is_about_content();
    let mut traps: Vec<_> = traps::of_facts(&known, sync_status).collect();
    let (mut fixes, mut merge) = (Vec::new(), None);
    if may_be(|doubts| doubts.namesake || doubts.twin) && !decision.reason.is_about_content() {
        let twin = traps::other_address(cx, &known, &content, at).await?;
        if let Some((trap, fix)) = twin {
            traps.push(trap);
            merge = Some(fix).filter(|_| at >= cx.now);
        }
    }
    if may_be(|doubts| doubts.unlinked) && content.level == Level::Members && !decision.reason.is_about_content() {
        let (trap, fix) = traps::unlinked(cx, &known).await?;
        traps.extend(trap);
        // One for a plan that does not include it either would not clear that.
        fixes.extend(fix.filter(|_| at >= cx.now && decision.reason != Reason::PlanNotIncluded));
    }
    let mut open = None;
    if may_be(|doubts| doubts.checkout) && traps.iter().all(|trap| trap.name != traps::CHECKOUT) {
        let (site, now) = (cx.site(), cx.now);
        open = subscriptions::open_of(cx.conn(), site, &known.member.id, now).await?;
        traps.extend(open.as_ref().map(|open| traps::checkout(open, &words)));
    }
    let overdue = overdue(cx, &decision).await?;
    if may_pay {
        let paying = Paying { known: &known, content: &content, decision: &decision, open, overdue: overdue.as_ref() };
        fixes.extend(paying.fixes(cx).await?);
    }
    // What cannot be undone comes after what can.
    fixes.extend(merge);
    if is_refused {
        let bundle = decision.checks.iter().find_map(|check| check.found.bundle_to_give());
        let bundle = bundle.map(|id| (id, words.bundle(id)));
        fixes.extend(fixes::fixes(&known.member.id, wanted, bundle, decision.reason, at, cx.now));
    }
    let scopes = cx.caller.key.scopes;
    let may_call = |fix: &FixView| Scope::parse(&fix.scope).is_some_and(|scope| scopes.has(scope));
    // Stable, so that each half stays in the order of what it leads to.
    fixes.sort_by_key(|fix| !may_call(fix));
    let rules: Vec<_> = decision.checks.iter().map(|check| said(check, &words, overdue.as_ref())).collect();
    let summary = summary(&decision, &rules, &traps, (at, cx.now), &words);
    let checks = decision.checks.iter().zip(rules).map(|(check, said)| {
        let passed = matches!(check.outcome, Outcome::Open | Outcome::Lets(..));
        view(check.name, passed, check.is_decisive, said)
    });
    let traps = traps.into_iter().map(|trap| view(trap.name, false, false, trap.said));
    Ok(Explanation {
        member_id: known.member.id.clone(),
        at,
        allowed: decision.is_allowed(),
        reason: decision.reason,
        until: decision.until,
        summary,
        checks: checks.chain(traps).collect(),
        fixes,
        sync_status,
    })
}

/// What sentences need: the site's time zone, and the names of what was found.
async fn words(cx: &mut Cx, decision: &Decision) -> Result<Words> {
    let zone = cx.caller.site.settings.time_zone;
    let unnamed: BTreeSet<String> = decision.checks.iter().flat_map(|check| check.found.unnamed()).collect();
    if unnamed.is_empty() {
        return Ok(Words { zone, ..Words::default() });
    }
    let site = cx.site();
    let names = store::names(cx.conn(), site, unnamed.into_iter().collect()).await?.into_iter().collect();
    Ok(Words { zone, names })
}

/// The invoice that the decision is about, if it is one that is unpaid and this key may read invoices.
async fn overdue(cx: &mut Cx, decision: &Decision) -> Result<Option<Invoice>> {
    let found = decision.checks.iter().filter(|check| check.is_decisive).find_map(|check| match &check.found {
        Found::Subscription(
            id,
            _,
            State::PastDue(..) | State::Grace(..) | State::GraceBeside(..) | State::FirstPaymentOpen,
        ) => Some(id.clone()),
        _ => None,
    });
    let may_read = cx.caller.key.scopes.has(Scope::InvoicesRead);
    let Some(subscription) = found.filter(|_| may_read) else { return Ok(None) };
    let filter = invoices::store::Filter {
        subscription: Some(subscription),
        status: Some(InvoiceStatus::Open),
        ..invoices::store::Filter::default()
    };
    let site = cx.site();
    // The oldest of the last few, as that was due first.
    Ok(invoices::store::list(cx.conn(), site, &filter, LAST, 20).await?.pop())
}

fn view(name: &str, passed: bool, decisive: bool, said: Said) -> CheckView {
    let Said { sentence, detail, about } = said;
    let ids = about.ids().join(", ");
    let detail = detail.unwrap_or_else(|| match ids.as_str() {
        "" => sentence,
        ids => format!("{} ({ids}).", sentence.trim_end_matches('.')),
    });
    CheckView {
        name: name.into(),
        passed,
        decisive,
        detail,
        about: Some(about).filter(|about| *about != CheckAbout::default()),
    }
}

impl CheckAbout {
    fn ids(&self) -> Vec<String> {
        let plans = self.plan_ids.iter().flatten().map(ToString::to_string);
        let bundles = self.bundle_ids.iter().flatten().map(ToString::to_string);
        let one = [
            self.subscription_id.as_ref().map(ToString::to_string),
            self.invoice_id.as_ref().map(ToString::to_string),
            self.member_id.as_ref().map(ToString::to_string),
            self.external_id.clone(),
        ];
        one.into_iter().flatten().chain(plans).chain(bundles).collect()
    }

    fn of(found: &Found) -> Self {
        let bundle = |id: &BundleId| Some(vec![id.clone()]);
        match found {
            Found::ShownFrom(from) | Found::GivenFrom(_, from) => Self { from: Some(*from), ..Self::default() },
            Found::ShownUntil(until) | Found::GivenUntil(_, until) => Self { until: Some(*until), ..Self::default() },
            Found::Given(_, until) => Self { until: *until, ..Self::default() },
            Found::OwnsNone(bundles) => Self { bundle_ids: Some(bundles.clone()), ..Self::default() },
            Found::BundleRevoked(id, at) => Self { bundle_ids: bundle(id), from: Some(*at), ..Self::default() },
            Found::OwnedUntil(id, until) => Self { bundle_ids: bundle(id), until: Some(*until), ..Self::default() },
            Found::Owns(id, until) => Self { bundle_ids: bundle(id), until: *until, ..Self::default() },
            Found::Subscription(id, plans, state) => {
                let (from, until) = state.moments();
                let plan_ids = Some(plans.iter().map(|plan| plan.id.clone()).collect());
                Self { subscription_id: Some(id.clone()), plan_ids, from, until, ..Self::default() }
            }
            Found::Published
            | Found::Hidden
            | Found::Unpublished
            | Found::ShownNow
            | Found::Level(_)
            | Found::NotGiven(_)
            | Found::NoSubscription
            | Found::NoBundle => Self::default(),
        }
    }
}

/// What a rule found, in words; of an overdue payment with the invoice, where that is known and may be told.
fn said(check: &decide::Check, words: &Words, overdue: Option<&Invoice>) -> Said {
    let about = CheckAbout::of(&check.found);
    let sentence = check.found.sentence(words);
    match (&check.found, overdue) {
        (
            Found::Subscription(_, plans, State::PastDue(due, _) | State::Grace(due, _) | State::GraceBeside(due, ..)),
            Some(invoice),
        ) if check.is_decisive => {
            let (number, amount) = bill(invoice);
            let rest = sentence.split_once(". ").map_or("", |(_, rest)| rest);
            let name = found::names(plans);
            let day = words.zone.day(*due);
            let sentence = format!("{name}: invoice{number} over {amount} was due on {day} and is unpaid. {rest}");
            Said::new(sentence, CheckAbout { invoice_id: Some(invoice.id.clone()), ..about })
        }
        (Found::Subscription(_, plans, State::FirstPaymentOpen), Some(invoice)) if check.is_decisive => {
            let (number, amount) = bill(invoice);
            let name = found::names(plans);
            let sentence =
                format!("The first payment for {name} is not completed yet: invoice{number} over {amount} is open.");
            Said::new(sentence, CheckAbout { invoice_id: Some(invoice.id.clone()), ..about })
        }
        _ => Said::new(sentence, about),
    }
}

/// The number of an invoice, with a blank before it, and what is to be paid.
fn bill(invoice: &Invoice) -> (String, String) {
    let number = invoice.number.as_deref().map_or_else(String::new, |number| format!(" {number}"));
    let amount = Currency::parse(&invoice.currency)
        .map(|currency| Money { amount: invoice.amount_due, currency }.to_string())
        .unwrap_or_else(|_| format!("{} {}", invoice.amount_due, invoice.currency));
    (number, amount)
}

/// What the decisive rule found, which says more than the reason does, unless no rule found anything; and the traps.
fn summary(decision: &Decision, rules: &[Said], traps: &[Trap], (at, now): (Time, Time), words: &Words) -> String {
    let word = if decision.is_allowed() { "Allowed" } else { "Refused" };
    let found = decision.checks.iter().zip(rules).find(|(check, _)| check.is_decisive);
    let found = found.filter(|_| decision.reason != Reason::NoSubscription).map(|(_, said)| said.sentence.as_str());
    // Where there was nothing yet, what came later says more than that there was nothing.
    let later = decision.checks.iter().zip(rules).find_map(|(check, said)| match (&check.found, check.outcome) {
        (Found::GivenFrom(gift, from), _) => {
            let begins = if *from <= now { "began" } else { "begins" };
            let day = |time: Time| words.zone.day(time);
            let had = if at < now { "had" } else { "has" };
            let what = gift.text();
            Some(format!("On {} the member {had} nothing yet; {what} {begins} on {}.", day(at), day(*from)))
        }
        (Found::Subscription(..), Outcome::Nothing) => Some(said.sentence.clone()),
        _ => None,
    });
    let later = later.filter(|_| decision.reason == Reason::NoSubscription);
    let why = later.as_deref().or(found).unwrap_or(decision.reason.about());
    // Of a first payment that is open the rule itself says it.
    let is_said = |trap: &&Trap| trap.name == traps::CHECKOUT && decision.reason == Reason::SubscriptionIncomplete;
    let traps = traps.iter().filter(|trap| !is_said(trap)).map(|trap| trap.said.sentence.as_str());
    std::iter::once(why).chain(traps).fold(format!("{word}:"), |text, part| text + " " + part)
}

async fn sync_status(cx: &mut Cx, known: &Known) -> Result<SyncStatus> {
    let (site, now) = (cx.site(), cx.now);
    let linked = known.subscriptions.iter().filter(|one| one.is_linked);
    let linked: Vec<_> = linked.map(|one| Linked::of(one.synced_at, one.period_end, one.status, now)).collect();
    Ok(billing::status::of_member(cx.conn(), (site, &known.member.id), &linked, now).await?)
}
