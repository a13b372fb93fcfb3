//! From outcomes to scores and averages, on numbers that can be checked by hand.

use std::collections::BTreeMap;
use std::path::Path;

use super::{merging, rows, task};
use sparkjoy_sandbox::ProgramVerdict;
use sparkjoy_spec::TokenScore;

use crate::{
    AnsweredBefore, Average, BaselineVersion, Catalog, Chance, Dataset, Estimate, Item, ItemResult,
    Response, Sample, Suite, Task, TaskScore, Tied, Work, average, items, judge, score,
};

fn token(nats: f32, greedy: bool) -> TokenScore {
    TokenScore { nats, greedy }
}

/// Every scored token costs what `nats` says of its sequence.
fn scored(item: &Item, nats: &[f32], greedy: bool) -> Response {
    let Work::Score { sequences } = &item.work else { panic!("nothing to score") };
    let of = |(s, &n): (&crate::Sequence, &f32)| vec![token(n, greedy); s.scored];
    Response::Scored(sequences.iter().zip(nats).map(of).collect())
}

fn generated(item: &Item, text: &str) -> Response {
    let Work::Generate { gold, .. } = &item.work else { panic!("nothing to generate") };
    Response::Generated {
        tokens: vec![7],
        text: text.to_owned(),
        gold: vec![token(1.0, false); gold.scored],
    }
}

fn all(task: &Task, rows: &Dataset, response: impl Fn(&Item) -> Response) -> Vec<ItemResult> {
    let items = items(task, rows, &merging(), 512, None).unwrap();
    items.iter().map(|item| judge(task, rows, item, &response(item)).unwrap()).collect()
}

fn close(found: Estimate, value: f64, error: f64) {
    assert!((found.value - value).abs() < 1e-12, "{found:?} {value}");
    assert!((found.error.unwrap() - error).abs() < 1e-12, "{found:?} {error}");
}

const CHOICE: &str = "name = \"t\"\ntype = \"multiple-choice\"\nfiles = \"t.jsonl\"\nshots = 0\n\
                      rows = 9\nbaseline = 0.5\n";

fn choice_rows(golds: &[usize], categories: &[&str]) -> String {
    let row = |(gold, category): (&usize, &&str)| {
        format!(
            "{{\"query\": \"q\", \"choices\": [\"yes\", \"no\"], \"gold\": {gold}, \
             \"category\": \"{category}\"}}\n"
        )
    };
    golds.iter().zip(categories).map(row).collect()
}

#[test]
fn a_score_has_errors_chance_majority_and_what_is_missing() {
    let task = task(CHOICE);
    let rows = rows(&task, &choice_rows(&[0, 0, 0, 1], &["x"; 4])).unwrap();
    // Always the first: three of four are right.
    let results = all(&task, &rows, |item| scored(item, &[1.0, 2.0], true));
    let score = score(&task, &rows, &results, BaselineVersion::Dclm2025);
    let error = (0.75_f64 * 0.25 / 3.0).sqrt();
    close(score.accuracy, 0.75, error);
    close(score.centred, 0.5, 2.0 * error);
    assert_eq!((score.chance, score.majority), (Chance::At, Some(0.75)));
    assert_eq!((score.rows, score.rows_published), (4, Some(9)));
    assert_eq!(score.baseline.version, BaselineVersion::V03);
    assert_eq!((score.accuracy_by_rows, score.subcategories.len()), (None, 0));
    assert_eq!((score.truncated, score.rule.as_str()), (0, "least nats per token"));

    // ` yes` and ` no` cost 1 and 2 nats a token; their bytes are 4 and 3.
    let tokens = |text: &str| {
        let mut ids = Vec::new();
        merging().encoder().encode(text, &mut ids).unwrap();
        ids.len() as f64
    };
    let nats = 3.0 * tokens(" yes") + 2.0 * tokens(" no");
    let expected = nats / std::f64::consts::LN_2 / (3.0 * 4.0 + 3.0);
    assert!((score.gold_bits_per_byte.value - expected).abs() < 1e-12);
    assert!(score.gold_bits_per_byte.error.unwrap() > 0.0);
}

#[test]
fn subcategories_weigh_the_same_and_rows_are_shown_beside() {
    let task = task(&format!("{CHOICE}aggregation = \"subcategories\""));
    let categories = ["b", "a", "a", "b", "a", "a"];
    let rows = rows(&task, &choice_rows(&[0, 0, 1, 0, 1, 1], &categories)).unwrap();
    let results = all(&task, &rows, |item| scored(item, &[1.0, 2.0], true));
    let score = score(&task, &rows, &results, BaselineVersion::V03);
    // a: one of four; b: two of two.
    let a = (0.25_f64 * 0.75 / 3.0).sqrt();
    close(score.accuracy, 0.625, a / 2.0);
    close(score.accuracy_by_rows.unwrap(), 0.5, (0.5_f64 * 0.5 / 5.0).sqrt());
    let named: Vec<_> = score.subcategories.iter().map(|s| (s.name.as_str(), s.rows)).collect();
    assert_eq!(named, [("a", 4), ("b", 2)]);
    // Always 0 gets (1/4 + 2/2) / 2, always 1 gets (3/4 + 0) / 2.
    assert_eq!(score.majority, Some(0.625));
}

#[test]
fn language_modeling_is_right_when_every_token_is() {
    let task = task(
        "name = \"t\"\ntype = \"language-modeling\"\nfiles = \"t.jsonl\"\nshots = 0\nbaseline = 0",
    );
    let text = "{\"context\": \"q\", \"continuation\": \"a\"}\n".repeat(3)
        + "{\"context\": \"q\", \"continuation\": \"b \"}";
    let rows = rows(&task, &text).unwrap();
    let results = all(&task, &rows, |item| scored(item, &[0.5], item.index == 0));
    assert_eq!(results.iter().map(|r| r.correct).collect::<Vec<_>>(), [1.0, 0.0, 0.0, 0.0]);
    let score = score(&task, &rows, &results, BaselineVersion::V03);
    assert_eq!((score.accuracy.value, score.majority), (0.25, Some(0.75)));
    assert_eq!(score.chance, Chance::At);
}

#[test]
fn items_with_a_prompt_cut_off_are_counted() {
    let task = task(
        "name = \"t\"\ntype = \"language-modeling\"\nfiles = \"t.jsonl\"\nshots = 0\nbaseline = 0",
    );
    let row = |context: &str| format!("{{\"context\": \"{context}\", \"continuation\": \"a\"}}\n");
    let rows = rows(&task, &(row("q") + &row(&"q".repeat(600)))).unwrap();
    let results = all(&task, &rows, |item| scored(item, &[0.5], true));
    assert!(results[0].truncated == 0 && results[1].truncated >= 600 + 1 - 512);
    assert_eq!(score(&task, &rows, &results, BaselineVersion::V03).truncated, 1);
}

#[test]
fn texts_are_judged_by_both_rules_and_counted_by_one() {
    let definition = "name = \"t\"\ntype = \"generation\"\nfiles = \"t.jsonl\"\nshots = 0\n\
                      baseline = 0\nnormalize = false\nstop = \"\\n\"\n";
    let text = "{\"context\": \"q\", \"answer\": \"5\"}\n".repeat(2);
    let said = |item: &Item| generated(item, if item.index == 0 { " 50\n" } else { " 5." });
    let prefix = task(&format!("{definition}rule = \"prefix\""));
    let data = rows(&prefix, &text).unwrap();
    let score_of = |task: &Task| {
        let results = all(task, &data, said);
        assert_eq!(results[0].generated.as_deref(), Some(" 50\n"));
        let verdicts = results[0].verdicts.unwrap();
        assert_eq!((verdicts.prefix, verdicts.exact), (true, false));
        score(task, &data, &results, BaselineVersion::V03)
    };
    let by_prefix = score_of(&prefix);
    let other = by_prefix.other_rule.clone().unwrap().accuracy.value;
    assert_eq!((by_prefix.accuracy.value, other), (1.0, 0.5));
    let by_exact = score_of(&task(&format!("{definition}rule = \"exact\"")));
    let other = by_exact.other_rule.clone().unwrap().accuracy.value;
    assert_eq!((by_exact.accuracy.value, other), (0.5, 1.0));
}

#[test]
fn programs_are_counted_by_the_chance_that_one_of_k_passes() {
    let task = task(
        "name = \"t\"\ntype = \"code\"\nfiles = \"t.jsonl\"\nshots = 0\nbaseline = 0\nsamples = 4\n\
         pass_at = [1, 2]\ntemperature = 0.2\ntop_p = 1.0",
    );
    let text = "{\"task_id\": \"t\", \"prompt\": \"def f():\\n\", \"entry_point\": \"f\", \
                \"canonical_solution\": \"    return 1\", \"test_inputs\": [\"()\"], \
                \"test_outputs\": [\"1\"]}\n";
    let rows = rows(&task, &text.repeat(2)).unwrap();
    let results = all(&task, &rows, |item| {
        let Work::Generate { gold, .. } = &item.work else { panic!() };
        // The last is of a file written before the reason was kept.
        let sample = |i| {
            let text = format!("{{\"text\":\"{i}\",\"passed\":{}}}", i <= item.index);
            let mut sample: Sample = serde_json::from_str(&text).unwrap();
            sample.failure = (!sample.passed && i < 3).then_some(ProgramVerdict::TimedOut);
            sample
        };
        let gold = vec![token(0.1, true); gold.scored];
        Response::Programs { samples: (0..4).map(sample).collect(), gold }
    });
    let score = score(&task, &rows, &results, BaselineVersion::V03);
    // One and two of four pass: pass@1 is 1/4 and 2/4, pass@2 is 3/6 and 5/6.
    assert!((score.accuracy.value - 0.375).abs() < 1e-12);
    assert!((score.pass_at[1].estimate.value - 4.0 / 6.0).abs() < 1e-12);
    assert_eq!((score.pass_at[0].estimate, score.majority), (score.accuracy, None));
    assert_eq!(score.failures, BTreeMap::from([("out of time".to_owned(), 3)]));
}

#[test]
fn a_result_is_one_line_of_json_and_comes_back_as_it_was() {
    let task = task(CHOICE);
    let rows = rows(&task, &choice_rows(&[1], &["x"])).unwrap();
    let results = all(&task, &rows, |item| scored(item, &[0.1, 0.7], false));
    let line = serde_json::to_string(&results[0]).unwrap();
    insta::assert_snapshot!(line, @r#"{"index":0,"correct":0.0,"gold":1,"chosen":0,"choices":[{"nats":0.30000000447034836,"tokens":3,"greedy":false},{"nats":2.099999964237213,"tokens":3,"greedy":false}],"gold_nats":2.099999964237213,"gold_tokens":3,"gold_bytes":3,"truncated":0}"#);
    assert_eq!(serde_json::from_str::<ItemResult>(&line).unwrap(), results[0]);
}

#[test]
fn a_broken_model_gives_no_result() {
    let task = task(CHOICE);
    let rows = rows(&task, &choice_rows(&[1], &["x"])).unwrap();
    let item = &items(&task, &rows, &merging(), 512, None).unwrap()[0];
    let error = judge(&task, &rows, item, &scored(item, &[0.1, f32::NAN], false)).unwrap_err();
    insta::assert_snapshot!(error, @"the model's loss on row 1 of task `t` is NaN, expected a finite number");
    assert!(sparkjoy_base::Hint::hint(&error).unwrap().starts_with("the training diverged"));
}

#[test]
fn a_score_of_some_rows_says_so_and_is_one_of_these_rows() {
    let task = task(CHOICE);
    let rows = rows(&task, &choice_rows(&[1, 0, 0], &["x"; 3])).unwrap();
    // The first choice is always the likelier: right in the last two rows.
    let results = all(&task, &rows, |item| scored(item, &[0.1, 0.2], false));
    let whole = score(&task, &rows, &results, BaselineVersion::V03);
    assert_eq!((whole.rows, whole.rows_in_file), (3, 3));
    let part = score(&task, &rows, &results[1..], BaselineVersion::V03);
    assert!(part.is_partial());
    assert_eq!((part.rows, part.rows_in_file), (2, 3));
    assert!((whole.accuracy.value - 2.0 / 3.0).abs() < 1e-12 && part.accuracy.value > 0.999);
}

#[test]
#[should_panic(expected = "task `t`: several results of a row")]
fn a_row_counts_once() {
    let task = task(CHOICE);
    let rows = rows(&task, &choice_rows(&[1, 0], &["x"; 2])).unwrap();
    let mut results = all(&task, &rows, |item| scored(item, &[0.1, 0.2], false));
    results[1].index = 0;
    score(&task, &rows, &results, BaselineVersion::V03);
}

/// A suite of two categories, of tasks `p`, `q` and `r`.
fn suite() -> Suite {
    let mut catalog = Catalog::shipped();
    let task = |name: &str, baseline: f64| {
        format!(
            "[[tasks]]\nname = \"{name}\"\ntype = \"multiple-choice\"\nfiles = \"t.jsonl\"\n\
             shots = 0\nbaseline = {baseline:?}\n"
        )
    };
    let suite = "[suite]\nname = \"s\"\n[[suite.categories]]\nname = \"one\"\n\
                 tasks = [\"p\", \"q\"]\n[[suite.categories]]\nname = \"two\"\ntasks = [\"r\"]\n";
    let text = format!("{suite}{}{}{}", task("p", 0.5), task("q", 0.25), task("r", 0.0));
    catalog.add(Path::new("s.toml"), &text, ("task", "suite")).unwrap();
    catalog.choose(&["s"]).unwrap().suites.remove(0)
}

/// A score of task `name` with this centred accuracy, each known to 0.06.
fn made_up(name: &str, centred: f64, rows_published: Option<u64>) -> TaskScore {
    let task = task(CHOICE);
    let rows = rows(&task, &choice_rows(&[0, 1], &["x"; 2])).unwrap();
    let results = all(&task, &rows, |item| scored(item, &[1.0, 2.0], true));
    let score = score(&task, &rows, &results, BaselineVersion::V03);
    let centred = Estimate { value: centred, error: Some(0.06) };
    TaskScore { task: name.to_owned(), centred, rows_published, ..score }
}

#[test]
fn categories_weigh_the_same_whatever_their_tasks() {
    let scores = [made_up("p", 0.1, None), made_up("q", -0.3, Some(99)), made_up("r", 0.4, None)];
    let found = average(&suite(), &scores);
    let complete = |average: &Average| match average {
        Average::Complete { score, partial } => (*score, partial.clone()),
        Average::Incomplete { .. } => panic!("{average:?}"),
    };
    let (one, partial) = complete(&found.categories[0].average);
    close(one, -0.1, 0.06 / 2.0_f64.sqrt());
    assert_eq!(partial, ["q"]);
    let (two, partial) = complete(&found.categories[1].average);
    close(two, 0.4, 0.06);
    assert!(partial.is_empty());
    let (core, partial) = complete(&found.core);
    close(core, 0.15, (0.06_f64.powi(2) / 2.0 + 0.06_f64.powi(2)).sqrt() / 2.0);
    assert_eq!(partial, ["q"]);
}

#[test]
fn a_missing_task_leaves_no_average_of_its_category_nor_of_all() {
    let found = average(&suite(), &[made_up("p", 0.1, None), made_up("r", 0.4, None)]);
    let missing = Average::Incomplete { missing: vec!["q".to_owned()] };
    assert_eq!(found.categories[0].average, missing);
    assert!(matches!(found.categories[1].average, Average::Complete { .. }));
    assert_eq!(found.core, missing);
    let none = average(&suite(), &[]);
    assert_eq!(none.core.missing(), ["p", "q", "r"]);
}

#[test]
fn an_item_that_a_row_answers_before_it_is_counted() {
    let definition = CHOICE.replace("shots = 0", "shots = 2");
    let choice = task(&definition);
    let row = |query: &str, gold: usize| {
        format!("{{\"query\": \"{query}\", \"choices\": [\"yes\", \"no\"], \"gold\": {gold}}}\n")
    };
    let of = |text: &str, limit: usize| {
        let rows = rows(&choice, text).unwrap();
        let mut results = all(&choice, &rows, |item| scored(item, &[1.0, 2.0], true));
        results.truncate(limit);
        score(&choice, &rows, &results, BaselineVersion::V03).answered_before
    };
    // Two of three rows are shown before each: the twins always see each other.
    let found = of(&[row("a", 0), row("b", 0), row(" b ", 0)].concat(), 3);
    assert_eq!(found, Some(AnsweredBefore { items: 2, line: 2 }));
    let found = of(&[row("a", 0), row("b", 0), row(" b ", 0)].concat(), 2);
    assert_eq!(found, Some(AnsweredBefore { items: 1, line: 2 }));
    // Another answer to it gives nothing away.
    assert_eq!(of(&[row("a", 0), row("b", 0), row("b", 1)].concat(), 3), None);
}

#[test]
fn items_that_the_order_of_their_choices_decides_are_counted() {
    let choice = task(CHOICE);
    let row = |choices: [&str; 3], gold: usize| {
        format!("{{\"query\": \"q\", \"choices\": {choices:?}, \"gold\": {gold}}}\n")
    };
    let text = [
        row(["oak", "elm", "ash"], 1), // Not among the equally likely.
        row(["elm", "oak", "ash"], 2), // As likely as another, listed behind it.
        row(["ash", "elm", "oak"], 0), // Listed first.
        row(["oak", "ash", "ash"], 1), // Less likely than a third.
    ];
    let rows = rows(&choice, &text.concat()).unwrap();
    let nats = [[1.0, 2.0, 1.0], [1.0, 2.0, 1.0], [1.0, 2.0, 1.0], [1.0, 2.0, 2.0]];
    let results = all(&choice, &rows, |item| scored(item, &nats[item.index], true));
    let found = score(&choice, &rows, &results, BaselineVersion::V03).tied;
    assert_eq!(found, Some(Tied { items: 2, correct: 1, line: 2 }));
}
