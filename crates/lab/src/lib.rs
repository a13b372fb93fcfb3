//! Turns one study into trunk and branches, runs what is missing, computes the answers.

mod account;
mod answers;
mod apportion;
mod contamination;
mod cost;
mod draft;
mod error;
mod evaluation;
mod executor;
mod fit;
mod import;
mod mixtures;
mod note;
mod options;
mod plan;
mod problem;
mod question;
mod rate;
mod report;
mod study;
#[cfg(test)]
mod testing;

pub use account::Account;
pub use answers::{
    Answer, Answers, ArmAnswer, Comparison, Computed, Control, Cost, Finding, FindingKind, Gap,
    Holds, Measure, QuestionCost, Scope, Seen, Sight, Spread, TaskAnswer, TrunkPoint, TrunkScore,
    Verdict, What, answers, sight,
};
pub use contamination::{Checked, CheckedSource, CheckedTask, FoundItem, checked};
pub use cost::{Effort, TreeCost};
pub use draft::{Draft, DraftError, DraftSource, draft};
pub use error::{LabError, StudyError};
pub use evaluation::{
    FailedTask, MissingTask, Scorecard, TaskRequest, TaskWork, score_tasks, select_tasks,
};
pub use executor::{
    At, ExecutionError, JobFailure, JobKind, JobState, JobTime, JobView, SIGN_EVERY, Sign,
    branch_folder, corpora, job_states, job_views, open_corpora, run, signs, study_folder, timings,
    trunk_folder,
};
pub use fit::Fit;
pub use import::{Import, TrunkProblem};
pub use note::{EPOCHS_WORTH_READING, Note};
pub use options::{Event, Options, Programs};
pub use plan::{
    Arm, Ask, Branch, Evaluation, Plan, PlanSource, QuestionPlan, Role, Setting, TaskPlan, Trunk,
};
pub use problem::Problem;
pub use rate::Rate;
pub use report::{report_csv, report_markdown, report_text, wrap, write_report};
pub use sparkjoy_stats::{Agreement, Effect};
pub use study::{STUDY_TEMPLATE, SourceInput, Study, StudyTokenizer};
