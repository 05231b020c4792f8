//! Roles changed and access withdrawn.

use serde_json::json;

use crate::access::{GROUP_USERS, PROPERTY_USERS, TWINS, Users, success};
use crate::people::{Person, world};
use crate::property::{GROUPS, PROPERTIES, UNKNOWN_ID, at, group_at};
use crate::response::Response;
use crate::server::Server;

fn themself(answer: Response) {
    answer.error_with("bad_request", json!("User can not withdraw themself"));
}

fn last_owner(answer: Response) {
    answer.error_with("bad_request", json!("Group must have at least one owner"));
}

/// Something that two people use, and the entry of the second.
async fn shared(users: &Users, role: &str) -> (Server, Person, Person, String, String) {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let id = users.thing(&me).await;
    let entry = me.gives(users, &id, &night, role).await;
    (server, me, night, id, entry)
}

#[actix_web::test]
async fn an_update_changes_role_and_overrides_and_nothing_else() {
    for users in TWINS {
        let (_server, me, _night, id, entry) = shared(users, "user").await;
        let mut expected = me.api.get(&users.at(&entry)).await.is(200).data();
        for (fields, role, overrides) in [
            (json!({ "role": "owner" }), "owner", json!(null)),
            (json!({ "overrides": { "a": [1] } }), "owner", json!({ "a": [1] })),
            (json!({}), "owner", json!({ "a": [1] })),
            (json!({ "role": "user", "overrides": {} }), "user", json!({})),
            (json!({ "overrides": null }), "user", json!(null)),
        ] {
            let answer = me.changes(users, &entry, fields).await.is(200);
            expected["attributes"]["role"] = json!(role);
            expected["attributes"]["overrides"] = overrides;
            answer.says(json!({ "data": expected }));
        }
        let other = users.thing(&me).await;
        let ignored = json!({ "id": UNKNOWN_ID, "user_id": UNKNOWN_ID, users.of_id: other, "user_email": 5, "x": [] });
        me.changes(users, &entry, ignored).await.is(200).says(json!({ "data": expected }));
        me.api.get(&users.at(&entry)).await.says(json!({ "data": expected }));
        assert_eq!(me.roles(users, &id).await.len(), 2);
    }
}

#[actix_web::test]
async fn a_broken_update_names_its_fields_and_changes_nothing() {
    for users in TWINS {
        let (_server, me, _night, _id, entry) = shared(users, "user").await;
        let before = me.api.get(&users.at(&entry)).await.json();
        for (fields, details) in [
            (json!({ "role": "" }), json!({ "role": ["can't be blank"] })),
            (json!({ "role": null }), json!({ "role": ["can't be blank"] })),
            (json!({ "role": "USER" }), json!({ "role": ["is invalid"] })),
            (json!({ "role": ["owner"] }), json!({ "role": ["is invalid"] })),
            (json!({ "overrides": [5] }), json!({ "overrides": ["is invalid"] })),
            (json!({ "overrides": "", "role": "owner" }), json!({ "overrides": ["is invalid"] })),
            (json!({ "overrides": 1, "role": 1 }), json!({ "overrides": ["is invalid"], "role": ["is invalid"] })),
        ] {
            me.changes(users, &entry, fields).await.error_with("validation_error", details);
        }
        let required = || json!([format!("{} is required", users.entry)]);
        for body in [json!({}), json!([]), json!({ "invite": { "role": "owner" } }), json!({ users.entry: null })] {
            for id in [&*entry, UNKNOWN_ID, "x"] {
                me.api.put(&users.at(id), &body).await.error_with("bad_request", required());
            }
        }
        me.api.get(&users.at(&entry)).await.says(before);
    }
}

#[actix_web::test]
async fn only_an_owner_changes_and_withdraws() {
    for users in TWINS {
        let (_server, me, night, id, theirs) = shared(users, "user").await;
        let mine = me.entry(users, &id, &me.user.email).await;
        for entry in [&mine, &theirs] {
            night.api.get(&users.at(entry)).await.is(200);
            for fields in [json!({ "role": "owner" }), json!({ "role": "user" }), json!({ "role": "" }), json!({})] {
                night.changes(users, entry, fields).await.error("forbidden");
            }
            // Also one's own: a user who wants to go asks an owner.
            night.api.delete(&users.at(entry)).await.error("forbidden");
        }
        me.changes(users, &theirs, json!({ "role": "owner" })).await.is(200);
        night.changes(users, &mine, json!({ "role": "user" })).await.is(200);
        night.api.delete(&users.at(&mine)).await.is(200);
        assert_eq!(night.roles(users, &id).await, [(night.user.email.clone(), "owner".to_owned())]);
    }
}

#[actix_web::test]
async fn who_was_withdrawn_has_no_access_from_then_on() {
    for users in TWINS {
        for role in ["user", "owner"] {
            let (_server, me, night, id, entry) = shared(users, role).await;
            users.look(&night.api, &id).await.is(200);
            me.api.delete(&users.at(&entry)).await.is(200).says(success());
            for client in [&night.api, &*night.browser] {
                users.look(client, &id).await.error("not_found");
                assert_eq!(client.get(&users.of(&id)).await.column("id"), Vec::<String>::new());
            }
            for person in [&me, &night] {
                person.api.get(&users.at(&entry)).await.error("resource_not_found");
                person.changes(users, &entry, json!({})).await.error("resource_not_found");
                person.api.delete(&users.at(&entry)).await.error("resource_not_found");
            }
            night.invites(users, &id, &night.user.email, "owner").await.error("forbidden");
            let again = me.gives(users, &id, &night, "user").await;
            assert_ne!(again, entry);
            users.look(&night.api, &id).await.is(200);
        }
    }
}

#[actix_web::test]
async fn nobody_withdraws_themself() {
    for users in TWINS {
        let (_server, me, night, id, theirs) = shared(users, "owner").await;
        let mine = me.entry(users, &id, &me.user.email).await;
        themself(me.api.delete(&users.at(&mine)).await);
        themself(night.api.delete(&users.at(&theirs)).await);
        me.api.delete(&users.at(&theirs)).await.is(200);
        // That is told before that there would be no owner left.
        themself(me.api.delete(&users.at(&mine)).await);
        assert_eq!(me.roles(users, &id).await.len(), 1);
    }
}

#[actix_web::test]
async fn an_owner_through_a_group_is_no_less_an_owner() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let (group, farol) = (me.group().await, me.has(json!({})).await);
    me.gives(&GROUP_USERS, &group, &night, "owner").await;
    let mine = me.entry(&PROPERTY_USERS, &farol, &me.user.email).await;
    // The group has owners, so that the property keeps one when its own is no longer.
    me.changes(&PROPERTY_USERS, &mine, json!({ "role": "user" })).await.is(200);
    themself(me.api.delete(&PROPERTY_USERS.at(&mine)).await);
    night.api.delete(&PROPERTY_USERS.at(&mine)).await.is(200);
    assert_eq!(me.roles(&PROPERTY_USERS, &farol).await, []);
    me.invites(&PROPERTY_USERS, &farol, "guest@farol.example", "user").await.is(201);
    night.api.delete(&at(&farol)).await.is(200);
}

#[actix_web::test]
async fn a_group_keeps_an_owner() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let group = me.has_group("Algarve houses").await;
    let theirs = me.gives(&GROUP_USERS, &group, &night, "user").await;
    let mine = me.entry(&GROUP_USERS, &group, &me.user.email).await;
    last_owner(me.changes(&GROUP_USERS, &mine, json!({ "role": "user" })).await);
    last_owner(me.changes(&GROUP_USERS, &mine, json!({ "role": "user", "overrides": {} })).await);
    let stays = me.changes(&GROUP_USERS, &mine, json!({ "role": "owner", "overrides": {} })).await.is(200);
    assert_eq!(stays.attributes()["role"], "owner");
    // What is broken is told first.
    let answer = me.changes(&GROUP_USERS, &mine, json!({ "role": "user", "overrides": 1 })).await;
    answer.error_with("validation_error", json!({ "overrides": ["is invalid"] }));

    me.changes(&GROUP_USERS, &theirs, json!({ "role": "owner" })).await.is(200);
    me.changes(&GROUP_USERS, &mine, json!({ "role": "user" })).await.is(200);
    last_owner(night.changes(&GROUP_USERS, &theirs, json!({ "role": "user" })).await);
    me.api.get(&group_at(&group)).await.is(200);
    me.changes(&GROUP_USERS, &theirs, json!({ "role": "user" })).await.error("forbidden");
}

#[actix_web::test]
async fn a_property_keeps_an_owner_where_its_groups_have_none() {
    let server = Server::start().await;
    let (me, night) = (server.person("desk@farol.example").await, server.person("n@farol.example").await);
    let (group, other, farol) = (me.group().await, me.has_group("Other").await, me.has(json!({})).await);
    let mine = me.entry(&PROPERTY_USERS, &farol, &me.user.email).await;
    let last_owner = |answer: Response| {
        answer.error_with("bad_request", json!("Property must have at least one owner"));
    };
    me.gives(&GROUP_USERS, &other, &night, "owner").await;
    // Nothing in the program leaves a group without an owner; a hand in the database may.
    server
        .sql("update group_users set role = 'user' where user_id in (select id from users where email like 'desk@%')")
        .await;
    last_owner(me.changes(&PROPERTY_USERS, &mine, json!({ "role": "user" })).await);
    let theirs = me.gives(&PROPERTY_USERS, &farol, &night, "owner").await;
    night.changes(&PROPERTY_USERS, &mine, json!({ "role": "user" })).await.is(200);
    last_owner(night.changes(&PROPERTY_USERS, &theirs, json!({ "role": "user" })).await);

    // A group into which they have put it themselves would go with them.
    night.adds(&other, &farol).await.is(200);
    last_owner(night.changes(&PROPERTY_USERS, &theirs, json!({ "role": "user" })).await);
    assert_eq!(night.groups_of(&farol).await.len(), 2);
    night.takes_out(&other, &farol).await.is(200);
    assert_eq!(me.groups_of(&farol).await, [group]);
}

#[actix_web::test]
async fn a_group_with_properties_keeps_an_owner_too_though_they_have_owners_of_their_own() {
    let (_server, me) = world().await;
    let group = me.group().await;
    me.has(json!({})).await;
    let mine = me.entry(&GROUP_USERS, &group, &me.user.email).await;
    last_owner(me.changes(&GROUP_USERS, &mine, json!({ "role": "user" })).await);
}

#[actix_web::test]
async fn who_has_lost_the_last_group_makes_another_before_a_property() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let group = me.group().await;
    let mine = me.entry(&GROUP_USERS, &group, &me.user.email).await;
    me.gives(&GROUP_USERS, &group, &night, "owner").await;
    night.api.delete(&GROUP_USERS.at(&mine)).await.is(200);
    for path in [GROUPS, PROPERTIES, GROUP_USERS.path, PROPERTY_USERS.path] {
        assert_eq!(me.api.get(path).await.is(200).data(), json!([]));
    }
    let refused = me.creates(json!({})).await;
    refused.error_with("validation_error", json!({ "group_id": ["can't be blank"] }));
    let group = me.has_group("Mine").await;
    let farol = me.has(json!({})).await;
    assert_eq!(me.groups_of(&farol).await, [group]);
}

#[actix_web::test]
async fn a_user_of_a_property_changes_it_and_does_not_delete_it() {
    let (_server, me, night, farol, entry) = shared(&PROPERTY_USERS, "user").await;
    night.updates(&farol, json!({ "title": "Farol" })).await.is(200);
    assert_eq!(me.reads(&farol).await["title"], "Farol");
    night.api.delete(&at(&farol)).await.error("forbidden");
    night.api.delete(&format!("{}?force=true", at(&farol))).await.error("forbidden");
    me.changes(&PROPERTY_USERS, &entry, json!({ "role": "owner" })).await.is(200);
    night.api.delete(&at(&farol)).await.is(200);
    for users in TWINS {
        assert!(!me.api.get(users.path).await.is(200).text().contains(&farol));
    }
}

#[actix_web::test]
async fn one_mailbox_is_one_account_however_its_domain_is_written() {
    let (server, owner) = world().await;
    let user = server.add_user("info@münchen-hotel.example");
    // As browsers send it.
    let browser = server.browser();
    browser.sign_in("info@xn--mnchen-hotel-dlb.example", &user.password).await.is(303);
    server.browser().sign_in("INFO@MÜNCHEN-HOTEL.example", &user.password).await.is(303);
    for email in ["info@xn--mnchen-hotel-dlb.example", "info@mu\u{308}nchen-hotel.example"] {
        let said = server.run(&["user", "invite", email]).refused(1);
        assert!(said.contains("already exists"), "{said}");
    }
    let property = owner.creates(serde_json::json!({})).await.is(201);
    let invite = serde_json::json!({ "invite": {
        "property_id": property.json()["data"]["id"], "user_email": "info@xn--mnchen-hotel-dlb.example", "role": "user",
    } });
    owner.api.post("/api/v1/property_users", &invite).await.is(201);
    assert_eq!(server.run(&["user", "list"]).ok().lines().count(), 2);
    let wrong = serde_json::json!({ "invite": {
        "property_id": property.json()["data"]["id"], "user_email": "info@xn--a.example", "role": "user",
    } });
    owner.api.post("/api/v1/property_users", &wrong).await.is(422);
}

#[actix_web::test]
async fn a_password_is_the_same_on_every_keyboard() {
    let server = Server::start().await;
    // Composed when it is set, decomposed and in full width when it is typed.
    let set = "sieben B\u{f6}\u{f6}te um 12 Uhr";
    server.secrets.register("password", set);
    server.run_with(&["user", "add", "desk@farol.example"], set).ok();
    for typed in [set, "sieben Bo\u{308}o\u{308}te um 12 Uhr", "sieben B\u{f6}\u{f6}te um \u{ff11}\u{ff12} Uhr"] {
        server.browser().sign_in("desk@farol.example", typed).await.is(303);
    }
    server.browser().sign_in("desk@farol.example", "sieben Boote um 12 Uhr").await.is(422);
}

#[actix_web::test]
async fn a_deleted_user_leaves_nothing_but_what_the_host_is_told_of() {
    let (server, me) = world().await;
    let mine = me.creates(serde_json::json!({ "title": "Casa do Mar" })).await.is(201);
    let id = mine.json()["data"]["id"].as_str().expect("an id").to_owned();
    let other = server.person("night@farol.example").await;
    let said = server.run(&["user", "delete", &me.user.email]).ok();
    assert!(said.contains("Deleted desk@farol.example."), "{said}");
    assert!(said.contains(&format!("latchkey member add {id} EMAIL --role owner")), "{said}");
    me.api.get("/api/v1/properties").await.is(401);
    me.browser.get("/user_profile").await.is(303);
    server.browser().sign_in(&me.user.email, &me.user.password).await.is(422);
    let list = server.run(&["user", "list"]).ok();
    assert!(!list.contains(&*me.user.email) && list.lines().count() == 1, "{list}");
    server.run(&["member", "add", &id, &other.user.email, "--role", "owner"]).ok();
    other.api.get(&format!("/api/v1/properties/{id}")).await.is(200);
    let said = server.run(&["user", "delete", &other.user.email, "--with-properties"]).ok();
    assert!(said.contains("Deleted the property Casa do Mar"), "{said}");
    other.api.get("/api/v1/properties").await.is(401);
    let said = server.run(&["user", "delete", &other.user.email]).refused(1);
    assert!(said.contains("There is no user"), "{said}");
    // The address may be used again, by an account that has nothing of the one before.
    let again = server.person(&me.user.email).await;
    assert!(again.api.get("/api/v1/properties").await.is(200).column("id").is_empty());
}
