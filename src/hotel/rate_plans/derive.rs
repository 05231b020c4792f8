//! Prices that follow from other prices: exact decimals through all rules of a plan, then rounded half up to the
//! currency's decimals, never below 0 (docs/contract/rate-plans.md, quirks 8 to 11). A plan derives from its parent's price
//! as it is sold, which is rounded.

use std::{collections::HashMap, str::FromStr};

use bigdecimal::{BigDecimal, RoundingMode, Signed, ToPrimitive, Zero};
use serde_json::Value;

use crate::{
    base::money,
    hotel::rate_plans::{
        chain::{self, Step},
        options::Occupancy,
        plan::{RateMode, RatePlan},
    },
};

/// The highest price in minor units: it can still be sent back, whatever the currency's decimals.
const HIGHEST: i64 = 999_999_999_999_999;

/// The prices of a plan's options as they are in effect, in minor units and in the order of the options. `parent` are
/// the parent's options with their prices in effect.
pub fn in_effect(plan: &RatePlan, parent: Option<&[Occupancy]>) -> Vec<i64> {
    let money = Money { decimals: money::decimals(&plan.currency) };
    let stored = || plan.options.iter().map(|option| option.rate).collect();
    match (plan.rate_mode, parent) {
        (RateMode::Derived, Some(parent)) if plan.inherit.inherit_rate => derived(plan, parent, money),
        (RateMode::Cascade, Some(parent)) if plan.inherit.inherit_rate => cascade(plan, parent, money),
        (RateMode::Auto, _) => automatic(plan, money),
        _ => stored(),
    }
}

/// The primary price follows the parent's; the others follow this plan's primary price.
fn derived(plan: &RatePlan, parent: &[Occupancy], money: Money) -> Vec<i64> {
    let theirs = parent.iter().find(|option| option.is_primary).map_or(0, |option| option.rate);
    let primary = plan.primary().map_or(theirs, |option| money.apply(theirs, option));
    let price = |option: &Occupancy| if option.is_primary { primary } else { money.apply(primary, option) };
    plan.options.iter().map(price).collect()
}

/// Each price follows the parent's of the same occupancy; where the parent has none, its primary price.
fn cascade(plan: &RatePlan, parent: &[Occupancy], money: Money) -> Vec<i64> {
    let primary = parent.iter().find(|option| option.is_primary).map_or(0, |option| option.rate);
    let of: HashMap<i64, i64> = parent.iter().map(|option| (option.occupancy, option.rate)).collect();
    let price = |option: &Occupancy| money.apply(of.get(&option.occupancy).copied().unwrap_or(primary), option);
    plan.options.iter().map(price).collect()
}

/// Each guest above the primary occupancy adds one increase to the primary price, each below takes one decrease.
fn automatic(plan: &RatePlan, money: Money) -> Vec<i64> {
    let Some(primary) = plan.primary() else { return plan.options.iter().map(|option| option.rate).collect() };
    let settings = plan.auto_rate_settings.as_ref();
    let step = |mode: &str, value: &str| {
        let setting = |name: &str| settings.and_then(|settings| settings.0.get(name));
        let value = setting(value).unwrap_or(&Value::Null);
        match setting(mode).and_then(Value::as_str) {
            Some("%") => money.major(primary.rate) * percent(&number(value, 0)),
            _ => number(value, money.places()),
        }
    };
    let (increase, decrease) = (step("increase_mode", "increase_value"), step("decrease_mode", "decrease_value"));
    let price = |option: &Occupancy| {
        let above = option.occupancy - primary.occupancy;
        let step = if above > 0 { &increase } else { &decrease };
        money.rounded(money.major(primary.rate) + step * BigDecimal::from(above))
    };
    plan.options.iter().map(price).collect()
}

/// Prices in minor units, calculated with in major ones.
#[derive(Clone, Copy)]
struct Money {
    decimals: usize,
}

impl Money {
    fn major(self, minor: i64) -> BigDecimal {
        BigDecimal::new(minor.into(), self.places())
    }

    fn places(self) -> i64 {
        i64::try_from(self.decimals).unwrap_or(2)
    }

    fn rounded(self, price: BigDecimal) -> i64 {
        if price.is_negative() {
            return 0;
        }
        let rounded = price.with_scale_round(self.places(), RoundingMode::HalfUp);
        rounded.into_bigint_and_exponent().0.to_i64().map_or(HIGHEST, |minor| minor.min(HIGHEST))
    }

    /// A price through an option's rules.
    fn apply(self, price: i64, option: &Occupancy) -> i64 {
        let rules = option.derived_option.as_ref().and_then(|derived| derived.get("rate")).and_then(Value::as_array);
        let Some(rules) = rules else { return price };
        let steps: Vec<Step> = rules.iter().filter_map(|rule| Step::read(rule, self.places())).collect();
        let start = self.major(price);
        // Nearly always what is known of the price says how it is rounded.
        let (low, high) = chain::bounds(&start, &steps);
        let (low, high) = (self.rounded(low), self.rounded(high));
        if low == high { low } else { self.rounded(chain::exact(&start, &steps)) }
    }
}

impl Step {
    fn read(rule: &Value, places: i64) -> Option<Self> {
        let Some([Value::String(rule), argument]) = rule.as_array().map(Vec::as_slice) else { return None };
        Some(match rule.as_str() {
            "increase_by_amount" => Step::Add(number(argument, places)),
            "decrease_by_amount" => Step::Add(-number(argument, places)),
            "increase_by_percent" => Step::Times(BigDecimal::from(1) + percent(&number(argument, 0))),
            "decrease_by_percent" => Step::Times(BigDecimal::from(1) - percent(&number(argument, 0))),
            _ => return None,
        })
    }
}

/// An argument: a string is a decimal; a whole number has so many decimals in it, as money does.
fn number(argument: &Value, places: i64) -> BigDecimal {
    match argument {
        Value::String(text) => BigDecimal::from_str(text).unwrap_or_default(),
        Value::Number(whole) => {
            let whole = BigDecimal::from_str(&whole.to_string()).unwrap_or_default();
            let (digits, scale) = whole.into_bigint_and_exponent();
            BigDecimal::new(digits, scale + places)
        }
        _ => BigDecimal::zero(),
    }
}

fn percent(number: &BigDecimal) -> BigDecimal {
    let (digits, scale) = number.as_bigint_and_exponent();
    BigDecimal::new(digits, scale + 2)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        hotel::rate_plans::options::{AutoSettings, Options},
        resource::value::Currency,
    };

    fn option(occupancy: i64, rate: i64, is_primary: bool, rules: Value) -> Occupancy {
        Occupancy { rate, occupancy, is_primary, derived_option: Some(json!({ "rate": rules })) }
    }

    fn plan(rate_mode: RateMode, currency: &str, options: Vec<Occupancy>) -> RatePlan {
        let (currency, options) = (Currency(currency.to_owned()), Options::of(options));
        let mut plan = RatePlan { rate_mode, currency, options, ..RatePlan::default() };
        plan.inherit.inherit_rate = true;
        plan
    }

    #[test]
    fn rules_apply_from_left_to_right_and_the_end_alone_is_rounded_half_up() {
        for (currency, from, rules, to) in [
            ("EUR", 8_000, json!([["decrease_by_percent", "10"], ["increase_by_amount", "4.50"]]), 7_650),
            ("EUR", 8_000, json!([["increase_by_amount", 450]]), 8_450),
            ("EUR", 1, json!([["decrease_by_percent", "50"]]), 1),
            ("EUR", 1, json!([["decrease_by_percent", "50"], ["increase_by_percent", "100"]]), 1),
            ("EUR", 3, json!([["decrease_by_percent", "90"]]), 0),
            ("EUR", 100, json!([["decrease_by_amount", "5"], ["increase_by_amount", "4.5"]]), 50),
            ("EUR", 100, json!([["decrease_by_amount", "5"]]), 0),
            ("JPY", 999, json!([["decrease_by_percent", "0.05"]]), 999),
            ("JPY", 1_001, json!([["decrease_by_percent", "50"]]), 501),
            ("KWD", 1_000, json!([["increase_by_amount", "0.0005"]]), 1_001),
        ] {
            let parent = [option(2, from, true, json!([]))];
            let child = plan(RateMode::Derived, currency, vec![option(2, 0, true, rules.clone())]);
            assert_eq!(in_effect(&child, Some(&parent)), [to], "{from} {currency} {rules}");
        }
    }

    #[test]
    fn each_mode_finds_its_prices() {
        let parent = [option(2, 10_000, true, json!([])), option(1, 7_000, false, json!([]))];
        let options = || {
            let half = json!([["decrease_by_percent", "50"]]);
            vec![option(2, 1, true, half.clone()), option(1, 2, false, half), option(3, 3, false, json!([]))]
        };
        assert_eq!(in_effect(&plan(RateMode::Manual, "EUR", options()), Some(&parent)), [1, 2, 3]);
        assert_eq!(in_effect(&plan(RateMode::Derived, "EUR", options()), Some(&parent)), [5_000, 2_500, 5_000]);
        assert_eq!(in_effect(&plan(RateMode::Cascade, "EUR", options()), Some(&parent)), [5_000, 3_500, 10_000]);
        let mut automatic = plan(RateMode::Auto, "EUR", options());
        automatic.options[0].rate = 10_000;
        automatic.auto_rate_settings = Some(AutoSettings(json!({
            "increase_mode": "$", "increase_value": "12.50", "decrease_mode": "%", "decrease_value": 15
        })));
        assert_eq!(in_effect(&automatic, None), [10_000, 8_500, 11_250]);
        let mut apart = plan(RateMode::Derived, "EUR", options());
        apart.inherit.inherit_rate = false;
        assert_eq!(in_effect(&apart, Some(&parent)), [1, 2, 3]);
    }
}
