//! Why somebody sees the paywall, and which call would change it.

use std::collections::BTreeSet;

use poem_openapi::Object;
use usher_stripe::{
    Url,
    money::{Currency, Money},
};

use super::{
    actions::{doubted, grace},
    decide::{self, Decision, Outcome, Reason, decide},
    facts::{Content, Doubts, Known, SubscriptionStatus, Wanted},
    fixes::{self, FixView},
    found::{self, Found, State, Words},
    store::{self, Alike},
};
use crate::{
    areas::{
        billing::{self, SyncStatus, status::Linked},
        invoices::{self, Invoice, InvoiceStatus},
        members::MemberRef,
        subscriptions::{self, OpenCheckout},
        videos::Level,
    },
    error::Result,
    gate::Cx,
    paging::LAST,
    tools::Scope,
    values::{BundleId, InvoiceId, MemberId, PlanId, SubscriptionId, Time},
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
    /// If refused: what would clear this refusal. First what leads to paying, then a trial, last a gift with an end; what
    /// this key may not call comes after what it may.
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

/// Something besides the rules that a refusal may come of.
struct Trap {
    name: &'static str,
    said: Said,
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
    let mut traps: Vec<_> = traps(&known, sync_status).collect();
    let mut fixes = Vec::new();
    if may_be(|doubts| doubts.namesake || doubts.twin) && !decision.reason.is_about_content() {
        let twin = other_address(cx, &known, &content, at).await?;
        fixes.extend(twin.as_ref().filter(|_| at >= cx.now).map(|(_, fix)| fix.clone()));
        traps.extend(twin.map(|(trap, _)| trap));
    }
    if may_be(|doubts| doubts.unlinked) && content.level == Level::Members && !decision.reason.is_about_content() {
        let (trap, fix) = unlinked(cx, &known).await?;
        traps.extend(trap);
        // One for a plan that does not include it either would not clear that.
        fixes.extend(fix.filter(|_| at >= cx.now && decision.reason != Reason::PlanNotIncluded));
    }
    let mut open = None;
    if may_be(|doubts| doubts.checkout) && traps.iter().all(|trap| trap.name != CHECKOUT) {
        let (site, now) = (cx.site(), cx.now);
        open = subscriptions::open_of(cx.conn(), site, &known.member.id, now).await?;
        traps.extend(open.as_ref().map(|open| checkout(open, &words)));
    }
    let overdue = overdue(cx, &decision).await?;
    if may_pay {
        let paying = Paying { known: &known, content: &content, decision: &decision, open, overdue: overdue.as_ref() };
        fixes.extend(paying.fixes(cx).await?);
    }
    if is_refused {
        fixes.extend(fixes::fixes(&known.member.id, wanted, &content, decision.reason, at, cx.now));
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
        Found::Subscription(id, _, State::PastDue(..) | State::Grace(..) | State::GraceBeside(..)) => Some(id.clone()),
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
            let number = invoice.number.as_deref().map_or_else(String::new, |number| format!(" {number}"));
            let amount = Currency::parse(&invoice.currency)
                .map(|currency| Money { amount: invoice.amount_due, currency }.to_string())
                .unwrap_or_else(|_| format!("{} {}", invoice.amount_due, invoice.currency));
            let rest = sentence.split_once(". ").map_or("", |(_, rest)| rest);
            let name = found::names(plans);
            let day = words.zone.day(*due);
            let sentence = format!("{name}: invoice{number} over {amount} was due on {day} and is unpaid. {rest}");
            Said::new(sentence, CheckAbout { invoice_id: Some(invoice.id.clone()), ..about })
        }
        _ => Said::new(sentence, about),
    }
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
    let traps = traps.iter().map(|trap| trap.said.sentence.as_str());
    std::iter::once(why).chain(traps).fold(format!("{word}:"), |text, part| text + " " + part)
}

/// What leads a member who is refused to paying.
struct Paying<'a> {
    known: &'a Known,
    content: &'a Content,
    decision: &'a Decision,
    open: Option<OpenCheckout>,
    overdue: Option<&'a Invoice>,
}

impl Paying<'_> {
    async fn fixes(&self, cx: &mut Cx) -> Result<Vec<FixView>> {
        let mut fixes = Vec::new();
        let reason = self.decision.reason;
        let found = self.decision.checks.iter().find(|check| check.is_decisive).map(|check| &check.found);
        if let (Some(invoice), Some(Found::Subscription(_, plans, _))) = (self.overdue, found) {
            fixes.push(fixes::pay(invoice, &found::names(plans)));
        }
        if let Some(Found::Subscription(_, plans, State::OpensNothing)) = found {
            fixes.extend(plans.first().map(|plan| fixes::say_what_opens(plan, self.content)));
        }
        if self.content.level != Level::Members {
            return Ok(fixes);
        }
        let may_write = billing::job::can_write(cx).await?;
        if reason == Reason::SubscriptionPaused {
            fixes.extend(fixes::resume(self.known, may_write));
        }
        if let Some(Found::Subscription(id, plans, state)) = found
            && may_write
        {
            let known = self.known.subscriptions.iter().find(|one| one.id == *id && one.is_linked);
            let back = cx.caller.site.settings.login_url.as_deref().and_then(home);
            match (state, known, back) {
                (State::PastDue(..) | State::TrialWithoutCard(_), Some(_), Some(back)) => {
                    fixes.push(fixes::give_card(&self.known.member.id, &found::names(plans), &back));
                }
                (State::NotIncluded(_), Some(one), _) if one.plans.len() == 1 && one.cancel_at.is_none() => {
                    let site = cx.site();
                    let plan = store::plan_on_sale(cx.conn(), site, self.content, None).await?;
                    fixes.extend(plan.map(|(plan, name)| fixes::change_plan(id, (&plan, &name))));
                }
                _ => {}
            }
        }
        let is_new = matches!(
            reason,
            Reason::NoSubscription
                | Reason::SubscriptionEnded
                | Reason::SubscriptionIncomplete
                | Reason::FreeAccessExpired
                | Reason::TrialEnded
        );
        if is_new && may_write {
            fixes.extend(self.buy(cx).await?);
        }
        Ok(fixes)
    }

    /// The open page of a checkout, or the call that makes one: of the plan that the member had, else of one on sale.
    async fn buy(&self, cx: &mut Cx) -> Result<Option<FixView>> {
        let member = &self.known.member.id;
        let back = cx.caller.site.settings.login_url.as_deref().and_then(home);
        let (site, had) = (cx.site(), self.known.subscriptions.iter().max_by_key(|one| one.started_at));
        let had = had.and_then(|one| one.plans.first()).map(|plan| plan.id.clone());
        let plan = match &self.open {
            Some(open) => Some((open.plan_id.clone(), open.plan_name.clone())),
            None => store::plan_on_sale(cx.conn(), site, self.content, had.as_ref()).await?,
        };
        let url = self.open.as_ref().and_then(|open| open.url.clone());
        let Some((plan, name)) = plan else { return Ok(None) };
        Ok(match (url, back) {
            (Some(url), _) => Some(fixes::paid_at(member, &name, url)),
            (None, Some(back)) => Some(fixes::buy(member, (&plan, &name), &back)),
            (None, None) => None,
        })
    }
}

/// The address of a site's pages.
fn home(address: &str) -> Option<String> {
    Some(Url::parse(address).ok()?.join("/").ok()?.to_string())
}

/// A checkout that nobody has completed.
fn checkout(open: &OpenCheckout, words: &Words) -> Trap {
    let day = |time: Time| words.zone.day(time);
    let end = open.expires_at.map_or_else(String::new, |end| format!("; it expires on {}", day(end)));
    let sentence =
        format!("A checkout for {} was opened on {} and not paid{end}.", open.plan_name, day(open.created_at));
    let about = CheckAbout {
        plan_ids: Some(vec![open.plan_id.clone()]),
        from: Some(open.created_at),
        until: open.expires_at,
        ..CheckAbout::default()
    };
    Trap { name: CHECKOUT, said: Said::new(sentence, about) }
}

async fn sync_status(cx: &mut Cx, known: &Known) -> Result<SyncStatus> {
    let (site, now) = (cx.site(), cx.now);
    let linked = known.subscriptions.iter().filter(|one| one.is_linked);
    let linked: Vec<_> = linked.map(|one| Linked::of(one.synced_at, one.period_end, one.status, now)).collect();
    Ok(billing::status::of_member(cx.conn(), (site, &known.member.id), &linked, now).await?)
}

/// The usual traps that the member's own facts show.
fn traps(known: &Known, sync_status: SyncStatus) -> impl Iterator<Item = Trap> {
    let open = known.subscriptions.iter().find(|one| one.status == SubscriptionStatus::Incomplete).map(|one| {
        let sentence = format!("The first payment for {} is still open.", found::names(&one.plans));
        let about = CheckAbout { subscription_id: Some(one.id.clone()), ..CheckAbout::default() };
        Trap { name: CHECKOUT, said: Said::new(sentence, about) }
    });
    let sync = match sync_status {
        SyncStatus::Stale => {
            Some("Stripe was not asked for long, or cannot be any more, so a payment may not be known.")
        }
        SyncStatus::Drifted => Some("Stripe says something else than what is known here, which is being read anew."),
        SyncStatus::Failing => Some("Stripe cannot be asked, so a payment may not be known: see members.syncStatus."),
        SyncStatus::Synced | SyncStatus::NotLinked => None,
    };
    let sync = sync.map(|text| Said::new(text.into(), CheckAbout::default()));
    open.into_iter().chain(sync.map(|said| Trap { name: "sync", said }))
}

/// A subscription that is paid with the member's address and linked to nobody, and the call that links it.
async fn unlinked(cx: &mut Cx, known: &Known) -> Result<(Option<Trap>, Option<FixView>)> {
    let site = cx.site();
    let strays = billing::strays_of(cx.conn(), site, &known.member.email_key()).await?;
    let Some((id, _, status)) = strays.into_iter().next() else { return Ok((None, None)) };
    let lets = matches!(status.as_str(), "active" | "trialing");
    let fix = lets.then(|| fixes::link(&known.member.id, &id));
    let what = match id.starts_with("cs_") {
        true => "a sale that was paid once".to_owned(),
        false => format!("a subscription that is {status}"),
    };
    let sentence = format!("Stripe has {what} with this address; nothing says whose it is.");
    let about = CheckAbout { external_id: Some(id), ..CheckAbout::default() };
    Ok((Some(Trap { name: UNLINKED, said: Said::new(sentence, about) }), fix))
}

/// Somebody who may be the same person, and may see it.
async fn other_address(cx: &mut Cx, known: &Known, content: &Content, at: Time) -> Result<Option<(Trap, FixView)>> {
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
        let sentence = |who: &str| format!("{who} {what} and may see it: perhaps the same person.");
        let (email, id) = (&other.member.email, &other.member.id);
        let about = CheckAbout { member_id: Some(id.clone()), ..CheckAbout::default() };
        let said = Said { sentence: sentence(email), detail: Some(sentence(&format!("{email} ({id})"))), about };
        (
            Trap { name: "other_address", said },
            fixes::merge((&member.id, &member.email), (&other.member.id, &other.member.email)),
        )
    }))
}
