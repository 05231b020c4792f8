//! `/api/v1/properties` (docs/contract/properties.md).

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use uuid::Uuid;

use crate::{
    access::{
        self,
        caller::{Caller, UnlimitedWriter, Writer},
        quotas,
        totals::TotalChanges,
    },
    base::{
        clock,
        error::{Error, Problems, Result},
        ids::PropertyId,
    },
    hotel::{
        groups,
        properties::{
            Property, list_index,
            render::{Found, items, written},
            store,
        },
        rate_plans::detach,
    },
    people::users,
    resource::{
        answer::{self, Made},
        collection::{self, Resource, Stored},
        json::{self, ListMeta},
        query::{self, Query},
        render_cache::RenderCache,
        store as resources,
        validate::Operation,
    },
    web::{body::Body, state::AppState},
};

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
    let mut problems = Problems::default();
    let resource = Property::create(sent.top_of(Property::KEYS)?, &mut problems);
    let group = resource.group_id.0;
    let mut stored = Stored { id: Uuid::now_v7(), version: rand::random(), resource };
    let mut tx = state.db.write().await?;
    users::store::lock_user(&mut tx, caller.user).await?;
    let (group, problem) = match group {
        Some(group) => (access::lock_visible_group(&mut tx, &caller, group).await?.map(|_| group), "does not exist"),
        None => (groups::store::lock_default_group(&mut tx, &caller).await?, "can't be blank"),
    };
    if group.is_none() && !problems.names("group_id") {
        problems.add("group_id", problem);
    }
    Property::relate(&mut tx, &mut stored, Operation::Create, &mut problems).await?;
    problems.none_or_invalid()?;
    let group = group.ok_or(Error::NotFound)?;
    quotas::property(&mut tx, caller.user, Property::limit(&state.settings)).await?;
    let mut totals = TotalChanges::default();
    store::insert(&mut tx, &mut totals, &caller, &stored, group, clock::now()).await?;
    Property::written(&mut tx, None, &stored).await?;
    let whole = written(&mut tx, &caller, &stored).await?;
    totals.commit(tx).await?;
    Ok(json::created_whole(format!("{}/api/v1/properties/{}", state.address(), stored.id), whole))
}

/// PUT /properties/:id
pub async fn update(
    state: Data<AppState>,
    Writer(caller): Writer,
    id: Path<String>,
    sent: Body,
) -> Result<HttpResponse> {
    let mut sent = sent.top_of(Property::KEYS)?;
    Property::normalize(&mut sent);
    let id: PropertyId = id.parse().map_err(|_| Error::NotFound)?;
    let mut tx = state.db.write().await?;
    access::lock_visible_property(&mut tx, &caller, id).await?;
    let mut stored: Stored<Property> = resources::by_id(&mut tx, &caller, id.0).await?.ok_or(Error::NotFound)?;
    let mut problems = Problems::default();
    collection::apply(&mut stored.resource, &sent, Operation::Update, &mut problems);
    Property::relate(&mut tx, &mut stored, Operation::Update, &mut problems).await?;
    problems.none_or_invalid()?;
    // Random: a database that was restored must not come to a version that meant something else.
    stored.version = rand::random();
    store::update(&mut tx, &stored).await?;
    Property::written(&mut tx, None, &stored).await?;
    let whole = written(&mut tx, &caller, &stored).await?;
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
        let mut totals = TotalChanges::default();
        let is_last = store::delete(&mut tx, &mut totals, id).await?;
        totals.commit(tx).await?;
        Ok(is_last)
    })
    .await?;
    Ok(json::success())
}
