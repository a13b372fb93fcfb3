//! Which instructions computed what is compared.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::executor::{branch_folder, checkpoint};
use crate::{Branch, LabError};

/// Branches that the same kernels computed in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Computed {
    /// The kernels, that of the trunk's first step first.
    pub kernels: Vec<String>,
    /// The branches, in the plan's order.
    pub branches: Vec<String>,
}

/// What computed each branch, by the checkpoint at its end.
///
/// # Errors
///
/// If a checkpoint is not as it was written.
pub(super) fn computed<'a>(
    branches: impl Iterator<Item = &'a Branch>,
    runs: &Path,
) -> Result<Vec<Computed>, LabError> {
    let mut groups: Vec<Computed> = Vec::new();
    for branch in branches {
        let end = checkpoint(&branch_folder(branch, runs), branch.spec.last_step())?;
        // A score is enough for a report; its checkpoint may have been removed to save space.
        let Some(end) = end else { continue };
        let kernels: Vec<String> =
            end.inspect()?.kernels.iter().map(|since| since.kernel.clone()).collect();
        match groups.iter_mut().find(|group| group.kernels == kernels) {
            Some(group) => group.branches.push(branch.name.clone()),
            None => groups.push(Computed { kernels, branches: vec![branch.name.clone()] }),
        }
    }
    Ok(groups)
}

/// A sentence where rounding is part of some difference, nothing where one kernel computed all.
pub(crate) fn mixed(computed: &[Computed]) -> Option<String> {
    if computed.iter().all(|group| group.kernels.len() == 1) && computed.len() < 2 {
        return None;
    }
    let of = |group: &Computed| {
        let branches = match computed {
            [_] => "every branch".to_owned(),
            _ => group.branches.join(", "),
        };
        format!("{} ({branches})", group.kernels.join(" then "))
    };
    Some(format!(
        "KERNELS: not one set of instructions computed all that is compared, and each rounds in its \
         own way, so a difference may hold rounding besides data: {}",
        computed.iter().map(of).collect::<Vec<_>>().join("; ")
    ))
}
