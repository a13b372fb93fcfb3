//! A study made of what lies in a folder: its sources, counted, and a proposal that can be run.
//!
//! What it guesses it writes down with its reason; from there on the study is what its author
//! makes of it. It is planned before it is handed out, over the sizes that were found.

mod error;
mod proposal;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde::Serialize;
use sparkjoy_base::{DomainName, Fingerprint, Seed, SourceName, Tokens, bytes};
use sparkjoy_data::{
    Broken, DataError, LeftOut, OnBadDocument, Shared, SurveyedSource, Tokenizer, TokenizerError,
    count_tokens, sample_documents, survey,
};
use sparkjoy_mix::Source;
use sparkjoy_nn::{Compute, measure};
use sparkjoy_spec::Precision;

pub use error::DraftError;
use proposal::{LADDER, MAX_EPOCHS, Proposal, Refusal, SizedSource, propose};
use sparkjoy_study::PlanSource;
use sparkjoy_study::{Plan, Study};

/// The seed a study is written with, as in the template.
const SEED: Seed = Seed(17);
/// Bytes of each source's text that its tokenizer is trained on.
const SAMPLE: u64 = 2_000_000;
/// Bytes of text of a source whose tokens are all counted: a tenth of a second's work.
const COUNTED: u64 = 4 << 20;
/// Bytes of text a token stands for, before any has been counted.
const BYTES_PER_TOKEN: u64 = 3;

/// A study of a folder, not written yet.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The file.
    pub text: String,
    /// Its sources, in the order of the file.
    pub sources: Vec<DraftSource>,
    /// What lies in the folder and is no source, with the reason.
    pub left_out: Vec<LeftOut>,
    /// Held-out text that is trained on too, which `run` refuses.
    pub shared: Vec<Shared>,
    /// That which part gives way is a near tie by size, where it is.
    pub near_tie: Option<String>,
    /// Parameters of its model.
    pub parameters: u64,
    /// Tokens of its trunk.
    pub budget: Tokens,
    /// Tokens of all runs together.
    pub tree: Tokens,
    /// Seconds on this machine, estimated: training, and scoring of held-out text.
    pub seconds: f64,
}

/// A source of a draft.
#[derive(Clone, Debug, Serialize)]
pub struct DraftSource {
    /// Its name.
    pub name: SourceName,
    /// Its domain.
    pub domain: DomainName,
    /// Files, held-out ones included.
    pub files: u64,
    /// Tokens to train on.
    pub tokens: Tokens,
    /// Whether they were counted; else they are scaled from a sample.
    pub exact: bool,
    /// Share of the base mixture, in parts per million.
    pub base: u32,
    /// Share of the upsampled mixture, in parts per million.
    pub upsampled: u32,
    /// Epochs in the branch that reads it most often.
    pub epochs: f64,
    /// Its documents that cannot be used, among those read.
    pub broken: Option<Broken>,
    /// The line of the study that says what a document is, where that is not the usual.
    pub text: Option<String>,
}

/// A source as found, and counted.
struct MeasuredSource {
    found: SurveyedSource,
    sized: SizedSource,
}

/// Drafts a study of the text in `data`, to be written to `file`.
///
/// # Guarantees
///
/// The draft parses and its plan is accepted, over the sizes found here. Nothing is written.
///
/// # Errors
///
/// [`DraftError`] where the text is too little or there is nothing to compare; what goes wrong
/// with reading it; [`DraftError::Interrupted`] when told to stop.
pub fn draft(
    data: &Path,
    file: &Path,
    threads: usize,
    stop: &AtomicBool,
) -> Result<Draft, DraftError> {
    let named = text::Named::new(data, file)?;
    let found = survey(data, stop).map_err(|error| match error {
        DataError::Interrupted => DraftError::Interrupted,
        error => error.into(),
    })?;
    let mut left_out = found.left_out;
    enough(data, found.sources.iter().map(|source| &source.files.name), &left_out)?;
    let speed = flops_per_second(threads);
    let shared = found.shared;
    let (sources, proposal, vocab) = settle(data, found.sources, speed, &mut left_out)?;
    let mut text = text::write(&named, &sources, &proposal, vocab, None);
    let plan = plan(file, &text, &sources, vocab)?;
    let tree = plan.cost().tree.tokens;
    // As `sparkjoy plan` will say it.
    let compute = Compute { precision: plan.trunk().precision, recompute: false, threads };
    let seconds = plan.whole_time(measure(plan.shape, plan.batch as usize, compute)).seconds();
    text = text::write(&named, &sources, &proposal, vocab, Some(seconds));
    let row = |MeasuredSource { found, sized }: &MeasuredSource| DraftSource {
        name: sized.name.clone(),
        domain: sized.domain.clone(),
        files: found.file_count,
        tokens: Tokens(sized.tokens),
        exact: sized.exact,
        base: proposal.base[&sized.name].0,
        upsampled: proposal.upsampled[&sized.name].0,
        epochs: most_epochs(&plan, &sized.name),
        broken: found.broken.clone(),
        text: if found.files.rows.lines {
            Some(text::LINES.to_owned())
        } else {
            found.files.rows.line()
        },
    };
    // Of sources that were not too small.
    let is_left = |shared: &Shared| {
        let mut names = sources.iter().map(|source| &source.sized.name);
        names.clone().any(|name| *name == shared.source)
            && names.any(|name| shared.within.contains(name))
    };
    Ok(Draft {
        sources: sources.iter().map(row).collect(),
        text,
        left_out,
        shared: shared.into_iter().filter(is_left).collect(),
        near_tie: text::near_tie(&proposal),
        parameters: plan.shape.parameters(),
        budget: plan.budget,
        tree,
        seconds,
    })
}

/// Refuses fewer than two sources.
fn enough<'a>(
    data: &Path,
    mut sources: impl Iterator<Item = &'a SourceName>,
    left_out: &[LeftOut],
) -> Result<(), DraftError> {
    let (folder, left_out) = (data.to_owned(), left_out.to_vec());
    match (sources.next(), sources.next()) {
        (None, _) => Err(DraftError::NoText { folder, left_out }),
        (Some(name), None) => {
            Err(DraftError::OneSource { folder, name: name.to_string(), left_out })
        }
        _ => Ok(()),
    }
}

/// Counts the sources and makes a proposal of those that are large enough for one.
fn settle(
    data: &Path,
    mut found: Vec<SurveyedSource>,
    speed: f64,
    left_out: &mut Vec<LeftOut>,
) -> Result<(Vec<MeasuredSource>, Proposal, u32), DraftError> {
    loop {
        let (sources, vocab) = count(found, speed, left_out)?;
        enough(data, sources.iter().map(|source| &source.found.files.name), left_out)?;
        let sized_sources: Vec<SizedSource> =
            sources.iter().map(|source| source.sized.clone()).collect();
        let text: u64 = sources.iter().map(|source| source.found.text_bytes).sum();
        let tokens: u64 = sized_sources.iter().map(|sized| sized.tokens).sum();
        let as_bytes = |needed: u64| (text as f64 / tokens.max(1) as f64 * needed as f64) as u64;
        let folder = data.to_owned();
        let Gone { names, why, hint } = match propose(&sized_sources, speed) {
            Ok(proposal) => return Ok((sources, proposal, vocab)),
            Err(Refusal::TooLittle { tokens, needed }) => {
                let bytes = as_bytes(needed);
                return Err(DraftError::TooLittle { folder, tokens, needed, bytes });
            }
            Err(Refusal::TooSmall { names, needed }) => Gone {
                why: format!("fewer than {needed} tokens, too few beside the other sources"),
                hint: format!(
                    "a source needs about {} of text; put small ones together in one folder",
                    bytes(as_bytes(needed))
                ),
                names,
            },
            Err(Refusal::HoldOutTooLittle { names, needed }) => Gone {
                why: format!(
                    "fewer than {needed} tokens can be held out: it has few documents, or most of \
                     its text is one of them"
                ),
                hint: "split long documents into some of a few pages".to_owned(),
                names,
            },
        };
        let (gone, kept): (Vec<MeasuredSource>, Vec<MeasuredSource>) =
            sources.into_iter().partition(|source| names.contains(&source.sized.name));
        left_out.push(LeftOut {
            why,
            files: gone.iter().map(|source| source.found.file_count).sum(),
            shown: names.iter().map(ToString::to_string).collect(),
        });
        if kept.len() < 2 {
            // All may be too small; the first is named as the one that is left.
            let name = kept.first().or(gone.first());
            let name = name.expect("there were some").sized.name.to_string();
            let left_out = left_out.clone();
            return Err(DraftError::OneLarge { folder, name, left_out, hint });
        }
        found = kept.into_iter().map(|source| source.found).collect();
    }
}

/// Sources of which nothing can be proposed.
struct Gone {
    names: Vec<SourceName>,
    why: String,
    hint: String,
}

/// Counts tokens with the tokenizer that the study will train.
fn count(
    all: Vec<SurveyedSource>,
    speed: f64,
    left_out: &mut Vec<LeftOut>,
) -> Result<(Vec<MeasuredSource>, u32), DraftError> {
    let (mut found, mut samples) = (Vec::with_capacity(all.len()), Vec::with_capacity(all.len()));
    for mut source in all {
        match sample(&mut source) {
            Ok(sample) => {
                found.push(source);
                samples.push(sample);
            }
            Err(error) => left_out.push(LeftOut {
                why: error.to_string(),
                files: source.file_count,
                shown: vec![source.files.name.to_string()],
            }),
        }
    }
    if found.len() < 2 {
        // Too few to train a tokenizer on; the caller says so.
        let uncounted =
            |found: SurveyedSource| MeasuredSource { sized: sized(&found, 0, 0, false), found };
        return Ok((found.into_iter().map(uncounted).collect(), LADDER[0].vocab));
    }
    let guess: Vec<SizedSource> =
        found.iter().map(|s| sized(s, s.text_bytes / BYTES_PER_TOKEN, u64::MAX, false)).collect();
    // What is too small is not refused before it is counted.
    let vocab = propose(&guess, speed).map_or(LADDER[0].vocab, |proposal| proposal.rung.vocab);
    let tokenizer = train(&samples.concat(), vocab)?;
    let mut counted = Vec::with_capacity(found.len());
    for (found, sample) in found.into_iter().zip(samples) {
        let exact = found.whole && found.text_bytes + found.held_out_bytes <= COUNTED;
        let (tokens, held_out) = if exact {
            count_tokens(&found.files, &tokenizer)?
        } else {
            scaled(&found, &sample, &tokenizer)
        };
        let sized = sized(&found, tokens, held_out, exact);
        counted.push(MeasuredSource { found, sized });
    }
    Ok((counted, tokenizer.vocab()))
}

/// Tokens to train on and held out, by what a sample of the text takes.
fn scaled(found: &SurveyedSource, sample: &[String], tokenizer: &Tokenizer) -> (u64, u64) {
    let (mut encoder, mut ids) = (tokenizer.encoder(), Vec::new());
    for text in sample {
        encoder.encode(text, &mut ids);
    }
    let bytes: usize = sample.iter().map(String::len).sum();
    let per_byte = ids.len() as f64 / bytes.max(1) as f64;
    let tokens = |bytes: u64| (bytes as f64 * per_byte) as u64;
    // Each document ends with a token of its own.
    (tokens(found.text_bytes) + found.documents, tokens(found.held_out_bytes))
}

/// Text of a source for its tokenizer. It reads further than the survey: a broken document that it
/// comes upon is one to be skipped.
fn sample(source: &mut SurveyedSource) -> Result<Vec<String>, DataError> {
    match sample_documents(&source.files, SEED, SAMPLE) {
        Err(DataError::Document(bad)) => {
            source.files.on_bad_document = OnBadDocument::Skip;
            let of = source.documents;
            source.broken = Some(Broken { documents: 1, of, first: bad.to_string() });
            sample_documents(&source.files, SEED, SAMPLE)
        }
        read => read,
    }
}

fn sized(found: &SurveyedSource, tokens: u64, held_out: u64, exact: bool) -> SizedSource {
    let (name, domain) = (found.files.name.clone(), found.domain.clone());
    let held_documents = found.held_out_documents;
    SizedSource { name, domain, tokens, held_out, held_documents, exact }
}

/// A tokenizer of at most `vocab` entries: of text that gives fewer, as many as it gives.
fn train(texts: &[String], vocab: u32) -> Result<Tokenizer, DraftError> {
    match Tokenizer::train_bpe(texts, vocab) {
        Err(DataError::Tokenizer(TokenizerError::TooLittleText { found, .. })) => {
            Ok(Tokenizer::train_bpe(texts, found)?)
        }
        trained => Ok(trained?),
    }
}

/// What this machine computes in training, by the model of `studies/real-text.toml`.
fn flops_per_second(threads: usize) -> f64 {
    let rung = &LADDER[2];
    let compute = Compute { precision: Precision::Bf16, recompute: false, threads };
    let tokens_per_second = measure(rung.shape(), 4, compute).tokens_per_second;
    tokens_per_second * rung.shape().flops(1) as f64 / rung.context as f64
}

/// Plans the text over the sizes found, as `sparkjoy plan` will over those prepared.
fn plan(
    file: &Path,
    text: &str,
    sources: &[MeasuredSource],
    vocab: u32,
) -> Result<Plan, DraftError> {
    let study = Study::parse(file, text.to_owned(), None)?;
    let context = study.context();
    let planned = |MeasuredSource { sized, .. }: &MeasuredSource| {
        let fingerprint = Fingerprint::of_value(&("draft", &sized.name, sized.tokens));
        let sequences = sized.tokens / context;
        let source = PlanSource {
            domain: sized.domain.clone(),
            identity: Source { name: sized.name.clone(), fingerprint, sequences },
            tokens: Tokens(sized.tokens),
            declared: false,
            max_epochs: Some(MAX_EPOCHS),
            held_out: None,
            unseen: false,
        };
        (sized.name.clone(), source)
    };
    let planned: BTreeMap<SourceName, PlanSource> = sources.iter().map(planned).collect();
    let tokenizer = Fingerprint::of_bytes(b"not trained yet");
    Ok(Plan::resolve(&study, planned, vocab as usize, tokenizer)?)
}

fn most_epochs(plan: &Plan, source: &SourceName) -> f64 {
    let epochs = plan.branches.iter().filter_map(|branch| branch.accounts.get(source));
    epochs.map(|account| account.epochs).fold(0.0, f64::max)
}
