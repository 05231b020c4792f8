//! What is recorded of access to properties and groups.

use serde_json::json;

use crate::access::{GROUP_USERS, PROPERTY_USERS, TWINS, Users, part};
use crate::people::DESK;
use crate::site::Site;

const BOB: &str = "bob@farol.example";

async fn site() -> Site<1> {
    Site::shared_with([BOB]).await
}

impl Site<1> {
    /// The property, or the group that contains it.
    fn thing(&self, users: &Users) -> (&str, &'static str) {
        match users.of {
            "property" => (&self.farol, "the property “Casa do Farol”"),
            _ => (&self.home, "the group “User Group”"),
        }
    }
}

#[actix_web::test]
async fn access_that_is_given_changed_and_removed_is_recorded_for_both_accounts() {
    for users in TWINS {
        let site = site().await;
        let Site { server, alice, others: [bob], .. } = &site;
        let (id, of) = site.thing(users);
        let link = alice.gives(users, id, bob, "user").await;
        let key = format!("the API key “Front desk” of {DESK}");
        let both = |what: &str| [BOB, DESK].map(|account| format!("{account}: {key}: {what}"));
        assert_eq!(server.recorded("member_added"), both(&format!("Gave {BOB} access to {of} (user)")));
        alice.changes(users, &link, json!({ "role": "owner" })).await.is(200);
        let changed = both(&format!("Changed the role of {BOB} in {of} from user to owner"));
        assert_eq!(server.recorded("member_changed"), changed);
        // The same again, and what has no effect on the role.
        alice.changes(users, &link, json!({ "role": "owner", "overrides": { "a": 1 } })).await.is(200);
        assert_eq!(server.recorded("member_changed"), changed);
        alice.api.delete(&users.at(&link)).await.is(200);
        alice.api.delete(&users.at(&link)).await.error("resource_not_found");
        assert_eq!(server.recorded("member_removed"), both(&format!("Removed {BOB} from {of}")));
        for kind in ["member_added", "member_changed", "member_removed"] {
            let found = server.activity(&["--kind", kind]);
            let from = |account: &str| found.iter().find(|entry| entry["account"] == account).expect("an entry");
            assert_eq!(from(DESK)["address"], "127.0.0.1");
            assert_eq!(from(BOB)["address"], "", "where Alice works is not for Bob");
            assert_eq!((&*from(BOB)["actor"], &*from(BOB)["subject"]), ("key", BOB));
        }
    }
}

#[actix_web::test]
async fn a_session_is_recorded_as_the_person() {
    let Site { server, alice, farol, .. } = &site().await;
    let body = PROPERTY_USERS.invitation(farol, BOB, "owner");
    let link = alice.browser.post(PROPERTY_USERS.path, &body).await.is(201).id();
    alice.browser.put(&PROPERTY_USERS.at(&link), &PROPERTY_USERS.change(json!({ "role": "user" }))).await.is(200);
    alice.browser.delete(&PROPERTY_USERS.at(&link)).await.is(200);
    for kind in ["member_added", "member_changed", "member_removed"] {
        let found = server.activity(&["--kind", kind]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|entry| entry["actor"] == "person" && entry["by"] == DESK), "{found:?}");
    }
}

#[actix_web::test]
async fn an_invitation_of_an_unknown_person_records_the_account_as_well() {
    let Site { server, alice, farol, .. } = &site().await;
    let before = server.activity(&[]).len();
    alice.invites(&PROPERTY_USERS, farol, "new@farol.example", "user").await.is(201);
    let created = ["desk@farol.example", "new@farol.example"].map(|account| {
        format!("{account}: the API key “Front desk” of {DESK}: Created an account for new@farol.example")
    });
    let added = server.recorded("user_added");
    assert!(created.iter().all(|entry| added.contains(entry)), "{added:?}");
    assert_eq!(server.activity(&[]).len(), before + 4);
}

#[actix_web::test]
async fn what_is_refused_or_rolled_back_is_not_recorded() {
    let Site { server, alice, others: [bob], farol, home, .. } = &site().await;
    let link = alice.gives(&PROPERTY_USERS, farol, bob, "user").await;
    let before = server.activity(&[]).len();
    alice.invites(&PROPERTY_USERS, farol, BOB, "user").await.is(400);
    alice.invites(&PROPERTY_USERS, farol, "new@farol.example", "king").await.is(422);
    bob.invites(&PROPERTY_USERS, farol, "new@farol.example", "user").await.error("forbidden");
    bob.changes(&PROPERTY_USERS, &link, json!({ "role": "owner" })).await.error("forbidden");
    bob.api.delete(&PROPERTY_USERS.at(&link)).await.error("forbidden");
    alice.adds(home, farol).await.is(422);
    alice.takes_out(home, farol).await.is(400);
    let own = alice.entry(&GROUP_USERS, home, DESK).await;
    // The last owner: refused after the role was written.
    alice.changes(&GROUP_USERS, &own, json!({ "role": "user" })).await.is(400);
    server.run(&["member", "remove", farol, DESK]).refused(1);
    let after = server.activity(&[]);
    assert_eq!(after.len(), before, "{after:#?}");
}

#[actix_web::test]
async fn a_property_in_a_group_is_recorded_when_it_is_put_there_and_taken_out() {
    let Site { server, alice, others: [bob], farol, .. } = &site().await;
    let key = |email: &str| format!("the API key “Front desk” of {email}");
    let group = alice.has_group("Algarve").await;
    alice.adds(&group, farol).await.is(200);
    alice.takes_out(&group, farol).await.is(200);
    let what = "the property “Casa do Farol”";
    let put = format!("{DESK}: {}: Put {what} into the group “Algarve”", key(DESK));
    assert_eq!(server.recorded("property_placed"), [put]);
    let out = format!("{DESK}: {}: Took {what} out of the group “Algarve”", key(DESK));
    assert_eq!(server.recorded("property_taken_out"), [&*out]);
    // Somebody else's placement ends on the page: for both.
    alice.gives(&PROPERTY_USERS, farol, bob, "owner").await;
    let bobs = bob.group().await;
    bob.browser.post(&part(&bobs, farol), &json!({})).await.is(200);
    assert!(
        server.recorded("property_placed").contains(&format!("{BOB}: {BOB}: Put {what} into the group “User Group”"))
    );
    let take_out = format!("/properties/{farol}/people/groups/{bobs}/take_out");
    for _ in 0..2 {
        alice.browser.post_form(&take_out, &[]).await.is(303);
    }
    let mut expected =
        [BOB, DESK].map(|account| format!("{account}: {DESK}: Took {what} out of the group “User Group”"));
    expected.sort();
    let found = server.recorded("property_taken_out");
    assert_eq!(found.iter().filter(|entry| **entry != out).collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
}

#[actix_web::test]
async fn what_ends_with_a_persons_rights_is_recorded_with_it() {
    let Site { server, alice, others: [bob], farol, .. } = &site().await;
    let link = alice.gives(&PROPERTY_USERS, farol, bob, "owner").await;
    bob.adds(&bob.group().await, farol).await.is(200);
    let before = server.activity(&[]).len();
    let remove = format!("/properties/{farol}/people/{link}/remove");
    for _ in 0..2 {
        alice.browser.post_form(&remove, &[]).await.is(303);
    }
    let removed =
        [BOB, DESK].map(|account| format!("{account}: {DESK}: Removed {BOB} from the property “Casa do Farol”"));
    assert_eq!(server.recorded("member_removed"), removed);
    let out = "Took the property “Casa do Farol” out of the group “User Group”";
    assert_eq!(server.recorded("property_taken_out"), [BOB, DESK].map(|account| format!("{account}: {DESK}: {out}")));
    assert_eq!(server.activity(&[]).len(), before + 4);
}

#[actix_web::test]
async fn who_leaves_is_recorded_once() {
    let Site { server, alice, others: [bob], farol, home, .. } = &site().await;
    alice.gives(&PROPERTY_USERS, farol, bob, "user").await;
    alice.gives(&GROUP_USERS, home, bob, "user").await;
    let before = server.activity(&[]).len();
    for path in [format!("/properties/{farol}/people/leave"), format!("/your_access/groups/{home}/leave")] {
        for _ in 0..2 {
            bob.browser.post_form(&path, &[]).await.is(303);
        }
    }
    let left = ["Left the group “User Group”", "Left the property “Casa do Farol”"];
    assert_eq!(server.recorded("member_removed"), left.map(|what| format!("{BOB}: {BOB}: {what}")));
    assert_eq!(server.activity(&[]).len(), before + 2);
}

#[actix_web::test]
async fn who_leaves_everything_from_a_person_has_an_entry_for_each() {
    let Site { server, alice, others: [bob], farol, home, .. } = &site().await;
    alice.gives(&PROPERTY_USERS, farol, bob, "user").await;
    alice.gives(&GROUP_USERS, home, bob, "user").await;
    let page = bob.browser.get("/your_access").await.is(200);
    let leave = crate::html::form_actions(page.text()).into_iter().find(|action| action.contains("/from/"));
    for _ in 0..2 {
        bob.browser.post_form(leave.as_ref().expect("a form"), &[]).await.is(303);
    }
    let left = ["Left the group “User Group”", "Left the property “Casa do Farol”"];
    assert_eq!(server.recorded("member_removed"), left.map(|what| format!("{BOB}: {BOB}: {what}")));
}

#[actix_web::test]
async fn what_the_host_gives_and_removes_is_in_the_record_of_the_person_alone() {
    let Site { server, others: [bob], farol, .. } = &site().await;
    for _ in 0..2 {
        server.run(&["member", "add", farol, BOB]).ok();
    }
    for _ in 0..2 {
        server.run(&["member", "add", farol, BOB, "--role", "owner"]).ok();
    }
    bob.adds(&bob.group().await, farol).await.is(200);
    server.run(&["member", "remove", farol, BOB]).ok();
    server.run(&["member", "remove", farol, BOB]).refused(1);
    let of = "the property “Casa do Farol”";
    for (kind, what) in [
        ("member_added", format!("Gave {BOB} access to {of} (user)")),
        ("member_changed", format!("Changed the role of {BOB} in {of} from user to owner")),
        ("member_removed", format!("Removed {BOB} from {of}")),
        ("property_taken_out", format!("Took {of} out of the group “User Group”")),
    ] {
        assert_eq!(server.recorded(kind), [format!("{BOB}: the host: {what}")]);
    }
}
