//! Keys for chosen properties and keys that only read, made and seen on the page.

use serde_json::json;
use thirtyfour::prelude::*;

use crate::{
    chrome::{Browser, Scheme},
    looks::titles,
    people::Person,
    server::Server,
    steps::eventually,
};

/// A browser in which somebody with these properties stands before the list of keys.
pub async fn before_the_list_with(
    properties: &[(&str, &str)],
    width: u32,
    javascript: bool,
) -> (Server, Person, Browser) {
    let server = Server::start().await;
    let person = server.person("desk@farol.example").await;
    for (title, city) in properties {
        let body = json!({ "property": { "title": title, "currency": "EUR", "city": city } });
        person.api.post("/api/v1/properties", &body).await.is(201);
    }
    let browser = Browser::open(width, Scheme::Light, javascript).await;
    browser.arrive(&server, &person.user).await;
    (server, person, browser)
}

const HOUSES: &[(&str, &str)] = &[("Ático Marina", "Cádiz"), ("Casa do Farol", "Sagres"), ("Zirbenhof", "Sölden")];

impl Browser {
    /// Clicks on the box or button with this label, and it is then ticked.
    pub async fn tick(&self, label: &str) {
        let script = "
            const has = one => [...one.labels].some(label => label.textContent.trim().startsWith(arguments[0]));
            const found = [...document.querySelectorAll('input[type=checkbox], input[type=radio]')].filter(has);
            // Away from the buttons that stay in sight at the end of the dialog.
            found[0]?.scrollIntoView({ block: 'center' });
            return found.length === 1 && found[0].checkVisibility() ? found : null;";
        let find = async || self.execute(script, vec![label.into()]).await.ok()?.elements().ok()?.pop();
        let one = eventually(&format!("a box {label:?} in sight"), find).await;
        one.click().await.expect("a box to click on");
        assert!(one.is_selected().await.expect("a box"), "{label} is not ticked");
    }

    async fn offers_in_sight(&self) -> bool {
        self.reads("the offers", "return !!document.querySelector('.offers').checkVisibility()").await
    }
}

#[actix_web::test]
async fn properties_are_chosen_with_javascript() {
    chosen(true).await;
}

#[actix_web::test]
async fn properties_are_chosen_without_javascript() {
    chosen(false).await;
}

async fn chosen(javascript: bool) {
    let (server, _, browser) = before_the_list_with(HOUSES, 360, javascript).await;
    browser.press("Create new API Key").await;
    assert!(!browser.offers_in_sight().await, "nothing is chosen yet");
    browser.type_into("Title", "Night audit").await;
    browser.tick("Selected properties").await;
    browser.press("Create").await;
    let told = browser.dialog("Create new API Key").await;
    assert!(told.contains("Select at least one property"), "{told}");
    assert_eq!(browser.field("Title").await.value().await.unwrap().as_deref(), Some("Night audit"));
    browser.tick("Zirbenhof").await;
    browser.tick("Casa do Farol").await;
    browser.tick("Read only").await;
    browser.press("Create").await;
    let key = browser.key_shown(&server).await;
    let found = server.with_key(&key).get("/api/v1/properties").await.is(200).column("title");
    assert_eq!(found, ["Casa do Farol", "Zirbenhof"]);
    browser.press("Close").await;
    browser.no_dialog().await;
    let access: String =
        browser.reads("the access", "return document.querySelector('#api_keys td[data-label=Access]').innerText").await;
    assert!(access.contains("2 properties") && access.contains("Read only"), "{access}");
    assert!(!access.contains("Zirbenhof"), "{access}");
    browser.find(By::Css("#api_keys summary")).await.unwrap().click().await.unwrap();
    let titles = "return document.querySelector('#api_keys details ul').innerText.split(/\\n+/).join()";
    browser.expect("the titles", titles, "Casa do Farol,Zirbenhof").await;
}

#[actix_web::test]
async fn what_is_ticked_stays_in_sight_when_all_properties_are_wanted_after_all() {
    let (_server, _, browser) = before_the_list_with(HOUSES, 1280, false).await;
    browser.press("Create new API Key").await;
    browser.type_into("Title", "Night audit").await;
    browser.tick("Selected properties").await;
    browser.tick("Zirbenhof").await;
    browser.tick("All properties").await;
    assert!(browser.offers_in_sight().await, "what is ticked is out of sight");
    browser.press("Create").await;
    let told = browser.dialog("Create new API Key").await;
    assert!(told.contains("“All properties” is chosen"), "{told}");
    browser.tick("Selected properties").await;
    browser.press("Create").await;
    browser.dialog("API Key created").await;
}

#[actix_web::test]
async fn a_long_list_of_properties_can_be_filtered_and_ticked_at_once() {
    let houses: Vec<String> = (0..12).map(|number| format!("Haus Lärche {number}")).collect();
    let mut houses: Vec<(&str, &str)> = houses.iter().map(|title| (&**title, "Sölden")).collect();
    houses.push(("Casa do Farol", "Sagres"));
    let (server, _, browser) = before_the_list_with(&houses, 1280, true).await;
    browser.press("Create new API Key").await;
    browser.type_into("Title", "Night audit").await;
    browser.tick("Selected properties").await;
    let count = "return document.querySelector('[data-picker] [role=status]').textContent";
    browser.expect("nothing is ticked", count, "0 of 13 selected").await;
    browser.type_into("Filter the properties by title or city", "LARCHE 1").await;
    browser.expect("three fit", count, "0 of 13 selected, 3 shown").await;
    browser.press("Select all shown").await;
    browser.expect("three are ticked", count, "3 of 13 selected, 3 shown").await;
    browser.button("dialog", "Clear all shown").await;
    browser.type_into("Filter the properties by title or city", "sagres").await;
    // It sends nothing.
    browser.strike(crate::keyboard::Key::Enter).await;
    browser.tick("Casa do Farol").await;
    browser.expect("four are ticked", count, "4 of 13 selected, 1 shown").await;
    // What is hidden by the filter is sent all the same.
    browser.press("Create").await;
    let key = browser.key_shown(&server).await;
    let found = server.with_key(&key).get("/api/v1/properties").await.is(200).column("title");
    assert_eq!(found, ["Casa do Farol", "Haus Lärche 1", "Haus Lärche 10", "Haus Lärche 11"]);
}

#[actix_web::test]
async fn a_button_whose_answer_never_came_can_be_pressed_again() {
    let (_server, _, browser) = before_the_list_with(&[], 1280, true).await;
    browser.press("Create new API Key").await;
    let stopped = "document.getElementById('create_key').addEventListener('submit', event => event.preventDefault());
        document.querySelector('[form=create_key]').click();";
    browser.run(stopped).await;
    let disabled = "return document.querySelector('[form=create_key]').disabled";
    browser.expect("the button is off", disabled, true).await;
    browser.expect("the button is on again", disabled, false).await;
}

#[actix_web::test]
async fn the_access_of_a_key_looks_right_with_javascript() {
    looks(true).await;
}

#[actix_web::test]
async fn the_access_of_a_key_looks_right_without_javascript() {
    looks(false).await;
}

async fn looks(javascript: bool) {
    let titles = titles();
    let mut houses: Vec<(&str, &str)> = titles.iter().map(|title| (&**title, "Cádiz")).collect();
    let city = "x".repeat(255);
    houses.extend([("With a long city", &*city), ("Without any", ""), ("Zirbenhof", "Sölden")]);
    let (server, me, mut browser) = before_the_list_with(&houses, 1280, javascript).await;
    browser.press("Create new API Key").await;
    browser.tick("Selected properties").await;
    browser.looks_right("create-chosen", 200).await;
    browser.type_into("Title", &titles[1]).await;
    browser.press("Create").await;
    browser.dialog("Create new API Key").await;
    browser.looks_right("create-chosen-wrong", 422).await;
    for title in ["Front desk", "WWW", "With a long", "Zirbenhof"] {
        browser.tick(title).await;
    }
    browser.tick("Read only").await;
    browser.press("Create").await;
    let key = browser.key_shown(&server).await;
    browser.press("Close").await;
    browser.no_dialog().await;
    browser.looks_right("profile-limited", 200).await;
    browser.find(By::Css("#api_keys summary")).await.unwrap().click().await.unwrap();
    browser.looks_right("profile-limited-open", 200).await;
    let id = me.browser.key_id(&key).await;
    browser.visit(format!("{}/user_profile/api_keys/{id}/withdraw", server.base_url)).await;
    browser.looks_right("withdraw-limited", 200).await;
}

#[actix_web::test]
async fn the_form_of_somebody_with_very_many_properties_looks_right() {
    let houses: Vec<String> = (0..503).map(|number| format!("House {number:03}")).collect();
    let houses: Vec<(&str, &str)> = houses.iter().map(|title| (&**title, "Sagres")).collect();
    let (_server, _, mut browser) = before_the_list_with(&houses, 1280, true).await;
    browser.press("Create new API Key").await;
    browser.tick("Selected properties").await;
    browser.looks_right("create-very-many", 200).await;
}
