//! Why a model folder cannot be evaluated, and what to do about it.

use std::path::{Path, PathBuf};

use safetensors::SafeTensorError;
use sparkjoy_base::{Hint, printable_name, thousands};
use sparkjoy_data::DataError;

/// What a folder without a model holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instead {
    /// Nothing that is known.
    Unknown,
    /// What changes a model and is none by itself.
    Adapter,
    /// A checkpoint of Composer.
    Composer {
        /// Its file.
        file: String,
    },
}

impl Instead {
    /// What lies in a folder.
    pub fn of(folder: &Path) -> Self {
        if folder.join("adapter_config.json").is_file() {
            return Self::Adapter;
        }
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names
            .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "pt"))
            .min()
            .map_or(Self::Unknown, |file| Self::Composer { file })
    }

    fn text(&self) -> String {
        match self {
            Self::Unknown => String::new(),
            Self::Adapter => ", but an adapter (LoRA), which changes a model".to_owned(),
            Self::Composer { file } => format!(", but a checkpoint of Composer, `{file}`"),
        }
    }
}

/// What is found where a field is left out.
pub(super) const NOT_GIVEN: &str = "not given";

/// A folder that is no checkpoint of ours, and no MPT model that can be evaluated either.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// There is no model.
    #[error("`{}` is not a model folder: it has no `config.json`{}", folder.display(), instead.text())]
    NotAModel {
        /// The folder.
        folder: PathBuf,
        /// What it is.
        instead: Instead,
    },
    /// A file is not the JSON it should be.
    #[error("cannot read `{}`", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Line and column.
        source: serde_json::Error,
    },
    /// Another architecture.
    #[error("`{}` is of a checkpoint of another architecture: found `model_type` {found}, \
             expected \"mpt\"", path.display())]
    Architecture {
        /// Its `config.json`.
        path: PathBuf,
        /// The architecture it names.
        found: String,
    },
    /// A model with a feature that would change the numbers.
    #[error("`{field}` in `{}`: found {found}, expected {expected}", path.display())]
    Field {
        /// Its `config.json`.
        path: PathBuf,
        /// The field, names of nested ones with points between.
        field: &'static str,
        /// Its value.
        found: String,
        /// What can be evaluated.
        expected: String,
    },
    /// Weights as a Python pickle.
    #[error("the weights of `{}` are a Python pickle: found `{file}`, expected \
             `model.safetensors`", folder.display())]
    Pickle {
        /// The model folder.
        folder: PathBuf,
        /// The first such file.
        file: String,
    },
    /// No weights at all.
    #[error("`{}` holds no weights: found neither `model.safetensors` nor \
             `model.safetensors.index.json`", folder.display())]
    NoWeights {
        /// The model folder.
        folder: PathBuf,
    },
    /// Weights twice.
    #[error("`{}` holds weights twice: `model.safetensors` and `model.safetensors.index.json`",
        folder.display())]
    TwoWeights {
        /// The model folder.
        folder: PathBuf,
    },
    /// A shard is named that is no file of the folder.
    #[error("`{}` puts tensor `{}` into `{}`, which is not in the folder",
        path.display(), printable_name(tensor), printable_name(shard))]
    MissingShard {
        /// The index.
        path: PathBuf,
        /// A tensor it puts there.
        tensor: String,
        /// The file.
        shard: String,
    },
    /// The index and the shards contradict each other.
    #[error("`{}` is wrong about tensor `{}`: found {}, expected {}",
        path.display(), printable_name(tensor), printable_name(found), printable_name(expected))]
    Index {
        /// The index.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The shards it is in.
        found: String,
        /// The shard the index names.
        expected: String,
    },
    /// A safetensors header is broken.
    #[error("cannot read `{}`", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: SafeTensorError,
    },
    /// A tensor is missing, unknown, or of another shape or type.
    #[error("tensor `{}` in `{}`: found {found}, expected {expected}", printable_name(name),
        path.display())]
    Tensor {
        /// The file, or the folder of several.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// What is there.
        found: String,
        /// What an MPT model of this shape has.
        expected: String,
    },
    /// The files hold less than the config says.
    #[error("`{}` has weights of {} values in {} tensors, its `config.json` describes a model of \
             {}", folder.display(), thousands(*values), thousands(*tensors),
             thousands(*expected))]
    TooFew {
        /// The model folder.
        folder: PathBuf,
        /// Numbers in the weight files.
        values: u64,
        /// Tensors in the weight files.
        tensors: u64,
        /// Parameters by the config.
        expected: u64,
    },
    /// A weight is not a finite number.
    #[error("tensor `{name}` in `{}` holds a weight that is not finite", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },
    /// The tokenizer cannot be opened.
    #[error("the tokenizer of `{}` cannot be used", folder.display())]
    Tokenizer {
        /// The model folder.
        folder: PathBuf,
        /// Why.
        source: Box<DataError>,
    },
    /// The tokenizer has ids the model has no row for.
    #[error("`{}` has a tokenizer that does not match the model: it has {} ids, the embedding has \
             {} rows", folder.display(), thousands(u64::from(*ids)), thousands(*rows as u64))]
    Vocabulary {
        /// The model folder.
        folder: PathBuf,
        /// Ids of the tokenizer.
        ids: u32,
        /// Rows of the embedding.
        rows: usize,
    },
}

impl Hint for ModelError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotAModel { folder, instead: Instead::Adapter } => format!(
                "merge it into its model: `python -c \"from peft import \
                 AutoPeftModelForCausalLM as M; \
                 M.from_pretrained('{0}').merge_and_unload().save_pretrained('{0}-merged')\"`",
                folder.display()
            ),
            Self::NotAModel { folder, instead: Instead::Composer { file } } => format!(
                "convert it with LLM Foundry: `python scripts/inference/convert_composer_to_hf.py \
                 --composer_path {0}/{file} --hf_output_path {0}-hf --output_precision bf16`",
                folder.display()
            ),
            Self::NotAModel { .. } => {
                "give a folder that holds `config.json`, `model.safetensors` and `tokenizer.json`: \
                 a checkpoint, or a model saved with `save_pretrained`"
                    .to_owned()
            }
            Self::Architecture { .. } => {
                "sparkjoy opens MPT models; `--worker` has a program of yours \
                 compute another one, and lm-evaluation-harness scores it"
                    .to_owned()
            }
            Self::Field { field: "attn_config.alibi", found, .. } if found == NOT_GIVEN => {
                "left out, transformers takes it for true and LLM Foundry for false: write into \
                 `config.json` what the model was trained with"
                    .to_owned()
            }
            Self::Field { field, .. } => field_hint(field),
            Self::Pickle { folder, .. } => format!(
                "convert it, reading only what you trust: `python -c \"import glob, torch, \
                 safetensors.torch as s; s.save_file({{k: v.clone() for p in \
                 glob.glob('{folder}/pytorch_model*.bin') for k, v in torch.load(p, \
                 map_location='cpu', weights_only=True).items()}}, '{folder}/model.safetensors', \
                 {{'format': 'pt'}})\"`",
                folder = folder.display()
            ),
            Self::TwoWeights { folder } => format!(
                "remove the ones that are not this model's: one of `{0}/model.safetensors` and \
                 `{0}/model.safetensors.index.json`",
                folder.display()
            ),
            Self::Tensor { found, .. } if found.starts_with("also") => {
                "save the model again with each tensor once".to_owned()
            }
            Self::Tensor { path, .. } => format!(
                "MPT models of this shape without biases, with the head tied to the embedding, in \
                 F32, BF16 or F16 are opened; compare `config.json` with `{}`",
                path.display()
            ),
            Self::NotFinite { .. } => {
                "nothing can be scored or trained with it; fetch an earlier checkpoint of the model"
                    .to_owned()
            }
            Self::Json { path, .. } | Self::Header { path, .. } => {
                format!("fetch `{}` again: it is cut off or was changed", path.display())
            }
            Self::MissingShard { path, shard, .. } if !shard.contains('/') => {
                format!("fetch `{}`", path.with_file_name(shard).display())
            }
            Self::MissingShard { path, .. } | Self::Index { path, .. } => {
                again(path.parent().unwrap_or(path))
            }
            Self::NoWeights { folder } | Self::TooFew { folder, .. } => again(folder),
            Self::Tokenizer { source, .. } => return source.hint(),
            Self::Vocabulary { folder, .. } => format!(
                "put the tokenizer the model was trained with into the folder: `python -c \"from \
                 transformers import AutoTokenizer as T; \
                 T.from_pretrained('NAME').save_pretrained('{}')\"`",
                folder.display()
            ),
        })
    }
}

fn again(folder: &Path) -> String {
    format!("fetch the model into `{}` again, all of its files", folder.display())
}

/// transformers passes over some features, so that it is no way out for a model that has them.
fn field_hint(field: &str) -> String {
    const TRANSFORMERS_COMPUTES: [&str; 4] = [
        "layer_norm_epsilon",
        "attn_config.softmax_scale",
        "tie_word_embeddings",
        "quantization_config",
    ];
    const IMPOSSIBLE: [&str; 6] =
        ["d_model", "n_heads", "n_layers", "max_seq_len", "vocab_size", "attn_config.clip_qkv"];
    if IMPOSSIBLE.contains(&field) {
        "fetch `config.json` again: no MPT model has this".to_owned()
    } else if TRANSFORMERS_COMPUTES.contains(&field) {
        "sparkjoy's engine does not compute this; transformers scores such a model".to_owned()
    } else {
        format!(
            "sparkjoy's engine does not compute this, and transformers ignores `{field}` without a \
             word; score this model with LLM Foundry"
        )
    }
}
