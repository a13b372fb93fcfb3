//! Checks that the data at hand is the data the spec was made for.

use sparkjoy_data::{Corpus, Part, Tokenizer};
use sparkjoy_mix::{Order, Source};
use sparkjoy_spec::RunSpec;

use crate::TrainError;

/// Finds the corpus of each source of `order`; the result is indexed as its sources are.
///
/// # Errors
///
/// [`TrainError::MissingSource`], [`TrainError::OtherSource`], [`TrainError::OtherLength`],
/// [`TrainError::OtherTokenizer`] or [`TrainError::Vocabulary`]: nothing is trained on data that
/// only resembles what was planned.
pub(crate) fn matched<'a>(
    spec: &RunSpec,
    order: &Order,
    corpora: &'a [Corpus],
    tokenizer: &Tokenizer,
) -> Result<Vec<&'a Corpus>, TrainError> {
    if tokenizer.fingerprint() != spec.tokenizer {
        return Err(TrainError::OtherTokenizer {
            of: "the study".to_owned(),
            found: tokenizer.fingerprint(),
            expected: spec.tokenizer,
        });
    }
    if tokenizer.vocab() as usize > spec.model.vocab() {
        let (found, expected) = (spec.model.vocab(), tokenizer.vocab());
        return Err(TrainError::Vocabulary { found, expected });
    }
    order.sources().iter().map(|source| matching(spec, source, corpora)).collect()
}

fn matching<'a>(
    spec: &RunSpec,
    source: &Source,
    corpora: &'a [Corpus],
) -> Result<&'a Corpus, TrainError> {
    let source_name = source.name.clone();
    let Some(corpus) = corpora.iter().find(|corpus| *corpus.name() == source.name) else {
        return Err(TrainError::MissingSource { source_name });
    };
    if corpus.tokenizer() != spec.tokenizer {
        return Err(TrainError::OtherTokenizer {
            of: format!("source `{source_name}`"),
            found: corpus.tokenizer(),
            expected: spec.tokenizer,
        });
    }
    let (found, expected) = (corpus.fingerprint(Part::Train), source.fingerprint);
    if found != expected {
        return Err(TrainError::OtherSource { source_name, found, expected });
    }
    let found = corpus.sequences(Part::Train, spec.model.context());
    if found != source.sequences {
        let expected = source.sequences;
        return Err(TrainError::OtherLength { source_name, found, expected });
    }
    Ok(corpus)
}
