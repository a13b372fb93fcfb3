//! Groups of three sources, by simulation: those that stand in for each other are called so, and
//! no others.

use sparkjoy_answers::*;
use sparkjoy_kit::known::{Read, edited, of, truth};
use sparkjoy_study::Plan;

/// Removals of `sums`, `code` and `forks`, each alone and all together.
///
/// - `more`: further removals.
fn plan(more: &str) -> Plan {
    edited(&[
        (
            "[[questions]]\nask = \"duration\"\nmixture = \"upsampled\"\nwindows = [\"10%\", \"20%\", \"40%\"]\n",
            "",
        ),
        (
            "[\"sums\", \"decoy\", \"rumours\", \"code\", \"forks\", [\"code\", \"forks\"]]",
            &format!("[\"sums\", \"code\", \"forks\", [\"sums\", \"code\", \"forks\"]{more}]"),
        ),
    ])
}

const GROUP: [&str; 3] = ["sums", "code", "forks"];

/// The groups that are called redundant, by the label of the removal of all of them, with what
/// shows it.
fn found(answers: &Answers) -> Vec<(String, &Redundancy)> {
    let answer = &answers.questions[0];
    let of = answer.findings.iter().filter_map(|finding| match finding {
        Finding::Redundant(found) => Some((answer.arms[found.all].label.clone(), found)),
        _ => None,
    });
    of.collect()
}

/// In how many of some studies a group is called redundant.
fn called(plan: &Plan, studies: usize, truth: &dyn Fn(u64, &Read, &str) -> f64) -> usize {
    let is_called = |study: &usize| {
        let answers = of(plan, truth, &format!("groups {study}"), |_| true);
        !found(&answers).is_empty()
    };
    (0..studies).filter(is_called).count()
}

/// Sources of the group that a branch has not read.
fn missing(read: &Read) -> usize {
    match read {
        Read::Base => 0,
        Read::Without(without) => GROUP.iter().filter(|name| without.contains(**name)).count(),
    }
}

#[test]
fn three_sources_of_which_each_suffices_stand_in_for_each_other() {
    // Programs are lost only without all of them.
    let suffices = |window: u64, read: &Read, what: &str| match read {
        Read::Without(_) if what == "programs" => {
            if missing(read) == 3 {
                0.35
            } else {
                0.60
            }
        }
        _ => truth(window, read, what),
    };
    let plan = plan("");
    let answers = of(&plan, &suffices, "", |_| true);
    let [(label, group)] = &found(&answers)[..] else { panic!("{:?}", found(&answers)) };
    assert_eq!((label.as_str(), group.each.len()), ("− sums − code − forks", 3));
    assert!(!group.subsets && (group.part - 1.0 / 3.0).abs() < 1e-15);
    let [programs] = &group.evidence[..] else { panic!("{group:?}") };
    assert_eq!(programs.task.as_deref(), Some("programs"));
    // What is tested is each loss against a third of the loss without all.
    let thirds = programs.alone.iter().zip(&programs.less);
    for (alone, less) in thirds {
        assert!((less.mean - (alone.mean - programs.all[0].mean / 3.0)).abs() < 1e-12);
        assert!(less.mean > 0.0 && less.p <= programs.p);
    }
    assert!(called(&plan, 20, &suffices) >= 19, "80 % power and more");
}

#[test]
fn three_sources_whose_losses_add_up_do_not_stand_in_for_each_other() {
    // On a task, at the edge of what is tested: each costs a third of what all cost.
    let on_task =
        |window: u64, read: &Read, what: &str| match (read, what) {
            (Read::Without(_), "programs") => 0.60 - 0.02 * missing(read) as f64,
            (Read::Without(without), source) if GROUP.contains(&source) => {
                if without.contains(source) { 0.95 } else { 0.80 }
            }
            _ => truth(window, read, what),
        };
    // On their own text: each of the three teaches a third of it. Each loss alone is below half of
    // the loss without all, and not below a third.
    let on_text = |window: u64, read: &Read, what: &str| match read {
        Read::Without(_) if GROUP.contains(&what) => 0.80 + 0.05 * missing(read) as f64,
        Read::Without(_) if what == "programs" => 0.60,
        _ => truth(window, read, what),
    };
    let plan = plan("");
    let studies = 60;
    for truth in [&on_task as &dyn Fn(u64, &Read, &str) -> f64, &on_text] {
        let called = called(&plan, studies, truth);
        // 5 % and two standard errors of 60 studies.
        assert!(called <= 6, "{called} of {studies}");
    }
    let answers = of(&plan, &on_text, "", |_| true);
    let answer = &answers.questions[0];
    let own = |label: &str| {
        let arm = answer.arms.iter().find(|arm| arm.label == label).unwrap();
        let scope = answer.scopes.iter().position(|scope| scope.what == What::Targeted).unwrap();
        arm.cells[scope].as_ref().unwrap().difference.mean
    };
    for alone in ["− sums", "− code", "− forks"] {
        assert!(own(alone) < 0.4 * own("− sums − code − forks"), "the edge of a half is passed");
    }
}

#[test]
fn a_third_source_of_no_use_does_not_stand_in_beside_two_that_do() {
    // Programs need code or forks; sums teach nothing of them.
    let two = |window: u64, read: &Read, what: &str| match (read, what) {
        (Read::Without(without), "programs") => {
            if without.contains("code") && without.contains("forks") { 0.35 } else { 0.60 }
        }
        _ => truth(window, read, what),
    };
    let answers = of(&plan(", [\"code\", \"forks\"]"), &two, "", |_| true);
    let labels: Vec<String> = found(&answers).into_iter().map(|(label, _)| label).collect();
    assert_eq!(labels, ["− code − forks"]);
    // Where no two were removed together that cannot be known, and the finding has it.
    let answers = of(&plan(""), &two, "", |_| true);
    let [(_, group)] = &found(&answers)[..] else { panic!("{:?}", found(&answers)) };
    assert!(!group.subsets && group.each.len() == 3);
}
