//! A study from nothing: the world is made, asked, and compared with its truth.

mod laboratory;

use std::fs;

use laboratory::Laboratory;
use sparkjoy_base::Seed;
use sparkjoy_world::{QUICKSTART, study};

/// The study of the quickstart, of a size for tests: it answers nothing, by the same way.
fn small() -> String {
    let text = study(QUICKSTART, Seed(1), false);
    let smaller = [
        ("layers = 4", "layers = 1"),
        ("width = 128", "width = 32"),
        ("heads = 8", "heads = 2"),
        ("\"1200K\"", "\"200K\""),
        ("replicates = 3", "replicates = 2"),
        ("held_out = \"8K\"", "held_out = \"500\""),
        ("limit = 100", "limit = 10"),
    ];
    smaller.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

#[test]
fn one_command_goes_from_nothing_to_an_answer() {
    let laboratory = Laboratory::new();
    fs::create_dir(laboratory.path("quickstart")).unwrap();
    fs::write(laboratory.path("quickstart/study.toml"), small()).unwrap();

    let ended = laboratory.succeed("quickstart");
    assert!(ended.stderr.contains("is trained on mostly web text (the trunk); 12 branches start"));
    assert!(
        ended.stderr.contains("open  quickstart/runs/quickstart-1/report.html"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("sparkjoy new study.toml --data FOLDER"));
    assert!(ended.stdout.contains("How long should the last phase on `upsampled` be?"));
    assert!(ended.stdout.contains("What was built into this world, and what was found"));
    assert!(ended.stdout.contains("longest window  cloze"), "{}", ended.stdout);
    let page =
        fs::read_to_string(laboratory.path("quickstart/runs/quickstart-1/report.html")).unwrap();
    assert!(page.contains("clean"), "the contamination check is on the page");

    let again = laboratory.succeed("quickstart");
    assert_eq!(again.stdout, ended.stdout);

    // The other study lies beside it, and can be asked in the same world.
    let plan = laboratory.succeed("plan quickstart/full.toml").stdout;
    assert!(plan.contains("130 branches"), "{plan}");

    let other = laboratory.refuse("quickstart --seed 2");
    assert!(other.contains("holds another world: seed 1"), "{other}");
}
