//! Where things lie on this machine.

use std::path::PathBuf;

/// The folders of a call. Where something lies changes no number.
#[derive(Clone, Debug)]
pub struct Places {
    /// Folder of all runs.
    pub runs: PathBuf,
    /// Folder of prepared shards.
    pub prepared: PathBuf,
    /// Folder of task files; without it, jobs that need one are refused.
    pub eval_data: Option<PathBuf>,
}
