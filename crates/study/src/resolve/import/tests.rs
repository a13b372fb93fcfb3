//! What a study says about a trunk trained elsewhere, and what of it is refused before the model
//! is opened.

use std::path::Path;

use sparkjoy_base::{Fingerprint, SourceName};
use sparkjoy_mix::{Ledger, Mixture, Phase};
use sparkjoy_spec::{Moments, Start};

use super::*;
use crate::plan::Plan;
use crate::plan::accounts;
use crate::resolve::sources_of;
use crate::testing::{plan, shown};
use crate::written::StudyTokenizer;

/// A run of 1,953 steps of 8 sequences of 64 tokens; `[trunk]` comes last.
const STUDY: &str = concat!(
    include_str!("../../../testdata/small.toml"),
    r#"[sources.blogs]
tokens = "4M"
domain = "web"
[sources.proofs]
tokens = "300K"
domain = "math"
[mixtures.base]
web = 0.80
math = 0.20
[mixtures.upsampled]
web = 0.40
math = 0.60
[[questions]]
ask = "duration"
mixture = "upsampled"
windows = ["10%", "20%"]
[evaluation]
held_out = "16K"
[trunk]
mixture = "base"
"#
);

fn parse(trunk: &str) -> Result<Study, StudyError> {
    Study::parse(Path::new("studies/small.toml"), format!("{STUDY}{trunk}"), None)
}

#[test]
fn what_the_study_says_is_read_exactly() {
    let trunk = "from = \"model\"\nstep = \"90%\"\noptimizer = \"saved\"\n\
                 [trunk.read]\nblogs = \"700_001\"\nproofs = { epochs = 1.5 }";
    let study = parse(trunk).unwrap();
    assert_eq!(study.trunk_folder(), Some(Path::new("studies/model")));
    let import = study.import.unwrap();
    assert_eq!((import.saved, import.step.unwrap().value), (true, 1_758));
    let read = import.read.unwrap().value;
    let sequences: Vec<_> =
        read.iter().map(|(name, amount)| (name.as_str(), amount.sequences(4_687, 64))).collect();
    // 700,001 tokens are 10,937.5 sequences and a token; 1.5 epochs are 7,030.5 sequences.
    assert_eq!(sequences, [("blogs", 10_938), ("proofs", 7_031)]);

    let text = STUDY.replace("kind = \"cl100k\"", "kind = \"trunk\"");
    let text = format!("{text}from = \"model\"\noptimizer = \"fresh\"");
    let study = Study::parse(Path::new("studies/small.toml"), text, None).unwrap();
    assert_eq!(*study.tokenizer(), StudyTokenizer::OfTrunk("studies/model".into()));
}

#[test]
fn every_mistake_about_a_trunk_says_what_was_found_and_what_was_expected() {
    let model = |more: &str| format!("from = \"model\"\noptimizer = \"fresh\"\n{more}");
    let texts = [
        "step = \"90%\"".to_owned(),
        "[trunk.read]\nblogs = \"1M\"".to_owned(),
        "from = \"model\"".to_owned(),
        "from = \"model\"\noptimizer = \"zero\"".to_owned(),
        model("step = \"0 steps\""),
        model("step = \"100%\""),
        model("step = \"2M\""),
        model("step = 90"),
        model("[trunk.read]\nblog = \"1M\""),
        model("[trunk.read]\nstories = \"1M\""),
        model("[trunk.read]\nweb = \"1M\""),
        model("[trunk.read]\nblogs = \"-1M\""),
        model("[trunk.read]\nblogs = 1_000_000"),
        model("[trunk.read]\nblogs = { epochs = -1 }"),
        model("[trunk.read]\nblogs = { epochs = 0.0000001 }"),
        model("[trunk.read]\nblogs = { tokens = \"1M\" }"),
        model("weights = \"model\""),
        // The model is only looked for when all this is right.
        model("step = \"90%\"\n[trunk.read]"),
    ];
    let told = texts.map(|text| shown(plan(&format!("{STUDY}{text}")).map(drop)));
    insta::assert_snapshot!(told.join("\n\n"), @r#"
    `studies/small.toml` line 36: `step` is about a trunk trained elsewhere, but `[trunk]` has no `from`
    hint: name the model's folder: `from = "checkpoints/NAME"`

    `studies/small.toml` line 36: `read` is about a trunk trained elsewhere, but `[trunk]` has no `from`
    hint: name the model's folder: `from = "checkpoints/NAME"`

    `studies/small.toml` line 34: `trunk` has no `optimizer`, expected "fresh" or "saved"
    hint: `sparkjoy new` writes a study with every key explained

    `studies/small.toml` line 37: `trunk.optimizer` is `zero`, expected one of `fresh`, `saved`

    `studies/small.toml` line 38: `step` "0 steps" is step 0 of 1,953, expected one between the first and the last
    hint: write 1 to 1,952 steps, or a share above 0% and below 100%

    `studies/small.toml` line 38: `step` "100%" is step 1,953 of 1,953, expected one between the first and the last
    hint: write 1 to 1,952 steps, or a share above 0% and below 100%

    `studies/small.toml` line 38: `step` "2M" is step 3,906 of 1,953, expected one between the first and the last
    hint: write 1 to 1,952 steps, or a share above 0% and below 100%

    `studies/small.toml` line 38: `trunk.step` is an integer, expected a duration in quotes, such as "90%"

    `studies/small.toml` line 39: `read` names `blog`, which is no source of this study
    hint: write `blogs`

    `studies/small.toml` line 39: `read` names `stories`, which is no source of this study
    hint: leave `stories` out: what was read of sources the study does not have changes nothing in it

    `studies/small.toml` line 39: `read` names `web`, which is a domain, expected sources
    hint: say it of each of its sources

    `studies/small.toml` line 39: `trunk.read.blogs`: `-1M` is not a number of tokens, expected something like `200B`, `1.5M` or `4_096`

    `studies/small.toml` line 39: `trunk.read.blogs` is an integer, expected tokens in quotes, such as "700M", or a table such as { epochs = 1.5 }

    `studies/small.toml` line 39: `trunk.read.blogs.epochs` is -1, expected a number from 0 with at most 6 decimals, such as 1.5

    `studies/small.toml` line 39: `trunk.read.blogs.epochs` is 0.0000001, expected a number from 0 with at most 6 decimals, such as 1.5

    `studies/small.toml` line 39: `trunk.read.blogs` has no `epochs`, expected how often it was read, such as 1.5
    hint: `sparkjoy new` writes a study with every key explained

    `studies/small.toml` line 38: unknown key `weights` in `trunk`, expected one of `mixture`, `from`, `optimizer`, `step`, `read`
    hint: `sparkjoy new` writes a study with every key explained

    `studies/model` is not a model folder: it has no `config.json`
    hint: give a folder that holds `config.json`, `model.safetensors` and `tokenizer.json`: a checkpoint, or a model saved with `save_pretrained`
    "#);

    let text = STUDY.replace("kind = \"cl100k\"", "kind = \"trunk\"");
    insta::assert_snapshot!(shown(plan(&text).map(drop)), @r#"
    `studies/small.toml` line 4: `tokenizer.kind` is `trunk`, but `[trunk]` has no `from`
    hint: write `kind = "bpe"` or `kind = "cl100k"`, or name a trunk
    "#);
}

/// The plan of the study, as if its trunk had come with `opening` at `step`.
fn imported_plan(step: u64, opening: &[(&str, u64)], import: Import, moments: bool) -> Plan {
    let mut plan = plan(STUDY).unwrap();
    let moments =
        moments.then_some(Moments { content: Fingerprint::of_bytes(b"moments"), steps: step });
    let model = Fingerprint::of_bytes(b"model");
    let name = |name: &str| SourceName::new(name).unwrap();
    let trunk = &mut plan.trunks[0].spec;
    trunk.first_step = step;
    trunk.phases[0].slots -= step * plan.batch;
    trunk.opening =
        Ledger::new(opening.iter().map(|&(source, drawn)| (name(source), drawn)).collect());
    trunk.start = Start::Imported { model, moments };
    plan.import = Some(import);
    plan
}

fn told(plan: &Plan) -> Vec<String> {
    notes(plan).iter().map(ToString::to_string).collect()
}

#[test]
fn notes_say_how_far_fresh_can_be_believed() {
    let known = Import { same_order: true, tokenizer_known: true };
    let unknown = Import { same_order: false, tokenizer_known: false };
    // 1,758 steps are 14,064 sequences.
    let all = [("blogs", 9_000), ("proofs", 5_064)];
    assert_eq!(told(&imported_plan(1_758, &all, known, true)), [""; 0]);
    let plan = imported_plan(1_758, &all, unknown, false);
    insta::assert_snapshot!(told(&plan).join("\n"), @"
    the trunk read its sources in an order of its own, so what is called fresh is exact in its amount only: it had read 14 % of `blogs`, and about that part of what is called fresh was probably among it
    the optimizer begins with moments of zero at step 1,758, where 4 branches start: branch and control share it, but the first steps of both are rougher
    the trunk's folder holds no `tokenizer.json`: that it was trained with the study's tokenizer is taken on the study's word
    ");
    assert_eq!(plan.imported_tokens().0, 14_064 * 64);
    let some = [("blogs", 9_000)];
    insta::assert_snapshot!(told(&imported_plan(1_757, &some, known, false)).join("\n"), @"
    323.6K of the tokens before the imported step are in no source of this study, or not declared
    the optimizer begins with moments of zero at step 1,757; the trunk fills them before the first branch starts
    ");
    assert!(told(&crate::testing::plan(STUDY).unwrap()).is_empty());
}

#[test]
fn what_a_trunk_came_with_is_in_every_account() {
    let plan = crate::testing::plan(STUDY).unwrap();
    let mixture: &Mixture = &plan.mixtures["upsampled"];
    let name = |name: &str| SourceName::new(name).unwrap();
    let in_epoch = plan.sources[&name("proofs")].identity.sequences;
    assert_eq!(in_epoch, 4_687);
    // Three quarters of the first epoch are read: the branch reads the rest, then all again.
    let opening = Ledger::new([(name("proofs"), 3_515)].into());
    let spec = RunSpec {
        supplies: sources_of(std::iter::once(mixture), &plan.sources),
        opening: opening.clone(),
        phases: vec![Phase { mixture: mixture.clone(), slots: 2_400 }],
        ..plan.trunk().clone()
    };
    let closing = spec.order().unwrap().ledger_at(2_400);
    let accounts = accounts(&plan.sources, mixture, &opening, &closing, 64);
    let account = &accounts[&name("proofs")];
    assert_eq!(account.trunk.0, 3_515 * 64);
    assert_eq!(account.fresh.0, (in_epoch - 3_515) * 64);
    assert_eq!(account.fresh.0 + account.repeated.0, account.branch.0);
    let drawn = account.branch.0 / 64;
    assert!((1_432..=1_448).contains(&drawn), "{drawn} of 2,400 at 60 %");
    let epochs = (3_515 + drawn) as f64 / in_epoch as f64;
    assert!((account.epochs - epochs).abs() < 1e-12);
    assert!(account.epochs > 1.0);
}
