//! Taxes and tax sets beyond what every collection does (`conformance/`).

use serde_json::{Value, json};

use crate::room_type::{House, house};

const TAXES: &str = "/api/v1/taxes";
const TAX_SETS: &str = "/api/v1/tax_sets";

/// A body of a tax of 6 percent that may differ in these fields.
fn tax(house: &House, fields: Value) -> Value {
    let mut tax = json!({
        "property_id": house.property, "title": "VAT 6", "logic": "percent", "type": "tax", "rate": "6",
        "is_inclusive": true
    });
    tax.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({ "tax": tax })
}

fn set(house: &House, taxes: Value) -> Value {
    json!({ "tax_set": { "property_id": house.property, "title": "Standard", "currency": "EUR", "taxes": taxes } })
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

#[actix_web::test]
async fn days_are_written_with_all_their_digits_and_nothing_else() {
    let house = house().await;
    let api = &house.me.api;
    let made = api.post(TAXES, &tax(&house, json!({ "applicable_after": "2028-02-29" }))).await.is(201).attributes();
    assert_eq!(made["applicable_after"], "2028-02-29");
    for day in ["2027-02-29", "2026- 1- 1", "+2026-1-01", " 2026-1-01", "2026-01-1 ", "2026-1-1", "20260101"] {
        let refused = api.post(TAXES, &tax(&house, json!({ "applicable_after": day }))).await;
        refused.error_with("validation_error", json!({ "applicable_after": ["is invalid"] }));
    }
}

#[actix_web::test]
async fn a_set_shows_its_taxes_as_they_are_and_taxes_on_them() {
    let house = house().await;
    let api = &house.me.api;
    let vat = api.post(TAXES, &tax(&house, json!({}))).await.is(201).data();
    let city = api.post(TAXES, &tax(&house, json!({ "title": "City" }))).await.is(201).data();
    let taxes = json!([
        { "id": vat["id"], "taxes": [{ "id": city["id"], "taxes": null }] },
        { "id": city["id"], "taxes": null }
    ]);
    let made = api.post(TAX_SETS, &set(&house, taxes)).await.is(201).data();
    let shown = |tax: &Value, taxes: Value| {
        let mut shown = tax["attributes"].clone();
        shown["taxes"] = taxes;
        shown
    };
    let expected = json!([shown(&vat, json!([shown(&city, json!([]))])), shown(&city, json!([]))]);
    assert_eq!(made["attributes"]["taxes"], expected);
    let at = format!("{TAX_SETS}/{}", made["id"].as_str().unwrap());
    assert_eq!(api.get(&at).await.is(200).data(), made);

    let update = json!({ "tax": { "title": "VAT" } });
    api.put(&format!("{TAXES}/{}", vat["id"].as_str().unwrap()), &update).await.is(200);
    assert_eq!(api.get(&at).await.is(200).attributes()["taxes"][0]["title"], "VAT");
    api.delete(&format!("{TAXES}/{}", city["id"].as_str().unwrap())).await.is(200);
    let rest = api.get(TAX_SETS).await.is(200).data();
    assert_eq!(rest[0]["attributes"]["taxes"].as_array().map(Vec::len), Some(1), "{rest}");
    assert_eq!(rest[0]["attributes"]["taxes"][0]["taxes"], json!([]));

    // The path and the top key of the original's example.
    let odd = at.replace("/tax_sets/", "/tax_set/");
    assert_eq!(api.put(&odd, &json!({ "tax": { "title": "Neu" } })).await.is(200).attributes()["title"], "Neu");
}

#[actix_web::test]
async fn a_set_has_taxes_of_its_property_alone_on_two_levels_and_a_hundred_at_most() {
    let house = house().await;
    let api = &house.me.api;
    let second = house.me.has(json!({ "title": "Pensão Aurora" })).await;
    let id = api.post(TAXES, &tax(&house, json!({}))).await.is(201).id();
    let other = api.post(TAXES, &tax(&house, json!({ "property_id": second }))).await.is(201).id();
    let deep = json!([{ "id": id, "taxes": [{ "id": id, "taxes": [{ "id": id }] }] }]);
    for (taxes, message) in [
        (json!([]), "can't be blank"),
        (json!([{ "id": other }]), "0.id does not exist"),
        (json!([{ "id": id }, { "id": id, "taxes": [{ "id": other }] }]), "1.taxes does not exist"),
        (deep, "0.taxes 0.taxes is invalid"),
        (Value::from(vec![json!({ "id": id }); 101]), "should have at most 100 item(s)"),
    ] {
        let refused = api.post(TAX_SETS, &set(&house, taxes)).await;
        refused.error_with("validation_error", json!({ "taxes": [message] }));
    }
    api.post(TAX_SETS, &set(&house, Value::from(vec![json!({ "id": id }); 100]))).await.is(201);
}
