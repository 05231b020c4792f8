//! Long answers, made step by step: while the client takes one part the next is not there yet. A short one is made the
//! same way, and sent as a whole with its length and its tag; a long one has neither.

use std::{
    collections::HashMap,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::{
    HttpResponse,
    body::{BodySize, MessageBody},
    http::header::ContentType,
    web::Bytes,
};
use serde::Serialize;
use tokio::task::yield_now;
use uuid::Uuid;

use crate::{
    base::error::Result,
    db::{Db, Tx},
    resource::json::Meta,
};

/// Bytes from which an answer is long.
pub const LONG: usize = 1024 * 1024;

/// What makes an answer.
pub trait Steps: Sized + 'static {
    /// Adds the next part to the text: some megabytes at most. False when that was the last.
    fn next(&mut self, text: &mut Vec<u8>) -> impl Future<Output = Result<bool>>;
}

/// 200 with all that the steps make.
pub async fn answer<S: Steps>(mut steps: S) -> Result<HttpResponse> {
    let mut text = Vec::new();
    let mut more = true;
    while more && text.len() <= LONG {
        more = steps.next(&mut text).await?;
        // Nothing in a step need wait, on SQLite: others have their turn on this thread now.
        yield_now().await;
    }
    let mut answer = HttpResponse::Ok();
    answer.content_type(ContentType::json());
    if text.len() <= LONG {
        return Ok(answer.body(text));
    }
    Ok(answer.body(Long { first: Some(text.into()), rest: more.then(|| rest(steps)) }))
}

/// The steps, the text of one of them, and whether others follow.
type Rest<S> = Pin<Box<dyn Future<Output = Result<(S, Bytes, bool)>>>>;

fn rest<S: Steps>(mut steps: S) -> Rest<S> {
    Box::pin(async move {
        let mut text = Vec::new();
        let more = steps.next(&mut text).await?;
        yield_now().await;
        Ok((steps, text.into(), more))
    })
}

/// The body of a long answer.
struct Long<S> {
    first: Option<Bytes>,
    rest: Option<Rest<S>>,
}

impl<S> Unpin for Long<S> {}

impl<S: Steps> MessageBody for Long<S> {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    /// A step that fails ends the connection, so that nobody takes the answer for a whole one.
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let made = ready!(rest.as_mut().poll(context));
        self.rest = None;
        match made {
            Ok((steps, text, more)) => {
                self.rest = more.then(|| self::rest(steps));
                Poll::Ready(Some(Ok(text)))
            }
            Err(error) => {
                log::error!("a long response was cut off: {error}");
                Poll::Ready(Some(Err(io::Error::other(error.to_string()))))
            }
        }
    }
}

/// Where the resources of a list come from.
pub trait Source: 'static {
    type Resource: Serialize;

    /// Resources of one step: their texts together are a few megabytes at most.
    const A_STEP: usize;

    /// The resources among `ids` that the caller can see.
    fn read(&self, tx: &mut Tx, ids: &[Uuid]) -> impl Future<Output = Result<HashMap<Uuid, Self::Resource>>>;
}

/// A list whose ids are known. A short one is of one moment; the steps of a long one each read what is newest then, and
/// leave out what has gone meanwhile.
pub struct List<S> {
    db: Db,
    source: S,
    ids: Vec<Uuid>,
    place: usize,
    meta: Option<Meta>,
    /// The transaction that found the ids.
    tx: Option<Tx>,
    written: usize,
    is_empty: bool,
}

impl<S: Source> List<S> {
    pub fn new(db: &Db, tx: Tx, source: S, ids: Vec<Uuid>, meta: Option<Meta>) -> Self {
        List { db: db.clone(), source, ids, place: 0, meta, tx: Some(tx), written: 0, is_empty: true }
    }
}

impl<S: Source> Steps for List<S> {
    async fn next(&mut self, text: &mut Vec<u8>) -> Result<bool> {
        let before = text.len();
        if self.place == 0 {
            text.extend_from_slice(br#"{"data":["#);
        }
        let ids = &self.ids[self.place..self.ids.len().min(self.place + S::A_STEP)];
        if !ids.is_empty() {
            let mut tx = match self.tx.take() {
                Some(tx) => tx,
                None => self.db.read().await?,
            };
            let mut found = self.source.read(&mut tx, ids).await?;
            for resource in ids.iter().filter_map(|id| found.remove(id)) {
                if !std::mem::take(&mut self.is_empty) {
                    text.push(b',');
                }
                serde_json::to_writer(&mut *text, &resource)?;
            }
            self.place += ids.len();
            self.written += text.len() - before;
            if self.written <= LONG {
                self.tx = Some(tx);
            }
        }
        let more = self.place < self.ids.len();
        if !more {
            text.push(b']');
            if let Some(meta) = &self.meta {
                text.extend_from_slice(br#","meta":"#);
                serde_json::to_writer(&mut *text, meta)?;
            }
            text.push(b'}');
        }
        Ok(more)
    }
}
