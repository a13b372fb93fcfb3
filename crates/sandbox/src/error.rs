//! Errors of the sandbox, and what to do about them.

use std::io;
use std::path::PathBuf;

use sparkjoy_base::Hint;

/// A program could not be run, for a reason outside of the program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The interpreter was not found.
    #[error("found no Python interpreter `{}`, expected Python 3.8 or later", name.display())]
    NoInterpreter {
        /// Its name or path.
        name: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program of that name is not a usable interpreter.
    #[error("`{}` is no usable Python interpreter: {found}", name.display())]
    BadInterpreter {
        /// Its name or path.
        name: PathBuf,
        /// Its output; expected is the description of Python 3.8 or later.
        found: String,
    },
    /// The launcher could not be started.
    #[error("cannot start the launcher `{}`", launcher.display())]
    NoLauncher {
        /// The launcher.
        launcher: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The launcher ended before it was ready.
    #[error("the launcher `{}` did not confine itself: {found}", launcher.display())]
    BadLauncher {
        /// The launcher.
        launcher: PathBuf,
        /// Its exit status or its output.
        found: String,
    },
    /// The machine lacks a layer of the protection.
    #[error("this machine cannot confine programs: no {layer} ({reason})")]
    Refused {
        /// The missing layer.
        layer: String,
        /// The error of the Linux kernel.
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
    /// A row of the problem file cannot be judged, for any completion.
    #[error("`{task_id}` cannot be judged by rule `{rule}`: {reason}")]
    BadProblem {
        /// The row.
        task_id: String,
        /// The rule.
        rule: &'static str,
        /// What is wrong with the row.
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
