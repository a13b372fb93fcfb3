//! What the numbers say, in sentences.

use serde::{Deserialize, Serialize};

/// One sentence of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is about.
    pub kind: FindingKind,
    /// The sentence, with its full stop.
    pub text: String,
}

/// What a [`Finding`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// What to do, and why.
    Recommendation,
    /// Something that makes the model worse at a task than it is without.
    Harmful,
    /// Something without which a task does better, be it for the room it takes, or while another
    /// task does worse.
    Trade,
    /// Sources that stand in for each other: each may go, all may not.
    Redundant,
    /// What nothing else was seen to miss.
    Idle,
    /// A difference there is.
    Effect,
    /// A difference that was not seen, and what could have been.
    Null,
    /// Arms in an order that holds.
    Ranking,
    /// What gain there is for what price.
    Front,
    /// What the answer cost.
    Cost,
    /// What is missing, or must be kept in mind.
    Caution,
}
