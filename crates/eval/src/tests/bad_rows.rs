//! Every mistake in a file of rows, as whoever made it reads it.

use sparkjoy_base::Hint;

use super::{rows, rows_of, single_bytes, task};
use crate::{Dataset, EvalError, Task, items};

/// A task of this type with this many shots; `more` are further lines.
fn of(kind: &str, shots: usize, more: &str) -> Task {
    task(&format!(
        "name = \"mine\"\ntype = \"{kind}\"\nfiles = \"mine.jsonl\"\nshots = {shots}\n\
         baseline = 0.0\n{more}"
    ))
}

fn text(result: Result<impl std::fmt::Debug, EvalError>) -> String {
    let error = result.unwrap_err();
    format!("{error}\nhint: {}", error.hint().unwrap())
}

fn language() -> Task {
    of("language-modeling", 0, "")
}

fn choice() -> Task {
    of("multiple-choice", 0, "")
}

const GOOD: &str = "{\"context\": \"a\", \"continuation\": \"b\"}\n";

fn complaint(task: &Task, line: &str) -> String {
    text(rows(task, line))
}

#[test]
fn a_row_is_a_json_object_in_utf8() {
    let broken = complaint(&language(), &format!("{GOOD}\n{{\"context\": \"a\", "));
    insta::assert_snapshot!(broken, @"
    `mine.jsonl` line 3: not JSON: EOF while parsing a value at column 17
    hint: write one JSON object a line in `mine.jsonl`, without line breaks inside
    ");
    insta::assert_snapshot!(complaint(&language(), "[1]"), @"
    `mine.jsonl` line 1: found a list, expected an object with a field for each part of the row
    hint: write one JSON object a line in `mine.jsonl`, without line breaks inside
    ");
    let bytes = [GOOD.as_bytes(), b"{\"context\": \"\xff\"}"].concat();
    insta::assert_snapshot!(text(rows_of(&language(), &bytes)), @"
    `mine.jsonl` line 2: byte 14 is not UTF-8, expected a JSON object in UTF-8
    hint: save `mine.jsonl` as UTF-8
    ");
    insta::assert_snapshot!(complaint(&language(), " \n\n"), @"
    `mine.jsonl`: no rows, expected a JSON object on every line
    hint: look whether `mine.jsonl` was downloaded as a whole
    ");
    insta::assert_snapshot!(complaint(&language(), ""), @"
    `mine.jsonl`: no rows, expected a JSON object on every line
    hint: look whether `mine.jsonl` was downloaded as a whole
    ");
}

#[test]
fn a_byte_order_mark_is_passed_over_and_a_pointer_is_named() {
    rows(&language(), &format!("\u{feff}{GOOD}")).unwrap();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    insta::assert_snapshot!(complaint(&language(), pointer), @"
    `mine.jsonl`: a Git LFS pointer, expected the file it stands for
    hint: run `git lfs pull` in the repository it comes from
    ");
}

#[test]
fn fields_are_there_and_of_their_kind() {
    let language = |line| complaint(&language(), line);
    insta::assert_snapshot!(language("{\"context\": \"a\"}"), @"
    `mine.jsonl` line 1: no field `continuation`, expected a text
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
    insta::assert_snapshot!(language("{\"context\": 3, \"continuation\": \"b\"}"), @"
    `mine.jsonl` line 1: field `context` is a number, expected a text
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
    insta::assert_snapshot!(language("{\"context\": \"a\", \"continuation\": \" \\u001f\"}"), @"
    `mine.jsonl` line 1: field `continuation` is empty, expected something to score
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
    let by_subject = of("language-modeling", 0, "aggregation = \"subcategories\"");
    insta::assert_snapshot!(complaint(&by_subject, GOOD), @"
    `mine.jsonl` line 1: no field `category`, expected a text
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");

    let choice = |line| complaint(&choice(), line);
    insta::assert_snapshot!(choice("{\"query\": \"a\", \"choices\": \"b\", \"gold\": 0}"), @"
    `mine.jsonl` line 1: field `choices` is a text, expected a list of texts
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
    insta::assert_snapshot!(choice("{\"query\": \"a\", \"choices\": [\"b\", 3], \"gold\": 0}"), @"
    `mine.jsonl` line 1: field `choices` is a list with a number, expected a list of texts
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
    insta::assert_snapshot!(choice("{\"query\": \"a\", \"choices\": [\"b\"], \"gold\": 0}"), @"
    `mine.jsonl` line 1: field `choices` has 1 text, expected at least 2 to choose from
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
    insta::assert_snapshot!(choice("{\"query\": \"a\", \"choices\": [\"b\", \"\"], \"gold\": 0}"), @"
    `mine.jsonl` line 1: field `choices` holds an empty text, expected something to score in every one
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
    let schema = of("schema", 0, "");
    insta::assert_snapshot!(complaint(&schema, "{\"context_options\": null, \"gold\": 0}"), @"
    `mine.jsonl` line 1: field `context_options` is null, expected a list of texts
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
}

#[test]
fn gold_is_the_index_of_a_choice() {
    let gold = |gold: &str| {
        let row = format!("{{\"query\": \"a\", \"choices\": [\"b\", \"c\"], \"gold\": {gold}}}");
        complaint(&choice(), &row)
    };
    insta::assert_snapshot!(gold("2"), @"
    `mine.jsonl` line 1: field `gold` is 2, expected 0 to 1 as there are 2 `choices`
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
    insta::assert_snapshot!(gold("-1"), @"
    `mine.jsonl` line 1: field `gold` is -1, expected 0 to 1 as there are 2 `choices`
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
    insta::assert_snapshot!(gold("1.0"), @"
    `mine.jsonl` line 1: field `gold` is 1.0, expected 0 to 1 as there are 2 `choices`
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
    insta::assert_snapshot!(gold("\"1\""), @"
    `mine.jsonl` line 1: field `gold` is a text, expected the index of a choice, from 0
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
    let row = "{\"context_options\": [\"a\", \"b\"], \"gold\": 7, \"continuation\": \"c\"}";
    insta::assert_snapshot!(complaint(&of("schema", 0, ""), row), @"
    `mine.jsonl` line 1: field `gold` is 7, expected 0 to 1 as there are 2 `context_options`
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
}

#[test]
fn reasoning_is_in_every_row_or_in_none() {
    let task = of("generation", 0, "normalize = false\nrule = \"prefix\"");
    let row = complaint(
        &task,
        "{\"context\": \"a\", \"answer\": \"b\", \"chain_of_thought\": \"c\"}\n\
         {\"context\": \"a\", \"answer\": \"b\"}",
    );
    insta::assert_snapshot!(row, @"
    `mine.jsonl` line 2: no field `chain_of_thought`, expected a text, as in the first row
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
    let row = complaint(&task, "{\"context\": \"a\", \"answer\": \"b\", \"aliases\": \"b\"}");
    insta::assert_snapshot!(row, @"
    `mine.jsonl` line 1: field `aliases` is a text, expected a list of texts
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
}

#[test]
fn programs_come_with_as_many_outputs_as_inputs() {
    let task = of("code", 0, "samples = 1\npass_at = [1]\ntemperature = 0\ntop_p = 1");
    let row = |tests: &str| {
        complaint(
            &task,
            &format!(
                "{{\"task_id\": \"a\", \"prompt\": \"b\", \"entry_point\": \"c\", \
                 \"canonical_solution\": \"d\", {tests}}}"
            ),
        )
    };
    insta::assert_snapshot!(row("\"test_inputs\": [\"()\"], \"test_outputs\": []"), @"
    `mine.jsonl` line 1: 1 `test_inputs` and 0 `test_outputs`, expected as many of both
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
    insta::assert_snapshot!(row("\"test_inputs\": [], \"test_outputs\": []"), @"
    `mine.jsonl` line 1: field `test_inputs` is empty, expected something to score
    hint: correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each
    ");
    let cpp = "\"test_inputs\": [\"1\"], \"test_outputs\": [\"1\"], \"language\": \"cpp\"";
    insta::assert_snapshot!(row(cpp), @"
    `mine.jsonl` line 1: field `language` is `cpp`, expected `python`
    hint: take the task out: only Python is run
    ");
}

#[test]
fn there_are_more_rows_than_examples() {
    let task = of("language-modeling", 3, "");
    insta::assert_snapshot!(complaint(&task, &GOOD.repeat(3)), @"
    `mine.jsonl`: every row is to stand behind 3 examples of the same file, but there is only 3 rows, expected more rows than examples
    hint: set `shots` of the task to at most 2
    ");
    assert!(rows(&task, &GOOD.repeat(4)).is_ok());
    let by_subject = of("language-modeling", 1, "aggregation = \"subcategories\"");
    let row = |category: &str| {
        format!("{{\"context\": \"a\", \"continuation\": \"b\", \"category\": \"{category}\"}}\n")
    };
    let lonely = complaint(&by_subject, &(row("x").repeat(2) + &row("y")));
    insta::assert_snapshot!(lonely, @"
    `mine.jsonl`: every row is to stand behind 1 example of the same file, but there is only 1 row of category `y`, expected more rows than examples
    hint: set `shots` of the task to at most 0
    ");
}

/// What is wrong with a task's rows for a model that reads 16 bytes.
fn unfit(task: &Task, line: &str) -> String {
    let rows: Dataset = rows(task, line).unwrap();
    text(items(task, &rows, &single_bytes(), 16, None))
}

#[test]
fn an_answer_leaves_space_for_something_before_it() {
    let long = |length| {
        let answer = "x".repeat(length);
        format!("{GOOD}{{\"context\": \"a\", \"continuation\": \"{answer}\"}}")
    };
    insta::assert_snapshot!(unfit(&language(), &long(16)), @"
    `mine.jsonl` line 2: the answer alone has 16 tokens, expected at least one token less than the model's context of 16
    hint: leave the task out, or ask a model with a longer context (`context` in `[model]` of a study)
    ");
    assert!(unfit(&language(), &long(17)).contains("17 tokens"));
    let fits = rows(&language(), &long(15)).unwrap();
    assert!(items(&language(), &fits, &single_bytes(), 16, None).is_ok());
    // A row that is not asked may be too long.
    let long = rows(&language(), &long(17)).unwrap();
    let asked = items(&language(), &long, &single_bytes(), 16, Some(&[0])).unwrap();
    assert_eq!(asked.iter().map(|item| item.index).collect::<Vec<_>>(), [0]);

    let row = "{\"query\": \"a\", \"choices\": [\"b\", \"cccccccccccccccccc\"], \"gold\": 0}";
    insta::assert_snapshot!(unfit(&choice(), row), @"
    `mine.jsonl` line 1: the answer alone has 18 tokens, expected at least one token less than the model's context of 16
    hint: leave the task out, or ask a model with a longer context (`context` in `[model]` of a study)
    ");
    let nothing = "{\"context\": \" \", \"continuation\": \"b\"}";
    insta::assert_snapshot!(unfit(&language(), nothing), @"
    `mine.jsonl` line 1: nothing stands before the answer, expected a context of at least one token
    hint: give the row a context, or the task a `prompt`
    ");
}

#[test]
fn what_is_generated_leaves_space_for_a_prompt() {
    let task = of("generation", 0, "normalize = false\nrule = \"prefix\"\ncot_delimiter = \"So\"");
    let row = "{\"context\": \"a\", \"chain_of_thought\": \"bc\", \"answer\": \"de\"}";
    insta::assert_snapshot!(unfit(&task, row), @"
    `mine.jsonl`: the longest answer has 16 tokens, expected it to leave space in the model's context of 16
    hint: leave the task out, or ask a model with a longer context (`context` in `[model]` of a study)
    ");
    let task = of("code", 0, "samples = 1\npass_at = [1]\ntemperature = 0\ntop_p = 1");
    let row = "{\"task_id\": \"a\", \"prompt\": \"def long_name():\\n\", \"entry_point\": \"c\", \
               \"canonical_solution\": \"d\", \"test_inputs\": [\"1\"], \"test_outputs\": [\"1\"]}";
    insta::assert_snapshot!(unfit(&task, row), @"
    `mine.jsonl`: the longest prompt has 17 tokens, expected it to leave space in the model's context of 16
    hint: leave the task out, or ask a model with a longer context (`context` in `[model]` of a study)
    ");
}

#[test]
fn options_can_be_told_from_the_question() {
    let task = of("multiple-choice", 0, "format = \"lettered-lines\"");
    let row = |query: &str| {
        unfit(
            &task,
            &format!("{{\"query\": \"{query}\", \"choices\": [\"A\", \"B\"], \"gold\": 0}}"),
        )
    };
    insta::assert_snapshot!(row("Question: Which?\\n(A) a or b"), @r#"
    `mine.jsonl` line 1: there is no way to tell the options of `query` from its question, expected `Question: …`, then `(A) …`, `(B) …` and so on in a line of their own
    hint: correct the row, or set `format = "as-written"` in the task
    "#);
    insta::assert_snapshot!(row("Question: Which?\\n(A) a (B) b (B) c"), @r#"
    `mine.jsonl` line 1: there is more than one way to tell the options of `query` from its question, expected `Question: …`, then `(A) …`, `(B) …` and so on in a line of their own
    hint: correct the row, or set `format = "as-written"` in the task
    "#);
}
