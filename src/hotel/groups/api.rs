//! `/api/v1/groups` (docs/contract/groups.md).

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};

use crate::{
    access::{
        self,
        caller::{Caller, UnlimitedWriter},
        quotas,
    },
    base::{
        clock,
        error::{Error, Problems, Result},
        ids::{GroupId, PropertyId},
    },
    hotel::{
        changes::Changes,
        groups::{
            Group,
            answers::Answer,
            placements::{self, Giver},
            store,
        },
    },
    people::users,
    record::origin::Origin,
    resource::{
        collection::{self, Resource, Stored},
        json,
        query::Query,
        steps, store as resources,
        validate::Operation,
    },
    web::{body::Body, state::AppState},
};

/// GET /groups: whole, unless pages are asked for.
pub async fn list(state: Data<AppState>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let query = Query::read(request.query_string())?;
    let mut tx = state.db.read().await?;
    if !query.is_paged() {
        return steps::answer(Answer::whole(&state.db, caller, tx, query)).await;
    }
    let (hits, meta) = resources::page::<Group>(&mut tx, &caller, &query).await?;
    let ids = hits.into_iter().map(|hit| hit.id).collect();
    steps::answer(Answer::page(&state.db, caller, tx, ids, meta)).await
}

/// GET /groups/:id
pub async fn read(state: Data<AppState>, caller: Caller, id: Path<String>) -> Result<HttpResponse> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let tx = state.db.read().await?;
    steps::answer(Answer::one(&state.db, caller, tx, id)).await
}

/// POST /groups: the caller becomes the owner.
pub async fn create(
    state: Data<AppState>,
    UnlimitedWriter(caller): UnlimitedWriter,
    sent: Body,
) -> Result<HttpResponse> {
    let mut problems = Problems::default();
    let mut group = Group::titled("");
    collection::apply(&mut group.resource, &sent.top_of(Group::KEYS)?, Operation::Create, &mut problems);
    problems.none_or_invalid()?;
    let mut tx = state.db.write().await?;
    users::store::lock_user(&mut tx, caller.user).await?;
    quotas::group(&mut tx, caller.user, Group::limit(&state.settings)).await?;
    store::insert(&mut tx, &group, caller.user, Giver::of(&caller), clock::now()).await?;
    tx.commit().await?;
    let location = format!("{}/api/v1/groups/{}", state.address(), group.id);
    Ok(json::created(location, &collection::body(&group)))
}

/// PUT /groups/:id
pub async fn update(
    state: Data<AppState>,
    UnlimitedWriter(caller): UnlimitedWriter,
    id: Path<String>,
    sent: Body,
) -> Result<HttpResponse> {
    let sent = sent.top_of(Group::KEYS)?;
    let id: GroupId = id.parse().map_err(|_| Error::NotFound)?;
    let mut tx = state.db.write().await?;
    let role = access::lock_visible_group(&mut tx, &caller, id).await?.ok_or(Error::NotFound)?;
    role.must_own()?;
    let mut group: Stored<Group> = resources::by_id(&mut tx, &caller, id.0).await?.ok_or(Error::NotFound)?;
    let mut problems = Problems::default();
    collection::apply(&mut group.resource, &sent, Operation::Update, &mut problems);
    problems.none_or_invalid()?;
    resources::update(&mut tx, &group).await?;
    tx.commit().await?;
    // What is in it may be much, and nobody waits for that.
    let tx = state.db.read().await?;
    steps::answer(Answer::one(&state.db, caller, tx, id)).await
}

/// DELETE /groups/:id: an empty one, but not the last that the caller owns.
pub async fn delete(
    state: Data<AppState>,
    UnlimitedWriter(caller): UnlimitedWriter,
    id: Path<String>,
) -> Result<HttpResponse> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let mut tx = state.db.write().await?;
    // Two groups deleted at once must not both be the last but one.
    users::store::lock_user(&mut tx, caller.user).await?;
    let role = access::lock_visible_group(&mut tx, &caller, id).await?.ok_or(Error::NotFound)?;
    role.must_own()?;
    if store::count_properties(&mut tx, id).await? > 0 {
        return Err(Error::Refused("Group has properties"));
    }
    if store::count_owned(&mut tx, caller.user).await? <= 1 {
        return Err(Error::Refused("User must have at least one group"));
    }
    store::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(json::success())
}

/// POST /groups/:group_id/properties/:property_id
pub async fn add(
    state: Data<AppState>,
    UnlimitedWriter(caller): UnlimitedWriter,
    origin: Origin,
    ids: Path<(String, String)>,
) -> Result<HttpResponse> {
    caller.must_be_confirmed()?;
    let (group, property) = read_ids(&ids)?;
    let mut tx = state.db.write().await?;
    // Whoever takes a right of the caller away waits for this, or is seen here.
    users::store::lock_user(&mut tx, caller.user).await?;
    let group_role = access::lock_visible_group(&mut tx, &caller, group).await?.ok_or(Error::NotFound)?;
    let property_role = access::lock_visible_property(&mut tx, &caller, property).await?.ok_or(Error::NotFound)?;
    group_role.must_own()?;
    property_role.must_own()?;
    quotas::group_of_property(&mut tx, property).await?;
    let now = clock::now();
    let mut changes = Changes::new(caller.by(&origin), now);
    if !placements::add(&mut tx, &mut changes, group, property, Giver::of(&caller), None, now).await? {
        let mut problems = Problems::default();
        problems.add("hotel_id", "Only one GroupHotel entity per Group and Hotel pair allowed!");
        return Err(Error::Invalid(problems));
    }
    // One that would end at the next look: the caller owns the property only by what they made themselves.
    placements::end_unsupported(&mut tx, &mut changes, property).await?;
    placements::is_home(&mut tx, group, property).await?.ok_or(Error::Forbidden(None))?;
    changes.commit(tx).await?;
    Ok(json::success())
}

/// DELETE /groups/:group_id/properties/:property_id: an owner of the property takes it out of any group but its home,
/// also out of one that the owner does not see (docs/contract/README.md, section 15, 104).
pub async fn remove(
    state: Data<AppState>,
    UnlimitedWriter(caller): UnlimitedWriter,
    origin: Origin,
    ids: Path<(String, String)>,
) -> Result<HttpResponse> {
    let (group, property) = read_ids(&ids)?;
    let mut tx = state.db.write().await?;
    let mut changes = Changes::new(caller.by(&origin), clock::now());
    placements::take_out(&mut tx, &mut changes, &caller, group, property).await?;
    changes.commit(tx).await?;
    Ok(json::success())
}

fn read_ids(ids: &(String, String)) -> Result<(GroupId, PropertyId)> {
    Ok((ids.0.parse().map_err(|_| Error::NotFound)?, ids.1.parse().map_err(|_| Error::NotFound)?))
}
