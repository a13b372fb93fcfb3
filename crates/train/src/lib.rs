//! Runs steps *a* to *b* of a plan and can stop and continue at any step without a trace.
//!
//! A run is a folder. [`run`] brings it to a step; killed at any instant and called again it goes
//! on from the last whole [`Checkpoint`] and ends in the same bytes. It refuses a folder, a parent
//! or data that are not what its [`RunSpec`] was made for. What a trunk, a branch or a question is,
//! it does not know.

mod checkpoint;
mod content;
mod disk;
mod divergence;
mod error;
mod hugging_face;
mod import;
mod inputs;
mod kernels;
mod loader;
mod log;
mod metrics;
mod model_folder;
mod run;
mod run_folder;
mod spec;
mod state;
mod step_loop;
mod tensors;
#[cfg(test)]
mod tests;

pub use checkpoint::{Checkpoint, CheckpointInfo, FileRecord, load_model};
pub use divergence::{DivergedRow, Divergence};
pub use error::TrainError;
pub use import::{ImportError, check_shape, imported};
pub use kernels::{KernelChange, KernelSince, Kernels};
pub use metrics::{StepRecord, read_metrics};
pub use model_folder::{ModelError, ModelFolder, WeightFile};
pub use run::{Observer, Outcome, RunRequest, Signal, run};
pub use run_folder::read_spec;
pub use spec::{Anneal, Moments, RunSpec, Start};
