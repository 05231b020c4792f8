//! The page of the people with access to a property, and leaving.

use serde_json::json;

use crate::access::{GROUP_USERS, PROPERTY_USERS};
use crate::client::Call;
use crate::html;
use crate::page::seen;
use crate::people::{Person, world};
use crate::property::{UNKNOWN_ID, at};
use crate::response::Response;
use crate::server::Server;

fn people(property: &str) -> String {
    format!("/properties/{property}/people")
}

/// The rows of the page's tables as they are read, without their heads.
fn rows(page: &Response) -> Vec<String> {
    html::rows(page.text()).filter(|row| row.contains("rowheader")).map(seen_row).collect()
}

/// The text of a row: what stands before the first tag of it is a piece of one.
fn seen_row(row: &str) -> String {
    seen(&format!("<tr{row}"))
}

/// The one address of a form that ends so.
fn action(page: &Response, end: &str) -> String {
    let found: Vec<String> = html::form_actions(page.text()).into_iter().filter(|to| to.ends_with(end)).collect();
    assert_eq!(found.len(), 1, "{end} in {page}");
    found.into_iter().next().expect("one")
}

/// Confirms the dialog that stands at this address.
async fn confirm(who: &Person, address: &str) -> Response {
    let dialog = who.browser.get(address).await.is(200);
    assert!(html::form_actions(dialog.text()).contains(&address.to_owned()), "{dialog}");
    who.browser.post_form(address, &[]).await
}

/// Alice's property, which Mallory, an owner by invitation, has put into a group of his own.
async fn taken_over() -> (Server, Person, Person, String, String) {
    let (server, alice) = world().await;
    let mallory = server.person("mallory@farol.example").await;
    let property = alice.has(json!({ "title": "Casa do Farol" })).await;
    alice.gives(&PROPERTY_USERS, &property, &mallory, "owner").await;
    let group = mallory.group().await;
    mallory.api.post(&format!("/api/v1/groups/{group}/properties/{property}"), &json!({})).await.is(200);
    (server, alice, mallory, property, group)
}

fn refused_to_invite(answer: Response) {
    answer.error_with("forbidden", json!(["the user does not take invitations from you"]));
}

#[actix_web::test]
async fn an_owner_sees_every_way_and_who_made_it_with_which_key() {
    let (server, alice, mallory, property, _group) = taken_over().await;
    let guest = server.person("guest@farol.example").await;
    let mallorys = mallory.group().await;
    mallory.gives(&GROUP_USERS, &mallorys, &guest, "user").await;
    server.add_user("host-gave@farol.example");
    server.run(&["member", "add", &property, "host-gave@farol.example"]).ok();
    let list = alice.browser.get("/properties").await.is(200);
    assert!(list.text().contains(&people(&property)), "{list}");
    let page = alice.browser.get(&people(&property)).await.is(200);
    let text = seen(page.text());
    assert!(text.contains("People with access") && text.contains("Casa do Farol"), "{text}");
    assert!(text.contains("4 people can see"), "{text}");
    let rows = rows(&page);
    let row = |parts: &[&str]| {
        let found = rows.iter().filter(|row| parts.iter().all(|part| row.contains(part))).count();
        assert_eq!(found, 1, "{parts:?} in {rows:#?}");
    };
    row(&["desk@farol.example", "owner", "directly", "theirs from the start", "Leave"]);
    row(&["desk@farol.example", "owner", "through the group", "(home)", "Leave"]);
    row(&["mallory@farol.example", "owner", "directly", "desk@farol.example", "with the API key Front desk", "Remove"]);
    row(&["theirs from the start", "through the group", "removed from the group by its owner mallory@farol.example"]);
    row(&["guest@farol.example", "user", "through the group", "by its owner mallory@farol.example"]);
    row(&["host-gave@farol.example", "directly", "the host", "Remove"]);
    row(&["2 people", "mallory@farol.example", "with the API key Front desk", "Take out"]);
    row(&["home", "1 person"]);
}

#[actix_web::test]
async fn who_is_no_owner_sees_the_owners_and_only_their_own_ways_and_a_stranger_nothing() {
    let (server, me) = world().await;
    let (night, other) = (server.person("night@farol.example").await, server.person("other@farol.example").await);
    let property = me.has(json!({})).await;
    me.gives(&PROPERTY_USERS, &property, &night, "user").await;
    let link = me.gives(&PROPERTY_USERS, &property, &server.person("third@farol.example").await, "user").await;
    let page = night.browser.get(&people(&property)).await.is(200);
    let text = seen(page.text());
    assert!(text.contains("Owners desk@farol.example"), "{text}");
    assert!(!text.contains("third@farol.example") && !text.contains("Front desk"), "{text}");
    assert_eq!(rows(&page).len(), 1, "{page}");
    action(&page, &format!("{property}/people/leave"));
    let group = me.group().await;
    for path in [format!("/{link}/remove"), format!("/groups/{group}/take_out")] {
        let path = format!("{}{path}", people(&property));
        for who in [&night, &other] {
            who.browser.get(&path).await.is(404);
            who.browser.post_form(&path, &[]).await.is(404);
        }
    }
    other.browser.get(&people(&property)).await.is(404);
    other.browser.get(&format!("{}/leave", people(&property))).await.is(404);
    for path in [people(UNKNOWN_ID), people("x"), format!("{}/x/remove", people(&property))] {
        me.browser.get(&path).await.is(404);
    }
    assert_eq!(me.roles(&PROPERTY_USERS, &property).await.len(), 3);
    let away = server.browser().get(&people(&property)).await.is(303);
    assert_eq!(away.header("location"), Some(&*format!("/sign_in?return_to=%2Fproperties%2F{property}%2Fpeople")));
}

#[actix_web::test]
async fn each_way_is_ended_on_the_page() {
    let (server, alice, mallory, property, group) = taken_over().await;
    let page = alice.browser.get(&people(&property)).await.is(200);
    let done = confirm(&alice, &action(&page, &format!("groups/{group}/take_out"))).await.is(303);
    assert_eq!(done.header("location"), Some(&*people(&property)));
    let page = alice.browser.get(&people(&property)).await.is(200);
    assert!(seen(page.text()).contains("The property is no longer in that group."), "{page}");
    assert!(!seen(page.text()).contains("2 people,"), "{page}");
    let remove = action(&page, "/remove");
    let done = confirm(&alice, &remove).await.is(303);
    let page = alice.browser.get(done.header("location").expect("a location")).await.is(200);
    assert!(seen(page.text()).contains("Access removed."), "{page}");
    mallory.api.get(&at(&property)).await.error("not_found");
    // Sent twice: it is as was asked for.
    alice.browser.post_form(&remove, &[]).await.is(303);
    // Somebody in a group of the viewer's.
    let night = server.person("night@farol.example").await;
    alice.gives(&GROUP_USERS, &alice.group().await, &night, "user").await;
    let page = alice.browser.get(&people(&property)).await.is(200);
    confirm(&alice, &action(&page, "/remove")).await.is(303);
    night.api.get(&at(&property)).await.error("not_found");
    assert_eq!(alice.browser.get(&people(&property)).await.is(200).text().matches("through the group").count(), 1);
}

#[actix_web::test]
async fn what_rests_on_a_removed_persons_rights_ends_with_them() {
    let (_server, alice, mallory, property, _group) = taken_over().await;
    let page = alice.browser.get(&people(&property)).await.is(200);
    confirm(&alice, &action(&page, "/remove")).await.is(303);
    mallory.api.get(&at(&property)).await.error("not_found");
    assert!(!alice.browser.get(&people(&property)).await.is(200).text().contains("mallory@"));
}

#[actix_web::test]
async fn the_last_owner_is_told_beside_the_row() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let property = me.has(json!({})).await;
    let group = me.group().await;
    me.gives(&GROUP_USERS, &group, &night, "user").await;
    let leave = format!("/your_access/groups/{group}/leave");
    let told = confirm(&me, &leave).await.is(422);
    let row = rows(&told).into_iter().find(|row| row.contains("Leave")).expect("a row");
    assert!(row.contains("Nobody else owns this group."), "{row}");
    // The home stays where it is, and no form offers otherwise.
    let page = me.browser.get(&people(&property)).await.is(200);
    assert!(!page.text().contains("take_out"), "{page}");
    let told = me.browser.post_form(&format!("{}/groups/{group}/take_out", people(&property)), &[]).await.is(422);
    assert!(rows(&told).concat().contains("This group is the property's home."), "{told}");
    // Directly she may go, since she owns it through the group, but nobody is left in the group then.
    confirm(&me, &format!("{}/leave", people(&property))).await.is(303);
    me.api.get(&at(&property)).await.is(200);
    confirm(&me, &leave).await.is(422);
    me.api.get(&at(&property)).await.is(200);
}

#[actix_web::test]
async fn the_last_owner_of_a_property_cannot_leave_it() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let property = me.has(json!({})).await;
    let group = me.group().await;
    // The group has another owner, until they are its user only.
    let entry = me.gives(&GROUP_USERS, &group, &night, "owner").await;
    let mine = me.entry(&GROUP_USERS, &group, &me.user.email).await;
    night.changes(&GROUP_USERS, &mine, json!({ "role": "user" })).await.is(200);
    let link = me.entry(&PROPERTY_USERS, &property, &me.user.email).await;
    let told = confirm(&night, &format!("{}/{link}/remove", people(&property))).await.is(303);
    let page = night.browser.get(told.header("location").expect("a location")).await.is(200);
    assert!(seen(page.text()).contains("Access removed."), "{page}");
    confirm(&night, &format!("/your_access/groups/{group}/leave")).await.is(422);
    assert_eq!(night.entry(&GROUP_USERS, &group, &night.user.email).await, entry);
}

#[actix_web::test]
async fn who_has_left_is_not_invited_again_by_the_same_person_until_they_allow_it() {
    let (server, me) = world().await;
    let (night, other) = (server.person("night@farol.example").await, server.person("other@farol.example").await);
    let property = me.has(json!({})).await;
    me.gives(&PROPERTY_USERS, &property, &other, "owner").await;
    for role in ["user", "owner"] {
        me.gives(&PROPERTY_USERS, &property, &night, role).await;
        let done = confirm(&night, &format!("{}/leave", people(&property))).await.is(303);
        let page = night.browser.get(done.header("location").expect("a location")).await.is(200);
        assert!(seen(page.text()).contains("You have left the property."), "{page}");
        night.api.get(&at(&property)).await.error("not_found");
        night.browser.post_form(&format!("{}/leave", people(&property)), &[]).await.is(303);
        refused_to_invite(me.invites(&PROPERTY_USERS, &property, &night.user.email, "user").await);
        refused_to_invite(me.invites(&GROUP_USERS, &me.group().await, &night.user.email, "user").await);
        let page = night.browser.get("/your_access").await.is(200);
        assert!(rows(&page).concat().contains("desk@farol.example"), "{page}");
        let done = confirm(&night, &action(&page, "/allow")).await.is(303);
        let page = night.browser.get(done.header("location").expect("a location")).await.is(200);
        assert!(seen(page.text()).contains("This person can invite you again."), "{page}");
        assert!(!page.text().contains("/allow"), "{page}");
    }
    // Others may always.
    me.gives(&PROPERTY_USERS, &property, &night, "user").await;
    confirm(&night, &format!("{}/leave", people(&property))).await.is(303);
    other.gives(&PROPERTY_USERS, &property, &night, "user").await;
}

#[actix_web::test]
async fn a_group_is_left_by_user_and_owner_also_without_a_subscription() {
    for role in ["user", "owner"] {
        let (server, me) = world().await;
        let night = server.person("night@farol.example").await;
        let property = me.has(json!({})).await;
        let group = me.group().await;
        me.gives(&GROUP_USERS, &group, &night, role).await;
        server.run(&["subscription", "cancel", &night.user.email, "--now"]).ok();
        let leave = format!("/your_access/groups/{group}/leave");
        let done = confirm(&night, &leave).await.is(303);
        let page = night.browser.get(done.header("location").expect("a location")).await.is(200);
        assert!(seen(page.text()).contains("You have left the group."), "{page}");
        night.browser.get(&people(&property)).await.is(404);
        night.browser.post_form(&leave, &[]).await.is(303);
        refused_to_invite(me.invites(&GROUP_USERS, &group, &night.user.email, role).await);
    }
}

#[actix_web::test]
async fn all_that_one_person_gave_is_left_at_once_but_what_nobody_else_owns() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let (farol, mar) = (me.has(json!({ "title": "Farol" })).await, me.has(json!({ "title": "Mar" })).await);
    let trap = me.api.post("/api/v1/groups", &json!({ "group": { "title": "Trap" } })).await.is(201).id();
    me.gives(&PROPERTY_USERS, &farol, &night, "user").await;
    me.gives(&PROPERTY_USERS, &mar, &night, "owner").await;
    me.gives(&GROUP_USERS, &trap, &night, "owner").await;
    let own = night.has(json!({ "title": "Night's own" })).await;
    confirm(&me, &format!("/your_access/groups/{trap}/leave")).await.is(303);
    let page = night.browser.get("/your_access").await.is(200);
    assert!(rows(&page).concat().contains("1 group and 2 properties"), "{page}");
    let leave = html::form_actions(page.text()).into_iter().find(|to| to.contains("/from/")).expect("a form");
    let dialog = night.browser.get(&leave).await.is(200);
    let text = seen(dialog.text());
    assert!(text.contains("nobody else owns it: Trap"), "{text}");
    let done = night.browser.post_form(&leave, &[]).await.is(303);
    let page = night.browser.get(done.header("location").expect("a location")).await.is(200);
    assert!(seen(page.text()).contains("1 of it stays, because nobody else owns it"), "{page}");
    for property in [&farol, &mar] {
        night.api.get(&at(property)).await.error("not_found");
    }
    night.api.get(&at(&own)).await.is(200);
    assert!(rows(&page).concat().contains("Trap"), "{page}");
    refused_to_invite(me.invites(&PROPERTY_USERS, &farol, &night.user.email, "user").await);
}

#[actix_web::test]
async fn many_ways_come_in_pages() {
    let (_server, me) = world().await;
    let property = me.has(json!({})).await;
    for number in 0..60 {
        let email = format!("guest-{number:02}@farol.example");
        me.invites(&PROPERTY_USERS, &property, &email, "user").await.is(201);
    }
    let page = me.browser.get(&people(&property)).await.is(200);
    let of_people = |page: &Response| rows(page).iter().filter(|row| row.contains("ectly")).count();
    assert!(seen(page.text()).contains("Page 1 of 3"), "{page}");
    assert!(seen(page.text()).contains("61 people"), "{page}");
    assert!(of_people(&page) >= 24, "{page}");
    for (asked, is) in [("2", 2), ("3", 3), ("9", 3), ("0", 1), ("-1", 1), ("x", 1), ("99999999999999999999", 1)] {
        let page = me.browser.get(&format!("{}?page={asked}", people(&property))).await.is(200);
        assert!(seen(page.text()).contains(&format!("Page {is} of 3")), "{asked}: {page}");
    }
}

#[actix_web::test]
async fn no_form_of_these_pages_does_anything_when_it_is_sent_from_elsewhere() {
    let (_server, alice, mallory, property, group) = taken_over().await;
    let page = alice.browser.get(&people(&property)).await.is(200);
    let remove = action(&page, "/remove");
    let leave = format!("{}/leave", people(&property));
    let elsewhere = |call: Call| call.without("sec-fetch-site").header("sec-fetch-site", "cross-site");
    for path in [&remove, &format!("{}/groups/{group}/take_out", people(&property)), &leave] {
        elsewhere(alice.browser.post_form(path, &[])).await.is(403);
    }
    elsewhere(mallory.browser.post_form(&format!("/your_access/groups/{group}/leave"), &[])).await.is(403);
    assert_eq!(rows(&alice.browser.get(&people(&property)).await.is(200)), rows(&page));
}
