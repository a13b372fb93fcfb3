//! A plan as a graph of jobs on folders, and who runs them.
//!
//! A job is one idempotent piece of work on shared folders. Nothing keeps a list of what is done:
//! the folders are asked, each time, and only what is whole and of the right identity counts. What
//! is compared with what is not decided here.

mod cards;
mod changes;
mod contamination;
mod error;
mod folders;
mod graph;
mod heartbeat;
mod options;
mod prepared;
mod problem;
mod results;
mod run;
mod scores;
mod tasks;
mod tensorboard;
mod throughput;
mod timing;
mod watch;

pub use changes::{ChangedSetting, changed_settings};
pub use contamination::{checked, items_found};
pub use error::JobError;
pub use folders::{branch_folder, study_folder, trunk_folder};
pub use graph::{
    JobCost, JobKind, JobRun, JobState, JobView, PlannedJob, job_states, job_views, planned_jobs,
};
pub use heartbeat::{At, JobFailure, SIGN_EVERY, Sign, signs};
pub use options::{Event, Options, Programs};
pub use prepared::{corpora, open_corpora, text_is_gone};
pub use results::{held_out, results};
pub use run::run;
pub use tasks::{TaskRequest, TaskWork, score_tasks};
pub use throughput::Rate;
pub use timing::{JobTime, timings};
