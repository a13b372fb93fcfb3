//! Trunks and branches: the runs of a plan.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sparkjoy_base::SourceName;
use sparkjoy_mix::Mixture;
use sparkjoy_train::RunSpec;

use super::account::Account;

/// A trunk of another model size, for a question that is transferred to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trunk {
    /// First part of the names of its jobs and branches: `l2-w64-h2`.
    pub name: String,
    /// What it is called in tables: `2 layers, width 64, 2 heads`.
    pub label: String,
    /// What determines its numbers.
    pub spec: RunSpec,
}

/// A run that starts at a checkpoint of a trunk or of another branch: one per mixture, window and
/// replicate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// `upsampled-10%-r1`: unique in the plan, without its fingerprint.
    pub name: String,
    /// What it is called in tables: `upsampled`, `base`, `upsampled − math`.
    pub label: String,
    /// Its window as written, `10%`; with what follows it, `10% at 50%, then base`.
    pub window: String,
    /// Steps that are its own: those after `from_step`.
    pub window_steps: u64,
    /// Replicate, from 0.
    pub replicate: u32,
    /// Which trunk it belongs to: 0 is the study's own, 1 the first of [`Plan::others`].
    #[serde(default)]
    pub trunk: usize,
    /// The branch it goes on from, an index into [`Plan::branches`]; none for the trunk.
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
    pub accounts: BTreeMap<SourceName, Account>,
}

impl Branch {
    /// The mixture of the steps that are its own.
    pub fn mixture(&self) -> &Mixture {
        &self.spec.phases.last().expect("a branch has a phase").mixture
    }
}
