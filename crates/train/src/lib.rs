//! Runs steps *a* to *b* of a plan and can stop and continue at any step without a trace.

mod contract;

pub use contract::{
    Checkpoint, Outcome, RunRequest, RunSpec, Signal, Start, StepRecord, TrainError, load_model,
    read_metrics, run,
};
