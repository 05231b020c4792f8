//! Hotel policies beyond what every collection does (`conformance/`).

use serde_json::{Value, json};

use crate::api::operations::policy;
use crate::room_type::house;

const POLICIES: &str = "/api/v1/hotel_policies";

/// A policy of the property that may differ in these fields.
fn body(property: &str, fields: Value) -> Value {
    let mut body = policy(property);
    body["hotel_policy"].as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

#[actix_web::test]
async fn the_deposit_has_two_names_of_which_the_first_counts() {
    let house = house().await;
    let api = &house.me.api;
    let mut one = body(&house.property, json!({ "refundable_deposit": "20" }));
    one["hotel_policy"].as_object_mut().unwrap().remove("pets_refundable_deposit");
    let both = body(&house.property, json!({ "pets_refundable_deposit": 1000, "refundable_deposit": "20" }));
    for (body, deposit) in [(one, "20.00"), (both, "10.00")] {
        let made = api.post(POLICIES, &body).await.is(201).attributes();
        assert_eq!((&made["pets_refundable_deposit"], &made["refundable_deposit"]), (&json!(deposit), &json!(deposit)));
    }
}

#[actix_web::test]
async fn times_are_written_with_all_their_digits_and_nothing_else() {
    let house = house().await;
    let api = &house.me.api;
    let at = format!("{POLICIES}/{}", api.post(POLICIES, &body(&house.property, json!({}))).await.is(201).id());
    let sent = |time: &str| json!({ "hotel_policy": { "checkin_time": time } });
    for time in ["00:00", "23:59"] {
        assert_eq!(api.put(&at, &sent(time)).await.is(200).attributes()["checkin_time"], time);
    }
    for time in ["24:00", " 1:30", "1: 30", "01: 3", "+1:30", "1:30", "15:00:00"] {
        let details = json!({ "checkin_time": ["has invalid format"] });
        api.put(&at, &sent(time)).await.error_with("validation_error", details);
    }
}

#[actix_web::test]
async fn amounts_stay_the_same_in_major_units_when_the_currency_changes() {
    let house = house().await;
    let api = &house.me.api;
    let fields = json!({ "internet_access_cost": "5.00", "pets_non_refundable_fee": "2.50" });
    let id = api.post(POLICIES, &body(&house.property, fields)).await.is(201).id();
    let at = format!("{POLICIES}/{id}");
    let yen = json!({ "hotel_policy": { "currency": "JPY" } });
    api.put(&at, &yen).await.error_with("validation_error", json!({ "pets_non_refundable_fee": ["is invalid"] }));
    let yen = json!({ "hotel_policy": { "currency": "JPY", "pets_non_refundable_fee": 300 } });
    let updated = api.put(&at, &yen).await.is(200).attributes();
    assert_eq!((&updated["internet_access_cost"], &updated["pets_non_refundable_fee"]), (&json!("5"), &json!("300")));
    assert_eq!(api.get(&at).await.is(200).attributes(), updated);
}

#[actix_web::test]
async fn a_policy_without_property_is_its_user_s_alone() {
    let house = house().await;
    let (me, api) = (&house.me, &house.me.api);
    let other = house.server.person("owner@aurora.example").await;
    let mut own = body(&house.property, json!({ "title": "All houses" }));
    own["hotel_policy"].as_object_mut().unwrap().remove("property_id");
    let made = api.post(POLICIES, &own).await.is(201).data();
    assert_eq!(made["relationships"], json!({ "property": { "data": null } }));
    let at = format!("{POLICIES}/{}", made["id"].as_str().unwrap());
    api.post(POLICIES, &body(&house.property, json!({}))).await.is(201);
    assert_eq!(api.get(POLICIES).await.is(200).column("title"), ["All houses", "House rules"]);
    assert_eq!(api.get(&format!("{POLICIES}?filter[property_id]=")).await.is(200).column("title"), ["All houses"]);

    other.api.get(&at).await.error("not_found");
    other.api.put(&at, &json!({ "hotel_policy": { "title": "Mine" } })).await.error("resource_not_found");
    assert_eq!(other.api.get(POLICIES).await.is(200).data(), json!([]));

    let limited = house.server.with_key(&me.browser.create_key_for(&house.property).await);
    limited.get(&at).await.error("not_found");
    assert_eq!(limited.get(POLICIES).await.is(200).column("title"), ["House rules"]);
    let details = json!(["the API key is limited to chosen properties"]);
    limited.post(POLICIES, &own).await.error_with("forbidden", details);

    assert_eq!(api.put(&at, &json!({ "hotel_policy": { "title": "Neu" } })).await.is(200).attributes()["title"], "Neu");
    api.delete(&at).await.is(200);
    api.get(&at).await.error("not_found");
}
