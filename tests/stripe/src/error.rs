//! Refusals in Stripe's shape.

use serde_json::{Map, Value, json};

/// A result of the API.
pub type Result<T> = std::result::Result<T, ApiError>;

/// A refusal: a status and the `error` object of the body.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// `type`.
    pub kind: &'static str,
    /// `code`, where there is one.
    pub code: Option<&'static str>,
    /// `message`.
    pub message: String,
    /// `param`: the parameter it is about.
    pub param: Option<String>,
    /// More fields of the `error` object.
    pub more: Vec<(&'static str, String)>,
    /// Whether it was found before the operation began. Stripe keeps no such answer under an idempotency key.
    pub before: bool,
}

impl ApiError {
    /// An `invalid_request_error`.
    pub fn request(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            kind: "invalid_request_error",
            code: None,
            message: message.into(),
            param: None,
            more: vec![],
            before: false,
        }
    }

    /// A parameter that cannot be read.
    pub fn invalid(param: &str, message: impl Into<String>) -> Self {
        Self { param: Some(param.to_owned()), before: true, ..Self::request(400, message) }
    }

    /// A parameter that has to be there.
    pub fn missing(param: &str) -> Self {
        Self::invalid(param, format!("Missing required param: {param}.")).code("parameter_missing")
    }

    /// An object that is not there: 404 for the one in the path, 400 for one that a parameter names.
    pub fn no_such(what: &str, id: &str, param: &str) -> Self {
        let status = if param == "id" { 404 } else { 400 };
        let error = Self::request(status, format!("No such {what}: '{id}'")).code("resource_missing");
        Self { param: Some(param.to_owned()), ..error }
    }

    /// An address that the API does not have.
    pub fn unrecognized(method: &str, path: &str) -> Self {
        let message = format!(
            "Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/."
        );
        Self { before: true, ..Self::request(404, message) }
    }

    /// A card that was declined.
    pub fn declined(charge: &str) -> Self {
        let mut error = Self::request(402, "Your card was declined.").code("card_declined");
        error.kind = "card_error";
        error.more.push(("charge", charge.to_owned()));
        error.more.push(("decline_code", "generic_decline".into()));
        error
    }

    /// The same with a code.
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The body of the answer.
    pub fn body(&self, request_id: &str) -> Value {
        let mut error: Map<_, _> = self.more.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        if let Some(code) = self.code {
            error.insert("code".into(), json!(code));
            error.insert(
                "doc_url".into(),
                json!(format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"))),
            );
        }
        error.insert("message".into(), json!(self.message));
        if let Some(param) = &self.param {
            error.insert("param".into(), json!(param));
        }
        error.insert("request_log_url".into(), json!(format!("https://dashboard.stripe.com/test/logs/{request_id}")));
        error.insert("type".into(), json!(self.kind));
        json!({ "error": error })
    }
}
