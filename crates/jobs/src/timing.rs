//! How long jobs took, kept apart from every result: times differ from run to run, results do not.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_study::Plan;

use crate::error::JobError;
use crate::folders::study_folder;
use crate::keyed::{read_json, write_json};

/// What a job has cost so far. Time lost to a kill is not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JobTime {
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Training steps taken in them; 0 for scores.
    pub steps: u64,
}

/// One file per job, so that jobs that run side by side do not write the same one.
fn file(plan: &Plan, runs: &Path, job: &str) -> PathBuf {
    study_folder(plan, runs).join("timing").join(format!("{job}.json"))
}

/// What one job has cost so far.
///
/// - `names`: those it has and had, the present one first.
pub(crate) fn of_job(
    plan: &Plan,
    runs: &Path,
    names: &[String],
) -> Result<Option<JobTime>, JobError> {
    for name in names {
        if let Some(time) = read_json(&file(plan, runs, name))? {
            return Ok(Some(time));
        }
    }
    Ok(None)
}

/// Adds what a call cost to what earlier calls did.
///
/// - `names`: as for [`of_job`].
pub(crate) fn add(
    plan: &Plan,
    runs: &Path,
    names: &[String],
    spent: JobTime,
) -> Result<(), JobError> {
    let before = of_job(plan, runs, names)?.unwrap_or_default();
    let seconds = before.seconds + spent.seconds;
    let time = JobTime { seconds, steps: before.steps + spent.steps };
    write_json(&file(plan, runs, &names[0]), &time)
}
