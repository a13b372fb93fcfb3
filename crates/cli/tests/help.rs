//! What the program says about itself.

mod laboratory;

use laboratory::Laboratory;

#[test]
fn help_fits_a_screen_and_groups_the_commands() {
    let short = Laboratory::new().succeed("-h").stdout;
    assert!(short.lines().count() <= 30, "{short}");
    assert!(short.lines().all(|line| line.chars().count() <= 80), "{short}");
    insta::assert_snapshot!(short, @r"
    Which data is worth the last tokens of a training run, how much, for how long

    Usage: sparkjoy [OPTIONS] <COMMAND>

    Start
      quickstart  Make a small world, ask a study in it, report: minutes, no files

    Prepare
      new         Write a study of your text, or one with every setting explained
      world       Write text and tasks of an invented world, of any size
      prepare     Turn the text of a study's sources into shards
      plan        Show what a study will train on, and its cost, without training

    Run
      run         Run whatever is missing of a study: prepare, train, score, report
      eval        Score a model on tasks: Gauntlet, MMLU, GSM8K, HumanEval, your own

    Read
      report      Compare the branches of a study, with their spread
      serve       Show a study in a browser while it runs
      show        Look inside a shard, batch, checkpoint, run or answer
      doctor      Show what this machine can do, and how fast it trains

    Options
          --data <DIR>   Folder of the text of sources [default: the study's]
          --runs <DIR>   Folder of runs [default: `runs` beside the study]
          --threads <N>  Threads to compute with [default: all cores]
          --json         Print JSON for machines instead of tables
      -h, --help         Print help (see more with '--help')
      -V, --version      Print version
    ");
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
