//! A trunk that was trained elsewhere: what it is, how far it is, what it has read.
//!
//! A checkpoint of ours says its step and its ledger itself; the study may leave them out and may
//! not contradict them. Of any other model the study declares both.

mod notes;
mod problem;

use std::collections::BTreeMap;

use sparkjoy_base::{Fingerprint, Ppm, SourceName, Tokens};
use sparkjoy_mix::Ledger;
use sparkjoy_nn::Shape;
use sparkjoy_train::{ModelFolder, RunSpec, Start, check_shape, imported, read_spec};

use crate::StudyError;
use crate::plan::{Import, PlanSource};
use crate::problem::Problem;
use crate::written::{Placed, Study, WrittenImport};

pub(crate) use notes::notes;
pub use problem::TrunkProblem;

/// A model that was opened for a plan.
pub(crate) struct Opened<'a> {
    written: &'a WrittenImport,
    model: ModelFolder,
    pub(crate) import: Import,
    /// Steps it stands for.
    pub(crate) step: u64,
    /// What it has read.
    pub(crate) opening: Ledger,
}

impl Opened<'_> {
    /// The state a run starts from; reads every weight once.
    ///
    /// # Errors
    ///
    /// Weights or moments that cannot be trained on from.
    pub(crate) fn start(&self, study: &Study) -> Result<Start, StudyError> {
        let kind = study.training.optimizer;
        Ok(imported(&self.model, self.written.saved.then_some((kind, self.step)))?)
    }

    /// Rows of its embedding.
    pub(crate) fn rows(&self) -> usize {
        self.model.shape().vocab
    }

    /// Refuses a study of a model of another shape.
    pub(crate) fn check_shape(&self, study: &Study, shape: &Shape) -> Result<(), StudyError> {
        check_shape(&self.model, shape).map_err(|why| {
            study.problem(study.model.line, Problem::Trunk(TrunkProblem::Shape(why)))
        })
    }
}

/// Opens the model a study's trunk comes from, if it comes from one.
///
/// - `ids`, `tokenizer`: of the study's tokenizer.
///
/// # Errors
///
/// [`TrunkProblem`] where study and model do not fit; what cannot be opened.
pub(crate) fn open<'a>(
    study: &'a Study,
    sources: &BTreeMap<SourceName, PlanSource>,
    ids: usize,
    tokenizer: Fingerprint,
) -> Result<Option<Opened<'a>>, StudyError> {
    let Some(written) = &study.import else { return Ok(None) };
    let model = ModelFolder::open(&written.from.value)?;
    let tokenizer_known = check_tokenizer(study, &model, ids, tokenizer)?;
    let ours = match model.step() {
        None => None,
        Some(_) => run_of(&model),
    };
    if let Some(run) = &ours {
        check_run(study, run, &model, sources)?;
    }
    let step = step(study, written, &model)?;
    let opening = ledger(study, written, &model, sources, step)?;
    // A replicate, or a branch of one, read what was left in an order of its own.
    let same_order = ours.is_some_and(|run| run.start == Start::Fresh && run.seed == study.seed());
    let import = Import { same_order, tokenizer_known };
    Ok(Some(Opened { written, model, import, step, opening }))
}

fn at(study: &Study, line: usize, problem: TrunkProblem) -> StudyError {
    study.problem(line, Problem::Trunk(problem))
}

/// The tokenizer must be the study's; whether the folder says so.
fn check_tokenizer(
    study: &Study,
    model: &ModelFolder,
    ids: usize,
    tokenizer: Fingerprint,
) -> Result<bool, StudyError> {
    let line = study.import.as_ref().map_or(0, |written| written.from.line);
    let folder = model.path();
    let rows = model.shape().vocab;
    if ids > rows {
        return Err(at(study, line, TrunkProblem::Rows { rows: rows as u64, ids: ids as u64 }));
    }
    let path = folder.join("tokenizer.json");
    if !path.exists() {
        return Ok(false);
    }
    let found = model.tokenizer()?;
    if !found.is_ours() {
        return Err(at(study, line, TrunkProblem::ForeignTokenizer { path }));
    }
    if found.fingerprint() != tokenizer {
        return Err(at(study, line, TrunkProblem::OtherTokenizer { folder: folder.to_owned() }));
    }
    Ok(true)
}

/// What the run of a checkpoint was, where its folder still lies in the run's.
fn run_of(model: &ModelFolder) -> Option<RunSpec> {
    let spec = read_spec(model.path().parent()?).ok()?;
    (Some(spec.fingerprint()) == model.run()).then_some(spec)
}

/// A ledger is about the sequences of certain texts, a step about so many of them.
fn check_run(
    study: &Study,
    run: &RunSpec,
    model: &ModelFolder,
    sources: &BTreeMap<SourceName, PlanSource>,
) -> Result<(), StudyError> {
    let line = study.import.as_ref().map_or(0, |written| written.from.line);
    let (found, expected) = (run.batch, study.training.clock.batch);
    if found != expected {
        return Err(at(study, line, TrunkProblem::OtherClock { what: "batch", found, expected }));
    }
    for supply in &run.supplies {
        let read = model.ledger().map_or(0, |ledger| ledger.drawn(&supply.name));
        let source = sources.get(&supply.name).filter(|_| read > 0);
        if source.is_some_and(|source| source.supply.fingerprint != supply.fingerprint) {
            let source_name = supply.name.clone();
            return Err(at(study, line, TrunkProblem::OtherText { source_name }));
        }
    }
    Ok(())
}

fn step(study: &Study, written: &WrittenImport, model: &ModelFolder) -> Result<u64, StudyError> {
    let of = study.training.clock.steps();
    match (&written.step, model.step()) {
        (Some(step), Some(found)) if step.value != found => {
            let written = step.value;
            Err(at(study, step.line, TrunkProblem::OtherStep { written, found }))
        }
        (_, Some(step)) if !(1..of).contains(&step) => {
            let problem = TrunkProblem::Beyond { found: step, of };
            Err(at(study, written.from.line, problem))
        }
        (_, Some(step)) => Ok(step),
        (Some(step), None) => Ok(step.value),
        (None, None) => {
            let folder = model.path().to_owned();
            Err(at(study, written.from.line, TrunkProblem::Untold { key: "step", folder }))
        }
    }
}

fn ledger(
    study: &Study,
    written: &WrittenImport,
    model: &ModelFolder,
    sources: &BTreeMap<SourceName, PlanSource>,
    step: u64,
) -> Result<Ledger, StudyError> {
    let clock = study.training.clock;
    let declared = written.read.as_ref().map(|read| {
        let in_sequences = read.value.iter().map(|(name, amount)| {
            let in_epoch = sources[name].supply.sequences;
            (name.clone(), amount.sequences(in_epoch, clock.context))
        });
        Placed { value: Ledger::new(in_sequences.collect()), line: read.line }
    });
    let Some(found) = model.ledger() else {
        let Some(declared) = declared else {
            let folder = model.path().to_owned();
            return Err(at(study, written.from.line, TrunkProblem::Untold { key: "read", folder }));
        };
        let read: u64 = declared.value.iter().map(|(_, drawn)| drawn).sum();
        // Rounding to whole steps and sequences is no contradiction.
        if read > (step + 1) * clock.batch {
            let tokens = |sequences: u64| Tokens(sequences * clock.context);
            let (read, before) = (tokens(read), tokens(step * clock.batch));
            let problem = TrunkProblem::ReadTooMuch { read, before, step };
            return Err(at(study, declared.line, problem));
        }
        return Ok(declared.value);
    };
    let (of, expected) = (model.shape().context as u64, clock.context);
    if of != expected {
        let problem = TrunkProblem::OtherClock { what: "context", found: of, expected };
        return Err(at(study, written.from.line, problem));
    }
    if let Some(declared) = declared {
        // Of sources the study does not have it cannot speak.
        let names = sources.keys();
        let differs = |name: &&SourceName| declared.value.drawn(name) != found.drawn(name);
        if let Some(name) = names.into_iter().find(differs) {
            let problem = TrunkProblem::OtherRead {
                source_name: name.clone(),
                written: declared.value.drawn(name),
                found: found.drawn(name),
            };
            return Err(at(study, declared.line, problem));
        }
    }
    Ok(found.clone())
}

impl TrunkProblem {
    /// A branch that would start at `step` of a trunk that begins later.
    pub(crate) fn before_import(step: u64, trunk: &RunSpec) -> Self {
        let (first, last) = (trunk.first_step, trunk.last_step());
        let share = u128::from(last - first) * u128::from(Ppm::ONE.0) / u128::from(last);
        // Down to hundredths of a percent: what is said to fit must fit.
        let longest = Ppm(share as u32 / 100 * 100);
        Self::BeforeImport { step, first, longest }
    }
}

#[cfg(test)]
mod tests;
