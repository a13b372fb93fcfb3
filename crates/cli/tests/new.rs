//! From a folder of text to an answer in two commands.

mod laboratory;

use std::fmt::Write;
use std::fs;

use laboratory::Laboratory;

/// `count` documents of some sentences, each source with words of its own.
fn text(seed: u64, count: u64) -> Vec<String> {
    let mut state = seed;
    let mut random = |below: u64| {
        // Knuth's MMIX generator: good enough to pick words.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(seed);
        (state >> 33) % below
    };
    let document = |_| {
        let mut text = String::new();
        for _ in 0..60 + random(60) {
            let _ = write!(text, "{}{} ", ["lo", "mi", "ra"][seed as usize % 3], random(400));
        }
        text
    };
    (0..count).map(document).collect()
}

/// A folder as somebody may have it: plain text, records, and what goes with them.
fn corpora(laboratory: &Laboratory) {
    for folder in ["corpora/Web Pages", "corpora/math/gsm", "corpora/code"] {
        fs::create_dir_all(laboratory.path(folder)).expect("the test's folder can be written");
    }
    for (i, document) in text(1, 200).iter().enumerate() {
        laboratory.write(&format!("corpora/Web Pages/{i}.txt"), document);
    }
    let lines = |documents: Vec<String>| {
        let records = documents.iter().map(|text| format!("{{\"content\": \"{text}\"}}"));
        records.collect::<Vec<_>>().join("\n")
    };
    laboratory.write("corpora/math/gsm/train.jsonl", &lines(text(2, 80)));
    laboratory.write("corpora/math/gsm/test.jsonl", &lines(text(4, 8)));
    for (i, document) in text(3, 60).iter().enumerate() {
        laboratory.write(&format!("corpora/code/{i}.py"), document);
    }
    laboratory.write("corpora/code/README.md", "some programs");
}

#[test]
fn two_commands_lead_from_a_folder_to_a_report() {
    let laboratory = Laboratory::new();
    corpora(&laboratory);
    let written = laboratory.succeed("new mine.toml --data corpora --json").stdout;
    let written: serde_json::Value = serde_json::from_str(&written).unwrap();
    let sources = written["sources"].as_array().unwrap();
    let names: Vec<_> = sources.iter().map(|source| source["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["code", "gsm", "web-pages"]);
    assert!(sources.iter().all(|source| source["exact"] == true), "{sources:?}");
    assert_eq!(written["left_out"][0]["shown"][0], "code/README.md");

    // What was counted is what is prepared.
    let prepared = laboratory.succeed("prepare mine.toml --json").stdout;
    let prepared: serde_json::Value = serde_json::from_str(&prepared).unwrap();
    for (source, counted) in prepared.as_array().unwrap().iter().zip(sources) {
        assert_eq!(source["tokens"], counted["tokens"], "{source}");
    }
    let planned = laboratory.succeed("plan mine.toml").stdout;
    assert!(planned.contains("upsampled"), "{planned}");
    let report = laboratory.succeed("run mine.toml").stdout;
    assert!(report.contains("How long should the last phase"), "{report}");
    assert!(report.contains("gsm"), "{report}");
    assert!(laboratory.path("runs/corpora/report.html").exists());

    // Nothing is overwritten.
    let study = fs::read_to_string(laboratory.path("mine.toml")).unwrap();
    laboratory.refuse("new mine.toml --data corpora");
    assert_eq!(fs::read_to_string(laboratory.path("mine.toml")).unwrap(), study);
}

#[test]
fn a_table_shows_what_is_proposed_and_what_to_type_next() {
    let laboratory = Laboratory::new();
    corpora(&laboratory);
    let shown = laboratory.succeed("new mine.toml --data corpora").stdout;
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
    for part in [
        "source",
        "epochs",
        "left out: code/README.md",
        "sparkjoy run mine.toml",
        "wrote mine.toml",
    ] {
        assert!(shown.contains(part), "no `{part}` in\n{shown}");
    }
    let study = fs::read_to_string(laboratory.path("mine.toml")).unwrap();
    assert!(study.contains("text_field = \"content\""), "{study}");
    assert!(study.contains("validation = \"math/gsm/test.jsonl\""), "{study}");
    assert!(study.contains("path = \"Web Pages\"") && study.contains("path = \"code/*.py\""));
}

#[test]
fn text_that_sources_share_is_held_out_by_both_or_said_at_once() {
    let laboratory = Laboratory::new();
    corpora(&laboratory);
    // Some of what `gsm` holds out in files of its own.
    let held_out = fs::read_to_string(laboratory.path("corpora/math/gsm/test.jsonl")).unwrap();
    let lines: Vec<&str> = held_out.lines().take(5).collect();
    let others = (0..300).map(|i| format!("{{\"text\": \"note {i} of {} notes\"}}\n", i * i));
    let text = others.collect::<String>().replace("notes", &"notes and more ".repeat(12));
    fs::create_dir_all(laboratory.path("corpora/copy")).unwrap();
    laboratory
        .write("corpora/copy/a.jsonl", &(text + &lines.join("\n").replace("content", "text")));
    let shown = laboratory.succeed("new mine.toml --data corpora").stdout;
    let shown = shown.replace("\n  ", " ");
    assert!(shown.contains("that `gsm` holds out stand in the training text of `copy`"), "{shown}");
    assert!(shown.contains("`leaked = [\"gsm\"]` in `[evaluation]`"), "{shown}");
}

#[test]
fn a_folder_no_study_can_be_made_of_is_refused_with_what_is_missing() {
    let laboratory = Laboratory::new();
    for folder in ["few/a", "few/b", "one/web", "none"] {
        fs::create_dir_all(laboratory.path(folder)).unwrap();
    }
    for i in 0..3 {
        laboratory.write(&format!("few/a/{i}.txt"), &"two words ".repeat(200 + i));
        laboratory.write(&format!("few/b/{i}.txt"), &"two others ".repeat(200 + i));
        laboratory.write(&format!("one/web/{i}.txt"), &format!("text {i}"));
    }
    laboratory.write("none/image.png", "x");
    let texts = ["few", "one", "none", "nowhere"]
        .map(|folder| laboratory.refuse(&format!("new mine.toml --data {folder}")));
    insta::assert_snapshot!(texts.join("\n"), @r"
    error: `few` holds about 1,616 tokens to train on, expected at least 40,960

    hint: bring more text: about 209 KiB in all

    error: `one` holds one source, `web`, expected two or more: with one there is nothing to mix

    hint: sort the text into one folder (or one file of JSON Lines) per source, such as `web/`, `math/` and `code/`; sources of one file are told apart by `where` in a study

    error: `none` holds no text that can be used (image.png: `.png` is no kind of text that is known)

    hint: put text there: a folder of .txt files per source, or JSON Lines (.jsonl, .gz, .zst) or Parquet with a field `text`

    error: cannot read `nowhere`: No such file or directory (os error 2)

    hint: check the path `nowhere`: nothing is there
    ");
    assert!(!laboratory.path("mine.toml").exists());
}
