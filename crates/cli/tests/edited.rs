//! A study that is edited after it was run: what is lost is said, and nothing finished is.

mod laboratory;

use std::fs;

use laboratory::{Laboratory, without_ids};

#[test]
fn an_edit_says_what_it_costs_and_leaves_a_finished_report_alone() {
    let laboratory = Laboratory::new();
    laboratory.succeed("run study.toml");
    let report = laboratory.report();
    let plan = laboratory.succeed("plan study.toml").stdout;
    assert!(plan.contains("the standard deviation of 8 scored"), "{plan}");
    assert!(plan.contains("still to be run: nothing"), "{plan}");

    // Other held-out text: the models are there, their scores are not.
    laboratory.edit("held_out = \"1K\"", "held_out = \"2K\"");
    let plan = laboratory.succeed("plan study.toml").stdout;
    assert!(plan.contains("trained, 2 of 2 scores missing"), "{plan}");
    assert!(plan.contains("`evaluation.held_out` was 1000 and is 2000"), "{plan}");
    assert!(plan.contains("the standard deviation of 8 scored"), "{plan}");
    assert!(!plan.contains("still to be run: nothing"), "{plan}");
    insta::assert_snapshot!(laboratory.refuse("report study.toml"), @"
    error: the report of `tiny` is finished and is not replaced by an incomplete one: it is of plan [ID], and this is plan [ID]
      now 10 of 10 branches are not scored: `base-25pct` (2), `upsampled-25pct` (2), `upsampled-minus-sums-to-domain-25pct` (2), `base-10pct` (2), 1 more kind
      `evaluation.held_out` was 1000 and is 2000, so what is trained is scored again

    hint: `sparkjoy run study.toml` makes what is missing and then replaces it; to keep it, give the edited study another `name`
    ");
    laboratory.edit("held_out = \"2K\"", "held_out = \"1K\"");

    // More replicates: what two of them tell is still known.
    laboratory.edit("replicates = 2", "replicates = 3");
    let plan = laboratory.succeed("plan study.toml").stdout;
    assert!(plan.contains("the standard deviation of 8 scored"), "{plan}");
    assert!(plan.contains("`training.replicates` was 2 and is 3"), "{plan}");
    let refused = laboratory.refuse("report study.toml --json");
    assert!(refused.contains("`training.replicates` was 2 and is 3, so 5 branches"), "{refused}");
    assert!(laboratory.report() == report, "the finished report was replaced");

    laboratory.succeed("run study.toml");
    assert!(laboratory.report() != report);
    laboratory.succeed("report study.toml");
}

#[test]
fn a_run_that_is_refused_leaves_no_trace_in_a_finished_study() {
    let laboratory = Laboratory::new();
    laboratory.succeed("run study.toml");
    let tasks = "held_out = \"1K\"\ntasks = [\"mmlu\"]";
    laboratory.edit("held_out = \"1K\"", tasks);
    laboratory.refuse("run study.toml");
    laboratory.edit(tasks, "held_out = \"1K\"");
    let plan = laboratory.succeed("plan study.toml").stdout;
    assert!(!plan.contains("has changed") && !plan.contains(" was "), "{plan}");
}

#[test]
fn a_report_names_a_checkpoint_that_lost_a_file() {
    let laboratory = Laboratory::new();
    laboratory.succeed("run study.toml --threads 2");
    let run = laboratory.find("runs", "upsampled-10pct-r0");
    let folder = laboratory.find(&run.display().to_string(), "step-");
    let step = folder.file_name().unwrap().to_string_lossy().into_owned();
    for name in ["DONE", "state.json"] {
        let file = folder.join(name);
        let whole = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let refused = laboratory.refuse("report study.toml");
        assert!(refused.contains(&format!("/{step}`")), "{refused}");
        assert!(refused.contains(&format!("`{name}`")), "{refused}");
        fs::write(file, whole).unwrap();
    }
    // Removed as a whole it is only said to be gone.
    fs::remove_dir_all(folder).unwrap();
    laboratory.succeed("report study.toml");
}

#[test]
fn a_pipe_in_place_of_a_record_is_not_waited_for() {
    let laboratory = Laboratory::new();
    laboratory.succeed("run study.toml");
    for record in [
        laboratory.path("runs/tiny/plan.json"),
        laboratory.find("runs", "base-10pct-r0-").join("metrics.jsonl"),
    ] {
        fs::remove_file(&record).expect("it was just written");
        let made = std::process::Command::new("mkfifo").arg(&record).status();
        assert!(made.expect("a command of the system").success());
        for arguments in ["plan study.toml", "report study.toml"] {
            let ended = laboratory.run(arguments);
            assert!(matches!(ended.code, Some(0 | 2)), "{ended:?}");
        }
    }
}

#[test]
fn a_report_that_is_not_finished_says_why_runs_are_missing() {
    let laboratory = Laboratory::new();
    laboratory.succeed("run study.toml --job trunk-60");
    laboratory.succeed("report study.toml");
    laboratory.edit("lr = 1e-3", "lr = 2e-3");
    let ended = laboratory.succeed("report study.toml");
    let noted = without_ids(&ended.stderr);
    assert!(noted.contains("note: `training.optimizer.lr` was 0.001 and is 0.002"), "{noted}");
}

#[test]
fn what_is_prepared_is_prepared_without_its_text() {
    let laboratory = Laboratory::new();
    let before = laboratory.succeed("prepare study.toml").stdout;
    for source in ["crawl", "sums", "proofs"] {
        fs::remove_file(laboratory.path(&format!("{source}.jsonl"))).unwrap();
    }
    let again = laboratory.succeed("prepare study.toml");
    assert_eq!(again.stdout, before);
    assert!(again.stderr.starts_with("all is prepared"), "{}", again.stderr);
    laboratory.edit("vocab = 300", "vocab = 301");
    assert!(laboratory.refuse("prepare study.toml").contains("crawl.jsonl"));
}
