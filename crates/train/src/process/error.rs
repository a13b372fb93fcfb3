//! What can go wrong with a command that trains, and what to do about it.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use sparkjoy_base::{Hint, thousands};

/// A command that trains did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no command, or it does not take the job.
    #[error(
        "the command of the engine is {found}, expected a program and its arguments, one of \
        them with `{{job}}`"
    )]
    Command {
        /// The command as given.
        found: String,
    },
    /// The command cannot be started.
    #[error("cannot start the engine `{program}`")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// A path cannot be written into a job file.
    #[error("`{}` is not UTF-8, and a job file is", path.display())]
    Path {
        /// The path.
        path: PathBuf,
    },
    /// The command ended before the target.
    #[error("the engine `{program}` ended with {status} after step {}, expected step {}{}",
        thousands(*step), thousands(*target), last_words(said))]
    Ended {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The last step whose checkpoint was taken.
        step: u64,
        /// The step it was asked for.
        target: u64,
        /// The last lines it printed.
        said: String,
        /// All it printed.
        log: PathBuf,
    },
    /// The command is another engine than the one that computed what the run is compared with.
    #[error(
        "the engine is `{found}`, expected the engine that computed {computed} (`{expected}`): a \
         difference between the two would hold rounding besides data"
    )]
    Other {
        /// The name it gives itself.
        found: String,
        /// The name of the other.
        expected: String,
        /// What that computed.
        computed: String,
    },
    /// What the command wrote is not what it should be. Nothing of it is kept.
    #[error("the engine `{program}` wrote {what}: found {found}, expected {expected}")]
    Refused {
        /// The program.
        program: String,
        /// Which file, line or tensor.
        what: String,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
        /// All it printed.
        log: PathBuf,
    },
}

fn last_words(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!("; its last lines:\n{said}") }
}

impl Hint for EngineError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Command { .. } => {
                "write it as a list, `[\"python3\", \"engine.py\", \"{job}\"]`; `{job}` becomes the \
                 path of the job file"
                    .to_owned()
            }
            Self::Start { program, .. } => format!(
                "type `{program} --help` to see whether it runs here, or give its whole path"
            ),
            Self::Path { .. } => "move the run or the prepared sources to another folder".to_owned(),
            Self::Other { expected, .. } => format!(
                "name the engine `{expected}`: `--engine 'COMMAND {{job}}'`; or allow it by \
                 `--mixed-engines`: the report then says so"
            ),
            Self::Ended { log, .. } => format!(
                "read `{}`, then run the same command again: it continues from the last checkpoint",
                log.display()
            ),
            Self::Refused { log, .. } => format!(
                "correct the engine by docs/engines.md (it printed `{}`), then run the same command \
                 again: it continues from the last checkpoint",
                log.display()
            ),
        })
    }
}
