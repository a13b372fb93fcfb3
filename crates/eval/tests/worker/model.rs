//! A small model folder as others write them: what our decoder and transformers both load.

use std::path::Path;

use serde_json::{Map, json};
use sparkjoy_base::{Seed, write_atomic};
use sparkjoy_nn::{Compute, Engine};
use sparkjoy_spec::Shape;

pub(crate) const CONTEXT: usize = 48;
pub(crate) const VOCAB: usize = 320;

/// Writes `config.json` and `model.safetensors`: initial weights.
pub(crate) fn write(folder: &Path) {
    let shape =
        Shape { layers: 2, width: 32, heads: 2, context: CONTEXT, vocab: VOCAB, clip_qkv: None };
    let config = json!({
        "architectures": ["MptForCausalLM"], "model_type": "mpt", "dtype": "float32",
        "d_model": 32, "n_heads": 2, "n_layers": 2, "expansion_ratio": 4, "max_seq_len": CONTEXT,
        "vocab_size": VOCAB, "no_bias": true, "norm_type": "low_precision_layernorm",
        "resid_pdrop": 0.0, "emb_pdrop": 0.0, "layer_norm_epsilon": 1e-5, "logit_scale": null,
        "learned_pos_emb": false, "tie_word_embeddings": true,
        "attn_config": {
            "attn_type": "multihead_attention", "attn_pdrop": 0, "attn_impl": "torch",
            "clip_qkv": null, "softmax_scale": null, "prefix_lm": false, "qk_ln": false,
            "attn_uses_sequence_id": false, "alibi": true, "alibi_bias_max": 8,
        },
    });
    write_atomic(&folder.join("config.json"), config.to_string().as_bytes()).unwrap();
    let mut engine = Engine::new(shape, 1, Compute::exact(1)).unwrap();
    engine.init(Seed(3));
    let mut header = Map::new();
    for tensor in shape.tensors() {
        let bytes = [4 * tensor.range().start, 4 * tensor.range().end];
        let entry = json!({ "dtype": "F32", "shape": tensor.shape, "data_offsets": bytes });
        header.insert(tensor.name, entry);
    }
    header.insert("__metadata__".to_owned(), json!({ "format": "pt" }));
    let mut header = json!(header).to_string();
    // The numbers begin at a multiple of eight bytes.
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(engine.weights().iter().flat_map(|weight| weight.to_le_bytes()));
    write_atomic(&folder.join("model.safetensors"), &file).unwrap();
}
