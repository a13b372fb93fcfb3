//! How long jobs took, kept apart from every result: times differ from run to run, results do not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{read, write_atomic};

use crate::JobError;
use crate::folders::study_folder;
use crate::graph::{Job, jobs};
use crate::problem::damaged;
use sparkjoy_study::Plan;

/// What a job has cost so far. Time lost to a kill is not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JobTime {
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Training steps taken in them; 0 for scores.
    pub steps: u64,
}

/// What each job of a plan has cost, by name; jobs that never ran are absent.
///
/// # Errors
///
/// If a file cannot be read.
pub fn timings(plan: &Plan, runs: &Path) -> Result<BTreeMap<String, JobTime>, JobError> {
    let times = jobs(plan).into_iter().filter_map(|job| {
        let time = of_job(plan, runs, &job).transpose()?;
        Some(time.map(|time| (job.name(plan), time)))
    });
    times.collect()
}

/// One file per job, so that jobs that run side by side do not write the same one.
fn file(plan: &Plan, runs: &Path, job: &str) -> PathBuf {
    study_folder(plan, runs).join("timing").join(format!("{job}.json"))
}

/// What one job has cost so far.
pub(crate) fn of_job(plan: &Plan, runs: &Path, job: &Job<'_>) -> Result<Option<JobTime>, JobError> {
    let former = job.former_name();
    let names = std::iter::once(job.name(plan)).chain(former);
    let mut paths = names.map(|name| file(plan, runs, &name));
    let Some(path) = paths.find(|path| path.exists()) else { return Ok(None) };
    match serde_json::from_slice(&read(&path)?) {
        Ok(time) => Ok(Some(time)),
        Err(why) => Err(damaged(&path, &why).into()),
    }
}

/// Adds what a call cost to what earlier calls did.
pub(crate) fn add(plan: &Plan, runs: &Path, job: &Job<'_>, spent: JobTime) -> Result<(), JobError> {
    let before = of_job(plan, runs, job)?.unwrap_or_default();
    let seconds = before.seconds + spent.seconds;
    let time = JobTime { seconds, steps: before.steps + spent.steps };
    let json = serde_json::to_vec(&time).expect("plain data has a JSON form");
    Ok(write_atomic(&file(plan, runs, &job.name(plan)), &json)?)
}
