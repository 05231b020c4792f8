//! The requests of a collection that is declared (`collection.rs`).

use std::{collections::HashMap, sync::Arc};

use actix_web::{
    FromRequest, Handler, HttpRequest, HttpResponse, Responder,
    web::{Data, Path},
};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    access::{
        self,
        caller::{Caller, Writer},
        quotas,
    },
    base::{
        clock,
        error::{Error, Problems, Result},
        ids,
    },
    db::Tx,
    people::users,
    resource::{
        answer::{self, Fresh, Item},
        blocks::Blocks,
        collection::{self, Pages, Resource, Stored},
        json::{self, CallerFragment, ListMeta},
        query::Query,
        render_cache::{Fragment, RenderCache},
        steps::{self, List},
        store::{self, Hit},
        validate::Operation,
    },
    web::{
        body::Body,
        methods::{Routes, resource},
        state::AppState,
    },
};

/// The code of a 404 when a resource is read (docs/contract/README.md, section 4, "404 codes").
pub const READ: &str = "not_found";

impl Routes {
    /// Adds the routes of a collection.
    pub fn collection<R: Resource>(self) -> Self {
        self.collection_deleted_by::<R, _, _>(delete::<R>)
    }

    /// The same, where more goes with a resource than one transaction can delete.
    pub fn collection_deleted_by<R, F, Args>(self, delete: F) -> Self
    where
        R: Resource,
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let path = format!("/{}", R::NAME.many);
        let all = self.add(resource(&path).get(list::<R>).post(create::<R>));
        let all = match R::OPTION {
            [] => all,
            _ => all.add(resource(&format!("{path}/options")).get(options::<R>)),
        };
        let one = resource(&format!("{path}/{{id}}")).get(read::<R>).put(update::<R>).delete(delete);
        all.add(one.not_found(READ))
    }
}

/// Resources of the caller, rendered.
struct Visible<R>(Blocks<R>);

impl<R: Resource> answer::Source for Visible<R> {
    const STEP: usize = R::STEP;

    async fn read(&self, tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Fresh>> {
        let render = |stored: Stored<R>| {
            let text = serde_json::to_vec(&collection::body(&stored))?;
            Ok((stored.id, stored.version, Arc::new(Fragment::new(text, Vec::new()))))
        };
        store::by_ids::<R>(tx, &self.0.caller, ids).await?.into_iter().map(render).collect()
    }

    fn is_over(&self) -> bool {
        self.0.is_over()
    }

    async fn more(&mut self, tx: &mut Tx) -> Result<Vec<Item>> {
        Ok(items(self.0.next(tx).await?))
    }
}

fn item(Hit { id, version }: Hit, middle: &CallerFragment) -> Item {
    Item { id, version, middle: middle.clone() }
}

fn items(hits: Vec<Hit>) -> Vec<Item> {
    let middle = CallerFragment::new(Vec::new());
    hits.into_iter().map(|hit| item(hit, &middle)).collect()
}

/// GET /resources
pub async fn list<R: Resource>(
    state: Data<AppState>,
    cache: Data<RenderCache>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let query = Query::read(request.query_string())?;
    let mut tx = state.db.read().await?;
    if R::PAGES == Pages::Always || query.is_paged() {
        let (hits, meta) = store::page::<R>(&mut tx, &caller, &query).await?;
        let source = Visible::<R>(Blocks::none(caller));
        return answer::list(&state.db, &cache, tx, source, items(hits), ListMeta::Paged(meta)).await;
    }
    let mut blocks = Blocks::<R>::new(caller, query);
    let first = items(blocks.next(&mut tx).await?);
    let meta = if R::PAGES == Pages::WhenAsked { ListMeta::None } else { ListMeta::Empty };
    answer::list(&state.db, &cache, tx, Visible(blocks), first, meta).await
}

/// The same in short.
struct Choices<R>(Blocks<R>);

impl<R: Resource> steps::Source for Choices<R> {
    type Of = R;
    type Shown = json::Short<Uuid, Map<String, Value>>;

    const A_STEP: usize = 1_000;

    fn blocks(&mut self) -> &mut Blocks<R> {
        &mut self.0
    }

    async fn read(&self, tx: &mut Tx, ids: &[Uuid]) -> Result<HashMap<Uuid, Self::Shown>> {
        let short = |choice: store::Choice<R>| {
            (choice.id, json::Short { r#type: R::OPTION_TYPE, id: choice.id, attributes: choice.attributes })
        };
        Ok(store::choices::<R>(tx, &self.0.caller, ids).await?.into_iter().map(short).collect())
    }
}

/// GET /resources/options
pub async fn options<R: Resource>(state: Data<AppState>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let query = Query::read(request.query_string())?;
    let tx = state.db.read().await?;
    steps::answer(List::whole(&state.db, tx, Choices::<R>(Blocks::new(caller, query)))).await
}

/// GET /resources/:id
pub async fn read<R: Resource>(
    state: Data<AppState>,
    cache: Data<RenderCache>,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse> {
    let id = ids::parse(&id).ok_or(Error::NotFound)?;
    let mut tx = state.db.read().await?;
    let hit = store::hit::<R>(&mut tx, &caller, id).await?.ok_or(Error::NotFound)?;
    let item = item(hit, &CallerFragment::new(Vec::new()));
    answer::one(&cache, &mut tx, &Visible::<R>(Blocks::none(caller)), item).await
}

/// POST /resources
pub async fn create<R: Resource>(state: Data<AppState>, Writer(caller): Writer, sent: Body) -> Result<HttpResponse> {
    let mut sent = sent.top_of(R::KEYS)?;
    R::normalize(&mut sent);
    let mut problems = Problems::default();
    let mut resource = R::default();
    collection::apply(&mut resource, &sent, Operation::Create, &mut problems);
    let mut tx = state.db.write().await?;
    let parent = match resource.property() {
        Some(property) => {
            let is_valid = !problems.names("property_id");
            if is_valid && access::lock_visible_property(&mut tx, &caller, property).await?.is_none() {
                problems.add("property_id", "does not exist");
            }
            quotas::Of::Property(property)
        }
        None => {
            // A limited key could not see what it creates.
            caller.must_be_unlimited()?;
            users::store::lock_user(&mut tx, caller.user).await?;
            quotas::Of::User(caller.user)
        }
    };
    let mut stored = Stored { id: Uuid::now_v7(), version: rand::random(), resource };
    R::relate(&mut tx, &mut stored, Operation::Create, &mut problems).await?;
    problems.none_or_invalid()?;
    quotas::resource(&mut tx, R::NAME.many, &R::NAME.noun(), parent, R::limit(&state.settings)).await?;
    let owner = stored.resource.property().is_none().then_some(caller.user);
    store::insert(&mut tx, owner, &stored, clock::now()).await?;
    R::written(&mut tx, None, &stored).await?;
    tx.commit().await?;
    let location = format!("{}/api/v1/{}/{}", state.address(), R::NAME.many, stored.id);
    Ok(json::created(location, &collection::body(&stored)))
}

/// PUT /resources/:id
pub async fn update<R: Resource>(
    state: Data<AppState>,
    Writer(caller): Writer,
    id: Path<String>,
    sent: Body,
) -> Result<HttpResponse> {
    let mut sent = sent.top_of(R::KEYS)?;
    R::normalize(&mut sent);
    let mut tx = state.db.write().await?;
    let mut stored = lock::<R>(&mut tx, &caller, &id).await?;
    let old = stored.clone();
    let mut problems = Problems::default();
    collection::apply(&mut stored.resource, &sent, Operation::Update, &mut problems);
    R::relate(&mut tx, &mut stored, Operation::Update, &mut problems).await?;
    problems.none_or_invalid()?;
    // Random: a database that was restored must not come to a version that meant something else.
    stored.version = rand::random();
    store::update(&mut tx, &stored).await?;
    R::written(&mut tx, Some(&old), &stored).await?;
    tx.commit().await?;
    Ok(json::one(&collection::body(&stored)))
}

/// DELETE /resources/:id
pub async fn delete<R: Resource>(
    state: Data<AppState>,
    Writer(caller): Writer,
    id: Path<String>,
) -> Result<HttpResponse> {
    let mut tx = state.db.write().await?;
    let stored = lock::<R>(&mut tx, &caller, &id).await?;
    R::before_delete(&mut tx, &stored).await?;
    store::delete::<R>(&mut tx, stored.id).await?;
    tx.commit().await?;
    Ok(json::success())
}

/// One of the caller's resources.
pub async fn find<R: Resource>(tx: &mut Tx, caller: &Caller, id: &str) -> Result<Stored<R>> {
    let id = ids::parse(id).ok_or(Error::NotFound)?;
    store::by_id(tx, caller, id).await?.ok_or(Error::NotFound)
}

/// As [`find`], and nobody else changes what belongs to the same property, or user, before this transaction ends.
pub async fn lock<R: Resource>(tx: &mut Tx, caller: &Caller, id: &str) -> Result<Stored<R>> {
    match find::<R>(tx, caller, id).await?.resource.property() {
        Some(property) => drop(access::lock_visible_property(tx, caller, property).await?),
        None => users::store::lock_user(tx, caller.user).await?,
    }
    // It may have changed, or gone, while this waited.
    find(tx, caller, id).await
}
