//! The certificates that SNS signs with: fetched from AWS, and kept for a day.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;
use reqwest::{Client, Url};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use crate::{
    error::{Code, Error, Result},
    values::Time,
};

/// How long a certificate is kept, in microseconds.
const KEPT_US: i64 = 24 * 3600 * 1_000_000;

/// Certificates that are kept. AWS has one a region at a time.
const MOST: usize = 100;

/// The longest answer that is read, in bytes. A certificate has two KiB.
const MAX_BYTES: usize = 64 * 1024;

/// How long AWS has for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Calls to AWS in a minute, at most: anybody can write addresses into what claims to be a message.
const CALLS_A_MINUTE: u32 = 60;

/// Speaks to AWS: gets certificates, and confirms subscriptions.
pub struct Aws {
    http: Client,
    kept: Mutex<HashMap<Url, (Time, CertificateDer<'static>)>>,
    /// A minute, and how many calls there were in it.
    calls: Mutex<(i64, u32)>,
}

impl Aws {
    /// Makes ready; calls nobody. Follows no redirect, as an answer could say where to go.
    ///
    /// Fails where the machine's certificates cannot be read.
    pub fn new() -> reqwest::Result<Self> {
        _ = rustls::crypto::ring::default_provider().install_default(); // there may be one already
        let http = Client::builder()
            .user_agent(concat!("usher/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .timeout(PATIENCE)
            .build()?;
        Ok(Self { http, kept: Mutex::default(), calls: Mutex::new((i64::MIN, 0)) })
    }

    /// The certificate at an address of SNS's. `base` is another address than AWS's.
    pub(super) async fn certificate(
        &self,
        url: &Url,
        base: Option<&str>,
        now: Time,
    ) -> Result<CertificateDer<'static>> {
        let url = moved(url, base)?;
        if let Some((at, certificate)) = self.kept.lock().get(&url)
            && now.micros().abs_diff(at.micros()) < KEPT_US.unsigned_abs()
        {
            return Ok(certificate.clone());
        }
        let refused = || Error::new(Code::WebhookRefused, "AWS has no certificate at the message's SigningCertURL.");
        let pem = self.get(&url, now).await?.ok_or_else(refused)?;
        let certificate =
            CertificateDer::from_pem_slice(&pem).map_err(|error| refused().caused_by(error.to_string()))?;
        let mut kept = self.kept.lock();
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(url, (now, certificate.clone()));
        Ok(certificate)
    }

    /// Visits the address that confirms a subscription.
    pub(super) async fn confirm(&self, url: &Url, base: Option<&str>, now: Time) -> Result<()> {
        let refused = || Error::new(Code::WebhookRefused, "AWS did not take the confirmation of the subscription.");
        self.get(&moved(url, base)?, now).await?.map(|_| ()).ok_or_else(refused)
    }

    /// What is at an address; `None` where AWS says no.
    async fn get(&self, url: &Url, now: Time) -> Result<Option<Vec<u8>>> {
        let away = |error: reqwest::Error| {
            Error::unavailable("AWS does not answer, so the message could not be checked.").caused_by(error)
        };
        if !self.may_call(now) {
            return Err(
                Error::unavailable("Too many messages name certificates that are not known yet.").retry_after(60)
            );
        }
        let mut response = self.http.get(url.clone()).send().await.map_err(away)?;
        if response.status().is_server_error() {
            return Err(Error::unavailable("AWS has a trouble of its own, so the message could not be checked."));
        }
        if !response.status().is_success() {
            return Ok(None);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(away)? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Ok(None);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Some(body))
    }

    fn may_call(&self, now: Time) -> bool {
        let minute = now.micros().div_euclid(60_000_000);
        let mut calls = self.calls.lock();
        if calls.0 != minute {
            *calls = (minute, 0);
        }
        calls.1 += 1;
        calls.1 <= CALLS_A_MINUTE
    }
}

/// The same at another place, for tests.
fn moved(url: &Url, base: Option<&str>) -> Result<Url> {
    let Some(base) = base else { return Ok(url.clone()) };
    let mut moved = Url::parse(base).map_err(Error::internal)?;
    moved.set_path(url.path());
    moved.set_query(url.query());
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_addresses_is_few_calls_a_minute() {
        let aws = Aws::new().unwrap();
        let minute = |n: i64| Time::from_micros(n * 60_000_000);
        assert_eq!((0..1000).filter(|_| aws.may_call(minute(1))).count(), 60);
        assert!(aws.may_call(minute(2)));
    }

    #[test]
    fn another_base_keeps_what_is_asked_for() {
        let url = Url::parse("https://sns.eu-west-1.amazonaws.com/a.pem?x=1").unwrap();
        assert_eq!(moved(&url, None).unwrap(), url);
        assert_eq!(moved(&url, Some("http://127.0.0.1:9/")).unwrap().as_str(), "http://127.0.0.1:9/a.pem?x=1");
    }
}
