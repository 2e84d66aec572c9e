//! The keys that a site's sign-ins are signed with.
//!
//! A key is published (`/.well-known/jwks.json`) from the moment it is made. Rotating makes a new one that signs after
//! [`AHEAD`], by when whoever keeps the key set has read it again; the old one signs until then, and is published for
//! [`KEPT`] longer. A key that others may have got hold of is gone at once ([`When::Now`]).

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::TryRng as _;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use usher_db::{Change, Db, FromRow, Row, Tx};
use zeroize::Zeroizing;

use super::{
    jwt::{self, Claims},
    store,
};
use crate::{
    error::{Code, Error, Result},
    seal::Sealer,
    values::{SiteId, Time},
};

/// How long others may keep the key set, in seconds.
pub const MAX_AGE_S: u64 = 300;

/// How long a new key is published before it signs: until nobody keeps a set without it, and twice that again for those
/// who keep it longer than they are told.
pub const AHEAD: Duration = Duration::from_secs(3 * MAX_AGE_S);

/// How long a key is published after it has signed last, which is more than what it signed is good for.
pub const KEPT: Duration = Duration::from_secs(60 * 60);

/// A key, with its private half sealed.
#[derive(Clone, Debug)]
pub struct SigningKey {
    /// Its thumbprint (RFC 7638).
    pub kid: String,
    /// The public half, as `x` of its JWK.
    pub public_key: String,
    /// The private half, sealed.
    pub private_sealed: String,
    /// When it was made, and published.
    pub created_at: Time,
    /// It signs from then on.
    pub signs_from: Time,
    /// It is no longer published from then on.
    pub retired_at: Option<Time>,
}

impl FromRow for SigningKey {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            kid: row.take()?,
            public_key: row.take()?,
            private_sealed: row.take()?,
            created_at: row.take()?,
            signs_from: row.take()?,
            retired_at: row.take()?,
        })
    }
}

/// When a new key is to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Once everybody has read it.
    Published,
    /// At once, and the others are gone.
    Now,
}

/// What became of a wish for a new key.
#[derive(Clone, Debug)]
pub enum Rotated {
    /// It is made.
    Made(SigningKey),
    /// One is on its way already.
    Underway(SigningKey),
}

/// A key that can sign.
pub struct Signer {
    kid: String,
    pair: Ed25519KeyPair,
}

impl Signer {
    pub(super) fn sign(&self, claims: &Claims<'_>) -> String {
        jwt::sign(&self.kid, &self.pair, claims)
    }
}

/// The key that signs now. The first one of a site is made here.
pub async fn signer(tx: &mut Tx, sealer: &Sealer, site: SiteId, now: Time) -> Result<Signer> {
    if let Some(key) = store::signing_key(tx.conn(), site, now).await? {
        return open(sealer, site, key);
    }
    store::hold_site(tx.conn(), site).await?;
    // Who was quicker may have come a moment later, or by another machine's clock.
    let first = store::published(tx.conn(), site, now).await?.pop();
    let key = match first {
        Some(key) => key,
        None => make(tx, sealer, site, now, now).await?,
    };
    open(sealer, site, key)
}

/// Makes a site another key.
pub async fn rotate(tx: &mut Tx, sealer: &Sealer, site: SiteId, when: When, now: Time) -> Result<Rotated> {
    store::hold_site(tx.conn(), site).await?;
    let known = store::published(tx.conn(), site, now).await?;
    let signs_from = match when {
        When::Now => {
            store::delete_keys(tx.conn(), site).await?;
            now
        }
        When::Published => {
            if let Some(next) = known.iter().find(|key| key.signs_from > now) {
                return Ok(Rotated::Underway(next.clone()));
            }
            let signs_from = if known.is_empty() { now } else { now + AHEAD };
            store::retire(tx.conn(), site, signs_from + KEPT).await?;
            signs_from
        }
    };
    Ok(Rotated::Made(make(tx, sealer, site, signs_from, now).await?))
}

/// The key set (RFC 7517) of sites that share a host.
pub async fn key_set(db: &Db, sites: &[SiteId], now: Time) -> Result<Vec<Value>> {
    let mut keys = Vec::new();
    for site in sites {
        keys.extend(store::published(db.read(), *site, now).await?.iter().map(jwk));
    }
    Ok(keys)
}

fn jwk(key: &SigningKey) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": key.public_key, "kid": key.kid, "use": "sig", "alg": "EdDSA" })
}

async fn make(tx: &mut Tx, sealer: &Sealer, site: SiteId, signs_from: Time, now: Time) -> Result<SigningKey> {
    let mut seed = Zeroizing::new([0u8; 32]);
    rand::rngs::SysRng.try_fill_bytes(&mut *seed).map_err(Error::internal)?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).map_err(|_| Error::internal("ring took no seed"))?;
    let public_key = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key());
    let private = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(*seed));
    let key = SigningKey {
        kid: thumbprint(&public_key),
        private_sealed: sealer.seal(&purpose(site), &private),
        public_key,
        created_at: now,
        signs_from,
        retired_at: None,
    };
    store::insert_key(tx.conn(), site, &key).await?;
    tx.note(Change::created("signingKey", &key.kid, json!({ "signsFrom": key.signs_from })));
    Ok(key)
}

fn open(sealer: &Sealer, site: SiteId, key: SigningKey) -> Result<Signer> {
    let damaged = || Error::internal("a signing key is damaged");
    let private = sealer.open(&purpose(site), &key.private_sealed).map_err(|error| {
        let text = "The site's signing key was sealed with another secret key. Its operator puts that one back, after the \
                    present one in USHER_SECRET_KEY, or makes a new signing key with `usher sign-in keys rotate --now`.";
        Error::new(Code::SecretKeyUnusable, text).caused_by(error)
    })?;
    let seed = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(&*private).map_err(Error::internal)?);
    let public = BASE64_URL_SAFE_NO_PAD.decode(&key.public_key).map_err(Error::internal)?;
    let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &public).map_err(|_| damaged())?;
    Ok(Signer { kid: key.kid, pair })
}

/// What a site's private keys are sealed for.
pub fn purpose(site: SiteId) -> String {
    format!("signing key of site {site}")
}

/// The thumbprint of a key (RFC 7638, with the members that RFC 8037 names).
fn thumbprint(x: &str) -> String {
    let json = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(json))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_is_that_of_rfc_8037() {
        // Appendix A.3.
        assert_eq!(
            thumbprint("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }
}
