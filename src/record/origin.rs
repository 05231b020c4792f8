//! Where a change came from: the client's address and program, and the id of the request.

use std::{
    future::{Ready, ready},
    net::IpAddr,
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderMap},
};
use uuid::Uuid;

use crate::{
    base::error::{Error, Result},
    web::request_log::RequestId,
};

/// Maximum number of characters that are stored of a client's own name.
const LONGEST_CLIENT: usize = 255;

/// Where a request came from. The default, without anything, is that of commands.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub address: Option<IpAddr>,
    /// What the client calls itself (`User-Agent`).
    pub client: Option<String>,
    /// The id of the request in the log.
    pub request: Option<Uuid>,
}

impl Origin {
    pub fn of(request: &HttpRequest) -> Self {
        let id = request.extensions().get::<RequestId>().copied();
        Origin { address: id.and_then(|id| id.1), client: client(request.headers()), request: id.map(|id| id.0) }
    }

    /// The address as text.
    pub fn address_text(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }
}

impl FromRequest for Origin {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Origin::of(request)))
    }
}

/// What a client calls itself, without control characters.
pub fn client(headers: &HeaderMap) -> Option<String> {
    headers.get(header::USER_AGENT).map(|agent| {
        let agent = String::from_utf8_lossy(agent.as_bytes());
        agent.chars().filter(|c| !c.is_control()).take(LONGEST_CLIENT).collect()
    })
}
