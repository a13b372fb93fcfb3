//! A question of the study: what was found, its figures, its tables, what it cost.

mod figures;
mod tables;
mod view;

use maud::{Markup, html};
use sparkjoy_answers::{Finding, FindingKind, Gap};

use crate::Report;
use crate::chart::Figure;
use crate::cost::question_seconds;
use crate::words::rich;

pub(crate) use tables::power;
pub(crate) use view::View;

/// All questions of a report.
pub(crate) fn views<'a>(report: &Report<'a>) -> Vec<View<'a>> {
    let pairs = report.plan.questions.iter().zip(&report.answers.questions);
    let view = |(index, (question, answer))| View {
        number: index + 1,
        plan: report.plan,
        question,
        answer,
    };
    pairs.enumerate().map(view).collect()
}

/// The section of a question.
pub(crate) fn section(view: &View<'_>, figures: &[Figure], report: &Report<'_>) -> Markup {
    let tasks = view.on_tasks();
    html! {
        section.question id={ "q" (view.number) } aria-labelledby={ "q" (view.number) "-h" } {
            h2 id={ "q" (view.number) "-h" } { (view.number) ". " (rich(&view.answer.title())) }
            (findings(&view.answer.findings))
            (gaps(view))
            @for figure in figures { (figure.on_page()) }
            h3 { "Numbers" }
            @if let Some(table) = view.holds() { (table) }
            (view.effects())
            @for table in &tasks { (table) }
            details {
                summary { "The tests: both intervals, p, and what could have been seen" }
                (view.tests())
                @if let Some(table) = view.tests_of_tasks() { (table) }
            }
            details {
                summary { "By source" }
                (view.by_source())
            }
            details {
                summary { "Controls and the noise floor" }
                (view.noise_floor())
            }
            h3 { "Cost" }
            (view.costs(question_seconds(report, view.question)))
        }
    }
}

/// Findings in the order of the answer, each with what kind it is.
pub(crate) fn findings(findings: &[Finding]) -> Markup {
    html! {
        @if !findings.is_empty() {
            ul.findings {
                @for finding in findings {
                    li.(class(finding.kind)) {
                        strong.kind { (kind(finding.kind)) } " " span { (rich(&finding.text)) }
                    }
                }
            }
        }
    }
}

fn kind(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Recommendation => "Recommendation",
        FindingKind::Harmful => "Harm",
        FindingKind::Trade => "Trade",
        FindingKind::Redundant => "Redundant",
        FindingKind::Idle => "Not missed",
        FindingKind::Effect => "Effect",
        FindingKind::Null => "Not distinguishable",
        FindingKind::Ranking => "Ranking",
        FindingKind::Front => "Trade-off",
        FindingKind::Cost => "Cost",
        FindingKind::Caution => "Caution",
    }
}

fn class(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Recommendation => "recommendation",
        FindingKind::Caution | FindingKind::Harmful => "caution",
        FindingKind::Redundant | FindingKind::Idle => "spare",
        _ => "finding",
    }
}

fn gaps(view: &View<'_>) -> Markup {
    let gaps: &[Gap] = &view.answer.gaps;
    html! {
        @if !gaps.is_empty() {
            details.gaps open {
                summary { "Not compared (" (gaps.len()) ")" }
                ul {
                    @for gap in gaps {
                        li { (view.arm(gap.arm).label) ", " (gap.what) ": " (rich(&gap.why)) }
                    }
                }
            }
        }
    }
}
