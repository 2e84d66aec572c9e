//! Members who are likely the same person.
//!
//! Alike by address are those with the same `twin_key`, and the one whose address that is: a column that only those have
//! whose address has a sub-address, or dots at Gmail, so that the index of it costs the others nothing. Alike by name are
//! those with the same `name_key`, of which there is an index. A page reads an index from where the page before ended
//! until it is full, so that all pages together read each once; where hardly anybody is alike, one page may read to its
//! end, and only so many do that at once.

mod store;

use poem_openapi::{Enum, Object};

use tokio::sync::Semaphore;

use super::types::{Member, MemberStatus};
use crate::{
    error::{Error, Result},
    gate::Cx,
    paging::Cursor,
    values::{MemberId, Time},
};

/// Pages that this process reads at once. Each may look at every member, and on SQLite each keeps one of the few
/// connections for reading; the rest of the calls keep the others.
const MAX_SEARCHES: usize = 2;

static SEARCHES: Semaphore = Semaphore::const_new(MAX_SEARCHES);

/// Members of a group that are shown.
const SHOWN: u32 = 50;

/// The list has one order.
const ORDER: &str = "members.findDuplicates alike";

/// What members are alike by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename = "DuplicateReason", rename_all = "lowercase")]
pub enum Alike {
    /// Their addresses, but for sub-addresses and Gmail's dots.
    Address,
    /// Their names, but for case and accents.
    Name,
}

impl Alike {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Name => "name",
        }
    }
}

/// Members who are likely the same person.
#[derive(Debug, Object)]
#[oai(rename = "DuplicateGroup", rename_all = "camelCase")]
pub struct Group {
    /// What they are alike by.
    reason: Alike,
    /// The members, the oldest first; at most 50.
    members: Vec<Twin>,
}

/// A member of such a group.
#[derive(Debug, Object)]
#[oai(rename = "Duplicate", rename_all = "camelCase")]
pub struct Twin {
    /// The member's id.
    id: MemberId,
    /// The address, as typed.
    email: String,
    /// What the member is called.
    name: Option<String>,
    /// What the member has.
    status: MemberStatus,
    /// When the member was made.
    created_at: Time,
}

/// A page of groups, and the cursor of the next.
pub async fn find(cx: &mut Cx, cursor: Option<&str>, limit: u32) -> Result<(Vec<Group>, Option<String>)> {
    let _turn = SEARCHES.acquire().await.map_err(Error::internal)?;
    let (mut alike, mut after) = match Cursor::decode::<2>(cursor, ORDER)? {
        Some([reason, key]) if reason == Alike::Name.as_str() => (Alike::Name, key),
        Some([_, key]) => (Alike::Address, key),
        None => (Alike::Address, String::new()),
    };
    let (site, limit) = (cx.site(), limit as usize);
    let mut groups = Vec::new();
    loop {
        let wanted = u32::try_from(limit - groups.len() + 1).unwrap_or(u32::MAX);
        let keys = match alike {
            Alike::Address => store::twin_keys(cx.conn(), site, &after, wanted).await?,
            Alike::Name => store::names(cx.conn(), site, &after, wanted).await?,
        };
        let is_last = keys.len() < wanted as usize;
        for (key,) in keys {
            if groups.len() == limit {
                return Ok((groups, Some(Cursor::after(ORDER, [alike.as_str().into(), after]).encode())));
            }
            let members = match alike {
                Alike::Address => store::twins(cx.conn(), site, &key, SHOWN).await?,
                Alike::Name => store::namesakes(cx.conn(), site, &key, SHOWN).await?,
            };
            // One of two may have gone in between.
            if members.len() > 1 {
                let members = members.into_iter().map(|member| twin(member.with_status_at(cx.now))).collect();
                groups.push(Group { reason: alike, members });
            }
            after = key;
        }
        match (is_last, alike) {
            (false, _) => {}
            (true, Alike::Address) => (alike, after) = (Alike::Name, String::new()),
            (true, Alike::Name) => return Ok((groups, None)),
        }
    }
}

fn twin(member: Member) -> Twin {
    let Member { id, email, name, status, created_at, .. } = member;
    Twin { id, email, name, status, created_at }
}
