//! A course: what is trained after the trunk, one mixture after the other.

use sparkjoy_base::toml_file::Placed;
use sparkjoy_mix::Mixture;

use crate::written::{Rate, Window};

/// A mixture with its names.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    /// First part of the names of its branches.
    pub(super) name: String,
    /// What it is called in tables.
    pub(super) label: String,
    pub(super) mixture: Mixture,
}

/// One mixture of a course.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub(super) mixture: Mixture,
    pub(super) steps: u64,
    /// Name and window of the course as far as its end.
    pub(super) name: String,
    pub(super) window: String,
}

/// What follows the trunk.
#[derive(Clone, Debug)]
pub(super) struct Course {
    /// What it is called in tables.
    pub(super) label: String,
    /// The step of the trunk it begins at.
    pub(super) from: u64,
    pub(super) rate: Rate,
    pub(super) legs: Vec<Leg>,
    /// The line of the study that asks for it.
    pub(super) line: usize,
}

impl Course {
    /// A window at the end of a run of `steps`.
    pub(super) fn last(ending: &Ending, window: &Placed<Window>, steps: u64, rate: Rate) -> Self {
        let span = window.value.span.to_string();
        let decay = if rate == Rate::Decay { "-decay" } else { "" };
        let name = format!("{}-{}{decay}", ending.name, in_a_name(&span));
        let shown = if rate == Rate::Decay { format!("{span}, decay") } else { span };
        Self {
            label: ending.label.clone(),
            from: steps - window.value.steps,
            rate,
            legs: vec![Leg {
                mixture: ending.mixture.clone(),
                steps: window.value.steps,
                name,
                window: shown,
            }],
            line: window.line,
        }
    }

    /// A window that begins at `from` of a run of `steps`. `place`: the same in words.
    pub(super) fn at(
        ending: &Ending,
        window: &Placed<Window>,
        (from, place): (u64, &str),
        steps: u64,
    ) -> Self {
        let mut course = Self::last(ending, window, steps, Rate::Trunk);
        if from != course.from {
            course.from = from;
            let leg = &mut course.legs[0];
            leg.name = format!("{}-at-{}", leg.name, in_a_name(place));
            leg.window = format!("{} at {place}", leg.window);
        }
        course
    }

    /// The same, followed by another mixture for some steps. `span`: how long, in words.
    pub(super) fn then(&self, next: &Ending, steps: u64, span: Option<&str>) -> Self {
        let mut course = self.clone();
        let last = self.legs.last().expect("a course has a leg");
        let (in_name, in_words) = match span {
            Some(span) => (format!("-{}", in_a_name(span)), format!(" for {span}")),
            None => (String::new(), String::new()),
        };
        course.legs.push(Leg {
            mixture: next.mixture.clone(),
            steps,
            name: format!("{}-then-{}{in_name}", last.name, next.name),
            window: format!("{}, then {}{in_words}", last.window, next.label),
        });
        course
    }

    /// The same with more behind it: `span` of it in all, of which `steps` are new.
    pub(super) fn on(&self, next: &Ending, steps: u64, span: &str) -> Self {
        let beginning = Self { legs: self.legs[..1].to_vec(), ..self.clone() };
        let named = beginning.then(next, steps, Some(span));
        let mut course = self.clone();
        course.legs.extend(named.legs.into_iter().skip(1));
        course
    }

    /// Its window in words.
    pub(super) fn window(&self) -> &str {
        &self.legs.last().expect("a course has a leg").window
    }
}

/// A place of the run in percent.
pub(super) fn place(step: u64, of: u64) -> String {
    let percent = format!("{:.2}", 100.0 * step as f64 / of as f64);
    format!("{}%", percent.trim_end_matches('0').trim_end_matches('.'))
}

/// A duration as part of the name of a folder.
fn in_a_name(span: &str) -> String {
    span.replace(',', "").replace(' ', "-")
}
