//! Makes a plan of a study: arithmetic over sizes and identities of sources.

mod apportion;
mod epochs;
mod import;
mod mixtures;
mod notes;
mod question;
mod sources;

use std::collections::{BTreeMap, BTreeSet};

use sparkjoy_base::{Fingerprint, Problem, SourceName, thousands};
use sparkjoy_data::{Corpus, Tokenizer};
use sparkjoy_mix::{Ledger, Mixture, Phase, Source};
use sparkjoy_spec::{RunSpec, Shape, Start};

use crate::plan::{Evaluation, Plan, PlanSource, TaskPlan};
use crate::{Study, StudyError};
use epochs::check_epochs;
use mixtures::mixtures;
use question::BranchTree;

pub use apportion::apportion;
pub use mixtures::blended;
pub use sources::plan_sources;

/// Rows of an embedding come in blocks of this many, as in DBRX's 100,352 for cl100k's 100,277
/// ids, so that products over the vocabulary keep whole tiles.
const VOCAB_BLOCK: usize = 128;

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
    /// [`StudyError::Problem`] for a study that cannot be done with these sources: one too small,
    /// starved, read past its `max_epochs`, or removed from where it is not.
    pub fn new(
        study: &Study,
        corpora: &[Corpus],
        tokenizer: &Tokenizer,
    ) -> Result<Self, StudyError> {
        let identity = tokenizer.fingerprint();
        let sources = plan_sources(study, corpora, identity)?;
        Self::resolve(study, sources, tokenizer.vocab() as usize, identity)
    }

    /// Resolves a study over sources of known size.
    ///
    /// # Errors
    ///
    /// As [`Plan::new`].
    pub fn resolve(
        study: &Study,
        sources: BTreeMap<SourceName, PlanSource>,
        vocab: usize,
        tokenizer: Fingerprint,
    ) -> Result<Self, StudyError> {
        let opened = import::open(study, &sources, vocab, tokenizer)?;
        let rows = vocab.next_multiple_of(VOCAB_BLOCK);
        let shape = shape(study, opened.as_ref().map_or(rows, import::OpenedModel::rows))?;
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
            supplies: sources_of(std::iter::once(base), &sources),
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
        let mut tree = BranchTree::new(study, &sources, &mixtures, &trunk)?;
        let questions = tree.questions()?;
        let (trunks, branches, questions) = tree.sorted(questions);
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
            trunks,
            import: opened.as_ref().map(|opened| opened.import),
            branches,
            questions,
            evaluation: Evaluation {
                held_out: study.evaluation.held_out,
                confidence: study.evaluation.confidence,
                tasks: None,
                contaminated: study.evaluation.contaminated.clone(),
            },
            objective: study.objective.clone(),
            notes: vec![],
        };
        plan.evaluation.tasks = plan.tasks(study)?;
        plan.notes = notes::notes(study, &plan);
        plan.notes.extend(opened.and_then(|opened| opened.note()));
        Ok(plan)
    }

    /// Tasks, their steps checked against the tree.
    fn tasks(&self, study: &Study) -> Result<Option<TaskPlan>, Problem> {
        let evaluation = &study.evaluation;
        let last = self.branch_points().last().copied().unwrap_or(0);
        if let Some(&(step, line)) = evaluation.at.iter().find(|(step, _)| *step > last) {
            let text = format!(
                "`at` asks for step {}, expected at most {}, the last that a branch starts from: \
                 the trunk is trained no further",
                thousands(step),
                thousands(last)
            );
            let hint = "ask for an earlier one; the branch on the trunk's mixture is scored at its \
                        end";
            return Err(study.problem(line, text).with_hint(hint));
        }
        let first = self.trunk().first_step;
        if let Some(&(step, line)) = evaluation.at.iter().find(|(step, _)| *step < first) {
            let (step, first) = (thousands(step), thousands(first));
            let text = format!("`at` asks for step {step}, but the trunk begins at step {first}");
            let hint = format!("write steps from {first} on in `at`");
            return Err(study.problem(line, text).with_hint(hint));
        }
        Ok((!evaluation.selection.tasks.is_empty()).then(|| TaskPlan {
            selection: evaluation.selection.clone(),
            baselines: evaluation.baselines,
            limit: evaluation.limit,
            at: evaluation.at.iter().map(|&(step, _)| step).collect(),
        }))
    }
}

fn shape(study: &Study, rows: usize) -> Result<Shape, Problem> {
    let model = &study.model;
    let shape = Shape {
        layers: model.layers,
        width: model.width,
        heads: model.heads,
        context: model.context,
        vocab: rows,
        clip_qkv: model.clip_qkv,
    };
    check_shape(study, &shape, model.line)?;
    Ok(shape)
}

/// Refuses a shape that cannot be built. `line`: where it is asked for.
fn check_shape(study: &Study, shape: &Shape, line: usize) -> Result<(), Problem> {
    let text = |why| format!("the model cannot be built: {why}");
    shape.check().map_err(|why| study.problem(line, text(why)))
}

/// The sources that mixtures draw from, sorted by name: a run's identity does not depend on
/// sources it never reads.
pub(crate) fn sources_of<'a>(
    mixtures: impl Iterator<Item = &'a Mixture>,
    sources: &BTreeMap<SourceName, PlanSource>,
) -> Vec<Source> {
    let names: BTreeSet<&SourceName> = mixtures.flat_map(|m| m.proportions().keys()).collect();
    names.into_iter().map(|name| sources[name].identity.clone()).collect()
}

#[cfg(test)]
mod paper_tests;
#[cfg(test)]
mod real_text_tests;
#[cfg(test)]
mod tests;
