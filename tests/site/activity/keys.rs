//! What is recorded of API keys.

use serde_json::json;

use crate::access::{GROUP_USERS, PROPERTY_USERS, part};
use crate::browser::NEW_KEY;
use crate::html;
use crate::page::seen;
use crate::people::{DESK, world};
use crate::response::Response;
use crate::site::Site;

#[actix_web::test]
async fn each_change_of_a_key_is_recorded_once_with_its_address_and_client() {
    let (server, me) = world().await;
    assert_eq!(server.recorded("key_created"), [format!("{DESK}: {DESK}: Created the API key “Front desk”")]);

    let form = me.browser.get(NEW_KEY).await.is(200);
    let token = html::input_value(form.text(), "form_token").expect("a token");
    let fields = [("title", "Night audit"), ("form_token", &*token)];
    for status in [200, 409] {
        let sent = me.browser.post_form(NEW_KEY, &fields).header("user-agent", "Agent/2.1 (audit)");
        me.browser.register(sent.await).is(status);
    }
    let created = server.activity(&["--kind", "key_created"]);
    assert_eq!(created.len(), 2, "a form that is sent twice creates one key: {created:?}");
    assert_eq!(created[0]["subject"], "Night audit");
    assert_eq!((&*created[0]["address"], &*created[0]["client"]), ("127.0.0.1", "Agent/2.1 (audit)"));
    assert_eq!((&*created[0]["actor"], &*created[0]["count"]), ("person", "1"));

    let id = me.browser.key_id(&me.key).await;
    let rotate = format!("/user_profile/api_keys/{id}/rotate");
    for status in [200, 409] {
        let fields = [("form_token", "0123456789abcdef"), ("overlap", "now")];
        me.browser.register(me.browser.post_form(&rotate, &fields).await).is(status);
    }
    assert_eq!(server.recorded("key_rotated"), [format!("{DESK}: {DESK}: Rotated the API key “Front desk”")]);
    assert_eq!(server.recorded("key_created").len(), 2);
    assert_eq!(server.recorded("key_withdrawn"), [""; 0]);

    let page = me.browser.get("/user_profile").await.is(200);
    let withdraw = html::rows(page.text())
        .filter(|row| seen(row).contains("Night audit"))
        .flat_map(html::form_actions)
        .find(|action| action.ends_with("/withdraw"))
        .expect("a form");
    for _ in 0..2 {
        me.browser.post_form(&withdraw, &[]).await.is(303);
    }
    assert_eq!(server.recorded("key_withdrawn"), [format!("{DESK}: {DESK}: Withdrew the API key “Night audit”")]);
    for _ in 0..2 {
        me.browser.post_form("/user_profile/withdraw_all_keys", &[]).await.is(303);
    }
    assert_eq!(server.recorded("keys_withdrawn"), [format!("{DESK}: {DESK}: Withdrew all API keys (1)")]);
    assert_eq!(server.recorded("key_withdrawn").len(), 1);
}

#[actix_web::test]
async fn a_key_that_the_host_withdraws_is_recorded_once() {
    let (server, me) = world().await;
    let id = me.browser.key_id(&me.key).await;
    server.run(&["key", "withdraw", &id]).ok();
    server.run(&["key", "withdraw", &id]).refused(1);
    let found = server.activity(&["--kind", "key_withdrawn"]);
    assert_eq!(server.recorded("key_withdrawn"), [format!("{DESK}: the host: Withdrew the API key “Front desk”")]);
    assert_eq!((&*found[0]["actor"], &*found[0]["address"], &*found[0]["client"]), ("command", "", ""));
}

#[actix_web::test]
async fn a_refused_key_is_not_recorded_and_neither_are_reads() {
    let (server, me) = world().await;
    let stranger = server.person("stranger@farol.example").await;
    let before = server.activity(&[]).len();
    me.browser.post_form(NEW_KEY, &[("title", ""), ("form_token", "0123456789abcdef")]).await.is(422);
    let id = me.browser.key_id(&me.key).await;
    stranger.browser.post_form(&format!("/user_profile/api_keys/{id}/withdraw"), &[]).await.is(404);
    me.has(json!({})).await;
    me.api.get("/api/v1/properties").await.is(200);
    me.browser.get("/user_profile").await.is(200);
    let after = server.activity(&[]);
    assert_eq!(after.len(), before, "{after:#?}");
}

#[actix_web::test]
async fn the_page_of_a_key_lists_what_was_made_with_it_and_where_to_end_it() {
    let site = Site::<2>::shared_with(["bob@farol.example", "eve@farol.example"]).await;
    let Site { server, alice, others: [bob, eve], farol, home } = &site;
    let id = alice.browser.key_id(&alice.key).await;
    let withdraw = format!("/user_profile/api_keys/{id}/withdraw");
    let page = alice.browser.get(&withdraw).await.is(200);
    assert!(!page.text().contains("What was done with this key"), "{page}");

    let group = alice.has_group("Algarve").await;
    alice.adds(&group, farol).await.is(200);
    alice.gives(&PROPERTY_USERS, farol, bob, "owner").await;
    alice.gives(&GROUP_USERS, home, eve, "user").await;
    let ended = alice.gives(&PROPERTY_USERS, farol, eve, "user").await;
    alice.api.delete(&PROPERTY_USERS.at(&ended)).await.is(200);
    // By a session, and by the host: not with this key.
    let empty = alice.has_group("Empty").await;
    alice.browser.post(&part(&empty, farol), &json!({})).await.is(200);
    server.run(&["member", "add", farol, "eve@farol.example"]).ok();
    let made = [
        "eve@farol.example (user) has access to the group “ User Group ” Remove",
        "bob@farol.example (owner) has access to the property “ Casa do Farol ” Remove",
        "The property “ Casa do Farol ” is in the group “ Algarve ” Take out",
    ];
    let page = alice.browser.get(&withdraw).await.is(200);
    assert_eq!(list(&page), made);
    let links = links(&page);
    assert_eq!(links.len(), 3, "{page}");
    for link in &links {
        alice.browser.get(link).await.is(200);
    }
    alice.browser.post_form(&withdraw, &[]).await.is(303);
    let profile = alice.browser.get("/user_profile").await.is(200);
    let details = format!("/user_profile/api_keys/{id}");
    assert!(profile.text().contains(&format!("href=\"{details}\"")), "{profile}");
    assert_eq!(list(&alice.browser.get(&details).await.is(200)), made);
    for link in &links {
        alice.browser.post_form(link, &[]).await.is(303);
    }
    let page = alice.browser.get(&details).await.is(200);
    assert!(!page.text().contains("What was done with this key"), "{page}");
    bob.browser.get(&details).await.is(404);
    alice.browser.get("/user_profile/api_keys/x").await.is(404);
}

#[actix_web::test]
async fn what_a_key_made_is_listed_without_a_link_where_its_user_can_not_end_it() {
    let Site { server, alice, others: [bob], farol, .. } = &Site::<1>::shared_with(["bob@farol.example"]).await;
    let group = alice.has_group("Empty").await;
    alice.gives(&GROUP_USERS, &group, bob, "owner").await;
    alice.gives(&PROPERTY_USERS, farol, bob, "owner").await;
    server.run(&["member", "remove", farol, DESK]).ok();
    let id = alice.browser.key_id(&alice.key).await;
    let page = alice.browser.get(&format!("/user_profile/api_keys/{id}")).await.is(200);
    assert_eq!(
        list(&page),
        [
            "bob@farol.example (owner) has access to the property “ Casa do Farol ”",
            "bob@farol.example (owner) has access to the group “ Empty ”",
        ]
    );
    assert_eq!(links(&page), [""; 0]);
}

#[actix_web::test]
async fn of_much_that_a_key_made_the_newest_are_listed() {
    let (server, me) = world().await;
    let property = me.has(json!({})).await;
    for number in 0..53 {
        me.invites(&PROPERTY_USERS, &property, &format!("guest-{number}@farol.example"), "user").await.is(201);
    }
    let id = me.browser.key_id(&me.key).await;
    let found = list(&me.browser.get(&format!("/user_profile/api_keys/{id}")).await.is(200));
    assert_eq!(found.len(), 51);
    assert!(found[0].starts_with("guest-52@") && found[49].starts_with("guest-3@"), "{found:?}");
    assert_eq!(found[50], "and 3 more");
    assert_eq!(server.activity(&[DESK, "--kind", "user_added"]).len(), 54);
}

/// What the page lists of a key.
fn list(page: &Response) -> Vec<String> {
    let Some((_, list)) =
        page.text().split_once("<ul class=\"plain made\" aria-labelledby=\"made_heading\" tabindex=\"0\">")
    else {
        return Vec::new();
    };
    let list = list.split("</ul>").next().unwrap_or_default();
    list.split("<li>").skip(1).map(|row| seen(&format!("<li>{row}"))).collect()
}

/// Where it leads to.
fn links(page: &Response) -> Vec<String> {
    let list = page.text().split_once("<ul class=\"plain made\"").map_or("", |(_, list)| list);
    let list = list.split("</dialog>").next().unwrap_or_default();
    list.split("<a href=\"").skip(1).map(|link| link.split('"').next().expect("an address").to_owned()).collect()
}
