//! Ctrl-C, kill -9, other thread counts: the report comes out the same to the byte.

mod laboratory;

use std::process::Command;

use laboratory::Laboratory;

/// The report of a run that nothing disturbed.
fn undisturbed() -> Vec<(String, Vec<u8>)> {
    let laboratory = Laboratory::new();
    laboratory.succeed("run study.toml --threads 1");
    laboratory.report()
}

#[test]
fn killed_ten_times_and_run_again_a_study_ends_in_the_same_report() {
    let laboratory = Laboratory::new();
    for _ in 0..10 {
        let mut child = laboratory.start("run study.toml --threads 2", 2);
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
    }
    laboratory.succeed("run study.toml --threads 2");
    assert!(laboratory.report() == undisturbed(), "another report than without the kills");
}

#[test]
fn an_interrupted_run_saves_and_continues() {
    for signal in ["-INT", "-TERM"] {
        let laboratory = Laboratory::new();
        // The plan, the tokenizer, three sources: the signal comes while the trunk is trained.
        let mut child = laboratory.start("run study.toml", 6);
        let id = child.id().to_string();
        Command::new("kill").args([signal, &id]).status().expect("kill is there");
        assert_eq!(child.wait().expect("it is ours").code(), Some(130));
        laboratory.succeed("run study.toml");
        assert!(laboratory.report() == undisturbed(), "another report than without the signal");
    }
}
