//! Properties put into groups and taken out of them.

use serde_json::json;

use crate::access::{GROUP_USERS, NO_IDS, PROPERTY_USERS, success};
use crate::people::{Person, world};
use crate::property::{UNKNOWN_ID, at, group_at};
use crate::response::Response;

fn already_there(answer: Response) {
    let details = json!({ "hotel_id": ["Only one GroupHotel entity per Group and Hotel pair allowed!"] });
    answer.error_with("validation_error", details);
}

fn last_group(answer: Response) {
    answer.error_with("bad_request", json!("Property must belong to at least one group"));
}

#[actix_web::test]
async fn a_property_may_be_in_several_groups_and_must_be_in_one() {
    let (_server, me) = world().await;
    let (first, second) = (me.group().await, me.has_group("Algarve houses").await);
    let farol = me.has(json!({})).await;
    me.adds(&second, &farol).await.is(200).says(success());
    assert_eq!(me.groups_of(&farol).await, [&*second, &*first], "by title");
    let part_of = me.api.get(&group_at(&second)).await.data()["relationships"]["properties"]["data"].clone();
    let expected =
        json!([{ "id": farol, "type": "property", "attributes": { "id": farol, "title": "Casa do Farol" } }]);
    assert_eq!(part_of, expected);
    assert_eq!(me.finds(&format!("filter[group_id]={second}")).await, ["Casa do Farol"]);
    already_there(me.adds(&second, &farol).await);
    already_there(me.adds(&first.to_uppercase(), &farol.to_uppercase()).await);

    me.takes_out(&first, &farol).await.is(200).says(success());
    assert_eq!(me.groups_of(&farol).await, [&*second]);
    assert_eq!(me.properties_of(&first).await, Vec::<String>::new());
    last_group(me.takes_out(&second, &farol).await);
    last_group(me.takes_out(&second.to_uppercase(), &farol).await);
    assert_eq!(me.groups_of(&farol).await, [&*second]);
    // Whether it is in the group is asked first.
    me.takes_out(&first, &farol).await.error("resource_not_found");
    me.adds(&first, &farol).await.is(200);
    me.takes_out(&second, &farol).await.is(200);
}

#[actix_web::test]
async fn a_group_or_property_that_is_unknown_or_another_s_is_not_found() {
    let (server, me) = world().await;
    let other = server.person("owner@aurora.example").await;
    let (group, spare, farol) = (me.group().await, me.has_group("Spare").await, me.has(json!({})).await);
    let (their_group, aurora) = (other.group().await, other.has(json!({ "title": "Aurora" })).await);
    let unknown = me.adds(&group, UNKNOWN_ID).await.error("resource_not_found").face();
    for (group, property) in [
        (&*group, &*aurora),
        (&*their_group, &*farol),
        (&*their_group, &*aurora),
        (UNKNOWN_ID, &*farol),
        (&*farol, &*group),
        (&*group, &*group),
    ] {
        assert_eq!(me.adds(group, property).await.face(), unknown);
        assert_eq!(me.takes_out(group, property).await.face(), unknown);
    }
    for id in NO_IDS {
        for (group, property) in [(&*spare, id), (id, &*farol), (id, id)] {
            me.adds(group, property).await.error("resource_not_found");
            me.takes_out(group, property).await.error("resource_not_found");
        }
    }
    assert_eq!(other.groups_of(&aurora).await, [their_group]);
    assert_eq!(me.groups_of(&farol).await, [group]);
}

/// A group and a property of its own, on both of which somebody else has these roles.
async fn with_roles(me: &Person, other: &Person, group: Option<&str>, property: Option<&str>) -> (String, String) {
    let (id, farol) = (me.has_group("Algarve houses").await, me.has(json!({})).await);
    if let Some(role) = group {
        me.gives(&GROUP_USERS, &id, other, role).await;
    }
    if let Some(role) = property {
        me.gives(&PROPERTY_USERS, &farol, other, role).await;
    }
    (id, farol)
}

#[actix_web::test]
async fn to_add_a_property_takes_an_owner_of_both() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let (owner, user) = (Some("owner"), Some("user"));
    for (of_group, of_property, status) in [
        (owner, owner, 200),
        (owner, user, 403),
        (user, owner, 403),
        (user, user, 403),
        (None, owner, 404),
        (owner, None, 404),
    ] {
        let (group, farol) = with_roles(&me, &night, of_group, of_property).await;
        let answer = night.adds(&group, &farol).await;
        match status {
            403 => answer.error("forbidden"),
            404 => answer.error("resource_not_found"),
            _ => answer.is(200),
        };
        let there = me.properties_of(&group).await.contains(&farol);
        assert_eq!(there, status == 200, "{of_group:?} {of_property:?}");
    }
    // The role is asked before whether it is there already.
    let (group, farol) = with_roles(&me, &night, user, owner).await;
    me.adds(&group, &farol).await.is(200);
    night.adds(&group, &farol).await.error("forbidden");
}

#[actix_web::test]
async fn to_take_a_property_out_takes_an_owner_of_it_whether_they_see_the_group_or_not() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let (owner, user) = (Some("owner"), Some("user"));
    for (of_group, of_property, status) in [
        (user, owner, 200),
        (user, user, 403),
        (user, None, 403),
        (owner, None, 200),
        (owner, user, 200),
        (None, owner, 200),
        (None, user, 404),
        (None, None, 404),
    ] {
        let (group, farol) = with_roles(&me, &night, of_group, of_property).await;
        me.adds(&group, &farol).await.is(200);
        let answer = night.takes_out(&group, &farol).await;
        match status {
            403 => answer.error("forbidden"),
            404 => answer.error("resource_not_found"),
            _ => answer.is(200),
        };
        let there = me.properties_of(&group).await.contains(&farol);
        assert_eq!(there, status != 200, "{of_group:?} {of_property:?}");
    }
    // The role is asked before whether another group is left.
    let (group, farol) = with_roles(&me, &night, user, None).await;
    let first = me.group().await;
    me.adds(&group, &farol).await.is(200);
    me.takes_out(&first, &farol).await.is(200);
    night.takes_out(&group, &farol).await.error("forbidden");
}

#[actix_web::test]
async fn who_is_in_a_group_comes_and_goes_with_its_properties() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let group = me.has_group("Algarve houses").await;
    me.gives(&GROUP_USERS, &group, &night, "user").await;
    let farol = me.has(json!({})).await;
    night.api.get(&at(&farol)).await.error("not_found");
    me.adds(&group, &farol).await.is(200);
    let seen = night.api.get(&at(&farol)).await.is(200);
    assert_eq!(night.groups_of(&farol).await, [&*group], "only groups that one sees");
    assert_eq!(night.finds("").await, ["Casa do Farol"]);
    night.updates(&farol, json!({ "city": "Faro" })).await.is(200);
    let etag = seen.header("etag").expect("an ETag").to_owned();
    me.takes_out(&group, &farol).await.is(200);
    night.api.get(&at(&farol)).header("if-none-match", etag).await.error("not_found");
    night.updates(&farol, json!({})).await.error("resource_not_found");
    assert_eq!(night.finds("").await, Vec::<String>::new());
    assert_eq!(night.properties_of(&group).await, Vec::<String>::new());
}
