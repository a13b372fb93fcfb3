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
mod engines;
mod error;
mod hugging_face;
mod import;
mod inputs;
mod kernels;
mod loader;
mod log;
mod metrics;
mod model_folder;
mod process;
mod run;
mod run_folder;
mod state;
mod step_loop;
mod tensors;
#[cfg(test)]
mod tests;

pub use checkpoint::{Checkpoint, CheckpointInfo, FileRecord};
pub use divergence::{DivergedRow, Divergence};
pub use engines::LocalEngine;
pub use error::TrainError;
pub use import::{ImportError, check_shape, imported};
pub use kernels::{KernelSince, Kernels};
pub use metrics::{check_metrics, has_metrics, read_metrics};
pub use model_folder::{Instead, ModelError, ModelFolder, WeightFile};
pub use process::{EngineError, Expected, ProcessEngine};
pub use run::{RunRequest, run};
pub use run_folder::{check_run, read_spec, step_name, tidy};
#[cfg(test)]
use sparkjoy_spec::{KernelChange, Moments, Observer, Outcome, RunSpec, Signal, Start, StepRecord};
