//! The plan: a study resolved, every derived number in canonical order.
//!
//! Plain types and what follows from them by arithmetic. A plan reads no token: two machines with the
//! same study and the same text make the same plan, byte for byte.

mod account;
mod branch;
mod cost;
mod evaluation;
mod note;
mod question;
mod source;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Seed, SourceName, Tokens};
use sparkjoy_mix::Mixture;
use sparkjoy_nn::Shape;
use sparkjoy_train::RunSpec;

pub use account::Account;
pub(crate) use account::accounts;
pub use branch::{Branch, Trunk};
pub use cost::{Effort, TreeCost};
pub use evaluation::{CONFIDENCE, Evaluation, TaskPlan};
pub use note::{EPOCHS_WORTH_READING, Note};
pub use question::{Arm, Ask, QuestionPlan, Role, Setting};
pub use source::{Import, PlanSource};

/// The study resolved: every derived number, in canonical order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Study name.
    pub name: String,
    /// Seed.
    pub seed: Seed,
    /// Model.
    pub shape: Shape,
    /// Sequences per step.
    pub batch: u64,
    /// Token budget as written.
    pub budget: Tokens,
    /// Steps of the whole run: floor(budget / tokens per step).
    pub steps: u64,
    /// Replicates.
    pub replicates: u32,
    /// Sources by name.
    pub sources: BTreeMap<SourceName, PlanSource>,
    /// Mixtures by name, resolved to sources.
    pub mixtures: BTreeMap<String, Mixture>,
    /// The trunk, over the whole budget, so that its identity does not depend on the windows asked
    /// about; it is only trained as far as the last branch point.
    pub trunk: RunSpec,
    /// Trunks of other model sizes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Trunk>,
    /// Where the trunk was trained elsewhere, up to its first step here: what is known of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub import: Option<Import>,
    /// Distinct branches, sorted by (trunk, from_step, name): none before the one it goes on from.
    pub branches: Vec<Branch>,
    /// Questions as asked.
    pub questions: Vec<QuestionPlan>,
    /// Scoring.
    pub evaluation: Evaluation,
    /// What the user should know before spending a second.
    pub notes: Vec<Note>,
}

impl Plan {
    /// A trunk's checkpoints that are kept: those that branches start from or that are scored.
    pub fn kept_steps(&self, trunk: usize) -> Vec<u64> {
        let mut steps = self.branch_points_of(trunk);
        if trunk == 0 {
            steps.extend(self.evaluation.tasks.iter().flat_map(|tasks| &tasks.at));
        }
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// Identity of the whole plan.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_value(self)
    }

    /// Tokens per step.
    pub fn tokens_per_step(&self) -> Tokens {
        Tokens(self.batch * self.shape.context as u64)
    }

    /// The trunk's checkpoints that branches start from, ascending.
    pub fn branch_points(&self) -> Vec<u64> {
        self.branch_points_of(0)
    }

    /// The same of any trunk.
    pub fn branch_points_of(&self, trunk: usize) -> Vec<u64> {
        let starts = self.branches.iter().filter(|b| b.trunk == trunk && b.after.is_none());
        let mut points: Vec<u64> = starts.map(|branch| branch.from_step).collect();
        points.dedup(); // Branches are sorted by the step they start at.
        points
    }

    /// All trunks, the study's own first.
    pub fn trunks(&self) -> impl Iterator<Item = &RunSpec> {
        std::iter::once(&self.trunk).chain(self.others.iter().map(|other| &other.spec))
    }

    /// The trunk of a branch.
    pub fn trunk_of(&self, branch: &Branch) -> &RunSpec {
        match branch.trunk.checked_sub(1) {
            None => &self.trunk,
            Some(other) => &self.others[other].spec,
        }
    }

    /// Sources that some run reads, sorted by name.
    pub fn sources_read(&self) -> BTreeSet<&SourceName> {
        let specs = self.branches.iter().map(|branch| &branch.spec).chain(self.trunks());
        let phases = specs.flat_map(|spec| &spec.phases);
        phases.flat_map(|phase| phase.mixture.proportions().keys()).collect()
    }

    /// The branches whose ends are compared, with their indices.
    pub fn compared(&self) -> impl Iterator<Item = (usize, &Branch)> {
        self.branches.iter().enumerate().filter(|(_, branch)| branch.compared)
    }

    /// Tokens the trunk read before it was imported, of all sources of its ledger; 0 for a trunk
    /// that is trained here from its first step.
    pub fn imported_tokens(&self) -> Tokens {
        let drawn: u64 = self.trunk.opening.iter().map(|(_, drawn)| drawn).sum();
        Tokens(drawn * self.shape.context as u64)
    }
}
