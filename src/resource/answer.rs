//! Answers with cached resources: what is in the cache in its newest version is taken from there, the rest is rendered
//! and cached. A long list is written in steps.

use std::{collections::HashMap, future::ready, sync::Arc};

use actix_web::{HttpResponse, web::Data};
use uuid::Uuid;

use crate::{
    base::error::{Error, Result},
    db::{Db, Tx},
    resource::{
        json::{self, CallerFragment, ListMeta, Rendered},
        render_cache::{Fragment, RenderCache},
        steps::{self, Steps},
    },
};

/// A resource that a query found for the caller.
pub struct Item {
    pub id: Uuid,
    /// The newest.
    pub version: i64,
    /// What the response shows of it that depends on the caller.
    pub middle: CallerFragment,
}

/// A resource rendered from the database, with the version that was read with it.
pub type Fresh = (Uuid, i64, Arc<Fragment>);

/// Where resources come from that are not in the cache.
pub trait Source: 'static {
    /// Resources that one step of a long list reads: their texts together are a few megabytes at most.
    const STEP: usize;

    /// Reads and renders resources that were found before, as far as they are still there.
    fn read(&self, tx: &mut Tx, ids: &[Uuid]) -> impl Future<Output = Result<Vec<Fresh>>>;

    /// False while more than was found before is to be found.
    fn is_over(&self) -> bool {
        true
    }

    /// Finds the next resources of a long list.
    fn more(&mut self, _: &mut Tx) -> impl Future<Output = Result<Vec<Item>>> {
        ready(Ok(Vec::new()))
    }
}

/// What is made of resources that were found.
pub enum Made {
    Rendered(Vec<Rendered>),
    /// Too much to be in memory at once.
    Long,
    /// One has another version in this transaction.
    Changed,
}

/// Resources in the versions found, all from the cache; `None` where one is not there.
pub fn cached(cache: &RenderCache, items: &[Item]) -> Option<Made> {
    let rendered = rendered(items, |item| cache.get(item.id, item.version))?;
    Some(if json::size(&rendered) > steps::LONG { Made::Long } else { Made::Rendered(rendered) })
}

fn rendered(items: &[Item], part: impl Fn(&Item) -> Option<Arc<Fragment>>) -> Option<Vec<Rendered>> {
    items.iter().map(|item| Some(Rendered { part: part(item)?, middle: item.middle.clone() })).collect()
}

/// Resources in the versions found: what is not cached is rendered, and cached.
pub async fn made<S: Source>(cache: &RenderCache, tx: &mut Tx, source: &S, items: &[Item]) -> Result<Made> {
    let mut parts: HashMap<(Uuid, i64), Arc<Fragment>> = HashMap::new();
    let (mut missing, mut bytes) = (Vec::new(), 0);
    for Item { id, version, .. } in items {
        match cache.get(*id, *version) {
            Some(part) => {
                bytes += part.size();
                parts.insert((*id, *version), part);
            }
            None => missing.push(*id),
        }
    }
    for missing in missing.chunks(S::STEP) {
        if bytes > steps::LONG {
            return Ok(Made::Long);
        }
        for (id, version, part) in fresh(cache, tx, source, missing).await? {
            bytes += part.size();
            parts.insert((id, version), part);
        }
    }
    let rendered = rendered(items, |item| parts.get(&(item.id, item.version)).cloned());
    Ok(match rendered {
        Some(rendered) if json::size(&rendered) > steps::LONG => Made::Long,
        Some(rendered) => Made::Rendered(rendered),
        None => Made::Changed,
    })
}

/// Resources rendered and cached.
pub async fn fresh<S: Source>(cache: &RenderCache, tx: &mut Tx, source: &S, ids: &[Uuid]) -> Result<Vec<Fresh>> {
    let fresh = source.read(tx, ids).await?;
    for (id, version, part) in &fresh {
        cache.keep(*id, *version, part.clone());
    }
    Ok(fresh)
}

/// 200 with one resource, however large it is.
pub async fn one<S: Source>(cache: &RenderCache, tx: &mut Tx, source: &S, item: Item) -> Result<HttpResponse> {
    let part = match cache.get(item.id, item.version) {
        Some(part) => part,
        None => fresh(cache, tx, source, &[item.id]).await?.pop().ok_or(Error::NotFound)?.2,
    };
    json::one_whole(&[Rendered { part, middle: item.middle }])
}

/// 200 with a list that this transaction found.
pub async fn list<S: Source>(
    db: &Db,
    cache: &Data<RenderCache>,
    mut tx: Tx,
    source: S,
    items: Vec<Item>,
    meta: ListMeta,
) -> Result<HttpResponse> {
    let made = match source.is_over() {
        true => made(cache, &mut tx, &source, &items).await?,
        false => Made::Long,
    };
    match made {
        Made::Rendered(rendered) => json::many_whole(&rendered, &meta),
        Made::Long => {
            drop(tx);
            long(db, cache, source, items, meta).await
        }
        // Unreachable: a transaction sees one moment.
        Made::Changed => Err(Error::Internal("a resource changed within a transaction".to_owned())),
    }
}

/// 200 with a long list. Those who see a resource when the list begins may see it until it ends, unless its source looks
/// again; what has changed meanwhile is shown as it is then, what has gone is left out.
pub async fn long<S: Source>(
    db: &Db,
    cache: &Data<RenderCache>,
    source: S,
    items: Vec<Item>,
    meta: ListMeta,
) -> Result<HttpResponse> {
    steps::answer(Long {
        db: db.clone(),
        cache: cache.clone(),
        source,
        items,
        place: 0,
        meta,
        is_begun: false,
        is_empty: true,
    })
    .await
}

struct Long<S> {
    db: Db,
    cache: Data<RenderCache>,
    source: S,
    items: Vec<Item>,
    place: usize,
    meta: ListMeta,
    is_begun: bool,
    is_empty: bool,
}

impl<S: Source> Steps for Long<S> {
    async fn next(&mut self, text: &mut Vec<u8>) -> Result<bool> {
        if !std::mem::replace(&mut self.is_begun, true) {
            text.extend_from_slice(br#"{"data":["#);
        }
        if self.place == self.items.len() && !self.source.is_over() {
            self.items = self.source.more(&mut self.db.read().await?).await?;
            self.place = 0;
        }
        let items = &self.items[self.place..self.items.len().min(self.place + S::STEP)];
        let mut parts: HashMap<Uuid, Arc<Fragment>> = HashMap::new();
        for Item { id, version, .. } in items {
            parts.extend(self.cache.get(*id, *version).map(|part| (*id, part)));
        }
        let missing: Vec<Uuid> = items.iter().map(|item| item.id).filter(|id| !parts.contains_key(id)).collect();
        if !missing.is_empty() {
            let mut tx = self.db.read().await?;
            let fresh = fresh(&self.cache, &mut tx, &self.source, &missing).await?;
            parts.extend(fresh.into_iter().map(|(id, _, part)| (id, part)));
        }
        for Item { id, middle, .. } in items {
            let Some(part) = parts.remove(id) else { continue };
            if !std::mem::take(&mut self.is_empty) {
                text.push(b',');
            }
            text.extend_from_slice(&part.head);
            text.extend_from_slice(middle.text());
            text.extend_from_slice(&part.tail);
        }
        self.place += items.len();
        let more = self.place < self.items.len() || !self.source.is_over();
        if !more {
            text.extend_from_slice(self.meta.end()?.as_bytes());
        }
        Ok(more)
    }
}
