//! What can be wrong with a study, or with what it names.

use std::path::PathBuf;

use sparkjoy_base::{FileError, Hint};
use sparkjoy_data::DataError;
use sparkjoy_eval::EvalError;
use sparkjoy_mix::MixError;
use sparkjoy_train::TrainError;

use crate::problem::Problem;

/// What is wrong with a study or a plan.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// The study file says something that cannot be done.
    #[error(transparent)]
    Stated(#[from] Box<StatedProblem>),
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
            Self::Stated(error) => error.hint(),
            Self::File(error) => error.hint(),
            Self::Mix(error) => error.hint(),
            Self::Data(error) => error.hint(),
            Self::Train(error) => error.hint(),
            Self::Eval(error) => error.hint(),
        }
    }
}

/// A problem of a study and the place in its file.
#[derive(Debug, thiserror::Error)]
#[error("`{}` line {line}: {problem}", file.display())]
pub struct StatedProblem {
    /// The study file.
    pub file: PathBuf,
    /// The line of the offending key or value, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: Problem,
}

impl Hint for StatedProblem {
    fn hint(&self) -> Option<String> {
        self.problem.hint(&self.file)
    }
}
