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
fn new_writes_a_study_once() {
    let laboratory = Laboratory::new();
    let ended = laboratory.succeed("new fresh.toml");
    insta::assert_snapshot!(ended.stdout, @"
    wrote fresh.toml

    Name your sources in it, then: sparkjoy prepare fresh.toml
    ");
    insta::assert_snapshot!(laboratory.refuse("new fresh.toml"), @"
    error: `fresh.toml` exists already

    hint: give another name: `sparkjoy new FILE`
    ");
}
