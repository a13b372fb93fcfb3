//! Refuses a source read more often than its `max_epochs`, and says what would fit.

use std::collections::BTreeMap;
use std::fmt;

use sparkjoy_base::{Ppm, SourceName};
use sparkjoy_train::RunSpec;

use crate::LabError;
use crate::plan::{Branch, PlanSource};
use crate::problem::Problem;
use crate::study::Study;

/// Sequences by which a draw may be off its exact share, in trunk and branch together: what is
/// said to fit must fit.
const SLACK: i128 = 8;

/// The nearest plans that would not read a source too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The largest proportion in the same window, if any.
    pub proportion: Option<Ppm>,
    /// The longest or shortest window with the same proportion, as a share of the run, if any.
    pub window: Option<WindowBound>,
}

/// On which side a window would have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowBound {
    /// The branch draws more of the source than the trunk: the window may be this long.
    AtMost(Ppm),
    /// The branch draws less of it: the window must be this long.
    AtLeast(Ppm),
}

/// Refuses a plan in which a branch reads a source past its cap: the worst branch is named.
pub(crate) fn check_epochs(
    study: &Study,
    sources: &BTreeMap<SourceName, PlanSource>,
    trunk: &RunSpec,
    branches: &[Branch],
) -> Result<(), LabError> {
    for (name, facts) in &study.sources.facts {
        let Some(cap) = &facts.max_epochs else { continue };
        let read = branches.iter().filter_map(|b| Some((b.accounts.get(name)?.epochs, b)));
        let worst = read.reduce(|most, next| if next.0 > most.0 { next } else { most });
        let Some((epochs, branch)) = worst.filter(|(epochs, _)| *epochs > cap.value) else {
            continue;
        };
        let may_draw = (cap.value * sources[name].supply.sequences as f64).floor() as i128;
        let problem = Problem::TooOften {
            branch: branch.name.clone(),
            source_name: name.clone(),
            epochs,
            cap: cap.value,
            fit: Fit::of(name, may_draw, trunk, branch),
        };
        return Err(study.problem(cap.line, problem));
    }
    Ok(())
}

impl Fit {
    /// What would fit if `source` may be drawn `may_draw` times by the end of `branch`.
    fn of(source: &SourceName, may_draw: i128, trunk: &RunSpec, branch: &Branch) -> Self {
        let may_draw = may_draw - SLACK;
        let share = |spec: &RunSpec| {
            spec.phases[0].mixture.proportions().get(source).map_or(0, |part| i128::from(part.0))
        };
        let slots = |spec: &RunSpec| i128::from(spec.phases[0].slots);
        let (before, during) = (share(trunk), share(&branch.spec));
        let million = i128::from(Ppm::ONE.0);

        let left = may_draw - i128::from(branch.spec.opening.drawn(source));
        let proportion = left * million / slots(&branch.spec);
        // Of a window of w slots at the end of all S, the whole run draws
        // before·(S − w) + during·w, in millionths.
        let room = may_draw * million - before * slots(trunk);
        let of_run = |window: i128| window * million / slots(trunk);
        let window = if during > before && room > 0 {
            Some(WindowBound::AtMost(round(of_run(room / (during - before)))))
        } else if during < before {
            let window = of_run(-room / (before - during)) + 100;
            (window < million).then(|| WindowBound::AtLeast(round(window + 99)))
        } else {
            None
        };
        let proportion = (0 < proportion && proportion < during).then(|| round(proportion));
        let filled = |bound: &WindowBound| match bound {
            WindowBound::AtMost(share) | WindowBound::AtLeast(share) => share.0 > 0,
        };
        Self { proportion: proportion.filter(|p| p.0 > 0), window: window.filter(filled) }
    }
}

/// Down to two decimals of a percent: what is advised should be easy to type.
fn round(parts: i128) -> Ppm {
    Ppm((parts / 100 * 100) as u32)
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = self.window.map(|bound| match bound {
            WindowBound::AtMost(share) => format!("a window of at most {share}"),
            WindowBound::AtLeast(share) => format!("a window of at least {share}"),
        });
        let proportion = self.proportion.map(|p| format!("a proportion of at most {p}"));
        match (proportion, window) {
            (Some(proportion), Some(window)) => write!(f, "{proportion}, or {window}, would fit"),
            (Some(one), None) | (None, Some(one)) => write!(f, "{one} would fit"),
            (None, None) => f.write_str("the trunk alone reads it too often"),
        }
    }
}
