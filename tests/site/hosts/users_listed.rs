//! The users of properties and of groups, as they are listed and read.

use serde_json::{Value, json};

use crate::access::{GROUP_USERS, NO_IDS, PROPERTY_USERS, TWINS, Users};
use crate::people::{Person, world};
use crate::property::{UNKNOWN_ID, at, group_at};
use crate::server::Server;

/// One entry, whole.
fn entry(users: &Users, id: &str, of: &str, (user_id, email, name): (&Value, &str, Value), role: &str) -> Value {
    json!({
        "id": id,
        "type": users.entry,
        "attributes": { "id": id, "overrides": null, users.of_id: of, "role": role, "user_id": user_id },
        "relationships": {
            users.of: { "data": { "id": of, "type": users.of } },
            "user": { "data": { "id": user_id, "type": "user", "email": email, "name": name } }
        }
    })
}

/// Something with three users, who are in the list in the order in which they came.
async fn shared(users: &Users) -> (Server, Person, String, [Person; 2]) {
    let (server, me) = world().await;
    let id = users.thing(&me).await;
    let (zoe, ana) = (server.person("zoe@farol.example").await, server.person("ana@farol.example").await);
    me.gives(users, &id, &zoe, "user").await;
    me.gives(users, &id, &ana, "owner").await;
    (server, me, id, [zoe, ana])
}

async fn emails(person: &Person, path: &str) -> Vec<String> {
    let data = person.api.get(path).await.is(200).data();
    let email = |entry: &Value| entry["relationships"]["user"]["data"]["email"].as_str().expect("one").to_owned();
    data.as_array().expect("a list").iter().map(email).collect()
}

#[actix_web::test]
async fn an_entry_is_listed_read_and_answered_alike() {
    for users in TWINS {
        let (server, me) = world().await;
        let id = users.thing(&me).await;
        let list = me.api.get(&users.of(&id)).await.is(200).data();
        let (own, user_id) = (list[0]["id"].as_str().expect("an id"), &list[0]["attributes"]["user_id"]);
        let whole = entry(users, own, &id, (user_id, &me.user.email, json!(null)), "owner");
        me.api.get(&users.of(&id)).await.is(200).says(json!({ "data": [whole] }));
        me.api.get(&users.at(own)).await.is(200).says(json!({ "data": whole }));
        me.api.get(&users.at(&own.to_uppercase())).await.is(200).says(json!({ "data": whole }));
        // The name is the user's, as it is now.
        let named = [("name", "Rita Álvares"), ("time_zone", "Europe/Lisbon")];
        me.browser.post_form("/user_profile", &named).await.is(303);
        let named = entry(users, own, &id, (user_id, &me.user.email, json!("Rita Álvares")), "owner");
        me.api.get(&users.at(own)).await.is(200).says(json!({ "data": named }));
        let put = me.changes(users, own, json!({})).await.is(200);
        put.says(json!({ "data": named }));

        let night = server.person("night@farol.example").await;
        let made = me.invites(users, &id, &night.user.email, "user").await.is(201);
        let (theirs, user_id) = (made.id(), made.attributes()["user_id"].clone());
        let path = format!("{}{}", server.base_url, users.at(&theirs));
        assert_eq!(made.header("location"), Some(&*path));
        let whole = entry(users, &theirs, &id, (&user_id, &night.user.email, json!(null)), "user");
        made.says(json!({ "data": whole }));
        night.api.get(&users.at(&theirs)).await.is(200).says(json!({ "data": whole }));
        night.api.get(&users.of(&id)).await.is(200).says(json!({ "data": [named, whole] }));
    }
}

#[actix_web::test]
async fn the_default_order_is_that_in_which_they_came() {
    for users in TWINS {
        let (_server, me, id, [zoe, _]) = shared(users).await;
        let order = ["desk@farol.example", "zoe@farol.example", "ana@farol.example"];
        for person in [&me, &zoe] {
            assert_eq!(emails(person, &users.of(&id)).await, order);
            let path = format!("{}&order[inserted_at]=asc", users.of(&id));
            assert_eq!(emails(person, &path).await, order);
        }
        let path = format!("{}&order[inserted_at]=desc", users.of(&id));
        let reversed: Vec<_> = order.iter().copied().rev().collect();
        assert_eq!(emails(&me, &path).await, reversed);
        // A change of role is no new beginning.
        let first = me.entry(users, &id, "zoe@farol.example").await;
        me.changes(users, &first, json!({ "role": "owner" })).await.is(200);
        assert_eq!(emails(&me, &users.of(&id)).await, order);
    }
}

#[actix_web::test]
async fn they_are_ordered_by_every_plain_attribute() {
    for users in TWINS {
        let (_server, me, id, _) = shared(users).await;
        for field in ["id", "role", "user_id", users.of_id] {
            for direction in ["asc", "desc"] {
                let path = format!("{}&order[{field}]={direction}", users.of(&id));
                let answer = me.api.get(&path).await.is(200);
                let values: Vec<_> = answer.column(field).into_iter().zip(answer.column("id")).collect();
                let mut sorted = values.clone();
                sorted.sort_by(|(a, first), (b, second)| {
                    let order = if direction == "asc" { a.cmp(b) } else { b.cmp(a) };
                    order.then(first.cmp(second))
                });
                assert_eq!(values, sorted, "{answer}");
                assert_eq!(values.len(), 3);
            }
        }
        for (query, problem) in [
            ("order[overrides]=asc", "order[overrides] is not supported"),
            ("order[email]=asc", "order[email] is not supported"),
            ("order[role]=up", "order[role] is invalid"),
        ] {
            let answer = me.api.get(&format!("{}?{query}", users.path)).await;
            answer.error_with("bad_request", json!([problem]));
        }
    }
}

#[actix_web::test]
async fn they_are_filtered_by_what_they_are_users_of_by_user_and_by_role() {
    for users in TWINS {
        let (_server, me, id, [zoe, _]) = shared(users).await;
        let other = users.thing(&me).await;
        let zoes = me.entry(users, &id, &zoe.user.email).await;
        let zoe_id = me.api.get(&users.at(&zoes)).await.attributes()["user_id"].as_str().expect("an id").to_owned();
        let of = users.of_id;
        for (query, found) in [
            (format!("filter[{of}]={id}"), 3),
            (format!("filter%5B{of}%5D={}", id.to_uppercase()), 3),
            (format!("filter[{of}]={id},{other}"), 4),
            (format!("filter[{of}][]={id}&filter[{of}][]={other}"), 4),
            (format!("filter[{of}][not]={id}&filter[{of}]={other}"), 1),
            (format!("filter[{of}]={UNKNOWN_ID}"), 0),
            (format!("filter[{of}]=x"), 0),
            (format!("filter[{of}]="), 0),
            (format!("filter[{of}]={id}&filter[role]=owner"), 2),
            (format!("filter[{of}]={id}&filter[role][not]=owner"), 1),
            (format!("filter[{of}]={id}&filter[role]=owner,user"), 3),
            (format!("filter[user_id]={zoe_id}&filter[{of}]={id}"), 1),
            (format!("filter[user_id]={zoe_id}&filter[role]=owner&filter[{of}]={id}"), 0),
            (format!("filter[user_id]={UNKNOWN_ID}"), 0),
            (format!("filter[{of}]=x&filter[{of}]={id}"), 3),
        ] {
            let answer = me.api.get(&format!("{}?{query}", users.path)).await.is(200);
            assert_eq!(answer.column("id").len(), found, "{answer}");
            assert_eq!(answer.json().get("meta"), None, "{answer}");
        }
        for (query, problem) in [
            ("filter[email]=a", "filter[email] is not supported"),
            ("filter[overrides]=a", "filter[overrides] is not supported"),
            ("filter[role][like]=a", "filter[role][like] is not supported"),
            ("filter[role]=a%00", "filter[role] is invalid"),
        ] {
            let answer = me.api.get(&format!("{}?{query}", users.path)).await;
            answer.error_with("bad_request", json!([problem]));
        }
    }
}

#[actix_web::test]
async fn they_have_pages_only_for_those_who_ask() {
    for users in TWINS {
        let (_server, me, id, _) = shared(users).await;
        for number in 0..9 {
            me.invites(users, &id, &format!("guest-{number}@farol.example"), "user").await.is(201);
        }
        let whole = me.api.get(&users.of(&id)).await.is(200);
        assert_eq!(whole.column("id").len(), 12);
        assert_eq!(whole.json().get("meta"), None);
        for (query, page, limit, found) in [
            ("pagination[page]=1", 1, 10, 0..10),
            ("pagination[page]=2", 2, 10, 10..12),
            ("page=2&limit=5", 2, 5, 5..10),
            ("pagination[limit]=500", 1, 100, 0..12),
            ("pagination[page]=4", 4, 10, 0..0),
        ] {
            let answer = me.api.get(&format!("{}&{query}", users.of(&id))).await.is(200);
            assert_eq!(answer.column("id"), whole.column("id")[found], "{answer}");
            assert_eq!(answer.json()["meta"], json!({ "page": page, "limit": limit, "total": 12 }));
        }
        let answer = me.api.get(&format!("{}&pagination[limit]=0", users.of(&id))).await;
        answer.error_with("bad_request", json!(["pagination[limit] is invalid"]));
    }
}

#[actix_web::test]
async fn without_a_filter_all_that_one_sees_are_listed() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let aurora = night.has(json!({ "title": "Aurora" })).await;
    let farol = me.has(json!({})).await;
    me.gives(&PROPERTY_USERS, &farol, &night, "user").await;
    let mine = me.api.get(PROPERTY_USERS.path).await.is(200);
    assert_eq!(mine.column("property_id"), [&*farol, &*farol], "each user of each property");
    let theirs = night.api.get(PROPERTY_USERS.path).await.is(200);
    assert_eq!(theirs.column("property_id"), [aurora, farol.clone(), farol]);
    assert_eq!(me.api.get(GROUP_USERS.path).await.column("group_id"), [me.group().await]);
    assert_eq!(night.api.get(GROUP_USERS.path).await.column("group_id"), [night.group().await]);
}

#[actix_web::test]
async fn who_has_access_through_a_group_sees_the_users_of_its_properties_and_is_none_of_them() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let group = me.group().await;
    let farol = me.has(json!({})).await;
    me.gives(&GROUP_USERS, &group, &night, "user").await;
    assert_eq!(night.roles(&PROPERTY_USERS, &farol).await, [(me.user.email.clone(), "owner".to_owned())]);
    let own = me.entry(&PROPERTY_USERS, &farol, &me.user.email).await;
    night.api.get(&PROPERTY_USERS.at(&own)).await.is(200);
}

#[actix_web::test]
async fn of_a_property_alone_a_user_sees_no_groups_and_an_owner_sees_their_names() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let group = me.group().await;
    let farol = me.has(json!({})).await;
    for role in ["user", "owner"] {
        match role {
            "user" => me.gives(&PROPERTY_USERS, &farol, &night, role).await,
            _ => {
                let entry = me.entry(&PROPERTY_USERS, &farol, &night.user.email).await;
                me.changes(&PROPERTY_USERS, &entry, json!({ "role": role })).await.is(200).id()
            }
        };
        let groups = match role {
            "user" => json!({ "data": [] }),
            _ => {
                let attributes = json!({ "id": group, "title": "User Group" });
                json!({ "data": [{ "id": group, "type": "group", "attributes": attributes }] })
            }
        };
        let list = night.api.get("/api/v1/properties").await.is(200);
        assert_eq!(list.data()[0]["relationships"]["groups"], groups);
        let filtered = night.api.get("/api/v1/properties?filter[title]=Casa do Farol").await.is(200);
        assert_eq!(filtered.data()[0]["relationships"]["groups"], groups);
        assert_eq!(night.api.get(&at(&farol)).await.is(200).data()["relationships"]["groups"], groups);
        let updated = night.updates(&farol, json!({ "city": "Faro" })).await.is(200);
        assert_eq!(updated.data()["relationships"]["groups"], groups);
        night.api.get(&group_at(&group)).await.error("not_found");
        assert_eq!(night.finds(&format!("filter[group_id]={group}")).await, Vec::<String>::new());
        assert_eq!(night.api.get(&GROUP_USERS.of(&group)).await.column("id"), Vec::<String>::new());
        let owner = me.entry(&GROUP_USERS, &group, &me.user.email).await;
        night.api.get(&GROUP_USERS.at(&owner)).await.error("resource_not_found");
        // Out of its home an owner of that takes it alone.
        night.takes_out(&group, &farol).await.error(if role == "user" { "resource_not_found" } else { "forbidden" });
        let answer = night.creates(json!({ "group_id": group })).await;
        answer.error_with("validation_error", json!({ "group_id": ["does not exist"] }));
    }
}

#[actix_web::test]
async fn an_entry_that_is_unknown_or_another_s_is_not_found() {
    for users in TWINS {
        let (server, me) = world().await;
        let other = server.person("owner@aurora.example").await;
        let theirs = users.thing(&other).await;
        let entry = other.entry(users, &theirs, &other.user.email).await;
        let unknown = me.api.get(&users.at(UNKNOWN_ID)).await.error("resource_not_found").face();
        for id in [&*entry, &entry.to_uppercase(), &theirs, "x", "%20", "%00"] {
            assert_eq!(me.api.get(&users.at(id)).await.face(), unknown);
            assert_eq!(me.changes(users, id, json!({ "role": "" })).await.face(), unknown);
            assert_eq!(me.api.delete(&users.at(id)).await.face(), unknown);
        }
        for id in NO_IDS {
            me.changes(users, id, json!({ "role": "user" })).await.error("resource_not_found");
        }
        assert_eq!(me.api.get(&users.of(&theirs)).await.column("id"), Vec::<String>::new());
        let refused = me.invites(users, &theirs, "eve@farol.example", "owner").await.error("forbidden");
        let unknown = me.invites(users, UNKNOWN_ID, "eve@farol.example", "owner").await.error("forbidden");
        assert_eq!(refused.face(), unknown.face());
        assert_eq!(other.roles(users, &theirs).await.len(), 1);
        assert!(!server.run(&["user", "list"]).ok().contains("eve@"), "nobody was made");
    }
    // The one kind is not the other.
    let (_server, me) = world().await;
    let farol = me.has(json!({})).await;
    let entry = me.entry(&PROPERTY_USERS, &farol, &me.user.email).await;
    me.api.get(&GROUP_USERS.at(&entry)).await.error("resource_not_found");
    me.api.get(&at(&entry)).await.error("not_found");
}
