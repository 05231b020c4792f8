//! `/api/v1/property_users` and `/api/v1/group_users`.

use std::collections::HashMap;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    access::{
        Role,
        caller::{Caller, UserManager},
    },
    base::{
        clock,
        error::{Error, Problems, Result},
        ids::{self, MemberId},
    },
    db::Tx,
    hotel::{
        accounts,
        changes::Changes,
        groups::placements::Giver,
        members::{Member, ParentId, add, ending},
    },
    people::users,
    record::{activity::Kind, origin::Origin},
    resource::{
        blocks::Blocks,
        collection::{self, Resource, Stored},
        handlers, json,
        query::Query,
        steps::{self, List, Source},
        store as resources,
        validate::Operation,
    },
    web::{
        body::Body,
        methods::{Routes, resource},
        state::AppState,
    },
};

impl Routes {
    /// Adds the routes of links to a property or a group.
    pub fn members<P: ParentId>(self) -> Self {
        let path = format!("/{}", P::NAME.many);
        self.add(resource(&path).get(list::<P>).post(invite::<P>))
            .add(resource(&format!("{path}/{{id}}")).get(read::<P>).put(update::<P>).delete(withdraw::<P>))
    }
}

/// Links as a list shows them.
struct Listed<P>(Blocks<Member<P>>);

impl<P: ParentId> Source for Listed<P> {
    type Of = Member<P>;
    type Shown = Value;

    const A_STEP: usize = Member::<P>::STEP;

    fn blocks(&mut self) -> &mut Blocks<Member<P>> {
        &mut self.0
    }

    async fn read(&self, tx: &mut Tx, ids: &[Uuid]) -> Result<HashMap<Uuid, Value>> {
        let members = resources::by_ids::<Member<P>>(tx, &self.0.caller, ids).await?;
        Ok(members.iter().map(|member| (member.id, collection::body(member))).collect())
    }
}

/// GET /property_users, /group_users: whole, unless pages are asked for.
async fn list<P: ParentId>(state: Data<AppState>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let query = Query::read(request.query_string())?;
    let mut tx = state.db.read().await?;
    if !query.is_paged() {
        return steps::answer(List::whole(&state.db, tx, Listed::<P>(Blocks::new(caller, query)))).await;
    }
    let (hits, meta) = resources::page::<Member<P>>(&mut tx, &caller, &query).await?;
    let ids = hits.into_iter().map(|hit| hit.id).collect();
    steps::answer(List::page(&state.db, tx, Listed::<P>(Blocks::none(caller)), ids, meta)).await
}

/// GET /property_users/:id
async fn read<P: ParentId>(state: Data<AppState>, caller: Caller, id: Path<String>) -> Result<HttpResponse> {
    let mut tx = state.db.read().await?;
    let member = handlers::find::<Member<P>>(&mut tx, &caller, &id).await?;
    completed(&mut tx, member).await
}

/// 200 with a link.
async fn completed<P: ParentId>(tx: &mut Tx, member: Stored<Member<P>>) -> Result<HttpResponse> {
    let mut members = [member];
    Member::complete(tx, &mut members).await?;
    Ok(json::one(&collection::body(&members[0])))
}

/// A link with the caller's role. Nobody else changes who the users are, or what rests on this one, before this
/// transaction ends.
pub async fn lock<P: ParentId>(tx: &mut Tx, caller: &Caller, id: &str) -> Result<(Stored<Member<P>>, Role)> {
    let Member { parent, user_id, .. } = handlers::find::<Member<P>>(tx, caller, id).await?.resource;
    users::store::lock_user(tx, user_id).await?;
    let role = P::OF.lock(tx, caller, parent.into()).await?.ok_or(Error::NotFound)?;
    // It may have gone while this waited.
    Ok((handlers::find(tx, caller, id).await?, role))
}

/// POST /property_users, /group_users
async fn invite<P: ParentId>(
    state: Data<AppState>,
    UserManager(caller): UserManager,
    origin: Origin,
    sent: Body,
) -> Result<HttpResponse> {
    caller.must_be_confirmed()?;
    let sent = sent.top("invite")?;
    let parent = sent.get(P::OF.field()).and_then(Value::as_str).and_then(ids::parse);
    let mut tx = state.db.write().await?;
    if let Some(parent) = parent {
        P::OF.role(&mut tx, &caller, parent).await?.ok_or(Error::Forbidden(None))?.must_own()?;
    }
    let mut problems = Problems::default();
    let mut member = Member::<P>::default();
    collection::apply(&mut member, &sent, Operation::Create, &mut problems);
    problems.none_or_invalid()?;
    let email = member.user_email.0.parse().map_err(|problem: &str| Error::Internal(problem.to_owned()))?;
    let now = clock::now();
    let mut changes = Changes::new(caller.by(&origin), now);
    let user = accounts::find_or_invite(&mut tx, &mut changes, &email, caller.user, now).await?;
    users::store::lock_user(&mut tx, user.id).await?;
    // The caller's role may have been lowered while this waited.
    let role = P::OF.lock(&mut tx, &caller, member.parent.clone().into()).await?;
    role.ok_or(Error::Forbidden(None))?.must_own()?;
    member.user_id = user.id;
    member.user_email.0.0 = user.email;
    member.name = user.name;
    let member = Stored { id: Uuid::now_v7(), version: 0, resource: member };
    add::add(&mut tx, &mut changes, &member, Giver::of(&caller), now).await?;
    changes.commit(tx).await?;
    let location = format!("{}/api/v1/{}/{}", state.address(), P::NAME.many, member.id);
    Ok(json::created(location, &collection::body(&member)))
}

/// PUT /property_users/:id
async fn update<P: ParentId>(
    state: Data<AppState>,
    UserManager(caller): UserManager,
    origin: Origin,
    id: Path<String>,
    sent: Body,
) -> Result<HttpResponse> {
    let sent = sent.top_of(Member::<P>::KEYS)?;
    let mut tx = state.db.write().await?;
    let (mut member, role) = lock::<P>(&mut tx, &caller, &id).await?;
    role.must_own()?;
    let old_role = member.resource.role;
    let mut problems = Problems::default();
    collection::apply(&mut member.resource, &sent, Operation::Update, &mut problems);
    problems.none_or_invalid()?;
    if member.resource.role == Role::Owner && old_role != Role::Owner {
        caller.must_be_confirmed()?;
    }
    resources::update(&mut tx, &member).await?;
    let (parent, user) = (member.resource.parent.clone().into(), member.resource.user_id);
    let mut changes = Changes::new(caller.by(&origin), clock::now());
    if member.resource.role != old_role {
        let old_role = Some(old_role.word());
        changes.member(&mut tx, Kind::MemberChanged, P::OF.with(parent), user, old_role).await?;
    }
    ending::after_loss(&mut tx, &mut changes, P::OF, parent, user).await?;
    let answer = completed(&mut tx, member).await?;
    changes.commit(tx).await?;
    Ok(answer)
}

/// DELETE /property_users/:id
async fn withdraw<P: ParentId>(
    state: Data<AppState>,
    UserManager(caller): UserManager,
    origin: Origin,
    id: Path<String>,
) -> Result<HttpResponse> {
    let mut tx = state.db.write().await?;
    let (member, role) = lock::<P>(&mut tx, &caller, &id).await?;
    role.must_own()?;
    if member.resource.user_id == caller.user {
        return Err(Error::Refused("User can not withdraw themself"));
    }
    let (parent, user) = (member.resource.parent.into(), member.resource.user_id);
    let mut changes = Changes::new(caller.by(&origin), clock::now());
    ending::end(&mut tx, &mut changes, P::OF, MemberId(member.id), parent, user).await?;
    changes.commit(tx).await?;
    Ok(json::success())
}
