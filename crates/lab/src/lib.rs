//! Turns one study into trunk and branches, runs what is missing, computes the answers.

mod contract;
mod error;
mod fit;
mod problem;
mod study;
#[cfg(test)]
mod testing;

pub use contract::{
    Account, Answers, Arm, Ask, Branch, Evaluation, Event, JobState, Options, Plan, PlanSource,
    QuestionPlan, answers, corpora, job_states, run,
};
pub use error::{LabError, StudyError};
pub use fit::{Fit, WindowBound};
pub use problem::Problem;
pub use study::{SourceInput, Study, template};
