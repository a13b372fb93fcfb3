//! Held-out scores of real engines on text made up here.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use crate::{EvalError, held_out, sample};
use sparkjoy_base::{Hint, Seed, SourceName, Tokens, write_atomic};
use sparkjoy_data::{
    Corpus, OnBadDocument, Part, PrepareOptions, Rows, SourceFiles, Tokenizer, Validation, prepare,
};
use sparkjoy_nn::{Compute, Engine, LazyModel};
use sparkjoy_spec::{LanguageModel, Shape, ShapeError};

/// Nobody stops these.
static NEVER: AtomicBool = AtomicBool::new(false);

const CONTEXT: usize = 16;

fn tokenizer() -> Tokenizer {
    let texts: Vec<String> = (0..40).map(text).collect();
    Tokenizer::train_bpe(&texts, 280).unwrap()
}

fn text(i: usize) -> String {
    format!("the {i}th fox ran into the wood, again and again and again: {}", i * i)
}

/// A source with `documents` held-out documents.
fn corpus(folder: &Path, tokenizer: &Tokenizer, documents: usize) -> Corpus {
    for (name, count) in [("train", 20), ("val", documents)] {
        let lines: Vec<String> =
            (0..count).map(|i| format!("{{\"text\":\"{}\"}}\n", text(i))).collect();
        write_atomic(&folder.join(format!("{name}.jsonl")), lines.concat().as_bytes()).unwrap();
    }
    let source = SourceFiles {
        name: SourceName::new("tales").unwrap(),
        paths: vec!["train.jsonl".to_owned()],
        root: folder.to_owned(),
        rows: Rows::default(),
        on_bad_document: OnBadDocument::Refuse,
        validation: Validation::Files(vec!["val.jsonl".to_owned()]),
    };
    let (stop, quiet) = (AtomicBool::new(false), |_| {});
    let options = PrepareOptions { threads: 1, stop: &stop, progress: &quiet };
    prepare(&source, tokenizer, &folder.join("shards"), &options).unwrap()
}

/// A model of two layers whose weights `fill` writes.
fn model(
    tokenizer: &Tokenizer,
    threads: usize,
    fill: impl Fn(&Shape, &mut [f32]) + 'static,
) -> LazyModel<'static> {
    let vocab = tokenizer.vocab().next_multiple_of(64) as usize;
    let shape = Shape { layers: 2, width: 16, heads: 2, context: CONTEXT, vocab, clip_qkv: None };
    LazyModel::new(shape, 4, threads, move |weights| {
        fill(&shape, weights);
        Ok::<_, ShapeError>(())
    })
}

/// Initial weights of a seed.
fn drawn(seed: u64) -> impl Fn(&Shape, &mut [f32]) {
    move |shape, weights| {
        let mut engine = Engine::new(*shape, 1, Compute::exact(1)).unwrap();
        engine.init(Seed(seed));
        weights.copy_from_slice(engine.weights());
    }
}

#[test]
fn a_model_without_knowledge_needs_the_same_bits_for_every_target() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = tokenizer();
    let corpora = [corpus(folder.path(), &tokenizer, 30)];
    // All weights are zero, so every token of the vocabulary is as likely as any other.
    let mut model = model(&tokenizer, 1, |_, weights| weights.fill(0.0));
    let vocab = model.info().vocab as f64;
    let mut scores =
        |stop| held_out(&mut model, &corpora, &tokenizer, CONTEXT, Seed(1), Tokens(160), stop);
    let stop = AtomicBool::new(true);
    let stopped = scores(&stop).unwrap_err();
    assert!(matches!(stopped, EvalError::Model(error) if error.is_stopped()));

    let scores = scores(&NEVER).unwrap();
    let score = &scores[0];
    assert_eq!(score.source, *corpora[0].name());
    assert_eq!((score.ordinals.len(), score.nats.len(), score.bytes.len()), (10, 10, 10));
    let (mut targets, mut bytes) = (0, 0);
    for (i, &ordinal) in score.ordinals.iter().enumerate() {
        let mut tokens = vec![0; CONTEXT];
        corpora[0].read(Part::Validation, ordinal, &mut tokens).unwrap();
        // The first token is no target; end-of-text is one, of no bytes.
        let text = tokens[1..].iter().filter(|&&id| id != tokenizer.end_of_text());
        let ids: Vec<u32> = text.copied().collect();
        assert_eq!(score.bytes[i], tokenizer.decode(&ids).len() as u64);
        let expected = (CONTEXT - 1) as f64 * vocab.ln();
        assert!((score.nats[i] - expected).abs() < 1e-4, "{} {expected}", score.nats[i]);
        targets += CONTEXT - 1;
        bytes += score.bytes[i];
    }
    let expected = targets as f64 * vocab.log2() / bytes as f64;
    assert!((score.bits_per_byte() - expected).abs() < 1e-6);
}

#[test]
fn sequences_of_one_document_have_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = tokenizer();
    let corpora = [corpus(folder.path(), &tokenizer, 200)];
    let mut model = model(&tokenizer, 1, |_, weights| weights.fill(0.0));
    let sequences = corpora[0].sequences(Part::Validation, CONTEXT);
    // The document of every sequence by counting: the one that has most of its tokens.
    let (mut document, mut counted) = (0, Vec::new());
    for ordinal in 0..sequences {
        let mut tokens = vec![0; CONTEXT];
        corpora[0].read(Part::Validation, ordinal, &mut tokens).unwrap();
        let mut lengths = std::collections::BTreeMap::new();
        for token in tokens {
            *lengths.entry(document).or_insert(0) += 1;
            document += u64::from(token == tokenizer.end_of_text());
        }
        let most = lengths.values().max().copied();
        counted.push(*lengths.iter().find(|(_, n)| Some(**n) == most).unwrap().0);
    }
    assert!(counted.windows(2).any(|pair| pair[0] == pair[1]), "some documents are long");
    for part in [1, 2, 7] {
        let budget = Tokens(sequences / part * CONTEXT as u64);
        let scores =
            held_out(&mut model, &corpora, &tokenizer, CONTEXT, Seed(1), budget, &NEVER).unwrap();
        let (ordinals, found) = (&scores[0].ordinals, &scores[0].documents);
        assert_eq!(found.len(), ordinals.len());
        for (pair, ordinals) in found.windows(2).zip(ordinals.windows(2)) {
            let [one, other] = [0, 1].map(|i| counted[ordinals[i] as usize]);
            assert_eq!(pair[0] == pair[1], one == other, "sequences {ordinals:?}");
            assert!(pair[0] <= pair[1]);
        }
    }
}

#[test]
fn every_model_is_scored_on_the_same_sequences_with_the_same_bits_on_any_threads() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = tokenizer();
    let corpora = [corpus(folder.path(), &tokenizer, 200)];
    let scores = |weights, threads| {
        let mut model = model(&tokenizer, threads, drawn(weights));
        held_out(&mut model, &corpora, &tokenizer, CONTEXT, Seed(1), Tokens(2000), &NEVER).unwrap()
    };
    let one = scores(1, 1);
    assert!(one[0].ordinals.len() > 64, "more than one chunk");
    assert_eq!(one, scores(1, 2));
    let other = scores(2, 1);
    assert_ne!(one, other);
    assert_eq!(one[0].ordinals, other[0].ordinals);
    let context = |seed| sample(&corpora[0], CONTEXT, Seed(seed), Tokens(320)).unwrap();
    assert_ne!(context(1), context(2));
}

#[test]
fn a_held_out_part_shorter_than_a_sequence_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = tokenizer();
    let corpora = [corpus(folder.path(), &tokenizer, 1)];
    let mut model = model(&tokenizer, 1, drawn(1));
    let error =
        held_out(&mut model, &corpora, &tokenizer, 128, Seed(1), Tokens(1000), &NEVER).unwrap_err();
    assert!(matches!(error, EvalError::TooShort { context: 128, .. }));
    let tokens = corpora[0].tokens(Part::Validation);
    assert_eq!(
        error.to_string(),
        format!(
            "source `tales` has {tokens} held-out tokens, expected at least one context of 128"
        )
    );
    assert_eq!(
        error.hint().unwrap(),
        "give `[sources.tales]` more validation text, or lower `context` in `[model]`"
    );
}

#[test]
fn a_budget_below_one_sequence_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = tokenizer();
    let corpora = [corpus(folder.path(), &tokenizer, 30)];
    let error = sample(&corpora[0], CONTEXT, Seed(1), Tokens(15)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "15 held-out tokens per source are asked for, expected at least one context of 16"
    );
    assert_eq!(error.hint().unwrap(), "set `held_out` in `[evaluation]` to at least 16");
}

#[test]
fn a_broken_model_gives_no_score() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = tokenizer();
    let corpora = [corpus(folder.path(), &tokenizer, 30)];
    let mut model = model(&tokenizer, 1, |_, weights| weights.fill(f32::NAN));
    let error = held_out(&mut model, &corpora, &tokenizer, CONTEXT, Seed(1), Tokens(16), &NEVER)
        .unwrap_err();
    assert!(matches!(error, EvalError::NotFinite { .. }));
    assert!(error.to_string().starts_with("the model's loss on held-out sequence "), "{error}");
    assert!(
        error.to_string().ends_with("of source `tales` is NaN, expected a number from 0 to 1e8")
    );
    assert!(error.hint().unwrap().starts_with("the training diverged"));
}
