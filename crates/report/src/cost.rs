//! How long things took, as far as it was measured.

use std::collections::BTreeSet;

use sparkjoy_study::{Branch, QuestionPlan, Trunk};

use crate::Report;

/// Seconds of all jobs of a question: its branches, what they go on from, their scores, and the
/// trunks as far as they are needed. None unless each training job was timed.
pub(crate) fn question_seconds(report: &Report<'_>, question: &QuestionPlan) -> Option<f64> {
    let plan = report.plan;
    let arms = question.arms.iter().flat_map(|arm| arm.branches.iter().chain(&arm.controls));
    let mut runs: BTreeSet<usize> = arms.copied().collect();
    for index in runs.clone() {
        runs.extend(std::iter::successors(plan.branches[index].after, |&i| plan.branches[i].after));
    }
    let mut seconds = 0.0;
    for &index in &runs {
        let name = &plan.branches[index].name;
        seconds += report.times.get(name)?.seconds;
        for after in ["score", "tasks"] {
            seconds +=
                report.times.get(&format!("{name}-{after}")).map_or(0.0, |time| time.seconds);
        }
    }
    for (trunk, Trunk { name: trunk_name, .. }) in plan.trunks.iter().enumerate() {
        let of: Vec<&Branch> =
            runs.iter().map(|&index| &plan.branches[index]).filter(|b| b.trunk == trunk).collect();
        let Some(until) = of.iter().map(|branch| branch.spec.first_step).max() else { continue };
        for point in plan.branch_points_of(trunk) {
            if point > plan.trunk().first_step && point <= until {
                seconds += report.times.get(&format!("{trunk_name}-{point}"))?.seconds;
            }
        }
    }
    Some(seconds)
}

/// Seconds of all jobs that were timed.
pub(crate) fn all_seconds(report: &Report<'_>) -> f64 {
    report.times.values().map(|time| time.seconds).sum()
}
