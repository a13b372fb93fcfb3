//! Where things lie: beside the study, and what earlier versions left elsewhere.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod laboratory;

use std::fs;

use laboratory::{Laboratory, without_ids};

/// A laboratory whose study and text lie in `studies`, and which is called from above.
fn from_above() -> Laboratory {
    let laboratory = Laboratory::new();
    fs::create_dir(laboratory.path("studies")).unwrap();
    for name in ["study.toml", "crawl.jsonl", "sums.jsonl", "proofs.jsonl"] {
        fs::rename(laboratory.path(name), laboratory.path("studies").join(name)).unwrap();
    }
    laboratory
}

#[test]
fn a_study_finds_its_folders_from_wherever_it_is_called() {
    let laboratory = from_above();
    let plan = laboratory.succeed("plan studies/study.toml").stdout;
    assert!(plan.contains("missing"), "{plan}");
    assert!(laboratory.path("studies/prepared").is_dir());
    assert!(!laboratory.path("prepared").exists() && !laboratory.path("runs").exists());
    laboratory.succeed("run studies/study.toml --job trunk-60");
    assert!(laboratory.path("studies/runs/tiny/plan.json").is_file());
    let mut from_beside = laboratory.command("plan study.toml");
    let beside = laboratory.ended(from_beside.current_dir(laboratory.path("studies"))).stdout;
    assert!(beside.contains("1 of 2 done"), "{beside}");
    let sealed = laboratory.succeed("seal studies/study.toml").stdout;
    assert_eq!(sealed, "every file has its seal\n");
}

#[test]
fn results_in_the_current_folder_are_not_made_again() {
    let laboratory = from_above();
    laboratory.succeed("run studies/study.toml --job trunk-60 --runs runs --prepared prepared");
    insta::assert_snapshot!(laboratory.refuse("run studies/study.toml"), @"
    error: `runs/tiny` has results of this study, but `runs` and `prepared` now lie beside the study file, in `studies`: there all of it would be made again

    hint: move them: `mv runs prepared studies/`; or name them: `--runs runs --prepared prepared`
    ");
    assert!(!laboratory.path("studies/prepared").exists());
    for folder in ["runs", "prepared"] {
        fs::rename(laboratory.path(folder), laboratory.path("studies").join(folder)).unwrap();
    }
    let plan = laboratory.succeed("plan studies/study.toml").stdout;
    assert!(plan.contains("1 of 2 done"), "{plan}");
}

#[test]
fn another_seed_keeps_what_is_prepared_and_other_text_says_what_is_lost() {
    let laboratory = Laboratory::new();
    laboratory.succeed("run study.toml --job trunk-60");
    laboratory.edit("seed = 17", "seed = 18");
    let before = fs::read_dir(laboratory.path("prepared")).unwrap().count();
    let plan = laboratory.succeed("plan study.toml");
    assert!(!plan.stderr.contains("training the tokenizer"), "{}", plan.stderr);
    assert!(plan.stdout.contains("`seed` was 17 and is 18, so what was trained in trunk-"));
    assert_eq!(fs::read_dir(laboratory.path("prepared")).unwrap().count(), before);

    let text = fs::read_to_string(laboratory.path("sums.jsonl")).unwrap();
    laboratory.write("sums.jsonl", &text.replace("w2", "v2"));
    let noted = without_ids(&laboratory.succeed("plan study.toml").stderr);
    let note = "note: the text has changed since `tokenizer-[ID]` was trained on it: a tokenizer is \
                trained, sources are prepared and all runs are trained anew";
    assert!(noted.contains(note), "{noted}");
}

#[test]
fn a_study_of_years_is_not_begun_by_a_slip() {
    let laboratory = Laboratory::new();
    laboratory.edit("budget = \"20_480\"", "budget = \"60T\"");
    let refused = laboratory.refuse("run study.toml");
    assert!(refused.contains("expected at most (it has no `max_epochs`) 100: "), "{refused}");
    for source in ["crawl", "sums", "proofs"] {
        let path = format!("path = \"{source}.jsonl\"");
        laboratory.edit(&path, &format!("{path}\nmax_epochs = 1e12"));
    }
    let refused = laboratory.refuse("run study.toml");
    assert!(refused.contains("the study takes about ") && refused.contains("type `--yes`"));
    assert!(!laboratory.path("runs").exists(), "nothing was begun");
}
