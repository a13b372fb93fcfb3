//! Refuses a source read more often than its `max_epochs`, and says what would fit.

use std::collections::BTreeMap;

use sparkjoy_base::toml_file::Placed;
use sparkjoy_base::{Ppm, Problem, SourceName, Tokens};
use sparkjoy_spec::RunSpec;

use crate::plan::{Branch, PlanSource};
use crate::written::{SourceFacts, Study};

/// Epochs a source may be read at most where its author says nothing: far beyond what repetition is
/// known to be good for, so what is read more often is a slip of the budget.
const USUAL_MAX_EPOCHS: f64 = 100.0;
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
        let cap = cap(facts);
        let read = branches.iter().filter_map(|b| Some((b.accounts.get(name)?.epochs, b)));
        let worst = read.reduce(|most, next| if next.0 > most.0 { next } else { most });
        let Some((epochs, branch)) = worst.filter(|(epochs, _)| *epochs > cap.value) else {
            continue;
        };
        let may_draw = (cap.value * sources[name].identity.sequences as f64).floor() as i128;
        let budget = largest_budget(study, sources, trunk, branches);
        let shorter =
            budget.map_or_else(String::new, |budget| format!(", or a budget of {budget}"));
        let which = match facts.max_epochs {
            Some(_) => "its `max_epochs`",
            None => "(it has no `max_epochs`)",
        };
        let text = format!(
            "branch `{}` reads source `{name}` {epochs:.2} times, expected at most {which} {}: \
             {}{shorter}, would fit",
            branch.name,
            cap.value,
            what_fits(name, may_draw, trunk, branch)
        );
        let allow = format!("`max_epochs = {:.2}` in `[sources.{name}]`", above(epochs));
        let hint = match budget {
            Some(budget) => format!("write `budget = \"{budget}\"`, or allow it: {allow}"),
            None => format!("change one of them, or allow it: {allow}"),
        };
        return Err(study.problem(cap.line, text).with_hint(hint));
    }
    Ok(())
}

/// Epochs a source may be read at most, and the line that says so.
fn cap(facts: &SourceFacts) -> Placed<f64> {
    let usual = Placed { value: USUAL_MAX_EPOCHS, line: facts.line };
    facts.max_epochs.clone().unwrap_or(usual)
}

/// Two decimals, upwards: what is allowed covers what is read.
fn above(epochs: f64) -> f64 {
    (epochs * 100.0).ceil() / 100.0
}

/// The largest budget with which no branch reads any source past its cap, down to three digits.
/// None where there is no such budget, and where the trunk was trained elsewhere: what that has
/// read does not change.
fn largest_budget(
    study: &Study,
    sources: &BTreeMap<SourceName, PlanSource>,
    trunk: &RunSpec,
    branches: &[Branch],
) -> Option<Tokens> {
    if trunk.first_step > 0 {
        return None;
    }
    let clock = study.training.clock;
    let share = |spec: &RunSpec, name| {
        spec.phases[0].mixture.proportions().get(name).map_or(0.0, |part| f64::from(part.0) / 1e6)
    };
    // A window in percent is rounded to a whole step, so a draw may be off by half a batch.
    let slack = SLACK as f64 + clock.batch as f64 / 2.0;
    let mut most = clock.steps() as f64;
    for (name, facts) in &study.sources.facts {
        let cap = cap(facts);
        let sequences = sources[name].identity.sequences as f64;
        let may_draw = (cap.value * sequences).floor();
        for branch in branches {
            let Some(account) = branch.accounts.get(name) else { continue };
            if account.epochs <= cap.value {
                continue;
            }
            let window = branch.window.split([' ', ',']).next().unwrap_or_default();
            let (before, slots) = (share(trunk, name), branch.spec.phases[0].slots as f64);
            let fits = if window.ends_with('%') {
                // Everything is in proportion to the budget.
                clock.steps() as f64 * (may_draw - slack) / (account.epochs * sequences)
            } else {
                let more = (share(&branch.spec, name) - before) * slots;
                let fits = (may_draw - slack - more) / before / clock.batch as f64;
                // The window itself has to be left.
                if fits * clock.batch as f64 > slots { fits } else { 0.0 }
            };
            most = most.min(fits);
        }
    }
    let tokens = most.max(0.0) as u64 * clock.step().0;
    let unit = 10_u64.pow(tokens.checked_ilog10()?.saturating_sub(2));
    let budget = tokens / unit * unit;
    (budget >= clock.step().0).then_some(Tokens(budget))
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
             in it"
        );
    }
    let left = may_draw
        - i128::from(branch.spec.opening.drawn(source))
        - (before * after).div_euclid(million);
    let window = free / (during - before);
    let proportion = easy_to_type(left * million / slots(&branch.spec));
    let window = easy_to_type(window.min(slots(trunk)) * million / whole);
    format!("a proportion of at most {proportion}, or a window of at most {window}")
}

/// Down to two decimals of a percent, where that says enough.
fn easy_to_type(parts: i128) -> Ppm {
    Ppm(if parts < 10_000 { parts } else { parts / 100 * 100 } as u32)
}
