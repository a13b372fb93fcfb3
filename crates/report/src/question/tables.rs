//! The tables of a question: every number that is drawn, and those behind it.

use std::ops::Range;

use maud::Markup;
use sparkjoy_answers::{Answer, Comparison, Measure, Spread};
use sparkjoy_base::{duration, number, scientific, thousands};
use sparkjoy_study::Effort;

use super::view::{Aim, View};
use crate::estimate::{Estimate, LOWER, MEASURES, Unit, cell};
use crate::table::{Cell, Table};

impl View<'_> {
    /// Each arm where it aims, elsewhere and by domain.
    pub(crate) fn effects(&self) -> Markup {
        let domains = self.named(false);
        let aims: Vec<Aim> = Aim::EACH
            .into_iter()
            .filter(|&aim| (0..self.answer.arms.len()).any(|arm| self.aimed(arm, aim).is_some()))
            .collect();
        let names = aims.iter().map(|aim| aim.name());
        let names = names.chain(domains.iter().map(|(_, name)| name.as_str()));
        let names = names.map(|name| format!("{name}\n{LOWER}"));
        let first = ["<branch", "<against"].map(str::to_owned).into_iter();
        let mut table = Table::new(first.chain(names))
            .captioned("Differences in bits per byte, with intervals; lower is better");
        for arm in 0..self.answer.arms.len() {
            let aimed = aims.iter().map(|&aim| cell(self.aimed(arm, aim)));
            let named = domains.iter().map(|(scope, _)| cell(self.cell(arm, *scope)));
            let against = std::iter::once(self.control(arm).into());
            table.named(&*self.arm(arm).label, against.chain(aimed).chain(named));
        }
        table.markup()
    }

    /// The tests: intervals of both kinds, corrected p, and the minimum detectable effect.
    pub(crate) fn tests(&self) -> Markup {
        let aims = self.tested();
        let arms = 0..self.answer.arms.len();
        let pairs = arms.flat_map(|arm| aims.iter().map(move |&aim| (arm, aim)));
        let rows = pairs.filter_map(|(arm, aim)| {
            let scope = self.scope(aim)?;
            let comparison = self.arm(arm).cells[scope].as_ref()?;
            Some((self.compared(arm), test(aim.name(), comparison, Unit::Bits)))
        });
        let caption = if aims.contains(&Aim::Unseen) {
            "The comparisons of held-out text that are tested together, unseen text as a family of \
             its own"
        } else {
            "The comparisons of held-out text that are tested together"
        };
        tested(caption, ["<sources", &format!("Δ bits per byte, {LOWER}")], rows.collect())
    }

    /// The same of tasks, where there are any.
    pub(crate) fn tests_of_tasks(&self) -> Option<Markup> {
        let rows = self.answer.tasks.iter().flat_map(|task| {
            let unit = Unit::of(task.measure);
            let what = match task.measure {
                Measure::Average => "average",
                Measure::Accuracy => "accuracy, points",
                Measure::GoldBitsPerByte => "correct answers, bits per byte",
            };
            let what = format!("{what}, {}", unit.way());
            let cells = task.cells.iter().enumerate();
            let cells = cells.filter_map(|(arm, cell)| Some((arm, cell.as_ref()?)));
            let cells = cells.filter(|(_, cell)| cell.adjusted_p.is_some());
            cells.map(move |(arm, cell)| {
                (self.compared(arm), test(&format!("{}, {what}", task.task), cell, unit))
            })
        });
        let rows: Vec<_> = rows.collect();
        let caption = "The comparisons on tasks that are tested together, accuracy and bits per \
                       byte of correct answers as a family each";
        (!rows.is_empty()).then(|| tested(caption, ["<task", "Δ"], rows))
    }

    fn compared(&self, arm: usize) -> String {
        format!("{} against {}", self.arm(arm).label, self.control(arm))
    }

    /// Each source in a row, each arm in a column.
    pub(crate) fn by_source(&self) -> Markup {
        let caption = "Differences in bits per byte by source; each interval stands for itself";
        let mut table = self.by_arm("domain / source", Unit::Bits).captioned(caption);
        for (scope, name) in self.named(true) {
            table.named(name, self.all().map(|arm| cell(self.cell(arm, scope))));
        }
        table.markup()
    }

    /// Tasks, one measure a table.
    pub(crate) fn on_tasks(&self) -> Vec<Markup> {
        let table = |(measure, _): (Measure, &str)| {
            let caption = format!("Tasks: {}", Unit::of(measure).difference());
            let mut table = self.by_arm("task", Unit::of(measure)).captioned(caption);
            for task in self.answer.tasks.iter().filter(|task| task.measure == measure) {
                table.named(&*task.task, self.all().map(|arm| cell(Self::task(task, arm))));
            }
            (!table.is_empty()).then(|| table.markup())
        };
        MEASURES.into_iter().filter_map(table).collect()
    }

    fn all(&self) -> Range<usize> {
        0..self.answer.arms.len()
    }

    /// A table with a column for each arm.
    fn by_arm(&self, corner: &str, unit: Unit) -> Table {
        let arms = self.all().map(|arm| format!("{}\n{}", self.compared(arm), unit.way()));
        Table::new(std::iter::once(format!("<{corner}")).chain(arms))
    }

    /// The controls themselves: how far their replicates lie apart is the noise floor.
    pub(crate) fn noise_floor(&self) -> Markup {
        let columns = self.named(false);
        let show = |spread: &Option<Spread>| match spread {
            None => Cell::missing(),
            Some(Spread { mean, deviation, .. }) => {
                let spread = deviation.map_or(String::new(), |d| format!(" ± {}", number(d, 4)));
                format!("{}{spread}", number(*mean, 4)).into()
            }
        };
        let names = columns.iter().map(|(_, name)| format!("{name}\n{LOWER}"));
        let mut table = Table::new(std::iter::once("<control".to_owned()).chain(names)).captioned(
            "Controls, bits per byte ± standard deviation over replicates: the noise floor",
        );
        for control in &self.answer.controls {
            let cells = columns.iter().map(|(scope, _)| show(&control.cells[*scope]));
            table.named(&*control.label, cells);
        }
        table.markup()
    }

    /// For a transfer: how far the first setting's ranking holds in each of the others.
    pub(crate) fn holds(&self) -> Option<Markup> {
        let Answer { holds, settings, .. } = self.answer;
        let first = settings.first()?;
        let name = |place: usize| first.arms.get(place).map_or("", |&arm| &self.arm(arm).label);
        let caption = format!("How far the ranking of “{}” holds elsewhere", first.label);
        let headers = ["<setting", "Kendall's τ, with interval", "<pairs that change order"];
        let mut table = Table::new(headers).captioned(caption);
        for hold in holds {
            let pairs = hold.changed.iter().map(|pair| pair.map(name).join(" and "));
            let pairs = pairs.collect::<Vec<_>>().join("; ");
            let two = |value: f64| number(value, 2);
            let [tau, low, high] = [hold.agreement.tau, hold.agreement.low, hold.agreement.high];
            let setting = settings.get(hold.setting).map_or("", |setting| &setting.label);
            let range = format!("{} [{}, {}]", two(tau), two(low), two(high));
            table.row([setting, &*range, if pairs.is_empty() { "none" } else { &pairs }]);
        }
        (!table.is_empty()).then(|| table.markup())
    }

    /// What the question cost. `seconds`: measured over its jobs, shared ones in full.
    pub(crate) fn costs(&self, seconds: Option<f64>) -> Markup {
        let cost = &self.answer.cost;
        let caption = "Cost of this question alone; runs it shares with others are counted in full";
        let headers = ["<way", "steps", "tokens", "FLOPs", "time"];
        let mut table = Table::new(headers).captioned(caption);
        let mut row = |name: &str, effort: &Effort, time: Option<f64>| {
            table.row([
                name.to_owned(),
                thousands(effort.steps),
                effort.tokens.to_string(),
                scientific(effort.flops as f64),
                time.map_or("–".to_owned(), duration),
            ]);
        };
        // Full runs were never made: their time is that of as many steps at the measured speed.
        let times = cost.in_full.flops as f64 / cost.tree.flops.max(1) as f64;
        let full = seconds.map(|seconds| seconds * times);
        row("as branches of one trunk (measured)", &cost.tree, seconds);
        row("each run in full (estimated)", &cost.in_full, full);
        table.markup()
    }
}

/// The cells of a row of tests.
fn test(what: &str, comparison: &Comparison, unit: Unit) -> [Cell; 8] {
    let (estimate, effect) = (Estimate::of(comparison, unit), comparison.effect.as_ref());
    let share = |p: f64| if p < 0.000_1 { "< 0.0001".to_owned() } else { number(p, 4) };
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned()).into();
    let scaled = |value: f64| number(unit.scaled(value), unit.places());
    [
        what.into(),
        estimate.cell(),
        or_dash(effect.map(|effect| scaled(effect.standard_error))),
        or_dash(effect.map(|effect| number(effect.freedom, 1))),
        or_dash(effect.map(|effect| share(effect.p))),
        or_dash(estimate.p.map(share)),
        or_dash(comparison.detectable.map(scaled)),
        estimate.word().into(),
    ]
}

/// A table of tests; the first two headers say what of, and in what.
fn tested(caption: &str, [what, unit]: [&str; 2], rows: Vec<(String, [Cell; 8])>) -> Markup {
    let headers = [
        "<comparison",
        what,
        unit,
        "standard error",
        "degrees of freedom",
        "p",
        "p, Holm",
        "minimum detectable effect",
        "<verdict",
    ];
    let mut table = Table::new(headers).captioned(caption);
    for (name, cells) in rows {
        table.named(name, cells);
    }
    table.markup()
}
