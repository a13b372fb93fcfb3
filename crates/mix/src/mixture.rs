//! The mixture: the proportion of each source in a phase.
//!
//! Proportions that do not sum to 1 are an error, never normalised.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Ppm, SourceName};

use crate::MixError;

/// The proportion of each source in one phase, in parts per million.
///
/// Proportions are integers, so that a mixture means the same on every machine. They are sorted by
/// name, so that the order of lines in a file cannot change a draw.
///
/// # Invariants
///
/// - Proportions sum to exactly 1 000 000.
/// - No proportion is zero: a source that a phase does not use is not listed.
///
/// Reading a mixture from a file makes the same checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<SourceName, Ppm>", into = "BTreeMap<SourceName, Ppm>")]
pub struct Mixture {
    proportions: BTreeMap<SourceName, Ppm>,
}

impl Mixture {
    /// Checks the proportions.
    ///
    /// # Errors
    ///
    /// - [`MixError::NoSources`] if there is no source.
    /// - [`MixError::ZeroProportion`] if a listed source has proportion 0.
    /// - [`MixError::Sum`] if the proportions do not sum to exactly one.
    pub fn new(proportions: BTreeMap<SourceName, Ppm>) -> Result<Self, MixError> {
        if proportions.is_empty() {
            return Err(MixError::NoSources);
        }
        if let Some((source_name, _)) = proportions.iter().find(|(_, ppm)| ppm.0 == 0) {
            return Err(MixError::ZeroProportion { source_name: source_name.clone() });
        }
        let sum = proportions.values().fold(0, |sum: u32, ppm| sum.saturating_add(ppm.0));
        if sum != Ppm::ONE.0 {
            return Err(MixError::Sum { sum: Ppm(sum) });
        }
        Ok(Self { proportions })
    }

    /// The proportions, sorted by name.
    pub fn proportions(&self) -> &BTreeMap<SourceName, Ppm> {
        &self.proportions
    }
}

impl TryFrom<BTreeMap<SourceName, Ppm>> for Mixture {
    type Error = MixError;

    fn try_from(proportions: BTreeMap<SourceName, Ppm>) -> Result<Self, MixError> {
        Self::new(proportions)
    }
}

impl From<Mixture> for BTreeMap<SourceName, Ppm> {
    fn from(mixture: Mixture) -> Self {
        mixture.proportions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixture_comes_back_as_written() {
        let json = r#"{"math":250000,"web":750000}"#;
        let mixture: Mixture = serde_json::from_str(json).unwrap();
        assert_eq!(mixture.proportions()[&SourceName::new("math").unwrap()], Ppm(250_000));
        assert_eq!(serde_json::to_string(&mixture).unwrap(), json);
    }

    #[test]
    fn reading_a_mixture_goes_through_the_checks() {
        for (json, text) in [
            (r#"{"math":250000,"web":720000}"#, "proportions sum to 97 %, expected exactly 100 %"),
            (r#"{"math":0,"web":1000000}"#, "source `math` has proportion 0"),
            ("{}", "the mixture names no source"),
        ] {
            let error = serde_json::from_str::<Mixture>(json).unwrap_err().to_string();
            assert!(error.contains(text), "{json}: {error}");
        }
    }

    #[test]
    fn a_sum_beyond_all_bounds_does_not_wrap_to_one() {
        // 4,294 × 1,000,000 + 967,296 + 1,000,000 is 2^32 + 1,000,000.
        let names = (0..4_295).map(|i| SourceName::new(&format!("s{i}")).unwrap());
        let mut proportions: BTreeMap<_, _> = names.map(|name| (name, Ppm::ONE)).collect();
        proportions.insert(SourceName::new("last").unwrap(), Ppm(967_296));
        assert_eq!(Mixture::new(proportions), Err(MixError::Sum { sum: Ppm(u32::MAX) }));
    }
}
