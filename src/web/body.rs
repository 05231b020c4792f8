//! Request bodies: received in bounded time and memory; the JSON of API requests.

use std::{future::poll_fn, pin::pin, time::Duration};

use actix_web::{
    FromRequest, HttpRequest,
    body::{BodyStream, MessageBody},
    dev::Payload,
    http::header,
    rt::{
        self,
        time::{sleep, timeout},
    },
    web::{self, Bytes, Data},
};
use serde_json::{Map, Value};

use crate::{
    base::error::{Error, Result},
    web::{
        LONGEST_BODY,
        admission::{self, Admission, BodyBudget},
        parse::{self, Counter, TooMuch},
        state::AppState,
    },
};

/// Maximum number of JSON values in a body, known or not (docs/contract/README.md, section 11).
pub const MOST_VALUES: usize = 20_000;

/// Larger bodies are parsed on a blocking thread, so that they do not delay other requests.
const LARGE: usize = 256 * 1024;

/// Longer than it takes to send the response that a body came too late.
const RESPONSE_TIME: Duration = Duration::from_secs(5);

/// Why a body could not be received.
pub enum Missing {
    TooLarge,
    TooMuch(TooMuch),
    /// It is compressed, or encoded in another way.
    Encoded,
    Late,
    Broken,
    /// The bodies of all requests need too much memory.
    Full,
}

impl Missing {
    /// As an error, with messages for the API or for pages.
    pub fn into_error(self, late: &str, broken: &str) -> Error {
        match self {
            Missing::TooLarge => Error::TooLarge,
            Missing::TooMuch(TooMuch::Values(limit)) => {
                Error::bad_request(format!("the body has more than {limit} values"))
            }
            Missing::TooMuch(TooMuch::Digits) => Error::bad_request("the body has a number of too many digits"),
            Missing::Encoded => Error::Encoded,
            Missing::Late => Error::bad_request(late),
            Missing::Broken => Error::bad_request(broken),
            Missing::Full => Error::Unavailable,
        }
    }
}

/// Receives a body: at most `limit` bytes, and no more values than the counter allows, within `LATCHKEY_BODY_SECONDS`.
pub fn received(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
    counter: Option<Counter>,
) -> impl Future<Output = std::result::Result<Bytes, Missing>> + use<> {
    let request = request.clone();
    let suspended = admission::suspend(&request);
    let body = BodyStream::new(payload.take());
    async move {
        let parts = request.app_data::<Data<AppState>>().zip(request.app_data::<Data<Admission>>());
        let Some((state, limits)) = parts else { return Err(Missing::Broken) };
        if is_encoded(&request) {
            return Err(Missing::Encoded);
        }
        let timeout_after = Duration::from_secs(state.settings.body_seconds.into());
        let budget = BodyBudget::empty(limits);
        let mut receiving = Box::pin(collect(body, announced(&request), limit, counter, budget));
        match timeout(timeout_after, &mut receiving).await {
            Ok(Ok((bytes, budget))) => {
                suspended.resume(&request, budget).map_err(|_| Missing::Full)?;
                Ok(bytes)
            }
            Ok(Err(missing)) => Err(missing),
            Err(_) => {
                // A response before the end of the body closes the connection. But if a chunked body were dropped at
                // once, the framework would wait for its end, however long it takes.
                rt::spawn(async move {
                    sleep(RESPONSE_TIME).await;
                    drop(receiving);
                });
                Err(Missing::Late)
            }
        }
    }
}

/// True for a compressed or otherwise encoded body (docs/contract/README.md, section 4).
fn is_encoded(request: &HttpRequest) -> bool {
    request.headers().get_all(header::CONTENT_ENCODING).any(|codings| {
        let names = codings.to_str().unwrap_or("?").split(',').map(str::trim);
        names.into_iter().any(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"))
    })
}

/// The size of the body according to `content-length`.
fn announced(request: &HttpRequest) -> Option<usize> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Receives a body. Its budget counts what has arrived, not what was announced.
async fn collect(
    body: BodyStream<Payload>,
    announced: Option<usize>,
    limit: usize,
    mut counter: Option<Counter>,
    mut budget: BodyBudget,
) -> std::result::Result<(Bytes, BodyBudget), Missing> {
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    let (mut arrived, mut rejected) = (0, None);
    if announced.is_some_and(|size| size > limit) {
        return Err(Missing::TooLarge);
    }
    while let Some(chunk) = poll_fn(|context| body.as_mut().poll_next(context)).await {
        let chunk = chunk.map_err(|_| Missing::Broken)?;
        arrived += chunk.len();
        if arrived > limit {
            return Err(Missing::TooLarge);
        }
        if rejected.is_some() {
            continue;
        }
        if let Some(Err(too_much)) = counter.as_mut().map(|counter| counter.take(&chunk)) {
            // The rest is read and dropped, so that the client gets the response.
            rejected = Some(too_much);
            bytes = Vec::new();
            continue;
        }
        budget.add(chunk.len()).map_err(|_| Missing::Full)?;
        bytes.extend_from_slice(&chunk);
    }
    if let Some(too_much) = rejected {
        return Err(Missing::TooMuch(too_much));
    }
    counter.map_or(Ok(()), Counter::end).map_err(Missing::TooMuch)?;
    Ok((bytes.into(), budget))
}

/// A well-formed JSON body of at most `VALUES` values. Its content type is not checked: clients send all sorts.
pub struct Body<const VALUES: usize = MOST_VALUES>(Value);

impl<const VALUES: usize> Body<VALUES> {
    /// The object under the body's top-level member `key`. PHP writes an empty object as `[]`.
    ///
    /// # Errors
    /// `BadRequest` if it is missing or not an object.
    pub fn top(self, key: &str) -> Result<Map<String, Value>> {
        self.top_of(&[key])
    }

    /// The same of a body whose top key has several names: the first that is there.
    pub fn top_of(self, keys: &[&str]) -> Result<Map<String, Value>> {
        let inside = match self.0 {
            Value::Object(mut body) => keys.iter().find_map(|key| body.remove(*key)),
            _ => None,
        };
        match inside {
            Some(Value::Object(inside)) => Ok(inside),
            Some(Value::Array(inside)) if inside.is_empty() => Ok(Map::new()),
            _ => Err(Error::bad_request(format!("{} is required", keys.first().copied().unwrap_or_default()))),
        }
    }
}

impl<const VALUES: usize> FromRequest for Body<VALUES> {
    type Error = Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = received(request, payload, LONGEST_BODY, Some(Counter::new(VALUES)));
        Box::pin(async move {
            let bytes = bytes.await.map_err(|missing| {
                missing.into_error("the body did not arrive in time", "the body could not be read")
            })?;
            match bytes.len() {
                ..=LARGE => read(&bytes),
                _ => web::block(move || read(&bytes)).await.map_err(|_| Error::Unavailable)?,
            }
            .map(Body)
        })
    }
}

fn read(bytes: &[u8]) -> Result<Value> {
    match parse::unmarked(bytes) {
        [] => Ok(Value::Null),
        text => parse::json(text).map_err(|error| Error::bad_request(format!("the body is not valid JSON: {error}"))),
    }
}
