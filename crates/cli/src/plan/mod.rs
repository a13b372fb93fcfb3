//! `plan`: every consequence of a study, before a second is spent on it.

mod decides;
mod facts;
mod memory;
mod tables;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use sparkjoy_answers::power;
use sparkjoy_base::{Hint, thousands};
use sparkjoy_jobs::{
    JobState, PlannedJob, Resources, changed_settings, changed_text, check_plan, checked,
    job_states, planned_jobs, scored_before,
};
use sparkjoy_nn::{Compute, measure};
use sparkjoy_study::Plan;

use crate::args::{ForData, Place};
use crate::failure::Failure;
use crate::output::{Output, print, print_json};
use crate::study::OpenedStudy;

use facts::{Facts, Refused};
use memory::Memory;

/// Shows the plan of a study, after preparing what is missing of its text. Trains nothing.
///
/// # Errors
///
/// What is wrong with the study or its text; an interruption.
pub(crate) fn show(
    study: &Path,
    tasks: &ForData,
    place: &Place,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    let opened = OpenedStudy::to_run(study, None, place, stop)?;
    let places = place.places(tasks.data(opened.study.task_data()));
    let resources = Resources::new(place.threads());
    let refused = check_plan(&opened.inputs(), &places, &resources)?;
    let OpenedStudy { study, corpora, mut plan, .. } = opened;
    plan.notes.extend(changed_text(&study, &corpora));
    let jobs = jobs(&plan, place)?;
    let power = power(&plan, &scored_before(&plan, &place.runs));
    let compute = compute(&plan, place);
    let speed = measure(plan.shape, plan.batch as usize, compute);
    let facts = Facts::new(&plan, jobs, speed, Memory::of(&plan, compute))?;
    let contamination = checked(&plan, &place.runs)?;
    let changed = changed_settings(&plan, &place.runs);
    let refused = refused.map(|error| Refused { text: error.to_string(), hint: error.hint() });
    let facts = Facts { power, contamination, refused, changed, ..facts };
    match place.output() {
        Output::Json => print_json(&facts),
        Output::Text => print(&format!("{}{}", header(&plan), tables::render(&facts))),
    }
}

/// Jobs with their states.
fn jobs(plan: &Plan, place: &Place) -> Result<Vec<(PlannedJob, JobState)>, Failure> {
    let states = job_states(plan, &place.runs)?.into_iter().map(|(_, state)| state);
    Ok(planned_jobs(plan, &place.runs).into_iter().zip(states).collect())
}

fn compute(plan: &Plan, place: &Place) -> Compute {
    let (precision, threads) = (plan.trunk().precision, place.threads());
    Compute { precision, recompute: place.recompute, threads }
}

/// Seconds that what is left of a study takes on this machine; none where it is so little that the
/// machine need not be timed.
///
/// # Errors
///
/// What is wrong with its folders.
pub(crate) fn seconds_left(plan: &Plan, place: &Place) -> Result<Option<f64>, Failure> {
    /// FLOPs that any machine computes in some hours.
    const LITTLE: u128 = 10_u128.pow(14);
    if plan.cost().tree.flops < LITTLE {
        return Ok(None);
    }
    let (jobs, compute) = (jobs(plan, place)?, compute(plan, place));
    let speed = measure(plan.shape, plan.batch as usize, compute);
    let facts = Facts::new(plan, jobs, speed, Memory::of(plan, compute))?;
    Ok(Some(facts.time_left.seconds()))
}

/// The plan in one line.
pub(crate) fn header(plan: &Plan) -> String {
    let step = plan.trunk().tokens_per_step();
    format!(
        "plan {} · {} branches · {} steps of {} tokens · {} tokens\n",
        plan.fingerprint(),
        plan.branches.len(),
        thousands(plan.steps),
        thousands(step),
        thousands(plan.steps * step),
    )
}
