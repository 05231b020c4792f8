//! What the tests of rate plans share: a room type to sell, the smallest body, and short cuts.

use serde_json::{Value, json};

use crate::people::Person;
use crate::response::Response;
use crate::room_type::{House, house};

/// The collection.
pub const RATE_PLANS: &str = "/api/v1/rate_plans";

/// The short list.
pub const RATE_PLAN_OPTIONS: &str = "/api/v1/rate_plans/options";

/// What a second plan of the same title is told.
pub const TITLE_CLASH: &str = "Duplication in Rate Plan title is not allowed";

/// The flags of what a plan takes from its parent.
pub const INHERIT: [&str; 10] = [
    "inherit_rate",
    "inherit_closed_to_arrival",
    "inherit_closed_to_departure",
    "inherit_stop_sell",
    "inherit_min_stay_arrival",
    "inherit_min_stay_through",
    "inherit_max_stay",
    "inherit_max_sell",
    "inherit_max_availability",
    "inherit_availability_offset",
];

/// Where a rate plan is.
pub fn rate_plan_at(id: &str) -> String {
    format!("{RATE_PLANS}/{id}")
}

/// One primary option for this many guests.
pub fn option(occupancy: u32, rate: &str) -> Value {
    json!({ "occupancy": occupancy, "is_primary": true, "rate": rate })
}

/// Another option beside the primary one.
pub fn other_option(occupancy: u32, rate: &str) -> Value {
    json!({ "occupancy": occupancy, "is_primary": false, "rate": rate })
}

/// A `derived_option` that applies these rules to the rate.
pub fn rules(rules: &[(&str, &str)]) -> Value {
    json!({ "rate": rules.iter().map(|(rule, argument)| json!([rule, argument])).collect::<Vec<_>>() })
}

/// The rates of all options, in their order.
#[track_caller]
pub fn rates(attributes: &Value) -> Vec<String> {
    let options = attributes["options"].as_array().expect("options");
    options.iter().map(|option| option["rate"].as_str().expect("a rate").to_owned()).collect()
}

/// Somebody with a property and a room type of which rate plans are made.
pub struct Room {
    pub room_type: String,
    pub house: House,
}

/// A room type without rate plans.
pub async fn room() -> Room {
    let house = house().await;
    let room_type = house.has(json!({})).await;
    Room { room_type, house }
}

impl Room {
    pub fn me(&self) -> &Person {
        &self.house.me
    }

    /// A body with these fields and the required ones, unless they are among these.
    pub fn body(&self, fields: Value) -> Value {
        let mut plan = json!({
            "title": "Flexible", "property_id": self.house.property, "room_type_id": self.room_type,
            "options": [option(2, "100.00")]
        });
        for (name, value) in fields.as_object().expect("fields") {
            plan[name] = value.clone();
        }
        json!({ "rate_plan": plan })
    }

    /// Sends a create with these fields beside the required ones.
    pub async fn creates(&self, fields: Value) -> Response {
        self.me().api.post(RATE_PLANS, &self.body(fields)).await
    }

    /// Creates a plan that may only differ in these fields; its id.
    pub async fn has(&self, fields: Value) -> String {
        self.creates(fields).await.is(201).id()
    }

    /// Sends an update with just these fields.
    pub async fn updates(&self, id: &str, fields: Value) -> Response {
        self.me().api.put(&rate_plan_at(id), &json!({ "rate_plan": fields })).await
    }

    /// The attributes of a plan, as it is read now.
    pub async fn reads(&self, id: &str) -> Value {
        self.me().api.get(&rate_plan_at(id)).await.is(200).attributes()
    }

    /// Deletes a plan.
    pub async fn deletes(&self, id: &str) {
        let answer = self.me().api.delete(&rate_plan_at(id)).await.is(200);
        answer.says(json!({ "meta": { "message": "Success" } }));
    }

    /// The titles that a query of the list finds, in their order.
    pub async fn finds(&self, query: &str) -> Vec<String> {
        self.me().api.get(&format!("{RATE_PLANS}?{query}")).await.is(200).column("title")
    }
}
