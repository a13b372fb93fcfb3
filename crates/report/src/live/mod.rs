//! Shows a study in a browser while it runs.
//!
//! Everything shown is read from the disk: the plan, the folders of runs, their metrics, the signs
//! of life that jobs give. So it can be started before, during and after a run, by another process,
//! and stopped at any time. It writes nothing, answers this machine only, and takes no order from a
//! browser but which run's curve to show.

mod answer;
mod curve;
mod error;
mod guard;
mod picture;
mod progress;
mod server;
mod snapshot;
mod stream;
mod subject;
mod tail;
mod tree;
mod watcher;

pub use error::ServeError;
pub use server::{DEFAULT_PORT, serve};
pub use subject::Subject;
