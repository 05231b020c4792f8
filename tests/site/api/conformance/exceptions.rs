//! What a collection does differently, each with the reason; and what collects the failures of a test, so that all are
//! told at once.

use std::fmt::{Debug, Display};

use crate::response::Response;

/// A failure that is right.
pub struct Exception {
    /// The test.
    pub check: &'static str,
    /// The collection, or a field of it.
    pub of: &'static str,
    /// A part of what the failure says.
    pub found: &'static str,
    pub reason: &'static str,
}

const fn exception(check: &'static str, of: &'static str, found: &'static str, reason: &'static str) -> Exception {
    Exception { check, of, found, reason }
}

/// One that is not needed fails its test.
const EXCEPTIONS: &[Exception] = &[
    exception(
        "beyond",
        "properties.content.photos",
        "found None",
        "how many there may be is a business rule, asked once every field is right",
    ),
    exception("beyond", "room_types.content.photos", "found None", "the same"),
    exception("bounds", "room_types.capacity", "found Null", "a room has no beds of its own, a dorm has"),
    exception("bounds", "room_types.default_occupancy", "less than or equal to 2", "at most the adults"),
    exception("bounds", "taxes.rate", "less than or equal to 100", "a percentage"),
    exception(
        "filters",
        "rate_plans.rate_mode",
        "\"parent_rate_plan_id\":[\"can't be blank\"]",
        "it derives from nothing",
    ),
    exception("ignored", "hotel_policies.refundable_deposit", "is invalid", "the second name of a field"),
    exception(
        "null",
        "rate_plans.rate_mode",
        "\"parent_rate_plan_id\":[\"can't be blank\"]",
        "it derives from nothing",
    ),
    exception("one field", "hotel_policies.pets_refundable_deposit", "refundable_deposit after", "it has two names"),
    exception("one field", "rate_plans.property_id", "no other value", "it cannot be changed"),
    exception(
        "one field",
        "rate_plans.rate_mode",
        "\"parent_rate_plan_id\":[\"can't be blank\"]",
        "it derives from nothing",
    ),
    exception("one field", "rate_plans.room_type_id", "no other value", "it cannot be changed"),
    exception("one field", "room_types.capacity", "304", "a room has no beds of its own, a dorm has"),
    exception("one field", "taxes.logic", "\"currency\":[\"can't be blank\"]", "an amount is one of a currency"),
    exception("orders", "property_facilities.inserted_at", "=desc", "a catalogue was made at once"),
    exception("orders", "room_facilities.inserted_at", "=desc", "a catalogue was made at once"),
    exception(
        "orders",
        "rate_plans.rate_mode",
        "\"parent_rate_plan_id\":[\"can't be blank\"]",
        "it derives from nothing",
    ),
    exception("orders", "taxes.logic", "\"currency\":[\"can't be blank\"]", "an amount is one of a currency"),
];

/// The failures of a test.
pub struct Findings {
    check: &'static str,
    failures: Vec<String>,
    used: Vec<bool>,
}

impl Findings {
    pub fn new(check: &'static str) -> Self {
        Findings { check, failures: Vec::new(), used: vec![false; EXCEPTIONS.len()] }
    }

    /// Something is wrong with this collection, or this field of it.
    pub fn wrong(&mut self, of: impl Display, what: impl Display) {
        let (of, what) = (of.to_string(), what.to_string());
        let found = |e: &Exception| e.check == self.check && e.of == of && what.contains(e.found);
        match EXCEPTIONS.iter().position(found) {
            Some(place) => self.used[place] = true,
            None => self.failures.push(format!("{of}: {what}")),
        }
    }

    /// These should be equal.
    pub fn equal<T: PartialEq + Debug>(&mut self, of: impl Display, what: impl Display, found: T, expected: T) {
        if found != expected {
            let (found, expected) = (format!("{found:?}"), format!("{expected:?}"));
            self.wrong(of, format!("{what}: found {found:.600}, not {expected:.600}"));
        }
    }

    /// An answer should be another one.
    pub fn answer(&mut self, of: impl Display, answer: &Response) {
        self.wrong(of, format!("{}: {} {}", answer.call, answer.status, answer.text()));
    }

    /// Asserts that nothing is wrong, and that no exception says so that is not needed.
    pub fn none(mut self) {
        for (exception, used) in EXCEPTIONS.iter().zip(&self.used) {
            if exception.check == self.check && !used {
                let Exception { of, found, reason, .. } = exception;
                self.failures.push(format!("{of}: the exception {found:?} ({reason}) is not needed"));
            }
        }
        assert!(self.failures.is_empty(), "{}:\n{}", self.check, self.failures.join("\n"));
    }
}
