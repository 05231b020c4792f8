//! Rights that end while they are used to make another way: whichever comes first, nothing is left that rests on them.

use serde_json::json;

use crate::access::{GROUP_USERS, PROPERTY_USERS, part};
use crate::client::{at_once, warm};
use crate::property::at;
use crate::rounds::rounds;
use crate::site::Site;

async fn site() -> Site<1> {
    Site::shared_with(["mallory@aurora.example"]).await
}

impl Site<1> {
    /// Nothing that somebody put somewhere rests on nothing, and every property has one home and the right count.
    async fn is_sound(&self, property: &str) {
        assert_eq!(self.alice.groups_of(property).await, [&*self.home]);
        for sql in [
            "group_properties gp where not gp.is_home",
            "properties p where p.group_count <> 1 or 1 <>
            (select count(*) from group_properties gp where gp.property_id = p.id and gp.is_home)",
        ] {
            let sql = format!("select cast(count(*) as text) from {sql}");
            assert_eq!(self.server.texts(&sql).await, ["0"], "{sql}");
        }
    }
}

#[actix_web::test]
async fn who_is_withdrawn_or_demoted_while_they_put_a_property_into_their_group_has_not_kept_it() {
    let site = site().await;
    let Site { server, alice, others: [mallory], home, .. } = &site;
    let group = mallory.group().await;
    for round in 0..rounds(12) {
        server.another_day().await;
        let farol = alice.has(json!({})).await;
        let (users, thing) = if round % 2 == 0 { (&PROPERTY_USERS, &farol) } else { (&GROUP_USERS, home) };
        let entry = alice.gives(users, thing, mallory, "owner").await;
        warm(&[&alice.api, &mallory.api]).await;
        let demoted = round % 4 >= 2;
        let end = match demoted {
            true => alice.api.put(&users.at(&entry), &users.change(json!({ "role": "user" }))),
            false => alice.api.delete(&users.at(&entry)),
        };
        let answers = at_once([end, mallory.api.post(&part(&group, &farol), &json!({}))]).await;
        assert_eq!(answers[0].status, 200, "{}", answers[0]);
        let late = if demoted { 403 } else { 404 };
        assert!([200, late].contains(&answers[1].status), "{}", answers[1]);
        site.is_sound(&farol).await;
        assert_eq!(mallory.properties_of(&group).await, Vec::<String>::new());
        mallory.api.get(&at(&farol)).await.is(if demoted { 200 } else { 404 });
        alice.api.delete(&at(&farol)).await.is(200);
        if demoted && users.of == "group" {
            alice.api.delete(&users.at(&entry)).await.is(200);
        }
    }
}

#[actix_web::test]
async fn an_owner_put_out_of_a_group_that_rested_on_them_while_its_maker_is_withdrawn_takes_it_along() {
    let site = site().await;
    let Site { server, alice, others: [mallory], .. } = &site;
    let group = mallory.group().await;
    for _ in 0..rounds(8) {
        server.another_day().await;
        let farol = alice.has(json!({})).await;
        let entry = alice.gives(&PROPERTY_USERS, &farol, mallory, "owner").await;
        let in_group = mallory.gives(&GROUP_USERS, &group, alice, "owner").await;
        mallory.adds(&group, &farol).await.is(200);
        warm(&[&alice.api, &mallory.api]).await;
        let calls = [alice.api.delete(&PROPERTY_USERS.at(&entry)), mallory.api.delete(&GROUP_USERS.at(&in_group))];
        for answer in at_once(calls).await {
            assert_eq!(answer.status, 200, "{answer}");
        }
        site.is_sound(&farol).await;
        mallory.api.get(&at(&farol)).await.error("not_found");
        alice.api.delete(&at(&farol)).await.is(200);
    }
}

#[actix_web::test]
async fn a_property_taken_out_of_its_home_and_its_next_home_at_once_stays_in_one() {
    let site = site().await;
    let Site { server, alice, home, .. } = &site;
    let others = [alice.has_group("Second").await, alice.has_group("Third").await];
    for round in 0..rounds(8) {
        let farol = alice.has(json!({})).await;
        for group in &others {
            alice.adds(group, &farol).await.is(200);
        }
        warm(&[&alice.api]).await;
        let out = if round % 2 == 0 { [home, &others[0], &others[1]] } else { [home, home, &others[0]] };
        let answers = at_once(out.map(|group| alice.api.delete(&part(group, &farol)))).await;
        let done = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(done, 2, "{answers:?}");
        let left = alice.groups_of(&farol).await;
        assert_eq!(left.len(), 1);
        let homes = "select cast(count(*) as text) from group_properties where is_home and property_id =";
        assert_eq!(server.texts(&format!("{homes} {}", server.literal(&farol))).await, ["1"]);
        let refused = alice.takes_out(&left[0], &farol).await;
        refused.error_with("bad_request", json!("Property must belong to at least one group"));
        alice.api.delete(&at(&farol)).await.is(200);
    }
}
