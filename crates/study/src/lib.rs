//! Turns one file into a plan: questions, arms, controls, phases, costs, refusals.
//!
//! `written` is the study as its author wrote it, checked against itself. `plan` is the study
//! resolved, plain types that everybody above reads. `resolve` makes the one from the other.
//! Nothing here runs a job or reads a token.

mod error;
mod plan;
mod resolve;
#[cfg(test)]
mod testing;
mod written;

pub use error::StudyError;
pub use plan::{
    Arm, Ask, Branch, CONFIDENCE, EPOCHS_WORTH_READING, Effort, Evaluation, Guard, Import,
    Measured, Note, Objective, Plan, PlanSource, QuestionPlan, Role, Setting, Simplex,
    SourceTokens, Target, TaskPlan, TimeEstimate, TreeCost, Trunk, Unit,
};
pub use resolve::{apportion, blended, plan_sources};
pub use written::{
    STUDY_TEMPLATE, SourceInput, Study, StudyTokenizer, select_tasks, simplex_lattice,
};
