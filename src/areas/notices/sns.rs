//! Messages of Amazon SNS: what is signed of them, and where their certificates may come from.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Url;
use rustls_pki_types::{AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use serde::Deserialize;
use webpki::{EndEntityCert, ring::RSA_PKCS1_2048_8192_SHA256};

/// A message, as it is delivered. What else it has is not signed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Envelope {
    pub(super) r#type: String,
    message_id: String,
    pub(super) topic_arn: String,
    subject: Option<String>,
    pub(super) message: String,
    pub(super) timestamp: String,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL")]
    pub(super) signing_cert_url: String,
    #[serde(rename = "SubscribeURL")]
    pub(super) subscribe_url: Option<String>,
    token: Option<String>,
}

impl Envelope {
    /// The text that is signed: names and values by turns, in the order of the names.
    fn signed(&self) -> String {
        let some = |name: &'static str, value: &Option<String>| value.clone().map(|value| (name, value));
        let is_notification = self.r#type == "Notification";
        let fields = [
            Some(("Message", self.message.clone())),
            Some(("MessageId", self.message_id.clone())),
            some("Subject", &self.subject).filter(|_| is_notification),
            some("SubscribeURL", &self.subscribe_url).filter(|_| !is_notification),
            Some(("Timestamp", self.timestamp.clone())),
            some("Token", &self.token).filter(|_| !is_notification),
            Some(("TopicArn", self.topic_arn.clone())),
            Some(("Type", self.r#type.clone())),
        ];
        fields.into_iter().flatten().map(|(name, value)| format!("{name}\n{value}\n")).collect()
    }

    /// Whether it is signed by whom a certificate names.
    pub(super) fn is_signed_by(&self, certificate: &CertificateDer<'_>) -> bool {
        let algorithm: &dyn SignatureVerificationAlgorithm = match self.signature_version.as_str() {
            "1" => &RsaSha1,
            "2" => RSA_PKCS1_2048_8192_SHA256,
            _ => return false,
        };
        let Ok(signature) = BASE64_STANDARD.decode(&self.signature) else { return false };
        let Ok(certificate) = EndEntityCert::try_from(certificate) else { return false };
        certificate.verify_signature(algorithm, self.signed().as_bytes(), &signature).is_ok()
    }
}

/// RSA with SHA-1, which SNS signs with unless its topic says otherwise. A forger would need a message of AWS's making
/// whose hash is that of a forged one, a second preimage, which nobody can find for SHA-1 either.
struct RsaSha1;

impl fmt::Debug for RsaSha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaSha1")
    }
}

impl SignatureVerificationAlgorithm for RsaSha1 {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let algorithm = &ring::signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY;
        let key = ring::signature::UnparsedPublicKey::new(algorithm, key);
        key.verify(message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        /// `sha1WithRSAEncryption` (RFC 3279, 2.2.1), without parameters but NULL.
        const SHA1_WITH_RSA: AlgorithmIdentifier =
            AlgorithmIdentifier::from_slice(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00");
        SHA1_WITH_RSA
    }
}

/// Where a certificate of SNS's is, if the text is the address of one: `https://sns.<region>.amazonaws.com`, or its like
/// in China, and nothing else that a browser would understand as another place.
pub(super) fn certificate_url(text: &str) -> Option<Url> {
    let url = at_sns(text)?;
    let name = url.path().strip_prefix('/')?.strip_suffix(".pem")?;
    let is_plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (is_plain && url.query().is_none()).then_some(url)
}

/// Where a subscription to a topic is confirmed, if the text is such an address.
pub(super) fn confirmation_url(text: &str, topic: &str) -> Option<Url> {
    let url = at_sns(text)?;
    let has = |name: &str, value: &str| url.query_pairs().any(|(n, v)| n == name && v == value);
    (url.path() == "/" && has("Action", "ConfirmSubscription") && has("TopicArn", topic)).then_some(url)
}

fn at_sns(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str()?.strip_prefix("sns.")?;
    let region = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let is_region = !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_bare = url.port().is_none() && url.username().is_empty() && url.password().is_none();
    (url.scheme() == "https" && is_region && is_bare && url.fragment().is_none()).then_some(url)
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::pem::PemObject as _;

    use super::*;

    #[test]
    fn a_certificate_comes_from_aws_and_from_nowhere_else() {
        for good in [
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem",
            "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0.pem",
            "https://sns.us-gov-west-1.amazonaws.com:443/a.pem",
            "https://SNS.EU-WEST-1.AMAZONAWS.COM/a.pem",
        ] {
            assert!(certificate_url(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "sns.us-east-1.amazonaws.com/a.pem",
            "http://sns.us-east-1.amazonaws.com/a.pem",
            "file:///etc/a.pem",
            "https://sns.us-east-1.amazonaws.com.evil.example/a.pem",
            "https://evil.example/sns.us-east-1.amazonaws.com/a.pem",
            "https://evil.example#sns.us-east-1.amazonaws.com/a.pem",
            "https://evil.example?.sns.us-east-1.amazonaws.com/a.pem",
            "https://sns.us-east-1.amazonaws.com@evil.example/a.pem",
            "https://user@sns.us-east-1.amazonaws.com/a.pem",
            "https://:x@sns.us-east-1.amazonaws.com/a.pem",
            "https://evil.example\\@sns.us-east-1.amazonaws.com/a.pem",
            "https://sns.us-east-1.amazonaws.com:8443/a.pem",
            "https://evilsns.us-east-1.amazonaws.com/a.pem",
            "https://sns.amazonaws.com/a.pem",
            "https://sns..amazonaws.com/a.pem",
            "https://sns.evil.example.amazonaws.com/a.pem",
            "https://sns.bucket.s3.amazonaws.com/a.pem",
            "https://s3.us-east-1.amazonaws.com/a.pem",
            "https://sns.us-east-1.amazonaws.com./a.pem",
            "https://sns.us-east-1.amazonaws.com/a/b.pem",
            "https://sns.us-east-1.amazonaws.com/%2e.pem",
            "https://sns.us-east-1.amazonaws.com/.pem",
            "https://sns.us-east-1.amazonaws.com/a.crt",
            "https://sns.us-east-1.amazonaws.com/a.pem?x=1",
            "https://sns.us-east-1.amazonaws.com/a.pem#x",
            "https://169.254.169.254/a.pem",
        ] {
            assert!(certificate_url(bad).is_none(), "{bad}");
        }
    }

    /// Messages that AWS itself has signed, and its certificate of then: those that its library for Ruby is tested with
    /// (`gems/aws-sdk-sns/spec/message_verifier_spec.rb` of aws/aws-sdk-ruby).
    #[test]
    fn what_aws_has_signed_is_believed() {
        let pem = include_bytes!("../../../tests/notices/fixtures/aws.pem");
        let certificate = CertificateDer::from_pem_slice(pem).expect("a certificate");
        for text in [
            include_str!("../../../tests/notices/fixtures/aws-1.json"),
            include_str!("../../../tests/notices/fixtures/aws-2.json"),
        ] {
            let envelope: Envelope = serde_json::from_str(text).expect("a message");
            assert!(certificate_url(&envelope.signing_cert_url).is_some());
            assert!(envelope.is_signed_by(&certificate), "version {}", envelope.signature_version);
            let other = Envelope { message: "Hello World".into(), ..envelope.clone() };
            assert!(!other.is_signed_by(&certificate));
            let other = Envelope { subject: Some(String::new()), ..envelope };
            assert!(!other.is_signed_by(&certificate));
        }
    }

    #[test]
    fn only_a_confirmation_of_the_topic_is_visited() {
        let topic = "arn:aws:sns:us-east-1:123456789012:bounces";
        let url = |host: &str, action: &str, topic: &str| {
            format!("https://{host}/?Action={action}&TopicArn={topic}&Token=2336")
        };
        let host = "sns.us-east-1.amazonaws.com";
        assert!(confirmation_url(&url(host, "ConfirmSubscription", topic), topic).is_some());
        for bad in [
            url("evil.example", "ConfirmSubscription", topic),
            url(host, "Unsubscribe", topic),
            url(host, "ConfirmSubscription", "arn:aws:sns:us-east-1:1:other"),
            format!("https://{host}/x?Action=ConfirmSubscription&TopicArn={topic}"),
            format!("https://{host}/"),
        ] {
            assert!(confirmation_url(&bad, topic).is_none(), "{bad}");
        }
    }
}
