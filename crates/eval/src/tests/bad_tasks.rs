//! Every mistake in a task file, as its author reads it.

use std::path::Path;

use sparkjoy_base::Hint;

use crate::Catalog;

/// The message and the hint for a task file.
fn complaint(text: &str) -> String {
    let mut catalog = Catalog::shipped();
    let error = catalog.add(Path::new("my-tasks.toml"), text, ("task", "suite")).unwrap_err();
    format!("{error}\nhint: {}", error.hint().unwrap())
}

/// A task that is right except for what `line` replaces or adds.
fn with(line: &str) -> String {
    let key = line.split(" =").next().unwrap();
    let right = [
        "name = \"mine\"",
        "type = \"multiple-choice\"",
        "files = \"mine.jsonl\"",
        "shots = 2",
        "baseline = 0.5",
    ];
    let kept = right.into_iter().filter(|known| known.split(" =").next() != Some(key));
    let lines: Vec<&str> = std::iter::once("[[tasks]]").chain(kept).chain([line]).collect();
    lines.join("\n")
}

const GENERATION: &str = "[[tasks]]\nname = \"mine\"\ntype = \"generation\"\n\
                          files = \"mine.jsonl\"\nshots = 0\nbaseline = 0\n";
const CODE: &str = "[[tasks]]\nname = \"mine\"\ntype = \"code\"\nfiles = \"mine.jsonl\"\n\
                    baseline = 0\nsamples = 4\ntemperature = 0.2\n";

#[test]
fn a_right_file_is_right() {
    let mut catalog = Catalog::shipped();
    let file = Path::new("my-tasks.toml");
    catalog.add(file, &with("rows = 100"), ("task", "suite")).unwrap();
    let text = "[suite]\nname = \"both\"\n\
                [[suite.categories]]\nname = \"all\"\ntasks = [\"mine\", \"copa\"]";
    catalog.add(file, text, ("task", "suite")).unwrap();
    let selection = catalog.choose(&["both"]).unwrap();
    assert_eq!(
        selection.tasks.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(),
        ["mine", "copa"]
    );
}

#[test]
fn keys_are_those_of_the_type() {
    insta::assert_snapshot!(complaint("[[task]]\nname = 1"), @"
    `my-tasks.toml` line 1: unknown key `task` in the task file, the nearest known is `tasks`
    hint: write `tasks` for `task`, or take the line out
    ");
    insta::assert_snapshot!(complaint(&with("shot = 3")), @"
    `my-tasks.toml` line 7: unknown key `shot` in task `mine` of type `multiple-choice`, the nearest known is `shots`
    hint: write `shots` for `shot`, or take the line out
    ");
    insta::assert_snapshot!(complaint(&with("stop = [\"x\"]")), @"
    `my-tasks.toml` line 7: unknown key `stop` in task `mine` of type `multiple-choice`, expected one of `name`, `type`, `files`, `rows`, `continuation_delimiter`, `rule`, `shots`, `few_shot_seed`, `few_shot_files`, `prompt`, `example_delimiter`, `prelimiter`, `format`, `aggregation`, `baseline`, `baseline_dclm_2025`
    hint: take `stop` out of `my-tasks.toml`
    ");
    insta::assert_snapshot!(complaint(&with("few_shots_seed = 3")), @"
    `my-tasks.toml` line 7: unknown key `few_shots_seed` in task `mine` of type `multiple-choice`, the nearest known is `few_shot_seed`
    hint: write `few_shot_seed` for `few_shots_seed`, or take the line out
    ");
    insta::assert_snapshot!(complaint("[[tasks]]\nname = \"mine\""), @"
    `my-tasks.toml` line 1: task `mine` has no `type`, expected a kind of task
    hint: write `type = …` there; `docs/tasks.md` explains every key
    ");
    insta::assert_snapshot!(complaint("[[tasks]]\nname = \"mine\"\ntyp = \"code\""), @"
    `my-tasks.toml` line 3: unknown key `typ` in task `mine`, the nearest known is `type`
    hint: write `type` for `typ`, or take the line out
    ");
    insta::assert_snapshot!(complaint(GENERATION), @"
    `my-tasks.toml` line 1: task `mine` of type `generation` has no `normalize`, expected true or false
    hint: write `normalize = …` there; `docs/tasks.md` explains every key
    ");
}

#[test]
fn values_are_of_their_kind_and_in_their_range() {
    insta::assert_snapshot!(complaint("x = "), @"
    `my-tasks.toml` line 1: string values must be quoted, expected literal string
    hint: correct line 1 of `my-tasks.toml`
    ");
    insta::assert_snapshot!(complaint("tasks = 3"), @"
    `my-tasks.toml` line 1: `tasks` is an integer, expected tables, each begun by `[[tasks]]`
    hint: correct `tasks`; `docs/tasks.md` explains every key
    ");
    insta::assert_snapshot!(complaint(&with("name = \"two words\"")), @"
    `my-tasks.toml` line 6: `name` is `two words`, expected a name in quotes: letters, digits, `-`, `_` and `.`
    hint: correct `name` in line 6 of `my-tasks.toml`
    ");
    insta::assert_snapshot!(complaint(&with("type = \"multiple_choice\"")), @r#"
    `my-tasks.toml` line 6: `type` is `multiple_choice`, the nearest known is `multiple-choice`
    hint: write `type = "multiple-choice"`
    "#);
    insta::assert_snapshot!(complaint(&with("files = []")), @"
    `my-tasks.toml` line 6: `files` is empty, expected a path in quotes, or a list of them
    hint: correct `files` in line 6 of `my-tasks.toml`
    ");
    insta::assert_snapshot!(complaint(&with("files = [\"a\", \"\"]")), @"
    `my-tasks.toml` line 6: `files` is an empty text, expected a path in quotes, or a list of them
    hint: correct `files` in line 6 of `my-tasks.toml`
    ");
    insta::assert_snapshot!(complaint(&with("files = [1]")), @"
    `my-tasks.toml` line 6: `files` is an integer, expected a path in quotes, or a list of them
    hint: correct `files`; `docs/tasks.md` explains every key
    ");
    insta::assert_snapshot!(complaint(&with("shots = -1")), @"
    `my-tasks.toml` line 6: `shots` is -1, expected a number of examples
    hint: correct `shots` in line 6 of `my-tasks.toml`
    ");
    insta::assert_snapshot!(complaint(&with("shots = 2.5")), @"
    `my-tasks.toml` line 6: `shots` is a decimal, expected a number of examples
    hint: correct `shots`; `docs/tasks.md` explains every key
    ");
    insta::assert_snapshot!(complaint(&with("rows = 0")), @"
    `my-tasks.toml` line 7: `rows` is 0, expected a number of rows
    hint: correct `rows` in line 7 of `my-tasks.toml`
    ");
    insta::assert_snapshot!(complaint(&with("baseline = 25")), @"
    `my-tasks.toml` line 6: `baseline` is 25, expected the accuracy of guessing, at least 0 and below 1
    hint: correct `baseline` in line 6 of `my-tasks.toml`
    ");
    insta::assert_snapshot!(complaint(&with("rule = \"prefix\"")), @r#"
    `my-tasks.toml` line 7: `rule` is `prefix`, expected one of `token-mean`, `sum`
    hint: write `rule = "token-mean"`
    "#);
    insta::assert_snapshot!(complaint(&with("aggregation = \"subcategory\"")), @r#"
    `my-tasks.toml` line 7: `aggregation` is `subcategory`, the nearest known is `subcategories`
    hint: write `aggregation = "subcategories"`
    "#);
    insta::assert_snapshot!(complaint(&with("prompt = \"About {subject}.\"")), @r#"
    `my-tasks.toml` line 1: the `prompt` of task `mine` speaks of `{subject}`, but its rows need no category
    hint: set `aggregation = "subcategories"`, or write the subject into the prompt
    "#);
    insta::assert_snapshot!(complaint(&format!("{GENERATION}normalize = \"no\"")), @"
    `my-tasks.toml` line 7: `normalize` is a string, expected true or false
    hint: correct `normalize`; `docs/tasks.md` explains every key
    ");
    insta::assert_snapshot!(complaint(&format!("{CODE}shots = 1\npass_at = [1]\ntop_p = 1")), @"
    `my-tasks.toml` line 8: `shots` is 1, expected 0: programs are asked for without examples
    hint: correct `shots` in line 8 of `my-tasks.toml`
    ");
    insta::assert_snapshot!(complaint(&format!("{CODE}shots = 0\npass_at = [1, 5]\ntop_p = 1")), @"
    `my-tasks.toml` line 9: `pass_at` is [1, 5], expected numbers of programs, ascending, none above `samples`
    hint: correct `pass_at` in line 9 of `my-tasks.toml`
    ");
    insta::assert_snapshot!(complaint(&format!("{CODE}shots = 0\npass_at = [1]\ntop_p = 0")), @"
    `my-tasks.toml` line 10: `top_p` is 0, expected a share of at most 1, above 0
    hint: correct `top_p` in line 10 of `my-tasks.toml`
    ");
}

#[test]
fn names_are_given_once_and_suites_list_what_there_is() {
    insta::assert_snapshot!(complaint(&with("name = \"mmlu\"")), @"
    `my-tasks.toml` line 1: the name `mmlu` is taken by a task that comes with the program, expected another
    hint: call yours `my-mmlu`, say: scores are kept by name
    ");
    insta::assert_snapshot!(complaint(&format!("{}\n{}", with("rows = 1"), with("rows = 1"))), @"
    `my-tasks.toml` line 8: the name `mine` is taken by a task, expected another
    hint: call yours `my-mine`, say: scores are kept by name
    ");
    let suite = |tasks: &str| {
        let head = "[suite]\nname = \"mine\"\n[[suite.categories]]\nname = \"all\"\n";
        complaint(&format!("{head}tasks = {tasks}"))
    };
    insta::assert_snapshot!(suite("[\"copa\", \"pica\"]"), @"
    `my-tasks.toml` line 1: suite `mine` lists `pica`, which is no task (the nearest is `piqa`)
    hint: write `piqa` for `pica`
    ");
    insta::assert_snapshot!(suite("[\"copa\", \"copa\"]"), @"
    `my-tasks.toml` line 1: suite `mine` lists `copa` twice, expected every task in one category
    hint: take one `copa` out of the suite
    ");
    insta::assert_snapshot!(suite("[]"), @"
    `my-tasks.toml` line 5: `tasks` is empty, expected a list of names of tasks
    hint: correct `tasks` in line 5 of `my-tasks.toml`
    ");
    let taken = "[suite]\nname = \"gauntlet-v0.3\"\n[[suite.categories]]\nname = \"all\"\n\
                 tasks = [\"copa\"]";
    insta::assert_snapshot!(complaint(taken), @"
    `my-tasks.toml` line 1: the name `gauntlet-v0.3` is taken by a suite that comes with the program, expected another
    hint: call yours `my-gauntlet-v0.3`, say: scores are kept by name
    ");
    insta::assert_snapshot!(complaint("[suite]\nname = \"mine\"\ncategories = []"), @"
    `my-tasks.toml` line 3: `categories` is empty, expected tables, each begun by `[[suite.categories]]`
    hint: correct `categories` in line 3 of `my-tasks.toml`
    ");
}
