use usher_db::{Change, Result, Tx};

use super::{Reason, Word, add, hidden, store};
use crate::{
    clock::Clock,
    values::{Email, SiteId},
};

/// Where what a person said comes from if only that is known.
const SOURCE: &str = "former address";

/// Why a person has another address now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// It is the same member with a new address.
    Move,
    /// The member became one with another.
    Merge,
}

impl Along {
    /// Whether a reason goes along: what the person said, and not what a mailbox did.
    fn takes(self, reason: Reason) -> bool {
        match reason {
            Reason::Unsubscribe | Reason::Complaint => true,
            Reason::Manual => self == Self::Move,
            Reason::Invalid | Reason::HardBounce => false,
        }
    }
}

/// Copies what a person said about mail from an address, given by its key, to another. What is there stays, and so does
/// what is as strong at the other. Gives what changed.
pub async fn carry(
    tx: &mut Tx,
    clock: &Clock,
    site: SiteId,
    from: &str,
    to: &Email,
    along: Along,
) -> Result<Option<Change>> {
    let mut found = hidden::find(tx, site, &[from.to_owned()]).await?;
    let Some(entry) = found.remove(from) else { return Ok(None) };
    let wish = store::wish_of(tx.conn(), site, &entry.key).await?;
    let wish = Word {
        email: to,
        reason: wish.and_then(Reason::of_strength).unwrap_or(entry.reason),
        source: SOURCE,
        note: None,
        vendor_code: None,
        first_seen: Some(entry.first_seen),
    };
    let word = if along.takes(entry.reason) {
        let (source, note) = (entry.source.as_str(), entry.note.as_deref());
        Word { reason: entry.reason, source, note, vendor_code: entry.vendor_code.as_deref(), ..wish }
    } else if along.takes(wish.reason) {
        wish
    } else {
        return Ok(None);
    };
    let became = add::block(tx, clock, site, &[word]).await?;
    Ok(became.into_values().find_map(|became| became.change().cloned()))
}
