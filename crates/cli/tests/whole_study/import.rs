//! Studies whose trunk was trained elsewhere: in another study, whose checkpoint is taken over
//! whole, or as the bare model that others would have of it.

use std::fs;
use std::path::{Path, PathBuf};

use sparkjoy_base::Hint;
use sparkjoy_jobs::{branch_folder, trunk_folder};
use sparkjoy_spec::Start;
use sparkjoy_study::{Note, Plan, Study, StudyError};
use sparkjoy_train::Checkpoint;

use crate::tiny::{STUDY, Tiny, prepared};

/// The step of the trunk that the other study takes over.
const STEP: u64 = 36;
const FILES: [&str; 4] =
    ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

/// The study, trained; and its checkpoint at [`STEP`], relative to the study's folder.
fn trained() -> (Tiny, PathBuf) {
    let tiny = Tiny::with(STUDY);
    tiny.finish();
    let run = trunk_folder(tiny.plan.trunk(), &tiny.runs());
    let checkpoint = Checkpoint::at(&run, STEP).unwrap().unwrap().folder;
    let relative = checkpoint.strip_prefix(tiny.root()).unwrap().to_owned();
    (tiny, relative)
}

/// The model of a checkpoint in the folder `name`, as others would have it.
fn export(tiny: &Tiny, checkpoint: &Path, name: &str, moments: bool) {
    let folder = tiny.root().join(name);
    fs::create_dir_all(&folder).unwrap();
    for file in FILES.iter().chain(moments.then_some(&"optimizer.safetensors")) {
        fs::copy(tiny.root().join(checkpoint).join(file), folder.join(file)).unwrap();
    }
}

/// One question about the last tenth, of a trunk with these keys.
fn study(trunk: &str) -> String {
    let (before, rest) = STUDY.split_once("[[questions]]").unwrap();
    let evaluation = rest.split_once("[evaluation]").unwrap().1;
    let before = before.replace("mixture = \"base\"", &format!("mixture = \"base\"\n{trunk}"));
    format!(
        "{before}[[questions]]\nask = \"duration\"\nmixture = \"upsampled\"\nwindows = [\"10%\"]\n\
         [evaluation]{evaluation}"
    )
}

/// What the checkpoint has read, as its own ledger says.
fn read(tiny: &Tiny, checkpoint: &Path) -> String {
    let checkpoint = Checkpoint::open(&tiny.root().join(checkpoint)).unwrap();
    let ledger = checkpoint.inspect().unwrap().ledger;
    let tokens = ledger.iter().map(|(name, drawn)| format!("{name} = \"{}\"\n", drawn * 16));
    format!("[trunk.read]\n{}", tokens.collect::<String>())
}

fn replanned(tiny: &Tiny, text: &str) -> Result<Plan, StudyError> {
    let study = Study::parse(&tiny.root().join("study.toml"), text.to_owned(), None)?;
    Plan::new(&study, &tiny.corpora, &tiny.tokenizer)
}

/// The error of a plan and its hint.
fn refusal(tiny: &Tiny, text: &str) -> String {
    let error = replanned(tiny, text).unwrap_err();
    let text = format!("{error}\nhint: {}", error.hint().unwrap());
    let text = text.replace(&format!("{}/", tiny.root().display()), "");
    text.replace(&format!("trunk-{}", tiny.plan.trunk().fingerprint()), "trunk-…")
}

/// The weights at the end of each branch.
fn ends(tiny: &Tiny, plan: &Plan) -> Vec<(String, Vec<u8>)> {
    let branches = plan.branches.iter().filter(|branch| branch.name.contains("10pct"));
    let end = |branch: &sparkjoy_study::Branch| {
        let folder = branch_folder(branch, &tiny.runs());
        let last = Checkpoint::at(&folder, branch.spec.last_step()).unwrap().unwrap();
        (branch.name.clone(), fs::read(last.folder.join("model.safetensors")).unwrap())
    };
    branches.map(end).collect()
}

/// What a plan says of text that is held out and that the trunk may have read.
fn may_have_read(plan: &Plan) -> Vec<String> {
    let notes = plan.notes.iter().filter(|note| matches!(note, Note::MayHaveRead { .. }));
    notes.map(ToString::to_string).collect()
}

#[test]
fn with_moments_and_ledger_branches_end_in_the_bits_of_the_study_the_trunk_is_from() {
    let (tiny, checkpoint) = trained();
    let expected = ends(&tiny, &tiny.plan);
    assert_eq!(expected.iter().filter(|(name, _)| name.contains("-10pct-")).count(), 4);
    export(&tiny, &checkpoint, "bare", true);
    let whole = study(&format!("from = \"{}\"\noptimizer = \"saved\"", checkpoint.display()));
    let bare = study(&format!(
        "from = \"bare\"\nstep = \"90%\"\noptimizer = \"saved\"\n{}",
        read(&tiny, &checkpoint)
    ));
    let original = tiny.plan.clone();

    let tiny = tiny.changed(&whole);
    let plan = &tiny.plan;
    assert_eq!((plan.trunk().first_step, plan.branches.len()), (STEP, 4));
    assert!(plan.import.unwrap().same_order);
    assert_eq!(may_have_read(plan), [""; 0]);
    let opening = original.trunk().order().unwrap().ledger_at(STEP * 6);
    assert_eq!(plan.trunk().opening, opening);
    for branch in &plan.branches {
        let twin = original.branches.iter().find(|other| other.name == branch.name).unwrap();
        assert_eq!(branch.accounts, twin.accounts, "{}", branch.name);
    }
    tiny.finish();
    assert_eq!(ends(&tiny, &tiny.plan), expected);

    // Told by the study what the checkpoint says by itself, it is the same run: nothing is trained.
    let whole = tiny.plan.clone();
    let tiny = tiny.changed(&bare);
    assert_eq!(tiny.plan.trunk(), whole.trunk());
    assert!(!tiny.plan.import.unwrap().same_order, "a bare model does not say its order");
    assert_eq!(tiny.finish().steps, 0);
    let told = may_have_read(&tiny.plan).join("\n");
    insta::assert_snapshot!(told, @"the trunk may have read text that this study holds out: it was trained elsewhere, and what it read was not searched; nothing says that what it read as `notices`, `proofs`, `sums`, `tales` is the text of this study");

    // Nor does a checkpoint that was copied away from its run say which text it read.
    let moved = tiny.root().join("moved");
    fs::create_dir(&moved).unwrap();
    for entry in fs::read_dir(tiny.root().join(&checkpoint)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), moved.join(entry.file_name())).unwrap();
    }
    let plan = replanned(&tiny, &study("from = \"moved\"\noptimizer = \"saved\"")).unwrap();
    assert_eq!(may_have_read(&plan), [told]);
}

#[test]
fn an_imported_trunk_goes_on_to_later_branch_points_and_survives_interruptions() {
    let (tiny, checkpoint) = trained();
    export(&tiny, &checkpoint, "bare", false);
    let trunk = format!(
        "from = \"bare\"\nstep = \"{STEP} steps\"\noptimizer = \"fresh\"\n{}",
        read(&tiny, &checkpoint)
    );
    let text = study(&trunk).replace("windows = [\"10%\"]", "windows = [\"7.5%\", \"10%\"]");
    let tiny = tiny.changed(&text);
    let states = sparkjoy_jobs::job_states(&tiny.plan, &tiny.runs());
    let names: Vec<String> = states.unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names[..2], ["trunk-36", "trunk-37"]);
    // A step of the trunk, 4 branches of 3 steps and 4 of 4.
    assert_eq!(tiny.plan.cost().tree.steps, 29);
    assert_eq!(tiny.plan.cost().in_full.steps, 32);
    // One job at a time, as a cluster would; each stopped after a step and begun again.
    let mut steps = 0;
    for name in &names {
        while tiny.run(Some(name), Some(1)).0.is_err() {
            steps += 1;
            assert!(steps < 100, "{name} gets nowhere");
        }
    }
    let interrupted = ends(&tiny, &tiny.plan);
    fs::remove_dir_all(tiny.runs()).unwrap();
    let seen = tiny.finish();
    assert_eq!(seen.steps, 29);
    assert_eq!(seen.tokens_left.last(), Some(&0));
    assert_eq!(ends(&tiny, &tiny.plan), interrupted);
    assert!(tiny.report().unwrap().contains("upsampled"));
    // Once the trunk's checkpoints are there the model's weights are only looked at to be named.
    let Start::Imported { moments, .. } = tiny.plan.trunk().start else { panic!("not imported") };
    assert_eq!(moments, None);
}

#[test]
fn the_trunks_tokenizer_can_be_taken_over_with_it() {
    let (tiny, checkpoint) = trained();
    export(&tiny, &checkpoint, "bare", false);
    // With a source more, a tokenizer trained on the sources would be another one.
    let trunk = "from = \"bare\"\nstep = \"90%\"\noptimizer = \"fresh\"\n[trunk.read]";
    let text = study(trunk).replace(
        "[sources.tales]",
        "[sources.more]\npath = \"more.jsonl\"\ndomain = \"new\"\nholdout = \"20%\"\n\n[sources.tales]",
    );
    let more = fs::read_to_string(tiny.root().join("text/tales.jsonl")).unwrap();
    let more = more.replace("fox", "hare");
    sparkjoy_base::write_atomic(&tiny.root().join("text/more.jsonl"), more.as_bytes()).unwrap();
    let own = "kind = \"bpe\"\nvocab = 300\nsample = \"20K\"";
    assert!(text.contains(own));
    let plan = |text: String| {
        let study = Study::parse(&tiny.root().join("study.toml"), text, None).unwrap();
        let (tokenizer, corpora) = prepared(&study, tiny.root()).unwrap();
        Plan::new(&study, &corpora, &tokenizer).map(|plan| (plan, tokenizer.fingerprint()))
    };
    let error = plan(text.clone()).unwrap_err();
    let told = format!("{error}\nhint: {}", error.hint().unwrap());
    let told = told.replace(&format!("{}/", tiny.root().display()), "");
    insta::assert_snapshot!(told, @r#"
    `study.toml` line 60: the tokenizer of the model in `bare` is not the study's
    hint: write `[tokenizer]` with `kind = "trunk"`: the one in the model's folder
    "#);
    let (planned, tokenizer) = plan(text.replace(own, "kind = \"trunk\"")).unwrap();
    assert_eq!(tokenizer, tiny.tokenizer.fingerprint());
    assert!(planned.import.unwrap().tokenizer_known);
}

#[test]
fn what_study_and_model_do_not_agree_on_is_refused() {
    let (tiny, checkpoint) = trained();
    export(&tiny, &checkpoint, "bare", false);
    let ours = |more: &str| {
        study(&format!("from = \"{}\"\noptimizer = \"fresh\"\n{more}", checkpoint.display()))
    };
    let bare = |more: &str| study(&format!("from = \"bare\"\noptimizer = \"fresh\"\n{more}"));
    let declared = "step = \"90%\"\n[trunk.read]\ntales = \"160\"";
    let mut told = vec![
        refusal(&tiny, &study("from = \"nowhere\"\noptimizer = \"fresh\"")),
        // A checkpoint of ours knows.
        refusal(&tiny, &ours("step = \"80%\"")),
        refusal(&tiny, &ours("[trunk.read]\ntales = \"160\"")),
        refusal(&tiny, &ours("").replace("batch = 6", "batch = 5")),
        refusal(&tiny, &ours("").replace("context = 16", "context = 8")),
        refusal(&tiny, &ours("").replace("\"3840\"", "\"3456\"")),
        // Of another model the study says it.
        refusal(&tiny, &bare("")),
        refusal(&tiny, &bare("step = \"90%\"")),
        refusal(&tiny, &bare("step = \"90%\"\n[trunk.read]\ntales = \"3K\"\nsums = \"1K\"")),
        refusal(&tiny, &bare("step = \"90%\"\n[trunk.read]\ntales = { epochs = 1000 }")),
        refusal(&tiny, &bare(declared).replace("optimizer = \"fresh\"", "optimizer = \"saved\"")),
        // The model is another one.
        refusal(&tiny, &bare(declared).replace("width = 16", "width = 32")),
        refusal(&tiny, &bare(declared).replace("context = 16", "context = 32")),
        // The trunk begins where it was imported.
        refusal(&tiny, &bare(declared).replace("\"10%\"]", "\"10%\", \"20%\"]")),
        refusal(&tiny, &bare(declared).replace("held_out = ", "at = [\"50%\"]\nheld_out = ")),
    ];
    let vocabulary = tiny.root().join("bare/tokenizer.json");
    let before = fs::read(&vocabulary).unwrap();
    let other = String::from_utf8(before.clone()).unwrap().replace("\"Isolated\"", "\"Removed\"");
    sparkjoy_base::write_atomic(&vocabulary, other.as_bytes()).unwrap();
    told.push(refusal(&tiny, &bare(declared)));
    fs::remove_file(&vocabulary).unwrap();
    let plan = replanned(&tiny, &bare(declared)).unwrap();
    assert!(!plan.import.unwrap().tokenizer_known);
    insta::assert_snapshot!(told.join("\n\n"), @r#"
    `nowhere` is not a model folder: it has no `config.json`
    hint: give a folder that holds `config.json`, `model.safetensors` and `tokenizer.json`: a checkpoint, or a model saved with `save_pretrained`

    `study.toml` line 57: `step` is step 32, but the checkpoint is of step 36
    hint: leave `step` out; to place the model elsewhere on the curve, copy its `config.json`, `*.safetensors` and `tokenizer*.json` into a folder of their own

    `study.toml` line 57: `read` says 0 sequences of `notices`, but the checkpoint has read 64
    hint: leave `[trunk.read]` out; to say otherwise, copy its `config.json`, `*.safetensors` and `tokenizer*.json` into a folder of their own

    `study.toml` line 55: the checkpoint was trained with a batch of 6, the study's is 5
    hint: write `batch = 6`, or copy its `config.json`, `*.safetensors` and `tokenizer*.json` into a folder of their own and declare `step` and `[trunk.read]`

    `study.toml` line 55: the checkpoint was trained with a context of 16, the study's is 8
    hint: write `context = 16`, or copy its `config.json`, `*.safetensors` and `tokenizer*.json` into a folder of their own and declare `step` and `[trunk.read]`

    `study.toml` line 55: the checkpoint is of step 36, expected one from 1 to 35, before the run's last
    hint: raise `budget`: it covers the whole run, what the checkpoint has read included

    `study.toml` line 55: `[trunk]` has no `step`, and the model in `bare` does not say it
    hint: write how far into this study's budget and learning-rate curve the model is: `step = "90%"`

    `study.toml` line 55: `[trunk]` has no `read`, and the model in `bare` does not say it
    hint: write under `[trunk.read]` how much of each source it has read, as `web = "700M"` or `web = { epochs = 1.5 }`; an empty table if nothing

    `study.toml` line 58: `read` adds up to 4.02K tokens, expected at most the 3.46K of the 36 steps before it
    hint: raise `step`, or the budget: tokens the trunk has read are part of it

    `study.toml` line 58: `read` adds up to 5.23M tokens, expected at most the 3.46K of the 36 steps before it
    hint: raise `step`, or the budget: tokens the trunk has read are part of it

    `bare` holds no `optimizer.safetensors`
    hint: put its `optimizer.safetensors` beside the weights, or set `optimizer = "fresh"` in `[trunk]`

    `study.toml` line 13: the model in `bare` has width 16, expected 32
    hint: write `width = 16` in `[model]`, or start from another model

    `study.toml` line 13: the model in `bare` has context 16, expected 32
    hint: write `context = 16` in `[model]`, or start from another model

    `study.toml` line 64: a branch would start at step 32, but the trunk begins at step 36: the longest window is 10 %
    hint: ask for windows of at most 10 %, or import an earlier checkpoint

    `study.toml` line 66: `at` asks for step 20, but the trunk begins at step 36
    hint: write steps from 36 on in `at`

    `study.toml` line 55: `bare/tokenizer.json` is a tokenizer sparkjoy cannot prepare text with
    hint: text is prepared with `cl100k` or a tokenizer sparkjoy trained; if the model was trained on the ids of one of these, move `bare/tokenizer.json` away and the study's word is taken for it
    "#);
}

#[test]
fn a_ledger_about_other_text_is_refused() {
    let (tiny, checkpoint) = trained();
    // The same name, and what was another source's text.
    let text = study(&format!("from = \"{}\"\noptimizer = \"fresh\"", checkpoint.display()));
    let text = text
        .replace("\"tales.jsonl\"", "\"swap\"")
        .replace("\"notices.jsonl\"", "\"tales.jsonl\"")
        .replace("\"swap\"", "\"notices.jsonl\"");
    let study = Study::parse(&tiny.root().join("study.toml"), text, None).unwrap();
    let (tokenizer, corpora) = prepared(&study, tiny.root()).unwrap();
    assert_eq!(tokenizer.fingerprint(), tiny.tokenizer.fingerprint());
    let error = Plan::new(&study, &corpora, &tokenizer).unwrap_err();
    assert!(error.to_string().contains("source `notices` was other text"), "{error}");
}
