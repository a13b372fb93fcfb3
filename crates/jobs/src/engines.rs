//! The engine that trains, and whether it may train what is compared.
//!
//! Two engines order their sums differently. A branch is compared with its control, so both are
//! trained by one engine: else their difference holds the engines besides the data. The
//! instruction sets of our own engine differ far less; their change is told and recorded.

use std::time::Duration;

use sparkjoy_base::Problem;
use sparkjoy_spec::Engine;
use sparkjoy_study::{Branch, Plan};
use sparkjoy_train::{Checkpoint, Expected, KernelSince, LocalEngine, ProcessEngine, TrainError};

use crate::error::JobError;
use crate::folders::branch_folder;
use crate::inputs::Inputs;
use crate::places::Places;
use crate::resources::Resources;

/// How long a command may take to save and end once it is asked to.
const GRACE: Duration = Duration::from_mins(5);

/// What trains.
///
/// - `before`: the engine that must be the one.
pub(crate) fn engine<'a>(
    inputs: &Inputs<'a>,
    resources: &'a Resources,
    before: Option<&'a Before>,
) -> Box<dyn Engine<Error = TrainError> + 'a> {
    let Inputs { corpora, tokenizer, .. } = *inputs;
    let Resources { threads, recompute, .. } = *resources;
    match &resources.engine {
        Some(argv) => {
            let expected =
                before.map(|Before { of, kernel }| Expected { name: kernel, computed: of });
            Box::new(ProcessEngine { argv, corpora, tokenizer, grace: GRACE, expected })
        }
        None => Box::new(LocalEngine { corpora, tokenizer, threads, recompute }),
    }
}

/// What computed something before, in words, and the name of the engine.
#[derive(Debug)]
pub(crate) struct Before {
    of: String,
    kernel: String,
}

/// Refuses to train a branch with another engine than what it is compared with.
///
/// - `start`: the checkpoint it starts from.
///
/// Returns the engine that a command must turn out to be, where some of what is compared is
/// computed: its name is known once it has begun.
///
/// # Errors
///
/// Another engine than that; if a checkpoint cannot be read.
pub(crate) fn refuse_other_engine(
    plan: &Plan,
    branch: &Branch,
    start: Option<&Checkpoint>,
    places: &Places,
    resources: &Resources,
) -> Result<Option<Before>, JobError> {
    if resources.mixed_engines {
        return Ok(None);
    }
    let before = computed_before(plan, branch, places)?;
    let at_start = || match start {
        Some(start) => {
            let run = format!("step {} of `{}`", start.step, plan.trunks[branch.trunk].name);
            Ok::<_, JobError>(last_kernel(start)?.map(|kernel| (run, kernel)))
        }
        None => Ok(None),
    };
    // A trunk and its branches are not compared: only whether both are ours counts.
    let is_compared = before.is_some();
    let Some((run, kernel)) = before.map_or_else(at_start, |found| Ok(Some(found)))? else {
        return Ok(None);
    };
    let is_ours = resources.engine.is_none();
    if kernel.is_ours() == is_ours {
        let is_known = is_compared && !is_ours;
        return Ok(is_known.then_some(Before { of: run, kernel: kernel.kernel }));
    }
    let found = resources.engine.as_ref().map(|argv| argv.join(" "));
    Err(other_engine(&branch.name, found.as_deref(), &run, &kernel.kernel).into())
}

/// A branch that would be trained by another engine than what it is compared with.
///
/// - `found`: the command that would train; none where this program would.
/// - `of`, `expected`: what was computed before, a branch that it is compared with or its start,
///   and what computed that.
fn other_engine(job: &str, found: Option<&str>, of: &str, expected: &str) -> Problem {
    let (by, hint) = match found {
        Some(command) => (format!("`{command}`"), "run without `--engine`"),
        None => ("this program".to_owned(), "name that engine: `--engine 'COMMAND {job}'`"),
    };
    Problem::new(format!(
        "job `{job}` would be trained by {by}, expected the engine that computed {of} \
         (`{expected}`): a difference between the two would hold rounding besides data"
    ))
    .with_hint(format!("{hint}; or allow it by `--mixed-engines`: the report then says so"))
}

/// What computed the last step of what tells about a branch, and its name: of its own beginning,
/// else of a branch that it is compared with.
fn computed_before(
    plan: &Plan,
    branch: &Branch,
    places: &Places,
) -> Result<Option<(String, KernelSince)>, JobError> {
    for other in std::iter::once(branch).chain(compared_with(plan, branch)) {
        let checkpoints = Checkpoint::list(&branch_folder(other, &places.runs))?;
        // An engine that is handed a run keeps a checkpoint before its first step.
        let own = checkpoints.into_iter().filter(|c| c.step > other.from_step);
        if let Some(last) = own.max_by_key(|checkpoint| checkpoint.step)
            && let Some(kernel) = last_kernel(&last)?
        {
            return Ok(Some((format!("`{}`", other.name), kernel)));
        }
    }
    Ok(None)
}

fn last_kernel(checkpoint: &Checkpoint) -> Result<Option<KernelSince>, JobError> {
    Ok(checkpoint.inspect()?.kernels.iter().last().cloned())
}

/// The controls of a branch, and the branches it is a control of.
fn compared_with<'a>(plan: &'a Plan, branch: &'a Branch) -> impl Iterator<Item = &'a Branch> {
    let arms = plan.questions.iter().flat_map(|question| &question.arms);
    let pairs = arms.flat_map(|arm| arm.branches.iter().zip(&arm.controls));
    let is_it = |index: usize| plan.branches[index].name == branch.name;
    pairs.filter_map(move |(&one, &control)| match (is_it(one), is_it(control)) {
        (true, false) => Some(&plan.branches[control]),
        (false, true) => Some(&plan.branches[one]),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sparkjoy_kit::shown;

    #[test]
    fn another_engine_is_named_with_the_one_expected() {
        let (job, command) = ("upsampled-10pct-r1", "python3 engine.py {job}");
        let problems = [
            other_engine(job, Some(command), "`base-10pct-r1`", "avx512"),
            other_engine(job, None, "step 3600 of `trunk`", "torch-2.15.0-cuda-x1"),
        ];
        let texts = problems.map(|problem| shown(Err(problem))).join("\n\n");
        insta::assert_snapshot!(texts, @"
        job `upsampled-10pct-r1` would be trained by `python3 engine.py {job}`, expected the engine that computed `base-10pct-r1` (`avx512`): a difference between the two would hold rounding besides data
        hint: run without `--engine`; or allow it by `--mixed-engines`: the report then says so

        job `upsampled-10pct-r1` would be trained by this program, expected the engine that computed step 3600 of `trunk` (`torch-2.15.0-cuda-x1`): a difference between the two would hold rounding besides data
        hint: name that engine: `--engine 'COMMAND {job}'`; or allow it by `--mixed-engines`: the report then says so
        ");
    }
}
