//! Turns one study into trunk and branches, runs what is missing, computes the answers.

mod account;
mod apportion;
mod contract;
mod cost;
mod error;
mod fit;
mod mixtures;
mod note;
mod plan;
mod problem;
mod question;
mod study;
#[cfg(test)]
mod testing;

pub use account::Account;
pub use contract::{Answers, Event, JobState, Options, answers, corpora, job_states, run};
pub use cost::{Effort, TreeCost};
pub use error::{LabError, StudyError};
pub use fit::Fit;
pub use note::Note;
pub use plan::{Arm, Ask, Branch, Evaluation, Plan, PlanSource, QuestionPlan};
pub use problem::Problem;
pub use study::{STUDY_TEMPLATE, SourceInput, Study};
