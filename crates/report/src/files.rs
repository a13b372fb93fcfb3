//! The answers as files for machines: `report.json` and `report.csv`.
//!
//! Both are functions of plan and answers alone. They hold no time and no path, so the same study
//! gives the same bytes, however often it was interrupted.

use std::path::{Path, PathBuf};

use sparkjoy_answers::Answers;
use sparkjoy_base::{FileError, write_atomic};
use sparkjoy_jobs::study_folder;
use sparkjoy_study::Plan;

use crate::csv::report_csv;

/// Writes `report.json` and `report.csv` into the study's folder, and returns the folder.
///
/// # Errors
///
/// If a file cannot be written.
pub fn write_report(plan: &Plan, answers: &Answers, runs: &Path) -> Result<PathBuf, FileError> {
    let folder = study_folder(plan, runs);
    let json = serde_json::to_vec_pretty(answers).expect("plain data has a JSON form");
    write_atomic(&folder.join("report.json"), &json)?;
    write_atomic(&folder.join("report.csv"), report_csv(answers).as_bytes())?;
    Ok(folder)
}
