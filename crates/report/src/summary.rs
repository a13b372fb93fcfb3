//! The top of the page: what is missing, what was asked, what came out, what could have been seen.

use maud::{Markup, html};
use sparkjoy_base::{duration, quantity};
use sparkjoy_answers::{Comparison, Finding, FindingKind, Verdict, What};

use crate::Report;
use crate::chart::scale::number;
use crate::cost::all_seconds;
use crate::question::{View, findings, power};
use crate::words::rich;

/// Findings of a question at the top of the page, besides those that always stand there; its
/// section has all of them.
const SHORT: usize = 3;

/// What is not there yet, said before anything else.
pub(crate) fn missing(report: &Report<'_>) -> Markup {
    let answers = report.answers;
    let without: Vec<&str> = answers.tasks_without_file.iter().map(String::as_str).collect();
    let list = |names: &[String]| html! { code { (names.join(", ")) } };
    let whole =
        answers.missing.is_empty() && answers.missing_tasks.is_empty() && without.is_empty();
    html! {
        @if !whole {
            section.alert role="note" aria-labelledby="missing" {
                h2 #missing { "This study is not complete" }
                p {
                    "What is missing is shown as missing below, and no comparison is made from \
                     fewer replicates than planned. "
                    code { "sparkjoy run" } " continues the study."
                }
                ul {
                    @if !answers.missing.is_empty() {
                        li {
                            (answers.missing.len()) " of " (answers.branches) " branches are not \
                                scored: "
                            (list(&answers.missing))
                        }
                    }
                    @if !answers.missing_tasks.is_empty() {
                        li {
                            (answers.missing_tasks.len()) " of " (answers.branches)
                            " branches are not scored on tasks: " (list(&answers.missing_tasks))
                        }
                    }
                    @if !without.is_empty() {
                        li { "No file of task " code { (without.join(", ")) } ": averages that \
                            need it are left out." }
                    }
                }
            }
        }
    }
}

/// What was asked and what came out, in a few sentences.
pub(crate) fn answers(report: &Report<'_>, views: &[View<'_>]) -> Markup {
    let plan = report.plan;
    let cost = plan.cost();
    let seconds = all_seconds(report);
    let confidence = 100.0 * report.answers.confidence;
    html! {
        section #answers aria-labelledby="answers-h" {
            h2 #answers-h { "What was asked, and what came out" }
            p {
                "A decoder of " (quantity(cost.parameters)) " parameters was trained once on "
                (plan.budget) " tokens; " (plan.branches.len()) " runs leave it late, each \
                    comparison with a "
                "control that differs in its data only, "
                @if plan.replicates > 1 { "over " (plan.replicates) " replicates (data orders)." }
                @else { "with a single replicate, so that nothing can be told from noise." }
            }
            ol.asked {
                @for view in views {
                    li {
                        a href={ "#q" (view.number) } { (rich(&view.answer.title())) }
                        (short(view))
                        p.seen { (could_have_seen(view)) }
                    }
                }
            }
            p {
                "The tree cost " (cost.tree.tokens) " training tokens ("
                (power(cost.tree.flops as f64))
                " FLOPs"
                @if seconds > 0.0 { ", " (duration(seconds)) " of measured time with scoring" }
                "); every run in full would have cost " (cost.in_full.tokens) " ("
                (power(cost.in_full.flops as f64)) " FLOPs), "
                (number(cost.saving, 1)) " times as much."
            }
            p.soft {
                "Numbers are differences of held-out bits per byte, branch − control of the same \
                 replicate: below zero is better. Bars and brackets are "
                (number(confidence, 0)) " % confidence intervals; p is corrected within each \
                 question (Holm), for held-out text, right answers of tasks and their bits per \
                 byte apart, and what is not distinguishable is not ranked."
            }
        }
    }
}

/// The findings that answer the question.
fn short(view: &View<'_>) -> Markup {
    let all = &view.answer.findings;
    let of = |kind: FindingKind| all.iter().filter(move |finding| finding.kind == kind).cloned();
    let always = [FindingKind::Harmful, FindingKind::Redundant].into_iter().flat_map(of);
    // What to do comes before what was seen, and both before what was not.
    let first = [
        FindingKind::Recommendation,
        FindingKind::Idle,
        FindingKind::Ranking,
        FindingKind::Effect,
        FindingKind::Null,
        FindingKind::Caution,
    ];
    let others = first.into_iter().flat_map(of).take(SHORT);
    let few: Vec<Finding> = always.chain(others).collect();
    html! {
        @if few.is_empty() {
            p { "Nothing can be said yet: no comparison is complete." }
        } @else {
            (findings(&few))
        }
    }
}

/// The least difference the tested comparisons would have found.
fn could_have_seen(view: &View<'_>) -> String {
    let tested = |what: &What| matches!(what, What::Targeted | What::General);
    let scopes: Vec<usize> = (0..view.answer.scopes.len())
        .filter(|&scope| tested(&view.answer.scopes[scope].what))
        .collect();
    let cells = view
        .answer
        .arms
        .iter()
        .flat_map(|arm| scopes.iter().filter_map(|&scope| arm.cells[scope].as_ref()));
    let cells: Vec<_> = cells.filter(|cell| cell.verdict != Verdict::NotTested).collect();
    if cells.is_empty() {
        return "Not scored yet.".to_owned();
    }
    let is_noise = |cell: &&&Comparison| cell.verdict == Verdict::NotSignificant;
    let noise = cells.iter().filter(is_noise).count();
    let told = match noise {
        0 => format!("All of {} tested comparisons are distinguishable.", cells.len()),
        all if all == cells.len() => {
            format!("None of {all} tested comparisons is distinguishable.")
        }
        some => format!("{some} of {} tested comparisons are not distinguishable.", cells.len()),
    };
    let mut least: Vec<f64> = cells.iter().filter_map(|cell| cell.detectable).collect();
    least.sort_by(f64::total_cmp);
    let seen = match least.as_slice() {
        [] => "With a single replicate no difference can be told from noise.".to_owned(),
        [one] => format!("It could have seen a difference of {} bits per byte.", number(*one, 4)),
        [first, .., last] => format!(
            "Its comparisons could have seen differences of {} to {} bits per byte.",
            number(*first, 4),
            number(*last, 4)
        ),
    };
    let tasks = view.answer.tasks.iter().flat_map(|task| task.cells.iter().flatten());
    let tasks: Vec<&Comparison> = tasks.filter(|cell| cell.adjusted_p.is_some()).collect();
    if tasks.is_empty() {
        return format!("{told} {seen}");
    }
    let noise = tasks.iter().filter(is_noise).count();
    format!(
        "{told} {seen} On tasks {} of {} tested comparisons are distinguishable.",
        tasks.len() - noise,
        tasks.len()
    )
}
