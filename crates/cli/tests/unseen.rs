//! Text that nothing trains on: a source of a study that is held out to its last document.

mod laboratory;

use laboratory::{Laboratory, documents};

const LAWS: &str = "[sources.laws]\npath = \"laws.jsonl\"\ndomain = \"law\"\nunseen = true\n\n";

/// The tiny study with one question of one window.
fn laboratory() -> Laboratory {
    let laboratory = Laboratory::new();
    let study = laboratory::STUDY;
    let (from, to) = (study.find("[[questions]]\nask = \"removal\"").expect("it asks"), "[eval");
    let to = study.find(to).expect("it is scored");
    let study = format!("{}{}", &study[..from], &study[to..]);
    laboratory.write("study.toml", &study.replace("[\"10%\", \"25%\"]", "[\"25%\"]"));
    laboratory
}

#[test]
fn unseen_text_has_a_column_of_its_own_and_changes_no_run() {
    let laboratory = laboratory();
    laboratory.succeed("run study.toml --threads 2");
    laboratory.write("laws.jsonl", &documents(4, 60));
    laboratory.edit("[mixtures.base]", &format!("{LAWS}[mixtures.base]"));

    let prepared = json(&laboratory.succeed("prepare study.toml --json").stdout);
    let laws = &prepared[1];
    assert_eq!((&laws["source"], &laws["tokens"]), (&"laws".into(), &0.into()));
    assert_eq!(laws["held_out_documents"], 60);
    let plan = laboratory.succeed("plan study.toml").stdout;
    assert!(plan.contains("note: unseen: `laws`; nothing trains on this text"), "{plan}");
    assert!(!plan.contains("NaN"), "{plan}");

    // What is trained was trained before: only scores are new.
    let ended = laboratory.succeed("run study.toml --threads 2");
    let trained = |line: &&str| {
        line.contains(" · job ") && !line.contains("-score") && !line.contains("done before")
    };
    assert_eq!(ended.stderr.lines().find(trained), None, "{}", ended.stderr);
    for part in [" unseen", "On unseen text (`laws`), not corrected:", "unseen: `laws`, which"] {
        assert!(ended.stdout.contains(part), "no `{part}` in\n{}", ended.stdout);
    }

    let report = json(&std::fs::read_to_string(laboratory.path("runs/tiny/report.json")).unwrap());
    let question = &report["questions"][0];
    let mean = |scope: &str, name: Option<&str>| {
        let scopes = question["scopes"].as_array().expect("scopes");
        let is_it = |it: &&serde_json::Value| {
            it["scope"] == scope && name.is_none_or(|name| it["name"] == name)
        };
        let at = scopes.iter().position(|it| is_it(&it)).expect("a scope");
        question["arms"][0]["cells"][at]["branch"]["mean"].as_f64().expect("a mean")
    };
    let of = |name| mean("source", Some(name));
    let close = |one: f64, other: f64| assert!((one - other).abs() < 1e-9, "{one} {other}");
    close(mean("unseen", None), of("laws"));
    close(mean("domain", Some("law")), of("laws"));
    close(mean("all", None), (of("crawl") + of("sums") + of("proofs")) / 3.0);
    close(mean("general", None), of("crawl"));
    let csv = std::fs::read_to_string(laboratory.path("runs/tiny/report.csv")).unwrap();
    assert!(csv.contains(",unseen,,bpb,mean,"), "{csv}");
    let page = std::fs::read_to_string(laboratory.path("runs/tiny/report.html")).unwrap();
    assert!(page.contains("On unseen text 0 of 1 are.") || page.contains("On unseen text 1 of 1"));
    assert!(page.contains("<dt>unseen</dt>"), "the page explains the word");

    let source = laboratory.find("prepared", "laws-");
    let shown = laboratory.succeed(&format!("show {}", source.display())).stdout;
    assert!(shown.contains("held out         60"), "{shown}");
}

#[test]
fn unseen_text_that_is_trained_on_is_refused() {
    let laboratory = laboratory();
    // Five of its documents stand in a source that is trained on.
    let crawl = documents(1, 5);
    laboratory.write("laws.jsonl", &format!("{}{crawl}", documents(4, 20)));
    laboratory.edit("[mixtures.base]", &format!("{LAWS}[mixtures.base]"));
    let said = laboratory.refuse("prepare study.toml");
    assert!(said.contains("documents held out by source `laws` ("), "{said}");
    assert!(said.contains("stand in the training text of `crawl`"), "{said}");
    // A file on both sides is refused before any of it is read.
    laboratory.edit("path = \"laws.jsonl\"", "path = [\"laws.jsonl\", \"crawl.jsonl\"]");
    let said = laboratory.refuse("prepare study.toml");
    assert!(said.contains("`crawl.jsonl` is held out by source `laws` and taken in by"), "{said}");
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("JSON")
}
