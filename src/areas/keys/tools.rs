use poem_openapi::Object;

use crate::{
    error::Result,
    gate::{Bucket, Cx},
    tools::{Access, Area, Kind, Tool, tools},
    values::{KeyId, Time},
};

/// The tools of keys.
pub const AREA: Area = Area { name: "keys", about: "The key that is calling.", tools: tools![WhoAmI] };

/// What a key may call in a time.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct Budget {
    /// `reads`, `writes`, `calls` (all together) or `generations`.
    name: String,
    /// Calls allowed.
    quota: u32,
    /// In how many seconds; a day is from midnight to midnight UTC.
    window_seconds: u32,
}

/// The key that is calling.
#[derive(Object)]
#[oai(rename = "Key", rename_all = "camelCase")]
pub struct KeyView {
    /// The key's id.
    id: KeyId,
    /// What its owner calls it.
    name: String,
    /// What it may do.
    scopes: Vec<String>,
    /// When it stops working; absent: never.
    expires_at: Option<Time>,
    /// When it was made.
    created_at: Time,
}

/// A site, as its keys see it.
#[derive(Object)]
#[oai(rename = "Site")]
pub struct SiteView {
    /// The site's name.
    name: String,
    /// The site's own host name, if it has one.
    domain: Option<String>,
    /// Whether the site is live; on a test site nothing reaches real people or money.
    live: bool,
}

/// The key that is calling, its site and its budgets.
#[derive(Object)]
pub struct Identity {
    /// The key.
    key: KeyView,
    /// The site that the key is locked to.
    site: SiteView,
    /// What the key may call.
    budgets: Vec<Budget>,
}

/// Who am I
///
/// The key that is calling: its name, scopes, expiry and budgets, and the site that it is locked to. Any key may ask.
#[derive(Object)]
pub struct WhoAmI {}

impl Tool for WhoAmI {
    const NAME: &'static str = "keys.whoami";
    const ACCESS: Access = Access::any_key(Kind::Read);
    type Output = Identity;

    async fn run(self, cx: &mut Cx) -> Result<Identity> {
        let (key, site) = (&cx.caller.key, &cx.caller.site);
        let budget = |bucket: Bucket| Budget {
            name: bucket.name().into(),
            quota: bucket.quota(&site.settings.budgets),
            window_seconds: bucket.window_s() as u32,
        };
        Ok(Identity {
            key: KeyView {
                id: key.id.clone(),
                name: key.name.clone(),
                scopes: key.scopes.names().into_iter().map(Into::into).collect(),
                expires_at: key.expires_at,
                created_at: key.created_at,
            },
            site: SiteView { name: site.name.clone(), domain: site.domain.clone(), live: site.live },
            budgets: [Bucket::Calls, Bucket::Reads, Bucket::Writes, Bucket::Generations].map(budget).into(),
        })
    }
}
