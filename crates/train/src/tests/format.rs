//! What lies on the disk, as text.

use std::fs;

use sparkjoy_spec::{LanguageModel, Precision, Shape};

use super::tiny::{ADAM, LAST, Tiny, contents, go_on};
use crate::{Checkpoint, ModelFolder, RunRequest, RunSpec, StepRecord, read_spec, run};

#[test]
fn a_checkpoint_holds_these_files_and_tensors() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(ADAM);
    let folder = tiny.train(&spec, "run", 1);
    let files = contents(&folder, 1);
    let mut listing: Vec<String> = files.keys().map(|name| format!("{name}\n")).collect();
    for name in ["model.safetensors", "optimizer.safetensors"] {
        let (length, rest) = files[name].split_at(8);
        let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
        let header: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(&rest[..length]).unwrap();
        for (tensor, info) in header {
            listing.push(format!("{name} {tensor} {} {}\n", info["dtype"], info["shape"]));
        }
    }
    insta::assert_snapshot!(listing.concat(), @r#"
DONE
config.json
metrics.jsonl
model.safetensors
optimizer.safetensors
state.json
tokenizer.json
tokenizer_config.json
model.safetensors __metadata__ null null
model.safetensors transformer.blocks.0.attn.Wqkv.weight "F32" [48,16]
model.safetensors transformer.blocks.0.attn.out_proj.weight "F32" [16,16]
model.safetensors transformer.blocks.0.ffn.down_proj.weight "F32" [16,64]
model.safetensors transformer.blocks.0.ffn.up_proj.weight "F32" [64,16]
model.safetensors transformer.blocks.0.norm_1.weight "F32" [16]
model.safetensors transformer.blocks.0.norm_2.weight "F32" [16]
model.safetensors transformer.norm_f.weight "F32" [16]
model.safetensors transformer.wte.weight "F32" [288,16]
optimizer.safetensors __metadata__ null null
optimizer.safetensors exp_avg.transformer.blocks.0.attn.Wqkv.weight "F32" [48,16]
optimizer.safetensors exp_avg.transformer.blocks.0.attn.out_proj.weight "F32" [16,16]
optimizer.safetensors exp_avg.transformer.blocks.0.ffn.down_proj.weight "F32" [16,64]
optimizer.safetensors exp_avg.transformer.blocks.0.ffn.up_proj.weight "F32" [64,16]
optimizer.safetensors exp_avg.transformer.blocks.0.norm_1.weight "F32" [16]
optimizer.safetensors exp_avg.transformer.blocks.0.norm_2.weight "F32" [16]
optimizer.safetensors exp_avg.transformer.norm_f.weight "F32" [16]
optimizer.safetensors exp_avg.transformer.wte.weight "F32" [288,16]
optimizer.safetensors exp_avg_sq.transformer.blocks.0.attn.Wqkv.weight "F32" [48,16]
optimizer.safetensors exp_avg_sq.transformer.blocks.0.attn.out_proj.weight "F32" [16,16]
optimizer.safetensors exp_avg_sq.transformer.blocks.0.ffn.down_proj.weight "F32" [16,64]
optimizer.safetensors exp_avg_sq.transformer.blocks.0.ffn.up_proj.weight "F32" [64,16]
optimizer.safetensors exp_avg_sq.transformer.blocks.0.norm_1.weight "F32" [16]
optimizer.safetensors exp_avg_sq.transformer.blocks.0.norm_2.weight "F32" [16]
optimizer.safetensors exp_avg_sq.transformer.norm_f.weight "F32" [16]
optimizer.safetensors exp_avg_sq.transformer.wte.weight "F32" [288,16]
"#);
}

#[test]
fn config_json_is_what_transformers_reads() {
    let tiny = Tiny::new();
    let mut spec = tiny.trunk(ADAM);
    spec.model = Shape { clip_qkv: Some(6.0), ..*spec.model.shape() }.into();
    let folder = tiny.train(&spec, "run", 0);
    let config = String::from_utf8(contents(&folder, 0).remove("config.json").unwrap()).unwrap();
    insta::assert_snapshot!(config, @r#"
{
  "architectures": [
    "MptForCausalLM"
  ],
  "attn_config": {
    "alibi": true,
    "alibi_bias_max": 8,
    "attn_impl": "torch",
    "attn_pdrop": 0,
    "attn_type": "multihead_attention",
    "attn_uses_sequence_id": false,
    "clip_qkv": 6.0,
    "prefix_lm": false,
    "qk_ln": false,
    "softmax_scale": null
  },
  "bos_token_id": 279,
  "d_model": 16,
  "dtype": "float32",
  "emb_pdrop": 0.0,
  "eos_token_id": 279,
  "expansion_ratio": 4,
  "layer_norm_epsilon": 0.00001,
  "learned_pos_emb": false,
  "logit_scale": null,
  "max_seq_len": 16,
  "model_type": "mpt",
  "n_heads": 2,
  "n_layers": 1,
  "no_bias": true,
  "norm_type": "low_precision_layernorm",
  "resid_pdrop": 0.0,
  "tie_word_embeddings": true,
  "use_cache": true,
  "vocab_size": 288
}
"#);
}

#[test]
fn done_seals_the_state_and_the_state_every_file() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(ADAM);
    let folder = tiny.train(&spec, "run", 2);
    let checkpoint = Checkpoint::at(&folder, 2).unwrap().unwrap();
    let info = checkpoint.inspect().unwrap();
    let files: Vec<&str> = info.files.keys().map(String::as_str).collect();
    assert_eq!(
        files,
        [
            "config.json",
            "metrics.jsonl",
            "model.safetensors",
            "optimizer.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
        ]
    );
    assert_eq!((info.step, info.optimizer_steps), (2, 2));
    assert_eq!((checkpoint.run, info.shape), (spec.fingerprint(), *spec.model.shape()));
    assert_eq!(info.ledger, spec.order().unwrap().ledger_at(8));
    assert_eq!(info.parameters, spec.model.parameters());
    let state = fs::read(checkpoint.folder.join("state.json")).unwrap();
    let done = fs::read_to_string(checkpoint.folder.join("DONE")).unwrap();
    assert_eq!(done.trim_end(), sparkjoy_base::Fingerprint::of_bytes(&state).hex());
}

#[test]
fn run_json_holds_the_spec_as_it_was_asked_for() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(ADAM);
    let folder = tiny.train(&spec, "run", 0);
    let back = read_spec(&folder).unwrap();
    assert_eq!(back, spec);
    assert_eq!(back.fingerprint(), spec.fingerprint());
}

#[test]
fn a_model_loads_with_the_weights_that_were_saved() {
    let tiny = Tiny::new();
    // Models are loaded to compute in fp32, whatever they were trained in.
    let spec = RunSpec { precision: Precision::Fp32, ..tiny.trunk(ADAM) };
    let folder = tiny.train(&spec, "run", 2);
    let checkpoint = Checkpoint::at(&folder, 2).unwrap().unwrap();
    let model = ModelFolder::open(&checkpoint.folder).unwrap();
    let mut model = model.language_model(1, 1);
    // The loss of the next batch is the loss the run records for it.
    let request = RunRequest { target: LAST, ..tiny.request(&spec, &folder) };
    let mut next = None;
    run(request, &mut |record: &StepRecord| {
        next.get_or_insert_with(|| record.clone());
        go_on(record)
    })
    .unwrap();
    let order = spec.order().unwrap();
    let mut mean = 0.0;
    for draw in order.sequences(spec.slots(2)) {
        let corpus = tiny.corpora.iter().find(|c| *c.name() == order.sources()[draw.source].name);
        let mut tokens = vec![0; spec.model.context()];
        corpus.unwrap().read(sparkjoy_data::Part::Train, draw.ordinal, &mut tokens).unwrap();
        let nats = model.losses(tokens.len(), &tokens).unwrap();
        mean += nats.iter().map(|&x| f64::from(x)).sum::<f64>() / nats.len() as f64 / 4.0;
    }
    let recorded = next.unwrap().loss;
    assert!((mean - recorded).abs() < 1e-5, "{mean} and {recorded}");
}
