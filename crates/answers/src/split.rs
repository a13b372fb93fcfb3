//! One comparison that is tested in several questions and is significant in some of them only.

use serde::{Deserialize, Serialize};

use crate::{Measure, What};

/// A comparison that is significant in one question and not in another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitVerdict {
    /// What is compared.
    pub of: SplitScope,
    /// Where it is significant: number of the question, from 1, and label of the arm.
    pub significant: (usize, String),
    /// Where it is not.
    pub not: (usize, String),
}

/// What a comparison is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SplitScope {
    /// Targeted, general or unseen held-out text.
    Text(What),
    /// A task.
    Task(String, Measure),
}
