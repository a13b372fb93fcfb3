//! Scores themselves, laid out as Tables 5 to 7 of the paper, so that both lie side by side: by
//! category, by task, and with and without each source.

use maud::Markup;
use sparkjoy_answers::{Comparison, Measure, Scope, Spread, What};
use sparkjoy_base::number;
use sparkjoy_study::{Ask, Role};

use super::view::View;
use crate::estimate::{HIGHER, LOWER};
use crate::reference::flops::run_name;
use crate::table::{Cell, Table};

/// A run of a question: the branch of an arm, or its control.
struct Run {
    name: String,
    arm: usize,
    control: bool,
}

/// Something that runs are measured by.
struct Measured<'a> {
    name: String,
    /// Bits per byte, else a percentage.
    bits: bool,
    /// One element per arm.
    cells: Vec<Option<&'a Comparison>>,
}

impl View<'_> {
    /// The tables of the question; a transfer has none, as it asks another question again.
    pub(crate) fn as_in_the_paper(&self) -> Vec<Markup> {
        let runs = self.runs();
        let (categories, tasks) = (self.categories(), self.tasks());
        let unit = |measured: &[Measured<'_>]| match measured {
            [Measured { bits: true, .. }, ..] => "held-out bits per byte",
            _ => "%",
        };
        let (by_category, by_task) = (unit(&categories), unit(&tasks));
        let both = if by_category == by_task {
            by_task.to_owned()
        } else {
            format!("{by_category} by domain, {by_task} by task,")
        };
        let table = match self.answer.ask {
            Ask::Transfer => return Vec::new(),
            Ask::Removal => vec![by_run(&runs, categories.iter().chain(&tasks)).captioned(format!(
                "With and without each source, laid out as Table 7 of the paper: {both} ± \
                 standard deviation over replicates"
            ))],
            _ => vec![
                by_category_of(&runs, &categories).captioned(format!(
                    "By category, laid out as Table 5 of the paper: {by_category} ± standard \
                     deviation over replicates"
                )),
                by_run(&runs, tasks.iter()).captioned(format!(
                    "By task, laid out as Table 6 of the paper: {by_task} ± standard deviation over \
                     replicates"
                )),
            ],
        };
        table.iter().filter(|table| !table.is_empty()).map(Table::markup).collect()
    }

    /// Each run of the question once, a control before the branches that it is one of; of a
    /// removal, that with all sources before those without some.
    fn runs(&self) -> Vec<Run> {
        let mut arms: Vec<usize> = (0..self.question.arms.len()).collect();
        arms.sort_by_key(|&arm| self.question.arms[arm].role != Role::Whole);
        let mut groups = Vec::new();
        let mut runs = Vec::new();
        for arm in arms {
            let planned = &self.question.arms[arm];
            for (control, branches) in [(true, &planned.controls), (false, &planned.branches)] {
                let group = self.plan.branches[branches[0]].group;
                if !groups.contains(&group) {
                    groups.push(group);
                    runs.push(Run { name: run_name(self.plan, branches[0]), arm, control });
                }
            }
        }
        runs
    }

    /// Averages of suites and of their categories, in percent; domains where there are none.
    fn categories(&self) -> Vec<Measured<'_>> {
        let averages = self.measured(Measure::Average);
        if !averages.is_empty() {
            return averages;
        }
        self.scopes(|scope| match &scope.what {
            What::All => Some("all sources".to_owned()),
            What::Domain { name } => Some(name.to_string()),
            _ => None,
        })
    }

    /// Accuracy on tasks, in percent; sources where there are no tasks.
    fn tasks(&self) -> Vec<Measured<'_>> {
        let tasks = self.measured(Measure::Accuracy);
        if !tasks.is_empty() {
            return tasks;
        }
        self.scopes(|scope| match &scope.what {
            What::Source { name, .. } => Some(name.to_string()),
            _ => None,
        })
    }

    fn measured(&self, measure: Measure) -> Vec<Measured<'_>> {
        let tasks = self.answer.tasks.iter().filter(|task| task.measure == measure);
        let named = tasks.map(|task| Measured {
            name: task.task.rsplit(": ").next().unwrap_or_default().to_owned(),
            bits: false,
            cells: task.cells.iter().map(Option::as_ref).collect(),
        });
        named.collect()
    }

    fn scopes(&self, name: impl Fn(&Scope) -> Option<String>) -> Vec<Measured<'_>> {
        let scopes = self.answer.scopes.iter().enumerate();
        let measured = scopes.filter_map(|(index, scope)| {
            let cells = self.answer.arms.iter().map(|arm| arm.cells[index].as_ref());
            Some(Measured { name: name(scope)?, bits: true, cells: cells.collect() })
        });
        measured.collect()
    }
}

/// Runs in rows, categories in columns.
fn by_category_of(runs: &[Run], categories: &[Measured<'_>]) -> Table {
    let headers = categories.iter().map(|of| format!("{}\n{}", of.name, of.way()));
    let mut table = Table::new(std::iter::once("<mixture and window".to_owned()).chain(headers));
    for run in runs {
        table.named(&*run.name, categories.iter().map(|of| of.cell(run)));
    }
    table
}

/// What is measured in rows, runs in columns.
fn by_run<'a>(runs: &[Run], measured: impl Iterator<Item = &'a Measured<'a>>) -> Table {
    let headers = runs.iter().map(|run| run.name.clone());
    let mut table = Table::new(std::iter::once("<score".to_owned()).chain(headers));
    for of in measured {
        table.named(format!("{}, {}", of.name, of.way()), runs.iter().map(|run| of.cell(run)));
    }
    table
}

impl Measured<'_> {
    fn way(&self) -> &'static str {
        if self.bits { LOWER } else { HIGHER }
    }

    fn cell(&self, run: &Run) -> Cell {
        let Some(compared) = self.cells.get(run.arm).copied().flatten() else {
            return Cell::missing();
        };
        let Spread { mean, deviation, .. } =
            if run.control { &compared.control } else { &compared.branch };
        let show = |value: f64| if self.bits { number(value, 4) } else { number(100.0 * value, 2) };
        let spread = deviation.map_or(String::new(), |of| format!(" ± {}", show(of)));
        format!("{}{spread}", show(*mean)).into()
    }
}
