//! Where things lie.
//!
//! A run's folder is named after what determines its numbers, so a study that changes finds the
//! runs it still shares with its past and never those it does not. A study's folder is a view: it
//! holds what was last asked and answered under that name, and can be written again at any time.
//!
//! ```text
//! runs/
//! ├── trunk-3f9a12bc/                 the trunk, one checkpoint per branch point
//! ├── upsampled-10pct-r0-77c1d2e0/    a branch, its last checkpoint
//! │   └── scores-5b7719aa.json        how it scores
//! └── last-tokens/                    the study: study.toml plan.json report.* timing/
//! ```

use std::path::{Path, PathBuf};

use sparkjoy_spec::RunSpec;

use sparkjoy_study::{Branch, Plan};

/// The folder of a study's plan and reports.
pub fn study_folder(plan: &Plan, runs: &Path) -> PathBuf {
    runs.join(&plan.name)
}

/// The run folder of a trunk.
pub fn trunk_folder(trunk: &RunSpec, runs: &Path) -> PathBuf {
    runs.join(format!("trunk-{}", trunk.fingerprint()))
}

/// The run folder of a branch: the one that a version before 0.2 made, where there is one.
pub fn branch_folder(branch: &Branch, runs: &Path) -> PathBuf {
    let named = |name: &str| runs.join(format!("{name}-{}", branch.spec.fingerprint()));
    let former = branch.former_name.as_deref().map(named);
    former.filter(|folder| folder.is_dir()).unwrap_or_else(|| named(&branch.name))
}
