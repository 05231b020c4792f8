//! Invitations to properties and groups: of people who have an account, and of people whom nobody knows yet.

use reqwest::Method;
use serde_json::{Value, json};

use crate::access::{GROUP_USERS, PROPERTY_USERS, Users};
use crate::people::{Person, world};
use crate::property::{GROUPS, PROPERTIES, UNKNOWN_ID, at, group_at};
use crate::server::Server;

/// A good invitation with other fields instead.
fn invitation(users: &Users, id: &str, fields: Value) -> Value {
    let mut body = users.invitation(id, "guest@farol.example", "user");
    for (name, value) in fields.as_object().expect("fields") {
        body["invite"][name] = value.clone();
    }
    body
}

fn listed(server: &Server) -> Vec<String> {
    server.run(&["user", "list"]).ok().lines().map(str::to_owned).collect()
}

/// Somebody with a property and a group, and what an invitation to either is for.
async fn hosts() -> (Server, Person, [(&'static Users, String); 2]) {
    let (server, me) = world().await;
    let both = [(&PROPERTY_USERS, PROPERTY_USERS.thing(&me).await), (&GROUP_USERS, GROUP_USERS.thing(&me).await)];
    (server, me, both)
}

#[actix_web::test]
async fn a_broken_invitation_names_every_broken_field_and_makes_nobody() {
    let (server, me, both) = hosts().await;
    for (users, id) in &both {
        let of = users.of_id;
        for (fields, details) in [
            (json!({ "user_email": "" }), json!({ "user_email": ["can't be blank"] })),
            (json!({ "user_email": null }), json!({ "user_email": ["can't be blank"] })),
            (json!({ "user_email": " " }), json!({ "user_email": ["can't be blank"] })),
            (json!({ "user_email": 5 }), json!({ "user_email": ["is invalid"] })),
            (json!({ "user_email": ["a@b.example"] }), json!({ "user_email": ["is invalid"] })),
            (json!({ "user_email": "a@b.example\0" }), json!({ "user_email": ["is invalid"] })),
            (json!({ "user_email": "guest" }), json!({ "user_email": ["has invalid format"] })),
            (json!({ "user_email": "guest@" }), json!({ "user_email": ["has invalid format"] })),
            (json!({ "user_email": "a b@farol.example" }), json!({ "user_email": ["has invalid format"] })),
            (json!({ "user_email": "a@b.example, c@d.example" }), json!({ "user_email": ["has invalid format"] })),
            (json!({ "user_email": "a@b.example\nc" }), json!({ "user_email": ["has invalid format"] })),
            (json!({ "role": "" }), json!({ "role": ["can't be blank"] })),
            (json!({ "role": null }), json!({ "role": ["can't be blank"] })),
            (json!({ "role": "admin" }), json!({ "role": ["is invalid"] })),
            (json!({ "role": "Owner" }), json!({ "role": ["is invalid"] })),
            (json!({ "role": true }), json!({ "role": ["is invalid"] })),
            (json!({ "overrides": [5] }), json!({ "overrides": ["is invalid"] })),
            (json!({ "overrides": { "x": "y".repeat(16_384) } }), json!({ "overrides": ["is invalid"] })),
            (json!({ "overrides": "{}" }), json!({ "overrides": ["is invalid"] })),
            (json!({ "overrides": 0 }), json!({ "overrides": ["is invalid"] })),
            (json!({ "overrides": false }), json!({ "overrides": ["is invalid"] })),
            (json!({ of: "" }), json!({ of: ["can't be blank"] })),
            (json!({ of: null }), json!({ of: ["can't be blank"] })),
            (json!({ of: "x" }), json!({ of: ["is invalid"] })),
            (json!({ of: 5 }), json!({ of: ["is invalid"] })),
            (
                json!({ of: "x", "user_email": "", "role": 5, "overrides": 5 }),
                json!({ of: ["is invalid"], "user_email": ["can't be blank"], "role": ["is invalid"],
                    "overrides": ["is invalid"] }),
            ),
        ] {
            let answer = me.api.post(users.path, &invitation(users, id, fields)).await;
            answer.error_with("validation_error", details);
        }
        let none = me.api.post(users.path, &json!({ "invite": {} })).await;
        let blank = json!(["can't be blank"]);
        none.error_with("validation_error", json!({ of: blank, "user_email": blank, "role": blank }));
        for body in [json!({}), json!([]), json!(null), json!({ "invite": [5] }), json!({ users.entry: {} })] {
            me.api.post(users.path, &body).await.error_with("bad_request", json!(["invite is required"]));
        }
        me.api.call(Method::POST, users.path).body("{").await.error_explained("bad_request");
        assert_eq!(me.roles(users, id).await.len(), 1);
    }
    assert_eq!(listed(&server).len(), 1);
}

#[actix_web::test]
async fn where_one_may_not_invite_is_told_before_what_is_wrong_with_the_invitation() {
    let (server, me, both) = hosts().await;
    let night = server.person("night@farol.example").await;
    for (users, id) in &both {
        let broken = |id: &str| invitation(users, id, json!({ "user_email": "", "role": "x" }));
        for id in [&**id, UNKNOWN_ID] {
            night.api.post(users.path, &broken(id)).await.error("forbidden");
            night.invites(users, id, "guest@farol.example", "user").await.error("forbidden");
        }
        me.gives(users, id, &night, "user").await;
        night.api.post(users.path, &broken(id)).await.error("forbidden");
        night.invites(users, id, "guest@farol.example", "user").await.error("forbidden");
        night.invites(users, id, &me.user.email, "user").await.error("forbidden");
        assert_eq!(me.roles(users, id).await.len(), 2);
    }
    assert_eq!(listed(&server).len(), 2);
}

#[actix_web::test]
async fn who_is_there_already_is_told_whatever_the_case_of_the_address() {
    let (server, me, both) = hosts().await;
    server.add_user("Night@Bücher.example");
    for (users, id) in &both {
        let user_id = me.invites(users, id, "NIGHT@bÜCHER.example", "user").await.is(201);
        assert_eq!(user_id.data()["relationships"]["user"]["data"]["email"], "Night@Bücher.example");
        for email in
            ["Night@Bücher.example", "night@bücher.example", "NIGHT@BU\u{308}CHER.EXAMPLE", "DESK@FAROL.example"]
        {
            for role in ["user", "owner"] {
                let again = me.invites(users, id, email, role).await;
                again.error_with("bad_request", json!("User already invited"));
            }
        }
        // What is broken is told first.
        let broken = invitation(users, id, json!({ "user_email": "DESK@farol.example", "role": "x" }));
        let answer = me.api.post(users.path, &broken).await;
        answer.error_with("validation_error", json!({ "role": ["is invalid"] }));
        assert_eq!(me.roles(users, id).await.len(), 2);
    }
    assert_eq!(listed(&server).len(), 2);
}

#[actix_web::test]
async fn who_has_access_through_a_group_may_be_invited_directly_and_the_wider_role_wins() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let (group, farol) = (me.group().await, me.has(json!({})).await);
    let through = me.gives(&GROUP_USERS, &group, &night, "user").await;
    night.invites(&PROPERTY_USERS, &farol, "guest@farol.example", "user").await.error("forbidden");
    let direct = me.gives(&PROPERTY_USERS, &farol, &night, "owner").await;
    night.invites(&PROPERTY_USERS, &farol, "guest@farol.example", "user").await.is(201);

    me.changes(&PROPERTY_USERS, &direct, json!({ "role": "user" })).await.is(200);
    night.invites(&PROPERTY_USERS, &farol, "other@farol.example", "user").await.error("forbidden");
    me.changes(&GROUP_USERS, &through, json!({ "role": "owner" })).await.is(200);
    night.invites(&PROPERTY_USERS, &farol, "other@farol.example", "user").await.is(201);
    assert_eq!(night.finds("").await, ["Casa do Farol"], "once, though seen in two ways");

    me.api.delete(&GROUP_USERS.at(&through)).await.is(200);
    night.api.get(&at(&farol)).await.is(200);
    me.api.delete(&PROPERTY_USERS.at(&direct)).await.is(200);
    night.api.get(&at(&farol)).await.error("not_found");
}

#[actix_web::test]
async fn an_unknown_address_becomes_a_user_who_comes_by_a_link() {
    let (server, me, both) = hosts().await;
    for (number, (users, id)) in both.iter().enumerate() {
        let email = format!("Guest-{number}@Farol.example");
        let made = me.invites(users, id, &email, "user").await.is(201);
        let person = made.data()["relationships"]["user"]["data"].clone();
        assert_eq!(person["email"], *email);
        assert_eq!(person["name"], json!(null));
        assert!(!made.text().contains("welcome") && !made.text().contains("link"), "{made}");
        assert!(listed(&server).contains(&format!("{email}\tinvited\t")), "{:?}", listed(&server));
        // Nobody signs in without a password.
        for password in ["", " ", "null", "harbour-lantern-00000"] {
            server.browser().sign_in(&email, password).await.is(422);
        }
        let again = me.invites(users, id, &email.to_lowercase(), "user").await;
        again.error_with("bad_request", json!("User already invited"));

        let guest = server.arrives(&email, "Rui Sá").await;
        assert!(listed(&server).contains(&format!("{email}\tactive\tRui Sá")), "{:?}", listed(&server));
        users.look(&guest.api, id).await.is(200);
        users.look(&guest.browser, id).await.is(200);
        let entry = me.entry(users, id, &email).await;
        let now = me.api.get(&users.at(&entry)).await.is(200);
        assert_eq!(now.data()["relationships"]["user"]["data"]["name"], "Rui Sá");
        assert_eq!(now.attributes()["user_id"], person["id"]);
        // An account like any other: with a group of its own, for properties of its own.
        let titles = guest.api.get(GROUPS).await.is(200).column("title");
        assert!(titles.contains(&"User Group".to_owned()), "{titles:?}");
        let own = guest.has(json!({ "title": "Aurora" })).await;
        me.api.get(&at(&own)).await.error("not_found");
    }
}

#[actix_web::test]
async fn who_was_invited_twice_before_coming_finds_both() {
    let (server, me, [(_, farol), (_, group)]) = hosts().await;
    let other = server.person("owner@aurora.example").await;
    let aurora = other.has(json!({ "title": "Aurora" })).await;
    let email = "guest@farol.example";
    let first = me.invites(&PROPERTY_USERS, &farol, email, "user").await.is(201).attributes();
    let second = me.invites(&GROUP_USERS, &group, "GUEST@farol.example", "owner").await.is(201).attributes();
    let third = other.invites(&PROPERTY_USERS, &aurora, email, "owner").await.is(201).attributes();
    assert!(first["user_id"] == second["user_id"] && second["user_id"] == third["user_id"]);
    assert_eq!(listed(&server).len(), 3);
    let guest = server.arrives(email, "").await;
    assert_eq!(guest.api.get(PROPERTIES).await.column("title"), ["Aurora", "Casa do Farol"]);
    guest.api.get(&group_at(&group)).await.is(200);
}

#[actix_web::test]
async fn the_host_sees_who_has_not_come_yet() {
    let (server, me) = world().await;
    let farol = me.has(json!({})).await;
    let email = "guest@farol.example";
    me.invites(&PROPERTY_USERS, &farol, email, "user").await.is(201);
    let state = || {
        let line = listed(&server).into_iter().find(|line| line.starts_with(email)).expect("the guest");
        line.split('\t').nth(1).expect("a state").to_owned()
    };
    assert_eq!(state(), "invited");
    server.run(&["user", "deactivate", email]).ok();
    assert_eq!(state(), "deactivated");
    server.run(&["user", "link", email, "--base-url", "https://pms.example"]).refused(1);
    server.run(&["user", "activate", email]).ok();
    assert_eq!(state(), "invited");
    // A link that was made is not yet one that was used.
    let link = server.welcome_link(email);
    let page = server.browser().get(&link).await.is(200);
    assert!(page.text().contains(email), "{page}");
    assert_eq!(state(), "invited");
    // Without a subscription the person signs in, and only keys are gated.
    let password = "seven boats at noon";
    server.secrets.register("password", password);
    server.browser().post_form(&link, &[("name", ""), ("password", password)]).await.is(303);
    assert_eq!(state(), "active");
    let browser = server.browser();
    browser.sign_in("GUEST@farol.example", password).await.is(303);
    browser.get(&at(&farol)).await.is(200);
    server.browser().get(&link).await.is(404);
}

#[actix_web::test]
async fn an_invitation_that_was_withdrawn_leaves_an_account_without_access() {
    let (server, me, both) = hosts().await;
    for (number, (users, id)) in both.iter().enumerate() {
        let email = format!("guest-{number}@farol.example");
        let entry = me.invites(users, id, &email, "owner").await.is(201).id();
        me.api.delete(&users.at(&entry)).await.is(200);
        let guest = server.arrives(&email, "").await;
        users.look(&guest.api, id).await.error("not_found");
        guest.api.get(&users.at(&entry)).await.error("resource_not_found");
        me.invites(users, id, &email, "user").await.is(201);
        users.look(&guest.api, id).await.is(200);
    }
}

/// Values as JSON can hold them, among them what a database or a parser may have ideas of its own about.
fn overrides() -> Vec<Value> {
    let texts = [
        "{}",
        r#"{"a":null,"b":true,"c":[1,"x",{"d":{}}],"e":""}"#,
        r#"{"":"the empty key","ä \"\\/\u00e9 🏨":" spaces  kept\n"}"#,
        r#"{"b":1,"a":2,"aa":3,"B":4}"#,
        r#"{"whole":123456789012345678901234567890,"fraction":0.1000,"minus":-7,"many":3.14159265358979323846264338}"#,
        r#"{"like a number":"15","like null":"null","like an id":"0197a3b2-0000-7000-8000-000000000000"}"#,
        r#"{"__proto__":{"x":1},"constructor":"y","$1":"$1","'; drop table users; --":"%s"}"#,
    ];
    texts.iter().map(|text| serde_json::from_str(text).expect("JSON")).collect()
}

#[actix_web::test]
async fn overrides_are_any_object_and_come_back_as_sent() {
    let (_server, me, both) = hosts().await;
    let mut long = json!({});
    for number in 0..300 {
        long[format!("key {number}")] = json!([number, "x".repeat(20)]);
    }
    let mut deep = json!({});
    for _ in 0..100 {
        deep = json!({ "a": deep });
    }
    for (users, id) in &both {
        let entry = me.invites(users, id, "guest@farol.example", "user").await.is(201).id();
        for (number, sent) in overrides().into_iter().chain([long.clone(), deep.clone()]).enumerate() {
            let email = format!("guest-{number}@farol.example");
            let body = invitation(users, id, json!({ "user_email": email, "overrides": sent }));
            let made = me.api.post(users.path, &body).await.is(201);
            assert_eq!(made.attributes()["overrides"], sent);
            let changed = me.changes(users, &entry, json!({ "overrides": sent })).await.is(200);
            assert_eq!(changed.attributes()["overrides"], sent);
            for path in [users.at(&made.id()), users.at(&entry)] {
                assert_eq!(me.api.get(&path).await.is(200).attributes()["overrides"], sent);
            }
        }
        let stays = me.changes(users, &entry, json!({ "role": "user" })).await.is(200);
        assert_ne!(stays.attributes()["overrides"], json!(null));
        let cleared = me.changes(users, &entry, json!({ "overrides": null })).await.is(200);
        assert_eq!(cleared.attributes()["overrides"], json!(null));
    }
}

#[actix_web::test]
async fn overrides_change_nothing() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let farol = me.has(json!({})).await;
    let entry = me.gives(&PROPERTY_USERS, &farol, &night, "user").await;
    let wide = json!({ "role": "owner", "delete": true, "is_owner": true, "*": "allow" });
    me.changes(&PROPERTY_USERS, &entry, json!({ "overrides": wide })).await.is(200);
    night.api.delete(&at(&farol)).await.error("forbidden");
    night.invites(&PROPERTY_USERS, &farol, "guest@farol.example", "user").await.error("forbidden");
}

#[actix_web::test]
async fn overrides_that_no_database_keeps_are_refused_or_kept_whole() {
    let (_server, me, both) = hosts().await;
    let texts = [
        r#"{"a":"\u0000"}"#,
        r#"{"\u0000":1}"#,
        r#"{"a":[{"b\u0000":{}}]}"#,
        r#"{"$serde_json::private::Number":"15"}"#,
        r#"{"$serde_json::private::Number":"x"}"#,
        r#"{"$serde_json::private::RawValue":"[1"}"#,
        r#"{"a":{"$serde_json::private::Number":"1e5"}}"#,
        r#"{"a":1e+400,"b":-1e-400,"c":1e+2,"d":-0,"e":-0.0,"f":1.0}"#,
        r#"{"$serde_json::private::Number":"15","a":1}"#,
        r#"{"a":1,"a":2}"#,
    ];
    for (users, id) in &both {
        let entry = me.entry(users, id, &me.user.email).await;
        for text in texts {
            let body = format!("{{\"{}\":{{\"overrides\":{text}}}}}", users.entry);
            let answer = me.api.call(Method::PUT, &users.at(&entry)).body(body).await;
            if answer.status != 200 {
                answer.error_with("validation_error", json!({ "overrides": ["is invalid"] }));
                continue;
            }
            assert!(!text.contains("\\u0000"), "{answer}");
            // Compared as text: the library that reads here has ideas about such objects, too.
            let kept = me.api.get(&users.at(&entry)).await.is(200);
            let text = if text.starts_with(r#"{"a":1,"a""#) { r#"{"a":2}"# } else { text };
            assert!(kept.text().contains(&format!("\"overrides\":{text}")), "{text} is not in {kept}");
        }
        let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
        let body = format!("{{\"{}\":{{\"overrides\":{deep}}}}}", users.entry);
        me.api.call(Method::PUT, &users.at(&entry)).body(body).await.error_explained("bad_request");
    }
}
