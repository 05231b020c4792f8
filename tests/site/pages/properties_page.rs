//! The Properties page: what somebody reaches, searched, sorted and paged.

use serde_json::json;

use crate::browser::Browser;
use crate::html;
use crate::page::{seen, typed};
use crate::people::{Person, world};
use crate::property::{UNKNOWN_ID, at};
use crate::response::Response;
use crate::server::Server;

const PAGE: &str = "/properties";

/// The rows of the page, as they are read.
fn rows(page: &Response) -> Vec<String> {
    html::rows(page.text()).filter(|row| row.contains("data-copy")).map(seen).collect()
}

/// The titles on the page, in its order.
async fn titles(browser: &Browser, query: &str) -> Vec<String> {
    let page = browser.get(&format!("{PAGE}{query}")).await.is(200);
    let row = |row: &str| seen(row.split_once("<th").expect("a title").1.split("</th>").next().expect("its end"));
    html::rows(page.text())
        .filter(|row| row.contains("data-copy"))
        .map(row)
        .map(|cell| cell.split_once("> ").map_or(cell.clone(), |(_, title)| title.to_owned()))
        .collect()
}

fn search(text: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", text).finish();
    format!("?{query}")
}

/// The links of the page to itself.
fn links(page: &Response) -> Vec<String> {
    page.text().split("href=\"/properties").skip(1).filter_map(|link| link.split('"').next()).map(seen).collect()
}

async fn several(me: &Person) {
    for (title, city, currency) in [
        ("Zirbenhof", Some("Sölden"), "EUR"),
        ("ático marina", Some("Cádiz"), "EUR"),
        ("Berghaus Lärche", Some("Pontresina"), "CHF"),
        ("Hotel 100 % Sonne", None, "EUR"),
        ("under_score", Some("cadiz"), "USD"),
        ("Éclair", Some(""), "GBP"),
    ] {
        me.has(json!({ "title": title, "city": city, "currency": currency })).await;
    }
}

#[actix_web::test]
async fn the_page_shows_each_property_with_what_the_api_calls_it() {
    let (server, me) = world().await;
    let other = server.person("other@farol.example").await;
    let foreign = other.has(json!({ "title": "Not mine", "city": "Sagres" })).await;
    let id = me.has(json!({ "title": "Casa <do> Farol", "city": "Sagres", "currency": "eur" })).await;
    let page = me.browser.get(PAGE).await.is(200);
    let group = me.api.get("/api/v1/groups").await.is(200).column("title").remove(0);
    assert_eq!(rows(&page).len(), 1, "{page}");
    let row = &rows(&page)[0];
    for part in ["Casa <do> Farol", "Sagres", "EUR", &*group, &*id, "Copy"] {
        assert!(row.contains(part), "no {part} in {row}");
    }
    let text = seen(page.text());
    assert!(text.contains("You have access to 1 property,") && !text.contains("Page 1"), "{text}");
    for path in [PAGE.to_owned(), format!("{PAGE}{}", search("not mine")), format!("{PAGE}{}", search("sagres"))] {
        let page = me.browser.get(&path).await.is(200);
        assert!(!rows(&page).concat().contains("Not mine") && !page.text().contains(&foreign), "{page}");
    }
    assert!(page.text().contains(r#"href="/properties" aria-current="page""#), "{page}");
    assert!(page.text().contains(r#"href="/docs">"#), "{page}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    me.api.delete(&at(&id)).await.is(200);
    assert_eq!(titles(&me.browser, "").await, Vec::<String>::new());
}

#[actix_web::test]
async fn nobody_sees_it_without_signing_in_and_everybody_without_a_subscription() {
    let (server, me) = world().await;
    me.has(json!({})).await;
    let away = server.browser().get("/properties?q=a&page=2").await.is(303);
    assert_eq!(away.header("location"), Some("/sign_in?return_to=%2Fproperties%3Fq%3Da%26page%3D2"));
    server.run(&["subscription", "cancel", &me.user.email, "--now"]).ok();
    assert_eq!(titles(&me.browser, "").await, ["Casa do Farol"]);
    // A key opens the API, no page.
    me.api.get(PAGE).await.is(303);
    me.browser.post_form(PAGE, &[]).await.is(405);
}

#[actix_web::test]
async fn an_empty_account_says_what_comes_next() {
    let server = Server::start().await;
    let user = server.add_user("new@farol.example");
    let browser = server.signed_in(&user).await;
    let page = browser.get(PAGE).await.is(200);
    let text = seen(page.text());
    assert!(text.contains("You have no properties yet.") && text.contains("POST /api/v1/properties"), "{text}");
    assert!(page.text().contains(r#"href="/docs""#) && page.text().contains(r#"href="/user_profile#api_keys""#));
    let page = browser.get(&format!("{PAGE}{}", search("<b> x"))).await.is(200);
    assert!(seen(page.text()).contains("None of your properties has <b> x in its title or city."), "{page}");
    assert_eq!(typed(&page, "q").as_deref(), Some("<b> x"));
    assert!(links(&page).contains(&String::new()) && seen(page.text()).contains("Clear the search"), "{page}");
}

#[actix_web::test]
async fn the_search_looks_into_title_and_city_without_regard_to_case_and_accents() {
    let (_server, me) = world().await;
    several(&me).await;
    for (text, found) in [
        ("CADIZ", vec!["ático marina", "under_score"]),
        ("cádiz", vec!["ático marina", "under_score"]),
        ("Ä", vec!["ático marina", "Berghaus Lärche", "Éclair", "under_score"]),
        ("  ECL ", vec!["Éclair"]),
        ("e\u{301}clair", vec!["Éclair"]),
        ("marina cad", vec!["ático marina"]),
        ("cad marina", vec!["ático marina"]),
        ("%", vec!["Hotel 100 % Sonne"]),
        ("100 %", vec!["Hotel 100 % Sonne"]),
        ("％", vec!["Hotel 100 % Sonne"]),
        ("_", vec!["under_score"]),
        ("r_s", vec!["under_score"]),
        ("r!s", vec![]),
        ("\\", vec![]),
        ("'", vec![]),
        ("\0", vec!["ático marina", "Berghaus Lärche", "Éclair", "Hotel 100 % Sonne", "under_score", "Zirbenhof"]),
        ("zirb\0en", vec!["Zirbenhof"]),
    ] {
        let mut got = titles(&me.browser, &search(text)).await;
        let mut found: Vec<String> = found.into_iter().map(str::to_owned).collect();
        got.sort();
        found.sort();
        assert_eq!(got, found, "{text:?}");
    }
    for long in ["%".repeat(2500), "x ".repeat(3000), "ﷺ".repeat(800)] {
        assert_eq!(titles(&me.browser, &search(&long)).await, Vec::<String>::new());
    }
    me.browser.get(&format!("{PAGE}{}", search(&"%".repeat(5000)))).await.is(414);
    let id = me.has(json!({ "title": "Old name", "city": "Porto" })).await;
    me.updates(&id, json!({ "title": "Nové jméno" })).await.is(200);
    assert_eq!(titles(&me.browser, &search("nove porto")).await, ["Nové jméno"]);
    assert_eq!(titles(&me.browser, &search("old name")).await, Vec::<String>::new());
    let page = me.browser.get(&format!("{PAGE}{}", search("cadiz"))).await.is(200);
    assert!(seen(page.text()).contains("2 properties with cadiz in title or city. Clear the search"), "{page}");
}

#[actix_web::test]
async fn each_sortable_column_is_sorted_both_ways_by_its_link() {
    let (_server, me) = world().await;
    several(&me).await;
    let by_title = ["ático marina", "Berghaus Lärche", "Éclair", "Hotel 100 % Sonne", "under_score", "Zirbenhof"];
    let by_city = ["ático marina", "under_score", "Berghaus Lärche", "Zirbenhof", "Éclair", "Hotel 100 % Sonne"];
    for (order, expected) in [
        ("", by_title),
        ("title", by_title),
        ("nonsense", by_title),
        ("--title", by_title),
        ("-title", ["Zirbenhof", "under_score", "Hotel 100 % Sonne", "Éclair", "Berghaus Lärche", "ático marina"]),
        ("city", by_city),
        ("-city", ["Zirbenhof", "Berghaus Lärche", "ático marina", "under_score", "Éclair", "Hotel 100 % Sonne"]),
        ("currency", ["Berghaus Lärche", "ático marina", "Hotel 100 % Sonne", "Zirbenhof", "Éclair", "under_score"]),
        ("-currency", ["under_score", "Éclair", "ático marina", "Hotel 100 % Sonne", "Zirbenhof", "Berghaus Lärche"]),
    ] {
        assert_eq!(titles(&me.browser, &format!("?order={order}")).await, expected, "{order}");
    }
    let page = me.browser.get("/properties?order=city&q=a").await.is(200);
    assert_eq!(page.text().matches("aria-sort=\"none\"").count(), 2, "{page}");
    assert_eq!(page.text().matches("aria-sort=\"ascending\"").count(), 1, "{page}");
    for link in ["?q=a", "?q=a&order=-city", "?q=a&order=currency", "?order=city"] {
        assert!(links(&page).contains(&link.to_owned()), "no {link} in {:?}", links(&page));
    }
    assert_eq!(typed(&page, "order").as_deref(), Some("city"));
}

#[actix_web::test]
async fn pages_have_25_rows_and_a_page_that_is_not_there_breaks_nothing() {
    let (_server, me) = world().await;
    for number in 0..53 {
        me.has(json!({ "title": format!("House {number:02}") })).await;
    }
    let house = |numbers: std::ops::Range<usize>| numbers.map(|n| format!("House {n:02}")).collect::<Vec<_>>();
    for (page, numbers, is) in [
        ("", 0..25, 1),
        ("1", 0..25, 1),
        ("2", 25..50, 2),
        ("3", 50..53, 3),
        ("4", 50..53, 3),
        ("99999999999999999999999999", 50..53, 3),
        ("0", 0..25, 1),
        ("-2", 0..25, 1),
        ("x", 0..25, 1),
        ("2.5", 0..25, 1),
        ("%00", 0..25, 1),
    ] {
        let query = format!("?page={page}");
        assert_eq!(titles(&me.browser, &query).await, house(numbers), "{page}");
        let answer = me.browser.get(&format!("{PAGE}{query}")).await.is(200);
        assert!(seen(answer.text()).contains(&format!("Page {is} of 3")), "{answer}");
        let (previous, next) = (answer.text().contains("rel=\"prev\""), answer.text().contains("rel=\"next\""));
        assert_eq!((previous, next), (is > 1, is < 3), "{answer}");
    }
    let page = me.browser.get("/properties?order=-title&q=house&page=2").await.is(200);
    for link in ["?q=house&order=-title", "?q=house&order=-title&page=3"] {
        assert!(links(&page).contains(&link.to_owned()), "no {link} in {:?}", links(&page));
    }
    assert_eq!(titles(&me.browser, "?q=house+51&page=9").await, house(51..52));
}

#[actix_web::test]
async fn an_error_page_greets_whoever_is_signed_in() {
    let (server, me) = world().await;
    for path in ["/no/such/page", &format!("/user_profile/api_keys/{UNKNOWN_ID}/withdraw")] {
        let page = me.browser.get(path).await.is(404);
        assert!(page.text().contains(&me.user.email) && page.text().contains("Sign out"), "{page}");
    }
    let page = server.browser().get("/no/such/page").await.is(404);
    assert!(!page.text().contains("Sign out"), "{page}");
}
