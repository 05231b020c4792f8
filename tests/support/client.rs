//! A program that speaks HTTP with the server: anonymous, or with a key.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::property::GROUPS;
use crate::response::Response;
use crate::secrets::Secrets;

/// Sends requests to one server, each with the same standing headers.
/// It never follows a redirect: where one leads is part of the answer.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base_url: String,
    standing: HeaderMap,
    secrets: Secrets,
}

impl Client {
    /// A client of the server at `base_url`, on connections of its own.
    pub fn new(base_url: &str, secrets: &Secrets, setup: reqwest::ClientBuilder) -> Self {
        let http = setup.redirect(reqwest::redirect::Policy::none()).no_proxy().build().expect("a client");
        Self { http, base_url: base_url.to_owned(), standing: HeaderMap::new(), secrets: secrets.clone() }
    }

    /// The same client with one more header on every request.
    pub fn always(mut self, name: &str, value: &str) -> Self {
        set(&mut self.standing, name, value.as_bytes());
        self
    }

    /// Reads a path.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// Asks for the headers of a path alone.
    pub fn head(&self, path: &str) -> Call {
        self.call(Method::HEAD, path)
    }

    /// Sends JSON to make or do something.
    pub fn post(&self, path: &str, body: &Value) -> Call {
        self.call(Method::POST, path).json(body)
    }

    /// Sends JSON to change something.
    pub fn put(&self, path: &str, body: &Value) -> Call {
        self.call(Method::PUT, path).json(body)
    }

    /// Deletes what a path names.
    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// Sends a form as a page does.
    pub fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Call {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.call(Method::POST, path).header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// Any request; awaiting it sends it.
    pub fn call(&self, method: Method, path: &str) -> Call {
        Call { client: self.clone(), method, path: path.to_owned(), headers: self.standing.clone(), body: None }
    }
}

/// A request that is sent when it is awaited.
pub struct Call {
    client: Client,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Call {
    /// Sets a header, in place of a standing one of that name.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        set(&mut self.headers, name, value.as_ref());
        self
    }

    /// Leaves a standing header out.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Sends these bytes, whatever they are, and claims nothing of them.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends JSON and says so.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    async fn send(self) -> Response {
        self.attempt().await.unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// Sends it to a server that may be gone at any moment; `None` where no whole answer came.
    pub async fn answer(self) -> Option<Response> {
        self.attempt().await.ok()
    }

    async fn attempt(self) -> Result<Response, String> {
        let call = self.to_string();
        let url = format!("{}{}", self.client.base_url, self.path);
        let mut request = self.client.http.request(self.method, url).headers(self.headers);
        if let Some(body) = self.body {
            request = request.body(body);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Err(format!("{call} was not answered: {error:?}")),
        };
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        for cookie in headers.get_all("set-cookie") {
            let cookie = String::from_utf8_lossy(cookie.as_bytes());
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((_, value)) = pair.split_once('=') {
                self.client.secrets.register_cookie(value);
            }
        }
        let body = match answer.bytes().await {
            Ok(body) => body.to_vec(),
            Err(error) => return Err(format!("the body of {call} broke off: {error:?}")),
        };
        Ok(Response { call, status, headers, body })
    }
}

/// The request as a failing assertion tells it: with its body, if that is short.
impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        match self.body.as_deref().map(std::str::from_utf8) {
            Some(Ok(body)) if body.len() <= 1000 => write!(f, " {body}"),
            Some(_) => write!(f, " (a long body)"),
            None => Ok(()),
        }
    }
}

impl IntoFuture for Call {
    type Output = Response;
    type IntoFuture = Pin<Box<dyn Future<Output = Response>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

fn set(headers: &mut HeaderMap, name: &str, value: &[u8]) {
    headers.insert(
        HeaderName::from_bytes(name.as_bytes()).expect("a header name"),
        HeaderValue::from_bytes(value).expect("a header value"),
    );
}

/// Sends requests at the same moment, over connections that are open already. Their answers, in that order.
pub async fn at_once(calls: impl IntoIterator<Item = Call>) -> Vec<Response> {
    let calls: Vec<_> = calls.into_iter().map(|call| actix_web::rt::spawn(call.into_future())).collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.expect("an answer"));
    }
    answers
}

/// Opens connections, so that a race begins at the requests.
pub async fn warm(clients: &[&Client]) {
    at_once(clients.iter().flat_map(|client| [client.get(GROUPS), client.get(GROUPS)])).await;
}
