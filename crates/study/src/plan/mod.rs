//! The plan: a study resolved, every derived number in canonical order.
//!
//! Plain types and what follows from them by arithmetic. A plan reads no token: two machines with
//! the same study and the same text make the same plan, byte for byte.

mod branch;
mod cost;
mod evaluation;
mod identity;
mod notes;
mod objective;
mod question;
mod source;
mod source_tokens;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Seed, SourceName, Tokens};
use sparkjoy_mix::Mixture;
use sparkjoy_spec::{RunSpec, Shape};

pub use branch::{Branch, Trunk};
pub use cost::{Effort, TimeEstimate, TreeCost};
pub use evaluation::{CONFIDENCE, Evaluation, TaskPlan};
pub use notes::{EPOCHS_WORTH_READING, Note};
pub use objective::{Guard, Measured, Objective, Target, Unit};
pub use question::{Arm, Ask, QuestionPlan, Role, Setting, Simplex};
pub use source::{Import, PlanSource};
pub use source_tokens::SourceTokens;
pub(crate) use source_tokens::accounts;

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
    /// The study's own trunk, then those of other model sizes.
    pub trunks: Vec<Trunk>,
    /// Where the trunk was trained elsewhere, up to its first step here: what is known of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub import: Option<Import>,
    /// Distinct branches, sorted by (trunk, from_step, name): none before the one it goes on from.
    pub branches: Vec<Branch>,
    /// Questions as asked.
    pub questions: Vec<QuestionPlan>,
    /// Scoring.
    pub evaluation: Evaluation,
    /// What to decide by, where the study says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<Objective>,
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

    /// Identity of the plan: of what is trained, on what, and of what is compared with what. How
    /// things are called, and notes, are not part of it.
    pub fn fingerprint(&self) -> Fingerprint {
        identity::fingerprint(self)
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

    /// The study's own trunk.
    pub fn trunk(&self) -> &RunSpec {
        &self.trunks[0].spec
    }

    /// The trunk of a branch.
    pub fn trunk_of(&self, branch: &Branch) -> &RunSpec {
        &self.trunks[branch.trunk].spec
    }

    /// Whether each replicate branches off a trunk of its own.
    pub fn own_trunks(&self) -> bool {
        self.branches.iter().any(|branch| branch.spec.seed != self.seed)
    }

    /// The branches, those that differ only in their replicate together, in the order of the plan.
    pub fn groups(&self) -> Vec<Vec<&Branch>> {
        let mut groups: Vec<Vec<&Branch>> = Vec::new();
        for branch in &self.branches {
            match groups.iter_mut().find(|group| group[0].group == branch.group) {
                Some(group) => group.push(branch),
                None => groups.push(vec![branch]),
            }
        }
        groups
    }

    /// Sources that some run reads, sorted by name.
    pub fn sources_read(&self) -> BTreeSet<&SourceName> {
        let specs = self
            .branches
            .iter()
            .map(|branch| &branch.spec)
            .chain(self.trunks.iter().map(|trunk| &trunk.spec));
        let phases = specs.flat_map(|spec| &spec.phases);
        phases.flat_map(|phase| phase.mixture.proportions().keys()).collect()
    }

    /// Sources that something may train on, sorted by name.
    pub fn seen(&self) -> impl Iterator<Item = (&SourceName, &PlanSource)> {
        self.sources.iter().filter(|(_, source)| !source.unseen)
    }

    /// Sources that nothing may train on, sorted by name.
    pub fn unseen(&self) -> impl Iterator<Item = &SourceName> {
        self.sources.iter().filter(|(_, source)| source.unseen).map(|(name, _)| name)
    }

    /// The branches whose ends are compared, with their indices.
    pub fn compared(&self) -> impl Iterator<Item = (usize, &Branch)> {
        self.branches.iter().enumerate().filter(|(_, branch)| branch.compared)
    }

    /// Tokens the trunk read before it was imported, of all sources of its ledger; 0 for a trunk
    /// that is trained here from its first step.
    pub fn imported_tokens(&self) -> Tokens {
        let drawn: u64 = self.trunk().opening.iter().map(|(_, drawn)| drawn).sum();
        Tokens(drawn * self.shape.context as u64)
    }
}
