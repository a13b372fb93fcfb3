//! The paper's own results, drawn beside a study that asks what the paper asked.
//!
//! They are another model's, in other units, and stand on axes of their own. The only error there
//! is to show follows from how many questions a percentage is made of; the runs were not repeated.

pub(crate) mod flops;
mod models;

use maud::{Markup, html};
use serde::Deserialize;
use sparkjoy_answers::{Answer, Verdict};
use sparkjoy_base::number;
use sparkjoy_study::{Ask, Plan};

use crate::chart::Figure;
use crate::chart::curves::{Curves, Point, Series};
use crate::chart::forest::{Forest, Group, Row};
use crate::estimate::{Estimate, HIGHER, Unit};
use crate::table::{Cell, Table};

pub use models::{TrainedModel, read_models};

const PAPER: &str = include_str!("paper.toml");
/// Standard errors to either side of a 95 % interval of a normal value.
const REACH: f64 = 1.96;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Paper {
    source: String,
    model: String,
    duration_tables: String,
    removal_table: String,
    windows: Vec<f64>,
    accuracy: Vec<Benchmark>,
    average: Vec<Benchmark>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Benchmark {
    name: String,
    how: String,
    items: Option<f64>,
    duration: Vec<f64>,
    removal: Option<[f64; 3]>,
}

impl Benchmark {
    /// The difference of two percentages, with the error that follows from the number of questions
    /// as if the two models had been asked different ones.
    fn difference(&self, after: f64, before: f64) -> Estimate {
        let variance = |percent: f64, items: f64| percent * (100.0 - percent) / items;
        let mean = after - before;
        let interval = self.items.map(|items| {
            let reach = REACH * (variance(after, items) + variance(before, items)).sqrt();
            [mean - reach, mean + reach]
        });
        let verdict = Verdict::NotTested;
        Estimate { mean, interval, verdict, p: None, detectable: None, unit: Unit::Points }
    }

    fn named(&self) -> String {
        format!("{} ({})", self.name, self.how)
    }
}

fn paper() -> Paper {
    toml::from_str(PAPER).expect("the data file is tested")
}

/// The paper's figure for a question, if the paper asked it: how long, or what math is worth.
pub(crate) fn figure(plan: &Plan, answer: &Answer, number: usize) -> Option<Figure> {
    match answer.ask {
        Ask::Duration => Some(duration(&paper(), number)),
        Ask::Removal if removes_math(plan, answer) => Some(removal(&paper(), number)),
        _ => None,
    }
}

/// The paper's scores as printed, for the same questions: rows and columns as the tables of a
/// question have them.
pub(crate) fn printed(plan: &Plan, answer: &Answer) -> Vec<Markup> {
    let paper = paper();
    let show = |score: &f64| Cell::from(number(*score, 2));
    let windows = || paper.windows.iter().map(|window| format!("{window} %"));
    let all = || paper.accuracy.iter().chain(&paper.average);
    let tables = match answer.ask {
        Ask::Duration => {
            let names = paper.average.iter().map(|of| format!("{}\n{HIGHER}", of.name));
            let mut by_category = Table::new(std::iter::once("<upsampled".to_owned()).chain(names))
                .captioned(format!("The paper's scores by category, %: {}", paper.duration_tables));
            for (place, window) in windows().enumerate() {
                by_category.named(window, paper.average.iter().map(|of| show(&of.duration[place])));
            }
            let mut by_task = Table::new(std::iter::once("<benchmark".to_owned()).chain(windows()))
                .captioned(format!("The paper's scores by task, %: {}", paper.duration_tables));
            for of in &paper.accuracy {
                let name = format!("{}, {HIGHER}", of.named());
                by_task.named(name, of.duration.iter().map(show));
            }
            vec![by_category, by_task]
        }
        Ask::Removal if removes_math(plan, answer) => {
            let headers = ["<benchmark", "no upsampling", "10 % with math", "10 % without math"];
            let mut table = Table::new(headers).captioned(format!(
                "The paper's scores with and without math, %: {}",
                paper.removal_table
            ));
            for of in all() {
                if let Some(scores) = &of.removal {
                    table.named(format!("{}, {HIGHER}", of.named()), scores.iter().map(show));
                }
            }
            vec![table]
        }
        _ => Vec::new(),
    };
    tables.iter().map(Table::markup).collect()
}

/// Whether a source that is removed, or its domain, is called math.
fn removes_math(plan: &Plan, answer: &Answer) -> bool {
    let removed = answer.arms.iter().flat_map(|arm| &arm.targets);
    removed.filter_map(|name| Some((name, plan.sources.get(name)?))).any(|(name, source)| {
        name.as_str().contains("math") || source.domain.as_str().contains("math")
    })
}

/// What is said below every figure of the paper's.
fn caption(paper: &Paper, tables: &str, what: &str) -> Markup {
    html! {
        strong { "Reference, not this study: " }
        (what) " Source: " (paper.source) ", " (tables) " (" (paper.model) "). "
        "Bars on accuracies are 95 % binomial intervals from the number of questions alone, as if \
         the two "
        "models had been asked different ones; averages have none, and no run was repeated, so the \
         spread "
        "between runs is unknown. Percentage points here and bits per byte of this study have no \
         common scale."
    }
}

fn duration(paper: &Paper, number: usize) -> Figure {
    let panel = |title: &str, y: &str, benchmarks: &[Benchmark]| {
        let series = benchmarks.iter().map(|benchmark| {
            let point = |(&x, &score): (&f64, &f64)| Point {
                x,
                label: format!("{x} %"),
                y: Some(benchmark.difference(score, benchmark.duration[0])),
            };
            let points = paper.windows.iter().zip(&benchmark.duration).skip(1).map(point);
            Series { name: benchmark.name.clone(), points: points.collect() }
        });
        let curves = Curves {
            title: title.to_owned(),
            x: "upsampled part of the run, %".to_owned(),
            y: y.to_owned(),
            series: series.collect(),
            marked: None,
            x_zero: true,
            y_zero: true,
        };
        curves.panel()
    };
    let windows = paper.windows.iter().skip(1).map(|window| format!("{window} %"));
    let mut table = Table::new(std::iter::once("<benchmark".to_owned()).chain(windows))
        .captioned("The paper's differences against no upsampling, percentage points");
    for benchmark in paper.accuracy.iter().chain(&paper.average) {
        let scores = benchmark.duration.iter().skip(1);
        let cells = scores.map(|score| benchmark.difference(*score, benchmark.duration[0]).cell());
        table.named(benchmark.named(), cells);
    }
    Figure {
        name: format!("q{number}-paper"),
        caption: caption(
            paper,
            &paper.duration_tables,
            "gains over no upsampling by the length of the upsampled end.",
        ),
        panels: vec![
            panel(
                "The paper: accuracy",
                "Δ points of accuracy (higher is better)",
                &paper.accuracy,
            ),
            panel(
                "The paper: averages",
                "Δ points, guessing at 0 (higher is better)",
                &paper.average,
            ),
        ],
        table: Some(table.markup()),
    }
}

fn removal(paper: &Paper, number: usize) -> Figure {
    let columns = ["without math − with math", "without math − no upsampling"];
    let cells = |benchmark: &Benchmark| {
        benchmark.removal.map(|[none, with, without]| {
            [with, none].map(|before| benchmark.difference(without, before))
        })
    };
    let panel = |title: &str, unit: &str, benchmarks: &[Benchmark]| {
        let row = |benchmark: &Benchmark| {
            let cells = cells(benchmark)?.map(Some).into();
            Some(Row { label: benchmark.named(), cells })
        };
        let rows = benchmarks.iter().filter_map(row).collect();
        let forest = Forest {
            title: title.to_owned(),
            unit: unit.to_owned(),
            columns: columns.map(str::to_owned).into(),
            groups: vec![Group { heading: None, rows }],
        };
        forest.panel()
    };
    let mut table = Table::new(["<benchmark"].into_iter().chain(columns))
        .captioned("The paper's removal of its math data, percentage points");
    for benchmark in paper.accuracy.iter().chain(&paper.average) {
        if let Some(cells) = cells(benchmark) {
            table.named(benchmark.named(), cells.map(|estimate| estimate.cell()));
        }
    }
    Figure {
        name: format!("q{number}-paper"),
        caption: caption(
            paper,
            &paper.removal_table,
            "the last 10 % upsampled without its math data, the other sources of the domain taking \
             its place.",
        ),
        panels: vec![
            panel(
                "The paper: math removed, accuracy",
                "Δ points of accuracy (higher is better)",
                &paper.accuracy,
            ),
            panel(
                "The paper: math removed, average",
                "Δ points, guessing at 0 (higher is better)",
                &paper.average,
            ),
        ],
        table: Some(table.markup()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_differences_are_those_of_the_published_tables() {
        let paper = paper();
        let all = || paper.accuracy.iter().chain(&paper.average);
        let differences: Vec<String> = all()
            .map(|b| {
                let of = |&score: &f64| format!("{:+.2}", b.difference(score, b.duration[0]).mean);
                b.duration.iter().skip(1).map(of).collect::<Vec<_>>().join(" ")
            })
            .collect();
        assert_eq!(
            differences,
            [
                "+4.51 +7.50 +6.90 +6.09",
                "+2.27 +5.76 +8.26 +9.85",
                "+1.27 +3.16 +6.17 +6.94",
                "+2.26 +3.09 +3.95 +3.52",
                "-0.47 -1.11 -1.44 -1.17",
                "+4.21 +6.33 +8.43 +5.48",
            ]
        );
        let removed: Vec<String> = all()
            .filter_map(|b| b.removal.map(|[none, with, sans]| (b, none, with, sans)))
            .map(|(b, none, with, sans)| {
                let of = |before| b.difference(sans, before).mean;
                format!("{:+.2} {:+.2}", of(with), of(none))
            })
            .collect();
        assert_eq!(removed, ["-13.48 -5.98", "-9.10 -3.34", "+0.76 +3.92", "-5.92 -2.83"]);
        assert!(all().all(|b| b.duration.len() == paper.windows.len()));
    }

    #[test]
    fn only_percentages_of_counted_questions_have_an_interval() {
        let paper = paper();
        let of = |b: &Benchmark| b.difference(b.duration[3], b.duration[0]).interval;
        assert!(paper.average.iter().all(|b| of(b).is_none()));
        // HumanEval, 164 problems: 1.96 · √((23.40 · 76.60 + 17.23 · 82.77) / 164) = 8.68.
        let [low, high] = of(&paper.accuracy[2]).unwrap();
        assert!((high - low - 2.0 * 8.682).abs() < 0.01, "{low} {high}");
    }
}
