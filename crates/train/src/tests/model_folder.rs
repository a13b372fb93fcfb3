//! Our own checkpoints, opened as the model folders they are.

use std::fs;
use std::path::{Path, PathBuf};

use super::refusals::{flip, text};
use super::tiny::{ADAM, Tiny};
use crate::{Checkpoint, ModelFolder, TrainError};

const FILES: [&str; 4] =
    ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

/// A checkpoint of two steps.
fn checkpoint(tiny: &Tiny) -> Checkpoint {
    let folder = tiny.train(&tiny.trunk(ADAM), "run", 2);
    Checkpoint::at(&folder, 2).unwrap().unwrap()
}

/// What of a checkpoint others would read, in a folder of its own.
fn copy(checkpoint: &Path, name: &str) -> PathBuf {
    let copy = checkpoint.with_file_name(name);
    fs::create_dir_all(&copy).unwrap();
    for name in FILES {
        fs::copy(checkpoint.join(name), copy.join(name)).unwrap();
    }
    copy
}

pub(super) fn weights(folder: &ModelFolder) -> Result<Vec<f32>, TrainError> {
    let mut weights = vec![f32::NAN; folder.shape().parameters() as usize];
    folder.read_weights(&mut weights).map(|()| weights)
}

#[test]
fn a_checkpoint_and_a_copy_of_its_model_are_the_same_model() {
    let tiny = Tiny::new();
    let checkpoint = checkpoint(&tiny);
    let ours = ModelFolder::open(&checkpoint.folder).unwrap();
    assert_eq!((ours.step(), ours.run()), (Some(2), Some(checkpoint.run)));
    let theirs = ModelFolder::open(&copy(&checkpoint.folder, "exported")).unwrap();
    assert_eq!((theirs.step(), theirs.run()), (None, None));
    assert_eq!(ours.shape(), theirs.shape());
    assert_eq!(ours.fingerprint().unwrap(), theirs.fingerprint().unwrap());
    assert_eq!(ours.weight_files().unwrap(), theirs.weight_files().unwrap());
    let tokenizers = [&ours, &theirs].map(|folder| folder.tokenizer().unwrap().fingerprint());
    assert_eq!(tokenizers, [tiny.tokenizer.fingerprint(); 2]);
    assert_eq!(weights(&ours).unwrap(), weights(&theirs).unwrap());
}

#[test]
fn an_altered_checkpoint_is_not_opened_as_somebody_elses_model() {
    let tiny = Tiny::new();
    let folder = checkpoint(&tiny).folder;
    for name in FILES {
        let path = folder.join(name);
        let before = fs::read(&path).unwrap();
        flip(&path);
        let error = ModelFolder::open(&folder).and_then(|folder| weights(&folder)).unwrap_err();
        assert!(matches!(error, TrainError::Altered { .. }), "`{name}`: {error}");
        fs::write(&path, before).unwrap();
    }
    for missing in ["state.json", "DONE"] {
        let path = folder.join(missing);
        let before = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let error = ModelFolder::open(&folder).unwrap_err();
        assert!(matches!(error, TrainError::Incomplete { .. }), "`{missing}`: {error}");
        fs::write(&path, before).unwrap();
    }
    assert!(ModelFolder::open(&folder).is_ok());
}

#[test]
fn a_tokenizer_with_more_ids_than_the_model_has_rows_is_refused() {
    let tiny = Tiny::new();
    let folder = checkpoint(&tiny).folder;
    let copy = copy(&folder, "exported");
    // 280 ids in 288 rows: the rest is padding.
    assert_eq!(ModelFolder::open(&copy).unwrap().tokenizer().unwrap().vocab(), 280);
    sparkjoy_data::Tokenizer::cl100k().save(&copy).unwrap();
    let error = ModelFolder::open(&copy).unwrap().tokenizer().unwrap_err();
    insta::assert_snapshot!(text(&tiny, &error), @r#"
    `runs/run/exported` has a tokenizer that does not match the model: it has 100,277 ids, the embedding has 288 rows
    hint: put the tokenizer the model was trained with into the folder: `python -c "from transformers import AutoTokenizer as T; T.from_pretrained('NAME').save_pretrained('runs/run/exported')"`
    "#);
    fs::remove_file(copy.join("tokenizer.json")).unwrap();
    let error = ModelFolder::open(&copy).unwrap().tokenizer().unwrap_err();
    insta::assert_snapshot!(text(&tiny, &error), @r#"
    the tokenizer of `runs/run/exported` cannot be used
      caused by: `runs/run/exported` has no `tokenizer.json`
    hint: put the tokenizer the model was trained with beside it: `python -c "from transformers import AutoTokenizer as T; T.from_pretrained('NAME').save_pretrained('runs/run/exported')"`
    "#);
}
