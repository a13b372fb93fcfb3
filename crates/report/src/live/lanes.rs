//! The tree of runs as a list: a row for each branch, its replicates as lanes along the axis of
//! steps.
//!
//! Branch points stand in falling order, so that no line from the trunk crosses a branch. Places
//! are shares of the width, so that the list fits any screen.

use std::collections::BTreeMap;

use maud::{Markup, html};
use sparkjoy_base::thousands;

use super::picture::RunPicture;
use super::study::mark;
use super::tree::{Group, Tree, TrunkNode};
use crate::chart::tree::along;

/// How much of the width the steps before the first branch get at most.
const KNEE: f64 = 0.25;

enum Row<'a> {
    Trunk(&'a TrunkNode),
    /// Where branches start, with the lines that pass by on their way down.
    Point {
        step: u64,
        stems: Vec<u64>,
        /// All that starts here, and what goes on from it.
        runs: Vec<&'a str>,
    },
    Branch(Branch<'a>),
}

/// A branch and what is drawn around it.
struct Branch<'a> {
    group: &'a Group,
    /// Lines that pass by.
    passing: Vec<u64>,
    /// Nothing below it starts where it starts.
    last: bool,
    /// Other branches go on from its end.
    grows: bool,
}

/// A trunk's rows, from top to bottom.
fn rows<'a>(tree: &'a Tree, trunk: &'a TrunkNode) -> Vec<Row<'a>> {
    let groups: Vec<&Group> = tree.groups.iter().filter(|g| g.trunk == trunk.run).collect();
    let points = falling(trunk);
    let mut rows = vec![Row::Trunk(trunk)];
    for &point in &points {
        let stems = points.iter().copied().filter(|&other| other <= point).collect();
        let passing: Vec<u64> = points.iter().copied().filter(|&other| other < point).collect();
        let own = groups.iter().copied().filter(|g| g.from == point && g.after.is_none());
        let mut branches = Vec::new();
        grow(&mut branches, &own.collect::<Vec<_>>(), &groups, &passing);
        let of_row = |row: &Branch<'a>| row.group.runs.iter().map(String::as_str);
        let runs = branches.iter().flat_map(of_row).collect();
        rows.push(Row::Point { step: point, stems, runs });
        rows.extend(branches.into_iter().map(Row::Branch));
    }
    rows
}

/// Branches that start together, each followed by what goes on from it.
fn grow<'a>(rows: &mut Vec<Branch<'a>>, own: &[&'a Group], all: &[&'a Group], passing: &[u64]) {
    for (index, &group) in own.iter().enumerate() {
        let last = index + 1 == own.len();
        let goes_on = |g: &&&Group| g.after.as_ref().is_some_and(|run| group.runs.contains(run));
        let next: Vec<&Group> = all.iter().filter(goes_on).copied().collect();
        let (passing_here, grows) = (passing.to_vec(), !next.is_empty());
        rows.push(Branch { group, passing: passing_here, last, grows });
        let mut through = passing.to_vec();
        if !last {
            through.push(group.from);
        }
        grow(rows, &next, all, &through);
    }
}

fn falling(trunk: &TrunkNode) -> Vec<u64> {
    let mut points = trunk.points.clone();
    points.sort_unstable_by(|a, b| b.cmp(a));
    points
}

/// The list with a place for every row.
pub(crate) fn list(tree: &Tree) -> Markup {
    let mut number = 0..;
    let trunks = tree
        .trunks
        .iter()
        .map(|trunk| number.by_ref().take(rows(tree, trunk).len()).map(name).collect::<Vec<_>>());
    let trunks: Vec<Vec<String>> = trunks.collect();
    html! {
        div #tree.tree {
            @for names in &trunks {
                ul.rows { @for name in names { li id=(name) {} } }
            }
        }
    }
}

/// The list where there is no plan.
pub(crate) fn empty() -> Markup {
    html! { div #tree.tree {} }
}

fn started(tree: &Tree, step: u64) -> String {
    let percent = (100.0 * step as f64 / tree.steps.max(1) as f64).round();
    format!("from step {} ({percent} %)", thousands(step))
}

/// A row's name: after the list's own, so that it comes after the list.
fn name(number: usize) -> String {
    format!("tree-{number:05}")
}

/// The rows, by name.
pub(crate) fn states(tree: &Tree, runs: &BTreeMap<String, RunPicture>) -> Vec<(String, Markup)> {
    let all = tree
        .trunks
        .iter()
        .flat_map(|trunk| rows(tree, trunk).into_iter().map(move |row| (trunk, row)));
    let drawn = all.enumerate().map(|(number, (trunk, row))| {
        let (id, axis) = (name(number), Axis::of(tree, trunk));
        let row = match row {
            Row::Point { step, stems, runs: here } => html! {
                li.point.(classes(here.into_iter(), runs)) id=(id) {
                    span { (started(tree, step)) }
                    div.lane {
                        svg aria-hidden="true" {
                            @for at in stems { (stem(axis.at(at), 0, 100)) }
                        }
                    }
                }
            },
            Row::Trunk(trunk) => trunk_row(&id, tree, trunk, &axis, runs),
            Row::Branch(branch) => branch_row(&id, tree, &branch, &axis, runs),
        };
        (id, row)
    });
    drawn.collect()
}

fn trunk_row(
    id: &str,
    tree: &Tree,
    trunk: &TrunkNode,
    axis: &Axis,
    runs: &BTreeMap<String, RunPicture>,
) -> Markup {
    let points = falling(trunk);
    html! {
        li.row.trunk.(classes([trunk.run.as_str()].into_iter(), runs)) id=(id) {
            span.label { b { (trunk.run) } }
            div.lane {
                svg aria-hidden="true" {
                    @for &point in &points { (stem(axis.at(point), 50, 100)) }
                    (track(&trunk.run, trunk.from, trunk.to, axis, 0.0, 6.0, runs))
                    @for &point in &points {
                        circle.knot cx=(share(axis.at(point))) cy="50%" r="4" {}
                    }
                }
            }
            span.runs { (link(tree, &trunk.run, &trunk.run, "", runs)) }
        }
    }
}

fn branch_row(
    id: &str,
    tree: &Tree,
    branch: &Branch<'_>,
    axis: &Axis,
    runs: &BTreeMap<String, RunPicture>,
) -> Markup {
    let group = branch.group;
    let count = group.runs.len() as f64;
    let thick = (20.0 / count - 2.0).clamp(2.0, 5.0);
    let control = if group.control { ", control" } else { "" };
    html! {
        li.row.(classes(group.runs.iter().map(String::as_str), runs)) id=(id) {
            span.label {
                b { (group.label) } " " (group.window)
                @if group.control { span.tag { "control" } }
            }
            div.lane {
                svg aria-hidden="true" {
                    @for &point in &branch.passing { (stem(axis.at(point), 0, 100)) }
                    (stem(axis.at(group.from), 0, if branch.last { 50 } else { 100 }))
                    @if branch.grows { (stem(axis.at(group.to), 50, 100)) }
                    @for (index, run) in group.runs.iter().enumerate() {
                        @let y = (index as f64 - (count - 1.0) / 2.0) * (thick + 2.0);
                        (track(run, group.from, group.to, axis, y, thick, runs))
                    }
                }
            }
            span.runs {
                @for (index, run) in group.runs.iter().enumerate() {
                    @let words = format!("{} {}, replicate {index}{control}", group.label,
                        group.window);
                    (link(tree, run, &words, &format!("r{index}"), runs))
                }
            }
        }
    }
}

/// States of a row's runs, by which rows are chosen to be shown.
fn classes<'a>(
    of_row: impl Iterator<Item = &'a str>,
    runs: &BTreeMap<String, RunPicture>,
) -> String {
    let mut states: Vec<&str> =
        of_row.filter_map(|run| Some(runs.get(run)?.state.name())).collect();
    states.sort_unstable();
    states.dedup();
    states.iter().map(|state| format!("has-{state}")).collect::<Vec<_>>().join(" ")
}

/// A run's lane, filled as far as it is; `y`: pixels below the middle of the row.
fn track(
    run: &str,
    from: u64,
    to: u64,
    axis: &Axis,
    y: f64,
    thick: f64,
    runs: &BTreeMap<String, RunPicture>,
) -> Markup {
    let shift = format!("translate(0 {:.1})", y - thick / 2.0);
    let lane = |class: &str, until: u64| {
        html! {
            rect class=(class) x=(share(axis.at(from))) y="50%" transform=(shift) rx="1"
                width=(share(axis.at(until) - axis.at(from))) height=(format!("{thick:.1}")) {}
        }
    };
    html! {
        (lane("track", to))
        @if let Some(picture) = runs.get(run) {
            (lane(&format!("filled {}", picture.state.name()), picture.step.clamp(from, to)))
        }
    }
}

fn link(
    tree: &Tree,
    run: &str,
    words: &str,
    short: &str,
    runs: &BTreeMap<String, RunPicture>,
) -> Markup {
    let (Some(number), Some(picture)) = (tree.number(run), runs.get(run)) else { return html! {} };
    let (step, to) = (thousands(picture.step), thousands(picture.to));
    let words = format!("{words}: {}, step {step} of {to}", picture.state.word());
    html! {
        a.run href={ "/?run=" (number) } data-run=(number) aria-label=(words) title=(words) {
            (mark(picture.state)) span aria-hidden="true" { (short) }
        }
    }
}

/// Where steps stand, as shares of the width.
struct Axis {
    first: u64,
    steps: u64,
}

impl Axis {
    fn of(tree: &Tree, trunk: &TrunkNode) -> Self {
        let first = trunk.points.iter().copied().min().unwrap_or(tree.steps).min(tree.steps);
        Self { first, steps: tree.steps }
    }

    fn at(&self, step: u64) -> f64 {
        let knee = (self.first as f64 / self.steps.max(1) as f64).min(KNEE);
        along(step, self.first, self.steps, if self.first == self.steps { 1.0 } else { knee })
    }
}

fn share(part: f64) -> String {
    format!("{:.3}%", 100.0 * part)
}

/// A line down from where runs start; ends in percent of the row's height.
fn stem(x: f64, from: u32, to: u32) -> Markup {
    let x = share(x);
    html! { line.stem x1=(x) x2=(x) y1={ (from) "%" } y2={ (to) "%" } {} }
}
