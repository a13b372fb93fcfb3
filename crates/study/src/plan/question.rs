//! A question expanded into comparisons of branches with their controls.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sparkjoy_base::SourceName;

/// What a question asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ask {
    /// How long should the last phase be?
    Duration,
    /// What is each source worth?
    Removal,
    /// What is a source worth that is not in the mixture, or more of it?
    Addition,
    /// How much of each domain?
    Proportion,
    /// When should the mixture come?
    Timing,
    /// Does the gain stay when the trunk's mixture follows?
    Stability,
    /// Does the answer to another question hold elsewhere?
    Transfer,
}

/// What a comparison is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It answers the question.
    Answer,
    /// A removal: the mixture with everything in it, against the trunk's.
    Whole,
    /// A removal, against the trunk's mixture instead of the mixture it removes from.
    AgainstBase,
    /// One removal under two refill rules: what the refill alone changes.
    Refill,
    /// Timing: the same window at another place.
    Place,
}

/// One comparison of a question: branches against their control, replicate by replicate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Row label: `10%`, `− math`.
    pub label: String,
    /// What it is for.
    pub role: Role,
    /// Its place on the question's axis, where it has one: the window, start or continuation as a
    /// share of the run, the share of what is added or of the second mixture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<f64>,
    /// For a point of a simplex: its share of each corner, in their order; the sum is 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub composition: Vec<f64>,
    /// What a removal takes out, as written: names of sources and domains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removes: Vec<String>,
    /// Who gets the freed share of a removal, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refill: Option<String>,
    /// What an addition gives a share, as written: names of sources and domains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adds: Vec<String>,
    /// Steps of the window.
    pub window_steps: u64,
    /// For a transfer: the arm in the first setting that asks the same, an index into the arms of
    /// this question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<usize>,
    /// What the question aims at in this comparison: the sources that get more than in the control,
    /// for a removal those that are removed.
    pub targets: BTreeSet<SourceName>,
    /// Indices into the branches of the plan, one per replicate.
    pub branches: Vec<usize>,
    /// The branches each is compared with, one per replicate.
    pub controls: Vec<usize>,
    /// What the control is, in words: `base, same 10% window`.
    pub control_label: String,
}

/// Where a transferred question is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// In words.
    pub label: String,
    /// Its arms, the same as in every other setting and in the same order.
    pub arms: Vec<usize>,
}

/// The simplex that the mixtures of a question lie on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Simplex {
    /// The mixtures at its corners, three to six.
    pub corners: Vec<String>,
    /// All shares are multiples of one over this.
    pub parts: u32,
    /// Shares of the corners at which a point is the trunk's mixture: it is the control, so no arm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unchanged: Vec<Vec<f64>>,
}

/// A question expanded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuestionPlan {
    /// Which.
    pub ask: Ask,
    /// The mixture asked about; for an addition, the one it is added to; none where several are
    /// compared.
    pub mixture: Option<String>,
    /// Its comparisons. A removal has the full mixture against base, then per removal and refill
    /// one against the full mixture and one against base, then refills of a removal against the
    /// first.
    pub arms: Vec<Arm>,
    /// For a transfer: the number of the question that is transferred, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<usize>,
    /// For a transfer: where it was asked before, then everywhere else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// For a proportion among several mixtures: the simplex of its arms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simplex: Option<Simplex>,
}
