//! The JSON of rules by which prices and restrictions derive: what is valid, and its schema.

use serde_json::Value;

use crate::resource::{
    document::schema::{Keyword, Schema, Type},
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
fn decimal() -> Schema {
    argument(format!(r"^[0-9]{{1,{MOST_DIGITS}}}(\.[0-9]{{1,{MOST_DECIMALS}}})?$"))
}

fn argument(pattern: String) -> Schema {
    Schema::any_of(vec![Schema::text().with(Keyword::Pattern(pattern.into())), Schema::integer(0, LARGEST)])
}

fn derived_schema() -> Schema {
    let pairs = |rules: &[&'static str], argument: Schema| {
        let pair = Schema::new(Type::Array)
            .with(Keyword::PrefixItems(vec![Schema::one_of(rules), argument]))
            .with(Keyword::MinItems(2))
            .with(Keyword::MaxItems(2));
        let list = Schema::new(Type::Array).with(Keyword::MaxItems(MOST_RULES));
        list.with(Keyword::Items(Box::new(pair)))
    };
    let rate = pairs(&[BY_AMOUNT, BY_PERCENT].concat(), decimal());
    let number = pairs(&BY_AMOUNT, argument(format!("^[0-9]{{1,{WHOLE_DIGITS}}}$")));
    let numbers = NUMBERS.iter().map(|restriction| ((*restriction).into(), number.clone()));
    Schema::new(Type::Object)
        .with(Keyword::OtherFields(false))
        .with(Keyword::Properties([("rate".into(), rate)].into_iter().chain(numbers).collect()))
}

fn auto_schema() -> Schema {
    let mode = Schema::one_of(&["$", "%"]);
    let value = decimal();
    let fields = [
        ("increase_mode".into(), mode.clone()),
        ("increase_value".into(), value.clone()),
        ("decrease_mode".into(), mode),
        ("decrease_value".into(), value),
    ];
    Schema::new(Type::Object).with(Keyword::OtherFields(true)).with(Keyword::Properties(fields.into()))
}
