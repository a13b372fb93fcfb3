//! The ledger: how many sequences of each source have been read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sparkjoy_base::SourceName;

/// How many sequences of each source have been drawn so far.
///
/// # Invariants
///
/// A source that was never drawn is absent, so that equal ledgers have equal bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<SourceName, u64>", into = "BTreeMap<SourceName, u64>")]
pub struct Ledger {
    drawn: BTreeMap<SourceName, u64>,
}

impl Ledger {
    /// A ledger with given counts. Counts of zero are dropped.
    pub fn new(mut drawn: BTreeMap<SourceName, u64>) -> Self {
        drawn.retain(|_, &mut count| count > 0);
        Self { drawn }
    }

    /// Sequences of `source` drawn so far; 0 if it was never drawn.
    pub fn drawn(&self, source: &SourceName) -> u64 {
        self.drawn.get(source).copied().unwrap_or(0)
    }

    /// All counts above zero, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&SourceName, u64)> {
        self.drawn.iter().map(|(name, &drawn)| (name, drawn))
    }
}

impl From<BTreeMap<SourceName, u64>> for Ledger {
    fn from(drawn: BTreeMap<SourceName, u64>) -> Self {
        Self::new(drawn)
    }
}

impl From<Ledger> for BTreeMap<SourceName, u64> {
    fn from(ledger: Ledger) -> Self {
        ledger.drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ledgers_that_say_the_same_are_equal_and_have_the_same_bytes() {
        let given: Ledger = serde_json::from_str(r#"{"web": 7, "math": 0}"#).unwrap();
        let web = SourceName::new("web").unwrap();
        assert_eq!(given, Ledger::new([(web.clone(), 7)].into()));
        assert_eq!(serde_json::to_string(&given).unwrap(), r#"{"web":7}"#);
        assert_eq!(given.drawn(&web), 7);
        assert_eq!(given.drawn(&SourceName::new("math").unwrap()), 0);
        assert_eq!(given.iter().collect::<Vec<_>>(), [(&web, 7)]);
    }
}
