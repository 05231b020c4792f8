//! The list of room types, and the short list: shape, pages, order, filters.

use serde_json::{Value, json};

use crate::property::UNKNOWN_ID;
use crate::room_type::{House, ROOM_TYPE_OPTIONS, ROOM_TYPES, house};

/// Four room types in one property and one in another; a query of them is told by the letters they begin with.
async fn street() -> (House, String) {
    let house = house().await;
    let second = house.me.has(json!({ "title": "Pensão Aurora" })).await;
    for fields in [
        json!({ "title": "Duna", "occ_adults": 4, "occ_infants": 0 }),
        json!({ "title": "Aurora", "occ_adults": 3, "count_of_rooms": 1 }),
        json!({ "title": "Estrela, Norte", "property_id": second, "room_kind": "dorm", "capacity": 4 }),
        json!({ "title": "Cabana", "room_kind": "dorm", "capacity": 8, "occ_children": 0 }),
        json!({ "title": "Boavista", "occ_adults": 3, "default_occupancy": 1 }),
    ] {
        house.has(fields).await;
    }
    (house, second)
}

async fn letters(house: &House, query: &str) -> String {
    let answer = house.me.api.get(&format!("{ROOM_TYPES}?{query}")).await.is(200);
    let titles = answer.column("title");
    assert_eq!(answer.json()["meta"]["total"], titles.len(), "{answer}");
    let letters: String = titles.iter().map(|title| &title[..1]).collect();
    let short = house.me.api.get(&format!("{ROOM_TYPE_OPTIONS}?{query}")).await.is(200);
    assert_eq!(short.column("title"), titles, "{short}");
    assert_eq!(short.json().get("meta"), None, "{short}");
    letters
}

#[actix_web::test]
async fn an_empty_list_has_no_entries_and_a_total_of_0() {
    let house = house().await;
    let expected = json!({ "data": [], "meta": { "page": 1, "limit": 10, "total": 0 } });
    house.me.api.get(ROOM_TYPES).await.is(200).says(expected);
    house.me.api.get(ROOM_TYPE_OPTIONS).await.is(200).says(json!({ "data": [] }));
}

#[actix_web::test]
async fn a_list_entry_is_what_reading_it_gives() {
    let house = house().await;
    let second = house.creates(json!({ "title": "Farol" })).await.is(201).data();
    let first = house.creates(json!({ "title": "Aurora", "room_kind": "dorm", "capacity": 4 })).await.is(201).data();
    let expected = json!({ "data": [first, second], "meta": { "page": 1, "limit": 10, "total": 2 } });
    house.me.api.get(ROOM_TYPES).await.is(200).says(expected);
}

#[actix_web::test]
async fn the_short_list_has_all_room_types_by_title_and_four_attributes_of_each() {
    let house = house().await;
    let mut expected = Vec::new();
    for number in (10..22).rev() {
        let title = format!("Room {number}");
        let id = house.has(json!({ "title": title, "occ_adults": 3, "default_occupancy": 1 })).await;
        let attributes = json!({ "default_occupancy": 1, "id": id, "property_id": house.property, "title": title });
        expected.insert(0, json!({ "type": "room_type", "id": id, "attributes": attributes }));
    }
    for query in ["", "?pagination[limit]=1", "?limit=2&page=3"] {
        let answer = house.me.api.get(&format!("{ROOM_TYPE_OPTIONS}{query}")).await.is(200);
        answer.says(json!({ "data": expected }));
    }
}

#[actix_web::test]
async fn a_list_has_pages() {
    let house = house().await;
    for number in (1..=12).rev() {
        house.has(json!({ "title": format!("Room {number:02}") })).await;
    }
    let titles: Vec<_> = (1..=12).map(|number| format!("Room {number:02}")).collect();
    for (query, page, limit, expected) in [
        ("", 1, 10, &titles[..10]),
        ("pagination[page]=2", 2, 10, &titles[10..]),
        ("pagination[page]=3&pagination[limit]=5", 3, 5, &titles[10..]),
        ("pagination[limit]=101", 1, 100, &titles[..]),
        ("page=2&limit=5", 2, 5, &titles[5..10]),
        ("page=9", 9, 10, &[]),
    ] {
        let answer = house.me.api.get(&format!("{ROOM_TYPES}?{query}")).await.is(200);
        assert_eq!(answer.column("title"), expected, "{answer}");
        let meta = json!({ "page": page, "limit": limit, "total": 12 });
        assert_eq!(answer.json()["meta"], meta, "{answer}");
    }
    for query in ["pagination[page]=0", "pagination[limit]=x"] {
        house.me.api.get(&format!("{ROOM_TYPES}?{query}")).await.error_explained("bad_request");
    }
}

#[actix_web::test]
async fn filters_find_what_they_name() {
    let (house, second) = street().await;
    let aurora = house.me.api.get(&format!("{ROOM_TYPES}?filter[title]=Aurora")).await.column("id").remove(0);
    let first = &house.property;
    for (query, expected) in [
        (String::new(), "ABCDE"),
        (format!("filter[property_id]={first}"), "ABCD"),
        (format!("filter[property_id]={}", second.to_uppercase()), "E"),
        (format!("filter[property_id]={first},{second}"), "ABCDE"),
        (format!("filter[property_id][not]={first}"), "E"),
        (format!("filter[property_id][eq]={second}"), "E"),
        (format!("filter[property_id]={UNKNOWN_ID}"), ""),
        ("filter[property_id]=x".into(), ""),
        ("filter[property_id]=".into(), ""),
        (format!("filter[id]={aurora}"), "A"),
        (format!("filter[id][not]={aurora}"), "BCDE"),
        (format!("filter[id]={second}"), ""),
        ("filter[title]=Aurora,Duna".into(), "AD"),
        ("filter[title]=aurora".into(), ""),
        ("filter[title]=Estrela,%20Norte".into(), "E"),
        ("filter[title][gt]=Boavista&filter[title][lte]=Duna".into(), "CD"),
        ("filter[room_kind]=dorm".into(), "CE"),
        ("filter[room_kind][not]=dorm".into(), "ABD"),
        ("filter[room_kind]=suite".into(), ""),
        (format!("filter[room_kind]=dorm&filter[property_id]={first}"), "C"),
        ("filter%5Broom_kind%5D=dorm".into(), "CE"),
    ] {
        assert_eq!(letters(&house, &query).await, expected, "{query}");
    }
    for (query, problem) in [
        ("filter[foo]=x", "filter[foo] is not supported"),
        ("filter[content]=x", "filter[content] is not supported"),
        ("filter[title][like]=x", "filter[title][like] is not supported"),
        ("order[foo]=asc", "order[foo] is not supported"),
        ("order[content]=asc", "order[content] is not supported"),
        ("order[title]=up", "order[title] is invalid"),
    ] {
        for list in [ROOM_TYPES, ROOM_TYPE_OPTIONS] {
            let answer = house.me.api.get(&format!("{list}?{query}")).await;
            answer.error_with("bad_request", json!([problem]));
        }
    }
}

#[actix_web::test]
async fn every_scalar_attribute_can_be_ordered_by() {
    let (house, _) = street().await;
    for (query, expected) in [
        ("order[title]=asc", "ABCDE"),
        ("order[title]=desc", "EDCBA"),
        ("order[inserted_at]=asc", "DAECB"),
        ("order[inserted_at]=desc", "BCEAD"),
        ("order[id]=desc", "BCEAD"),
        ("order[occ_adults]=desc&order[title]=asc", "DABCE"),
        ("order[occ_children]=asc&order[title]=asc", "CABDE"),
        ("order[occ_infants]=asc&order[title]=asc", "DABCE"),
        ("order[default_occupancy]=asc&order[title]=asc", "BCEAD"),
        ("order[count_of_rooms]=asc&order[title]=asc", "ABCDE"),
        ("order[room_kind]=asc&order[title]=asc", "CEABD"),
        ("order[room_kind]=desc&order[title]=desc", "DBAEC"),
        ("order[capacity]=asc&order[title]=asc", "ECABD"),
        ("filter[room_kind]=room&order[title]=desc", "DBA"),
    ] {
        assert_eq!(letters(&house, query).await, expected, "{query}");
    }
}

#[actix_web::test]
async fn titles_are_ordered_without_regard_to_case_and_accents() {
    let house = house().await;
    for title in ["Zoo", "äpfel", "Apple", "apple", "Éclair", "eclair 2", "10 Downs"] {
        house.has(json!({ "title": title })).await;
    }
    let expected = ["10 Downs", "äpfel", "Apple", "apple", "Éclair", "eclair 2", "Zoo"];
    assert_eq!(house.finds("").await, expected);
    let id = house.has(json!({ "title": "Yak" })).await;
    house.updates(&id, json!({ "title": "Bär" })).await.is(200);
    assert_eq!(house.finds("page=4&limit=1").await, ["apple"]);
    assert_eq!(house.finds("page=5&limit=1").await, ["Bär"]);
    let short = house.me.api.get(ROOM_TYPE_OPTIONS).await.is(200);
    assert_eq!(short.column("title")[4], "Bär");
}

#[actix_web::test]
async fn equal_entries_are_ordered_by_id_and_pages_never_overlap() {
    let house = house().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(house.has(json!({})).await);
    }
    ids.sort();
    for order in ["", "order[title]=desc", "order[occ_adults]=desc", "order[capacity]=asc"] {
        let mut seen = Vec::new();
        for page in 1..=4 {
            let path = format!("{ROOM_TYPES}?{order}&limit=1&page={page}");
            seen.extend(house.me.api.get(&path).await.is(200).column("id"));
        }
        assert_eq!(seen, ids, "{order}");
    }
    let nothing = house.me.api.get(&format!("{ROOM_TYPES}?filter[title]=x&page=3")).await.json();
    assert_eq!(nothing["data"], Value::Array(Vec::new()));
    assert_eq!(nothing["meta"], json!({ "page": 3, "limit": 10, "total": 0 }));
}
