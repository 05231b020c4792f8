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
    web::{Bytes, Data},
};
use serde_json::{Map, Value};

use super::{
    error::{Error, Result},
    gate::{self, Weight},
    parse,
};
use crate::site::Site;

/// 10 MiB (contract/README.md, section 11).
pub const LIMIT: usize = 10 * 1024 * 1024;

/// For longer than it takes to say that a body came too late.
const SAYING_SO: Duration = Duration::from_secs(5);

/// Why there is no body.
pub enum Missing {
    TooLarge,
    Late,
    Broken,
    /// There is no room for it just now.
    Full,
}

impl Missing {
    /// As an error, with the words of the part of the site that tells it.
    pub fn told(self, late: &str, broken: &str) -> Error {
        match self {
            Missing::TooLarge => Error::TooLarge,
            Missing::Late => Error::bad_request(late),
            Missing::Broken => Error::bad_request(broken),
            Missing::Full => Error::Unavailable,
        }
    }
}

/// The bytes of a body, so many at most. Whoever sends them slowly holds a connection, and the memory of what has come,
/// and gets so much time and no more.
pub fn received(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
) -> impl Future<Output = std::result::Result<Bytes, Missing>> + use<> {
    let request = request.clone();
    let waiting = gate::wait(&request);
    let body = BodyStream::new(payload.take());
    async move {
        let Some(site) = request.app_data::<Data<Site>>() else { return Err(Missing::Broken) };
        let patience = Duration::from_secs(site.settings.body_seconds.into());
        let mut whole = Box::pin(collect(body, announced(&request), limit, Weight::nothing(&site.gate)));
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

/// The size that the request says its body has.
fn announced(request: &HttpRequest) -> Option<usize> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Takes a body in, which counts for what has arrived of it, not for what it promises.
async fn collect(
    body: BodyStream<Payload>,
    announced: Option<usize>,
    limit: usize,
    mut weight: Weight,
) -> std::result::Result<(Bytes, Weight), Missing> {
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    if announced.is_some_and(|size| size > limit) {
        return Err(Missing::TooLarge);
    }
    while let Some(chunk) = poll_fn(|context| body.as_mut().poll_next(context)).await {
        let chunk = chunk.map_err(|_| Missing::Broken)?;
        if bytes.len() + chunk.len() > limit {
            return Err(Missing::TooLarge);
        }
        weight.add(chunk.len()).map_err(|_| Missing::Full)?;
        bytes.extend_from_slice(&chunk);
    }
    Ok((bytes.into(), weight))
}

/// A body whose JSON is well formed. Its content type is not asked for: clients name all sorts.
pub struct Body(Value);

impl Body {
    /// What stands under the body's one top key.
    pub fn top(self, key: &str) -> Result<Map<String, Value>> {
        match self.0 {
            Value::Object(mut body) => match body.remove(key) {
                Some(Value::Object(inside)) => Ok(inside),
                _ => Err(Error::bad_request(format!("{key} is required"))),
            },
            _ => Err(Error::bad_request(format!("{key} is required"))),
        }
    }
}

impl FromRequest for Body {
    type Error = Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = received(request, payload, LIMIT);
        Box::pin(async move {
            let bytes = bytes
                .await
                .map_err(|missing| missing.told("the body did not arrive in time", "the body could not be read"))?;
            if bytes.is_empty() {
                return Ok(Body(Value::Null));
            }
            parse::json(&bytes)
                .map(Body)
                .map_err(|error| Error::bad_request(format!("the body is not valid JSON: {error}")))
        })
    }
}
