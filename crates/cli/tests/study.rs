//! A tiny study from text to report, and what can be seen of it on the way.

mod laboratory;

use std::fs;

use laboratory::{Laboratory, without_ids};

#[test]
fn a_study_runs_from_text_to_a_report_and_can_be_looked_at() {
    let laboratory = Laboratory::new();
    let ended = laboratory.succeed("run study.toml --threads 1");
    assert!(ended.stdout.contains("How long should the last phase"), "{}", ended.stdout);
    assert!(ended.stderr.contains("runs/tiny/report.html, report.json"), "{}", ended.stderr);
    let page = fs::read_to_string(laboratory.path("runs/tiny/report.html")).unwrap();
    assert!(
        page.contains("What was asked, and what came out") && page.contains(" of measured time")
    );
    assert!(laboratory.path("runs/tiny/figures/q1-curves.svg").exists());
    let report = laboratory.report();

    // All is done: nothing is run again, and the report is the same.
    let again = laboratory.succeed("run study.toml --threads 2");
    assert_eq!(again.stdout, ended.stdout);
    assert!(again.stderr.contains("done before"), "{}", again.stderr);
    assert_eq!(laboratory.report(), report);
    assert_eq!(laboratory.succeed("report study.toml").stdout, ended.stdout);

    plan_tells_all(&laboratory);
    everything_can_be_shown(&laboratory);
}

fn plan_tells_all(laboratory: &Laboratory) {
    let text = laboratory.succeed("plan study.toml").stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    for part in [
        "80 steps of 256 tokens",
        "parameters",
        "in bf16",
        "upsampled",
        "done",
        "every branch in full",
    ] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    let json = json(&laboratory.succeed("plan study.toml --json").stdout);
    assert_eq!(json["plan"]["steps"], 80);
    assert_eq!(json["left"]["steps"], 0);
    assert_eq!(json["columns"][0]["window"], "0%");

    // Every job is named as `run --job` takes it.
    let jobs = json["jobs"].as_array().expect("jobs");
    assert!(jobs.iter().all(|job| job["state"] == "done"), "{jobs:?}");
    for job in [&jobs[0], &jobs[jobs.len() - 1]] {
        let name = job["name"].as_str().expect("a name");
        laboratory.succeed(&format!("run study.toml --job {name}"));
    }
}

fn everything_can_be_shown(laboratory: &Laboratory) {
    let relative = |path: std::path::PathBuf| path.display().to_string();

    let text = laboratory.succeed("show study.toml --step 3 --rows 2").stdout;
    assert!(text.starts_with("step 3 of trunk: 2 of 8 rows\n"), "{text}");
    let batch = json(&laboratory.succeed("show study.toml --step 3 --rows 8 --json").stdout);
    assert_eq!(batch["rows"].as_array().expect("rows").len(), 8);
    assert!(batch["rows"][0]["text"].as_str().expect("text").contains('w'));

    let branch = "show study.toml --step 80 --branch upsampled-25pct-r1 --json";
    assert_eq!(json(&laboratory.succeed(branch).stdout)["job"], "upsampled-25pct-r1");
    let before = "show study.toml --step 60 --branch upsampled-25pct-r1 --json";
    assert_eq!(json(&laboratory.succeed(before).stdout)["job"], "trunk");

    let run = relative(laboratory.find("runs", "upsampled-25pct-r0"));
    let shown = laboratory.succeed(&format!("show {run}")).stdout;
    assert!(shown.contains("last step 80") && shown.contains("computed on "), "{shown}");
    assert!(shown.contains(" · bf16\n"), "{shown}");
    assert_eq!(json(&laboratory.succeed(&format!("show {run} --json")).stdout)["last_step"], 80);

    let trunk = relative(laboratory.find("runs", "trunk-"));
    let shown = laboratory.succeed(&format!("show {trunk}")).stdout;
    assert!(shown.contains("steps 1 to 72 of 80 (a trunk ends at its last branch"), "{shown}");
    let shown = laboratory.succeed(&format!("show {trunk}/step-60")).stdout;
    assert!(shown.starts_with("step 60 of run "), "{shown}");

    let checkpoint = format!("{run}/step-000080");
    let shown = laboratory.succeed(&format!("show {checkpoint}")).stdout;
    assert!(shown.contains("model.safetensors") && shown.contains("step 80"), "{shown}");
    assert!(shown.contains("computed on "), "{shown}");

    let source = relative(laboratory.find("prepared", "sums-"));
    let shown = laboratory.succeed(&format!("show {source}")).stdout;
    assert!(shown.contains("held out"), "{shown}");
    assert!(shown.contains(" ∎ w") && shown.contains("∎ the end of a document"), "{shown}");
    let shard = relative(laboratory.shard());
    assert_eq!(
        json(&laboratory.succeed(&format!("show {shard} --json")).stdout)["source"],
        "crawl"
    );
}

#[test]
fn the_doctor_tells_what_the_machine_computes_on_and_how_fast() {
    let laboratory = Laboratory::new();
    let text = laboratory.succeed("doctor --threads 1").stdout;
    assert!(text.lines().count() <= 28, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let found = json(&laboratory.succeed("doctor --threads 1 --json").stdout);
    let kernels = found["kernels"].as_array().expect("kernels");
    let speeds = found["speeds"].as_array().expect("speeds");
    let precisions: Vec<_> = speeds.iter().map(|speed| speed["precision"].as_str()).collect();
    assert_eq!(precisions, [Some("fp32"), Some("bf16")]);
    for speed in speeds {
        assert!(kernels.contains(&speed["kernel"]), "{found}");
        assert!(speed["tokens_per_second"].as_f64() > Some(0.0), "{found}");
    }
    assert!(found["gpu"].as_str().expect("a sentence").ends_with("computes on the CPU"));
    assert_eq!(found["debug_build"], cfg!(debug_assertions));
}

#[test]
fn computing_again_to_save_memory_changes_no_number() {
    let [kept, again] = ["", " --recompute"].map(|flag| {
        let laboratory = Laboratory::new();
        laboratory.succeed(&format!("run study.toml{flag}"));
        laboratory.report()
    });
    assert!(kept == again, "another report with `--recompute`");
}

/// The path of a study of the repository.
const PAPER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../studies/paper-7b.toml");

#[test]
fn the_papers_run_is_planned_with_its_figures() {
    let text = Laboratory::new().succeed(&format!("plan {PAPER}")).stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    assert!(text.contains("254,313 steps of 3,932,160 tokens"), "{text}");
    // Whole-run tokens in billions with no upsampling and with the last 5, 10, 20 and 30 %
    // upsampled: arithmetic on the paper's tables 2 and 4. The second 10 % is without math.
    for row in [
        "large-cc         343.5      326.3      309.2             309.2      274.8      240.4",
        "small-cc         367.0      363.6      360.3             360.3      353.6      346.9",
        "domain-specific   71.7       85.6       99.5              99.5      127.4      155.2",
        "code             217.8      224.4      231.0             231.0      244.2      257.5",
    ] {
        assert!(text.contains(row), "no line `{row}` in\n{text}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let program = env!("CARGO_BIN_EXE_sparkjoy");
    let mut shell = std::process::Command::new("bash");
    shell.arg("-c").arg(format!("{program} plan {PAPER} | true; echo ${{PIPESTATUS[0]}}"));
    let ended = Laboratory::new().ended(&mut shell);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("0\n", ""));
}

#[test]
fn a_model_of_somebody_else_is_shown_with_why_it_cannot_be_evaluated() {
    const MODEL: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../train/testdata/models/bf16-clipped");
    let laboratory = Laboratory::new();
    fs::create_dir(laboratory.path("model")).unwrap();
    for name in ["config.json", "model.safetensors"] {
        fs::copy(format!("{MODEL}/{name}"), laboratory.path("model").join(name)).unwrap();
    }
    insta::assert_snapshot!(laboratory.succeed("show model").stdout, @r#"
    MPT · 3,632 parameters (1 layers, width 16, 4 heads, context 12, 32 rows of embedding, clip_qkv 0.75)

    weights               size  tensors  numbers
    model.safetensors  7.9 KiB        8  BF16

    cannot be evaluated: the tokenizer of `model` cannot be used
      caused by: `model` has no `tokenizer.json`
      put the tokenizer the model was trained with beside it: `python -c "from transformers import AutoTokenizer as T; T.from_pretrained('NAME').save_pretrained('model')"`
    "#);
    laboratory.write(
        "model/tokenizer.json",
        r#"{
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
            "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null,
            "decoder": null,
            "model": {"type": "WordLevel", "vocab": {"a": 0, "?": 1}, "unk_token": "?"}
        }"#,
    );
    insta::assert_snapshot!(without_ids(&laboratory.succeed("show model").stdout), @r"
    MPT · 3,632 parameters (1 layers, width 16, 4 heads, context 12, 32 rows of embedding, clip_qkv 0.75)

    weights               size  tensors  numbers
    model.safetensors  7.9 KiB        8  BF16

    tokenizer [ID]: 2 ids, no end of text
    can be evaluated
    ");
    let json = laboratory.succeed("show model --json").stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["parameters"], &json["refused"]), (&3632.into(), &serde_json::Value::Null));
    // What `eval` refuses, `show` does not promise: the last weight is no number.
    let weights = fs::read(laboratory.path("model/model.safetensors")).unwrap();
    let nan = [&weights[..weights.len() - 2], &[0xc0, 0x7f]].concat();
    fs::write(laboratory.path("model/model.safetensors"), nan).unwrap();
    let shown = laboratory.succeed("show model").stdout;
    assert!(shown.contains("cannot be evaluated: tensor "), "{shown}");
    fs::write(laboratory.path("model/model.safetensors"), weights).unwrap();
    for (file, is) in
        [("adapter_config.json", "an adapter (LoRA)"), ("ep0-ba9-rank0.pt", "Composer")]
    {
        let folder = format!("other-{}", file.len());
        fs::create_dir(laboratory.path(&folder)).unwrap();
        laboratory.write(&format!("{folder}/{file}"), "{}");
        let refused = laboratory.refuse(&format!("show {folder}"));
        assert!(refused.contains(is) && refused.contains("hint: "), "{refused}");
    }
    let config = fs::read_to_string(laboratory.path("model/config.json")).unwrap();
    laboratory.write("model/config.json", &config.replace("\"mpt\"", "\"llama\""));
    insta::assert_snapshot!(laboratory.refuse("show model"), @r#"
    error: `model/config.json` is of a checkpoint of another architecture: found `model_type` "llama", expected "mpt"

    hint: sparkjoy opens MPT models; `--worker` has a program of yours compute another one, and lm-evaluation-harness scores it
    "#);
}

#[test]
fn what_cannot_be_shown_is_refused() {
    let laboratory = Laboratory::new();
    laboratory.succeed("prepare study.toml");
    let texts = [
        laboratory.refuse("show crawl.jsonl"),
        laboratory.refuse("show study.toml"),
        laboratory.refuse("show study.toml --step 0"),
        laboratory.refuse("show study.toml --step 81"),
        laboratory.refuse("show study.toml --step 76"),
        laboratory.refuse("show runs/trunk/step-9"),
        laboratory.refuse("show study.toml --step 1 --branch upsampled-99pct-r0"),
    ];
    insta::assert_snapshot!(texts.join("\n"), @"
    error: `crawl.jsonl` is no study, prepared source, run, checkpoint, model or batch of a diverged run

    hint: `sparkjoy show --help` lists what can be shown

    error: which batch of `study.toml` to show is missing

    hint: name its step: `sparkjoy show study.toml --step 1`

    error: `trunk` has no step 0, expected 1 to 72

    hint: type `--step 1`

    error: `trunk` has no step 81, expected 1 to 72

    hint: type `--step 72`

    error: `trunk` has no step 76, expected 1 to 72

    hint: branches have it: `--step 76 --branch base-25pct-r0`

    error: there is no `runs/trunk/step-9`

    hint: `sparkjoy show --help` lists what can be shown

    error: the plan has no branch `upsampled-99pct-r0`

    hint: type `upsampled-10pct-r0`; `sparkjoy plan STUDY --json` lists all under `jobs`
    ");
}

#[test]
fn a_batch_that_broke_a_run_ends_with_1_and_can_be_read() {
    let laboratory = Laboratory::new();
    laboratory.edit("lr = 1e-3", "lr = 1e30");
    laboratory.edit("grad_clip = 1.0\n", "");
    let ended = laboratory.run("run study.toml");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: "), "{}", ended.stderr);
    let trunk = laboratory.find("runs", "trunk-");
    let files = fs::read_dir(&trunk).unwrap().map(|entry| entry.unwrap().path());
    let diverged = files.filter(|p| p.display().to_string().contains("/diverged-")).min().unwrap();
    let shown = laboratory.succeed(&format!("show {}", diverged.display())).stdout;
    assert!(shown.contains("could not be taken: loss"), "{shown}");
}

#[test]
fn a_single_job_waits_for_what_it_needs() {
    let laboratory = Laboratory::new();
    insta::assert_snapshot!(laboratory.refuse("run study.toml --job upsampled-10pct-r0"), @"
    error: job `upsampled-10pct-r0` starts from what `trunk-72` leaves, which is not done

    hint: run job `trunk-72` first
    ");
    insta::assert_snapshot!(laboratory.refuse("run study.toml --job contamination"), @r#"
    error: job `contamination` looks for items of the study's tasks in its training text, and the study has no tasks: there is nothing to look for

    hint: name some: `tasks = ["…"]` in `[evaluation]`
    "#);
    laboratory.succeed("run study.toml --job trunk-60");
    let partly = laboratory.succeed("report study.toml").stdout;
    assert!(partly.contains("INCOMPLETE: 10 of 10 branches are not scored: `base-25pct` (2),"));
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("JSON and nothing else on standard output")
}
