//! Deletes of what is large go in several transactions: in the end all of it is gone, and what derives from it is right,
//! also where the server is killed in between.

use actix_web::rt::spawn;
use serde_json::{Value, json};

use crate::client::Client;
use crate::host::Host;
use crate::people::Person;
use crate::property::{at, body};
use crate::rate_plan::{RATE_PLANS, rate_plan_at};
use crate::room_type::{ROOM_TYPES, room_type_at, room_type_body};
use crate::server::Server;

/// A property with two room types.
struct Rooms {
    property: String,
    one: String,
    other: String,
}

impl Rooms {
    async fn of(me: &Person) -> Self {
        let property = me.has(json!({})).await;
        let room = async || me.api.post(ROOM_TYPES, &room_type_body(&property, json!({}))).await.is(201).id();
        let (one, other) = (room().await, room().await);
        Rooms { property, one, other }
    }

    /// A rate plan; one with a parent derives its price from it by a rule.
    async fn plan(&self, me: &Person, room_type: &str, title: &str, parent: Option<&str>, rules: Value) -> String {
        let option =
            json!({ "occupancy": 2, "is_primary": true, "rate": "100.00", "derived_option": { "rate": rules } });
        let mut plan = json!({
            "title": title, "property_id": self.property, "room_type_id": room_type, "options": [option]
        });
        if let Some(parent) = parent {
            plan["parent_rate_plan_id"] = parent.into();
            plan["rate_mode"] = "derived".into();
        }
        me.api.post(RATE_PLANS, &json!({ "rate_plan": plan })).await.is(201).id()
    }
}

fn plus(amount: usize) -> Value {
    json!([["increase_by_amount", format!("{amount}.00")]])
}

async fn attributes(api: &Client, plan: &str) -> Value {
    api.get(&rate_plan_at(plan)).await.is(200).attributes()
}

#[actix_web::test]
async fn more_plans_than_one_transaction_takes_become_independent_each_at_its_price() {
    let server = Server::start().await;
    let me = server.person("desk@farol.example").await;
    let rooms = Rooms::of(&me).await;
    let root = rooms.plan(&me, &rooms.one, "Root", None, json!([])).await;
    let going = rooms.plan(&me, &rooms.one, "Going", Some(&root), plus(5)).await;
    let mut children = Vec::new();
    for number in 0..120 {
        let room_type = if number % 2 == 0 { &rooms.one } else { &rooms.other };
        children.push(rooms.plan(&me, room_type, &format!("Child {number}"), Some(&going), plus(number)).await);
    }
    let grandchild = rooms.plan(&me, &rooms.one, "Grandchild", Some(&children[7]), plus(1)).await;
    me.api.delete(&rate_plan_at(&going)).await.is(200);
    me.api.get(&rate_plan_at(&going)).await.is(404);
    for (number, child) in children.iter().enumerate() {
        let child = attributes(&me.api, child).await;
        assert_eq!(child["options"][0]["rate"], format!("{}.00", 105 + number), "{child}");
        assert_eq!((&child["parent_rate_plan_id"], &child["rate_mode"]), (&json!(null), &json!("manual")), "{child}");
    }
    assert_eq!(attributes(&me.api, &grandchild).await["parent_rate_plan_id"], *children[7]);
    assert_eq!(attributes(&me.api, &root).await["options"][0]["rate"], "100.00");
}

#[actix_web::test]
async fn a_room_type_takes_a_long_line_of_plans_along_and_leaves_those_of_others_at_their_prices() {
    let server = Server::start().await;
    let me = server.person("desk@farol.example").await;
    let rooms = Rooms::of(&me).await;
    // A line of plans, longer than one read prices and one transaction deletes, that goes through both room types.
    let mut line = vec![rooms.plan(&me, &rooms.one, "Plan 0", None, json!([])).await];
    let mut stay = Vec::new();
    for number in 1..130 {
        let stays = number % 13 == 0;
        let room_type = if stays { &rooms.other } else { &rooms.one };
        let plan = rooms.plan(&me, room_type, &format!("Plan {number}"), line.last().map(|id| &**id), plus(1)).await;
        if stays {
            stay.push((plan.clone(), number));
        }
        line.push(plan);
    }
    me.api.delete(&room_type_at(&rooms.one)).await.is(200);
    me.api.get(&room_type_at(&rooms.one)).await.is(404);
    for (plan, number) in stay {
        let plan = attributes(&me.api, &plan).await;
        assert_eq!(plan["options"][0]["rate"], format!("{}.00", 100 + number), "{plan}");
        assert_eq!(plan["rate_mode"], "manual", "{plan}");
    }
    assert_eq!(server.texts("select cast(count(*) as text) from rate_plans").await, ["9"]);
}

#[actix_web::test]
async fn a_property_that_is_large_goes_as_a_whole() {
    let server = Server::start().await;
    let me = server.person("desk@farol.example").await;
    let kept = Rooms::of(&me).await;
    kept.plan(&me, &kept.one, "Kept", None, json!([])).await;
    let rooms = Rooms::of(&me).await;
    let photos: Vec<Value> = (0..100).map(|n| json!({ "url": format!("https://img.farol.example/{n}.jpg") })).collect();
    me.updates(&rooms.property, json!({ "content": { "photos": photos } })).await.is(200);
    for _ in 0..60 {
        let fields = json!({ "content": { "photos": &photos[..20] } });
        me.api.post(ROOM_TYPES, &room_type_body(&rooms.property, fields)).await.is(201);
    }
    let mut parent = rooms.plan(&me, &rooms.one, "Plan", None, json!([])).await;
    for number in 0..70 {
        parent = rooms.plan(&me, &rooms.other, &format!("Plan {number}"), Some(&parent), plus(1)).await;
    }
    me.api.delete(&at(&rooms.property)).await.is(200);
    me.api.get(&at(&rooms.property)).await.is(404);
    for (table, rows) in [
        ("properties", "1"),
        ("room_types", "2"),
        ("rate_plans", "1"),
        ("photos", "0"),
        ("property_users", "1"),
        ("group_properties", "1"),
    ] {
        let found = server.texts(&format!("select cast(count(*) as text) from {table}")).await;
        assert_eq!(found, [rows], "{table}");
    }
}

#[actix_web::test]
async fn killed_in_between_a_delete_leaves_what_is_right_and_can_be_sent_again() {
    let host = Host::new().await;
    let mut server = host.serve(&[]);
    let me = server.person("desk@farol.example").await;
    let rooms = Rooms::of(&me).await;
    let going = rooms.plan(&me, &rooms.one, "Going", None, json!([])).await;
    for number in 0..250 {
        rooms.plan(&me, &rooms.other, &format!("Child {number}"), Some(&going), plus(number)).await;
    }
    let children = "select cast(count(*) as text) from rate_plans where rate_mode = 'derived'";
    let delete = spawn(server.with_key(&me.key).delete(&rate_plan_at(&going)).answer());
    // As soon as some of it is done, or all of it where that is quicker than the look.
    while host.texts(children).await == ["250"] {}
    server.signal("KILL");
    let _ = server.ended();
    let _ = delete.await;
    server = host.serve(&[]);
    let api = server.with_key(&me.key);
    let left: usize = host.texts(children).await[0].parse().expect("a number");
    let there = api.get(&rate_plan_at(&going)).await.status;
    assert!(there == 200 || there == 404 && left == 0, "{there} {left}");
    if there == 200 {
        api.delete(&rate_plan_at(&going)).await.is(200);
    }
    let mut seen = 0;
    for page in 1..=3 {
        let path = format!("{RATE_PLANS}?pagination[limit]=100&pagination[page]={page}");
        for plan in api.get(&path).await.is(200).data().as_array().expect("a list") {
            let plan = &plan["attributes"];
            let number = plan["title"].as_str().and_then(|title| title.strip_prefix("Child ")).expect("a child");
            let price = 100 + number.parse::<usize>().expect("a number");
            assert_eq!(plan["options"][0]["rate"], format!("{price}.00"), "{plan}");
            assert_eq!(plan["rate_mode"], "manual", "{plan}");
            seen += 1;
        }
    }
    assert_eq!(seen, 250);
    api.post(crate::property::PROPERTIES, &body(json!({}))).await.is(201);
}
