//! The JSON of rules by which prices and restrictions derive: what is valid, and its schema.

use serde_json::{Value, json};

use crate::resource::{
    fields::{LARGEST, MOST_JSON, Shape},
    values,
};

/// Rules of all options of a plan at most: enough for every plan, and no work without end.
pub const MOST_RULES: usize = 2000;

/// What can be derived beside `rate`: the restrictions with a number.
const NUMBERS: [&str; 6] =
    ["min_stay_arrival", "min_stay_through", "max_stay", "max_sell", "max_availability", "availability_offset"];

const BY_AMOUNT: [&str; 2] = ["increase_by_amount", "decrease_by_amount"];
const BY_PERCENT: [&str; 2] = ["increase_by_percent", "decrease_by_percent"];

/// `derived_option`: restriction → pairs of rule and argument, applied from left to right.
pub const DERIVED: Shape = Shape { fits: is_derived_option, most_bytes: None, schema: derived_schema };

/// `auto_rate_settings`: what each guest above and below the primary occupancy changes (docs/contract/rate-plans.md,
/// quirk 10). Other keys are kept.
pub const AUTO: Shape = Shape { fits: is_auto_settings, most_bytes: Some(MOST_JSON), schema: auto_schema };

/// How many rules a `derived_option` has.
pub fn rules(derived: &Value) -> usize {
    derived.as_object().into_iter().flat_map(|object| object.values()).filter_map(Value::as_array).map(Vec::len).sum()
}

fn is_derived_option(value: &Value) -> bool {
    let Some(object) = value.as_object() else { return false };
    object.iter().all(|(restriction, pairs)| {
        let is_rate = restriction == "rate";
        let Some(pairs) = pairs.as_array() else { return false };
        (is_rate || NUMBERS.contains(&restriction.as_str()))
            && pairs.iter().all(|pair| match pair.as_array().map(Vec::as_slice) {
                Some([Value::String(rule), argument]) => {
                    let by_amount = BY_AMOUNT.contains(&rule.as_str());
                    let by_percent = BY_PERCENT.contains(&rule.as_str());
                    (by_amount || (by_percent && is_rate)) && is_argument(argument, is_rate)
                }
                _ => false,
            })
    })
}

/// A number of at least 0: a string of a decimal, or a whole number.
fn is_argument(value: &Value, may_have_decimals: bool) -> bool {
    match value {
        Value::String(text) => {
            let (digits, decimals) = if may_have_decimals { (MOST_DIGITS, MOST_DECIMALS) } else { (WHOLE_DIGITS, 0) };
            values::is_decimal(text) && !text.starts_with('-') && values::is_short(text, digits, decimals)
        }
        // One that is not whole is no `i64`.
        Value::Number(number) => number.as_i64().is_some_and(|number| (0..=LARGEST).contains(&number)),
        _ => false,
    }
}

fn is_auto_settings(value: &Value) -> bool {
    let Some(object) = value.as_object() else { return false };
    object.iter().all(|(name, value)| match name.as_str() {
        "increase_mode" | "decrease_mode" => value == "$" || value == "%",
        "increase_value" | "decrease_value" => is_argument(value, true),
        _ => true,
    })
}

/// Digits of a decimal at most, before its point and after, and of a whole number.
const MOST_DIGITS: usize = 20;
const MOST_DECIMALS: usize = 10;
const WHOLE_DIGITS: usize = 10;

/// The schema of an argument with decimals.
fn decimal() -> Value {
    argument(&format!(r"^[0-9]{{1,{MOST_DIGITS}}}(\.[0-9]{{1,{MOST_DECIMALS}}})?$"))
}

fn argument(pattern: &str) -> Value {
    json!({ "anyOf": [
        { "type": "string", "pattern": pattern },
        { "type": "integer", "minimum": 0, "maximum": LARGEST }
    ] })
}

fn derived_schema() -> Value {
    let pair = |rules: &[&str], argument: Value| {
        json!({
            "type": "array", "prefixItems": [{ "type": "string", "enum": rules }, argument],
            "minItems": 2, "maxItems": 2
        })
    };
    let whole = argument(&format!("^[0-9]{{1,{WHOLE_DIGITS}}}$"));
    let rules = [BY_AMOUNT, BY_PERCENT].concat();
    let rate = json!({ "type": "array", "maxItems": MOST_RULES, "items": pair(&rules, decimal()) });
    let number = json!({ "type": "array", "maxItems": MOST_RULES, "items": pair(&BY_AMOUNT, whole) });
    let mut properties = serde_json::Map::new();
    properties.insert("rate".to_owned(), rate);
    for restriction in NUMBERS {
        properties.insert(restriction.to_owned(), number.clone());
    }
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn auto_schema() -> Value {
    let mode = json!({ "type": "string", "enum": ["$", "%"] });
    let value = decimal();
    json!({
        "type": "object",
        "additionalProperties": true,
        "properties": {
            "increase_mode": mode, "increase_value": value, "decrease_mode": mode, "decrease_value": value
        }
    })
}
