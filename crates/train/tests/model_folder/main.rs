//! Model folders that others wrote: the logits transformers gives, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod copy;
mod features;
mod files;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use sparkjoy_nn::{Compute, Engine};
use sparkjoy_train::ModelFolder;

use copy::{CONFIG, Copy, MODEL, MODELS, buffer};

/// `logits.json`: made by `models.py`.
#[derive(Deserialize)]
struct Golden {
    rows: Vec<Vec<u32>>,
    logits: BTreeMap<String, Vec<Vec<f32>>>,
}

fn open(name: &str) -> ModelFolder {
    ModelFolder::open(&Path::new(MODELS).join(name)).unwrap()
}

fn weights(folder: &Path) -> Vec<f32> {
    let folder = ModelFolder::open(folder).unwrap();
    let mut weights = buffer(&folder);
    folder.read_weights(&mut weights).unwrap();
    weights
}

#[test]
fn logits_are_those_of_transformers() {
    let json = fs::read(Path::new(MODELS).join("logits.json")).unwrap();
    let golden: Golden = serde_json::from_slice(&json).unwrap();
    assert_eq!(golden.logits.len(), 5);
    for (name, expected) in &golden.logits {
        let folder = open(name);
        let mut engine = Engine::new(*folder.shape(), 1, Compute::exact(1)).unwrap();
        folder.read_weights(engine.weights_mut()).unwrap();
        for (ids, expected) in golden.rows.iter().zip(expected) {
            let found = engine.logits(ids);
            assert_eq!(found.len(), expected.len());
            let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-4, "{name}, {} ids: {off}", ids.len());
        }
    }
}

#[test]
fn a_folder_of_others_says_what_it_is() {
    let folder = open("sharded");
    assert_eq!((folder.step(), folder.run()), (None, None));
    let files = folder.weight_files().unwrap();
    let files: Vec<String> = files
        .iter()
        .map(|file| format!("{} {} {} {:?}", file.name, file.tensors, file.bytes, file.types))
        .collect();
    insta::assert_snapshot!(files.join("\n"), @r#"
    model-00001-of-00003.safetensors 6 10984 ["F32"]
    model-00002-of-00003.safetensors 5 8848 ["F32"]
    model-00003-of-00003.safetensors 3 8584 ["F32"]
    "#);
    assert_eq!(open("bf16-clipped").weight_files().unwrap()[0].types, ["BF16"]);
    assert_eq!(open("f16-odd").weight_files().unwrap()[0].types, ["F16"]);
    assert_eq!(open("bf16-clipped").shape().clip_qkv, Some(0.75));
}

#[test]
fn the_same_weights_are_read_under_every_name_they_have() {
    let expected = weights(&Path::new(MODELS).join("composer"));
    for prefix in ["", "transformer.", "model."] {
        let copy = Copy::of("composer");
        copy.rewrite(MODEL, |tensors| {
            let named = |name: String| name.replace("model.transformer.", prefix);
            let all = std::mem::take(tensors).into_iter();
            *tensors = all.map(|(name, raw)| (named(name), raw)).collect();
        });
        assert_eq!(weights(copy.path()), expected);
    }
}

#[test]
fn the_fingerprint_is_of_weights_and_shape() {
    let print = |copy: &Copy| ModelFolder::open(copy.path()).unwrap().fingerprint().unwrap();
    let copy = Copy::of("sharded");
    let first = print(&copy);
    copy.edit(CONFIG, |config| config["use_cache"] = true.into());
    assert_eq!(print(&copy), first);
    copy.edit(CONFIG, |config| config["max_seq_len"] = 13.into());
    assert_ne!(print(&copy), first);
    let copy = Copy::of("sharded");
    copy.edit(CONFIG, |config| config["attn_config"]["clip_qkv"] = 2.0.into());
    assert_ne!(print(&copy), first);
    let copy = Copy::of("sharded");
    let path = copy.file("model-00002-of-00003.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
    assert_ne!(print(&copy), first);
}

#[test]
fn identities_are_what_they_were() {
    // By the code that wrote the first of them: content, then fingerprint.
    let golden = [
        (
            "bare",
            "132bee4e3b0ae94dc61d80426a95a2b195d7f5f34ce7ed88038a014167eaf313",
            "a62d003a772ad96f7080612236fe960a28cd9a17ebb9978c2c4f07b569215a8e",
        ),
        (
            "bf16-clipped",
            "f20616feb71ddb64b01f26bad82220bb1cd0fc578e3b00c29429a2a127364e36",
            "dd546644a3098b3917265bef9204c9b945bad86cb3c3697f0ecfb8b5052e67bf",
        ),
        (
            "composer",
            "09a2e47a06cc06c4b75cc2163f714cc212bc3105c241967c74dad42761e97d40",
            "37cb64bc6ee639cdc085e1dd847e4411c9d1ff736dcc230e49b327bb099e8f4a",
        ),
        (
            "f16-odd",
            "3dc0eee1c38896507aead0daa5962c420bc3aa689b9ac39e6ee34c5c4df02e0a",
            "b8892f916f9038640cf61b992330c9fb684c12bc29c1ab30aa09c33c4a6f5be2",
        ),
        (
            "first-loss",
            "4521a65ebbc856f4fc47aa1c7a5e2e6315b330a6d8955704f8b4107d4c5c691d",
            "dbda3421938e2cf9b1c8c1ecbab57cd7968528fcf1864512f7d7d0eff1c322ce",
        ),
        (
            "sharded",
            "2e62232f6143e1bb1303ba9f9e8e07756b677b65a00db65d80d9cba9f6754e86",
            "6931a0851c1c4085adaec2792c31cbc46d608f5b8757ab3a6b3376ea44dd3ccd",
        ),
    ];
    for (name, content, fingerprint) in golden {
        let folder = open(name);
        assert_eq!(folder.content().unwrap().hex(), content, "content of {name}");
        assert_eq!(folder.fingerprint().unwrap().hex(), fingerprint, "fingerprint of {name}");
    }
}
