//! The main figures of each question.

use std::collections::{BTreeMap, BTreeSet};

use maud::html;
use sparkjoy_answers::{Measure, TaskAnswer};
use sparkjoy_study::{Ask, Role};

use super::view::{Aim, View};
use crate::chart::curves::{self, Curves, Point, STYLES, Series};
use crate::chart::forest::{Forest, Group, Row};
use crate::chart::front::{Dot, Front};
use crate::chart::heat::{self, Heat};
use crate::chart::slope::{Slope, Slopes};
use crate::chart::ternary::{Measured, Ternary};
use crate::chart::{Figure, Panel};
use crate::estimate::{Estimate, MEASURES, Unit};
use crate::sentences::{surface_of, value_in};

/// Sources get columns of their own in a heat table as long as there are few.
const SOURCES: usize = 10;
/// Panels of curves on tasks, of each measure.
const PANELS: usize = 3;
const BITS: &str = "Δ bits per byte (lower is better)";

/// What a column shows of an arm.
type Value<'a> = Box<dyn Fn(usize) -> Option<Estimate> + 'a>;

impl View<'_> {
    /// All figures of the question, the main one first.
    pub(crate) fn figures(&self) -> Vec<Figure> {
        match self.answer.ask {
            Ask::Duration => self.over("window, % of the run", 100.0, true),
            Ask::Removal => self.removal(),
            Ask::Addition => self.addition(),
            Ask::Proportion => self.proportion(),
            Ask::Timing => self.timing(),
            Ask::Stability => {
                self.over("base mixture after the window, % of the run", 100.0, false)
            }
            Ask::Transfer => self.transfer(),
        }
    }

    fn name(&self, what: &str) -> String {
        format!("q{}-{what}", self.number)
    }

    /// Curves of targeted and general score over the arms' places, tasks beside them, and the front
    /// where there is one to show.
    fn over(&self, axis: &str, scale: f64, front: bool) -> Vec<Figure> {
        let arms: Vec<usize> = self.arms(&[Role::Answer]).collect();
        let aims = self.tested().into_iter();
        let series =
            aims.map(|aim| self.series(aim.name(), &arms, scale, |arm| self.aimed(arm, aim)));
        let largest = self.answer.largest_gain.and_then(|arm| self.place(arm, scale));
        let marked = largest.map(|x| (x, "largest gain".to_owned()));
        let curve = Curves {
            title: "Effect on held-out text".to_owned(),
            x: axis.to_owned(),
            y: BITS.to_owned(),
            series: series.collect(),
            marked,
            x_zero: true,
            y_zero: true,
        };
        let mut panels = vec![curve.panel()];
        if front {
            panels.extend(self.front(&arms));
        }
        let beaten = "Right: what the targeted sources gain against what all others pay; the \
            line is the Pareto front of the means, hollow grey squares are significantly beaten in \
            both.";
        let mut figures = vec![Figure {
            name: self.name("curves"),
            caption: html! {
                "Difference between each branch and its control, by place. " (curves::key())
                @if front { " " (beaten) }
            },
            panels,
            table: None,
        }];
        figures.extend(self.tasks_over(axis, scale, &arms));
        figures
    }

    fn place(&self, arm: usize, scale: f64) -> Option<f64> {
        self.arm(arm).at.map(|at| at * scale)
    }

    fn series(
        &self,
        name: &str,
        arms: &[usize],
        scale: f64,
        value: impl Fn(usize) -> Option<Estimate>,
    ) -> Series {
        let point = |&arm: &usize| {
            let (x, label) = (self.place(arm, scale)?, self.arm(arm).label.clone());
            Some(Point { x, label, y: value(arm) })
        };
        let mut points: Vec<Point> = arms.iter().filter_map(point).collect();
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        Series { name: name.to_owned(), points }
    }

    fn tasks_over(&self, axis: &str, scale: f64, arms: &[usize]) -> Option<Figure> {
        let mut panels = Vec::new();
        let mut left_out = 0;
        for (measure, title) in MEASURES {
            let of = |task: &&TaskAnswer| task.measure == measure;
            let tasks: Vec<&TaskAnswer> = self.answer.tasks.iter().filter(of).collect();
            left_out += tasks.len().saturating_sub(PANELS * STYLES);
            panels.extend(curves::shared_out(&tasks, PANELS).into_iter().map(|(part, tasks)| {
                let series = tasks
                    .iter()
                    .map(|task| self.series(&task.task, arms, scale, |arm| Self::task(task, arm)));
                let curves = Curves {
                    title: format!("{title}{part}"),
                    x: axis.to_owned(),
                    y: Unit::of(measure).difference().to_owned(),
                    series: series.collect(),
                    marked: None,
                    x_zero: true,
                    y_zero: true,
                };
                curves.panel()
            }));
        }
        (!panels.is_empty()).then(|| Figure {
            name: self.name("tasks"),
            caption: html! {
                "The same on tasks, each unit on an axis of its own. Bars and bands are intervals, each \
                 for itself; which of them are significant after Holm is marked in the tables."
                @if left_out > 0 { " " (left_out) " more tasks are in the tables only." }
            },
            panels,
            table: None,
        })
    }

    /// The plane of gain and cost, where every arm has both.
    fn front(&self, arms: &[usize]) -> Option<Panel> {
        let dot = |&arm: &usize| {
            Some(Dot {
                label: self.arm(arm).label.clone(),
                cost: self.aimed(arm, Aim::General)?,
                gain: self.aimed(arm, Aim::Targeted)?,
                front: self.answer.front.contains(&arm),
                largest: self.answer.largest_gain == Some(arm),
            })
        };
        let dots: Vec<Dot> = arms.iter().filter_map(dot).collect();
        let title = "Gain against cost".to_owned();
        (dots.len() > 1).then(|| Front { title, dots }.panel())
    }

    /// Rows of arms by rank, columns where they aim and elsewhere.
    fn forest(&self, what: &str, title: &str, arms: &[usize]) -> Option<Figure> {
        let aims: Vec<Aim> = Aim::EACH
            .into_iter()
            .filter(|&aim| arms.iter().any(|&arm| self.aimed(arm, aim).is_some()))
            .collect();
        if aims.is_empty() {
            return None;
        }
        let row = |&arm: &usize| Row {
            label: self.arm(arm).label.clone(),
            cells: aims.iter().map(|&aim| self.aimed(arm, aim)).collect(),
        };
        let [ranked, noise, missing] =
            self.ordered(arms).map(|arms| arms.iter().map(row).collect());
        let first = match self.answer.ask {
            Ask::Removal => "significant, largest loss first",
            _ => "significant, best first",
        };
        let headings = if Vec::<Row>::is_empty(&ranked) {
            ["", "not ranked, in the study's order", "not scored"]
        } else {
            [first, "not significant, not ranked", "not scored"]
        };
        let groups = headings
            .into_iter()
            .zip([ranked, noise, missing])
            .map(|(heading, rows)| Group { heading: Some(heading.to_owned()), rows });
        let forest = Forest {
            title: title.to_owned(),
            unit: format!("{BITS}; each column has a scale of its own"),
            columns: aims.iter().map(|aim| aim.name().to_owned()).collect(),
            groups: groups.collect(),
        };
        let mut controls: Vec<&str> = arms.iter().map(|&arm| self.control(arm)).collect();
        controls.dedup();
        Some(Figure {
            name: self.name(what),
            caption: html! {
                "Each row a comparison"
                @if let [one] = controls.as_slice() { " with " (one) }
                ": mean difference and interval. Blue circles are better, orange diamonds worse, \
                 hollow grey circles not significant, grey squares not among the comparisons \
                 tested together."
            },
            panels: vec![forest.panel()],
            table: None,
        })
    }

    fn removal(&self) -> Vec<Figure> {
        let answers: Vec<usize> = self.arms(&[Role::Answer]).collect();
        let mut figures = vec![self.heat(&answers)];
        figures.extend(self.forest("forest", "Each removal against the whole mixture", &answers));
        figures.extend(self.refills(&answers));
        let apart: Vec<usize> = self.arms(&[Role::Refill]).collect();
        figures.extend(self.forest("refill", "What the refill rule alone changes", &apart));
        let base: Vec<usize> = self.arms(&[Role::Whole, Role::AgainstBase]).collect();
        figures.extend(self.forest("base", "Each removal against the trunk's mixture", &base));
        figures
    }

    fn heat(&self, arms: &[usize]) -> Figure {
        let domains = self.named(false);
        let sources = self.named(true);
        let mut columns: Vec<(String, Value<'_>)> = Vec::new();
        for aim in Aim::EACH.into_iter().filter(|&aim| self.scope(aim).is_some()) {
            columns.push((aim.name().to_owned(), Box::new(move |arm| self.aimed(arm, aim))));
        }
        let few = if sources.len() <= SOURCES { sources } else { Vec::new() };
        for (scope, name) in domains.into_iter().chain(few) {
            columns.push((name, Box::new(move |arm| self.cell(arm, scope))));
        }
        let row = |&arm: &usize| heat::Row {
            label: self.arm(arm).label.clone(),
            cells: columns.iter().map(|(_, value)| value(arm)).collect(),
        };
        let heat = Heat {
            title: "What is lost without each source".to_owned(),
            unit: "Δ bits per byte against the whole mixture (above 0: a loss without it)"
                .to_owned(),
            columns: columns.iter().map(|(name, _)| name.clone()).collect(),
            rows: arms.iter().map(row).collect(),
        };
        let mut panels = vec![heat.panel()];
        panels.extend(self.task_heats(arms));
        Figure {
            name: self.name("heat"),
            caption: html! {
                "Effects of each removal (rows) on what is measured (columns). Orange is worse, \
                 blue better, stronger is more; ~ marks what was tested and is not \
                 significant. The columns targeted and general are tested together; a domain or source \
                 is tinted where its own interval leaves out zero."
                @if !self.answer.tasks.is_empty() {
                    " Tasks are tested together too, accuracy and bits per byte of correct answers each as \
                      a family of its own."
                }
            },
            panels,
            table: None,
        }
    }

    fn task_heats(&self, arms: &[usize]) -> Vec<Panel> {
        let panel = |(measure, title): (Measure, &str)| {
            let of = |task: &&TaskAnswer| task.measure == measure;
            let tasks: Vec<&TaskAnswer> =
                self.answer.tasks.iter().filter(of).take(SOURCES).collect();
            let row = |&arm: &usize| heat::Row {
                label: self.arm(arm).label.clone(),
                cells: tasks.iter().map(|task| Self::task(task, arm)).collect(),
            };
            let heat = Heat {
                title: title.to_owned(),
                unit: Unit::of(measure).difference().to_owned(),
                columns: tasks.iter().map(|task| task.task.clone()).collect(),
                rows: arms.iter().map(row).collect(),
            };
            (!tasks.is_empty()).then(|| heat.panel())
        };
        MEASURES.into_iter().filter_map(panel).collect()
    }

    /// The same removals under each refill rule, joined.
    fn refills(&self, arms: &[usize]) -> Option<Figure> {
        let plan = |arm: usize| &self.question.arms[arm];
        let mut rules: Vec<String> = Vec::new();
        let mut by_target: BTreeMap<_, BTreeMap<String, usize>> = BTreeMap::new();
        for &arm in arms {
            let rule = plan(arm).refill.clone()?;
            if !rules.contains(&rule) {
                rules.push(rule.clone());
            }
            by_target.entry(&plan(arm).targets).or_default().insert(rule, arm);
        }
        if rules.len() < 2 {
            return None;
        }
        let name = |targets: &BTreeSet<_>| {
            let names: Vec<String> = targets.iter().map(ToString::to_string).collect();
            format!("− {}", names.join(" − "))
        };
        let panel = |aim: Aim| {
            let slope = |(targets, under): (&&BTreeSet<_>, &BTreeMap<String, usize>)| Slope {
                label: name(targets),
                values: rules.iter().map(|r| self.aimed(*under.get(r)?, aim)).collect(),
            };
            let slopes = Slopes {
                title: format!("{} sources", aim.name()),
                unit: BITS.to_owned(),
                settings: rules.iter().map(|rule| format!("refill {rule}")).collect(),
                lines: by_target.iter().map(slope).collect(),
            };
            slopes.panel()
        };
        Some(Figure {
            name: self.name("refills"),
            caption: html! {
                "The same removals under each refill rule. What does not move with the rule is the \
                 removal's own effect; what does is the effect of what took its place."
            },
            panels: self.tested().into_iter().map(panel).collect(),
            table: None,
        })
    }

    fn addition(&self) -> Vec<Figure> {
        let arms: Vec<usize> = self.arms(&[Role::Answer]).collect();
        let label = |arm: usize| &self.plan.branches[self.question.arms[arm].branches[0]];
        let windows: BTreeSet<&str> = arms.iter().map(|&arm| label(arm).window.as_str()).collect();
        let budgets = windows.len() > 1;
        let mut lines: Vec<(String, Vec<usize>)> = Vec::new();
        for &arm in &arms {
            let of = if budgets {
                label(arm).label.clone()
            } else {
                let targets = &self.question.arms[arm].targets;
                targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ")
            };
            match lines.iter_mut().find(|(name, _)| *name == of) {
                Some((_, arms)) => arms.push(arm),
                None => lines.push((of, vec![arm])),
            }
        }
        let mut figures = Vec::new();
        if lines.iter().any(|(_, arms)| arms.len() > 1) {
            let axis = if budgets { "window, % of the run" } else { "share of what is added, %" };
            let panels = self.tested().into_iter().flat_map(|aim| {
                curves::shared_out(&lines, lines.len()).into_iter().map(move |(part, few)| {
                    let series = few.iter().map(|(name, arms)| {
                        self.series(name, arms, 100.0, |arm| self.aimed(arm, aim))
                    });
                    let title = format!("Utility: {} sources{part}", aim.name());
                    let curves = Curves {
                        title,
                        x: axis.to_owned(),
                        y: BITS.to_owned(),
                        series: series.collect(),
                        marked: None,
                        x_zero: true,
                        y_zero: true,
                    };
                    curves.panel()
                })
            });
            figures.push(Figure {
                name: self.name("utility"),
                caption: html! {
                    "What more of a source does, over how much of it. " (curves::key())
                },
                panels: panels.collect(),
                table: None,
            });
        }
        figures.extend(self.forest("forest", "Each addition against its control", &arms));
        figures
    }

    fn proportion(&self) -> Vec<Figure> {
        let arms: Vec<usize> = self.arms(&[Role::Answer]).collect();
        let placed: Vec<usize> =
            arms.iter().copied().filter(|&arm| self.arm(arm).at.is_some()).collect();
        let mut figures: Vec<Figure> = self.surface().into_iter().collect();
        if placed.len() > 1 {
            figures.extend(self.over("share of the second mixture, %", 100.0, true));
        } else if let Some(panel) = self.front(&arms) {
            figures.push(Figure {
                name: self.name("front"),
                caption: html! {
                    "What the targeted sources gain against what all others pay; the line is the \
                     Pareto front of the means, hollow grey squares are significantly beaten in \
                     both."
                },
                panels: vec![panel],
                table: None,
            });
        }
        figures.extend(self.forest("forest", "Each mixture against the trunk's", &arms));
        figures
    }

    /// The surface over three corners.
    fn surface(&self) -> Option<Figure> {
        let (decision, surface) = surface_of(self.answer)?;
        let fitted = &surface.fitted;
        if surface.corners.len() != 3 {
            return None;
        }
        let arms = decision.candidates.iter().zip(&surface.compositions);
        let arms = arms.map(|(candidate, composition)| Measured {
            label: self.arm(candidate.arm).label.clone(),
            composition: composition.clone(),
            gain: candidate.judged.gain.mean,
            shown: value_in(candidate.judged.gain.mean, decision.unit),
            control: false,
        });
        let controls = surface.unchanged.iter().map(|composition| Measured {
            label: "trunk's mixture".to_owned(),
            composition: composition.clone(),
            gain: 0.0,
            shown: value_in(0.0, decision.unit),
            control: true,
        });
        let top = fitted.optimum.as_ref().filter(|top| top.is_determined());
        let breaks = |at: &[f64]| {
            let mut losses = fitted.losses.iter().zip(&fitted.margins);
            losses.any(|(loss, margin)| loss.at(at) >= *margin)
        };
        let ternary = Ternary {
            title: "Gain over blends of three mixtures".to_owned(),
            unit: "gain in the objective, by the surface (darker is better)".to_owned(),
            corners: surface.corners.clone(),
            measured: arms.chain(controls).collect(),
            gain: Box::new(|at| fitted.gain.at(at)),
            breaks: Box::new(breaks),
            top: top.map(|top| {
                let gain = value_in(top.gain.mean, decision.unit);
                (top.composition.clone(), format!("highest {gain}"))
            }),
            show: Box::new(|value| value_in(value, decision.unit)),
        };
        Some(Figure {
            name: self.name("surface"),
            caption: html! {
                "What lies between the measured mixtures, predicted by a surface. A corner is that \
                 mixture alone, and the nearer a point is to a corner the more it has of it. \
                 Circles are measured mixtures, tinted by their own gain; a circle that stands out \
                 from what is around it is one that the surface misses. "
                @if !surface.unchanged.is_empty() {
                    "The square is the trunk's mixture, whose gain is 0. "
                }
                @if !fitted.losses.is_empty() { "Hatched: a guard is predicted to break. " }
                @if top.is_some() {
                    "The diamond is the highest predicted gain of those whose guards are \
                     predicted to hold. "
                }
                "On the dashed line the gain is 0."
            },
            panels: vec![ternary.panel()],
            table: None,
        })
    }

    fn timing(&self) -> Vec<Figure> {
        let mut figures = self.over("start of the window, % of the run", 100.0, false);
        let places: Vec<usize> = self.arms(&[Role::Place]).collect();
        figures.extend(self.forest("places", "Each place against the last", &places));
        figures
    }

    fn transfer(&self) -> Vec<Figure> {
        let settings = &self.question.settings;
        let Some(first) = settings.first() else { return Vec::new() };
        // An arm is called as in the question that is transferred: the setting is on the axis.
        let of = self.question.of.and_then(|of| self.plan.questions.get(of - 1));
        let asked: Vec<&str> = of
            .iter()
            .flat_map(|question| &question.arms)
            .filter(|arm| arm.role == Role::Answer)
            .map(|arm| arm.label.as_str())
            .collect();
        let panel = |aim: Aim| {
            let slope = |(index, &arm): (usize, &usize)| {
                let label = asked.get(index).copied().unwrap_or(&self.arm(arm).label);
                Slope {
                    label: label.to_owned(),
                    values: settings.iter().map(|s| self.aimed(*s.arms.get(index)?, aim)).collect(),
                }
            };
            let slopes = Slopes {
                title: format!("{} sources", aim.name()),
                unit: BITS.to_owned(),
                settings: settings.iter().map(|setting| setting.label.clone()).collect(),
                lines: first.arms.iter().enumerate().map(slope).collect(),
            };
            slopes.panel()
        };
        vec![Figure {
            name: self.name("transfer"),
            caption: html! {
                "The same comparisons in each setting, joined. Lines that cross are rankings that \
                 change; blue circles are better, orange diamonds worse, hollow grey circles not \
                 significant."
            },
            panels: self.tested().into_iter().map(panel).collect(),
            table: None,
        }]
    }
}
