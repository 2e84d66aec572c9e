//! What to do about an error: the one place that knows what Stripe's statuses and codes mean for a write.

use std::time::Duration;

use crate::error::ApiError;

/// The longest wait that `Retry-After` may ask for.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// What to do after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Send the same bytes with the same key, later. It has not happened, or the key makes it happen once.
    Retry {
        /// No sooner than after this time, at most [`MAX_RETRY_AFTER`].
        after: Option<Duration>,
    },
    /// It may have happened, and the key would only repeat this answer: find out by a list call, and only once it is
    /// proven not to have happened send it with another key.
    LookUpFirst,
    /// The key may not do it, or acts on no account any more. Everything of this account waits until somebody mends it;
    /// nothing is lost.
    Permission,
    /// The idempotency key was used with other bytes. Something here is broken: stop, look it up, raise an alarm.
    IdempotencyClash,
    /// The object that the path names is not there (404).
    Missing,
    /// Stripe will not do it, however often it is asked.
    Refused,
}

/// Codes of a key or an account that cannot act.
const PERMISSION_CODES: [&str; 7] = [
    "account_closed",
    "account_invalid",
    "api_key_expired",
    "insufficient_permissions",
    "platform_account_required",
    "platform_api_key_expired",
    "secret_key_required",
];
/// Codes that pass, whatever the status.
const PASSING_CODES: [&str; 3] = ["idempotency_key_in_use", "lock_timeout", "rate_limit"];
/// How Stripe tells a restricted key that it may not; some of these came with status 400.
const PERMISSION_WORDS: &str = "does not have the required permissions";

/// Judges an answer other than 2xx.
pub(crate) fn kind_of(error: &ApiError) -> Kind {
    let code = error.code.as_deref().unwrap_or_default();
    let kind = error.kind.as_deref().unwrap_or_default();
    let retry = Kind::Retry { after: error.retry_after.map(|after| after.min(MAX_RETRY_AFTER)) };

    if error.status == 429 {
        return retry;
    }
    if may_not(error, kind, code) {
        return Kind::Permission;
    }
    if error.status == 500 {
        return Kind::LookUpFirst;
    }
    let passes = error.status > 500 || matches!(error.status, 408 | 409 | 424 | 425) || PASSING_CODES.contains(&code);
    if passes {
        // Sent again, the key would only bring the same answer.
        return if error.should_retry == Some(false) { Kind::LookUpFirst } else { retry };
    }
    if kind == "idempotency_error" {
        return Kind::IdempotencyClash;
    }
    // A page of something before Stripe refuses nothing in Stripe's name.
    if error.should_retry == Some(true) || !error.is_stripes {
        return retry;
    }
    if error.status == 404 && code == "resource_missing" {
        return Kind::Missing;
    }
    Kind::Refused
}

fn may_not(error: &ApiError, kind: &str, code: &str) -> bool {
    matches!(error.status, 401 | 403)
        || matches!(kind, "authentication_error" | "permission_error")
        || PERMISSION_CODES.contains(&code)
        || error.message.as_deref().is_some_and(|message| message.contains(PERMISSION_WORDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Kind = Kind::Retry { after: None };

    fn stripe(status: u16, kind: &str, code: &str) -> ApiError {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        ApiError { status, is_stripes: true, kind: some(kind), code: some(code), ..Default::default() }
    }

    fn page(status: u16) -> ApiError {
        ApiError { status, ..Default::default() }
    }

    #[test]
    fn what_passes_is_sent_again() {
        for error in [
            stripe(429, "invalid_request_error", "rate_limit"),
            stripe(429, "invalid_request_error", "lock_timeout"),
            stripe(400, "invalid_request_error", "lock_timeout"),
            stripe(409, "idempotency_error", "idempotency_key_in_use"),
            stripe(409, "invalid_request_error", ""),
            stripe(424, "api_error", ""),
            stripe(502, "api_error", ""),
            stripe(503, "api_error", ""),
            page(502),
            page(503),
            page(504),
            page(520),
            page(408),
            page(404),
            page(413),
            page(301),
            ApiError { should_retry: Some(true), ..stripe(400, "invalid_request_error", "") },
            ApiError { should_retry: Some(false), ..stripe(429, "", "") },
        ] {
            assert_eq!(kind_of(&error), RETRY, "{error}");
        }
    }

    #[test]
    fn a_wait_is_kept_and_bounded() {
        let waits = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            kind_of(&ApiError { retry_after, ..stripe(429, "", "rate_limit") })
        };
        assert_eq!(waits(7), Kind::Retry { after: Some(Duration::from_secs(7)) });
        assert_eq!(waits(u64::MAX), Kind::Retry { after: Some(MAX_RETRY_AFTER) });
    }

    #[test]
    fn what_the_key_only_repeats_is_looked_up() {
        for error in [
            stripe(500, "api_error", ""),
            page(500),
            ApiError { should_retry: Some(true), ..stripe(500, "api_error", "") },
            ApiError { should_retry: Some(false), ..stripe(409, "", "") },
            ApiError { should_retry: Some(false), ..page(503) },
        ] {
            assert_eq!(kind_of(&error), Kind::LookUpFirst, "{error}");
        }
    }

    #[test]
    fn what_the_key_may_not_do_waits_for_somebody() {
        let words = "The provided key 'rk_test_***' does not have the required permissions for this endpoint.";
        for error in [
            stripe(401, "invalid_request_error", ""),
            stripe(403, "invalid_request_error", ""),
            stripe(403, "invalid_request_error", "account_invalid"),
            stripe(400, "invalid_request_error", "account_invalid"),
            stripe(400, "permission_error", ""),
            ApiError { message: Some(words.into()), ..stripe(400, "invalid_request_error", "") },
            ApiError { should_retry: Some(true), ..stripe(403, "", "") },
            page(403),
        ] {
            assert_eq!(kind_of(&error), Kind::Permission, "{error}");
        }
    }

    #[test]
    fn a_key_used_for_something_else_is_a_clash() {
        assert_eq!(kind_of(&stripe(400, "idempotency_error", "")), Kind::IdempotencyClash);
    }

    #[test]
    fn only_the_object_of_the_path_is_missing() {
        assert_eq!(kind_of(&stripe(404, "invalid_request_error", "resource_missing")), Kind::Missing);
        let param =
            ApiError { param: Some("customer".into()), ..stripe(400, "invalid_request_error", "resource_missing") };
        assert_eq!(kind_of(&param), Kind::Refused);
        assert_eq!(kind_of(&stripe(404, "invalid_request_error", "")), Kind::Refused);
    }

    #[test]
    fn the_rest_is_refused() {
        for error in [
            stripe(400, "invalid_request_error", "parameter_unknown"),
            stripe(402, "card_error", "card_declined"),
            stripe(402, "card_error", "expired_card"),
            stripe(422, "invalid_request_error", ""),
        ] {
            assert_eq!(kind_of(&error), Kind::Refused, "{error}");
        }
    }
}
