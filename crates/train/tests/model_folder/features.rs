//! Every field of a config that would change the numbers is refused by name.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::copy::{CONFIG, Copy};

/// Puts `value` at a path of names with points between; takes the field out if there is none.
fn set(config: &mut Value, path: &str, value: Option<Value>) {
    let (parent, name) = match path.split_once('.') {
        Some((parent, name)) => (&mut config[parent], name),
        None => (config, path),
    };
    match value {
        Some(value) => parent[name] = value,
        None => drop(parent.as_object_mut().unwrap().remove(name)),
    }
}

#[test]
fn every_feature_that_changes_the_numbers_is_refused_by_name() {
    let cases = [
        ("attn_config.alibi", Some(json!(false))),
        ("attn_config.alibi", None),
        ("attn_config", None),
        ("attn_config.alibi_bias_max", Some(json!(16))),
        ("attn_config.attn_type", Some(json!("multiquery_attention"))),
        ("attn_config.attn_type", Some(json!("grouped_query_attention"))),
        ("attn_config.kv_n_heads", Some(json!(1))),
        ("attn_config.softmax_scale", Some(json!(0.25))),
        ("attn_config.qk_ln", Some(json!(true))),
        ("attn_config.qk_gn", Some(json!(true))),
        ("attn_config.fused_qkv", Some(json!(false))),
        ("attn_config.prefix_lm", Some(json!(true))),
        ("attn_config.rope", Some(json!(true))),
        ("attn_config.nope", Some(json!(true))),
        ("attn_config.sliding_window_size", Some(json!(512))),
        ("attn_config.attn_logit_softcapping", Some(json!(50.0))),
        ("attn_config.attn_temperature_tuning", Some(json!({"attn_scale": 0.1}))),
        ("attn_config.clip_qkv", Some(json!(-1.0))),
        ("expansion_ratio", Some(json!(2))),
        ("layer_norm_epsilon", Some(json!(1e-6))),
        ("norm_eps", Some(json!(1e-6))),
        ("norm_type", Some(json!("low_precision_rmsnorm"))),
        ("no_bias", Some(json!(false))),
        ("attention_bias", Some(json!(true))),
        ("embedding_fraction", Some(json!(0.5))),
        ("logit_scale", Some(json!("inv_sqrt_d_model"))),
        ("final_logit_softcapping", Some(json!(30.0))),
        ("tie_word_embeddings", Some(json!(false))),
        ("tie_word_embeddings", Some(json!(null))),
        ("head_dim", Some(json!(128))),
        ("block_overrides", Some(json!({"order": [{"name": "default"}], "overrides": {}}))),
        ("quantization_config", Some(json!({"quant_method": "awq"}))),
        ("ffn_config.ffn_type", Some(json!("mptglu"))),
        ("ffn_config.ffn_hidden_size", Some(json!(100))),
        ("ffn_config.ffn_act_fn", Some(json!({"name": "silu"}))),
        ("ffn_config.ffn_act_fn", Some(json!({"name": "gelu", "approximate": "tanh"}))),
        ("d_model", Some(json!(16.5))),
        ("n_layers", None),
        ("n_heads", Some(json!(3))),
        ("vocab_size", Some(json!(-1))),
        ("max_seq_len", Some(json!(1))),
        ("model_type", Some(json!("llama"))),
        ("model_type", None),
    ];
    let mut all = String::new();
    for (path, value) in cases {
        let copy = Copy::of("composer");
        copy.edit(CONFIG, |config| set(config, path, value));
        let refusal = copy.refusal();
        let (error, hint) = refusal.split_once("\nhint: ").unwrap();
        let ways = ["with LLM Foundry", "transformers scores", "fetch", "harness", "write into"];
        let way = ways.iter().find(|way| hint.contains(**way)).unwrap();
        writeln!(all, "{} → {way}", error.replace(" in `model/config.json`", "")).unwrap();
    }
    insta::assert_snapshot!(all, @r#"
    `attn_config.alibi`: found false, expected true → with LLM Foundry
    `attn_config.alibi`: found not given, expected true → write into
    `attn_config.alibi`: found not given, expected true → write into
    `attn_config.alibi_bias_max`: found 16, expected 8 → with LLM Foundry
    `attn_config.attn_type`: found "multiquery_attention", expected "multihead_attention" → with LLM Foundry
    `attn_config.attn_type`: found "grouped_query_attention", expected "multihead_attention" → with LLM Foundry
    `attn_config.kv_n_heads`: found 1, expected n_heads → with LLM Foundry
    `attn_config.softmax_scale`: found 0.25, expected 1 / sqrt(d_model / n_heads) → transformers scores
    `attn_config.qk_ln`: found true, expected false → with LLM Foundry
    `attn_config.qk_gn`: found true, expected false → with LLM Foundry
    `attn_config.fused_qkv`: found false, expected true → with LLM Foundry
    `attn_config.prefix_lm`: found true, expected false → with LLM Foundry
    `attn_config.rope`: found true, expected false → with LLM Foundry
    `attn_config.nope`: found true, expected false → with LLM Foundry
    `attn_config.sliding_window_size`: found 512, expected -1 → with LLM Foundry
    `attn_config.attn_logit_softcapping`: found 50.0, expected null → with LLM Foundry
    `attn_config.attn_temperature_tuning.attn_scale`: found 0.1, expected 0 → with LLM Foundry
    `attn_config.clip_qkv`: found -1.0, expected null or a number above 0 → fetch
    `expansion_ratio`: found 2, expected 4 → with LLM Foundry
    `layer_norm_epsilon`: found 1e-6, expected 1e-5 → transformers scores
    `norm_eps`: found 1e-6, expected 1e-5 → with LLM Foundry
    `norm_type`: found "low_precision_rmsnorm", expected "low_precision_layernorm" or "layernorm" → with LLM Foundry
    `no_bias`: found false, expected true → with LLM Foundry
    `attention_bias`: found true, expected false → with LLM Foundry
    `embedding_fraction`: found 0.5, expected 1 → with LLM Foundry
    `logit_scale`: found "inv_sqrt_d_model", expected null → with LLM Foundry
    `final_logit_softcapping`: found 30.0, expected null → with LLM Foundry
    `tie_word_embeddings`: found false, expected true → transformers scores
    `tie_word_embeddings`: found null, expected true → transformers scores
    `head_dim`: found 128, expected d_model / n_heads → with LLM Foundry
    `block_overrides`: found {"order":[{"name":"default"}],"overrides":{}}, expected null → with LLM Foundry
    `quantization_config`: found {"quant_method":"awq"}, expected null → transformers scores
    `ffn_config.ffn_type`: found "mptglu", expected "mptmlp" → with LLM Foundry
    `ffn_config.ffn_hidden_size`: found 100, expected 4 · d_model → with LLM Foundry
    `ffn_config.ffn_act_fn`: found {"name":"silu"}, expected the exact GELU → with LLM Foundry
    `ffn_config.ffn_act_fn`: found {"approximate":"tanh","name":"gelu"}, expected the exact GELU → with LLM Foundry
    `d_model`: found 16.5, expected a whole number from 1 → fetch
    `n_layers`: found not given, expected a whole number from 1 → fetch
    `n_heads`: found 3, expected a divisor of `d_model`, 8 → fetch
    `vocab_size`: found -1, expected a whole number from 1 → fetch
    `max_seq_len`: found 1, expected a whole number from 2 → fetch
    `model/config.json` is of a checkpoint of another architecture: found `model_type` "llama", expected "mpt" → harness
    `model/config.json` is of a checkpoint of another architecture: found `model_type` not given, expected "mpt" → harness
    "#);
}

#[test]
fn what_changes_nothing_is_accepted() {
    let cases = [
        ("learned_pos_emb", json!(false)),
        ("attn_config.attn_impl", json!("triton")),
        ("attn_config.attn_uses_sequence_id", json!(true)),
        ("attn_config.softmax_scale", json!(null)),
        ("attn_config.attn_temperature_tuning", json!(null)),
        ("ffn_config.ffn_act_fn", json!({"name": "gelu", "approximate": "none"})),
        ("ffn_config.ffn_hidden_size", json!(32)),
        ("norm_type", json!("LayerNorm")),
        ("resid_pdrop", json!(0.5)),
        ("torch_dtype", json!("bfloat16")),
        ("head_dim", json!(4)),
    ];
    for (path, value) in cases {
        let copy = Copy::of("composer");
        copy.edit(CONFIG, |config| set(config, path, Some(value)));
        let opened = sparkjoy_train::ModelFolder::open(copy.path());
        assert!(opened.is_ok(), "{path}: {}", opened.unwrap_err());
    }
}

#[test]
fn who_computes_a_refused_feature_is_said() {
    let refusal = |path: &str, value| {
        let copy = Copy::of("composer");
        copy.edit(CONFIG, |config| set(config, path, Some(value)));
        copy.refusal()
    };
    insta::assert_snapshot!(refusal("attn_config.qk_ln", json!(true)), @r"
    `attn_config.qk_ln` in `model/config.json`: found true, expected false
    hint: sparkjoy's engine does not compute this, and transformers ignores `attn_config.qk_ln` without a word; score this model with LLM Foundry
    ");
    insta::assert_snapshot!(refusal("layer_norm_epsilon", json!(1e-6)), @r"
    `layer_norm_epsilon` in `model/config.json`: found 1e-6, expected 1e-5
    hint: sparkjoy's engine does not compute this; transformers scores such a model
    ");
    insta::assert_snapshot!(refusal("n_heads", json!(3)), @r"
    `n_heads` in `model/config.json`: found 3, expected a divisor of `d_model`, 8
    hint: fetch `config.json` again: no MPT model has this
    ");
    insta::assert_snapshot!(refusal("model_type", json!("llama")), @r#"
    `model/config.json` is of a checkpoint of another architecture: found `model_type` "llama", expected "mpt"
    hint: sparkjoy opens MPT models; `--worker` has a program of yours compute another one, and lm-evaluation-harness scores it
    "#);
}
