//! `config.json`: what transformers needs to load a checkpoint as `MptForCausalLM`.
//!
//! transformers checks the type of each number (an integer where it wants a float is refused) and
//! quietly ignores what it does not implement, so only what means the same there is written.

use serde::Serialize;
use sparkjoy_data::Tokenizer;
use sparkjoy_nn::Shape;

/// The file's name.
pub(crate) const CONFIG: &str = "config.json";

#[derive(Serialize)]
struct Config {
    architectures: [&'static str; 1],
    model_type: &'static str,
    d_model: usize,
    n_heads: usize,
    n_layers: usize,
    expansion_ratio: usize,
    max_seq_len: usize,
    vocab_size: usize,
    resid_pdrop: f64,
    emb_pdrop: f64,
    layer_norm_epsilon: f64,
    learned_pos_emb: bool,
    attn_config: AttentionConfig,
    logit_scale: Option<f64>,
    no_bias: bool,
    norm_type: &'static str,
    tie_word_embeddings: bool,
    use_cache: bool,
    bos_token_id: u32,
    eos_token_id: u32,
    dtype: &'static str,
}

#[derive(Serialize)]
struct AttentionConfig {
    attn_type: &'static str,
    /// An integer: 0.0 is refused.
    attn_pdrop: u32,
    attn_impl: &'static str,
    /// A float: 6 is refused.
    clip_qkv: Option<f64>,
    softmax_scale: Option<f64>,
    prefix_lm: bool,
    qk_ln: bool,
    attn_uses_sequence_id: bool,
    alibi: bool,
    /// An integer: 8.0 is refused.
    alibi_bias_max: u32,
}

/// The text of `config.json` for a model of this shape.
///
/// # Source
///
/// `MptConfig` of transformers 5.23; checked by `parity/hugging_face.py`.
pub(crate) fn config(shape: &Shape, tokenizer: &Tokenizer) -> Vec<u8> {
    let config = Config {
        architectures: ["MptForCausalLM"],
        model_type: "mpt",
        d_model: shape.width,
        n_heads: shape.heads,
        n_layers: shape.layers,
        expansion_ratio: 4,
        max_seq_len: shape.context,
        vocab_size: shape.vocab,
        resid_pdrop: 0.0,
        emb_pdrop: 0.0,
        layer_norm_epsilon: 1e-5,
        learned_pos_emb: false,
        attn_config: AttentionConfig {
            attn_type: "multihead_attention",
            attn_pdrop: 0,
            attn_impl: "torch",
            clip_qkv: shape.clip_qkv.map(f64::from),
            softmax_scale: None,
            prefix_lm: false,
            qk_ln: false,
            attn_uses_sequence_id: false,
            alibi: true,
            alibi_bias_max: 8,
        },
        logit_scale: None,
        no_bias: true,
        norm_type: "low_precision_layernorm",
        tie_word_embeddings: true,
        use_cache: true,
        bos_token_id: tokenizer.end_of_text(),
        eos_token_id: tokenizer.end_of_text(),
        dtype: "float32",
    };
    let mut text = serde_json::to_vec_pretty(&config).expect("plain data has a JSON form");
    text.push(b'\n');
    text
}
