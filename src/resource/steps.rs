//! Long answers, made step by step: while the client takes one part the next is not there yet. A short one is made the
//! same way, and sent as a whole with its length and its tag; a long one has neither.

use std::{
    collections::HashMap,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::{
    HttpResponse, HttpResponseBuilder,
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
    resource::{blocks::Blocks, collection::Resource, json::Meta},
};

/// Bytes from which an answer is long.
pub const LONG: usize = 1024 * 1024;

/// What makes an answer.
pub trait Steps: Sized + 'static {
    /// Adds the next part to the text: some megabytes at most. False when that was the last.
    fn next(&mut self, text: &mut Vec<u8>) -> impl Future<Output = Result<bool>>;
}

/// 200 with all that the steps make, which is JSON.
pub async fn answer<S: Steps>(steps: S) -> Result<HttpResponse> {
    let mut answer = HttpResponse::Ok();
    answer.content_type(ContentType::json());
    respond(answer, steps).await
}

/// A response with all that the steps make.
pub async fn respond<S: Steps>(mut answer: HttpResponseBuilder, mut steps: S) -> Result<HttpResponse> {
    let mut text = Vec::new();
    let mut more = true;
    while more && text.len() <= LONG {
        more = steps.next(&mut text).await?;
        // Nothing in a step need wait, on SQLite: others have their turn on this thread now.
        yield_now().await;
    }
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
    type Of: Resource;
    /// As the list shows one.
    type Shown: Serialize;

    /// Resources of one step: their texts together are a few megabytes at most.
    const A_STEP: usize;

    /// The blocks in which ids are found, unless they are known.
    fn blocks(&mut self) -> &mut Blocks<Self::Of>;

    /// The resources among `ids` that the caller can see.
    fn read(&self, tx: &mut Tx, ids: &[Uuid]) -> impl Future<Output = Result<HashMap<Uuid, Self::Shown>>>;
}

/// A list. A short one is of one moment; the steps of a long one each read what is newest then, and leave out what has
/// gone meanwhile.
pub struct List<S> {
    db: Db,
    source: S,
    /// Of the block that is being written.
    ids: Vec<Uuid>,
    place: usize,
    meta: Option<Meta>,
    /// The transaction that found the first ids, as long as the list is short.
    tx: Option<Tx>,
    written: usize,
    is_empty: bool,
}

impl<S: Source> List<S> {
    /// One page, whose ids are known.
    pub fn page(db: &Db, tx: Tx, source: S, ids: Vec<Uuid>, meta: Meta) -> Self {
        List { ids, meta: Some(meta), ..Self::whole(db, tx, source) }
    }

    /// All that the blocks of the source find.
    pub fn whole(db: &Db, tx: Tx, source: S) -> Self {
        let (db, tx) = (db.clone(), Some(tx));
        List { db, source, ids: Vec::new(), place: 0, meta: None, tx, written: 0, is_empty: true }
    }

    async fn step(&mut self, tx: &mut Tx, text: &mut Vec<u8>) -> Result<()> {
        if self.place == self.ids.len() {
            let hits = self.source.blocks().next(tx).await?;
            self.ids = hits.into_iter().map(|hit| hit.id).collect();
            self.place = 0;
        }
        let ids = &self.ids[self.place..self.ids.len().min(self.place + S::A_STEP)];
        if ids.is_empty() {
            return Ok(());
        }
        let mut found = self.source.read(tx, ids).await?;
        for resource in ids.iter().filter_map(|id| found.remove(id)) {
            if !std::mem::take(&mut self.is_empty) {
                text.push(b',');
            }
            serde_json::to_writer(&mut *text, &resource)?;
        }
        self.place += ids.len();
        Ok(())
    }

    fn is_over(&mut self) -> bool {
        self.place == self.ids.len() && self.source.blocks().is_over()
    }
}

impl<S: Source> Steps for List<S> {
    async fn next(&mut self, text: &mut Vec<u8>) -> Result<bool> {
        let before = text.len();
        if self.written == 0 {
            text.extend_from_slice(br#"{"data":["#);
        }
        if !self.is_over() {
            let mut tx = match self.tx.take() {
                Some(tx) => tx,
                None => self.db.read().await?,
            };
            self.step(&mut tx, text).await?;
            if self.written + text.len() - before <= LONG {
                self.tx = Some(tx);
            }
        }
        self.written += text.len() - before;
        let more = !self.is_over();
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
