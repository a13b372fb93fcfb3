//! Weight files and indices that are not what they should be are refused by name.

use std::fs;

use safetensors::tensor::Dtype;

use crate::copy::{CONFIG, Copy, INDEX, MODEL, Raw, Tensors};

const SHARD: &str = "model-00001-of-00003.safetensors";
const NORM: &str = "transformer.norm_f.weight";

#[test]
fn tensors_of_another_model_are_refused_by_name() {
    let refusal = |change: &dyn Fn(&mut Tensors)| {
        let copy = Copy::of("bare");
        copy.rewrite(MODEL, change);
        copy.refusal()
    };
    let with = |name: &str| {
        refusal(&|tensors| {
            let norm = tensors["norm_f.weight"].clone();
            tensors.insert(name.to_owned(), norm);
        })
    };
    insta::assert_snapshot!(with("blocks.0.norm_1.bias"), @r"
    tensor `blocks.0.norm_1.bias` in `model/model.safetensors`: found F32 [8], expected no biases
    hint: MPT models of this shape without biases, with the head tied to the embedding, in F32, BF16 or F16 are opened; compare `config.json` with `model/model.safetensors`
    ");
    insta::assert_snapshot!(with("transformer.wpe.weight"), @r"
    tensor `transformer.wpe.weight` in `model/model.safetensors`: found F32 [8], expected no learned positions
    hint: MPT models of this shape without biases, with the head tied to the embedding, in F32, BF16 or F16 are opened; compare `config.json` with `model/model.safetensors`
    ");
    insta::assert_snapshot!(with("blocks.0.attn.q_ln.weight"), @r"
    tensor `blocks.0.attn.q_ln.weight` in `model/model.safetensors`: found F32 [8], expected no norms of queries and keys
    hint: MPT models of this shape without biases, with the head tied to the embedding, in F32, BF16 or F16 are opened; compare `config.json` with `model/model.safetensors`
    ");
    insta::assert_snapshot!(with("blocks.1.norm_1.weight"), @r"
    tensor `blocks.1.norm_1.weight` in `model/model.safetensors`: found F32 [8], expected no such tensor
    hint: MPT models of this shape without biases, with the head tied to the embedding, in F32, BF16 or F16 are opened; compare `config.json` with `model/model.safetensors`
    ");
    insta::assert_snapshot!(with("model.norm_f.weight"), @r"
    tensor `norm_f.weight` in `model/model.safetensors`: found also as `model.norm_f.weight`, expected one of them
    hint: save the model again with each tensor once
    ");
    insta::assert_snapshot!(with("a\n\u{1b}[2Jhint: run x"), @r"
    tensor `a\n\u{1b}[2Jhint: run x` in `model/model.safetensors`: found F32 [8], expected no such tensor
    hint: MPT models of this shape without biases, with the head tied to the embedding, in F32, BF16 or F16 are opened; compare `config.json` with `model/model.safetensors`
    ");
    let without = refusal(&|tensors| drop(tensors.remove("blocks.0.norm_2.weight")));
    insta::assert_snapshot!(without, @r"
    tensor `transformer.blocks.0.norm_2.weight` in `model`: found no such tensor, expected [8]
    hint: MPT models of this shape without biases, with the head tied to the embedding, in F32, BF16 or F16 are opened; compare `config.json` with `model`
    ");
    let turned = refusal(&|tensors| tensors.get_mut("wte.weight").unwrap().shape = vec![8, 32]);
    insta::assert_snapshot!(turned, @r"
    tensor `wte.weight` in `model/model.safetensors`: found F32 [8, 32], expected F32, BF16 or F16 [32, 8]
    hint: MPT models of this shape without biases, with the head tied to the embedding, in F32, BF16 or F16 are opened; compare `config.json` with `model/model.safetensors`
    ");
    let double = Raw { dtype: Dtype::F64, shape: vec![8], bytes: vec![0; 64] };
    let wide = refusal(&|tensors| drop(tensors.insert("norm_f.weight".into(), double.clone())));
    insta::assert_snapshot!(wide, @r"
    tensor `norm_f.weight` in `model/model.safetensors`: found F64 [8], expected F32, BF16 or F16 [8]
    hint: MPT models of this shape without biases, with the head tied to the embedding, in F32, BF16 or F16 are opened; compare `config.json` with `model/model.safetensors`
    ");
    let untied = refusal(&|tensors| tensors.get_mut("lm_head.weight").unwrap().bytes[9] ^= 1);
    insta::assert_snapshot!(untied, @r"
    tensor `lm_head.weight` in `model/model.safetensors`: found a head of its own, expected the embedding once more
    hint: MPT models of this shape without biases, with the head tied to the embedding, in F32, BF16 or F16 are opened; compare `config.json` with `model/model.safetensors`
    ");
    let infinite = refusal(&|tensors| {
        let norm = tensors.get_mut("blocks.0.norm_1.weight").unwrap();
        norm.bytes[4..8].copy_from_slice(&f32::INFINITY.to_le_bytes());
    });
    insta::assert_snapshot!(infinite, @r"
    tensor `blocks.0.norm_1.weight` in `model/model.safetensors` holds a weight that is not finite
    hint: nothing can be scored or trained with it; fetch an earlier checkpoint of the model
    ");
}

#[test]
fn an_index_that_lies_is_refused_by_tensor() {
    let maps = |tensor: &str, shard: &str| {
        let copy = Copy::of("sharded");
        copy.edit(INDEX, |index| index["weight_map"][tensor] = shard.into());
        copy.refusal()
    };
    insta::assert_snapshot!(maps(NORM, "model-00009-of-00003.safetensors"), @r"
    `model/model.safetensors.index.json` puts tensor `transformer.norm_f.weight` into `model-00009-of-00003.safetensors`, which is not in the folder
    hint: fetch `model/model-00009-of-00003.safetensors`
    ");
    insta::assert_snapshot!(maps(NORM, "../model.safetensors"), @r"
    `model/model.safetensors.index.json` puts tensor `transformer.norm_f.weight` into `../model.safetensors`, which is not in the folder
    hint: fetch the model into `model` again, all of its files
    ");
    insta::assert_snapshot!(maps(NORM, SHARD), @r"
    `model/model.safetensors.index.json` is wrong about tensor `transformer.norm_f.weight`: found `model-00003-of-00003.safetensors`, expected `model-00001-of-00003.safetensors` alone
    hint: fetch the model into `model` again, all of its files
    ");
    insta::assert_snapshot!(maps("more", SHARD), @r"
    `model/model.safetensors.index.json` is wrong about tensor `more`: found no shard with it, expected `model-00001-of-00003.safetensors` alone
    hint: fetch the model into `model` again, all of its files
    ");

    let copy = Copy::of("sharded");
    fs::remove_file(copy.file("model-00002-of-00003.safetensors")).unwrap();
    insta::assert_snapshot!(copy.refusal(), @r"
    `model/model.safetensors.index.json` puts tensor `transformer.blocks.0.ffn.down_proj.weight` into `model-00002-of-00003.safetensors`, which is not in the folder
    hint: fetch `model/model-00002-of-00003.safetensors`
    ");

    let copy = Copy::of("sharded");
    copy.edit(INDEX, |index| drop(index["weight_map"].as_object_mut().unwrap().remove(NORM)));
    insta::assert_snapshot!(copy.refusal(), @r"
    `model/model.safetensors.index.json` is wrong about tensor `transformer.norm_f.weight`: found `model-00003-of-00003.safetensors`, expected no tensor that it does not list
    hint: fetch the model into `model` again, all of its files
    ");

    let copy = Copy::of("sharded");
    copy.rewrite(SHARD, |tensors| {
        let table = tensors["transformer.wte.weight"].clone();
        tensors.insert(NORM.to_owned(), table);
    });
    insta::assert_snapshot!(copy.refusal(), @r"
    `model/model.safetensors.index.json` is wrong about tensor `transformer.norm_f.weight`: found `model-00001-of-00003.safetensors` and `model-00003-of-00003.safetensors`, expected `model-00003-of-00003.safetensors` alone
    hint: fetch the model into `model` again, all of its files
    ");

    let copy = Copy::of("sharded");
    fs::write(copy.file(INDEX), "{\"weight_map\": []}").unwrap();
    insta::assert_snapshot!(copy.refusal(), @r"
    cannot read `model/model.safetensors.index.json`
      caused by: invalid type: sequence, expected a map at line 1 column 15
    hint: fetch `model/model.safetensors.index.json` again: it is cut off or was changed
    ");
}

#[test]
fn a_folder_without_weights_to_read_is_refused_with_what_to_type() {
    let copy = Copy::of("bare");
    fs::remove_file(copy.file(MODEL)).unwrap();
    insta::assert_snapshot!(copy.refusal(), @r"
    `model` holds no weights: found neither `model.safetensors` nor `model.safetensors.index.json`
    hint: fetch the model into `model` again, all of its files
    ");
    fs::write(copy.file("pytorch_model-00001-of-00002.bin"), "").unwrap();
    insta::assert_snapshot!(copy.refusal(), @r#"
    the weights of `model` are a Python pickle: found `pytorch_model-00001-of-00002.bin`, expected `model.safetensors`
    hint: convert it, reading only what you trust: `python -c "import glob, torch, safetensors.torch as s; s.save_file({k: v.clone() for p in glob.glob('model/pytorch_model*.bin') for k, v in torch.load(p, map_location='cpu', weights_only=True).items()}, 'model/model.safetensors', {'format': 'pt'})"`
    "#);

    let copy = Copy::of("sharded");
    fs::write(copy.file(MODEL), "").unwrap();
    insta::assert_snapshot!(copy.refusal(), @r"
    `model` holds weights twice: `model.safetensors` and `model.safetensors.index.json`
    hint: remove the ones that are not this model's: one of `model/model.safetensors` and `model/model.safetensors.index.json`
    ");

    let copy = Copy::of("bare");
    fs::write(copy.file(CONFIG), "{").unwrap();
    insta::assert_snapshot!(copy.refusal(), @r"
    cannot read `model/config.json`
      caused by: EOF while parsing an object at line 1 column 1
    hint: fetch `model/config.json` again: it is cut off or was changed
    ");
    fs::remove_file(copy.file(CONFIG)).unwrap();
    insta::assert_snapshot!(copy.refusal(), @r"
    `model` is not a model folder: it has no `config.json`
    hint: give a folder that holds `config.json`, `model.safetensors` and `tokenizer.json`: a checkpoint, or a model saved with `save_pretrained`
    ");
}

#[test]
fn hostile_files_are_refused_before_anything_is_allocated() {
    let copy = Copy::of("bare");
    let whole = fs::read(copy.file(MODEL)).unwrap();
    let mut huge = whole.clone();
    huge[..8].copy_from_slice(&(1_u64 << 25).to_le_bytes());
    fs::write(copy.file(MODEL), &huge).unwrap();
    insta::assert_snapshot!(copy.refusal(), @r"
    cannot read `model/model.safetensors`
      caused by: header too large
    hint: fetch `model/model.safetensors` again: it is cut off or was changed
    ");
    fs::write(copy.file(MODEL), &whole[..whole.len() - 1]).unwrap();
    insta::assert_snapshot!(copy.refusal(), @r"
    cannot read `model/model.safetensors`
      caused by: incomplete metadata, file not fully covered
    hint: fetch `model/model.safetensors` again: it is cut off or was changed
    ");
    fs::write(copy.file(MODEL), &whole).unwrap();

    copy.edit(CONFIG, |config| config["n_layers"] = u32::MAX.into());
    insta::assert_snapshot!(copy.refusal(), @r"
    `model` has weights of 1,304 values in 9 tensors, its `config.json` describes a model of 3,367,254,359,544
    hint: fetch the model into `model` again, all of its files
    ");
    for field in ["d_model", "vocab_size"] {
        let copy = Copy::of("f16-odd");
        copy.edit(CONFIG, |config| config[field] = u32::MAX.into());
        assert!(copy.refusal().contains("describes a model of"), "{}", copy.refusal());
    }
}
