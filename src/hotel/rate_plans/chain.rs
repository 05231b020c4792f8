//! A price through a chain of rules, as if with exact decimals. Two thousand percentages give a number of tens of thousands
//! of digits; what is asked for is how it is rounded, which a few digits nearly always tell: so the price is kept between
//! two bounds of some eighty digits, and is worked out exactly only where both are not rounded alike.

use bigdecimal::{
    BigDecimal, Signed,
    num_bigint::{BigInt, Sign},
};

/// What a rule does to a price.
pub enum Step {
    Add(BigDecimal),
    Times(BigDecimal),
}

/// Bits of a bound at most, and of one that was cut.
const MOST_BITS: u64 = 512;
const CUT_BITS: u64 = 256;

/// The price lies between these, or is both of them.
pub fn bounds(start: &BigDecimal, steps: &[Step]) -> (BigDecimal, BigDecimal) {
    let mut price = Price::new(start);
    for step in steps {
        price.apply(step);
        price.cut();
    }
    (BigDecimal::new(price.low, price.scale), BigDecimal::new(price.high, price.scale))
}

/// The price with all its digits.
pub fn exact(start: &BigDecimal, steps: &[Step]) -> BigDecimal {
    let mut price = Price::new(start);
    for step in steps {
        price.apply(step);
    }
    BigDecimal::new(price.low, price.scale)
}

/// Between `low` and `high`, each a whole number of 10^-scale.
struct Price {
    low: BigInt,
    high: BigInt,
    scale: i64,
    tens: Tens,
}

impl Price {
    fn new(start: &BigDecimal) -> Self {
        let (digits, scale) = start.as_bigint_and_exponent();
        Price { low: digits.clone(), high: digits, scale, tens: Tens::default() }
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Add(amount) => {
                let (mut amount, scale) = amount.as_bigint_and_exponent();
                if scale > self.scale {
                    let unit = self.tens.power(scale - self.scale).clone();
                    self.times(&unit);
                    self.scale = scale;
                } else {
                    amount *= self.tens.power(self.scale - scale);
                }
                self.low += &amount;
                self.high += amount;
            }
            Step::Times(factor) => {
                let (factor, scale) = factor.as_bigint_and_exponent();
                self.times(&factor);
                self.scale += scale;
                if factor.is_negative() {
                    std::mem::swap(&mut self.low, &mut self.high);
                }
            }
        }
    }

    fn times(&mut self, factor: &BigInt) {
        // Most prices are known exactly.
        if self.low == self.high {
            self.low *= factor;
            self.high.clone_from(&self.low);
        } else {
            self.low *= factor;
            self.high *= factor;
        }
    }

    /// Drops the last digits of long bounds, away from the price.
    fn cut(&mut self) {
        let bits = self.low.bits().max(self.high.bits());
        if bits <= MOST_BITS {
            return;
        }
        // A decimal digit is a little more than 3.32 bits.
        let digits = i64::try_from((bits - CUT_BITS) * 100 / 333).unwrap_or(0);
        let unit = BigInt::from(10).pow(u32::try_from(digits).unwrap_or(0));
        let floor = |number: &BigInt| {
            let (whole, rest) = (number / &unit, number % &unit);
            if rest.sign() == Sign::Minus { whole - 1 } else { whole }
        };
        self.low = floor(&self.low);
        self.high = -floor(&-&self.high);
        self.scale -= digits;
    }
}

/// A power of ten, from which the next one is made: exponents grow from rule to rule.
struct Tens {
    exponent: i64,
    value: BigInt,
}

impl Default for Tens {
    fn default() -> Self {
        Tens { exponent: 0, value: BigInt::from(1) }
    }
}

impl Tens {
    fn power(&mut self, exponent: i64) -> &BigInt {
        if exponent < self.exponent {
            *self = Tens::default();
        }
        self.value *= BigInt::from(10).pow(u32::try_from(exponent - self.exponent).unwrap_or(0));
        self.exponent = exponent;
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn decimal(text: &str) -> BigDecimal {
        BigDecimal::from_str(text).unwrap()
    }

    fn times(text: &str) -> Step {
        Step::Times(decimal(text))
    }

    /// The same with the decimals of the library, which are exact.
    fn slowly(start: &BigDecimal, steps: &[Step]) -> BigDecimal {
        steps.iter().fold(start.clone(), |price, step| match step {
            Step::Add(amount) => price + amount,
            Step::Times(factor) => price * factor,
        })
    }

    #[test]
    fn bounds_are_short_and_hold_the_price() {
        let mut rng = 1_u64;
        let mut random = || {
            rng = rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            rng >> 33
        };
        for round in 0..60 {
            let steps: Vec<Step> = (0..200)
                .map(|_| match random() % 5 {
                    0 => Step::Add(decimal(&format!("-{}.{:010}", random() % 100, random()))),
                    1 => Step::Add(decimal(&format!("{}.{}", random(), random() % 1000))),
                    2 => times(&format!("-{}.{:012}", random() % 3, random())),
                    3 => times(&format!("0.{:012}", random())),
                    _ => times(&format!("{}.{:012}", random() % 3, random())),
                })
                .collect();
            let start = decimal(&format!("{}.{:02}", random(), random() % 100));
            let (low, high) = bounds(&start, &steps);
            let exactly = slowly(&start, &steps);
            assert_eq!(exact(&start, &steps), exactly, "round {round}");
            assert!(low <= exactly && exactly <= high, "round {round}: {low} {exactly} {high}");
            assert!(low.digits() < 160 && high.digits() < 160, "round {round}");
        }
    }

    #[test]
    fn a_price_that_lies_on_the_edge_of_two_is_worked_out_exactly() {
        let mut steps: Vec<Step> = (0..1_000).map(|_| times("0.5")).collect();
        steps.extend((0..1_000).map(|_| times("2")));
        let (low, high) = bounds(&decimal("0.125"), &steps);
        assert!(low < decimal("0.125") && decimal("0.125") < high);
        assert_eq!(exact(&decimal("0.125"), &steps), decimal("0.125"));
    }

    #[test]
    fn a_chain_as_long_as_there_may_be_keeps_its_bounds_short() {
        let steps: Vec<Step> = (0..2_000).map(|n| times(&format!("1.{:012}", 123_456_789_013_u64 + n))).collect();
        let mut price = Price::new(&decimal("99.99"));
        let mut most = 0;
        for step in &steps {
            price.apply(step);
            most = most.max(price.low.bits());
            price.cut();
        }
        assert!(most < MOST_BITS + 128, "{most}");
        assert!(exact(&decimal("99.99"), &steps).digits() > 20_000);
    }
}
