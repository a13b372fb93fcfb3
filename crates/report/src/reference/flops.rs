//! Scores against training FLOPs, as Figure 1 of the paper: trunk, branches and controls of a
//! study beside models that others trained.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use sparkjoy_answers::Measure;
use sparkjoy_base::{Tokens, quantity, scientific};
use sparkjoy_study::Plan;

use super::models::{TrainedModel, open_models, training_flops};
use crate::Report;
use crate::chart::Figure;
use crate::chart::cloud::{Cloud, Kind, Spot};
use crate::estimate::{Estimate, Unit};
use crate::table::Table;

/// Panels at most; other tasks are in the table.
const PANELS: usize = 6;

/// What a number is called, and what it measures.
type Key = (Measure, String);

/// Something that was trained and scored.
struct Scored {
    name: String,
    kind: Kind,
    parameters: f64,
    tokens: f64,
    scores: BTreeMap<Key, f64>,
}

impl Scored {
    fn flops(&self) -> f64 {
        training_flops(self.parameters, self.tokens)
    }
}

/// The figure, if the study is scored on something that other models are.
pub(crate) fn figure(report: &Report<'_>) -> Option<Figure> {
    let models: Vec<(Kind, TrainedModel)> = open_models()
        .into_iter()
        .map(|model| (Kind::Open, model))
        .chain(report.models.iter().map(|model| (Kind::Own, model.clone())))
        .collect();
    let runs = runs(report);
    let known = |name: &str| models.iter().any(|(_, model)| model.scores.contains_key(name));
    let measured: BTreeSet<Key> = runs.iter().flat_map(|run| run.scores.keys()).cloned().collect();
    let mut shared: Vec<&Key> = measured.iter().filter(|(_, name)| known(name)).collect();
    if shared.is_empty() {
        return None;
    }
    let order = tasks(report);
    shared.sort_by_key(|(measure, name)| {
        (*measure, order.iter().position(|(task, _)| task == name), name.clone())
    });
    let others = models.iter().map(|(kind, model)| Scored {
        name: model.name.clone(),
        kind: *kind,
        parameters: model.parameters,
        tokens: model.tokens,
        scores: shared
            .iter()
            .filter_map(|key| Some(((*key).clone(), model.scores.get(&key.1)?.value)))
            .collect(),
    });
    let all: Vec<Scored> = runs.into_iter().chain(others).collect();
    Some(Figure {
        name: "flops".to_owned(),
        caption: caption(report, &models, &shared),
        panels: shared.iter().take(PANELS).map(|key| cloud(key, &all).panel()).collect(),
        table: Some(table(&shared, &all)),
    })
}

/// The study's own, each run once, the mean of its replicates.
fn runs(report: &Report<'_>) -> Vec<Scored> {
    let plan = report.plan;
    let mut runs: BTreeMap<usize, Scored> = BTreeMap::new();
    for (question, answer) in plan.questions.iter().zip(&report.answers.questions) {
        for task in &answer.tasks {
            if task.measure == Measure::GoldBitsPerByte {
                continue;
            }
            for (arm, cell) in question.arms.iter().zip(&task.cells) {
                let Some(cell) = cell else { continue };
                let of = [
                    (Kind::Control, &arm.controls, &cell.control),
                    (Kind::Branch, &arm.branches, &cell.branch),
                ];
                for (kind, branches, spread) in of {
                    let branch = &plan.branches[branches[0]];
                    let tokens = branch.spec.last_step() * branch.spec.tokens_per_step();
                    let run = runs.entry(branch.group).or_insert_with(|| Scored {
                        name: run_name(plan, branches[0]),
                        kind,
                        parameters: branch.spec.model.parameters() as f64,
                        tokens: tokens as f64,
                        scores: BTreeMap::new(),
                    });
                    // Asked about in one question, a run is a branch, whatever it is elsewhere.
                    if kind == Kind::Branch {
                        run.kind = kind;
                    }
                    run.scores.insert((task.measure, task.task.clone()), spread.mean);
                }
            }
        }
    }
    let trunk = plan.trunk();
    let points = report.answers.trunk.iter().map(|point| {
        let scores = point.scores.iter();
        let scores = scores.filter(|score| score.measure != Measure::GoldBitsPerByte);
        Scored {
            name: format!("trunk, step {}", sparkjoy_base::thousands(point.step)),
            kind: Kind::Trunk,
            parameters: trunk.model.parameters() as f64,
            tokens: (point.step * trunk.tokens_per_step()) as f64,
            scores: scores
                .map(|score| ((score.measure, score.task.clone()), score.value))
                .collect(),
        }
    });
    points.chain(runs.into_values()).collect()
}

/// What a table of scores calls a run: `upsampled, 10%`.
///
/// - `branch`: one of its replicates.
pub(crate) fn run_name(plan: &Plan, branch: usize) -> String {
    let branch = &plan.branches[branch];
    let of_trunk = match branch.trunk {
        0 => String::new(),
        other => format!(", {}", plan.trunks[other].label),
    };
    format!("{}, {}{of_trunk}", branch.label, branch.window)
}

/// The tasks of the study in its order, each with its examples.
fn tasks(report: &Report<'_>) -> Vec<(String, usize)> {
    let tasks = report.plan.evaluation.tasks.iter().flat_map(|tasks| &tasks.selection.tasks);
    tasks.map(|task| (task.name.clone(), task.few_shot.shots)).collect()
}

fn unit(measure: Measure) -> Unit {
    if measure == Measure::Accuracy { Unit::Percent } else { Unit::Score }
}

fn cloud(key: &Key, all: &[Scored]) -> Cloud {
    let (measure, task) = key;
    let spot = |scored: &Scored| {
        Some(Spot {
            label: scored.name.clone(),
            kind: scored.kind,
            flops: scored.flops(),
            score: Estimate::alone(*scored.scores.get(key)?, unit(*measure)),
        })
    };
    Cloud {
        title: task.clone(),
        y: match measure {
            Measure::Accuracy => "accuracy, % (↑ better)".to_owned(),
            _ => "average, guessing 0, perfect 1 (↑ better)".to_owned(),
        },
        spots: all.iter().filter_map(spot).collect(),
    }
}

fn table(shared: &[&Key], all: &[Scored]) -> Markup {
    let headers = ["<model or run", "<of", "parameters", "tokens", "training FLOPs"];
    let named = shared.iter().map(|(measure, name)| match measure {
        Measure::Accuracy => format!("{name}, %\n↑ better"),
        _ => format!("{name}\n↑ better"),
    });
    let mut table = Table::new(headers.map(str::to_owned).into_iter().chain(named))
        .captioned("Scores and training FLOPs (6 × parameters × tokens)");
    for scored in all.iter().filter(|scored| !scored.scores.is_empty()) {
        let facts = [
            scored.kind.name().to_owned(),
            quantity(scored.parameters.round() as u64),
            Tokens(scored.tokens.round() as u64).to_string(),
            scientific(scored.flops()),
        ];
        let cell = |key: &&Key| {
            let score = scored.scores.get(*key);
            score.map_or("–".to_owned(), |score| Estimate::alone(*score, unit(key.0)).value())
        };
        let cells = facts.into_iter().chain(shared.iter().map(cell));
        table.named(&*scored.name, cells.map(Into::into));
    }
    table.markup()
}

fn caption(report: &Report<'_>, models: &[(Kind, TrainedModel)], shared: &[&Key]) -> Markup {
    let more = shared.len().saturating_sub(PANELS);
    let others = others(&tasks(report), models, shared);
    html! {
        "As Figure 1 of the paper: training FLOPs are 6 × parameters × tokens, and a branch's \
         tokens are those from the trunk's first step to its own last. Points of this study are \
         means over replicates. Names that found no space are in the table, as all numbers are. "
        @if more > 0 { (more) " more shared tasks are in the table only. " }
        "Open models: facts of the public repository mlfoundations/dclm (MIT licence), scored by LLM \
         Foundry's evaluator; prompts may differ from those here. "
        @if !others.is_empty() {
            "Other numbers of examples than here (examples that stand in the rows not counted): "
            (others.join("; ")) ". "
        }
        "Text and tokenizer of each model are its own, so a place above another one is no proof of \
         better data."
    }
}

/// The tasks that models were asked with other numbers of examples than the study's:
/// `arc_easy 10 (here 3)`.
fn others(
    tasks: &[(String, usize)],
    models: &[(Kind, TrainedModel)],
    shared: &[&Key],
) -> Vec<String> {
    let mut found = Vec::new();
    for (_, name) in shared {
        let Some((_, here)) = tasks.iter().find(|(task, _)| task == name) else { continue };
        let shots = models.iter().filter_map(|(_, model)| model.scores.get(name)?.shots);
        let there: BTreeSet<usize> = shots.filter(|shots| shots != here).collect();
        if !there.is_empty() {
            let there: Vec<String> = there.iter().map(ToString::to_string).collect();
            found.push(format!("{name} {} (here {here})", there.join(" and ")));
        }
    }
    found
}
