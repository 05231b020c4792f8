//! The filters of the list of properties.

use serde_json::json;

use crate::people::{Person, world};
use crate::property::{PROPERTIES, UNKNOWN_ID};
use crate::server::Server;

/// Five properties; a query of one is told by the letters its titles begin with.
async fn street() -> (Server, Person) {
    let (server, me) = world().await;
    for property in [
        json!({ "title": "Aurora", "city": "Faro", "country": "PT" }),
        json!({ "title": "Boavista", "city": "Lagos", "country": "PT", "is_active": false }),
        json!({ "title": "Cabana", "city": "", "currency": "USD" }),
        json!({ "title": "Duna", "country": "ES", "currency": "USD" }),
        json!({ "title": "Estrela, Norte", "city": "faro", "country": "FR", "currency": "JPY" }),
    ] {
        me.has(property).await;
    }
    (server, me)
}

async fn letters(me: &Person, query: &str) -> String {
    let answer = me.api.get(&format!("{PROPERTIES}?{query}")).await.is(200);
    let titles = answer.column("title");
    assert_eq!(answer.json()["meta"]["total"], titles.len(), "{answer}");
    titles.iter().map(|title| &title[..1]).collect()
}

#[actix_web::test]
async fn a_text_filter_is_exact_and_looks_at_the_case() {
    let (_server, me) = street().await;
    for (query, expected) in [
        ("filter[title]=Aurora", "A"),
        ("filter[title]=aurora", ""),
        ("filter[title]=Auror", ""),
        ("filter[title]=Aurora%20", ""),
        ("filter[title]=A%25", ""),
        ("filter[title]=_urora", ""),
        ("filter[city]=Faro", "A"),
        ("filter[city]=faro", "E"),
        ("filter[city][eq]=Faro", "A"),
        ("filter[country]=PT", "AB"),
        ("filter[currency]=USD", "CD"),
        ("filter%5Bcountry%5D%5Beq%5D=PT", "AB"),
        ("filter%5bcountry%5d=PT", "AB"),
        ("filter[title]='%20or%201=1--", ""),
    ] {
        assert_eq!(letters(&me, query).await, expected, "{query}");
    }
}

#[actix_web::test]
async fn a_filter_takes_a_list_and_a_text_with_a_comma() {
    let (_server, me) = street().await;
    for (query, expected) in [
        ("filter[title]=Aurora,Duna", "AD"),
        ("filter[title]=Aurora,Nowhere", "A"),
        ("filter[title]=Estrela,%20Norte", "E"),
        ("filter[title]=Estrela%2C%20Norte", "E"),
        ("filter[title]=Estrela,+Norte", "E"),
        ("filter[title]=Estrela", ""),
        ("filter[title][]=Aurora&filter[title][]=Duna", "AD"),
        ("filter[title][]=Aurora", "A"),
        ("filter[title][]=Estrela,%20Norte", "E"),
        ("filter[title][eq]=Aurora,Duna", "AD"),
        ("filter[title][not]=Aurora,Duna", "BCE"),
        ("filter[title][not]=Estrela,%20Norte", "ABCD"),
        ("filter[currency]=USD,JPY", "CDE"),
    ] {
        assert_eq!(letters(&me, query).await, expected, "{query}");
    }
}

#[actix_web::test]
async fn several_filters_hold_together() {
    let (_server, me) = street().await;
    for (query, expected) in [
        ("filter[country]=PT&filter[is_active]=true", "A"),
        ("filter[country]=PT&filter[currency]=USD", ""),
        ("filter[title][gte]=Boavista&filter[title][lt]=Duna", "BC"),
        ("filter[title][gt]=Boavista&filter[title][lte]=Duna", "CD"),
        ("filter[title][gt]=Boavista&filter[title][not]=Duna", "CE"),
        ("filter[title]=Aurora&filter[title][not]=Aurora", ""),
    ] {
        assert_eq!(letters(&me, query).await, expected, "{query}");
    }
}

#[actix_web::test]
async fn the_same_argument_twice_counts_the_last_time() {
    let (_server, me) = street().await;
    assert_eq!(letters(&me, "filter[title]=Aurora&filter[title]=Duna").await, "D");
    let spelled = "filter[title]=Aurora&filter%5Btitle%5D=Duna";
    assert_eq!(letters(&me, spelled).await, "D");
    let operator = "filter[title][not]=Aurora&filter[title][not]=Duna";
    assert_eq!(letters(&me, operator).await, "ABCE");
}

#[actix_web::test]
async fn not_finds_what_has_no_value_too() {
    let (_server, me) = street().await;
    assert_eq!(letters(&me, "filter[city][not]=Faro").await, "BCDE");
    assert_eq!(letters(&me, "filter[country][not]=PT,ES").await, "CE");
}

#[actix_web::test]
async fn an_empty_filter_finds_what_is_null_or_empty() {
    let (_server, me) = street().await;
    assert_eq!(letters(&me, "filter[city]=").await, "CD");
    assert_eq!(letters(&me, "filter[city][eq]=").await, "CD");
    assert_eq!(letters(&me, "filter[country]=").await, "C");
    assert_eq!(letters(&me, "filter[title]=").await, "");
}

#[actix_web::test]
async fn a_boolean_filter_takes_four_words() {
    let (_server, me) = street().await;
    for (value, expected) in [("true", "ACDE"), ("1", "ACDE"), ("false", "B"), ("0", "B")] {
        let query = format!("filter[is_active]={value}");
        assert_eq!(letters(&me, &query).await, expected);
        let query = format!("filter[is_active][eq]={value}");
        assert_eq!(letters(&me, &query).await, expected);
    }
    assert_eq!(letters(&me, "filter[is_active][not]=true").await, "B");
    for value in ["yes", "TRUE", "2", "null"] {
        let answer = me.api.get(&format!("{PROPERTIES}?filter[is_active]={value}")).await;
        answer.error_with("bad_request", json!(["filter[is_active] is invalid"]));
    }
}

#[actix_web::test]
async fn an_id_filter_takes_any_case_and_finds_nothing_for_what_is_none() {
    let (_server, me) = world().await;
    let first = me.has(json!({ "title": "Aurora" })).await;
    let second = me.has(json!({ "title": "Boavista" })).await;
    let upper = first.to_uppercase();
    for (query, expected) in [
        (format!("filter[id]={first}"), "A"),
        (format!("filter[id]={upper}"), "A"),
        (format!("filter[id]={first},{second}"), "AB"),
        (format!("filter[id]={first},{UNKNOWN_ID}"), "A"),
        (format!("filter[id]=x,{second}"), "B"),
        (format!("filter[id][not]={first}"), "B"),
        (format!("filter[id]={UNKNOWN_ID}"), ""),
        ("filter[id]=x".into(), ""),
        ("filter[group_id]=x".into(), ""),
        (format!("filter[group_id]={UNKNOWN_ID}"), ""),
        (format!("filter[group_id]={}", me.group().await), "AB"),
        (format!("filter[group_id]={UNKNOWN_ID},{}", me.group().await), "AB"),
    ] {
        assert_eq!(letters(&me, &query).await, expected, "{query}");
    }
}

#[actix_web::test]
async fn an_unknown_filter_is_refused_and_never_ignored() {
    let (_server, me) = street().await;
    for name in [
        "filter[foo]",
        "filter[email]",
        "filter[settings]",
        "filter[inserted_at]",
        "filter[]",
        "filter[Title]",
        "filter[title][like]",
        "filter[title][GT]",
        "filter[is_active][eql]",
    ] {
        let answer = me.api.get(&format!("{PROPERTIES}?{name}=x")).await;
        let details = json!([format!("{name} is not supported")]);
        answer.error_with("bad_request", details);
    }
    let operators = ["gt", "gte", "lt", "lte"];
    for operator in operators {
        let query = format!("filter[title][{operator}]=Aurora,Duna");
        let answer = me.api.get(&format!("{PROPERTIES}?{query}")).await;
        answer.error_explained("bad_request");
    }
    let good_too = "filter[foo]=x&filter[title]=Aurora";
    let answer = me.api.get(&format!("{PROPERTIES}?{good_too}")).await;
    answer.error_with("bad_request", json!(["filter[foo] is not supported"]));
}

#[actix_web::test]
async fn a_long_list_of_ids_is_taken() {
    let (_server, me) = world().await;
    let mut ids = vec![UNKNOWN_ID.to_owned(); 500];
    ids.push(me.has(json!({ "title": "Aurora" })).await);
    let query = format!("filter[id]={}", ids.join(","));
    assert_eq!(letters(&me, &query).await, "A");
}

#[actix_web::test]
async fn all_filters_together_have_at_most_a_thousand_entries() {
    let (_server, me) = world().await;
    let many = |field: &str, entries: usize| format!("filter[{field}]={}", ",".repeat(entries - 1));
    let listed = |entries: usize| vec!["filter[title][]=x"; entries].join("&");
    let get = |query: String| me.api.get(&format!("{PROPERTIES}?{query}"));
    let refused = json!(["filter has more than 1000 entries"]);
    for query in [
        many("title", 1001),
        format!("{}&{}", many("title", 600), many("city", 401)),
        format!("{}&filter[title][not]=x&{}", many("title", 999), many("country", 1)),
        format!("{}&filter[city]=x", many("id", 1000)),
    ] {
        get(query).await.error_with("bad_request", refused.clone());
    }
    for query in [many("title", 1000), format!("{}&{}", many("title", 600), many("city", 400)), listed(400)] {
        get(query).await.is(200);
    }
    // The last of the same argument counts.
    get(format!("{}&{}", many("title", 700), many("title", 700))).await.is(200);
}

#[actix_web::test]
async fn the_entries_of_a_list_may_be_numbered() {
    let (_server, me) = street().await;
    for (query, expected) in [
        (
            "filter[title][0]=Aurora&filter[title][1]=Duna",
            letters(&me, "filter[title][]=Aurora&filter[title][]=Duna").await,
        ),
        ("filter[title][7]=Aurora", "A".to_owned()),
        ("filter[title][0]=Aurora,Duna", String::new()),
        ("filter%5Btitle%5D%5B0%5D=Aurora", "A".to_owned()),
    ] {
        assert_eq!(letters(&me, query).await, expected, "{query}");
    }
    for name in ["filter[title][-1]", "filter[title][0][0]", "filter[title][a0]"] {
        let answer = me.api.get(&format!("{PROPERTIES}?{name}=x")).await;
        answer.error_with("bad_request", json!([format!("{name} is not supported")]));
    }
}
