//! Taxes beyond what every collection does (`conformance.rs`).

use serde_json::{Value, json};

use crate::room_type::{House, house};

const TAXES: &str = "/api/v1/taxes";

/// A body of a tax of 6 percent that may differ in these fields.
fn tax(house: &House, fields: Value) -> Value {
    let mut tax = json!({
        "property_id": house.property, "title": "VAT 6", "logic": "percent", "type": "tax", "rate": "6",
        "is_inclusive": true
    });
    tax.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({ "tax": tax })
}

#[actix_web::test]
async fn a_rate_is_a_percentage_or_an_amount() {
    let house = house().await;
    let api = &house.me.api;
    for (fields, rate) in [
        (json!({ "rate": 2100 }), json!("21.00")),
        (json!({ "rate": "8.875" }), json!("8.875")),
        (json!({ "rate": "1.5", "logic": "per_night", "currency": "eur" }), json!("1.50")),
        (json!({ "rate": 300, "logic": "per_booking", "currency": "JPY", "type": "city_tax" }), json!("300")),
    ] {
        let created = api.post(TAXES, &tax(&house, fields)).await.is(201).attributes();
        assert_eq!(created["rate"], rate, "{created}");
        assert!(["tax", "city tax"].iter().any(|word| created["type"] == *word), "{created}");
    }
    for (fields, details) in [
        (json!({ "rate": "100.01" }), json!({ "rate": ["must be less than or equal to 100"] })),
        (json!({ "rate": "-1" }), json!({ "rate": ["must be greater than or equal to 0"] })),
        (json!({ "logic": "per_night" }), json!({ "currency": ["can't be blank"] })),
        (json!({ "logic": "per_night", "currency": "JPY", "rate": "0.5" }), json!({ "rate": ["is invalid"] })),
    ] {
        api.post(TAXES, &tax(&house, fields)).await.error_with("validation_error", details);
    }
    let id = api.post(TAXES, &tax(&house, json!({}))).await.is(201).id();
    let update = json!({ "tax": { "logic": "per_room", "currency": "EUR" } });
    let updated = api.put(&format!("{TAXES}/{id}"), &update).await.is(200).attributes();
    assert_eq!(updated["rate"], "6.00");
}
