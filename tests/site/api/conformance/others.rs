//! What is another user's does not exist (docs/contract/README.md, section 4, "no access"); and every collection is
//! among what other tables of tests name.

use serde_json::{Value, json};

use super::filters::values_of;
use super::table::{CATALOGUES, COLLECTIONS, lists};
use super::{Made, Place, World};
use crate::api::isolation::indistinguishable;
use crate::api::operations::OPERATIONS;
use crate::people::Person;

#[actix_web::test]
async fn what_is_another_user_s_is_like_what_does_not_exist() {
    let mut world = World::new().await;
    let mine: Vec<Made> = made_of_each(&world).await;
    let other = world.server.person("owner@aurora.example").await;
    let place = Place::new(&other.api, &world.document).await;
    // From here on the world is theirs.
    let me = std::mem::replace(&mut world.me, other);
    let here = std::mem::replace(&mut world.place, place);
    let theirs = made_of_each(&world).await;
    for ((collection, theirs), mine) in COLLECTIONS.iter().zip(&theirs).zip(&mine) {
        let (list, api) = (collection.at(), &me.api);
        let at = |id: &str| format!("{list}/{id}");
        let update = world.document.update(collection);
        for client in [api, &*me.browser] {
            indistinguishable(&theirs.id, |id| client.get(&at(id))).await;
            indistinguishable(&theirs.id, |id| client.head(&at(id))).await;
            indistinguishable(&theirs.id, |id| client.get(&at(id)).header("if-none-match", "*")).await;
            for fields in [json!({}), json!({ "title": "Mine", "role": "owner" }), json!({ "title": "", "role": "" })] {
                indistinguishable(&theirs.id, |id| client.put(&at(id), &json!({ update.key: fields }))).await;
            }
            indistinguishable(&theirs.id, |id| client.delete(&at(id))).await;
            indistinguishable(&theirs.id, |id| client.delete(&format!("{}?force=true", at(id)))).await;
        }
        api.delete(&at(&theirs.id)).await.error("resource_not_found");
        world.me.api.get(&theirs.at).await.is(200).says(json!({ "data": theirs.data }));

        let shown = world.whole(&list, "").await;
        assert!(shown.iter().any(|entry| entry["id"] == *theirs.id), "{shown:?}");
        let mut paths = vec![list.clone()];
        if world.document.has_options(collection.path) {
            paths.push(format!("{list}/options"));
        }
        for path in paths {
            let all = api.get(&format!("{path}?limit=100")).await.is(200);
            assert!(all.column("id").contains(&mine.id) && !all.column("id").contains(&theirs.id), "{all}");
            for field in world.document.filters(collection.path) {
                for value in values_of(&theirs.data, &field).iter().filter_map(Value::as_str) {
                    for operator in ["", "[not]"] {
                        let found =
                            |value: &str| api.get(&format!("{path}?limit=100&filter[{field}]{operator}={value}"));
                        if value.len() == mine.id.len() {
                            indistinguishable(value, found).await;
                        } else {
                            let found = found(value).await.is(200).column("id");
                            assert!(!found.contains(&theirs.id), "{found:?}");
                        }
                    }
                }
            }
        }
    }
    bodies_name_nothing(&world, &me, &here, &mine).await;
}

async fn made_of_each(world: &World) -> Vec<Made> {
    let mut all = Vec::new();
    for collection in COLLECTIONS {
        all.push(world.makes(collection, json!({})).await);
    }
    all
}

/// Bodies in which each id in turn is theirs.
async fn bodies_name_nothing(world: &World, me: &Person, here: &Place, mine: &[Made]) {
    let there = &world.place;
    let pairs = [
        (&here.property, &there.property),
        (&here.group, &there.group),
        (&here.room_type, &there.room_type),
        (&here.tax, &there.tax),
    ];
    for (collection, mine) in COLLECTIONS.iter().zip(mine) {
        let create = world.document.create(collection);
        let body = create.with(super::object((collection.body)(here, super::next())));
        for (mine, theirs) in pairs {
            let call = |id: &str| {
                let body = body.to_string().replace(&**mine, id);
                me.api.post(&collection.at(), &serde_json::from_str(&body).expect("JSON"))
            };
            if body.to_string().contains(&**mine) {
                indistinguishable(theirs, call).await;
            }
        }
        if let Some((field, _)) = collection.parent {
            let theirs = if field == "group_id" { &there.group } else { &there.property };
            let mut body = body.clone();
            body[create.key][field] = json!(theirs);
            let answer = me.api.post(&collection.at(), &body).await.is(collection.elsewhere);
            if answer.status == 422 {
                assert_eq!(answer.json()["errors"]["details"][field], json!(["does not exist"]), "{answer}");
            }
        }
        // Optional ids, in a create and in an update.
        for (field, schema) in create.fields {
            let theirs = match field.as_str() {
                "property_id" => &there.property,
                "group_id" => &there.group,
                "room_type_id" => &there.room_type,
                "parent_rate_plan_id" => &there.rate_plan,
                _ => continue,
            };
            assert_eq!(schema["format"], "uuid");
            let with = |id: &str| {
                let mut body = body.clone();
                body[create.key][field] = json!(id);
                me.api.post(&collection.at(), &body)
            };
            indistinguishable(theirs, with).await;
            let update = world.document.update(collection);
            if update.fields.contains_key(field) {
                indistinguishable(theirs, |id| me.api.put(&mine.at, &json!({ update.key: { field: id } }))).await;
            }
        }
    }
}

#[actix_web::test]
async fn every_collection_is_among_the_operations_that_keys_are_tested_with() {
    let world = World::new().await;
    let mut known: Vec<&str> = lists().map(|(path, _)| path).collect();
    let mut offered = world.document.lists();
    known.sort_unstable();
    offered.sort_unstable();
    assert_eq!(known, offered, "the table of collections, and the document");
    let is_there = |method: &str, path: &str| {
        OPERATIONS.iter().any(|operation| {
            let (known, _) = operation.path.split_once('?').unwrap_or((operation.path, ""));
            let known = known.trim_start_matches('/');
            let is_one =
                path.ends_with('/') && known.starts_with(&format!("{path}{{")) && known.matches('/').count() == 1;
            operation.method == method && (known == path || is_one)
        })
    };
    for (path, _) in lists() {
        let mut operations = vec![("GET", path.to_owned())];
        if world.document.has_options(path) {
            operations.push(("GET", format!("{path}/options")));
        }
        if CATALOGUES.iter().all(|(catalogue, _)| *catalogue != path) {
            operations.push(("POST", path.to_owned()));
            operations.extend(["GET", "PUT", "DELETE"].map(|method| (method, format!("{path}/"))));
        }
        for (method, path) in operations {
            assert!(is_there(method, &path), "{method} {path} is not among the operations");
        }
    }
}
