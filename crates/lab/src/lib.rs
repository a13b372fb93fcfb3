//! Turns one study into trunk and branches, runs what is missing, computes the answers.

mod contract;

pub use contract::{
    Account, Answers, Arm, Ask, Branch, Evaluation, Event, JobState, LabError, Options, Plan,
    PlanSource, QuestionPlan, SourceInput, Study, answers, corpora, job_states, run,
};
