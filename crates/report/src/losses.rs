//! Training losses on the page: of each trunk, and of branches over the same steps.

use std::path::{Path, PathBuf};

use maud::{Markup, html};
use sparkjoy_base::counted;
use sparkjoy_jobs::{branch_folder, trunk_folder};
use sparkjoy_study::Plan;

use crate::chart::curves::shared_out;
use crate::chart::draw::{fit, text};
use crate::chart::trace::{Sample, Trace, Traces};
use crate::chart::{Figure, Panel};
use crate::live::Tail;

/// Drawings at most.
const PANELS: usize = 12;
/// Of the curves of a drawing, in units of the figure.
const SIZE: (f64, f64) = (400.0, 220.0);
/// Above them: the title, and two rows of names.
const HEAD: f64 = 52.0;

/// Runs over the same steps.
struct Beside {
    title: String,
    /// First and last step.
    steps: (u64, u64),
    /// Names and folders.
    runs: Vec<(String, PathBuf)>,
}

/// The losses of all runs that have any. Of replicates, the first.
///
/// - `runs`: the folder of runs.
pub(crate) fn figure(plan: &Plan, runs: &Path) -> Option<Figure> {
    let mut panels: Vec<Panel> = all(plan, runs).iter().flat_map(drawn).collect();
    let left_out = panels.len().saturating_sub(PANELS);
    panels.truncate(PANELS);
    (!panels.is_empty()).then(|| Figure {
        name: "losses".to_owned(),
        caption: html! {
            "Nats per token of the training batches, of the first replicate. A thin line goes \
             through what was measured, a bold one is its moving mean. Each mixture has batches of \
             its own, so that losses of two mixtures do not tell which is better."
            @if left_out > 0 { " " (counted(left_out as u64, "more drawing")) " are left out." }
        },
        panels,
        table: None,
    })
}

/// Trunks, then branches by their window.
fn all(plan: &Plan, runs: &Path) -> Vec<Beside> {
    let trunks = plan.trunks.iter().enumerate().map(|(index, trunk)| {
        let last = plan.branch_points_of(index).last().copied();
        Beside {
            title: "Trunk".to_owned(),
            steps: (trunk.spec.first_step, last.unwrap_or(trunk.spec.first_step)),
            runs: vec![(trunk.name.clone(), trunk_folder(&trunk.spec, runs))],
        }
    });
    let mut windows: Vec<Beside> = Vec::new();
    for branch in plan.branches.iter().filter(|branch| branch.replicate == 0) {
        let steps = (branch.from_step, branch.from_step + branch.window_steps);
        let after = plan.trunks.get(branch.trunk).filter(|_| branch.trunk > 0);
        let title = match after {
            Some(trunk) => format!("Window {}, {}", branch.window, trunk.label),
            None => format!("Window {}", branch.window),
        };
        let run = (branch.label.clone(), branch_folder(branch, runs));
        match windows.iter_mut().find(|known| known.steps == steps && known.title == title) {
            Some(known) => known.runs.push(run),
            None => windows.push(Beside { title, steps, runs: vec![run] }),
        }
    }
    trunks.chain(windows).collect()
}

/// As many drawings as the curves need; none where nothing was measured.
fn drawn(beside: &Beside) -> Vec<Panel> {
    let traces: Vec<Trace> = beside.runs.iter().filter_map(trace).collect();
    let parts = shared_out(&traces, PANELS).into_iter();
    let panel = |(part, traces): (String, &[Trace])| {
        let curves = Traces {
            quantity: "training loss",
            runs: traces.to_vec(),
            steps: beside.steps,
            size: SIZE,
            axis: true,
            smooth: true,
        };
        let Panel { width, height, title, desc, body, .. } = curves.panel();
        let heading = format!("{}{part}", beside.title);
        Panel {
            width,
            height: height + HEAD,
            title: format!("{heading}: {title}"),
            desc,
            body: html! {
                (text("head", (0.0, 14.0), &heading))
                (names(traces))
                g transform={ "translate(0 " (HEAD) ")" } { (body) }
            },
            narrow: None,
        }
    };
    parts.map(panel).collect()
}

/// The names of curves, in their colours.
fn names(traces: &[Trace]) -> Markup {
    let half = SIZE.0 / 2.0;
    html! {
        @for (index, trace) in traces.iter().enumerate() {
            @let place = (half * (index % 2) as f64, 32.0 + 15.0 * (index / 2) as f64);
            (text(&format!("small t{}", index + 1), place, &fit(&trace.name, 11.0, half - 10.0)))
        }
    }
}

/// What a run measured, if anything.
fn trace((name, folder): &(String, PathBuf)) -> Option<Trace> {
    let mut tail = Tail::new(folder);
    while tail.read_on() && tail.behind {}
    let points = tail.curve.points().iter();
    let samples: Vec<Sample> = points
        .map(|point| {
            let range = (point.least < point.most).then_some([point.least, point.most]);
            Sample { step: point.last_step, value: point.loss, range }
        })
        .collect();
    (!samples.is_empty()).then(|| Trace { name: name.clone(), samples })
}
