//! From a study's text to its tokenizer and shards, each made once and found again.

use std::sync::mpsc;

use sparkjoy_base::{Fingerprint, Seed, is_done, mark_done};
use sparkjoy_data::{
    Corpus, DataError, PrepareOptions, SourceFiles, Tokenizer, TokenizerKind, prepare,
    sample_documents,
};

use crate::{Event, ExecutionError, LabError, Options, SourceInput, Study};

/// Text a tokenizer is trained on, shared evenly by the sources. Merges of a small vocabulary
/// settle long before; more only costs time at every start, since the sample is its identity.
const SAMPLE_BYTES: u64 = 16 << 20;

/// Prepares (or opens) tokenizer and sources of a study. Sources declared by size are left out.
///
/// # Guarantees
///
/// Folders are named after the settings they were made with and the tokenizer; a folder that is
/// whole is opened, one that was interrupted is continued. A trained tokenizer is reused exactly
/// when the text sampled for it, its size and the seed are the same.
///
/// # Errors
///
/// [`LabError::Interrupted`] when `options.stop` is set; what goes wrong with text and shards;
/// [`ExecutionError::NoText`] if a tokenizer is to be trained and all sources are declared by size.
pub fn corpora(
    study: &Study,
    options: &mut Options<'_>,
) -> Result<(Tokenizer, Vec<Corpus>), LabError> {
    let files = study.sources().values().filter_map(|input| match input {
        SourceInput::Files(files) => Some(files),
        SourceInput::Declared(_) => None,
    });
    let files: Vec<&SourceFiles> = files.collect();
    let tokenizer = match *study.tokenizer() {
        TokenizerKind::Cl100k => Tokenizer::cl100k(),
        TokenizerKind::Bpe { vocab } => trained(vocab, study.seed(), &files, options)?,
    };
    let corpora = files.iter().map(|source| prepared(source, &tokenizer, options));
    let corpora = corpora.collect::<Result<_, _>>()?;
    Ok((tokenizer, corpora))
}

/// A tokenizer trained on a sample of the training text of `sources`.
fn trained(
    vocab: u32,
    seed: Seed,
    sources: &[&SourceFiles],
    options: &mut Options<'_>,
) -> Result<Tokenizer, LabError> {
    if sources.is_empty() {
        return Err(ExecutionError::NoText { vocab }.into());
    }
    let share = SAMPLE_BYTES / sources.len() as u64;
    let mut texts = Vec::new();
    for source in sources {
        texts.extend(sample_documents(source, seed, share)?);
    }
    let identity = Fingerprint::of_value(&("bpe", vocab, &texts));
    let folder = options.prepared.join(format!("tokenizer-{identity}"));
    if is_done(&folder) {
        return Ok(Tokenizer::open(&folder)?);
    }
    (options.observe)(Event::TrainingTokenizer);
    let tokenizer = Tokenizer::train_bpe(&texts, vocab)?;
    tokenizer.save(&folder)?;
    mark_done(&folder)?;
    Ok(tokenizer)
}

/// The shards of one source, prepared with all threads while this one passes progress on.
fn prepared(
    source: &SourceFiles,
    tokenizer: &Tokenizer,
    options: &mut Options<'_>,
) -> Result<Corpus, LabError> {
    // The root is left out: the same text under another roof is the same text.
    let SourceFiles { name, paths, root: _, text_field, on_bad_document, validation } = source;
    let settings = (paths, text_field, on_bad_document, validation, tokenizer.fingerprint());
    let folder = options.prepared.join(format!("{name}-{}", Fingerprint::of_value(&settings)));

    let (threads, stop) = (options.threads, options.stop);
    let (sender, progress) = mpsc::channel();
    let result = std::thread::scope(|scope| {
        let worker = scope.spawn(move || {
            let tell = |progress| sender.send(progress).expect("the loop below listens to the end");
            prepare(source, tokenizer, &folder, &PrepareOptions { threads, stop, progress: &tell })
        });
        for progress in progress {
            (options.observe)(Event::Preparing(name, progress));
        }
        worker.join().expect("a panic in preparing is ours")
    });
    result.map_err(|error| match error {
        DataError::Interrupted => LabError::Interrupted,
        error => error.into(),
    })
}
