//! Requests for one thing at the same moment.

use serde_json::{Map, Value, json};

use super::table::{self, COLLECTIONS, Collection};
use super::{Made, World};
use crate::client::at_once;
use crate::rounds::rounds;

/// The statuses of answers, sorted.
fn statuses(answers: &[crate::response::Response]) -> Vec<u16> {
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    statuses
}

#[actix_web::test]
async fn of_deletes_at_once_one_succeeds_and_no_update_fails_in_between() {
    let world = World::new().await;
    for _ in 0..rounds(2) {
        for collection in COLLECTIONS {
            let made = world.makes(collection, json!({})).await;
            let update = world.document.update(collection);
            let answers = at_once((0..6).map(|number| match number % 2 {
                0 => world.me.api.delete(&made.at),
                _ => world.me.api.put(&made.at, &update.with(several(&world, collection, number / 3))),
            }))
            .await;
            let (updates, deletes): (Vec<_>, Vec<_>) =
                answers.into_iter().partition(|answer| answer.call.starts_with("PUT"));
            assert_eq!(statuses(&deletes), [200, 404, 404], "{deletes:?}");
            assert!(updates.iter().all(|answer| [200, 404].contains(&answer.status)), "{updates:?}");
            world.me.api.get(&made.at).await.is(404);
        }
    }
}

#[actix_web::test]
async fn of_two_updates_at_once_one_is_the_last() {
    let world = World::new().await;
    for _ in 0..rounds(2) {
        for collection in COLLECTIONS {
            let made = world.makes(collection, json!({})).await;
            let answers = at_once((0..2).map(|number| {
                let body = world.document.update(collection).with(several(&world, collection, number));
                world.me.api.put(&made.at, &body)
            }))
            .await;
            assert_eq!(statuses(&answers), [200, 200], "{answers:?}");
            let last = world.me.api.get(&made.at).await.is(200).data();
            assert!(answers.iter().any(|answer| answer.data() == last), "{last} is neither of {answers:?}");
            world.me.api.delete(&made.at).await.is(200);
        }
    }
}

#[actix_web::test]
async fn updates_of_different_fields_at_once_all_last() {
    let world = World::new().await;
    for _ in 0..rounds(2) {
        for collection in COLLECTIONS {
            let made = world.makes(collection, json!({})).await;
            let fields = several(&world, collection, 1);
            let answers = at_once(fields.iter().map(|(name, value)| {
                let body =
                    world.document.update(collection).with([(name.clone(), value.clone())].into_iter().collect());
                world.me.api.put(&made.at, &body)
            }))
            .await;
            assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
            let last = world.me.api.get(&made.at).await.is(200).attributes();
            for (name, value) in fields {
                assert_eq!(last[&name], value, "{name} of {last}");
            }
            world.me.api.delete(&made.at).await.is(200);
        }
    }
}

/// Values of fields that an update takes together.
fn several(world: &World, collection: &Collection, number: usize) -> Map<String, Value> {
    const NAMES: [&str; 14] = [
        "title",
        "role",
        "overrides",
        "meal_type",
        "children_fee",
        "count_of_rooms",
        "occ_children",
        "checkin_time",
        "checkout_time",
        "type",
        "max_nights",
        "city",
        "state",
        "author",
    ];
    let fields = world.document.update(collection).fields.iter();
    let fields = fields.filter(|(name, _)| NAMES.contains(&name.as_str()));
    let samples = world.samples(collection);
    fields.filter_map(|(name, schema)| Some((name.clone(), samples.value(name, schema, number)?))).collect()
}

#[actix_web::test]
async fn of_creates_at_once_one_gets_what_only_one_may_have() {
    let world = World::new().await;
    for _ in 0..rounds(2) {
        for collection in COLLECTIONS {
            let Some((field, status)) = collection.unique else { continue };
            let create = world.document.create(collection);
            let value = world.samples(collection).value(field, &create.fields[field], 3).expect("a value");
            let body = create.with(world.fields(collection, json!({ field: value })));
            let answers = at_once((0..4).map(|_| world.me.api.post(&collection.at(), &body))).await;
            assert_eq!(statuses(&answers), [201, status, status, status], "{answers:?}");
            let made = answers.iter().find(|answer| answer.status == 201).expect("one").id();
            world.me.api.delete(&format!("{}/{made}", collection.at())).await.is(200);
        }
    }
}

#[actix_web::test]
async fn creates_beside_the_deletion_of_what_they_belong_to_leave_nothing() {
    let mut world = World::new().await;
    for _ in 0..rounds(1) {
        for collection in COLLECTIONS {
            let Some((field, parents)) = collection.parent else { continue };
            world.place = super::Place::new(&world.me.api, &world.document).await;
            let parent = if field == "group_id" {
                // A group with properties stays.
                let made: Made = world.makes(table::collection("groups"), json!({})).await;
                world.place.group.clone_from(&made.id);
                made.id
            } else {
                world.place.property.clone()
            };
            let create = world.document.create(collection);
            let mut calls: Vec<_> = (0..6)
                .map(|_| world.me.api.post(&collection.at(), &create.with(world.fields(collection, json!({})))))
                .collect();
            calls.insert(2, world.me.api.delete(&format!("{}/{parent}", table::at(parents))));
            let answers = at_once(calls).await;
            for (place, answer) in answers.iter().enumerate() {
                let right = if place == 2 { &[200][..] } else { &[201, 404, collection.elsewhere][..] };
                assert!(right.contains(&answer.status), "{answer}");
                if answer.status == 201 {
                    let at = format!("{}/{}", collection.at(), answer.id());
                    world.me.api.get(&at).await.is(404);
                }
            }
            let query = format!("filter[{field}]={parent}");
            assert_eq!(world.whole(&collection.at(), &query).await, Vec::<Value>::new());
        }
    }
}
