//! Keys that reach chosen properties only, and keys that only read.

use serde_json::json;

use crate::access::GROUP_USERS;
use crate::browser::{Browser, NEW_KEY};
use crate::html;
use crate::page::{key_rows, problem, seen, typed};
use crate::people::{Person, world};
use crate::property::{PROPERTIES, UNKNOWN_ID, at, body};
use crate::response::Response;
use crate::server::Server;

const PROFILE: &str = "/user_profile";

/// Sends the form with these fields beside a title and a token; keys in the answer become secrets.
async fn send(browser: &Browser, fields: &[(&str, &str)]) -> Response {
    let form = browser.get(NEW_KEY).await.is(200);
    let token = html::input_value(form.text(), "form_token").expect("a form token");
    let mut all = vec![("title", "Night audit"), ("form_token", &*token)];
    all.extend_from_slice(fields);
    browser.register(browser.post_form(NEW_KEY, &all).await)
}

/// The key that the answer shows.
fn shown(answer: Response) -> String {
    let answer = answer.is(200);
    (*html::keys(answer.text()).first().unwrap_or_else(|| panic!("no key in {answer}"))).to_owned()
}

/// The row of a key in the list.
async fn row(browser: &Browser, key: &str) -> String {
    let tail = format!("***{}", &key[key.len() - 6..]);
    let rows = key_rows(&browser.get(PROFILE).await.is(200));
    rows.iter().find(|row| row.contains(&tail)).unwrap_or_else(|| panic!("no {tail} in {rows:?}")).clone()
}

async fn found(server: &Server, key: &str) -> Vec<String> {
    server.with_key(key).get(PROPERTIES).await.is(200).column("title")
}

async fn three(me: &Person) -> [String; 3] {
    [
        me.has(json!({ "title": "Zirbenhof", "city": "Sölden" })).await,
        me.has(json!({ "title": "Ático Marina", "city": "Cádiz" })).await,
        me.has(json!({ "title": "Casa do Farol" })).await,
    ]
}

#[actix_web::test]
async fn the_form_offers_every_property_by_title_and_all_is_ticked() {
    let (server, me) = world().await;
    let other = server.person("other@farol.example").await;
    other.has(json!({ "title": "Not mine" })).await;
    let empty = me.browser.get(NEW_KEY).await.is(200);
    assert!(seen(empty.text()).contains("You have no properties yet."), "{empty}");
    let [zirbenhof, atico, farol] = three(&me).await;
    let form = me.browser.get(NEW_KEY).await.is(200);
    assert_eq!(html::choices(form.text(), "access"), [("all".to_owned(), true), ("chosen".to_owned(), false)]);
    let offers = html::choices(form.text(), "properties[]");
    assert_eq!(offers, [(atico, false), (farol, false), (zirbenhof, false)]);
    assert_eq!(html::choices(form.text(), "read_only"), [("on".to_owned(), false)]);
    assert_eq!(html::choices(form.text(), "manage_users"), [("on".to_owned(), true)]);
    let text = seen(form.text());
    assert!(text.contains("Ático Marina Cádiz") && text.contains("cannot create, change or delete anything"), "{text}");
    assert!(!text.contains("Not mine") && !text.contains("IDs of other properties"), "{text}");
}

#[actix_web::test]
async fn a_key_for_chosen_properties_reaches_these_alone() {
    let (server, me) = world().await;
    let [zirbenhof, atico, farol] = three(&me).await;
    let chosen = [("access", "chosen"), ("properties[]", &*zirbenhof), ("properties[]", &*farol)];
    let key = shown(send(&me.browser, &chosen).await);
    assert_eq!(found(&server, &key).await, ["Casa do Farol", "Zirbenhof"]);
    let api = server.with_key(&key);
    api.get(&at(&farol)).await.is(200);
    api.get(&at(&atico)).await.is(404);
    api.put(&at(&farol), &json!({ "property": { "city": "Sagres" } })).await.is(200);
    api.put(&at(&atico), &json!({ "property": { "city": "Sagres" } })).await.is(404);
    api.post(PROPERTIES, &body(json!({}))).await.error_explained("forbidden");
    me.has(json!({ "title": "Built later" })).await;
    assert_eq!(found(&server, &key).await, ["Casa do Farol", "Zirbenhof"]);
    let row = row(&me.browser, &key).await;
    assert!(row.contains("2 properties Read and write"), "{row}");
    let list = seen(me.browser.get(PROFILE).await.is(200).text());
    assert!(list.contains("Show the 2 properties of Night audit Casa do Farol Zirbenhof"), "{list}");
    let all = self::row(&me.browser, &me.key).await;
    assert!(all.contains("All properties Read and write"), "{all}");
    let id = me.browser.key_id(&key).await;
    let question = me.browser.get(&format!("/user_profile/api_keys/{id}/withdraw")).await.is(200);
    assert!(seen(question.text()).contains("of Night audit Casa do Farol Zirbenhof"), "{question}");
    let listed = server.run(&["key", "list", &me.user.email]).ok();
    let line = |key: &str| listed.lines().find(|line| line.contains(&key[key.len() - 6..])).expect("its line");
    assert!(line(&key).contains("\tNight audit\t2 properties, read and write"), "{listed}");
    assert!(line(&me.key).contains("\tFront desk\tall properties, read and write, manages users"), "{listed}");
}

#[actix_web::test]
async fn a_read_only_key_changes_nothing() {
    let (server, me) = world().await;
    let [zirbenhof, atico, _] = three(&me).await;
    let key = shown(send(&me.browser, &[("access", "all"), ("read_only", "on")]).await);
    let api = server.with_key(&key);
    assert_eq!(found(&server, &key).await.len(), 3);
    api.post(PROPERTIES, &body(json!({}))).await.error_explained("forbidden");
    api.put(&at(&atico), &json!({ "property": { "city": "x" } })).await.error_explained("forbidden");
    api.delete(&at(&atico)).await.error_explained("forbidden");
    assert!(row(&me.browser, &key).await.contains("All properties Read only"));
    let both = [("access", "chosen"), ("properties[]", &*zirbenhof), ("read_only", "on")];
    let both = shown(send(&me.browser, &both).await);
    assert_eq!(found(&server, &both).await, ["Zirbenhof"]);
    server.with_key(&both).delete(&at(&zirbenhof)).await.error_explained("forbidden");
    assert!(row(&me.browser, &both).await.contains("1 property Read only"));
    assert!(server.run(&["key", "list", &me.user.email]).ok().contains("\t1 property, read only\n"));
}

#[actix_web::test]
async fn managing_users_is_a_right_of_its_own_that_limited_keys_never_have() {
    const TOLD: &str = "It may not manage users";
    let (server, me) = world().await;
    let [zirbenhof, ..] = three(&me).await;
    let group = me.group().await;
    let may = async |key: &str| {
        let email = format!("{}@farol.example", uuid::Uuid::now_v7());
        let answer = server.with_key(key).post(GROUP_USERS.path, &GROUP_USERS.invitation(&group, &email, "user")).await;
        answer.status == 201
    };
    for (fields, rights, is_told) in [
        (vec![("manage_users", "on")], "All properties Read and write, manages users", false),
        (vec![], "All properties Read and write", false),
        (vec![("read_only", "on"), ("manage_users", "on")], "All properties Read only", true),
        (vec![("read_only", "on")], "All properties Read only", false),
        (
            vec![("access", "chosen"), ("properties[]", &*zirbenhof), ("manage_users", "on")],
            "1 property Read and write",
            true,
        ),
    ] {
        let answer = send(&me.browser, &fields).await.is(200);
        assert_eq!(seen(answer.text()).contains(TOLD), is_told, "{fields:?}: {answer}");
        let key = shown(answer);
        let manages = rights.ends_with("manages users");
        assert_eq!(may(&key).await, manages, "{fields:?}");
        let row = row(&me.browser, &key).await;
        assert!(row.contains(rights) && row.contains("manages users") == manages, "{row}");
        let caller = server.with_key(&key).get("/api/v1/me").await.is(200).attributes();
        assert_eq!(caller["key"]["manage_users"], json!(manages));
    }
    // What was typed comes back as it was, and a sign-in in between leaves it so.
    for (fields, ticked) in [(vec![("manage_users", "on")], true), (vec![("access", "all")], false)] {
        let mut nameless = vec![("title", "")];
        nameless.extend(fields);
        let again = me.browser.post_form(NEW_KEY, &nameless).await.is(422);
        assert_eq!(html::choices(again.text(), "manage_users"), [("on".to_owned(), ticked)]);
    }
    let resumed = me.browser.get(&format!("{NEW_KEY}?title=x&access=all")).await.is(200);
    assert_eq!(html::choices(resumed.text(), "manage_users"), [("on".to_owned(), false)]);
}

#[actix_web::test]
async fn a_choice_that_will_not_do_comes_back_with_the_reason_and_makes_no_key() {
    let (server, me) = world().await;
    let other = server.person("other@farol.example").await;
    let foreign = other.has(json!({ "title": "Not mine" })).await;
    let [zirbenhof, atico, _] = three(&me).await;
    let many: String = (0..1001).map(|_| format!("{}\r\n", uuid::Uuid::now_v7())).collect();
    for (fields, reason) in [
        (vec![("access", "chosen")], "Select at least one property"),
        (vec![("access", "chosen"), ("further", " \r\n ")], "Select at least one property"),
        (
            vec![("access", "chosen"), ("properties[]", &*foreign)],
            &*format!("You have no property with the ID “{foreign}”"),
        ),
        (vec![("access", "chosen"), ("properties[]", &*atico), ("properties[]", UNKNOWN_ID)], "You have no property"),
        (vec![("access", "chosen"), ("properties[]", &*atico), ("further", &*foreign)], "You have no property"),
        (vec![("access", "chosen"), ("properties[]", "x\0y")], "You have no property"),
        (vec![("access", "chosen"), ("further", "<b>")], "You have no property with the ID “<b>”"),
        (vec![("access", "chosen"), ("further", &*many)], "at most 1000 properties (you selected 1001)"),
        (vec![("access", "all"), ("properties[]", &*atico)], "“All properties” is chosen"),
        (vec![("properties[]", &*atico)], "“All properties” is chosen"),
        (vec![("access", "everything")], "Choose “All properties” or"),
    ] {
        let answer = send(&me.browser, &fields).await.is(422);
        assert_eq!(html::keys(answer.text()), Vec::<&str>::new());
        let told = problem(&answer, "properties").unwrap_or_else(|| panic!("no reason in {answer}"));
        assert!(told.contains(reason), "{told}");
        assert!(!answer.text().contains("<b>") && !answer.text().contains("Not mine"), "{answer}");
        assert_eq!(typed(&answer, "title").as_deref(), Some("Night audit"));
        let is_chosen = fields[0] == ("access", "chosen");
        assert_eq!(html::choices(answer.text(), "access")[1].1, is_chosen, "{answer}");
        for (id, ticked) in html::choices(answer.text(), "properties[]") {
            assert_eq!(ticked, fields.contains(&("properties[]", &*id)), "{id} in {answer}");
        }
    }
    let both = [
        ("title", ""),
        ("access", "chosen"),
        ("properties[]", UNKNOWN_ID),
        ("read_only", "on"),
        ("further", &*zirbenhof),
    ];
    let answer = me.browser.post_form(NEW_KEY, &both).await.is(422);
    assert!(problem(&answer, "title").is_some(), "{answer}");
    assert_eq!(html::choices(answer.text(), "read_only"), [("on".to_owned(), true)]);
    assert!(answer.text().contains(&format!("\n{zirbenhof}</textarea>")), "{answer}");
    let both = me.browser.post_form(NEW_KEY, &[("access", "chosen")]).await.is(422);
    assert!(problem(&both, "title").is_some() && problem(&both, "properties").is_some(), "{both}");
    assert_eq!(key_rows(&me.browser.get(PROFILE).await).len(), 1);
}

#[actix_web::test]
async fn a_new_key_of_a_rotation_has_the_limits_of_the_key_that_was_lost() {
    let (server, me) = world().await;
    let [zirbenhof, atico, farol] = three(&me).await;
    let form = me.browser.get(NEW_KEY).await.is(200);
    let token = html::input_value(form.text(), "form_token").expect("a form token");
    let fields = [
        ("title", "Night audit"),
        ("form_token", &*token),
        ("access", "chosen"),
        ("properties[]", &*zirbenhof),
        ("properties[]", &*atico),
        ("read_only", "on"),
    ];
    let lost = shown(me.browser.register(me.browser.post_form(NEW_KEY, &fields).await));
    me.api.delete(&at(&atico)).await.is(200);
    // The form, sent again with other wishes, changes none.
    let other = [("title", "Night audit"), ("form_token", &*token), ("access", "all")];
    let offer = me.browser.post_form(NEW_KEY, &other).await.is(409);
    assert!(seen(offer.text()).contains("Show the property of Night audit Zirbenhof"), "{offer}");
    let id = me.browser.key_id(&lost).await;
    assert!(offer.text().contains("/rotate"), "{offer}");
    let rotate = format!("/user_profile/api_keys/{id}/rotate");
    let fields = [("form_token", "of-the-rotation"), ("overlap", "now"), ("access", "all"), ("properties[]", &*farol)];
    let new = shown(me.browser.register(me.browser.post_form(&rotate, &fields).await));
    server.with_key(&lost).get(PROPERTIES).await.is(401);
    assert_eq!(found(&server, &new).await, ["Zirbenhof"]);
    server.with_key(&new).delete(&at(&zirbenhof)).await.error_explained("forbidden");
    assert!(row(&me.browser, &new).await.contains("1 property Read only"));
}

#[actix_web::test]
async fn a_key_whose_properties_are_gone_reaches_none_and_says_so() {
    let (server, me) = world().await;
    let [zirbenhof, atico, _] = three(&me).await;
    let chosen = [("access", "chosen"), ("properties[]", &*zirbenhof), ("further", &*atico)];
    let key = shown(send(&me.browser, &chosen).await);
    assert!(row(&me.browser, &key).await.contains("2 properties"));
    for id in [zirbenhof, atico] {
        me.api.delete(&at(&id)).await.is(200);
    }
    assert_eq!(found(&server, &key).await, Vec::<String>::new());
    assert!(row(&me.browser, &key).await.contains("No properties Read and write"));
    assert!(server.run(&["key", "list", &me.user.email]).ok().contains("\tno properties, read and write\n"));
    server.with_key(&key).post(PROPERTIES, &body(json!({}))).await.error_explained("forbidden");
}

#[actix_web::test]
async fn what_was_chosen_when_the_session_ended_is_still_chosen_after_the_sign_in() {
    let (server, me) = world().await;
    let [zirbenhof, atico, farol] = three(&me).await;
    let fields = [
        ("title", "Night & day"),
        ("access", "chosen"),
        ("properties[]", &*zirbenhof),
        ("properties[]", &*farol),
        ("read_only", "on"),
        ("form_token", "secret-of-the-form"),
    ];
    let browser = server.browser();
    let away = browser.post_form(NEW_KEY, &fields).await.is(303);
    let sign_in = away.header("location").expect("the sign-in").to_owned();
    assert!(sign_in.starts_with("/sign_in?") && !sign_in.contains("secret"), "{sign_in}");
    let page = browser.get(&sign_in).await.is(200);
    let return_to = typed(&page, "return_to").expect("where it goes on");
    let credentials = [("email", &*me.user.email), ("password", &*me.user.password), ("return_to", &*return_to)];
    let back = browser.post_form("/sign_in", &credentials).await.is(303);
    let form = browser.get(back.header("location").expect("the form")).await.is(200);
    assert_eq!(typed(&form, "title").as_deref(), Some("Night & day"));
    assert_eq!(html::choices(form.text(), "access")[1], ("chosen".to_owned(), true));
    assert_eq!(html::choices(form.text(), "properties[]"), [(atico, false), (farol, true), (zirbenhof, true)]);
    assert_eq!(html::choices(form.text(), "read_only"), [("on".to_owned(), true)]);
    assert_eq!(problem(&form, "properties"), None);
}

#[actix_web::test]
async fn of_very_many_properties_the_first_are_offered_and_further_ids_are_typed() {
    let (server, me) = world().await;
    let mut ids = vec![];
    for number in 0..503 {
        ids.push(me.has(json!({ "title": format!("House {number:03}") })).await);
    }
    let form = me.browser.get(NEW_KEY).await.is(200);
    let offers = html::choices(form.text(), "properties[]");
    assert_eq!(offers.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), &ids[..500]);
    let text = seen(form.text());
    assert!(text.contains("The first 500 of your 503 properties") && text.contains("one per line"), "{text}");
    let further = format!("\r\n {} \r\n{}\r\n", ids[501], ids[501].to_uppercase());
    let fields = [("access", "chosen"), ("properties[]", &*ids[0]), ("further", &*further)];
    let key = shown(send(&me.browser, &fields).await);
    assert_eq!(found(&server, &key).await, ["House 000", "House 501"]);
    // What is ticked is offered again, also where it is not among the first.
    let fields = [("access", "chosen"), ("properties[]", &*ids[502]), ("properties[]", UNKNOWN_ID)];
    let again = send(&me.browser, &fields).await.is(422);
    assert_eq!(html::choices(again.text(), "properties[]").last(), Some(&(ids[502].clone(), true)));

    let mut fields = vec![("access", "chosen")];
    fields.extend(ids[..30].iter().map(|id| ("properties[]", &**id)));
    let key = shown(send(&me.browser, &fields).await);
    let row = row(&me.browser, &key).await;
    assert!(row.contains("30 properties Read and write") && !row.contains("House"), "{row}");
    let list = seen(me.browser.get(PROFILE).await.is(200).text());
    assert!(list.contains("Show the 30 properties of Night audit House 000 House 001"), "{list}");
    assert!(list.contains("House 019 and 10 more") && !list.contains("House 020"), "{list}");
}

#[actix_web::test]
async fn with_as_many_keys_as_there_may_be_the_choice_stays_in_the_form() {
    let server = Server::options().env("LATCHKEY_MAX_KEYS", "1").start().await;
    let me = server.person("desk@farol.example").await;
    let id = me.has(json!({})).await;
    let fields = [("access", "chosen"), ("properties[]", &*id), ("read_only", "on")];
    let answer = send(&me.browser, &fields).await.is(422);
    assert!(problem(&answer, "title").is_some_and(|told| told.contains("the limit of 1 active key")), "{answer}");
    assert_eq!(html::choices(answer.text(), "properties[]"), [(id, true)]);
    assert_eq!(html::choices(answer.text(), "read_only"), [("on".to_owned(), true)]);
    let list = me.browser.get(PROFILE).await.is(200);
    assert!(seen(list.text()).contains("the limit of 1 active key"), "{list}");
}
