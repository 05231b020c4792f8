//! Long answers come in steps: whole, in order, without a length or a tag, and never all of it in memory.

use serde_json::{Value, json};

use crate::access::{GROUP_USERS, PROPERTY_USERS};
use crate::memory::{has_grown_little, peak};
use crate::people::world;
use crate::property::{GROUPS, OPTIONS, PROPERTIES, at, group_at};
use crate::rate_plan::{RATE_PLANS, option};
use crate::response::Response;
use crate::room_type::{ROOM_TYPES, room_type_at, room_type_body};

/// As long as a text may be.
fn long_text() -> String {
    "\u{20ac}".repeat(20_000)
}

fn is_long(answer: &Response) {
    assert!(answer.body.len() > 1024 * 1024, "{} bytes", answer.body.len());
    assert_eq!((answer.header("etag"), answer.header("content-length")), (None, None), "{:?}", answer.headers);
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

fn is_short(answer: &Response) {
    assert!(answer.header("etag").is_some() && answer.header("content-length").is_some(), "{:?}", answer.headers);
}

fn ids(answer: &Response) -> Vec<String> {
    answer.column("id")
}

#[actix_web::test]
async fn properties_with_the_longest_texts_are_listed_whole_and_with_little_memory() {
    let (server, me) = world().await;
    let mut made = Vec::new();
    for number in 10..40 {
        let content = json!({ "description": long_text(), "important_information": long_text() });
        made.push(me.has(json!({ "title": format!("Inn {number}"), "content": content })).await);
    }
    let before = peak(&server);
    for query in ["?pagination[limit]=100", "?pagination[limit]=100&filter[title][not]=x", "?limit=30&order[title]=asc"]
    {
        let answer = me.api.get(&format!("{PROPERTIES}{query}")).await.is(200);
        is_long(&answer);
        assert_eq!(ids(&answer), made, "{query}");
        assert_eq!(answer.json()["meta"]["total"], 30, "{query}");
        for (entry, id) in answer.data().as_array().expect("a list").iter().zip(&made).step_by(7) {
            assert_eq!(*entry, me.api.get(&at(id)).await.is(200).data());
        }
    }
    has_grown_little(&server, before, "a list of 3.6 MB");
    is_short(&me.api.get(&format!("{PROPERTIES}?pagination[limit]=2")).await.is(200));
    is_short(&me.api.get(OPTIONS).await.is(200));
    me.api.head(&format!("{PROPERTIES}?pagination[limit]=100")).await.is(200);
    // Compressed on its way, too.
    let answer = me.api.get(&format!("{PROPERTIES}?limit=100")).header("accept-encoding", "gzip").await.is(200);
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert!(answer.body.len() < 1024 * 1024 && answer.body.starts_with(&[0x1f, 0x8b]), "{}", answer.body.len());
}

#[actix_web::test]
async fn room_types_and_rate_plans_with_as_much_as_they_may_have_are_listed_whole() {
    let (server, me) = world().await;
    let property = me.has(json!({})).await;
    let photo = |n: usize| json!({ "url": format!("https://img.farol.example/{n}/{}", "x".repeat(1_900)) });
    let photos: Vec<Value> = (0..50).map(photo).collect();
    let mut rooms = Vec::new();
    for number in 10..30 {
        let fields =
            json!({ "title": format!("Room {number}"), "content": { "description": long_text(), "photos": photos } });
        let answer = me.api.post(ROOM_TYPES, &room_type_body(&property, fields)).await;
        rooms.push(answer.is(201).id());
    }
    let rules: Vec<Value> = (0..2_000).map(|n| json!(["increase_by_percent", format!("0.{n:010}")])).collect();
    let mut plans = Vec::new();
    for number in 10..30 {
        let mut option = option(2, "10.00");
        option["derived_option"] = json!({ "rate": rules[..1_000] });
        let mut other = option.clone();
        (other["occupancy"], other["is_primary"]) = (3.into(), false.into());
        other["derived_option"] = json!({ "rate": rules[1_000..] });
        let plan = json!({ "title": format!("Plan {number}"), "property_id": property, "room_type_id": rooms[0],
            "options": [option, other] });
        plans.push(me.api.post(RATE_PLANS, &json!({ "rate_plan": plan })).await.is(201).id());
    }
    let before = peak(&server);
    let answer = me.api.get(&format!("{ROOM_TYPES}?pagination[limit]=100")).await.is(200);
    is_long(&answer);
    assert_eq!((ids(&answer), &answer.json()["meta"]["total"]), (rooms.clone(), &json!(20)));
    assert_eq!(answer.data()[13], me.api.get(&room_type_at(&rooms[13])).await.is(200).data());
    let answer = me.api.get(&format!("{RATE_PLANS}?pagination[limit]=100")).await.is(200);
    is_long(&answer);
    assert_eq!((ids(&answer), &answer.json()["meta"]["total"]), (plans.clone(), &json!(20)));
    has_grown_little(&server, before, "lists of room types and rate plans");
    for list in ["/api/v1/room_types/options", "/api/v1/rate_plans/options"] {
        is_short(&me.api.get(list).await.is(200));
    }
    is_short(&me.api.get(&format!("{ROOM_TYPES}?limit=1")).await.is(200));
}

#[actix_web::test]
async fn groups_and_users_without_pages_are_whole_however_long() {
    let (server, me) = world().await;
    let title = |n: usize| format!("{n:03} {}", "\u{20ac}".repeat(250));
    let (mut properties, mut groups) = (Vec::new(), vec![me.group().await]);
    for number in 0..40 {
        properties.push(me.has(json!({ "title": title(number) })).await);
    }
    for number in 0..30 {
        groups.push(me.has_group(&title(number)).await);
    }
    // Each property is in its home; 1,200 requests would put it into the other groups as well.
    let everywhere = "
        insert into group_properties (group_id, property_id, sort_title, is_home, created_at)
        select g.id, p.id, p.sort_title, false, p.created_at from groups g cross join properties p
        where g.title <> 'User Group'";
    assert_eq!(server.sql(everywhere).await, 1_200);
    assert_eq!(server.sql("update properties set group_count = 31").await, 40);
    let before = peak(&server);
    let answer = me.api.get(GROUPS).await.is(200);
    is_long(&answer);
    let list = answer.json();
    let list = list["data"].as_array().expect("a list");
    assert_eq!(list.len(), 31);
    for group in list {
        let in_it = group["relationships"]["properties"]["data"].as_array().expect("a list");
        let in_it: Vec<&str> = in_it.iter().filter_map(|property| property["id"].as_str()).collect();
        assert_eq!(in_it, properties, "{}", group["id"]);
    }
    let one = me.api.get(&group_at(&groups[4])).await.is(200);
    is_short(&one);
    assert_eq!(one.data(), *list.iter().find(|group| group["id"] == *groups[4]).expect("it"));
    is_short(&me.api.get(&format!("{GROUPS}?pagination[limit]=3")).await.is(200));

    // Every property and group has one user; all with overrides as long as they may be.
    for users in [&PROPERTY_USERS, &GROUP_USERS] {
        let entries = ids(&me.api.get(users.path).await.is(200));
        for entry in &entries {
            let overrides = json!({ "x": "y".repeat(16_000) });
            me.changes(users, entry, json!({ "overrides": overrides })).await.is(200);
        }
        let answer = me.api.get(users.path).await.is(200);
        assert_eq!(ids(&answer), entries, "{}", users.path);
        assert_eq!(
            answer.data()[entries.len() - 1]["attributes"]["overrides"]["x"].as_str().map(str::len),
            Some(16_000)
        );
        let filtered = me.api.get(&format!("{}?filter[role]=user", users.path)).await.is(200);
        filtered.says(json!({ "data": [] }));
    }
    has_grown_little(&server, before, "lists of groups and users");
    assert!(server.database_url().is_some() || server.data_dir().exists());
}
