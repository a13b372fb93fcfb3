//! A trunk that was trained elsewhere: what it is, how far it is, what it has read.
//!
//! A checkpoint of ours says its step and its ledger itself; the study may leave them out and may
//! not contradict them. Of any other model the study declares both.

mod notes;

use std::collections::BTreeMap;

use sparkjoy_base::toml_file::Placed;
use sparkjoy_base::{Fingerprint, Ppm, Problem, SourceName, Tokens, thousands};
use sparkjoy_mix::Ledger;
use sparkjoy_spec::{RunSpec, Shape, Start};
use sparkjoy_train::{ModelFolder, check_shape, imported, read_spec};

use crate::StudyError;
use crate::plan::{Import, Note, PlanSource};
use crate::written::{Study, WrittenImport};

pub(crate) use notes::notes;

/// How to say otherwise than a checkpoint of ours says by itself.
const COPY: &str = "copy its `config.json`, `*.safetensors` and `tokenizer*.json` into a folder of \
                    their own";

/// A model that was opened for a plan.
pub(crate) struct OpenedModel<'a> {
    written: &'a WrittenImport,
    model: ModelFolder,
    pub(crate) import: Import,
    pub(crate) step: u64,
    pub(crate) opening: Ledger,
    /// Whether all it has read is training text of this study, which is searched for what the study
    /// holds out; else the sources of which that is not known.
    known_text: Result<(), Vec<SourceName>>,
}

impl OpenedModel<'_> {
    /// What a plan says about what the trunk has read.
    pub(crate) fn note(&self) -> Option<Note> {
        let sources = self.known_text.clone().err()?;
        Some(Note::MayHaveRead { sources })
    }

    /// The state a run starts from; reads every weight once.
    ///
    /// # Errors
    ///
    /// Weights or moments that cannot be trained on from.
    pub(crate) fn start(&self, study: &Study) -> Result<Start, StudyError> {
        let kind = study.training.optimizer;
        Ok(imported(&self.model, self.written.saved.then_some((kind, self.step)))?)
    }

    pub(crate) fn rows(&self) -> usize {
        self.model.shape().vocab
    }

    /// Refuses a study of a model of another shape.
    pub(crate) fn check_shape(&self, study: &Study, shape: &Shape) -> Result<(), Problem> {
        check_shape(&self.model, shape)
            .map_err(|why| study.problem(study.model.line, why.to_string()).with_hint_of(&why))
    }
}

/// Opens the model a study's trunk comes from, if it comes from one.
///
/// - `ids`, `tokenizer`: of the study's tokenizer.
///
/// # Errors
///
/// [`StudyError::Problem`] where study and model do not fit; what cannot be opened.
pub(crate) fn open<'a>(
    study: &'a Study,
    sources: &BTreeMap<SourceName, PlanSource>,
    ids: usize,
    tokenizer: Fingerprint,
) -> Result<Option<OpenedModel<'a>>, StudyError> {
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
    let known_text = known_text(ours.as_ref(), &opening, sources);
    // A replicate, or a branch of one, read what was left in an order of its own.
    let same_order = ours.is_some_and(|run| run.start == Start::Fresh && run.seed == study.seed());
    let import = Import { same_order, tokenizer_known };
    Ok(Some(OpenedModel { written, model, import, step, opening, known_text }))
}

/// Whether a run has read nothing but sources of this study, as their fingerprints say. Of what a
/// folder elsewhere has read there are names at most.
fn known_text(
    run: Option<&RunSpec>,
    read: &Ledger,
    sources: &BTreeMap<SourceName, PlanSource>,
) -> Result<(), Vec<SourceName>> {
    let is_known = |name: &SourceName| {
        let read = run.into_iter().flat_map(|run| &run.supplies).find(|read| read.name == *name);
        let ours = sources.get(name);
        read.zip(ours).is_some_and(|(read, ours)| read.fingerprint == ours.identity.fingerprint)
    };
    let unknown: Vec<&SourceName> =
        read.iter().map(|(name, _)| name).filter(|name| !is_known(name)).collect();
    let is_all = run.is_some_and(|run| !matches!(run.start, Start::Imported { .. }));
    if is_all && unknown.is_empty() {
        return Ok(());
    }
    // A name that the study does not have says nothing in it.
    Err(unknown.into_iter().filter(|name| sources.contains_key(*name)).cloned().collect())
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
        let text = format!(
            "the model has {} rows of embedding, the study's tokenizer has {} ids",
            thousands(rows as u64),
            thousands(ids as u64)
        );
        let hint = "a model reads no other ids than it was trained on: write the tokenizer it was \
                    trained with";
        return Err(study.problem(line, text).with_hint(hint).into());
    }
    let path = folder.join("tokenizer.json");
    if !path.exists() {
        return Ok(false);
    }
    let found = model.tokenizer()?;
    if !found.is_ours() {
        let path = path.display();
        let text = format!("`{path}` is a tokenizer sparkjoy cannot prepare text with");
        let hint = format!(
            "text is prepared with `cl100k` or a tokenizer sparkjoy trained; if the model was \
             trained on the ids of one of these, move `{path}` away and the study's word is taken \
             for it"
        );
        return Err(study.problem(line, text).with_hint(hint).into());
    }
    if found.fingerprint() != tokenizer {
        let folder = folder.display();
        let text = format!("the tokenizer of the model in `{folder}` is not the study's");
        let hint = "write `[tokenizer]` with `kind = \"trunk\"`: the one in the model's folder";
        return Err(study.problem(line, text).with_hint(hint).into());
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
) -> Result<(), Problem> {
    let line = study.import.as_ref().map_or(0, |written| written.from.line);
    let (found, expected) = (run.batch, study.training.clock.batch);
    if found != expected {
        return Err(other_clock(study, "batch", found, expected));
    }
    for read_from in &run.supplies {
        let read = model.ledger().map_or(0, |ledger| ledger.drawn(&read_from.name));
        let source = sources.get(&read_from.name).filter(|_| read > 0);
        if source.is_some_and(|source| source.identity.fingerprint != read_from.fingerprint) {
            let name = &read_from.name;
            let text = format!("source `{name}` was other text when the checkpoint read it");
            return Err(study.problem(line, text).with_hint(format!(
                "give the source another name; or {COPY} and declare `step` and `[trunk.read]`"
            )));
        }
    }
    Ok(())
}

/// A checkpoint whose steps or sequences are of another length. `what`: the key of the length.
fn other_clock(study: &Study, what: &str, found: u64, expected: u64) -> Problem {
    let line = study.import.as_ref().map_or(0, |written| written.from.line);
    let text = format!(
        "the checkpoint was trained with a {what} of {}, the study's is {}",
        thousands(found),
        thousands(expected)
    );
    study.problem(line, text).with_hint(format!(
        "write `{what} = {found}`, or {COPY} and declare `step` and `[trunk.read]`"
    ))
}

fn step(study: &Study, written: &WrittenImport, model: &ModelFolder) -> Result<u64, Problem> {
    let of = study.training.clock.steps();
    match (&written.step, model.step()) {
        (Some(step), Some(found)) if step.value != found => {
            let text = format!(
                "`step` is step {}, but the checkpoint is of step {}",
                thousands(step.value),
                thousands(found)
            );
            Err(study.problem(step.line, text).with_hint(format!(
                "leave `step` out; to place the model elsewhere on the curve, {COPY}"
            )))
        }
        (_, Some(step)) if !(1..of).contains(&step) => {
            let text = format!(
                "the checkpoint is of step {}, expected one from 1 to {}, before the run's last",
                thousands(step),
                thousands(of - 1)
            );
            let hint = "raise `budget`: it covers the whole run, what the checkpoint has read \
                        included";
            Err(study.problem(written.from.line, text).with_hint(hint))
        }
        (_, Some(step)) => Ok(step),
        (Some(step), None) => Ok(step.value),
        (None, None) => {
            let hint = "write how far into this study's budget and learning-rate curve the model \
                        is: `step = \"90%\"`";
            Err(untold(study, written, model, "step").with_hint(hint))
        }
    }
}

/// What only a checkpoint of ours says by itself. `key`: where the study says it.
fn untold(study: &Study, written: &WrittenImport, model: &ModelFolder, key: &str) -> Problem {
    let folder = model.path().display();
    let text = format!("`[trunk]` has no `{key}`, and the model in `{folder}` does not say it");
    study.problem(written.from.line, text)
}

fn ledger(
    study: &Study,
    written: &WrittenImport,
    model: &ModelFolder,
    sources: &BTreeMap<SourceName, PlanSource>,
    step: u64,
) -> Result<Ledger, Problem> {
    let clock = study.training.clock;
    let declared = written.read.as_ref().map(|read| {
        let in_sequences = read.value.iter().map(|(name, amount)| {
            let in_epoch = sources[name].identity.sequences;
            (name.clone(), amount.sequences(in_epoch, clock.context))
        });
        Placed { value: Ledger::new(in_sequences.collect()), line: read.line }
    });
    let Some(found) = model.ledger() else {
        let Some(declared) = declared else {
            return Err(untold(study, written, model, "read").with_hint(
                "write under `[trunk.read]` how much of each source it has read, as `web = \"700M\"` \
                 or `web = { epochs = 1.5 }`; an empty table if nothing",
            ));
        };
        let read: u64 = declared.value.iter().map(|(_, drawn)| drawn).sum();
        // Rounding to whole steps and sequences is no contradiction.
        if read > (step + 1) * clock.batch {
            let tokens = |sequences: u64| Tokens(sequences * clock.context);
            let text = format!(
                "`read` adds up to {} tokens, expected at most the {} of the {} steps before it",
                tokens(read),
                tokens(step * clock.batch),
                thousands(step)
            );
            let hint = "raise `step`, or the budget: tokens the trunk has read are part of it";
            return Err(study.problem(declared.line, text).with_hint(hint));
        }
        return Ok(declared.value);
    };
    let (of, expected) = (model.shape().context as u64, clock.context);
    if of != expected {
        return Err(other_clock(study, "context", of, expected));
    }
    if let Some(declared) = declared {
        // Of sources the study does not have it cannot speak.
        let names = sources.keys();
        let differs = |name: &&SourceName| declared.value.drawn(name) != found.drawn(name);
        if let Some(name) = names.into_iter().find(differs) {
            let text = format!(
                "`read` says {} sequences of `{name}`, but the checkpoint has read {}",
                thousands(declared.value.drawn(name)),
                thousands(found.drawn(name))
            );
            let hint = format!("leave `[trunk.read]` out; to say otherwise, {COPY}");
            return Err(study.problem(declared.line, text).with_hint(hint));
        }
    }
    Ok(found.clone())
}

/// A branch that would start at `step` of a trunk that begins later.
pub(crate) fn before_import(study: &Study, line: usize, step: u64, trunk: &RunSpec) -> Problem {
    let (first, last) = (trunk.first_step, trunk.last_step());
    let share = u128::from(last - first) * u128::from(Ppm::ONE.0) / u128::from(last);
    // Down to hundredths of a percent: what is said to fit must fit.
    let longest = Ppm(share as u32 / 100 * 100);
    let text = format!(
        "a branch would start at step {}, but the trunk begins at step {}: the longest window is \
         {longest}",
        thousands(step),
        thousands(first)
    );
    study
        .problem(line, text)
        .with_hint(format!("ask for windows of at most {longest}, or import an earlier checkpoint"))
}

#[cfg(test)]
mod tests;
