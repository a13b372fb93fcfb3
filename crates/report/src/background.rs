//! What lies behind the answers: the tree of runs, mixtures, epochs, notes, the study itself,
//! machine and identities.

use std::collections::BTreeSet;

use maud::{Markup, html};
use sparkjoy_answers::{Checked, CheckedTask, Measure, TrunkScore};
use sparkjoy_base::{Fingerprint, Ppm, SourceName, bytes, number, thousands};
use sparkjoy_study::{Plan, PlanSource};

use crate::Report;
use crate::chart::Figure;
use crate::chart::curves::{Curves, Point, Series, shared_out};
use crate::chart::tree::{TreeFigure, Twig};
use crate::estimate::{Estimate, MEASURES, Unit};
use crate::sentences;
use crate::table::{Cell, Table};
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
    let headers =
        ["<branch", "<mixture", "<window", "<goes on from", "from step", "steps", "<state", "time"];
    let mut table = Table::new(headers).captioned("All branches");
    for branch in &plan.branches {
        let after = branch.after.map_or("trunk".to_owned(), |i| plan.branches[i].name.clone());
        let state = match (branch.compared, report.answers.missing.contains(&branch.name)) {
            (false, _) => "not compared itself",
            (true, true) => "missing",
            (true, false) => "scored",
        };
        let time = report.times.get(&branch.name);
        table.row([
            branch.name.clone(),
            branch.label.clone(),
            branch.window.clone(),
            after,
            thousands(branch.from_step),
            thousands(branch.window_steps),
            state.to_owned(),
            time.map_or("–".to_owned(), |time| sparkjoy_base::duration(time.seconds)),
        ]);
    }
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
    let steps = points.iter().map(|point| format!("step {}", thousands(point.step)));
    let mut table = Table::new(std::iter::once("<task".to_owned()).chain(steps))
        .captioned("The trunk on tasks, by step");
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
        for (part, few) in shared_out(&names, 2) {
            let curves = Curves {
                title: format!("The trunk: {}{part}", title.to_lowercase()),
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
        let unit = match measure {
            Measure::Accuracy => "accuracy, %, ↑ better",
            Measure::Average => "average, ↑ better",
            Measure::GoldBitsPerByte => "bits per byte, ↓ better",
        };
        for name in names {
            let cells = series(name).points.into_iter().map(|point| {
                point.y.map_or("missing".to_owned(), |estimate| estimate.value()).into()
            });
            table.named(format!("{name}, {unit}"), cells);
        }
    }
    (!panels.is_empty()).then(|| Figure {
        name: "trunk-tasks".to_owned(),
        caption: html! {
            "The trunk's scores at the steps that were asked for; without intervals."
        },
        panels,
        table: Some(table.markup()),
    })
}

/// The mixtures, each source that something may train on in a row.
pub(crate) fn mixtures(plan: &Plan) -> Markup {
    let percent = |part: Option<&Ppm>| part.map_or("–".to_owned(), ToString::to_string);
    let names = plan.mixtures.keys().map(String::as_str);
    let mut table = Table::new(["<source", "<domain"].into_iter().chain(names))
        .captioned("Share of each source in each mixture");
    for (name, source) in by_domain(plan) {
        let shares = plan.mixtures.values().map(|mixture| percent(mixture.proportions().get(name)));
        table.row([name.to_string(), source.domain.to_string()].into_iter().chain(shares));
    }
    table.markup()
}

fn by_domain(plan: &Plan) -> Vec<(&SourceName, &PlanSource)> {
    let mut sources: Vec<_> = plan.seen().collect();
    sources.sort_by_key(|(name, source)| (&source.domain, *name));
    sources
}

/// How often each source is read.
pub(crate) fn epochs(plan: &Plan) -> Markup {
    let headers = ["<source", "<domain", "tokens", "most epochs", "<read so by", "allowed"];
    let mut table = Table::new(headers).captioned(
        "Epochs of each source by the end of the branch that reads it most, trunk included",
    );
    for (name, source) in by_domain(plan) {
        let read = plan.branches.iter().filter_map(|b| Some((b, b.accounts.get(name)?)));
        let most = read.max_by(|(a, x), (b, y)| {
            x.epochs.total_cmp(&y.epochs).then_with(|| b.name.cmp(&a.name))
        });
        let (epochs, branch) = match most {
            None => ("0".to_owned(), "–".to_owned()),
            Some((branch, account)) => (number(account.epochs, 2), branch.name.clone()),
        };
        table.row([
            name.to_string(),
            source.domain.to_string(),
            source.tokens.to_string(),
            epochs,
            branch,
            source.max_epochs.map_or("–".to_owned(), |most| number(most, 2)),
        ]);
    }
    table.markup()
}

pub(crate) fn notes(plan: &Plan) -> Markup {
    html! {
        @if plan.notes.is_empty() { p { "The plan has no remarks." } }
        @else {
            ul { @for note in &plan.notes { li { (rich(&note.to_string())) } } }
        }
    }
}

pub(crate) fn machine(report: &Report<'_>) -> Markup {
    let provenance = report.provenance;
    let kernels: Vec<String> = report
        .answers
        .computed
        .iter()
        .map(|group| {
            let kernels = match group.kernels.as_slice() {
                [] => "not known, as checkpoints are gone".to_owned(),
                kernels => kernels.join(" then "),
            };
            format!("{kernels} ({} branches)", group.branches.len())
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
    let header =
        |task: &CheckedTask| format!("{}, {} items", task.task, thousands(task.items as u64));
    let headers = ["<source", "documents", "text"].map(str::to_owned).into_iter();
    let mut table = Table::new(headers.chain(checked.tasks.iter().map(header)))
        .captioned("Items of tasks that stand in the training text of a source");
    for (name, source) in &checked.sources {
        let of_task = |task: &CheckedTask| {
            thousands(source.contaminated.get(&task.task).copied().unwrap_or(0) as u64)
        };
        let size = [name.to_string(), thousands(source.documents), bytes(source.text_bytes)];
        table.row(size.into_iter().chain(checked.tasks.iter().map(of_task)));
    }
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
    let mut table = Table::new(["<of", "<fingerprint"]).captioned("Fingerprints");
    let mut row = |what: &str, identity: Fingerprint| {
        let text = identity.hex();
        let page = Some(html! { td { code { (text) } } });
        table.named(what, [Cell { text, page }]);
    };
    row("plan", plan.fingerprint());
    row("tokenizer", plan.trunk().tokenizer);
    row("trunk", plan.trunk().fingerprint());
    for trunk in &plan.trunks[1..] {
        row(&trunk.name, trunk.spec.fingerprint());
    }
    for (name, source) in &plan.sources {
        if !source.unseen {
            row(&format!("source {name}"), source.identity.fingerprint);
        }
        if let Some(held_out) = source.held_out {
            row(&format!("source {name}, held out"), held_out);
        }
    }
    for branch in &plan.branches {
        row(&format!("branch {}", branch.name), branch.spec.fingerprint());
    }
    table.markup()
}
