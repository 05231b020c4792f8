//! No response shows what was before a write: whoever wrote it, by the API, a page or a command, and at whatever process
//! one asks. A response from memory is told from a new one by asking for the same under an address not asked for before.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::access::{GROUP_USERS, PROPERTY_USERS, part};
use crate::api::operations::{tax, tax_set};
use crate::instances::Instances;
use crate::people::Person;
use crate::property::{GROUPS, OPTIONS, PROPERTIES, at, body, group_at};
use crate::rate_plan::{RATE_PLANS, option, rate_plan_at};
use crate::room_type::{ROOM_TYPES, room_type_at, room_type_body};

/// Two people, asked for as each process sees them, and everything of theirs that can be read.
struct Readers {
    instances: Rc<Instances>,
    me: Person,
    guest: Person,
    addresses: Vec<String>,
    asked: Cell<usize>,
}

impl Readers {
    async fn new() -> Self {
        let instances = Instances::start().await;
        let me = instances.first().person("desk@farol.example").await;
        let guest = instances.first().person("night@farol.example").await;
        let lists = ["me", "properties/options", "room_types/options", "rate_plans/options", "room_facilities"];
        let collections = [
            "properties",
            "groups",
            "property_users",
            "group_users",
            "room_types",
            "rate_plans",
            "taxes",
            "tax_sets",
            "hotel_policies",
            "photos",
        ];
        let plain = lists.iter().chain(&collections).map(|path| format!("/api/v1/{path}"));
        let ordered = collections.iter().map(|path| format!("/api/v1/{path}?order[id]=desc&pagination[limit]=3"));
        let addresses = plain.chain(ordered).collect();
        Self { instances, me, guest, addresses, asked: Cell::new(0) }
    }

    /// Reads everything as both people from all processes; each response is the one to an address not asked for before.
    async fn see_all(&self, after: &str) {
        for person in [&self.me, &self.guest] {
            for address in &self.addresses {
                self.asked.set(self.asked.get() + 1);
                let sign = if address.contains('?') { '&' } else { '?' };
                let other = format!("{address}{sign}asked={}", self.asked.get());
                let first = self.instances.first().with_key(&person.key);
                let (new, kept) = (first.get(&other).await, first.get(address).await);
                assert_eq!(kept.text(), new.text(), "{address} of {} after: {after}", person.user.email);
                assert_eq!(kept.header("etag"), new.header("etag"), "{address} after: {after}");
                let status = if new.status == 200 { 304 } else { new.status };
                for server in &self.instances.servers {
                    let known = server.with_key(&person.key).get(address);
                    let known = known.header("if-none-match", new.header("etag").unwrap_or("-")).await;
                    assert_eq!(known.status, status, "{address} after: {after}");
                }
            }
        }
    }

    async fn reads(&mut self, address: String) {
        self.addresses.push(address);
        self.see_all("nothing").await;
    }

    async fn posts(&self, path: &str, body: &Value) -> String {
        let id = self.me.api.post(path, body).await.is(201).id();
        self.see_all(&format!("POST {path}")).await;
        id
    }

    async fn puts(&self, path: &str, body: &Value) {
        self.me.api.put(path, body).await.is(200);
        self.see_all(&format!("PUT {path} {body}")).await;
    }

    async fn deletes(&self, path: &str) {
        self.me.api.delete(path).await.is(200);
        self.see_all(&format!("DELETE {path}")).await;
    }

    async fn commands(&self, args: &[&str]) {
        self.instances.command(args).await;
        self.see_all(&args.join(" ")).await;
    }
}

#[actix_web::test]
async fn after_a_write_of_any_kind_everybody_sees_what_is_there_now() {
    let mut all = Readers::new().await;
    let (mine, theirs) = (all.me.user.email.clone(), all.guest.user.email.clone());
    let property = all.posts(PROPERTIES, &body(json!({}))).await;
    all.reads(at(&property)).await;
    all.reads(format!("{OPTIONS}?filter[title]=Casa%20do%20Farol")).await;
    all.puts(&at(&property), &json!({ "property": { "title": "Casa da Praia", "is_active": false } })).await;
    let group = all.posts(GROUPS, &json!({ "group": { "title": "Algarve houses" } })).await;
    all.reads(group_at(&group)).await;
    all.puts(&group_at(&group), &json!({ "group": { "title": "Houses by the sea" } })).await;
    all.me.api.post(&part(&group, &property), &json!({})).await.is(200);
    all.see_all("a property was put into a group").await;

    let room = all.posts(ROOM_TYPES, &room_type_body(&property, json!({}))).await;
    all.reads(room_type_at(&room)).await;
    all.puts(&room_type_at(&room), &json!({ "room_type": { "title": "Attic" } })).await;
    let plan = json!({ "rate_plan": { "property_id": property, "room_type_id": room, "title": "Best",
        "options": [option(2, "100.00")] } });
    let plan = all.posts(RATE_PLANS, &plan).await;
    all.reads(rate_plan_at(&plan)).await;
    all.puts(&rate_plan_at(&plan), &json!({ "rate_plan": { "options": [option(2, "90.00")] } })).await;
    let vat = all.posts("/api/v1/taxes", &tax(&property)).await;
    let set = all.posts("/api/v1/tax_sets", &tax_set(&property, &vat)).await;
    all.puts(&format!("/api/v1/taxes/{vat}"), &json!({ "tax": { "title": "City tax" } })).await;
    let photo = json!({ "photo": { "property_id": property, "url": "https://farol.example/1.jpg" } });
    let photo = all.posts("/api/v1/photos", &photo).await;
    all.puts(&format!("/api/v1/photos/{photo}"), &json!({ "photo": { "description": "Balcony" } })).await;
    all.deletes(&format!("/api/v1/photos/{photo}")).await;

    let invitation = PROPERTY_USERS.invitation(&property, &theirs, "user");
    let link = all.posts(PROPERTY_USERS.path, &invitation).await;
    all.puts(&PROPERTY_USERS.at(&link), &PROPERTY_USERS.change(json!({ "role": "owner" }))).await;
    all.commands(&["member", "add", &property, &theirs, "--role", "user"]).await;
    all.commands(&["member", "remove", &property, &theirs]).await;
    let link = all.posts(GROUP_USERS.path, &GROUP_USERS.invitation(&group, &theirs, "owner")).await;
    let profile = [("name", "Rita of the desk"), ("time_zone", "Europe/Lisbon")];
    all.me.browser.post_form("/user_profile", &profile).await.is(303);
    all.see_all("a name was changed on a page").await;
    all.commands(&["subscription", "cancel", &mine]).await;
    all.commands(&["subscription", "activate", &mine]).await;
    all.commands(&["user", "deactivate", &theirs]).await;
    all.commands(&["user", "activate", &theirs]).await;
    all.deletes(&GROUP_USERS.at(&link)).await;

    all.deletes(&format!("/api/v1/tax_sets/{set}")).await;
    all.deletes(&rate_plan_at(&plan)).await;
    all.deletes(&room_type_at(&room)).await;
    all.deletes(&part(&group, &property)).await;
    all.deletes(&group_at(&group)).await;
    all.deletes(&at(&property)).await;
}
