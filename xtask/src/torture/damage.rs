//! Damage to every file that a study leaves, then `report` and `run`: a result that is shown is the
//! same, or nothing is shown. A finished study reads few of its files, so every other damage is
//! done to one whose branches are not trained yet.

use std::path::{Path, PathBuf};

use super::faults::half_written;
use super::mutate::Damage;
use super::program::Ended;
use super::study::{Study, Undisturbed, VERBS, write};
use super::tally::TrialOutcome;
use super::tree::FileTree;
use super::{Bench, Trial, parallel};
use crate::command::Failed;
use crate::random::Random;

/// What `eval` leaves.
const EVALUATIONS: &str = "runs/evaluations";

struct Case {
    /// The study is finished; else its branches are missing.
    finished: bool,
    path: PathBuf,
    damage: Damage,
    damaged: Vec<u8>,
}

/// Makes `count` damages, spread over all files.
///
/// # Errors
///
/// [`Failed`] if the undisturbed study fails.
pub(super) fn damages(bench: &Bench, count: usize) -> Result<Vec<Trial>, Failed> {
    let mut study = Study::write(&bench.folder("input"), 2)?;
    let undisturbed = study.undisturbed(&bench.folder("work-0"))?;
    let finished = &undisturbed.after[VERBS.len()];
    let begun = without_branches(finished);
    let mut random = Random(1);
    let mut all = cases(finished, true, count.div_ceil(2), &mut random);
    all.extend(cases(&begun, false, count / 2, &mut random));
    let files = finished.files().count();
    eprintln!("{} damages to {files} files", all.len());
    parallel(bench, &all, |case, work, tell| {
        let start = if case.finished { finished } else { &begun };
        tell(one(&study, &undisturbed, start, case, work)?);
        Ok(())
    })
}

/// The study before its branches were trained, and before it was reported.
fn without_branches(finished: &FileTree) -> FileTree {
    let is_left = |path: &Path| {
        let mut parts = path.iter().map(|part| part.to_string_lossy());
        let (folder, name) = (parts.next(), parts.next());
        folder.is_none_or(|it| it != "runs")
            || name.is_none_or(|name| name.starts_with("trunk-") || name == "evaluations")
    };
    FileTree(finished.0.clone().into_iter().filter(|(path, _)| is_left(path)).collect())
}

/// Each kind of damage to each file in turn, as often as is asked for.
fn cases(start: &FileTree, finished: bool, count: usize, random: &mut Random) -> Vec<Case> {
    let mut cases = Vec::new();
    // Branches are no matter of evaluations.
    let is_of_this = |path: &Path| finished || !path.starts_with(EVALUATIONS);
    let files: Vec<(&Path, &[u8])> =
        start.files().filter(|(path, it)| !it.is_empty() && is_of_this(path)).collect();
    for round in 0.. {
        for (index, &(path, bytes)) in files.iter().enumerate() {
            if cases.len() == count {
                return cases;
            }
            // Every file has every kind after a few rounds, and few rounds have all kinds.
            let damage = Damage::ALL[(index + round) % Damage::ALL.len()];
            if let Some(damaged) = damage.of(bytes, random) {
                cases.push(Case { finished, path: path.to_owned(), damage, damaged });
            }
        }
    }
    cases
}

fn one(
    study: &Study,
    undisturbed: &Undisturbed,
    start: &FileTree,
    case: &Case,
    work: &Path,
) -> Result<Trial, Failed> {
    let golden = &undisturbed.after[VERBS.len()];
    let Case { finished, path, damage, damaged } = case;
    start.restore(work)?;
    write(&work.join(path), damaged)?;
    // What an evaluation left is read by the next evaluation alone.
    let is_evaluation = path.starts_with(EVALUATIONS);
    let verbs: &[&str] = match (is_evaluation, finished) {
        (true, _) => &["eval"],
        (false, true) => &["report", "run"],
        (false, false) => &["run", "report"],
    };
    let (mut worst, mut whys) = (TrialOutcome::Harmless, String::new());
    for verb in verbs {
        let ended = study.run(&[], &study.line(verb), work)?;
        let tree = FileTree::read(work)?;
        let said = &undisturbed.said[VERBS.iter().position(|it| it == verb).expect("one of them")];
        let (outcome, why) = judged(&ended, said, &tree, (start, golden), path);
        if outcome > worst || worst == TrialOutcome::Harmless {
            (worst, whys) = (outcome, format!("{verb}: {why}"));
        }
        if !ended.is_done() && !finished {
            break;
        }
    }
    let of = if *finished { "finished" } else { "without branches" };
    let what = format!("{of}: {}, {}", path.display(), damage.name());
    Ok(Trial { row: damage.name().to_owned(), what, outcome: worst, why: whys })
}

/// What came of a command.
fn judged(
    ended: &Ended,
    said: &str,
    tree: &FileTree,
    (start, golden): (&FileTree, &FileTree),
    path: &Path,
) -> (TrialOutcome, String) {
    let differing =
        if ended.is_done() { golden.differing(tree) } else { half_written(tree, start, golden) };
    let others: Vec<&PathBuf> = differing.iter().filter(|it| *it != path).collect();
    if ended.hangs {
        (TrialOutcome::Hang, String::new())
    } else if ended.is_panic() {
        (TrialOutcome::Panic, ended.stderr.clone())
    } else if !others.is_empty() {
        (TrialOutcome::Silent, format!("other bytes are in {others:?}; {}", ended.stderr))
    } else if ended.is_done() && results(&ended.stdout) != results(said) {
        let [expected, found] = [results(said), results(&ended.stdout)];
        (TrialOutcome::Silent, first_difference(&expected, &found))
    } else if !ended.is_done() {
        let outcome = if ended.names(path) { TrialOutcome::Named } else { TrialOutcome::Unnamed };
        (outcome, ended.stderr.clone())
    } else if tree.0.get(path) == golden.0.get(path) {
        (TrialOutcome::Repaired, String::new())
    } else {
        (TrialOutcome::Harmless, String::new())
    }
}

/// What was printed without what it took: items that a damage removed are answered again.
fn results(printed: &str) -> String {
    let (results, _) =
        printed.split_once("all items were answered before\n").unwrap_or_else(|| {
            let work = printed.lines().find(|line| line.ends_with(" tokens computed"));
            work.and_then(|work| printed.split_once(work)).unwrap_or((printed, ""))
        });
    results.to_owned()
}

/// The first line that differs, as it should be and as it is.
fn first_difference(expected: &str, found: &str) -> String {
    let pair = expected.lines().zip(found.lines()).find(|(expected, found)| expected != found);
    let (expected, found) = pair.unwrap_or((expected, found));
    format!("expected {expected:?}, found {found:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> FileTree {
        let file = |(path, text): &(&str, &str)| (path.into(), Some(text.as_bytes().to_vec()));
        FileTree(files.iter().map(file).collect())
    }

    #[test]
    fn what_is_shown_must_be_the_same_and_what_is_refused_must_be_named() {
        let golden = tree(&[("runs/scores-1.json", "1"), ("runs/tiny/report.json", "1")]);
        let damaged = tree(&[("runs/scores-1.json", "2"), ("runs/tiny/report.json", "1")]);
        let wrong = tree(&[("runs/scores-1.json", "2"), ("runs/tiny/report.json", "2")]);
        let ended = |code, stdout: &str, stderr: &str| Ended {
            code: Some(code),
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
            hangs: false,
        };
        let path = Path::new("runs/scores-1.json");
        let outcome = |ended, tree| judged(&ended, "1", tree, (&golden, &golden), path).0;
        assert_eq!(
            outcome(ended(2, "", "`scores-1.json` was altered"), &damaged),
            TrialOutcome::Named
        );
        assert_eq!(outcome(ended(2, "", "no"), &damaged), TrialOutcome::Unnamed);
        assert_eq!(outcome(ended(0, "1", ""), &damaged), TrialOutcome::Harmless);
        assert_eq!(outcome(ended(0, "1", ""), &golden), TrialOutcome::Repaired);
        assert_eq!(outcome(ended(0, "2", ""), &damaged), TrialOutcome::Silent);
        assert_eq!(outcome(ended(2, "", "`scores-1.json`"), &wrong), TrialOutcome::Silent);
    }

    #[test]
    fn every_file_is_damaged_and_as_many_damages_are_made_as_asked_for() {
        let golden = tree(&[("a", "1\n2\n3\n"), ("b", "4\n5\n6\n"), ("c", "")]);
        let cases = cases(&golden, true, 40, &mut Random(1));
        assert_eq!(cases.len(), 40);
        for file in ["a", "b"] {
            assert!(cases.iter().filter(|case| case.path == Path::new(file)).count() > 15);
        }
    }
}
