//! The demo's hotels, and how their rooms are sold.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    base::{
        clock::Moment,
        error::{Problems, Result},
        ids::{PropertyId, RatePlanId, RoomTypeId},
    },
    db::Tx,
    hotel::{
        rate_plans::{RatePlan, rules},
        room_types::RoomType,
    },
    resource::{
        collection::{self, Stored},
        store,
        validate::Operation,
    },
};

/// Two room types, each with a flexible rate plan and one for breakfast that derives from it.
pub async fn furnish(tx: &mut Tx, property: PropertyId, currency: &str, from: u32, now: Moment) -> Result<()> {
    for (title, adults, children, rooms, price) in [("Double", 2, 1, 8, from), ("Family room", 4, 2, 3, from * 2)] {
        let body = object(json!({
            "property_id": property, "title": title, "count_of_rooms": rooms, "occ_adults": adults,
            "occ_children": children, "occ_infants": 1
        }));
        let mut problems = Problems::default();
        let mut room_type = RoomType::default();
        collection::apply(&mut room_type, &body, Operation::Create, &mut problems);
        problems.none_or_invalid()?;
        let room = Stored { id: Uuid::now_v7(), version: 1, resource: room_type };
        store::insert(tx, None, &room, now).await?;
        let option = |rate: Value, derived: Value| json!([{ "occupancy": adults, "is_primary": true, "rate": rate, "derived_option": derived }]);
        let flexible = json!({
            "title": "Flexible", "property_id": property, "room_type_id": room.id,
            "options": option(json!(price.to_string()), Value::Null)
        });
        let flexible = sell(tx, &room, flexible, currency, now).await?;
        let breakfast = json!({
            "title": "With breakfast", "property_id": property, "room_type_id": room.id,
            "parent_rate_plan_id": flexible, "rate_mode": "derived", "meal_type": "breakfast",
            "options": option(Value::Null, json!({ "rate": [["increase_by_amount", (12 * adults).to_string()]] }))
        });
        sell(tx, &room, breakfast, currency, now).await?;
    }
    Ok(())
}

async fn sell(tx: &mut Tx, room: &Stored<RoomType>, body: Value, currency: &str, now: Moment) -> Result<RatePlanId> {
    let mut problems = Problems::default();
    let validated = rules::validate(&object(body), Operation::Create, &mut problems)?;
    let plan =
        RatePlan { property_id: room.resource.property_id, room_type_id: RoomTypeId(room.id), ..RatePlan::default() };
    let resource = plan.changed(validated, currency, &mut problems)?;
    problems.none_or_invalid()?;
    let stored = Stored { id: Uuid::now_v7(), version: 1, resource };
    store::insert(tx, None, &stored, now).await?;
    Ok(RatePlanId(stored.id))
}

fn object(body: Value) -> Map<String, Value> {
    body.as_object().cloned().unwrap_or_default()
}

/// A property of the demo.
pub struct Hotel {
    title: &'static str,
    kind: &'static str,
    pub currency: &'static str,
    address: [&'static str; 4],
    place: [&'static str; 3],
    about: &'static str,
    /// The price of a double room, in major units.
    pub from: u32,
}

impl Hotel {
    /// As a caller would send it.
    pub fn body(&self) -> Map<String, Value> {
        let [address, zip_code, city, country] = self.address;
        let [latitude, longitude, timezone] = self.place;
        let body = json!({
            "title": self.title, "currency": self.currency, "property_type": self.kind,
            "address": address, "zip_code": zip_code, "city": city, "country": country,
            "latitude": latitude, "longitude": longitude, "timezone": timezone,
            "settings": { "min_price": self.from.to_string() },
            "content": { "description": self.about }
        });
        object(body)
    }
}

pub const COAST: &[Hotel] = &[
    Hotel {
        title: "Casa do Farol",
        kind: "guest_house",
        currency: "EUR",
        address: ["Rua do Farol 12", "8650-150", "Sagres", "PT"],
        place: ["37.0086000", "-8.9430000", "Europe/Lisbon"],
        about: "Nine rooms below the lighthouse, breakfast on the terrace.",
        from: 60,
    },
    Hotel {
        title: "Hotel Ribeira Velha",
        kind: "hotel",
        currency: "EUR",
        address: ["Cais da Estiva 44", "4050-243", "Porto", "PT"],
        place: ["41.1406000", "-8.6132000", "Europe/Lisbon"],
        about: "Forty-two rooms on the river, five minutes from the bridge.",
        from: 95,
    },
    Hotel {
        title: "Ático Marina",
        kind: "apartment",
        currency: "EUR",
        address: ["Calle del Puerto 3", "11006", "Cádiz", "ES"],
        place: ["36.5298000", "-6.2926000", "Europe/Madrid"],
        about: "Six flats with roof terraces above the old harbour.",
        from: 80,
    },
];

pub const ALPS: &[Hotel] = &[
    Hotel {
        title: "Berghaus Lärche",
        kind: "lodge",
        currency: "CHF",
        address: ["Dorfstrasse 7", "7504", "Pontresina", "CH"],
        place: ["46.4936000", "9.9014000", "Europe/Zurich"],
        about: "Eighteen rooms at the end of the valley, half board in winter.",
        from: 140,
    },
    Hotel {
        title: "Chalet Sous-Bois",
        kind: "chalet",
        currency: "EUR",
        address: ["Route des Praz 210", "74400", "Chamonix", "FR"],
        place: ["45.9406000", "6.8869000", "Europe/Paris"],
        about: "A chalet of seven rooms in the wood, ski bus at the door.",
        from: 120,
    },
    Hotel {
        title: "Zirbenhof",
        kind: "inn",
        currency: "EUR",
        address: ["Dorf 31", "6450", "Sölden", "AT"],
        place: ["46.9655000", "11.0074000", "Europe/Vienna"],
        about: "An inn with twenty-four rooms in stone pine, open all year.",
        from: 90,
    },
];
