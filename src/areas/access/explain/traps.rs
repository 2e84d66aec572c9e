//! What a refusal may come of besides the rules: a checkout left open, Stripe not heard, somebody's second address.

use super::{CheckAbout, Said};
use crate::{
    areas::{
        access::{
            actions::grace,
            decide::decide,
            facts::{Content, Known, SubscriptionStatus},
            fixes::{self, FixView},
            found::{self, Words},
            store::{self, Alike},
        },
        billing::{self, SyncStatus},
        subscriptions::OpenCheckout,
        videos::Level,
    },
    error::Result,
    gate::Cx,
    values::Time,
};

/// Members that are looked at for one who paid under another address.
const ALIKE: u32 = 5;

/// Members of the same name among whom one with a bundle is looked for.
const NAMESAKES: u32 = 200;

/// What no stored name is.
const NO_NAME: &str = "\u{1}";

/// The trap of a checkout that nobody has completed.
pub(super) const CHECKOUT: &str = "checkout";

/// The trap of a subscription at Stripe that nobody is known for.
const UNLINKED: &str = "unlinked_subscription";

/// Something besides the rules that a refusal may come of.
pub(super) struct Trap {
    pub name: &'static str,
    pub said: Said,
}

/// A checkout that nobody has completed.
pub(super) fn checkout(open: &OpenCheckout, words: &Words) -> Trap {
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

/// The usual traps that the member's own facts show.
pub(super) fn of_facts(known: &Known, sync_status: SyncStatus) -> impl Iterator<Item = Trap> {
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
pub(super) async fn unlinked(cx: &mut Cx, known: &Known) -> Result<(Option<Trap>, Option<FixView>)> {
    let site = cx.site();
    let strays = billing::strays_of(cx.conn(), site, &known.member.email_key()).await?;
    let Some((id, _, status)) = strays.into_iter().next() else { return Ok((None, None)) };
    let lets = matches!(status.as_str(), "active" | "trialing");
    let fix = lets.then(|| fixes::link(&known.member.id, &id));
    let sentence = match id.starts_with("cs_") {
        true => "Something was bought once at Stripe with this address; nothing says whose it is.".to_owned(),
        false => format!("Stripe has a subscription with this address ({status}); nothing says whose it is."),
    };
    let about = CheckAbout { external_id: Some(id), ..CheckAbout::default() };
    Ok((Some(Trap { name: UNLINKED, said: Said::new(sentence, about) }), fix))
}

/// Somebody who may be the same person, and may see it.
pub(super) async fn other_address(
    cx: &mut Cx,
    known: &Known,
    content: &Content,
    at: Time,
) -> Result<Option<(Trap, FixView)>> {
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
