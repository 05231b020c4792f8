//! The host's commands on who has access to a property.

use serde_json::json;

use crate::access::{GROUP_USERS, PROPERTY_USERS};
use crate::people::DESK;
use crate::property::{UNKNOWN_ID, at};
use crate::site::Site;

const ALICE: &str = DESK;
const NIGHT: &str = "night@farol.example";

async fn site() -> Site<1> {
    Site::shared_with([NIGHT]).await
}

impl Site<1> {
    /// What `member VERB PROPERTY …` prints, line by line.
    fn says(&self, verb: &str, args: &[&str]) -> Vec<String> {
        let args = [&["member", verb, &self.farol], args].concat();
        self.server.run(&args).ok().lines().map(str::to_owned).collect()
    }

    /// What `member VERB PROPERTY …` says when it is refused.
    fn is_refused(&self, verb: &str, args: &[&str]) -> String {
        let args = [&["member", verb, &self.farol], args].concat();
        self.server.run(&args).refused(1)
    }

    /// The list, with `NOW` for each moment, which must be one of this minute or the one before.
    fn list(&self) -> Vec<String> {
        let lines = self.says("list", &[]);
        lines.iter().map(|line| line.split('\t').map(moment).collect::<Vec<_>>().join("\t")).collect()
    }
}

fn moment(part: &str) -> String {
    let Some(written) = part.strip_prefix("since ") else { return part.to_owned() };
    assert!(chrono::NaiveDateTime::parse_from_str(written, "%Y-%m-%d %H:%M UTC").is_ok(), "{written}");
    "since NOW".to_owned()
}

#[actix_web::test]
async fn the_list_tells_every_way_with_its_role_its_group_and_who_made_it() {
    let site = site().await;
    let Site { alice, others: [night], farol, .. } = &site;
    let home = format!("owner\tthrough the group User Group (home)\tsince NOW\tgiven by {ALICE}");
    let put = format!("put there by {ALICE} with the key Front desk");
    let by_key = format!("given by {ALICE} with the key Front desk");
    let first = [format!("{ALICE}\towner\tdirectly\tsince NOW\t{by_key}"), format!("{ALICE}\t{home}\t{put}")];
    assert_eq!(site.list(), first);
    alice.gives(&PROPERTY_USERS, farol, night, "owner").await;
    let group = night.has_group("Night").await;
    night.invites(&GROUP_USERS, &group, "guest@farol.example", "user").await.is(201);
    // From a page, no key has a part in it.
    night.browser.post(&crate::access::part(&group, farol), &json!({})).await.is(200);
    let by_night = format!("given by {NIGHT} with the key Front desk");
    let through = "through the group Night\tsince NOW";
    let expected = [
        first[0].clone(),
        first[1].clone(),
        format!("guest@farol.example\tuser\t{through}\t{by_night}\tput there by {NIGHT}"),
        format!("{NIGHT}\towner\tdirectly\tsince NOW\t{by_key}"),
        format!("{NIGHT}\towner\t{through}\t{by_night}\tput there by {NIGHT}"),
    ];
    assert_eq!(site.list(), expected);
}

#[actix_web::test]
async fn the_host_gives_access_and_another_role() {
    let site = site().await;
    let Site { server, alice, others: [night], farol, .. } = &site;
    assert_eq!(site.says("add", &[NIGHT]), [format!("{NIGHT} is a user of Casa do Farol.")]);
    assert_eq!(site.list()[2], format!("{NIGHT}\tuser\tdirectly\tsince NOW\tgiven by the host"));
    night.updates(farol, json!({ "city": "Faro" })).await.is(200);
    night.api.delete(&at(farol)).await.error("forbidden");

    let raised = site.says("add", &["NIGHT@Farol.example", "--role", "owner"]);
    assert_eq!(raised, [format!("{NIGHT} is an owner of Casa do Farol.")]);
    assert_eq!(site.list().len(), 3);
    let group = night.group().await;
    night.adds(&group, farol).await.is(200);
    assert_eq!(site.says("add", &[NIGHT]), [format!("{NIGHT} is a user of Casa do Farol.")]);
    // What rested on the role has ended with it.
    assert_eq!(night.properties_of(&group).await, Vec::<String>::new());
    assert_eq!(alice.groups_of(farol).await.len(), 1);

    // An account that lost everything gets it back.
    server.sql("delete from property_users").await;
    server.sql("delete from group_users").await;
    server.count_totals().await;
    let none = format!("Nobody has access. Give it with: latchkey member add {farol} EMAIL --role owner");
    assert_eq!(site.list(), [none]);
    site.says("add", &[ALICE, "--role", "owner"]);
    alice.updates(farol, json!({ "city": "Olhão" })).await.is(200);
    // Nobody else owns it now.
    let said = site.is_refused("add", &[ALICE, "--role", "user"]);
    is_last_owner(&said, farol);
    alice.gives(&PROPERTY_USERS, farol, night, "user").await;
    assert_eq!(site.list().len(), 2);
}

fn is_last_owner(said: &str, property: &str) {
    let expected = format!(
        "{ALICE} is the last owner of Casa do Farol. First make somebody else an owner with: latchkey member add \
         {property} EMAIL --role owner"
    );
    assert!(said.contains(&expected), "{said}");
}

#[actix_web::test]
async fn the_host_takes_every_way_from_somebody_and_the_home_goes_to_another_owner() {
    let site = site().await;
    let Site { alice, others: [night], farol, .. } = &site;
    is_last_owner(&site.is_refused("remove", &[ALICE]), farol);
    alice.gives(&PROPERTY_USERS, farol, night, "user").await;
    is_last_owner(&site.is_refused("remove", &[ALICE]), farol);
    assert_eq!(site.list().len(), 3);

    site.says("add", &[NIGHT, "--role", "owner"]);
    let other = alice.has_group("Other").await;
    alice.adds(&other, farol).await.is(200);
    let said = site.says("remove", &[&ALICE.to_uppercase()]);
    let expected = [
        format!("Moved Casa do Farol from a group that only {ALICE} owns to the group User Group of {NIGHT}."),
        format!("Removed Casa do Farol from the group Other, which {ALICE} owns."),
        format!("Removed {ALICE} from Casa do Farol."),
        format!("{ALICE} no longer has access to Casa do Farol."),
    ];
    assert_eq!(said, expected);
    alice.api.get(&at(farol)).await.error("not_found");
    assert_eq!(night.groups_of(farol).await, [night.group().await]);
    let ways = site.list();
    assert_eq!(ways.len(), 2);
    assert_eq!(
        ways[1],
        format!(
            "{NIGHT}\towner\tthrough the group User Group (home)\tsince NOW\tgiven by {NIGHT}\tput there by the host"
        )
    );
    let said = site.is_refused("remove", &[ALICE]);
    assert!(said.contains(&format!("{ALICE} has no access to Casa do Farol.")), "{said}");
    // Her own groups, and what else is in them, are hers as before.
    let lisboa = alice.has(json!({ "title": "Lisboa", "group_id": other })).await;
    alice.api.get(&at(&lisboa)).await.is(200);
}

#[actix_web::test]
async fn the_host_takes_somebody_out_of_groups_of_others() {
    let site = site().await;
    let Site { alice, others: [night], farol, .. } = &site;
    let own = night.group().await;
    let (home, shared) = (alice.group().await, alice.has_group("Shared").await);
    alice.adds(&shared, farol).await.is(200);
    let lisboa = alice.has(json!({ "title": "Lisboa", "group_id": shared })).await;
    alice.gives(&GROUP_USERS, &home, night, "owner").await;
    alice.gives(&GROUP_USERS, &shared, night, "user").await;
    night.adds(&own, farol).await.is(200);
    assert_eq!(site.list().len(), 6);
    let mut said = site.says("remove", &[NIGHT]);
    said.sort();
    // The own group went with the home, on which it rested.
    let mut expected = [
        format!("Removed {NIGHT} from the group User Group, which contains only this property."),
        format!("Removed {NIGHT} from the group Shared, and so from all 2 properties in it."),
        format!("{NIGHT} no longer has access to Casa do Farol."),
    ];
    expected.sort();
    assert_eq!(said, expected);
    for property in [farol, &lisboa] {
        night.api.get(&at(property)).await.error("not_found");
    }
    assert_eq!(alice.groups_of(farol).await.len(), 2);
    assert_eq!(site.list().len(), 3);
    assert_eq!(night.properties_of(&own).await, Vec::<String>::new());
}

#[actix_web::test]
async fn what_is_unknown_is_told_with_a_hint() {
    let site = site().await;
    let stranger = "stranger@farol.example";
    for args in [
        &["member", "list", UNKNOWN_ID][..],
        &["member", "add", UNKNOWN_ID, NIGHT],
        &["member", "remove", UNKNOWN_ID, NIGHT],
    ] {
        let said = site.server.run(args).refused(1);
        let expected = format!("There is no property {UNKNOWN_ID}. The Properties page and the API show the IDs.");
        assert!(said.contains(&expected), "{said}");
    }
    for verb in ["add", "remove"] {
        let said = site.is_refused(verb, &[stranger]);
        let expected = format!("There is no user {stranger}. Add one with: latchkey user add {stranger}");
        assert!(said.contains(&expected), "{said}");
        let said = site.server.run(&["member", verb, &site.farol, "no address"]).refused(2);
        assert!(said.contains("no address"), "{said}");
    }
    assert!(site.server.run(&["member", "list", "x"]).refused(2).contains("PROPERTY_ID"));
    assert!(
        site.server.run(&["member", "add", &site.farol, NIGHT, "--role", "boss"]).refused(2).contains("owner, user")
    );
    assert_eq!(site.list().len(), 2);
}
