//! Numbers of JSON by their value: `2.0` and `2e0` are 2 (docs/contract/README.md, section 9). However large an exponent is, it
//! costs nothing.

use serde_json::Number;

/// Digits × 10^exponent, without zeros that say nothing; 0 has no digits.
struct Parts {
    is_negative: bool,
    digits: String,
    exponent: i64,
}

/// Exponents beyond this are alike: no number of ours has as many digits.
const FAR: i64 = 1_000_000;

fn parts(text: &str) -> Parts {
    let (is_negative, unsigned) = text.strip_prefix('-').map_or((false, text), |unsigned| (true, unsigned));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    // What does not fit is far away, on the side of its sign.
    let far = if exponent.starts_with('-') { -FAR } else { FAR };
    let exponent = exponent.parse().unwrap_or(far).clamp(-FAR, FAR);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let short = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - short.len()).unwrap_or(FAR);
    let places = i64::try_from(fraction.len()).unwrap_or(FAR);
    let digits = short.trim_start_matches('0').to_owned();
    Parts { is_negative, digits, exponent: exponent - places + zeros }
}

/// A whole number as far as `i128` goes, and its ends beyond; `None` where there is a fraction.
pub fn whole(number: &Number) -> Option<i128> {
    let text = number.to_string();
    let Parts { is_negative, digits, exponent } = parts(&text);
    if digits.is_empty() {
        return Some(0);
    }
    let zeros = usize::try_from(exponent).ok()?;
    let end = if is_negative { i128::MIN } else { i128::MAX };
    if digits.len() + zeros > 39 {
        return Some(end);
    }
    let sign = if is_negative { "-" } else { "" };
    Some(format!("{sign}{digits}{}", "0".repeat(zeros)).parse().unwrap_or(end))
}

/// A number in plain digits, as it was written where it has no exponent; `None` where it has more digits before its point
/// or after it than these.
pub fn plain(number: &Number, most_digits: usize, most_places: usize) -> Option<String> {
    let text = number.to_string();
    let is_short = |text: &str| {
        let unsigned = text.trim_start_matches('-');
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        whole.len() <= most_digits && fraction.len() <= most_places
    };
    if !text.contains(['e', 'E']) && is_short(&text) {
        return Some(text);
    }
    let Parts { is_negative, digits, exponent } = parts(&text);
    if digits.is_empty() {
        return Some("0".to_owned());
    }
    let sign = if is_negative { "-" } else { "" };
    if let Ok(zeros) = usize::try_from(exponent) {
        let fits = digits.len() + zeros <= most_digits;
        return fits.then(|| format!("{sign}{digits}{}", "0".repeat(zeros)));
    }
    let places = usize::try_from(-exponent).ok().filter(|places| *places <= most_places)?;
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    (whole.len() <= most_digits).then(|| format!("{sign}{whole}.{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        serde_json::from_str(text).expect("a number")
    }

    #[test]
    fn numbers_are_whole_by_their_value() {
        for (text, value) in [
            ("2", Some(2)),
            ("2.0", Some(2)),
            ("2e0", Some(2)),
            ("20E-1", Some(2)),
            ("-0.0", Some(0)),
            ("0e999999999", Some(0)),
            ("1.5e1", Some(15)),
            ("-3e2", Some(-300)),
            ("1.5", None),
            ("1e-1", None),
            ("1e-99999999999999999999", None),
            ("1e999999999", Some(i128::MAX)),
            ("-1e99999999999999999999", Some(i128::MIN)),
            ("1e38", Some(10_i128.pow(38))),
            ("9e38", Some(i128::MAX)),
        ] {
            assert_eq!(whole(&number(text)), value, "{text}");
        }
    }

    #[test]
    fn decimals_lose_their_exponent_and_nothing_else() {
        for (text, is) in [
            ("-7.6e-05", Some("-0.000076")),
            ("38.70", Some("38.70")),
            ("1.5e1", Some("15")),
            ("12.5E0", Some("12.5")),
            ("1.000000000", Some("1")),
            ("0e5", Some("0")),
            ("1e-8", None),
            ("1e999999999", None),
            ("1e-999999999", None),
            ("1.123456789", None),
        ] {
            assert_eq!(plain(&number(text), 32, 7).as_deref(), is, "{text}");
        }
    }
}
