//! Token sequences against those of `testdata/prompts.py`, which reads the original's rules anew.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{merging, single_bytes};
use crate::{Catalog, Dataset, Sequence, Work, items};

#[derive(Deserialize)]
struct GoldenSequence {
    tokens: Vec<u32>,
    scored: usize,
}

#[derive(Deserialize)]
struct GoldenItem {
    index: usize,
    gold: usize,
    gold_bytes: u64,
    sequences: Vec<GoldenSequence>,
    truncated: usize,
    prompt: Option<Vec<u32>>,
    max_new: Option<usize>,
}

#[derive(Deserialize)]
struct Case {
    tokenizer: String,
    context: usize,
    task: String,
    items: Vec<GoldenItem>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/prompts")
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../../testdata/prompts/prompts.json")).unwrap()
}

#[test]
fn every_rule_of_prompt_assembly_gives_the_tokens_of_the_second_reading() {
    let mut catalog = Catalog::shipped();
    let shipped = catalog.tasks().len();
    catalog.read(&folder().join("tasks.toml")).unwrap();
    let (merging, single_bytes) = (merging(), single_bytes());
    let mut seen = Vec::new();
    for case in cases() {
        let Case { tokenizer, context, task, .. } = &case;
        let place = format!("{task}, {tokenizer}, {context}");
        let tokenizer = if tokenizer == "bytes" { &single_bytes } else { &merging };
        let task = catalog.task(task).unwrap();
        let rows = Dataset::open(task, &folder()).unwrap();
        let found = items(task, &rows, tokenizer, *context, None).unwrap();
        assert_eq!(found.len(), case.items.len(), "{place}");
        for (found, golden) in found.iter().zip(case.items) {
            let place = format!("{place}, row {}", golden.index);
            let sequences: Vec<Sequence> = golden
                .sequences
                .into_iter()
                .map(|s| Sequence { tokens: s.tokens, scored: s.scored })
                .collect();
            let work = match (golden.prompt, golden.max_new) {
                (Some(prompt), Some(max_new)) => {
                    let gold = sequences[0].clone();
                    Work::Generate { prompt, max_new, gold }
                }
                _ => Work::Score { sequences },
            };
            assert_eq!(found.work, work, "{place}");
            let numbers = (found.index, found.gold, found.gold_bytes, found.truncated);
            let golden = (golden.index, golden.gold, golden.gold_bytes, golden.truncated);
            assert_eq!(numbers, golden, "{place}");
        }
        seen.push(task.name.clone());
    }
    for task in &catalog.tasks()[shipped..] {
        assert!(seen.contains(&task.name), "no golden sequences of `{}`", task.name);
    }
}

#[test]
fn prompts_are_the_same_on_any_number_of_threads() {
    let mut catalog = Catalog::shipped();
    catalog.read(&folder().join("tasks.toml")).unwrap();
    let task = catalog.task("trivia-by-subject").unwrap();
    let rows = Dataset::open(task, &folder()).unwrap();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| items(task, &rows, &merging(), 96, None)).unwrap()
    };
    assert_eq!(on(1), on(4));
}

#[test]
fn the_texts_of_an_item_are_those_of_its_tokens() {
    let definition = |kind: &str| {
        format!("name = \"t\"\ntype = \"{kind}\"\nfiles = \"t.jsonl\"\nshots = 2\nbaseline = 0.0\n")
    };
    let schema = |i| {
        format!(
            "{{\"context_options\": [\"a{i}\", \"b\"], \"continuation\": \"c\", \"gold\": 1}}\n"
        )
    };
    let choice = |i| format!("{{\"query\": \"q{i}\", \"choices\": [\"a\", \"b\"], \"gold\": 1}}\n");
    let writes: [(&str, &dyn Fn(usize) -> String); 2] =
        [("schema", &schema), ("multiple-choice", &choice)];
    for (kind, row) in writes {
        let task = super::task(&definition(kind));
        let text: String = (0..4).map(row).collect();
        let rows = super::rows(&task, &text).unwrap();
        let tokenizer = super::merging();
        for item in crate::items(&task, &rows, &tokenizer, 512, None).unwrap() {
            let asked = crate::asked_texts(&task, &rows, item.index).unwrap();
            let Work::Score { sequences } = &item.work else { panic!("nothing to score") };
            for (i, sequence) in sequences.iter().enumerate() {
                let prompt = &asked.prompts[i.min(asked.prompts.len() - 1)];
                let answer = &asked.answers[i.min(asked.answers.len() - 1)];
                assert_eq!(tokenizer.decode(&sequence.tokens), format!("{prompt}{answer}"));
            }
        }
    }
}
