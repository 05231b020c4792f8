//! How much one may have: settings of the host.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::access::PROPERTY_USERS;
use crate::browser::NEW_KEY;
use crate::client::Call;
use crate::html;
use crate::options::Options;
use crate::page::seen;
use crate::people::Person;
use crate::property::{GROUPS, PROPERTIES, at, body, group_at};
use crate::rate_plan::{RATE_PLANS, option, rate_plan_at};
use crate::response::Response;
use crate::room_type::{ROOM_TYPES, room_type_at, room_type_body};
use crate::server::Server;

fn limits(most: &str) -> Options {
    let options = Server::options().env("LATCHKEY_MAX_PROPERTIES", most).env("LATCHKEY_MAX_GROUPS", most);
    options.env("LATCHKEY_MAX_ROOM_TYPES", most).env("LATCHKEY_MAX_RATE_PLANS", most)
}

fn full(answer: Response, sentence: &str) {
    answer.error_with("forbidden", json!([sentence]));
}

/// Sends requests at the same moment; how many had each status.
async fn at_once(calls: Vec<Call>) -> Vec<u16> {
    let calls: Vec<_> = calls.into_iter().map(|call| actix_web::rt::spawn(call.into_future())).collect();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.expect("an answer").status);
    }
    statuses.sort_unstable();
    statuses
}

fn plan(property: &str, room_type: &str, title: &str) -> Value {
    json!({ "rate_plan": {
        "title": title, "property_id": property, "room_type_id": room_type, "options": [option(2, "10.00")]
    } })
}

#[actix_web::test]
async fn a_user_makes_so_many_properties_and_one_more_when_one_is_gone() {
    let server = limits("2").start().await;
    let (me, guest) = (server.person("desk@farol.example").await, server.person("guest@farol.example").await);
    let first = me.has(json!({})).await;
    me.has(json!({})).await;
    let sentence = "the account has 2 properties, the most there may be";
    full(me.creates(json!({})).await, sentence);
    // Whoever was given one has not made it.
    me.gives(&PROPERTY_USERS, &first, &guest, "owner").await;
    guest.has(json!({})).await;
    guest.has(json!({})).await;
    full(guest.creates(json!({})).await, sentence);
    // What is wrong with the body is told first.
    me.creates(json!({ "title": "" })).await.is(422);
    me.updates(&first, json!({ "city": "Faro" })).await.is(200);
    // A guest who deletes it makes room for whoever made it.
    guest.api.delete(&at(&first)).await.is(200);
    full(guest.creates(json!({})).await, sentence);
    me.has(json!({})).await;
    full(me.creates(json!({})).await, sentence);
}

#[actix_web::test]
async fn a_property_has_so_many_room_types_and_rate_plans() {
    let server = limits("2").start().await;
    let me = server.person("desk@farol.example").await;
    let (one, two) = (me.has(json!({})).await, me.has(json!({})).await);
    let room = async |property: &str| me.api.post(ROOM_TYPES, &room_type_body(property, json!({}))).await;
    let (first, second) = (room(&one).await.is(201).id(), room(&one).await.is(201).id());
    full(room(&one).await, "the property has 2 room types, the most there may be");
    room(&two).await.is(201);
    me.api.delete(&room_type_at(&second)).await.is(200);
    room(&one).await.is(201);

    let sends = async |title: &str| me.api.post(RATE_PLANS, &plan(&one, &first, title)).await;
    let gone = sends("A").await.is(201).id();
    sends("B").await.is(201);
    full(sends("C").await, "the property has 2 rate plans, the most there may be");
    sends("B").await.is(422);
    me.api.delete(&rate_plan_at(&gone)).await.is(200);
    sends("C").await.is(201);
}

#[actix_web::test]
async fn of_one_at_most_the_refusal_speaks_in_the_singular() {
    let server = limits("1").start().await;
    let me = server.person("desk@farol.example").await;
    let property = me.has(json!({})).await;
    let room = async || me.api.post(ROOM_TYPES, &room_type_body(&property, json!({}))).await;
    room().await.is(201);
    full(room().await, "the property has 1 room type, the most there may be");
}

#[actix_web::test]
async fn a_user_owns_so_many_groups() {
    let server = limits("2").start().await;
    let me = server.person("desk@farol.example").await;
    let group = me.has_group("Second").await;
    let body = json!({ "group": { "title": "Third" } });
    full(me.api.post(GROUPS, &body).await, "the account has 2 groups, the most there may be");
    me.api.delete(&group_at(&group)).await.is(200);
    me.api.post(GROUPS, &body).await.is(201);
}

#[actix_web::test]
async fn of_requests_that_come_at_once_no_more_are_let_in() {
    let server = limits("3").start().await;
    let me = server.person("desk@farol.example").await;
    let clients: Vec<_> = (0..8).map(|_| server.with_key(&me.key)).collect();
    let all = |make: &dyn Fn(usize) -> Call| (0..clients.len()).map(make).collect::<Vec<_>>();
    let most = |let_in: usize| [vec![201; let_in], vec![403; 8 - let_in]].concat();
    let made = at_once(all(&|n| clients[n].post(PROPERTIES, &body(json!({}))))).await;
    assert_eq!(made, most(3));
    let made = at_once(all(&|n| clients[n].post(GROUPS, &json!({ "group": { "title": "Algarve" } })))).await;
    assert_eq!(made, most(2));
    let property = me.finds_ids().await.remove(0);
    let made = at_once(all(&|n| clients[n].post(ROOM_TYPES, &room_type_body(&property, json!({}))))).await;
    assert_eq!(made, most(3));
    let room_type = me.api.get(ROOM_TYPES).await.is(200).column("id").remove(0);
    let made = at_once(all(&|n| clients[n].post(RATE_PLANS, &plan(&property, &room_type, &format!("Plan {n}"))))).await;
    assert_eq!(made, most(3));
}

#[actix_web::test]
async fn zero_is_no_limit_and_the_defaults_are_told() {
    let server = limits("0").start().await;
    let me = server.person("desk@farol.example").await;
    for _ in 0..4 {
        me.has(json!({})).await;
        me.has_group("Algarve").await;
    }
    let help = server.run(&["serve", "--help"]).ok();
    for (setting, default) in [
        ("LATCHKEY_MAX_PROPERTIES", "2000"),
        ("LATCHKEY_MAX_GROUPS", "2000"),
        ("LATCHKEY_MAX_ROOM_TYPES", "200"),
        ("LATCHKEY_MAX_RATE_PLANS", "1000"),
    ] {
        let part = help.split(setting).nth(1).unwrap_or_else(|| panic!("no {setting}"));
        assert!(part.split("default: ").nth(1).is_some_and(|rest| rest.starts_with(&format!("{default}]"))), "{part}");
    }
}

#[actix_web::test]
async fn invitations_of_strangers_make_so_many_accounts_a_day() {
    let server = Server::start().await;
    let me = server.person("desk@farol.example").await;
    let property = me.has(json!({})).await;
    for number in 0..100 {
        me.invites(&PROPERTY_USERS, &property, &format!("guest{number}@farol.example"), "user").await.is(201);
    }
    let sentence = "the account has invited 100 new users in 24 hours, the most there may be";
    full(me.invites(&PROPERTY_USERS, &property, "one.more@farol.example", "user").await, sentence);
    // Whoever has an account already may still be invited, and others may invite.
    let other = server.person("other@farol.example").await;
    me.invites(&PROPERTY_USERS, &property, &other.user.email, "owner").await.is(201);
    other.invites(&PROPERTY_USERS, &property, "one.more@farol.example", "user").await.is(201);
}

#[actix_web::test]
async fn a_property_is_in_a_hundred_groups_at_most() {
    let server = Server::start().await;
    let me = server.person("desk@farol.example").await;
    let property = me.has(json!({})).await;
    let mut groups = Vec::new();
    for number in 0..100 {
        groups.push(me.has_group(&format!("Group {number}")).await);
    }
    let last = groups.pop().expect("a group");
    for group in &groups {
        me.adds(group, &property).await.is(200);
    }
    full(me.adds(&last, &property).await, "the property has 100 groups, the most there may be");
    me.takes_out(&groups[0], &property).await.is(200);
    me.adds(&last, &property).await.is(200);
    assert_eq!(me.groups_of(&property).await.len(), 100);
}

#[actix_web::test]
async fn however_often_somebody_signs_in_twenty_sessions_are_kept() {
    let server = Server::start().await;
    let user = server.add_subscriber("desk@farol.example");
    let first = server.signed_in(&user).await;
    let second = server.signed_in(&user).await;
    for _ in 0..19 {
        server.signed_in(&user).await;
    }
    assert_eq!(server.texts("select cast(count(*) as text) from sessions").await, ["20"]);
    first.get("/user_profile").await.is(303);
    second.get("/user_profile").await.is(200);
}

#[actix_web::test]
async fn a_user_makes_so_many_keys_a_day_also_where_they_are_withdrawn() {
    let server = Server::start().await;
    let me = server.person("desk@farol.example").await;
    let on_postgres = server.database_url().is_some();
    for _ in 0..2 {
        let keys: Vec<String> = (0..500)
            .map(|_| {
                let (id, digest) = (server.literal(&Uuid::now_v7().to_string()), Uuid::now_v7().simple().to_string());
                let bytes = if on_postgres { format!("decode('{digest}', 'hex')") } else { format!("x'{digest}'") };
                format!(
                    "select {}, user_id, title, sort_title, {bytes}, tail, {bytes}, all_properties, read_only,
                    created_at, created_at, 'owner' from first",
                    if on_postgres { format!("cast({id} as uuid)") } else { id }
                )
            })
            .collect();
        for keys in keys.chunks(100) {
            server
                .sql(&format!(
                    "with first as (select * from api_keys order by id limit 1)
                insert into api_keys (id, user_id, title, sort_title, digest, tail, form_digest, all_properties,
                read_only, created_at, withdrawn_at, withdrawn_by) {}",
                    keys.join(" union all ")
                ))
                .await;
        }
    }
    let form = me.browser.get(NEW_KEY).await.is(200);
    let token = html::input_value(form.text(), "form_token").expect("a token");
    let refused = me.browser.send_new_key("One more", &token).await.is(403);
    assert!(seen(refused.text()).contains("1000 API keys in 24 hours"), "{refused}");
    server.sql("update api_keys set created_at = '2026-01-01 00:00:00+00:00' where withdrawn_at is not null").await;
    me.browser.create_key("One more").await;
}

impl Person {
    /// The ids of this person's properties.
    async fn finds_ids(&self) -> Vec<String> {
        self.api.get(PROPERTIES).await.is(200).column("id")
    }
}
