//! The Properties page.

use crate::{
    chrome::{Browser, Scheme},
    limits::before_the_list_with,
    looks::titles,
    server::Server,
};

#[actix_web::test]
async fn an_id_is_copied_by_its_button() {
    let (server, me, browser) = before_the_list_with(&[("Casa do Farol", "Sagres")], 360, true).await;
    let list = me.api.get("/api/v1/properties").await.is(200).data();
    let id = list[0]["id"].as_str().expect("an id");
    browser.grant_clipboard(&server.base_url).await;
    browser.press_in("nav", "Properties").await;
    browser.press_in("tbody", "Copy").await;
    let told = "return document.querySelector('[data-copied]').textContent";
    browser.expect("what is told", told, "ID copied.").await;
    assert_eq!(browser.clipboard().await, id);
}

#[actix_web::test]
async fn without_javascript_the_page_is_searched_sorted_and_turned() {
    let houses: Vec<String> = (0..60).map(|number| format!("Hôtel {number:02}")).collect();
    let mut houses: Vec<(&str, &str)> = houses.iter().map(|title| (&**title, "Sagres")).collect();
    houses.push(("Zirbenhof", "Sölden"));
    let (_server, _, browser) = before_the_list_with(&houses, 360, false).await;
    browser.press_in("nav", "Properties").await;
    let first = "return document.querySelector('tbody th').textContent";
    browser.expect("the first", first, "Hôtel 00").await;
    browser.press("Next").await;
    browser.expect("the first of the second page", first, "Hôtel 25").await;
    browser.press_in("thead", "Title").await;
    browser.expect("the last by title", first, "Zirbenhof").await;
    browser.type_into("Search in title and city", "HOTEL sagres").await;
    browser.press("Search").await;
    browser.expect("the last that is found", first, "Hôtel 59").await;
    let sorted = "return document.querySelector('[aria-sort=descending]').textContent";
    browser.expect("the order", sorted, "Title").await;
    browser.press("Next").await;
    browser.press("Next").await;
    browser.press("Previous").await;
    browser.expect("the first of the second page", first, "Hôtel 34").await;
    browser.press("Clear the search").await;
    browser.expect("the last by title", first, "Zirbenhof").await;
    let copy = "return [...document.querySelectorAll('[data-copy]')].some(one => one.checkVisibility())";
    browser.expect("buttons that need the script", copy, false).await;
}

#[actix_web::test]
async fn the_page_of_properties_looks_right_with_javascript() {
    looks(true).await;
}

#[actix_web::test]
async fn the_page_of_properties_looks_right_without_javascript() {
    looks(false).await;
}

async fn looks(javascript: bool) {
    let (mut titles, city) = (titles().to_vec(), "x".repeat(255));
    titles.extend((0..30).map(|number| format!("Hotel {number:02}")));
    let mut houses: Vec<(&str, &str)> = titles.iter().map(|title| (&**title, "Cádiz")).collect();
    houses.insert(0, ("A long city", &*city));
    houses.insert(0, ("A house without a city", ""));
    let (server, _, mut browser) = before_the_list_with(&houses, 1280, javascript).await;
    browser.visit(format!("{}/properties", server.base_url)).await;
    browser.looks_right("properties", 200).await;
    browser.visit(format!("{}/properties?order=-title&page=2&q=o", server.base_url)).await;
    browser.looks_right("properties-page-2", 200).await;
    browser.visit(format!("{}/properties?q={}", server.base_url, titles[1])).await;
    browser.looks_right("properties-found", 200).await;
    browser.visit(format!("{}/properties?q={}y", server.base_url, titles[1])).await;
    browser.looks_right("properties-not-found", 200).await;
}

#[actix_web::test]
async fn the_page_without_properties_looks_right() {
    let server = Server::start().await;
    let user = server.add_user("new@farol.example");
    let mut browser = Browser::open(1280, Scheme::Light, true).await;
    browser.arrive(&server, &user).await;
    browser.press_in("nav", "Properties").await;
    browser.looks_right("properties-none", 200).await;
}
