//! A plan as a graph of jobs on folders, and who runs them.
//!
//! A job is one idempotent piece of work on shared folders. Nothing keeps a list of what is done:
//! the folders are asked, each time, and only what is whole and of the right identity counts. What
//! is compared with what is not decided here.

mod changes;
mod contamination;
mod engines;
mod error;
mod folders;
mod graph;
mod heartbeat;
mod held_out;
mod inputs;
mod keyed;
mod models;
mod places;
mod prepared;
mod problem;
mod refusal;
mod resources;
mod results;
mod run;
mod scorecards;
mod scores;
mod seal;
mod tasks;
mod tensorboard;
mod throughput;
mod timing;
mod training_observer;
mod training_text;
mod views;
mod watcher;

pub use changes::{ChangedSetting, Lost, changed_settings};
pub use contamination::checked;
pub use error::JobError;
pub use folders::{branch_folder, study_folder, trunk_folder};
pub use graph::JobState;
pub use heartbeat::{At, HEARTBEAT_EVERY, Heartbeat, JobFailure, heartbeats};
pub use held_out::{changed_text, check_held_out, held_out_notes, refuse_leaked};
pub use inputs::Inputs;
pub use places::Places;
pub use prepared::{corpora, open_corpora, seal_corpora, text_is_gone};
pub use refusal::items_found;
pub use resources::{Programs, Resources};
pub use results::{results, scored_before};
pub use run::{check_plan, run};
pub use seal::{Sealed, Sealing, seal_results};
pub use tasks::{AnsweredItem, TaskRequest, TaskWork, answered_items, score_tasks};
pub use throughput::RecentThroughput;
pub use timing::JobTime;
pub use views::{
    JobCost, JobKind, JobRun, JobView, PlannedJob, job_states, job_views, planned_jobs, timings,
};
pub use watcher::{Event, Watcher};
