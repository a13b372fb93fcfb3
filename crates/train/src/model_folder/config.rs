//! `config.json` of an MPT model, whoever wrote it: the shape, and what must not be in it.
//!
//! Two programs read this file, transformers and LLM Foundry, and each ignores fields the other
//! obeys. Whatever would make their numbers differ from each other or from ours is refused.

use std::path::Path;

use serde_json::Value;
use sparkjoy_base::{metadata, read};
use sparkjoy_spec::Shape;

use super::ModelError;
use super::error::{Instead, NOT_GIVEN};
use crate::TrainError;
use crate::hugging_face::CONFIG;

/// A dimension beyond this is no model's; it keeps every product of two within 64 bits.
const DIMENSION_MAX: u64 = u32::MAX as u64;

/// A field that decides about numbers: left out, or something our engine computes.
struct Field {
    name: &'static str,
    expected: &'static str,
    accepts: fn(&Value, &Shape) -> bool,
}

const fn field(
    name: &'static str,
    expected: &'static str,
    accepts: fn(&Value, &Shape) -> bool,
) -> Field {
    Field { name, expected, accepts }
}

/// Left out, each of these is what both programs take it to be, or the tensors tell (biases).
///
/// `learned_pos_emb` is not among them: with ALiBi both programs build no positions, and
/// mosaicml/mpt-7b says `true`. Positions that are there are found among the tensors.
///
/// # Source
///
/// `MptConfig` and `MptForCausalLM` of transformers 5.23; `MPTConfig` and its `config_defaults` of
/// LLM Foundry 0.22.
const FIELDS: [Field; 29] = [
    field("expansion_ratio", "4", |v, _| is(v, 4.0)),
    field("layer_norm_epsilon", "1e-5", |v, _| is(v, 1e-5)),
    field("norm_eps", "1e-5", |v, _| is(v, 1e-5)),
    field("norm_type", "\"low_precision_layernorm\" or \"layernorm\"", |v, _| {
        v.as_str().is_some_and(|name| {
            ["low_precision_layernorm", "layernorm"].contains(&name.to_lowercase().as_str())
        })
    }),
    field("no_bias", "true", |v, _| v == true),
    field("attention_bias", "false", |v, _| off(v)),
    field("embedding_fraction", "1", |v, _| is(v, 1.0)),
    field("logit_scale", "null", |v, _| v.is_null()),
    field("final_logit_softcapping", "null", |v, _| v.is_null()),
    field("tie_word_embeddings", "true", |v, _| v == true),
    field("head_dim", "d_model / n_heads", |v, s| v.is_null() || is(v, (s.width / s.heads) as f64)),
    field("block_overrides", "null", |v, _| v.is_null()),
    field("quantization_config", "null", |v, _| v.is_null()),
    field("ffn_config.ffn_type", "\"mptmlp\"", |v, _| v == "mptmlp"),
    field("ffn_config.ffn_hidden_size", "4 · d_model", |v, s| {
        v.is_null() || is(v, (4 * s.width) as f64)
    }),
    field("ffn_config.ffn_act_fn", "the exact GELU", |v, _| v.is_null() || is_exact_gelu(v)),
    field("attn_config.attn_type", "\"multihead_attention\"", |v, _| v == "multihead_attention"),
    field("attn_config.kv_n_heads", "n_heads", |v, s| v.is_null() || is(v, s.heads as f64)),
    field("attn_config.softmax_scale", "1 / sqrt(d_model / n_heads)", |v, s| {
        let exact = 1.0 / ((s.width / s.heads) as f64).sqrt();
        // To the precision it is computed with.
        let rounded = |scale: f64| (scale as f32).to_bits();
        v.is_null() || v.as_f64().is_some_and(|found| rounded(found) == rounded(exact))
    }),
    field("attn_config.alibi_bias_max", "8", |v, _| is(v, 8.0)),
    field("attn_config.qk_ln", "false", |v, _| off(v)),
    field("attn_config.qk_gn", "false", |v, _| off(v)),
    field("attn_config.fused_qkv", "true", |v, _| v == true),
    field("attn_config.prefix_lm", "false", |v, _| off(v)),
    field("attn_config.rope", "false", |v, _| off(v)),
    field("attn_config.nope", "false", |v, _| off(v)),
    field("attn_config.sliding_window_size", "-1", |v, _| is(v, -1.0)),
    field("attn_config.attn_logit_softcapping", "null", |v, _| v.is_null()),
    field("attn_config.attn_temperature_tuning.attn_scale", "0", |v, _| is(v, 0.0)),
];

/// This must be there: left out, transformers takes it for true and LLM Foundry for false.
const ALIBI: Field = field("attn_config.alibi", "true", |v, _| v == true);

fn is(value: &Value, number: f64) -> bool {
    value.as_f64() == Some(number)
}

/// What Python takes for false.
fn off(value: &Value) -> bool {
    value.is_null() || value == false
}

/// `{"name": "gelu"}` means the exact one, as `torch.nn.functional.gelu` does.
fn is_exact_gelu(value: &Value) -> bool {
    value["name"] == "gelu" && (value["approximate"].is_null() || value["approximate"] == "none")
}

/// Reads `config.json` of a folder.
///
/// # Errors
///
/// [`ModelError::NotAModel`], [`ModelError::Json`], [`ModelError::Architecture`] or
/// [`ModelError::Field`], the first that applies.
pub(super) fn open(folder: &Path) -> Result<Shape, TrainError> {
    let path = folder.join(CONFIG);
    if metadata(&path)?.is_none() {
        return Err(ModelError::NotAModel {
            folder: folder.to_owned(),
            instead: Instead::of(folder),
        }
        .into());
    }
    let config: Value = serde_json::from_slice(&read(&path)?)
        .map_err(|source| ModelError::Json { path: path.clone(), source })?;
    if config["model_type"] != "mpt" {
        let found = shown(config.get("model_type"));
        return Err(ModelError::Architecture { path, found }.into());
    }
    let refuse = |field: &'static str, expected: &str| ModelError::Field {
        path: path.clone(),
        field,
        found: shown(look_up(&config, field)),
        expected: expected.to_owned(),
    };
    let shape = shape(&config, &refuse)?;
    for Field { name, expected, accepts } in FIELDS.iter().chain([&ALIBI]) {
        let value = look_up(&config, name);
        if value.map_or(*name == ALIBI.name, |value| !accepts(value, &shape)) {
            return Err(refuse(name, expected).into());
        }
    }
    Ok(shape)
}

fn shape(
    config: &Value,
    refuse: &dyn Fn(&'static str, &str) -> ModelError,
) -> Result<Shape, ModelError> {
    let count = |field, least: u64| {
        let found = config[field].as_u64().filter(|n| (least..=DIMENSION_MAX).contains(n));
        let found = found.and_then(|n| usize::try_from(n).ok());
        found.ok_or_else(|| refuse(field, &format!("a whole number from {least}")))
    };
    let width = count("d_model", 1)?;
    let heads = count("n_heads", 1)?;
    if !width.is_multiple_of(heads) {
        return Err(refuse("n_heads", &format!("a divisor of `d_model`, {width}")));
    }
    let clip_qkv = match look_up(config, "attn_config.clip_qkv") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let clip = value.as_f64().map(|clip| clip as f32);
            let clip = clip.filter(|clip| clip.is_finite() && *clip > 0.0);
            Some(clip.ok_or_else(|| refuse("attn_config.clip_qkv", "null or a number above 0"))?)
        }
    };
    Ok(Shape {
        layers: count("n_layers", 1)?,
        width,
        heads,
        context: count("max_seq_len", 2)?,
        vocab: count("vocab_size", 1)?,
        clip_qkv,
    })
}

/// The value at a path of names with points between; `None` where any of them is not given.
fn look_up<'a>(config: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(config, |value, name| value.get(name))
}

/// A value as it stands in the file, in 80 characters at most.
fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return NOT_GIVEN.to_owned() };
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
