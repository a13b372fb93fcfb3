//! `eval` as a user meets it: a model, task files of one's own, mistakes.

mod laboratory;

use laboratory::Laboratory;

/// A trained model and tasks to score it on.
fn laboratory() -> Laboratory {
    let laboratory = Laboratory::new();
    laboratory.succeed("prepare study.toml");
    laboratory.succeed("run study.toml --job trunk-60");
    let tasks = include_str!("fixtures/puzzles.toml").replace("shots = 1", "shots = 2");
    let tasks = tasks.replace("normalize", "stop = [\"\\n\"]\nnormalize");
    laboratory.write("puzzles.toml", &tasks);
    let rows = |file: &str, row: &dyn Fn(usize) -> String| {
        let lines: Vec<String> = (0..30).map(row).collect();
        laboratory.write(file, &lines.join("\n"));
    };
    rows("data-sums.jsonl", &|i| {
        let choices = if i % 2 == 0 { [i + 1, i] } else { [i, i + 1] };
        let [a, b] = choices;
        format!("{{\"query\":\"{i}+1\",\"choices\":[\"{a}\",\"{b}\"],\"gold\":{}}}", i % 2)
    });
    rows("data-words.jsonl", &|i| {
        format!("{{\"context\":\"tale {i}\",\"continuation\":\"ends\"}}")
    });
    rows("data-riddles.jsonl", &|i| format!("{{\"context\":\"What {i}?\",\"answer\":\"egg\"}}"));
    std::fs::create_dir(laboratory.path("data")).expect("the folder is new");
    for name in ["sums", "words", "riddles"] {
        let (from, to) = (format!("data-{name}.jsonl"), format!("data/{name}.jsonl"));
        std::fs::rename(laboratory.path(&from), laboratory.path(&to)).expect("it was just written");
    }
    laboratory
}

fn model(laboratory: &Laboratory) -> String {
    let trunk = laboratory.find("runs", "trunk-");
    let trunk = trunk.file_name().expect("a folder has a name").to_string_lossy().into_owned();
    format!("runs/{trunk}/step-000060")
}

#[test]
fn a_model_is_scored_on_tasks_of_ones_own_and_no_item_is_asked_twice() {
    let laboratory = laboratory();
    let model = model(&laboratory);
    let command = format!("eval {model} --tasks puzzles.toml --eval-data data --out results");
    let first = laboratory.succeed(&format!("{command} --limit 10"));
    for said in ["sums", "next-word", "riddles", "10 of 30", "puzzles core average", "30 items in"]
    {
        assert!(first.stdout.contains(said), "{said} is not in\n{}", first.stdout);
    }
    assert!(first.stdout.lines().all(|line| line.chars().count() <= 100), "{}", first.stdout);
    // Ten of thirty are there already; of each task twenty are missing.
    let whole = laboratory.succeed(&command);
    assert!(whole.stdout.contains("60 items in"), "{}", whole.stdout);
    let again = laboratory.succeed(&command);
    assert!(again.stdout.contains("all items were answered before"), "{}", again.stdout);

    let json = laboratory.succeed(&format!("{command} --json")).stdout;
    let scores: serde_json::Value = serde_json::from_str(&json).unwrap();
    let sums = &scores["tasks"][0];
    assert_eq!((&sums["task"], &sums["rows"]), (&"sums".into(), &30.into()));
    assert!(sums["accuracy"]["error"].is_f64() && sums["gold_bits_per_byte"]["value"].is_f64());
    assert!(laboratory.path("results/scores.json").is_file());
}

#[test]
fn an_item_is_shown_with_prompt_choices_and_verdict() {
    let laboratory = laboratory();
    let model = model(&laboratory);
    laboratory.succeed(&format!(
        "eval {model} --tasks puzzles.toml --eval-data data --out results --limit 10"
    ));
    let show = |rest: &str| format!("show results --eval-data data --item {rest}");
    let text = laboratory.succeed(&show("sums:4")).stdout;
    // Two examples with their answers, then the question.
    assert!(text.starts_with("line 4 of task sums · ") && text.contains("\n  3+1\n"), "{text}");
    let taken = text.lines().filter(|line| line.contains("taken")).count();
    assert!(taken == 1 && text.lines().any(|l| l.contains("right") && l.ends_with('4')), "{text}");
    let json = laboratory.succeed(&format!("{} --json", show("riddles:1"))).stdout;
    let items: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(items[0]["asked"]["answers"][0], " egg");
    assert!(items[0]["result"]["generated"].is_string(), "{items}");

    insta::assert_snapshot!(laboratory.refuse(&show("sums:5")), @"
    error: `results` has results of 10 items of `sums`, and none of the row in line 5

    hint: give the line of a row in the file of `sums` that was asked
    ");
    insta::assert_snapshot!(laboratory.refuse(&show("sum:4")), @"
    error: `results` has no results of task `sum`; it has results of `next-word`, `riddles`, `sums`

    hint: name the folder that `sparkjoy eval` wrote, or a run that is scored on tasks
    ");
    insta::assert_snapshot!(laboratory.refuse("show results --item sums:4"), @"
    error: the folder of task files is not known

    hint: name it: `--eval-data DIR`, or set SPARKJOY_EVAL_DATA; docs/tasks.md says what it should hold
    ");
    let rows = std::fs::read_to_string(laboratory.path("data/sums.jsonl")).unwrap();
    laboratory.write("data/sums.jsonl", &rows.replace("3+1", "3 + 1"));
    let refused = laboratory.refuse(&show("sums:4"));
    assert!(refused.contains("the content that the model was asked from"), "{refused}");
}

#[test]
fn every_mistake_says_what_to_type_and_loses_nothing_of_other_tasks() {
    let laboratory = laboratory();
    let model = model(&laboratory);
    let eval = |rest: &str| laboratory.refuse(&format!("eval {model} {rest}"));
    insta::assert_snapshot!(eval("--tasks puzzles.toml"), @"
    error: the folder of task files is not known

    hint: name it: `--eval-data DIR`, or set SPARKJOY_EVAL_DATA; docs/tasks.md says what it should hold
    ");
    insta::assert_snapshot!(eval("--tasks gsm9k --eval-data data"), @"
    error: `gsm9k` is no task and no suite (the nearest is `gsm8k`)

    hint: write `gsm8k` for `gsm9k`
    ");
    insta::assert_snapshot!(laboratory.refuse("eval data --tasks copa --eval-data data"), @"
    error: `data` is not a model folder: it has no `config.json`

    hint: give a folder that holds `config.json`, `model.safetensors` and `tokenizer.json`: a checkpoint, or a model saved with `save_pretrained`
    ");

    let rows = std::fs::read_to_string(laboratory.path("data/sums.jsonl")).unwrap();
    laboratory.write("data/sums.jsonl", &rows.replacen("\"gold\":1", "\"gold\":2", 1));
    let command = format!("eval {model} --tasks puzzles.toml --eval-data data --out results");
    let ended = laboratory.run(&command);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stdout.contains("FAILED") && ended.stdout.contains("riddles"),
        "{}",
        ended.stdout
    );
    assert!(ended.stderr.contains("1 of the tasks could not be scored"), "{}", ended.stderr);
    assert!(ended.stderr.contains("line 2"), "{}", ended.stderr);

    laboratory.write("data/sums.jsonl", &rows);
    let mended = laboratory.succeed(&command);
    assert!(mended.stdout.contains("30 items in"), "only the mended task: {}", mended.stdout);

    // A file that is missing takes its category along, and says so.
    std::fs::remove_file(laboratory.path("data/words.jsonl")).unwrap();
    let missing = laboratory.succeed(&command).stdout;
    assert!(missing.contains("INCOMPLETE: without next-word"), "{missing}");
    // One that was asked for by its name is a mistake, after all others are scored.
    let asked = format!("eval {model} --tasks puzzles.toml,copa --eval-data data --out results");
    let named = laboratory.run(&asked);
    assert_eq!(named.code, Some(2));
    assert!(named.stderr.contains("no file of task copa"), "{}", named.stderr);
    assert!(named.stdout.contains("all items were answered before"), "{}", named.stdout);
}

#[test]
fn the_list_names_tasks_and_suites() {
    let list = laboratory::Laboratory::new().succeed("eval --list").stdout;
    for name in ["gauntlet-v0.3", "mmlu-dev", "gsm8k-exact", "human-eval", "world knowledge"] {
        assert!(list.contains(name), "{list}");
    }
}

#[test]
fn a_finished_report_is_not_replaced_where_results_of_items_are_lost() {
    let laboratory = laboratory();
    let tasks = "held_out = \"1K\"\ntasks = [\"puzzles.toml\"]\ndata = \"data\"";
    laboratory.edit("held_out = \"1K\"", tasks);
    laboratory.succeed("run study.toml");
    let report = laboratory.report();
    let branch = laboratory.find("runs", "base-10pct-r0-");
    let mut files = std::fs::read_dir(branch.join("tasks")).expect("results of tasks");
    let lost = files.find_map(|file| {
        let path = file.expect("an entry").path();
        path.extension().is_some_and(|extension| extension == "jsonl").then_some(path)
    });
    std::fs::remove_file(lost.expect("results of items")).expect("it is ours");
    let refused = laboratory.refuse("report study.toml");
    assert!(refused.contains("results of some items of"), "{refused}");
    assert!(laboratory.report() == report, "the finished report was replaced");
    laboratory.succeed("run study.toml");
    assert!(laboratory.report() == report, "the items are asked again");
}

#[test]
fn models_of_ones_own_stand_beside_the_study() {
    let laboratory = laboratory();
    let tasks = "held_out = \"1K\"\ntasks = [\"puzzles.toml\"]\ndata = \"data\"";
    laboratory.edit("held_out = \"1K\"", tasks);
    laboratory.succeed("run study.toml");
    let page = || std::fs::read_to_string(laboratory.path("runs/tiny/report.html")).unwrap();
    assert!(!page().contains("house 3B"));
    laboratory.write("models.csv", "model,params_b,tokens_t,sums@1\nhouse 3B,3.1,0.9,0.61\n");
    laboratory.succeed("report study.toml --models models.csv");
    assert!(page().contains("house 3B"), "the figure names the model");
    laboratory.write("models.csv", "model,params_b,tokens_t,sum\nhouse 3B,3.1,0.9,0.61\n");
    insta::assert_snapshot!(laboratory.refuse("report study.toml --models models.csv"), @"
    error: `models.csv`: found `sum`, expected a score on a task of the study (the nearest is `sums`)

    hint: write `sums`
    ");
    assert!(page().contains("house 3B"), "the page of before is kept");
}

#[test]
fn a_plan_says_what_a_run_would_refuse() {
    let laboratory = laboratory();
    let tasks = "held_out = \"1K\"\ntasks = [\"puzzles.toml\"]\ndata = \"data\"";
    laboratory.edit("held_out = \"1K\"", tasks);
    let plan = laboratory.succeed("plan study.toml").stdout;
    assert!(!plan.contains("WOULD REFUSE"), "{plan}");
    let words = laboratory.path("data/words.jsonl");
    std::fs::write(&words, "{\"context\":\"tale\"}\n").unwrap();
    let refused = laboratory.refuse("run study.toml");
    let plan = laboratory.succeed("plan study.toml").stdout;
    let (top, _) = plan.split_once("\nmodel: ").unwrap();
    let top = top.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(top.contains("`sparkjoy run` WOULD REFUSE: "), "{top}");
    for line in refused.lines().filter(|line| !line.is_empty()) {
        let said = line.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>();
        assert!(top.contains(&said.join(" ")), "{line} is not in\n{top}");
    }
    let json = laboratory.succeed("plan study.toml --json").stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["refused"]["text"].is_string());
    // What is wrong whatever files there are is refused as by `run`.
    laboratory.edit("held_out = \"1K\"", "held_out = \"0\"");
    assert_eq!(laboratory.refuse("plan study.toml"), laboratory.refuse("run study.toml"));
}
