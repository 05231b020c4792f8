//! An answer of the server, with assertions whose failures tell the whole of it.

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// A complete answer, and the request that it answers.
#[derive(Clone, Debug)]
pub struct Response {
    pub call: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Response {
    /// Asserts the status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "status of {self}");
        self
    }

    /// The body as text.
    #[track_caller]
    pub fn text(&self) -> &str {
        match std::str::from_utf8(&self.body) {
            Ok(text) => text,
            Err(error) => panic!("not UTF-8 ({error}): {self}"),
        }
    }

    /// The body as JSON, which it must say it is.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "content type of {self}");
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("not JSON ({error}): {self}"),
        }
    }

    /// Asserts the whole JSON body.
    #[track_caller]
    pub fn says(self, expected: Value) -> Self {
        let body = self.json();
        assert_eq!(body, expected, "body of {self}");
        self
    }

    /// `data` of a successful answer.
    #[track_caller]
    pub fn data(&self) -> Value {
        match self.json().get("data") {
            Some(data) => data.clone(),
            None => panic!("no data in {self}"),
        }
    }

    /// `data.id` of a successful answer.
    #[track_caller]
    pub fn id(&self) -> String {
        match &self.data()["id"] {
            Value::String(id) => id.clone(),
            other => panic!("the id is {other} in {self}"),
        }
    }

    /// `data.attributes` of a successful answer.
    #[track_caller]
    pub fn attributes(&self) -> Value {
        self.data()["attributes"].clone()
    }

    /// One attribute of every entry of a list, in its order.
    #[track_caller]
    pub fn column(&self, attribute: &str) -> Vec<String> {
        match self.data() {
            Value::Array(entries) => entries
                .iter()
                .map(|entry| match &entry["attributes"][attribute] {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                })
                .collect(),
            other => panic!("data is {other} in {self}"),
        }
    }

    /// Asserts an error without details: its status, and the whole body.
    #[track_caller]
    pub fn error(self, code: &str) -> Self {
        let (status, title) = status_and_title(code);
        self.is(status).says(json!({ "errors": { "code": code, "title": title } }))
    }

    /// Asserts an error with exactly these details.
    #[track_caller]
    pub fn error_with(self, code: &str, details: Value) -> Self {
        let (status, title) = status_and_title(code);
        self.is(status).says(json!({ "errors": { "code": code, "title": title, "details": details } }))
    }

    /// Asserts a refused body: exactly these messages of these fields.
    #[track_caller]
    pub fn invalid(self, details: Value) -> Self {
        self.error_with("validation_error", details)
    }

    /// Asserts a refused body with one message at this place (`/options`), which may begin with any of these words
    /// where the contract fixes no more.
    #[track_caller]
    pub fn invalid_at(self, place: &str, beginning: &str) -> Self {
        let details = self.json()["errors"]["details"].clone();
        let messages = details.pointer(place).and_then(Value::as_array);
        let told = messages.is_some_and(|messages| match &messages[..] {
            [Value::String(message)] => message.starts_with(beginning),
            _ => false,
        });
        assert!(told, "{place} should say one thing that begins with {beginning:?}: {self}");
        self.invalid(details)
    }

    /// Asserts an error whose details are not fixed by the contract, only that
    /// they are a list of texts that names the problem.
    #[track_caller]
    pub fn error_explained(self, code: &str) -> Self {
        let details = self.json()["errors"]["details"].clone();
        let explained = details.as_array().is_some_and(|list| {
            !list.is_empty() && list.iter().all(|entry| entry.as_str().is_some_and(|text| !text.is_empty()))
        });
        assert!(explained, "the details should name the problem: {self}");
        self.error_with(code, details)
    }

    /// A header that occurs once, or nothing.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        assert!(values.next().is_none(), "{name} is repeated in {self}");
        Some(first.to_str().expect("a header of ASCII"))
    }

    /// The headers that set cookies: that of the session, and that by which the browser is known again.
    pub fn set_cookies(&self) -> (Option<&str>, Option<&str>) {
        let all = self.headers.get_all("set-cookie").iter().map(|header| header.to_str().expect("a header of ASCII"));
        let (browser, session): (Vec<&str>, Vec<&str>) = all.partition(|header| header.contains("latchkey-browser"));
        assert!(browser.len() <= 1 && session.len() <= 1, "a cookie is set twice in {self}");
        (session.first().copied(), browser.first().copied())
    }

    /// A header that lists words, sorted, in lower case, each once.
    pub fn words(&self, name: &str) -> Vec<String> {
        let mut words: Vec<String> = self
            .headers
            .get_all(name)
            .iter()
            .flat_map(|value| value.to_str().expect("a header of ASCII").split(','))
            .map(|word| word.trim().to_ascii_lowercase())
            .filter(|word| !word.is_empty())
            .collect();
        words.sort();
        words.dedup();
        words
    }

    /// Status, headers and body without what differs between any two answers:
    /// two of these are equal when nobody can tell the answers apart.
    pub fn face(&self) -> (u16, Vec<(String, String)>, String) {
        // `Connection` is about the connection: it closes where a body was not
        // awaited. Lists of words have no order.
        let other = ["x-request-id", "date", "connection"];
        let mut headers: Vec<(String, String)> = self
            .headers
            .iter()
            .filter(|(name, _)| !other.contains(&name.as_str()))
            .map(|(name, value)| {
                let value = match name.as_str() {
                    list if list.starts_with("access-control-") => self.words(list).join(", "),
                    _ => String::from_utf8_lossy(value.as_bytes()).into_owned(),
                };
                (name.to_string(), value)
            })
            .collect();
        headers.sort();
        let body = String::from_utf8_lossy(&self.body).into_owned();
        (self.status, headers, body)
    }
}

/// The status and the title that belong to a code of the contract.
#[track_caller]
fn status_and_title(code: &str) -> (u16, &'static str) {
    match code {
        "bad_request" => (400, "Bad Request"),
        "unauthorized" => (401, "Unauthorized"),
        "forbidden" => (403, "Forbidden"),
        "not_found" | "resource_not_found" => (404, "Resource Not Found"),
        "method_not_allowed" => (405, "Method Not Allowed"),
        "payload_too_large" => (413, "Payload Too Large"),
        "unsupported_media_type" => (415, "Unsupported Media Type"),
        "validation_error" => (422, "Validation Error"),
        other => panic!("the contract has no code {other}"),
    }
}

impl std::fmt::Display for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.call)?;
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        write!(f, "\n{}", String::from_utf8_lossy(&self.body))
    }
}
