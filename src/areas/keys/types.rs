use subtle::ConstantTimeEq as _;

use super::Hash;
use crate::{
    tools::Scopes,
    values::{KeyId, SiteId, Time},
};

/// An API key.
#[derive(Clone, Debug)]
pub struct Key {
    /// The one site it is for.
    pub site: SiteId,
    /// Its id.
    pub id: KeyId,
    /// What its owner calls it.
    pub name: String,
    /// Of its secret.
    pub hash: Hash,
    /// Of the secret before the last rotation.
    pub old_hash: Option<Hash>,
    /// Until when the old secret works.
    pub old_until: Option<Time>,
    /// What it may do.
    pub scopes: Scopes,
    /// When it stops working.
    pub expires_at: Option<Time>,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
    /// When it was made.
    pub created_at: Time,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Time>,
}

impl Key {
    /// Whether a secret with this hash opens the key now. Takes the same time whatever differs.
    pub fn opens(&self, hash: &Hash, now: Time) -> bool {
        let current = bool::from(self.hash.ct_eq(hash));
        let old = self.old_hash.as_ref().is_some_and(|old| bool::from(old.ct_eq(hash)));
        let in_overlap = self.old_until.is_some_and(|until| now < until);
        let alive = self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at);
        alive && (current || old && in_overlap)
    }
}
