//! Requests that are made to cost much: each is answered, those who ask beside it are served, and the server takes no more
//! memory than one request may. How long others wait is measured by `cargo bench --bench speed -- --attacks`.

use std::cell::Cell;

use serde_json::{Value, json};

use crate::client::Call;
use crate::memory::{has_grown_little, peak};
use crate::people::{Person, world};
use crate::property::{PROPERTIES, at, body};
use crate::rate_plan::{RATE_PLANS, rate_plan_at, rates};
use crate::response::Response;
use crate::room_type::{ROOM_TYPES, room_type_at, room_type_body};
use crate::server::Server;

/// A server, whoever attacks it, and a quiet user.
struct Attacked {
    server: Server,
    me: Person,
    quiet: Person,
    theirs: String,
}

impl Attacked {
    async fn new() -> Self {
        let (server, me) = world().await;
        let quiet = server.person("quiet@farol.example").await;
        let theirs = quiet.has(json!({})).await;
        Self { server, me, quiet, theirs }
    }

    /// Sends an attack while the quiet user reads and writes; its answer.
    async fn attack(&self, what: &str, call: Call) -> Response {
        let before = peak(&self.server);
        let over = Cell::new(false);
        let beside = async {
            let mut rounds = 0;
            while !over.get() || rounds < 2 {
                self.quiet.api.get(PROPERTIES).await.is(200);
                self.quiet.updates(&self.theirs, json!({ "city": format!("Faro {rounds}") })).await.is(200);
                rounds += 1;
            }
        };
        let answer = async {
            let answer = call.await;
            over.set(true);
            answer
        };
        let (answer, ()) =
            actix_web::rt::time::timeout(crate::program::PATIENCE, async { tokio::join!(answer, beside) })
                .await
                .expect(what);
        assert!(answer.status < 500, "{what}: {answer}");
        has_grown_little(&self.server, before, what);
        answer
    }

    async fn get(&self, what: &str, path: &str) -> Response {
        self.attack(what, self.me.api.get(path)).await
    }

    async fn room_type(&self, property: &str) -> String {
        self.me.api.post(ROOM_TYPES, &room_type_body(property, json!({}))).await.is(201).id()
    }
}

/// Rules of which each makes the price some thirty digits longer.
fn percentages(count: usize) -> Vec<Value> {
    let up = |n: usize| json!(["increase_by_percent", format!("0.{:010}", 1_234_567_891 + n)]);
    (0..count).map(up).collect()
}

fn plan(property: &str, room_type: &str, title: &str, parent: Option<&str>, rules: &[Value]) -> Value {
    let option = json!({ "occupancy": 2, "is_primary": true, "rate": "80.00", "derived_option": { "rate": rules } });
    let mut plan = json!({ "title": title, "property_id": property, "room_type_id": room_type, "options": [option] });
    if let Some(parent) = parent {
        plan["parent_rate_plan_id"] = parent.into();
        plan["rate_mode"] = "derived".into();
    }
    json!({ "rate_plan": plan })
}

#[actix_web::test]
async fn plans_with_as_many_percentages_as_there_may_be_are_made_independent_beside_others() {
    let site = Attacked::new().await;
    let property = site.me.has(json!({})).await;
    let room_type = site.room_type(&property).await;
    let make = async |title: &str, parent: Option<&str>, rules: &[Value]| {
        site.me.api.post(RATE_PLANS, &plan(&property, &room_type, title, parent, rules)).await.is(201).id()
    };
    let mut parent = make("Parent", None, &[]).await;
    let long = percentages(1_000);
    let mut children = Vec::new();
    for number in 0..10 {
        children.push(make(&format!("Child {number}"), Some(&parent), &long).await);
    }
    // A price that lies exactly between two, and is known to do so by hundreds of digits alone: 0.02 · 2^-400 · 2^398.
    let halves = (0..400).map(|_| json!(["decrease_by_percent", "50"]));
    let rules: Vec<Value> = halves.chain((0..398).map(|_| json!(["increase_by_percent", "100"]))).collect();
    let edge = make("Edge", Some(&parent), &rules).await;
    let mut prices = Vec::new();
    for round in 0..3 {
        let what = format!("the parent of ten plans, round {round}");
        site.attack(&what, site.me.api.delete(&rate_plan_at(&parent))).await.is(200);
        let mut now = Vec::new();
        for child in &children {
            let child = site.me.api.get(&rate_plan_at(child)).await.is(200).attributes();
            assert_eq!((&child["rate_mode"], &child["parent_rate_plan_id"]), (&json!("manual"), &json!(null)));
            now.extend(rates(&child));
        }
        assert!(now.windows(2).all(|pair| pair[0] == pair[1]) && now[0] != "80.00", "{now:?}");
        prices.push(now[0].clone());
        assert_eq!(rates(&site.me.api.get(&rate_plan_at(&edge)).await.is(200).attributes()), ["20.00"], "80 / 2^2");
        // Hung on again by a few bytes.
        parent = make(&format!("Parent {round}"), None, &[]).await;
        for child in children.iter().chain([&edge]) {
            let again =
                json!({ "rate_plan": { "parent_rate_plan_id": parent, "rate_mode": "derived", "inherit_rate": true } });
            site.me.api.put(&rate_plan_at(child), &again).await.is(200);
        }
    }
    assert!(prices.windows(2).all(|pair| pair[0] == pair[1]), "{prices:?}");
    site.attack("the room type of all of them", site.me.api.delete(&room_type_at(&room_type))).await.is(200);
    site.attack("the property", site.me.api.delete(&at(&property))).await.is(200);
}

#[actix_web::test]
async fn photos_in_numbers_are_written_beside_others() {
    let site = Attacked::new().await;
    let photo = |n: usize| json!({ "url": format!("https://img.farol.example/{n}"), "description": "d".repeat(250) });
    let photos: Vec<Value> = (0..100).map(photo).collect();
    let property = site.me.has(json!({ "content": { "photos": photos } })).await;
    let there = site.me.reads(&property).await["content"]["photos"].clone();
    let there = there.as_array().expect("photos");
    let put = |photos: Vec<Value>| {
        site.me.api.put(&at(&property), &json!({ "property": { "content": { "photos": photos } } }))
    };
    // One named a thousand times.
    let again = json!({ "id": there[0]["id"], "author": "Rita" });
    site.attack("one photo a thousand times", put(vec![again; 1_000])).await;
    let swapped = there.iter().rev().enumerate().map(|(place, photo)| json!({ "id": photo["id"], "position": place }));
    site.attack("all photos turned round", put(swapped.collect())).await.is(200);
    let without = there.iter().map(|photo| json!({ "id": photo["id"], "position": null })).collect();
    site.attack("all photos without a place", put(without)).await.is(200);
    let removed = there.iter().map(|photo| json!({ "id": photo["id"], "is_removed": true })).collect();
    site.attack("all photos removed", put(removed)).await.is(200);
    assert_eq!(site.me.reads(&property).await["content"]["photos"], json!([]));
}

#[actix_web::test]
async fn filters_orders_and_searches_of_all_shapes_leave_no_memory_behind() {
    let site = Attacked::new().await;
    let property = site.me.has(json!({ "title": "Casa do Farol" })).await;
    let before = peak(&site.server);
    for count in (1..240).step_by(4) {
        let commas = ",".repeat(count);
        let all = ["title", "currency", "country", "city"].map(|field| format!("filter[{field}]={commas}")).join("&");
        site.me.api.get(&format!("{PROPERTIES}?{all}")).await.is(200);
        let not =
            ["title", "currency", "country", "city"].map(|field| format!("filter[{field}][not]=x{commas}")).join("&");
        site.me.api.get(&format!("{PROPERTIES}?{not}&order[city]=desc&order[title]=asc")).await.is(200);
        let names: Vec<String> = (0..count).map(|n| format!("{}", n * count)).collect();
        let path = format!("{PROPERTIES}?filter[title]={},Casa%20do%20Farol&filter[id]={property},x", names.join(","));
        assert_eq!(site.me.api.get(&path).await.is(200).column("id"), [&*property]);
        let mut fields =
            ["id", "title", "email", "phone", "currency", "country", "state", "city", "address", "zip_code"];
        fields.rotate_left(count % 10);
        fields[1..].rotate_left(count % 9);
        let orders =
            fields.map(|field| format!("order[{field}]={}", if count % 2 == 0 { "asc" } else { "desc" })).join("&");
        site.me.api.get(&format!("{PROPERTIES}?{orders}")).await.is(200);
    }
    has_grown_little(&site.server, before, "filters and orders of changing shapes");
    let commas = ",".repeat(249);
    let four = ["title", "currency", "country", "city"].map(|field| format!("filter[{field}]={commas}")).join("&");
    site.get("four filters with 250 entries each", &format!("{PROPERTIES}?{four}")).await.is(200);
    let ids = vec![&*property; 200].join(",");
    site.get("one id many times", &format!("{PROPERTIES}?filter[id]={ids}")).await.is(200);
    site.get("tags", PROPERTIES).await.is(200);
    let tags = vec!["\"00000000000000000000000000000000\""; 200].join(", ");
    site.attack("many tags", site.me.api.get(PROPERTIES).header("if-none-match", tags)).await.is(200);

    let search = |text: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", text).finish();
        site.me.browser.get(&format!("/properties?{query}"))
    };
    for (what, text) in [
        ("a character that becomes four words, 511 times", "\u{fdfa}".repeat(511)),
        ("one that becomes two", "\u{fdfb}".repeat(511)),
        ("words of one character", "x\u{a8}".repeat(255)),
        (
            "more words than are looked for",
            (0..256).map(|n| format!("{} ", char::from_u32(0x4e00 + n).unwrap())).collect(),
        ),
        ("signs that mean something in patterns", "%_!".repeat(170)),
    ] {
        let page = site.attack(what, search(&text)).await.is(200);
        assert!(!page.text().contains("Casa do Farol"), "{what}");
    }
    let many = format!("{} farol", "casa ".repeat(80));
    let page = site.attack("the same words again and again", search(&many)).await.is(200);
    assert!(page.text().contains("Casa do Farol"), "{many}");
}

#[actix_web::test]
async fn odd_bodies_are_refused_beside_others() {
    let site = Attacked::new().await;
    let property = site.me.has(json!({})).await;
    let sends = |text: String| site.me.api.post(PROPERTIES, &json!({})).body(text);
    const MANY: usize = 10 * 1024 * 1024 - 200;
    for (what, text) in [
        ("objects in a list", format!("{{\"property\":{{\"x\":[{}]}}}}", vec!["{\"\":1}"; MANY / 7].join(","))),
        ("an object with names in numbers", format!("{{\"property\":{{{}}}}}", vec!["\"\":1"; MANY / 5].join(","))),
        ("empty texts", format!("{{\"property\":{{\"facilities\":[{}]}}}}", vec!["\"\""; MANY / 3].join(","))),
        ("a photo's address of 10 MiB", {
            let photo = json!({ "url": format!("https://img.farol.example/{}", "a".repeat(MANY - 100)) });
            body(json!({ "content": { "photos": [photo] } })).to_string()
        }),
        (
            "a logo's address of 10 MiB",
            body(json!({ "logo_url": format!("https://{}.example", "a.".repeat(MANY / 2 - 50)) })).to_string(),
        ),
        ("a title of 10 MiB", body(json!({ "title": "a".repeat(MANY) })).to_string()),
        ("an address of 10 MiB", body(json!({ "email": format!("{}@b.example", "a".repeat(MANY)) })).to_string()),
        ("a name of 10 MiB", format!("{{\"property\":{{\"{}\":1}}}}", "a".repeat(MANY))),
        ("lists in lists", format!("{{\"property\":{}{}}}", "[".repeat(MANY / 2), "]".repeat(MANY / 2))),
        ("a number of 10 MiB", format!("{{\"property\":{{\"latitude\":{}}}}}", "1".repeat(MANY))),
        ("characters that are escaped", format!("{{\"property\":{{\"title\":\"{}\"}}}}", "\\u0041".repeat(MANY / 6))),
        ("white space", format!("{{\"property\":{}{{}}}}", " ".repeat(MANY))),
    ] {
        let answer = site.attack(what, sends(text)).await;
        assert!(matches!(answer.status, 400 | 413 | 422), "{what}: {answer}");
    }
    let exponent =
        room_type_body(&property, json!({ "count_of_rooms": 1 })).to_string().replace(":1,", ":1e999999999,");
    let answer = site.attack("an exponent", site.me.api.post(ROOM_TYPES, &json!({})).body(exponent)).await;
    assert!(matches!(answer.status, 400 | 422), "{answer}");
    let known = site.me.api.get("/api/v1/property_facilities/options").await.is(200).column("id");
    let facilities: Vec<&String> = known.iter().cycle().take(15_000).collect();
    site.attack(
        "facilities again and again",
        site.me.api.put(&at(&property), &json!({ "property": { "facilities": facilities } })),
    )
    .await
    .is(200);
    let room_type = site.room_type(&property).await;
    let options: Vec<Value> = (1..=900)
        .map(|occupancy| {
            let rules = [["increase_by_percent", "0.0000000001"]; 2];
            json!({ "occupancy": occupancy, "is_primary": occupancy == 1, "rate": "10.00", "derived_option": { "rate": rules } })
        })
        .collect();
    let mut many = plan(&property, &room_type, "Many", None, &[]);
    many["rate_plan"]["options"] = json!(options);
    let id = site.attack("900 options", site.me.api.post(RATE_PLANS, &many)).await.is(201).id();
    let mut child = plan(&property, &room_type, "Child", Some(&id), &[]);
    child["rate_plan"]["options"] = json!(options);
    child["rate_plan"]["rate_mode"] = "cascade".into();
    site.me.api.post(RATE_PLANS, &child).await.is(201);
    site.attack("900 options that derive from 900", site.me.api.delete(&rate_plan_at(&id))).await.is(200);
}
