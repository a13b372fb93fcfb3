//! `config.json`: what transformers needs to load a checkpoint as `MptForCausalLM`.
//!
//! transformers checks the type of each number (an integer where it wants a float is refused) and
//! quietly ignores what it does not implement, so only what means the same there is written.

use serde_json::json;
use sparkjoy_data::Tokenizer;
use sparkjoy_spec::Shape;

/// The file's name.
pub(crate) const CONFIG: &str = "config.json";

/// The text of `config.json` for a model of this shape.
///
/// # Source
///
/// `MptConfig` of transformers 5.23; `parity/hugging_face.py` holds the two against each other.
pub(crate) fn config(shape: &Shape, tokenizer: &Tokenizer) -> Vec<u8> {
    let config = json!({
        "architectures": ["MptForCausalLM"],
        "model_type": "mpt",
        "d_model": shape.width,
        "n_heads": shape.heads,
        "n_layers": shape.layers,
        "expansion_ratio": 4,
        "max_seq_len": shape.context,
        "vocab_size": shape.vocab,
        "resid_pdrop": 0.0,
        "emb_pdrop": 0.0,
        "layer_norm_epsilon": 1e-5,
        "learned_pos_emb": false,
        "attn_config": {
            "attn_type": "multihead_attention",
            "attn_pdrop": 0, // an integer: 0.0 is refused
            "attn_impl": "torch",
            "clip_qkv": shape.clip_qkv.map(f64::from), // a float: 6 is refused
            "softmax_scale": null,
            "prefix_lm": false,
            "qk_ln": false,
            "attn_uses_sequence_id": false,
            "alibi": true,
            "alibi_bias_max": 8, // an integer: 8.0 is refused
        },
        "logit_scale": null,
        "no_bias": true,
        "norm_type": "low_precision_layernorm",
        "tie_word_embeddings": true,
        "use_cache": true,
        "bos_token_id": tokenizer.end_of_text(),
        "eos_token_id": tokenizer.end_of_text(),
        "dtype": "float32",
    });
    let mut text = serde_json::to_vec_pretty(&config).expect("plain data has a JSON form");
    text.push(b'\n');
    text
}
