//! What can go wrong in this room: one enum, a variant per subject.
//!
//! What is wrong with a study is a [`Problem`] at a place; what goes wrong while it runs comes
//! from the rooms below and is passed on as they say it.

use std::path::PathBuf;

use sparkjoy_base::{FileError, Hint};
use sparkjoy_data::DataError;
use sparkjoy_eval::EvalError;
use sparkjoy_mix::MixError;
use sparkjoy_train::TrainError;

use crate::problem::Problem;
use crate::{DraftError, ExecutionError};

/// What went wrong with a study, a plan or its execution.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The study file says something that cannot be done.
    #[error(transparent)]
    Study(#[from] Box<StudyError>),
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
    Eval(#[from] EvalError),
    /// A job that cannot run, or a result that cannot be used.
    #[error(transparent)]
    Execution(#[from] ExecutionError),
    /// A folder that no study can be made of.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// Stopped on request; running again continues.
    #[error("interrupted")]
    Interrupted,
}

impl Hint for LabError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Study(error) => error.hint(),
            Self::File(error) => error.hint(),
            Self::Mix(error) => error.hint(),
            Self::Data(error) => error.hint(),
            Self::Train(error) => error.hint(),
            Self::Eval(error) => error.hint(),
            Self::Execution(error) => error.hint(),
            Self::Draft(error) => error.hint(),
            Self::Interrupted => None,
        }
    }
}

/// A problem of a study and the place in its file.
#[derive(Debug, thiserror::Error)]
#[error("`{}` line {line}: {problem}", file.display())]
pub struct StudyError {
    /// The study file.
    pub file: PathBuf,
    /// The line of the offending key or value, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: Problem,
}

impl Hint for StudyError {
    fn hint(&self) -> Option<String> {
        self.problem.hint(&self.file)
    }
}
