//! The body of a request: received whole in bounded time, and the JSON of an API request.

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

/// JSON values in a body at most, of whatever kind and known or not (docs/contract/README.md, section 11).
pub const MOST_VALUES: usize = 20_000;

/// Larger bodies are read beside the threads that serve, which others wait for.
const LARGE: usize = 256 * 1024;

/// For longer than it takes to say that a body came too late.
const SAYING_SO: Duration = Duration::from_secs(5);

/// Why there is no body.
pub enum Missing {
    TooLarge,
    TooMuch(TooMuch),
    /// It is compressed, or in another form that we do not read.
    Encoded,
    Late,
    Broken,
    /// There is no room for it just now.
    Full,
}

impl Missing {
    /// As an error, with the words of the part of the site that tells it.
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

/// The bytes of a body: at most `limit`, and no more values than the counter allows. Whoever sends them slowly holds a
/// connection and memory, so there is a deadline.
pub fn received(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
    counter: Option<Counter>,
) -> impl Future<Output = std::result::Result<Bytes, Missing>> + use<> {
    let request = request.clone();
    let waiting = admission::wait(&request);
    let body = BodyStream::new(payload.take());
    async move {
        let parts = request.app_data::<Data<AppState>>().zip(request.app_data::<Data<Admission>>());
        let Some((state, gate)) = parts else { return Err(Missing::Broken) };
        if is_encoded(&request) {
            return Err(Missing::Encoded);
        }
        let patience = Duration::from_secs(state.settings.body_seconds.into());
        let weight = BodyBudget::nothing(gate);
        let mut whole = Box::pin(collect(body, announced(&request), limit, counter, weight));
        match timeout(patience, &mut whole).await {
            Ok(Ok((bytes, weight))) => {
                waiting.enter(&request, weight).map_err(|_| Missing::Full)?;
                Ok(bytes)
            }
            Ok(Err(missing)) => Err(missing),
            Err(_) => {
                // An answer before the body's end closes the connection, but not where a body in chunks was let go:
                // that is waited for to its end, however long it takes.
                rt::spawn(async move {
                    sleep(SAYING_SO).await;
                    drop(whole);
                });
                Err(Missing::Late)
            }
        }
    }
}

/// True where the bytes are not the text itself (docs/contract/README.md, section 4).
fn is_encoded(request: &HttpRequest) -> bool {
    request.headers().get_all(header::CONTENT_ENCODING).any(|codings| {
        let names = codings.to_str().unwrap_or("?").split(',').map(str::trim);
        names.into_iter().any(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"))
    })
}

/// The size that the request says its body has.
fn announced(request: &HttpRequest) -> Option<usize> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Takes a body in, which counts for what has arrived of it, not for what it promises.
async fn collect(
    body: BodyStream<Payload>,
    announced: Option<usize>,
    limit: usize,
    mut counter: Option<Counter>,
    mut weight: BodyBudget,
) -> std::result::Result<(Bytes, BodyBudget), Missing> {
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    let (mut arrived, mut refused) = (0, None);
    if announced.is_some_and(|size| size > limit) {
        return Err(Missing::TooLarge);
    }
    while let Some(chunk) = poll_fn(|context| body.as_mut().poll_next(context)).await {
        let chunk = chunk.map_err(|_| Missing::Broken)?;
        arrived += chunk.len();
        if arrived > limit {
            return Err(Missing::TooLarge);
        }
        if refused.is_some() {
            continue;
        }
        if let Some(Err(too_much)) = counter.as_mut().map(|counter| counter.take(&chunk)) {
            // The rest is let pass, so that the client hears why.
            refused = Some(too_much);
            bytes = Vec::new();
            continue;
        }
        weight.add(chunk.len()).map_err(|_| Missing::Full)?;
        bytes.extend_from_slice(&chunk);
    }
    if let Some(too_much) = refused {
        return Err(Missing::TooMuch(too_much));
    }
    counter.map_or(Ok(()), Counter::end).map_err(Missing::TooMuch)?;
    Ok((bytes.into(), weight))
}

/// A body whose JSON is well formed, and of at most so many values. Its content type is not asked for: clients name all
/// sorts.
pub struct Body<const VALUES: usize = MOST_VALUES>(Value);

impl<const VALUES: usize> Body<VALUES> {
    /// What stands under the body's one top key. PHP writes an empty object as `[]`.
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
