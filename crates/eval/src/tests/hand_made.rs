//! Prompts written out by hand, one for each type, as the definition of the Gauntlet has them.

use super::{merging, rows, single_bytes, task};
use crate::{Dataset, Item, Task, Work, items};
use sparkjoy_data::ModelTokenizer;

/// Prompt and scored text of every sequence. Single tokens decode to themselves, so the seams of
/// encoding do not show here; `prompts` looks at those.
fn texts(tokenizer: &ModelTokenizer, item: &Item) -> Vec<(String, String)> {
    let sequences = match &item.work {
        Work::Score { sequences } => sequences.as_slice(),
        Work::Generate { gold, .. } => std::slice::from_ref(gold),
    };
    let text = |sequence: &crate::Sequence| {
        let (prompt, scored) = sequence.tokens.split_at(sequence.tokens.len() - sequence.scored);
        (tokenizer.decode(prompt), tokenizer.decode(scored))
    };
    sequences.iter().map(text).collect()
}

fn first(task: &Task, rows: &Dataset) -> Vec<(String, String)> {
    let tokenizer = merging();
    texts(&tokenizer, &items(task, rows, &tokenizer, 2048, None).unwrap()[0])
}

fn pair(prompt: &str, scored: &str) -> (String, String) {
    (prompt.to_owned(), scored.to_owned())
}

#[test]
fn language_modeling_shows_examples_a_line_each() {
    let task = task(
        "name = \"t\"\ntype = \"language-modeling\"\nfiles = \"t.jsonl\"\nshots = 1\nbaseline = 0\n\
         continuation_delimiter = \"\\nAnswer: \"",
    );
    let rows = rows(
        &task,
        "{\"context\": \" One is \", \"continuation\": \"first \"}\n\n\
         {\"context\": \"Two\", \"continuation\": \" second\"}\n",
    );
    assert_eq!(
        first(&task, &rows.unwrap()),
        [pair("Two\nAnswer: second\nOne is\nAnswer:", " first")]
    );
}

#[test]
fn multiple_choice_scores_every_answer_after_one_question() {
    let task = task(
        "name = \"t\"\ntype = \"multiple-choice\"\nfiles = \"t.jsonl\"\nshots = 1\nbaseline = 0.5",
    );
    let rows = rows(
        &task,
        "{\"query\": \"Is it?\\n\", \"choices\": [\"yes\", \" no\"], \"gold\": 0}\n\
         {\"query\": \"Was it?\", \"choices\": [\"yes\", \"no \"], \"gold\": 1}",
    );
    let prompt = "Was it? no \nIs it?";
    assert_eq!(first(&task, &rows.unwrap()), [pair(prompt, " yes"), pair(prompt, " no")]);
}

#[test]
fn schema_scores_one_continuation_after_every_option() {
    let definition = "name = \"t\"\ntype = \"schema\"\nfiles = \"t.jsonl\"\nbaseline = 0.5\n";
    let text = "{\"context_options\": [\"A was as A\", \"A was as B\"], \"continuation\": \"is.\", \"gold\": 0}\n\
         {\"context_options\": [\"C was as C\", \"C was as D\"], \"continuation\": \"has been.\", \"gold\": 1}";
    let one = task(&format!("{definition}shots = 1"));
    let shown = first(&one, &rows(&one, text).unwrap());
    let before = "C was as D has been.\n";
    assert_eq!(
        shown,
        [
            pair(&format!("{before}A was as A"), " is."),
            pair(&format!("{before}A was as B"), " is.")
        ]
    );
    let none = task(&format!("{definition}shots = 0"));
    let bare = first(&none, &rows(&none, text).unwrap());
    assert_eq!(bare, [pair("A was as A", " is."), pair("A was as B", " is.")]);
}

#[test]
fn generation_shows_reasoning_without_a_space_where_the_delimiter_has_none() {
    let task = task(
        "name = \"t\"\ntype = \"generation\"\nfiles = \"t.jsonl\"\nshots = 1\nbaseline = 0\n\
         prelimiter = \"Question: \"\ncontinuation_delimiter = \"\\n\\nA:\"\n\
         cot_delimiter = \"The answer is \"\nnormalize = false\nrule = \"prefix\"",
    );
    let rows = rows(
        &task,
        "{\"context\": \"1 + 1?\", \"chain_of_thought\": \"( 1 + 1 )\", \"answer\": \"2\"}\n\
         {\"context\": \"2 + 2?\", \"chain_of_thought\": \"( 2 + 2 )\", \"answer\": \"4\"}",
    )
    .unwrap();
    let prompt = "Question: 2 + 2?\n\nA:( 2 + 2 )The answer is 4\nQuestion: 1 + 1?\n\nA:";
    let tokenizer = single_bytes();
    let item = &items(&task, &rows, &tokenizer, 2048, None).unwrap()[0];
    assert_eq!(texts(&tokenizer, item), [pair(prompt, "( 1 + 1 )The answer is 2")]);
    let Work::Generate { prompt: tokens, max_new, .. } = &item.work else { panic!() };
    assert_eq!(tokenizer.decode(tokens), prompt);
    // As many bytes as the longest reference, and ten.
    assert_eq!(*max_new, "( 1 + 1 )The answer is 2".len() + 10);
    // With merges, a space is scored before the answer.
    assert_eq!(first(&task, &rows)[0].1, " ( 1 + 1 )The answer is 2");
}

#[test]
fn code_keeps_the_white_space_of_its_prompt() {
    let task = task(
        "name = \"t\"\ntype = \"code\"\nfiles = \"t.jsonl\"\nshots = 0\nbaseline = 0\nsamples = 1\n\
         pass_at = [1]\ntemperature = 0.2\ntop_p = 1.0",
    );
    let rows = rows(
        &task,
        "{\"task_id\": \"t/0\", \"prompt\": \"def f():\\n    \", \"entry_point\": \"f\", \
          \"canonical_solution\": \"return 1\\n\", \"test_inputs\": [\"()\"], \"test_outputs\": [\"1\"]}",
    );
    assert_eq!(first(&task, &rows.unwrap()), [pair("def f():\n    ", "return 1\n")]);
}

#[test]
fn mmlu_of_its_authors_stands_behind_the_first_dev_rows_of_the_subject() {
    let mut task = task(
        "name = \"t\"\ntype = \"multiple-choice\"\nfiles = \"t.jsonl\"\nshots = 1\nbaseline = 0.25\n\
         few_shot_files = \"dev.jsonl\"\nformat = \"lettered-lines\"\nexample_delimiter = \"\\n\\n\"\n\
         continuation_delimiter = \"\\nAnswer: \"\nrule = \"sum\"\nprompt = \"About {subject}.\"",
    );
    let row = |question: &str, gold: usize, category: &str| {
        format!(
            "{{\"query\": \"Question: {question}\\n(A) a (B) b (C) c (D) d\\n\", \"gold\": {gold}, \
             \"choices\": [\"A\", \"B\", \"C\", \"D\"], \"category\": \"{category}\"}}\n"
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        sparkjoy_base::write_atomic(&folder.path().join(name), text.as_bytes()).unwrap();
    };
    write("t.jsonl", row("Which?", 2, "high_school"));
    write("dev.jsonl", row("Not", 0, "a") + &row("What", 1, "high_school") + &row("No", 0, "a"));
    let rows = Dataset::open(&task, folder.path()).unwrap();
    let prompt = "About high school.\n\nWhat\nA. a\nB. b\nC. c\nD. d\nAnswer: B\n\n\
                  Which?\nA. a\nB. b\nC. c\nD. d\nAnswer:";
    let all = [" A", " B", " C", " D"].map(|answer| pair(prompt, answer));
    assert_eq!(first(&task, &rows), all);

    task.few_shot.shots = 2;
    let error = Dataset::open(&task, folder.path()).unwrap_err();
    insta::assert_snapshot!(error, @"`dev.jsonl`: 1 row of category `high_school`, expected at least the 2 examples that stand before every question");
    insta::assert_snapshot!(sparkjoy_base::Hint::hint(&error).unwrap(), @"add rows to `dev.jsonl`, or set `shots` of the task to 1");
}
