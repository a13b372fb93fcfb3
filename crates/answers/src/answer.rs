//! What an answer is made of.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, SourceName, Tokens};
use sparkjoy_stats::Agreement;

use crate::{
    Checked, Comparison, Computed, DoubtfulTask, Finding, Gap, HeldOutText, Scope, SplitVerdict,
    Spread, TaskAnswer, TrunkPoint,
};
use sparkjoy_study::{Ask, Effort, Role, Setting};

/// The answers of a finished (or partly finished) study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// The study.
    pub study: String,
    /// The plan they belong to.
    pub plan: Fingerprint,
    /// Branches that are compared.
    pub branches: usize,
    /// Those that are not scored yet, by name.
    pub missing: Vec<String>,
    /// Those that are to be scored on tasks and are not yet, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_tasks: Vec<String>,
    /// Tasks whose file was not there when branches were scored, by name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tasks_without_file: BTreeSet<String>,
    /// Tasks that have items whose result says less than it seems.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubtful: Vec<DoubtfulTask>,
    /// The trunk's scores on tasks at the steps that were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trunk: Vec<TrunkPoint>,
    /// Whether items of tasks stand in training text, where there are tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contamination: Option<Checked>,
    /// How sure intervals and marks are, 0.95 unless the study says otherwise.
    pub confidence: f64,
    /// Whether each replicate branches off a trunk of its own, so that intervals are about other
    /// trunks too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_trunks: bool,
    /// What the study costs.
    pub cost: Cost,
    /// What computed the scored branches; more than one kernel in all means that rounding is part
    /// of some difference.
    pub computed: Vec<Computed>,
    /// The held-out text of each source that is scored, sorted by name.
    #[serde(default)]
    pub held_out: Vec<HeldOutText>,
    /// Comparisons that are significant in one question and not in another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub split: Vec<SplitVerdict>,
    /// One per question, as asked.
    pub questions: Vec<Answer>,
}

/// What a study costs in training tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The tree: the trunk as far as its last branch point, once, and every branch.
    pub tree: Tokens,
    /// Every branch trained in full, from the first step to its last.
    pub in_full: Tokens,
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Which question.
    pub ask: Ask,
    /// The mixture asked about; none where several are compared.
    pub mixture: Option<String>,
    /// Values behind every mean.
    pub replicates: u32,
    /// What is measured, the same for every control and arm below.
    pub scopes: Vec<Scope>,
    /// The distinct controls, in the order of the arms. How far their replicates lie apart is the
    /// noise floor.
    pub controls: Vec<Control>,
    /// The comparisons.
    pub arms: Vec<ArmAnswer>,
    /// The same on tasks, where branches are scored on some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskAnswer>,
    /// What the numbers say.
    pub findings: Vec<Finding>,
    /// Arms that no other arm beats in both targeted gain and general cost.
    pub front: Vec<usize>,
    /// The arm with the largest significant targeted gain, where arms lie on an axis.
    pub largest_gain: Option<usize>,
    /// Arms with a significant targeted effect, best first; for a removal, the largest loss first.
    pub ranking: Vec<usize>,
    /// What could not be compared, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// What the question cost.
    pub cost: QuestionCost,
    /// For a transfer: the number of the question that is transferred, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<usize>,
    /// For a transfer: where it was asked before, then everywhere else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// For a transfer: the rank correlation of each other setting with the first one, over the arms
    /// that are significant in the first; none where these are fewer than three.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Holds>,
    /// The study's sources that nothing trains on.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unseen: BTreeSet<SourceName>,
}

/// How far a ranking holds elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Holds {
    /// Which of [`Answer::settings`].
    pub setting: usize,
    /// Arms with a significant targeted effect in the first setting, by their place in a setting.
    pub arms: Vec<usize>,
    /// Kendall's rank correlation of their targeted effects with those of the first setting.
    pub agreement: Agreement,
    /// p of the agreement after Holm's correction over the settings.
    pub adjusted_p: f64,
    /// Pairs of arms whose order changes, by their place in a setting.
    pub changed: Vec<[usize; 2]>,
}

/// What one question costs, shared runs counted in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionCost {
    /// The trunk as far as its last branch point, and every branch of the question.
    pub tree: Effort,
    /// The same branches, each trained from the first step.
    pub in_full: Effort,
}

/// The branches others are compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// `base, same 10% window`.
    pub label: String,
    /// Bits per byte, one element per scope; none where a replicate is missing.
    pub cells: Vec<Option<Spread>>,
}

/// One comparison, over all scopes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmAnswer {
    /// `10%`, `− math`.
    pub label: String,
    /// What it is for.
    pub role: Role,
    /// Its place on the question's axis: share of the run for windows and starts, share of the
    /// mixture for additions; none where arms are names.
    pub at: Option<f64>,
    /// Who gets the freed share of a removal, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refill: Option<String>,
    /// The sources it gives more than its control; for removals the removed ones.
    pub targets: BTreeSet<SourceName>,
    /// Which of [`Answer::controls`].
    pub control: usize,
    /// One element per scope; none where a replicate of branch or control is missing.
    pub cells: Vec<Option<Comparison>>,
}
