//! What came out of a study's runs: all that answers are computed from, whoever computed it.

use std::collections::BTreeMap;

use sparkjoy_eval::Scorecard;

use crate::{Checked, Computed, HeldOut, Items};

/// The results of a plan, as far as there are any.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// Scores on held-out text, one element per branch of the plan; none where it is not scored.
    pub held_out: Vec<Option<HeldOut>>,
    /// Scores on tasks, one element per branch of the plan; none where it is not scored.
    pub scorecards: Vec<Option<Scorecard>>,
    /// Results of items by task, one element per branch of the plan.
    pub items: Vec<BTreeMap<String, Items>>,
    /// The trunk's scores on tasks, by step.
    pub trunk: Vec<(u64, Scorecard)>,
    /// What computed the branches.
    pub computed: Vec<Computed>,
    /// Whether items of tasks stand in training text, where that was asked.
    pub contamination: Option<Checked>,
}
