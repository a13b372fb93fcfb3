//! A study with an objective, and one whose replicates have trunks of their own.

mod laboratory;

use laboratory::Laboratory;

const OBJECTIVE: &str = "[objective]\ntargets = { math = 1 }\nguards = { crawl = \"50%\" }\n\
                         margin = \"1%\"\n\n[evaluation]";

#[test]
fn an_objective_is_answered_without_training_anything_again() {
    let laboratory = Laboratory::new();
    let before = laboratory.succeed("run study.toml --threads 2").stdout;
    assert!(!before.contains("the objective"), "{before}");
    laboratory.edit("[evaluation]", OBJECTIVE);

    let plan = laboratory.succeed("plan study.toml").stdout;
    assert!(plan.contains("note: decides by: math; crawl may lose 50 %"), "{plan}");
    assert!(plan.contains("note: `[objective]` is decided by 2 replicates"), "{plan}");
    // The noise is that of the pairs that are scored.
    let table = plan.split_once("what the study can decide with 2 replicates").unwrap().1;
    for row in ["duration, ", "gain in math", "guard crawl       50 %", "with 5", "scored pairs"] {
        assert!(table.contains(row), "no `{row}` in\n{table}");
    }
    assert!(!plan.contains("minimum detectable effect"), "the table says it: {plan}");
    let ended = laboratory.succeed("run study.toml --threads 2");
    let trained = |line: &&str| line.contains(" · job ") && !line.contains("done before");
    assert_eq!(ended.stderr.lines().find(trained), None, "{}", ended.stderr);
    for part in ["the objective", "probability", "loss, ↓ better"] {
        assert!(ended.stdout.contains(part), "no `{part}` in\n{}", ended.stdout);
    }
    let report = std::fs::read_to_string(laboratory.path("runs/tiny/report.json")).unwrap();
    assert!(report.contains("\"kind\": \"decision\""), "the decision is data");
    let page = std::fs::read_to_string(laboratory.path("runs/tiny/report.html")).unwrap();
    assert!(page.contains("The decision: gains in the objective"), "the page has its table");
}

#[test]
fn each_replicate_branches_off_a_trunk_of_its_own() {
    let laboratory = Laboratory::new();
    laboratory.edit("replicates = 2", "replicates = 2\ntrunks = 2");
    let ended = laboratory.succeed("run study.toml --threads 2");
    assert!(ended.stdout.contains("on other trunks"), "{}", ended.stdout);
    let runs: Vec<String> = std::fs::read_dir(laboratory.path("runs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let of = |prefix: &str| runs.iter().filter(|name| name.starts_with(prefix)).count();
    assert_eq!((of("trunk-"), of("base-10pct-r0"), of("t2-base-10pct-r1")), (2, 1, 1), "{runs:?}");
    let again = laboratory.succeed("run study.toml --threads 2");
    assert_eq!(again.stdout, ended.stdout);
}
