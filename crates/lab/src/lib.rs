//! Turns one study into trunk and branches, runs what is missing, computes the answers.

mod answers;
mod contract;
mod error;
mod executor;
mod fit;
mod options;
mod problem;
mod report;
mod study;
#[cfg(test)]
mod testing;

pub use answers::{
    Answer, Answers, ArmAnswer, Comparison, Control, Cost, Scope, Spread, Verdict, What, answers,
};
pub use contract::{Account, Arm, Ask, Branch, Evaluation, Plan, PlanSource, QuestionPlan};
pub use error::{LabError, StudyError};
pub use executor::{
    ExecutionError, JobState, JobTime, branch_folder, corpora, job_states, open_corpora, run,
    study_folder, timings, trunk_folder,
};
pub use fit::{Fit, WindowBound};
pub use options::{Event, Options};
pub use problem::Problem;
pub use report::{report_csv, report_markdown, report_text, write_report};
pub use study::{SourceInput, Study, template};
