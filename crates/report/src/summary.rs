//! The top of the page: what is missing, what was asked, what came out, what would have been
//! detected.

use maud::{Markup, html};
use sparkjoy_answers::{ArmAnswer, ArmEffect, Comparison, Finding, Verdict, What};
use sparkjoy_base::{duration, number, quantity, scientific};

use crate::Report;
use crate::cost::all_seconds;
use crate::question::{View, findings};
use crate::sentences::{
    Heading, doubtful_items, few_documents, in_short, not_scored, split_verdicts, title,
    unknown_documents,
};
use crate::words::rich;

/// Findings of a question at the top of the page, besides those that always stand there; its
/// section has all of them.
const SHORT: usize = 5;

/// What is not there yet, said before anything else.
pub(crate) fn missing(report: &Report<'_>) -> Markup {
    let answers = report.answers;
    let without: Vec<&str> = answers.tasks_without_file.iter().map(String::as_str).collect();
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
                        li { (rich(&not_scored(&answers.missing, answers.branches, ""))) "." }
                    }
                    @if !answers.missing_tasks.is_empty() {
                        li {
                            (rich(&not_scored(
                                &answers.missing_tasks, answers.branches, " on tasks"
                            ))) "."
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
                @if plan.own_trunks() { (plan.replicates) " trunks (" } @else { "One trunk (" }
                (quantity(cost.parameters)) " parameters, " (plan.budget)
                " tokens) and " (plan.branches.len()) " branches, "
                @if plan.replicates > 1 { (plan.replicates) " replicates (data orders) each" }
                @else { "a single replicate each, so that no difference is significant" }
                ". Each branch is compared with a control that differs in its data only."
            }
            ol.asked {
                @for view in views {
                    li {
                        a href={ "#q" (view.number) } { (rich(&title(view.answer))) }
                        (short(view))
                        p.seen { (significance(view)) }
                    }
                }
            }
            p {
                "The tree cost " (cost.tree.tokens) " training tokens ("
                (scientific(cost.tree.flops as f64))
                " FLOPs"
                @if seconds > 0.0 { ", " (duration(seconds)) " of measured time with scoring" }
                "); every run in full would have cost " (cost.in_full.tokens) " ("
                (scientific(cost.in_full.flops as f64)) " FLOPs), "
                (number(cost.saving, 1)) " times as much."
            }
            p.soft {
                "Numbers in tables and figures are differences of held-out bits per byte from the \
                 control of the same replicate; negative is better. Bars and brackets are "
                (number(confidence, 0)) " % confidence intervals. p is corrected by Holm within \
                 each question, separately for held-out text, accuracy on tasks and bits per byte \
                 of correct answers. Only significant effects are ranked. An interval is about other \
                 orders of these training documents and other items of this kind, "
                (if report.answers.own_trunks { "on other trunks." } else { "on this trunk." })
            }
            @let of_documents = [few_documents, unknown_documents];
            @for note in of_documents.map(|note| note(&report.answers.held_out)) {
                @if let Some(note) = note { p.caution { (rich(&note)) "." } }
            }
            @let split = split_verdicts(&report.answers.split);
            @for note in split.into_iter().chain(doubtful_items(&report.answers.doubtful)) {
                p.caution { (rich(&note)) "." }
            }
        }
    }
}

/// The findings that answer the question.
fn short(view: &View<'_>) -> Markup {
    let all = &view.answer.findings;
    let of = |heading: Heading| all.iter().filter(move |finding| Heading::of(finding) == heading);
    let always = [Heading::Decision, Heading::Harm, Heading::Redundant].into_iter().flat_map(of);
    // The largest gain comes first, then what is significant, then the rest.
    let mut effects: Vec<(f64, &Finding)> = all
        .iter()
        .filter_map(|finding| match finding {
            Finding::Effect(effect) => Some((significant_size(effect)?, finding)),
            _ => None,
        })
        .collect();
    effects.sort_by(|one, other| other.0.total_cmp(&one.0));
    let significant: Vec<&Finding> = effects.into_iter().map(|(_, finding)| finding).collect();
    let is_other = |finding: &&Finding| !significant.iter().any(|it| std::ptr::eq(*it, *finding));
    let first = [Heading::NoLoss, Heading::Ranking, Heading::Effect];
    let last = [Heading::NotSignificant, Heading::Caution];
    let others = first.into_iter().chain(last).flat_map(of).filter(is_other);
    let ranked = of(Heading::LargestGain).chain(significant.iter().copied()).chain(others);
    let few: Vec<&Finding> = always.chain(ranked.take(SHORT)).collect();
    html! {
        @if few.is_empty() {
            p { "Nothing can be said yet: no comparison is complete." }
        } @else {
            (findings(view.answer, &few, in_short))
        }
    }
}

/// The size of an effect on held-out text, where it is significant.
fn significant_size(effect: &ArmEffect) -> Option<f64> {
    let tested = [&effect.targeted, &effect.general].into_iter().flatten();
    let significant = tested.filter(|tested| tested.verdict != Verdict::NotSignificant);
    significant.map(|tested| tested.effect.mean.abs()).max_by(f64::total_cmp)
}

/// The comparisons in some scopes that are tested.
fn tested<'a>(view: &View<'a>, family: &[What]) -> Vec<&'a Comparison> {
    let answer = view.answer;
    let scopes: Vec<usize> = (0..answer.scopes.len())
        .filter(|&scope| family.contains(&answer.scopes[scope].what))
        .collect();
    let of_arm = |arm: &'a ArmAnswer| {
        scopes.iter().filter_map(|&scope| arm.cells[scope].as_ref()).collect::<Vec<_>>()
    };
    let cells = answer.arms.iter().flat_map(of_arm);
    cells.filter(|cell| cell.verdict != Verdict::NotTested).collect()
}

/// How many comparisons are significant, and the minimum detectable effects of all.
fn significance(view: &View<'_>) -> String {
    let cells = tested(view, &[What::Targeted, What::General]);
    if cells.is_empty() {
        return "Not scored yet.".to_owned();
    }
    let is_null = |cell: &&&Comparison| cell.verdict == Verdict::NotSignificant;
    let significant = |cells: &[&Comparison]| cells.len() - cells.iter().filter(is_null).count();
    let mut text = format!(
        "{} of {} comparisons of held-out text are significant after Holm.",
        significant(&cells),
        cells.len()
    );
    let unseen = tested(view, &[What::Unseen]);
    if !unseen.is_empty() {
        let (significant, of) = (significant(&unseen), unseen.len());
        text = format!("{text} On unseen text {significant} of {of} are.");
    }
    let mut least: Vec<f64> = cells.iter().filter_map(|cell| cell.detectable).collect();
    least.sort_by(f64::total_cmp);
    let detectable = match least.as_slice() {
        [] => "With a single replicate no difference is significant.".to_owned(),
        [one] => format!(
            "An effect of {} bits per byte or more would have been detected with 80 % power.",
            number(*one, 4)
        ),
        [first, .., last] => format!(
            "Effects of {} to {} bits per byte or more would have been detected with 80 % power.",
            number(*first, 4),
            number(*last, 4)
        ),
    };
    let tasks = view.answer.tasks.iter().flat_map(|task| task.cells.iter().flatten());
    let tasks: Vec<&Comparison> = tasks.filter(|cell| cell.adjusted_p.is_some()).collect();
    if tasks.is_empty() {
        return format!("{text} {detectable}");
    }
    format!(
        "{text} {detectable} On tasks {} of {} comparisons are significant.",
        significant(&tasks),
        tasks.len()
    )
}
