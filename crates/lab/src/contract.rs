//! INTERFACE SKETCH, to be split by subject (study.rs, mixtures.rs, question.rs, plan.rs,
//! account.rs, job.rs, executor.rs, answers.rs, report.rs, …).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{DomainName, Fingerprint, Seed, SourceName, Tokens};
use sparkjoy_data::{Corpus, Tokenizer};
use sparkjoy_mix::{Mixture, Supply};
use sparkjoy_nn::Shape;
use sparkjoy_train::RunSpec;

use crate::{LabError, Study};

/// A source as planned.
#[derive(Clone, Debug, Serialize, Deserialize)]
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

/// What a branch (with the trunk before it) reads of one source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// Proportion in the branch's mixture, ppm (0 if not named).
    pub proportion: u32,
    /// Tokens drawn in the trunk before the branch point.
    pub trunk: Tokens,
    /// Tokens drawn in the branch.
    pub branch: Tokens,
    /// Of those, read for the first time.
    pub fresh: Tokens,
    /// Of those, read before.
    pub repeated: Tokens,
    /// Epochs at the end, trunk included.
    pub epochs: f64,
}

/// A run that starts at a trunk checkpoint: one per mixture, window and replicate.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QuestionPlan {
    /// Which.
    pub ask: Ask,
    /// The mixture asked about.
    pub mixture: String,
    /// Its comparisons. Duration: one per window against base. Removal: the full mixture against
    /// base, then one per removal against the full mixture and its own line against base.
    pub arms: Vec<Arm>,
}

/// How branches are scored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Evaluation {
    /// Held-out tokens per source.
    pub held_out: Tokens,
}

/// The study resolved: every derived number, in canonical order.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    /// The trunk, over the whole budget; it is only trained as far as the last branch point.
    pub trunk: RunSpec,
    /// Distinct branches, sorted by (from_step, name).
    pub branches: Vec<Branch>,
    /// Questions as asked.
    pub questions: Vec<QuestionPlan>,
    /// Scoring.
    pub evaluation: Evaluation,
    /// What the user should know before spending a second (typed enum in the end).
    pub notes: Vec<String>,
}

impl Plan {
    /// Resolves a study. `corpora`: prepared sources by name; declared sources need none.
    pub fn new(study: &Study, corpora: &[Corpus], tokenizer: &Tokenizer) -> Result<Self, LabError> {
        let _ = (study, corpora, tokenizer);
        todo!()
    }

    /// Identity of the whole plan.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_value(self)
    }

    /// The trunk's checkpoints that branches start from, ascending.
    pub fn branch_points(&self) -> Vec<u64> {
        todo!()
    }
}
