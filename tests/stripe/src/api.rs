//! A request to `/v1/…` from its key to its answer. The order is Stripe's: key, account, permission, rate, form,
//! idempotency, operation; only what comes after the idempotency layer is kept under a key.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    auth,
    error::{ApiError, Result},
    expand::expand,
    faults::Fault,
    form::Params,
    idempotency::{Answer, Begin},
    log::Entry,
    resources,
    world::World,
};

/// A request.
#[derive(Debug)]
pub struct Call {
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// Such as `/v1/subscriptions`.
    pub path: String,
    /// What comes after `?`.
    pub query: String,
    /// The form.
    pub body: Bytes,
    /// The header Authorization.
    pub authorization: Option<String>,
    /// The header Stripe-Account.
    pub account: Option<String>,
    /// The header Idempotency-Key.
    pub key: Option<String>,
}

/// What the caller gets.
#[derive(Debug, PartialEq)]
pub enum Reply {
    /// An answer.
    Whole {
        /// Its status.
        status: u16,
        /// Besides the content type.
        headers: Vec<(&'static str, String)>,
        /// JSON, or the HTML of a proxy.
        body: String,
        /// Whether it is HTML.
        html: bool,
    },
    /// An answer of which half comes before the connection is cut.
    Half(String),
    /// None, ever.
    Silence,
    /// A connection that is reset.
    Reset,
}

/// A request that has come past key, permission and rate.
#[derive(Debug)]
pub struct Admitted {
    account: String,
    request_id: String,
    n: u64,
    /// What goes wrong with it.
    pub fault: Fault,
}

const HTML_502: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";

impl World {
    /// Who asks, for whom, and whether they may; and what will go wrong.
    pub fn admit(&mut self, call: &Call) -> std::result::Result<Admitted, Reply> {
        let request_id = self.rng.id("req");
        let account = self.who(call);
        let n = self.log.add(Entry {
            n: 0,
            at: self.now,
            method: call.method.clone(),
            path: call.path.clone(),
            account: account.as_ref().cloned().unwrap_or_default(),
            idempotency_key: call.key.clone(),
            request_id: request_id.clone(),
            status: 0,
            replayed: false,
            ran: false,
            fault: Fault::None,
        });
        let account = match account {
            Ok(account) => account,
            Err(error) => return Err(self.refuse(n, &request_id, &error)),
        };
        let mut admitted = Admitted { account, request_id, n, fault: Fault::None };
        if !self.rates.entry(admitted.account.clone()).or_default().pass(self.now) {
            return Err(self.rate_limited(&admitted, None));
        }
        admitted.fault = self.faults.pick(&call.method, &call.path, &admitted.account);
        self.log.edit(n, |entry| entry.fault = admitted.fault);
        Ok(admitted)
    }

    /// The account that a request acts for.
    fn who(&self, call: &Call) -> Result<String> {
        let secret = auth::of_header(call.authorization.as_deref());
        let Some(key) = secret.as_ref().and_then(|secret| self.keys.get(secret)) else {
            return Err(auth::refused(secret.as_deref()));
        };
        let account = call.account.as_ref().unwrap_or(&key.account);
        let connected = self.accounts.get(account).and_then(|account| account.connected_to.as_ref());
        if *account != key.account && connected != Some(&key.account) {
            return Err(auth::no_access(&key.key, account));
        }
        key.check(&call.method, &call.path, account)?;
        Ok(account.clone())
    }

    /// With a fault that holds it up, takes its key; says what to answer if that cannot be.
    pub fn hold(&mut self, call: &Call, admitted: &Admitted) -> Option<Reply> {
        match self.begin(call, admitted) {
            Some(Begin::Refuse(error)) => Some(self.refuse(admitted.n, &admitted.request_id, &error)),
            Some(Begin::Replay(answer, original)) => Some(self.replay(call, admitted, answer, original)),
            _ => None,
        }
    }

    fn begin(&mut self, call: &Call, admitted: &Admitted) -> Option<Begin> {
        let key = call.key.as_ref().filter(|_| call.method == "POST")?;
        let what = [call.path.as_bytes(), call.query.as_bytes(), &call.body];
        Some(self.idempotency.begin(&admitted.account, key, &admitted.request_id, &what, self.now))
    }

    /// Does what is asked for. `held`: its key is taken already.
    pub fn execute(&mut self, call: &Call, admitted: &Admitted, held: bool) -> Reply {
        if let Some(reply) = self.fails_before(admitted) {
            return reply;
        }
        let params = match Params::parse(if call.method == "POST" { &call.body } else { call.query.as_bytes() }) {
            Ok(params) => params,
            Err(error) => return self.refuse(admitted.n, &admitted.request_id, &error),
        };
        let begun = if held { None } else { self.begin(call, admitted) };
        match begun {
            Some(Begin::Refuse(error)) => return self.refuse(admitted.n, &admitted.request_id, &error),
            Some(Begin::Replay(answer, original)) => {
                let reply = self.replay(call, admitted, answer, original);
                return self.fails_after(admitted, reply);
            }
            Some(Begin::Anew) | None => {}
        }
        let (answer, kept) = match admitted.fault {
            Fault::ServerErrorBefore => (server_error(), true),
            fault => {
                let (answer, kept) = self.run(call, admitted, params);
                (if fault == Fault::ServerErrorAfter { server_error() } else { answer }, kept)
            }
        };
        if let (Some(key), "POST") = (&call.key, call.method.as_str()) {
            self.idempotency.end(&admitted.account, key, kept.then(|| answer.clone()));
        }
        let reply = self.whole(call, admitted, answer, vec![]);
        self.fails_after(admitted, reply)
    }

    /// Runs the operation: the answer, and whether it is kept under a key.
    fn run(&mut self, call: &Call, admitted: &Admitted, mut params: Params) -> (Answer, bool) {
        self.log.edit(admitted.n, |entry| entry.ran = true);
        let Some(account) = self.accounts.get_mut(&admitted.account) else { return (server_error(), false) };
        let path: Vec<&str> = call.path.trim_start_matches("/v1/").trim_end_matches('/').split('/').collect();
        account.request = (Some(admitted.request_id.clone()), call.key.clone());
        let result = params.list("expand").and_then(|paths| {
            let mut answer = resources::call(account, &call.method, &path, params)?;
            account.run_due();
            paths.iter().try_for_each(|path| expand(account, &mut answer, path))?;
            Ok(answer)
        });
        account.request = (None, None);
        self.plan_webhooks();
        match result {
            Ok(answer) => ((200, pretty(&answer)), true),
            Err(error) => ((error.status, pretty(&error.body(&admitted.request_id))), !error.before),
        }
    }

    fn fails_before(&mut self, admitted: &Admitted) -> Option<Reply> {
        let error = match admitted.fault {
            Fault::TimeoutBefore => return Some(Reply::Silence),
            Fault::ResetBefore => return Some(Reply::Reset),
            Fault::BadGateway => return Some(self.bad_gateway(admitted)),
            Fault::RateLimited => return Some(self.rate_limited(admitted, None)),
            Fault::RateLimitedRetryAfter => return Some(self.rate_limited(admitted, Some(2))),
            Fault::Conflict => {
                let message = "This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request.";
                ApiError::request(409, message).code("lock_timeout")
            }
            Fault::Unavailable => ApiError { kind: "api_error", ..ApiError::request(503, "Service unavailable.") },
            _ => return None,
        };
        Some(self.refuse(admitted.n, &admitted.request_id, &error))
    }

    fn fails_after(&mut self, admitted: &Admitted, reply: Reply) -> Reply {
        let status = |world: &mut Self, status| world.log.edit(admitted.n, |entry| entry.status = status);
        match (admitted.fault, reply) {
            (Fault::TimeoutAfter, _) => {
                status(self, 0);
                Reply::Silence
            }
            (Fault::ResetAfter, _) => {
                status(self, 0);
                Reply::Reset
            }
            (Fault::BadGatewayAfter, _) => self.bad_gateway(admitted),
            (Fault::Truncated, Reply::Whole { status: 200, body, .. }) => Reply::Half(body),
            (Fault::Garbled, Reply::Whole { status: 200, headers, .. }) => {
                Reply::Whole { status: 200, headers, body: "{\n  \"id\": 17\n}".into(), html: false }
            }
            (_, reply) => reply,
        }
    }

    fn bad_gateway(&mut self, admitted: &Admitted) -> Reply {
        self.log.edit(admitted.n, |entry| entry.status = 502);
        Reply::Whole { status: 502, headers: vec![], body: HTML_502.into(), html: true }
    }

    fn rate_limited(&mut self, admitted: &Admitted, retry_after: Option<u32>) -> Reply {
        let message = "Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits.";
        let error = ApiError::request(429, message).code("rate_limit");
        let mut reply = self.refuse(admitted.n, &admitted.request_id, &error);
        if let Reply::Whole { headers, .. } = &mut reply {
            headers.push(("stripe-rate-limited-reason", "global-rate".into()));
            headers.extend(retry_after.map(|seconds| ("retry-after", seconds.to_string())));
        }
        reply
    }

    fn refuse(&mut self, n: u64, request_id: &str, error: &ApiError) -> Reply {
        self.log.edit(n, |entry| entry.status = error.status);
        let headers = vec![("request-id", request_id.to_owned()), ("stripe-version", crate::API_VERSION.into())];
        Reply::Whole { status: error.status, headers, body: pretty(&error.body(request_id)), html: false }
    }

    fn replay(&mut self, call: &Call, admitted: &Admitted, answer: Answer, original: String) -> Reply {
        self.log.edit(admitted.n, |entry| entry.replayed = true);
        let headers = vec![("idempotent-replayed", "true".into()), ("original-request", original)];
        self.whole(call, admitted, answer, headers)
    }

    fn whole(
        &mut self,
        call: &Call,
        admitted: &Admitted,
        (status, body): Answer,
        mut headers: Vec<(&'static str, String)>,
    ) -> Reply {
        self.log.edit(admitted.n, |entry| entry.status = status);
        headers.push(("request-id", admitted.request_id.clone()));
        headers.push(("stripe-version", crate::API_VERSION.into()));
        headers.extend(call.account.as_ref().map(|account| ("stripe-account", account.clone())));
        headers.extend(call.key.as_ref().map(|key| ("idempotency-key", key.clone())));
        Reply::Whole { status, headers, body, html: false }
    }
}

/// As Stripe writes JSON.
fn pretty(body: &Value) -> String {
    serde_json::to_string_pretty(body).unwrap_or_default()
}

fn server_error() -> Answer {
    (500, pretty(&json!({ "error": { "message": "An unknown error occurred.", "type": "api_error" } })))
}
