//! `/api/v1/property_users` and `/api/v1/group_users`.

use std::collections::HashMap;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
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
        groups::placements::Giver,
        members::{Member, MemberOf, add, ending, store},
    },
    people::users,
    resource::{
        json,
        query::Query,
        steps::{self, List, Source},
        validate::{self, Operation},
    },
    web::{body::Body, state::AppState},
};

#[derive(Serialize)]
struct MemberBody {
    r#type: &'static str,
    id: MemberId,
    attributes: Map<String, Value>,
    relationships: Map<String, Value>,
}

impl MemberBody {
    fn new(of: MemberOf, member: &Member) -> Result<Self> {
        let overrides: Option<Value> = member.overrides.as_deref().map(serde_json::from_str).transpose()?;
        let mut attributes = Map::new();
        attributes.insert("id".to_owned(), json!(member.id));
        attributes.insert("overrides".to_owned(), json!(overrides));
        attributes.insert(of.parent_field().to_owned(), json!(member.parent));
        attributes.insert("role".to_owned(), json!(member.role));
        attributes.insert("user_id".to_owned(), json!(member.user_id));
        let mut relationships = Map::new();
        let parent = json!({ "data": { "id": member.parent, "type": of.parent_name() } });
        relationships.insert(of.parent_name().to_owned(), parent);
        let user = json!({ "id": member.user_id, "type": "user", "email": member.email, "name": member.name });
        relationships.insert("user".to_owned(), json!({ "data": user }));
        Ok(MemberBody { r#type: of.name(), id: member.id, attributes, relationships })
    }
}

/// Links as a list shows them.
struct Listed {
    of: MemberOf,
    caller: Caller,
}

impl Source for Listed {
    type Resource = MemberBody;

    const A_STEP: usize = 100;

    async fn read(&self, tx: &mut Tx, ids: &[Uuid]) -> Result<HashMap<Uuid, MemberBody>> {
        let members = store::by_ids(tx, self.of, &self.caller, ids).await?;
        members.iter().map(|member| Ok((member.id.0, MemberBody::new(self.of, member)?))).collect()
    }
}

async fn list(of: MemberOf, state: &Data<AppState>, caller: Caller, request: &HttpRequest) -> Result<HttpResponse> {
    let query = Query::read(request.query_string())?;
    let mut tx = state.db.read().await?;
    let (ids, meta) = store::list(&mut tx, of, &caller, &query).await?;
    steps::answer(List::new(&state.db, tx, Listed { of, caller }, ids, meta)).await
}

async fn read(of: MemberOf, state: &AppState, caller: &Caller, id: &str) -> Result<HttpResponse> {
    let mut tx = state.db.read().await?;
    let member = find(&mut tx, of, id).await?;
    of.role(&mut tx, caller, member.parent).await?.ok_or(Error::NotFound)?;
    Ok(json::one(&MemberBody::new(of, &member)?))
}

async fn find(tx: &mut Tx, of: MemberOf, id: &str) -> Result<Member> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    store::by_id(tx, of, id).await?.ok_or(Error::NotFound)
}

/// As `find`, with the caller's role. Nobody else changes who the users are, or what rests on this one, before this
/// transaction ends.
pub async fn lock(tx: &mut Tx, of: MemberOf, caller: &Caller, id: &str) -> Result<(Member, Role)> {
    let Member { parent, user_id, .. } = find(tx, of, id).await?;
    of.role(tx, caller, parent).await?.ok_or(Error::NotFound)?;
    users::store::lock_user(tx, user_id).await?;
    let role = of.lock(tx, caller, parent).await?.ok_or(Error::NotFound)?;
    // It may have gone while this waited.
    Ok((find(tx, of, id).await?, role))
}

async fn invite(of: MemberOf, state: &AppState, caller: &Caller, sent: Body) -> Result<HttpResponse> {
    let sent = sent.top("invite")?;
    let parent = sent.get(of.parent_field()).and_then(Value::as_str).and_then(ids::parse);
    let mut tx = state.db.write().await?;
    if let Some(parent) = parent {
        of.role(&mut tx, caller, parent).await?.ok_or(Error::Forbidden(None))?.must_own()?;
    }
    let mut problems = Problems::default();
    let validated = validate::validate(of.invite(), &sent, &Map::new(), Operation::Create, &mut problems);
    problems.none_or_invalid()?;
    let email = text(&validated, "user_email");
    let email = email.parse::<users::Email>().map_err(|problem| Error::Internal(problem.to_owned()))?;
    let now = clock::now();
    let user = accounts::find_or_invite(&mut tx, &email, caller.user, now).await?;
    let parent = parent.ok_or(Error::NotFound)?;
    users::store::lock_user(&mut tx, user.id).await?;
    // The caller's role may have been lowered while this waited.
    of.lock(&mut tx, caller, parent).await?.ok_or(Error::Forbidden(None))?.must_own()?;
    let member = Member {
        id: MemberId::new(),
        parent,
        user_id: user.id,
        role: text(&validated, "role"),
        overrides: overrides(&validated, None),
        email: user.email,
        name: user.name,
    };
    add::add(&mut tx, of, &member, Giver::of(caller), now).await?;
    tx.commit().await?;
    let collection = format!("{}s", of.name());
    let location = format!("{}/api/v1/{collection}/{}", state.address(), member.id);
    Ok(json::created(location, &MemberBody::new(of, &member)?))
}

async fn update(of: MemberOf, state: &AppState, caller: &Caller, id: &str, sent: Body) -> Result<HttpResponse> {
    let sent = sent.top(of.name())?;
    let mut tx = state.db.write().await?;
    let (mut member, role) = lock(&mut tx, of, caller, id).await?;
    role.must_own()?;
    let mut problems = Problems::default();
    let validated = validate::validate(of.fields(), &sent, &Map::new(), Operation::Update, &mut problems);
    problems.none_or_invalid()?;
    if validated.contains_key("role") {
        member.role = text(&validated, "role");
    }
    member.overrides = overrides(&validated, member.overrides);
    store::update(&mut tx, of, &member).await?;
    ending::after_loss(&mut tx, of, member.parent, member.user_id).await?;
    tx.commit().await?;
    Ok(json::one(&MemberBody::new(of, &member)?))
}

async fn withdraw(of: MemberOf, state: &AppState, caller: &Caller, id: &str) -> Result<HttpResponse> {
    let mut tx = state.db.write().await?;
    let (member, role) = lock(&mut tx, of, caller, id).await?;
    role.must_own()?;
    if member.user_id == caller.user {
        return Err(Error::Refused("User can not withdraw themself"));
    }
    ending::end(&mut tx, of, &member).await?;
    tx.commit().await?;
    Ok(json::success())
}

fn text(validated: &Map<String, Value>, field: &str) -> String {
    validated.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What was sent, else what was there.
fn overrides(validated: &Map<String, Value>, old: Option<String>) -> Option<String> {
    match validated.get("overrides") {
        None => old,
        Some(Value::Null) => None,
        Some(object) => Some(object.to_string()),
    }
}

macro_rules! handlers {
    ($of:expr, $list:ident, $read:ident, $invite:ident, $update:ident, $withdraw:ident) => {
        pub async fn $list(state: Data<AppState>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
            list($of, &state, caller, &request).await
        }

        pub async fn $read(state: Data<AppState>, caller: Caller, id: Path<String>) -> Result<HttpResponse> {
            read($of, &state, &caller, &id).await
        }

        pub async fn $invite(
            state: Data<AppState>,
            UserManager(caller): UserManager,
            sent: Body,
        ) -> Result<HttpResponse> {
            invite($of, &state, &caller, sent).await
        }

        pub async fn $update(
            state: Data<AppState>,
            UserManager(caller): UserManager,
            id: Path<String>,
            sent: Body,
        ) -> Result<HttpResponse> {
            update($of, &state, &caller, &id, sent).await
        }

        pub async fn $withdraw(
            state: Data<AppState>,
            UserManager(caller): UserManager,
            id: Path<String>,
        ) -> Result<HttpResponse> {
            withdraw($of, &state, &caller, &id).await
        }
    };
}

handlers!(
    MemberOf::Property,
    list_of_properties,
    read_of_property,
    invite_to_property,
    update_of_property,
    withdraw_from_property
);
handlers!(MemberOf::Group, list_of_groups, read_of_group, invite_to_group, update_of_group, withdraw_from_group);
