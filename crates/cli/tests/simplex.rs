//! A study of mixtures on a simplex, run for real.

mod laboratory;

use laboratory::Laboratory;
use serde_json::Value;

const MIXTURES: &str = "[mixtures.sums-rich]\ncrawl = 0.3\nsums = 0.6\nproofs = 0.1\n\n\
                        [mixtures.proofs-rich]\ncrawl = 0.3\nsums = 0.1\nproofs = 0.6\n\n[trunk]";
const QUESTION: &str = "[[questions]]\nask = \"proportion\"\n\
                        among = [\"base\", \"sums-rich\", \"proofs-rich\"]\nparts = 2\n\
                        window = \"25%\"\n\n[objective]\ntargets = { math = 1 }\n\
                        guards = { crawl = \"90%\" }\n\n[evaluation]";

#[test]
fn three_mixtures_and_their_halves_are_trained_and_what_lies_between_is_predicted() {
    let laboratory = Laboratory::new();
    laboratory.edit("[trunk]", MIXTURES);
    let study = std::fs::read_to_string(laboratory.path("study.toml")).unwrap();
    let questions = study.find("[[questions]]").unwrap()..study.find("[evaluation]").unwrap();
    laboratory.edit(&study[questions], "");
    laboratory.edit("[evaluation]", QUESTION);

    let plan = laboratory.succeed("plan study.toml").stdout;
    for name in ["base-1of2.sums-rich-1of2-25pct-r0", "1/2 base", "+ 1/2 sums-rich"] {
        assert!(plan.contains(name), "no `{name}` in\n{plan}");
    }
    assert!(plan.lines().all(|line| line.chars().count() <= 100), "{plan}");
    let ended = laboratory.succeed("run study.toml --threads 2");
    for part in
        ["By a linear surface over 6 mixtures", "by the surface", "1/2 base + 1/2 sums-rich"]
    {
        assert!(ended.stdout.contains(part), "no `{part}` in\n{}", ended.stdout);
    }
    assert!(ended.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ended.stdout);

    let report = std::fs::read(laboratory.path("runs/tiny/report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let findings = report["questions"][0]["findings"].as_array().unwrap();
    let decision = findings.iter().find(|finding| finding["kind"] == "decision").unwrap();
    let surface = &decision["surface"];
    let names: Vec<&str> =
        surface["corners"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(names, ["base", "sums-rich", "proofs-rich"]);
    // Six points, of which the trunk's mixture is the control.
    assert_eq!(surface["compositions"].as_array().unwrap().len(), 5);
    assert_eq!(surface["unchanged"][0][0], 1.0);
    assert_eq!(surface["gain"]["shape"], "linear");
    // A corner that is the control gains nothing; the others were read by no other question.
    assert!(surface["gain"]["coefficients"][0].as_f64().unwrap().abs() < 1e-9, "{surface}");
    let shares = surface["optimum"]["composition"].as_array().unwrap();
    let sum: f64 = shares.iter().filter_map(Value::as_f64).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{surface}");
    let page = std::fs::read_to_string(laboratory.path("runs/tiny/report.html")).unwrap();
    assert!(page.contains("id=\"q1-surface\""), "the page draws it");
    assert!(laboratory.path("runs/tiny/figures/q1-surface.svg").exists());
}
