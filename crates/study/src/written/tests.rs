//! Every way a study can be wrong by itself, with the text its author sees.

use std::path::Path;

use sparkjoy_base::{Ppm, Tokens};
use sparkjoy_data::{
    Filter, OnBadDocument, RowText, Rows, SourceFiles, Template, TokenizerKind, Validation,
};
use sparkjoy_spec::{OptimizerKind, Precision, Schedule, ScheduleKind};

use super::*;
use crate::testing::{Case, cases, edited, shown};

/// A study that is right; each case below makes one thing of it wrong.
const GOOD: &str = r#"name = "small"
seed = 17
[tokenizer]
kind = "cl100k"
[model]
layers = 2
width = 32
heads = 4
context = 64
[training]
budget = "1M"
batch = 8
optimizer = { kind = "lionw", lr = 3e-4, betas = [0.9, 0.95], weight_decay = 1.2e-4 }
schedule = { kind = "inverse-sqrt", warmup = "1%", scale = "20 steps", cooldown = "10K" }
replicates = 2
[sources.blogs]
path = "blogs.jsonl"
domain = "web"
holdout = "1%"
[sources.proofs]
path = ["a.jsonl", "b.jsonl"]
domain = "math"
validation = "proofs.val.jsonl"
[sources.puzzles]
tokens = "1M"
domain = "math"
[mixtures.base]
blogs = 0.75
math = 0.25
[mixtures.upsampled]
web = 0.5
proofs = 0.25
puzzles = 0.25
[trunk]
mixture = "base"
[[questions]]
ask = "duration"
mixture = "upsampled"
windows = ["10%", "20%"]
[[questions]]
ask = "removal"
mixture = "upsampled"
window = "10%"
remove = ["proofs", ["blogs", "puzzles"]]
refill = "proportional"
[evaluation]
held_out = "16K"
"#;

fn parse(text: &str) -> Result<Study, StudyError> {
    Study::parse(Path::new("studies/small.toml"), text.to_owned(), None)
}

#[test]
fn every_mistake_says_what_was_found_what_was_expected_and_where() {
    let cases = cases(include_str!("../../testdata/bad-studies.txt"));
    assert!(cases.len() > 70, "only {} cases were read", cases.len());
    for Case { from, to, expected } in cases {
        assert_eq!(shown(parse(&edited(GOOD, &from, &to)).map(drop)), expected, "{from} -> {to}");
    }
}

#[test]
fn a_domain_may_have_the_name_of_its_only_source() {
    let text = GOOD.replace("domain = \"web\"", "domain = \"blogs\"");
    let study = parse(&text.replace("web = 0.5", "blogs = 0.5")).unwrap();
    assert_eq!(study.sources().len(), 3);
}

#[test]
fn the_good_study_is_read_as_written() {
    let study = parse(GOOD).unwrap();
    assert_eq!((study.name(), study.seed(), study.text()), ("small", Seed(17), GOOD));
    assert_eq!(*study.tokenizer(), StudyTokenizer::Made(TokenizerKind::Cl100k));
    assert_eq!(study.evaluation.held_out, Tokens(16_000));
    let training = &study.training;
    assert_eq!(
        training.optimizer,
        OptimizerKind::LionW { lr: 3e-4, betas: [0.9, 0.95], weight_decay: 1.2e-4 }
    );
    assert_eq!((training.grad_clip, training.replicates), (None, 2));
    let [blogs, proofs, puzzles] = study.sources().values().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(
        *blogs,
        SourceInput::Files(Box::new(SourceFiles {
            name: SourceName::new("blogs").unwrap(),
            paths: vec!["blogs.jsonl".into()],
            root: "studies".into(),
            rows: Rows::default(),
            on_bad_document: OnBadDocument::Refuse,
            validation: Validation::Split(Ppm(10_000)),
        }))
    );
    let SourceInput::Files(proofs) = proofs else { panic!("{proofs:?}") };
    assert_eq!(proofs.paths, ["a.jsonl", "b.jsonl"]);
    assert_eq!(proofs.validation, Validation::Files(vec!["proofs.val.jsonl".into()]));
    assert_eq!(*puzzles, SourceInput::Declared(Tokens(1_000_000)));
}

#[test]
fn a_share_on_the_curve_ends_at_the_step_a_window_of_it_does() {
    let study = parse(GOOD).unwrap();
    let clock = study.training.clock;
    assert_eq!((clock.step(), clock.steps()), (Tokens(512), 1953));
    // 1 % of 1M tokens is 19.53 steps of 512 tokens.
    let kind = ScheduleKind::InverseSqrt { warmup: 20 * 512, scale: 20 * 512, cooldown: 10_000 };
    assert_eq!(study.training.schedule, Schedule { kind, total: 1953 * 512 });
}

#[test]
fn products_are_of_16_bit_numbers_unless_the_study_says_otherwise() {
    let precision = |text: &str| parse(text).unwrap().training.precision;
    assert_eq!(precision(GOOD), Precision::Bf16);
    let with = |word| edited(GOOD, "batch = 8", &format!("batch = 8\nprecision = \"{word}\""));
    assert_eq!(precision(&with("bf16")), Precision::Bf16);
    assert_eq!(precision(&with("fp32")), Precision::Fp32);
}

#[test]
fn the_template_parses_and_names_every_key() {
    let study = Study::parse(Path::new("new.toml"), STUDY_TEMPLATE.to_owned(), None).unwrap();
    assert_eq!(*study.tokenizer(), StudyTokenizer::Made(TokenizerKind::Bpe { vocab: 4096 }));
    let text = STUDY_TEMPLATE;
    for key in [
        "name",
        "seed",
        "data",
        "kind",
        "vocab",
        "sample",
        "layers",
        "width",
        "heads",
        "context",
        "clip_qkv",
        "budget",
        "batch",
        "precision",
        "optimizer",
        "lr",
        "betas",
        "eps",
        "weight_decay",
        "schedule",
        "warmup",
        "scale",
        "cooldown",
        "decay",
        "floor",
        "grad_clip",
        "replicates",
        "path",
        "domain",
        "validation",
        "holdout",
        "unseen",
        "text_field",
        "template",
        "messages",
        "separator",
        "documents",
        "where",
        "on_bad_document",
        "max_epochs",
        "tokens",
        "mixture",
        "ask",
        "windows",
        "window",
        "rate",
        "remove_each",
        "add",
        "add_each",
        "shares",
        "mixtures",
        "between",
        "among",
        "parts",
        "starts",
        "then",
        "of",
        "models",
        "remove",
        "refill",
        "held_out",
        "tasks",
        "confidence",
    ] {
        assert!(text.contains(&format!("{key} = ")), "the template says nothing of `{key}`");
    }
}

#[test]
fn a_source_says_what_its_rows_are() {
    let rows = |lines: &str| {
        let study = parse(&edited(GOOD, "holdout = \"1%\"", &format!("holdout = \"1%\"\n{lines}")));
        let inputs = study.unwrap().sources;
        let SourceInput::Files(files) = &inputs.inputs[&SourceName::new("blogs").unwrap()] else {
            panic!("declared by tokens")
        };
        files.rows.clone()
    };
    let fields = |separator: &str| {
        let fields = vec!["a".to_owned(), "b.c".to_owned()];
        Rows::of(RowText::Fields { fields, separator: separator.to_owned() })
    };
    let messages = |template: &str, separator: &str| {
        let template = Template::of_message(template).unwrap();
        let separator = separator.to_owned();
        Rows::of(RowText::Messages { field: "m".to_owned(), template, separator })
    };
    let filter = |text: &str| Some(Filter::parse(text).unwrap());
    for (lines, expected) in [
        ("text_field = \"doc.text\"", Rows::of_field("doc.text")),
        ("text_field = [\"a\", \"b.c\"]", fields("\n\n")),
        ("text_field = [\"a\", \"b.c\"]\nseparator = \" \"", fields(" ")),
        ("template = \"{a}!\"", Rows::of(RowText::Template(Template::parse("{a}!").unwrap()))),
        ("messages = \"m\"", messages("{role}: {content}", "\n\n")),
        (
            "messages = \"m\"\ntemplate = \"<{role}>{content}\"\nseparator = \"\"",
            messages("<{role}>{content}", ""),
        ),
        ("documents = \"lines\"", Rows { lines: true, ..Rows::default() }),
        ("documents = \"files\"", Rows::default()),
        ("where = 'a.b >= 3'", Rows { filter: filter("a.b >= 3"), ..Rows::default() }),
    ] {
        assert_eq!(rows(lines), expected, "{lines}");
    }
}

#[test]
fn the_forms_of_a_text_in_the_template_are_right() {
    let with = |lines: &[&str]| {
        let others = STUDY_TEMPLATE.lines().filter(|line| !line.starts_with("text_field = "));
        lines.iter().fold(others.collect::<Vec<_>>().join("\n"), |text, key| {
            assert!(text.contains(&format!("\n# {key}")), "the template says nothing of `{key}`");
            text.replacen(&format!("\n# {key}"), &format!("\n{key}"), 1)
        })
    };
    for lines in [
        &["text_field = [", "separator"][..],
        &["template", "documents", "where"],
        &["messages", "separator", "where"],
    ] {
        Study::parse(Path::new("new.toml"), with(lines), None).unwrap();
    }
}

#[test]
fn every_alternative_in_the_template_is_right_too() {
    // A trunk trained elsewhere is an alternative of several keys.
    let keys =
        ["from = ", "optimizer = \"fresh", "step = ", "[trunk.read]", "crawl = ", "textbooks = {"];
    let imported = keys.iter().fold(STUDY_TEMPLATE.to_owned(), |text, key| {
        assert!(text.contains(&format!("\n# {key}")), "the template says nothing of `{key}`");
        text.replacen(&format!("\n# {key}"), &format!("\n{key}"), 1)
    });
    let study = Study::parse(Path::new("new.toml"), imported, None).unwrap();
    assert_eq!(study.import.unwrap().read.unwrap().value.len(), 2);

    let alternatives = STUDY_TEMPLATE.lines().filter(|line| !line.contains("\"fresh\""));
    let alternatives = alternatives.filter_map(|line| {
        let (key, _) = line.strip_prefix("# ")?.split_once(" = ")?;
        ["optimizer", "schedule", "holdout", "clip_qkv"].contains(&key).then_some((key, line))
    });
    let mut tried = 0;
    for (key, line) in alternatives {
        // Some stand for a key that is there, which they replace.
        let replaced = if key == "holdout" { "validation" } else { key };
        let replaced = format!("{replaced} = ");
        let lines = STUDY_TEMPLATE.lines().filter(|line| !line.starts_with(&replaced));
        let text = lines.collect::<Vec<_>>().join("\n").replacen(line, &line[2..], 1);
        if let Err(error) = Study::parse(Path::new("new.toml"), text, None) {
            panic!("{line}: {error}");
        }
        tried += 1;
    }
    assert_eq!(tried, 7, "optimizer, four schedules, holdout, clip_qkv");
    let declared = STUDY_TEMPLATE
        .replace("# [sources.papers]\n# tokens", "[sources.papers]\ntokens")
        .replace("# domain = ", "domain = ");
    let study = Study::parse(Path::new("new.toml"), declared, None).unwrap();
    let papers = &study.sources()[&SourceName::new("papers").unwrap()];
    assert_eq!(*papers, SourceInput::Declared(Tokens(20_000_000_000)));
}

#[test]
fn every_question_in_the_template_can_be_asked() {
    let mut asking = false;
    let lines = STUDY_TEMPLATE.lines().map(|line| {
        asking = (asking || line == "# [[questions]]") && !line.is_empty();
        if asking { &line[2..] } else { line }
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let study = Study::parse(Path::new("new.toml"), text.clone(), None).unwrap();
    assert_eq!(study.questions.len(), 7);
    // The other ways to ask about proportions, and the keys that stand commented in a question.
    let text = text.replace("mixtures = [\"upsampled\"]", "# ");
    let rich = "[mixtures.reference-rich]\nweb = 0.3\nreference = 0.6\nmath = 0.1\n[trunk] ";
    let among = text.replace("# among", "among").replace("# parts", "parts");
    let study = Study::parse(Path::new("new.toml"), among.replace("[trunk] ", rich), None).unwrap();
    let Question::Proportion { mixtures, .. } = &study.questions[3] else { panic!("proportion") };
    assert_eq!(mixtures.len(), 10);
    let text = text.replace("# between", "between").replace("# shares = [0.25", "shares = [0.25");
    let text = text.replace("# rate =", "rate =").replace("# remove_each", "remove_each");
    let study = Study::parse(Path::new("new.toml"), text, None).unwrap();
    let Question::Proportion { mixtures, .. } = &study.questions[3] else { panic!("proportion") };
    assert_eq!(mixtures.len(), 4);
}

#[test]
fn the_data_folder_is_beside_the_study_unless_said_otherwise() {
    let root = |text: &str, data: Option<&Path>| {
        let study = Study::parse(Path::new("studies/small.toml"), text.into(), data).unwrap();
        match &study.sources()[&SourceName::new("blogs").unwrap()] {
            SourceInput::Files(files) => files.root.clone(),
            SourceInput::Declared(_) => panic!("blogs has files"),
        }
    };
    let with_data = format!("data = \"../corpora\"\n{GOOD}");
    assert_eq!(root(GOOD, None), Path::new("studies"));
    assert_eq!(root(&with_data, None), Path::new("studies/../corpora"));
    assert_eq!(root(&with_data, Some(Path::new("elsewhere"))), Path::new("elsewhere"));
}

#[test]
fn a_missing_study_is_a_file_error_with_its_path() {
    let error = Study::open(Path::new("no/such.toml"), None).unwrap_err();
    assert!(error.to_string().starts_with("cannot read `no/such.toml`"), "{error}");
}

#[test]
fn one_replicate_where_intervals_are_asked_for_is_refused() {
    let asked = edited(GOOD, "held_out = \"16K\"", "held_out = \"16K\"\nconfidence = 0.9");
    let read = |text: &str| {
        Study::parse(Path::new("studies/small.toml"), text.to_owned(), None).map(|_| ())
    };
    assert_eq!(shown(read(&asked)), "accepted");
    let one = edited(&asked, "replicates = 2", "replicates = 1");
    insta::assert_snapshot!(shown(read(&one)), @"
    `studies/small.toml` line 48: one replicate where intervals are asked for, expected two or more
    hint: write `replicates = 3` in `[training]`, or leave `confidence` away
    ");
}

#[test]
fn an_objective_names_what_is_there_in_its_own_unit() {
    let said = |objective: &str| {
        let table = format!("[objective]\n{objective}\n[evaluation]");
        let text = GOOD.replace("[evaluation]", &table);
        shown(parse(&text.replace("held_out", "tasks = [\"arc_easy\"]\nheld_out")).map(drop))
    };
    let right = "targets = { math = 2, \"bits:arc_easy\" = 1 }\nguards = { web = \"0.5%\", \
                 arc_easy = \"1 point\", base = \"2%\" }\ncosts = { blogs = 0.5 }";
    assert_eq!(said(right), "accepted");
    let wrong = [
        "guards = { web = \"0.5%\" }",
        "targets = {}",
        "targets = { mtah = 1 }",
        "targets = { math = 0 }",
        "targets = { math = 1e308 }",
        "targets = { math = 1, \"domain:math\" = 1 }",
        "targets = { proofs = 1 }\nguards = { web = \"1%\", \"domain:web\" = \"20%\" }",
        "targets = { unseen = 1 }",
        "targets = { math = 1 }\nguards = { math = \"1%\" }",
        "targets = { math = 1 }\nguards = { web = \"1 point\" }",
        "targets = { math = 1 }\nguards = { arc_easy = \"1%\" }",
        "targets = { math = 1 }\nguards = { web = \"0%\" }",
        "targets = { math = 1 }\nguards = { web = 1 }",
        "targets = { math = 1 }\ncosts = { math = 1 }",
        "targets = { math = 1, arc_easy = 1 }\nmargin = \"1%\"",
        "targets = { math = 1 }\nmargins = \"1%\"",
    ];
    let all: Vec<String> = wrong.iter().map(|it| format!("{it}\n{}", said(it))).collect();
    insta::assert_snapshot!(all.join("\n\n"), @r#"
    guards = { web = "0.5%" }
    `studies/small.toml` line 46: `objective` has no `targets`, expected a weight for each, such as `targets = { math = 1 }`
    hint: `sparkjoy new` writes a study with every key explained

    targets = {}
    `studies/small.toml` line 46: `objective` has no `targets`, expected a weight for each, such as `targets = { math = 1 }`
    hint: `sparkjoy new` writes a study with every key explained

    targets = { mtah = 1 }
    `studies/small.toml` line 47: `objective` names `mtah`, which is no source, domain, mixture or task of the study (the nearest is `math`)
    hint: write `math`

    targets = { math = 0 }
    `studies/small.toml` line 47: `objective.targets.math` is 0, expected a number above 0, up to 1000000

    targets = { math = 1e308 }
    `studies/small.toml` line 47: `objective.targets.math` is 1e308, expected a number above 0, up to 1000000

    targets = { math = 1, "domain:math" = 1 }
    `studies/small.toml` line 47: `objective.targets` names `domain:math` twice, expected once
    hint: take one of the two names out: they are about the same

    targets = { proofs = 1 }
    guards = { web = "1%", "domain:web" = "20%" }
    `studies/small.toml` line 48: `objective.guards` names `domain:web` twice, expected once
    hint: take one of the two names out: they are about the same

    targets = { unseen = 1 }
    `studies/small.toml` line 47: `objective` names `unseen`, which is no source, domain, mixture or task of the study
    hint: name one of `blogs`, `web`, `proofs`, `math`, `puzzles`, `base`, `upsampled`, `arc_easy`; or add it to `evaluation.tasks` if it is a task

    targets = { math = 1 }
    guards = { math = "1%" }
    `studies/small.toml` line 48: `math` is a target and a guard, expected one of them
    hint: take it out of `targets`, or out of `guards`

    targets = { math = 1 }
    guards = { web = "1 point" }
    `studies/small.toml` line 48: `objective.guards.web` is "1 point", expected a part of the bits per byte, such as "0.5%"
    hint: text is measured in % of its bits per byte

    targets = { math = 1 }
    guards = { arc_easy = "1%" }
    `studies/small.toml` line 48: `objective.guards.arc_easy` is "1%", expected points of accuracy, such as "1 point"
    hint: accuracy is measured in points, hundredths of all items

    targets = { math = 1 }
    guards = { web = "0%" }
    `studies/small.toml` line 48: `objective.guards.web` is "0%", expected a part of the bits per byte, such as "0.5%"
    hint: text is measured in % of its bits per byte

    targets = { math = 1 }
    guards = { web = 1 }
    `studies/small.toml` line 48: `objective.guards.web` is an integer, expected a part of the bits per byte, such as "0.5%"

    targets = { math = 1 }
    costs = { math = 1 }
    `studies/small.toml` line 48: `objective.costs` names `math`, which is no source
    hint: name one of `blogs`, `proofs`, `puzzles`

    targets = { math = 1, arc_easy = 1 }
    margin = "1%"
    `studies/small.toml` line 48: `objective.margin` has one unit, but its targets have two: text is measured in %, tasks in points
    hint: leave `margin` away, or name targets of one kind

    targets = { math = 1 }
    margins = "1%"
    `studies/small.toml` line 48: unknown key `margins` in `objective`, the nearest known is `margin`
    hint: write `margin`
    "#);
}

#[test]
fn a_name_of_two_things_is_asked_back() {
    let text = GOOD.replace("[evaluation]", "[objective]\ntargets = { base = 1 }\n[evaluation]");
    let text = text.replace("[sources.blogs]", "[sources.base]").replace("blogs = ", "base = ");
    insta::assert_snapshot!(shown(parse(&text.replace("\"blogs\"", "\"base\"")).map(drop)), @r#"
    `studies/small.toml` line 47: `base` is the name of a source and of a mixture
    hint: write `"source:base"`
    "#);
}
