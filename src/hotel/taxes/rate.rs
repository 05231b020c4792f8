//! The rate of a tax: a percentage, or an amount of money.

use serde_json::Value;

use crate::{
    base::{error::Problems, money},
    db::{Bind, Row},
    resource::{
        attribute::{FieldType, FieldValue},
        fields::Kind,
    },
};

/// Decimals that are kept, and those of a percentage at most: New York charges 8.875.
const DECIMALS: usize = 4;

/// A percentage or an amount, in ten-thousandths: when a tax changes from one to the other, its number stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(i64);

impl Rate {
    /// All of the price.
    pub const HUNDRED: Rate = Rate(100 * 10_000);
}

impl FieldValue for Rate {
    fn bind(&self, binds: &mut Vec<Bind>) {
        binds.push(Bind::Whole(self.0));
    }

    fn load(&mut self, row: &Row<'_>, place: &mut usize) -> sqlx::Result<()> {
        self.0 = row.at(*place)?;
        *place += 1;
        Ok(())
    }

    /// Without a currency it is a percentage. An integer counts its hundredths, or the currency's smallest unit.
    fn set(&mut self, value: Value, name: &str, currency: &str, problems: &mut Problems) {
        let unit = money::decimals(currency);
        let rate = match &value {
            Value::Number(units) => {
                units.as_i64().and_then(|units| money::parse(&money::with_decimals(units, unit), DECIMALS))
            }
            text => text.as_str().map(money::shortened).and_then(|text| {
                money::parse(&text, if currency.is_empty() { DECIMALS } else { unit })?;
                money::parse(&text, DECIMALS)
            }),
        };
        match rate {
            Some(rate) => self.0 = rate,
            None => problems.add(name, "is invalid"),
        }
    }

    /// With the decimals of the currency, or at least two.
    fn json(&self, currency: &str) -> Value {
        let mut text = money::with_decimals(self.0, DECIMALS);
        let shortest = text.len() - DECIMALS + money::decimals(currency);
        while text.len() > shortest && text.ends_with('0') {
            text.pop();
        }
        text.trim_end_matches('.').into()
    }
}

impl FieldType for Rate {
    const KIND: Kind = Kind::Fee;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rate_is_read_and_shown_as_a_percentage_or_in_the_decimals_of_its_currency() {
        for (sent, currency, shown) in [
            (json!("6"), "", "6.00"),
            (json!("8.875"), "", "8.875"),
            (json!(2100), "", "21.00"),
            (json!("1.5"), "EUR", "1.50"),
            (json!(150), "EUR", "1.50"),
            (json!("300"), "JPY", "300"),
            (json!(300), "JPY", "300"),
            (json!("1.005"), "KWD", "1.005"),
        ] {
            let (mut rate, mut problems) = (Rate::default(), Problems::default());
            rate.set(sent.clone(), "rate", currency, &mut problems);
            assert!(problems.is_empty(), "{sent}");
            assert_eq!(rate.json(currency), shown, "{sent} {currency}");
        }
        for (sent, currency) in [(json!("1.005"), "EUR"), (json!("0.5"), "JPY"), (json!("999999999999999"), "EUR")] {
            let mut problems = Problems::default();
            Rate::default().set(sent.clone(), "rate", currency, &mut problems);
            assert_eq!(problems.to_json(), json!({ "rate": ["is invalid"] }), "{sent} {currency}");
        }
    }
}
