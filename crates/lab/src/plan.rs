//! The plan: a study resolved, every derived number in canonical order.
//!
//! A plan is arithmetic over sizes and identities of sources; it reads no token. Two machines with
//! the same study and the same text make the same plan, byte for byte.

mod notes;
pub(crate) mod stock;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{DomainName, Fingerprint, Seed, SourceName, Tokens};
use sparkjoy_data::{Corpus, Tokenizer};
use sparkjoy_eval::{BaselineVersion, Selection};
use sparkjoy_mix::{Ledger, Mixture, Phase, Supply};
use sparkjoy_nn::Shape;
use sparkjoy_train::{RunSpec, Start};

use crate::account::Account;
use crate::fit::check_epochs;
use crate::mixtures::mixtures;
use crate::note::Note;
use crate::problem::Problem;
use crate::question::Tree;
use crate::{LabError, Study};

/// Rows of an embedding come in blocks of this many, as in DBRX's 100,352 for cl100k's 100,277
/// ids, so that products over the vocabulary keep whole tiles.
const VOCAB_BLOCK: usize = 128;

/// A source as planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanSource {
    /// Its domain.
    pub domain: DomainName,
    /// Name, identity, sequences per epoch.
    pub supply: Supply,
    /// Tokens per epoch.
    pub tokens: Tokens,
    /// Declared by size rather than prepared.
    pub declared: bool,
    /// Epochs it may be read at most.
    pub max_epochs: Option<f64>,
    /// Identity of its held-out text; none where it is declared.
    pub held_out: Option<Fingerprint>,
}

/// A run that starts at a trunk checkpoint: one per mixture, window and replicate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// `upsampled-10%-r1`: unique in the plan, without its fingerprint.
    pub name: String,
    /// What it is called in tables: `upsampled`, `base`, `upsampled − math`.
    pub label: String,
    /// Its window as written, `10%`.
    pub window: String,
    /// Steps of the window.
    pub window_steps: u64,
    /// Replicate, from 0.
    pub replicate: u32,
    /// The step it starts at.
    pub from_step: u64,
    /// What determines its numbers. Its folder is `<name>-<fingerprint>`.
    pub spec: RunSpec,
    /// Per source.
    pub accounts: BTreeMap<SourceName, Account>,
}

/// What a question asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ask {
    /// How long should the last phase be?
    Duration,
    /// What is each source worth?
    Removal,
}

/// One comparison of a question: branches against their control, replicate by replicate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arm {
    /// Row label: `10%`, `− math`.
    pub label: String,
    /// Indices into [`Plan::branches`], one per replicate.
    pub branches: Vec<usize>,
    /// The branches each is compared with, one per replicate.
    pub controls: Vec<usize>,
    /// What the control is, in words: `base, same 10% window`.
    pub control_label: String,
}

/// A question expanded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionPlan {
    /// Which.
    pub ask: Ask,
    /// The mixture asked about.
    pub mixture: String,
    /// Its comparisons. Duration: one per window against base. Removal: the full mixture against
    /// base, then per removal one against the full mixture and one against base.
    pub arms: Vec<Arm>,
}

/// How branches are scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Held-out tokens per source.
    pub held_out: Tokens,
    /// Tasks, where there are any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tasks: Option<TaskPlan>,
}

/// Which tasks are scored, how, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskPlan {
    /// Tasks and suites with their definitions.
    pub selection: Selection,
    /// Which baselines are subtracted.
    pub baselines: BaselineVersion,
    /// Items of each task at most; without it, all.
    pub limit: Option<u64>,
    /// Steps of the trunk that are scored beside the branches, ascending.
    pub at: Vec<u64>,
}

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
    /// Distinct branches, sorted by (from_step, name).
    pub branches: Vec<Branch>,
    /// Questions as asked.
    pub questions: Vec<QuestionPlan>,
    /// Scoring.
    pub evaluation: Evaluation,
    /// What the user should know before spending a second.
    pub notes: Vec<Note>,
}

impl Plan {
    /// Resolves a study. `corpora`: prepared sources by name; declared sources need none.
    ///
    /// # Guarantees
    ///
    /// - Every branch has a control with the same window, learning-rate curve and replicate.
    /// - A run that two questions need is planned once.
    /// - The trunk's identity does not depend on the questions.
    ///
    /// # Errors
    ///
    /// [`LabError::Study`] for a study that cannot be done with these sources: one too small,
    /// starved, read past its `max_epochs`, or removed from where it is not.
    pub fn new(study: &Study, corpora: &[Corpus], tokenizer: &Tokenizer) -> Result<Self, LabError> {
        let identity = tokenizer.fingerprint();
        let sources = stock::sources(study, corpora, identity)?;
        Self::resolve(study, sources, tokenizer.vocab() as usize, identity)
    }

    /// Resolves a study over sources of known size.
    pub(crate) fn resolve(
        study: &Study,
        sources: BTreeMap<SourceName, PlanSource>,
        vocab: usize,
        tokenizer: Fingerprint,
    ) -> Result<Self, LabError> {
        let shape = shape(study, vocab)?;
        let mixtures = mixtures(study, &sources)?;
        let clock = study.training.clock;
        let base = &mixtures[&study.trunk.value];
        let trunk = RunSpec {
            shape,
            precision: study.training.precision,
            tokenizer,
            optimizer: study.training.optimizer,
            schedule: study.training.schedule,
            grad_clip: study.training.grad_clip,
            batch: clock.batch,
            seed: study.seed(),
            replicate: 0,
            supplies: supplies(base, &sources),
            opening: Ledger::default(),
            first_phase: 0,
            phases: vec![Phase { mixture: base.clone(), slots: clock.steps() * clock.batch }],
            first_step: 0,
            start: Start::Fresh,
        };
        let mut tree = Tree::new(study, &sources, &mixtures, &trunk)?;
        let questions = tree.questions()?;
        let (branches, questions) = tree.sorted(questions);
        check_epochs(study, &sources, &trunk, &branches)?;
        let mut plan = Self {
            name: study.name().to_owned(),
            seed: study.seed(),
            shape,
            batch: clock.batch,
            budget: clock.budget,
            steps: clock.steps(),
            replicates: study.training.replicates,
            sources,
            mixtures,
            trunk,
            branches,
            questions,
            evaluation: Evaluation { held_out: study.evaluation.held_out, tasks: None },
            notes: vec![],
        };
        plan.evaluation.tasks = plan.tasks(study)?;
        plan.notes = notes::notes(study, &plan);
        Ok(plan)
    }

    /// Tasks, their steps checked against the tree.
    fn tasks(&self, study: &Study) -> Result<Option<TaskPlan>, LabError> {
        let evaluation = &study.evaluation;
        let last = self.branch_points().last().copied().unwrap_or(0);
        if let Some(&(step, line)) = evaluation.at.iter().find(|(step, _)| *step > last) {
            return Err(study.problem(line, Problem::NeverReached { step, last }));
        }
        Ok((!evaluation.selection.tasks.is_empty()).then(|| TaskPlan {
            selection: evaluation.selection.clone(),
            baselines: evaluation.baselines,
            limit: evaluation.limit,
            at: evaluation.at.iter().map(|&(step, _)| step).collect(),
        }))
    }

    /// The trunk's checkpoints that are kept: those that branches start from or that are scored.
    pub(crate) fn kept_steps(&self) -> Vec<u64> {
        let mut steps = self.branch_points();
        steps.extend(self.evaluation.tasks.iter().flat_map(|tasks| &tasks.at));
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
        let mut points: Vec<u64> = self.branches.iter().map(|branch| branch.from_step).collect();
        points.dedup(); // Branches are sorted by the step they start at.
        points
    }
}

fn shape(study: &Study, vocab: usize) -> Result<Shape, LabError> {
    let model = &study.model;
    let shape = Shape {
        layers: model.layers,
        width: model.width,
        heads: model.heads,
        context: model.context,
        vocab: vocab.next_multiple_of(VOCAB_BLOCK),
        clip_qkv: model.clip_qkv,
    };
    shape.check().map_err(|why| study.problem(model.line, Problem::Shape(why)))?;
    Ok(shape)
}

/// The supplies a mixture draws from, sorted by name: a run's identity does not depend on sources
/// it never reads.
pub(crate) fn supplies(
    mixture: &Mixture,
    sources: &BTreeMap<SourceName, PlanSource>,
) -> Vec<Supply> {
    mixture.proportions().keys().map(|name| sources[name].supply.clone()).collect()
}

#[cfg(test)]
mod paper_tests;
#[cfg(test)]
mod real_text_tests;
#[cfg(test)]
mod tests;
