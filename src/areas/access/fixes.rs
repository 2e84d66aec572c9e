//! Calls that clear a refusal.

use std::time::Duration;

use poem_openapi::{Object, types::Any};
use serde_json::{Value, json};

use super::{actions::DAY, decide::Reason, facts::Wanted};
use crate::{
    tools::Scope,
    values::{BundleId, MemberId, Time},
};

/// Days of a trial that is proposed.
const TRIAL_DAYS: u64 = 7;

/// How long a gift lasts that is proposed: long enough for whoever asks to mend what is behind it.
const GIFT_DAYS: u64 = 30;
const GIFT: Duration = Duration::from_secs(GIFT_DAYS * 86_400);

/// The longest trial: 365 days.
pub(super) const LONGEST_TRIAL: Duration = Duration::from_secs(365 * 86_400);

/// A call that clears the refusal; another reason to refuse may remain.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename = "AccessFix", rename_all = "camelCase")]
pub struct FixView {
    /// The tool.
    pub tool: String,
    /// Its arguments, complete.
    pub args: Any<Value>,
    /// The scope it needs.
    pub scope: String,
    /// What it does.
    pub summary: String,
    /// A page to send to the member, who pays there; the call then only shows what it is about.
    pub url: Option<String>,
}

impl FixView {
    pub(super) fn new(tool: &str, args: Value, scope: Scope, summary: impl Into<String>) -> Self {
        Self { tool: tool.into(), args: Any(args), scope: scope.name().into(), summary: summary.into(), url: None }
    }
}

/// The calls of which each clears a refusal by itself, without anybody paying: a trial before a gift, which has an end.
pub(super) fn fixes(
    member: &MemberId,
    wanted: &Wanted,
    bundle: Option<(&BundleId, String)>,
    reason: Reason,
    at: Time,
    now: Time,
) -> Vec<FixView> {
    let who = json!({ "id": member });
    let end = at.max(now) + GIFT;
    match (reason, wanted, bundle) {
        (Reason::ContentHidden | Reason::ContentUnpublished | Reason::ContentScheduled, Wanted::Video(video), _) => {
            let args = json!({ "video": video, "visibility": "published" });
            vec![FixView::new(
                "videos.setVisibility",
                args,
                Scope::VideosManage,
                "Shows the video now to everyone it is for; a schedule is lost.",
            )]
        }
        (Reason::BundleRequired, Wanted::Video(video), None) => {
            let args = json!({ "video": video, "level": "members" });
            let summary = "Opens the video, which no bundle holds, to all members that have access.";
            vec![FixView::new("videos.setAccess", args, Scope::VideosManage, summary)]
        }
        // What is given now does not change what was.
        _ if at < now => Vec::new(),
        (Reason::BundleRequired | Reason::BundleExpired | Reason::BundleRevoked, _, Some((bundle, name))) => {
            let args = json!({ "member": who, "bundle": bundle, "expiresAt": end });
            let summary = format!("Gives the member {name} for {GIFT_DAYS} days.");
            vec![FixView::new("access.grantBundle", args, Scope::AccessGrant, summary)]
        }
        (
            Reason::ContentHidden
            | Reason::ContentUnpublished
            | Reason::ContentScheduled
            | Reason::BundleRequired
            | Reason::BundleExpired
            | Reason::BundleRevoked,
            ..,
        ) => Vec::new(),
        _ => {
            let mut fixes = Vec::new();
            let n_days = at.since(now).as_secs().div_ceil(DAY.as_secs()) + TRIAL_DAYS;
            let trial = Duration::from_secs(n_days * DAY.as_secs());
            if trial < LONGEST_TRIAL {
                let summary = format!("Gives the member a trial of {n_days} days.");
                let args = json!({ "member": who, "expiresAt": now + trial });
                fixes.push(FixView::new("access.setTrial", args, Scope::AccessGrant, summary));
            }
            let summary = format!("Gives the member free access for {GIFT_DAYS} days; billing is not touched.");
            let args = json!({ "member": who, "expiresAt": end });
            fixes.push(FixView::new("access.grantFree", args, Scope::AccessGrant, summary));
            fixes
        }
    }
}

/// The call that makes one of two members who are the same person; the one that was asked about keeps its address.
pub(super) fn merge((member, email): (&MemberId, &str), (twin, other): (&MemberId, &str)) -> FixView {
    let summary =
        format!("Merges the two, if they are the same person: {email} keeps its address and gets what the other has.");
    let args =
        json!({ "winner": { "id": member, "expectEmail": email }, "loser": { "id": twin, "expectEmail": other } });
    FixView::new("members.merge", args, Scope::MembersManage, summary)
}

/// The call that links a subscription at Stripe which is paid with the member's address.
pub(super) fn link(member: &MemberId, external: &str) -> FixView {
    let summary = "Links what is paid at Stripe with this address to the member.";
    let args = json!({ "member": { "id": member }, "externalId": external });
    FixView::new("subscriptions.link", args, Scope::SubscriptionsManage, summary)
}
