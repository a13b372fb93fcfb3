//! Problems of HumanEval: solutions pass, everything else does not.

#![expect(clippy::print_stderr, reason = "what is skipped is said")]

mod support;

use std::fs;
use std::path::Path;
use std::time::Instant;

use sparkjoy_sandbox::{Limits, Problem, ProgramVerdict, Rule, Sandbox, check_program, in_order};
use support::{NEVER, sandbox};

fn read(path: &Path) -> Option<Vec<Problem>> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.lines().map(|line| serde_json::from_str(line).expect("a problem")).collect())
}

fn tiny() -> Vec<Problem> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/tiny.jsonl");
    read(Path::new(path)).expect("the fixture is there")
}

fn published(file: &str) -> Option<Vec<Problem>> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/eval")).join(file);
    let problems = read(&path);
    if problems.is_none() {
        eprintln!("SKIPPED: no problems at {}", path.display());
    }
    problems
}

/// The names of the problems that pass with the completion `of` gives for each.
fn passing(
    sandbox: &Sandbox,
    problems: &[Problem],
    rule: Rule,
    of: &dyn Fn(usize) -> String,
) -> Vec<String> {
    let jobs: Vec<_> = problems.iter().enumerate().map(|(at, p)| (p, of(at))).collect();
    let began = Instant::now();
    let (verdicts, error) = in_order(&jobs, 2, &NEVER, |(problem, completion)| {
        check_program(sandbox, problem, completion, rule, &NEVER)
    });
    assert!(error.is_none(), "{error:?}");
    eprintln!("{} programs by {rule:?} in {:.1?}", jobs.len(), began.elapsed());
    let named = problems.iter().zip(verdicts);
    let mut names = Vec::new();
    for (problem, verdict) in named {
        if verdict.as_ref().is_some_and(ProgramVerdict::is_passed) {
            names.push(problem.task_id.clone());
        } else {
            eprintln!("{}: {verdict:?}", problem.task_id);
        }
    }
    names
}

/// Solutions pass, except of the problems `without`; nothing and another's solution do not.
fn tells_apart(sandbox: &Sandbox, problems: &[Problem], rule: Rule, without: &[&str]) {
    let names = problems.iter().map(|problem| problem.task_id.as_str());
    let expected: Vec<_> = names.filter(|name| !without.contains(name)).collect();
    let solution = |at: usize| problems[at % problems.len()].canonical_solution.clone();
    assert_eq!(passing(sandbox, problems, rule, &solution), expected);
    // Half of the wrong ones return nothing, half solve something else.
    let wrong = |at: usize| {
        if at.is_multiple_of(2) { "    return None\n".to_owned() } else { solution(at + 1) }
    };
    assert_eq!(passing(sandbox, problems, rule, &wrong), Vec::<String>::new());
}

#[test]
fn solutions_of_the_fixture_pass_and_others_do_not() {
    let Some(sandbox) = sandbox(Limits::default()) else { return };
    for rule in [Rule::Cases, Rule::CasesOrText, Rule::Check] {
        tells_apart(&sandbox, &tiny(), rule, &[]);
    }
}

#[test]
fn published_solutions_pass_the_published_tests_and_others_do_not() {
    let Some(sandbox) = sandbox(Limits::default()) else { return };
    let Some(problems) = published("extra/human-eval/HumanEval.jsonl") else { return };
    tells_apart(&sandbox, &problems, Rule::Check, &[]);
}

/// The nine fail LLM Foundry's rule as well: its file has their expected values wrong.
#[test]
fn published_solutions_pass_the_cases_that_are_right_and_others_do_not() {
    let Some(sandbox) = sandbox(Limits::default()) else { return };
    let Some(problems) = published("programming/human_eval.jsonl") else { return };
    let broken = [11, 15, 44, 65, 70, 84, 103, 137, 161].map(|n| format!("HumanEval/{n}"));
    let broken: Vec<_> = broken.iter().map(String::as_str).collect();
    tells_apart(&sandbox, &problems, Rule::Cases, &broken);
    let only: Vec<_> =
        problems.iter().filter(|p| broken.contains(&p.task_id.as_str())).cloned().collect();
    tells_apart(&sandbox, &only, Rule::CasesOrText, &["HumanEval/70"]);
}
