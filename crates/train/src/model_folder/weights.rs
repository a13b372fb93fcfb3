//! The weight files of a Hugging Face model folder: one, or shards and their index.
//!
//! Every header is read and held against the shape, and against the index, before a weight is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorInfo;
use serde::Deserialize;
use sparkjoy_base::{FileError, Fingerprint, read};
use sparkjoy_spec::{Shape, Tensor};

use super::{ModelError, WeightFile};
use crate::TrainError;
use crate::checkpoint::{MODEL, entries, record};
use crate::tensors::{FLOATS, OpenError, TensorFile, described};

/// What lists the shards, in their folder.
const INDEX: &str = "model.safetensors.index.json";
/// The head, where it is written although it is the embedding.
const HEAD: &str = "lm_head.weight";

/// The weights of a foreign model, each tensor found once.
#[derive(Debug)]
pub(super) struct Weights {
    folder: PathBuf,
    /// By name, so that the order is the same on every machine.
    files: BTreeMap<String, Vec<(String, TensorInfo)>>,
    /// Where each tensor of a file belongs in the flat buffer, by its name in the file.
    places: BTreeMap<String, Range<usize>>,
    /// File and name of the head, if it is written.
    head: Option<(String, String)>,
}

impl Weights {
    /// Finds the weights of a model of this shape.
    pub(super) fn open(folder: &Path, shape: &Shape) -> Result<Self, TrainError> {
        let files = match (folder.join(MODEL).exists(), folder.join(INDEX).exists()) {
            (true, true) => return Err(ModelError::TwoWeights { folder: folder.into() }.into()),
            (true, false) => [(MODEL.to_owned(), open(&folder.join(MODEL))?.tensors())].into(),
            (false, true) => shards(folder)?,
            (false, false) => return Err(none(folder)?.into()),
        };
        let mut weights =
            Self { folder: folder.to_owned(), files, places: BTreeMap::new(), head: None };
        weights.refuse_too_few(shape)?;
        weights.place(shape)?;
        Ok(weights)
    }

    /// Refuses a config that describes far more than the files hold, before anything is laid out
    /// for it. What is missing of a model of about their size is told by name.
    fn refuse_too_few(&self, shape: &Shape) -> Result<(), ModelError> {
        let infos = || self.files.values().flatten().map(|(_, info)| info);
        let values = infos().map(|info| info.shape.iter().product::<usize>() as u64).sum::<u64>();
        let tensors = infos().count() as u64;
        let (l, d, v) = (shape.layers as u128, shape.width as u128, shape.vocab as u128);
        let expected = v * d + l * (12 * d * d + 2 * d) + d;
        if expected <= 4 * u128::from(values) && l <= u128::from(tensors) {
            return Ok(());
        }
        let expected = u64::try_from(expected).unwrap_or(u64::MAX);
        Err(ModelError::TooFew { folder: self.folder.clone(), values, tensors, expected })
    }

    /// Finds the place of every tensor of every file.
    fn place(&mut self, shape: &Shape) -> Result<(), ModelError> {
        let layout = shape.tensors();
        let mut wanted: BTreeMap<&str, &Tensor> =
            layout.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        let embedding = &layout[0];
        let mut met: BTreeMap<String, &str> = BTreeMap::new();
        for (file, tensors) in &self.files {
            for (name, info) in tensors {
                let refuse = |found: String, expected: String| ModelError::Tensor {
                    path: self.folder.join(file),
                    name: name.clone(),
                    found,
                    expected,
                };
                let ours = our_name(name);
                if let Some(other) = met.insert(ours.clone(), name) {
                    return Err(refuse(format!("also as `{other}`"), "one of them".to_owned()));
                }
                let tensor = if ours == HEAD { Some(embedding) } else { wanted.remove(&*ours) };
                let Some(tensor) = tensor else {
                    return Err(refuse(described(info), unknown(&ours).to_owned()));
                };
                if !FLOATS.contains(&info.dtype) || info.shape != tensor.shape {
                    let expected = format!("F32, BF16 or F16 {:?}", tensor.shape);
                    return Err(refuse(described(info), expected));
                }
                if ours == HEAD {
                    self.head = Some((file.clone(), name.clone()));
                } else {
                    self.places.insert(name.clone(), tensor.range());
                }
            }
        }
        match wanted.into_values().min_by_key(|tensor| tensor.offset) {
            None => Ok(()),
            Some(missing) => Err(ModelError::Tensor {
                path: self.folder.clone(),
                name: missing.name.clone(),
                found: "no such tensor".to_owned(),
                expected: format!("{:?}", missing.shape),
            }),
        }
    }

    /// Reads all of them into a flat buffer, one tensor at a time.
    pub(super) fn read(&self, weights: &mut [f32]) -> Result<(), TrainError> {
        for (name, tensors) in &self.files {
            let path = self.folder.join(name);
            let mut file = open(&path)?;
            for (tensor, info) in tensors {
                let Some(place) = self.places.get(tensor) else { continue };
                let values = &mut weights[place.clone()];
                file.read(info, values)?;
                if !values.iter().all(|value| value.is_finite()) {
                    return Err(ModelError::NotFinite { path, name: tensor.clone() }.into());
                }
            }
        }
        self.check_head(weights)
    }

    /// Shows all of them, one tensor at a time in the order of the flat buffer.
    pub(super) fn each(&self, see: &mut dyn FnMut(&[f32])) -> Result<(), TrainError> {
        let mut opened = BTreeMap::new();
        let mut tensors = Vec::new();
        for (name, infos) in &self.files {
            opened.insert(name, open(&self.folder.join(name))?);
            let placed =
                infos.iter().filter_map(|(tensor, info)| Some((self.places.get(tensor)?, info)));
            tensors.extend(placed.map(|(place, info)| (place, name, info)));
        }
        tensors.sort_by_key(|(place, ..)| place.start);
        let mut values = Vec::new();
        for (place, name, info) in tensors {
            values.resize(place.len(), 0.0);
            opened.get_mut(name).expect("every file was opened above").read(info, &mut values)?;
            if !values.iter().all(|value| value.is_finite()) {
                let (path, name) = (self.folder.join(name), self.name_at(place));
                return Err(ModelError::NotFinite { path, name }.into());
            }
            // The embedding is the first of all.
            if place.start == 0 {
                self.check_head(&values)?;
            }
            see(&values);
        }
        Ok(())
    }

    /// What the file calls the tensor at a place.
    fn name_at(&self, place: &Range<usize>) -> String {
        let mut named = self.places.iter();
        let name = named.find(|(_, other)| *other == place).map(|(name, _)| name.clone());
        name.expect("the place is one of these")
    }

    /// Refuses a head that is not the embedding, which is read by now.
    fn check_head(&self, weights: &[f32]) -> Result<(), TrainError> {
        let Some((file, name)) = &self.head else { return Ok(()) };
        let path = self.folder.join(file);
        let (_, info) = self.files[file]
            .iter()
            .find(|(tensor, _)| tensor == name)
            .expect("the head was found in this file");
        let embedding = &weights[..info.shape.iter().product()];
        if open(&path)?.holds(info, embedding)? {
            return Ok(());
        }
        Err(ModelError::Tensor {
            path,
            name: name.clone(),
            found: "a head of its own".to_owned(),
            expected: "the embedding once more".to_owned(),
        }
        .into())
    }

    pub(super) fn files(&self) -> Result<Vec<WeightFile>, FileError> {
        let describe = |(name, tensors): (&String, &Vec<(String, TensorInfo)>)| {
            WeightFile::new(&self.folder, name, tensors)
        };
        self.files.iter().map(describe).collect()
    }

    /// The content of each file, in the order of their names. Reads every byte.
    pub(super) fn contents(&self) -> Result<Vec<Fingerprint>, FileError> {
        self.files.keys().map(|name| Ok(record(&self.folder.join(name))?.fingerprint)).collect()
    }
}

/// The name we know a tensor by: transformers has `transformer.` before it, or nothing, and LLM
/// Foundry's Composer checkpoints `model.` before that.
fn our_name(name: &str) -> String {
    let name = name.strip_prefix("model.").unwrap_or(name);
    let name = name.strip_prefix("transformer.").unwrap_or(name);
    if name == HEAD { HEAD.to_owned() } else { format!("transformer.{name}") }
}

/// What is expected in the place of a tensor our models do not have.
fn unknown(name: &str) -> &'static str {
    if name.rsplit('.').next() == Some("bias") {
        "no biases"
    } else if name.contains(".wpe.") {
        "no learned positions"
    } else if name.contains("q_ln.") || name.contains("k_ln.") {
        "no norms of queries and keys"
    } else {
        "no such tensor"
    }
}

/// Why there are no weights to read.
fn none(folder: &Path) -> Result<ModelError, FileError> {
    let pickle = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?;
        let is_one = name.starts_with("pytorch_model") && path.extension()? == "bin";
        is_one.then(|| name.to_owned())
    };
    let folder = folder.to_owned();
    Ok(match entries(&folder)?.iter().find_map(pickle) {
        Some(file) => ModelError::Pickle { folder, file },
        None => ModelError::NoWeights { folder },
    })
}

pub(super) fn open(path: &Path) -> Result<TensorFile, TrainError> {
    TensorFile::open(path).map_err(|error| match error {
        OpenError::Header(source) => ModelError::Header { path: path.to_owned(), source }.into(),
        OpenError::File(error) => error.into(),
    })
}

/// `model.safetensors.index.json`, as far as it is believed. Its sizes are not: old versions
/// counted tied tensors twice.
#[derive(Deserialize)]
struct Index {
    /// The shard of each tensor.
    weight_map: BTreeMap<String, String>,
}

/// The tensors of each shard, once index and shards are known to say the same.
fn shards(folder: &Path) -> Result<BTreeMap<String, Vec<(String, TensorInfo)>>, TrainError> {
    let path = folder.join(INDEX);
    let Index { weight_map } = serde_json::from_slice(&read(&path)?)
        .map_err(|source| ModelError::Json { path: path.clone(), source })?;

    let mut files = BTreeMap::new();
    for (tensor, shard) in &weight_map {
        if files.contains_key(shard) {
            continue;
        }
        // A name with a folder in it could lead anywhere.
        let plain = Path::new(shard).file_name().is_some_and(|name| name == shard.as_str());
        if !plain || !folder.join(shard).is_file() {
            let (tensor, shard) = (tensor.clone(), shard.clone());
            return Err(ModelError::MissingShard { path, tensor, shard }.into());
        }
        files.insert(shard.clone(), open(&folder.join(shard))?.tensors());
    }

    let mut holders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (shard, tensors) in &files {
        for (tensor, _) in tensors {
            holders.entry(tensor).or_default().insert(shard);
        }
    }
    for (tensor, shard) in &weight_map {
        let found = holders.remove(tensor.as_str()).unwrap_or_default();
        if !found.iter().eq([shard]) {
            let found =
                if found.is_empty() { "no shard with it".to_owned() } else { listed(&found) };
            let (tensor, expected) = (tensor.clone(), format!("`{shard}` alone"));
            return Err(ModelError::Index { path, tensor, found, expected }.into());
        }
    }
    if let Some((tensor, found)) = holders.into_iter().next() {
        let (tensor, found) = (tensor.to_owned(), listed(&found));
        let expected = "no tensor that it does not list".to_owned();
        return Err(ModelError::Index { path, tensor, found, expected }.into());
    }
    Ok(files)
}

fn listed(shards: &BTreeSet<&str>) -> String {
    shards.iter().map(|shard| format!("`{shard}`")).collect::<Vec<_>>().join(" and ")
}

impl WeightFile {
    /// Describes a file by what its header says.
    pub(super) fn new(
        folder: &Path,
        name: &str,
        tensors: &[(String, TensorInfo)],
    ) -> Result<Self, FileError> {
        let path = folder.join(name);
        let bytes = fs::metadata(&path).map_err(FileError::at("read", &path))?.len();
        let types: BTreeSet<String> =
            tensors.iter().map(|(_, info)| info.dtype.to_string()).collect();
        let types = types.into_iter().collect();
        Ok(Self { name: name.to_owned(), bytes, tensors: tensors.len(), types })
    }
}
