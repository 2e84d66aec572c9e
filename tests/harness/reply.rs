use serde_json::Value;

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Reply {
    pub async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.expect("a body") }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// The result of a call that was done.
    #[track_caller]
    pub fn result(&self) -> Value {
        let body = self.json();
        assert_eq!((self.status, &body["ok"]), (200, &Value::Bool(true)), "{}", self.text);
        body["result"].clone()
    }

    /// The one thing that the call was about: the `video` of `videos.get`.
    #[track_caller]
    pub fn one(&self) -> Value {
        let result = self.result();
        let (kind, thing) = result.as_object().and_then(|fields| fields.iter().next()).expect("a thing");
        let tool = self.json()["tool"].as_str().unwrap_or_default().to_owned();
        assert!(tool.to_lowercase().contains(kind.as_str()) || kind == "message" || kind == "entry", "{}", self.text);
        assert!(thing["id"].is_string() || kind == "watch", "{}", self.text);
        thing.clone()
    }

    /// The code of a call that was not, which must be a whole envelope.
    #[track_caller]
    pub fn code(&self) -> String {
        let body = self.json();
        assert_eq!(body["ok"], Value::Bool(false), "{}", self.text);
        for field in ["error", "code", "requestId"] {
            assert!(body[field].is_string(), "{field} is missing: {}", self.text);
        }
        assert!(body["retryable"].is_boolean(), "{}", self.text);
        assert_eq!(self.header("x-request-id"), body["requestId"].as_str().unwrap_or_default());
        body["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The status and the code.
    #[track_caller]
    pub fn failure(&self) -> (u16, String) {
        (self.status, self.code())
    }

    /// Fails unless it is refused for its arguments: by the schema, or by the tool where they fit it one by one.
    #[track_caller]
    pub fn is_refused_for_arguments(&self) {
        let failure = self.failure();
        let expected = [(400, "invalid_arguments".into()), (200, "arguments_refused".into())];
        assert!(expected.contains(&failure), "{}", self.text);
    }

    /// A header, empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
