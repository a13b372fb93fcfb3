//! What could not be compared, and why.

use serde::{Deserialize, Serialize};
use sparkjoy_base::SourceName;

/// What could not be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Which of [`Answer::arms`](crate::Answer::arms).
    pub arm: usize,
    /// What is missing: `math`, `arc-easy`.
    pub what: String,
    /// Why.
    pub why: Cause,
}

/// Why scores that are there cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
pub enum Cause {
    /// A branch is scored on other sequences of a source than another one.
    OtherSequences {
        /// The branch.
        branch: String,
        /// The other branch.
        than: String,
        /// The source.
        source: SourceName,
    },
    /// Branch and control are scored on other rows of a task.
    OtherRows,
    /// Results of some items of a task are not there.
    MissingItems {
        /// The task.
        task: String,
    },
    /// Results of a task are not of the same items.
    OtherItems {
        /// The task.
        task: String,
    },
}
