//! The parts of the page about the whole study: what is planned, how far it is, what runs, what
//! failed.

use maud::{Markup, html};
use sparkjoy_answers::Answers;
use sparkjoy_base::{duration, quantity, thousands};

use super::picture::{Doing, Failing, Picture, State};
use super::progress::StudyProgress;
use super::subject::Trouble;
use super::tree::{About, Tree};
use crate::sentences;
use crate::words::rich;

/// Findings of a question that are shown once all is done; the report has all of them.
const SENTENCES: usize = 2;

/// The name of the study, and its plan in a line.
pub(crate) fn head(file: &str, about: Option<&About>) -> Markup {
    html! {
        div #head {
            h1 { @if let Some(about) = about { (about.name) } @else { "sparkjoy" } }
            p.soft {
                @if let Some(about) = about {
                    "plan " (about.plan) " · " (thousands(about.branches as u64)) " branches · "
                    (quantity(about.parameters)) " parameters · " (about.sources) " sources"
                } @else {
                    (file)
                }
            }
        }
    }
}

/// Why there is no plan; nothing is seen of it where there is one.
pub(crate) fn trouble(trouble: Option<&Trouble>) -> Markup {
    html! {
        section #trouble.panel.trouble hidden[trouble.is_none()] aria-labelledby="trouble-title" {
            @if let Some(trouble) = trouble {
                h2 #trouble-title { "There is no plan yet" }
                p.error { (rich(&trouble.error)) }
                @if let Some(hint) = &trouble.hint { p.hint { (rich(hint)) } }
                p.soft { "This page tries again by itself." }
            }
        }
    }
}

/// How far all is, how fast it goes, what runs now.
pub(crate) fn overview(
    file: &str,
    tree: &Tree,
    progress: &StudyProgress,
    doing: &[Doing],
) -> Markup {
    let part = percent(progress);
    html! {
        section #overview.panel aria-labelledby="overview-title" {
            h2 #overview-title.unseen { "The whole study" }
            div.figures {
                @for (number, words) in figures(progress) { p { b { (number) } span { (words) } } }
            }
            svg.gauge role="progressbar" aria-label="training steps of the study"
                aria-valuemin="0" aria-valuemax="100" aria-valuenow=(part.floor()) {
                rect.track width="100%" height="100%" {}
                rect.filled width={ (format!("{part:.2}")) "%" } height="100%" {}
            }
            ul.legend aria-label="Runs by state" {
                @for (state, count) in progress.runs.into_iter().filter(|(_, count)| *count > 0) {
                    li { (mark(state)) " " (thousands(count as u64)) " " (state.word()) }
                }
            }
            ul.now aria-label="What is running" {
                @for one in doing { li { (under_way(tree, one)) } }
                @if doing.is_empty() { li { (standing(file, progress)) } }
            }
        }
    }
}

/// The first sentences of each answer, and the way to all of them; nothing is seen of it before
/// there are any.
pub(crate) fn answers(answers: Option<&Answers>) -> Markup {
    html! {
        section #answers.panel.answers hidden[answers.is_none()] aria-labelledby="answers-title" {
            @if let Some(answers) = answers {
                h2 #answers-title { "What came out" }
                @for answer in &answers.questions {
                    p { strong { (rich(&sentences::title(answer))) } }
                    ul {
                        @for finding in answer.findings.iter().take(SENTENCES) {
                            li { (rich(&sentences::sentence(answer, finding))) }
                        }
                    }
                }
                p { a href="/report.html" { "The whole report" } ", with figures and tables" }
            }
        }
    }
}

/// A state's sign.
pub(crate) fn mark(state: State) -> Markup {
    html! { span.mark.(state.name()) aria-hidden="true" { (state.mark()) } }
}

pub(crate) fn to_run(tree: &Tree, run: &str, words: &str) -> Markup {
    let number = tree.number(run);
    html! {
        @if let Some(number) = number {
            a href={ "/?run=" (number) } data-run=(number) { (words) }
        } @else {
            (words)
        }
    }
}

fn under_way(tree: &Tree, one: &Doing) -> Markup {
    let part = one.part.filter(|(_, all)| *all > 0).map(|(done, all)| {
        let unit = if one.what == "training" { "steps" } else { "items" };
        format!(" · {} of {} {unit}", thousands(done), thousands(all))
    });
    let speed = one.tokens_per_second.map(|speed| format!(" · {}", per_second(speed)));
    html! {
        (mark(State::Running)) " " (to_run(tree, &one.run, &one.job)) " " (one.what)
        (part.unwrap_or_default()) (speed.unwrap_or_default())
        " " span.soft { "process " (one.process) }
    }
}

/// `38.2K tok/s`.
pub(crate) fn per_second(tokens: f64) -> String {
    format!("{} tok/s", quantity(tokens.round() as u64))
}

/// What to type where nothing runs.
fn standing(file: &str, progress: &StudyProgress) -> Markup {
    let begun = progress.runs.iter().any(|(state, n)| *state != State::Missing && *n > 0);
    html! {
        @if progress.all_done() {
            "Everything is done."
        } @else {
            @if begun { "Nothing is running. " } @else { "Nothing has run yet. " }
            code { "sparkjoy run " (file) }
            @if begun { " continues, and tries again what failed." }
            @else { " starts it; this page follows." }
        }
    }
}

fn percent(progress: &StudyProgress) -> f64 {
    let (done, all) = progress.steps;
    if all == 0 { 0.0 } else { (100.0 * done as f64 / all as f64).min(100.0) }
}

/// A large number, and the words below it.
fn figures(progress: &StudyProgress) -> Vec<(String, String)> {
    let part = percent(progress);
    let shown = if (99.0..100.0).contains(&part) { 99.0 } else { part.round() };
    let (done, all) = progress.steps;
    let time = match progress.seconds_left {
        _ if progress.all_done() => ("done".to_owned(), "nothing is missing".to_owned()),
        None => ("–".to_owned(), "known once something has run".to_owned()),
        Some(seconds) => {
            let how = if progress.at_present_speed {
                "left, at the speed of now"
            } else {
                "of work left, at the speed so far"
            };
            let tasks = if progress.without_tasks { ", tasks not counted" } else { "" };
            (duration(seconds), format!("{how}{tasks}"))
        }
    };
    let speed = match progress.tokens_per_second {
        Some(speed) => (per_second(speed), "now".to_owned()),
        None => ("–".to_owned(), "nothing trains now".to_owned()),
    };
    let (read, tokens) = progress.tokens;
    let of = |(done, all): (usize, usize)| format!("{done} of {all}");
    let mut figures = vec![
        (format!("{shown} %"), format!("{} of {} steps", thousands(done), thousands(all))),
        time,
        speed,
        (quantity(read), format!("of {} tokens", quantity(tokens))),
        (of(progress.scores), "branches scored".to_owned()),
    ];
    if progress.tasks.1 > 0 {
        figures.push((of(progress.tasks), "models scored on tasks".to_owned()));
    }
    figures
}

pub(crate) fn title(about: Option<&About>, progress: Option<&StudyProgress>) -> String {
    match (about, progress) {
        (Some(about), Some(progress)) if progress.all_done() => {
            format!("✓ {} · sparkjoy", about.name)
        }
        (Some(about), Some(progress)) => {
            format!("{} % {} · sparkjoy", percent(progress).floor(), about.name)
        }
        _ => "sparkjoy".to_owned(),
    }
}

/// What is said aloud: rarely, and only what matters.
pub(crate) fn news(picture: &Picture, progress: &StudyProgress) -> Markup {
    html! {
        p #news.unseen role="status" {
            @if let Some(last) = picture.failing.last() { (last.job) " has failed." }
            @else if progress.all_done() { "All runs are done." }
        }
    }
}

/// What failed and why; nothing is seen of it where nothing did.
pub(crate) fn failing(tree: &Tree, failing: &[Failing]) -> Markup {
    html! {
        section #failing.panel.failing hidden[failing.is_empty()] aria-labelledby="failing-title" {
            h2 #failing-title { "Failed" }
            ul {
                @for one in failing {
                    li {
                        (to_run(tree, &one.run, &one.job))
                        p.error { (rich(&one.error)) }
                        @if !one.rows.is_empty() {
                            p.soft { "The batch it failed on, largest losses first:" }
                            ul.batch { @for row in &one.rows { li { (row) } } }
                        }
                        @if let Some(hint) = &one.hint { p.hint { (rich(hint)) } }
                    }
                }
            }
        }
    }
}
