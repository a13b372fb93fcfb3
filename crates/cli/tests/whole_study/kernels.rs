//! A study that moves to a machine that rounds differently goes on, and its report says so.

use std::fs;

use sparkjoy_base::Fingerprint;
use sparkjoy_jobs::{branch_folder, trunk_folder};
use sparkjoy_train::Checkpoint;

use crate::tiny::Tiny;

#[test]
fn a_study_that_moves_says_so_in_every_branch_and_in_its_report() {
    let tiny = Tiny::new();
    let point = tiny.plan.branch_points()[0];
    let (result, seen) = tiny.run(Some(&format!("trunk-{point}")), None);
    result.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(seen.kernels, []);

    // The trunk's checkpoint as a machine with other instructions would have left it.
    let trunk =
        Checkpoint::at(&trunk_folder(tiny.plan.trunk(), &tiny.runs()), point).unwrap().unwrap();
    let now = trunk.inspect().unwrap().kernels.last().unwrap().to_owned();
    let before = ["avx2", "portable"].into_iter().find(|set| *set != now).unwrap();
    let state = trunk.folder.join("state.json");
    let json =
        fs::read_to_string(&state).unwrap().replace(&format!("{now:?}"), &format!("{before:?}"));
    fs::write(&state, &json).unwrap();
    let done = format!("{}\n", Fingerprint::of_bytes(json.as_bytes()).hex());
    fs::write(trunk.folder.join("DONE"), done).unwrap();

    let seen = tiny.finish();
    assert!(!seen.kernels.is_empty());
    for change in &seen.kernels {
        assert_eq!(
            (change.step, change.found.as_str(), change.now.as_str()),
            (point, before, &*now)
        );
    }
    let end = &tiny.plan.branches[0];
    let folder = branch_folder(end, &tiny.runs());
    let last = Checkpoint::at(&folder, end.spec.last_step()).unwrap().unwrap();
    let kernels: Vec<_> =
        last.inspect().unwrap().kernels.iter().map(|k| (k.since, k.kernel.clone())).collect();
    assert_eq!(kernels, [(0, before.to_owned()), (point, now.clone())]);

    let report = tiny.report().unwrap();
    assert!(report.contains("ROUNDING: ") && report.contains(&format!("{before} then {now}")));
}
