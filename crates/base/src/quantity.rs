//! Token counts, parts per million, and durations with a unit.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Hint;
use crate::show::{quantity, thousands};

/// Text or a number that is not the expected quantity.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QuantityError {
    /// Not a token count.
    #[error(
        "`{text}` is not a number of tokens, expected something like `200B`, `1.5M` or `4_096`"
    )]
    Tokens {
        /// The text as the user wrote it.
        text: String,
    },
    /// More tokens than any run has.
    #[error("`{text}` is more tokens than any corpus holds, expected at most `1000T`")]
    TooManyTokens {
        /// The text as the user wrote it.
        text: String,
    },
    /// Not a duration.
    #[error(
        "`{text}` is not a duration, expected tokens (`40M`), a share of the budget (`10%`) or \
         steps (`500 steps`)"
    )]
    Span {
        /// The text as the user wrote it.
        text: String,
    },
    /// A share of more than there is.
    #[error("`{text}` is more than everything, expected a share of at most `100%`")]
    Share {
        /// The text as the user wrote it.
        text: String,
    },
    /// Not a proportion.
    #[error("{value} is not a proportion, expected a decimal from 0 to 1 with at most 6 places")]
    Proportion {
        /// The value found.
        value: f64,
    },
}

impl Hint for QuantityError {
    fn hint(&self) -> Option<String> {
        let Self::Span { text } = self else { return None };
        let number: f64 = text.trim().parse().ok()?;
        let share = if number <= 1.0 { number } else { number / 100.0 };
        let share = Ppm::from_decimal(share).ok().filter(|share| share.0 > 0)?;
        Some(format!("write `\"{}\"` for that share of the budget", Span::Share(share)))
    }
}

/// A number of tokens: an exact integer.
///
/// Written `200B`, `1.5M` or `4_096`. `K`, `M`, `B` and `T` are powers of 1000, as in the papers.
/// Text that is not a whole number of tokens is an error.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Tokens(pub u64);

impl Tokens {
    /// The most that a user may ask for: ten times the text of the public web, and so few that
    /// sums over all runs of a study stay exact.
    pub const MOST: Self = Self(1_000_000_000_000_000);
}

impl FromStr for Tokens {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let refuse = || QuantityError::Tokens { text: text.to_owned() };
        let (digits, unit) = match text.trim().char_indices().last().ok_or_else(refuse)? {
            (end, 'K' | 'k') => (&text.trim()[..end], 3),
            (end, 'M') => (&text.trim()[..end], 6),
            (end, 'B' | 'G') => (&text.trim()[..end], 9),
            (end, 'T') => (&text.trim()[..end], 12),
            _ => (text.trim(), 0),
        };
        let tokens = decimal(digits, unit).map(Tokens).ok_or_else(refuse)?;
        let most = || QuantityError::TooManyTokens { text: text.to_owned() };
        Some(tokens).filter(|&tokens| tokens <= Self::MOST).ok_or_else(most)
    }
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&quantity(self.0))
    }
}

/// `digits × 10^places` in integer arithmetic, if that is a whole number below 2^64.
fn decimal(digits: &str, places: u32) -> Option<u64> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let written = |s: &str| s.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    if !whole.starts_with(|c: char| c.is_ascii_digit()) || !written(whole) || !written(fraction) {
        return None;
    }
    let fraction: String = fraction.chars().filter(|&c| c != '_').collect();
    let fraction = fraction.trim_end_matches('0');
    let missing = places.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    let all: String = whole.chars().filter(|&c| c != '_').chain(fraction.chars()).collect();
    all.parse::<u64>().ok()?.checked_mul(10_u64.checked_pow(missing)?)
}

/// Parts per million: the integer behind every proportion and percentage.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Ppm(pub u32);

impl Ppm {
    /// The whole: 1 000 000 parts.
    pub const ONE: Self = Self(1_000_000);

    /// A proportion written as a decimal, such as `0.3435`.
    ///
    /// # Errors
    ///
    /// [`QuantityError::Proportion`] outside 0..=1 or with more than 6 decimal places: a value is
    /// never rounded.
    pub fn from_decimal(value: f64) -> Result<Self, QuantityError> {
        let scaled = value * 1e6;
        let parts = scaled.round();
        // A decimal of 6 places is within 1e-9 parts of an integer after the product.
        if (0.0..=1e6).contains(&parts) && (scaled - parts).abs() < 1e-9 {
            Ok(Self(parts as u32))
        } else {
            Err(QuantityError::Proportion { value })
        }
    }

    /// The same as a decimal, as a study has it: `0.3435`.
    pub fn decimal(self) -> String {
        let text = format!("{}.{:06}", self.0 / Self::ONE.0, self.0 % Self::ONE.0);
        let short = text.trim_end_matches('0');
        if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
    }
}

impl fmt::Display for Ppm {
    /// As a percentage without trailing zeros: `34.35 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:04}", self.0 / 10_000, self.0 % 10_000);
        f.pad(&format!("{} %", text.trim_end_matches('0').trim_end_matches('.')))
    }
}

/// A length of training, in the unit the user wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Span {
    /// `"40M"`: tokens.
    Tokens(Tokens),
    /// `"10%"`: a share of the token budget.
    Share(Ppm),
    /// `"500 steps"`: optimizer steps.
    Steps(u64),
}

impl Span {
    /// What was probably meant by a number without a unit that is no length: `10%` by `10`.
    pub fn meant_share(self) -> Option<String> {
        let Self::Tokens(Tokens(percent @ 1..=100)) = self else { return None };
        Some(format!("write `\"{percent}%\"` for that share of the budget"))
    }

    /// The length in steps, rounded to the nearest, ties upwards.
    ///
    /// - `budget`: the token budget that a share refers to.
    /// - `step`: tokens per step.
    pub fn steps(self, budget: Tokens, step: Tokens) -> u64 {
        let nearest = |tokens: u128, per: u128| ((2 * tokens + per) / (2 * per)) as u64;
        match self {
            Self::Tokens(tokens) => nearest(tokens.0.into(), step.0.into()),
            Self::Share(ppm) => nearest(
                u128::from(budget.0) * u128::from(ppm.0),
                u128::from(step.0) * u128::from(Ppm::ONE.0),
            ),
            Self::Steps(steps) => steps,
        }
    }
}

impl FromStr for Span {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let refuse = || QuantityError::Span { text: text.to_owned() };
        let trimmed = text.trim();
        if let Some(share) = trimmed.strip_suffix('%') {
            let parts = decimal(share.trim(), 4).ok_or_else(refuse)?;
            let parts = u32::try_from(parts).ok().filter(|&p| p <= Ppm::ONE.0);
            let more = QuantityError::Share { text: text.to_owned() };
            parts.map(|p| Self::Share(Ppm(p))).ok_or(more)
        } else if let Some(steps) =
            trimmed.strip_suffix("steps").or_else(|| trimmed.strip_suffix("step"))
        {
            decimal(steps.trim(), 0).map(Self::Steps).ok_or_else(refuse)
        } else {
            trimmed.parse().map(Self::Tokens).map_err(|why| match why {
                QuantityError::TooManyTokens { .. } => why,
                _ => refuse(),
            })
        }
    }
}

impl TryFrom<String> for Span {
    type Error = QuantityError;

    fn try_from(text: String) -> Result<Self, QuantityError> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tokens(tokens) => f.pad(&tokens.to_string()),
            Self::Share(ppm) => f.pad(&ppm.to_string().replace(' ', "")),
            Self::Steps(steps) => f.pad(&format!("{} steps", thousands(*steps))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Option<u64> {
        text.parse::<Tokens>().ok().map(|t| t.0)
    }

    #[test]
    fn token_counts_are_exact() {
        assert_eq!(tokens("200B"), Some(200_000_000_000));
        assert_eq!(tokens("1.5M"), Some(1_500_000));
        assert_eq!(tokens("1T"), Some(1_000_000_000_000));
        assert_eq!(tokens("4_096"), Some(4096));
        assert_eq!(tokens("0"), Some(0));
        assert_eq!(tokens("0.001K"), Some(1));
    }

    #[test]
    fn what_is_not_a_whole_count_is_refused() {
        for text in
            ["1.5", "1.0005K", "", "M", "-3M", "3 apples", "1e6", "99999999999T", ".5M", "1.2.3M"]
        {
            assert_eq!(tokens(text), None, "`{text}`");
        }
    }

    #[test]
    fn proportions_keep_six_places_and_refuse_a_seventh() {
        assert_eq!(Ppm::from_decimal(0.3435).unwrap(), Ppm(343_500));
        assert_eq!(Ppm::from_decimal(0.1).unwrap(), Ppm(100_000));
        assert_eq!(Ppm::from_decimal(0.000_001).unwrap(), Ppm(1));
        let decimals = [343_500, 100_000, 1, 1_000_000].map(|parts| Ppm(parts).decimal());
        assert_eq!(decimals, ["0.3435", "0.1", "0.000001", "1.0"]);
        // What a program that adds decimals writes is one of six places.
        assert_eq!(Ppm::from_decimal(0.1 + 0.2).unwrap(), Ppm(300_000));
        let longer = [0.333_333_33, 0.06 + 1e-13];
        for value in [1.000_001, -0.1, 0.000_000_5, f64::NAN, f64::INFINITY].iter().chain(&longer) {
            let value = *value;
            assert!(Ppm::from_decimal(value).is_err(), "{value}");
        }
    }

    #[test]
    fn spans_name_their_unit_and_come_back_as_written() {
        for (text, span) in [
            ("40M", Span::Tokens(Tokens(40_000_000))),
            ("10%", Span::Share(Ppm(100_000))),
            ("2.5%", Span::Share(Ppm(25_000))),
            ("500 steps", Span::Steps(500)),
        ] {
            assert_eq!(text.parse::<Span>().unwrap(), span);
            assert_eq!(span.to_string(), text);
        }
        for text in ["10 percent", "110%", "steps", "0.00001%", "500 step s"] {
            assert!(text.parse::<Span>().is_err(), "`{text}`");
        }
    }

    #[test]
    fn a_share_of_the_papers_budget_is_the_nearest_step() {
        let (budget, step) = (Tokens(1_000_000_000_000), Tokens(960 * 4096));
        let steps = |text: &str| text.parse::<Span>().unwrap().steps(budget, step);
        assert_eq!(
            [steps("5%"), steps("10%"), steps("20%"), steps("30%")],
            [12_716, 25_431, 50_863, 76_294]
        );
    }
}
