//! How long jobs took, kept apart from every result: times differ from run to run, results do not.
//!
//! A time that cannot be read is not known, and one that cannot be written is not kept: neither
//! stops anything.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{read, write_atomic};
use sparkjoy_study::Plan;

use crate::folders::study_folder;
use crate::keyed::json;

/// No job took so many seconds: three hundred years.
const LONGEST: f64 = 1e10;

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
pub(crate) fn of_job(plan: &Plan, runs: &Path, names: &[String]) -> Option<JobTime> {
    let read = |name: &String| -> Option<JobTime> {
        let json = read(&file(plan, runs, name)).ok()?;
        let time: JobTime = serde_json::from_slice(&json).ok()?;
        (0.0..LONGEST).contains(&time.seconds).then_some(time)
    };
    names.iter().find_map(read)
}

/// Adds what a call cost to what earlier calls did.
///
/// - `names`: as for [`of_job`].
pub(crate) fn add(plan: &Plan, runs: &Path, names: &[String], spent: JobTime) {
    let before = of_job(plan, runs, names).unwrap_or_default();
    let seconds = before.seconds + spent.seconds;
    let time = JobTime { seconds, steps: before.steps.saturating_add(spent.steps) };
    let _ = write_atomic(&file(plan, runs, &names[0]), &json(&time));
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sparkjoy_kit::invented;

    use super::*;

    #[test]
    fn a_time_that_cannot_be_read_is_measured_anew() {
        let (runs, plan) = (tempfile::tempdir().unwrap(), invented::plan());
        let (runs, names) = (runs.path(), ["trunk-4".to_owned()]);
        let spent = JobTime { seconds: 2.0, steps: 3 };
        add(&plan, runs, &names, spent);
        add(&plan, runs, &names, spent);
        assert_eq!(of_job(&plan, runs, &names), Some(JobTime { seconds: 4.0, steps: 6 }));
        let path = file(&plan, runs, &names[0]);
        let damages = ["", "{\"seconds\":4.0,\"st", "[]", r#"{"seconds":1e300,"steps":6}"#];
        for damage in damages.iter().map(|text| text.as_bytes()).chain([&b"\xff\xfe"[..]]) {
            fs::write(&path, damage).unwrap();
            assert_eq!(of_job(&plan, runs, &names), None);
            add(&plan, runs, &names, spent);
            assert_eq!(of_job(&plan, runs, &names), Some(spent));
        }
        // Nor does it matter where none can be written.
        let folder = path.parent().unwrap();
        fs::remove_dir_all(folder).unwrap();
        fs::write(folder, "").unwrap();
        add(&plan, runs, &names, spent);
        assert_eq!(of_job(&plan, runs, &names), None);
    }
}
