//! `plan`: every consequence of a study, before a second is spent on it.

mod facts;
mod memory;
mod tables;

use std::path::Path;

use sparkjoy_answers::power;
use sparkjoy_base::thousands;
use sparkjoy_jobs::{
    changed_settings, changed_text, checked, job_states, planned_jobs, scored_before,
};
use sparkjoy_nn::{Compute, measure};
use sparkjoy_study::Plan;

use crate::args::Place;
use crate::failure::Failure;
use crate::output::{Output, print, print_json};
use crate::study::OpenedStudy;

use facts::Facts;
use memory::Memory;

/// Shows the plan of a study. Writes nothing, trains nothing.
///
/// # Errors
///
/// What is wrong with the study; a source that is not prepared.
pub(crate) fn show(study: &Path, place: &Place) -> Result<(), Failure> {
    let OpenedStudy { study, corpora, mut plan, .. } = OpenedStudy::prepared(study, place)?;
    plan.notes.extend(changed_text(&study, &corpora));
    let states = job_states(&plan, &place.runs)?.into_iter().map(|(_, state)| state);
    let jobs = planned_jobs(&plan, &place.runs).into_iter().zip(states).collect();
    let power = power(&plan, &scored_before(&plan, &place.runs));
    let (precision, threads) = (plan.trunk().precision, place.threads());
    let compute = Compute { precision, recompute: place.recompute, threads };
    let speed = measure(plan.shape, plan.batch as usize, compute);
    let facts = Facts::new(&plan, jobs, speed, Memory::of(&plan, compute))?;
    let contamination = checked(&plan, &place.runs)?;
    let changed = changed_settings(&plan, &place.runs);
    let facts = Facts { power, contamination, changed, ..facts };
    match place.output() {
        Output::Json => print_json(&facts),
        Output::Text => print(&format!("{}{}", header(&plan), tables::render(&facts))),
    }
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
