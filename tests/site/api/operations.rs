//! Every operation of the API, and what keys limited to chosen properties get from it.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::access::{GROUP_USERS, PROPERTY_USERS};
use crate::client::Client;
use crate::people::Person;
use crate::response::Response;

/// What a caller gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gets {
    /// This status of success, and where it is a list, the thing in it.
    Done(u16),
    /// A list without the thing.
    Empty,
    /// 404.
    Absent,
    /// 403, because the key is limited.
    Limited,
    /// 403, because the key only reads.
    ReadOnly,
    /// 422: what this field of the body names does not exist for the key.
    Unknown(&'static str),
}
use Gets::{Absent, Done, Empty, Limited, ReadOnly, Unknown};

/// One operation of the API: how it is called, and what a limited key gets for a chosen thing and for another.
/// `{property}` and the like stand for ids of `Things`; what a full key gets is `full`.
pub struct Operation {
    pub method: &'static str,
    pub path: &'static str,
    pub body: fn(&Things) -> Value,
    pub full: u16,
    pub chosen: Gets,
    pub other: Gets,
}

const fn operation(method: &'static str, path: &'static str, full: u16, chosen: Gets, other: Gets) -> Operation {
    Operation { method, path, body: |_| Value::Null, full, chosen, other }
}

/// Every operation. One that the API offers and that is not here fails a test below.
pub const OPERATIONS: &[Operation] = &[
    operation("GET", "/properties?filter[id]={property}", 200, Done(200), Empty),
    operation("GET", "/properties/options?filter[id]={property}", 200, Done(200), Empty),
    Operation {
        body: |_| json!({ "property": { "title": "Neu", "currency": "EUR" } }),
        ..operation("POST", "/properties", 201, Limited, Limited)
    },
    operation("GET", "/properties/{property}", 200, Done(200), Absent),
    Operation {
        body: |_| json!({ "property": { "city": "Lagos" } }),
        ..operation("PUT", "/properties/{property}", 200, Done(200), Absent)
    },
    operation("DELETE", "/properties/{property}", 200, Done(200), Absent),
    operation("GET", "/me", 200, Done(200), Done(200)),
    operation("GET", "/groups?filter[id]={group}", 200, Done(200), Done(200)),
    Operation {
        body: |_| json!({ "group": { "title": "Neu" } }),
        ..operation("POST", "/groups", 201, Limited, Limited)
    },
    operation("GET", "/groups/{group}", 200, Done(200), Done(200)),
    Operation {
        body: |_| json!({ "group": { "title": "Neu" } }),
        ..operation("PUT", "/groups/{group}", 200, Limited, Limited)
    },
    operation("DELETE", "/groups/{spare_group}", 200, Limited, Limited),
    operation("POST", "/groups/{spare_group}/properties/{property}", 200, Limited, Limited),
    operation("DELETE", "/groups/{group}/properties/{property}", 200, Limited, Limited),
    operation("GET", "/property_users?filter[property_id]={property}", 200, Done(200), Empty),
    Operation {
        body: |things| PROPERTY_USERS.invitation(&things.property, "invited@farol.example", "user"),
        ..operation("POST", "/property_users", 201, Limited, Limited)
    },
    operation("GET", "/property_users/{property_user}", 200, Done(200), Absent),
    Operation {
        body: |_| PROPERTY_USERS.change(json!({ "role": "owner" })),
        ..operation("PUT", "/property_users/{property_user}", 200, Limited, Limited)
    },
    operation("DELETE", "/property_users/{property_user}", 200, Limited, Limited),
    operation("GET", "/group_users?filter[group_id]={group}", 200, Done(200), Done(200)),
    Operation {
        body: |things| GROUP_USERS.invitation(&things.group, "invited@farol.example", "user"),
        ..operation("POST", "/group_users", 201, Limited, Limited)
    },
    operation("GET", "/group_users/{group_user}", 200, Done(200), Done(200)),
    Operation {
        body: |_| GROUP_USERS.change(json!({ "role": "owner" })),
        ..operation("PUT", "/group_users/{group_user}", 200, Limited, Limited)
    },
    operation("DELETE", "/group_users/{group_user}", 200, Limited, Limited),
    operation("GET", "/room_types?filter[id]={room_type}", 200, Done(200), Empty),
    operation("GET", "/room_types/options?filter[id]={room_type}", 200, Done(200), Empty),
    Operation {
        body: |things| room_type(&things.property),
        ..operation("POST", "/room_types", 201, Done(201), Unknown("property_id"))
    },
    operation("GET", "/room_types/{room_type}", 200, Done(200), Absent),
    Operation {
        body: |_| json!({ "room_type": { "title": "Neu" } }),
        ..operation("PUT", "/room_types/{room_type}", 200, Done(200), Absent)
    },
    operation("DELETE", "/room_types/{spare_room_type}", 200, Done(200), Absent),
    operation("GET", "/rate_plans?filter[id]={rate_plan}", 200, Done(200), Empty),
    operation("GET", "/rate_plans/options?filter[property_id]={property}", 200, Done(200), Empty),
    Operation {
        body: |things| rate_plan(&things.property, &things.room_type, "Neu"),
        ..operation("POST", "/rate_plans", 201, Done(201), Unknown("property_id"))
    },
    operation("GET", "/rate_plans/{rate_plan}", 200, Done(200), Absent),
    Operation {
        body: |_| json!({ "rate_plan": { "title": "Neu" } }),
        ..operation("PUT", "/rate_plans/{rate_plan}", 200, Done(200), Absent)
    },
    operation("DELETE", "/rate_plans/{rate_plan}", 200, Done(200), Absent),
    operation("GET", "/tax_sets?filter[id]={tax_set}", 200, Done(200), Empty),
    Operation {
        body: |things| tax_set(&things.property, &things.tax),
        ..operation("POST", "/tax_sets", 201, Done(201), Unknown("property_id"))
    },
    operation("GET", "/tax_sets/{tax_set}", 200, Done(200), Absent),
    Operation {
        body: |_| json!({ "tax_set": { "title": "Neu" } }),
        ..operation("PUT", "/tax_sets/{tax_set}", 200, Done(200), Absent)
    },
    operation("DELETE", "/tax_sets/{tax_set}", 200, Done(200), Absent),
    operation("GET", "/taxes?filter[id]={tax}", 200, Done(200), Empty),
    Operation {
        body: |things| tax(&things.property),
        ..operation("POST", "/taxes", 201, Done(201), Unknown("property_id"))
    },
    operation("GET", "/taxes/{tax}", 200, Done(200), Absent),
    Operation {
        body: |_| json!({ "tax": { "title": "Neu" } }),
        ..operation("PUT", "/taxes/{tax}", 200, Done(200), Absent)
    },
    operation("DELETE", "/taxes/{tax}", 200, Done(200), Absent),
    operation("GET", "/hotel_policies?filter[id]={policy}", 200, Done(200), Empty),
    Operation {
        body: |things| policy(&things.property),
        ..operation("POST", "/hotel_policies", 201, Done(201), Unknown("property_id"))
    },
    operation("GET", "/hotel_policies/{policy}", 200, Done(200), Absent),
    Operation {
        body: |_| json!({ "hotel_policy": { "title": "Neu" } }),
        ..operation("PUT", "/hotel_policies/{policy}", 200, Done(200), Absent)
    },
    operation("DELETE", "/hotel_policies/{policy}", 200, Done(200), Absent),
    operation("GET", "/photos?filter[id]={photo}", 200, Done(200), Empty),
    Operation {
        body: |things| photo(&things.property),
        ..operation("POST", "/photos", 201, Done(201), Unknown("property_id"))
    },
    operation("GET", "/photos/{photo}", 200, Done(200), Absent),
    Operation {
        body: |_| json!({ "photo": { "author": "Rita" } }),
        ..operation("PUT", "/photos/{photo}", 200, Done(200), Absent)
    },
    operation("DELETE", "/photos/{photo}", 200, Done(200), Absent),
    // Catalogues are the same for everybody.
    operation("GET", "/property_facilities", 200, Done(200), Done(200)),
    operation("GET", "/property_facilities/options", 200, Done(200), Done(200)),
    operation("GET", "/room_facilities", 200, Done(200), Done(200)),
    operation("GET", "/room_facilities/options", 200, Done(200), Done(200)),
];

fn room_type(property: &str) -> Value {
    json!({ "room_type": {
        "property_id": property, "title": "Double", "count_of_rooms": 3, "occ_adults": 2, "occ_children": 0,
        "occ_infants": 0, "default_occupancy": 2 } })
}

fn rate_plan(property: &str, room_type: &str, title: &str) -> Value {
    json!({ "rate_plan": {
        "property_id": property, "room_type_id": room_type, "title": title,
        "options": [{ "occupancy": 2, "is_primary": true, "rate": "80" }] } })
}

pub fn tax(property: &str) -> Value {
    json!({ "tax": {
        "property_id": property, "title": "VAT", "logic": "percent", "type": "tax", "rate": "6.00",
        "is_inclusive": true } })
}

pub fn tax_set(property: &str, tax: &str) -> Value {
    json!({ "tax_set": { "property_id": property, "title": "Standard", "currency": "EUR", "taxes": [{ "id": tax }] } })
}

pub fn policy(property: &str) -> Value {
    json!({ "hotel_policy": {
        "property_id": property, "title": "House rules", "currency": "EUR", "max_count_of_guests": 14,
        "checkin_time": "15:00", "checkout_time": "11:00", "internet_access_type": "wifi",
        "internet_access_coverage": "all_rooms", "parking_type": "nearby", "parking_reservation": "not_needed",
        "parking_is_private": false, "pets_policy": "assistive_only", "pets_non_refundable_fee": "0",
        "pets_refundable_deposit": "0", "smoking_policy": "no_smoking" } })
}

pub fn photo(property: &str) -> Value {
    json!({ "photo": { "property_id": property, "url": "https://farol.example/terrace.jpg" } })
}

impl Operation {
    /// Whether it may change something.
    pub fn writes(&self) -> bool {
        self.method != "GET"
    }

    /// Calls it.
    pub async fn call(&self, client: &Client, things: &Things) -> Response {
        let path = format!("/api/v1{}", things.named_in(self.path));
        let call = client.call(self.method.parse().expect("a method"), &path);
        match (self.body)(things) {
            Value::Null => call.await,
            body => call.json(&body).await,
        }
    }

    /// What a key gets that only reads, where one that also writes would get this.
    pub fn read_only(&self, otherwise: Gets) -> Gets {
        if self.writes() { ReadOnly } else { otherwise }
    }
}

/// A property with everything around it.
pub struct Things {
    pub property: String,
    group: String,
    spare_group: String,
    property_user: String,
    group_user: String,
    room_type: String,
    /// One without rate plans.
    spare_room_type: String,
    rate_plan: String,
    tax: String,
    tax_set: String,
    policy: String,
    photo: String,
}

impl Things {
    /// New ones.
    pub async fn new(me: &Person, title: &str) -> Self {
        let (group, spare_group) = (me.has_group("Houses").await, me.has_group("Spare").await);
        let property = me.has(json!({ "title": title, "group_id": group })).await;
        me.adds(&me.group().await, &property).await.is(200);
        // One person invites only so many new ones a day, and gives each only so many ways.
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let guest = &format!("guest-{}@farol.example", COUNT.fetch_add(1, Ordering::Relaxed) / 3);
        let property_user = me.invites(&PROPERTY_USERS, &property, guest, "user").await.is(201).id();
        let group_user = me.invites(&GROUP_USERS, &group, guest, "user").await.is(201).id();
        let make = async |path: &str, body: Value| me.api.post(path, &body).await.is(201).id();
        let room_type = make("/api/v1/room_types", room_type(&property)).await;
        let spare_room_type = make("/api/v1/room_types", self::room_type(&property)).await;
        let rate_plan = make("/api/v1/rate_plans", rate_plan(&property, &room_type, "Standard")).await;
        let tax = make("/api/v1/taxes", tax(&property)).await;
        let set = make("/api/v1/tax_sets", tax_set(&property, &tax)).await;
        let policy = make("/api/v1/hotel_policies", policy(&property)).await;
        let photo = make("/api/v1/photos", photo(&property)).await;
        Self {
            property,
            group,
            spare_group,
            property_user,
            group_user,
            room_type,
            spare_room_type,
            rate_plan,
            tax,
            tax_set: set,
            policy,
            photo,
        }
    }

    fn named_in(&self, path: &str) -> String {
        [
            ("{property}", &self.property),
            ("{group}", &self.group),
            ("{spare_group}", &self.spare_group),
            ("{property_user}", &self.property_user),
            ("{group_user}", &self.group_user),
            ("{room_type}", &self.room_type),
            ("{spare_room_type}", &self.spare_room_type),
            ("{rate_plan}", &self.rate_plan),
            ("{tax}", &self.tax),
            ("{tax_set}", &self.tax_set),
            ("{policy}", &self.policy),
            ("{photo}", &self.photo),
        ]
        .iter()
        .fold(path.to_owned(), |path, (name, id)| path.replace(name, id))
    }
}

impl Gets {
    /// Asserts it.
    #[track_caller]
    pub fn check(self, answer: Response, operation: &Operation) {
        match self {
            Done(status) => {
                let empty = answer.json().get("data") == Some(&json!([]));
                assert!(answer.status == status && !empty, "{self:?}: {answer}");
            }
            Empty => assert_eq!(answer.is(200).data(), json!([])),
            Absent => {
                let plain = operation.method == "GET" && !operation.path.contains("_users/");
                answer.error(if plain { "not_found" } else { "resource_not_found" });
            }
            Limited => {
                answer.error_with("forbidden", json!(["the API key is limited to chosen properties"]));
            }
            ReadOnly => {
                answer.error_with("forbidden", json!(["the API key is read-only"]));
            }
            Unknown(field) => {
                let details = answer.json()["errors"]["details"].clone();
                assert_eq!(details[field], json!(["does not exist"]), "{answer}");
                answer.error_with("validation_error", details);
            }
        }
    }
}
