//! Copies of the golden model folders, to be spoiled.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use serde_json::Value;
use sparkjoy_base::Hint;
use sparkjoy_train::{ModelFolder, TrainError};

pub(crate) const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/models");
pub(crate) const CONFIG: &str = "config.json";
pub(crate) const MODEL: &str = "model.safetensors";
pub(crate) const INDEX: &str = "model.safetensors.index.json";

pub(crate) type Tensors = BTreeMap<String, Raw>;

#[derive(Clone)]
pub(crate) struct Raw {
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: Vec<u8>,
}

/// A copy of a model folder that can be spoiled.
pub(crate) struct Copy(tempfile::TempDir);

impl Copy {
    pub(crate) fn of(name: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(Path::new(MODELS).join(name)).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, place.path().join(path.file_name().unwrap())).unwrap();
        }
        Self(place)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn edit(&self, file: &str, change: impl FnOnce(&mut Value)) {
        let path = self.file(file);
        let mut value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut value);
        fs::write(path, value.to_string()).unwrap();
    }

    /// Writes a weight file anew with other tensors.
    pub(crate) fn rewrite(&self, file: &str, change: impl FnOnce(&mut Tensors)) {
        let path = self.file(file);
        let bytes = fs::read(&path).unwrap();
        let read = SafeTensors::deserialize(&bytes).unwrap();
        let raw = |view: &TensorView<'_>| Raw {
            dtype: view.dtype(),
            shape: view.shape().to_vec(),
            bytes: view.data().to_vec(),
        };
        let mut tensors = read.iter().map(|(name, view)| (name.to_owned(), raw(&view))).collect();
        change(&mut tensors);
        let view = |raw: &'_ Raw| (raw.dtype, raw.shape.clone());
        let views = tensors.iter().map(|(name, raw)| {
            let (dtype, shape) = view(raw);
            (name.clone(), TensorView::new(dtype, shape, &raw.bytes).unwrap())
        });
        let bytes = serialize(views.collect::<Vec<_>>(), None).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// The error of opening it, or else of reading its weights.
    fn error(&self) -> TrainError {
        match ModelFolder::open(self.path()) {
            Err(error) => error,
            Ok(folder) => folder.read_weights(&mut buffer(&folder)).unwrap_err(),
        }
    }

    /// Error, causes and hint, the folder as `model`.
    pub(crate) fn refusal(&self) -> String {
        let error = self.error();
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            write!(text, "\n  caused by: {inner}").unwrap();
            cause = inner.source();
        }
        let hint = error.hint().unwrap();
        format!("{text}\nhint: {hint}").replace(&self.path().display().to_string(), "model")
    }
}

/// A buffer for the weights, full of something else.
pub(crate) fn buffer(folder: &ModelFolder) -> Vec<f32> {
    vec![f32::NAN; folder.shape().parameters() as usize]
}
