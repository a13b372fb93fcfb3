//! Damage to every file that a study leaves, then `report` and `run`: a result that is shown is the
//! same, or nothing is shown.

use std::path::{Path, PathBuf};

use super::mutate::Damage;
use super::program::Ended;
use super::study::{Study, Undisturbed, VERBS, write};
use super::tally::Outcome;
use super::tree::Tree;
use super::{Bench, Trial, parallel};
use crate::command::Failed;
use crate::random::Random;

struct Case {
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
    let golden = &undisturbed.after[VERBS.len()];
    let cases = cases(golden, count);
    let files = golden.files().count();
    eprintln!("{} damages to {files} files", cases.len());
    parallel(bench, &cases, |case, work, tell| {
        tell(one(&study, &undisturbed, case, work)?);
        Ok(())
    })
}

/// Each kind of damage to each file in turn, as often as is asked for.
fn cases(golden: &Tree, count: usize) -> Vec<Case> {
    let mut random = Random(1);
    let mut cases = Vec::new();
    let files: Vec<(&Path, &[u8])> = golden.files().filter(|(_, it)| !it.is_empty()).collect();
    for round in 0.. {
        for (index, &(path, bytes)) in files.iter().enumerate() {
            if cases.len() == count {
                return cases;
            }
            // Every file has every kind after a few rounds, and few rounds have all kinds.
            let damage = Damage::ALL[(index + round) % Damage::ALL.len()];
            if let Some(damaged) = damage.of(bytes, &mut random) {
                cases.push(Case { path: path.to_owned(), damage, damaged });
            }
        }
    }
    cases
}

fn one(
    study: &Study,
    undisturbed: &Undisturbed,
    case: &Case,
    work: &Path,
) -> Result<Trial, Failed> {
    let golden = &undisturbed.after[VERBS.len()];
    let Case { path, damage, damaged } = case;
    golden.restore(work)?;
    write(&work.join(path), damaged)?;
    // What an evaluation left is read by the next evaluation alone.
    let is_evaluation = path.starts_with("runs/evaluations");
    let verbs: &[&str] = if is_evaluation { &["eval"] } else { &["report", "run"] };
    let (mut worst, mut whys) = (Outcome::Harmless, String::new());
    for verb in verbs {
        let ended = study.run(&[], &study.line(verb), work)?;
        let tree = Tree::read(work)?;
        let said = &undisturbed.said[VERBS.iter().position(|it| it == verb).expect("one of them")];
        let (outcome, why) = judged(&ended, said, &tree, golden, path);
        if outcome > worst || worst == Outcome::Harmless {
            (worst, whys) = (outcome, format!("{verb}: {why}"));
        }
    }
    let what = format!("{}, {}", path.display(), damage.name());
    Ok(Trial { row: damage.name().to_owned(), what, outcome: worst, why: whys })
}

/// What came of a command.
fn judged(ended: &Ended, said: &str, tree: &Tree, golden: &Tree, path: &Path) -> (Outcome, String) {
    let differing = golden.differing(tree);
    let others: Vec<&PathBuf> = differing.iter().filter(|it| *it != path).collect();
    if ended.hangs {
        (Outcome::Hang, String::new())
    } else if ended.is_panic() {
        (Outcome::Panic, ended.stderr.clone())
    } else if !others.is_empty() {
        (Outcome::Silent, format!("other bytes are in {others:?}; {}", ended.stderr))
    } else if ended.is_done() && ended.stdout != said {
        (Outcome::Silent, first_difference(said, &ended.stdout))
    } else if !ended.is_done() {
        let outcome = if ended.names(path) { Outcome::Named } else { Outcome::Unnamed };
        (outcome, ended.stderr.clone())
    } else if tree.0.get(path) == golden.0.get(path) {
        (Outcome::Repaired, String::new())
    } else {
        (Outcome::Harmless, String::new())
    }
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

    fn tree(files: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| (path.into(), Some(text.as_bytes().to_vec()));
        Tree(files.iter().map(file).collect())
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
        let outcome = |ended, tree| judged(&ended, "1", tree, &golden, path).0;
        assert_eq!(outcome(ended(2, "", "`scores-1.json` was altered"), &damaged), Outcome::Named);
        assert_eq!(outcome(ended(2, "", "no"), &damaged), Outcome::Unnamed);
        assert_eq!(outcome(ended(0, "1", ""), &damaged), Outcome::Harmless);
        assert_eq!(outcome(ended(0, "1", ""), &golden), Outcome::Repaired);
        assert_eq!(outcome(ended(0, "2", ""), &damaged), Outcome::Silent);
        assert_eq!(outcome(ended(2, "", "`scores-1.json`"), &wrong), Outcome::Silent);
    }

    #[test]
    fn every_file_is_damaged_and_as_many_damages_are_made_as_asked_for() {
        let golden = tree(&[("a", "1\n2\n3\n"), ("b", "4\n5\n6\n"), ("c", "")]);
        let cases = cases(&golden, 40);
        assert_eq!(cases.len(), 40);
        for file in ["a", "b"] {
            assert!(cases.iter().filter(|case| case.path == Path::new(file)).count() > 15);
        }
    }
}
