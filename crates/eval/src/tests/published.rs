//! The published files, where they lie beside the repository.

use std::path::{Path, PathBuf};

use super::{merging, task};
use crate::{Catalog, Dataset, EvalError, Row, Work, items};

/// The folder of task files, if it is there.
fn data() -> Option<PathBuf> {
    let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let folder = Path::new(shared).join("eval");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED published task files: no folder at {}", folder.display());
    None
}

#[test]
fn published_files_have_the_rows_they_should() {
    let Some(data) = data() else { return };
    let (mut missing, mut partial) = (Vec::new(), Vec::new());
    for task in Catalog::shipped().tasks() {
        match Dataset::open(task, &data) {
            Ok(rows) => {
                let (found, published) = (rows.rows.len() as u64, task.rows.unwrap());
                if found < published {
                    partial.push(format!("{} {found} of {published}", task.name));
                } else {
                    assert_eq!(found, published, "{}", task.name);
                }
                let groups = rows.groups(task).len();
                match task.name.as_str() {
                    "mmlu" => assert_eq!(groups, 57),
                    "jeopardy" => assert_eq!(groups, 5),
                    _ => assert_eq!(groups, 1, "{}", task.name),
                }
            }
            Err(EvalError::NoTaskFile { task, .. }) => missing.push(task),
            Err(error) => panic!("{}: {error}", task.name),
        }
    }
    assert_eq!(missing, ["bigbench_elementary_math_qa"]);
    assert_eq!(partial, ["squad 2089 of 10570"]);
}

#[test]
fn the_small_published_files_can_be_asked() {
    let Some(data) = data() else { return };
    let generation = "normalize = true\nrule = \"prefix\"";
    let code = "samples = 1\npass_at = [1]\ntemperature = 0.2\ntop_p = 1.0";
    for (file, kind, shots, more, sequences) in [
        ("lambada_small", "language-modeling", 2, "", 1),
        ("pubmed_sm", "language-modeling", 1, "", 1),
        ("hellaswag_small", "multiple-choice", 2, "", 4),
        ("piqa_small", "multiple-choice", 3, "", 2),
        ("mmlu_small", "multiple-choice", 3, "aggregation = \"subcategories\"", 4),
        ("winograd_small", "schema", 2, "", 2),
        ("triviaqa_small", "generation", 3, generation, 0),
        ("gsm8k_small", "generation", 2, generation, 0),
        ("human_eval_small", "code", 0, code, 0),
    ] {
        let task = task(&format!(
            "name = \"{file}\"\ntype = \"{kind}\"\nfiles = \"tests_small/{file}.jsonl\"\nrows = 4\n\
             shots = {shots}\nbaseline = 0.0\n{more}"
        ));
        let rows = Dataset::open(&task, &data).unwrap();
        assert_eq!(rows.rows.len(), 4, "{file}");
        let items = items(&task, &rows, &merging(), 8192, None).unwrap();
        for (i, item) in items.iter().enumerate() {
            assert_eq!(item.index, i);
            match &item.work {
                Work::Score { sequences: found } => assert_eq!(found.len(), sequences, "{file}"),
                Work::Generate { .. } => assert_eq!(sequences, 0, "{file}"),
            }
        }
    }
}

#[test]
fn every_option_of_mmlu_can_be_taken_apart_and_matches_its_letter() {
    let Some(data) = data() else { return };
    let catalog = Catalog::shipped();
    let task = catalog.task("mmlu-dev").unwrap();
    let rows = Dataset::open(task, &data).unwrap();
    let tokenizer = merging();
    let items = items(task, &rows, &tokenizer, 4096, None).unwrap();
    assert_eq!(items.len(), 14_042);
    for item in items.iter().step_by(997) {
        let Row::Choice { query, .. } = &rows.rows[item.index].row else { panic!() };
        let Work::Score { sequences } = &item.work else { panic!() };
        let text = tokenizer.decode(&sequences[0].tokens);
        assert!(text.ends_with("\nAnswer: A"), "{text}");
        let option = query.trim_end().rsplit(" (D) ").next().unwrap();
        assert!(text.contains(&format!("\nD. {option}\nAnswer:")), "{text}");
        if item.truncated == 0 {
            assert!(
                text.starts_with("The following are multiple choice questions (with answers) ")
            );
            assert_eq!(text.matches("\nAnswer: ").count(), 6);
        }
    }
}
