//! Real models asked for tasks made up here.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use sparkjoy_base::Seed;
use sparkjoy_data::{ModelTokenizer, Tokenizer};
use sparkjoy_nn::{Compute, Engine, LazyModel};
use sparkjoy_spec::{Shape, ShapeError};

use crate::{
    Catalog, Dataset, EvalError, Item, ItemResult, Session, Task, TokenizedModel, Work, answer,
    items,
};

pub(super) const CONTEXT: usize = 48;

const TASKS: &str = r#"
[[tasks]]
name = "choice"
type = "multiple-choice"
files = "choice.jsonl"
shots = 1
baseline = 0.5

[[tasks]]
name = "next"
type = "language-modeling"
files = "next.jsonl"
shots = 0
baseline = 0.0

[[tasks]]
name = "schema"
type = "schema"
files = "schema.jsonl"
shots = 1
baseline = 0.5

[[tasks]]
name = "words"
type = "generation"
files = "words.jsonl"
shots = 0
prompt = "Say what follows. The fox ran into the wood again and again."
stop = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l",
  "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x",
  "y", "z", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
normalize = true
rule = "prefix"
baseline = 0.0
"#;

pub(super) fn tokenizer() -> ModelTokenizer {
    let text = |i: usize| format!("the {i}th fox ran into the wood, again and again: {}", i * i);
    Tokenizer::train_bpe(&(0..40).map(text).collect::<Vec<_>>(), 280).unwrap().into()
}

/// A model that knows nothing, but not the same of every token.
pub(super) fn engine(tokenizer: &ModelTokenizer) -> Engine {
    let vocab = tokenizer.vocab().next_multiple_of(64) as usize;
    let shape = Shape { layers: 2, width: 32, heads: 2, context: CONTEXT, vocab, clip_qkv: None };
    let mut engine = Engine::new(shape, 1, Compute::exact(1)).unwrap();
    engine.init(Seed(3));
    engine
}

/// The engine's weights as a language model.
pub(super) fn model(engine: &Engine, threads: usize) -> LazyModel<'_> {
    LazyModel::new(*engine.shape(), 1, threads, |weights| {
        weights.copy_from_slice(engine.weights());
        Ok::<_, ShapeError>(())
    })
}

fn row(task: &str, i: usize) -> String {
    match task {
        "choice" => format!(
            "{{\"query\":\"the {i}th fox\",\"choices\":[\"ran\",\"ran again\",\"wood {i}\"],\"gold\":{}}}",
            i % 3
        ),
        "next" => {
            format!("{{\"context\":\"fox {i} ran into\",\"continuation\":\"the wood, {i}\"}}")
        }
        "schema" => format!(
            "{{\"context_options\":[\"the fox {i}\",\"a wood\"],\"continuation\":\"ran\",\"gold\":{}}}",
            i % 2
        ),
        _ => format!("{{\"context\":\"fox {i}?\",\"answer\":\"{} * 79 / 53\"}}", i * 7919),
    }
}

/// A task, its rows and items.
struct Question {
    task: Task,
    rows: Dataset,
    items: Vec<Item>,
}

fn asked(name: &str, tokenizer: &ModelTokenizer, count: usize) -> Question {
    let mut catalog = Catalog::shipped();
    catalog.add(Path::new("tests.toml"), TASKS, ("task", "suite")).unwrap();
    let task = catalog.task(name).unwrap().clone();
    let text: Vec<String> = (0..count).map(|i| row(name, i)).collect();
    let rows = Dataset::parse(&task, "rows.jsonl", text.join("\n").as_bytes()).unwrap();
    let items = items(&task, &rows, tokenizer, CONTEXT, None).unwrap();
    Question { task, rows, items }
}

/// The results of the wanted items; told to stop after `stop_after` results.
fn run(
    asked: &Question,
    tokenizer: &ModelTokenizer,
    (wanted, threads): (&[usize], usize),
    stop_after: usize,
) -> (bool, Vec<ItemResult>) {
    let engine = engine(tokenizer);
    let mut model = model(&engine, threads);
    let stop = AtomicBool::new(false);
    let session = Session {
        task: &asked.task,
        rows: &asked.rows,
        items: &asked.items,
        seed: Seed(1),
        sandbox: None,
        threads,
        stop: &stop,
    };
    let mut tokenized = TokenizedModel { model: &mut model, tokenizer };
    let mut all = Vec::new();
    let done = answer::<EvalError>(&mut tokenized, &session, wanted, |results| {
        all.extend(results);
        stop.store(all.len() >= stop_after, Ordering::Relaxed);
        Ok(())
    });
    (done.unwrap(), all)
}

#[test]
fn likelihoods_are_those_of_whole_sequences_one_by_one() {
    let tokenizer = tokenizer();
    let mut engine = engine(&tokenizer);
    let vocab = engine.shape().vocab;
    for name in ["choice", "next", "schema"] {
        let asked = asked(name, &tokenizer, 12);
        let wanted: Vec<usize> = (0..12).collect();
        let (done, results) = run(&asked, &tokenizer, (&wanted, 2), usize::MAX);
        assert!(done);
        for (item, result) in asked.items.iter().zip(&results) {
            let Work::Score { sequences } = &item.work else { panic!("{name} is scored") };
            for (sequence, choice) in sequences.iter().zip(&result.choices) {
                let (tokens, n) = (&sequence.tokens, sequence.tokens.len());
                let logits = engine.logits(&tokens[..n - 1]);
                let nats = |i: usize| {
                    let row = &logits[(i - 1) * vocab..i * vocab];
                    let sum: f64 = row.iter().map(|&l| f64::from(l).exp()).sum();
                    sum.ln() - f64::from(row[tokens[i] as usize])
                };
                let expected: f64 = (n - sequence.scored..n).map(nats).sum();
                assert!((choice.nats - expected).abs() < 1e-4, "{name} {choice:?} {expected}");
            }
        }
    }
}

#[test]
fn a_result_is_the_same_alone_among_others_and_after_an_interruption() {
    let tokenizer = tokenizer();
    for name in ["choice", "next", "schema", "words"] {
        let asked = asked(name, &tokenizer, 150);
        let all: Vec<usize> = (0..150).collect();
        let (done, together) = run(&asked, &tokenizer, (&all, 2), usize::MAX);
        assert!(done && together.len() == 150, "{name}");
        let (done, begun) = run(&asked, &tokenizer, (&all, 1), 1);
        assert!(begun.len() == 150 || !done, "{name}");
        let (_, rest) = run(&asked, &tokenizer, (&all[begun.len()..], 1), usize::MAX);
        assert_eq!([begun, rest].concat(), together, "{name}");
        for i in [0, 77, 149] {
            let (_, alone) = run(&asked, &tokenizer, (&[i], 1), usize::MAX);
            assert_eq!(alone, together[i..=i], "{name}");
        }
    }
}

#[test]
fn a_text_ends_with_the_token_that_completes_its_end() {
    let tokenizer = tokenizer();
    let asked = asked("words", &tokenizer, 40);
    let all: Vec<usize> = (0..40).collect();
    let (_, results) = run(&asked, &tokenizer, (&all, 1), usize::MAX);
    let mut ended = 0;
    for (result, item) in results.iter().zip(&asked.items) {
        let Work::Generate { max_new, .. } = item.work else { panic!("words are written") };
        assert!(result.tokens.len() <= max_new);
        let text = tokenizer.decode(&result.tokens);
        assert_eq!(Some(&text), result.generated.as_ref());
        if let Some(last) = text.find(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()) {
            let before = &result.tokens[..result.tokens.len() - 1];
            assert!(tokenizer.decode(before).len() <= last, "went on after its end: {text:?}");
            ended += usize::from(result.tokens.len() < max_new);
        }
    }
    assert!(ended > 0, "some texts reach their end before the most they may have");
}

#[test]
fn a_broken_model_gives_no_result() {
    let tokenizer = tokenizer();
    let asked = asked("next", &tokenizer, 3);
    let mut engine = engine(&tokenizer);
    engine.weights_mut().fill(f32::NAN);
    let mut model = model(&engine, 1);
    let (stop, seed) = (AtomicBool::new(false), Seed(1));
    let Question { task, rows, items } = &asked;
    let session = Session { task, rows, items, seed, sandbox: None, threads: 1, stop: &stop };
    let mut tokenized = TokenizedModel { model: &mut model, tokenizer: &tokenizer };
    let error = answer::<EvalError>(&mut tokenized, &session, &[0], |_| Ok(())).unwrap_err();
    assert!(matches!(error, EvalError::ItemNotFinite { row: 0, .. }), "{error}");
}
