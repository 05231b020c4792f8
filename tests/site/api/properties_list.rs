//! The list of properties: its shape, its pages, its order.

use serde_json::{Value, json};

use crate::access::{GROUP_USERS, PROPERTY_USERS};
use crate::people::{Person, world};
use crate::property::{OPTIONS, PROPERTIES};
use crate::response::Response;

async fn list(me: &Person, query: &str) -> Response {
    me.api.get(&format!("{PROPERTIES}?{query}")).await
}

/// Properties `Pousada 01` to `Pousada count`, made in another order.
async fn pousadas(me: &Person, count: usize) -> Vec<String> {
    let mut titles = Vec::new();
    for number in (1..=count).rev() {
        let title = format!("Pousada {number:02}");
        me.has(json!({ "title": title })).await;
        titles.insert(0, title);
    }
    titles
}

#[actix_web::test]
async fn a_page_has_ten_entries_unless_asked_otherwise() {
    let (_server, me) = world().await;
    let titles = pousadas(&me, 12).await;
    for (query, page, limit, expected) in [
        ("", 1, 10, &titles[..10]),
        ("pagination[page]=2", 2, 10, &titles[10..]),
        ("pagination[limit]=5", 1, 5, &titles[..5]),
        ("pagination[page]=3&pagination[limit]=5", 3, 5, &titles[10..]),
        ("pagination[limit]=1&pagination[page]=12", 12, 1, &titles[11..]),
        ("pagination[limit]=100", 1, 100, &titles[..]),
        ("pagination[limit]=101", 1, 100, &titles[..]),
        ("pagination[limit]=2147483647", 1, 100, &titles[..]),
        ("pagination[page]=3", 3, 10, &[]),
        ("pagination[page]=2147483647", 2_147_483_647, 10, &[]),
        ("pagination[page]=2147483647&pagination[limit]=100", 2_147_483_647, 100, &[]),
        ("pagination%5Bpage%5D=2&pagination%5blimit%5d=7", 2, 7, &titles[7..]),
        ("pagination[page]=1&pagination[page]=2", 2, 10, &titles[10..]),
        ("page=2", 2, 10, &titles[10..]),
        ("limit=5", 1, 5, &titles[..5]),
        ("page=2&limit=5", 2, 5, &titles[5..10]),
        ("limit=500", 1, 100, &titles[..]),
    ] {
        let answer = list(&me, query).await.is(200);
        assert_eq!(answer.column("title"), expected, "{answer}");
        let meta = json!({ "page": page, "limit": limit, "total": 12 });
        assert_eq!(answer.json()["meta"], meta, "{answer}");
    }
}

/// Beyond 200 links a list is read otherwise than below.
#[actix_web::test]
async fn the_pages_of_a_large_account_have_each_property_once_whatever_ways_lead_there() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let second = me.has_group("Algarve houses").await;
    let mut ids = Vec::new();
    for number in 0..105 {
        // Titles that differ in case alone, or not at all, are in the order of their ids.
        let title = ["Casa", "casa", "Pousada", "Águas"][number % 4];
        let id = me.has(json!({ "title": format!("{title} {}", number / 8) })).await;
        if number % 2 == 0 {
            me.adds(&second, &id).await.is(200);
        }
        if number % 6 == 0 {
            me.gives(&PROPERTY_USERS, &id, &night, "user").await;
        }
        ids.push(id);
    }
    me.gives(&GROUP_USERS, &second, &night, "user").await;
    for number in 0..100 {
        night.has(json!({ "title": format!("Night {number}") })).await;
    }
    for (person, total) in [(&me, 105), (&night, 153)] {
        let expected = person.api.get(OPTIONS).await.is(200).column("id");
        assert_eq!(expected.len(), total);
        for limit in [10, 7, 100] {
            let mut found = Vec::new();
            for page in 1..=total.div_ceil(limit) + 1 {
                let answer = list(person, &format!("page={page}&limit={limit}")).await.is(200);
                assert_eq!(answer.json()["meta"], json!({ "page": page, "limit": limit, "total": total }));
                found.extend(answer.column("id"));
            }
            assert_eq!(found, expected, "{limit} a page");
        }
        let answer = list(person, "page=2147483647&limit=100").await.is(200);
        assert_eq!((answer.data(), &answer.json()["meta"]["total"]), (json!([]), &json!(total)));
        let one = list(person, &format!("filter[id]={}", ids[0])).await.is(200);
        assert_eq!((one.column("id"), &one.json()["meta"]["total"]), (vec![ids[0].clone()], &json!(1)));
    }
}

#[actix_web::test]
async fn a_page_or_limit_that_is_no_positive_integer_is_a_400() {
    let (_server, me) = world().await;
    for name in ["page", "limit"] {
        for value in ["0", "-1", "%2B1", "x", "1.5", "1e1", "0x1", "2,3", "null", "%00", "٣"] {
            let answer = list(&me, &format!("pagination[{name}]={value}")).await;
            let details = json!([format!("pagination[{name}] is invalid")]);
            answer.error_with("bad_request", details);
            let answer = list(&me, &format!("{name}={value}")).await;
            answer.error_explained("bad_request");
        }
    }
    for huge in ["9223372036854775808", &"9".repeat(100)] {
        let answer = list(&me, &format!("pagination[page]={huge}")).await;
        let details = json!(["pagination[page] is invalid"]);
        answer.error_with("bad_request", details);
    }
    // Whether it is a page past the end or no page at all: never a fault.
    let answer = list(&me, "pagination[page]=9223372036854775807&limit=100").await;
    assert!([200, 400].contains(&answer.status), "{answer}");
}

#[actix_web::test]
async fn other_plain_and_empty_arguments_are_ignored() {
    let (_server, me) = world().await;
    pousadas(&me, 2).await;
    let expected = me.api.get(PROPERTIES).await.is(200).face();
    for query in ["", "&&", "&", "=", "=x", "relationships=all", "&a=b&&c&", "order=title", "_=17"] {
        assert_eq!(list(&me, query).await.face(), expected, "{query}");
    }
}

#[actix_web::test]
async fn titles_are_ordered_without_regard_to_case_and_accents() {
    let (_server, me) = world().await;
    for title in ["Zoo", "äpfel", "Apple", "apple", "Éclair", "eclair 2", "Ångström", "10 Downs", "Ñandú", "nandu 2"]
    {
        me.has(json!({ "title": title })).await;
    }
    let expected = ["10 Downs", "Ångström", "äpfel", "Apple", "apple", "Éclair", "eclair 2", "Ñandú", "nandu 2", "Zoo"];
    assert_eq!(me.finds("").await, expected);
    assert_eq!(me.finds("order[title]=asc").await, expected);
    // Apple was made before apple, and equal titles keep that order both ways.
    let mut reversed = expected;
    reversed.reverse();
    reversed.swap(5, 6);
    assert_eq!(reversed[5..7], ["Apple", "apple"]);
    assert_eq!(me.finds("order[title]=desc").await, reversed);
}

#[actix_web::test]
async fn several_orders_apply_as_written() {
    let (_server, me) = world().await;
    for (title, currency, city) in
        [("Aurora", "USD", "Faro"), ("Boavista", "EUR", "Lagos"), ("Cabana", "USD", "Faro"), ("Duna", "EUR", "Faro")]
    {
        me.has(json!({ "title": title, "currency": currency, "city": city })).await;
    }
    for (query, expected) in [
        ("order[currency]=asc&order[title]=desc", ["Duna", "Boavista", "Cabana", "Aurora"]),
        ("order[title]=desc&order[currency]=asc", ["Duna", "Cabana", "Boavista", "Aurora"]),
        ("order[city]=desc&order[currency]=desc&order[title]=desc", ["Boavista", "Cabana", "Aurora", "Duna"]),
        ("order[inserted_at]=desc", ["Duna", "Cabana", "Boavista", "Aurora"]),
        ("order%5Binserted_at%5D=asc", ["Aurora", "Boavista", "Cabana", "Duna"]),
    ] {
        assert_eq!(me.finds(query).await, expected, "{query}");
    }
}

#[actix_web::test]
async fn every_scalar_attribute_can_be_ordered_by_and_nothing_else() {
    let (_server, me) = world().await;
    pousadas(&me, 2).await;
    for field in [
        "id",
        "title",
        "is_active",
        "email",
        "phone",
        "currency",
        "country",
        "state",
        "city",
        "address",
        "zip_code",
        "latitude",
        "longitude",
        "timezone",
        "property_type",
        "logo_url",
        "acc_channels_count",
        "inserted_at",
    ] {
        for direction in ["asc", "desc"] {
            let answer = list(&me, &format!("order[{field}]={direction}")).await.is(200);
            assert_eq!(answer.column("id").len(), 2);
        }
    }
    for field in ["foo", "content", "settings", "group_id", "relationships", "", "title;--", "TITLE"] {
        let answer = list(&me, &format!("order[{field}]=asc")).await;
        let details = json!([format!("order[{field}] is not supported")]);
        answer.error_with("bad_request", details);
    }
    for direction in ["up", "ascending", "1", "DESC", "asc,desc", "%00"] {
        let answer = list(&me, &format!("order[title]={direction}")).await;
        let details = json!(["order[title] is invalid"]);
        answer.error_with("bad_request", details);
    }
}

#[actix_web::test]
async fn order_and_pages_go_together_with_filters() {
    let (_server, me) = world().await;
    for number in 1..=6 {
        let city = if number % 2 == 0 { "Faro" } else { "Lagos" };
        let title = format!("Pousada {number}");
        me.has(json!({ "title": title, "city": city })).await;
    }
    let query = "filter[city]=Faro&order[title]=desc&pagination[limit]=2&pagination[page]=1";
    let answer = list(&me, query).await.is(200);
    assert_eq!(answer.column("title"), ["Pousada 6", "Pousada 4"]);
    assert_eq!(answer.json()["meta"], json!({ "page": 1, "limit": 2, "total": 3 }));
    let total = list(&me, "filter[city]=Sines&page=9").await.json();
    assert_eq!(total["data"], Value::Array(vec![]));
    assert_eq!(total["meta"], json!({ "page": 9, "limit": 10, "total": 0 }));
}
