//! Turns one study into trunk and branches, runs what is missing, computes the answers.

mod answers;
mod contract;
mod executor;
mod options;
mod report;

pub use answers::{
    Answer, Answers, ArmAnswer, Comparison, Control, Cost, Scope, Spread, Verdict, What, answers,
};
pub use contract::{
    Account, Arm, Ask, Branch, Evaluation, LabError, Plan, PlanSource, QuestionPlan, SourceInput,
    Study,
};
pub use executor::{
    ExecutionError, JobState, JobTime, branch_folder, corpora, job_states, run, study_folder,
    timings, trunk_folder,
};
pub use options::{Event, Options};
pub use report::{report_csv, report_markdown, report_text, write_report};
