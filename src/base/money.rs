//! Amounts of money: inside, integers in the currency's minor unit; in the API, decimals in major units
//! (docs/contract/README.md, section 9).

use serde_json::Value;

/// Decimals of a currency by ISO 4217; 2 for an unknown one.
pub fn decimals(currency: &str) -> usize {
    iso_currency::Currency::from_code(currency).and_then(|currency| currency.exponent()).map_or(2, usize::from)
}

/// A price in minor units, from an integer in minor units or a decimal string in major ones; `None` where it has more
/// decimals than the currency, or does not fit an `i64`.
pub fn to_minor(price: &Value, currency: &str) -> Option<i64> {
    match price {
        Value::Number(minor) => minor.as_i64(),
        other => parse(other.as_str()?, decimals(currency)),
    }
}

/// A decimal, counted in units of its last place: with two decimals `1.5` is 150.
pub fn parse(text: &str, decimals: usize) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > decimals {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok()
}

/// Minor units as a decimal in major ones, with all the currency's decimals: `"100.00"`.
pub fn to_text(minor: i64, currency: &str) -> String {
    with_decimals(minor, decimals(currency))
}

/// The decimal that counts so many units of its last place, see [`parse`].
pub fn with_decimals(units: i64, decimals: usize) -> String {
    let digits = format!("{units:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

/// The same without trailing zeros, so that an amount fits a currency with fewer decimals if it can: `"100"`.
pub fn to_short_text(minor: i64, currency: &str) -> String {
    shortened(&to_text(minor, currency))
}

/// A decimal without zeros that say nothing.
pub fn shortened(text: &str) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_go_there_and_back_in_every_number_of_decimals() {
        for (text, currency, minor, back) in [
            ("100", "EUR", 10_000, "100.00"),
            ("0.5", "EUR", 50, "0.50"),
            ("0.05", "EUR", 5, "0.05"),
            ("100", "JPY", 100, "100"),
            ("1.5", "KWD", 1_500, "1.500"),
        ] {
            assert_eq!(to_minor(&text.into(), currency), Some(minor), "{text} {currency}");
            assert_eq!(to_text(minor, currency), back);
        }
        assert_eq!(to_minor(&"1.5".into(), "JPY"), None);
        assert_eq!(to_minor(&"1.005".into(), "EUR"), None);
        assert_eq!(to_minor(&"99999999999999999999".into(), "EUR"), None);
    }
}
