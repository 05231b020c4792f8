//! Ways to a property: its owners see and end each of them, and none outlives the rights it rests on
//! (docs/contract/README.md, section 15, 104, 105, 107 and 108).

use serde_json::{Value, json};

use crate::access::{GROUP_USERS, PROPERTY_USERS, TWINS, part, success};
use crate::client::Client;
use crate::property::{GROUPS, PROPERTIES, at, body, group_at};
use crate::response::Response;
use crate::site::Site;

/// A hotelier, and two who are not to be trusted.
async fn site() -> Site<2> {
    Site::shared_with(["mallory@aurora.example", "mate@aurora.example"]).await
}

impl Site<2> {
    /// Nobody but the hotelier has a way to the property, and it is in its home alone.
    async fn is_alice_s_alone(&self) {
        let Self { alice, home, farol, .. } = self;
        assert_eq!(alice.groups_of(farol).await, [&**home]);
        assert_eq!(alice.roles(&PROPERTY_USERS, farol).await, [(alice.user.email.clone(), "owner".to_owned())]);
        for person in &self.others {
            person.api.get(&at(farol)).await.error("not_found");
            person.updates(farol, json!({ "title": "Mine" })).await.error("resource_not_found");
            person.api.delete(&at(farol)).await.error("resource_not_found");
            assert_eq!(person.finds("").await, Vec::<String>::new());
            let group = person.group().await;
            assert_eq!(person.properties_of(&group).await, Vec::<String>::new());
            person.adds(&group, farol).await.error("resource_not_found");
        }
        let ways = self.server.run(&["member", "list", farol]).ok();
        assert!(ways.lines().count() == 2 && !ways.contains("aurora.example"), "{ways}");
    }
}

fn keeps_a_group(answer: Response) {
    answer.error_with("bad_request", json!("Property must belong to at least one group"));
}

fn does_not_take(answer: Response) {
    answer.error_with("forbidden", json!(["the user does not take invitations from you"]));
}

#[actix_web::test]
async fn who_is_withdrawn_loses_the_groups_into_which_they_put_the_property() {
    let site = site().await;
    let Site { alice, others: [mallory, _], farol, .. } = &site;
    let entry = alice.gives(&PROPERTY_USERS, farol, mallory, "owner").await;
    let (group, second) = (mallory.group().await, mallory.has_group("Second").await);
    mallory.adds(&group, farol).await.is(200);
    mallory.adds(&second, farol).await.is(200);
    assert_eq!(alice.groups_of(farol).await.len(), 3, "an owner sees every group");
    alice.api.delete(&PROPERTY_USERS.at(&entry)).await.is(200);
    site.is_alice_s_alone().await;
}

#[actix_web::test]
async fn who_is_no_owner_any_more_loses_the_groups_into_which_they_put_the_property() {
    let site = site().await;
    let Site { alice, others: [mallory, mate], home, farol, .. } = &site;
    let entry = alice.gives(&PROPERTY_USERS, farol, mallory, "owner").await;
    let group = mallory.group().await;
    mallory.gives(&GROUP_USERS, &group, mate, "user").await;
    mallory.adds(&group, farol).await.is(200);
    mate.api.get(&at(farol)).await.is(200);
    alice.changes(&PROPERTY_USERS, &entry, json!({ "role": "user" })).await.is(200);
    assert_eq!(alice.groups_of(farol).await, [&**home]);
    mate.api.get(&at(farol)).await.error("not_found");
    mallory.updates(farol, json!({ "city": "Faro" })).await.is(200);
    assert_eq!(mallory.groups_of(farol).await, Vec::<String>::new());
    mallory.api.delete(&at(farol)).await.error("forbidden");
    mallory.adds(&group, farol).await.error("forbidden");
    alice.api.delete(&PROPERTY_USERS.at(&entry)).await.is(200);
    site.is_alice_s_alone().await;
}

#[actix_web::test]
async fn who_loses_a_group_loses_the_groups_into_which_they_put_its_properties() {
    let site = site().await;
    let Site { alice, others: [mallory, _], home, farol, .. } = &site;
    let group = mallory.group().await;
    for demoted in [false, true] {
        let entry = alice.gives(&GROUP_USERS, home, mallory, "owner").await;
        let lisboa = alice.has(json!({ "title": "Lisboa" })).await;
        mallory.adds(&group, farol).await.is(200);
        mallory.adds(&group, &lisboa).await.is(200);
        if demoted {
            alice.changes(&GROUP_USERS, &entry, json!({ "role": "user" })).await.is(200);
            assert_eq!(mallory.groups_of(farol).await, [&**home]);
            assert_eq!(mallory.properties_of(&group).await, Vec::<String>::new());
            mallory.api.delete(&at(farol)).await.error("forbidden");
        }
        alice.api.delete(&GROUP_USERS.at(&entry)).await.is(200);
        assert_eq!(alice.groups_of(&lisboa).await, [&**home]);
        alice.api.delete(&at(&lisboa)).await.is(200);
        site.is_alice_s_alone().await;
    }
}

#[actix_web::test]
async fn mates_who_put_a_property_into_each_other_s_groups_do_not_keep_each_other_in() {
    let site = site().await;
    let Site { alice, others: [mallory, mate], farol, .. } = &site;
    let mut entries = Vec::new();
    for person in [mallory, mate] {
        entries.push(alice.gives(&PROPERTY_USERS, farol, person, "owner").await);
    }
    for (owner, other) in [(mallory, mate), (mate, mallory)] {
        let group = owner.group().await;
        let entry = owner.gives(&GROUP_USERS, &group, other, "owner").await;
        other.adds(&group, farol).await.is(200);
        owner.api.delete(&GROUP_USERS.at(&entry)).await.is(200);
    }
    let all = alice.groups_of(farol).await;
    assert_eq!(all.len(), 3);
    alice.api.delete(&PROPERTY_USERS.at(&entries[0])).await.is(200);
    // The other is an owner still: both groups rest on that, and the hotelier sees them.
    assert_eq!(alice.groups_of(farol).await, all);
    alice.api.delete(&PROPERTY_USERS.at(&entries[1])).await.is(200);
    site.is_alice_s_alone().await;
}

#[actix_web::test]
async fn a_group_that_an_owner_of_the_property_kept_in_ends_when_that_owner_is_put_out_of_it() {
    let site = site().await;
    let Site { alice, others: [mallory, _], farol, .. } = &site;
    let group = mallory.group().await;
    for demoted in [true, false] {
        let entry = alice.gives(&PROPERTY_USERS, farol, mallory, "owner").await;
        let in_group = mallory.gives(&GROUP_USERS, &group, alice, "owner").await;
        mallory.adds(&group, farol).await.is(200);
        alice.api.delete(&PROPERTY_USERS.at(&entry)).await.is(200);
        // It stays: somebody who owns the property otherwise owns the group too.
        assert_eq!(alice.groups_of(farol).await.len(), 2);
        mallory.api.get(&at(farol)).await.is(200);
        if demoted {
            mallory.changes(&GROUP_USERS, &in_group, json!({ "role": "user" })).await.is(200);
            assert_eq!(alice.groups_of(farol).await.len(), 1);
        }
        mallory.api.delete(&GROUP_USERS.at(&in_group)).await.is(200);
        site.is_alice_s_alone().await;
    }
}

#[actix_web::test]
async fn who_owns_a_property_only_by_what_they_made_themselves_makes_no_more_of_it() {
    let site = site().await;
    let Site { alice, others: [mallory, mate], farol, .. } = &site;
    let entry = alice.gives(&PROPERTY_USERS, farol, mallory, "owner").await;
    let (ours, own) = (mallory.group().await, mallory.has_group("Own").await);
    mallory.gives(&GROUP_USERS, &ours, alice, "owner").await;
    mallory.adds(&ours, farol).await.is(200);
    alice.api.delete(&PROPERTY_USERS.at(&entry)).await.is(200);
    mallory.adds(&own, farol).await.error("forbidden");
    assert_eq!(alice.groups_of(farol).await.len(), 2);
    // Where an owner by another way has it too, it may go.
    mallory.gives(&GROUP_USERS, &own, alice, "owner").await;
    mallory.adds(&own, farol).await.is(200);
    for group in [&ours, &own] {
        mate.api.get(&group_at(group)).await.error("not_found");
        alice.takes_out(group, farol).await.is(200);
    }
    site.is_alice_s_alone().await;
}

#[actix_web::test]
async fn an_owner_takes_a_property_out_of_a_group_that_does_not_exist_for_them() {
    let site = site().await;
    let Site { alice, others: [mallory, mate], farol, home, .. } = &site;
    alice.gives(&PROPERTY_USERS, farol, mallory, "owner").await;
    alice.gives(&PROPERTY_USERS, farol, mate, "user").await;
    let group = mallory.has_group("Mallory's").await;
    mallory.adds(&group, farol).await.is(200);
    let seen = alice.api.get(&at(farol)).await.data()["relationships"]["groups"]["data"].clone();
    let named =
        |id: &str, title: &str| json!({ "id": id, "type": "group", "attributes": { "id": id, "title": title } });
    assert_eq!(seen, json!([named(&group, "Mallory's"), named(home, "User Group")]));
    // A user of the property is told of neither.
    assert_eq!(mate.groups_of(farol).await, Vec::<String>::new());
    mate.takes_out(&group, farol).await.error("resource_not_found");
    alice.api.get(&group_at(&group)).await.error("not_found");
    alice.takes_out(&group, farol).await.is(200).says(success());
    alice.takes_out(&group, farol).await.error("resource_not_found");
    assert_eq!(alice.groups_of(farol).await, [&**home]);
    assert_eq!(mallory.groups_of(farol).await, [&**home], "an owner sees the home too");
    assert_eq!(mallory.properties_of(&group).await, Vec::<String>::new());
}

#[actix_web::test]
async fn only_an_owner_of_the_home_takes_a_property_out_of_it_and_it_moves_to_the_oldest_of_theirs() {
    let site = site().await;
    let Site { alice, others: [mallory, _], farol, home, .. } = &site;
    alice.gives(&PROPERTY_USERS, farol, mallory, "owner").await;
    let theirs = mallory.group().await;
    mallory.adds(&theirs, farol).await.is(200);
    // Not in sight, then in sight as a user: no owner of the home either way.
    mallory.takes_out(home, farol).await.error("forbidden");
    let entry = alice.gives(&GROUP_USERS, home, mallory, "user").await;
    mallory.takes_out(home, farol).await.error("forbidden");
    // The other group that holds it is none of the hotelier's.
    keeps_a_group(alice.takes_out(home, farol).await);
    mallory.gives(&GROUP_USERS, &theirs, alice, "user").await;
    keeps_a_group(alice.takes_out(home, farol).await);

    let (older, newer) = (alice.has_group("Z older").await, alice.has_group("A newer").await);
    alice.adds(&older, farol).await.is(200);
    alice.adds(&newer, farol).await.is(200);
    alice.takes_out(home, farol).await.is(200);
    mallory.takes_out(&older, farol).await.error("forbidden");
    mallory.takes_out(&newer, farol).await.is(200);
    alice.takes_out(&theirs, farol).await.is(200);
    keeps_a_group(alice.takes_out(&older, farol).await);
    assert_eq!(alice.groups_of(farol).await, [older]);
    alice.api.delete(&GROUP_USERS.at(&entry)).await.is(200);
}

#[actix_web::test]
async fn a_new_property_never_goes_into_a_group_that_its_maker_does_not_own() {
    let site = site().await;
    let Site { alice, others: [mallory, _], home, farol, .. } = &site;
    let trap = mallory.has_group("A trap").await;
    let entry = mallory.gives(&GROUP_USERS, &trap, alice, "user").await;
    alice.api.delete(&at(farol)).await.is(200);
    let last = alice.api.delete(&group_at(home)).await;
    last.error_with("bad_request", json!("User must have at least one group"));
    // With the default group gone, the oldest of the own ones is taken.
    let (second, third) = (alice.has_group("Second").await, alice.has_group("Third").await);
    alice.api.delete(&group_at(home)).await.is(200);
    let lisboa = alice.has(json!({ "title": "Lisboa" })).await;
    assert_eq!(alice.groups_of(&lisboa).await, [&*second]);
    alice.api.delete(&group_at(&third)).await.is(200);

    // Nor is a default group that somebody else owns by now.
    alice.gives(&GROUP_USERS, &second, mallory, "owner").await;
    let mine = alice.entry(&GROUP_USERS, &second, &alice.user.email).await;
    mallory.changes(&GROUP_USERS, &mine, json!({ "role": "user" })).await.is(200);
    let refused = alice.creates(json!({ "title": "Porto" })).await;
    refused.invalid(json!({ "group_id": ["can't be blank"] }));
    assert_eq!(mallory.properties_of(&trap).await, Vec::<String>::new());
    // Chosen, it goes there: its maker is its owner all the same.
    let porto = alice.has(json!({ "title": "Porto", "group_id": trap })).await;
    assert_eq!(alice.groups_of(&porto).await, [&*trap]);
    alice.takes_out(&trap, &porto).await.error("forbidden");
    mallory.api.delete(&GROUP_USERS.at(&entry)).await.is(200);
    alice.api.delete(&at(&porto)).await.is(200);
}

/// A key of hers that reaches this property alone.
async fn limited_key(site: &Site<2>) -> Client {
    let key = site.alice.browser.create_key("Limited").await;
    let id = site.server.literal(&site.alice.browser.key_id(&key).await);
    site.server.sql(&format!("update api_keys set all_properties = false, manage_users = false where id = {id}")).await;
    let property = site.server.literal(&site.farol);
    site.server.sql(&format!("insert into api_key_properties (key_id, property_id) values ({id}, {property})")).await;
    site.server.with_key(&key)
}

#[actix_web::test]
async fn a_key_limited_to_chosen_properties_changes_no_group_and_no_user() {
    let site = site().await;
    let Site { alice, others: [mallory, _], home, farol, .. } = &site;
    let (empty, full) = (alice.has_group("Empty").await, alice.has_group("Full").await);
    alice.adds(&full, farol).await.is(200);
    let entries = [
        (&PROPERTY_USERS, alice.gives(&PROPERTY_USERS, farol, mallory, "user").await),
        (&GROUP_USERS, alice.gives(&GROUP_USERS, home, mallory, "user").await),
    ];
    let api = limited_key(&site).await;
    api.get(&at(farol)).await.is(200);
    let rename = json!({ "group": { "title": "Renamed" } });
    let mut calls = vec![
        api.post(GROUPS, &rename),
        api.put(&group_at(home), &rename),
        api.delete(&group_at(&empty)),
        api.post(&part(&empty, farol), &json!({})),
        api.delete(&part(&full, farol)),
        api.post(PROPERTIES, &body(json!({}))),
    ];
    for (users, entry) in &entries {
        calls.push(api.put(&users.at(entry), &users.change(json!({ "role": "owner" }))));
        calls.push(api.delete(&users.at(entry)));
        let id = if users.of == "group" { home } else { farol };
        calls.push(api.post(users.path, &users.invitation(id, "thief@aurora.example", "owner")));
    }
    let everything = async || -> Vec<Value> {
        let mut all = Vec::new();
        for path in [PROPERTIES, GROUPS, PROPERTY_USERS.path, GROUP_USERS.path] {
            all.push(alice.api.get(path).await.is(200).json());
        }
        all
    };
    let before = everything().await;
    for call in calls {
        call.await.error_with("forbidden", json!(["the API key is limited to chosen properties"]));
    }
    assert_eq!(everything().await, before);
}

#[actix_web::test]
async fn one_person_gives_another_twenty_ways_a_day_and_no_more() {
    let site = site().await;
    let Site { server, alice, others: [mallory, mate], farol, .. } = &site;
    let back = async |users: &crate::access::Users, entry: &str| {
        mallory.api.delete(&users.at(entry)).await.is(200);
    };
    let (group, aurora) = (mallory.group().await, mallory.has(json!({ "title": "Aurora" })).await);
    // Both kinds count, and one that was ended again counts too.
    for _ in 0..10 {
        for (users, id) in [(&PROPERTY_USERS, &aurora), (&GROUP_USERS, &group)] {
            let entry = mallory.gives(users, id, alice, "user").await;
            back(users, &entry).await;
        }
    }
    for (users, id) in [(&PROPERTY_USERS, &aurora), (&GROUP_USERS, &group)] {
        for role in ["user", "owner"] {
            does_not_take(mallory.invites(users, id, &alice.user.email, role).await);
        }
        assert!(!alice.api.get(users.path).await.text().contains(id.as_str()));
    }
    // It is between these two, and in this direction.
    mallory.gives(&PROPERTY_USERS, &aurora, mate, "user").await;
    alice.gives(&PROPERTY_USERS, farol, mallory, "user").await;
    mate.gives(&GROUP_USERS, &mate.group().await, alice, "user").await;
    // A day later the count begins anew.
    let day_ago = match server.database_url() {
        Some(_) => "now() - interval '2 days'",
        None => "strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now', '-2 days')",
    };
    assert_eq!(server.sql(&format!("update ways_given set since = {day_ago}")).await, 4);
    mallory.gives(&PROPERTY_USERS, &aurora, alice, "user").await;
}

#[actix_web::test]
async fn who_refuses_somebody_s_invitations_gets_none_from_them() {
    let site = site().await;
    let Site { server, alice, others: [mallory, mate], home, farol, .. } = &site;
    let id = |email: &str| format!("(select id from users where email = '{email}')");
    let (user, inviter) = (id(&mallory.user.email), id(&alice.user.email));
    let refuse = format!(
        "insert into refused_inviters (user_id, inviter_id, created_at)
        select {user}, {inviter}, created_at from users where email = '{}'",
        alice.user.email
    );
    assert_eq!(server.sql(&refuse).await, 1);
    for (users, thing) in [(&PROPERTY_USERS, farol), (&GROUP_USERS, home)] {
        for role in ["user", "owner"] {
            does_not_take(alice.invites(users, thing, &mallory.user.email.to_uppercase(), role).await);
        }
        assert_eq!(alice.roles(users, thing).await.len(), 1);
        alice.gives(users, thing, mate, "user").await;
    }
    mallory.gives(&GROUP_USERS, &mallory.group().await, alice, "user").await;
    assert_eq!(server.sql("delete from refused_inviters").await, 1);
    for users in TWINS {
        let thing = if users.of == "group" { home } else { farol };
        alice.gives(users, thing, mallory, "user").await;
    }
}

#[actix_web::test]
async fn what_was_remembered_of_a_property_changes_when_somebody_s_group_holds_it_or_no_longer() {
    let site = site().await;
    let Site { alice, others: [mallory, _], farol, .. } = &site;
    alice.gives(&PROPERTY_USERS, farol, mallory, "owner").await;
    let (group, one, list) = (mallory.has_group("Mallory's").await, at(farol), PROPERTIES.to_owned());
    let mut tags = Vec::new();
    for path in [&one, &list] {
        let tag = alice.api.get(path).await.is(200).header("etag").expect("an ETag").to_owned();
        alice.api.get(path).header("if-none-match", &tag).await.is(304);
        tags.push(tag);
    }
    for step in 0..6 {
        match step % 3 {
            0 => mallory.adds(&group, farol).await.is(200),
            1 => mallory.api.put(&group_at(&group), &json!({ "group": { "title": format!("M{step}") } })).await.is(200),
            _ => mallory.takes_out(&group, farol).await.is(200),
        };
        for (path, tag) in [&one, &list].into_iter().zip(&mut tags) {
            let answer = alice.api.get(path).header("if-none-match", &*tag).await.is(200);
            assert_eq!(answer.text().contains(&group), step % 3 < 2, "{answer}");
            let new = answer.header("etag").expect("an ETag").to_owned();
            assert_ne!(new, *tag);
            alice.api.get(path).header("if-none-match", &new).await.is(304);
            *tag = new;
        }
    }
}
