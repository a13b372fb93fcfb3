//! Whole ways through the crate, on rows and text made up here.

mod bad_rows;
mod bad_tasks;
mod catalog;
mod hand_made;
mod held_out;
mod programs;
mod prompts;
mod published;
mod scores;
mod session;

use std::path::Path;

use crate::{Catalog, Dataset, EvalError, Task};
use sparkjoy_data::{ModelTokenizer, Tokenizer};

/// The only task of a file with this text.
fn task(definition: &str) -> Task {
    let mut catalog = Catalog::shipped();
    let shipped = catalog.tasks().len();
    let text = format!("[[tasks]]\n{definition}");
    catalog.add(Path::new("my-tasks.toml"), &text, ("task", "suite")).unwrap();
    assert_eq!(catalog.tasks().len(), shipped + 1);
    catalog.tasks()[shipped].clone()
}

/// Its rows, from the text of a file.
fn rows(task: &Task, text: &str) -> Result<Dataset, EvalError> {
    rows_of(task, text.as_bytes())
}

fn rows_of(task: &Task, bytes: &[u8]) -> Result<Dataset, EvalError> {
    let folder = tempfile::tempdir().unwrap();
    sparkjoy_base::write_atomic(&folder.path().join(&task.files[0]), bytes).unwrap();
    Dataset::open(task, folder.path())
}

/// A tokenizer of single bytes: no merges, and no space before answers.
fn single_bytes() -> ModelTokenizer {
    Tokenizer::train_bpe(&[], 257).unwrap().into()
}

/// A tokenizer that merges ` a`, and so on.
fn merging() -> ModelTokenizer {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/prompts/tokenizer");
    ModelTokenizer::open(Path::new(folder)).unwrap()
}
