//! Shows a study in a browser while it runs.
//!
//! Everything shown is read from the disk: the plan, the folders of runs, their metrics, the
//! heartbeats of jobs. So it can be started before, during and after a run, by another process,
//! and stopped at any time. It writes nothing, answers this machine only, and takes no order from a
//! browser but which run to show.
//!
//! `watcher` looks at the disk and draws the page in parts (`study`, `lanes`, `detail`), with the
//! figures of the report. A browser asks for the parts it lacks, and gets them when there are any.

mod answer;
mod curve;
mod detail;
mod error;
mod guard;
mod lanes;
mod patience;
mod picture;
mod progress;
mod server;
mod snapshot;
mod study;
mod subject;
mod tail;
#[cfg(test)]
mod tests;
mod tree;
mod view;
mod watcher;

pub use error::ServeError;
pub use server::{DEFAULT_PORT, serve};
pub use subject::Subject;
pub(crate) use tail::Tail;
