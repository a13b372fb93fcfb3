//! A question of the study: what was found, its figures, its tables, what it cost.

mod figures;
mod scores;
mod tables;
mod view;

use maud::{Markup, html};
use sparkjoy_answers::{Answer, Finding, Gap};

use crate::Report;
use crate::chart::Figure;
use crate::cost::question_seconds;
use crate::decisions::{decision_table, surface_table};
use crate::sentences::{Heading, cause, columns, next_mixture, sentence, title};
use crate::words::rich;

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

pub(crate) fn section(view: &View<'_>, figures: &[Figure], report: &Report<'_>) -> Markup {
    let tasks = view.on_tasks();
    let scores = view.as_in_the_paper();
    html! {
        section.question id={ "q" (view.number) } aria-labelledby={ "q" (view.number) "-h" } {
            h2 id={ "q" (view.number) "-h" } { (view.number) ". " (rich(&title(view.answer))) }
            (findings(view.answer, &view.answer.findings.iter().collect::<Vec<_>>(), sentence))
            @if let Some(table) = decision_table(view.answer) { (table.markup()) }
            @if let Some(table) = surface_table(view.answer) { (table.markup()) }
            @if let Some(mixture) = next_mixture(view.answer) {
                p { "To train next, as a part of the study:" }
                pre tabindex="0" role="group" aria-label="The mixture to train next" {
                    code { (mixture) }
                }
            }
            (gaps(view))
            @for figure in figures { (figure.on_page()) }
            h3 { "Numbers" }
            @if let Some(columns) = columns(view.answer) { p.soft { (rich(&columns)) "." } }
            @if let Some(table) = view.holds() { (table) }
            (view.effects())
            @for table in &tasks { (table) }
            @for table in &scores { (table) }
            details {
                summary { "The tests: intervals, p, and minimum detectable effects" }
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

/// Sentences of findings, each with its heading. `say`: the sentence of one.
pub(crate) fn findings(
    answer: &Answer,
    findings: &[&Finding],
    say: fn(&Answer, &Finding) -> String,
) -> Markup {
    html! {
        @if !findings.is_empty() {
            ul.findings {
                @for finding in findings {
                    @let heading = Heading::of(finding);
                    li.(class(heading)) {
                        strong.kind { (heading.word()) } " "
                        span { (rich(&say(answer, finding))) }
                    }
                }
            }
        }
    }
}

fn class(heading: Heading) -> &'static str {
    match heading {
        Heading::LargestGain | Heading::Decision => "largest-gain",
        Heading::Caution | Heading::Harm => "caution",
        Heading::Redundant | Heading::NoLoss => "spare",
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
                        li { (view.arm(gap.arm).label) ", " (gap.what) ": " (rich(&cause(&gap.why))) }
                    }
                }
            }
        }
    }
}
