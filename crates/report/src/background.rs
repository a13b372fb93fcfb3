//! What lies behind the answers: the tree of runs, mixtures, epochs, notes, the study itself,
//! machine and identities.

use std::collections::BTreeSet;

use maud::{Markup, html};
use sparkjoy_answers::{Checked, CheckedSource, CheckedTask, Measure, TrunkScore};
use sparkjoy_base::{Ppm, SourceName, bytes, number, thousands};
use sparkjoy_study::Plan;

use crate::Report;
use crate::chart::Figure;
use crate::chart::curves::{Curves, Point, STYLES, Series};
use crate::chart::tree::{TreeFigure, Twig};
use crate::estimate::{Estimate, MEASURES, Unit};
use crate::sentences;
use crate::table::{HtmlTable, figures, words};
use crate::words::rich;

/// The tree of runs, a drawing per trunk.
pub(crate) fn tree(report: &Report<'_>) -> Figure {
    let plan = report.plan;
    let panels = (0..plan.trunks.len()).map(|trunk| {
        let name = (trunk > 0).then(|| plan.trunks[trunk].label.as_str());
        let steps = plan.steps;
        TreeFigure {
            trunk: name.unwrap_or("the study's trunk").to_owned(),
            steps,
            twigs: twigs(report, trunk),
        }
        .panel()
    });
    let rows = plan.branches.iter().map(|branch| {
        let after = branch.after.map_or("trunk".to_owned(), |i| plan.branches[i].name.clone());
        let state = match (branch.compared, report.answers.missing.contains(&branch.name)) {
            (false, _) => "not compared itself",
            (true, true) => "missing",
            (true, false) => "scored",
        };
        let time = report.times.get(&branch.name);
        let cells = vec![
            words(&branch.label),
            words(&branch.window),
            words(&after),
            figures(&thousands(branch.from_step)),
            figures(&thousands(branch.window_steps)),
            words(state),
            figures(&time.map_or("–".to_owned(), |time| sparkjoy_base::duration(time.seconds))),
        ];
        (branch.name.clone(), cells)
    });
    let headers = ["mixture", "window", "goes on from", "from step", "steps", "state", "time"];
    let table = HtmlTable {
        caption: "All branches".to_owned(),
        corner: "branch".to_owned(),
        headers: headers.map(str::to_owned).into(),
        rows: rows.collect(),
    };
    Figure {
        name: "tree".to_owned(),
        caption: html! {
            "The black line is trained once; every branch leaves it where its window begins. Grey \
             stretches are on the trunk's mixture, ×n counts replicates, dashes mark what is not \
             scored."
        },
        panels: panels.collect(),
        table: Some(table.markup()),
    }
}

/// The branches of a trunk, replicates together.
fn twigs(report: &Report<'_>, trunk: usize) -> Vec<Twig> {
    let plan = report.plan;
    let base = plan.trunk().phases[0].mixture.proportions();
    let mut twigs: Vec<(usize, Twig)> = Vec::new();
    let mut twig_of = vec![None; plan.branches.len()];
    for (index, branch) in plan.branches.iter().enumerate() {
        if branch.trunk != trunk {
            continue;
        }
        let known = twigs.iter().position(|(group, _)| *group == branch.group);
        let place = known.unwrap_or_else(|| {
            let twig = Twig {
                label: format!("{}, {}", branch.label, branch.window),
                from: branch.from_step,
                to: branch.from_step + branch.window_steps,
                after: branch.after.and_then(|before| twig_of[before]),
                runs: 0,
                missing: 0,
                control: branch.mixture().proportions() == base,
            };
            twigs.push((branch.group, twig));
            twigs.len() - 1
        });
        twigs[place].1.runs += 1;
        twigs[place].1.missing += usize::from(report.answers.missing.contains(&branch.name));
        twig_of[index] = Some(place);
    }
    twigs.into_iter().map(|(_, twig)| twig).collect()
}

/// The trunk on tasks by step, where it was scored.
pub(crate) fn trunk_on_tasks(report: &Report<'_>) -> Option<Figure> {
    let points = &report.answers.trunk;
    let mut panels = Vec::new();
    let mut rows = Vec::new();
    for (measure, title) in MEASURES {
        let unit = if measure == Measure::Accuracy { Unit::Percent } else { Unit::Score };
        let scores = points.iter().flat_map(|point| &point.scores);
        let names: BTreeSet<&str> =
            scores.filter(|score| score.measure == measure).map(|s| s.task.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let of = |score: &&TrunkScore, name: &str| score.measure == measure && score.task == name;
        let series = |name: &str| {
            let points = points.iter().map(|point| {
                let score = point.scores.iter().find(|score| of(score, name));
                let label = format!("step {}", thousands(point.step));
                let y = score.map(|score| Estimate::alone(score.value, unit));
                Point { x: point.step as f64, label, y }
            });
            Series { name: name.to_owned(), points: points.collect() }
        };
        for few in names.chunks(STYLES).take(2) {
            let curves = Curves {
                title: format!("The trunk: {}", title.to_lowercase()),
                x: "step".to_owned(),
                y: match measure {
                    Measure::Accuracy => "accuracy, %".to_owned(),
                    Measure::Average => "average, guessing 0, perfect 1".to_owned(),
                    Measure::GoldBitsPerByte => "bits per byte (lower is better)".to_owned(),
                },
                series: few.iter().map(|name| series(name)).collect(),
                marked: None,
                x_zero: false,
                y_zero: false,
            };
            panels.push(curves.panel());
        }
        rows.extend(names.iter().map(|name| {
            let cells = series(name).points.into_iter().map(|point| {
                figures(&point.y.map_or("missing".to_owned(), |estimate| estimate.value()))
            });
            let unit = match measure {
                Measure::Accuracy => "accuracy, %",
                Measure::Average => "average",
                Measure::GoldBitsPerByte => "bits per byte",
            };
            (format!("{name}, {unit}"), cells.collect())
        }));
    }
    let table = HtmlTable {
        caption: "The trunk on tasks, by step".to_owned(),
        corner: "task".to_owned(),
        headers: points.iter().map(|point| format!("step {}", thousands(point.step))).collect(),
        rows,
    };
    (!panels.is_empty()).then(|| Figure {
        name: "trunk-tasks".to_owned(),
        caption: html! {
            "The trunk's scores at the steps that were asked for; without intervals."
        },
        panels,
        table: Some(table.markup()),
    })
}

/// The mixtures, each source in a row.
pub(crate) fn mixtures(plan: &Plan) -> Markup {
    let percent = |part: Option<&Ppm>| figures(&part.map_or("–".to_owned(), ToString::to_string));
    let mut sources: Vec<_> = plan.sources.iter().collect();
    sources.sort_by_key(|(name, source)| (source.domain.clone(), (*name).clone()));
    let row = |(name, source): &(&sparkjoy_base::SourceName, &sparkjoy_study::PlanSource)| {
        let shares =
            plan.mixtures.values().map(|mixture| percent(mixture.proportions().get(*name)));
        let domain = words(source.domain.as_str());
        (name.to_string(), std::iter::once(domain).chain(shares).collect())
    };
    let names = plan.mixtures.keys().cloned();
    let table = HtmlTable {
        caption: "Share of each source in each mixture".to_owned(),
        corner: "source".to_owned(),
        headers: std::iter::once("domain".to_owned()).chain(names).collect(),
        rows: sources.iter().map(row).collect(),
    };
    table.markup()
}

/// How often each source is read.
pub(crate) fn epochs(plan: &Plan) -> Markup {
    let mut sources: Vec<_> = plan.sources.iter().collect();
    sources.sort_by_key(|(name, source)| (source.domain.clone(), (*name).clone()));
    let row = |(name, source): &(&sparkjoy_base::SourceName, &sparkjoy_study::PlanSource)| {
        let read = plan.branches.iter().filter_map(|b| Some((b, b.accounts.get(*name)?)));
        let most = read.max_by(|(a, x), (b, y)| {
            x.epochs.total_cmp(&y.epochs).then_with(|| b.name.cmp(&a.name))
        });
        let (epochs, branch) = match most {
            None => ("0".to_owned(), "–".to_owned()),
            Some((branch, account)) => (number(account.epochs, 2), branch.name.clone()),
        };
        let cells = vec![
            words(source.domain.as_str()),
            figures(&source.tokens.to_string()),
            figures(&epochs),
            words(&branch),
            figures(&source.max_epochs.map_or("–".to_owned(), |most| number(most, 2))),
        ];
        (name.to_string(), cells)
    };
    let headers = ["domain", "tokens", "most epochs", "read so by", "allowed"];
    let table = HtmlTable {
        caption:
            "Epochs of each source by the end of the branch that reads it most, trunk included"
                .to_owned(),
        corner: "source".to_owned(),
        headers: headers.map(str::to_owned).into(),
        rows: sources.iter().map(row).collect(),
    };
    table.markup()
}

/// Remarks of the plan.
pub(crate) fn notes(plan: &Plan) -> Markup {
    html! {
        @if plan.notes.is_empty() { p { "The plan has no remarks." } }
        @else {
            ul { @for note in &plan.notes { li { (rich(&note.to_string())) } } }
        }
    }
}

/// Program and machine.
pub(crate) fn machine(report: &Report<'_>) -> Markup {
    let provenance = report.provenance;
    let kernels: Vec<String> = report
        .answers
        .computed
        .iter()
        .map(|group| {
            format!("{} ({} branches)", group.kernels.join(" then "), group.branches.len())
        })
        .collect();
    let shape = &report.plan.shape;
    html! {
        dl.facts {
            div { dt { "sparkjoy" } dd { (provenance.version) } }
            div {
                dt { "results computed by" }
                dd { @if kernels.is_empty() { "–" } @else { (kernels.join("; ")) } }
            }
            div {
                dt { "this report written on" }
                dd { (provenance.cpu.as_deref().unwrap_or("unknown")) }
            }
            div { dt { "system" } dd { (provenance.system.as_deref().unwrap_or("unknown")) } }
            div { dt { "threads" } dd { (provenance.threads) } }
            div {
                dt { "model" }
                dd {
                    (shape.layers) " layers, width " (shape.width) ", " (shape.heads) " heads, \
                        context "
                    (thousands(shape.context as u64)) ", " (thousands(shape.vocab as u64)) " rows \
                        of embedding"
                }
            }
            div {
                dt { "a step" }
                dd {
                    (thousands(report.plan.batch)) " sequences, "
                    (report.plan.tokens_per_step()) " tokens"
                }
            }
            div { dt { "seed" } dd { (report.plan.seed.0) } }
        }
        @if let Some(checked) = &report.answers.contamination { (contamination(checked)) }
        @if report.answers.computed.len() > 1 {
            p.caution {
                "Not one set of instructions computed all that is compared. Each rounds in its own \
                 way, so a difference may hold rounding besides data."
            }
        }
    }
}

/// What of the tasks stands in the training text.
fn contamination(checked: &Checked) -> Markup {
    let row = |(name, source): (&SourceName, &CheckedSource)| {
        let of_task = |task: &CheckedTask| {
            let found = source.contaminated.get(&task.task).copied().unwrap_or(0);
            figures(&thousands(found as u64))
        };
        let cells = checked.tasks.iter().map(of_task);
        let size = [figures(&thousands(source.documents)), figures(&bytes(source.text_bytes))];
        (name.to_string(), size.into_iter().chain(cells).collect())
    };
    let header =
        |task: &CheckedTask| format!("{}, {} items", task.task, thousands(task.items as u64));
    let table = HtmlTable {
        caption: "Items of tasks that stand in the training text of a source".to_owned(),
        corner: "source".to_owned(),
        headers: ["documents", "text"]
            .map(str::to_owned)
            .into_iter()
            .chain(checked.tasks.iter().map(header))
            .collect(),
        rows: checked.sources.iter().map(row).collect(),
    };
    html! {
        @for caution in sentences::cautions(checked) { p.caution { (rich(&caution)) } }
        p { (sentences::contamination_summary(checked)) "." }
        @if !checked.sources.is_empty() {
            details { summary { "Items in training text, by source and task" } (table.markup()) }
        }
    }
}

/// Identities of everything that determines numbers.
pub(crate) fn fingerprints(plan: &Plan) -> Markup {
    let code = |text: String| html! { td { code { (text) } } };
    let row = |what: String, identity: String| (what, vec![code(identity)]);
    let mut rows = vec![
        row("plan".to_owned(), plan.fingerprint().hex()),
        row("tokenizer".to_owned(), plan.trunk().tokenizer.hex()),
        row("trunk".to_owned(), plan.trunk().fingerprint().hex()),
    ];
    rows.extend(plan.trunks[1..].iter().map(|t| row(t.name.clone(), t.spec.fingerprint().hex())));
    rows.extend(plan.sources.iter().flat_map(|(name, source)| {
        let text = row(format!("source {name}"), source.identity.fingerprint.hex());
        let held = source.held_out.map(|held| row(format!("source {name}, held out"), held.hex()));
        std::iter::once(text).chain(held)
    }));
    let branches = plan.branches.iter();
    rows.extend(branches.map(|b| row(format!("branch {}", b.name), b.spec.fingerprint().hex())));
    let table = HtmlTable {
        caption: "Fingerprints".to_owned(),
        corner: "of".to_owned(),
        headers: vec!["fingerprint".to_owned()],
        rows,
    };
    table.markup()
}
