//! What is inside a property belongs to its users: to everybody else it is like what does not exist, in paths and in
//! bodies. A key may reach less than its user, a role may do less than an owner.

use serde_json::json;

use crate::api::isolation::indistinguishable;
use crate::people::{Person, world};
use crate::property::{UNKNOWN_ID, at};
use crate::rate_plan::{RATE_PLAN_OPTIONS, RATE_PLANS, Room, rate_plan_at, room};
use crate::room_type::{ROOM_TYPE_OPTIONS, ROOM_TYPES, room_type_at, room_type_body};
use crate::server::Server;

/// What somebody else has: a property, a room type, a rate plan.
struct Theirs {
    property: String,
    room_type: String,
    rate_plan: String,
}

/// Me with a room, and a neighbour with all of it.
async fn neighbours() -> (Room, Person, Theirs) {
    let room = room().await;
    let other = room.house.server.person("owner@aurora.example").await;
    let property = other.has(json!({ "title": "Pensão Aurora" })).await;
    let body = room_type_body(&property, json!({ "title": "Aurora" }));
    let room_type = other.api.post(ROOM_TYPES, &body).await.is(201).id();
    let fields = json!({ "title": "Aurora", "property_id": property, "room_type_id": room_type });
    let rate_plan = other.api.post(RATE_PLANS, &room.body(fields)).await.is(201).id();
    (room, other, Theirs { property, room_type, rate_plan })
}

#[actix_web::test]
async fn a_body_that_names_what_is_another_user_s_names_nothing() {
    let (room, other, theirs) = neighbours().await;
    let id = room.has(json!({})).await;
    let api = &room.me().api;
    indistinguishable(&theirs.property, |id| api.post(ROOM_TYPES, &room_type_body(id, json!({})))).await;
    for (field, theirs) in [
        ("property_id", &theirs.property),
        ("room_type_id", &theirs.room_type),
        ("parent_rate_plan_id", &theirs.rate_plan),
    ] {
        let body = |id: &str| room.body(json!({ "title": "Mine", field: id }));
        indistinguishable(theirs, |id| api.post(RATE_PLANS, &body(id))).await;
        let body = |id: &str| json!({ "rate_plan": { field: id } });
        indistinguishable(theirs, |other| api.put(&rate_plan_at(&id), &body(other))).await;
    }
    let absent = json!({ "parent_rate_plan_id": ["does not exist"] });
    let parent = json!({ "title": "Mine", "parent_rate_plan_id": theirs.rate_plan });
    room.creates(parent).await.invalid(absent);
    // All of theirs together is no better than one.
    let all = json!({ "title": "Aurora", "property_id": theirs.property, "room_type_id": theirs.room_type });
    let answer = room.creates(all).await.is(422);
    assert_eq!(answer.json()["errors"]["details"]["property_id"], json!(["does not exist"]), "{answer}");
    assert_eq!(other.api.get(RATE_PLANS).await.column("title"), ["Aurora"]);
}

/// An owner with a property, a room type and a rate plan.
struct Hotel {
    owner: Person,
    theirs: Theirs,
    server: Server,
}

async fn hotel() -> Hotel {
    let (server, owner) = world().await;
    let property = owner.has(json!({})).await;
    let room_type = owner.api.post(ROOM_TYPES, &room_type_body(&property, json!({}))).await.is(201).id();
    let body = plan_body(&property, &room_type, "Flexible");
    let rate_plan = owner.api.post(RATE_PLANS, &body).await.is(201).id();
    let theirs = Theirs { property, room_type, rate_plan };
    Hotel { owner, theirs, server }
}

fn plan_body(property: &str, room_type: &str, title: &str) -> serde_json::Value {
    json!({ "rate_plan": {
        "title": title, "property_id": property, "room_type_id": room_type,
        "options": [{ "occupancy": 2, "is_primary": true, "rate": "100.00" }]
    } })
}

/// Writes everything once that somebody who works in the property may write.
async fn works_inside(person: &Person, theirs: &Theirs, title: &str) {
    let api = &person.api;
    let body = room_type_body(&theirs.property, json!({ "title": title }));
    let room_type = api.post(ROOM_TYPES, &body).await.is(201).id();
    let body = plan_body(&theirs.property, &theirs.room_type, title);
    let rate_plan = api.post(RATE_PLANS, &body).await.is(201).id();
    for (path, key) in [(room_type_at(&room_type), "room_type"), (rate_plan_at(&rate_plan), "rate_plan")] {
        api.get(&path).await.is(200);
        api.put(&path, &json!({ key: { "title": format!("{title} 2") } })).await.is(200);
    }
    api.put(&at(&theirs.property), &json!({ "property": { "city": title } })).await.is(200);
    for path in [rate_plan_at(&rate_plan), room_type_at(&room_type)] {
        api.delete(&path).await.is(200);
    }
}

#[actix_web::test]
async fn every_user_of_a_property_may_write_what_is_inside() {
    let Hotel { owner, theirs, server } = hotel().await;
    let clerk = server.person("clerk@farol.example").await;
    let grouped = server.person("group@farol.example").await;
    for person in [&clerk, &grouped] {
        person.api.get(&room_type_at(&theirs.room_type)).await.error("not_found");
    }
    server
        .sql(
            "insert into property_users (id, property_id, user_id, role, sort_title, created_at)
         select u.id, p.id, u.id, 'user', p.sort_title, p.created_at from users u, properties p
         where u.email = 'clerk@farol.example'",
        )
        .await;
    server
        .sql(
            "insert into group_users (id, group_id, user_id, role, created_at)
         select u.id, g.group_id, u.id, 'user', u.created_at from users u, group_properties g
         where u.email = 'group@farol.example'",
        )
        .await;
    server.count_totals().await;
    for person in [&owner, &clerk, &grouped] {
        works_inside(person, &theirs, &person.user.email).await;
        assert_eq!(person.api.get(ROOM_TYPES).await.is(200).column("id"), [&*theirs.room_type]);
        assert_eq!(person.api.get(RATE_PLANS).await.is(200).column("id"), [&*theirs.rate_plan]);
    }
    for person in [&clerk, &grouped] {
        person.api.delete(&at(&theirs.property)).await.error("forbidden");
        person.api.get(&rate_plan_at(&theirs.rate_plan)).await.is(200);
    }
    clerk.api.delete(&rate_plan_at(&theirs.rate_plan)).await.is(200);
    grouped.api.delete(&room_type_at(&theirs.room_type)).await.is(200);
}

#[actix_web::test]
async fn a_read_only_key_reads_what_is_inside_and_writes_nothing() {
    let Hotel { owner, theirs, server } = hotel().await;
    assert_eq!(server.take_away("update api_keys set read_only = true, manage_users = false").await, 1);
    let (property, room_type) = (&theirs.property, &theirs.room_type);
    let posts = [
        (ROOM_TYPES, room_type_body(property, json!({ "title": "New" }))),
        (ROOM_TYPES, room_type_body(property, json!({ "title": "" }))),
        (RATE_PLANS, plan_body(property, room_type, "New")),
        (RATE_PLANS, plan_body(property, room_type, "Flexible")),
    ];
    let read_only = || json!(["the API key is read-only"]);
    for (path, body) in posts {
        owner.api.post(path, &body).await.error_with("forbidden", read_only());
    }
    for (path, key) in [(room_type_at(room_type), "room_type"), (rate_plan_at(&theirs.rate_plan), "rate_plan")] {
        let before = owner.api.get(&path).await.is(200).json();
        for title in ["New", ""] {
            let answer = owner.api.put(&path, &json!({ key: { "title": title } })).await;
            answer.error_with("forbidden", read_only());
        }
        owner.api.delete(&path).await.error_with("forbidden", read_only());
        assert_eq!(owner.api.get(&path).await.is(200).json(), before);
    }
    for path in [room_type_at(UNKNOWN_ID), rate_plan_at(UNKNOWN_ID)] {
        owner.api.delete(&path).await.error_with("forbidden", read_only());
    }
}

#[actix_web::test]
async fn a_key_limited_to_one_property_works_inside_that_one_alone() {
    let Hotel { owner, theirs, server } = hotel().await;
    let other = owner.has(json!({ "title": "Pensão Aurora" })).await;
    let other_room = owner.api.post(ROOM_TYPES, &room_type_body(&other, json!({}))).await.is(201).id();
    let other_plan = owner.api.post(RATE_PLANS, &plan_body(&other, &other_room, "Aurora")).await.is(201).id();
    server.take_away("update api_keys set all_properties = false, manage_users = false").await;
    server
        .sql(
            "insert into api_key_properties (key_id, property_id)
         select k.id, p.id from api_keys k, properties p where p.title = 'Casa do Farol'",
        )
        .await;
    works_inside(&owner, &theirs, "Weekly").await;
    for list in [ROOM_TYPES, ROOM_TYPE_OPTIONS] {
        assert_eq!(owner.api.get(list).await.is(200).column("id"), [&*theirs.room_type]);
    }
    for list in [RATE_PLANS, RATE_PLAN_OPTIONS] {
        assert_eq!(owner.api.get(list).await.is(200).column("id"), [&*theirs.rate_plan]);
    }
    for path in [room_type_at(&other_room), rate_plan_at(&other_plan)] {
        owner.api.get(&path).await.error("not_found");
        owner.api.delete(&path).await.error("resource_not_found");
    }
    let answer = owner.api.post(ROOM_TYPES, &room_type_body(&other, json!({}))).await;
    answer.invalid(json!({ "property_id": ["does not exist"] }));
    let answer = owner.api.post(RATE_PLANS, &plan_body(&other, &other_room, "New")).await.is(422);
    assert_eq!(answer.json()["errors"]["details"]["property_id"], json!(["does not exist"]), "{answer}");
    // A session of the same user reaches everything.
    assert_eq!(owner.browser.get(RATE_PLANS).await.is(200).column("id").len(), 2);
}
