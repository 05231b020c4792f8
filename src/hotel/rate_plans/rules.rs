//! What a body makes of a rate plan, and what it may not: rules without I/O.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use crate::{
    base::{
        error::{Problems, Result},
        ids::{PropertyId, RatePlanId, RoomTypeId},
        money,
    },
    hotel::rate_plans::{
        plan::{INHERIT, RateMode, RatePlan, follows_parent},
        rule_schemas,
    },
    resource::{
        collection::{self, Resource},
        validate::{self, Operation},
        value::Positive,
    },
};

/// The fields that were sent, each valid by itself, and what they belong to.
pub struct Validated {
    fields: Map<String, Value>,
    pub property: Option<PropertyId>,
    pub room_type: Option<RoomTypeId>,
}

/// A plan of the same property, as far as rules ask for it.
pub struct Relative {
    pub id: RatePlanId,
    pub parent: Option<RatePlanId>,
    pub currency: String,
    pub rate_mode: String,
}

/// Validates every field by itself. What is wrong goes to `problems`.
pub fn validate(sent: &Map<String, Value>, operation: Operation, problems: &mut Problems) -> Result<Validated> {
    let table = collection::fields::<RatePlan>();
    let mut fields = validate::validate(table, sent, &RatePlan::defaults(), operation, problems);
    let property = fields.remove("property_id").and_then(|id| serde_json::from_value(id).ok());
    let room_type = fields.remove("room_type_id").and_then(|id| serde_json::from_value(id).ok());
    Ok(Validated { fields, property, room_type })
}

impl RatePlan {
    /// This plan with what was sent; a new one begins with the defaults. `default_currency` is the property's.
    /// What is wrong goes to `problems`.
    pub fn changed(self, validated: Validated, default_currency: &str, problems: &mut Problems) -> Result<Self> {
        let is_new = self.options.is_empty();
        let mut fields = validated.fields;
        let currency = match fields.get("currency").and_then(Value::as_str) {
            Some("") => default_currency,
            Some(currency) => currency,
            None if is_new => default_currency,
            None => &*self.currency,
        };
        let currency = currency.to_owned();
        fields.insert("currency".to_owned(), currency.clone().into());
        // Without a currency nobody knows the decimals of prices; its own message is enough.
        if !currency.is_empty() {
            self.in_minor_units(&mut fields, &currency, problems);
        }
        one_primary(&mut fields, problems);
        let keeps_parent = !fields.contains_key("parent_rate_plan_id") && self.parent_rate_plan_id.is_some();
        let has_parent = keeps_parent || fields.get("parent_rate_plan_id").is_some_and(|id| !id.is_null());
        for flag in INHERIT {
            if fields.get(flag).map_or(is_new, Value::is_null) {
                fields.insert(flag.to_owned(), has_parent.into());
            }
        }
        if !problems.is_empty() {
            return Ok(self);
        }
        let mut all = validate::object(&self)?;
        // Replaced as a whole, whatever keys it has.
        if let Some(settings) = fields.remove("auto_rate_settings") {
            all.insert("auto_rate_settings".to_owned(), settings);
        }
        validate::merge(&mut all, fields);
        let mut plan: RatePlan = serde_json::from_value(all.into())?;
        plan.occupancy = Positive(plan.primary().map_or(0, |option| option.occupancy));
        if plan.rate_mode == RateMode::Auto && plan.auto_rate_settings.is_none() {
            problems.add("auto_rate_settings", "can't be blank");
        }
        if plan.needs_parent() && plan.parent_rate_plan_id.is_none() {
            problems.add("parent_rate_plan_id", "can't be blank");
        }
        Ok(plan)
    }

    /// Turns what was sent as money into minor units. A price that stays keeps its amount in major units when the
    /// currency changes.
    fn in_minor_units(&self, fields: &mut Map<String, Value>, currency: &str, problems: &mut Problems) {
        let rescaled = !self.options.is_empty() && currency != &*self.currency;
        let mut convert = |price: &mut Value, field: &str, message: &str| match money::to_minor(price, currency) {
            _ if price.is_null() => *price = 0.into(),
            Some(minor) => *price = minor.into(),
            None => problems.add(field, message),
        };
        for (field, old) in [("children_fee", self.children_fee.0), ("infant_fee", self.infant_fee.0)] {
            if rescaled && !fields.contains_key(field) {
                fields.insert(field.to_owned(), money::to_short_text(old, &self.currency).into());
            }
            if let Some(fee) = fields.get_mut(field) {
                convert(fee, field, "is invalid");
            }
        }
        if rescaled && !fields.contains_key("options") {
            let mut options = serde_json::to_value(&self.options).unwrap_or_default();
            for option in options.as_array_mut().into_iter().flatten() {
                if let Some(minor) = option["rate"].as_i64() {
                    option["rate"] = money::to_short_text(minor, &self.currency).into();
                }
            }
            fields.insert("options".to_owned(), options);
        }
        self.keep_rates(fields);
        let options = fields.get_mut("options").and_then(Value::as_array_mut);
        for (place, option) in options.into_iter().flatten().enumerate() {
            if let Some(rate) = option.get_mut("rate") {
                convert(rate, "options", &format!("{place}.rate is invalid"));
            }
        }
    }

    /// An option that says nothing of its rate keeps the one that its occupancy has.
    fn keep_rates(&self, fields: &mut Map<String, Value>) {
        let rates: HashMap<i64, i64> = self.options.iter().map(|option| (option.occupancy, option.rate)).collect();
        let options = fields.get_mut("options").and_then(Value::as_array_mut);
        for option in options.into_iter().flatten().filter(|option| option.get("rate").is_none()) {
            if let Some(rate) = option["occupancy"].as_i64().and_then(|occupancy| rates.get(&occupancy)) {
                option["rate"] = money::to_short_text(*rate, &self.currency).into();
            }
        }
    }

    /// What a plan may not be because of the other plans of its property. `id` is its own, `asked` the parent that
    /// was sent: where another field is wrong, this plan is still the old one.
    pub fn fits_relatives(
        &self,
        id: RatePlanId,
        asked: Option<RatePlanId>,
        relatives: &[Relative],
        problems: &mut Problems,
    ) {
        let by_id: HashMap<RatePlanId, &Relative> = relatives.iter().map(|other| (other.id, other)).collect();
        if let Some(parent) = asked.or(self.parent_rate_plan_id)
            && !problems.names("parent_rate_plan_id")
        {
            match by_id.get(&parent) {
                None => problems.add("parent_rate_plan_id", "does not exist"),
                Some(found) => {
                    let other_currency = problems.is_empty() && self.needs_parent() && found.currency != *self.currency;
                    if other_currency || leads_to(&by_id, parent, id) {
                        problems.add("parent_rate_plan_id", "is invalid");
                    }
                }
            }
        }
        let derives = |other: &&Relative| other.parent == Some(id) && follows_parent(&other.rate_mode);
        if relatives.iter().filter(derives).any(|child| child.currency != *self.currency) {
            problems.add("currency", "is invalid");
        }
    }
}

/// True where `id` is `from` or one of its ancestors.
fn leads_to(by_id: &HashMap<RatePlanId, &Relative>, from: RatePlanId, id: RatePlanId) -> bool {
    let mut seen = BTreeSet::new();
    let mut next = Some(from);
    while let Some(plan) = next {
        if plan == id {
            return true;
        }
        if !seen.insert(plan) {
            return false;
        }
        next = by_id.get(&plan).and_then(|plan| plan.parent);
    }
    false
}

/// Exactly one option is primary, a single one by itself; each number of guests occurs once; all together have so many
/// rules at most.
fn one_primary(fields: &mut Map<String, Value>, problems: &mut Problems) {
    let Some(options) = fields.get_mut("options").and_then(Value::as_array_mut) else { return };
    for option in options.iter_mut() {
        for (field, default) in [("is_primary", Value::Bool(false)), ("rate", 0.into())] {
            if option.get(field).is_none_or(Value::is_null) {
                option[field] = default;
            }
        }
    }
    let rules: usize = options.iter().filter_map(|option| option.get("derived_option")).map(rule_schemas::rules).sum();
    if rules > rule_schemas::MOST_RULES {
        problems.add("options", format!("has more than {} rules", rule_schemas::MOST_RULES));
    }
    let primaries = options.iter().filter(|option| option["is_primary"] == true).count();
    match options.as_mut_slice() {
        [single] if primaries == 0 => single["is_primary"] = true.into(),
        _ if primaries != 1 => problems.add("options", "must have exactly one primary option"),
        _ => {}
    }
    let mut taken = BTreeSet::new();
    for (place, option) in options.iter().enumerate() {
        if !taken.insert(option["occupancy"].as_i64()) {
            problems.add("options", format!("{place}.occupancy has already been taken"));
        }
    }
}
