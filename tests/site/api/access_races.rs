//! Requests about access that meet: each has a clear outcome, and what must always hold still holds.

use serde_json::json;

use crate::access::{GROUP_USERS, PROPERTY_USERS, Users, part};
use crate::client::{Call, at_once, warm};
use crate::people::{Person, world};
use crate::property::{GROUPS, PROPERTIES, at, body, group_at};
use crate::response::Response;
use crate::server::Server;

/// Times that two requests are sent at once: a race is not lost every time.
const ROUNDS: usize = 8;

/// A server with two people.
async fn two_people() -> (Server, Person, Person) {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    (server, me, night)
}

/// Every property is in a group and has an owner, and every group has one, whoever sees them.
async fn is_sound(server: &Server) {
    for (what, sql) in [
        (
            "properties without a group",
            "select cast(count(*) as text) from properties p
            where not exists (select 1 from group_properties gp where gp.property_id = p.id)",
        ),
        (
            "groups without an owner",
            "select cast(count(*) as text) from groups g
            where not exists (select 1 from group_users gu where gu.group_id = g.id and gu.role = 'owner')",
        ),
        (
            "properties without an owner",
            "select cast(count(*) as text) from properties p
            where not exists (select 1 from property_users pu where pu.property_id = p.id and pu.role = 'owner')
                and not exists (
                    select 1 from group_properties gp join group_users gu on gu.group_id = gp.group_id
                    where gp.property_id = p.id and gu.role = 'owner')",
        ),
        (
            "users without a group",
            "select cast(count(*) as text) from users u
            where not exists (select 1 from group_users gu where gu.user_id = u.id)",
        ),
        ("addresses with two users", "select cast(count(*) - count(distinct lower(email)) as text) from users"),
    ] {
        assert_eq!(server.texts(sql).await, ["0"], "{what}");
    }
}

fn statuses(answers: &[Response]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status).collect()
}

/// One of two has succeeded and the other was told so.
#[track_caller]
fn one_wins(answers: Vec<Response>, success: u16, loser: impl Fn(Response)) {
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == success);
    assert!(won.len() == 1 && lost.len() == 1, "won: {won:?}\nlost: {lost:?}");
    lost.into_iter().for_each(loser);
}

fn told(details: &'static str) -> impl Fn(Response) {
    move |answer| drop(answer.error_with("bad_request", json!(details)))
}

#[actix_web::test]
async fn the_last_two_groups_of_a_property_are_not_both_left() {
    let (server, me) = &world().await;
    let (first, second) = (me.group().await, me.has_group("Second").await);
    for _ in 0..ROUNDS {
        let farol = me.has(json!({})).await;
        me.adds(&second, &farol).await.is(200);
        warm(&[&me.api]).await;
        let answers = at_once([&first, &second].map(|group| me.api.delete(&part(group, &farol)))).await;
        one_wins(answers, 200, told("Property must belong to at least one group"));
        assert_eq!(me.groups_of(&farol).await.len(), 1);
        is_sound(server).await;

        let stays = me.groups_of(&farol).await.remove(0);
        let other = if stays == first { &second } else { &first };
        me.adds(other, &farol).await.is(200);
        let answers = at_once([&first, &first].map(|group| me.api.delete(&part(group, &farol)))).await;
        one_wins(answers, 200, |answer| drop(answer.error("resource_not_found")));
        is_sound(server).await;
    }
}

#[actix_web::test]
async fn a_property_is_added_to_a_group_once() {
    let (_server, me) = &world().await;
    let second = me.has_group("Second").await;
    for _ in 0..ROUNDS {
        let farol = me.has(json!({})).await;
        warm(&[&me.api]).await;
        let answers = at_once([0, 1].map(|_| me.api.post(&part(&second, &farol), &json!({})))).await;
        one_wins(answers, 200, |answer| {
            let details = json!({ "hotel_id": ["Only one GroupHotel entity per Group and Hotel pair allowed!"] });
            answer.error_with("validation_error", details);
        });
        assert_eq!(me.properties_of(&second).await.iter().filter(|id| **id == farol).count(), 1);
    }
}

#[actix_web::test]
async fn the_last_two_owners_of_a_group_do_not_both_step_back() {
    let (server, me, night) = &two_people().await;
    for _ in 0..ROUNDS {
        let group = me.has_group("Ours").await;
        let theirs = me.gives(&GROUP_USERS, &group, night, "owner").await;
        let mine = me.entry(&GROUP_USERS, &group, &me.user.email).await;
        let back = GROUP_USERS.change(json!({ "role": "user" }));
        warm(&[&me.api, &night.api]).await;
        let answers =
            at_once([me.api.put(&GROUP_USERS.at(&mine), &back), night.api.put(&GROUP_USERS.at(&theirs), &back)]).await;
        one_wins(answers, 200, told("Group must have at least one owner"));
        is_sound(server).await;
    }
}

#[actix_web::test]
async fn of_two_owners_who_demote_or_withdraw_each_other_one_stays() {
    let (server, me, night) = &two_people().await;
    for round in 0..ROUNDS * 2 {
        for users in [&GROUP_USERS, &PROPERTY_USERS] {
            let thing = users.thing(me).await;
            server.another_day().await;
            let theirs = me.gives(users, &thing, night, "owner").await;
            let mine = me.entry(users, &thing, &me.user.email).await;
            let against = |person: &Person, entry: &str, demote: bool| match demote {
                true => person.api.put(&users.at(entry), &users.change(json!({ "role": "user" }))),
                false => person.api.delete(&users.at(entry)),
            };
            warm(&[&me.api, &night.api]).await;
            let calls = [against(me, &theirs, round % 2 == 0), against(night, &mine, round % 3 == 0)];
            let answers = at_once(calls).await;
            // For a property, its creator stays an owner through the group, so that both may come to pass.
            for answer in &answers {
                assert!([200, 400, 403, 404].contains(&answer.status), "{answer}");
            }
            let done = answers.iter().filter(|answer| answer.status == 200).count();
            assert!(done == 1 || (done == 2 && users.of == "property"), "{answers:?}");
            is_sound(server).await;
        }
    }
}

#[actix_web::test]
async fn an_unknown_address_invited_twice_at_once_is_one_user() {
    let (server, me, night) = &two_people().await;
    let aurora = night.has(json!({ "title": "Aurora" })).await;
    for round in 0..ROUNDS {
        let (farol, group) = (me.has(json!({})).await, me.group().await);
        let (email, same) = (format!("guest-{round}@farol.example"), format!("GUEST-{round}@Farol.example"));
        warm(&[&me.api, &night.api]).await;
        let invite = |person: &Person, users: &Users, id: &str, email: &str| {
            person.api.post(users.path, &users.invitation(id, email, "user"))
        };
        let answers =
            at_once([invite(me, &PROPERTY_USERS, &farol, &email), invite(me, &PROPERTY_USERS, &farol, &same)]).await;
        one_wins(answers, 201, told("User already invited"));
        assert_eq!(me.roles(&PROPERTY_USERS, &farol).await.len(), 2);

        let (email, same) = (format!("other-{round}@farol.example"), format!("OTHER-{round}@Farol.example"));
        let answers = at_once([
            invite(me, &PROPERTY_USERS, &farol, &email),
            invite(me, &GROUP_USERS, &group, &same),
            invite(night, &PROPERTY_USERS, &aurora, &same),
        ])
        .await;
        assert_eq!(statuses(&answers), [201; 3], "{answers:?}");
        let ids: Vec<_> = answers.iter().map(|answer| answer.attributes()["user_id"].clone()).collect();
        assert!(ids[0] == ids[1] && ids[1] == ids[2], "{ids:?}");
        is_sound(server).await;
    }
}

#[actix_web::test]
async fn a_group_is_deleted_or_gets_a_property_and_never_both() {
    let (server, me) = &world().await;
    for round in 0..ROUNDS * 2 {
        let group = me.has_group("Spare").await;
        let farol = me.has(json!({})).await;
        warm(&[&me.api]).await;
        let put_there = match round % 2 {
            0 => me.api.post(&part(&group, &farol), &json!({})),
            _ => me.api.post(PROPERTIES, &body(json!({ "group_id": group }))),
        };
        let answers = at_once([put_there, me.api.delete(&group_at(&group))]).await;
        let [put_there, deleted] = <[Response; 2]>::try_from(answers).expect("two answers");
        if deleted.status == 200 {
            match round % 2 {
                0 => put_there.error("resource_not_found"),
                _ => put_there.error_with("validation_error", json!({ "group_id": ["does not exist"] })),
            };
            me.api.get(&group_at(&group)).await.error("not_found");
        } else {
            deleted.error_with("bad_request", json!("Group has properties"));
            assert!([200, 201].contains(&put_there.status), "{put_there}");
            assert_eq!(me.properties_of(&group).await.len(), 1);
        }
        is_sound(server).await;
    }
}

#[actix_web::test]
async fn the_last_two_groups_of_a_user_are_not_both_deleted() {
    let (server, me) = &world().await;
    for _ in 0..ROUNDS {
        me.has_group("Second").await;
        let groups = me.api.get(GROUPS).await.column("id");
        warm(&[&me.api]).await;
        let answers = at_once([&groups[0], &groups[1]].map(|group| me.api.delete(&group_at(group)))).await;
        one_wins(answers, 200, |answer| assert_eq!(answer.json()["errors"]["code"], "bad_request", "{answer}"));
        assert_eq!(me.api.get(GROUPS).await.column("id").len(), 1);
        is_sound(server).await;
    }
}

#[actix_web::test]
async fn what_is_deleted_while_it_changes_is_gone() {
    let (server, me, night) = &two_people().await;
    for _ in 0..ROUNDS {
        let (spare, farol) = (me.has_group("Spare").await, me.has(json!({})).await);
        let property_user = me.gives(&PROPERTY_USERS, &farol, night, "user").await;
        let group_user = me.gives(&GROUP_USERS, &spare, night, "user").await;
        let role = |users: &Users| users.change(json!({ "role": "owner", "overrides": { "a": 1 } }));
        let changes: [(String, Call); 4] = [
            (PROPERTY_USERS.at(&property_user), me.api.put(&PROPERTY_USERS.at(&property_user), &role(&PROPERTY_USERS))),
            (GROUP_USERS.at(&group_user), me.api.put(&GROUP_USERS.at(&group_user), &role(&GROUP_USERS))),
            (group_at(&spare), me.api.put(&group_at(&spare), &json!({ "group": { "title": "New" } }))),
            (at(&farol), me.api.put(&at(&farol), &json!({ "property": { "city": "Faro" } }))),
        ];
        for (path, change) in changes {
            warm(&[&me.api]).await;
            let [changed, deleted] =
                <[Response; 2]>::try_from(at_once([change, me.api.delete(&path)]).await).expect("two answers");
            assert_eq!(deleted.status, 200, "{deleted}");
            assert!(matches!(changed.status, 200 | 404), "{changed}");
            me.api.get(&path).await.is(404);
            is_sound(server).await;
        }
    }
}

#[actix_web::test]
async fn a_property_that_is_deleted_takes_part_in_nothing_else() {
    let (server, me) = &world().await;
    for round in 0..ROUNDS {
        let (first, second) = (me.group().await, me.has_group("Second").await);
        for kind in 0..3 {
            let farol = me.has(json!({})).await;
            if kind == 1 {
                me.adds(&second, &farol).await.is(200);
            }
            warm(&[&me.api]).await;
            let guest = format!("guest-{round}@farol.example");
            let other = match kind {
                0 => me.api.post(&part(&second, &farol), &json!({})),
                1 => me.api.delete(&part(&first, &farol)),
                _ => me.api.post(PROPERTY_USERS.path, &PROPERTY_USERS.invitation(&farol, &guest, "user")),
            };
            let answers = at_once([other, me.api.delete(&at(&farol))]).await;
            assert_eq!(answers[1].status, 200, "{}", answers[1]);
            let fits = if kind == 2 { [201, 403] } else { [200, 404] };
            assert!(fits.contains(&answers[0].status), "{}", answers[0]);
            assert_eq!(me.properties_of(&second).await, Vec::<String>::new());
            is_sound(server).await;
        }
        me.api.delete(&group_at(&second)).await.is(200);
    }
}

#[actix_web::test]
async fn who_loses_a_role_while_using_it_has_used_it_or_not() {
    let (server, me, night) = &two_people().await;
    for round in 0..ROUNDS {
        let group = me.has_group("Ours").await;
        let farol = me.has(json!({ "group_id": group })).await;
        let theirs = me.gives(&GROUP_USERS, &group, night, "owner").await;
        let guest = format!("guest-{round}@farol.example");
        warm(&[&me.api, &night.api]).await;
        let answers = at_once([
            me.api.delete(&GROUP_USERS.at(&theirs)),
            night.api.post(GROUP_USERS.path, &GROUP_USERS.invitation(&group, &guest, "owner")),
            night.api.post(PROPERTY_USERS.path, &PROPERTY_USERS.invitation(&farol, &guest, "owner")),
        ])
        .await;
        assert_eq!(answers[0].status, 200, "{}", answers[0]);
        let (mut guests, mut withdrawn) = (0, 0);
        for answer in &answers[1..] {
            match answer.status {
                201 => guests += 1,
                403 => withdrawn += 1,
                _ => panic!("{answer}"),
            }
        }
        assert_eq!(guests + withdrawn, 2);
        let there = [me.roles(&GROUP_USERS, &group).await, me.roles(&PROPERTY_USERS, &farol).await].concat();
        assert_eq!(there.iter().filter(|(email, _)| *email == guest).count(), guests);
        is_sound(server).await;
    }
}
