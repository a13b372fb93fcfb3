//! The plan: a study resolved, every derived number in canonical order.
//!
//! A plan is arithmetic over sizes and identities of sources; it reads no token. Two machines with
//! the same study and the same text make the same plan, byte for byte.

mod notes;
pub(crate) mod stock;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{DomainName, Fingerprint, Seed, SourceName, Tokens};
use sparkjoy_data::{Corpus, Tokenizer};
use sparkjoy_eval::{BaselineVersion, Selection};
use sparkjoy_mix::{Ledger, Mixture, Phase, Supply};
use sparkjoy_nn::Shape;
use sparkjoy_train::{RunSpec, Start};

use crate::account::Account;
use crate::fit::check_epochs;
use crate::import::{self, Import, TrunkProblem};
use crate::mixtures::mixtures;
use crate::note::Note;
use crate::problem::Problem;
use crate::question::Tree;
use crate::study::CONFIDENCE;
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

/// A trunk of another model size, for a question that is transferred to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trunk {
    /// First part of the names of its jobs and branches: `l2-w64-h2`.
    pub name: String,
    /// What it is called in tables: `2 layers, width 64, 2 heads`.
    pub label: String,
    /// What determines its numbers.
    pub spec: RunSpec,
}

/// A run that starts at a checkpoint of a trunk or of another branch: one per mixture, window and
/// replicate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// `upsampled-10%-r1`: unique in the plan, without its fingerprint.
    pub name: String,
    /// What it is called in tables: `upsampled`, `base`, `upsampled − math`.
    pub label: String,
    /// Its window as written, `10%`; with what follows it, `10% at 50%, then base`.
    pub window: String,
    /// Steps that are its own: those after `from_step`.
    pub window_steps: u64,
    /// Replicate, from 0.
    pub replicate: u32,
    /// Which trunk it belongs to: 0 is the study's own, 1 the first of [`Plan::others`].
    #[serde(default)]
    pub trunk: usize,
    /// The branch it goes on from, an index into [`Plan::branches`]; none for the trunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<usize>,
    /// Whether a question compares its end. Else it is only there to be gone on from.
    pub compared: bool,
    /// The step it starts at: a branch point of its trunk, or the last step of `after`.
    pub from_step: u64,
    /// What determines its numbers. Its folder is `<name>-<fingerprint>`. It begins at the branch
    /// point of the trunk, also where the branch goes on from another one.
    pub spec: RunSpec,
    /// Per source, for the steps that are its own.
    pub accounts: BTreeMap<SourceName, Account>,
}

impl Branch {
    /// The mixture of the steps that are its own.
    pub fn mixture(&self) -> &Mixture {
        &self.spec.phases.last().expect("a branch has a phase").mixture
    }
}

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
    /// Who gets the freed share of a removal, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refill: Option<String>,
    /// What the question aims at in this comparison: the sources that get more than in the control,
    /// for a removal those that are removed.
    pub targets: BTreeSet<SourceName>,
    /// Indices into [`Plan::branches`], one per replicate.
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

/// A question expanded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuestionPlan {
    /// Which.
    pub ask: Ask,
    /// The mixture asked about; for an addition, the one that makes room; none where several are
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
}

/// How branches are scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Held-out tokens per source.
    pub held_out: Tokens,
    /// How sure intervals and marks are.
    #[serde(default = "usual_confidence", skip_serializing_if = "is_usual")]
    pub confidence: f64,
    /// Tasks, where there are any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tasks: Option<TaskPlan>,
    /// Sources that may hold items of the tasks.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub contaminated: BTreeSet<SourceName>,
}

fn usual_confidence() -> f64 {
    CONFIDENCE
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_usual(confidence: &f64) -> bool {
    (confidence - CONFIDENCE).abs() < f64::EPSILON
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
        let opened = import::open(study, &sources, vocab, tokenizer)?;
        let rows = vocab.next_multiple_of(VOCAB_BLOCK);
        let shape = shape(study, opened.as_ref().map_or(rows, import::Opened::rows))?;
        let mixtures = mixtures(study, &sources)?;
        let clock = study.training.clock;
        let base = &mixtures[&study.trunk.value];
        let mut trunk = RunSpec {
            model: shape.into(),
            precision: study.training.precision,
            tokenizer,
            optimizer: study.training.optimizer,
            schedule: study.training.schedule,
            grad_clip: study.training.grad_clip,
            batch: clock.batch,
            seed: study.seed(),
            replicate: 0,
            supplies: supplies(std::iter::once(base), &sources),
            opening: Ledger::default(),
            first_phase: 0,
            phases: vec![Phase { mixture: base.clone(), slots: clock.steps() * clock.batch }],
            first_step: 0,
            start: Start::Fresh,
            anneal: None,
        };
        if let Some(opened) = &opened {
            opened.check_shape(study, &shape)?;
            trunk.first_step = opened.step;
            trunk.phases[0].slots -= opened.step * clock.batch;
            trunk.opening = opened.opening.clone();
            trunk.start = opened.start(study)?;
        }
        let mut tree = Tree::new(study, &sources, &mixtures, &trunk)?;
        let questions = tree.questions()?;
        let (others, branches, questions) = tree.sorted(questions);
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
            others,
            import: opened.map(|opened| opened.import),
            branches,
            questions,
            evaluation: Evaluation {
                held_out: study.evaluation.held_out,
                confidence: study.evaluation.confidence,
                tasks: None,
                contaminated: study.evaluation.contaminated.clone(),
            },
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
        let first = self.trunk.first_step;
        if let Some(&(step, line)) = evaluation.at.iter().find(|(step, _)| *step < first) {
            let problem = TrunkProblem::NeverHere { step, first };
            return Err(study.problem(line, Problem::Trunk(problem)));
        }
        Ok((!evaluation.selection.tasks.is_empty()).then(|| TaskPlan {
            selection: evaluation.selection.clone(),
            baselines: evaluation.baselines,
            limit: evaluation.limit,
            at: evaluation.at.iter().map(|&(step, _)| step).collect(),
        }))
    }

    /// A trunk's checkpoints that are kept: those that branches start from or that are scored.
    pub(crate) fn kept_steps(&self, trunk: usize) -> Vec<u64> {
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
}

fn shape(study: &Study, rows: usize) -> Result<Shape, LabError> {
    let model = &study.model;
    let shape = Shape {
        layers: model.layers,
        width: model.width,
        heads: model.heads,
        context: model.context,
        vocab: rows,
        clip_qkv: model.clip_qkv,
    };
    shape.check().map_err(|why| study.problem(model.line, Problem::Shape(why)))?;
    Ok(shape)
}

/// The supplies that mixtures draw from, sorted by name: a run's identity does not depend on
/// sources it never reads.
pub(crate) fn supplies<'a>(
    mixtures: impl Iterator<Item = &'a Mixture>,
    sources: &BTreeMap<SourceName, PlanSource>,
) -> Vec<Supply> {
    let names: BTreeSet<&SourceName> = mixtures.flat_map(|m| m.proportions().keys()).collect();
    names.into_iter().map(|name| sources[name].supply.clone()).collect()
}

#[cfg(test)]
mod paper_tests;
#[cfg(test)]
mod real_text_tests;
#[cfg(test)]
mod tests;
