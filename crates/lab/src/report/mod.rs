//! The report: the answers as a person reads them, and every number behind them for machines.
//!
//! A report is a function of plan and answers alone. It knows no time and no path, so that the
//! same study gives the same bytes, however often it was interrupted.

mod numbers;
mod table;
#[cfg(test)]
mod tests;
mod text;

use std::path::{Path, PathBuf};

use sparkjoy_base::{FileError, write_atomic};

use crate::{Answers, Plan, study_folder};

pub use numbers::report_csv;
pub use text::{report_markdown, report_text, wrap};

/// Writes `report.md`, `report.json` and `report.csv` into the study's folder, and returns it.
///
/// # Errors
///
/// If a file cannot be written.
pub fn write_report(plan: &Plan, answers: &Answers, runs: &Path) -> Result<PathBuf, FileError> {
    let folder = study_folder(plan, runs);
    let json = serde_json::to_vec_pretty(answers).expect("plain data has a JSON form");
    write_atomic(&folder.join("report.md"), report_markdown(answers).as_bytes())?;
    write_atomic(&folder.join("report.json"), &json)?;
    write_atomic(&folder.join("report.csv"), report_csv(answers).as_bytes())?;
    Ok(folder)
}
