//! What the program says about itself.

mod laboratory;

use laboratory::Laboratory;

#[test]
fn help_fits_a_screen_and_groups_the_commands() {
    let short = Laboratory::new().succeed("-h").stdout;
    assert!(short.lines().count() <= 30, "{short}");
    assert!(short.lines().all(|line| line.chars().count() <= 80), "{short}");
    insta::assert_snapshot!(short, @"");
}

#[test]
fn nothing_typed_is_a_wrong_command() {
    assert_eq!(Laboratory::new().run("").code, Some(2));
    assert_eq!(Laboratory::new().run("train study.toml").code, Some(2));
    assert_eq!(Laboratory::new().run("plan study.toml --threads 0").code, Some(2));
}

#[test]
fn every_command_has_an_example_or_says_all() {
    let laboratory = Laboratory::new();
    for command in ["prepare", "plan", "run", "report", "show"] {
        let help = laboratory.succeed(&format!("{command} --help")).stdout;
        assert!(help.contains("Example"), "{help}");
    }
}

#[test]
fn new_writes_a_study_once() {
    let laboratory = Laboratory::new();
    let ended = laboratory.succeed("new fresh.toml");
    insta::assert_snapshot!(ended.stdout, @"");
    insta::assert_snapshot!(laboratory.refuse("new fresh.toml"), @"");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let laboratory = Laboratory::new();
    let program = env!("CARGO_BIN_EXE_sparkjoy");
    let mut shell = std::process::Command::new("bash");
    shell.arg("-c").arg(format!("set -o pipefail; {program} --help | true; echo $?"));
    let ended = laboratory.ended(&mut shell);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("0\n", ""));
}
