//! Refuses a source read more often than its `max_epochs`, and says what would fit.

use std::collections::BTreeMap;
use std::fmt;

use sparkjoy_base::{Ppm, SourceName};
use sparkjoy_train::RunSpec;

use crate::StudyError;
use crate::plan::{Branch, PlanSource};
use crate::problem::Problem;
use crate::written::Study;

/// Sequences by which a draw may be off its exact share, in trunk and branch together: what is
/// said to fit must fit.
const SLACK: i128 = 8;

/// The nearest plans that would not read a source too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The base mixture by itself reads the source too often.
    Base {
        /// The largest proportion in it that would fit.
        proportion: Ppm,
    },
    /// The last phase reads it too often.
    Branch {
        /// The largest proportion in the same window.
        proportion: Ppm,
        /// The longest window with the same proportion, as a share of the run.
        window: Ppm,
    },
}

/// Refuses a plan in which a branch reads a source past its cap: the worst branch is named.
pub(crate) fn check_epochs(
    study: &Study,
    sources: &BTreeMap<SourceName, PlanSource>,
    trunk: &RunSpec,
    branches: &[Branch],
) -> Result<(), StudyError> {
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
    ///
    /// A branch that draws less of the source than the trunk is never the worst: its control
    /// draws more.
    fn of(source: &SourceName, may_draw: i128, trunk: &RunSpec, branch: &Branch) -> Self {
        let may_draw = (may_draw - SLACK).max(0);
        let share = |spec: &RunSpec| {
            spec.phases[0].mixture.proportions().get(source).map_or(0, |part| i128::from(part.0))
        };
        let slots = |spec: &RunSpec| i128::from(spec.phases[0].slots);
        let (before, during) = (share(trunk), share(&branch.spec));
        let read = i128::from(trunk.opening.drawn(source));
        let whole = slots(trunk) + i128::from(trunk.first_step * trunk.batch);
        let million = i128::from(Ppm::ONE.0);
        // What follows a window is the trunk's mixture again, never past the end of the run.
        let after: i128 = branch.spec.phases[1..].iter().map(|p| i128::from(p.slots)).sum();
        // Of a window of w slots at the end of all S, the whole run draws
        // before·(S − w) + during·w, in millionths, beside what the trunk came with.
        let room = (may_draw - read) * million - before * slots(trunk);
        if room <= 0 || during <= before {
            return Self::Base {
                proportion: easy_to_type((may_draw - read).max(0) * million / slots(trunk)),
            };
        }
        let left = may_draw
            - i128::from(branch.spec.opening.drawn(source))
            - (before * after).div_euclid(million);
        let window = room / (during - before);
        Self::Branch {
            proportion: easy_to_type(left * million / slots(&branch.spec)),
            window: easy_to_type(window.min(slots(trunk)) * million / whole),
        }
    }
}

/// Down to two decimals of a percent, where that says enough.
fn easy_to_type(parts: i128) -> Ppm {
    Ppm(if parts < 10_000 { parts } else { parts / 100 * 100 } as u32)
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base { proportion } => write!(
                f,
                "the base mixture by itself reads it too often, a proportion of at most \
                 {proportion} in it would fit"
            ),
            Self::Branch { proportion, window } => write!(
                f,
                "a proportion of at most {proportion}, or a window of at most {window}, would fit"
            ),
        }
    }
}
