//! What goes wrong while jobs run: passed on from the crates below as they say it.

use sparkjoy_base::{FileError, Hint, Problem};
use sparkjoy_data::DataError;
use sparkjoy_eval::EvalError;
use sparkjoy_mix::MixError;
use sparkjoy_study::StudyError;
use sparkjoy_train::TrainError;

/// What went wrong with the execution of a plan.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The study cannot be planned.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A mixture, ledger or order cannot be.
    #[error(transparent)]
    Mix(#[from] MixError),
    /// Text, tokens or shards.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A run.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Scoring.
    #[error(transparent)]
    Eval(EvalError),
    /// A job that cannot run, or a result that cannot be used.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// Stopped on request; running again continues.
    #[error("interrupted")]
    Interrupted,
}

impl From<EvalError> for JobError {
    fn from(error: EvalError) -> Self {
        match error {
            EvalError::Model(model) if model.is_stopped() => Self::Interrupted,
            error => Self::Eval(error),
        }
    }
}

impl Hint for JobError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Study(error) => error.hint(),
            Self::File(error) => error.hint(),
            Self::Mix(error) => error.hint(),
            Self::Data(error) => error.hint(),
            Self::Train(error) => error.hint(),
            Self::Eval(error) => error.hint(),
            Self::Problem(error) => error.hint(),
            Self::Interrupted => None,
        }
    }
}
