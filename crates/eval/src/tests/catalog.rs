//! What ships, against the definition of the Gauntlet v0.3.

use std::collections::BTreeSet;

use sparkjoy_base::Hint;

use super::task;
use crate::{
    Aggregation, BaselineVersion, Catalog, ChoiceRule, EvalError, FewShotRule, Format, MatchRule,
    TaskKind,
};

#[test]
fn the_gauntlet_has_31_tasks_in_5_categories() {
    let catalog = Catalog::shipped();
    let selection = catalog.choose(&["gauntlet-v0.3"]).unwrap();
    assert_eq!(selection.tasks.len(), 31);
    let [suite] = selection.suites.as_slice() else { panic!("one suite") };
    let sizes: Vec<_> = suite.categories.iter().map(|c| (c.name.as_str(), c.tasks.len())).collect();
    assert_eq!(
        sizes,
        [
            ("world_knowledge", 6),
            ("commonsense_reasoning", 7),
            ("language_understanding", 4),
            ("symbolic_problem_solving", 8),
            ("reading_comprehension", 6),
        ]
    );
    let rows: u64 = selection.tasks.iter().map(|task| task.rows.unwrap()).sum();
    assert_eq!(rows, GAUNTLET_ROWS);
}

/// The sum of the column "rows" of the definition.
const GAUNTLET_ROWS: u64 = 133_865;

#[test]
fn tasks_are_as_published() {
    let catalog = Catalog::shipped();
    let of = |name| catalog.task(name).unwrap();

    let gsm8k = of("gsm8k");
    let TaskKind::Generation(generation) = &gsm8k.kind else { panic!() };
    assert_eq!((gsm8k.few_shot.shots, generation.rule), (0, MatchRule::Prefix));
    assert_eq!(generation.cot_delimiter, "The answer is ");
    assert_eq!(generation.stop, ["\n\n", "Question:"]);
    assert_eq!(gsm8k.delimiters.continuation, "\n\nA:");
    let exact = of("gsm8k-exact");
    let TaskKind::Generation(other) = &exact.kind else { panic!() };
    assert_eq!(other.rule, MatchRule::Exact);
    assert_eq!((&exact.files, &exact.delimiters), (&gsm8k.files, &gsm8k.delimiters));

    let mmlu = of("mmlu");
    assert_eq!((mmlu.aggregation, mmlu.few_shot.shots), (Aggregation::Subcategories, 5));
    assert_eq!((mmlu.few_shot.seed, mmlu.rule()), (1234, "least nats per token"));
    let dev = of("mmlu-dev");
    assert_eq!((dev.aggregation, dev.format), (Aggregation::Rows, Format::LetteredLines));
    assert!(matches!(dev.kind, TaskKind::MultipleChoice(ChoiceRule::Sum)));

    let FewShotRule { shots, .. } = of("arc_challenge").few_shot;
    assert_eq!((shots, of("arc_challenge-25-shot").few_shot.shots), (3, 25));
    assert_eq!((of("hellaswag").few_shot.shots, of("hellaswag-10-shot").few_shot.shots), (0, 10));
    assert_eq!(of("bigbench_cs_algorithms").few_shot.shots, 10);
    let TaskKind::Code(sampling) = &of("human-eval").kind else { panic!() };
    assert_eq!((sampling.samples, sampling.pass_at.as_slice()), (5, [1].as_slice()));
    assert_eq!(of("human-eval").delimiters.continuation, "");
}

#[test]
fn corrected_baselines_differ_where_always_one_answer_beats_guessing() {
    let catalog = Catalog::shipped();
    let differ: BTreeSet<_> = catalog
        .tasks()
        .iter()
        .map(|task| {
            let values = BaselineVersion::ALL.map(|v| task.baselines.of(v).value.to_string());
            (task.name.as_str(), values)
        })
        .filter(|(_, [published, corrected])| published != corrected)
        .map(|(name, values)| format!("{name} {}", values.join(" ")))
        .collect();
    assert_eq!(
        differ.into_iter().collect::<Vec<_>>(),
        ["boolq 0.5 0.62", "commonsense_qa 0.25 0.403"]
    );
    // A task DCLM does not list keeps what was published, and says so.
    let baseline = catalog.task("human-eval").unwrap().baselines.of(BaselineVersion::Dclm2025);
    assert_eq!(baseline.version, BaselineVersion::V03);
}

#[test]
fn a_task_asked_for_twice_is_scored_once() {
    let selection = Catalog::shipped().choose(&["boolq", "gauntlet-v0.3", "boolq"]).unwrap();
    assert_eq!((selection.tasks.len(), selection.suites.len()), (31, 1));
    assert_eq!(selection.tasks[0].name, "boolq");
}

#[test]
fn a_name_nobody_has_is_refused_with_the_nearest() {
    let error = Catalog::shipped().choose(&["helaswag"]).unwrap_err();
    insta::assert_snapshot!(error, @"`helaswag` is no task and no suite (the nearest is `hellaswag`)");
    insta::assert_snapshot!(error.hint().unwrap(), @"write `hellaswag` for `helaswag`");
    let error = Catalog::shipped().choose(&["xyzzy"]).unwrap_err();
    insta::assert_snapshot!(error, @"`xyzzy` is no task and no suite");
    insta::assert_snapshot!(error.hint().unwrap(), @"ask for `gauntlet-v0.3`, `mmlu`, `gsm8k`, `human-eval`, or a task of a file of your own");
}

#[test]
fn a_task_without_a_file_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let mmlu = Catalog::shipped().task("mmlu").unwrap().clone();
    let error = crate::Dataset::open(&mmlu, folder.path()).unwrap_err();
    assert!(matches!(error, EvalError::NoTaskFile { .. }));
    let text = error.to_string().replace(&folder.path().display().to_string(), "DATA");
    insta::assert_snapshot!(text, @"task `mmlu` has no file in `DATA`, expected `world_knowledge/mmlu.jsonl` or `rebuilt/world_knowledge/mmlu.jsonl`");
    insta::assert_snapshot!(error.hint().unwrap(), @"put `world_knowledge/mmlu.jsonl` there, laid out as in LLM Foundry's `eval/local_data`, or name another data folder");
}

#[test]
fn tasks_keep_their_fingerprint_through_json() {
    let definition = "name = \"t\"\ntype = \"schema\"\nfiles = \"t\"\nshots = 1\nbaseline = 0.5";
    for task in Catalog::shipped().tasks().iter().chain([&task(definition)]) {
        let json = serde_json::to_string(task).unwrap();
        assert_eq!(serde_json::from_str::<crate::Task>(&json).unwrap(), *task);
    }
}
