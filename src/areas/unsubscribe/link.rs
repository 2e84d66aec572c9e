//! The link in a mail.
//!
//! Its token is `2` and, in base64url, an XChaCha20-Poly1305 box with the site's number, the member and the key of the
//! address in it. Links of earlier versions of Usher begin with `1` and do not name the member; they work for ever too.
//!
//! - *Sealed and not only signed*, so that an address does not stand in the logs of proxies and in browsers' histories.
//! - *Nonce from the content* (HMAC-SHA-256 under a key of its own, as in SIV modes): the same site and address always give
//!   the same link, so nothing is kept for it and a mail that is sent again is the same bytes. Two links are alike only if
//!   they are the same, which is all that a deterministic cipher tells.
//! - *It never expires*: a mail may be opened years later, and its wish counts then too.
//! - *The secret is the installation's own* ([`installation`]), 256 random bits in the database, and neither
//!   `USHER_SECRET_KEY` nor a key of the site: rolling those must not break the links in mails that were sent, and a site
//!   without them can send mail all the same. Who has a copy of the database can make links; what they could do with them is
//!   stop mail to addresses that they have read in that very copy.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chacha20poly1305::{
    Key, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use usher_db::{Conn, Db};

use crate::{
    areas::{installation, sites::Site},
    error::{Error, Result},
    values::{Email, MemberId, SiteId},
};

/// Where a link leads, before its token.
pub const PATH: &str = "/unsubscribe/";

/// The name of the secret among the installation's settings.
const SETTING: &str = "unsubscribe_key";

/// What tokens begin with, and what is sealed with them, so that a box of another kind is none: of those that name the
/// site and the address, and of those that name the member too.
const OF_ADDRESS: (char, &[u8]) = ('1', b"usher unsubscribe link 1");
const OF_MEMBER: (char, &[u8]) = ('2', b"usher unsubscribe link 2");

const NONCE_BYTES: usize = 24;

/// The longest token that is read: that of the longest address has 450 letters.
const MAX_TOKEN_BYTES: usize = 512;

/// Makes the secret that links are made with, unless it is there.
pub async fn prepare(db: &Db) -> usher_db::Result<()> {
    if installation::secret(db.read(), SETTING).await?.is_some() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    installation::make_secret(&mut tx, SETTING).await?;
    tx.commit().await
}

/// The link by which whoever has an address, given by its key, stops the mail of a site. `None` for a site that has no
/// address ([`Site::url`]).
pub async fn url(conn: Conn<'_>, site: &Site, email_key: &str) -> Result<Option<String>> {
    Ok(Links::load(conn).await?.url(site, email_key))
}

/// The same in a mail to a member, who is named in it.
pub async fn url_for(conn: Conn<'_>, site: &Site, email_key: &str, member: &MemberId) -> Result<Option<String>> {
    let Some(base) = site.url() else { return Ok(None) };
    Ok(Some(format!("{base}{PATH}{}", Links::load(conn).await?.token_for(site.id, email_key, member))))
}

/// What a token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Whose mail it was.
    pub site: SiteId,
    /// The member it went to, if the token says so.
    pub member: Option<MemberId>,
    /// To which address.
    pub email: Email,
}

/// Makes and reads links.
pub struct Links {
    sealing: XChaCha20Poly1305,
    /// Nonces are made with it.
    nonces: Hmac<Sha256>,
}

impl Links {
    /// With the installation's secret.
    pub async fn load(conn: Conn<'_>) -> Result<Self> {
        let secret = installation::secret(conn, SETTING).await?;
        let missing = || Error::internal("the database has no secret for links; `usher migrate` makes it");
        Ok(Self::new(&secret.ok_or_else(missing)?))
    }

    fn new(secret: &str) -> Self {
        let mac = |key: &[u8]| <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("a key of any length");
        let derive = |what: &str| -> [u8; 32] {
            let mut derived = mac(secret.as_bytes());
            derived.update(what.as_bytes());
            derived.finalize().into_bytes().into()
        };
        Self {
            sealing: XChaCha20Poly1305::new(&Key::from(derive("unsubscribe: seal"))),
            nonces: mac(&derive("unsubscribe: nonce")),
        }
    }

    /// The link for an address, given by its key; `None` for a site that has no address.
    pub fn url(&self, site: &Site, email_key: &str) -> Option<String> {
        Some(format!("{}{PATH}{}", site.url()?, self.token(site.id, email_key)))
    }

    /// The token for an address, given by its key, that names no member.
    pub fn token(&self, site: SiteId, email_key: &str) -> String {
        self.seal(OF_ADDRESS, &format!("{site} {email_key}"))
    }

    /// The token for a member's address, given by its key.
    pub fn token_for(&self, site: SiteId, email_key: &str, member: &MemberId) -> String {
        self.seal(OF_MEMBER, &format!("{site} {member} {email_key}"))
    }

    fn seal(&self, (version, purpose): (char, &[u8]), text: &str) -> String {
        let mut mac = self.nonces.clone();
        mac.update(text.as_bytes());
        let digest = mac.finalize().into_bytes();
        let nonce: [u8; NONCE_BYTES] = *digest.first_chunk().expect("a digest has 32 bytes");
        let payload = Payload { msg: text.as_bytes(), aad: purpose };
        let sealed = self.sealing.encrypt(&XNonce::from(nonce), payload).expect("an address is not that long");
        format!("{version}{}", BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Whose address a token names, and of which site; `None` if this installation has not made it.
    pub fn read(&self, token: &str) -> Option<Named> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let version = [OF_ADDRESS, OF_MEMBER].into_iter().find(|(version, _)| token.starts_with(*version));
        let (version, purpose) = version?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix(version)?).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: purpose };
        let text = String::from_utf8(self.sealing.decrypt(&XNonce::from(*nonce), payload).ok()?).ok()?;
        let (site, rest) = text.split_once(' ')?;
        let (member, email) = match version == OF_MEMBER.0 {
            true => rest.split_once(' ').and_then(|(id, email)| Some((Some(MemberId::parse(id).ok()?), email)))?,
            false => (None, rest),
        };
        // Not checked: it is sealed, and what is an address may have been decided otherwise then.
        Some(Named { site: SiteId::new(site.parse().ok()?), member, email: Email::stored(email) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: SiteId = SiteId::new(1);

    fn member() -> MemberId {
        MemberId::parse("mem_01kan8v3t0e0rt8nfkzk1s7p4qs").unwrap()
    }

    #[test]
    fn a_token_is_the_same_whenever_it_is_made() {
        // The links in mails that were sent years ago: this text must never change. Made by another program.
        let token = Links::new("secret").token(ONE, "anna@example.com");
        assert_eq!(token, "1BHraRJtmEbLTioGgW8UILG4WKQAr9t_dwPCF_U9JTMUCV8IoKDCi-trbyjXNE9A2GH7CsyWX33jHBg");
        let named = |member| Named { site: ONE, member, email: Email::parse("anna@example.com").unwrap() };
        assert_eq!(Links::new("secret").read(&token), Some(named(None)));
        let anna = member();
        let token = Links::new("secret").token_for(ONE, "anna@example.com", &anna);
        assert_eq!(Links::new("secret").read(&token), Some(named(Some(anna))));
        assert_eq!(Links::new("secret").read(&token.replacen('2', "1", 1)), None);
    }

    #[test]
    fn a_token_tells_nothing_and_is_short_enough_for_a_header_line() {
        let links = Links::new("secret");
        let (one, other) = (links.token(ONE, "anna@example.com"), links.token(SiteId::new(2), "anna@example.com"));
        assert_ne!(one[..20], other[..20]);
        for token in [one, other] {
            assert!(!token.contains("anna") && !token.contains("YW5uYUBle"), "{token}");
            assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{token}");
        }
        let longest = format!("{}@{}.example", "a".repeat(64), "b".repeat(181));
        assert_eq!(longest.len(), 254);
        assert!(links.token_for(SiteId::new(i64::MAX), &longest, &member()).len() <= MAX_TOKEN_BYTES);
    }

    #[test]
    fn another_installation_s_token_is_none() {
        let token = Links::new("secret").token(ONE, "anna@example.com");
        assert_eq!(Links::new("other").read(&token), None);
    }

    proptest! {
        #[test]
        fn what_was_made_is_read(site in 1..i64::MAX, local in "[a-z0-9+]{1,30}", domain in "[a-z]{1,20}") {
            let links = Links::new("secret");
            let email = Email::parse(&format!("{local}@{domain}.example")).unwrap();
            let token = links.token(SiteId::new(site), email.key());
            let named = |member| Named { site: SiteId::new(site), member, email: email.clone() };
            prop_assert_eq!(links.read(&token), Some(named(None)));
            let token = links.token_for(SiteId::new(site), email.key(), &member());
            prop_assert_eq!(links.read(&token), Some(named(Some(member()))));
        }

        #[test]
        fn nothing_else_is_read(text in ".{0,200}") {
            prop_assert_eq!(Links::new("secret").read(&text), None);
        }

        #[test]
        fn a_changed_letter_is_noticed(at in 0_usize..100, letter in "[A-Za-z0-9_-]") {
            let links = Links::new("secret");
            let mut token = links.token(ONE, "anna@example.com");
            let at = at % token.len();
            prop_assume!(token[at..=at] != letter);
            token.replace_range(at..=at, &letter);
            prop_assert_eq!(links.read(&token), None);
        }
    }
}
