//! A source as planned, and where a trunk comes from that was trained elsewhere.

use serde::{Deserialize, Serialize};
use sparkjoy_base::{DomainName, Fingerprint, Tokens};
use sparkjoy_mix::Source;

/// A source as planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanSource {
    /// Its domain.
    pub domain: DomainName,
    /// Name, fingerprint, sequences per epoch.
    #[serde(rename = "supply")]
    pub identity: Source,
    /// Tokens per epoch; of an unseen source, its held-out tokens.
    pub tokens: Tokens,
    /// Declared by size rather than prepared.
    pub declared: bool,
    /// Epochs it may be read at most.
    pub max_epochs: Option<f64>,
    /// Identity of its held-out text; none where it is declared.
    pub held_out: Option<Fingerprint>,
    /// Whether nothing trains on it: all its text is held out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
}

/// What a plan remembers of a trunk trained elsewhere, beside what is in its spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// Whether it read its sources in the order this study reads them in. Then what the plan calls
    /// fresh was never read; else only how much of it is known.
    pub same_order: bool,
    /// Whether its folder says which tokenizer it was trained with; else the study's word is taken.
    pub tokenizer_known: bool,
}
