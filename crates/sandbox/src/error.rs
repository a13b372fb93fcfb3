//! Why nothing can be run here, and what to do about it.

use std::io;
use std::path::PathBuf;

use sparkjoy_base::Hint;

/// Why a program could not be run, which says nothing about the program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// There is no such interpreter.
    #[error("found no Python interpreter `{}`, expected Python 3.8 or later", name.display())]
    NoInterpreter {
        /// What was looked for.
        name: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something of that name ran and was no usable interpreter.
    #[error("`{}` is no usable Python interpreter: {found}", name.display())]
    BadInterpreter {
        /// What was run.
        name: PathBuf,
        /// What it said, expected Python 3.8 or later describing itself.
        found: String,
    },
    /// The program that confines could not be started.
    #[error("cannot start the launcher `{}`", launcher.display())]
    NoLauncher {
        /// The program that was to confine itself.
        launcher: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The launcher ended without saying that it is ready.
    #[error("the launcher `{}` did not confine itself: {found}", launcher.display())]
    BadLauncher {
        /// The program that was to confine itself.
        launcher: PathBuf,
        /// How it ended, or what it said.
        found: String,
    },
    /// The machine lacks a layer of the protection.
    #[error("this machine cannot confine programs: no {layer} ({reason})")]
    Refused {
        /// The missing layer.
        layer: String,
        /// What the kernel said.
        reason: String,
    },
    /// A pipe or a scratch folder failed.
    #[error("cannot {action}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A row of the problem file cannot be judged, whatever the answer.
    #[error("`{task_id}` cannot be judged by rule `{rule}`: {reason}")]
    BadProblem {
        /// The row.
        task_id: String,
        /// The rule that was to judge.
        rule: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl Hint for SandboxError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoInterpreter { .. } | Self::BadInterpreter { .. } => {
                Some("install Python 3, or name another interpreter".to_owned())
            }
            Self::Refused { .. } => Some(
                "allow user namespaces (`sysctl user.max_user_namespaces`, on Ubuntu \
                 `sysctl kernel.apparmor_restrict_unprivileged_userns=0`, in Docker \
                 `--security-opt seccomp=unconfined`), or, only in a machine that may be lost, \
                 run generated programs with `--unprotected-code`"
                    .to_owned(),
            ),
            Self::BadProblem { rule: "cases" | "cases-or-text", .. } => Some(
                "take the file with `test_inputs` and `test_outputs`, or rule `check`".to_owned(),
            ),
            _ => None,
        }
    }
}
