//! The answers of a study in sentences, tables and figures: on a terminal, as files for machines,
//! as one page, and live while it runs.
//!
//! Sentences are made here, from typed findings (`sentences`). The page is one file without scripts
//! and without anything from elsewhere, so that it can be sent, archived and printed. Its figures
//! are also files of their own, for papers. Everything that is shown comes from plan and answers;
//! only machine and times are told from outside.

mod background;
mod chart;
mod cost;
mod csv;
mod decisions;
mod estimate;
mod files;
mod glossary;
pub mod live;
mod losses;
mod question;
mod reference;
mod scale;
pub mod sentences;
mod summary;
mod table;
mod terminal;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sparkjoy_answers::Answers;
use sparkjoy_base::{FileError, sweep, write_atomic};
use sparkjoy_jobs::JobTime;
use sparkjoy_study::Plan;

use chart::{Figure, theme};
use question::View;
use words::rich;

pub use csv::report_csv;
pub use files::write_report;
pub use reference::{TrainedModel, read_models};
pub use table::{Cell, Table};
pub use terminal::{report_text, wrap};

const STYLE: &str = include_str!("style.css");

/// What a page is made of.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The study resolved.
    pub plan: &'a Plan,
    /// What was found.
    pub answers: &'a Answers,
    /// The study file as written.
    pub study: &'a str,
    /// What each job has cost, by name.
    pub times: &'a BTreeMap<String, JobTime>,
    /// Who wrote the page.
    pub provenance: &'a Provenance,
    /// The folder of runs, for their losses.
    pub runs: &'a Path,
    /// What was built into the study's text, next to what was found, where that is known; and the
    /// counts of both.
    pub truth: Option<&'a (Table, String)>,
    /// Models of the user's to show beside the study, besides the open models that ship.
    pub models: &'a [TrainedModel],
}

/// The program and the machine that write a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// Version of the program.
    pub version: String,
    /// Name of the processor, where the system tells.
    pub cpu: Option<String>,
    /// The operating system, where it tells.
    pub system: Option<String>,
    /// Threads computed with.
    pub threads: usize,
}

/// A figure as a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// `q1-curves.svg`.
    pub file: String,
    /// A whole SVG document, in light colours.
    pub svg: String,
}

/// The page, and its figures as files of their own.
pub fn page(report: &Report<'_>) -> (String, Vec<Drawing>) {
    let views = question::views(report);
    let by_question: Vec<Vec<Figure>> = views.iter().map(View::figures).collect();
    let tree = background::tree(report);
    let trunk = background::trunk_on_tasks(report);
    let flops = reference::flops::figure(report);
    let losses = losses::figure(report.plan, report.runs);
    let of_paper = |view: &View<'_>| reference::figure(view.plan, view.answer, view.number);
    let paper: Vec<Figure> = views.iter().filter_map(of_paper).collect();
    let all =
        by_question.iter().flatten().chain(&trunk).chain(&flops).chain([&tree]).chain(&losses);
    let all = all.chain(&paper);
    let drawing =
        |figure: &Figure| Drawing { file: format!("{}.svg", figure.name), svg: figure.alone() };
    let drawings = all.map(drawing).collect();
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
                title { (report.plan.name) " · sparkjoy report" }
                link rel="icon" href="data:,";
                style { (PreEscaped(style())) }
            }
            body {
                a.skip href="#main" { "Skip to the answers" }
                header {
                    h1 { (report.plan.name) }
                    p.soft {
                        "Report of a sparkjoy study · plan " code { (report.answers.plan) }
                    }
                }
                @let drawn = [&trunk, &flops, &losses].map(Option::is_some);
                (contents(report, &views, drawn, !paper.is_empty()))
                main #main tabindex="-1" {
                    (summary::missing(report))
                    (summary::answers(report, &views))
                    @if let Some((truth, counts)) = report.truth {
                        section #truth aria-labelledby="truth-h" {
                            h2 #truth-h { (TRUTH) }
                            (truth.clone().captioned(TOLD).markup())
                            p { (counts) "." }
                        }
                    }
                    @for (view, figures) in views.iter().zip(&by_question) {
                        (question::section(view, figures, report))
                    }
                    @if let Some(figure) = &trunk {
                        section #trunk-on-tasks aria-labelledby="trunk-h" {
                            h2 #trunk-h { "The trunk on tasks" }
                            (figure.on_page())
                        }
                    }
                    @if let Some(figure) = &flops {
                        section #among-models aria-labelledby="among-models-h" {
                            h2 #among-models-h { (AMONG_MODELS) }
                            (figure.on_page())
                        }
                    }
                    @if let Some(figure) = &losses {
                        section #training aria-labelledby="training-h" {
                            h2 #training-h { (LOSSES) }
                            (figure.on_page())
                        }
                    }
                    (behind(report, &tree))
                    @if !paper.is_empty() {
                        section #paper aria-labelledby="paper-h" {
                            h2 #paper-h { (PAPER) }
                            @for figure in &paper { (figure.on_page()) }
                            @for view in &views {
                                @for table in reference::printed(view.plan, view.answer) { (table) }
                            }
                        }
                    }
                    (glossary::section(report.plan.unseen().next().is_some()))
                }
            }
        }
    };
    (markup.into_string(), drawings)
}

/// Writes `report.html` and `figures/*.svg` into a study's folder; returns the page's path.
///
/// # Errors
///
/// If a file cannot be written.
pub fn write_page(report: &Report<'_>, folder: &Path) -> Result<PathBuf, FileError> {
    let (html, drawings) = page(report);
    let figures = folder.join("figures");
    for folder in [folder, &figures] {
        sweep(folder);
    }
    for drawing in drawings {
        write_atomic(&figures.join(drawing.file), drawing.svg.as_bytes())?;
    }
    let path = folder.join("report.html");
    write_atomic(&path, html.as_bytes())?;
    Ok(path)
}

fn style() -> String {
    let (light, dark) = (theme::variables(false), theme::variables(true));
    format!(
        ":root{{{light}}}\n@media screen and \
         (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{STYLE}{}",
        theme::on_page()
    )
}

const TRUTH: &str = "What was built in, and what was found";
const TOLD: &str = "Fewer bits are better; a star marks what is significant after Holm";
const AMONG_MODELS: &str = "Scores against training FLOPs, beside open models";
const LOSSES: &str = "Training losses";
/// What is not the study's own stands behind all that is.
const PAPER: &str = "Results of the paper, not of this study";

fn contents(
    report: &Report<'_>,
    views: &[View<'_>],
    [trunk, flops, losses]: [bool; 3],
    paper: bool,
) -> Markup {
    html! {
        nav aria-label="Contents" {
            ul {
                li { a href="#answers" { "Asked and answered" } }
                @if report.truth.is_some() { li { a href="#truth" { (TRUTH) } } }
                @for view in views {
                    @let title = rich(&sentences::title(view.answer));
                    li { a href={ "#q" (view.number) } { (view.number) ". " (title) } }
                }
                @if trunk { li { a href="#trunk-on-tasks" { "The trunk on tasks" } } }
                @if flops { li { a href="#among-models" { (AMONG_MODELS) } } }
                @if losses { li { a href="#training" { (LOSSES) } } }
                @for (id, title) in BEHIND {
                    li { a href={ "#" (id) } { (title) } }
                }
                @if paper { li { a href="#paper" { (PAPER) } } }
                li { a href="#words" { "Words" } }
            }
        }
    }
}

/// Sections behind the answers.
const BEHIND: [(&str, &str); 8] = [
    ("runs", "The tree of runs"),
    ("mixtures", "Mixtures"),
    ("epochs", "Epochs"),
    ("notes", "Notes of the plan"),
    ("study", "The study file"),
    ("machine", "Machine and versions"),
    ("fingerprints", "Fingerprints"),
    ("again", "How to do it again"),
];

fn behind(report: &Report<'_>, tree: &Figure) -> Markup {
    let plan = report.plan;
    let contents: [Markup; 8] = [
        tree.on_page(),
        background::mixtures(plan),
        background::epochs(plan),
        background::notes(plan),
        html! {
            pre tabindex="0" role="group" aria-label="The study file" { code { (report.study) } }
        },
        background::machine(report),
        html! { details { summary { "All fingerprints" } (background::fingerprints(plan)) } },
        html! {
            ol {
                li { "Save the study file above as " code { "study.toml" } "." }
                li {
                    "Put the text of its sources where it says, or name the folder with "
                    code { "--data" } "."
                }
                li {
                    "Compare: " code { "sparkjoy plan study.toml" } " must name plan "
                    code { (report.answers.plan) } "; another one means other text or another \
                        study."
                }
                li {
                    code { "sparkjoy run study.toml" } " trains what is missing and writes this \
                        page again. On the same kernel all numbers are the same to the bit; \
                        machine and times are not."
                }
            }
        },
    ];
    html! {
        @for ((id, title), content) in BEHIND.into_iter().zip(contents) {
            section id=(id) aria-labelledby={ (id) "-h" } {
                h2 id={ (id) "-h" } { (title) }
                (content)
            }
        }
    }
}
