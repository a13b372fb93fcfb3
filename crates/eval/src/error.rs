//! What can go wrong in scoring.

use std::path::PathBuf;

use sparkjoy_base::{FileError, Hint, Problem, SourceName, Tokens, did_you_mean, thousands};
use sparkjoy_spec::LanguageModelError;

use crate::held_out::MOST_NATS;

/// What went wrong in scoring.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// Held-out tokens could not be read.
    #[error(transparent)]
    Data(#[from] sparkjoy_data::DataError),
    /// A source's held-out part is shorter than one sequence.
    #[error(
        "source `{source_name}` has {} held-out tokens, expected at least one context of {}",
        thousands(*.tokens),
        thousands(*.context as u64)
    )]
    TooShort {
        /// The source.
        source_name: SourceName,
        /// Tokens in its held-out part.
        tokens: u64,
        /// Tokens per sequence.
        context: usize,
    },
    /// The budget does not pay for one sequence.
    #[error("{budget} held-out tokens per source are asked for, expected at least one context of {}", thousands(*.context as u64))]
    Budget {
        /// Held-out tokens per source as asked for.
        budget: Tokens,
        /// Tokens per sequence.
        context: usize,
    },
    /// The sampled targets of a source stand for no text at all.
    #[error("the {} held-out sequences of source `{source_name}` hold no text, only end-of-text tokens", thousands(*.sequences as u64))]
    NoText {
        /// The source.
        source_name: SourceName,
        /// Sequences scored.
        sequences: usize,
    },
    /// A loss is not a finite number or cannot be, so the model is broken.
    #[error(
        "the model's loss on held-out sequence {ordinal} of source `{source_name}` is {nats}, expected a number from 0 to {MOST_NATS:e}"
    )]
    NotFinite {
        /// The source.
        source_name: SourceName,
        /// Which sequence of its held-out part.
        ordinal: u64,
        /// Nats over its targets.
        nats: f64,
    },
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A task file, or a task's rows, cannot be used.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// A name that no task and no suite has.
    #[error("`{name}` is no task and no suite{}", did_you_mean(nearest.as_deref()))]
    UnknownTask {
        /// The name.
        name: String,
        /// The known one that looks most like it.
        nearest: Option<String>,
    },
    /// None of the files a task may be read from is there.
    #[error("task `{task}` has no file in `{}`, expected `{}`", folder.display(), tried.join("` or `"))]
    NoTaskFile {
        /// The task.
        task: String,
        /// The data folder.
        folder: PathBuf,
        /// The files tried.
        tried: Vec<String>,
    },
    /// Programs cannot be run.
    #[error(transparent)]
    Sandbox(#[from] sparkjoy_sandbox::SandboxError),
    /// The model gave no answer.
    #[error(transparent)]
    Model(#[from] LanguageModelError),
    /// A likelihood is not a finite number, so the model is broken.
    #[error(
        "the model's loss on row {} of task `{task}` is {nats}, expected a finite number",
        thousands(*row as u64 + 1)
    )]
    ItemNotFinite {
        /// The task.
        task: String,
        /// Which row of its file, from 0.
        row: usize,
        /// Nats of its answer.
        nats: f64,
    },
}

impl Hint for EvalError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Data(error) => error.hint(),
            Self::TooShort { source_name, .. } => Some(format!(
                "give `[sources.{source_name}]` more validation text, or lower `context` in `[model]`"
            )),
            Self::Budget { context, .. } => {
                Some(format!("set `held_out` in `[evaluation]` to at least {context}"))
            }
            Self::NoText { source_name, .. } => Some(format!(
                "look at the validation text of `[sources.{source_name}]`: its documents are empty"
            )),
            Self::File(error) => error.hint(),
            Self::Sandbox(error) => error.hint(),
            Self::Model(error) => error.hint(),
            Self::Problem(error) => error.hint(),
            Self::UnknownTask { name, nearest } => Some(match nearest {
                Some(nearest) => format!("write `{nearest}` for `{name}`"),
                None => "ask for `gauntlet-v0.3`, `mmlu`, `gsm8k`, `human-eval`, or a task of a \
                         file of your own"
                    .to_owned(),
            }),
            Self::NoTaskFile { tried, .. } => Some(format!(
                "put `{}` there, laid out as in LLM Foundry's `eval/local_data`, or name another \
                 data folder",
                tried[0]
            )),
            Self::NotFinite { .. } | Self::ItemNotFinite { .. } => Some(
                "the training diverged: lower `lr` or set `grad_clip` in `[training]`, and run again"
                    .to_owned(),
            ),
        }
    }
}
