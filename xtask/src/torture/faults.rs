//! A kill or an error at a disk operation, then a normal run: it must end in the same bytes.

use std::path::{Path, PathBuf};

use super::study::{Study, Undisturbed, VERBS};
use super::tally::TrialOutcome;
use super::trace::{self, Fault, Operation};
use super::tree::FileTree;
use super::{Bench, Trial, parallel};
use crate::command::Failed;

/// One disturbed run.
struct Case {
    /// Which of [`VERBS`].
    verb: usize,
    fault: Fault,
    nth: usize,
    operation: Operation,
}

/// Disturbs every `every`-th disk operation of each command in each way.
///
/// # Errors
///
/// [`Failed`] if programs cannot be traced, or the undisturbed study fails.
pub(super) fn sweep(bench: &Bench, every: usize) -> Result<Vec<Trial>, Failed> {
    let mut study = Study::write(&bench.folder("input"), 1)?;
    let work = bench.folder("work-0");
    let undisturbed = study.undisturbed(&work)?;
    let mut cases = Vec::new();
    for (verb, name) in VERBS.iter().enumerate() {
        let operations = listed(&study, &undisturbed, verb, &work)?;
        eprintln!("{name}: {} disk operations", operations.len());
        for (index, operation) in operations.into_iter().enumerate().step_by(every) {
            let is_write = operation.kind == "write";
            for fault in Fault::ALL.into_iter().filter(|fault| is_write || !fault.is_of_writes()) {
                cases.push(Case { verb, fault, nth: index + 1, operation: operation.clone() });
            }
        }
    }
    parallel(bench, &cases, |case, work, tell| {
        tell(one(&study, &undisturbed, case, work)?);
        Ok(())
    })
}

/// The disk operations of a command that nothing disturbs.
fn listed(
    study: &Study,
    undisturbed: &Undisturbed,
    verb: usize,
    work: &Path,
) -> Result<Vec<Operation>, Failed> {
    undisturbed.after[verb].restore(work)?;
    let met = note(work);
    let before = trace::before(Fault::None, 0, &met)?;
    let ended = study.run(&before, &study.line(VERBS[verb]), work)?;
    let differing = undisturbed.after[verb + 1].differing(&FileTree::read(work)?);
    if !ended.is_done() || !differing.is_empty() {
        let how = format!("{ended:?}, and {differing:?} differ");
        return Err(Failed(format!("`{}` under the tracer ended so: {how}", VERBS[verb])));
    }
    trace::met(&met)
}

/// Where the tracer of a folder notes what it met: beside the folder.
fn note(work: &Path) -> PathBuf {
    work.with_added_extension("met")
}

fn one(
    study: &Study,
    undisturbed: &Undisturbed,
    case: &Case,
    work: &Path,
) -> Result<Trial, Failed> {
    let &Case { verb, fault, nth, ref operation } = case;
    let [base, golden] = [&undisturbed.after[verb], &undisturbed.after[verb + 1]];
    let line = study.line(VERBS[verb]);
    base.restore(work)?;
    let ended = study.run(&trace::before(fault, nth, &note(work))?, &line, work)?;
    let (tree, again) = (FileTree::read(work)?, study.run(&[], &line, work)?);
    let after = FileTree::read(work)?;
    let half = half_written(&tree, base, golden);
    let differing = golden.differing(&after);
    let left: Vec<&PathBuf> = after.0.keys().filter(|path| is_partial(path)).collect();
    let lives_on = fault.is_error() || fault == Fault::Short;
    let is_panic = if lives_on { ended.is_panic() } else { ended.stderr.contains("panicked at") };
    let mut why = String::new();
    let outcome = if ended.hangs || again.hangs {
        TrialOutcome::Hang
    } else if is_panic || again.is_panic() {
        why = format!("{}{}", ended.stderr, again.stderr);
        TrialOutcome::Panic
    } else if !half.is_empty() {
        why = format!("half-written: {half:?}");
        TrialOutcome::Silent
    } else if !again.is_done() {
        why = format!("the next run is refused: {}", again.stderr);
        TrialOutcome::Silent
    } else if !differing.is_empty() || !left.is_empty() {
        why = format!("the next run ends otherwise: {differing:?}, left {left:?}");
        TrialOutcome::Silent
    } else if !lives_on {
        TrialOutcome::Harmless
    } else if ended.is_done() {
        let differing = golden.differing(&tree);
        why = format!("it said nothing, and other bytes are in {differing:?}");
        if differing.is_empty() { TrialOutcome::Harmless } else { TrialOutcome::Silent }
    } else {
        why.clone_from(&ended.stderr);
        // What is written beside its place is named by its place.
        let path = Path::new(&operation.path);
        let path = if is_partial(path) { path.parent().unwrap_or(path) } else { path };
        if ended.names(path) { TrialOutcome::Named } else { TrialOutcome::Unnamed }
    };
    let Operation { kind, path } = operation;
    let what = format!("{}, operation {nth}, {} at {kind} of {path}", VERBS[verb], fault.name());
    Ok(Trial { row: format!("{}, {}", VERBS[verb], fault.name()), what, outcome, why })
}

/// Files under their final name with bytes that no undisturbed run leaves there.
pub(super) fn half_written(tree: &FileTree, base: &FileTree, golden: &FileTree) -> Vec<PathBuf> {
    let differing = golden.differing(tree);
    let is_other = |path: &PathBuf| {
        let found = tree.0.get(path);
        found.is_some_and(Option::is_some)
            && golden.0.contains_key(path)
            && found != base.0.get(path)
            && !grows(path)
    };
    differing.into_iter().filter(|path| is_other(path) && !is_partial(path)).collect()
}

/// Files that hold more and more while a command goes on, whole at any time.
fn grows(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let growing = ["metrics.jsonl", "keep.json", "journal.json", "contamination.json"];
    let is_items = path.starts_with("runs/evaluations")
        || path.parent().is_some_and(|folder| folder.ends_with("tasks"));
    growing.contains(&&*name) || (is_items && name.ends_with(".jsonl"))
}

fn is_partial(path: &Path) -> bool {
    path.iter().any(|part| part.to_string_lossy().ends_with(".partial"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> FileTree {
        let file = |(path, text): &(&str, &str)| (path.into(), Some(text.as_bytes().to_vec()));
        FileTree(files.iter().map(file).collect())
    }

    #[test]
    fn a_file_is_half_written_if_it_is_neither_old_nor_new_nor_growing() {
        let base = tree(&[("runs/old.json", "1")]);
        let golden = tree(&[("runs/old.json", "2"), ("runs/a/metrics.jsonl", "12")]);
        let half = |files| half_written(&tree(files), &base, &golden);
        assert!(half(&[("runs/old.json", "1"), ("runs/a/metrics.jsonl", "1")]).is_empty());
        assert!(half(&[("runs/old.json", "2"), ("runs/a/x.partial/y", "1")]).is_empty());
        assert_eq!(half(&[("runs/old.json", "")]), [PathBuf::from("runs/old.json")]);
    }
}
