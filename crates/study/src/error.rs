//! What can be wrong with a study, or with what it names.

use sparkjoy_base::{FileError, Hint, Problem};
use sparkjoy_data::DataError;
use sparkjoy_eval::EvalError;
use sparkjoy_mix::MixError;
use sparkjoy_train::TrainError;

/// What is wrong with a study or a plan.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// The study file says something that cannot be done.
    #[error(transparent)]
    Problem(#[from] Problem),
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
    /// Tasks.
    #[error(transparent)]
    Eval(#[from] EvalError),
}

impl Hint for StudyError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Problem(error) => error.hint(),
            Self::File(error) => error.hint(),
            Self::Mix(error) => error.hint(),
            Self::Data(error) => error.hint(),
            Self::Train(error) => error.hint(),
            Self::Eval(error) => error.hint(),
        }
    }
}
