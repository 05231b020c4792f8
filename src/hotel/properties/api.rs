//! `/api/v1/properties` (docs/contract/properties.md).

use std::collections::HashMap;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    access::{
        self,
        caller::{Caller, UnlimitedWriter, Writer},
        quotas,
    },
    base::{
        clock,
        error::{Error, Problems, Result},
        ids::PropertyId,
    },
    db::Tx,
    hotel::{
        groups,
        photos::{self, Parent},
        properties::{
            Draft, Property, list_index,
            render::{Found, items, written},
            store::{self, StoredProperty},
        },
        rate_plans::detach,
    },
    people::users,
    resource::{
        answer::{self, Made},
        json::{self, ListMeta},
        query::{self, Query},
        render_cache::RenderCache,
        steps::{self, List},
    },
    web::{body::Body, state::AppState},
};

/// The top key of bodies.
const KEY: &str = "property";

/// GET /properties
pub async fn list(
    state: Data<AppState>,
    cache: Data<RenderCache>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let query = Query::read(request.query_string())?;
    // A statement of its own: the connection is back before another is asked for.
    let short = list_index::small_page(&mut state.db.read_latest().await?, &caller, &query).await?;
    if let Some((found, meta)) = short.filter(|(found, _)| !found.iter().any(|hit| hit.in_others)) {
        let items = items(&found)?;
        let made = match answer::cached(&cache, &items) {
            Some(made) => made,
            None => answer::made(&cache, &mut state.db.read().await?, &Found, &items).await?,
        };
        match made {
            Made::Rendered(rendered) => return json::many_whole(&rendered, &ListMeta::Paged(meta)),
            Made::Long => return answer::long(&state.db, &cache, Found, items, ListMeta::Paged(meta)).await,
            Made::Changed => {}
        }
    }
    let mut tx = state.db.read().await?;
    let (found, meta) = list_index::page(&mut tx, &caller, &query).await?;
    answer::list(&state.db, &cache, tx, Found, items(&found)?, ListMeta::Paged(meta)).await
}

/// Properties in short.
struct Choices(Caller);

#[derive(Serialize)]
struct ShortAttributes {
    id: PropertyId,
    title: String,
    currency: String,
}

impl steps::Source for Choices {
    /// The type is plural here, unlike everywhere else.
    type Resource = json::Short<PropertyId, ShortAttributes>;

    const A_STEP: usize = 1_000;

    async fn read(&self, tx: &mut Tx, ids: &[Uuid]) -> Result<HashMap<Uuid, Self::Resource>> {
        let choice = |store::Choice { id, title, currency }| {
            (id.0, json::Short { r#type: "properties", id, attributes: ShortAttributes { id, title, currency } })
        };
        Ok(store::choices(tx, &self.0, ids).await?.into_iter().map(choice).collect())
    }
}

/// GET /properties/options
pub async fn options(state: Data<AppState>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let query = Query::read(request.query_string())?;
    let mut tx = state.db.read().await?;
    let ids = store::all(&mut tx, &caller, &query).await?;
    steps::answer(List::new(&state.db, tx, Choices(caller), ids, None)).await
}

/// GET /properties/:id
pub async fn read(
    state: Data<AppState>,
    cache: Data<RenderCache>,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let found = list_index::by_id(&mut state.db.read_latest().await?, &caller, id).await?.ok_or(Error::NotFound)?;
    if !found.in_others
        && let Some(Made::Rendered(rendered)) = answer::cached(&cache, &items(std::slice::from_ref(&found))?)
    {
        return json::one_whole(&rendered);
    }
    let mut tx = state.db.read().await?;
    let mut found = [list_index::by_id(&mut tx, &caller, id).await?.ok_or(Error::NotFound)?];
    list_index::with_other_groups(&mut tx, &caller, &mut found).await?;
    let item = items(&found)?.pop().ok_or(Error::NotFound)?;
    answer::one(&cache, &mut tx, &Found, item).await
}

/// POST /properties
pub async fn create(
    state: Data<AppState>,
    UnlimitedWriter(caller): UnlimitedWriter,
    sent: Body,
) -> Result<HttpResponse> {
    let sent = sent.top(KEY)?;
    let mut problems = Problems::default();
    let Draft { property, group, photos } = Property::create(&sent, &mut problems)?;
    let id = PropertyId::new();
    let photos = photos::plan(Parent { property: id, room_type: None }, Vec::new(), photos, &mut problems)?;
    let mut tx = state.db.write().await?;
    users::store::lock_user(&mut tx, caller.user).await?;
    let (group, problem) = match group {
        Some(group) => (access::lock_visible_group(&mut tx, &caller, group).await?.map(|_| group), "does not exist"),
        None => (groups::store::lock_default_group(&mut tx, &caller).await?, "can't be blank"),
    };
    if group.is_none() && !problems.names("group_id") {
        problems.add("group_id", problem);
    }
    problems.none_or_invalid()?;
    let group = group.ok_or(Error::NotFound)?;
    quotas::property(&mut tx, caller.user, state.settings.max_properties).await?;
    let now = clock::now();
    store::insert(&mut tx, &caller, id, &property, group, now).await?;
    photos::write(&mut tx, &photos, now).await?;
    let whole = written(&mut tx, &caller, StoredProperty { id, property, version: 1 }).await?;
    tx.commit().await?;
    Ok(json::created_whole(format!("{}/api/v1/properties/{id}", state.address()), whole))
}

/// PUT /properties/:id
pub async fn update(
    state: Data<AppState>,
    Writer(caller): Writer,
    id: Path<String>,
    sent: Body,
) -> Result<HttpResponse> {
    let sent = sent.top(KEY)?;
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let mut tx = state.db.write().await?;
    access::lock_visible_property(&mut tx, &caller, id).await?;
    let StoredProperty { id, property, version } = store::by_id(&mut tx, &caller, id).await?.ok_or(Error::NotFound)?;
    let mut problems = Problems::default();
    let Draft { property, photos, .. } = property.update(&sent, &mut problems)?;
    let parent = Parent { property: id, room_type: None };
    let photos = photos::plan(parent, photos::of_parent(&mut tx, parent).await?, photos, &mut problems)?;
    problems.none_or_invalid()?;
    store::update(&mut tx, id, &property).await?;
    photos::write(&mut tx, &photos, clock::now()).await?;
    let whole = written(&mut tx, &caller, StoredProperty { id, property, version }).await?;
    tx.commit().await?;
    json::one_whole(&[whole])
}

/// DELETE /properties/:id. There are no channels yet that `force` would have to overrule. A large one goes in several
/// transactions, with other writers in between.
pub async fn delete(
    state: Data<AppState>,
    Writer(caller): Writer,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    query::is_forced(request.query_string())?;
    let id = id.parse().map_err(|_| Error::NotFound)?;
    detach::in_steps(async || {
        let mut tx = state.db.write().await?;
        access::lock_visible_property(&mut tx, &caller, id).await?.ok_or(Error::NotFound)?.must_own()?;
        let is_last = store::delete(&mut tx, id).await?;
        tx.commit().await?;
        Ok(is_last)
    })
    .await?;
    Ok(json::success())
}
