//! Refuses a source read more often than its `max_epochs`, and says what would fit.

use std::collections::BTreeMap;

use sparkjoy_base::{Ppm, Problem, SourceName};
use sparkjoy_spec::RunSpec;

use crate::plan::{Branch, PlanSource};
use crate::written::Study;

/// Sequences by which a draw may be off its exact share, in trunk and branch together: what is
/// said to fit must fit.
const SLACK: i128 = 8;

/// Refuses a plan in which a branch reads a source past its cap: the worst branch is named.
pub(crate) fn check_epochs(
    study: &Study,
    sources: &BTreeMap<SourceName, PlanSource>,
    trunk: &RunSpec,
    branches: &[Branch],
) -> Result<(), Problem> {
    for (name, facts) in &study.sources.facts {
        let Some(cap) = &facts.max_epochs else { continue };
        let read = branches.iter().filter_map(|b| Some((b.accounts.get(name)?.epochs, b)));
        let worst = read.reduce(|most, next| if next.0 > most.0 { next } else { most });
        let Some((epochs, branch)) = worst.filter(|(epochs, _)| *epochs > cap.value) else {
            continue;
        };
        let may_draw = (cap.value * sources[name].identity.sequences as f64).floor() as i128;
        let text = format!(
            "branch `{}` reads source `{name}` {epochs:.2} times, expected at most its `max_epochs` \
             {}: {}",
            branch.name,
            cap.value,
            what_fits(name, may_draw, trunk, branch)
        );
        return Err(study.problem(cap.line, text));
    }
    Ok(())
}

/// The nearest plans that would fit if `source` may be drawn `may_draw` times by the end of
/// `branch`.
///
/// A branch that draws less of the source than the trunk is never the worst: its control
/// draws more.
fn what_fits(source: &SourceName, may_draw: i128, trunk: &RunSpec, branch: &Branch) -> String {
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
    let free = (may_draw - read) * million - before * slots(trunk);
    if free <= 0 || during <= before {
        let proportion = easy_to_type((may_draw - read).max(0) * million / slots(trunk));
        return format!(
            "the base mixture by itself reads it too often, a proportion of at most {proportion} \
             in it would fit"
        );
    }
    let left = may_draw
        - i128::from(branch.spec.opening.drawn(source))
        - (before * after).div_euclid(million);
    let window = free / (during - before);
    let proportion = easy_to_type(left * million / slots(&branch.spec));
    let window = easy_to_type(window.min(slots(trunk)) * million / whole);
    format!("a proportion of at most {proportion}, or a window of at most {window}, would fit")
}

/// Down to two decimals of a percent, where that says enough.
fn easy_to_type(parts: i128) -> Ppm {
    Ppm(if parts < 10_000 { parts } else { parts / 100 * 100 } as u32)
}
