//! Trunks and branches: the runs of a plan.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sparkjoy_base::SourceName;
use sparkjoy_mix::Mixture;
use sparkjoy_spec::RunSpec;

use super::source_tokens::SourceTokens;

/// A run over the whole budget that branches start from. It is only trained as far as its last
/// branch point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trunk {
    /// `trunk`, or `l2-w64-h2-trunk` for one of another model size: with a step, the name of a job.
    pub name: String,
    /// Its model in tables: `2 layers, width 64, 2 heads`.
    pub label: String,
    /// What determines its numbers. It covers the whole budget, so that its identity does not
    /// depend on the windows asked about.
    pub spec: RunSpec,
}

/// A run that starts at a checkpoint of a trunk or of another branch: one per mixture, window and
/// replicate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// `upsampled-10pct-r1`: unique in the plan, without its fingerprint. Letters, digits, `.`, `_`
    /// and `-` alone, so that schedulers, shells and URLs take it as it is.
    pub name: String,
    /// What versions before 0.2 called it, where that is another name: `upsampled-10%-r1`. Folders
    /// of before are found by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_name: Option<String>,
    /// Branches with the same number differ in nothing but the replicate.
    pub group: usize,
    /// What it is called in tables: `upsampled`, `base`, `upsampled − math`.
    pub label: String,
    /// Its window as written, `10%`; with what follows it, `10% at 50%, then base`.
    pub window: String,
    /// Steps that are its own: those after `from_step`.
    pub window_steps: u64,
    /// Replicate, from 0.
    pub replicate: u32,
    /// Which of [`Plan::trunks`] it belongs to.
    ///
    /// [`Plan::trunks`]: super::Plan::trunks
    pub trunk: usize,
    /// The branch it goes on from, an index into the branches of the plan; none for the trunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<usize>,
    /// Whether a question compares its end. Else it is only there to be gone on from.
    pub compared: bool,
    /// The step it starts at: a branch point of its trunk, or the last step of `after`.
    pub from_step: u64,
    /// What determines its numbers. Its folder is `<name>-<fingerprint>`. It begins at the branch
    /// point of the trunk, also where the branch goes on from another one.
    pub spec: RunSpec,
    /// Per source, for the steps that are its own.
    pub accounts: BTreeMap<SourceName, SourceTokens>,
}

impl Branch {
    /// The mixture of the steps that are its own.
    pub fn mixture(&self) -> &Mixture {
        &self.spec.phases.last().expect("a branch has a phase").mixture
    }
}
