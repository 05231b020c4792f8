//! The list of rate plans, and the short list: shape, pages, order, filters.

use serde_json::{Value, json};

use crate::property::UNKNOWN_ID;
use crate::rate_plan::{INHERIT, RATE_PLAN_OPTIONS, RATE_PLANS, Room, option, other_option, room};

/// Plans whose titles begin with A to E; with the second room type, the second property, and the parent A.
struct Street {
    room: Room,
    dorm: String,
    property: String,
    parent: String,
}

async fn street() -> Street {
    let room = room().await;
    let dorm = room.house.has(json!({ "title": "Dorm" })).await;
    let property = room.me().has(json!({ "title": "Pensão Aurora", "currency": "JPY" })).await;
    let elsewhere = room.house.has(json!({ "property_id": property })).await;
    let parent = room.has(json!({ "title": "Aurora", "meal_type": "breakfast", "children_fee": "9.00" })).await;
    room.has(json!({ "title": "Duna", "room_type_id": dorm, "sell_mode": "per_person", "infant_fee": 100 })).await;
    let options = json!([option(2, "5000")]);
    let fields = json!({
        "title": "Estrela, Norte", "property_id": property, "room_type_id": elsewhere, "options": options,
        "children_fee": "500"
    });
    room.has(fields).await;
    let fields = json!({ "title": "Cabana", "parent_rate_plan_id": parent, "rate_mode": "derived" });
    room.has(fields).await;
    let settings = json!({ "increase_mode": "$", "increase_value": "10" });
    let fields = json!({ "title": "Boavista", "rate_mode": "auto", "auto_rate_settings": settings, "currency": "GBP" });
    room.has(fields).await;
    Street { room, dorm, property, parent }
}

async fn letters(room: &Room, query: &str) -> String {
    let answer = room.me().api.get(&format!("{RATE_PLANS}?{query}")).await.is(200);
    let titles = answer.column("title");
    assert_eq!(answer.json()["meta"]["total"], titles.len(), "{answer}");
    let short = room.me().api.get(&format!("{RATE_PLAN_OPTIONS}?{query}")).await.is(200);
    assert_eq!(short.column("title"), titles, "{short}");
    assert_eq!(short.json().get("meta"), None, "{short}");
    titles.iter().map(|title| &title[..1]).collect()
}

#[actix_web::test]
async fn an_empty_list_has_no_entries_and_a_total_of_0() {
    let room = room().await;
    let expected = json!({ "data": [], "meta": { "page": 1, "limit": 10, "total": 0 } });
    room.me().api.get(RATE_PLANS).await.is(200).says(expected);
    room.me().api.get(RATE_PLAN_OPTIONS).await.is(200).says(json!({ "data": [] }));
}

#[actix_web::test]
async fn a_list_entry_is_what_reading_it_gives() {
    let room = room().await;
    let options = json!([option(2, "84"), other_option(1, "66")]);
    let second = room.creates(json!({ "title": "Farol", "options": options })).await.is(201).data();
    let first = room.creates(json!({ "title": "Aurora", "currency": "JPY", "options": options })).await.is(201).data();
    let expected = json!({ "data": [first, second], "meta": { "page": 1, "limit": 10, "total": 2 } });
    room.me().api.get(RATE_PLANS).await.is(200).says(expected);
}

#[actix_web::test]
async fn the_short_list_has_all_plans_by_title_and_eight_attributes_of_each() {
    let room = room().await;
    let parent = room.has(json!({ "title": "Plan 10" })).await;
    let entry = |id: &str, title: &str, occupancy: u32, parent: Value, sell_mode: &str| {
        let attributes = json!({
            "id": id, "title": title, "occupancy": occupancy, "parent_rate_plan_id": parent,
            "property_id": room.house.property, "rate_category_id": null, "room_type_id": room.room_type,
            "sell_mode": sell_mode
        });
        json!({ "type": "rate_plan", "id": id, "attributes": attributes })
    };
    let mut expected = vec![entry(&parent, "Plan 10", 2, json!(null), "per_room")];
    for number in (11..22).rev() {
        let title = format!("Plan {number}");
        let id = room
            .has(json!({
                "title": title, "parent_rate_plan_id": parent, "sell_mode": "per_person",
                "options": [other_option(1, "80"), option(4, "100"), other_option(2, "90")]
            }))
            .await;
        expected.insert(1, entry(&id, &title, 4, json!(parent), "per_person"));
    }
    for query in ["", "?pagination[limit]=1", "?limit=2&page=3"] {
        let answer = room.me().api.get(&format!("{RATE_PLAN_OPTIONS}{query}")).await.is(200);
        answer.says(json!({ "data": expected }));
    }
}

#[actix_web::test]
async fn a_list_has_pages() {
    let room = room().await;
    for number in (1..=12).rev() {
        room.has(json!({ "title": format!("Plan {number:02}") })).await;
    }
    let titles: Vec<_> = (1..=12).map(|number| format!("Plan {number:02}")).collect();
    for (query, page, limit, expected) in [
        ("", 1, 10, &titles[..10]),
        ("pagination[page]=2", 2, 10, &titles[10..]),
        ("pagination[page]=3&pagination[limit]=5", 3, 5, &titles[10..]),
        ("pagination[limit]=101", 1, 100, &titles[..]),
        ("page=2&limit=5", 2, 5, &titles[5..10]),
        ("page=9", 9, 10, &[]),
    ] {
        let answer = room.me().api.get(&format!("{RATE_PLANS}?{query}")).await.is(200);
        assert_eq!(answer.column("title"), expected, "{answer}");
        let meta = json!({ "page": page, "limit": limit, "total": 12 });
        assert_eq!(answer.json()["meta"], meta, "{answer}");
    }
    for query in ["pagination[page]=0", "pagination[limit]=x"] {
        room.me().api.get(&format!("{RATE_PLANS}?{query}")).await.error_explained("bad_request");
    }
}

#[actix_web::test]
async fn filters_find_what_they_name() {
    let Street { room, dorm, property, parent } = street().await;
    let (first, room_type) = (&room.house.property, &room.room_type);
    for (query, expected) in [
        (String::new(), "ABCDE"),
        (format!("filter[property_id]={first}"), "ABCD"),
        (format!("filter[property_id]={}", property.to_uppercase()), "E"),
        (format!("filter[property_id]={first},{property}"), "ABCDE"),
        (format!("filter[property_id][not]={first}"), "E"),
        (format!("filter[property_id]={UNKNOWN_ID}"), ""),
        ("filter[property_id]=x".into(), ""),
        (format!("filter[room_type_id]={room_type}"), "ABC"),
        (format!("filter[room_type_id]={room_type},{dorm}"), "ABCD"),
        (format!("filter[room_type_id][not]={room_type}"), "DE"),
        (format!("filter[parent_rate_plan_id]={parent}"), "C"),
        (format!("filter[parent_rate_plan_id][not]={parent}"), "ABDE"),
        ("filter[parent_rate_plan_id]=".into(), "ABDE"),
        ("filter[parent_rate_plan_id]=x".into(), ""),
        (format!("filter[id]={parent}"), "A"),
        (format!("filter[id][not]={parent}"), "BCDE"),
        ("filter[title]=Aurora,Duna".into(), "AD"),
        ("filter[title]=aurora".into(), ""),
        ("filter[title]=Estrela,%20Norte".into(), "E"),
        ("filter[title][gt]=Boavista&filter[title][lte]=Duna".into(), "CD"),
        ("filter[sell_mode]=per_person".into(), "D"),
        ("filter[sell_mode][not]=per_person".into(), "ABCE"),
        ("filter[rate_mode]=derived".into(), "C"),
        ("filter[rate_mode]=auto,derived".into(), "BC"),
        ("filter[rate_mode]=guess".into(), ""),
        (format!("filter[rate_mode]=manual&filter[property_id]={first}"), "AD"),
        ("filter%5Brate_mode%5D=auto".into(), "B"),
    ] {
        assert_eq!(letters(&room, &query).await, expected, "{query}");
    }
    for (query, problem) in [
        ("filter[foo]=x", "filter[foo] is not supported"),
        ("filter[options]=x", "filter[options] is not supported"),
        ("filter[title][like]=x", "filter[title][like] is not supported"),
        ("order[foo]=asc", "order[foo] is not supported"),
        ("order[options]=asc", "order[options] is not supported"),
        ("order[auto_rate_settings]=asc", "order[auto_rate_settings] is not supported"),
        ("order[title]=up", "order[title] is invalid"),
    ] {
        for list in [RATE_PLANS, RATE_PLAN_OPTIONS] {
            let answer = room.me().api.get(&format!("{list}?{query}")).await;
            answer.error_with("bad_request", json!([problem]));
        }
    }
}

#[actix_web::test]
async fn every_scalar_attribute_can_be_ordered_by() {
    let Street { room, .. } = street().await;
    for (query, expected) in [
        ("order[title]=asc", "ABCDE"),
        ("order[title]=desc", "EDCBA"),
        ("order[inserted_at]=asc", "ADECB"),
        ("order[inserted_at]=desc", "BCEDA"),
        ("order[id]=desc", "BCEDA"),
        ("order[currency]=asc&order[title]=asc", "ACDBE"),
        ("order[sell_mode]=asc&order[title]=asc", "DABCE"),
        ("order[rate_mode]=asc&order[title]=desc", "BCEDA"),
        ("order[meal_type]=asc&order[title]=asc", "ABCDE"),
        ("order[inherit_rate]=desc&order[title]=asc", "CABDE"),
        ("order[parent_rate_plan_id]=asc&order[title]=asc", "CABDE"),
        ("order[title]=desc&filter[sell_mode]=per_room", "ECBA"),
    ] {
        assert_eq!(letters(&room, query).await, expected, "{query}");
    }
    let fees = ["children_fee", "infant_fee"];
    for field in INHERIT.iter().chain(&fees) {
        for direction in ["asc", "desc"] {
            assert_eq!(letters(&room, &format!("order[{field}]={direction}")).await.len(), 5);
        }
    }
    let one_currency = format!("filter[property_id]={}", room.house.property);
    assert_eq!(letters(&room, &format!("{one_currency}&order[children_fee]=desc&order[title]=asc")).await, "ABCD");
    assert_eq!(letters(&room, &format!("{one_currency}&order[infant_fee]=desc&order[title]=asc")).await, "DABC");
}

#[actix_web::test]
async fn titles_are_ordered_without_regard_to_case_and_accents() {
    let room = room().await;
    for title in ["Zoo", "äpfel", "Apple", "apple", "Éclair", "eclair 2", "10 Downs"] {
        room.has(json!({ "title": title })).await;
    }
    let expected = ["10 Downs", "äpfel", "Apple", "apple", "Éclair", "eclair 2", "Zoo"];
    assert_eq!(room.finds("").await, expected);
    let id = room.has(json!({ "title": "Yak" })).await;
    room.updates(&id, json!({ "title": "Bär" })).await.is(200);
    assert_eq!(room.finds("page=5&limit=1").await, ["Bär"]);
    let short = room.me().api.get(RATE_PLAN_OPTIONS).await.is(200);
    assert_eq!(short.column("title")[4], "Bär");
}

#[actix_web::test]
async fn equal_entries_are_ordered_by_id_and_pages_never_overlap() {
    let room = room().await;
    let mut ids = Vec::new();
    for number in 0..4 {
        let title = format!("Room {number}");
        let room_type = room.house.has(json!({ "title": title })).await;
        ids.push(room.has(json!({ "room_type_id": room_type })).await);
    }
    ids.sort();
    for order in ["", "order[title]=desc", "order[currency]=desc", "order[parent_rate_plan_id]=asc"] {
        let mut seen = Vec::new();
        for page in 1..=4 {
            let path = format!("{RATE_PLANS}?{order}&limit=1&page={page}");
            seen.extend(room.me().api.get(&path).await.is(200).column("id"));
        }
        assert_eq!(seen, ids, "{order}");
    }
}
