//! Worker processes: one around our own decoder, one of PyTorch, and some that break the contract.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod faults;
mod model;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use sparkjoy_base::{Seed, SourceName, Tokens, write_atomic};
use sparkjoy_data::{
    Corpus, ModelTokenizer, OnBadDocument, PrepareOptions, Rows, SourceFiles, Tokenizer,
    Validation, prepare,
};
use sparkjoy_eval::{
    Catalog, Dataset, EvalError, HeldOutScore, ItemResult, PATIENCE, Session, TokenizedModel,
    Worker, answer, held_out, items,
};
use sparkjoy_spec::{LanguageModel, LanguageModelInfo, Promise};
use sparkjoy_train::ModelFolder;

use model::CONTEXT;

/// Nobody stops these.
static NEVER: AtomicBool = AtomicBool::new(false);

/// Names the interpreter that has torch and transformers; set by `cargo xtask parity`.
const TORCH_PYTHON: &str = "SPARKJOY_TORCH_PYTHON";

const TASKS: &str = r#"
[[tasks]]
name = "choice"
type = "multiple-choice"
files = "choice.jsonl"
shots = 1
baseline = 0.5

[[tasks]]
name = "words"
type = "generation"
files = "words.jsonl"
shots = 0
prompt = "Say what follows. The fox ran into the wood again and again."
stop = ["z"]
normalize = true
rule = "prefix"
baseline = 0.0
"#;

/// The worker of this crate's examples, which cargo builds beside its tests.
fn decoder_worker(folder: &Path) -> Command {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().parent().unwrap().join("examples/decoder_worker");
    let mut command = Command::new(program);
    command.arg(folder);
    command
}

fn text(i: usize) -> String {
    format!("the {i}th fox ran into the wood, again and again and again: {}", i * i)
}

fn tokenizer() -> Tokenizer {
    Tokenizer::train_bpe(&(0..40).map(text).collect::<Vec<_>>(), 280).unwrap()
}

fn corpus(folder: &Path, tokenizer: &Tokenizer) -> Corpus {
    let lines: Vec<String> = (0..60).map(|i| format!("{{\"text\":\"{}\"}}\n", text(i))).collect();
    for name in ["train.jsonl", "val.jsonl"] {
        write_atomic(&folder.join(name), lines.concat().as_bytes()).unwrap();
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

/// Item results of every task of [`TASKS`], and held-out scores.
fn scores(model: &mut dyn LanguageModel, folder: &Path) -> (Vec<ItemResult>, Vec<HeldOutScore>) {
    let tokenizer = tokenizer();
    let corpora = [corpus(folder, &tokenizer)];
    let budget = Tokens(40 * CONTEXT as u64);
    let held_out = held_out(model, &corpora, &tokenizer, CONTEXT, Seed(1), budget, &NEVER);
    let tokenizer = ModelTokenizer::from(tokenizer);
    let file = folder.join("tasks.toml");
    write_atomic(&file, TASKS.as_bytes()).unwrap();
    let mut catalog = Catalog::shipped();
    catalog.read(&file).unwrap();
    let mut results = Vec::new();
    for name in ["choice", "words"] {
        let task = catalog.task(name).unwrap();
        let row = |i: usize| match name {
            "choice" => format!(
                "{{\"query\":\"the {i}th fox\",\"choices\":[\"ran\",\"wood {i}\"],\"gold\":{}}}",
                i % 2
            ),
            _ => format!("{{\"context\":\"fox {i}?\",\"answer\":\"{} * 79 / 53\"}}", i * 7919),
        };
        let text = (0..20).map(row).collect::<Vec<_>>().join("\n");
        write_atomic(&folder.join(format!("{name}.jsonl")), text.as_bytes()).unwrap();
        let rows = Dataset::open(task, folder).unwrap();
        let items = items(task, &rows, &tokenizer, CONTEXT, None).unwrap();
        let session = Session {
            task,
            rows: &rows,
            items: &items,
            seed: Seed(1),
            sandbox: None,
            threads: 1,
            stop: &NEVER,
        };
        let wanted: Vec<usize> = (0..items.len()).collect();
        let mut tokenized = TokenizedModel { model, tokenizer: &tokenizer };
        let done = answer::<EvalError>(&mut tokenized, &session, &wanted, |new| {
            results.extend(new);
            Ok(())
        });
        assert!(done.unwrap());
    }
    (results, held_out.unwrap())
}

#[test]
fn a_worker_around_our_decoder_gives_the_same_bits_as_the_decoder() {
    let folder = tempfile::tempdir().unwrap();
    model::write(folder.path());
    let ours = ModelFolder::open(folder.path()).unwrap();
    let mut ours = ours.language_model(16, 1);
    let mut worker = Worker::start(decoder_worker(folder.path()), PATIENCE, &NEVER).unwrap();
    let info = worker.info().clone();
    assert_eq!(info.kernel, format!("decoder-worker-{}", ours.info().kernel));
    assert_eq!(LanguageModelInfo { kernel: ours.info().kernel.clone(), ..info }, *ours.info());
    assert_eq!(worker.info().promise, Promise::SameBits);
    let expected = scores(&mut ours, folder.path());
    assert!(expected.0.iter().any(|result| result.tokens.len() > 2), "texts are written");
    assert_eq!(scores(&mut worker, folder.path()), expected);
    assert_eq!(worker.computed().sequences, ours.computed().sequences);
}

#[test]
fn a_worker_of_pytorch_agrees_with_our_decoder() {
    let Some(python) = std::env::var_os(TORCH_PYTHON).map(PathBuf::from) else {
        eprintln!("SKIPPED: {TORCH_PYTHON} names no interpreter; `cargo xtask parity` has one");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    model::write(folder.path());
    let ours = ModelFolder::open(folder.path()).unwrap();
    let mut ours = ours.language_model(16, 1);
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/parity/worker.py")).arg(folder.path());
    let mut worker = Worker::start(command, PATIENCE, &NEVER).unwrap();
    let info = worker.info();
    assert!(info.kernel.starts_with("torch-"), "{info:?}");
    assert_eq!((info.vocab, info.context), (model::VOCAB, CONTEXT));

    let (items, held_out) = scores(&mut worker, folder.path());
    let (our_items, our_held_out) = scores(&mut ours, folder.path());
    let mut largest: f64 = 0.0;
    let mut compare = |a: f64, b: f64, tokens: usize| {
        largest = largest.max((a - b).abs() / tokens as f64);
    };
    for (theirs, ours) in held_out[0].nats.iter().zip(&our_held_out[0].nats) {
        compare(*theirs, *ours, CONTEXT - 1);
    }
    for (theirs, ours) in items.iter().zip(&our_items) {
        compare(theirs.gold_nats, ours.gold_nats, ours.gold_tokens);
        for (theirs, ours) in theirs.choices.iter().zip(&ours.choices) {
            compare(theirs.nats, ours.nats, ours.tokens);
        }
        assert_eq!((&theirs.tokens, theirs.chosen), (&ours.tokens, ours.chosen));
    }
    eprintln!("largest difference of a score: {largest:.2e} nats per token");
    assert!(largest < 1e-4, "{largest:e} nats per token");
}
