//! Moving to a machine that rounds differently is allowed, told and written down.
//!
//! One machine stands for two: a checkpoint is rewritten as if another instruction set had
//! computed it.

use std::path::Path;

use super::tiny::{LAST, LION, SWITCH, Tiny, branch_of, reseal, stop_after};
use crate::{Checkpoint, KernelChange, Observer, RunRequest, Signal, StepRecord, run};

/// Stops after a step and remembers what it was told.
#[derive(Default)]
struct Told {
    stop: u64,
    steps: u64,
    changes: Vec<KernelChange>,
}

impl Observer for Told {
    fn stepped(&mut self, record: &StepRecord) -> Signal {
        self.steps += 1;
        if record.step == self.stop { Signal::Stop } else { Signal::Continue }
    }

    fn kernel_changed(&mut self, change: &KernelChange) {
        assert_eq!(self.steps, 0, "told before a step is taken");
        self.changes.push(change.clone());
    }
}

fn told(request: RunRequest<'_>, stop: u64) -> Vec<KernelChange> {
    let mut told = Told { stop, ..Told::default() };
    run(request, &mut told).unwrap();
    told.changes
}

/// The kernels of the checkpoint at `step`, with the steps they took over at.
fn kernels(folder: &Path, step: u64) -> Vec<(u64, String)> {
    let checkpoint = Checkpoint::at(folder, step).unwrap().expect("a whole checkpoint");
    let kernels = checkpoint.inspect().unwrap().kernels;
    kernels.iter().map(|k| (k.since, k.kernel.clone())).collect()
}

/// Makes the checkpoint at `step` one of a machine that does not exist.
fn move_elsewhere(folder: &Path, step: u64) -> Checkpoint {
    let checkpoint = Checkpoint::at(folder, step).unwrap().expect("a whole checkpoint");
    reseal(&checkpoint.folder, |state| state["kernels"][0]["kernel"] = "abacus".into());
    checkpoint
}

#[test]
fn a_run_that_stays_where_it_is_names_one_kernel() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let folder = tiny.folder("run");
    let request = tiny.request(&spec, &folder);
    assert_eq!(told(request, 2), []);
    assert_eq!(told(request, LAST), []);
    let [(0, kernel)] = &kernels(&folder, LAST)[..] else { panic!("one kernel from step 0") };
    assert!(["avx512bf16", "avx512", "avx2", "portable"].contains(&kernel.as_str()), "{kernel}");
}

#[test]
fn a_run_that_continues_with_another_instruction_set_says_so_once_and_remembers_it() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let whole = tiny.train(&spec, "whole", LAST);
    let now = kernels(&whole, LAST)[0].1.clone();
    let folder = tiny.folder("moved");
    let request = tiny.request(&spec, &folder);
    run(request, &mut stop_after(2)).unwrap();
    move_elsewhere(&folder, 2);

    let changes = told(request, 4);
    let [KernelChange { step: 2, found, now: named }] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!((found.as_str(), named.as_str()), ("abacus", now.as_str()));
    assert_eq!(told(request, LAST), [], "the second stop was on this machine");
    assert_eq!(kernels(&folder, LAST), [(0, "abacus".to_owned()), (2, now)]);
}

#[test]
fn a_branch_off_another_instruction_set_says_so_and_leaves_its_parent_alone() {
    let tiny = Tiny::new();
    let trunk = tiny.trunk(LION);
    let parent = move_elsewhere(&tiny.train(&trunk, "trunk", SWITCH), SWITCH);
    let before = super::tiny::files(&parent.folder);
    let spec = branch_of(&trunk);
    let start_from = Some(parent.folder.as_path());
    let folder = tiny.folder("branch");
    let changes = told(RunRequest { start_from, ..tiny.request(&spec, &folder) }, LAST);
    assert!(matches!(&changes[..], [KernelChange { step: SWITCH, .. }]), "{changes:?}");
    let steps: Vec<u64> = kernels(&folder, LAST).iter().map(|(since, _)| *since).collect();
    assert_eq!(steps, [0, SWITCH]);
    assert_eq!(super::tiny::files(&parent.folder), before);

    // The kernel is noted, not believed: the bits are those of the numbers in the checkpoint.
    let own = tiny.folder("own");
    let trunk_again = tiny.train(&trunk, "trunk-again", SWITCH);
    let parent = Checkpoint::at(&trunk_again, SWITCH).unwrap().unwrap().folder;
    let request = RunRequest { start_from: Some(&parent), ..tiny.request(&spec, &own) };
    assert_eq!(told(request, LAST), []);
    let [a, b] = [&folder, &own].map(|run| std::fs::read(run.join("metrics.jsonl")).unwrap());
    assert!(a == b, "metrics differ");
}
