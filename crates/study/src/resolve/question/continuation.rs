//! A continuation: what is trained after the trunk, one mixture after the other.

use sparkjoy_base::toml_file::Placed;
use sparkjoy_mix::Mixture;

use crate::written::{Rate, Window};

#[derive(Clone, Debug)]
pub(super) struct NamedMixture {
    /// First part of the names of its branches.
    pub(super) name: String,
    /// What it is called in tables.
    pub(super) label: String,
    pub(super) mixture: Mixture,
}

#[derive(Clone, Debug)]
pub(super) struct BranchPhase {
    pub(super) mixture: Mixture,
    pub(super) steps: u64,
    /// Name and window of the continuation as far as its end.
    pub(super) name: String,
    pub(super) window: String,
}

/// What follows the trunk.
#[derive(Clone, Debug)]
pub(super) struct Continuation {
    /// What it is called in tables.
    pub(super) label: String,
    /// The step of the trunk it begins at.
    pub(super) from: u64,
    pub(super) rate: Rate,
    pub(super) phases: Vec<BranchPhase>,
    /// The line of the study that asks for it.
    pub(super) line: usize,
}

impl Continuation {
    /// A window at the end of a run of `steps`.
    pub(super) fn last(
        tested: &NamedMixture,
        window: &Placed<Window>,
        steps: u64,
        rate: Rate,
    ) -> Self {
        let span = window.value.span.to_string();
        let decay = if rate == Rate::Decay { "-decay" } else { "" };
        let name = format!("{}-{}{decay}", tested.name, in_a_name(&span));
        let shown = if rate == Rate::Decay { format!("{span}, decay") } else { span };
        Self {
            label: tested.label.clone(),
            from: steps - window.value.steps,
            rate,
            phases: vec![BranchPhase {
                mixture: tested.mixture.clone(),
                steps: window.value.steps,
                name,
                window: shown,
            }],
            line: window.line,
        }
    }

    /// A window that begins at `from` of a run of `steps`. `place`: the same in words.
    pub(super) fn at(
        tested: &NamedMixture,
        window: &Placed<Window>,
        (from, place): (u64, &str),
        steps: u64,
    ) -> Self {
        let mut continuation = Self::last(tested, window, steps, Rate::Trunk);
        if from != continuation.from {
            continuation.from = from;
            let phase = &mut continuation.phases[0];
            phase.name = format!("{}-at-{}", phase.name, in_a_name(place));
            phase.window = format!("{} at {place}", phase.window);
        }
        continuation
    }

    /// The same, followed by another mixture for some steps. `span`: how long, in words.
    pub(super) fn then(&self, next: &NamedMixture, steps: u64, span: Option<&str>) -> Self {
        let mut continuation = self.clone();
        let last = self.phases.last().expect("a continuation has a phase");
        let (in_name, in_words) = match span {
            Some(span) => (format!("-{}", in_a_name(span)), format!(" for {span}")),
            None => (String::new(), String::new()),
        };
        continuation.phases.push(BranchPhase {
            mixture: next.mixture.clone(),
            steps,
            name: format!("{}-then-{}{in_name}", last.name, next.name),
            window: format!("{}, then {}{in_words}", last.window, next.label),
        });
        continuation
    }

    /// The same with more behind it: `span` of it in all, of which `steps` are new.
    pub(super) fn on(&self, next: &NamedMixture, steps: u64, span: &str) -> Self {
        let beginning = Self { phases: self.phases[..1].to_vec(), ..self.clone() };
        let named = beginning.then(next, steps, Some(span));
        let mut continuation = self.clone();
        continuation.phases.extend(named.phases.into_iter().skip(1));
        continuation
    }

    pub(super) fn window(&self) -> &str {
        &self.phases.last().expect("a continuation has a phase").window
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
