//! JSON Web Tokens (RFC 7519) in the compact form (RFC 7515), signed with Ed25519 (RFC 8037). They are only made here and
//! never read, so that what libraries for them guard against does not arise; the signing is ring's, which TLS has here too.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::signature::Ed25519KeyPair;
use serde::Serialize;

/// What a token says.
#[derive(Serialize)]
pub struct Claims<'a> {
    /// The member.
    pub sub: &'a str,
    /// The member's address.
    pub email: &'a str,
    /// What the member is called, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// Who says so: where people reach Usher's pages of the site.
    pub iss: &'a str,
    /// To whom: the site's `loginUrl`.
    pub aud: &'a str,
    /// The sign-in, to be taken once.
    pub jti: &'a str,
    /// When it was made, in seconds.
    pub iat: i64,
    /// When it is no longer to be taken, in seconds.
    pub exp: i64,
    /// Where the member wanted to go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<&'a str>,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

/// A signed token.
pub fn sign(kid: &str, key: &Ed25519KeyPair, claims: &Claims<'_>) -> String {
    let part = |json: Vec<u8>| BASE64_URL_SAFE_NO_PAD.encode(json);
    let header = serde_json::to_vec(&Header { alg: "EdDSA", typ: "JWT", kid }).expect("a header is JSON");
    let claims = serde_json::to_vec(claims).expect("claims are JSON");
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = part(key.sign(signed.as_bytes()).as_ref().to_vec());
    format!("{signed}.{signature}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_rfc_8037_signs() {
        // The key of appendix A.1, and the signature of appendix A.4 over what is signed there.
        let seed = BASE64_URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        assert_eq!(
            BASE64_URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );

        let claims = Claims {
            sub: "mem_1",
            email: "anna@example.com",
            name: None,
            iss: "https://members.example.com",
            aud: "https://example.com/login",
            jti: "lnk_1",
            iat: 1,
            exp: 61,
            redirect: None,
        };
        let token = sign("k", &key, &claims);
        let parts: Vec<_> = token.split('.').map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
        assert_eq!(parts[0], br#"{"alg":"EdDSA","typ":"JWT","kid":"k"}"#);
        let said: serde_json::Value = serde_json::from_slice(&parts[1]).unwrap();
        let names: Vec<_> = said.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["sub", "email", "iss", "aud", "jti", "iat", "exp"]);
    }
}
